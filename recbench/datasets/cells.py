"""Text to cells, a block at a time: where each cell of each row starts and ends, and in which line the row stands."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recbench.data import BoolArray, Int64Array, RowArray
from recbench.datasets.faults import Fault
from recbench.errors import BadData

# These bytes never occur in UTF-8, so they part cells and rows whatever the cells hold.
CELL_END = b"\xff"
ROW_END = b"\xfe"
_SHOWN = 60


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Span:
    """One column of a block: row r is `buffer[start[r]:end[r]]`, UTF-8."""

    buffer: NDArray[np.uint8]
    start: RowArray
    end: RowArray

    @property
    def length(self) -> RowArray:
        """(n,) bytes of each cell."""
        return self.end - self.start

    def take(self, rows: BoolArray | RowArray) -> Span:
        """The cells of some rows."""
        return Span(buffer=self.buffer, start=self.start[rows], end=self.end[rows])

    def text(self, row: int) -> str:
        """The cell of one row, cut where it is long: for messages."""
        found = self.buffer[self.start[row] : self.end[row]].tobytes().decode("utf-8", "replace")
        return found if len(found) <= _SHOWN else f"{found[:_SHOWN]}..."

    def texts(self) -> list[str]:
        """All cells."""
        data = self.buffer.tobytes()
        return [data[start:end].decode() for start, end in zip(self.start.tolist(), self.end.tolist(), strict=True)]

    def matrix(self) -> NDArray[np.uint8]:
        """(n, longest cell) bytes, filled up with zeros."""
        length = self.length
        found = np.zeros((len(length), max(1, int(length.max(initial=0)))), dtype=np.uint8)
        last = len(self.buffer) - 1
        for column in range(int(length.max(initial=0))):
            byte = self.buffer[np.minimum(self.start + column, last)]
            found[:, column] = byte if length.min() > column else np.where(length > column, byte, 0)
        return found


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Table:
    """The rows of one block that have the right number of cells, and those that have not.

    Attributes:
        lines: (n,) line of each row in its file, from 1.
        columns: the cells.
        broken: rows that could not be cut into cells.
    """

    lines: Int64Array
    columns: tuple[Span, ...]
    broken: Fault | None = None


def utf8(block: bytes, path: Path, *, line: int, encoding: str = "utf-8") -> bytes:
    """The block as UTF-8 that surely is.

    Args:
        block: whole lines.
        path: for messages.
        line: the number of the block's first line.
        encoding: what it is in.

    Raises:
        BadData: it is not in that encoding.
    """
    if encoding != "utf-8":
        return block.decode(encoding).encode()
    try:
        block.decode()
    except UnicodeDecodeError as error:
        at = line + block.count(b"\n", 0, error.start)
        shown = block[block.rfind(b"\n", 0, error.start) + 1 : error.start + 1][-_SHOWN:]
        raise BadData(
            f"{path}, line {at}: {shown!r} is not UTF-8", fix="save the file in UTF-8, or check that it is text"
        ) from error
    return block


def split_block(block: bytes, separator: str, *, n_cells: int, line: int) -> Table:
    """Cut a block of lines into cells. Empty lines are passed over.

    Args:
        block: UTF-8, whole lines, each ending in a line feed, before which a carriage return may stand.
        separator: one or more characters.
        n_cells: how many cells a row must have, 2 at least.
        line: the number of the block's first line.
    """
    part = separator.encode()
    if len(part) > 1:  # `replace` finds the same places as `str.split` does
        block, part = block.replace(part, CELL_END), CELL_END
    lines = np.arange(line, line + block.count(b"\n"), dtype=np.int64)
    return cut(block, part, b"\n", n_cells=n_cells, lines=lines)


def cut(block: bytes, part: bytes, row_end: bytes, *, n_cells: int, lines: Int64Array) -> Table:
    """Cut at single bytes.

    Args:
        block: the text.
        part: the byte between cells.
        row_end: the byte after each row.
        n_cells: how many cells a row must have, 2 at least.
        lines: (n,) the line of each row, empty rows included.
    """
    buffer = np.frombuffer(block, dtype=np.uint8)
    start, end = row_bounds(buffer, row_end)
    if not np.all(end > start):
        filled = end > start
        start, end, lines = start[filled], end[filled], lines[filled]
    cuts = np.flatnonzero(buffer == part[0])
    inner, broken = cuts.reshape(-1, n_cells - 1) if len(cuts) == len(start) * (n_cells - 1) else None, None
    if inner is None or not np.all((inner[:, 0] >= start) & (inner[:, -1] < end)):
        first = np.searchsorted(cuts, start)
        found = np.searchsorted(cuts, end) - first + 1
        right = found == n_cells
        broken = _wrong_count(lines[~right], found[~right], n_cells)
        start, end, lines = start[right], end[right], lines[right]
        inner = cuts[first[right][:, None] + np.arange(n_cells - 1)]
    starts = (start, *(inner + 1).T)
    ends = (*inner.T, end)
    columns = tuple(Span(buffer=buffer, start=left, end=right) for left, right in zip(starts, ends, strict=True))
    return Table(lines=lines, columns=columns, broken=broken)


def row_bounds(buffer: NDArray[np.uint8], row_end: bytes) -> tuple[RowArray, RowArray]:
    """Where rows start and end; a carriage return before a line feed belongs to the end."""
    end = np.flatnonzero(buffer == row_end[0])
    start = np.concatenate([[0], end[:-1] + 1]) if len(end) else end
    if row_end == b"\n" and len(end):
        end = end - ((buffer[np.maximum(end - 1, 0)] == ord("\r")) & (end > start))
    return start, end


def _wrong_count(lines: Int64Array, found: RowArray, n_cells: int) -> Fault | None:
    if not len(lines):
        return None
    return Fault(kind="broken lines", lines=lines, describe=lambda index: wrong_count(int(found[index]), n_cells))


def wrong_count(found: int, expected: int) -> str:
    """What is wrong with a row of so many cells."""
    return f"{found} {'cell' if found == 1 else 'cells'} where {expected} are expected"

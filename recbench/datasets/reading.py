"""Files of interactions to rows: text with separators, adjacency lists, RecBole's files, Parquet, NumPy's arrays."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from recbench.datasets.cells import Span, Table, split_block, utf8
from recbench.datasets.faults import Inspector, Policy
from recbench.datasets.layout import Layout, by_header, untyped, without_header
from recbench.datasets.opening import Opener, open_file, read_blocks
from recbench.datasets.parquet import ParquetText
from recbench.datasets.quoted import read_records, split_records
from recbench.datasets.records import rows_of_records
from recbench.datasets.rows import Block, Rows, Scale, check
from recbench.errors import BadData
from recbench.protocols.spec import FileSpec, TableSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """How to read files of interactions and of features.

    Attributes:
        opener: opens a path.
        encoding: of text.
        escape: the character before quotes that belong to a cell, where quotes are not doubled.
        scale: least and greatest rating.
        on_bad_rows: stop at bad rows, or drop and count them.
        dropped: counts by reason, of all files.
    """

    opener: Opener = open_file
    encoding: str = "utf-8"
    escape: str | None = None
    scale: Scale = None
    on_bad_rows: Policy = "error"
    dropped: Counter[str] = field(default_factory=Counter)

    def read(self, file: FileSpec) -> Iterator[Rows]:
        """All rows of a file, block by block. What is dropped is counted at the end.

        Raises:
            BadData: there is no such file, it has no rows, or one of them is bad and that is an error.
        """
        inspector, n = self.inspector(file), 0
        for rows in self.rows(file, inspector):
            if len(rows):
                n += len(rows)
                yield rows
        self.dropped.update(inspector.dropped)
        if not n:
            raise BadData(f"{file.path} has no interactions", fix="check that it is the right file, and its format")

    def inspector(self, file: FileSpec | TableSpec) -> Inspector:
        """Who looks at the rows of a file."""
        unit = "row" if file.format in ("parquet", "npy") else "line"
        return Inspector(path=file.path, on_bad_rows=self.on_bad_rows, unit=unit)

    def rows(self, file: FileSpec, inspector: Inspector) -> Iterator[Rows]:
        """The rows of a file, block by block, as they are asked for."""
        if file.format == "npy":
            return rows_of_records(self.opener(file.path), file, inspector, self.scale)
        return check(self._blocks(file), inspector, self.scale)

    def line_of(self, file: FileSpec, row: int) -> int:
        """The line of a row that was kept, found by reading again: lines are not remembered."""
        for rows in self.rows(file, self.inspector(file)):
            if row < len(rows):
                return int(rows.lines[row])
            row -= len(rows)
        raise BadData(f"{file.path} changed while it was read", fix="run again when nothing writes to it")

    def text(self, path: Path) -> Iterator[bytes]:
        """A file of text as blocks of lines in UTF-8."""
        line = 1
        for block in read_blocks(self.opener(path), path):
            yield utf8(block, path, line=line, encoding=self.encoding)
            line += block.count(b"\n")

    def tables(self, file: FileSpec | TableSpec, layout: Layout, blocks: Iterator[bytes]) -> Iterator[Table]:
        """Blocks of lines after the header cut into cells."""
        separator, n_cells = _separator(file), len(layout.names)
        line = 2 if _has_header(file) else 1
        for block in blocks:
            if is_quoting(separator) and b'"' in block:
                rest = itertools.chain([block], blocks)
                yield from split_records(rest, file.path, separator, n_cells=n_cells, line=line, escape=self.escape)
                return
            if block:
                yield split_block(block, separator, n_cells=n_cells, line=line)
            line += block.count(b"\n")

    def header(self, file: FileSpec | TableSpec, blocks: Iterator[bytes]) -> tuple[list[str], Iterator[bytes]]:
        """The names in the first line, none where a file has no header, and the blocks after it.

        Raises:
            BadData: the header cannot be read, or has a single name.
        """
        if not _has_header(file):
            return [], blocks
        first, _, rest = next(blocks, b"").partition(b"\n")
        names = cells_of_line(first, file.path, _separator(file), self.escape)
        if len(names) < 2:
            raise BadData(
                f"{file.path}, line 1: the header {names[0] if names else ''!r} has no {_separator(file)!r} in it",
                fix="correct `separator`",
            )
        return names, itertools.chain([rest], blocks)

    def _blocks(self, file: FileSpec) -> Iterator[Block]:
        if file.format == "adjacency":
            yield from _adjacency(self.text(file.path))
        elif file.format == "parquet":
            with ParquetText(self.opener(file.path), file.path) as parquet:
                places = by_header(parquet.names, file).places
                for table in parquet.tables([parquet.names[place] for place in places.values()]):
                    yield Block(table=table, places={name: place for place, name in enumerate(places)})
        else:
            names, blocks = self.header(file, self.text(file.path))
            if file.format == "atomic":
                names = [untyped(name) for name in names]
            listed = file.columns if isinstance(file.columns, tuple) else None
            layout = by_header(names, file) if listed is None else without_header(listed)
            for table in self.tables(file, layout, blocks):
                yield Block(table=table, places=layout.places)


def cells_of_line(line: bytes, path: Path, separator: str, escape: str | None) -> list[str]:
    """The cells of a single line."""
    line = line.removesuffix(b"\r")
    if not is_quoting(separator) or b'"' not in line:
        return line.decode().split(separator)
    _, cells = next(read_records([line + b"\n"], path, separator, escape=escape))
    if isinstance(cells, str):
        raise BadData(f"{path}, line 1: {cells}", fix="correct the header")
    return cells


def is_quoting(separator: str) -> bool:
    """Whether cells may be quoted: not in tab-separated text, where a quote is a character like any other."""
    return len(separator) == 1 and not separator.isspace()


def _separator(file: FileSpec | TableSpec) -> str:
    return "\t" if file.format == "atomic" else file.separator


def _has_header(file: FileSpec | TableSpec) -> bool:
    return file.format == "atomic" or file.header


def _adjacency(blocks: Iterator[bytes]) -> Iterator[Block]:
    """Lines of `user item item ...`; blanks of any kind and number part them. A user alone is passed over."""
    line = 1
    places: Mapping[str, int] = {"user": 0, "item": 1}
    for block in blocks:
        buffer = np.frombuffer(block, dtype=np.uint8)
        ends = np.flatnonzero(buffer == ord("\n"))
        outside = np.ones(len(buffer) + 1, dtype=np.bool_)
        outside[1:] = np.isin(buffer, np.frombuffer(b" \t\r\n", dtype=np.uint8))
        start = np.flatnonzero(outside[:-1] & ~outside[1:])
        end = np.flatnonzero(~outside[:-1] & outside[1:]) if len(buffer) else start
        row = np.searchsorted(ends, start)
        is_user = np.concatenate([[True], row[1:] != row[:-1]]) if len(row) else row.astype(np.bool_)
        owner = np.flatnonzero(is_user)[np.cumsum(is_user) - 1][~is_user]
        columns = (
            Span(buffer=buffer, start=start[owner], end=end[owner]),
            Span(buffer=buffer, start=start[~is_user], end=end[~is_user]),
        )
        yield Block(table=Table(lines=row[~is_user] + line, columns=columns), places=places)
        line += len(ends)

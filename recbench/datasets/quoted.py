"""Text with quoted cells to cells. Slower than cutting at separators, and only used where there is a quote."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from recbench.datasets.cells import CELL_END, ROW_END, Table, cut, wrong_count
from recbench.datasets.faults import Fault
from recbench.errors import BadData

_RECORDS = 1 << 17
# `surrogateescape` writes these two as the bytes CELL_END and ROW_END; text out of UTF-8 never has them.
_CELL = CELL_END.decode("utf-8", "surrogateescape")
_ROW = ROW_END.decode("utf-8", "surrogateescape")


def split_records(
    blocks: Iterable[bytes], path: Path, separator: str, *, n_cells: int, line: int, escape: str | None = None
) -> Iterator[Table]:
    """Cut blocks of lines into cells where cells may be quoted, and may then hold separators and line feeds.

    Args:
        blocks: UTF-8, whole lines.
        path: for messages.
        separator: one character.
        n_cells: how many cells a row must have.
        line: the number of the first line.
        escape: the character before a quote that belongs to the cell; None where such quotes are doubled.

    Raises:
        BadData: a quote is never closed.
    """
    rows: list[str] = []
    lines: list[int] = []
    wrong: list[tuple[int, str]] = []
    for at, record in read_records(blocks, path, separator, line=line, escape=escape):
        if isinstance(record, str):
            wrong.append((at, record))
        elif len(record) == n_cells:
            rows.append(_CELL.join(record))
            lines.append(at)
        elif record:
            wrong.append((at, wrong_count(len(record), n_cells)))
        if len(rows) + len(wrong) >= _RECORDS:
            yield _table(rows, lines, wrong, n_cells)
            rows, lines, wrong = [], [], []
    if rows or wrong:
        yield _table(rows, lines, wrong, n_cells)


def read_records(
    blocks: Iterable[bytes], path: Path, separator: str, *, line: int = 1, escape: str | None = None
) -> Iterator[tuple[int, list[str] | str]]:
    """The line each record starts in, and its cells, or what is wrong with it; see `split_records`."""
    reader = csv.reader(_lines(blocks), delimiter=separator, strict=True, escapechar=escape, doublequote=escape is None)
    while True:
        at = line + reader.line_num
        try:
            yield at, next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            if line + reader.line_num > at + 1:
                raise BadData(
                    f"{path}, line {at}: a quote is opened, and not closed as it should be: {error}",
                    fix="close it, double quotes that belong to a cell, or take a separator other than a comma",
                ) from error
            yield at, f"the line cannot be read: {error}"


def _lines(blocks: Iterable[bytes]) -> Iterator[str]:
    for block in blocks:
        for each in block.decode().split("\n")[:-1]:
            yield f"{each}\n"


def _table(rows: list[str], lines: list[int], wrong: list[tuple[int, str]], n_cells: int) -> Table:
    text = "".join(f"{row}{_ROW}" for row in rows)
    broken = None
    if wrong:
        at = np.array([line for line, _ in wrong], dtype=np.int64)
        broken = Fault(kind="broken lines", lines=at, describe=lambda index: wrong[index][1])
    table = cut(
        text.encode("utf-8", "surrogateescape"),
        CELL_END,
        ROW_END,
        n_cells=n_cells,
        lines=np.array(lines, dtype=np.int64),
    )
    return Table(lines=table.lines, columns=table.columns, broken=broken)

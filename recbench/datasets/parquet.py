"""Parquet files as cells of text, where pyarrow is installed, so that what is in them is checked like any other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from recbench.datasets.cells import Span, Table
from recbench.distribution import install_hint
from recbench.errors import BadData, RecbenchError

_ROWS = 1 << 18


class ParquetText:
    """A Parquet file, read a block at a time.

    Args:
        stream: the file; closed at the end.
        path: for messages.
        tag_separator: what to put between the entries of a list.

    Raises:
        RecbenchError: pyarrow is not installed.
        BadData: this is no Parquet file.
    """

    def __init__(self, stream: BinaryIO, path: Path, *, tag_separator: str = "|") -> None:
        try:
            import pyarrow
            import pyarrow.parquet
        except ImportError as error:
            stream.close()
            raise RecbenchError(
                f"{path} is a Parquet file, and pyarrow is not installed",
                fix=f"{install_hint('parquet')}, or save the file as CSV",
            ) from error
        self._arrow, self._stream, self._path, self._tag_separator = pyarrow, stream, path, tag_separator
        try:
            self._file = pyarrow.parquet.ParquetFile(stream)
        except (pyarrow.ArrowException, OSError, ValueError) as error:
            stream.close()
            raise BadData(
                f"{path} is no Parquet file: {_first_line(error)}", fix="correct the path or the format"
            ) from error
        self.names: list[str] = list(self._file.schema_arrow.names)

    def __enter__(self) -> ParquetText:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()

    def tables(self, names: Sequence[str]) -> Iterator[Table]:
        """Some columns, as text; what is null is empty. Rows count as lines, from 1.

        Raises:
            BadData: the file is damaged, or a column is of a kind that has no text.
        """
        line = 1
        try:
            for batch in self._file.iter_batches(batch_size=_ROWS, columns=list(names)):
                columns = tuple(self._span(batch.column(batch.schema.names.index(name)), name) for name in names)
                yield Table(lines=np.arange(line, line + batch.num_rows, dtype=np.int64), columns=columns)
                line += batch.num_rows
        except (self._arrow.ArrowException, OSError) as error:
            raise BadData(f"{self._path} cannot be read: {_first_line(error)}", fix="get it again") from error

    def _span(self, column: Any, name: str) -> Span:
        pa = self._arrow
        from pyarrow import compute

        try:
            if pa.types.is_list(column.type) or pa.types.is_large_list(column.type):
                column = compute.binary_join(column.cast(pa.list_(pa.string())), self._tag_separator)
            column = compute.fill_null(column.cast(pa.large_string()), "")
        except (pa.ArrowException, TypeError) as error:
            raise BadData(
                f"{self._path}: column {name!r} is of type {column.type}, which cannot be read",
                fix="save it as numbers or text",
            ) from error
        _, offsets, data = column.buffers()
        ends = np.frombuffer(offsets, dtype=np.int64)[column.offset : column.offset + len(column) + 1]
        buffer = np.frombuffer(data, dtype=np.uint8) if data is not None else np.zeros(0, dtype=np.uint8)
        return Span(buffer=buffer, start=ends[:-1], end=ends[1:])


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]

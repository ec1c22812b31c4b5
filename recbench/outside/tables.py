"""Tables for systems in any language: tab-separated text, and Parquet where pyarrow is installed."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from recbench.data import Categories, Column, Float32Array, Int64Array, Numbers, Tags, Texts
from recbench.distribution import install_hint
from recbench.errors import BadData, RecbenchError

Values: TypeAlias = Column | Float32Array | Int64Array
"""A column to write: features, or an array of numbers. Ids are categories."""

TAG_SEPARATORS = ("|", ";", ",", " ", "/", "&", "+", "^", "~", "$")
_ROWS = 1 << 16
# What ends a cell or a line for some reader of text.
_BREAKS = re.compile("[\t\n\v\f\r\x00\x1c-\x1e\x85\u2028\u2029]")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Table:
    """A file of the export.

    Attributes:
        name: its path in the folder, without an ending.
        says: what it is, for the README.
        columns: by name, all of one length.
    """

    name: str
    says: str
    columns: Mapping[str, Values]

    def __len__(self) -> int:
        return next(map(_length, self.columns.values()))


def check_ids(*tables: Sequence[str]) -> None:
    """See that ids can stand in tab-separated text.

    Raises:
        BadData: one of them holds a tab or the end of a line.
    """
    for ids in tables:
        for each in ids:
            if _BREAKS.search(each):
                raise BadData(
                    f"the id {each!r} has a tab or a line end in it, which a tab-separated file cannot hold",
                    fix="give the users and items of the data other ids",
                )


def write_text(table: Table, path: Path) -> None:
    """Write tab-separated UTF-8 with a header. A number that is unknown is an empty cell.

    Nothing is quoted: tabs and line ends in texts become blanks.
    """
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write("\t".join(map(_plain, table.columns)) + "\n")
        for start in range(0, len(table), _ROWS):
            rows = slice(start, start + _ROWS)
            cells = [_texts(values, rows) for values in table.columns.values()]
            file.writelines("\t".join(row) + "\n" for row in zip(*cells, strict=True))


def write_parquet(table: Table, path: Path) -> None:
    """Write Parquet: ids, categories and texts as strings, tags as lists of them; what is unknown is null."""
    import pyarrow
    import pyarrow.parquet

    columns = {name: _arrow(values, pyarrow) for name, values in table.columns.items()}
    pyarrow.parquet.write_table(pyarrow.table(columns), path)


def require_parquet() -> None:
    """Find out before anything is written.

    Raises:
        RecbenchError: pyarrow is not installed.
    """
    try:
        import pyarrow.parquet  # noqa: F401
    except ImportError as error:
        raise RecbenchError(
            "Parquet files need pyarrow, which is not installed", fix=f"{install_hint('parquet')}, or leave out Parquet"
        ) from error


def tag_separator(column: Tags) -> str:
    """What parts the tags of a row in text: the first separator that is in no tag."""
    return next((each for each in TAG_SEPARATORS if not any(each in name for name in column.names)), TAG_SEPARATORS[0])


def _length(values: Values) -> int:
    match values:
        case Numbers() | Texts():
            return len(values.values)
        case Categories():
            return len(values.codes)
        case Tags():
            return len(values.starts) - 1
    return len(values)


def _texts(values: Values, rows: slice) -> list[str]:
    """The cells of some rows."""
    match values:
        case Texts():
            return [_plain(text) for text in values.values[rows].tolist()]
        case Categories():
            names = values.names
            return [_plain(names[code]) if code >= 0 else "" for code in values.codes[rows].tolist()]
        case Tags():
            return [tag_separator(values).join(map(_plain, tags)) for tags in _tags(values, rows)]
        case Numbers():
            return _number_texts(values.values[rows])
    return _number_texts(values[rows])


def _number_texts(numbers: NDArray[Any]) -> list[str]:
    """The shortest decimals that say the numbers; no exponents, which not every reader knows."""
    if numbers.dtype.kind == "i":
        return list(map(str, numbers.tolist()))
    distinct, places = np.unique(numbers, return_inverse=True)
    texts = ["" if np.isnan(each) else np.format_float_positional(each, trim="-") for each in distinct]
    return [texts[place] for place in places.reshape(-1).tolist()]


def _tags(values: Tags, rows: slice) -> Iterator[list[str]]:
    bounds = values.starts[rows.start : rows.stop + 1].tolist()
    for start, end in itertools.pairwise(bounds):
        yield [values.names[code] for code in values.codes[start:end].tolist()]


def _plain(text: str) -> str:
    return _BREAKS.sub(" ", text)


def _arrow(values: Values, pa: Any) -> Any:
    match values:
        case Texts():
            return pa.array(values.values.tolist(), pa.string())
        case Categories():
            codes = pa.array(values.codes, mask=values.codes < 0)
            return pa.array(values.names, pa.string()).take(codes)
        case Tags():
            names = pa.array(values.names, pa.string())
            return pa.LargeListArray.from_arrays(pa.array(values.starts), names.take(pa.array(values.codes)))
        case Numbers():
            return pa.array(values.values, mask=np.isnan(values.values))
    return pa.array(values)

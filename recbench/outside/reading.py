"""Files of lists and predictions, in the forms that systems write them: CSV, TREC, RecBole's, LensKit's, Parquet."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from recbench.data import FloatArray, Int32Array, Int64Array, StrArray
from recbench.datasets.cells import Table
from recbench.datasets.faults import Inspector
from recbench.datasets.ids import LONGEST, Ids, id_faults, ids_of, merge
from recbench.datasets.layout import Layout, untyped
from recbench.datasets.numbers import read_numbers
from recbench.datasets.opening import open_file, read_blocks
from recbench.datasets.parquet import ParquetText
from recbench.datasets.reading import Reader
from recbench.datasets.rows import RowFault, saying
from recbench.errors import BadData
from recbench.outside.nested import flat
from recbench.protocols.spec import FileSpec

FORMATS: Final = ("csv", "tsv", "trec", "recbole", "lenskit", "parquet")
HOW_TO_GO_ON: Final = "correct the line, or the program that wrote it"

_FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "user": ("user", "userid"),
    "item": ("item", "itemid"),
    "rank": ("rank",),
    # Not "rating": beside lists that is what LensKit calls the rating in test.
    "score": ("score", "prediction"),
    "prediction": ("prediction", "score", "rating"),
}
_TREC: Final = Layout(
    names=("user", "Q0", "item", "rank", "score", "tag"), places={"user": 0, "item": 2, "rank": 3, "score": 4}
)
_TYPED: Final = re.compile(r"[^\t]+:(token|float)(_seq)?(\t|$)")
_BLANKS: Final = re.compile(rb"[ \t]+")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Keys:
    """A column of ids.

    Attributes:
        names: (k,) str, none twice.
        codes: (n,) int32 into `names`.
    """

    names: StrArray
    codes: Int32Array

    def text(self, row: int) -> str:
        """The id in a row."""
        return str(self.names[self.codes[row]])

    def among(self, ids: StrArray) -> Int64Array:
        """(n,) int64, the place of each row's id in a table; -1 where it is not in it."""
        places = {each: place for place, each in enumerate(ids.tolist())}
        known = np.array([places.get(name, -1) for name in self.names.tolist()], dtype=np.int64)
        return known[self.codes]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Entries:
    """The rows of a file, in its order; at least one.

    Attributes:
        unit: what a row is called: "line", or "row" in Parquet.
        lines: (n,) int64.
        rank: (n,) float64, finite, or None where the file has none.
        score: (n,) float64, finite, or None; predictions are here too.
    """

    path: Path
    unit: str
    lines: Int64Array
    user: Keys
    item: Keys
    rank: FloatArray | None
    score: FloatArray | None

    def at(self, row: int) -> str:
        """Where a row stands, for messages."""
        return f"{self.path}, {self.unit} {self.lines[row]}"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Part:
    """The rows of one block."""

    lines: Int64Array
    user: Ids
    item: Ids
    numbers: Mapping[str, FloatArray]


def read_lists(path: Path, form: str | None = None) -> Entries:
    """Read lists: user and item, with a rank or a score or both.

    Args:
        path: the file; may be compressed with gzip.
        form: one of `FORMATS`; None means by content and ending.

    Raises:
        BadData: it cannot be read, lacks a column, has no rows, or a cell in it is missing, NaN, infinite or no number.
    """
    found = _read(path, form, ("rank", "score"))
    if found.rank is None and found.score is None:
        raise BadData(
            f"{path} has neither a column 'rank' nor a column 'score'", fix="name one of the columns so, in its header"
        )
    return found


def read_predictions(path: Path, form: str | None = None) -> Entries:
    """Read predictions: user and item, with a column prediction, score or rating. Else as `read_lists`."""
    found = _read(path, form, ("prediction",))
    if found.score is None:
        raise BadData(f"{path} has no column 'prediction'", fix="name the column of predictions so, in its header")
    return found


def recognised(path: Path) -> str:
    """Which of `FORMATS` a file is in: by its content, and "csv" where that says nothing."""
    with open_file(path) as stream:
        start = stream.read(1 << 16)
    if start.startswith(b"PAR1"):
        return "parquet"
    line = start.lstrip(b"\xef\xbb\xbf").partition(b"\n")[0].decode("utf-8", "replace").rstrip("\r")
    cells = line.split()
    if len(cells) == len(_TREC.names) and cells[1].upper() == "Q0":
        return "trec"
    return "recbole" if _TYPED.match(line) else "tsv" if "\t" in line else "csv"


def _read(path: Path, form: str | None, fields: tuple[str, ...]) -> Entries:
    form = form or recognised(path)
    unit = "row" if form == "parquet" else "line"
    inspector = Inspector(path=path, unit=unit, fix=HOW_TO_GO_ON)
    parts = [_part(table, places, inspector) for table, places in _tables(path, form, fields)]
    if not sum(len(part.lines) for part in parts):
        raise BadData(f"{path} has no rows", fix="check that it is the right file")
    users, user = merge([part.user for part in parts])
    items, item = merge([part.item for part in parts])
    numbers = {name: np.concatenate([part.numbers[name] for part in parts]) for name in parts[0].numbers}
    return Entries(
        path=path,
        unit=unit,
        lines=np.concatenate([part.lines for part in parts]),
        user=Keys(names=users, codes=user),
        item=Keys(names=items, codes=item),
        rank=numbers.get("rank"),
        score=numbers.get("score", numbers.get("prediction")),
    )


def _tables(path: Path, form: str, fields: tuple[str, ...]) -> Iterator[tuple[Table, Mapping[str, int]]]:
    """Blocks of cells, and which column of them is which field."""
    if form == "parquet":
        yield from _parquet(path, fields)
        return
    reader = Reader()
    blocks = reader.text(path)
    if form == "trec":
        squeezed = (b"\n".join(_BLANKS.sub(b" ", line).strip() for line in each.split(b"\n")) for each in blocks)
        file = FileSpec(path=path, separator=" ", header=False)
        yield from ((table, _TREC.places) for table in reader.tables(file, _TREC, squeezed))
        return
    file = FileSpec(path=path, separator=_separator(path, form))
    names, blocks = reader.header(file, blocks)
    places = _places([untyped(name) for name in names] if form == "recbole" else names, path, fields)
    layout = Layout(names=tuple(names), places=places)
    yield from ((table, places) for table in reader.tables(file, layout, blocks))


def _separator(path: Path, form: str) -> str:
    if form in ("tsv", "recbole"):
        return "\t"
    header = next(read_blocks(open_file(path), path), b"").partition(b"\n")[0].decode("utf-8", "replace")
    return next((each for each in ("\t", ",", ";") if each in header), ",")


def _parquet(path: Path, fields: tuple[str, ...]) -> Iterator[tuple[Table, Mapping[str, int]]]:
    with ParquetText(flat(open_file(path), path), path) as parquet:
        places = _places(parquet.names, path, fields)
        columns = [parquet.names[place] for place in places.values()]
        for table in parquet.tables(columns):
            yield table, {name: place for place, name in enumerate(places)}


def _places(names: Sequence[str], path: Path, fields: tuple[str, ...]) -> Mapping[str, int]:
    """Which cell has which field. Case and underscores in names do not count: `user_id` is `userID`.

    Raises:
        BadData: there is no user or item, or a column is there twice.
    """
    found = {field: _place(field, names, path) for field in ("user", "item", *fields)}
    for needed in ("user", "item"):
        if found[needed] is None:
            there = ", ".join(map(repr, names[:20]))
            raise BadData(
                f"{path}, line 1: there is no column {needed!r}; there are {there}",
                fix="name the columns in the first line, or say what the file is with --format",
            )
    return {field: place for field, place in found.items() if place is not None}


def _place(field: str, names: Sequence[str], path: Path) -> int | None:
    bare = [name.strip().lower().replace("_", "") for name in names]
    for wanted in _FIELDS[field]:
        if bare.count(wanted) > 1:
            raise BadData(f"{path}, line 1: there are two columns {wanted!r}", fix="rename one of the two")
        if wanted in bare:
            return bare.index(wanted)
    return None


def _part(table: Table, places: Mapping[str, int], inspector: Inspector) -> _Part:
    """The rows of a block; the topmost that is bad is an error."""
    columns = {name: table.columns[place] for name, place in places.items()}
    faults: list[RowFault] = []
    for name in ("user", "item"):
        words = ("is missing", f"is longer than {LONGEST} bytes", "has a NUL byte in it")
        faults += [
            (kind, rows, saying(columns[name], name, what))
            for (kind, rows), what in zip(id_faults(columns[name], name), words, strict=True)
        ]
    numbers = {}
    for name in columns.keys() - {"user", "item"}:
        numbers[name], wrong = read_numbers(columns[name], name)
        faults += [
            (kind, rows, saying(columns[name], name, f"is {kind.removeprefix(f'{name} ')}")) for kind, rows in wrong
        ]
    if table.broken is not None:
        above = table.lines < table.broken.lines[0]
        inspector.sound(table.lines, [(kind, rows & above, says) for kind, rows, says in faults])
        inspector.apart(table.broken)
    inspector.sound(table.lines, faults)
    return _Part(lines=table.lines, user=ids_of(columns["user"]), item=ids_of(columns["item"]), numbers=numbers)

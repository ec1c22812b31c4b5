"""Tables of features of users and items: typed columns, for ids in any order."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import numpy as np

from recbench.data import Categories, Column, FloatArray, Numbers, RowArray, StrArray, Tags, Texts
from recbench.datasets.cells import Table
from recbench.datasets.faults import Inspector
from recbench.datasets.ids import id_faults
from recbench.datasets.layout import Layout, place, untyped
from recbench.datasets.numbers import read_numbers
from recbench.datasets.parquet import ParquetText
from recbench.datasets.reading import Reader
from recbench.datasets.rows import RowFault, saying
from recbench.protocols.spec import TableSpec

Kind: TypeAlias = Literal["number", "category", "tags", "text"]

LONGEST_TEXT = 300
"""Characters of a text that are kept: a column of texts is as wide as the longest of them."""

_ATOMIC: Mapping[str, Kind] = {"token": "category", "token_seq": "tags", "float": "number"}
_YEAR = re.compile(r"^(?P<title>.*?)\s*\((?P<year>\d{4})[^()]*\)\s*$", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Features:
    """Columns of features, and whose they are; no id comes twice."""

    ids: Sequence[str]
    columns: Mapping[str, Column] = field(default_factory=dict)

    def aligned(self, ids: StrArray) -> dict[str, Column]:
        """The columns for `ids`, unknown where this has no row for an id."""
        known = {each: row for row, each in enumerate(self.ids)}
        rows = np.array([known.get(each, -1) for each in ids.tolist()], dtype=np.int64)
        return {name: _picked(column, rows) for name, column in self.columns.items()}

    def with_column(self, name: str, column: Column) -> Features:
        """The same with a column more, or another one in its place."""
        return Features(ids=self.ids, columns={**self.columns, name: column})

    def with_years(self) -> Features:
        """Take years out of titles such as "Toy Story (1995)" into a column of their own."""
        titles = self.columns["title"]
        assert isinstance(titles, Texts)
        found = [_YEAR.match(title) for title in titles.values.tolist()]
        bare = [match["title"] if match else title for match, title in zip(found, titles.values.tolist(), strict=True)]
        years = [float(match["year"]) if match else np.nan for match in found]
        return self.with_column("title", texts(bare)).with_column("year", Numbers(values=np.array(years)))


def read_features(reader: Reader, spec: TableSpec) -> Features:
    """Read a table.

    Raises:
        BadData: there is no such file or column, an id comes twice, or a row is bad and that is an error.
    """
    inspector = reader.inspector(spec)
    ids: list[str] = []
    cells: dict[str, list[list[str]]] = {}
    numbers: dict[str, list[FloatArray]] = {}
    kinds: Mapping[str, Kind] = {}
    seen: dict[str, int] = {}
    for table, id_place, kinds, places in _tables(reader, spec):
        kept = _sound(table, id_place, kinds, places, inspector)
        fresh = _first_of_each(table.columns[id_place].take(kept).texts(), table.lines[kept].tolist(), seen, inspector)
        rows = kept[fresh]
        ids += table.columns[id_place].take(rows).texts()
        for name, kind in kinds.items():
            column = table.columns[places[name]].take(rows)
            if kind == "number":
                numbers.setdefault(name, []).append(read_numbers(column, name)[0])
            else:
                cells.setdefault(name, []).append(column.texts())
    reader.dropped.update(inspector.dropped)
    separator = " " if spec.format == "atomic" else spec.tag_separator
    columns: dict[str, Column] = {}
    for name, kind in kinds.items():
        if kind == "number":
            columns[name] = Numbers(values=np.concatenate(numbers.get(name) or [np.zeros(0)]))
        else:
            columns[name] = _column(kind, [text for part in cells.get(name, []) for text in part], separator)
    return Features(ids=ids, columns=columns)


def texts(values: Sequence[str]) -> Texts:
    """A column of texts, each cut at `LONGEST_TEXT` characters. NUL bytes end a text in NumPy: they become blanks."""
    cut = [value[:LONGEST_TEXT].replace("\0", " ") for value in values]
    return Texts(values=np.array(cut, dtype=np.str_) if cut else np.zeros(0, dtype="U1"))


def categories(values: Sequence[str]) -> Categories:
    """A column of categories; an empty text is unknown."""
    names = sorted({value for value in values if value})
    number = {name: code for code, name in enumerate(names)}
    return Categories(codes=np.array([number.get(value, -1) for value in values], dtype=np.int32), names=tuple(names))


def tags(values: Iterable[Iterable[str]]) -> Tags:
    """A column of tags; what comes twice in a row counts once."""
    rows = [list(dict.fromkeys(tag for tag in row if tag)) for row in values]
    names = sorted({tag for row in rows for tag in row})
    number = {name: code for code, name in enumerate(names)}
    starts = np.cumsum([0, *map(len, rows)], dtype=np.int64)
    codes = np.array([number[tag] for row in rows for tag in row], dtype=np.int32)
    return Tags(starts=starts, codes=codes, names=tuple(names))


def _column(kind: Kind, values: Sequence[str], separator: str) -> Column:
    match kind:
        case "tags":
            return tags([part.strip() for part in value.split(separator)] for value in values)
        case "category":
            return categories(values)
        case _:
            return texts(values)


def _tables(reader: Reader, spec: TableSpec) -> Iterator[tuple[Table, int, Mapping[str, Kind], Mapping[str, int]]]:
    """Each block, the place of the id, the kinds of the columns that count, and their places."""
    if spec.format == "parquet":
        with ParquetText(reader.opener(spec.path), spec.path, tag_separator=spec.tag_separator) as parquet:
            for name in (spec.id, *spec.types):
                place(name, parquet.names, spec.path)
            places = {name: at for at, name in enumerate(spec.types, start=1)}
            for table in parquet.tables([spec.id, *spec.types]):
                yield table, 0, spec.types, places
        return
    names, blocks = reader.header(spec, reader.text(spec.path))
    kinds: Mapping[str, Kind] = spec.types
    if spec.format == "atomic":
        kinds, names = kinds or _atomic_kinds(names, spec.id), [untyped(name) for name in names]
    names = list(spec.columns or names)
    id_place, places = place(spec.id, names, spec.path), {name: place(name, names, spec.path) for name in kinds}
    for table in reader.tables(spec, Layout(names=tuple(names), places=places), blocks):
        yield table, id_place, kinds, places


def _atomic_kinds(names: Sequence[str], id_name: str) -> Mapping[str, Kind]:
    """What RecBole's header says the columns are; vectors are not read."""
    typed = {untyped(name): name.rpartition(":")[2] for name in names}
    return {name: _ATOMIC[kind] for name, kind in typed.items() if kind in _ATOMIC and name != id_name}


def _sound(
    table: Table, id_place: int, kinds: Mapping[str, Kind], places: Mapping[str, int], inspector: Inspector
) -> RowArray:
    """Which rows are right. A number may be missing: then it is unknown."""
    cells = table.columns[id_place]
    inspector.apart(table.broken)
    missing, endless, nul = id_faults(cells, "id")
    faults: list[RowFault] = [
        (*missing, saying(cells, "id", "is missing")),
        (*endless, saying(cells, "id", "is too long")),
        (*nul, saying(cells, "id", "has a NUL byte in it")),
    ]
    for name, kind in kinds.items():
        if kind == "number":
            column = table.columns[places[name]]
            _, wrong = read_numbers(column, name)
            faults += [
                (what, rows, saying(column, name, f"is {what.removeprefix(f'{name} ')}"))
                for what, rows in wrong
                if not what.endswith((" missing", " NaN"))
            ]
    return np.flatnonzero(inspector.sound(table.lines, faults))


def _first_of_each(ids: Sequence[str], lines: Sequence[int], seen: dict[str, int], inspector: Inspector) -> RowArray:
    """Which ids come for the first time."""
    again: list[bool] = []
    earlier: list[int] = []
    for each, line in zip(ids, lines, strict=True):
        again.append(each in seen)
        earlier.append(seen.setdefault(each, line))
    describe: Callable[[int], str] = lambda row: f"id {ids[row]!r} is there already, in line {earlier[row]}"  # noqa: E731
    faults: list[RowFault] = [("id described twice", np.array(again, dtype=np.bool_), describe)]
    return np.flatnonzero(inspector.sound(np.array(lines, dtype=np.int64), faults))


def _picked(column: Column, rows: RowArray) -> Column:
    """The rows of a column, unknown for -1."""
    known = rows >= 0
    safe = np.where(known, rows, 0)
    empty = not known.any()
    match column:
        case Numbers():
            values = np.full(len(rows), np.nan) if empty else np.where(known, column.values[safe], np.nan)
            return Numbers(values=values)
        case Categories():
            codes = np.full(len(rows), -1) if empty else np.where(known, column.codes[safe], -1)
            return Categories(codes=codes.astype(np.int32), names=column.names)
        case Texts():
            return Texts(values=np.zeros(len(rows), dtype="U1") if empty else np.where(known, column.values[safe], ""))
        case Tags():
            sizes = np.zeros(len(rows), dtype=np.int64)
            sizes[known] = np.diff(column.starts)[rows[known]]
            starts = np.concatenate([[0], np.cumsum(sizes)])
            offsets = np.arange(starts[-1]) - np.repeat(starts[:-1], sizes)
            first = np.zeros(len(rows), dtype=np.int64)
            first[known] = column.starts[:-1][rows[known]]
            return Tags(starts=starts, codes=column.codes[np.repeat(first, sizes) + offsets], names=column.names)

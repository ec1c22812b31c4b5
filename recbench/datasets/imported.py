"""Files of one's own under a name: checked once, kept in one plain form, and from then on a source like any other.

DIR/<name>/interactions.csv     user,item,rating,time as far as there are such
           users.csv, items.csv features, where there are any
           source.json          title, license, citation, scale, checksums, types of the features
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from recbench.api import Source, SourceFile
from recbench.data import Categories, Column, Dataset, Numbers, StrArray, Tags, Texts
from recbench.datasets.assembling import Duplicates, Reading, assemble
from recbench.datasets.checksums import sha256_of, write_text
from recbench.datasets.faults import Policy
from recbench.datasets.features import Kind, read_features
from recbench.datasets.opening import in_folder
from recbench.datasets.places import NAME, cache_folder, folder_name, places
from recbench.datasets.reading import Reader
from recbench.datasets.rows import Scale
from recbench.errors import BadData, RecbenchError
from recbench.protocols.spec import FileSpec, TableSpec

_CARD = "source.json"
_LARGEST_CARD = 1 << 20
_KINDS: Mapping[type, Kind] = {Numbers: "number", Categories: "category", Tags: "tags", Texts: "text"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What an import brought.

    Attributes:
        folder: where it lies now.
        facts: users, items, interactions, rows read, dropped by reason, duplicates merged.
    """

    folder: Path
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What goes with imported data beside the data: what people should know of it."""

    title: str = ""
    license: str = ""
    citation: str = ""


def import_file(
    file: FileSpec,
    *,
    name: str,
    into: Path | None = None,
    taken: Collection[str] = (),
    card: Card | None = None,
    scale: Scale = None,
    users: TableSpec | None = None,
    items: TableSpec | None = None,
    on_bad_rows: Policy = "error",
    duplicates: Duplicates = "error",
) -> Imported:
    """Check a file of one's own, and keep it under a name, so that `source = "NAME"` finds it.

    Args:
        file: the interactions.
        name: what to call the data set. One that was imported before is replaced.
        into: folder that holds data sets; None is the user's cache folder.
        taken: names that other data sets go by.
        card: title, license and citation.
        scale: least and greatest rating; None takes those there are.
        users: features of users.
        items: features of items.
        on_bad_rows: stop at bad rows, or drop and count them.
        duplicates: what becomes of a pair that comes twice.

    Raises:
        RecbenchError: the name is taken, or is none; or the folder cannot be written.
        BadData: the data is bad.
    """
    folder = (into or cache_folder()) / folder_name(name)
    _check_free(name, folder, taken)
    reader = Reader(scale=scale, on_bad_rows=on_bad_rows)
    tables = [None if spec is None else read_features(reader, spec) for spec in (users, items)]
    reading = assemble(name, file, reader, users=tables[0], items=tables[1], duplicates=duplicates)
    dataset = reading.dataset
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / _CARD).unlink(missing_ok=True)  # until it is whole again, this is no data set
        _write(folder, dataset, card or Card(), origin=file.path.name)
    except OSError as error:
        raise RecbenchError(f"{folder} cannot be written: {error}", fix="free space, or choose --data-dir") from error
    counts = {"users": dataset.n_users, "items": dataset.n_items, "interactions": len(dataset.interactions)}
    return Imported(folder=folder, facts={**counts, **reading.facts})


def imported_sources(data_dir: Path | None = None) -> tuple[Source, ...]:
    """All data sets that were imported, sorted by name."""
    found: dict[str, Source] = {}
    for place in places(data_dir):
        for card in sorted(place.glob(f"*/{_CARD}")):
            source = _source(card.parent)
            if source is not None:
                found.setdefault(source.name, source)
    return tuple(found[name] for name in sorted(found))


def imported_source(name: str, data_dir: Path | None = None) -> Source | None:
    """The imported data set of that name, or None."""
    if not NAME.fullmatch(name):
        return None
    return next((source for place in places(data_dir) if (source := _source(place / name))), None)


def read(folder: Path) -> Reading:
    """Read what an import wrote."""
    card = _card(folder)
    if card is None:
        raise BadData(f"{folder / _CARD} is damaged", fix="import the data again")
    reader = Reader(opener=in_folder(folder), scale=card["scale"])
    tables = {side: read_features(reader, _table(side, types)) for side, types in card["features"].items()}
    return assemble(
        folder.name,
        FileSpec(path=Path("interactions.csv")),
        reader,
        users=tables.get("users"),
        items=tables.get("items"),
    )


def _check_free(name: str, folder: Path, taken: Collection[str]) -> None:
    if name in taken and not (folder / _CARD).is_file():
        raise RecbenchError(f"the name {name!r} is taken by another data set", fix="choose another --name")
    if folder.exists() and any(folder.iterdir()) and not (folder / _CARD).is_file():
        raise RecbenchError(
            f"{folder} holds something that was not imported", fix="choose another --name, or move the folder away"
        )


def _write(folder: Path, dataset: Dataset, card: Card, *, origin: str) -> None:
    written = {"interactions.csv": _write_csv(folder / "interactions.csv", *_interactions(dataset))}
    features: dict[str, dict[str, Kind]] = {}
    for side, ids, columns in (("users", dataset.user_ids, dataset.users), ("items", dataset.item_ids, dataset.items)):
        if columns or side == "items":
            written[f"{side}.csv"] = _write_csv(folder / f"{side}.csv", ["id", *columns, ""], _table_rows(ids, columns))
            features[side] = {name: _KINDS[type(column)] for name, column in columns.items()}
    text = {
        "title": card.title or f"{folder.name}, imported from {origin}",
        "license": card.license or "not stated: see where the data came from",
        "citation": card.citation,
        "scale": dataset.scale,
        "features": features,
        "files": written,
    }
    write_text(folder / _CARD, json.dumps(text, indent=2, ensure_ascii=False) + "\n")


def _interactions(dataset: Dataset) -> tuple[list[str], Iterable[Sequence[Any]]]:
    rows = dataset.interactions
    columns: dict[str, list[Any]] = {
        "user": dataset.user_ids[rows.user].tolist(),
        "item": dataset.item_ids[rows.item].tolist(),
    }
    if dataset.scale is not None:
        columns["rating"] = [np.format_float_positional(value, trim="-") for value in rows.rating]
    if rows.time is not None:
        columns["time"] = rows.time.tolist()
    return [*columns], zip(*columns.values(), strict=True)


def _table_rows(ids: StrArray, columns: Mapping[str, Column]) -> Iterator[Sequence[Any]]:
    cells = [_cells(column) for column in columns.values()]
    for row, each in enumerate(ids.tolist()):
        yield [each, *(cell(row) for cell in cells), ""]


def _cells(column: Column) -> Callable[[int], str]:
    match column:
        case Numbers():
            return lambda row: "" if math.isnan(column.values[row]) else repr(float(column.values[row]))
        case Categories():
            return lambda row: column.names[column.codes[row]] if column.codes[row] >= 0 else ""
        case Texts():
            return lambda row: str(column.values[row])
        case Tags():
            starts = column.starts
            return lambda row: "|".join(
                column.names[code].replace("|", "/") for code in column.codes[starts[row] : starts[row + 1]]
            )


def _write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Write a table, and give its sha256."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
    return sha256_of(path)


def _table(side: str, types: Mapping[str, Kind]) -> TableSpec:
    return TableSpec(path=Path(f"{side}.csv"), id="id", types=types)


def _source(folder: Path) -> Source | None:
    card = _card(folder)
    if card is None or not NAME.fullmatch(folder.name):
        return None
    return Source(
        name=folder.name,
        title=card["title"],
        files=tuple(SourceFile(name=name, sha256=sha256) for name, sha256 in card["files"].items()),
        read="recbench.datasets.imported:read",
        license=card["license"],
        citation=card["citation"],
    )


def _card(folder: Path) -> Mapping[str, Any] | None:
    """The checked content of source.json; None where there is none, or it is odd."""
    try:
        path = folder / _CARD
        if path.stat().st_size > _LARGEST_CARD:
            return None
        card = json.loads(path.read_text("utf-8"))
        texts = {key: str(card[key]) for key in ("title", "license", "citation")}
        scale = None if card["scale"] is None else (float(card["scale"][0]), float(card["scale"][1]))
        features = {side: _kinds(types) for side, types in card["features"].items()}
        files = {str(name): str(sha256) for name, sha256 in card["files"].items()}
    except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError):
        return None
    if not set(files) <= {"interactions.csv", "users.csv", "items.csv"} or not set(features) <= {"users", "items"}:
        return None
    return {**texts, "scale": scale, "features": features, "files": files}


def _kinds(types: Mapping[str, str]) -> dict[str, Kind]:
    known = {str(kind): kind for kind in _KINDS.values()}
    return {str(name): known[kind] for name, kind in types.items()}

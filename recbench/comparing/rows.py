"""The rows to compare: by label, by a record's file or by folder; refused where they do not stand on one ground."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from recbench.errors import BadRecord, RecbenchError, UnknownName
from recbench.leaderboard.standings import Standing, board
from recbench.protocols.spec import canonical
from recbench.records import Record, Store, load
from recbench.records.store import ANALYSIS

LONGEST = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row of a board, and where it lies.

    Attributes:
        name: as on the board; made longer by its folder where two rows have the same.
        folder: the store, or the file of a single record.
        trials: each record with its file.
    """

    name: str
    folder: Path
    trials: tuple[tuple[Record, Path], ...]

    @property
    def first(self) -> Record:
        """The record that stands for what all trials share."""
        return self.trials[0][0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Rows that can be compared, and why others of the folders cannot, by name."""

    rows: tuple[Row, ...]
    left_out: Mapping[str, str]


def find_rows(wanted: Sequence[str], output: Path, protocol: str | None) -> Found:
    """The rows of these labels of `output`, record files and folders; everything in `output` where none is named.

    Args:
        protocol: take records of this protocol only, by name.

    Raises:
        UnknownName: nothing goes by a label.
        BadRecord: a file is no record.
        RecbenchError: a row stands under several protocols, or did not finish.
    """
    rows: list[Row] = []
    left_out: dict[str, str] = {}
    for each in wanted or [str(output)]:
        path = Path(each)
        if path.is_file():
            rows.append(_of_file(path))
        elif (path / "records").is_dir() or next(path.glob("*.json"), None) is not None:
            found = _of_folder(path, protocol)
            rows += found.rows
            left_out.update(found.left_out)
        else:
            rows.append(_labelled(each, output, protocol))
    return Found(rows=tuple(_named_apart(rows)), left_out=left_out)


def check_same_ground(rows: Sequence[Row]) -> None:
    """Refuse rows whose figures do not mean the same.

    Raises:
        RecbenchError: metric versions, protocols or splits differ; says which, and how to bring them together.
    """
    first = rows[0]
    for other in rows[1:]:
        _check_versions(first, other)
        _check_protocols(first, other)
        _check_folds(first, other)


def differing(one: Any, other: Any, place: str = "") -> Iterator[tuple[str, str, str]]:
    """Where two trees of JSON values differ: (place, the one's value, the other's)."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        for key in sorted({*one, *other}):
            yield from differing(one.get(key), other.get(key), f"{place}.{key}" if place else str(key))
    elif one != other:
        yield place, _short(one), _short(other)


def _short(value: Any) -> str:
    text = canonical(value)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _of_file(path: Path) -> Row:
    record = load(path)
    if record.reason is not None:
        raise RecbenchError(f"{path}: {record.label} is {record.status}", fix="give the record of a trial that is ok")
    return Row(name=record.label, folder=path, trials=((record, path),))


def _of_folder(folder: Path, protocol: str | None) -> Found:
    """All rows of one protocol."""
    records = _records(folder, protocol)
    names = {record.protocol["fingerprint"]: str(record.protocol["name"]) for record in records.values()}
    if len(names) > 1:
        raise _several(f"{str(folder)!r} holds", names.values())
    standings = board(records.values()).standings
    return Found(
        rows=tuple(_row(each, folder, records) for each in standings if _is_whole(each)),
        left_out={each.name: str(each.trouble) for each in standings if not _is_whole(each)},
    )


def _labelled(label: str, output: Path, protocol: str | None) -> Row:
    if not (output / "records").is_dir():
        raise RecbenchError(
            f"{label!r} is no file or folder, and {str(output)!r} holds no records",
            fix="give the folder of records with -o",
        )
    records = _records(output, protocol)
    boards: dict[str, list[Record]] = defaultdict(list)
    for record in records.values():
        boards[record.protocol["fingerprint"]].append(record)
    standings = [each for some in boards.values() for each in board(some).standings]
    found = [each for each in standings if each.name == label] or [s for s in standings if s.first.label == label]
    if not found:
        names = [each.name for each in standings]
        raise UnknownName.among("row", label, names, fix=f"see the leaderboards of {str(output)!r} for its rows")
    if len({each.first.protocol["fingerprint"] for each in found}) > 1:
        raise _several(f"{label!r} stands under", [str(each.first.protocol["name"]) for each in found])
    if len(found) > 1:
        raise RecbenchError(
            f"{label!r} has several rows: {', '.join(each.name for each in found)}", fix="give one of these names"
        )
    if not _is_whole(found[0]):
        raise RecbenchError(f"{label}: {found[0].trouble}", fix="run it again, or leave it out")
    return _row(found[0], output, records)


def _is_whole(standing: Standing) -> bool:
    """Whether all trials are there and ok; a row that only lacks the primary metric is."""
    return bool(standing.scores)


def _several(what: str, names: Iterable[str]) -> RecbenchError:
    return RecbenchError(
        f"{what} several protocols: {', '.join(sorted(names))}", fix="say which with -p, or part the records"
    )


def _records(folder: Path, protocol: str | None) -> dict[Path, Record]:
    inside = folder / "records"
    paths = Store(folder).paths() if inside.is_dir() else sorted(p for p in folder.glob("*.json") if p.name != ANALYSIS)
    records = {path: load(path) for path in paths}
    found = {path: each for path, each in records.items() if protocol in (None, each.protocol["name"])}
    if not found:
        raise BadRecord(
            f"{str(folder)!r} holds no record" + (f" of the protocol {protocol!r}" if protocol else ""),
            fix="give the folder that `recbench run -o` wrote to, or run first",
        )
    return found


def _row(standing: Standing, folder: Path, records: Mapping[Path, Record]) -> Row:
    files = {id(record): path for path, record in records.items()}
    return Row(
        name=standing.name,
        folder=folder,
        trials=tuple((record, files[id(record)]) for record in standing.records),
    )


def _named_apart(rows: Sequence[Row]) -> Iterator[Row]:
    """Each row once, and the folder beside the name where one name stands for several."""
    first: dict[tuple[str, tuple[Path, ...]], Row] = {}
    for row in rows:
        first.setdefault((row.name, tuple(path.resolve() for _, path in row.trials)), row)
    distinct = list(first.values())
    names = [row.name for row in distinct]
    for row in distinct:
        yield row if names.count(row.name) == 1 else replace(row, name=f"{row.name} ({row.folder})")


def _check_versions(first: Row, other: Row) -> None:
    mine, theirs = first.first.metrics_version, other.first.metrics_version
    if mine != theirs:
        raise RecbenchError(
            f"the metrics of {first.name!r} are of version {mine}, those of {other.name!r} of version {theirs}",
            fix=f"bring the older ones to this version: `recbench rescore FOLDER -p {other.first.protocol['name']}`",
        )


def _check_protocols(first: Row, other: Row) -> None:
    mine, theirs = first.first.protocol, other.first.protocol
    if mine["fingerprint"] == theirs["fingerprint"]:
        return
    places = list(differing(mine["deciding"], theirs["deciding"]))
    if not places:
        raise RecbenchError(
            f"{first.name!r} and {other.name!r} have the same protocol, but other splits: their data differed",
            fix="run both on the same files of the data",
        )
    shown = "; ".join(f"{place} is {one} and {two}" for place, one, two in places[:4])
    more = f"; and {len(places) - 4} more" if len(places) > 4 else ""
    fix = f"run both under one protocol: `recbench run -p {mine['name']}`"
    if all(place.startswith("evaluation.") for place, *_ in places):
        fix = f"score the lists of both under one protocol: `recbench rescore FOLDER -p {mine['name']}`"
    raise RecbenchError(f"{first.name!r} and {other.name!r} are of different protocols: {shown}{more}", fix=fix)


def _check_folds(first: Row, other: Row) -> None:
    mine, theirs = ({record.fold: record.split["fingerprint"] for record, _ in row.trials} for row in (first, other))
    if mine.keys() != theirs.keys():
        raise RecbenchError(
            f"{first.name!r} has the folds {sorted(mine)}, {other.name!r} the folds {sorted(theirs)}",
            fix="run the missing folds, or give records of the same folds",
        )
    if mine != theirs:
        raise RecbenchError(
            f"the splits of {first.name!r} and {other.name!r} differ",
            fix=f"run both on the same data: `recbench run -p {first.first.protocol['name']}`",
        )

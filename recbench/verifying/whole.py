"""All checks of a folder or of one record, in an order in which none reads more than the last one made safe."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from recbench import boards
from recbench.errors import BadRecord, RecbenchError
from recbench.outside.placing import SUMS
from recbench.protocols.spec import Protocol
from recbench.records import Record, load
from recbench.registry import Registry
from recbench.scene import Scene
from recbench.verifying import against, standing, sums
from recbench.verifying.analyses import analysis_faults
from recbench.verifying.findings import Finding, Verification
from recbench.verifying.places import Places, survey
from recbench.verifying.scenes import Scenes

PROTOCOLS = "protocols"
"""Folder of a publication in which its protocols lie."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What a verification has at hand.

    Attributes:
        registry: what is installed here: sources of data, metrics, protocols.
        protocols: those that the user gives; needed where a protocol names files of data.
        data_dir: folder that holds data sets, looked at before all others.
    """

    registry: Registry
    protocols: Sequence[Protocol] = ()
    data_dir: Path | None = None


@dataclass(slots=True)
class _Tally:
    """What has been found so far."""

    findings: list[Finding] = field(default_factory=list)
    unchecked: list[Finding] = field(default_factory=list)
    scored: int = 0
    without: int = 0
    analyses: int = 0


def verify(path: Path, means: Means) -> Verification:
    """Check a folder of records with its boards, or the file of one record. Runs no plugin's code but its metrics.

    Raises:
        RecbenchError: there is nothing to check.
    """
    return _folder(path, means) if path.is_dir() else _file(path, means)


def _folder(root: Path, means: Means) -> Verification:
    places, tally = survey(root), _Tally()
    tally.findings += places.findings
    tally.findings += (found := list(sums.differences(places)))
    n_sums = None
    if root / SUMS in places.files:
        n_sums = len(places.files) - 1 - len({each.where for each in found if root / each.where in places.files})
    scenes = Scenes(
        registry=means.registry,
        given=means.protocols,
        folder=root / PROTOCOLS if not (root / PROTOCOLS).is_symlink() else None,
        data_dir=means.data_dir,
    )
    records = {}
    for path in places.records:
        record = _load(path, places.name(path), tally)
        if record is not None:
            records[path] = record
            _check(path, places.name(path), record, scenes, tally)
    for path in places.analyses:
        _check_analysis(path, places, records, scenes, tally)
    n_boards = _boards(places, list(records.values()), tally)
    return _result(tally, len(places.records), boards=n_boards, checksums=n_sums)


def _file(path: Path, means: Means) -> Verification:
    if path.is_symlink() or not path.is_file():
        raise RecbenchError(f"{str(path)!r} is no plain file", fix="give a folder of records, or a record's JSON file")
    tally = _Tally()
    record = _load(path, path.name, tally)
    if record is not None:
        scenes = Scenes(registry=means.registry, given=means.protocols, data_dir=means.data_dir)
        _check(path, path.name, record, scenes, tally)
    return _result(tally, 1, boards=None, checksums=None)


def _result(tally: _Tally, n_records: int, *, boards: int | None, checksums: int | None) -> Verification:
    return Verification(
        findings=tuple(sorted(set(tally.findings))),
        unchecked=tuple(sorted(set(tally.unchecked))),
        records=n_records,
        scored=tally.scored,
        without=tally.without,
        analyses=tally.analyses,
        boards=boards,
        checksums=checksums,
    )


def _load(path: Path, name: str, tally: _Tally) -> Record | None:
    try:
        return load(path)
    except BadRecord as error:
        tally.findings.append(Finding(where=name, what=_without_path(error.what, path)))
        return None


def _check(path: Path, name: str, record: Record, scenes: Scenes, tally: _Tally) -> None:
    """All that can be checked of one record. The lists are read when it is known how large they may be."""
    found = list(standing.faults(path, record))
    scene = scenes.scene_of(record)
    if isinstance(scene, str):
        tally.unchecked.append(Finding(where=name, what=f"was not held against the data: {scene}"))
        found += _lists_alone(path, name, record, tally)
    else:
        found += against.setting_faults(record, scene)
        found += _with_data(path, record, scene, tally)
    tally.findings += [Finding(where=name, what=what) for what in found]


def _check_analysis(path: Path, places: Places, records: Mapping[Path, Record], scenes: Scenes, tally: _Tally) -> None:
    """Compute the statistics anew, where the records hold that they are made from."""
    name, beside = places.name(path), {each: record for each, record in records.items() if each.parent == path.parent}
    faulty = {places.root / each.where for each in tally.findings}
    scene = scenes.scene_of(next(iter(beside.values()))) if beside else "there are no records beside it"
    if isinstance(scene, str) or any(each in faulty for each in (*beside, *_unread(path, places, records))):
        reason = scene if isinstance(scene, str) else "records beside it do not hold"
        tally.unchecked.append(Finding(where=name, what=f"was not computed anew: {reason}"))
    else:
        tally.findings += [Finding(where=name, what=what) for what in analysis_faults(path, beside, scene)]
        tally.analyses += 1


def _unread(path: Path, places: Places, records: Mapping[Path, Record]) -> list[Path]:
    return [each for each in places.records if each.parent == path.parent and each not in records]


def _lists_alone(path: Path, name: str, record: Record, tally: _Tally) -> Iterator[str]:
    """Shape, range and checksum of the lists, by what the record says of them."""
    if record.lists is None:
        tally.without += 1
    elif standing.size_of(record) > standing.READ_AT_MOST:
        what = f"has lists of {standing.size_of(record):,} bytes, by its own word; they were not read"
        tally.unchecked.append(Finding(where=name, what=what))
    else:
        try:
            fault = standing.source_fault(record, standing.arrays_of(path, record))
        except BadRecord as error:
            fault = _without_path(error.what, path.with_suffix(".npz"), "its lists: ")
        if fault is not None:
            yield fault


def _with_data(path: Path, record: Record, scene: Scene, tally: _Tally) -> Iterator[str]:
    faults = list(against.split_faults(record, scene))
    yield from faults
    split = against.split_of(record, scene)
    if record.lists is None:
        tally.without += 1
        return
    if split is None or faults:  # its lists are of other sizes, or mean something else
        return
    try:
        arrays = standing.arrays_of(path, record)
    except BadRecord as error:
        yield _without_path(error.what, path.with_suffix(".npz"), "its lists: ")
        return
    if (fault := standing.source_fault(record, arrays)) is not None:
        yield fault
    yield from against.list_faults(arrays[0], scene, split)
    yield from against.score_faults(record, scene, split, arrays)
    tally.scored += 1


def _boards(places: Places, records: Sequence[Record], tally: _Tally) -> int | None:
    """How many boards follow from the records; looked at where all records could be read."""
    if len(records) < len(places.records):
        tally.unchecked.append(Finding(where="boards", what="were not made again: a record cannot be read"))
        return None
    if not records:
        tally.findings.append(Finding(where="records", what="has no record in it"))
        return None
    try:
        found = boards.differences(places.root, records)
    except BadRecord as error:
        tally.findings.append(Finding(where="boards", what=f"cannot be made of the records: {error.what}"))
        return None
    tally.findings += [Finding(where=path.name, what=what) for path, what in found]
    return len(boards.names(records)) - len(found)


def _without_path(what: str, path: Path, instead: str = "") -> str:
    """A message without the file in front, which findings have in a place of its own."""
    return f"{instead}{what.removeprefix(f'{path}: ')}"

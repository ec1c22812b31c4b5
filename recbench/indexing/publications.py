"""A folder that anybody may have published, verified: what of its records holds, and who says they published it."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from recbench.errors import BadRecord, RecbenchError
from recbench.publishing import PUBLISHER, is_a_publisher
from recbench.records import Record, load
from recbench.verifying import Finding, Means, Verification, verify
from recbench.verifying.places import Places, survey

_PUBLISHER_BYTES = 1000


class Checked(enum.Enum):
    """How far a record was checked here."""

    ANEW = "scored anew"
    NO_DATA = "not scored here"
    ENDED_IN_A_FAULT = "nothing to score"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Kept:
    """A record of a publication.

    Attributes:
        name: its file, from the publication's folder.
        fault: why it does not hold; empty where it does.
    """

    record: Record
    name: str
    checked: Checked
    fault: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Published:
    """A publication.

    Attributes:
        by: who published it, as they say; empty where nothing is said.
        records: those that could be read.
        findings: what does not hold, and concerns no record that could be read.
        has_checksums: whether it has checksums at all.
    """

    folder: Path
    by: str
    records: tuple[Kept, ...]
    findings: tuple[Finding, ...]
    has_checksums: bool


def read(folder: Path, means: Means) -> Published:
    """Verify a publication, and read it.

    Raises:
        RecbenchError: it is none, or cannot be read.
    """
    try:
        places = survey(folder)
        found = verify(folder, means)
        records = tuple(_records(places, found))
        by, faults = _publisher(places)
    except OSError as error:
        raise RecbenchError(f"{folder} cannot be read: {error.strerror or error}", fix="get it again") from error
    names = {name for each in records for name in (each.name, _lists_of(each.name))}
    others = [each for each in found.findings if each.where not in names]
    return Published(
        folder=folder,
        by=by,
        records=records,
        findings=tuple(sorted({*others, *faults})),
        has_checksums=found.checksums is not None,
    )


def _records(places: Places, found: Verification) -> Iterator[Kept]:
    faults = _by_file(found.findings)
    unchecked = {each.where for each in found.unchecked}
    for path in places.records:
        try:
            record = load(path)
        except BadRecord:
            continue  # among the findings
        name = places.name(path)
        fault = "; ".join([*faults.get(name, ()), *faults.get(_lists_of(name), ())])
        checked = Checked.ENDED_IN_A_FAULT if record.lists is None else Checked.ANEW
        yield Kept(record=record, name=name, checked=Checked.NO_DATA if name in unchecked else checked, fault=fault)


def _by_file(findings: Sequence[Finding]) -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = {}
    for each in findings:
        found.setdefault(each.where, []).append(each.what)
    return found


def _lists_of(name: str) -> str:
    return f"{name.removesuffix('.json')}.npz"


def _publisher(places: Places) -> tuple[str, list[Finding]]:
    """Who published, and what is wrong with how that is said."""
    path = places.root / PUBLISHER
    if path not in places.files:
        return "", []
    if places.files[path] <= _PUBLISHER_BYTES:
        text = path.read_bytes().decode("utf-8", "replace").removesuffix("\n")
        if is_a_publisher(text):
            return text, []
    return "", [Finding(where=PUBLISHER, what="is not one line with the name of a publisher")]

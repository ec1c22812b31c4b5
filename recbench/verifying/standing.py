"""What a record can be asked without the data: that its parts agree with each other and with its lists."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from recbench.data import FloatArray, Int32Array
from recbench.errors import BadRecord
from recbench.protocols.spec import fingerprint
from recbench.recording import MADE_ELSEWHERE, PAIRS_VISIBLE, source_of_parts
from recbench.records import Record, Status, read_lists, to_json
from recbench.records.store import folder_name

READ_AT_MOST = 1 << 30
"""Bytes of lists and predictions that are taken into memory on a record's word alone."""

Arrays = tuple[Int32Array, FloatArray | None]


def faults(path: Path, record: Record) -> Iterator[str]:
    """What does not agree in one record, its lists not looked at."""
    if path.parent.name != folder_name(record):
        yield f"lies in {path.parent.name!r}, and is a record of {folder_name(record)!r}"
    if path.read_bytes() != to_json(record).encode():
        yield "is not written as recbench writes records: a key stands twice, or it was edited"
    yield from _identity_faults(record)
    yield from _status_faults(path, record)
    found = _fingerprint(record)
    if found is not None and found != record.protocol["fingerprint"]:
        yield f"states the protocol {record.protocol['fingerprint'][:12]}, and what it says of it gives {found[:12]}"
    for name, value in asdict(record.measured).items():
        if value is not None and value < 0:
            yield f"{name} is {value}, below 0"


def _identity_faults(record: Record) -> Iterator[str]:
    """What stands twice in a record must be the same."""
    identity = record.identity
    algorithm: dict[str, Any] = identity.get("algorithm", {})
    pairs: list[tuple[str, Any, Any]] = [
        ("algorithm", record.algorithm, algorithm.get("name")),
        ("distribution", record.distribution, algorithm.get("distribution")),
        ("seed", record.seed, identity.get("seed")),
        ("split's fingerprint", record.split["fingerprint"], identity.get("split")),
        ("fold", record.fold, record.split["fold"]),
    ]
    if "version" in algorithm:
        pairs.append(("version", record.version, algorithm["version"]))
    for what, stated, identified in pairs:
        if stated != identified:
            yield f"its {what} is {stated!r:.80}, and {identified!r:.80} in its identity"
    parameters = algorithm.get("parameters", {})
    for name, value in (record.protocol.get("settings") or {}).items():
        if parameters.get(name) != value:
            yield f"says that {name} was set to {value!r:.80}, and its identity has {parameters.get(name)!r:.80}"
    if record.is_external and record.marks != _external_marks(record):
        yield f"was made elsewhere, and its marks are {list(record.marks)!r:.160}"


def _fingerprint(record: Record) -> str | None:
    """The protocol's fingerprint, where it has but one fold, so that the record knows all of its splits."""
    deciding = record.protocol["deciding"]
    split, data = deciding["split"], deciding["data"]
    is_drawn_once = split["kind"] in ("holdout", "cold-user", "cold-item") and split.get("repeats") == 1
    is_given_once = split["kind"] == "provided" and len(data.get("folds") or ()) == 1
    if not (is_drawn_once or is_given_once or split["kind"] in ("time", "leave-last-out")):
        return None
    return fingerprint({**deciding, "splits": [record.split["fingerprint"]]})


def _external_marks(record: Record) -> tuple[str, ...]:
    has_predictions = "predictions" in record.identity.get("parts", ())
    return (MADE_ELSEWHERE, *([PAIRS_VISIBLE] if has_predictions else []))


def _status_faults(path: Path, record: Record) -> Iterator[str]:
    if record.status is Status.OK and record.lists is None:
        yield "is ok and has no lists"
    if record.status is not Status.OK and (record.scores or record.scores_warm):
        yield f"is {record.status} and has scores"
    if record.lists is None and path.with_suffix(".npz").exists():
        yield "has no lists, and a file of lists lies beside it"


def arrays_of(path: Path, record: Record) -> Arrays:
    """The lists and predictions beside a record.

    Raises:
        BadRecord: they are not those of the record, or larger than it says.
    """
    beside, most = path.with_suffix(".npz"), size_of(record) + size_of(record) // 100 + (64 << 10)
    if beside.is_symlink() or not beside.is_file():
        raise BadRecord(f"{beside}: is not there", fix="get it again")
    if beside.stat().st_size > most:
        raise BadRecord(f"{beside}: is {beside.stat().st_size:,} bytes, and its arrays are less", fix="get it again")
    return read_lists(path, record)


def size_of(record: Record) -> int:
    """Bytes that its lists and predictions take in memory, by what the record says."""
    split = record.split
    return int(split["users"] * record.identity.get("depth", 0) * 4 + split["test"] * 8)


def source_fault(record: Record, arrays: Arrays) -> str | None:
    """Whether what was made elsewhere is what its id was taken from."""
    if not record.is_external:
        return None
    lists, predictions = arrays
    parts = record.identity.get("parts", [])
    if (predictions is not None) != ("predictions" in parts) or (not record.has_lists and bool(np.any(lists >= 0))):
        return f"its identity says it has {' and '.join(parts)}, and its arrays are others"
    found = source_of_parts(lists if record.has_lists else None, predictions)
    if found != record.identity["algorithm"].get("source"):
        return f"its source is {found[:12]}, computed from its lists, and its identity has another"
    return None

"""A record as JSON text, and back. What comes back is checked: a file may have been made by anybody."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from recbench.errors import BadRecord
from recbench.protocols.spec import as_json
from recbench.records.parsing import FIX, Alike, parse
from recbench.records.record import SCHEMA, Costs, Record, Status, trial_id
from recbench.records.shape import Check, items, kind, matching, number, one_of, optional, shared, table, values, whole

_TEXT, _FLAG = kind(str), kind(bool)
_SHA256 = matching("[0-9a-f]{64}")
_METRIC = table(
    {"definition": _TEXT, "best": one_of("high", "low", "none"), "range": items(optional(number), length=2)}
)
_EVALUATION = table(
    {"primary": _TEXT, "metrics": items(_TEXT), "cutoffs": items(whole), "candidates": kind(str, dict)},
    {"relevant_at_least": optional(number), "train_at_least": optional(number), "exclude_seen": _FLAG},
)
_SPLITTING = table(
    {"kind": _TEXT},
    {
        **dict.fromkeys(("test", "validation", "history"), number),
        **dict.fromkeys(("folds", "repeats", "seed"), whole),
        "by": _TEXT,
    },
)
_PROTOCOL = table(
    {
        "name": _TEXT,
        "title": _TEXT,
        "fingerprint": _SHA256,
        "deciding": shared(table({"data": kind(dict), "split": _SPLITTING, "evaluation": _EVALUATION})),
        "trials": shared(table({"seconds": number, "memory_mb": number}, {"seeds": items(whole), "threads": whole})),
        "metrics": shared(values(_METRIC)),
    },
    {"file": _TEXT, "is_pinned": _FLAG, "tuned": optional(whole), "settings": optional(kind(dict))},
)
_SPLIT = table(
    {
        "fold": whole,
        "fingerprint": _SHA256,
        "leaks_future": optional(_FLAG),
        **dict.fromkeys(("users", "items", "train", "test"), whole),
    },
    {"validation": whole, "history": whole, "density": number},
)
_DATA = table(
    {},
    {
        **dict.fromkeys(("name", "title", "license", "citation", "homepage"), optional(_TEXT)),
        "dropped": values(whole),
        "duplicates": whole,
        "unverified": items(_TEXT),
    },
)
_PROVENANCE = table(
    {},
    {
        **dict.fromkeys(("recorded", "python", "platform", "cpu", "recbench", "tuned_on"), _TEXT),
        **dict.fromkeys(("cores", "threads", "jobs"), whole),
        **dict.fromkeys(("sandboxed", "memory_limited"), optional(_FLAG)),
        "packages": shared(values(_TEXT)),
        "files": values(_SHA256),
        "git": optional(_TEXT),
        "other_python": _TEXT,
    },
)
_COSTS = table({each.name: optional(number) for each in fields(Costs)}, is_closed=True)
_IDENTITY = table(
    {},
    {
        "algorithm": table({}, {"parameters": kind(dict), "source": _TEXT}),
        "depth": whole,
        "parts": items(one_of("lists", "predictions")),
    },
)
_RECORD = table(
    {
        **dict.fromkeys(("label", "algorithm", "distribution", "version", "trial_id", "output"), _TEXT),
        **dict.fromkeys(("deterministic", "baseline"), _FLAG),
        **dict.fromkeys(("seed", "fold", "metrics_version"), whole),
        **dict.fromkeys(("reason", "traceback"), optional(_TEXT)),
        "identity": _IDENTITY,
        "status": one_of(*sorted(set(Status) - {Status.UNAVAILABLE})),
        "protocol": _PROTOCOL,
        "split": shared(_SPLIT),
        "data": shared(_DATA),
        "scores": values(number),
        "scores_warm": optional(values(number)),
        "counts": values(whole),
        "marks": items(_TEXT),
        "measured": _COSTS,
        "provenance": _PROVENANCE,
        "lists": optional(table({"sha256": _SHA256}, is_closed=True)),
        "schema": whole,
    },
    is_closed=True,
)


def to_json(record: Record) -> str:
    """The one text of a record: sorted keys, two blanks of indent, a line end."""
    return written(record, indent=2)


def written(value: Any, *, indent: int) -> str:
    """The one text of a value: sorted keys, so many blanks of indent, a line end."""
    text = json.dumps(as_json(value), indent=indent, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"
    # Half a pair of surrogates, as a plugin may print it, has no UTF-8; as an escape it does.
    return text.encode("utf-8", "backslashreplace").decode()


def alike() -> Alike:
    """For records of one reader, whose big parts differ in few of them."""
    return Alike(
        [
            ("data",),
            *(("protocol", part) for part in ("deciding", "metrics", "trials")),
            ("provenance", "packages"),
            ("split",),
        ]
    )


def from_json(text: str, where: str, among: Alike | None = None) -> Record:
    """The record that `text` says.

    Args:
        text: JSON.
        where: the file, for messages.
        among: from `alike`, where it is one of many: they share what is equal.

    Raises:
        BadRecord: it is not a record, or of another schema, or does not agree with itself.
    """
    document = (among.parse if among else parse)(text, where)
    check(document, where, SCHEMA, _RECORD, way_out="use the recbench that wrote it, or run again")
    try:
        _check_id(document)
        _check_ranges(document)
        return Record(
            **document
            | {
                "status": Status(document["status"]),
                "measured": Costs(**document["measured"]),
                "marks": tuple(document["marks"]),
            }
        )
    except ValueError as error:
        raise BadRecord(f"{where}: {error}", fix=FIX) from error


def check(document: Mapping[str, Any], where: str, schema: int, shape: Check, *, way_out: str) -> None:
    """See that a document is of a schema and a shape.

    Args:
        way_out: what to do where it is of another schema.

    Raises:
        BadRecord: it is not.
    """
    if document.get("schema") != schema:
        raise BadRecord(
            f"{where}: is of schema {document.get('schema')!r:.80}, and this recbench reads {schema}", fix=way_out
        )
    if (fault := shape(document)) is not None:
        raise BadRecord(f"{where}: {fault.removeprefix('.').strip()}", fix=FIX)


def _check_id(document: Mapping[str, Any]) -> None:
    if document["trial_id"] != trial_id(document["identity"]):
        raise ValueError(f"the id {document['trial_id']!r:.80} is not that of the identity in it")


def _check_ranges(document: Mapping[str, Any]) -> None:
    known = document["protocol"]["metrics"]
    for scores in (document["scores"], document["scores_warm"] or {}):
        for key, value in scores.items():
            low, high = known.get(key.partition("@")[0], {}).get("range", (None, None))
            if (low is not None and value < low) or (high is not None and value > high):
                raise ValueError(f"{key} is {value}, out of its range {low} to {high}")

"""A record as JSON text, and back. What comes back is checked: a file may have been made by anybody."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from recbench.errors import BadRecord
from recbench.protocols.spec import as_json
from recbench.records.record import SCHEMA, Costs, Record, Status, trial_id

DEPTH = 24
FIX = "get the file again from where it came, or remove it and run again"
KINDS: Mapping[str, type | tuple[type, ...]] = {
    "trial_id": str,
    "identity": dict,
    "label": str,
    "algorithm": str,
    "distribution": str,
    "version": str,
    "deterministic": bool,
    "baseline": bool,
    "seed": int,
    "fold": int,
    "status": str,
    "protocol": dict,
    "split": dict,
    "data": dict,
    "metrics_version": int,
    "scores": dict,
    "scores_warm": (dict, type(None)),
    "counts": dict,
    "marks": list,
    "measured": dict,
    "provenance": dict,
    "reason": (str, type(None)),
    "traceback": (str, type(None)),
    "output": str,
    "lists": (dict, type(None)),
    "schema": int,
}


def to_json(record: Record) -> str:
    """The one text of a record: sorted keys, two blanks of indent, a line end."""
    return json.dumps(as_json(record), indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"


def from_json(text: str, where: str) -> Record:
    """The record that `text` says.

    Args:
        text: JSON.
        where: the file, for messages.

    Raises:
        BadRecord: it is not a record, or of another schema, or does not agree with itself.
    """
    document = _parse(text, where)
    if document.get("schema") != SCHEMA:
        raise BadRecord(
            f"{where}: is of schema {document.get('schema')!r}, and this recbench reads {SCHEMA}",
            fix="use the recbench that wrote it, or run again",
        )
    _check_keys(document, where)
    _check_values(document, where)
    given = document | {
        "status": Status(document["status"]),
        "measured": Costs(**document["measured"]),
        "marks": tuple(document["marks"]),
    }
    try:
        return Record(**given)
    except ValueError as error:
        raise BadRecord(f"{where}: {error}", fix=FIX) from error


def _parse(text: str, where: str) -> dict[str, Any]:
    if _depth(text) > DEPTH:
        raise BadRecord(f"{where}: is nested deeper than {DEPTH}", fix=FIX)
    try:
        document = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise BadRecord(f"{where}: is not JSON: {error}", fix=FIX) from error
    if not isinstance(document, dict):
        raise BadRecord(f"{where}: is not a record", fix=FIX)
    return document


def _depth(text: str) -> int:
    """An upper bound of the nesting, brackets in strings counted too, without parsing."""
    deepest = depth = 0
    for char in text:
        if char in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif char in "]}":
            depth -= 1
    return deepest


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not a value")


def _check_keys(document: Mapping[str, Any], where: str) -> None:
    for key in sorted(set(document) ^ set(KINDS)):
        state = "lacks" if key in KINDS else "has the unknown key"
        raise BadRecord(f"{where}: {state} {key!r}", fix=FIX)
    for key, kind in KINDS.items():
        value = document[key]
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise BadRecord(f"{where}: {key} is {value!r:.80}", fix=FIX)


def _check_values(document: Mapping[str, Any], where: str) -> None:
    if document["status"] not in set(Status) - {Status.UNAVAILABLE}:
        raise BadRecord(f"{where}: status is {document['status']!r}", fix=FIX)
    if document["trial_id"] != trial_id(document["identity"]):
        raise BadRecord(f"{where}: the id {document['trial_id']!r} is not that of the identity in it", fix=FIX)
    costs = document["measured"]
    if set(costs) != {each.name for each in fields(Costs)} or not all(map(_is_cost, costs.values())):
        raise BadRecord(f"{where}: measured is {costs!r:.80}", fix=FIX)
    for key in ("scores", "scores_warm", "counts"):
        if not all(_is_number(value) for value in (document[key] or {}).values()):
            raise BadRecord(f"{where}: {key} holds what is not a number", fix=FIX)
    _check_ranges(document, where)


def _check_ranges(document: Mapping[str, Any], where: str) -> None:
    known = document["protocol"].get("metrics", {})
    for key, value in {**document["scores"], **(document["scores_warm"] or {})}.items():
        low, high = known.get(key.partition("@")[0], {}).get("range", (None, None))
        if (low is not None and value < low) or (high is not None and value > high):
            raise BadRecord(f"{where}: {key} is {value}, out of its range {low} to {high}", fix=FIX)


def _is_cost(value: Any) -> bool:
    return value is None or _is_number(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)

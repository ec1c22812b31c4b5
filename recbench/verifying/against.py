"""A record held against the data: its split made again, its lists' own rules, its scores and counts computed anew."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from recbench import provenance
from recbench.data import Int32Array, Split
from recbench.protocols.spec import as_json
from recbench.ranking import Seen
from recbench.recording import describe_split, rescored
from recbench.records import Record, Status
from recbench.scene import Scene
from recbench.trials import is_ranked_like
from recbench.verifying.standing import Arrays

OTHER_MACHINE = 1e-12
"""Relative difference of two sums of the same numbers, added up by another processor or NumPy."""

_OF_STATE = frozenset({"unverified"})
"""Facts about data that depend on the copy at hand."""


def setting_faults(record: Record, scene: Scene) -> Iterator[str]:
    """What the record says of protocol and data, and what they are."""
    stated, protocol = record.protocol, scene.protocol
    if stated["fingerprint"] != scene.fingerprint:
        yield f"states the protocol {stated['fingerprint'][:12]}, and protocol and data give {scene.fingerprint[:12]}"
    if stated["deciding"] != protocol.deciding():
        yield "states another data, split or evaluation than its protocol has"
    pins, made = protocol.pinned.splits, tuple(split.fingerprint for split in scene.splits)
    if pins and pins != made:
        yield f"is of protocol {protocol.name!r}, which pins other splits than the data gives"
    expected = _metrics(scene)
    if stated["metrics"] != expected:
        names = sorted(k for k in stated["metrics"].keys() | expected if stated["metrics"].get(k) != expected.get(k))
        yield f"defines {', '.join(names)[:80]} otherwise than the protocol's metrics"
    if stated.get("is_pinned") and not pins and protocol.path is not None:
        yield "states a pinned protocol, and the protocol pins nothing"
    yield from _different("the data's {}", record.data, as_json(scene.data), "the data has")


def split_of(record: Record, scene: Scene) -> Split | None:
    """The split that the record is of, where the data gives it."""
    return next((split for split in scene.splits if split.fingerprint == record.split["fingerprint"]), None)


def split_faults(record: Record, scene: Scene) -> Iterator[str]:
    """What the record says of its split, and whether its lists were made as the protocol asks."""
    split = split_of(record, scene)
    if split is None:
        yield f"is of the split {record.split['fingerprint'][:12]}, which protocol and data do not give"
        return
    yield from _different("the split's {}", record.split, describe_split(split), "the data gives")
    if not is_ranked_like(record.identity, scene.protocol):
        yield "was masked, cut or chosen from candidates otherwise than its protocol asks"


def list_faults(lists: Int32Array, scene: Scene, split: Split) -> Iterator[str]:
    """Lists that break a rule of the protocol: seen items, and items that are no candidates of the user."""
    n_items = split.dataset.n_items
    user, place = np.nonzero(lists >= 0)
    codes = user * np.int64(n_items) + lists[user, place]
    if scene.protocol.evaluation.exclude_seen:
        seen = Seen.of(split.train().interactions, split.history(), n_users=split.dataset.n_users, n_items=n_items)
        yield from _broken(np.isin(codes, seen.codes(n_items)), user, lists[user, place], split, "has seen")
    candidates = scene.candidates(split)
    if candidates is not None:
        owner, column = np.nonzero(candidates >= 0)
        is_one = np.isin(codes, owner * np.int64(n_items) + candidates[owner, column])
        yield from _broken(~is_one, user, lists[user, place], split, "has not among the candidates")


def score_faults(record: Record, scene: Scene, split: Split, arrays: Arrays) -> Iterator[str]:
    """What the lists and predictions give, and what the record states. Nothing is trained."""
    bare = replace(record, status=Status.OK, reason=None, scores={}, scores_warm=None)
    found = rescored(bare, scene, split, *arrays)
    if found.metrics_version != record.metrics_version:
        yield (
            f"has scores of version {record.metrics_version}, and this recbench computes {found.metrics_version}: "
            "`recbench rescore` brings them up to date"
        )
        return
    if (found.status, found.reason) != (record.status, record.reason):
        yield f"is stated to be {_status(record)}, and its lists are {_status(found)}"
        return
    tolerance = 0.0 if _is_of_this_machine(record) else OTHER_MACHINE
    yield from _scores("{}", record.scores, found.scores, tolerance)
    yield from _scores("{} of users with a history", record.scores_warm or {}, found.scores_warm or {}, tolerance)
    if (record.scores_warm is None) != (found.scores_warm is None):
        yield "has scores of users with a history where the protocol has none, or lacks them"
    yield from _different("the count {}", record.counts, found.counts, "its lists give")
    for name in sorted(record.counts.keys() - found.counts):
        yield f"has a count {name!r:.80} that its lists do not give"


def _metrics(scene: Scene) -> dict[str, Any]:
    def bound(value: float) -> float | None:
        return value if math.isfinite(value) else None

    return {
        name: {"definition": each.definition, "best": each.best, "range": [bound(end) for end in each.range]}
        for name, each in scene.metrics.items()
    }


def _different(what: str, stated: Mapping[str, Any], expected: Mapping[str, Any], whose: str) -> Iterator[str]:
    for name, value in expected.items():
        if name not in _OF_STATE and (name not in stated or stated[name] != value):
            yield f"{what.format(name)} is {stated.get(name)!r:.80}, and {whose} {value!r:.80}"


def _scores(what: str, stated: Mapping[str, float], found: Mapping[str, float], tolerance: float) -> Iterator[str]:
    for key in sorted(stated.keys() | found):
        if key not in stated or key not in found:
            yield f"{what.format(key)} is {stated.get(key)!r}, and its lists give {found.get(key)!r}"
        elif abs(stated[key] - found[key]) > tolerance * max(abs(stated[key]), abs(found[key])):
            yield f"{what.format(key)} is {stated[key]!r}, and its lists give {found[key]!r}"


def _broken(bad: Any, users: Any, items: Any, split: Split, verb: str) -> Iterator[str]:
    if bad.any():
        first, dataset = int(np.argmax(bad)), split.dataset
        user, item = str(dataset.user_ids[users[first]]), str(dataset.item_ids[items[first]])
        more = int(np.count_nonzero(bad)) - 1
        yield f"lists item {item!r}, which user {user!r} {verb}" + (f", and {more:,} more such" if more else "")


def _status(record: Record) -> str:
    return str(record.status) + (f" ({record.reason[:160]})" if record.reason else "")


def _is_of_this_machine(record: Record) -> bool:
    here, there = provenance.machine(), record.provenance
    alike = all(there.get(key) == here[key] for key in ("platform", "cpu"))
    return alike and there.get("packages", {}).get("numpy") == here["packages"].get("numpy")

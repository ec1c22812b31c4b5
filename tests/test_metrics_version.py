"""The scores of a small fixed world are kept in a file for each version of the metrics, and move with it alone."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from splits_by_hand import split_by_hand

from recbench.data import Split
from recbench.metrics import METRICS_VERSION, builtin_metrics, score
from recbench.protocols.spec import EvaluationSpec

HERE = Path(__file__).resolve().parent
CHANGELOG = (HERE.parent / "CHANGELOG.md").read_text(encoding="utf-8")
KEPT = HERE / "oracle" / f"scores-of-version-{METRICS_VERSION}.json"
N_USERS, N_ITEMS, DEPTH = 40, 30, 12
OFFERED = {metric.name: metric for metric in builtin_metrics()}


def world() -> tuple[Split, np.ndarray, np.ndarray]:
    """By whole numbers alone, so that no generator of random numbers can change it: a few cold users and items,
    users with nothing relevant, short lists and none, predictions that are missing and out of the scale."""
    cells = [(u, i, 1 + (7 * u + 3 * i + u * i) % 5) for u in range(N_USERS) for i in range(N_ITEMS)]
    held = [(u, i, r) for u, i, r in cells if (5 * u + 11 * i + (u * i) // 3) % 7 == 0]
    seen = [(u, i, r) for u, i, r in cells if (3 * u + 5 * i) % 4 == 0 and u % 13 and i % 11]
    test = [each for each in held if each[:2] not in {(u, i) for u, i, _ in seen}]
    tags = [[i % 4, 4 + i % 3][: i % 3] for i in range(N_ITEMS)]
    split = split_by_hand(n_users=N_USERS, n_items=N_ITEMS, test=test, train=seen, tags=tags, scale=(1.0, 5.0))
    lists = np.full((N_USERS, DEPTH), -1, dtype=np.int32)
    for user in range(N_USERS):
        taken = {i for u, i, _ in seen if u == user}
        ranked = [(user * user + 17 * place) % N_ITEMS for place in range(N_ITEMS)]
        free = [item for item in dict.fromkeys(ranked) if item not in taken][: 0 if user % 9 == 4 else 3 + user % DEPTH]
        lists[user, : len(free[:DEPTH])] = free[:DEPTH]
    predictions = np.array([np.nan if n % 17 == 3 else 0.25 * (n % 27) for n in range(len(test))])
    return split, lists, predictions


def scores_of_the_world() -> dict[str, Any]:
    split, lists, predictions = world()
    evaluation = EvaluationSpec(
        primary="ndcg@5", metrics=tuple(OFFERED), cutoffs=(1, 5, 12), relevant_at_least=3.0, exclude_seen=True
    )
    asked = {
        "all users": (evaluation, "holdout"),
        "warm users apart": (evaluation, "time"),
        "warm users alone": (replace(evaluation, users="warm"), "holdout"),
        "everything relevant": (replace(evaluation, relevant_at_least=None), "holdout"),
    }
    found = {}
    for name, (spec, kind) in asked.items():
        of = score(lists=lists, predictions=predictions, split=split, evaluation=spec, metrics=OFFERED, kind=kind)  # type: ignore[arg-type]
        found[name] = {"scores": dict(of.scores), "warm": dict(of.scores_warm or {}), "counts": dict(of.counts)}
    return found


def moved(kept: dict[str, Any], found: dict[str, Any]) -> list[str]:
    """What differs by more than another processor's way of adding up."""
    old, new = _flat(kept), _flat(found)
    return sorted(
        where
        for where in {*old, *new}
        if not math.isclose(old.get(where, math.nan), new.get(where, math.nan), rel_tol=0, abs_tol=1e-12)
    )


def _flat(of: dict[str, Any]) -> dict[str, float]:
    return {
        f"{name}, {part}, {key}": value
        for name, parts in of.items()
        for part, values in parts.items()
        for key, value in values.items()
    }


def test_no_score_moves_without_a_new_version(update_golden: bool) -> None:
    found = scores_of_the_world()
    if update_golden and not KEPT.is_file():
        KEPT.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")
    assert KEPT.is_file(), f"metrics_version is {METRICS_VERSION}: write its scores with --update-golden"
    differing = moved(json.loads(KEPT.read_text()), found)
    assert not differing, (
        f"scores moved: {', '.join(differing[:5])}. Raise METRICS_VERSION, list the change under 'Scores changed' in "
        "CHANGELOG.md, and write the new version's file with --update-golden"
    )


def test_every_metric_is_in_the_world() -> None:
    kept = json.loads(KEPT.read_text())["all users"]["scores"]
    assert {key.partition("@")[0] for key in kept} == set(OFFERED)


@pytest.mark.parametrize("name", sorted(OFFERED))
def test_the_world_tells_each_metric_from_a_constant(name: str) -> None:
    """A world in which a metric is 0 or 1 throughout would not notice its change."""
    kept = json.loads(KEPT.read_text())
    values = {v for part in kept.values() for key, v in part["scores"].items() if key.partition("@")[0] == name}
    assert len(values) > 1 or not values & {0.0, 1.0}


def test_the_guard_notices_a_change_and_a_metric_more_or_less() -> None:
    kept = scores_of_the_world()
    other = json.loads(json.dumps(kept))
    other["all users"]["scores"]["ndcg@5"] += 1e-6
    del other["all users"]["scores"]["mse"]
    assert moved(kept, other) == ["all users, scores, mse", "all users, scores, ndcg@5"]


def test_the_changelog_has_each_version_that_scores_changed_with() -> None:
    changed = CHANGELOG.partition("### Scores changed")[2]
    for version in range(2, METRICS_VERSION + 1):
        assert re.search(rf"metrics_version`? ?{version}\b", changed), version

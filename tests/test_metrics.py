"""The metrics: worked cases of independent libraries, plain loops, and what must hold of any score."""

from __future__ import annotations

import json
import math
import tracemalloc
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from splits_by_hand import split_by_hand

from recbench import metrics
from recbench.api import Block, Catalogue, Metric, Pairs
from recbench.data import FloatArray, Split
from recbench.errors import RecbenchError, UnknownName
from recbench.metrics import population
from recbench.metrics.calling import load
from recbench.protocols.spec import EvaluationSpec, FileSpec

HERE = Path(__file__).resolve().parent
BUILTIN = {metric.name: metric for metric in metrics.builtin_metrics()}
CASES = json.loads((HERE / "oracle" / "oracle.json").read_text())["cases"]
DISAGREEMENTS = json.loads((HERE / "oracle" / "disagreements.json").read_text())
PAGE = (HERE.parent / "docs" / "metrics.md").read_text()

# Families of the oracle that other modules answer for.
ELSEWHERE = {"significance": "statistics", "article": "the algorithms", "ties": "ranking"}

# What the oracle calls a metric, and what it is called here.
NAMES = {
    "rmse_micro": "rmse",
    "precision_k": "precision",
    "hit_rate": "hit",
    "ap_rel": "ap",
    "ndcg_linear": "ndcg_graded",
    "catalog_coverage": "coverage",
    "entropy_normalised": "entropy",
    "user_coverage_full_list": "user_coverage",
    "novelty_users_log2": "novelty",
    "arp": "popularity",
    "ild_cosine": "diversity",
    "kl": "calibration",
} | {name: name for name in BUILTIN if name not in {"user_coverage"}}

COUNTS = {
    "n_users_evaluated": "users_evaluated",
    "n_users_skipped_no_truth": "users_skipped",
    "n_users_without_recs": "users_without_list",
}

# Other definitions that go by the same names elsewhere. They are in the oracle for comparison, and are not offered.
NOT_OFFERED = {
    *("precision_list", "ap_k", "ap_hits", "ndcg_full_ideal", "rmse_macro_user", "user_coverage"),
    *("gini_n_minus_1", "entropy_bits", "entropy_nats", "n_items_recommended", "ild_hamming", "kl_bits"),
    *("novelty_interactions_log2", "arp_normalised", "epc_unweighted", "gap_profile", "gap_recs"),
}


def spec(*names: str, cutoffs: Sequence[int] = (2,), **more: Any) -> EvaluationSpec:
    return EvaluationSpec(primary=names[0], cutoffs=tuple(cutoffs), metrics=names, **more)


def lists_of(rows: Sequence[Sequence[int]], depth: int) -> Any:
    lists = np.full((len(rows), depth), -1, dtype=np.int32)
    for row, items in zip(lists, rows, strict=True):
        row[: len(items)] = items
    return lists


def score(
    split: Split,
    rows: Sequence[Sequence[int]],
    evaluation: EvaluationSpec,
    *,
    predictions: Sequence[float] | None = None,
    offered: Mapping[str, Metric] = BUILTIN,
    kind: Any = "holdout",
) -> metrics.Scores:
    depth = max([evaluation.depth, *map(len, rows)])
    return metrics.score(
        lists=lists_of(rows, depth),
        predictions=None if predictions is None else np.array(predictions, dtype=np.float64),
        split=split,
        evaluation=evaluation,
        metrics=offered,
        kind=kind,
    )


# ---------------------------------------------------------------------------------------------- the oracle


@dataclass(frozen=True, slots=True, kw_only=True)
class Worked:
    """A case of the oracle as something to score."""

    split: Split
    rows: Sequence[Sequence[int]]
    k: int = 1
    predictions: Sequence[float] | None = None
    relevant_at_least: float | None = None

    def answers(self, keys: Sequence[str]) -> Mapping[str, float]:
        names = [NAMES[key] for key in keys if key in NAMES]
        evaluation = spec(*(names or ["hit"]), cutoffs=[self.k], relevant_at_least=self.relevant_at_least)
        found = score(self.split, self.rows, evaluation, predictions=self.predictions)
        scores = {key: found.scores.get(_key(NAMES[key], self.k)) for key in keys if key in NAMES}
        return {**scores, **{key: found.counts[COUNTS[key]] for key in keys if key in COUNTS}}


def _key(name: str, k: int) -> str:
    return name if BUILTIN[name].kind == "pair" else f"{name}@{k}"


def _rating(given: Mapping[str, Any]) -> Worked:
    truth = given["y_true"]
    test = [(user, i, rating) for i, (user, rating) in enumerate(zip(given.get("user", truth), truth, strict=True))]
    test = [(int(user) if "user" in given else 0, item, rating) for user, item, rating in test]
    scale = tuple(given.get("clip") or (-100.0, 100.0))
    split = split_by_hand(n_users=2, n_items=len(truth), test=test, scale=scale)
    return Worked(split=split, rows=[[], []], predictions=given["y_pred"])


def _ranking(given: Mapping[str, Any]) -> Worked:
    users = given.get("users", {"u": given})
    number = _numbering(name for user in users.values() for name in (*user["recs"], *user["relevant"]))
    test = [(u, number[name], 1.0) for u, user in enumerate(users.values()) for name in user["relevant"]]
    # A user without a relevant item is in test all the same, with an item that is not relevant.
    test += [(u, len(number), 0.0) for u, user in enumerate(users.values()) if not user["relevant"]]
    split = split_by_hand(n_users=len(users), n_items=len(number) + 1, test=test)
    rows = [[number[name] for name in user["recs"]] for user in users.values()]
    return Worked(split=split, rows=rows, k=given["k"], relevant_at_least=1.0)


def _graded(given: Mapping[str, Any]) -> Worked:
    number = _numbering([*given["recs"], *given["gains"]])
    test = [(0, number[name], gain) for name, gain in given["gains"].items()]
    split = split_by_hand(n_users=1, n_items=len(number), test=test)
    return Worked(split=split, rows=[[number[name] for name in given["recs"]]], k=given["k"])


def _concentration(given: Mapping[str, Any]) -> Worked:
    number = _numbering(given["catalog"])
    test = [(user, 0) for user in range(len(given["recs"]))]
    split = split_by_hand(n_users=len(test), n_items=len(number), test=test)
    return Worked(split=split, rows=[[number[n] for n in recs] for recs in given["recs"].values()], k=given["k"])


def _user_and_prediction_coverage(given: Mapping[str, Any]) -> Worked:
    n_pairs, n_said = given["n_test_pairs"], given["n_scored_pairs"]
    users = given["test_users"]
    test = [(pair % len(users), pair, 3.0) for pair in range(n_pairs)]
    split = split_by_hand(n_users=len(users), n_items=max(n_pairs, 3), test=test, scale=(1.0, 5.0))
    rows = [[ord(name) - ord("a") for name in given["recs"].get(user, [])] for user in users]
    predictions = [3.0] * n_said + [math.nan] * (n_pairs - n_said)
    return Worked(split=split, rows=rows, k=given["k"], predictions=predictions)


def _popularity(given: Mapping[str, Any]) -> Worked:
    users, number = list(given["recs"]), _numbering("abcde")
    train = [(users.index(user), number[item]) for user, item in given["train"]]
    split = split_by_hand(n_users=len(users), n_items=5, train=train, test=[(u, 0) for u in range(len(users))])
    return Worked(split=split, rows=[[number[n] for n in recs] for recs in given["recs"].values()], k=given["k"])


def _diversity(given: Mapping[str, Any]) -> Worked:
    number = _numbering(given["vectors"])
    tags = [[tag for tag, has in enumerate(vector) if has] for vector in given["vectors"].values()]
    test = [(user, 0) for user in range(len(given["lists"]))]
    split = split_by_hand(n_users=len(test), n_items=len(number), test=test, tags=tags)
    rows = [[number[name] for name in names] for names in given["lists"]]
    return Worked(split=split, rows=rows, k=max(map(len, rows)))


def _calibration(given: Mapping[str, Any]) -> Worked:
    """Ten items of the user's own and a list, each item with one genre, in the shares that the case gives."""
    own = [tag for tag, share in enumerate(given["p_profile"]) for _ in range(round(10 * share))]
    listed = [tag for tag, share in enumerate(given["q_list"]) for _ in range(round(10 * share))]
    split = split_by_hand(
        n_users=1,
        n_items=len(own) + len(listed),
        train=[(0, item) for item in range(len(own))],
        test=[(0, len(own))],
        tags=[[tag] for tag in (*own, *listed)],
    )
    return Worked(split=split, rows=[[*range(len(own), len(own) + len(listed))]], k=len(listed))


def _serendipity(given: Mapping[str, Any]) -> Worked:
    users = ["u1", "u2", "u3", "u4"]
    test = [(users.index(user), item) for user, item in given["test"]]
    # RecTools averages over everybody with a list; here those without a relevant item need one that is not in it.
    test += [(users.index(user), 0) for user in given["recs"] if users.index(user) not in dict(test)]
    split = split_by_hand(
        n_users=4, n_items=4, test=test, train=[(users.index(user), item) for user, item in given["train"]]
    )
    return Worked(split=split, rows=[given["recs"].get(user, []) for user in users], k=given["k"])


def _numbering(names: Any) -> dict[str, int]:
    return {name: number for number, name in enumerate(dict.fromkeys(names))}


READERS = {
    "rating": _rating,
    "ranking_binary": _ranking,
    "aggregation": _ranking,
    "ndcg_graded": _graded,
    "coverage_concentration": _concentration,
    "user_prediction_coverage": _user_and_prediction_coverage,
    "popularity_novelty": _popularity,
    "intra_list_diversity": _diversity,
    "calibration_kl": _calibration,
    "serendipity": _serendipity,
}


@pytest.mark.parametrize("case", [c for c in CASES if c["family"] not in ELSEWHERE], ids=lambda case: case["id"])
def test_scores_are_those_of_independent_libraries(case: Mapping[str, Any]) -> None:
    expected = dict(case["expected"])
    worked = READERS[case["family"]](case["input"])
    if error := expected.pop("error", None):
        with pytest.raises(ValueError, match=error):
            worked.answers(["recall"])
        return
    for key in NOT_OFFERED:
        expected.pop(key, None)
    answers = worked.answers([*expected])
    assert answers == pytest.approx(expected, abs=1e-12)
    assert case["id"] == "rank-10" or answers


def test_a_user_with_nothing_relevant_is_skipped_and_counted() -> None:
    (case,) = (case for case in CASES if case["id"] == "rank-10")
    worked = _ranking(case["input"])
    found = score(worked.split, worked.rows, spec("recall", cutoffs=[5], relevant_at_least=1.0))
    assert not found.scores
    assert (found.counts["users_skipped"], found.counts["users_evaluated"], found.counts["scores_left_out"]) == (
        1,
        0,
        1,
    )


def test_no_case_and_no_value_of_the_oracle_is_passed_over() -> None:
    assert len(CASES) == 52
    assert {case["family"] for case in CASES} == READERS.keys() | ELSEWHERE.keys()
    keys = {key for case in CASES if case["family"] not in ELSEWHERE for key in case["expected"]}
    assert keys <= NAMES.keys() | COUNTS.keys() | NOT_OFFERED | {"error"}
    assert {NAMES[key] for key in keys if key in NAMES} == set(BUILTIN)


# ---------------------------------------------------------------------------------------------- plain loops


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """A small split with lists and predictions."""

    n_users: int
    n_items: int
    train: list[tuple[int, int, float]]
    history: list[tuple[int, int, float]]
    test: list[tuple[int, int, float]]
    tags: list[list[int]]
    rows: list[list[int]]
    predictions: list[float]
    threshold: float | None

    @property
    def split(self) -> Split:
        return split_by_hand(
            n_users=self.n_users,
            n_items=self.n_items,
            train=self.train[1:],
            validation=self.train[:1],
            history=self.history,
            test=self.test,
            tags=self.tags,
            scale=(0.0, 5.0),
        )

    def relevant(self, user: int) -> set[int]:
        return {i for u, i, rating in self.test if u == user and (self.threshold is None or rating >= self.threshold)}

    def evaluated(self) -> list[int]:
        return [user for user in range(self.n_users) if self.relevant(user)]

    def profile(self, user: int) -> list[int]:
        return [i for u, i, _ in (*self.train, *self.history) if u == user]

    def popularity(self, item: int) -> int:
        return sum(i == item for _, i, _ in self.train)

    def profile_popularity(self, user: int) -> float:
        return mean([self.popularity(item) for item in self.profile(user)])


@st.composite
def worlds(draw: st.DrawFn) -> World:
    n_users, n_items = draw(st.integers(1, 5)), draw(st.integers(1, 9))
    pairs = [(user, item) for user in range(n_users) for item in range(n_items)]
    parts = draw(st.lists(st.sampled_from(["train", "test", "history", ""]), min_size=len(pairs), max_size=len(pairs)))
    rated: dict[str, list[tuple[int, int, float]]] = {"train": [], "test": [], "history": [], "": []}
    for (user, item), part in zip(pairs, parts, strict=True):
        rated[part].append((user, item, draw(st.sampled_from([0.0, 1.0, 2.5, 3.0, 5.0]))))
    test = draw(st.permutations(rated["test"]))
    lists = st.permutations(range(n_items)).flatmap(lambda all_: st.integers(0, n_items).map(lambda n: all_[:n]))
    return World(
        n_users=n_users,
        n_items=n_items,
        train=rated["train"],
        history=rated["history"],
        test=test,
        tags=[draw(st.lists(st.integers(0, 3), unique=True)) for _ in range(n_items)],
        rows=[draw(lists) for _ in range(n_users)],
        predictions=[draw(st.sampled_from([math.nan, -1.0, 2.0, 4.5, 9.0])) for _ in test],
        threshold=draw(st.sampled_from([None, 2.5])),
    )


def mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else math.nan


def discounted(gains: Sequence[float]) -> float:
    return sum(gain / math.log2(place + 2) for place, gain in enumerate(gains))


def slow_precisions(hits: Sequence[bool]) -> float:
    return sum(sum(hits[: place + 1]) / (place + 1) for place, is_hit in enumerate(hits) if is_hit)


def slow_user(name: str, world: World, user: int, k: int) -> float:
    """A user's value, by loops that follow the formula."""
    items = world.rows[user][:k]
    relevant = world.relevant(user)
    hits = [item in relevant for item in items]
    ratings = {i: rating for u, i, rating in world.test if u == user}
    match name:
        case "precision":
            return sum(hits) / k
        case "recall":
            return sum(hits) / len(relevant)
        case "recall_capped":
            return sum(hits) / min(k, len(relevant))
        case "hit":
            return float(any(hits))
        case "mrr":
            return next((1 / (place + 1) for place, is_hit in enumerate(hits) if is_hit), 0.0)
        case "ap":
            return slow_precisions(hits) / len(relevant)
        case "ap_capped":
            return slow_precisions(hits) / min(k, len(relevant))
        case "ndcg":
            return discounted(hits) / discounted([1.0] * min(k, len(relevant)))
        case "ndcg_graded" | "ndcg_exp":
            gain = (lambda rating: rating) if name == "ndcg_graded" else (lambda rating: 2**rating - 1)
            best = discounted(sorted(map(gain, ratings.values()), reverse=True)[:k])
            return discounted([gain(ratings.get(item, 0.0)) for item in items]) / best if best else 0.0
        case "user_coverage":
            return float(len(items) == k)
        case "popularity":
            return mean([world.popularity(item) for item in items])
        case "novelty":
            n_users = max(1, len({u for u, _, _ in world.train}))
            return mean([-math.log2(max(1, world.popularity(item)) / n_users) for item in items])
        case "popularity_lift":
            profiles = [p for u in world.evaluated() if not math.isnan(p := world.profile_popularity(u))]
            if not world.profile(user):
                return math.nan
            return mean([world.popularity(item) for item in items]) / mean(profiles) - 1 if mean(profiles) else math.nan
        case "serendipity":
            return sum(slow_surprise(world, item, place) for place, item in enumerate(items) if hits[place]) / k
        case "diversity":
            tagged = [set(world.tags[item]) for item in items if world.tags[item]]
            pairs = [(a, b) for place, a in enumerate(tagged) for b in tagged[:place]]
            return mean([1 - len(a & b) / math.sqrt(len(a) * len(b)) for a, b in pairs])
        case "calibration":
            return slow_divergence(world, world.profile(user), items)
    raise AssertionError(name)


def slow_surprise(world: World, item: int, place: int) -> float:
    counts = sorted({world.popularity(i) for i in range(world.n_items)} - {0}, reverse=True)
    count = world.popularity(item)
    to_anybody = (world.n_items + 1 - (counts.index(count) + 1)) / world.n_items if count else 0.0
    return max(0.0, (world.n_items + 1 - (place + 1)) / world.n_items - to_anybody)


def slow_divergence(world: World, own: Sequence[int], items: Sequence[int]) -> float:
    p, q = ([mean([(g in t) / len(t) for i in of if (t := world.tags[i])]) for g in range(4)] for of in (own, items))
    if math.isnan(p[0]) or math.isnan(q[0]):
        return math.nan
    return sum(a * math.log(a / (0.99 * b + 0.01 * a)) for a, b in zip(p, q, strict=True) if a)


def slow_catalogue(name: str, world: World, k: int) -> float:
    counts = [sum(item in world.rows[user][:k] for user in world.evaluated()) for item in range(world.n_items)]
    total, n = sum(counts), len(counts)
    match name:
        case "coverage":
            return sum(count > 0 for count in counts) / n
        case "gini":
            return sum(abs(a - b) for a in counts for b in counts) / (2 * n * total) if total else math.nan
        case "entropy":
            parts = [count / total for count in counts if count]
            return -sum(p * math.log(p) for p in parts) / math.log(n) if total and n > 1 else math.nan
    raise AssertionError(name)


def slow_pairs(name: str, world: World) -> float:
    train_mean = mean([rating for _, _, rating in world.train])
    fallback = 2.5 if math.isnan(train_mean) else train_mean
    errors = []
    for (_, _, rating), said in zip(world.test, world.predictions, strict=True):
        prediction = min(5.0, max(0.0, fallback if math.isnan(said) else said))
        errors.append(rating - prediction)
    match name:
        case "mse":
            return mean([error**2 for error in errors])
        case "rmse":
            return math.sqrt(mean([error**2 for error in errors]))
        case "mae":
            return mean([abs(error) for error in errors])
        case "prediction_coverage":
            return mean([float(not math.isnan(said)) for said in world.predictions])
    raise AssertionError(name)


SLOW_DEPTHS = (1, 3, 4)


@settings(deadline=None, max_examples=150)
@given(worlds())
def test_every_metric_over_users_agrees_with_a_plain_loop(world: World) -> None:
    names = [name for name, metric in BUILTIN.items() if metric.kind == "user"]
    evaluation = spec(*names, cutoffs=SLOW_DEPTHS, relevant_at_least=world.threshold)
    rows = [row[:4] for row in world.rows]
    values = metrics.per_user(lists=lists_of(rows, 4), split=world.split, evaluation=evaluation, metrics=BUILTIN)
    for name in names:
        for k in SLOW_DEPTHS:
            slow = [slow_user(name, world, user, k) for user in world.evaluated()]
            assert values[f"{name}@{k}"].tolist() == pytest.approx(slow, abs=1e-9, nan_ok=True), (name, k)


@settings(deadline=None, max_examples=100)
@given(worlds())
def test_every_other_metric_agrees_with_a_plain_loop(world: World) -> None:
    names = [name for name, metric in BUILTIN.items() if metric.kind != "user"]
    evaluation = spec(*names, cutoffs=SLOW_DEPTHS, relevant_at_least=world.threshold)
    found = score(world.split, world.rows, evaluation, predictions=world.predictions).scores
    slow = {
        **{name: slow_pairs(name, world) for name in names if BUILTIN[name].kind == "pair"},
        **{
            f"{name}@{k}": slow_catalogue(name, world, k)
            for name in names
            for k in SLOW_DEPTHS
            if BUILTIN[name].kind == "catalogue"
        },
    }
    assert found == pytest.approx({key: value for key, value in slow.items() if not math.isnan(value)}, abs=1e-9)


@settings(deadline=None, max_examples=60)
@given(worlds())
def test_a_score_is_the_mean_of_the_values_behind_it(world: World) -> None:
    evaluation = spec(*BUILTIN, cutoffs=(1, 3), relevant_at_least=world.threshold)
    lists, predictions = lists_of(world.rows, max(3, world.n_items)), np.array(world.predictions)
    found = score(world.split, lists.tolist(), evaluation, predictions=world.predictions).scores
    behind = {
        **metrics.per_user(lists=lists, split=world.split, evaluation=evaluation, metrics=BUILTIN),
        **metrics.per_pair(predictions=predictions, split=world.split, evaluation=evaluation, metrics=BUILTIN),
    }
    for key, values in behind.items():
        expected = mean([value for value in values.tolist() if not math.isnan(value)])
        assert found.get(key, math.nan) == pytest.approx(
            math.sqrt(expected) if key == "rmse" else expected, nan_ok=True
        )


def test_the_size_of_blocks_changes_no_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    split, lists = large(n_users=300, n_items=70, depth=20)
    evaluation = spec(*BUILTIN, cutoffs=(5, 20), relevant_at_least=3.0)
    whole = metrics.per_user(lists=lists, split=split, evaluation=evaluation, metrics=BUILTIN)
    monkeypatch.setattr(population, "_PLACES", 20 * 7)
    monkeypatch.setattr(population, "_TABLE", 71 * 3)
    pieces = metrics.per_user(lists=lists, split=split, evaluation=evaluation, metrics=BUILTIN)
    assert whole.keys() == pieces.keys()
    for key, values in whole.items():
        assert values.tobytes() == pieces[key].tobytes(), key


def large(*, n_users: int, n_items: int, depth: int) -> tuple[Split, Any]:
    generator = np.random.default_rng(0)
    pairs = generator.choice(n_users * n_items, size=n_users * 12, replace=False)
    rows = [(int(p) // n_items, int(p) % n_items, float(r)) for p, r in zip(pairs, pairs % 5 + 1, strict=True)]
    split = split_by_hand(
        n_users=n_users,
        n_items=n_items,
        train=rows[: len(rows) // 2],
        test=rows[len(rows) // 2 :],
        tags=[[item % 3, 3 + item % 2] for item in range(n_items)],
        scale=(1.0, 5.0),
    )
    lists = np.array([generator.choice(n_items, size=depth, replace=False) for _ in range(n_users)], dtype=np.int32)
    return split, lists


def test_memory_is_that_of_the_lists_not_of_users_by_items() -> None:
    split, lists = large(n_users=5000, n_items=20_000, depth=10)
    evaluation = spec(*(name for name in BUILTIN if name not in {"diversity"}), cutoffs=(10,))
    tracemalloc.start()
    metrics.score(lists=lists, predictions=None, split=split, evaluation=evaluation, metrics=BUILTIN, kind="holdout")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 40e6  # a byte for each user and item would be 100e6


# ---------------------------------------------------------------------------------------------- populations

# User 0 has a history in train, user 1 none; user 2 has only an item below the threshold in test.
SMALL = split_by_hand(
    n_users=3,
    n_items=5,
    train=[(0, 0, 4.0), (2, 1, 2.0)],
    test=[(0, 2, 5.0), (1, 3, 4.0), (2, 4, 1.0)],
    tags=[[0], [0, 1], [1], [0], []],
    scale=(1.0, 5.0),
)
ROWS = [[2, 1], [0, 1], [4, 0]]


def test_a_user_without_a_list_scores_zero_and_stays_in() -> None:
    found = score(SMALL, [[2, 1], [], []], spec("recall", "ndcg", "novelty", relevant_at_least=3.0))
    assert found.scores["recall@2"] == 0.5
    assert found.counts["users_without_list"] == 1
    assert found.counts["undefined novelty@2"] == 1


def test_empty_places_count_as_misses() -> None:
    found = score(SMALL, [[2], [3], []], spec("precision", "user_coverage", relevant_at_least=3.0))
    assert found.scores == {"precision@2": 0.5, "user_coverage@2": 0.0}
    assert found.counts["users_short_list"] == 2


def test_warm_users_alone_are_averaged_where_the_protocol_says_so() -> None:
    found = score(SMALL, ROWS, spec("recall", "mae", users="warm"), predictions=[4.0, 4.0, 4.0])
    assert found.scores == {"recall@2": 1.0, "mae": 2.0}
    assert found.scores_warm is None
    assert (found.counts["users_evaluated"], found.counts["users_left_out"], found.counts["pairs"]) == (2, 1, 2)


@pytest.mark.parametrize("kind", ["time", "cold-user", "cold-item"])
def test_both_populations_are_shown_where_users_or_items_can_be_cold(kind: str) -> None:
    evaluation = spec("recall", "coverage", "mae")
    found = score(SMALL, ROWS, evaluation, kind=kind, predictions=[4.0, 4.0, 4.0])
    assert found.scores == pytest.approx({"recall@2": 2 / 3, "coverage@2": 4 / 5, "mae": 4 / 3})
    assert found.scores_warm == pytest.approx({"recall@2": 1.0, "coverage@2": 4 / 5, "mae": 2.0})
    assert score(SMALL, ROWS, evaluation, kind="holdout").scores_warm is None


def test_a_history_makes_a_held_out_user_warm() -> None:
    split = split_by_hand(n_users=2, n_items=3, test=[(0, 0), (1, 0)], history=[(1, 2)])
    found = score(split, [[1], [0]], spec("hit", cutoffs=[1]), kind="cold-user")
    assert (found.scores["hit@1"], found.scores_warm) == (0.5, {"hit@1": 1.0})


def test_users_items_and_pairs_are_counted() -> None:
    found = score(
        SMALL, ROWS, spec("recall", "mse", relevant_at_least=3.0), predictions=[4.0, math.nan, math.nan]
    ).counts
    assert found == {
        "users_evaluated": 2,
        "users_warm": 1,
        "users_skipped": 1,
        "users_left_out": 0,
        "users_without_list": 0,
        "users_short_list": 0,
        "users_in_test": 3,
        "cold_users_in_test": 1,
        "cold_items_in_test": 3,
        "relevant_pairs": 2,
        "relevant_pairs_cold_item": 2,
        "pairs": 3,
        "pairs_warm": 0,
        "fallbacks": 2,
        "fallbacks_warm": 0,
        "scores_left_out": 0,
    }


def test_evaluated_users_are_those_with_something_relevant() -> None:
    assert metrics.evaluated_users(SMALL, spec("recall", relevant_at_least=3.0)).tolist() == [0, 1]
    assert metrics.evaluated_users(SMALL, spec("recall", relevant_at_least=3.0, users="warm")).tolist() == [0]


# ---------------------------------------------------------------------------------------------- ratings


def test_what_cannot_be_predicted_falls_back_to_the_training_mean() -> None:
    found = score(SMALL, ROWS, spec("mae", "prediction_coverage"), predictions=[5.0, math.nan, 1.0])
    assert found.scores == pytest.approx({"mae": 1 / 3, "prediction_coverage": 2 / 3})  # the mean of 4 and 2 is 3


def test_predictions_are_clipped_to_the_scale() -> None:
    assert score(SMALL, ROWS, spec("mse"), predictions=[9.0, 4.0, -3.0]).scores == {"mse": 0.0}


def test_rating_metrics_are_absent_without_predictions_or_ratings() -> None:
    evaluation = spec("mse", "recall")
    assert score(SMALL, ROWS, evaluation).scores.keys() == {"recall@2"}
    implicit = replace(SMALL, dataset=replace(SMALL.dataset, scale=None))
    found = score(implicit, ROWS, evaluation, predictions=[1.0, 1.0, 1.0])
    assert found.scores.keys() == {"recall@2"}
    assert "pairs" not in found.counts
    assert found.counts["scores_left_out"] == 0


# ---------------------------------------------------------------------------------------------- keys and names


@pytest.mark.parametrize(
    ("candidates", "key"),
    [("all", "recall@2"), ("uniform:99", "recall@2~uni99"), (FileSpec(path=Path("pairs.csv")), "recall@2~given")],
)
def test_a_metric_over_sampled_candidates_says_so_in_its_key(candidates: Any, key: str) -> None:
    found = score(SMALL, ROWS, spec("mse", "recall", candidates=candidates), predictions=[3.0, 3.0, 3.0])
    assert [*found.scores] == ["mse", key]


def test_scores_come_in_the_order_of_the_protocol() -> None:
    found = score(SMALL, [*([2, 1],) * 3], spec("recall", "coverage", "hit", cutoffs=(2, 1)))
    assert [*found.scores] == ["recall@2", "recall@1", "coverage@2", "coverage@1", "hit@2", "hit@1"]


def test_an_unknown_metric_lists_the_close_ones() -> None:
    with pytest.raises(UnknownName, match="'recal' is not the name of a metric; close: 'recall'"):
        metrics.resolve(["ndcg", "recal"], BUILTIN)
    assert metrics.resolve(["recall", "mse"], BUILTIN) == (BUILTIN["recall"], BUILTIN["mse"])


def test_a_metric_over_tags_is_refused_where_there_are_none() -> None:
    bare = replace(SMALL.dataset, items={})
    for name in ("diversity", "calibration"):
        with pytest.raises(RecbenchError, match=f"metric '{name}' needs tags of the items, and 'by hand' has none"):
            metrics.check([BUILTIN[name]], bare)
    metrics.check([BUILTIN["ndcg"]], bare)
    metrics.check(BUILTIN.values(), SMALL.dataset)


# ---------------------------------------------------------------------------------------------- third parties


def third_party(name: str, *, kind: Any = "user", greatest: float = 1.0) -> Mapping[str, Metric]:
    metric = Metric(
        name="theirs",
        target=f"{__name__}:{name}",
        kind=kind,
        best="high",
        range=(0.0, greatest),
        definition="what a plugin offers",
    )
    return {**BUILTIN, "theirs": metric}


def share_of_test_items_by_rating(block: Block) -> FloatArray:
    return block.gains.sum(axis=1) / np.add.reduceat(block.test_ratings.astype(np.float64), block.test_starts[:-1])


def users_per_item(counts: Any, n_lists: int, catalogue: Catalogue) -> float:
    return n_lists / catalogue.n_items


def within_one_star(pairs: Pairs) -> Any:
    return np.abs(pairs.rating - pairs.prediction) <= 1.0


def two(block: Block) -> FloatArray:
    return np.full(len(block.users), 2.0)


def infinite(block: Block) -> FloatArray:
    return np.full(len(block.users), np.inf)


def a_bit_over(block: Block) -> FloatArray:
    return np.full(len(block.users), 1.0 + 1e-12)


def one_number(block: Block) -> float:
    return 0.5


def words(block: Block) -> Any:
    return np.array(["good"] * len(block.users))


def raising(block: Block) -> FloatArray:
    raise KeyError("year")


def writing(block: Block) -> FloatArray:
    block.lists[0, 0] = 0
    return np.zeros(len(block.users))


def words_for_all(counts: Any, n_lists: int, catalogue: Catalogue) -> Any:
    return "good"


@pytest.mark.parametrize(
    ("name", "kind", "key", "value"),
    [
        ("share_of_test_items_by_rating", "user", "theirs@2", 2 / 3),
        ("users_per_item", "catalogue", "theirs@2", 3 / 5),
        ("within_one_star", "pair", "theirs", 2 / 3),
    ],
)
def test_a_third_partys_metric_goes_by_the_same_door(name: str, kind: str, key: str, value: float) -> None:
    offered = third_party(name, kind=kind)
    found = score(SMALL, ROWS, spec("theirs"), predictions=[4.0, 4.0, 4.0], offered=offered)
    assert found.scores == pytest.approx({key: value})


@pytest.mark.parametrize("name", ["two", "infinite"])
def test_a_value_out_of_its_range_is_refused(name: str) -> None:
    with pytest.raises(metrics.OutOfRange, match=r"theirs@2 is (2\.0|inf), outside its range of 0 to 1"):
        score(SMALL, ROWS, spec("theirs"), offered=third_party(name))


def test_rounding_at_the_end_of_a_range_is_undone() -> None:
    assert score(SMALL, ROWS, spec("theirs"), offered=third_party("a_bit_over")).scores == {"theirs@2": 1.0}


@pytest.mark.parametrize(
    ("name", "kind", "message"),
    [
        ("one_number", "user", r"'theirs' gave float64 of shape \(\); expected 3 real numbers"),
        ("words", "user", r"'theirs' gave <U4 of shape \(3,\); expected 3 real numbers"),
        ("raising", "user", "'theirs' failed: KeyError: 'year'"),
        ("writing", "user", "'theirs' failed: ValueError: assignment destination is read-only"),
        ("words_for_all", "catalogue", "'theirs' gave 'good'; expected a number"),
    ],
)
def test_a_faulty_metric_is_named_with_its_fault(name: str, kind: str, message: str) -> None:
    with pytest.raises(metrics.MetricFault, match=message):
        score(SMALL, ROWS, spec("theirs"), offered=third_party(name, kind=kind))


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("no_such_module:f", "cannot be imported: ModuleNotFoundError"),
        ("math:no_such_function", "cannot be imported: AttributeError"),
        ("math:pi", "is 3.14"),
    ],
)
def test_a_metric_that_cannot_be_imported_is_found_before_training(target: str, message: str) -> None:
    metric = replace(BUILTIN["hit"], target=target)
    with pytest.raises(metrics.MetricFault, match=message):
        metrics.check([metric], SMALL.dataset)


# ---------------------------------------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("lists", "message"),
    [
        (lists_of([[0, 1], [2, 3]], 2), "expected integers, 3 rows of 2 or more"),
        (lists_of([[0], [1], [2]], 1), "expected integers, 3 rows of 2 or more"),
        (np.zeros((3, 2)), "lists are float64"),
        (lists_of([[0, 5], [], []], 2), r"an item that is not in 0 \.\. 4"),
        (lists_of([[0, -2], [], []], 2), r"an item that is not in 0 \.\. 4"),
        (lists_of([[1, 1], [], []], 2), "a duplicate item"),
        (lists_of([[-1, 1], [], []], 2), "an empty place before an item"),
    ],
)
def test_lists_of_another_form_are_refused(lists: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        metrics.score(
            lists=lists, predictions=None, split=SMALL, evaluation=spec("hit"), metrics=BUILTIN, kind="holdout"
        )


@pytest.mark.parametrize("predictions", [[1.0], [1.0, math.inf, 1.0]])
def test_predictions_of_another_form_are_refused(predictions: list[float]) -> None:
    with pytest.raises(ValueError, match=r"expected \(3,\), none infinite"):
        score(SMALL, ROWS, spec("mse"), predictions=predictions)


@pytest.mark.parametrize("n_items", [7, 2**31 - 1])
def test_test_pairs_stand_by_user_then_item_whatever_the_size_of_the_catalogue(n_items: int) -> None:
    drawn = np.random.default_rng(3).permutation(6 * 7)
    users = np.array([0, 1, 2, 3, 4, 2**31 - 1])[drawn // 7].astype(np.int32)
    items = (drawn % 7).astype(np.int32)
    order = population.by_user_and_item(users, items, n_items)
    assert order.tolist() == np.lexsort((items, users)).tolist()


def test_a_pair_twice_in_test_is_refused() -> None:
    with pytest.raises(ValueError, match="in the test part twice"):
        score(split_by_hand(n_users=1, n_items=2, test=[(0, 1), (0, 1)]), [[0]], spec("hit", cutoffs=[1]))


# ---------------------------------------------------------------------------------------------- the page


@pytest.mark.parametrize("metric", BUILTIN.values(), ids=lambda metric: metric.name)
def test_every_metric_is_on_the_page_with_its_definition_and_source(metric: Metric) -> None:
    _, _, section = PAGE.partition(f"\n### `{metric.name}`\n")
    section, _, _ = section.partition("\n#")
    assert f"\n> {metric.definition}\n" in section
    assert f"Source: {metric.source}" in section
    if metric.best != "none":
        assert f"{'Higher' if metric.best == 'high' else 'Lower'} is better." in section


def test_the_page_has_no_metric_that_is_not_on_offer() -> None:
    found = {line.removeprefix("### ").strip("`") for line in PAGE.splitlines() if line.startswith("### ")}
    assert found == set(BUILTIN)


@pytest.mark.parametrize("metric", BUILTIN.values(), ids=lambda metric: metric.name)
def test_every_metric_explains_its_formula(metric: Metric) -> None:
    documentation = load(metric).__doc__ or ""
    assert "Formula: " in documentation
    assert "Returns:" in documentation


@pytest.mark.parametrize("count", ["users_evaluated", "undefined KEY", "relevant_pairs_cold_item", "fallbacks_warm"])
def test_the_page_explains_the_counts(count: str) -> None:
    assert f"| `{count}` |" in PAGE


def test_the_page_shows_how_libraries_disagree() -> None:
    for library, values in DISAGREEMENTS.items():
        (row,) = (line.replace("\\|", "|") for line in PAGE.splitlines() if line.startswith(f"| {library} |"))
        for name, value in values.items():
            shown = value if isinstance(value, str) else f"{value:.4f}".rstrip("0").rstrip(".")
            assert f"{name} {shown}" in row or (name == "note" and str(value) in row), (library, name)

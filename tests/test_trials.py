"""What a run consists of: selection, parameters, components, ids."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recbench.api import Algorithm
from recbench.data import Dataset, Interactions, Split
from recbench.errors import RecbenchError, UnknownName
from recbench.protocols.spec import AlgorithmSpec, DataSpec, EvaluationSpec, Protocol, SplitSpec, TrialSpec
from recbench.registry import Offered, Plugin, Registry
from recbench.trials import Selection, parse_settings, plan, select

PLUGIN = Plugin(name="p", module="p", distribution="someone", version="1.0")


def registry(*algorithms: Algorithm, plugin: Plugin = PLUGIN) -> Registry:
    return Registry(algorithms={each.name: Offered(value=each, plugin=plugin) for each in algorithms})


def algorithm(name: str, **more: Any) -> Algorithm:
    return Algorithm(name=name, target="p:Thing", **more)


def protocol(**more: Any) -> Protocol:
    given: dict[str, Any] = {
        "name": "p",
        "title": "P",
        "data": DataSpec(source="x"),
        "split": SplitSpec(kind="holdout"),
        "evaluation": EvaluationSpec(primary="ndcg@10", cutoffs=(5, 10), metrics=("ndcg",)),
    }
    return Protocol(**(given | more))


def split(fingerprint: str = "ab" * 32, fold: int = 0) -> Split:
    rows = np.arange(1)
    one = np.zeros(1, np.int32)
    data = Dataset(
        name="tiny",
        interactions=Interactions(user=one, item=one, rating=np.ones(1, np.float32)),
        user_ids=np.array(["u"]),
        item_ids=np.array(["i"]),
    )
    return Split(
        dataset=data,
        fold=fold,
        train_rows=rows,
        validation_rows=rows[:0],
        test_rows=rows[:0],
        history_rows=rows[:0],
        fingerprint=fingerprint,
        leaks_future=None,
    )


THREE = registry(algorithm("ease"), algorithm("item-knn"), algorithm("mean", baseline=True, deterministic=True))


def labels(selection: Selection, offered: Registry = THREE, **more: Any) -> list[str]:
    return [row.label for row in select(protocol(**more), offered, selection)]


def test_without_a_wish_everything_on_offer_runs_baselines_first() -> None:
    assert labels(Selection()) == ["mean", "ease", "item-knn"]


def test_wishes_are_names_or_globs() -> None:
    assert labels(Selection(wanted=("item-*", "ease"))) == ["ease", "item-knn"]


def test_what_is_excluded_does_not_run() -> None:
    assert labels(Selection(excluded=("*ea*",))) == ["item-knn"]


def test_a_protocol_may_list_what_runs() -> None:
    assert labels(Selection(), trials=TrialSpec(algorithms=("ease",))) == ["ease"]


def test_rows_of_the_protocol_run_beside_what_it_lists() -> None:
    rows = (AlgorithmSpec(label="ease-small", name="ease", parameters={"l2": 1}),)
    assert labels(Selection(), trials=TrialSpec(algorithms=("mean",)), rows=rows) == ["mean", "ease-small"]


def test_a_wish_for_a_name_nobody_offers_lists_the_close_ones() -> None:
    with pytest.raises(UnknownName, match=r"'item-kn' is not the name of an algorithm; close: 'item-knn'"):
        labels(Selection(wanted=("item-kn",)))


def test_parameters_of_an_algorithm_nobody_offers_are_an_error() -> None:
    with pytest.raises(UnknownName, match="'eese'"):
        labels(Selection(), parameters={"eese": {"l2": 1}})


def test_a_setting_for_a_row_that_does_not_run_is_an_error() -> None:
    with pytest.raises(UnknownName, match="row of this run"):
        labels(Selection(wanted=("ease",), settings={"item-knn": {"k": 1}}))


def test_leaving_nothing_to_run_is_an_error() -> None:
    with pytest.raises(RecbenchError, match="no algorithm is left"):
        labels(Selection(excluded=("*",)))


def test_later_parameters_win() -> None:
    offered = registry(algorithm("a", parameters={"x": 1, "y": 1, "z": 1, "w": 1}))
    rows = (AlgorithmSpec(label="b", name="a", parameters={"z": 3, "w": 3}),)
    asked = protocol(parameters={"a": {"y": 2, "z": 2, "w": 2}}, rows=rows)
    _, row = select(asked, offered, Selection(settings={"b": {"w": 4}}))
    assert row.parameters == {"x": 1, "y": 2, "z": 3, "w": 4}


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("ease.l2=250", {"ease": {"l2": 250}}),
        ("ease.l2=2.5e2", {"ease": {"l2": 250.0}}),
        ("knn.centre=mean", {"knn": {"centre": "mean"}}),
        ("knn.shrink=null", {"knn": {"shrink": None}}),
        ('mix.of=["a","b"]', {"mix": {"of": ["a", "b"]}}),
        ("v1.2.k=3", {"v1.2": {"k": 3}}),
        ("a.text==", {"a": {"text": "="}}),
        ("a.x=NaN", {"a": {"x": "NaN"}}),
    ],
)
def test_settings_are_typed(text: str, parsed: Mapping[str, Any]) -> None:
    assert parse_settings([text]) == parsed


@pytest.mark.parametrize("text", ["ease", "ease.l2", "l2=3", ".l2=3", "ease.=3"])
def test_a_setting_of_another_form_is_an_error(text: str) -> None:
    with pytest.raises(RecbenchError, match="does not set a parameter"):
        parse_settings([text])


def test_deterministic_algorithms_run_with_one_seed() -> None:
    rows = select(protocol(), THREE, Selection())
    trials = plan(protocol(), rows, [split()], (0, 1, 2))
    assert [(trial.row.label, trial.seed) for trial in trials if trial.row.label == "mean"] == [("mean", 0)]
    assert len(trials) == 7


def identity_of(asked: Protocol, offered: Registry, *, fingerprint: str = "ab" * 32, seed: int = 0) -> str:
    (trial,) = plan(asked, select(asked, offered, Selection()), [split(fingerprint)], (seed,))
    return trial.id


ONE = registry(algorithm("a"))
SAME = identity_of(protocol(), ONE)


def test_titles_limits_metrics_and_relevance_are_not_in_the_id() -> None:
    evaluation = EvaluationSpec(primary="recall@10", cutoffs=(10,), metrics=("recall",), relevant_at_least=4)
    other = protocol(title="Q", name="q", trials=TrialSpec(seconds=1, memory_mb=100), evaluation=evaluation)
    assert identity_of(other, ONE) == SAME


@pytest.mark.parametrize(
    "change",
    [
        {"exclude_seen": False},
        {"candidates": "uniform:99"},
        {"train_at_least": 4.0},
        {"cutoffs": (5, 20)},
    ],
)
def test_what_decides_the_lists_is_in_the_id(change: dict[str, Any]) -> None:
    assert identity_of(protocol(evaluation=replace(protocol().evaluation, **change)), ONE) != SAME


def test_split_seed_parameters_version_and_threads_are_in_the_id() -> None:
    newer = registry(algorithm("a"), plugin=replace(PLUGIN, version="1.1"))
    others = {
        identity_of(protocol(), ONE, fingerprint="cd" * 32),
        identity_of(protocol(), ONE, seed=1),
        identity_of(protocol(parameters={"a": {"x": 1}}), ONE),
        identity_of(protocol(), newer),
        identity_of(protocol(trials=TrialSpec(threads=2)), ONE),
    }
    assert len(others | {SAME}) == 6


def test_the_source_of_what_is_edited_is_in_the_id(tmp_path: Path) -> None:
    path = tmp_path / "p.py"
    path.write_text("class Thing: ...")
    offered = registry(algorithm("a"), plugin=replace(PLUGIN, file=path))
    before = identity_of(protocol(), offered)
    path.write_text("class Thing: 'edited'")
    assert identity_of(protocol(), offered) != before


MIX = algorithm("mix", components=("of",), parameters={"of": ["a", "b"]})


def test_components_and_theirs_enter_the_id() -> None:
    inner = algorithm("b", components=("first",), parameters={"first": "c"})
    offered = registry(algorithm("a"), inner, algorithm("c"), MIX)
    (row,) = select(protocol(), offered, Selection(wanted=("mix",)))
    assert sorted(row.components) == ["a", "b", "c"]
    asked = protocol(trials=TrialSpec(algorithms=("mix",)))
    changed = replace(asked, parameters={"c": {"x": 1}})
    assert identity_of(asked, offered) != identity_of(changed, offered)


def test_components_that_need_each_other_are_an_error() -> None:
    circle = algorithm("a", components=("first",), parameters={"first": "mix"})
    with pytest.raises(RecbenchError, match="a builds mix builds a: a circle"):
        select(protocol(), registry(circle, algorithm("b"), MIX), Selection())


def test_a_component_nobody_offers_is_an_error() -> None:
    with pytest.raises(UnknownName, match="'a' is not the name of an algorithm"):
        select(protocol(), registry(MIX), Selection())

"""The article's network: the same in both frameworks, right in its arithmetic, and honest about learning by heart."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from published_data import Fold, rmse_and_mae
from recbench_mlp import ARTICLE
from recbench_mlp.design import Design
from recbench_mlp.network import MLP, Sample, Schedule, Stopping, Weights, in_epochs
from worlds import checkerboard, feature_world, fitted

from recbench.datasets import builtin_sources, load
from recbench.protocols.spec import DataSpec, SplitSpec
from recbench.splits import split

FRAMEWORKS = ("torch", "keras")
ORACLE = json.loads((Path(__file__).parent / "oracle" / "oracle.json").read_text())["cases"]


def module_of(framework: str) -> ModuleType:
    pytest.importorskip({"torch": "torch", "keras": "tensorflow"}[framework])
    if framework == "torch":
        from recbench_mlp import in_torch

        return in_torch
    from recbench_mlp import in_keras

    return in_keras


def mlp(framework: str, **settings: Any) -> MLP:
    module = module_of(framework)
    made: MLP = (module.TorchMLP if framework == "torch" else module.KerasMLP)(**settings)
    return made


def tiny_design() -> Design:
    draw = np.random.default_rng(3)
    return Design(
        n_users=5,
        n_items=7,
        users=draw.random((5, 2)).astype(np.float32),
        items=draw.random((7, 3)).astype(np.float32),
    )


def outputs(framework: str, weights: Weights, design: Design, user: Any, item: Any) -> Any:
    """What the framework itself makes of these weights."""
    module = module_of(framework)
    if framework == "keras":
        return module.build(weights, design, 0.0)((user, item), training=False).numpy()
    import torch

    network = module.Network(weights, design, 0.0)
    network.eval()
    with torch.no_grad():
        return network(torch.from_numpy(user), torch.from_numpy(item)).numpy()


def one_hot_outputs(weights: Weights, design: Design, user: Any, item: Any) -> Any:
    """The network as the article draws it: one dense layer over the whole one-hot input."""
    first = np.vstack([weights.user, weights.item, weights.user_features, weights.item_features])
    x = np.hstack([np.eye(5)[user], np.eye(7)[item], design.users[user], design.items[item]])
    hidden = np.maximum(x @ first + weights.bias, 0)
    return np.maximum(hidden @ weights.second + weights.second_bias, 0) @ weights.third + weights.third_bias


PAIRS = (np.repeat(np.arange(5), 7), np.tile(np.arange(7), 5))


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_look_ups_are_the_dense_layer_over_one_hot_input(framework: str) -> None:
    design = tiny_design()
    weights = Weights.glorot(design, np.random.default_rng(0))
    found = outputs(framework, weights, design, *PAIRS)
    np.testing.assert_allclose(found, one_hot_outputs(weights, design, *PAIRS), atol=1e-5)


def test_both_frameworks_give_the_same_for_the_same_weights() -> None:
    design = tiny_design()
    weights = Weights.glorot(design, np.random.default_rng(1))
    one, two = (outputs(framework, weights, design, *PAIRS) for framework in FRAMEWORKS)
    np.testing.assert_allclose(one, two, atol=1e-5)


def test_both_frameworks_learn_the_same_from_one_batch() -> None:
    design = tiny_design()
    draw = np.random.default_rng(2)
    sample = Sample(user=PAIRS[0], item=PAIRS[1], target=draw.random(35).astype(np.float32))
    start = Weights.glorot(design, draw)
    schedule = Schedule(epochs=5, batch_size=35, rate=0.001, dropout=0.0)
    one, two = (mlp(name).train(start, design, sample, None, schedule, 0)[0] for name in FRAMEWORKS)
    for name in ("user", "item", "second", "third"):
        difference = np.abs(getattr(one, name) - getattr(two, name))
        # The frameworks put Adam's epsilon in different places, which tells where a gradient is next to nothing.
        assert np.mean(difference < 2e-4) > 0.9
        assert np.abs(getattr(one, name) - getattr(start, name)).max() > 4e-3


def test_both_frameworks_learn_the_same_over_epochs_of_many_batches() -> None:
    world = checkerboard(n_users=20, n_items=15).train
    one, two = (
        fitted(
            mlp(name, epochs=4, batch_size=8, dropout=0.0, early_stopping=False), checkerboard(n_users=20, n_items=15)
        )
        for name in FRAMEWORKS
    )
    pairs = np.repeat(np.arange(20), 15), np.tile(np.arange(15), 20)
    first, second = one.predict(*pairs), two.predict(*pairs)
    assert np.abs(first - world.interactions.rating.mean()).max() > 0.5
    np.testing.assert_allclose(first, second, atol=0.01)


def test_each_epoch_sees_all_rows_in_an_order_of_its_own() -> None:
    sample = Sample(user=np.arange(50), item=np.arange(50), target=np.arange(50, dtype=np.float32))
    epochs = [rows.user.tolist() for rows in in_epochs(sample, 3, 0)]
    assert all(sorted(epoch) == list(range(50)) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) == 3
    assert [rows.target.tolist() for rows in in_epochs(sample, 3, 0)] == epochs


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_the_article_s_layer_adds_the_bias_that_the_article_forgets(framework: str) -> None:
    (case,) = (case for case in ORACLE if case["id"] == "article-1")
    W1, b = np.array(case["input"]["W1"], np.float32), np.array(case["input"]["b"], np.float32)
    x = np.array(case["input"]["x"], np.float32)
    # One user with the features x; each unit of the first layer is read out by itself through an identity.
    design = Design(n_users=1, n_items=1, users=x[None], items=np.zeros((1, 1), np.float32))
    for unit, name in enumerate(("h0", "h1")):
        weights = Weights(
            user=np.zeros((1, 2), np.float32),
            item=np.zeros((1, 2), np.float32),
            user_features=np.ascontiguousarray(W1.T),
            item_features=np.zeros((1, 2), np.float32),
            bias=b,
            second=np.eye(2, dtype=np.float32),
            second_bias=np.zeros(2, np.float32),
            third=np.eye(2, dtype=np.float32)[unit],
            third_bias=0.0,
        )
        found = outputs(framework, weights, design, np.zeros(1, np.int64), np.zeros(1, np.int64))
        assert found[0] == pytest.approx(case["expected"][name], abs=1e-6)


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_one_seed_gives_the_same_bytes_and_blocks_change_nothing(framework: str) -> None:
    world = checkerboard()
    settings = {"epochs": 3, "early_stopping": False}
    one, two = (fitted(mlp(framework, **settings), world, seed=5) for _ in range(2))
    users = np.arange(world.train.n_users)
    scores = one.score(users)
    assert np.array_equal(scores, two.score(users))
    np.testing.assert_allclose(one.score(users[3:5]), scores[3:5], atol=1e-6)
    items = np.full(len(users), 2)
    np.testing.assert_allclose(one.predict(users, items), scores[:, 2], atol=1e-5)


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_reasons_add_up_to_the_prediction(framework: str) -> None:
    world = feature_world()
    algorithm = fitted(mlp(framework, epochs=3), world)
    items = np.arange(6)
    for sentence, score in zip(algorithm.explain(1, items), algorithm.predict(np.ones(6, int), items), strict=True):
        left, _, right = sentence.partition(" = ")
        base, *parts = re.findall(r"-? ?\d+\.\d+", right)
        assert float(left) == pytest.approx(score, abs=5e-4)
        signs = [-1 if part.startswith("-") else 1 for part in parts]
        numbers = [float(part.lstrip("- ")) for part in parts]
        total = float(base.replace(" ", "")) + sum(s * n for s, n in zip(signs, numbers, strict=True))
        assert total == pytest.approx(float(left), abs=5e-3)


def test_training_stops_when_the_error_has_not_fallen_for_a_while() -> None:
    stopping = Stopping()
    assert [stopping.is_over(error) for error in (3.0, 2.0, 2.5, 2.1)] == [False, False, False, True]
    assert stopping.best_epoch == 2


@pytest.mark.parametrize("wrong", [{"epochs": 0}, {"batch_size": 0}, {"rate": 0.0}, {"dropout": 1.0}])
def test_impossible_parameters_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must be"):
        mlp("torch", **wrong)


def fold_error(algorithm: MLP, folder: Path) -> float:
    """RMSE on the first of Surprise's folds, with the features of users and items."""
    sources = {source.name: source for source in builtin_sources()}
    dataset = load(DataSpec(source="ml-100k"), sources=sources, data_dir=folder.parent).dataset
    first = split(dataset, SplitSpec(kind="k-fold", folds=5, shuffle="mt19937", seed=0))[0]
    return float(rmse_and_mae(algorithm, Fold(train=first.train(), test=first.test()))[0])


@pytest.mark.golden
@pytest.mark.slow
@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_stopped_early_it_beats_the_offsets_and_as_in_the_article_it_does_not(
    framework: str, shared_data: Callable[[str], Path]
) -> None:
    folder = shared_data("ml-100k")
    assert fold_error(mlp(framework), folder) <= 0.93
    assert 0.98 <= fold_error(mlp(framework, **ARTICLE), folder) <= 1.03

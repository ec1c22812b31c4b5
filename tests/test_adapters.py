"""Outside libraries' models say through the adapters what they say when called directly."""

from __future__ import annotations

import importlib
import importlib.metadata
import os
import re
import subprocess
import sys
import warnings
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from recbench_adapters import recbench_algorithms
from recbench_adapters.models import made, model_named, named_parameters
from worlds import checkerboard, from_pairs, hit_share

from recbench.api import Algorithm
from recbench.data import Dataset
from recbench.registry import discover, how_to_install
from recbench.worker.loading import Recipe

REPOSITORY = Path(__file__).resolve().parent.parent
LIBRARIES = ("lenskit", "surprise", "implicit", "cornac", "rectools", "recbole", "sklearn")
OFFERED = tuple(recbench_algorithms())
TRAIN = checkerboard(n_users=50, n_items=30, density=0.6, stray=0.3).train
PAIRS = (np.repeat(np.arange(TRAIN.n_users), TRAIN.n_items), np.tile(np.arange(TRAIN.n_items), TRAIN.n_users))
EVERYBODY = np.arange(TRAIN.n_users)


@pytest.fixture(autouse=True)
def _what_they_warn_of_is_theirs() -> Iterator[None]:
    """Old libraries use what newer ones of NumPy, pydantic and PyTorch warn of."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def adapter(library: str, kind: str, **parameters: Any) -> Any:
    """An adapter's class called, or the test skipped where its library is not installed."""
    pytest.importorskip(library)
    return getattr(importlib.import_module(f"recbench_adapters.for_{library}"), kind)(**parameters)


def offered_by(library: str) -> list[Algorithm]:
    return [each for each in OFFERED if each.name.partition("-")[0] == library]


def all_here() -> list[Any]:
    """Each algorithm on offer, skipped where its library is not installed."""
    return [
        pytest.param(
            each,
            id=each.name,
            marks=pytest.mark.skipif(
                any(find_spec(module) is None for module in each.requires), reason=f"needs {', '.join(each.requires)}"
            ),
        )
        for each in OFFERED
    ]


def make(algorithm: Algorithm, **changes: Any) -> Any:
    return Recipe(target=algorithm.target, file=None, parameters=algorithm.parameters).make(**changes)


def learned(algorithm: Any, train: Dataset, *, seed: int = 0) -> Any:
    algorithm.fit(train, seed=seed)
    return algorithm


def frame(names: tuple[str, str, str]) -> pd.DataFrame:
    rows = TRAIN.interactions
    return pd.DataFrame(dict(zip(names, (rows.user, rows.item, rows.rating.astype(float)), strict=True)))


def answers(algorithm: Any, train: Dataset) -> NDArray[np.float64]:
    """(n_users, n_items) by `predict` where there is one, else by `score`."""
    if hasattr(algorithm, "predict"):
        users, items = np.arange(train.n_users), np.arange(train.n_items)
        return np.asarray(algorithm.predict(np.repeat(users, len(items)), np.tile(items, len(users)))).reshape(
            len(users), len(items)
        )
    return np.asarray(algorithm.score(np.arange(train.n_users)))


# Surprise


@pytest.mark.parametrize(
    ("model", "parameters"),
    [
        ("SVD", {"n_factors": 8, "n_epochs": 5}),
        ("KNNBaseline", {"k": 10, "sim_options": {"name": "pearson_baseline"}}),
        ("KNNBasic", {}),
        ("NMF", {"n_factors": 3}),
        ("SlopeOne", {}),
        ("BaselineOnly", {"bsl_options": {"method": "sgd"}}),
    ],
)
def test_surprise_predicts_what_it_predicts_when_called_directly(model: str, parameters: dict[str, Any]) -> None:
    ours = learned(adapter("surprise", "SurpriseRater", model=model, **parameters), TRAIN, seed=3)
    import surprise

    takes_seed = {"random_state": 3} if model in ("SVD", "NMF") else {}
    theirs = getattr(surprise, model)(**parameters, **takes_seed, **({} if model == "SlopeOne" else {"verbose": False}))
    data = surprise.Dataset.load_from_df(frame(("u", "i", "r")), surprise.Reader(rating_scale=(1, 5)))
    theirs.fit(data.build_full_trainset())
    expected = [theirs.predict(user, item, clip=False).est for user, item in zip(*PAIRS, strict=True)]
    assert ours.predict(*PAIRS) == pytest.approx(np.array(expected), abs=1e-6)


def test_surprise_gives_no_prediction_for_users_and_items_it_does_not_know() -> None:
    train = from_pairs([0, 0, 1, 1, 2], [0, 1, 0, 2, 1], [5, 3, 4, 2, 1], n_users=4, n_items=4)
    ours = learned(adapter("surprise", "SurpriseRater", model="SlopeOne"), train)
    assert np.isnan(ours.predict(np.array([3, 0]), np.array([0, 3]))).all()
    assert np.isfinite(ours.predict(np.array([2]), np.array([2]))).all()


# implicit


@pytest.mark.parametrize("weights", ["one", "rating"])
@pytest.mark.parametrize(
    ("model", "parameters"),
    [
        ("AlternatingLeastSquares", {"factors": 6, "regularization": 1.0}),
        ("BayesianPersonalizedRanking", {"factors": 6, "iterations": 20}),
        ("LogisticMatrixFactorization", {"factors": 6, "iterations": 5}),
        ("CosineRecommender", {"K": 5}),
        ("BM25Recommender", {}),
    ],
)
def test_implicit_gives_the_lists_it_gives_when_called_directly(
    model: str, parameters: dict[str, Any], weights: str
) -> None:
    ours = learned(adapter("implicit", "ImplicitRanker", model=model, weights=weights, **parameters), TRAIN, seed=3)
    from implicit import als, bpr, lmf, nearest_neighbours

    theirs = next(getattr(each, model) for each in (als, bpr, lmf, nearest_neighbours) if hasattr(each, model))
    takes_seed = {"random_state": 3} if "factors" in parameters else {}
    direct = theirs(**parameters, **takes_seed, num_threads=1)
    matrix = TRAIN.user_item("rating" if weights == "rating" else "one", positives_only=True)
    direct.fit(matrix, show_progress=False)
    scores = np.where(matrix.toarray() > 0, -np.inf, ours.score(EVERYBODY))
    for user in EVERYBODY:
        items, values = direct.recommend(user, matrix[user], N=5)
        # Its neighbours models fill short lists up with what the user has, at 0.
        items, values = items[matrix[user].toarray()[0, items] == 0], values[matrix[user].toarray()[0, items] == 0]
        own = np.sort(scores[user][np.isfinite(scores[user])])[::-1][:5]
        assert own == pytest.approx(values, abs=1e-6)
        assert scores[user][items] == pytest.approx(values, abs=1e-6)


def test_implicit_has_no_list_for_a_user_without_a_positive() -> None:
    train = from_pairs([0, 0, 1, 1, 2], [0, 1, 0, 2, 1], n_users=4, n_items=4)
    ours = learned(adapter("implicit", "ImplicitRanker", model="AlternatingLeastSquares", factors=2), train)
    assert np.isneginf(ours.score(np.array([3]))).all()
    assert np.isfinite(ours.score(np.array([0, 1, 2]))).all()


# LensKit


def lenskit_pipeline(model: str, parameters: dict[str, Any], *, seed: int, at_least: float = 0.0, **how: Any) -> Any:
    import lenskit.als
    import lenskit.basic
    import lenskit.knn
    from lenskit.data import from_interactions_df
    from lenskit.pipeline import topn_pipeline
    from lenskit.training import TrainingOptions

    class_ = next(getattr(each, model) for each in (lenskit.als, lenskit.basic, lenskit.knn) if hasattr(each, model))
    pipeline = topn_pipeline(class_(**parameters), **how)
    rows = frame(("user_id", "item_id", "rating"))
    pipeline.train(from_interactions_df(rows[rows.rating >= at_least]), TrainingOptions(rng=seed))
    return pipeline


@pytest.mark.parametrize(
    ("model", "parameters"),
    [
        ("ImplicitMFScorer", {"embedding_size": 6, "epochs": 3}),
        ("ItemKNNScorer", {"feedback": "implicit", "max_nbrs": 5}),
        ("UserKNNScorer", {"feedback": "implicit"}),
        ("PopScorer", {}),
    ],
)
def test_lenskit_gives_the_lists_it_gives_when_called_directly(model: str, parameters: dict[str, Any]) -> None:
    ours = learned(adapter("lenskit", "LensKitRanker", model=model, **parameters), TRAIN, seed=3)
    from lenskit import recommend, score

    pipeline = lenskit_pipeline(model, parameters, seed=3, at_least=4.0)
    liked = TRAIN.user_item("one", positives_only=True).toarray() > 0
    scores = ours.score(EVERYBODY)
    every = [score(pipeline, user, np.arange(TRAIN.n_items)).scores() for user in EVERYBODY.tolist()]
    assert scores == pytest.approx(np.nan_to_num(every, nan=-np.inf), abs=1e-6)
    scores[liked] = -np.inf
    for user in EVERYBODY.tolist():
        direct = recommend(pipeline, user, n=5)  # in single precision, over fewer items
        best = np.sort(scores[user][np.isfinite(scores[user])])[::-1][:5]
        assert len(direct) > 0
        assert best == pytest.approx(direct.scores(), rel=1e-5)
        assert scores[user][direct.ids()] == pytest.approx(direct.scores(), rel=1e-5)


@pytest.mark.parametrize("falls_back", [False, True])
@pytest.mark.parametrize(
    ("model", "parameters"),
    [("BiasScorer", {"damping": 5.0}), ("ItemKNNScorer", {"min_nbrs": 3}), ("BiasedMFScorer", {"embedding_size": 4})],
)
def test_lenskit_predicts_what_it_predicts_when_called_directly(
    model: str, parameters: dict[str, Any], falls_back: bool
) -> None:
    ours = learned(adapter("lenskit", "LensKitRater", model=model, falls_back=falls_back, **parameters), TRAIN, seed=3)
    from lenskit import predict

    pipeline = lenskit_pipeline(model, parameters, seed=3, predicts_ratings=True if falls_back else "raw")
    items = np.arange(TRAIN.n_items)
    direct = np.array([predict(pipeline, user, items).scores() for user in EVERYBODY.tolist()])
    order = np.argsort(PAIRS[1], kind="stable")  # users mixed, the items of each in their order
    said = ours.predict(PAIRS[0][order], PAIRS[1][order])
    assert said == pytest.approx(direct.ravel()[order], abs=1e-6, nan_ok=True)
    assert np.isfinite(said).mean() > 0.5


def test_lenskit_says_which_package_a_model_lacks() -> None:
    pytest.importorskip("lenskit")
    if find_spec("hpfrec") is not None:
        pytest.skip("needs hpfrec to be missing")
    with pytest.raises(ValueError, match=r"HPFScorer of LensKit needs a package that is not installed: .*hpfrec"):
        adapter("lenskit", "LensKitRater", model="HPFScorer")


# Cornac


def cornac_model(model: str, parameters: dict[str, Any], *, at_least: float = 0.0) -> Any:
    import cornac

    rows = frame(("u", "i", "r"))
    triples = list(rows[rows.r >= at_least].astype({"u": int, "i": int}).itertuples(index=False, name=None))
    theirs = getattr(cornac.models, model)(**parameters, verbose=False)
    return theirs.fit(cornac.data.Dataset.from_uir(triples, seed=3))


@pytest.mark.parametrize(
    ("model", "parameters"),
    [
        ("BPR", {"k": 4, "seed": 3, "num_threads": 1}),
        ("EASE", {"lamb": 5.0}),
        ("WBPR", {"k": 4, "seed": 3, "num_threads": 1}),
        ("ItemKNN", {"k": 5, "num_threads": 1}),
    ],
)
def test_cornac_gives_the_lists_it_gives_when_called_directly(model: str, parameters: dict[str, Any]) -> None:
    given = {name: value for name, value in parameters.items() if name not in ("seed", "num_threads")}
    ours = learned(adapter("cornac", "CornacRanker", model=model, **given), TRAIN, seed=3)
    theirs = cornac_model(model, parameters, at_least=4.0)
    scores = ours.score(EVERYBODY)
    for user in EVERYBODY.tolist():
        direct = theirs.recommend(user, k=5, remove_seen=False)
        assert len(direct) == 5
        values = np.ravel(theirs.score(theirs.uid_map[user]))[[theirs.iid_map[item] for item in direct]]
        assert scores[user][direct] == pytest.approx(values, abs=1e-6)
        assert np.sort(scores[user])[::-1][:5] == pytest.approx(values, abs=1e-6)


def test_cornac_predicts_what_it_predicts_when_called_directly() -> None:
    ours = learned(adapter("cornac", "CornacRater", model="MF", k=4), TRAIN, seed=3)
    theirs = cornac_model("MF", {"k": 4, "seed": 3, "num_threads": 1})
    indexes = zip((theirs.uid_map[user] for user in PAIRS[0]), (theirs.iid_map[item] for item in PAIRS[1]), strict=True)
    expected = [theirs.rate(user, item, clipping=False) for user, item in indexes]
    assert ours.predict(*PAIRS) == pytest.approx(np.array(expected), abs=1e-6)


def test_cornac_says_nothing_of_users_and_items_it_does_not_know() -> None:
    train = from_pairs([0, 0, 1, 1, 2], [0, 1, 0, 2, 1], [5, 3, 4, 2, 1], n_users=4, n_items=4)
    ours = learned(adapter("cornac", "CornacRater", model="MF", k=2), train)
    assert np.isnan(ours.predict(np.array([3, 0]), np.array([0, 3]))).all()
    assert np.isfinite(ours.predict(np.array([2]), np.array([2]))).all()


# RecTools


@pytest.mark.parametrize("weights", ["one", "rating"])
@pytest.mark.parametrize(
    ("model", "parameters"),
    [
        ("EASEModel", {"regularization": 5.0}),
        ("PureSVDModel", {"factors": 4}),
        ("PopularModel", {"popularity": "sum_weight"}),
        ("ImplicitItemKNNWrapperModel", {"wraps": {"K": 5}}),
        ("ImplicitALSWrapperModel", {"wraps": {"factors": 4}}),
    ],
)
def test_rectools_gives_the_lists_it_gives_when_called_directly(
    model: str, parameters: dict[str, Any], weights: str
) -> None:
    ours = learned(adapter("rectools", "RecToolsRanker", model=model, weights=weights, **parameters), TRAIN, seed=3)
    import implicit.als
    import implicit.nearest_neighbours
    import rectools.models
    from rectools.dataset import Dataset as Data

    wrapped = {
        "ImplicitItemKNNWrapperModel": lambda: implicit.nearest_neighbours.CosineRecommender(K=5),
        "ImplicitALSWrapperModel": lambda: implicit.als.AlternatingLeastSquares(
            factors=4, random_state=3, num_threads=1
        ),
    }
    takes = {"random_state": 3} if model == "PureSVDModel" else {}
    given = {"model": wrapped[model]()} if model in wrapped else {**parameters, **takes}
    rows = frame(("user_id", "item_id", "weight")).query("weight >= 4").assign(datetime="2020-01-01")
    rows = rows if weights == "rating" else rows.assign(weight=1.0)
    data = Data.construct(rows)
    direct = getattr(rectools.models, model)(**given).fit(data)
    scores = ours.score(EVERYBODY)
    said = direct.recommend(EVERYBODY, data, k=5, filter_viewed=False)
    assert len(said) == 5 * TRAIN.n_users
    assert scores[said.user_id, said.item_id] == pytest.approx(said.score.to_numpy(), abs=1e-6)
    best = np.sort(scores, axis=1)[:, ::-1][:, :5]
    assert best.ravel() == pytest.approx(said.sort_values(["user_id", "rank"]).score.to_numpy(), abs=1e-6)


# RecBole


@pytest.mark.parametrize(
    ("model", "parameters"),
    [
        ("BPR", {"embedding_size": 6, "epochs": 5}),
        ("LightGCN", {"embedding_size": 6, "epochs": 5, "learning_rate": 0.01}),
        ("EASE", {"reg_weight": 5.0}),
        ("ItemKNN", {"k": 5}),
    ],
)
def test_recbole_scores_as_it_does_when_called_directly(
    model: str, parameters: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = learned(adapter("recbole", "RecBoleRanker", model=model, **parameters), TRAIN, seed=3).score(EVERYBODY)
    import torch
    from recbole.config import Config
    from recbole.data import create_dataset, data_preparation
    from recbole.utils import get_model, get_trainer, init_seed

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["here"])
    for name in ("bool", "int", "float", "complex", "object", "str", "long", "unicode"):
        monkeypatch.setattr(np, name, None, raising=False)  # RecBole sets these
    (tmp_path / "dataset" / "here").mkdir(parents=True)
    rows = frame(("user_id:token", "item_id:token", "rating"))
    rows[rows.rating >= 4].iloc[:, :2].to_csv("dataset/here/here.inter", sep="\t", index=False)
    split = {"split": {"RS": [1, 0, 0]}, "group_by": "none"}
    config = Config(model, "here", config_dict={**parameters, "seed": 3, "eval_args": split, "show_progress": False})
    init_seed(3, True)
    data = create_dataset(config)
    batches, _, _ = data_preparation(config, data)
    init_seed(3, True)
    direct = get_model(model)(config, batches.dataset)
    get_trainer(config["MODEL_TYPE"], model)(config, direct).fit(batches, saved=False, verbose=False)
    direct.eval()
    users = torch.as_tensor(data.token2id("user_id", [str(user) for user in EVERYBODY]))
    items = data.token2id("item_id", [str(item) for item in range(TRAIN.n_items)])
    with torch.no_grad():
        said = direct.full_sort_predict({"user_id": users}).reshape(len(users), -1).numpy()[:, items]
    assert ours == pytest.approx(said, abs=1e-6)


def test_recbole_reads_no_argument_and_leaves_no_file_or_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ranker = adapter("recbole", "RecBoleRanker", model="BPR", epochs=1)
    import torch

    monkeypatch.chdir(tmp_path)
    argv = ["here", "--epochs=no", "--learner=sgd"]
    monkeypatch.setattr(sys, "argv", argv)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "7")
    before = torch.get_rng_state(), torch.get_num_threads(), set(vars(np))
    answers(learned(ranker, TRAIN), TRAIN)
    assert list(tmp_path.iterdir()) == []
    assert Path.cwd() == tmp_path
    assert sys.argv is argv
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "7"
    assert torch.equal(torch.get_rng_state(), before[0])
    assert (torch.get_num_threads(), set(vars(np))) == before[1:]


# scikit-learn


@pytest.mark.parametrize(
    ("model", "parameters"), [("Ridge", {"alpha": 2.0, "solver": "sag", "tol": 1e-10}), ("Lasso", {})]
)
def test_a_regressor_on_ones_predicts_what_it_predicts_when_called_directly(
    model: str, parameters: dict[str, Any]
) -> None:
    import sklearn.linear_model
    from sklearn.preprocessing import OneHotEncoder

    ours = learned(adapter("sklearn", "SklearnRater", model=model, **parameters), TRAIN, seed=3)
    theirs = getattr(sklearn.linear_model, model)(**parameters, random_state=3)
    encoder = OneHotEncoder(categories=[np.arange(TRAIN.n_users), np.arange(TRAIN.n_items)])
    rows = TRAIN.interactions
    theirs.fit(encoder.fit_transform(np.stack([rows.user, rows.item], 1)), rows.rating.astype(float))
    expected = theirs.predict(encoder.transform(np.stack(PAIRS, 1)))
    assert ours.predict(*PAIRS) == pytest.approx(expected, abs=1e-6)


def test_a_profile_leaves_out_the_ratings_own_share_in_training_alone() -> None:
    train = from_pairs([0, 0, 1], [0, 1, 0], [5, 2, 3], n_users=3, n_items=2)
    ours = learned(adapter("sklearn", "SklearnRater", model="DecisionTreeRegressor", features="profile"), train)
    rows, mean = train.interactions, 10 / 3
    shown = ours._seen_as(rows.user, rows.item, own=rows.rating.astype(float))
    logs = np.log1p([0, 1, 2])
    assert shown.tolist() == [
        pytest.approx([2, logs[1], 3, logs[1]]),
        pytest.approx([5, logs[1], mean, logs[0]]),
        pytest.approx([mean, logs[0], 5, logs[1]]),
    ]
    asked = ours._seen_as(np.array([0, 2]), np.array([0, 1]))
    assert asked.tolist() == [
        pytest.approx([3.5, logs[2], 4, logs[2]]),
        pytest.approx([mean, logs[0], 2, logs[1]]),
    ]


def test_boosted_trees_on_profiles_learn_whose_ratings_are_high() -> None:
    rng = np.random.default_rng(0)
    users, items = np.nonzero(rng.random((80, 60)) < 0.3)
    high = rng.permutation(80) % 2
    train = from_pairs(users, items, 2 + 2 * high[users], n_users=80, n_items=60)
    model = adapter("sklearn", "SklearnRater", model="HistGradientBoostingRegressor", features="profile")
    said = answers(learned(model, train), train)
    assert said.mean(axis=1) == pytest.approx(2.0 + 2 * high, abs=0.05)


# All of them


@pytest.mark.parametrize("algorithm", all_here())
def test_one_seed_gives_one_answer_and_leaves_the_global_state_alone(algorithm: Algorithm) -> None:
    np.random.seed(1)
    before = np.random.get_state()[1].copy()  # type: ignore[index,union-attr]
    first = answers(learned(make(algorithm), TRAIN, seed=7), TRAIN)
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # type: ignore[index]
    np.random.seed(2)
    np.testing.assert_array_equal(answers(learned(make(algorithm), TRAIN, seed=7), TRAIN), first)


def test_what_takes_any_model_does_not_say_that_seeds_do_not_matter() -> None:
    by_any_name = [each for each in OFFERED if each.name in (*LIBRARIES, "lenskit-rating", "cornac-rating")]
    assert len(by_any_name) == 9
    assert not any(each.deterministic for each in by_any_name)


@pytest.mark.parametrize("algorithm", all_here())
def test_the_seed_matters_where_a_model_of_its_own_name_does_not_say_otherwise(algorithm: Algorithm) -> None:
    if algorithm.name in LIBRARIES:
        pytest.skip("takes any model")
    first, second = (answers(learned(make(algorithm), TRAIN, seed=seed), TRAIN) for seed in (0, 1))
    assert np.array_equal(first, second, equal_nan=True) is algorithm.deterministic


@pytest.mark.parametrize("algorithm", all_here())
def test_cold_users_and_items_harm_nothing(algorithm: Algorithm) -> None:
    rows = TRAIN.interactions
    warm = TRAIN.with_interactions(rows.take((rows.user > 2) & (rows.item > 2)))
    said = answers(learned(make(algorithm), warm), warm)
    assert said.shape == (TRAIN.n_users, TRAIN.n_items)
    assert not np.isposinf(said).any()
    assert np.isfinite(said[3:, 3:]).any(axis=1).all()


@pytest.mark.parametrize("algorithm", all_here())
def test_data_without_ratings_is_learned_from(algorithm: Algorithm) -> None:
    train = checkerboard(n_users=40, n_items=24, density=0.6, implicit=True).train
    assert np.isfinite(answers(learned(make(algorithm), train), train)).any()


@pytest.mark.parametrize("algorithm", all_here())
def test_nothing_is_printed(algorithm: Algorithm, capfd: pytest.CaptureFixture[str]) -> None:
    answers(learned(make(algorithm), TRAIN), TRAIN)
    assert capfd.readouterr().out == ""


@pytest.mark.parametrize(
    "name",
    [
        *("lenskit-item-knn", "lenskit-user-knn", "lenskit-als"),
        *("implicit-als", "implicit-bpr", "implicit-item-knn"),
        *("cornac-ease", "recbole-bpr", "recbole-lightgcn", "recbole-ease"),
        *("rectools-ease", "rectools-item-knn", "rectools-als"),
    ],
)
def test_rankers_find_the_colour_of_a_checkerboard(name: str) -> None:
    algorithm = next(each for each in OFFERED if each.name == name)
    for module in algorithm.requires:
        pytest.importorskip(module)
    changes = {
        "implicit-als": {"factors": 4},
        "implicit-bpr": {"factors": 8},
        "lenskit-als": {"embedding_size": 4},
        "rectools-als": {"wraps": {"factors": 4}},
    }
    world = checkerboard()
    assert hit_share(make(algorithm, **changes.get(name, {})), world) > world.chance + 0.3


@pytest.mark.parametrize("algorithm", all_here())
def test_an_unknown_model_is_refused_with_the_close_names(algorithm: Algorithm) -> None:
    name = str(algorithm.parameters["model"])
    with pytest.raises(ValueError, match=re.escape(f"has no model {name[:-1]!r}; close: ") + f".*{name!r}"):
        make(algorithm, model=name[:-1])


@pytest.mark.parametrize("algorithm", all_here())
def test_a_parameter_that_the_model_does_not_take_is_refused_before_training(algorithm: Algorithm) -> None:
    with pytest.raises(ValueError, match=f"{algorithm.parameters['model']} has no parameter 'colour'; (close|it has)"):
        make(algorithm, colour=3)


@pytest.mark.parametrize(
    ("library", "kind", "parameters", "message"),
    [
        (
            "lenskit",
            "LensKitRanker",
            {"model": "ItemKNNScorer", "max_nbr": 3},
            "no parameter 'max_nbr'; close: 'max_nbrs'",
        ),
        ("lenskit", "LensKitRanker", {"model": "ItemKNNScorer", "max_nbrs": -3}, "max_nbrs"),
        (
            "lenskit",
            "LensKitRanker",
            {"model": "ImplicitMFScorer", "epoch": 3},
            "no parameter 'epoch'; close: 'epochs'",
        ),
        ("surprise", "SurpriseRater", {"model": "KNNBasic", "sim_option": {}}, "close: 'sim_options'"),
        ("surprise", "SurpriseRater", {"model": "SVD", "bsl_options": {}}, "SVD does not take these parameters"),
        ("implicit", "ImplicitRanker", {"model": "BM25Recommender", "k": 3}, "no parameter 'k'; close: 'K"),
        ("rectools", "RecToolsRanker", {"model": "EASEModel", "regularisation": 3}, "close: 'regularization'"),
        ("rectools", "RecToolsRanker", {"model": "EASEModel", "regularization": "x"}, "does not take these parameters"),
        ("rectools", "RecToolsRanker", {"model": "ImplicitALSWrapperModel", "wraps": {"factor": 3}}, "model.factor"),
        ("rectools", "RecToolsRanker", {"model": "EASEModel", "wraps": {}}, "EASEModel wraps no model"),
        ("rectools", "RecToolsRanker", {"model": "EASEModel", "weights": "ones"}, "weights must be 'one' or 'rating'"),
        ("recbole", "RecBoleRanker", {"model": "BPR", "embeding_size": 3}, "close: 'embedding_size'"),
        ("recbole", "RecBoleRanker", {"model": "BPR", "checkpoint_dir": "x"}, "no parameter 'checkpoint_dir'"),
        ("sklearn", "SklearnRater", {"model": "Ridge", "alhpa": 3}, "no parameter 'alhpa'; close: 'alpha'"),
    ],
)
def test_a_bad_parameter_says_what_is_wrong(library: str, kind: str, parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        adapter(library, kind, **parameters)


def test_lenskit_takes_the_other_names_of_its_parameters() -> None:
    said = [
        learned(adapter("lenskit", "LensKitRanker", model="ItemKNNScorer", feedback="implicit", **{name: 2}), TRAIN)
        for name in ("k", "max_nbrs")
    ]
    np.testing.assert_array_equal(said[0].score(EVERYBODY), said[1].score(EVERYBODY))


# The offer


def test_each_library_has_two_models_and_one_by_any_name() -> None:
    for library in LIBRARIES[:-1]:
        names = [each.name for each in offered_by(library)]
        assert library in names
        assert len(names) >= 3
        assert {each.requires for each in offered_by(library)} == {(library,)}
    assert [each.requires for each in offered_by("sklearn")] == [()]


def test_a_missing_library_is_told_with_its_extra() -> None:
    extras = set(importlib.metadata.metadata("recbench-suite").get_all("Provides-Extra") or ())
    assert {f"peer-{library}" for library in LIBRARIES[:-1]} <= extras
    offered = discover().algorithms
    for library in LIBRARIES[:-1]:
        if find_spec(library) is None:
            assert how_to_install(offered[library]) == f"pip install 'recbench-suite[peer-{library}]'"


def test_offering_the_adapters_imports_no_library() -> None:
    code = (
        "import sys, recbench_adapters as a; list(a.recbench_algorithms());"
        f"print([m for m in {(*LIBRARIES, 'torch', 'pandas')} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_message_for_a_name_far_from_all_lists_them() -> None:
    with pytest.raises(ValueError, match=r"^it has no model 'zzz'; it has alpha, beta$"):
        model_named("zzz", {"beta": 1, "alpha": 2}, library="it")


def test_parameters_that_a_class_hands_on_to_its_parents_are_known() -> None:
    class Parent:
        def __init__(self, *, size: int = 1, **rest: Any) -> None:
            self.size = size

    class Child(Parent):
        def __init__(self, *, depth: int = 1, **rest: Any) -> None:
            super().__init__(**rest)

    assert named_parameters(Child) == ("depth", "size")
    assert made(Child, {"size": 4}).size == 4
    with pytest.raises(ValueError, match="Child has no parameter 'sizes'; close: 'size'"):
        made(Child, {"sizes": 4})

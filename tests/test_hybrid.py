"""Algorithms made of others: similar users' outputs, and blends."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import recbench_hybrid.similar
from hypothesis import given, settings
from hypothesis import strategies as st
from recbench_hybrid import recbench_algorithms
from recbench_hybrid.blend import Blend
from recbench_hybrid.hybrid import Hybrid
from recbench_hybrid.recency import with_recency
from recbench_hybrid.similar import similar_users
from recbench_hybrid.weights import greedy, least_squares, ndcg, standardised
from recbench_neighbors.neighbors import Neighbors
from worlds import checkerboard, from_pairs, ranked

from recbench.api import Dataset, Numbers, Tags
from recbench.registry import discover

DAY = 86_400


class Ranks:
    """A ranker whose scores are given."""

    def __init__(self, table: Any) -> None:
        self.table = np.asarray(table, dtype=float)
        self.table.flags.writeable = False
        self.trained_on: list[Dataset] = []

    def fit(self, train: Dataset, *, seed: int) -> None:
        self.trained_on.append(train)

    def score(self, users: Any) -> Any:
        return self.table[users]


class Predicts:
    """A predictor whose ratings are given."""

    def __init__(self, table: Any) -> None:
        self.table = np.asarray(table, dtype=float)

    def fit(self, train: Dataset, *, seed: int) -> None:
        pass

    def predict(self, users: Any, items: Any) -> Any:
        return self.table[users, items]


class StopsEarly(Predicts):
    """A predictor that wants the validation part apart, and may build."""

    def fit(self, train: Dataset, *, seed: int, validation: Dataset, build: Any) -> None:  # type: ignore[override]
        self.given = len(train.interactions), len(validation.interactions), build


def build_of(**algorithms: Any) -> Callable[..., Any]:
    """What the harness hands to `fit`."""
    return lambda name, **_parameters: algorithms[name]


def random_ratings(seed: int, *, n_users: int = 9, n_items: int = 7, density: float = 0.5) -> Dataset:
    rng = np.random.default_rng(seed)
    user, item = np.nonzero(rng.random((n_users, n_items)) < density)
    return from_pairs(user, item, rng.integers(1, 6, len(user)), n_users=n_users, n_items=n_items)


def halves(data: Dataset) -> tuple[Dataset, Dataset]:
    drawn = np.arange(len(data.interactions)) % 2 == 0
    return data.with_interactions(data.interactions.take(drawn)), data.with_interactions(data.interactions.take(~drawn))


def fit_hybrid(data: Dataset, model: Any, **settings: Any) -> Hybrid:
    made = Hybrid(model="model", **settings)
    made.fit(data, seed=0, build=build_of(model=model))
    return made


def naive_neighbours(data: Dataset, name: str, k: int, shrink: float) -> list[list[tuple[int, float]]]:
    """For each user the k most similar others above 0, by the formula."""
    rated = data.user_item("one").toarray() > 0
    rows = data.user_item("rating").toarray()
    if name == "pearson":
        means = rows.sum(1) / np.maximum(rated.sum(1), 1)
        rows = np.where(rated, rows - means[:, None], 0.0)
    found = []
    for user, mine in enumerate(rows):
        alike = []
        for other, theirs in enumerate(rows):
            bottom = float(np.sqrt(mine @ mine) * np.sqrt(theirs @ theirs)) + shrink
            if other != user and bottom > 0 and mine @ theirs / bottom > 1e-12:
                alike.append((other, float(mine @ theirs / bottom)))
        found.append(sorted(alike, key=lambda pair: -pair[1])[:k])
    return found


@pytest.mark.parametrize("name", ["cosine", "pearson"])
@given(
    seed=st.integers(0, 10_000), k=st.integers(1, 8), shrink=st.sampled_from([0.0, 3.0]), own=st.sampled_from([0, 2])
)
@settings(max_examples=25, deadline=None)
def test_the_output_is_the_weighted_mean_over_neighbours(name: Any, seed: int, k: int, shrink: float, own: int) -> None:
    data = random_ratings(seed)
    table = np.random.default_rng(seed).normal(size=(9, 7))
    scores = fit_hybrid(data, Ranks(table), similarity=name, k=k, shrink=shrink, own=own).score(np.arange(9))
    for user, neighbours in enumerate(naive_neighbours(data, name, k, shrink)):
        weights = [*neighbours, (user, float(own or not neighbours))]
        slow = sum(a * table[v] for v, a in weights) / sum(abs(a) for _, a in weights)
        # Where the k-th and the next are alike but for rounding, either may be kept.
        full = naive_neighbours(data, name, 9, shrink)[user]
        if len(full) <= k or full[k - 1][1] - full[k][1] > 1e-9:
            assert scores[user] == pytest.approx(slow, abs=1e-6)


def test_the_articles_example_of_a_hybrid_gives_76() -> None:
    # Cosines of user 0 with users 1 and 2 are as 3 to 2, so their shares are .6 and .4.
    data = from_pairs([0, 0, 1, 2], [0, 1, 0, 1], [3, 2, 1, 1], n_items=3)
    model = Predicts([[0, 0, 0], [0, 0, 0.8], [0, 0, 0.7]])
    made = fit_hybrid(data, model)
    assert made.score(np.array([0]))[0, 2] == pytest.approx(0.76)
    assert made.predict(np.array([0]), np.array([2])) == pytest.approx([0.76])
    assert made.explain(0, np.array([2])) == [
        "0.7600 = 0.4800 (0.6000 x 0.8000 of user u1) + 0.2800 (0.4000 x 0.7000 of user u2)"
    ]


def test_a_user_whom_nobody_is_like_gets_the_own_output() -> None:
    data = from_pairs([0, 1, 2], [0, 0, 1], [3, 3, 3], n_users=4, n_items=2)
    table = np.arange(8.0).reshape(4, 2)
    assert fit_hybrid(data, Ranks(table)).score(np.arange(4)).tolist() == table[[1, 0, 2, 3]].tolist()


@pytest.mark.parametrize("cells", [1, 20, 1 << 22])
def test_blocks_of_any_size_find_the_same_neighbours(cells: int, monkeypatch: pytest.MonkeyPatch) -> None:
    data = random_ratings(3)
    whole = similar_users(data, "cosine", 3, 0.0).toarray()
    monkeypatch.setattr(recbench_hybrid.similar, "CELLS_AT_ONCE", cells)
    np.testing.assert_allclose(similar_users(data, "cosine", 3, 0.0).toarray(), whole)


def test_of_equally_similar_users_the_first_are_kept() -> None:
    data = from_pairs(np.arange(6), np.zeros(6), np.full(6, 4.0), n_items=1)
    kept = similar_users(data, "cosine", 2, 0.0)
    assert kept.indices.reshape(6, 2).tolist() == [[1, 2], [0, 2], [0, 1], [0, 1], [0, 1], [0, 1]]


def test_outputs_that_do_not_fit_into_memory_are_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    data = random_ratings(4)
    table = np.random.default_rng(0).normal(size=(9, 7))
    kept = fit_hybrid(data, Ranks(table)).score(np.array([4, 1, 1]))
    monkeypatch.setattr("recbench_hybrid.hybrid.CELLS_KEPT", 10)
    np.testing.assert_allclose(fit_hybrid(data, Ranks(table)).score(np.array([4, 1, 1])), kept, atol=1e-6)


@pytest.mark.parametrize("pairs_at_once", [1, 1 << 18])
def test_who_cannot_say_is_left_out_of_predicted_ratings(pairs_at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recbench_hybrid.hybrid.PAIRS_AT_ONCE", pairs_at_once)
    data = from_pairs([0, 0, 1, 2], [0, 1, 0, 1], [3, 2, 1, 1], n_items=3)
    made = fit_hybrid(data, Predicts([[1, 1, 1], [2, 2, np.nan], [3, np.nan, 3]]))
    found = made.predict(np.array([0, 0, 0, 1]), np.array([0, 1, 2, 2]))
    assert found == pytest.approx([0.6 * 2 + 0.4 * 3, 2, 3, 1])
    assert np.isnan(fit_hybrid(data, Predicts(np.full((3, 3), np.nan))).predict(np.array([0]), np.array([0]))).all()


def test_centred_predictions_keep_the_users_own_level() -> None:
    data = from_pairs([0, 0, 1, 2], [0, 1, 0, 1], [3, 2, 1, 1], n_items=3)
    table = np.array([[2.0, 2, 2], [4, 5, 6], [1, 2, 3]])
    made = fit_hybrid(data, Predicts(table), center=True)
    expected = 2 + 0.6 * (table[1] - 5) + 0.4 * (table[2] - 2)
    assert made.predict(np.zeros(3, np.int64), np.arange(3)) == pytest.approx(expected)


def test_a_hybrid_of_a_ranker_predicts_no_ratings() -> None:
    data = random_ratings(0)
    assert not hasattr(fit_hybrid(data, Ranks(np.zeros((9, 7)))), "predict")


def test_a_component_is_trained_as_recbench_would_train_it() -> None:
    train, validation = halves(random_ratings(1))
    n, m = len(train.interactions), len(validation.interactions)
    plain, careful = Ranks(np.zeros((9, 7))), StopsEarly(np.zeros((9, 7)))
    for model in (plain, careful):
        build = build_of(model=model)
        Hybrid(model="model").fit(train, seed=0, build=build, validation=validation)
    assert len(plain.trained_on[0].interactions) == n + m
    assert careful.given == (n, m, build)
    Hybrid(model="model").fit(train, seed=0, build=build)
    assert careful.given == (n, 0, build)


def test_neighbours_average_the_noise_out_of_a_model() -> None:
    world = checkerboard(density=0.5)
    noise = np.random.default_rng(0).normal(scale=1.5, size=world.likes.shape)
    model = Ranks(world.likes + noise)
    scores = fit_hybrid(world.train, model, k=20).score(np.arange(len(world.likes)))
    hits = [np.take_along_axis(world.likes, ranked(s, world).astype(int), axis=1).mean() for s in (scores, model.table)]
    assert hits[0] > 0.9
    assert hits[1] < 0.75


def test_recency_says_what_came_last_and_how_far_apart() -> None:
    data = from_pairs([0, 0, 0, 1, 0], [2, 0, 1, 3, 3], n_users=3, time=np.array([4, 0, 1, 10, 7]) * DAY)
    tags = Tags(starts=[0, 1, 2, 4, 4], codes=[0, 0, 0, 1], names=("a", "b"))
    tagged = Dataset(
        name="t", interactions=data.interactions, user_ids=data.user_ids, item_ids=data.item_ids, items={"genres": tags}
    )
    users = with_recency(tagged, 2).users
    found = {name: column.values for name, column in users.items() if isinstance(column, Numbers)}
    assert list(found) == ["last: a", "last: b", "gap", "last gap", "since"]
    assert found["last: a"].tolist() == [0.5, 0, 0]  # items 2 (a and b) and 3 (no tag)
    assert found["last: b"].tolist() == [0.5, 0, 0]
    np.testing.assert_allclose(found["gap"], np.log1p([7 / 3, np.nan, np.nan]))
    np.testing.assert_allclose(found["last gap"], np.log1p([3, np.nan, np.nan]))
    np.testing.assert_allclose(found["since"], np.log1p([3, 0, np.nan]))


def test_without_tags_the_last_items_themselves_are_the_feature() -> None:
    data = from_pairs([0, 0, 0, 1], [2, 0, 1, 2], n_users=3, time=np.array([4, 0, 1, 10]) * DAY)
    column = with_recency(data, 2).users["last items"]
    assert isinstance(column, Tags)
    assert column.matrix().toarray().tolist() == [[0, 1, 1], [0, 0, 1], [0, 0, 0]]


def test_recency_reaches_the_model_with_both_parts_behind_it() -> None:
    data = from_pairs([0, 0, 1, 1], [0, 1, 0, 1], [1, 2, 3, 4], time=np.arange(4) * DAY)
    train, validation = halves(data)
    model = Ranks(np.zeros((2, 2)))
    Hybrid(model="model", last=1).fit(train, seed=0, build=build_of(model=model), validation=validation)
    column = model.trained_on[0].users["last items"]
    assert isinstance(column, Tags)
    assert column.codes.tolist() == [1, 1]


def test_without_times_there_is_no_recency() -> None:
    data = random_ratings(0)
    assert with_recency(data, 3) is data


@given(seed=st.integers(0, 10_000))
@settings(max_examples=30, deadline=None)
def test_ndcg_agrees_with_a_plain_loop(seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores, relevant = rng.normal(size=(4, 15)), rng.random((4, 15)) < 0.3
    relevant[:, 0] = True
    slow = []
    for row, wanted in zip(scores, relevant, strict=True):
        order = np.argsort(-row)[:10]
        gain = sum(1 / np.log2(place + 2) for place, item in enumerate(order) if wanted[item])
        slow.append(gain / sum(1 / np.log2(place + 2) for place in range(min(10, wanted.sum()))))
    assert ndcg(scores, relevant) == pytest.approx(np.mean(slow))


def test_selection_leaves_noise_out_and_mixes_what_helps() -> None:
    rng = np.random.default_rng(0)
    relevant = rng.random((200, 40)) < 0.1
    relevant[:, 0] = True
    first, second = (relevant + rng.normal(scale=0.7, size=relevant.shape) for _ in range(2))
    noise = rng.normal(size=relevant.shape)
    shares = greedy([noise, first, second], relevant, 20)
    assert shares.sum() == pytest.approx(1)
    assert shares[0] < 0.1
    assert min(shares[1:]) > 0.25
    mixed = ndcg(shares[1] * first + shares[2] * second + shares[0] * noise, relevant)
    assert mixed > max(ndcg(first, relevant), ndcg(second, relevant)) + 0.05


def test_rows_are_standardised_and_never_is_the_least() -> None:
    found = standardised(np.array([[1.0, 2.0, 3.0], [5.0, 5.0, 5.0], [np.nan, 1.0, -np.inf], [np.nan] * 3]))
    assert found[0] == pytest.approx([-np.sqrt(1.5), 0, np.sqrt(1.5)])
    assert found[1].tolist() == [0, 0, 0]
    assert found[2].tolist() == [0, 0, 0]
    assert found[3].tolist() == [0, 0, 0]
    assert standardised(np.array([[np.nan, 1.0, 3.0]]))[0, 0] == pytest.approx(-np.sqrt(0.5))


def test_least_squares_finds_planted_weights_and_none_below_0() -> None:
    outputs = np.random.default_rng(0).normal(size=(50, 3))
    constant, weights = least_squares(outputs, 1 + outputs @ [0.5, 0.25, 0.0])
    assert constant == pytest.approx(1)
    assert weights == pytest.approx([0.5, 0.25, 0.0])
    assert (least_squares(outputs, outputs @ [1.0, -1.0, 0.0])[1] >= 0).all()


def blended(train: Dataset, validation: Dataset | None, seed: int = 0, steps: int = 20, **algorithms: Any) -> Blend:
    made = Blend(of=list(algorithms), steps=steps)
    made.fit(train, seed=seed, build=build_of(**algorithms), validation=validation)
    return made


def test_a_blend_of_predictors_finds_how_ratings_add_up() -> None:
    train, validation = halves(random_ratings(2, n_users=40, n_items=20))
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=(2, 40, 20))
    rows = validation.interactions
    truth = 3 + 0.6 * first + 0.4 * second
    planted = validation.with_interactions(
        from_pairs(rows.user, rows.item, truth[rows.user, rows.item], n_users=40).interactions
    )
    made = blended(train, planted, first=Predicts(first), second=Predicts(second), ranks=Ranks(np.zeros((40, 20))))
    users, items = np.repeat(np.arange(40), 20), np.tile(np.arange(20), 40)
    assert made.predict(users, items) == pytest.approx(truth.ravel(), abs=1e-5)


def test_the_articles_example_of_a_blend_gives_76() -> None:
    train, validation = halves(random_ratings(2, n_users=40, n_items=20))
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=(2, 40, 20))
    rows = validation.interactions
    planted = from_pairs(rows.user, rows.item, (0.6 * first + 0.4 * second)[rows.user, rows.item]).interactions
    parts = {"similarity": Predicts(first), "deep": Predicts(second)}
    made = blended(train, validation.with_interactions(planted), **parts)
    parts["similarity"].table[7, 9], parts["deep"].table[7, 9] = 0.8, 0.7
    assert made.predict(np.array([7]), np.array([9])) == pytest.approx([0.76], abs=1e-5)


def test_a_missing_prediction_counts_as_the_mean() -> None:
    train, validation = halves(random_ratings(2))
    table = np.random.default_rng(0).normal(size=(9, 7))
    missing = np.where(np.random.default_rng(1).random((9, 7)) < 0.3, np.nan, table)
    made = blended(train, validation, missing=Predicts(missing))
    found = made.predict(np.repeat(np.arange(9), 7), np.tile(np.arange(7), 9)).reshape(9, 7)
    assert np.isfinite(found).all()
    assert np.ptp(found[np.isnan(missing)]) == 0


def test_a_blend_of_rankers_predicts_no_ratings() -> None:
    train, validation = halves(random_ratings(0))
    assert not hasattr(blended(train, validation, ranks=Ranks(np.zeros((9, 7)))), "predict")


def test_a_blend_ranks_better_than_its_parts() -> None:
    rng = np.random.default_rng(0)
    likes = rng.random((300, 60)) < 0.2
    user, item = np.nonzero(likes)
    data = from_pairs(user, item, np.full(len(user), 5.0), n_users=300, n_items=60)
    train, validation = halves(data)
    first, second = (Ranks(10 * (likes + rng.normal(scale=0.6, size=likes.shape)) - 3) for _ in range(2))
    made = blended(train, validation, first=first, second=second, lots=Ranks(rng.normal(size=likes.shape)))
    found = [ndcg(scores.copy(), likes) for scores in (made.score(np.arange(300)), first.table, second.table)]
    assert found[0] > max(found[1:]) + 0.05


def test_scores_of_a_blend_do_not_depend_on_who_else_is_asked() -> None:
    train, validation = halves(random_ratings(5))
    rng = np.random.default_rng(0)
    made = blended(train, validation, a=Ranks(rng.normal(size=(9, 7))), b=Ranks(rng.normal(size=(9, 7))))
    together = made.score(np.arange(9))
    assert np.concatenate([made.score(np.array([user])) for user in range(9)]).tolist() == together.tolist()


def test_parts_are_trained_without_the_validation_part_first_and_then_with_it() -> None:
    train, validation = halves(random_ratings(5))
    model = Ranks(np.zeros((9, 7)))
    blended(train, validation, model=model)
    n = len(train.interactions)
    assert [len(data.interactions) for data in model.trained_on] == [n, n + len(validation.interactions)]


def test_without_a_validation_part_a_blend_holds_rows_out_itself() -> None:
    data = random_ratings(5, n_users=40, n_items=30)
    model = Ranks(np.random.default_rng(0).normal(size=(40, 30)))
    blended(data, None, model=model, other=Ranks(np.zeros((40, 30))))
    held, everything = (len(part.interactions) for part in model.trained_on)
    assert everything == len(data.interactions)
    assert 0.8 < held / everything < 0.97


def test_where_nothing_can_be_fitted_all_count_alike() -> None:
    data = from_pairs([0], [1], [4.0], n_users=2, n_items=2)
    empty = data.with_interactions(data.interactions.take(np.empty(0, dtype=np.int64)))
    first, second = np.array([[1.0, 2], [3, 4]]), np.array([[3.0, 2], [1, 6]])
    made = blended(data, empty, first=Predicts(first), second=Predicts(second))
    assert made.predict(np.array([0, 1]), np.array([0, 1])).tolist() == [2, 5]
    assert made.score(np.array([0, 1])).tolist() == [[0, 0], [-1, 1]]


def test_strangers_are_served_by_those_who_can() -> None:
    world = checkerboard(n_users=40, n_items=30)
    train, validation = halves(world.train)
    made = blended(train, validation, near=Neighbors(k=20), deaf=Ranks(np.zeros((40, 30))))
    stranger = from_pairs([0, 0], np.flatnonzero(world.likes[0])[:2], [5, 5], n_items=30)
    near = Neighbors(k=20)
    near.fit(world.train, seed=0)
    scores = made.score_new(stranger)
    assert world.likes[0][np.argsort(-scores[0])[:5]].all()
    assert blended(train, validation, deaf=Ranks(np.zeros((40, 30)))).score_new(stranger).tolist() == [[0.0] * 30]


def added_up(sentence: str) -> tuple[float, float]:
    """The score that a sentence states, and the sum of the terms that it states."""
    total, terms = re.sub(r"\([^()]*\)", "", sentence).split("=")
    return float(total), sum(float(sign + figure) for sign, figure in re.findall(r"([+-]?) ?(\d+\.\d+)", terms))


@given(seed=st.integers(0, 10_000), own=st.sampled_from([0, 1]))
@settings(max_examples=20, deadline=None)
def test_the_figures_of_an_explanation_add_up_to_the_score(seed: int, own: int) -> None:
    data = random_ratings(seed)
    train, validation = halves(data)
    tables = np.random.default_rng(seed).normal(size=(4, 9, 7))
    made: list[Any] = [fit_hybrid(data, Ranks(tables[0]), own=own)]
    made.append(blended(train, validation, **{f"part{place}": Ranks(table) for place, table in enumerate(tables)}))
    for algorithm in made:
        for user in (0, 5):
            scores = algorithm.score(np.array([user]))[0]
            for item, sentence in enumerate(algorithm.explain(user, np.arange(7))):
                total, terms = added_up(sentence)
                assert total == pytest.approx(scores[item], abs=6e-5)
                assert terms == pytest.approx(total, abs=1e-9)


def test_each_term_of_an_explanation_is_the_product_that_it_names() -> None:
    made = fit_hybrid(random_ratings(3), Ranks(np.random.default_rng(0).normal(size=(9, 7))))
    for sentence in made.explain(2, np.arange(7)):
        products = re.findall(r"(-?) ?(\d+\.\d+) \((\d+\.\d+) x (-?\d+\.\d+) of", sentence)
        assert products
        for sign, term, weight, value in products:
            assert float(sign + term) == pytest.approx(float(weight) * float(value), abs=3e-4)


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"k": 0}, "k must be 1 or more"),
        ({"last": -1}, "last 0 or more"),
        ({"shrink": -1.0}, "shrink and own"),
        ({"own": float("nan")}, "shrink and own"),
        ({"similarity": "nearness"}, "similarity must be one of"),
    ],
)
def test_a_hybrid_refuses_parameters_out_of_range(settings: Any, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        Hybrid(**settings)


@pytest.mark.parametrize(("settings", "match"), [({"of": []}, "none twice"), ({"of": ["a", "a"]}, "none twice")])
def test_a_blend_refuses_names_that_make_none(settings: Any, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        Blend(**settings)
    with pytest.raises(ValueError, match="steps must be 1"):
        Blend(steps=0)


def test_what_neither_scores_nor_predicts_can_be_no_component() -> None:
    class Recommends:
        def fit(self, train: Dataset, *, seed: int) -> None:
            pass

    with pytest.raises(ValueError, match="'model' can be no component"):
        fit_hybrid(random_ratings(0), Recommends())


def test_the_components_of_the_defaults_are_on_offer() -> None:
    offered = discover().algorithms
    for algorithm in recbench_algorithms():
        for parameter in algorithm.components:
            value: Any = algorithm.parameters[parameter]
            assert ({value} if isinstance(value, str) else set(value)) <= set(offered)


def test_the_same_seed_gives_the_same_bytes() -> None:
    data = random_ratings(6, n_users=40, n_items=30)
    tables = np.random.default_rng(0).normal(size=(2, 40, 30))

    def run(seed: int) -> bytes:
        return bytes(blended(data, None, seed, a=Ranks(tables[0]), b=Ranks(tables[1])).score(np.arange(40)).tobytes())

    assert run(1) == run(1)


@pytest.mark.slow
def test_a_hybrid_of_the_network_knows_the_colours() -> None:
    pytest.importorskip("torch")
    from recbench_mlp.in_torch import TorchMLP

    world = checkerboard(density=0.5, stray=0.5)
    scores = fit_hybrid(world.train, TorchMLP(epochs=40, batch_size=16, early_stopping=False), k=10).score(
        np.arange(len(world.likes))
    )
    assert np.take_along_axis(world.likes, ranked(scores, world).astype(int), axis=1).mean() > 0.9

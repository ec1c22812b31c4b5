"""Intervals and paired tests hold against SciPy where it has the same, and against simulated worlds where the truth is
known; letters say exactly what the corrected p values say."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from recbench.data import FloatArray
from recbench.statistics import (
    Bootstrap,
    average_ranks,
    by_user,
    critical_difference,
    effects,
    error_interval,
    holm,
    letters,
    mean_interval,
    paired,
    rank_ranges,
    sign_flip,
    symmetric,
    t_test,
    wilcoxon,
)


def like_ndcg(generator: np.random.Generator, *shape: int) -> FloatArray:
    """Values as users have them: most are zero, the others spread out to 1."""
    return np.where(generator.random(shape) < 0.6, 0.0, generator.beta(1.0, 2.0, shape))


LIKE_NDCG_MEAN = 0.4 / 3


def values_of(seed: int, *shape: int) -> FloatArray:
    return np.random.default_rng(seed).normal(size=shape)


# Intervals


@pytest.mark.parametrize(("method", "of_scipy"), [("bca", "BCa"), ("percentile", "percentile")])
def test_the_interval_of_a_mean_is_scipys(method: Any, of_scipy: str) -> None:
    values = like_ndcg(np.random.default_rng(1), 150)
    ours = mean_interval(values, method=method, resamples=20_000)
    theirs = stats.bootstrap(
        (values,), np.mean, method=of_scipy, n_resamples=20_000, rng=np.random.default_rng(2)
    ).confidence_interval
    width = theirs.high - theirs.low
    assert [ours.low, ours.high] == pytest.approx([theirs.low, theirs.high], abs=0.03 * width)
    assert ours.estimate == pytest.approx(values.mean())


@pytest.mark.parametrize("root", [False, True])
def test_the_interval_of_an_error_is_scipys_over_users_with_their_pairs(root: bool) -> None:
    generator = np.random.default_rng(3)
    counts = generator.integers(1, 9, 120)
    sums = counts * generator.gamma(1.0, 1.0, 120)

    def error(sums: FloatArray, counts: FloatArray, axis: int) -> FloatArray:
        found = sums.sum(axis=axis) / counts.sum(axis=axis)
        return np.sqrt(found) if root else found

    ours = error_interval(sums, counts, root=root, resamples=20_000)
    theirs = stats.bootstrap(
        (sums, counts), error, paired=True, method="BCa", n_resamples=20_000, rng=np.random.default_rng(4)
    ).confidence_interval
    width = theirs.high - theirs.low
    assert [ours.low, ours.high] == pytest.approx([theirs.low, theirs.high], abs=0.03 * width)


def test_a_difference_of_errors_is_that_of_the_two_errors_and_narrower_than_either() -> None:
    generator = np.random.default_rng(5)
    counts = generator.integers(1, 9, 200)
    first = counts * generator.gamma(1.0, 1.0, 200)
    second = first + 0.1 * counts * generator.random(200)
    both = [error_interval(sums, counts, root=True) for sums in (first, second)]
    found = Bootstrap(np.stack([first, second]), counts=counts, root=True).difference(0, 1)
    assert found.estimate == pytest.approx(both[0].estimate - both[1].estimate)
    assert found.excludes_zero
    assert found.high - found.low < both[0].high - both[0].low


def test_users_without_a_pair_change_no_error() -> None:
    sums, counts = np.array([1.0, 2.0, 3.0]), np.array([1, 2, 1])
    longer = error_interval(np.append(sums, 0.0), np.append(counts, 0))
    assert longer == error_interval(sums, counts)


def test_one_seed_gives_one_interval() -> None:
    values = values_of(6, 80)
    assert mean_interval(values, seed=7) == mean_interval(values, seed=7)
    assert mean_interval(values, seed=7) != mean_interval(values, seed=8)


def test_draws_that_differ_by_rounding_alone_are_equal() -> None:
    values = np.random.default_rng(0).choice([0.0, 0.1, 0.2, 0.3], 50)  # sums of these are equal all the time
    exact = mean_interval(values * 10)
    for shift in (0.1, 0.7, 3.3):  # what is added is taken off again, but for the last digits
        rounded = mean_interval((values + shift) - shift)
        assert (rounded.low, rounded.high) == pytest.approx((exact.low / 10, exact.high / 10), abs=1e-12)


@pytest.mark.parametrize("method", ["bca", "percentile"])
def test_equal_values_have_no_width(method: Any) -> None:
    found = mean_interval(np.full(30, 0.25), method=method)
    assert (found.low, found.estimate, found.high) == (0.25, 0.25, 0.25)


@pytest.mark.parametrize("values", [[0.5], [0.5, math.nan], [0.5, math.inf]])
def test_an_interval_is_refused_without_users_enough_or_where_a_value_is_undefined(values: list[float]) -> None:
    with pytest.raises(ValueError, match=r"at least 2|not finite"):
        mean_interval(np.array(values))


def test_the_spread_between_seeds_does_not_widen_the_interval_over_users() -> None:
    truth = values_of(9, 100)
    noise = np.array([[1.0], [-1.0]])  # two seeds that err by the same, for all users alike
    assert mean_interval(by_user(truth + noise)).low == pytest.approx(mean_interval(truth).low)


def test_a_user_is_averaged_over_the_trials_that_have_it() -> None:
    values = np.array([[1.0, math.nan, math.nan], [3.0, 5.0, math.nan]])
    assert by_user(values).tolist() == pytest.approx([2.0, 5.0, math.nan], nan_ok=True)


@pytest.mark.slow
@pytest.mark.parametrize("n_users", [100, 400])
def test_a_95_percent_interval_holds_the_truth_in_93_to_97_of_100_worlds(n_users: int) -> None:
    worlds = [like_ndcg(np.random.default_rng(seed), n_users) for seed in range(2_000)]
    found = [mean_interval(values, resamples=1_000, seed=seed) for seed, values in enumerate(worlds)]
    share = np.mean([each.low <= LIKE_NDCG_MEAN <= each.high for each in found])
    print(f"coverage over {n_users} users: {share:.4f}")
    assert 0.93 <= share <= 0.97


@pytest.mark.slow
def test_a_95_percent_interval_of_rmse_holds_the_truth_in_93_to_97_of_100_worlds() -> None:
    inside = 0
    for seed in range(2_000):
        generator = np.random.default_rng(seed)
        counts = generator.integers(1, 10, 300)
        spread = generator.uniform(0.5, 1.5, 300)  # users differ in how hard they are to predict
        found = error_interval(spread**2 * generator.chisquare(counts), counts, root=True, resamples=1_000, seed=seed)
        inside += found.low <= math.sqrt(1 + 1 / 12) <= found.high
    print(f"coverage of rmse: {inside / 2_000:.4f}")
    assert 0.93 <= inside / 2_000 <= 0.97


# Paired tests


def test_few_users_give_scipys_exact_permutation_p() -> None:
    values = np.round(values_of(10, 2, 9), 1)  # rounded, so that statistics tie
    theirs = stats.permutation_test(
        (values[0] - values[1],), lambda d, axis: d.mean(axis=axis), permutation_type="samples", n_resamples=10_000
    )
    found = sign_flip(values)
    assert found.p.tolist() == found.corrected.tolist() == pytest.approx([theirs.pvalue])


def test_exact_p_over_all_pairs_is_that_of_a_plain_loop() -> None:
    values = values_of(11, 3, 7)
    pairs = list(itertools.combinations(range(3), 2))
    differences = np.array([values[i] - values[j] for i, j in pairs])

    def t(d: FloatArray) -> FloatArray:
        return np.abs(d.mean(axis=1) / d.std(axis=1, ddof=1))

    found = t(differences)
    flipped = np.array([t(differences * signs) for signs in itertools.product([1.0, -1.0], repeat=7)])
    order = np.argsort(-found)
    expected, least = np.empty(3), 0.0
    for place, pair in enumerate(order):
        greatest = flipped[:, order[place:]].max(axis=1)
        least = max(least, float(np.mean(greatest >= found[pair] - 1e-9)))
        expected[pair] = least
    result = sign_flip(values)
    assert result.corrected.tolist() == pytest.approx(expected.tolist())
    assert result.p.tolist() == pytest.approx(np.mean(flipped >= found - 1e-9, axis=0).tolist())


def test_drawn_permutations_come_near_scipys() -> None:
    values = values_of(12, 2, 60) + np.array([[0.3], [0.0]])
    theirs = stats.permutation_test(
        (values[0] - values[1],),
        lambda d, axis: d.mean(axis=axis),
        permutation_type="samples",
        n_resamples=10_000,
        vectorized=True,
        rng=np.random.default_rng(0),
    )
    assert sign_flip(values).p[0] == pytest.approx(theirs.pvalue, abs=0.015)


def test_students_t_is_scipys() -> None:
    values = values_of(13, 4, 30)
    found = t_test(values)
    expected = [stats.ttest_rel(values[i], values[j]).pvalue for i, j in itertools.combinations(range(4), 2)]
    assert found.p.tolist() == pytest.approx(expected)
    assert found.corrected.tolist() == pytest.approx(holm(np.array(expected)).tolist())


def test_wilcoxon_is_scipys_and_equal_rows_do_not_differ() -> None:
    values = values_of(14, 3, 70)
    values[2] = values[1]
    expected = stats.wilcoxon(values[0], values[1]).pvalue
    assert wilcoxon(values).p.tolist() == pytest.approx([expected, expected, 1.0])


@pytest.mark.parametrize("test", ["permutation", "t", "wilcoxon"])
def test_equal_rows_have_p_1_and_a_row_above_all_others_is_found(test: Any) -> None:
    values = values_of(15, 3, 200)
    values[1] = values[0]
    values[2] = values[0] + 0.5 + 0.1 * values_of(16, 200)
    found = paired(values, test)
    assert found.corrected[0] == 1.0
    assert (found.corrected[1:] < 0.001).all()


def test_a_difference_that_is_the_same_for_every_user_is_found() -> None:
    values = np.stack([values_of(17, 50), values_of(17, 50) + 1.0])
    assert sign_flip(values).p[0] == pytest.approx(1 / 10_001)
    assert t_test(values).p[0] == 0.0
    assert effects(values).size.tolist() == [-math.inf]


def test_corrected_p_is_never_below_the_pairs_own() -> None:
    values = values_of(18, 6, 40) + np.linspace(0, 0.6, 6)[:, None]
    for correction in ("max", "holm"):
        found = sign_flip(values, correction=correction)
        assert (found.corrected >= found.p).all()


@pytest.mark.parametrize(("n_users", "permutations"), [(100, 999), (8, 10_000)])
def test_holm_is_refused_where_the_permutations_are_too_few_for_the_pairs(n_users: int, permutations: int) -> None:
    values = values_of(19, 20, n_users)
    with pytest.raises(ValueError, match="190 pairs"):
        sign_flip(values, permutations=permutations, correction="holm")
    assert len(sign_flip(values, permutations=permutations).p) == 190


def test_an_undefined_value_is_refused() -> None:
    values = values_of(20, 2, 10)
    values[0, 3] = math.nan
    for test in ("permutation", "t", "wilcoxon"):
        with pytest.raises(ValueError, match="not finite"):
            paired(values, test)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_rejects_as_its_procedure_does(p: list[float]) -> None:
    corrected = holm(np.array(p))
    rejected = set()
    for place, index in enumerate(np.argsort(p, kind="stable")):
        if p[index] * (len(p) - place) > 0.05:
            break
        rejected.add(int(index))
    assert {i for i, each in enumerate(corrected) if each <= 0.05} == rejected


def test_wins_ties_and_losses_add_up_to_the_users() -> None:
    values = np.array([[0.0, 0.5, 1.0, 0.2], [0.0, 0.2, 1.0, 0.9]])
    found = effects(values)
    assert (found.wins[0], found.ties[0], found.losses[0]) == (1, 2, 1)
    differences = values[0] - values[1]
    assert found.difference[0] == pytest.approx(differences.mean())
    assert found.size[0] == pytest.approx(differences.mean() / differences.std(ddof=1))


def family_wise_errors(test: Any, n_worlds: int, n_algorithms: int, n_users: int) -> float:
    """In how many worlds any two of those that are equally good are told apart; the last one is better than all."""
    wrong = 0
    for seed in range(n_worlds):
        generator = np.random.default_rng(seed)
        hard = generator.random(n_users) < 0.4  # with these users everybody fails
        values = np.where(hard, 0.0, like_ndcg(generator, n_algorithms + 1, n_users))
        values[-1] += np.where(hard, 0.0, 0.3)
        found = sign_flip(values, permutations=999, seed=seed) if test == "permutation" else paired(values, test)
        wrong += bool((found.corrected[found.second < n_algorithms] < 0.05).any())
    return wrong / n_worlds


@pytest.mark.slow
@pytest.mark.parametrize("test", ["permutation", "t"])
@pytest.mark.parametrize("n_algorithms", [2, 8])
def test_any_error_over_all_pairs_happens_in_at_most_6_5_of_100_worlds(test: str, n_algorithms: int) -> None:
    share = family_wise_errors(test, 2_000, n_algorithms, 150)
    print(f"family-wise error of {test} over {n_algorithms} equals and one better: {share:.4f}")
    assert share <= 0.065


def lopsided(generator: np.random.Generator, n_users: int) -> FloatArray:
    """Rows of equal means, of which one serves a few users very well and another everybody alike."""
    few = np.where(generator.random(n_users) < 0.08, generator.random(n_users) * LIKE_NDCG_MEAN * 2 / 0.08, 0.0)
    return np.stack([np.full(n_users, LIKE_NDCG_MEAN), few, *like_ndcg(generator, 2, n_users)])


@pytest.mark.slow
@pytest.mark.parametrize("test", ["permutation", "t"])
@pytest.mark.parametrize(("n_users", "most"), [(100, 0.15), (400, 0.065)])
def test_lopsided_differences_need_users(test: Any, n_users: int, most: float) -> None:
    worlds = (lopsided(np.random.default_rng(seed), n_users) for seed in range(1_000))
    found = [sign_flip(v, permutations=999) if test == "permutation" else t_test(v) for v in worlds]
    share = np.mean([(each.corrected < 0.05).any() for each in found])
    print(f"family-wise error of {test}, lopsided, {n_users} users: {share:.4f}")
    assert share <= most


def test_wilcoxon_tells_rows_of_equal_means_apart_where_differences_are_lopsided() -> None:
    values = lopsided(np.random.default_rng(0), 400)[:2]
    values[1] *= values[0].mean() / values[1].mean()
    assert wilcoxon(values).p[0] < 0.001
    assert sign_flip(values).p[0] > 0.9


# Letters


@st.composite
def p_matrices(draw: st.DrawFn) -> tuple[FloatArray, FloatArray]:
    n = draw(st.integers(1, 9))
    p = np.ones((n, n))
    for i, j in itertools.combinations(range(n), 2):
        p[i, j] = p[j, i] = draw(st.sampled_from([0.0, 0.049, 0.05, 0.5, 1.0]))
    means = draw(st.lists(st.sampled_from([0.1, 0.2, 0.3, 0.4]), min_size=n, max_size=n))
    return p, np.array(means)


@given(p_matrices())
def test_two_share_a_letter_if_and_only_if_the_test_cannot_tell_them_apart(
    given: tuple[FloatArray, FloatArray],
) -> None:
    p, means = given
    found = letters(p, means)
    for i, j in itertools.combinations(range(len(means)), 2):
        assert bool(set(found[i]) & set(found[j])) == (p[i, j] >= 0.05)


@given(p_matrices())
def test_every_algorithm_has_a_letter_none_is_spare_and_the_best_has_a(given: tuple[FloatArray, FloatArray]) -> None:
    p, means = given
    found = letters(p, means)
    assert all(found)
    assert found[int(np.argmax(means))][0] == "a"
    members = {letter: {i for i, each in enumerate(found) if letter in each} for each in found for letter in each}
    for letter, group in members.items():
        pairs = {(i, j) for i in group for j in group}
        elsewhere = {(i, j) for other, them in members.items() if other != letter for i in them for j in them}
        assert not pairs <= elsewhere


@given(p_matrices())
def test_a_rank_range_counts_who_is_surely_better_and_surely_worse(given: tuple[FloatArray, FloatArray]) -> None:
    p, means = given
    for row, (best, worst) in enumerate(rank_ranges(p, means)):
        surely_better = [j for j in range(len(means)) if p[row, j] < 0.05 and means[j] > means[row]]
        surely_worse = [j for j in range(len(means)) if p[row, j] < 0.05 and means[j] < means[row]]
        assert (best, worst) == (1 + len(surely_better), len(means) - len(surely_worse))
        assert best <= worst


def test_letters_go_down_from_the_best() -> None:
    p = np.array([[1.0, 0.01, 0.4], [0.01, 1.0, 0.2], [0.4, 0.2, 1.0]])
    assert letters(p, np.array([0.1, 0.3, 0.2])) == (("b",), ("a",), ("a", "b"))


def test_many_groups_have_letters_of_their_own() -> None:
    found = letters(np.zeros((60, 60)), np.arange(60.0))
    assert [each[0] for each in found[::-1]][24:28] == ["y", "z", "A", "B"]
    assert found[0] == ("h2",)
    assert len(set(found)) == 60


@pytest.mark.parametrize("p", [np.ones((2, 3)), np.array([[1.0, 0.2], [0.3, 1.0]]), np.full((2, 2), math.nan)])
def test_letters_refuse_what_is_no_matrix_of_p_values(p: FloatArray) -> None:
    with pytest.raises(ValueError, match=r"does not go with|symmetric"):
        letters(p, np.array([0.1, 0.2]))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 6))
def test_a_test_reads_as_letters(seed: int, n: int) -> None:
    values = values_of(seed, n, 30) + np.linspace(0, 1.5, n)[:, None]
    matrix = symmetric(sign_flip(values, permutations=199))
    assert np.array_equal(matrix, matrix.T)
    assert len(letters(matrix, values.mean(axis=1))) == n


DEMSAR = {2: 1.960, 3: 2.343, 4: 2.569, 5: 2.728, 6: 2.850, 7: 2.949, 8: 3.031, 9: 3.102, 10: 3.164}
"""Critical values for the two-tailed Nemenyi test at 5 %: Demsar, JMLR 2006, table 5a."""


@pytest.mark.parametrize("n_rows", DEMSAR)
def test_the_critical_difference_is_that_of_the_published_table(n_rows: int) -> None:
    expected = DEMSAR[n_rows] * math.sqrt(n_rows * (n_rows + 1) / (6 * 14))
    assert critical_difference(n_rows, 14) == pytest.approx(expected, rel=3e-4)


def test_average_ranks_are_those_of_scipy_world_by_world() -> None:
    worth = np.random.default_rng(0).integers(0, 4, (7, 9)).astype(np.float64)
    expected = np.mean([stats.rankdata(-each) for each in worth], axis=0)
    assert average_ranks(worth) == pytest.approx(expected)


@pytest.mark.parametrize(("n_rows", "n_worlds"), [(1, 5), (5, 0)])
def test_there_is_no_critical_difference_of_nothing(n_rows: int, n_worlds: int) -> None:
    with pytest.raises(ValueError, match="there is no difference of ranks"):
        critical_difference(n_rows, n_worlds)

"""Paired tests between all algorithms at once, the correction for their number, and how large differences are."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from recbench.data import FloatArray, Int64Array

Test: TypeAlias = Literal["permutation", "wilcoxon", "t"]
Correction: TypeAlias = Literal["max", "holm"]

PERMUTATIONS: Final = 10_000
ALPHA: Final = 0.05
# Users times permutations that are held at a time.
_CELLS: Final = 1 << 21
# Two orders of adding up the same numbers must count as equal.
_SAME: Final = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pairwise:
    """What a paired test says of all pairs of algorithms.

    Attributes:
        first: (m,) int64, the one row of each pair; always less than `second`.
        second: (m,) int64, the other.
        p: (m,) float64, as if the pair were the only one.
        corrected: (m,) float64, over all pairs: whoever calls a pair different where this is below alpha is wrong
            about any pair at all with a probability of at most alpha.
    """

    first: Int64Array
    second: Int64Array
    p: FloatArray
    corrected: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Effects:
    """How large the differences are, pair by pair in the order of `Pairwise`; each (m,).

    Attributes:
        difference: mean over users of the first's value less the second's.
        size: that over the standard deviation of the differences (n - 1); 0 where there is no difference, and
            infinite where it is the same for every user.
        wins: users with whom the first has the greater value.
        ties: users with whom both have the same.
        losses: users with whom the first has the lesser value.
    """

    difference: FloatArray
    size: FloatArray
    wins: Int64Array
    ties: Int64Array
    losses: Int64Array


def paired(values: FloatArray, test: Test = "permutation", *, seed: int = 0) -> Pairwise:
    """Test all pairs: by permutation with the greatest statistic, or by Wilcoxon or t with Holm's correction."""
    if test == "permutation":
        return sign_flip(values, seed=seed)
    return wilcoxon(values) if test == "wilcoxon" else t_test(values)


def sign_flip(
    values: FloatArray,
    *,
    permutations: int = PERMUTATIONS,
    seed: int = 0,
    correction: Correction = "max",
    alpha: float = ALPHA,
) -> Pairwise:
    """Permutation test of all pairs, paired by user: one sign for all of a user's differences.

    Formula: p = (1 + permutations with a statistic of at least the one found) / (1 + permutations), the statistic
        being |t| of the differences. Corrected by "max": the greatest |t| over this pair and all that are less sure,
        stepping down from the surest; by "holm": as `holm`.
    Edges: where 2^n_users is at most `permutations`, all of them are counted and p is exact, without the ones. Two
        rows that are equal have p = 1.

    Args:
        values: (n_algorithms, n_users) float64, finite.

    Raises:
        ValueError: fewer than two rows or users, a value that is not finite, or by "holm" so few permutations that
            no pair could come out below `alpha`.

    Source: Westfall and Young, Resampling-Based Multiple Testing, 1993, algorithm 2.8.
    """
    first, second = _pairs(values)
    if correction == "holm":
        _check_enough(len(first), values.shape[1], permutations, alpha)
    centred = values - values.mean(axis=0)  # differences stay, and less is lost when they are taken late
    scale = np.sqrt(_squares(centred, first, second) * values.shape[1])
    unflipped = centred.sum(axis=1)
    found = _strength(unflipped[None, :], first, second, scale)[0]
    order = np.argsort(-found, kind="stable")
    above = np.zeros(len(first))
    above_of_rest = np.zeros(len(first))
    n = 0
    for flipped in _flipped(values.shape[1], permutations, seed):
        totals = unflipped - 2.0 * (flipped.astype(np.float64) @ centred.T)
        strengths = _strength(totals, first, second, scale)
        above += (strengths >= found - _SAME).sum(axis=0)
        rest = np.maximum.accumulate(strengths[:, order[::-1]], axis=1)[:, ::-1]
        above_of_rest[order] += (rest >= found[order] - _SAME).sum(axis=0)
        n += len(flipped)
    extra = 0 if _is_exact(values.shape[1], permutations) else 1
    p, stepped = (above + extra) / (n + extra), (above_of_rest + extra) / (n + extra)
    corrected = np.empty_like(p)
    corrected[order] = np.maximum.accumulate(stepped[order])
    return Pairwise(first=first, second=second, p=p, corrected=holm(p) if correction == "holm" else corrected)


def t_test(values: FloatArray) -> Pairwise:
    """Student's paired t test of all pairs, two-sided, with Holm's correction.

    Edges: p = 1 where two rows are equal, 0 where they differ by the same for every user.
    """
    from scipy.special import stdtr

    first, second = _pairs(values)
    n_users = values.shape[1]
    size = effects(values).size
    p = 2 * stdtr(n_users - 1, -np.abs(size) * np.sqrt(n_users))
    return Pairwise(first=first, second=second, p=p, corrected=holm(p))


def wilcoxon(values: FloatArray) -> Pairwise:
    """Wilcoxon's signed-rank test of all pairs, two-sided, ties left out, with Holm's correction; as SciPy has it.

    Edges: p = 1 where two rows are equal.
    """
    first, second = _pairs(values)
    p = np.array([_wilcoxon(values[i] - values[j]) for i, j in zip(first, second, strict=True)])
    return Pairwise(first=first, second=second, p=p, corrected=holm(p))


def holm(p: FloatArray) -> FloatArray:
    """Correct p values for their number.

    Formula: in ascending order, the greatest so far of (m - place) p, places from 0, at most 1.

    Args:
        p: (m,) float64.

    Returns:
        (m,) float64.

    >>> holm(np.array([0.01, 0.04, 0.03])).round(4).tolist()
    [0.03, 0.06, 0.06]

    Source: Holm, A Simple Sequentially Rejective Multiple Test Procedure, 1979.
    """
    order = np.argsort(p, kind="stable")
    corrected = np.empty(len(p))
    corrected[order] = np.minimum(1.0, np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)))
    return corrected


def effects(values: FloatArray) -> Effects:
    """How large the differences of all pairs are; values: (n_algorithms, n_users)."""
    first, second = _pairs(values)
    found = np.array([_effect(values[i] - values[j]) for i, j in zip(first, second, strict=True)])
    difference, size, wins, losses = found.T
    counted = [each.astype(np.int64) for each in (wins, values.shape[1] - wins - losses, losses)]
    return Effects(difference=difference, size=size, wins=counted[0], ties=counted[1], losses=counted[2])


def symmetric(pairs: Pairwise) -> FloatArray:
    """The corrected p values as a matrix, (n_algorithms, n_algorithms), with ones on its diagonal."""
    n = int(pairs.second.max()) + 1
    matrix = np.ones((n, n))
    matrix[pairs.first, pairs.second] = pairs.corrected
    matrix[pairs.second, pairs.first] = pairs.corrected
    return matrix


def _pairs(values: FloatArray) -> tuple[Int64Array, Int64Array]:
    if values.ndim != 2 or min(values.shape) < 2:
        raise ValueError(f"a paired test needs at least 2 algorithms and 2 users, not {values.shape}")
    if not np.isfinite(values).all():
        raise ValueError("a value is not finite: leave out the users for whom it is undefined")
    first, second = np.triu_indices(len(values), k=1)
    return first.astype(np.int64), second.astype(np.int64)


def _check_enough(n_pairs: int, n_users: int, permutations: int, alpha: float) -> None:
    least = 2.0 / 2.0**n_users if _is_exact(n_users, permutations) else 1.0 / (1 + permutations)
    if n_pairs * least > alpha:
        raise ValueError(
            f"the least p of these permutations is {least:g}: over {n_pairs} pairs Holm's correction leaves no p "
            f"below {alpha:g}; ask for more permutations, or correct by the maximum"
        )


def _is_exact(n_users: int, permutations: int) -> bool:
    return n_users < 63 and 1 << n_users <= permutations


def _flipped(n_users: int, permutations: int, seed: int) -> Iterator[NDArray[np.integer]]:
    """Blocks of (b, n_users), 1 where a sign is flipped: every possible row once if they are few, else random ones."""
    height = max(1, _CELLS // n_users)
    if _is_exact(n_users, permutations):
        yield np.arange(1 << n_users)[:, None] >> np.arange(n_users) & 1
        return
    generator = np.random.default_rng(seed)
    for start in range(0, permutations, height):
        n = min(height, permutations - start)
        drawn = np.frombuffer(generator.bytes(-(-n * n_users // 8)), dtype=np.uint8)
        yield np.unpackbits(drawn, count=n * n_users).reshape(n, n_users)


def _squares(centred: FloatArray, first: Int64Array, second: Int64Array) -> FloatArray:
    """(m,) sums of squared differences, which no flip of signs changes."""
    return np.array([np.sum((centred[i] - centred[j]) ** 2) for i, j in zip(first, second, strict=True)])


def _strength(totals: FloatArray, first: Int64Array, second: Int64Array, scale: FloatArray) -> FloatArray:
    """(b, m) |mean| over the root of the mean square: grows with |t| and stays finite; 0 where nothing differs."""
    differences = np.abs(totals[:, first] - totals[:, second])
    return np.divide(differences, scale, out=np.zeros_like(differences), where=scale > 0)


def _wilcoxon(differences: FloatArray) -> float:
    from scipy import stats

    if not differences.any():
        return 1.0
    with warnings.catch_warnings():  # that few users make a rough p; the docstring says whose p it is
        warnings.simplefilter("ignore", UserWarning)
        return float(stats.wilcoxon(differences).pvalue)


def _effect(differences: FloatArray) -> tuple[float, float, int, int]:
    mean = float(differences.mean())
    spread = float(differences.std(ddof=1))
    if spread <= _SAME * abs(mean):  # the same for every user, but for rounding
        return mean, float(np.copysign(np.inf, mean)) if mean else 0.0, *_signs_of(differences)
    return mean, mean / spread, *_signs_of(differences)


def _signs_of(differences: FloatArray) -> tuple[int, int]:
    return int((differences > 0).sum()), int((differences < 0).sum())

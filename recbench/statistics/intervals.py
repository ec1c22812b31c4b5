"""Intervals by bootstrap over users: of means, of errors summed over pairs, and of differences of both."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from recbench.data import FloatArray, Int64Array

Method: TypeAlias = Literal["bca", "percentile"]
Estimate: TypeAlias = Callable[[FloatArray], FloatArray]

RESAMPLES: Final = 5_000
CONFIDENCE: Final = 0.95
# SciPy's would be as good, and take longer to import than to use.
_NORMAL: Final = NormalDist()
# Users times resamples that are held at a time.
_CELLS: Final = 1 << 21
# Users times resamples that are kept for the next figure over as many users, a byte each: none is drawn 256 times.
_KEPT: Final = 1 << 25
_GAP_RESAMPLES: Final = 2_000
# Draws that differ by so little of their range are equal: processors and threads add up in orders of their own.
_SAME: Final = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """An estimate and how far it may be off for the users that happened to be drawn."""

    estimate: float
    low: float
    high: float
    confidence: float
    n_users: int

    @property
    def excludes_zero(self) -> bool:
        """Whether all of it lies on one side of zero."""
        return self.low > 0 or self.high < 0


def by_user(values: FloatArray) -> FloatArray:
    """Each user's mean over seeds and folds.

    Formula: mean over the trials in which the user has a value.
    Edges: NaN where a user has none in any trial.

    Args:
        values: (n_trials, n_users) float64, NaN where a user is not evaluated or a value is undefined.

    Returns:
        (n_users,) float64.
    """
    known = ~np.isnan(values)
    n_known = known.sum(axis=0)
    total = np.where(known, values, 0.0).sum(axis=0)
    found: FloatArray = np.full(len(n_known), np.nan)
    np.divide(total, n_known, out=found, where=n_known > 0)
    return found


class Bootstrap:
    """Intervals of many rows over the same users, who are drawn once for all of them.

    Formula: quantiles of what `resamples` draws of as many users as there are give, with replacement; "bca" moves
        the quantiles by the bias and by the acceleration of the jackknife.
    Edges: where nothing varies the interval is the estimate.

    Args:
        values: (n_rows, n_users) float64, finite: each user's value, seeds and folds averaged; with `counts` each
            user's errors summed.
        counts: (n_users,) each user's number of test pairs, by whose total the summed errors are divided; None for
            means over users. Users without a pair count for nothing.
        root: take the root of the mean error, as rmse does.

    Raises:
        ValueError: fewer than two users, or a value that is not finite.

    Source: Efron, Better Bootstrap Confidence Intervals, JASA 1987.
    """

    def __init__(
        self,
        values: FloatArray,
        *,
        counts: FloatArray | Int64Array | None = None,
        root: bool = False,
        confidence: float = CONFIDENCE,
        method: Method = "bca",
        resamples: int = RESAMPLES,
        seed: int = 0,
    ) -> None:
        if not 0 < confidence < 1 or resamples < 1:
            raise ValueError(f"confidence {confidence} is not in (0, 1), or resamples {resamples} is not at least 1")
        weights = np.ones(values.shape[1]) if counts is None else counts.astype(np.float64)
        self._columns = np.column_stack([*values, weights])[weights > 0]
        _check(self._columns)
        self._totals = self._columns.sum(axis=0)
        self._drawn = _resampled(self._columns, resamples, seed)
        self._root, self._confidence, self._method = root, confidence, method

    def interval(self, row: int = 0) -> Interval:
        """The interval of a row's mean, or of its error."""
        return self._interval(lambda totals: self._figure(totals, row))

    def difference(self, first: int, second: int) -> Interval:
        """The interval of the first row's figure less the second's."""
        return self._interval(lambda totals: self._figure(totals, first) - self._figure(totals, second))

    def _figure(self, totals: FloatArray, row: int) -> FloatArray:
        found: FloatArray = totals[..., row] / totals[..., -1]
        return np.sqrt(found) if self._root else found

    def _interval(self, estimate: Estimate) -> Interval:
        found = float(estimate(self._totals))
        drawn = estimate(self._drawn)
        tails = np.array([(1 - self._confidence) / 2, (1 + self._confidence) / 2])
        if self._method == "bca":
            tails = _adjusted(tails, drawn, found, estimate(self._totals - self._columns))
        low, high = np.quantile(drawn, tails)
        return Interval(
            estimate=found,
            low=float(low),
            high=float(high),
            confidence=self._confidence,
            n_users=len(self._columns),
        )


def mean_interval(
    values: FloatArray,
    *,
    confidence: float = CONFIDENCE,
    method: Method = "bca",
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Interval:
    """The interval of a mean over users; values: (n_users,). As `Bootstrap`."""
    drawn = Bootstrap(values[None, :], confidence=confidence, method=method, resamples=resamples, seed=seed)
    return drawn.interval()


def error_interval(
    sums: FloatArray,
    counts: FloatArray | Int64Array,
    *,
    root: bool = False,
    confidence: float = CONFIDENCE,
    method: Method = "bca",
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Interval:
    """The interval of mse or mae, or with `root` of rmse: users are drawn, with all their pairs. As `Bootstrap`.

    Formula: (sum of the drawn users' errors) / (number of their pairs).

    Args:
        sums: (n_users,) float64, each user's squared or absolute errors summed.
        counts: (n_users,) each user's number of test pairs.
    """
    drawn = Bootstrap(
        sums[None, :], counts=counts, root=root, confidence=confidence, method=method, resamples=resamples, seed=seed
    )
    return drawn.interval()


def gap_intervals(
    first: FloatArray, last: FloatArray, *, resamples: int = _GAP_RESAMPLES, seed: int = 0
) -> list[Interval]:
    """The intervals of each row's mean over one group less its mean over another, by percentiles.

    Formula: users are drawn from both groups together, so that one who is in both is drawn with both values.
    Edges: a draw without anybody of a group counts for nothing.

    Args:
        first: (n_rows, n_users) float64, NaN where a user has no value in the first group, in every row alike.
        last: the same for the last group.

    Raises:
        ValueError: a group has fewer than two users, or a value is infinite.
    """
    has = [~np.isnan(each[0]) for each in (first, last)]
    n_rows = len(first)
    if min(each.sum() for each in has) < 2:
        raise ValueError("an interval of a gap needs at least 2 users in each group")
    columns = np.column_stack([*np.nan_to_num(first), has[0], *np.nan_to_num(last), has[1]])[has[0] | has[1]]
    _check(columns)
    drawn = _resampled(columns, resamples, seed)
    ones, others = drawn[:, n_rows], drawn[:, -1]
    kept = drawn[(ones > 0) & (others > 0)]
    totals = columns.sum(axis=0)[None, :]
    found, drawn_gaps = (
        each[:, :n_rows] / each[:, [n_rows]] - each[:, n_rows + 1 : -1] / each[:, [-1]] for each in (totals, kept)
    )
    low, high = np.quantile(drawn_gaps, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2], axis=0)
    return [
        Interval(
            estimate=float(found[0, row]),
            low=float(low[row]),
            high=float(high[row]),
            confidence=CONFIDENCE,
            n_users=len(columns),
        )
        for row in range(n_rows)
    ]


def _check(values: FloatArray) -> None:
    if len(values) < 2:
        raise ValueError(f"an interval over users needs at least 2 of them, not {len(values)}")
    if not np.isfinite(values).all():
        raise ValueError("a value is not finite: leave out the users for whom it is undefined")


def _resampled(columns: FloatArray, resamples: int, seed: int) -> FloatArray:
    """(resamples, c) totals over as many users as there are, drawn with replacement."""
    n_users = len(columns)
    blocks = _kept(n_users, resamples, seed) if n_users * resamples <= _KEPT else _drawn(n_users, resamples, seed)
    return np.concatenate([times.astype(np.float64) @ columns for times in blocks])


@functools.lru_cache(maxsize=2)  # the figures of a board are over the same users, one after another
def _kept(n_users: int, resamples: int, seed: int) -> tuple[NDArray[np.uint8], ...]:
    return tuple(_drawn(n_users, resamples, seed))


def _drawn(n_users: int, resamples: int, seed: int) -> Iterator[NDArray[np.uint8]]:
    """Blocks of (b, n_users): how often each draw has each user."""
    generator = np.random.default_rng(seed)
    height = max(1, _CELLS // n_users)
    for first in range(0, resamples, height):
        times = np.empty((min(height, resamples - first), n_users), dtype=np.uint8)
        for row in times:  # one by one they stay in the processor's cache, and take half as long as all at once
            row[:] = np.bincount(generator.integers(0, n_users, n_users), minlength=n_users)
        yield times


def _adjusted(tails: FloatArray, drawn: FloatArray, found: float, jackknife: FloatArray) -> FloatArray:
    """The tails moved by bias and acceleration; as they are where nothing varies or every draw lies on one side."""
    margin = _SAME * float(np.ptp(drawn))
    below = float(np.mean(drawn < found - margin) + np.mean(drawn <= found + margin)) / 2
    distances = jackknife.mean() - jackknife
    spread = float(np.sum(distances**2))
    if not 0 < below < 1 or math.isclose(spread, 0.0, abs_tol=1e-300):
        return tails
    bias = _NORMAL.inv_cdf(below)
    acceleration = float(np.sum(distances**3)) / (6 * spread**1.5)
    shifted = [bias + _NORMAL.inv_cdf(tail) for tail in tails.tolist()]
    return np.array([_NORMAL.cdf(bias + z / (1 - acceleration * z)) for z in shifted])

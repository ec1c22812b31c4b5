"""Intervals by bootstrap over users: of means, of errors summed over pairs, and of differences of both."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import numpy as np

from recbench.data import FloatArray, Int64Array

Method: TypeAlias = Literal["bca", "percentile"]
Estimate: TypeAlias = Callable[[FloatArray], FloatArray]

RESAMPLES: Final = 5_000
CONFIDENCE: Final = 0.95
# Users times resamples that are held at a time.
_CELLS: Final = 1 << 21


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


def mean_interval(
    values: FloatArray,
    *,
    confidence: float = CONFIDENCE,
    method: Method = "bca",
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Interval:
    """The interval of a mean over users.

    Formula: quantiles of the means of `resamples` draws of n users with replacement; "bca" moves the quantiles by the
        bias and the acceleration of the jackknife.
    Edges: where all values are equal the interval is that value.

    Args:
        values: (n_users,) float64, each user's seeds and folds averaged already.

    Raises:
        ValueError: fewer than two users, or a value that is not finite.

    Source: Efron, Better Bootstrap Confidence Intervals, JASA 1987.
    """
    _check(values)
    columns = np.column_stack([values, np.ones(len(values))])
    return _bootstrap(columns, share, confidence=confidence, method=method, resamples=resamples, seed=seed)


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
    """The interval of mse or mae, or with `root` of rmse.

    Formula: users are drawn, with all their pairs; then (sum of their errors) / (number of their pairs).
    Edges: a user without a pair counts for nothing.

    Args:
        sums: (n_users,) float64, each user's squared or absolute errors summed.
        counts: (n_users,) each user's number of test pairs.

    Raises:
        ValueError: fewer than two users, a value that is not finite, or no pair at all.
    """
    columns = _with_pairs(counts, sums)
    estimate = _root_of(share) if root else share
    return _bootstrap(columns, estimate, confidence=confidence, method=method, resamples=resamples, seed=seed)


def error_differences(
    first: FloatArray,
    second: FloatArray,
    counts: FloatArray | Int64Array,
    *,
    root: bool = False,
    confidence: float = CONFIDENCE,
    method: Method = "bca",
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Interval:
    """The interval of the first's error less the second's over the same pairs. As `error_interval`.

    Args:
        first: (n_users,) float64, each user's errors summed.
        second: likewise.
        counts: (n_users,) each user's number of test pairs.
    """

    def difference(totals: FloatArray) -> FloatArray:
        both = totals[..., :2] / totals[..., 2:]
        both = np.sqrt(both) if root else both
        found: FloatArray = both[..., 0] - both[..., 1]
        return found

    columns = _with_pairs(counts, first, second)
    return _bootstrap(columns, difference, confidence=confidence, method=method, resamples=resamples, seed=seed)


def share(totals: FloatArray) -> FloatArray:
    """The first column over the last."""
    found: FloatArray = totals[..., 0] / totals[..., -1]
    return found


def _root_of(estimate: Estimate) -> Estimate:
    return lambda totals: np.sqrt(estimate(totals))


def _with_pairs(counts: FloatArray | Int64Array, *errors: FloatArray) -> FloatArray:
    """The columns of those users who have a pair."""
    columns = np.column_stack([*errors, counts.astype(np.float64)])
    columns = columns[columns[:, -1] > 0]
    _check(columns)
    return columns


def _check(values: FloatArray) -> None:
    if len(values) < 2:
        raise ValueError(f"an interval over users needs at least 2 of them, not {len(values)}")
    if not np.isfinite(values).all():
        raise ValueError("a value is not finite: leave out the users for whom it is undefined")


def _bootstrap(
    columns: FloatArray, estimate: Estimate, *, confidence: float, method: Method, resamples: int, seed: int
) -> Interval:
    """The interval of something that follows from the columns' totals over users; columns: (n_users, c)."""
    if not 0 < confidence < 1 or resamples < 1:
        raise ValueError(f"confidence {confidence} is not in (0, 1), or resamples {resamples} is not at least 1")
    totals = columns.sum(axis=0)
    found = float(estimate(totals))
    drawn = estimate(_resampled(columns, resamples, seed))
    tails = np.array([(1 - confidence) / 2, (1 + confidence) / 2])
    if method == "bca":
        tails = _adjusted(tails, drawn, found, estimate(totals - columns))
    low, high = np.quantile(drawn, tails)
    return Interval(estimate=found, low=float(low), high=float(high), confidence=confidence, n_users=len(columns))


def _resampled(columns: FloatArray, resamples: int, seed: int) -> FloatArray:
    """(resamples, c) totals over as many users as there are, drawn with replacement."""
    generator = np.random.default_rng(seed)
    n_users = len(columns)
    height = max(1, _CELLS // n_users)
    parts = []
    for first in range(0, resamples, height):
        n = min(height, resamples - first)
        drawn = generator.integers(0, n_users, (n, n_users)) + n_users * np.arange(n)[:, None]
        times = np.bincount(drawn.ravel(), minlength=n * n_users).reshape(n, n_users)
        parts.append(times.astype(np.float64) @ columns)
    return np.concatenate(parts)


def _adjusted(tails: FloatArray, drawn: FloatArray, found: float, jackknife: FloatArray) -> FloatArray:
    """The tails moved by bias and acceleration; as they are where nothing varies or every draw lies on one side."""
    from scipy.special import ndtr, ndtri

    below = (np.mean(drawn < found) + np.mean(drawn <= found)) / 2
    distances = jackknife.mean() - jackknife
    spread = float(np.sum(distances**2))
    if not 0 < below < 1 or math.isclose(spread, 0.0, abs_tol=1e-300):
        return tails
    bias = ndtri(below)
    acceleration = np.sum(distances**3) / (6 * spread**1.5)
    z = bias + ndtri(tails)
    adjusted: FloatArray = ndtr(bias + z / (1 - acceleration * z))
    return adjusted

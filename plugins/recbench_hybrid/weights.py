"""How much each of several algorithms is to count: found on rows that none of them was trained on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from recbench.api import Dataset

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
K = 10


def least_squares(predictions: FloatArray, ratings: FloatArray) -> tuple[float, FloatArray]:
    """Minimise sum (r - c - sum_j w_j p_j)^2 over c and w >= 0.

    Args:
        predictions: (n, m), a column an algorithm.
        ratings: (n,), at least one.

    Returns:
        c, and (m,) w.
    """
    level, means = float(ratings.mean()), predictions.mean(axis=0)
    weights, _ = nnls(predictions - means, ratings - level)
    return level - float(means @ weights), weights


def standardised(scores: FloatArray) -> FloatArray:
    """Each row with mean 0 and deviation 1 over its finite entries, in place.

    "Never recommend" (NaN and -inf) becomes the row's least finite value; a row without variation becomes 0.
    """
    finite = np.isfinite(scores)
    if not finite.all():
        least = np.where(finite, scores, np.inf).min(axis=1, keepdims=True)
        np.copyto(scores, np.where(np.isfinite(least), least, 0.0), where=~finite)
    scores -= scores.mean(axis=1, keepdims=True)
    # Half a millionth of the largest entry is rounding, not variation.
    spread = scores.std(axis=1, keepdims=True)
    flat = spread <= 1e-12 * np.maximum(np.abs(scores).max(axis=1, keepdims=True, initial=0.0), 1.0)
    scores /= np.where(flat, 1.0, spread)
    scores *= ~flat
    return scores


def greedy(scores: Sequence[FloatArray], relevant: BoolArray, steps: int) -> FloatArray:
    """Shares by ensemble selection: begin with nothing, and add, `steps` times, the one that helps ndcg@10 most.

    One may be added again and again, which is how it comes to count for more. What was best on the way is taken.

    Args:
        scores: (m, n_items) of each algorithm, comparable with each other; -inf for what is not to be ranked.
        relevant: (m, n_items), at least one a row.
        steps: how often to add; the shares are multiples of 1 / steps or coarser.

    Returns:
        (len(scores),) shares that sum to 1.

    Source: Caruana, Niculescu-Mizil, Crew, Ksikes, Ensemble Selection from Libraries of Models, ICML 2004.
    """
    counts = np.zeros(len(scores), dtype=np.int64)
    best, best_counts = -np.inf, counts + 1
    total = np.zeros_like(scores[0])
    for _ in range(steps):
        gains = [ndcg(total + each, relevant) for each in scores]
        chosen = int(np.argmax(gains))
        total += scores[chosen]
        counts[chosen] += 1
        if gains[chosen] > best + 1e-12:
            best, best_counts = gains[chosen], counts.copy()
    return np.asarray(best_counts / best_counts.sum())


def ndcg(scores: FloatArray, relevant: BoolArray) -> float:
    """Mean ndcg@10 over rows: log2 discount, ideal cut at min(10, relevant). Equal scores rank in table order."""
    k = min(K, scores.shape[1])
    top = np.argpartition(-scores, k - 1, axis=1)[:, :k]
    rows = np.arange(len(scores))[:, None]
    order = np.argsort(-scores[rows, top], axis=1, kind="stable")
    hits = relevant[rows, np.take_along_axis(top, order, axis=1)]
    discount = 1.0 / np.log2(np.arange(2, k + 2))
    ideal = np.cumsum(discount)[np.minimum(relevant.sum(axis=1), k) - 1]
    return float(np.mean(hits @ discount / ideal))


def held_out(train: Dataset, share: float, seed: int) -> tuple[Dataset, Dataset]:
    """Train and validation, drawn by lot, for a protocol that has no validation part."""
    rows = train.interactions
    drawn = np.random.default_rng([seed, 7]).random(len(rows)) < share
    return train.with_interactions(rows.take(~drawn)), train.with_interactions(rows.take(drawn))

"""Meta-learners: how the answers of several algorithms become one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize, nnls

from recbench_ensembles.heldout import Lists
from recbench_ensembles.paths import contributions, of_boosting
from recbench_ensembles.ratings import FloatArray

TREES = 60
RATE = 0.1
LEAVES = 8
LEAF_SIZE = 50


class Linear:
    """A weighted sum: mean + sum over the raters of w * (prediction - its mean), no weight below 0.

    Weights minimise the mean squared error plus reg * sum (w - 1 / raters)^2: little data leaves the plain mean.

    Args:
        predictions: (n, c) of held-out rows, each by a rater that had not seen it.
        rating: (n,).
        reg: regularisation, in squared rating units.

    Source: Wolpert, Stacked Generalization, 1992; Breiman, Stacked Regressions, 1996 (weights of 0 or more).
    """

    def __init__(self, predictions: FloatArray, rating: FloatArray, *, reg: float) -> None:
        n_rows, n_raters = predictions.shape
        self._means = predictions.mean(axis=0)
        self._mean = float(rating.mean())
        pull = np.sqrt(reg * n_rows)
        left = np.vstack([predictions - self._means, pull * np.eye(n_raters)])
        right = np.concatenate([rating - self._mean, np.full(n_raters, pull / n_raters)])
        # The normal equations of the same problem are as small as the raters are few.
        factor = np.linalg.cholesky(left.T @ left + 1e-9 * n_rows * np.eye(n_raters))
        self.weights = nnls(factor.T, np.linalg.solve(factor, left.T @ right))[0]

    def predict(self, predictions: FloatArray) -> FloatArray:
        """(m, c) -> (m,)."""
        return np.asarray(self._mean + (predictions - self._means) @ self.weights)

    def parts(self, predictions: FloatArray, names: Sequence[str]) -> list[list[tuple[float, str]]]:
        """For each row, the terms of its sum."""
        added = (predictions - self._means) * self.weights
        return [
            [(self._mean, "mean rating"), *zip(row, _weighted(names, self.weights), strict=True)]
            for row in added.tolist()
        ]


class Trees:
    """The raters' mean plus boosted trees on their predictions.

    Args:
        predictions: (n, c) of held-out rows, each by a rater that had not seen it.
        rating: (n,).
        seed: for the trees.
    """

    def __init__(self, predictions: FloatArray, rating: FloatArray, *, seed: int) -> None:
        from sklearn.ensemble import HistGradientBoostingRegressor

        self._model: Any = HistGradientBoostingRegressor(
            max_iter=TREES,
            learning_rate=RATE,
            max_leaf_nodes=LEAVES,
            min_samples_leaf=LEAF_SIZE,
            early_stopping=False,
            random_state=seed,
        ).fit(self._columns(predictions), rating - predictions.mean(axis=1))

    def predict(self, predictions: FloatArray) -> FloatArray:
        """(m, c) -> (m,)."""
        return np.asarray(predictions.mean(axis=1) + self._model.predict(self._columns(predictions)))

    def parts(self, predictions: FloatArray, names: Sequence[str]) -> list[list[tuple[float, str]]]:
        """For each row, the terms of its sum."""
        root, added = contributions(of_boosting(self._model._predictors), self._columns(predictions))
        root += float(np.ravel(self._model._baseline_prediction)[0])
        return [
            [(mean, "mean of the predictions"), *zip(row, names, strict=True), (root, "what the trees start from")]
            for mean, row in zip(predictions.mean(axis=1).tolist(), added.tolist(), strict=True)
        ]

    def _columns(self, predictions: FloatArray) -> NDArray[np.float32]:
        return predictions.astype(np.float32)


def ranking_weights(lists: Sequence[Lists], n_rankers: int, *, reg: float) -> FloatArray:
    """Weights of standings, 0 or more, under which what users turned out to have stands highest.

    They maximise the mean over users of: mean over the user's positives of the logarithm of
    exp(s) / sum over the user's candidates of exp(s), s the weighted sum of standings; minus reg * sum of w^2.

    Args:
        lists: candidates of each part.
        n_rankers: how many weights.
        reg: regularisation.

    Returns:
        (n_rankers,), all equal where there is nothing to learn from.

    Source: Cao and others, Learning to Rank: From Pairwise Approach to Listwise Approach, ICML 2007 (ListNet, top one).
    """
    known = [each for each in lists if len(each.starts)]
    even = np.full(n_rankers, 1.0 / max(n_rankers, 1))
    if not known:
        return even
    n_users = sum(len(each.starts) for each in known)

    def loss(weights: FloatArray) -> tuple[float, FloatArray]:
        parts = [_cross_entropy(each, weights) for each in known]
        value = sum(value for value, _ in parts) / n_users + reg * float(weights @ weights)
        slope = sum(slope for _, slope in parts) / n_users + 2.0 * reg * weights
        return value, np.asarray(slope)

    found = minimize(loss, even, jac=True, method="L-BFGS-B", bounds=[(0.0, None)] * n_rankers)
    weights = np.asarray(found.x, dtype=np.float64)
    return weights if weights.any() else even


def _cross_entropy(lists: Lists, weights: FloatArray) -> tuple[float, FloatArray]:
    """The sum over users of the loss without its regularisation, and its gradient."""
    lengths = np.diff(np.append(lists.starts, len(lists.standings)))
    scores = lists.standings @ weights
    scores -= np.repeat(np.maximum.reduceat(scores, lists.starts), lengths)
    odds = np.exp(scores)
    total = np.add.reduceat(odds, lists.starts)
    positives = np.add.reduceat(lists.is_positive.astype(np.float64), lists.starts)
    share = lists.is_positive / np.repeat(positives, lengths)
    value = float(np.log(total).sum() - share @ scores)
    return value, (odds / np.repeat(total, lengths) - share) @ lists.standings


def _weighted(names: Sequence[str], weights: FloatArray) -> list[str]:
    return [f"{weight:.2f} times {name}" for name, weight in zip(names, weights, strict=True)]

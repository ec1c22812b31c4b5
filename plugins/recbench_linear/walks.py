"""Random walks of three steps on the graph of users and items."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags_array

from recbench_linear.itembased import ItemBased
from recbench_linear.largest import keep_largest, keep_largest_of_columns, row_blocks, stacked


class P3Alpha(ItemBased):
    """Ranks by how likely a walk of three steps from the user ends at the item, transitions raised to a power.

    w(j, i) = sum over users v with both items of (1 / users of j)^alpha * (1 / items of v)^alpha, 0 for i = j.
    The first step, from the user to the own items, is the same for all items and left out.

    Args:
        alpha: power of the transition probabilities; 1 is the plain walk.
        k: weights kept: first the k largest of each item the user may have, then the k largest of each item to score.
        normalize: divide the weights of each item j by their sum, after the first cut.

    Source: Cooper, Lee, Radzik, Siantos, Random Walks in Recommender Systems, WWW 2014 companion; the cuts as in
        Ferrari Dacrema and others, TOIS 2021.
    """

    def __init__(self, *, alpha: float = 0.5, k: int = 100, normalize: bool = True) -> None:
        if k < 1:
            raise ValueError(f"k must be 1 or more, not {k!r}")
        self._alpha = _not_negative("alpha", alpha)
        self._beta = 0.0
        self._k = k
        self._normalize = normalize

    def _learn(self, history: csr_matrix) -> csr_matrix:
        n_items = history.shape[1]
        from_user, from_item = self._steps(history), self._steps(history.T.tocsr())
        held_back = _powers(np.bincount(history.indices, minlength=n_items), -self._beta)
        kept = []
        for block in row_blocks(n_items, n_items):
            walked = (from_item[block] @ from_user).toarray() * held_back
            walked[np.arange(len(walked)), np.arange(block.start, block.stop)] = 0.0
            kept.append(keep_largest(walked, self._k))
        weights = stacked(kept, n_items)
        return keep_largest_of_columns(_shares(weights) if self._normalize else weights, self._k)

    def _steps(self, ones: csr_matrix) -> csr_matrix:
        """Transition probabilities from rows to columns, raised to alpha."""
        return csr_matrix(diags_array(_powers(np.diff(ones.indptr), -self._alpha)) @ ones)


class RP3Beta(P3Alpha):
    """Ranks by walks of three steps, with popular items held back.

    w(j, i) = sum over users v with both items of (1 / users of j)^alpha * (1 / items of v)^alpha, divided by
    (users of i)^beta; 0 for i = j.

    Args:
        alpha: power of the transition probabilities; 1 is the plain walk.
        beta: how much popular items are held back; 0 is P3alpha.
        k: weights kept: first the k largest of each item the user may have, then the k largest of each item to score.
        normalize: divide the weights of each item j by their sum, after the first cut.

    Source: Paudel, Christoffel, Newell, Bernstein, Updatable, Accurate, Diverse, and Scalable Recommendations for
        Interactive Applications, TiiS 2017; the cuts as in Ferrari Dacrema and others, TOIS 2021.
    """

    def __init__(self, *, alpha: float = 0.6, beta: float = 0.2, k: int = 70, normalize: bool = True) -> None:
        super().__init__(alpha=alpha, k=k, normalize=normalize)
        self._beta = _not_negative("beta", beta)


def _powers(values: NDArray[np.floating] | NDArray[np.integer], power: float) -> NDArray[np.float64]:
    """Values to a power; 0 stays 0."""
    powers = np.zeros(len(values))
    np.power(values, power, out=powers, where=values > 0.0)
    return powers


def _shares(weights: csr_matrix) -> csr_matrix:
    """Each row divided by its sum."""
    sums = np.asarray(weights.sum(axis=1)).ravel()
    return csr_matrix(diags_array(_powers(sums, -1.0)) @ weights)


def _not_negative(name: str, value: float) -> float:
    if not value >= 0:
        raise ValueError(f"{name} must be 0 or more, not {value!r}")
    return value

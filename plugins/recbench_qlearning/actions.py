"""Actions: clusters of items that the same users take, and that come before and after the same items."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags_array
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.extmath import randomized_svd

from recbench_qlearning.steps import Steps

SVD_SEED = 0
"""Vectors are the same whatever the trial's seed; that one starts K-means and the simulation."""


def clusters_of_items(
    steps: Steps, shape: tuple[int, int], *, n_clusters: int, factors: int, seed: int
) -> NDArray[np.int64]:
    """Group the items by K-means over their vectors, each item weighing as many steps as it has.

    Args:
        steps: what users did.
        shape: users and items there are.
        n_clusters: clusters at most.
        factors: dimensions of each part of the vectors.
        seed: starts K-means.

    Returns:
        (n_items,) int64 clusters.
    """
    n_items = shape[1]
    counts = np.bincount(steps.item, minlength=n_items)
    taken = np.flatnonzero(counts)
    labels = np.zeros(n_items, dtype=np.int64)
    if len(taken):
        lloyd = KMeans(min(n_clusters, len(taken)), n_init=1, random_state=seed)
        with warnings.catch_warnings():
            # Fewer distinct vectors than clusters: some stay empty, which is fine here.
            warnings.simplefilter("ignore", ConvergenceWarning)
            lloyd.fit(item_vectors(steps, shape, factors)[taken], sample_weight=counts[taken])
        labels[taken] = lloyd.labels_
    return labels


def item_vectors(steps: Steps, shape: tuple[int, int], factors: int) -> NDArray[np.float64]:
    """(n_items, 3 * factors) who takes an item, what comes before it and what after, through truncated SVDs.

    Counts are divided by the square roots of how often the items occur, so that popular items are not alike for
    being popular. The two parts, users and order, have length 1 each.
    """
    n_users, n_items = shape
    ones = np.ones(len(steps))
    even = diags_array(1.0 / np.sqrt(np.maximum(np.bincount(steps.item, minlength=n_items), 1)))
    taken = csr_matrix((ones, (steps.user, steps.item)), shape=(n_users, n_items))
    follows = np.flatnonzero(steps.follows(1))
    pairs = steps.item[follows - 1], steps.item[follows]
    following = csr_matrix((ones[follows], pairs), shape=(n_items, n_items))
    _, sizes, by_users = _svd(csr_matrix(taken @ even), factors)
    before, strengths, after = _svd(csr_matrix(even @ following @ even), factors)
    in_order = np.hstack([before * np.sqrt(strengths), after.T * np.sqrt(strengths)])
    return np.hstack([_unit(by_users.T * sizes), _unit(in_order)])


def _svd(matrix: csr_matrix, factors: int) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    left, sizes, right = randomized_svd(matrix, min(factors, *matrix.shape), random_state=SVD_SEED)
    return left, sizes, right


def _unit(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.where(lengths > 1e-9, rows / np.maximum(lengths, 1e-9), 0.0)

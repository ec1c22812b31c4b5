"""Ward's hierarchical clustering without a matrix of distances."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def ward(points: NDArray[np.float64], n_groups: int) -> NDArray[np.int64]:
    """Merge the two groups whose union adds least to the squared distances, until `n_groups` are left.

    Merging a and b costs w_a w_b / (w_a + w_b) |c_a - c_b|^2, for groups of w points with centres c.

    The chain of nearest neighbours finds all merges: follow the nearest group from group to group until two are each
    other's nearest, merge them, go on from what is left of the chain. That gives the same tree as taking the
    cheapest pair each time, in O(n^2 columns) time and O(n columns) memory.

    Args:
        points: (n, n_columns).
        n_groups: groups to leave.

    Returns:
        (n,) int64 groups, numbered from 0 in order of their first points.

    Source: Ward, JASA 1963; Benzecri 1982 for the chain; Murtagh and Legendre, Journal of Classification 2014.
    """
    n = len(points)
    merges, costs = _tree(points)
    cheapest = np.argsort(costs, kind="stable")[: max(n - n_groups, 0)]
    return _joined(n, merges[cheapest])


def _tree(points: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """(n - 1, 2) pairs of points, one of each group merged, and (n - 1,) what merging them cost."""
    n = len(points)
    centres, weight = points.astype(np.float64), np.ones(n)
    merges, costs = np.empty((max(n - 1, 0), 2), dtype=np.int64), np.empty(max(n - 1, 0))
    chain: list[int] = []
    alive = 0
    for step in range(n - 1):
        if not chain:
            while np.isinf(weight[alive]):
                alive += 1
            chain.append(alive)
        kept, gone, costs[step] = _grow(chain, centres, weight)
        merges[step] = kept, gone
        total = weight[kept] + weight[gone]
        centres[kept] = (weight[kept] * centres[kept] + weight[gone] * centres[gone]) / total
        weight[kept], weight[gone] = total, np.inf
    return merges, costs


def _grow(chain: list[int], centres: NDArray[np.float64], weight: NDArray[np.float64]) -> tuple[int, int, float]:
    """Follow the chain until two groups are each other's nearest; take them off it: kept, gone, cost."""
    while True:
        tip = chain[-1]
        costs = _costs(tip, centres, weight)
        nearest = int(np.argmin(costs))
        # Of equally near groups the one before the tip, else the chain could go round.
        if len(chain) > 1 and costs[chain[-2]] <= costs[nearest]:
            nearest = chain[-2]
            del chain[-2:]
            return nearest, tip, float(costs[nearest])
        chain.append(nearest)


def _costs(tip: int, centres: NDArray[np.float64], weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n,) what merging `tip` with each group costs; infinite for itself and for groups that are gone."""
    apart = centres - centres[tip]
    gone = np.isinf(weight)
    factor = np.where(gone, 1.0, weight)
    costs: NDArray[np.float64] = factor * weight[tip] / (factor + weight[tip]) * np.einsum("ij,ij->i", apart, apart)
    costs[gone] = np.inf
    costs[tip] = np.inf
    return costs


def _joined(n: int, merges: NDArray[np.int64]) -> NDArray[np.int64]:
    """(n,) connected parts of the graph whose edges are `merges`."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    edges = coo_matrix((np.ones(len(merges)), (merges[:, 0], merges[:, 1])), shape=(n, n))
    _, labels = connected_components(edges, directed=False)
    return np.asarray(labels, dtype=np.int64)

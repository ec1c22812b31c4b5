"""Keeping the k nearest."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from recbench_neighbors.similarity import Similarity

MANY = 8192
"""Among more than these the k largest are looked for in two steps."""


def nearest(similarity: Similarity, k: int) -> csr_matrix:
    """For each row, its k most similar other rows: (n, n) CSR of positive similarities, columns ascending.

    Ties at the k-th place go to the lower index.
    """
    return _stacked(_kept(similarity, similarity.rows, k, skip_self=True), similarity.rows.shape[0])


def nearest_of(similarity: Similarity, rows: csr_matrix, k: int) -> csr_matrix:
    """The same for rows that are not among those the similarity is made of: (m, n) CSR."""
    return _stacked(_kept(similarity, rows, k, skip_self=False), similarity.rows.shape[0])


def largest(values: NDArray[np.float64], keys: NDArray[np.int32], k: int) -> NDArray[np.intp]:
    """Positions of the k largest of `values`, in no particular order; ties at the last place by the lower key."""
    if len(values) <= k:
        return np.arange(len(values))
    least = np.partition(values, len(values) - k)[len(values) - k]
    reaching = np.flatnonzero(values >= least)
    if len(reaching) == k:
        return reaching
    equal = values[reaching] == least
    above, tied = reaching[~equal], reaching[equal]
    return np.concatenate([above, tied[np.argsort(keys[tied])[: k - len(above)]]])


def _within_reach(values: NDArray[np.float64], k: int) -> NDArray[np.intp]:
    """Positions of all that may be among the k largest, few more than k of many. Faster than a partition.

    The largest of each of 4k groups are among the values, so the k-th of those is at most the k-th of all.
    """
    n_groups = min(4 * k, len(values))
    whole = len(values) - len(values) % n_groups
    largest_of = values[:whole].reshape(-1, n_groups).max(axis=0)
    place = max(n_groups - k, 0)
    return np.flatnonzero(values >= np.partition(largest_of, place)[place])


def _kept(
    similarity: Similarity, rows: csr_matrix, k: int, *, skip_self: bool
) -> Iterator[tuple[NDArray[np.int32], NDArray[np.float64]]]:
    """Yield, row by row, columns and similarities of the k nearest."""
    for first, block in similarity.blocks(rows):
        for place, (start, end) in enumerate(zip(block.indptr[:-1], block.indptr[1:], strict=True)):
            columns, values = block.indices[start:end], block.data[start:end]
            if len(values) > MANY:
                reaching = _within_reach(values, k + skip_self)
                columns, values = columns[reaching], values[reaching]
            if skip_self:
                others = columns != first + place
                columns, values = columns[others], values[others]
            chosen = largest(values, columns, k)
            chosen = chosen[np.argsort(columns[chosen])]
            yield columns[chosen], values[chosen]


def _stacked(rows: Iterator[tuple[NDArray[np.int32], NDArray[np.float64]]], width: int) -> csr_matrix:
    parts = list(rows)
    if not parts:
        return csr_matrix((0, width))
    starts = np.concatenate([[0], np.cumsum([len(columns) for columns, _ in parts])])
    indices = np.concatenate([columns for columns, _ in parts])
    data = np.concatenate([values for _, values in parts])
    return csr_matrix((data, indices, starts), shape=(len(parts), width))

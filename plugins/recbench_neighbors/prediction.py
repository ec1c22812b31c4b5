"""Predicting ratings as means over the nearest of those who rated."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from recbench_neighbors.loops import Loop, averaging, parts_of
from recbench_neighbors.similarity import Similarity

BLOCK_CELLS = 4_000_000
"""Numbers in a block: 32 MB an array, and a handful of such arrays live at once."""

AVERAGED_FROM = 20_000_000
"""Raters of all pairs together from which on a compiled loop pays: NumPy takes a second for them."""

N_BUCKETS = 256


def mean_of_nearest(
    similarity: Similarity, values: csr_matrix, rows: NDArray[np.int64], columns: NDArray[np.int64], k: int
) -> NDArray[np.float64]:
    """Average a column's values over the rows nearest to the one asked about, for pairs (row, column).

    sum of w * value / sum of w, over the k rows most similar to the row among those that have the column, itself
    left out, those at or below 0 dropped. Rows that tie for the last places share them: each weighs the same part,
    so that the order of rows changes nothing.

    Args:
        similarity: of the rows.
        values: (n_columns, n_rows) CSR, what each row has in the column; a stored 0 is a value.
        rows: (m,) int64.
        columns: (m,) int64.
        k: neighbours at most.

    Returns:
        (m,) float64; NaN where there is no neighbour.
    """
    means = np.full(len(rows), np.nan)
    order = np.argsort(rows, kind="stable")
    asked, starts = np.unique(rows[order], return_index=True)
    starts = np.append(starts, len(rows))
    n_raters = np.diff(values.indptr)[columns]
    loop = averaging() if n_raters.sum() >= AVERAGED_FROM else None
    for first, last in _row_blocks(len(asked), similarity.rows.shape[0]):
        block = asked[first:last]
        alike = _dense(similarity, block)
        pairs = order[starts[first] : starts[last]]
        place = np.searchsorted(block, rows[pairs])
        if loop is not None:
            means[pairs] = _averaged(loop, alike, values, place, columns[pairs], k)
            continue
        for part in _batches(n_raters[pairs]):
            means[pairs[part]] = _batch(alike, values, place[part], columns[pairs[part]], k)
    return means


def _row_blocks(n_asked: int, n_rows: int) -> Iterator[tuple[int, int]]:
    step = max(1, BLOCK_CELLS // max(n_rows, 1))
    for first in range(0, n_asked, step):
        yield first, min(first + step, n_asked)


def _dense(similarity: Similarity, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """(b, n) similarities of `rows` to all, 0 to themselves."""
    alike = np.zeros((len(rows), similarity.rows.shape[0]))
    for first, block in similarity.blocks(similarity.rows[rows]):
        block.toarray(out=alike[first : first + block.shape[0]])
    alike[np.arange(len(rows)), rows] = 0.0
    return alike


def _averaged(
    loop: Loop,
    alike: NDArray[np.float64],
    values: csr_matrix,
    place: NDArray[np.int64],
    columns: NDArray[np.int64],
    k: int,
) -> NDArray[np.float64]:
    """(p,) means of pairs (row of `alike`, column), one by one."""
    means = np.full(len(place), np.nan)
    largest = alike.max(axis=1)
    loop(
        alike,
        *parts_of(values),
        place,
        columns.astype(np.int64, copy=False),
        (N_BUCKETS - 1) / np.where(largest > 1e-300, largest, np.inf),  # a smaller one's scale would be infinite
        np.empty(N_BUCKETS, dtype=np.int64),
        np.empty(k),
        np.empty(alike.shape[1]),
        means,
    )
    return means


def _batches(lengths: NDArray[np.int64]) -> Iterator[NDArray[np.intp]]:
    """Cut pairs into batches whose columns are of about one length, so that padding them wastes little."""
    order = np.argsort(lengths, kind="stable")
    ascending = lengths[order]
    first = 0
    while first < len(order):
        room = np.searchsorted(ascending, 1.25 * ascending[first] + 8, side="right")
        cells = max(1, BLOCK_CELLS // max(int(ascending[room - 1]), 1))
        last = min(int(room), first + cells)
        yield order[first:last]
        first = last


def _batch(
    alike: NDArray[np.float64], values: csr_matrix, place: NDArray[np.int64], columns: NDArray[np.int64], k: int
) -> NDArray[np.float64]:
    """(p,) means for one batch of pairs (row of `alike`, column)."""
    starts = values.indptr[columns].astype(np.int64)
    lengths = values.indptr[columns + 1] - starts
    width = int(lengths.max(initial=0))
    if width == 0:
        return np.full(len(place), np.nan)
    offsets = np.arange(width)
    there = offsets < lengths[:, None]
    entry = np.where(there, starts[:, None] + offsets, 0)
    weights = np.where(there, alike[place[:, None], values.indices[entry]], 0.0)  # (p, width)
    if width > k:
        weights = _cut(weights, k)
    total = weights.sum(axis=1)
    means = np.full(len(place), np.nan)
    np.divide((weights * values.data[entry]).sum(axis=1), total, out=means, where=total > 0.0)
    return means


def _cut(weights: NDArray[np.float64], k: int) -> NDArray[np.float64]:
    """Keep the k largest of each row and set the others to 0; ties for the last places share them."""
    least = np.partition(weights, weights.shape[1] - k, axis=1)[:, weights.shape[1] - k, None]
    above, equal = weights > least, weights == least
    share = (k - above.sum(axis=1)) / equal.sum(axis=1)
    return np.where(above, weights, np.where(equal, weights * share[:, None], 0.0))

"""Who is like whom, and how much."""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags_array

from recbench.api import Dataset

SimilarityName: TypeAlias = Literal["cosine", "pearson"]
CELLS_AT_ONCE = 1 << 22


def similar_users(train: Dataset, similarity: SimilarityName, k: int, shrink: float) -> csr_matrix:
    """The k most similar users of each, those above 0.

    cosine: a(u, v) = x_u . x_v / (|x_u| |x_v| + shrink), for rows x of ratings, missing ones 0.
    pearson: the same of ratings less their user's mean.

    Args:
        train: what users are compared by.
        similarity: see above.
        k: neighbours at most. Among equals the first ones in the table of users.
        shrink: pulls similarities that rest on little towards 0.

    Returns:
        (n_users, n_users) CSR, a row a user, ascending column indexes, nothing on the diagonal.
    """
    rows = train.user_item("rating")
    if similarity == "pearson":
        _subtract_means(rows)
    length = np.sqrt(np.asarray(rows.multiply(rows).sum(axis=1)).ravel())
    size = max(1, CELLS_AT_ONCE // max(1, train.n_users))
    kept = [
        _nearest(rows, length, slice(start, min(start + size, train.n_users)), k, shrink)
        for start in range(0, train.n_users, size)
    ]
    counts, columns, values = (np.concatenate(parts) for parts in zip(*kept, strict=True))
    starts = np.concatenate([[0], np.cumsum(counts)])
    return csr_matrix((values, columns, starts), shape=(train.n_users, train.n_users))


def _nearest(
    rows: csr_matrix, length: NDArray[np.float64], block: slice, k: int, shrink: float
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """How many each user of the block keeps, whom, and how similar these are."""
    alike = (rows[block] @ rows.T).toarray()
    bottom = length[block][:, None] * length[None, :] + shrink
    np.divide(alike, bottom, out=alike, where=bottom > 0)
    alike[np.arange(len(alike)), np.arange(block.start, block.stop)] = 0.0
    user, neighbour = np.nonzero(_greatest(alike, k) & (alike > 0))
    return np.bincount(user, minlength=len(alike)), neighbour, alike[user, neighbour]


def _greatest(values: NDArray[np.float64], k: int) -> NDArray[np.bool_]:
    """Where the k greatest of each row are, the first ones among equals; everywhere where a row has no more."""
    n = values.shape[1]
    if n <= k:
        return np.ones(values.shape, dtype=np.bool_)
    least = np.partition(values, n - k, axis=1)[:, [n - k]]
    above, equal = values > least, values == least
    room = k - above.sum(axis=1, keepdims=True)
    return np.asarray(above | (equal & (np.cumsum(equal, axis=1) <= room)))


def _subtract_means(rows: csr_matrix) -> None:
    counts = np.diff(rows.indptr)
    means = np.asarray(rows.sum(axis=1)).ravel() / np.maximum(counts, 1)
    rows.data -= np.repeat(means, counts)


def with_own(similar: csr_matrix, own: float) -> csr_matrix:
    """The same with the user as a neighbour of similarity `own`, and with 1 where there is nobody else."""
    alone = np.diff(similar.indptr) == 0
    mixed = csr_matrix(similar + diags_array(np.where(alone, 1.0, own)))
    mixed.eliminate_zeros()
    mixed.sort_indices()
    return mixed


def normalized(similar: csr_matrix) -> csr_matrix:
    """Rows divided by the sum of their absolute values."""
    sums = np.asarray(abs(similar).sum(axis=1)).ravel()
    return csr_matrix(diags_array(1.0 / np.where(sums > 0, sums, 1.0)) @ similar)

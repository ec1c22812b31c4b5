"""Keeping the k largest of each row."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, vstack

BLOCK_CELLS = 4 << 20  # 32 MB of float64


def row_blocks(n_rows: int, width: int) -> Iterator[slice]:
    """Cut rows into blocks that may become dense."""
    step = max(1, BLOCK_CELLS // max(width, 1))
    for first in range(0, n_rows, step):
        yield slice(first, min(first + step, n_rows))


def keep_largest(block: NDArray[np.float64], k: int) -> csr_matrix:
    """Keep the k largest of each row, of those above 0; ties for the last place go to the lower column."""
    width = block.shape[1]
    if k >= width:
        return csr_matrix(block)
    least = np.partition(block, width - k, axis=1)[:, width - k, None]
    kept = block > least
    equal = block == least
    places = k - kept.sum(axis=1)
    tied = np.flatnonzero(equal.sum(axis=1) > places)
    equal[tied] &= np.cumsum(equal[tied], axis=1) <= places[tied, None]
    kept |= equal
    kept &= block != 0.0
    rows, columns = np.nonzero(kept)
    starts = np.searchsorted(rows, np.arange(len(block) + 1))
    return csr_matrix((block[rows, columns], columns.astype(np.int32), starts), shape=block.shape)


def keep_largest_of_columns(matrix: csr_matrix, k: int) -> csr_matrix:
    """The same for columns of a sparse matrix."""
    columns = matrix.T.tocsr()
    kept = [keep_largest(columns[block].toarray(), k) for block in row_blocks(*columns.shape)]
    return stacked(kept, columns.shape[1]).T.tocsr()


def stacked(blocks: list[csr_matrix], width: int) -> csr_matrix:
    """Blocks of rows as one matrix."""
    return csr_matrix(vstack(blocks, format="csr")) if blocks else csr_matrix((0, width))

"""PureSVD: the truncated singular value decomposition of the matrix of users and items."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.sparse.linalg import svds

from recbench_factors.rankers import Factors, SummingRanker

SMALL = 200


class PureSVD(SummingRanker):
    """Ranks by the best approximation of low rank of the 0/1 matrix X of users and items.

    X is about U S V', and score(u, i) = x_u V v_i: each item j of the user adds v_j . v_i.

    Args:
        factors: rank of the approximation; at most that of X.

    Source: Cremonesi, Koren, Turrin, Performance of Recommender Algorithms on Top-N Recommendation Tasks, RecSys 2010.
    """

    def __init__(self, *, factors: int = 10) -> None:
        if factors < 1:
            raise ValueError(f"factors must be 1 or more, not {factors!r}")
        self._n_factors = factors

    def _learn(self, history: csr_matrix, rng: np.random.Generator) -> Factors:
        item = _right_vectors(history, self._n_factors)
        return Factors(user=history @ item, item=item)

    def _fold_in(self, histories: csr_matrix) -> NDArray[np.float64]:
        folded: NDArray[np.float64] = histories @ self._factors.item
        return folded

    def _shares(self, own: NDArray[np.int32]) -> NDArray[np.float64]:
        return self._factors.item[own]


def _right_vectors(matrix: csr_matrix, rank: int) -> NDArray[np.float64]:
    """(n_columns, rank or fewer) right singular vectors of the greatest singular values."""
    smaller = min(matrix.shape)
    if smaller <= SMALL or rank >= smaller // 2:
        vectors = np.linalg.svd(matrix.toarray(), full_matrices=False)[2][:rank]
    else:
        # ARPACK would draw where it starts; ones are as good, and always the same.
        vectors = svds(matrix, k=rank, v0=np.ones(smaller))[2]
    return np.ascontiguousarray(vectors.T)

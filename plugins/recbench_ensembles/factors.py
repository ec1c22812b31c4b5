"""The product of factors: a soft-imputed singular value decomposition of what the offsets leave."""

from __future__ import annotations

import numpy as np

from recbench_ensembles.ratings import FloatArray, IntArray, Ratings

RANK = 16
SPARE = 8
ROUNDS = 12
FIRST_SWEEPS = 4


class Product:
    """The inner product of 16 factors of the user and of the item.

    The matrix X of low rank minimises half the sum of (residual - x)^2 over what is rated, plus a multiple of X's
    nuclear norm: missing cells are filled with the last X, singular values are lowered by the multiple, and so on for
    12 rounds. The multiple is about the greatest singular value that noise alone would bring,
    s * (sqrt(n / users) + sqrt(n / items)) with s the spread of the residuals.

    Factors by themselves are no features: fits to two parts of train turn and mirror them differently, and only their
    product means the same in both.

    Source: Mazumder, Hastie, Tibshirani, Spectral Regularization Algorithms for Learning Large Incomplete Matrices,
        JMLR 2010; the sum of a sparse and a low-rank matrix as in Hastie and others, JMLR 2015.
    """

    names = ("factors of the user and the item",)

    def __init__(self, ratings: Ratings, residuals: FloatArray, rng: np.random.Generator) -> None:
        width = min(RANK + SPARE, ratings.n_users, ratings.n_items)
        self._user = np.zeros((ratings.n_users, width))
        self._item = np.linalg.qr(rng.standard_normal((ratings.n_items, width)))[0]
        if len(ratings):
            self._impute(ratings, residuals)

    def columns(self, users: IntArray, items: IntArray) -> list[FloatArray]:
        """One column, (m,)."""
        return [np.einsum("nf,nf->n", self._user[users], self._item[items])]

    def _impute(self, ratings: Ratings, residuals: FloatArray) -> None:
        cut = float(residuals.std()) * _greatest_of_noise(ratings)
        rest = ratings.matrix(residuals)
        row = np.repeat(np.arange(ratings.n_users), np.diff(rest.indptr))
        column, target = rest.indices.astype(np.int64), rest.data.copy()
        for turn in range(ROUNDS):
            rest.data[:] = target - self.columns(row, column)[0]
            transposed = rest.T.tocsr()
            basis = self._item
            for _ in range(1 if turn else FIRST_SWEEPS):
                left = rest @ basis + self._user @ (self._item.T @ basis)
                basis = np.linalg.qr(transposed @ left + self._item @ (self._user.T @ left))[0]
            projected = rest @ basis + self._user @ (self._item.T @ basis)
            u, s, v = np.linalg.svd(projected, full_matrices=False)
            s = np.where(np.arange(len(s)) < RANK, np.maximum(s - cut, 0.0), 0.0)
            self._user, self._item = u * s, np.ascontiguousarray(basis @ v.T)


def _greatest_of_noise(ratings: Ratings) -> float:
    return float(np.sqrt(len(ratings) / ratings.n_users) + np.sqrt(len(ratings) / ratings.n_items))

"""Non-negative matrix factorisation: of ratings, and of what users have."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.decomposition import NMF
from sklearn.exceptions import ConvergenceWarning

from recbench.api import Dataset, greatest
from recbench_factors.rankers import FactorRanker, Factors
from recbench_factors.raters import FactorRater, Model

FloatArray = NDArray[np.float64]


class RatingNMF(FactorRater):
    """Predicts p_u . q_i with factors of 0 or more, by multiplicative updates over the known ratings.

    In each epoch p_u *= sum of r q / (sum of r' q + reg * n * p_u) over the user's n ratings, r' being the predicted
    ones, and q_i likewise, both from the factors before. Factors start as draws from U(0, 1), times what makes their
    products average the mean rating: on ratings of 1 to 5 with 15 factors that is .97. Surprise draws from U(0, 1) on
    any scale; where that starts far off, users and items correct it at once, and predictions swing to and fro. On
    small and dense data they may do so all the same.
    Users or items without a training rating: NaN.

    Args:
        factors: numbers a user and an item.
        epochs: times all factors are set.
        reg: regularisation.

    Source: Luo, Zhou, Xia, Zhu, An Efficient Non-Negative Matrix-Factorization-Based Approach to Collaborative
        Filtering, IEEE TII 2014; unbiased NMF in Surprise, whose defaults these are.
    """

    def __init__(self, *, factors: int = 15, epochs: int = 50, reg: float = 0.06) -> None:
        if factors < 1 or epochs < 1:
            raise ValueError(f"factors and epochs must be 1 or more, not {factors!r} and {epochs!r}")
        if not reg >= 0:
            raise ValueError(f"reg must be 0 or more, not {reg!r}")
        self._n_factors = factors
        self._epochs = epochs
        self._reg = reg

    def _learn(self, train: Dataset, rng: np.random.Generator) -> Model:
        ratings = train.user_item("rating")
        # Two draws from U(0, 1) multiply to 1/4 on average.
        reach = 2.0 * np.sqrt((ratings.data.mean() if ratings.nnz else 0.0) / self._n_factors)
        user = reach * rng.random((train.n_users, self._n_factors))
        item = reach * rng.random((train.n_items, self._n_factors))
        by_item = ratings.T.tocsr()
        for _ in range(self._epochs):
            user, item = (
                user * self._growth(ratings, user, item),
                item * self._growth(by_item, item, user),
            )
        return Model(
            mean=0.0,
            user_offset=_unknown(np.diff(ratings.indptr)),
            item_offset=_unknown(np.bincount(ratings.indices, minlength=train.n_items)),
            user=user,
            item=item,
        )

    def _growth(self, ratings: csr_matrix, mine: FloatArray, others: FloatArray) -> FloatArray:
        """What to multiply factors of rows with; 1 where there is nothing to go by."""
        above = ratings @ others
        below = _predicted(ratings, mine, others) @ others + self._reg * np.diff(ratings.indptr)[:, None] * mine
        growth: FloatArray = np.divide(above, below, out=np.ones(mine.shape), where=below > 0.0)
        return growth

    def _terms(self, user: int, item: int) -> list[tuple[float, str]]:
        parts = self._model.user[user] * self._model.item[item]
        return greatest(parts, _topics(self._model.item, self._names), rest="factors")


class RankingNMF(FactorRanker):
    """Ranks by p_u . q_i, with factors of 0 or more whose products are near the 0/1 matrix of users and items.

    Args:
        factors: numbers a user and an item.
        loss: what "near" means: "frobenius" (squared error) or "kullback-leibler".
        iterations: of multiplicative updates.
        reg: regularisation, of the squares; scikit-learn's `alpha_W` with an `l1_ratio` of 0.

    Source: Lee and Seung, Algorithms for Non-negative Matrix Factorization, NIPS 2000; by scikit-learn's NMF, started
        with "nndsvda", as in Ferrari Dacrema and others, TOIS 2021.
    """

    def __init__(
        self,
        *,
        factors: int = 20,
        loss: Literal["frobenius", "kullback-leibler"] = "kullback-leibler",
        iterations: int = 200,
        reg: float = 0.1,
    ) -> None:
        if factors < 1 or iterations < 1:
            raise ValueError(f"factors and iterations must be 1 or more, not {factors!r} and {iterations!r}")
        if loss not in ("frobenius", "kullback-leibler"):
            raise ValueError(f"loss must be 'frobenius' or 'kullback-leibler', not {loss!r}")
        if not reg >= 0:
            raise ValueError(f"reg must be 0 or more, not {reg!r}")
        self._n_factors = factors
        self._loss = loss
        self._iterations = iterations
        self._reg = reg

    def _learn(self, history: csr_matrix, rng: np.random.Generator) -> Factors:
        if not history.nnz:
            return Factors(user=np.zeros((history.shape[0], 1)), item=np.zeros((history.shape[1], 1)))
        model = NMF(
            n_components=min(self._n_factors, *history.shape),
            init="nndsvda",
            solver="mu",
            beta_loss=self._loss,
            max_iter=self._iterations,
            alpha_W=self._reg,
            l1_ratio=0.0,
            # The start is a randomised SVD, so accurate that the seed would change nothing but the last digits.
            random_state=0,
        )
        with warnings.catch_warnings():
            # `iterations` are as many as asked for.
            warnings.simplefilter("ignore", ConvergenceWarning)
            user = model.fit_transform(history)
        return Factors(user=user, item=np.ascontiguousarray(model.components_.T))

    def _fold_in(self, histories: csr_matrix) -> FloatArray:
        """The same multiplicative updates with the items' factors held, from 1: they lead to the only optimum."""
        item, reg = self._factors.item, self._reg * len(self._factors.item)
        user = np.ones((histories.shape[0], item.shape[1]))
        for _ in range(self._iterations):
            if self._loss == "frobenius":
                above, below = histories @ item, user @ (item.T @ item) + reg * user
            else:
                above, below = _ratios(histories, user, item) @ item, item.sum(axis=0) + reg * user
            user *= np.divide(above, below, out=np.zeros(user.shape), where=below > 0.0)
        return user

    def _terms(self, user: int, item: int) -> list[tuple[float, str]]:
        parts = self._factors.user[user] * self._factors.item[item]
        return greatest(parts, _topics(self._factors.item, self._names), rest="factors")


def _predicted(ratings: csr_matrix, rows: FloatArray, columns: FloatArray) -> csr_matrix:
    """Predictions in the places of the known ratings."""
    row = np.repeat(np.arange(ratings.shape[0]), np.diff(ratings.indptr))
    values = np.einsum("nf,nf->n", rows[row], columns[ratings.indices])
    return csr_matrix((values, ratings.indices, ratings.indptr), shape=ratings.shape)


def _ratios(ones: csr_matrix, rows: FloatArray, columns: FloatArray) -> csr_matrix:
    """1 / prediction in the places of the ones, 0 where the prediction is 0."""
    predicted = _predicted(ones, rows, columns)
    np.divide(1.0, predicted.data, out=predicted.data, where=predicted.data > 0.0)
    return predicted


def _unknown(counts: NDArray[np.integer]) -> FloatArray:
    """0, or NaN where there is no rating to learn from."""
    return np.where(counts > 0, 0.0, np.nan)


def _topics(item: FloatArray, names: Sequence[str]) -> list[str]:
    """Name each factor by the item that has most of it."""
    return [f"what {names[best]} has most of" for best in np.argmax(item, axis=0)]

"""Slope One: mean differences between the ratings of two items."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from recbench.api import Dataset, greatest, item_names, written_out


class SlopeOne:
    """Predicts the user's mean plus how much more the item is liked than the user's items, on average.

    dev(i, j) is the mean of r(v, i) - r(v, j) over the users v who rated both; the prediction is the mean of u's
    ratings plus the mean of dev(i, j) over u's items j that somebody rated together with i, or plus 0 where there is
    none. All dev count alike: this is the unweighted form. Users or items without a training rating: NaN.

    It takes two arrays of n_items x n_items float64: 90 MB at 2,400 items.

    Source: Lemire and Maclachlan, Slope One Predictors for Online Rating-Based Collaborative Filtering, SDM 2005;
        SlopeOne in Surprise.
    """

    def fit(self, train: Dataset, *, seed: int) -> None:
        """Find the mean differences of all pairs of items."""
        self._ratings = train.user_item("rating")
        rated = _ones(self._ratings)
        # Sparse products would copy arrays of another order every time.
        together = (rated.T @ rated).toarray(order="C")
        sums = (rated.T @ self._ratings).toarray(order="C")  # (j, i): ratings of i by those who rated j too
        sums -= sums.T.copy()
        self._more = np.divide(sums, together, out=sums, where=together > 0.0)  # (j, i): dev(i, j)
        self._together = (together > 0.0).astype(np.float64)
        self._names = item_names(train)
        self._is_rated = np.diff(rated.tocsc().indptr) > 0

    def predict(self, users: NDArray[np.int64], items: NDArray[np.int64]) -> NDArray[np.float64]:
        """Predict ratings for pairs: (m,), (m,) -> (m,), not clipped."""
        predictions = np.empty(len(users))
        order = np.argsort(users, kind="stable")
        for pairs in np.array_split(order, max(1, len(users) // 20_000)):
            asked, row = np.unique(users[pairs], return_inverse=True)
            predictions[pairs] = self.score(asked)[row, items[pairs]]
        return predictions

    def score(self, users: NDArray[np.int64]) -> NDArray[np.float64]:
        """Predict a rating for each item of the catalogue: (m,) -> (m, n_items)."""
        return self._ratings_of(self._ratings[users])

    def score_new(self, histories: Dataset) -> NDArray[np.float64]:
        """Predict ratings of users who were not there in `fit`: -> (n_users, n_items)."""
        return self._ratings_of(histories.user_item("rating"))

    def explain(self, user: int, items: NDArray[np.int64]) -> Sequence[str]:
        """Write out the user's mean, and how the item compares with the user's own."""
        own = self._ratings[[user]]
        predicted = self._ratings_of(own)[0]
        return [self._sentence(float(predicted[item]), own, item) for item in items.tolist()]

    def _ratings_of(self, ratings: csr_matrix) -> NDArray[np.float64]:
        rated = _ones(ratings)
        sums, counts = rated @ self._more, rated @ self._together
        predicted = np.divide(sums, counts, out=np.zeros(sums.shape), where=counts > 0.0)
        predicted += _means(ratings)[:, None]
        predicted[:, ~self._is_rated] = np.nan
        return np.asarray(predicted, dtype=np.float64)

    def _sentence(self, predicted: float, own: csr_matrix, item: int) -> str:
        if np.isnan(predicted):
            return "nothing can be said: the user or the item has no rating"
        near = own.indices[self._together[own.indices, item] > 0.0]
        parts = self._more[near, item] / max(len(near), 1)
        names = [f"against {self._names[other]}" for other in near]
        return written_out(
            predicted, [(float(_means(own)[0]), "mean of the user"), *greatest(parts, names, rest="items")]
        )


def _ones(ratings: csr_matrix) -> csr_matrix:
    return csr_matrix((np.ones(ratings.nnz), ratings.indices, ratings.indptr), shape=ratings.shape)


def _means(ratings: csr_matrix) -> NDArray[np.float64]:
    """Mean of each row's entries; NaN where there is none."""
    counts = np.diff(ratings.indptr)
    means = np.full(len(counts), np.nan)
    np.divide(np.asarray(ratings.sum(axis=1)).ravel(), counts, out=means, where=counts > 0)
    return means

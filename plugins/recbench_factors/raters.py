"""What rating predictors by factors share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recbench.api import Dataset, item_names, written_out

PAIRS_AT_ONCE = 1 << 15


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Model:
    """What was learned: r(u, i) = mean + b_u + b_i + p_u . q_i. An offset of NaN means that nothing can be said.

    Attributes:
        mean: of all ratings, or 0.
        user_offset: (n_users,) b_u.
        item_offset: (n_items,) b_i.
        user: (n_users, f) p_u.
        item: (n_items, f) q_i.
    """

    mean: float
    user_offset: NDArray[np.float64]
    item_offset: NDArray[np.float64]
    user: NDArray[np.float64]
    item: NDArray[np.float64]


class FactorRater(ABC):
    """Predicts ratings by offsets and the inner product of factors. How they are learned is up to the children."""

    _model: Model

    def fit(self, train: Dataset, *, seed: int) -> None:
        """Learn from the ratings of train."""
        self._names = item_names(train)
        self._model = self._learn(train, np.random.default_rng(seed))

    def predict(self, users: NDArray[np.int64], items: NDArray[np.int64]) -> NDArray[np.float64]:
        """Predict ratings for pairs: (m,), (m,) -> (m,), not clipped."""
        model = self._model
        predictions = model.mean + model.user_offset[users] + model.item_offset[items]
        for first in range(0, len(users), PAIRS_AT_ONCE):
            part = slice(first, first + PAIRS_AT_ONCE)
            predictions[part] += np.einsum("nf,nf->n", model.user[users[part]], model.item[items[part]])
        return predictions

    def score(self, users: NDArray[np.int64]) -> NDArray[np.float64]:
        """Predict a rating for each item of the catalogue: (m,) -> (m, n_items)."""
        return self._ratings(self._model.user_offset[users], self._model.user[users])

    def explain(self, user: int, items: NDArray[np.int64]) -> Sequence[str]:
        """Write out the parts of the predicted rating."""
        predicted = self.predict(np.full(len(items), user), items)
        return [
            "nothing can be said: the user or the item has no rating"
            if np.isnan(rating)
            else written_out(float(rating), self._terms(user, item))
            for rating, item in zip(predicted, items.tolist(), strict=True)
        ]

    @abstractmethod
    def _learn(self, train: Dataset, rng: np.random.Generator) -> Model:
        """Give offsets and factors for train."""

    def _ratings(self, offset: NDArray[np.float64], factors: NDArray[np.float64]) -> NDArray[np.float64]:
        """(m, n_items) ratings by users of whom the offsets and factors are known."""
        ratings: NDArray[np.float64] = factors @ self._model.item.T
        ratings += self._model.mean + offset[:, None] + self._model.item_offset
        return ratings

    def _terms(self, user: int, item: int) -> list[tuple[float, str]]:
        model = self._model
        return [
            (model.mean, "mean of all ratings"),
            (float(model.user_offset[user]), "offset of the user"),
            (float(model.item_offset[item]), f"offset of {self._names[item]}"),
            (float(model.user[user] @ model.item[item]), "factors of the user and the item"),
        ]

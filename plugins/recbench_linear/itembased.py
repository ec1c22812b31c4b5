"""What all linear item-based rankers share: scoring, new users, and saying why."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, issparse

from recbench.api import Dataset, greatest, item_names, written_out

Weights: TypeAlias = NDArray[np.float64] | csr_matrix


class ItemBased(ABC):
    """Ranks by score(u, i) = sum over the items j of user u of w(j, i). How w is learned is up to the children.

    A user whose scores are all 0 (without a history, or with one that tells nothing) gets the items by popularity.
    """

    _weights: Weights  # (n_items, n_items); row: an item the user has, column: the item to score

    def fit(self, train: Dataset, *, seed: int) -> None:
        """Learn the weights from the positives of train."""
        self._history = train.user_item("one", positives_only=True)
        self._popularity = np.bincount(self._history.indices, minlength=train.n_items).astype(np.float64)
        self._names = item_names(train)
        self._weights = self._learn(self._history)

    def score(self, users: NDArray[np.int64]) -> NDArray[np.float64]:
        """Score the catalogue: (m,) -> (m, n_items)."""
        return self._score(self._history[users])

    def score_new(self, histories: Dataset) -> NDArray[np.float64]:
        """Score for users who were not there in `fit`, as if their items had been those of a known user."""
        return self._score(histories.user_item("one", positives_only=True))

    def explain(self, user: int, items: NDArray[np.int64]) -> Sequence[str]:
        """Name the items of the user that the score is the sum of."""
        own = self._history[[user]]
        scores = self._sums(own)[0]
        if not scores.any():
            return [f"{self._popularity[item]:.0f} users have it; what this user has tells nothing" for item in items]
        parts = self._among(own.indices, items)  # (own, items)
        return [
            self._sentence(float(scores[item]), part, own.indices)
            for item, part in zip(items.tolist(), parts.T, strict=True)
        ]

    @abstractmethod
    def _learn(self, history: csr_matrix) -> Weights:
        """Give w for (n_users, n_items) CSR of ones."""

    def _score(self, histories: csr_matrix) -> NDArray[np.float64]:
        scores = self._sums(histories)
        scores[~scores.any(axis=1)] = self._popularity
        return scores

    def _sums(self, histories: csr_matrix) -> NDArray[np.float64]:
        product = histories @ self._weights
        sums: NDArray[np.float64] = product.toarray() if issparse(product) else product
        return sums

    def _among(self, own: NDArray[np.int32], items: NDArray[np.int64]) -> NDArray[np.float64]:
        rows = self._weights[own]
        return rows[:, items].toarray() if isinstance(rows, csr_matrix) else rows[:, items]

    def _sentence(self, score: float, parts: NDArray[np.float64], own: NDArray[np.int32]) -> str:
        telling = np.flatnonzero(parts)
        if not len(telling):
            return f"{score:.4f}: nothing the user has tells anything of it"
        names = [self._names[own[place]] for place in telling]
        return written_out(score, greatest(parts[telling], names, rest="items"))

"""What rankers by factors share: scoring by inner products, new users, and saying why."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from recbench.api import Dataset, greatest, item_names, written_out


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Factors:
    """What was learned of users and items.

    Attributes:
        user: (n_users, f).
        item: (n_items, f).
        offset: (n_items,) added to an item's score for everybody, or None.
    """

    user: NDArray[np.float64]
    item: NDArray[np.float64]
    offset: NDArray[np.float64] | None = None


class FactorRanker(ABC):
    """Ranks by score(u, i) = p_u . q_i + b_i. How the factors are learned is up to the children.

    A user without positives in train gets the items by popularity.
    """

    def fit(self, train: Dataset, *, seed: int) -> None:
        """Learn factors of users and items from the positives of train."""
        self._history = train.user_item("one", positives_only=True)
        self._popularity = np.bincount(self._history.indices, minlength=train.n_items).astype(np.float64)
        self._names = item_names(train)
        self._factors = self._learn(self._history, np.random.default_rng(seed))

    def score(self, users: NDArray[np.int64]) -> NDArray[np.float64]:
        """Score the catalogue: (m,) -> (m, n_items)."""
        return self._scores(self._factors.user[users], self._history[users])

    def score_new(self, histories: Dataset) -> NDArray[np.float64]:
        """Score for users who were not there in `fit`: -> (n_users, n_items)."""
        matrix = histories.user_item("one", positives_only=True)
        return self._scores(self._fold_in(matrix), matrix)

    def explain(self, user: int, items: NDArray[np.int64]) -> Sequence[str]:
        """Write out what the score is the sum of."""
        if not self._history[[user]].nnz:
            return [f"{self._popularity[item]:.0f} users have it; nothing is known of this user" for item in items]
        scores = self.score(np.array([user]))[0]
        return [written_out(float(scores[item]), self._terms(user, item)) for item in items.tolist()]

    @abstractmethod
    def _learn(self, history: csr_matrix, rng: np.random.Generator) -> Factors:
        """Give factors for (n_users, n_items) CSR of ones."""

    @abstractmethod
    def _fold_in(self, histories: csr_matrix) -> NDArray[np.float64]:
        """(m, f) factors of users by their histories."""

    def _terms(self, user: int, item: int) -> list[tuple[float, str]]:
        """The terms of one score."""
        product = float(self._factors.user[user] @ self._factors.item[item])
        offset = 0.0 if self._factors.offset is None else float(self._factors.offset[item])
        return [(product, "factors of the user and the item"), (offset, f"offset of {self._names[item]}")]

    def _scores(self, user_factors: NDArray[np.float64], histories: csr_matrix) -> NDArray[np.float64]:
        scores = user_factors @ self._factors.item.T
        if self._factors.offset is not None:
            scores += self._factors.offset
        scores[np.diff(histories.indptr) == 0] = self._popularity
        return scores


class SummingRanker(FactorRanker):
    """A ranker whose users' factors are sums over their items, given the items' factors."""

    @abstractmethod
    def _shares(self, own: NDArray[np.int32]) -> NDArray[np.float64]:
        """(own, f): what each item of a user adds to the user's factors."""

    def _terms(self, user: int, item: int) -> list[tuple[float, str]]:
        own = self._history[[user]].indices
        parts = self._shares(own) @ self._factors.item[item]
        return greatest(parts, [self._names[each] for each in own.tolist()], rest="items")

"""Ranking and rating by lot: the floor of every board."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from recbench.api import Dataset

RANKING, RATING, NEW_USERS = range(3)
"""Streams of random numbers, apart from each other."""


class Random:
    """Ranks by lot, and draws ratings from the normal distribution of the training ratings.

    Each user has a generator of its own, from (seed, user), so results do not depend on who is asked for together.
    Ratings are clipped to the scale.

    Source: NormalPredictor in Surprise.
    """

    def fit(self, train: Dataset, *, seed: int) -> None:
        """Take the seed, and the mean and the spread of ratings."""
        rating = train.interactions.rating.astype(np.float64)
        self._seed = seed
        self._n_items = train.n_items
        self._mean = float(rating.mean()) if len(rating) else 0.0
        self._spread = float(rating.std()) if len(rating) else 0.0
        self._scale = train.scale

    def score(self, users: NDArray[np.int64]) -> NDArray[np.float64]:
        """Draw uniformly: (m,) -> (m, n_items) in [0, 1)."""
        return self._uniform(RANKING, users)

    def score_new(self, histories: Dataset) -> NDArray[np.float64]:
        """Draw uniformly for users who were not there in `fit`: -> (n_users, n_items) in [0, 1)."""
        return self._uniform(NEW_USERS, np.arange(histories.n_users))

    def predict(self, users: NDArray[np.int64], items: NDArray[np.int64]) -> NDArray[np.float64]:
        """Draw ratings for pairs: (m,), (m,) -> (m,) on the scale."""
        asked, row = np.unique(users, return_inverse=True)
        ratings = np.empty(len(users))
        order = np.argsort(row, kind="stable")
        ends = np.cumsum(np.bincount(row, minlength=len(asked)))
        for user, pairs in zip(asked.tolist(), np.split(order, ends[:-1]), strict=False):
            normal = np.random.default_rng([self._seed, RATING, user]).standard_normal(self._n_items)
            ratings[pairs] = self._mean + self._spread * normal[items[pairs]]
        return ratings if self._scale is None else np.clip(ratings, *self._scale)

    def explain(self, user: int, items: NDArray[np.int64]) -> Sequence[str]:
        """Say that it was a lot."""
        scores = self.score(np.array([user]))[0]
        return [f"{scores[item]:.4f} was drawn by lot between 0 and 1" for item in items.tolist()]

    def _uniform(self, stream: int, users: NDArray[np.int64]) -> NDArray[np.float64]:
        scores = np.empty((len(users), self._n_items))
        for row, user in enumerate(users.tolist()):
            np.random.default_rng([self._seed, stream, user]).random(out=scores[row])
        return scores

"""Popularity: what everybody takes, ever or lately."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from recbench.api import Dataset

SECONDS_A_DAY = 86_400
ROWS_AT_ONCE = 1 << 20  # NumPy turns what it counts into int64


class Popularity:
    """Ranks items by how many users have them.

    score(u, i) = the number of users with item i among the positives of train.
    """

    def fit(self, train: Dataset, *, seed: int) -> None:
        """Count the users of each item."""
        self._scores = _counts(train.positives().item, train)

    def score(self, users: NDArray[np.int64]) -> NDArray[np.float64]:
        """Score the catalogue, the same for everybody: (m,) -> (m, n_items), a view that cannot be written to."""
        return np.broadcast_to(self._scores, (len(users), len(self._scores)))

    def score_new(self, histories: Dataset) -> NDArray[np.float64]:
        """Score the catalogue for users who were not there in `fit`: -> (n_users, n_items)."""
        return np.broadcast_to(self._scores, (histories.n_users, len(self._scores)))

    def explain(self, user: int, items: NDArray[np.int64]) -> Sequence[str]:
        """Say how many users have each item."""
        return [f"{self._scores[item]:.0f} users have it" for item in items.tolist()]


class RecentPopularity(Popularity):
    """Ranks items by how many users took them in the last days of train.

    score(u, i) = users who took i after (last time in train - days), plus a part below 1 that orders ties by
    popularity over all time. Without times, it is popularity over all time.

    Args:
        days: how far back "recent" goes.

    Source: Ji, Sun, Zhang, Li, A Re-visit of the Popularity Baseline in Recommender Systems, SIGIR 2020.
    """

    def __init__(self, *, days: float = 30) -> None:
        if not days > 0:
            raise ValueError(f"days must be above 0, not {days!r}")
        self._days = days

    def fit(self, train: Dataset, *, seed: int) -> None:
        """Count the users of each item, those of the last days before all."""
        positives = train.positives()
        self._ever = _counts(positives.item, train)
        self._recent = self._ever
        if positives.time is not None and len(positives):
            # The end is that of all interactions: a low rating shows that time went on, too.
            start = _last_time(train) - self._days * SECONDS_A_DAY
            self._recent = _counts(positives.item[positives.time > start], train)
        self._scores = self._recent + self._ever / (1.0 + self._ever.max(initial=0.0))

    def explain(self, user: int, items: NDArray[np.int64]) -> Sequence[str]:
        """Say how many users took each item lately, and what orders ties."""
        parts = zip(self._scores[items], self._recent[items], self._ever[items], strict=True)
        return [
            f"{score:.4f} = {recent:.0f} users in the last {self._days:g} days + {score - recent:.4f} for ties, "
            f"from {ever:.0f} users ever"
            for score, recent, ever in parts
        ]


def _counts(items: NDArray[np.int32], train: Dataset) -> NDArray[np.float64]:
    """(n_items,) how often each item occurs; read-only, since views of it are handed out."""
    counts = np.zeros(train.n_items)
    for first in range(0, len(items), ROWS_AT_ONCE):
        counts += np.bincount(items[first : first + ROWS_AT_ONCE], minlength=train.n_items)
    counts.flags.writeable = False
    return counts


def _last_time(train: Dataset) -> int:
    time = train.interactions.time
    return 0 if time is None else int(time.max())

"""States: the clusters of the items a user took last."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recbench_qlearning.steps import Steps


@dataclass(frozen=True, slots=True, kw_only=True)
class States:
    """Numbers the sequences of `recent` clusters, each of which may also be missing.

    A state is a number to the base n_clusters + 1: the last cluster is the first digit, the one before the second;
    the digit n_clusters stands for no item.
    """

    n_clusters: int
    recent: int

    @property
    def count(self) -> int:
        """How many states there are."""
        return int((self.n_clusters + 1) ** self.recent)

    @property
    def nothing(self) -> int:
        """The state of somebody who took nothing yet."""
        return self.count - 1

    def after(self, states: NDArray[np.int64], clusters: NDArray[np.int64]) -> NDArray[np.int64]:
        """The states that taking an item of a cluster leads to: the oldest cluster is forgotten."""
        base = self.n_clusters + 1
        following: NDArray[np.int64] = clusters * int(base ** (self.recent - 1)) + states // base
        return following

    def shorter(self) -> States:
        """States that remember one item less; `s // (n_clusters + 1)` is the one that belongs to s."""
        return States(n_clusters=self.n_clusters, recent=self.recent - 1)

    def before_steps(self, steps: Steps, clusters: NDArray[np.int64]) -> NDArray[np.int64]:
        """(n,) the state each step is taken in; clusters: (n,) of its items."""
        states = np.zeros(len(steps), dtype=np.int64)
        for ago in range(1, self.recent + 1):
            digit = np.full(len(steps), self.n_clusters)
            follows = np.flatnonzero(steps.follows(ago))
            digit[follows] = clusters[follows - ago]
            states = states * (self.n_clusters + 1) + digit
        return states

    def after_last(self, steps: Steps, clusters: NDArray[np.int64], n_users: int) -> NDArray[np.int64]:
        """(n_users,) the state each user is in after the last step."""
        states = np.full(n_users, self.nothing, dtype=np.int64)
        # Of the many steps of a user the last one is written last.
        states[steps.user] = self.after(self.before_steps(steps, clusters), clusters)
        return states

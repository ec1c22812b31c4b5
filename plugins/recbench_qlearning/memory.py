"""Replay memory: what was tried lately, to learn from in another order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Transitions:
    """Tried actions: in `state` the `action` paid `reward` and led to `following`, -1 where that was the end."""

    state: NDArray[np.int64]
    action: NDArray[np.int64]
    reward: NDArray[np.float64]
    following: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.state)


class ReplayMemory:
    """Keeps the last `capacity` transitions; the oldest are overwritten first."""

    def __init__(self, capacity: int) -> None:
        self._kept = Transitions(
            state=np.zeros(capacity, dtype=np.int64),
            action=np.zeros(capacity, dtype=np.int64),
            reward=np.zeros(capacity),
            following=np.zeros(capacity, dtype=np.int64),
        )
        self._capacity = capacity
        self._added = 0

    def __len__(self) -> int:
        return min(self._added, self._capacity)

    def add(self, new: Transitions) -> None:
        """Keep transitions, at most `capacity` at once."""
        places = (self._added + np.arange(len(new))) % self._capacity
        self._kept.state[places] = new.state
        self._kept.action[places] = new.action
        self._kept.reward[places] = new.reward
        self._kept.following[places] = new.following
        self._added += len(new)

    def sample(self, rng: np.random.Generator, n: int) -> Transitions:
        """Draw `n` of the kept transitions with replacement."""
        places = rng.integers(len(self), size=n)
        return Transitions(
            state=self._kept.state[places],
            action=self._kept.action[places],
            reward=self._kept.reward[places],
            following=self._kept.following[places],
        )

"""Interactions as the steps of visits: user by user, in the order of time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recbench.api import Dataset


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Steps:
    """What users did, sorted by user and then by time.

    Attributes:
        user: (n,) int64, ascending.
        item: (n,) int64.
        reward: (n,) float64 in [0, 1]: the rating, with the scale's ends at 0 and 1; 1 where there are no ratings.
    """

    user: NDArray[np.int64]
    item: NDArray[np.int64]
    reward: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.user)

    def follows(self, ago: int) -> NDArray[np.bool_]:
        """(n,) whether the step `ago` places before belongs to the same user."""
        same = np.zeros(len(self), dtype=np.bool_)
        same[ago:] = self.user[ago:] == self.user[: max(len(self) - ago, 0)]
        return same


def steps_of(dataset: Dataset) -> Steps:
    """Put interactions in order; those at one time, or without times, keep the order of the file."""
    rows = dataset.interactions
    order = np.lexsort((rows.user,)) if rows.time is None else np.lexsort((rows.time, rows.user))
    return Steps(
        user=rows.user[order].astype(np.int64),
        item=rows.item[order].astype(np.int64),
        reward=_rewards(dataset)[order],
    )


def _rewards(dataset: Dataset) -> NDArray[np.float64]:
    ratings = dataset.interactions.rating.astype(np.float64)
    if dataset.scale is None or dataset.scale[0] == dataset.scale[1]:
        return np.ones_like(ratings)
    least, greatest = dataset.scale
    return np.clip((ratings - least) / (greatest - least), 0.0, 1.0)

"""Settings of stochastic gradient descent, and ratings in the order it takes them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recbench.api import Dataset


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """How to descend. See the classes that take these as parameters."""

    factors: int
    epochs: int
    rate: float
    reg: float
    spread: float = 0.1

    def __post_init__(self) -> None:
        for name in ("factors", "epochs"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be 1 or more, not {getattr(self, name)!r}")
        if not self.rate > 0:
            raise ValueError(f"rate must be above 0, not {self.rate!r}")
        for name in ("reg", "spread"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name} must be 0 or more, not {getattr(self, name)!r}")

    def draw(self, rng: np.random.Generator, there: NDArray[np.bool_]) -> NDArray[np.float64]:
        """(n, factors) draws from N(0, spread), and 0 for rows that are not there in train."""
        factors = rng.normal(0.0, self.spread, (len(there), self.factors))
        factors[~there] = 0.0
        return factors


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ratings:
    """Ratings user by user in the order of the table, each user's in the order of the file.

    Attributes:
        user: (n,) int32.
        item: (n,) int32.
        rating: (n,) float64.
        has_user: (n_users,) who has a rating.
        has_item: (n_items,) what has a rating.
        mean: of all ratings; 0 where there is none.
    """

    user: NDArray[np.int32]
    item: NDArray[np.int32]
    rating: NDArray[np.float64]
    has_user: NDArray[np.bool_]
    has_item: NDArray[np.bool_]
    mean: float


def ratings_of(train: Dataset) -> Ratings:
    """Sort the interactions of train by user."""
    rows = train.interactions
    order = np.argsort(rows.user, kind="stable")
    return Ratings(
        user=rows.user[order],
        item=rows.item[order],
        rating=rows.rating[order].astype(np.float64),
        has_user=np.bincount(rows.user, minlength=train.n_users) > 0,
        has_item=np.bincount(rows.item, minlength=train.n_items) > 0,
        mean=float(rows.rating.mean(dtype=np.float64)) if len(rows) else 0.0,
    )

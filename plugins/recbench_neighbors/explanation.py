"""Saying what a score is the sum of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recbench.api import Dataset, item_names

SHOWN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What people call users and items."""

    users: Sequence[str]
    items: Sequence[str]


def names_of(train: Dataset) -> Names:
    """Items by title where the data has titles, else by id; users by id."""
    return Names(users=[f"user {name}" for name in train.user_ids], items=item_names(train))


def contributions(total: float, parts: NDArray[np.float64], names: Sequence[str]) -> str:
    """Write `total` as a sum of its greatest parts and of the rest. The last figure takes what rounding leaves.

    >>> contributions(0.75, np.array([0.25, 0.5]), ["item 7", "item 8"])
    '0.7500 = 0.5000 (item 8) + 0.2500 (item 7)'
    >>> contributions(0.0, np.array([]), [])
    '0.0000: nothing similar'
    """
    if not len(parts):
        return f"{total:.4f}: nothing similar"
    order = np.argsort(-parts, kind="stable")
    terms = [(round(float(parts[place]), 4), names[place]) for place in order[:SHOWN]]
    if len(parts) > SHOWN:
        terms.append((0.0, f"{len(parts) - SHOWN} more"))
    terms[-1] = (round(total, 4) - sum(figure for figure, _ in terms[:-1]), terms[-1][1])
    return f"{total:.4f} = {' + '.join(f'{figure:.4f} ({name})' for figure, name in terms)}"

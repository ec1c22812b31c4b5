"""What the network sees: who, what, and the features of both."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recbench.api import Categories, Column, Dataset, Interactions, Numbers, Tags

Float32 = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Design:
    """The tables behind the network's input; one-hot columns stay indexes.

    Attributes:
        n_users: length of the one-hot user.
        n_items: length of the one-hot item.
        users: (n_users, f) features of users.
        items: (n_items, g) features of items.
    """

    n_users: int
    n_items: int
    users: Float32
    items: Float32

    @classmethod
    def of(cls, data: Dataset) -> Design:
        """The tables of a data set: tags and categories as zeros and ones, numbers standardised, texts left out."""
        return cls(
            n_users=data.n_users,
            n_items=data.n_items,
            users=_side(list(data.users.values()), data.n_users),
            items=_side(list(data.items.values()), data.n_items),
        )


def targets(rows: Interactions, center: float) -> Float32:
    """(n,) what the network is to give: ratings, less their centre."""
    found: Float32 = (rows.rating - np.float32(center)).astype(np.float32)
    return found


def _side(columns: list[Column], n: int) -> Float32:
    parts = [part for column in columns if (part := _encoded(column)) is not None]
    # A column of zeros where there are no features: some libraries refuse layers without any input.
    return np.hstack(parts or [np.zeros((n, 1))]).astype(np.float32)


def _encoded(column: Column) -> NDArray[np.float64] | None:
    if isinstance(column, Tags):
        return np.asarray(column.matrix().toarray())
    if isinstance(column, Categories):
        chosen: NDArray[np.float64] = (column.codes[:, None] == np.arange(len(column.names))).astype(np.float64)
        return chosen
    if isinstance(column, Numbers):
        return _standardised(column.values)[:, None]
    return None


def _standardised(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean 0 and deviation 1 over what is known; what is unknown becomes the mean."""
    known = values[np.isfinite(values)]
    if not len(known) or known.std() == 0:
        return np.zeros(len(values))
    scaled: NDArray[np.float64] = (values - known.mean()) / known.std()
    return np.where(np.isfinite(scaled), scaled, 0.0)

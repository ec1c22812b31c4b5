"""Pairs of users and items, taken user by user."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray


def by_user(users: NDArray[np.int64]) -> Iterator[NDArray[np.intp]]:
    """The places of each user in (m,) users, in the order in which they stand there."""
    order = np.argsort(users, kind="stable")
    return (part for part in np.split(order, np.flatnonzero(np.diff(users[order])) + 1) if len(part))

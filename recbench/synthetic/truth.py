"""What made-up data was drawn from, as an oracle: no algorithm can know more of users than this."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from recbench.data import FloatArray, Int64Array
from recbench.synthetic.drawing import Shelves, expected_rating
from recbench.synthetic.world import BREADTHS, DAY, DAYS, SLOTS, Items, Users, n_genres

FOLDER = "truth"


class Truth:
    """The world behind made-up data. Users and items go by their numbers, which are their ids.

    Args:
        users: see `Users`.
        items: see `Items`.
    """

    def __init__(self, users: Users, items: Items) -> None:
        self.users = users
        self.items = items
        self._shares = _shares(items)

    @classmethod
    def load(cls, folder: Path) -> Truth:
        """Read what `generate` wrote into `folder`."""
        users, items = (np.load(folder / FOLDER / f"{name}.npy", allow_pickle=False) for name in ("users", "items"))
        return cls(Users(**_columns(users)), Items(**_columns(items)))

    def score(self, users: Int64Array) -> FloatArray:
        """How likely each user is to take each item next, but for what the user has: (m,) -> (m, n_items).

        Formula: the sum over the shelves of (share of what the user takes that is from the shelf) x (the item's share
            of the shelf's appeal), times 1 + drift x (2 t - 1) / 4 with t the middle of the user's time.
        """
        taste = np.zeros((len(users), self._shares.shape[0]))
        rows = np.arange(len(users))
        breadth = BREADTHS[self.users.breadth[users]]
        for column in range(breadth.shape[1]):
            taste[rows, self.users.genres[users, column]] += breadth[:, column]
        taste[:, -1] = SLOTS - breadth.sum(axis=1)
        middle = (self.users.first[users] + self.users.span[users] / 2) / (DAYS * DAY)
        season = 1 + self.items.drift * (2 * middle - 1)[:, None] / 4
        scores: FloatArray = csr_matrix(taste) @ self._shares.toarray() * season
        return scores

    def predict(self, users: Int64Array, items: Int64Array) -> FloatArray:
        """What users would give items but for chance, in stars: (m,), (m,) -> (m,)."""
        halves = expected_rating(self.users, self.items, users, items) / 256
        stars: FloatArray = np.clip(halves - 0.5, 1, 10) / 2  # half stars are cut off to whole ones
        return stars


def save(folder: Path, users: Users, items: Items) -> None:
    """Write a world, as one array of records for users and one for items."""
    (folder / FOLDER).mkdir(exist_ok=True)
    for name, table in (("users", users), ("items", items)):
        np.save(folder / FOLDER / f"{name}.npy", _records(table), allow_pickle=False)


def _shares(items: Items) -> csr_matrix:
    """(n_genres + 1, n_items) each item's share of the appeal of what is on a shelf."""
    n, genres = len(items.appeal), n_genres(len(items.appeal))
    shelf = np.concatenate([items.genres[:, 0], items.genres[:, 1], np.full(n, genres)])
    appeal = np.concatenate([2 * items.appeal, items.appeal, items.appeal]) / Shelves(items, genres).totals[shelf]
    return csr_matrix((appeal, (shelf, np.tile(np.arange(n), 3))), shape=(genres + 1, n))


def _records(table: Users | Items) -> NDArray[Any]:
    columns = {name: getattr(table, name) for name in table.__dataclass_fields__}
    kinds = [(name, column.dtype.newbyteorder("<"), column.shape[1:]) for name, column in columns.items()]
    records = np.empty(len(next(iter(columns.values()))), dtype=kinds)
    for name, column in columns.items():
        records[name] = column
    return records


def _columns(records: NDArray[Any]) -> dict[str, NDArray[Any]]:
    return {name: np.ascontiguousarray(records[name]) for name in records.dtype.names or ()}

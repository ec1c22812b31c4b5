"""Features from the tables of users and items, and how users and groups of users rate by them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from recbench.api import Categories, Column, Dataset, Numbers, Tags
from recbench_ensembles.ratings import FloatArray, IntArray, Ratings

MOST_TAGS = 40
MOST_GROUPS = 100
TAG_DAMPING = 5.0
GROUP_DAMPING = 10.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tables:
    """The columns of both tables as numbers. They hold nothing of the ratings.

    Attributes:
        user: by name, (n_users,): numbers, the mean where unknown, and codes of categories.
        item: by name, (n_items,): the same, and 0 or 1 for each of the 40 most frequent tags of a column.
        tags: (n_items, t) 0 or 1, all those tags.
        groups: by name, (n_users,) codes of categories, -1 where unknown.
    """

    user: Mapping[str, FloatArray]
    item: Mapping[str, FloatArray]
    tags: FloatArray
    groups: Mapping[str, NDArray[np.int32]]

    @classmethod
    def of(cls, train: Dataset) -> Tables:
        """Read the tables; texts are left out."""
        tags = {name: value for column in train.items.values() for name, value in _tags(column).items()}
        return cls(
            user=_plain(train.users, "user's"),
            item={**_plain(train.items, "item's"), **tags},
            tags=np.column_stack(list(tags.values())) if tags else np.zeros((train.n_items, 0)),
            groups={
                name: column.codes
                for name, column in train.users.items()
                if isinstance(column, Categories) and len(column.names) <= MOST_GROUPS
            },
        )

    @property
    def names(self) -> tuple[str, ...]:
        """Of the columns."""
        return (*self.user, *self.item)

    def columns(self, users: IntArray, items: IntArray) -> list[FloatArray]:
        """A column a name, (m,) each."""
        return [*(column[users] for column in self.user.values()), *(column[items] for column in self.item.values())]


class Tastes:
    """How a user rates items with the item's tags, and how users of the same group rate the item.

    taste(u, i) = mean over the tags of i of: sum of residuals of u on items with the tag / (their number + 5)
    group(u, i) = sum of residuals on i of users in u's group / (their number + 10), a column for each grouping

    0 where the item has no tags or the user's group is unknown.
    """

    def __init__(self, ratings: Ratings, residuals: FloatArray, tables: Tables) -> None:
        rest, ones = ratings.matrix(residuals), ratings.matrix(np.ones(len(ratings)))
        self._tags = tables.tags
        self._taste = (rest @ self._tags) / (ones @ self._tags + TAG_DAMPING)  # (n_users, t)
        self._groups = [(codes, _group_means(codes, rest, ones)) for codes in tables.groups.values()]
        taste = ("the user's taste for the item's tags",) if self._tags.shape[1] else ()
        self.names = (*taste, *(f"what users of the same {name} think of the item" for name in tables.groups))

    def columns(self, users: IntArray, items: IntArray) -> list[FloatArray]:
        """A column a name, (m,) each."""
        columns = [means[codes[users], items] for codes, means in self._groups]
        if self._tags.shape[1]:
            tags = self._tags[items]
            total = np.einsum("nt,nt->n", self._taste[users], tags)
            columns.insert(0, total / np.maximum(tags.sum(axis=1), 1.0))
        return columns


def _group_means(codes: NDArray[np.int32], rest: csr_matrix, ones: csr_matrix) -> FloatArray:
    """(groups + 1, n_items); the last row, which the code -1 finds, is 0."""
    known = np.flatnonzero(codes >= 0)
    n_groups = int(codes.max(initial=-1)) + 1
    member = csr_matrix((np.ones(len(known)), (codes[known], known)), shape=(n_groups + 1, len(codes)))
    return np.asarray((member @ rest).toarray() / ((member @ ones).toarray() + GROUP_DAMPING))


def _plain(table: Mapping[str, Column], whose: str) -> dict[str, FloatArray]:
    columns = {f"{whose} {name}": _numbers(column) for name, column in table.items()}
    return {name: values for name, values in columns.items() if values is not None}


def _numbers(column: Column) -> FloatArray | None:
    if isinstance(column, Categories):
        return column.codes.astype(np.float64)
    if not isinstance(column, Numbers):
        return None
    known = column.values[np.isfinite(column.values)]
    return np.where(np.isfinite(column.values), column.values, known.mean() if len(known) else 0.0)


def _tags(column: Column) -> dict[str, FloatArray]:
    """The most frequent tags by name, in the order of their names' codes."""
    if not isinstance(column, Tags):
        return {}
    frequency = np.bincount(column.codes, minlength=len(column.names))
    kept = np.sort(np.argsort(-frequency, kind="stable")[:MOST_TAGS])
    matrix = column.matrix()[:, kept].toarray()
    return {column.names[code]: np.minimum(matrix[:, place], 1.0) for place, code in enumerate(kept.tolist())}

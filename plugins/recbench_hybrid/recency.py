"""The order of what a user did, as features of the user."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from recbench.api import Column, Dataset, Numbers, Tags

SECONDS_A_DAY = 86_400.0


def with_recency(train: Dataset, last: int) -> Dataset:
    """The data with more columns of users: what their last items were, and how they came one after the other.

    - "last: TAG", for each tag of the items: the share of it among the tags of the user's `last` last items.
    - "last items", where items have no tags: the items themselves.
    - "gap": log(1 + mean days between one action of the user and the next).
    - "last gap": log(1 + days between the user's last two actions).
    - "since": log(1 + days from the user's last action to the end of train).

    They are one value a user, taken at the end of train; a user without actions has none. Without times, or with
    `last` 0, the data stays as it is.
    """
    if not last or train.interactions.time is None:
        return train
    user, item, days = _in_order(train)
    starts = np.searchsorted(user, np.arange(train.n_users + 1))
    places = _last_places(starts, last)
    columns = {
        **train.users,
        **_last_items(train, user[places], item[places]),
        **_gaps(days, starts),
    }
    return replace(train, users=columns)


def _in_order(train: Dataset) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float64]]:
    """Users, items and days, user by user from first to last. What is at one time stays in the file's order."""
    rows = train.interactions
    assert rows.time is not None
    order = np.lexsort((rows.time, rows.user))
    return rows.user[order], rows.item[order], rows.time[order] / SECONDS_A_DAY


def _last_places(starts: NDArray[np.int64], last: int) -> NDArray[np.int64]:
    """Places of each user's last actions, `last` at most."""
    rank_from_end = np.repeat(starts[1:], np.diff(starts)) - np.arange(starts[-1])
    return np.flatnonzero(rank_from_end <= last)


def _last_items(train: Dataset, user: NDArray[np.int32], item: NDArray[np.int32]) -> dict[str, Column]:
    tags = {name: column for name, column in train.items.items() if isinstance(column, Tags)}
    if not tags:
        starts = np.searchsorted(user, np.arange(train.n_users + 1))
        return {"last items": Tags(starts=starts, codes=item, names=tuple(train.item_ids.tolist()))}
    columns: dict[str, Column] = {}
    for column in tags.values():
        table = column.matrix().toarray()[item]
        totals = np.zeros((train.n_users, len(column.names)))
        np.add.at(totals, user, table)
        shares = totals / np.maximum(totals.sum(axis=1, keepdims=True), 1.0)
        columns |= {f"last: {tag}": Numbers(values=shares[:, place]) for place, tag in enumerate(column.names)}
    return columns


def _gaps(days: NDArray[np.float64], starts: NDArray[np.int64]) -> dict[str, Column]:
    counts = np.diff(starts)
    values = {name: np.full(len(counts), np.nan) for name in ("gap", "last gap", "since")}
    some, several = np.flatnonzero(counts >= 1), np.flatnonzero(counts >= 2)
    first, end = starts[:-1], starts[1:]
    values["gap"][several] = (days[end[several] - 1] - days[first[several]]) / (counts[several] - 1)
    values["last gap"][several] = days[end[several] - 1] - days[end[several] - 2]
    values["since"][some] = days.max(initial=-np.inf) - days[end[some] - 1]
    return {name: Numbers(values=np.log1p(gap)) for name, gap in values.items()}

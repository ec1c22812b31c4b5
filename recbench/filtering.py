"""Which interactions, users and items stay. Pure."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from recbench.data import BoolArray, Dataset, Int32Array, Interactions, RowArray, take_rows


def k_core(user: Int32Array, item: Int32Array, k: int) -> BoolArray:
    """The interactions that are left once every user and every item has at least k of them.

    Drops users and items with fewer than k interactions until there are none such. Edges: k up to 1 keeps all.

    Args:
        user: (n,) indexes.
        item: (n,) indexes.
        k: the least number of interactions.

    Returns:
        (n,) bool, which rows stay.
    """
    rows = np.arange(len(user))
    n_before = -1
    while k > 1 and len(rows) != n_before:
        n_before = len(rows)
        for column in (user, item):
            values = column[rows]
            rows = rows[np.bincount(values)[values] >= k]
    kept = np.zeros(len(user), dtype=np.bool_)
    kept[rows] = True
    return kept


def restrict(dataset: Dataset, rows: BoolArray) -> Dataset:
    """The data set with some interactions only, and only those users and items that have one of them.

    Users and items keep their order, and are numbered anew.

    Args:
        dataset: the data set.
        rows: (n,) bool, which interactions stay.
    """
    interactions = dataset.interactions.take(rows)
    users = np.flatnonzero(np.bincount(interactions.user, minlength=dataset.n_users))
    items = np.flatnonzero(np.bincount(interactions.item, minlength=dataset.n_items))
    return replace(
        dataset,
        interactions=Interactions(
            user=_renumbered(interactions.user, users, dataset.n_users),
            item=_renumbered(interactions.item, items, dataset.n_items),
            rating=interactions.rating,
            time=interactions.time,
        ),
        user_ids=dataset.user_ids[users],
        item_ids=dataset.item_ids[items],
        users={name: take_rows(column, users) for name, column in dataset.users.items()},
        items={name: take_rows(column, items) for name, column in dataset.items.items()},
    )


def _renumbered(values: Int32Array, kept: RowArray, size: int) -> Int32Array:
    numbers = np.zeros(size, dtype=np.int32)
    numbers[kept] = np.arange(len(kept), dtype=np.int32)
    return numbers[values]

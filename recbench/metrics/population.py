"""Who is evaluated, on which test items, and the lists of those users in blocks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from recbench.api import Block, Catalogue
from recbench.data import BoolArray, Float32Array, Int32Array, Int64Array, Split, owned, steps
from recbench.protocols.spec import EvaluationSpec
from recbench.ranking import drawn_users

# Places of lists in a block, and bytes of the table that says what is in test: both about what a cache holds.
_PLACES = 1 << 18
_TABLE = 1 << 22

_IN_TEST, _RELEVANT = 1, 2


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Population:
    """The evaluated users with their test parts.

    Attributes:
        users: (n,) int64, ascending: of the users that are ranked for, those with at least one relevant test item;
            under `users = "warm"`, those of them that have a history.
        relevant: (n,) int64, relevant test items of each.
        warm: (n,) bool, whether the user has anything in train or history.
        starts: (n + 1,) int64; user `users[r]` has the test items `items[starts[r]:starts[r + 1]]`.
        items: int32, ascending within a user.
        ratings: float32.
        is_relevant: bool.
        n_skipped: users in test without a relevant item, of those that are ranked for.
        n_left_out: users with a relevant item but no history, under `users = "warm"`.
    """

    users: Int64Array
    relevant: Int64Array
    warm: BoolArray
    starts: Int64Array
    items: Int32Array
    ratings: Float32Array
    is_relevant: BoolArray
    n_skipped: int
    n_left_out: int


def population_of(split: Split, evaluation: EvaluationSpec) -> Population:
    """Find out who is evaluated.

    Raises:
        ValueError: a pair is in the test part twice.
    """
    data = split.dataset
    user, item, rating = (getattr(data.interactions, name)[split.test_rows] for name in ("user", "item", "rating"))
    threshold = evaluation.relevant_at_least
    is_relevant = np.ones(len(user), dtype=np.bool_) if threshold is None else rating >= threshold
    n_relevant = np.bincount(user[is_relevant], minlength=data.n_users)
    known = with_history(split)
    asked = np.zeros(data.n_users, dtype=np.bool_)
    asked[drawn_users(data.n_users, evaluation.users_at_most, split.fingerprint)] = True
    evaluated = asked & (n_relevant > 0) & (known | (evaluation.users == "all"))
    users = np.flatnonzero(evaluated)
    order = by_user_and_item(user, item, data.n_items)
    if len(users) < data.n_users:
        order = order[evaluated[user[order]]]
    lengths = np.bincount(user, minlength=data.n_users)[users]
    return Population(
        users=owned(users),
        relevant=owned(n_relevant[users]),
        warm=owned(known[users]),
        starts=owned(np.concatenate([[0], np.cumsum(lengths)])),
        items=owned(item[order]),
        ratings=owned(rating[order]),
        is_relevant=owned(is_relevant[order]),
        n_skipped=int(np.count_nonzero(np.bincount(user, minlength=data.n_users)[asked & (n_relevant == 0)])),
        n_left_out=int(np.count_nonzero(asked & (n_relevant > 0) & ~evaluated)),
    )


def by_user_and_item(user: Int32Array, item: Int32Array, n_items: int) -> Int64Array:
    """(n,) int64: rows by user, then by item.

    Raises:
        ValueError: a pair is there twice.
    """
    codes = user.astype(np.int64) * n_items + item
    shift = len(codes).bit_length()
    if int(codes.max(initial=0)).bit_length() + shift < 64:
        # Numbers that carry their row in their low bits are sorted twice as fast as rows by their numbers.
        codes = (codes << shift) | np.arange(len(codes))
        codes.sort()
        order = codes & ((1 << shift) - 1)
        codes >>= shift
    else:
        order = np.argsort(codes)
        codes = codes[order]
    if (codes[1:] == codes[:-1]).any():
        raise ValueError("a pair of user and item is in the test part twice")
    return order


def with_history(split: Split) -> BoolArray:
    """(n_users,) bool, whether a user has anything in train, validation or history."""
    return _occurring(split, "user", split.dataset.n_users, split.train_rows, split.validation_rows, split.history_rows)


def items_in_train(split: Split) -> BoolArray:
    """(n_items,) bool, whether an item is in train or validation."""
    return _occurring(split, "item", split.dataset.n_items, split.train_rows, split.validation_rows)


def _occurring(split: Split, name: str, n: int, *parts: Int64Array) -> BoolArray:
    column = getattr(split.dataset.interactions, name)
    occurs = np.zeros(n, dtype=np.bool_)
    for rows in parts:
        for block in steps(len(rows)):
            occurs[column[rows[block]]] = True
    return occurs


def blocks(lists: Int32Array, population: Population, catalogue: Catalogue) -> Iterator[Block]:
    """The lists of the population, in blocks of users, at their full length."""
    depth = lists.shape[1]
    height = max(1, _PLACES // max(1, depth))
    table = _table(min(height, len(population.users)), catalogue.n_items)
    for first in range(0, len(population.users), height):
        rows = slice(first, min(first + height, len(population.users)))
        users = population.users[rows]
        starts = population.starts[rows.start : rows.stop + 1]
        test = slice(starts[0], starts[-1])
        listed = owned(lists[users])
        marks = _marks(listed, population, rows, table)
        yield Block(
            k=depth,
            users=users,
            lists=listed,
            hits=owned(marks == _RELEVANT),
            in_test=owned(marks > 0),
            relevant=population.relevant[rows],
            test_starts=starts - starts[0],
            test_items=population.items[test],
            test_ratings=population.ratings[test],
            catalogue=catalogue,
        )


def cut(block: Block, k: int) -> Block:
    """The same users with their first k places only."""
    if k == block.k:
        return block
    return replace(block, k=k, lists=block.lists[:, :k], hits=block.hits[:, :k], in_test=block.in_test[:, :k])


def _table(n_users: int, n_items: int) -> NDArray[np.uint8]:
    """Nothing yet about few users, at most `n_users`, and all items.

    It has a column before item 0, which is never marked: that is what an empty place, -1, reads.
    """
    width = n_items + 1
    return np.zeros((max(1, min(_TABLE // width, n_users)), width), dtype=np.uint8)


def _marks(lists: Int32Array, population: Population, rows: slice, empty: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(b, depth) what each place holds: `_RELEVANT`, `_IN_TEST` but not relevant, or 0.

    The table `empty` is marked for some users after the other, read at their lists, and wiped where it was marked.
    """
    height, width = empty.shape
    table = empty.reshape(-1)
    ahead = np.arange(height, dtype=np.int64)[:, None] * width + 1
    marks = np.empty(lists.shape, dtype=np.uint8)
    for first in range(0, len(lists), height):
        piece = slice(first, min(first + height, len(lists)))
        starts = population.starts[rows.start + piece.start : rows.start + piece.stop + 1]
        test = slice(starts[0], starts[-1])
        marked = np.repeat(ahead[: len(starts) - 1, 0], np.diff(starts)) + population.items[test]
        table[marked] = population.is_relevant[test] + np.uint8(_IN_TEST)
        # "wrap" only spares a copy: every index is in the table.
        np.take(table, lists[piece] + ahead[: len(starts) - 1], out=marks[piece], mode="wrap")
        table[marked] = 0
    return marks

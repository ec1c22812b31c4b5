"""What was made elsewhere held against the split: unknown ids, seen and double items, gaps, pairs not asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from recbench.data import BoolArray, FloatArray, Int32Array, Int64Array, RowArray, Split, StrArray, owned
from recbench.errors import BadData
from recbench.outside.reading import HOW_TO_GO_ON, Entries, Keys
from recbench.protocols.readers import close
from recbench.ranking import Seen, tie_keys, tie_seed

MANY_IDS = 200_000
"""Among more ids, close ones are not looked for: it would take minutes."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fault:
    """A kind of fault.

    Attributes:
        rows: (n,) which rows have it.
        says: what is wrong with a row.
        fix: what to do about it.
    """

    rows: BoolArray
    says: Callable[[int], str]
    fix: str = HOW_TO_GO_ON


def lists_of(
    entries: Entries, split: Split, *, depth: int, exclude_seen: bool, candidates: Int32Array | None
) -> Int32Array:
    """The lists in a file, cut at `depth`.

    Ranks order them where there are ranks. Otherwise scores do, and among equal ones recbench's own order, which
    depends on split, user and item alone.

    Args:
        entries: the file.
        split: what it was made for.
        depth: length of the lists.
        exclude_seen: refuse items that a user has in train or history.
        candidates: (n_users, c) int32 padded with -1, which items a user's list may have; None: all.

    Returns:
        (n_users, depth) int32, -1 for an empty place.

    Raises:
        BadData: a line names an unknown user or item, an item that its user has seen or that is no candidate, or a
            pair for the second time; ranks have gaps, or contradict scores.
    """
    places = _Places.of(entries, split)
    faults = [*places.unknown(), places.double()]
    if exclude_seen:
        faults.append(places.seen())
    if candidates is not None:
        faults.append(places.foreign(candidates))
    _refuse(entries, faults)
    user, item = places.user, places.item
    if entries.rank is not None:
        order = np.lexsort((entries.rank, user))
        _refuse(entries, _rank_faults(entries.rank))
        _refuse(entries, _order_faults(entries, entries.rank, user, order))
    else:
        assert entries.score is not None
        order = np.lexsort((tie_keys(tie_seed(split.fingerprint), user, item), -entries.score, user))
    rank = _positions(user[order])
    kept = rank < depth
    lists = np.full((split.dataset.n_users, depth), -1, dtype=np.int32)
    lists[user[order][kept], rank[kept]] = item[order][kept]
    return owned(lists)


def predictions_of(entries: Entries, split: Split) -> FloatArray:
    """The predictions in a file, (n_test,) float64 in the order of `split.test()`.

    Raises:
        BadData: a line names an unknown user or item, a pair that is not asked for, or one for the second time; or a
            pair is missing.
    """
    places = _Places.of(entries, split)
    test = split.test()
    asked = test.user.astype(np.int64) * split.dataset.n_items + test.item
    _refuse(entries, [*places.unknown(), places.double(), places.unasked(asked)])
    assert entries.score is not None
    order = np.argsort(places.codes)
    found = np.searchsorted(places.codes[order], asked)
    missing = np.flatnonzero(~np.isin(asked, places.codes))
    if len(missing):
        dataset, row = split.dataset, int(missing[0])
        raise BadData(
            f"{entries.path}: {len(missing):,} of {len(asked):,} pairs have no prediction, among them user "
            f"{str(dataset.user_ids[test.user[row]])!r} and item {str(dataset.item_ids[test.item[row]])!r}",
            fix="predict each pair of pairs.tsv, as `recbench split export` writes it",
        )
    return owned(entries.score[order][found])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Places:
    """Entries as places in the tables of the data set.

    Attributes:
        user, item: (n,) int64, -1 where unknown.
        codes: (n,) int64, one number for a pair; -1 where one of both is unknown.
    """

    entries: Entries
    split: Split
    user: Int64Array
    item: Int64Array
    codes: Int64Array

    @classmethod
    def of(cls, entries: Entries, split: Split) -> _Places:
        dataset = split.dataset
        user, item = entries.user.among(dataset.user_ids), entries.item.among(dataset.item_ids)
        codes = np.where((user >= 0) & (item >= 0), user * dataset.n_items + item, -1)
        return cls(entries=entries, split=split, user=user, item=item, codes=codes)

    def unknown(self) -> tuple[Fault, Fault]:
        dataset = self.split.dataset
        return (
            _unknown("user", self.entries.user, self.user, dataset.user_ids),
            _unknown("item", self.entries.item, self.item, dataset.item_ids),
        )

    def double(self) -> Fault:
        order = np.argsort(self.codes, kind="stable")
        again = np.zeros(len(order), dtype=np.bool_)
        again[order[1:]] = (np.diff(self.codes[order]) == 0) & (self.codes[order[1:]] >= 0)

        def says(row: int) -> str:
            first = int(np.flatnonzero(self.codes == self.codes[row])[0])
            return f"{self._pair(row)} are there twice, first in {self.entries.unit} {self.entries.lines[first]}"

        return Fault(rows=again, says=says)

    def seen(self) -> Fault:
        split, n_items = self.split, self.split.dataset.n_items
        known = Seen.of(split.train().interactions, split.history(), n_users=split.dataset.n_users, n_items=n_items)
        return Fault(
            rows=np.isin(self.codes, known.codes(n_items)),
            says=lambda row: f"{self._pair(row)}: the user has the item in train, so it must not be in the list",
            fix="leave out what a user has in train.tsv",
        )

    def foreign(self, candidates: Int32Array) -> Fault:
        user, place = np.nonzero(candidates >= 0)
        allowed = user * np.int64(self.split.dataset.n_items) + candidates[user, place]
        return Fault(
            rows=(self.codes >= 0) & ~np.isin(self.codes, allowed),
            says=lambda row: f"{self._pair(row)}: the item is not among the user's candidates",
            fix="rank only what candidates.tsv has for a user",
        )

    def unasked(self, asked: Int64Array) -> Fault:
        return Fault(
            rows=(self.codes >= 0) & ~np.isin(self.codes, asked),
            says=lambda row: f"{self._pair(row)} are not a pair to predict",
            fix="predict the pairs of pairs.tsv, and no others",
        )

    def _pair(self, row: int) -> str:
        return f"user {self.entries.user.text(row)!r} and item {self.entries.item.text(row)!r}"


def _unknown(what: str, keys: Keys, places: Int64Array, ids: StrArray) -> Fault:
    def says(row: int) -> str:
        text = keys.text(row)
        return f"{what} {text!r} is not in the data" + (close(text, ids.tolist()) if len(ids) <= MANY_IDS else "")

    return Fault(rows=places < 0, says=says, fix=f"use the ids of {what}s.tsv, as `recbench split export` writes it")


def _rank_faults(rank: FloatArray) -> list[Fault]:
    return [
        Fault(rows=rank != np.floor(rank), says=lambda row: f"rank {rank[row]:g} is not a whole number"),
        Fault(rows=rank < 0, says=lambda row: f"rank {rank[row]:g} is below 0"),
    ]


def _order_faults(entries: Entries, rank: FloatArray, user: Int64Array, order: RowArray) -> list[Fault]:
    """What is wrong with ranks from place to place. They count from 0 where any is 0, and from 1 otherwise."""
    expected = _positions(user[order]) + min(1, int(rank.min()))
    wrong = rank[order] != expected
    before = np.concatenate([[0], np.cumsum(wrong)[:-1]])
    is_first = np.concatenate([[True], np.diff(user[order]) != 0])
    start = np.maximum.accumulate(np.where(is_first, np.arange(len(order)), 0))
    first_wrong = wrong & (before == before[start])  # those after it in its list follow from it
    place_of = np.empty(len(order), dtype=np.int64)
    place_of[order] = np.arange(len(order))

    def says(row: int) -> str:
        whose, lacking = f"user {entries.user.text(row)!r}", int(expected[place_of[row]])
        if rank[row] < lacking:
            above = entries.lines[order[place_of[row] - 1]]
            return f"{whose} has rank {rank[row]:g} twice, also in {entries.unit} {above}"
        return f"{whose} has rank {rank[row]:g} and no rank {lacking}"

    return [_at(order, first_wrong, says), *_rising(entries, is_first, order)]


def _rising(entries: Entries, is_first: BoolArray, order: RowArray) -> list[Fault]:
    if entries.score is None:
        return []
    score = entries.score
    rising = ~is_first & (np.diff(score[order], prepend=np.inf) > 0)
    return [
        _at(
            order,
            rising,
            lambda row: f"score {score[row]:g} is higher than that of the rank before",
            fix="let ranks follow scores, or leave out one of the two columns",
        )
    ]


def _at(order: RowArray, bad: BoolArray, says: Callable[[int], str], fix: str = HOW_TO_GO_ON) -> Fault:
    """A fault known for the rows in another order."""
    rows = np.zeros(len(order), dtype=np.bool_)
    rows[order] = bad
    return Fault(rows=rows, says=says, fix=fix)


def _positions(user: Int64Array) -> Int64Array:
    """(n,) 0, 1, ... within each run of equal values."""
    return np.arange(len(user)) - np.searchsorted(user, user)


def _refuse(entries: Entries, faults: Sequence[Fault]) -> None:
    """Stop at the topmost row that has a fault."""
    first = [(int(np.argmax(fault.rows)), place) for place, fault in enumerate(faults) if fault.rows.any()]
    if first:
        row, place = min(first)
        raise BadData(f"{entries.at(row)}: {faults[place].says(row)}", fix=faults[place].fix)

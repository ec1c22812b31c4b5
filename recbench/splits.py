"""Train, validation and test out of one data set. Pure: the same rows for the same data, protocol and seed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from recbench.data import BoolArray, Dataset, Given, Interactions, RowArray, Split, owned, steps
from recbench.errors import BadData, BadProtocol, RecbenchError
from recbench.filtering import k_core, restrict
from recbench.fingerprints import split_fingerprint, tables_hash
from recbench.heldout import RULES, Draw, Pool, blocks, blocks_of_surprise, first_of_each_user
from recbench.protocols.spec import Kind, SplitSpec

__all__ = ["k_core", "split"]

_RANDOM: tuple[Kind, ...] = ("holdout", "k-fold", "cold-user", "cold-item")
_BY_SHARE: tuple[Kind, ...] = ("holdout", "time", "cold-user", "cold-item")
_BY_TIME: tuple[Kind, ...] = ("time", "leave-last-out")

_WHY_EMPTY: Mapping[Kind, str] = {
    "holdout": 'raise the share, or set split.by = "all": a user with n interactions gives floor(share x n)',
    "leave-last-out": "use data in which some users have two interactions, three with a validation part",
    "time": "use data whose times differ, or a lower data.core",
    "cold-user": "raise the share, or use data with more users",
    "cold-item": "raise the share, or use data with more items",
    "k-fold": "raise the share, or use more data",
    "provided": "look at the files of the fold, or raise the share",
}


def split(dataset: Dataset, spec: SplitSpec, given: Sequence[Given] = (), *, core: int = 0) -> tuple[Split, ...]:
    """Divide a data set as a protocol says.

    The kinds:

    - "holdout": floor(test x n) of each user's n interactions at random, or of all n with `by = "all"`; `repeats`
      draws.
    - "k-fold": all interactions in a random order, cut into blocks, each of which is test once; the first n mod k
      blocks have one more. `shuffle = "mt19937"` gives the folds of Surprise's `KFold(k, random_state=seed)`, with
      seed + r for repeat r.
    - "leave-last-out": each user's latest interaction, among equal times the last in the file; who has but one
      keeps it in train.
    - "time": everything from one point in time on, chosen so that about the share `test` comes after it. Equal
      times are never parted.
    - "cold-user": floor(test x users) users. The first floor(history x n) interactions of each, by time or else in
      the file's order, become the history, the others test.
    - "cold-item": floor(test x items) items with all their interactions.
    - "provided": as `given`.

    Validation is cut from train by the same rule, with a draw of its own, and its share is of train: whole users and
    items in the cold kinds, the one before the last for "leave-last-out" (whatever the share), the latest part for
    "time"; at random over all of train for "k-fold", and as `by` says for "provided".

    Shares are taken as the decimals they were written as: 0.29 of 100 is 29.

    Args:
        dataset: the data set. For all kinds but "time" its `core` has been applied.
        spec: how to split.
        given: the folds of "provided".
        core: only looked at for "time", where train alone is reduced to its k-core. Users and items that train has
            but its core has not are not judged: they leave test and the tables too. Those that train never had stay
            in test, as cold ones. So nothing after the point in time decides who is in the core.

    Returns:
        The folds, numbered repeat x folds + fold.

    Raises:
        RecbenchError: values that make no sense, or that this data cannot fulfil.
    """
    _check(dataset, spec, given)
    tests = _tests(dataset.interactions, spec)
    if spec.kind == "time" and core > 1:
        dataset, test = _within_core(dataset, next(tests), core)
        tests = iter((test,))
    if spec.kind == "provided":
        cuts: Iterator[tuple[RowArray, RowArray]] = (_provided(dataset, fold) for fold in given)
    else:
        cuts = ((np.flatnonzero(~test), np.flatnonzero(test)) for test in tests)
    tables = tables_hash(dataset)
    return tuple(
        _finish(dataset, spec, fold=fold, train=train, test=test, tables=tables)
        for fold, (train, test) in enumerate(cuts)
    )


def _tests(interactions: Interactions, spec: SplitSpec) -> Iterator[BoolArray]:
    """What each fold holds out, histories included."""
    n = len(interactions)
    for repeat in range(spec.repeats):
        if spec.kind != "k-fold":
            draw = Draw(share=spec.test, by=spec.by, seed=spec.seed, key=(repeat,) if repeat else ())
            yield RULES[spec.kind](Pool(interactions=interactions), draw)
        elif spec.shuffle == "mt19937":
            yield from blocks_of_surprise(n, folds=spec.folds, seed=spec.seed + repeat)
        else:
            yield from blocks(n, folds=spec.folds, seed=spec.seed, repeat=repeat)


def _provided(dataset: Dataset, fold: Given) -> tuple[RowArray, RowArray]:
    uses = np.bincount(np.concatenate([fold.train_rows, fold.test_rows]), minlength=len(dataset.interactions))
    if uses.max(initial=0) > 1:
        row = int(np.argmax(uses > 1))
        user, item = dataset.interactions.user[row], dataset.interactions.item[row]
        raise BadData(
            f"{np.count_nonzero(uses > 1)} pairs stand in both train and test, or twice in one, the first of them "
            f"user {str(dataset.user_ids[user])!r} and item {str(dataset.item_ids[item])!r}",
            fix="take them out of one of the two files",
        )
    return np.sort(fold.train_rows), np.sort(fold.test_rows)


def _within_core(dataset: Dataset, test: BoolArray, core: int) -> tuple[Dataset, BoolArray]:
    """The data set without what train is too thin for, and which of its interactions are test."""
    user, item = dataset.interactions.user, dataset.interactions.item
    train = np.flatnonzero(~test)
    kept = test.copy()
    kept[train[k_core(user[train], item[train], core)]] = True
    for column, size in ((user, dataset.n_users), (item, dataset.n_items)):
        before = np.bincount(column[train], minlength=size) > 0
        after = np.bincount(column[kept & ~test], minlength=size) > 0
        kept &= ~(before & ~after)[column]
    return restrict(dataset, kept), test[kept]


def _finish(dataset: Dataset, spec: SplitSpec, *, fold: int, train: RowArray, test: RowArray, tables: str) -> Split:
    """The split of one fold, with the history and validation parts cut out of test and train."""
    history, validation = test[:0], test[:0]
    _require(test, "test", spec.kind)
    _require(train, "train", spec.kind)
    if spec.history > 0:
        early = first_of_each_user(Pool(interactions=dataset.interactions, rows=test), spec.history)
        history, test = test[early], test[~early]
    if spec.validation > 0:
        repeat = fold // spec.folds if spec.kind == "k-fold" else fold
        draw = Draw(share=spec.validation, by=spec.by, seed=spec.seed, key=(repeat, 1, fold))
        held = RULES[spec.kind](Pool(interactions=dataset.interactions, rows=train), draw)
        validation, train = train[held], train[~held]
        _require(validation, "validation", spec.kind)
        _require(train, "train", spec.kind)
    parts = {"train": train, "validation": validation, "test": test, "history": history}
    return Split(
        dataset=dataset,
        fold=fold,
        **{f"{name}_rows": owned(rows.astype(np.int64, copy=False)) for name, rows in parts.items()},
        fingerprint=split_fingerprint(dataset.interactions, parts, tables),
        leaks_future=_leaks_future(dataset.interactions, (train, validation), test),
    )


def _leaks_future(interactions: Interactions, trains: Sequence[RowArray], test: RowArray) -> bool | None:
    """Whether anything is trained on that came after something that is tested; None without times."""
    time = interactions.time
    if time is None:
        return None
    first_tested = min(time[test[block]].min() for block in steps(len(test)))
    return any(bool((time[rows[block]] > first_tested).any()) for rows in trains for block in steps(len(rows)))


def _require(rows: RowArray, part: str, kind: Kind) -> None:
    if len(rows) == 0:
        raise RecbenchError(f"split.kind = {kind!r} leaves nothing for the {part} part", fix=_WHY_EMPTY[kind])


def _check(dataset: Dataset, spec: SplitSpec, given: Sequence[Given]) -> None:
    """Refuse what makes no sense, or what this data cannot fulfil."""
    kind, n = spec.kind, len(dataset.interactions)
    _demand(kind not in _BY_SHARE or 0 < spec.test < 1, "test", spec.test, "give a share between 0 and 1, such as 0.2")
    _demand(0 <= spec.validation < 1, "validation", spec.validation, "give a share from 0 (none) to below 1")
    _demand(0 <= spec.history < 1, "history", spec.history, "give a share from 0 (none) to below 1")
    _demand(
        spec.history == 0 or kind == "cold-user",
        "history",
        spec.history,
        'leave it out: only kind = "cold-user" has histories',
    )
    _demand(spec.seed >= 0, "seed", spec.seed, "give a whole number from 0 on")
    _demand(
        spec.shuffle == "pcg64" or spec.seed + spec.repeats <= 2**32,
        "seed",
        spec.seed,
        'give a number below 2**32: shuffle = "mt19937" takes no greater one',
    )
    _demand(spec.repeats >= 1, "repeats", spec.repeats, "give 1 or more")
    _demand(
        spec.repeats == 1 or kind in _RANDOM,
        "repeats",
        spec.repeats,
        f"leave it out: kind = {kind!r} draws nothing at random, so that every repeat would be the same",
    )
    if kind == "k-fold":
        _demand(2 <= spec.folds <= n, "folds", spec.folds, f"give a number from 2 to {n}, the number of interactions")
    if kind in _BY_TIME and dataset.interactions.time is None:
        raise BadProtocol(
            f"split.kind = {kind!r} needs times, but {dataset.name!r} has none",
            fix="name the column of times in the protocol, or take a kind that needs none, such as 'holdout'",
        )
    if kind == "provided" and not given:
        raise BadProtocol(
            "split.kind = 'provided' needs files of train and test",
            fix="give data.train and data.test, or [[data.fold]]",
        )


def _demand(is_met: Any, key: str, value: object, fix: str) -> None:
    if not is_met:
        raise BadProtocol(f"split.{key} = {value!r} cannot be", fix=fix)

"""A protocol's folds as files for systems in any language. Nothing of the test part's ratings is in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from recbench.data import Categories, Column, Dataset, Int32Array, Int64Array, Interactions, Split
from recbench.outside.folds import chosen
from recbench.outside.page import readme
from recbench.outside.placing import whole, write_sums
from recbench.outside.tables import Table, Values, check_ids, require_parquet, write_parquet, write_text
from recbench.ranking import seed_for, tie_keys
from recbench.scene import Scene


def export(
    scene: Scene, folder: Path, *, fold: int | None = None, parquet: bool = False, force: bool = False
) -> tuple[Path, ...]:
    """Write a folder a fold into `folder`: whole, or not at all.

    Args:
        scene: the protocol with its data and splits.
        folder: must not exist, or be empty.
        fold: this one only; None means all.
        parquet: write each table as Parquet too.
        force: replace an earlier export in `folder`.

    Returns:
        The folders of the folds.

    Raises:
        RecbenchError: there is no such fold, `folder` is taken or cannot be written, or pyarrow is not installed.
    """
    splits = chosen(scene, fold)
    if parquet:
        require_parquet()
    check_ids(splits[0].dataset.user_ids.tolist(), splits[0].dataset.item_ids.tolist())
    with whole(folder, force=force) as made:
        for split in splits:
            _write_fold(scene, split, made / _name(split), parquet=parquet)
    return tuple(folder / _name(split) for split in splits)


def _name(split: Split) -> str:
    return f"fold-{split.fold}"


def _write_fold(scene: Scene, split: Split, folder: Path, *, parquet: bool) -> None:
    tables = list(_tables(scene, split))
    for table in tables:
        path = folder / f"{table.name}.tsv"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(table, path)
        if parquet:
            write_parquet(table, path.with_suffix(".parquet"))
    (folder / "README.md").write_text(readme(scene, split, tables, parquet=parquet), encoding="utf-8")
    write_sums(folder)


def _tables(scene: Scene, split: Split) -> Iterator[Table]:
    yield from training_tables(split)
    yield from _handed_over_late(scene, split)


def training_tables(split: Split) -> Iterator[Table]:
    """What a system may learn from: train, users and items, and validation and history where there are any."""
    dataset, ids = split.dataset, _Ids(split.dataset)
    yield Table(
        name="train",
        says="the interactions to learn from, in the data's order",
        columns=ids.interactions(split.train().interactions),
    )
    if len(split.validation_rows):
        yield Table(
            name="validation",
            says="those of train.tsv that the protocol holds out for early stopping and tuning",
            columns=ids.interactions(split.validation().interactions),
        )
    if len(split.history_rows):
        yield Table(
            name="history",
            says="what users who are not in train did first: not to be fit on, but to serve them by",
            columns=ids.interactions(split.history()),
        )
    yield Table(
        name="users",
        says="the users to serve: all of them, whether they are in test or not",
        columns={"user": ids.user(np.arange(dataset.n_users)), **_features(dataset.users, "user")},
    )
    yield Table(
        name="items",
        says="the catalogue: all items that may be recommended",
        columns={"item": ids.item(np.arange(dataset.n_items)), **_features(dataset.items, "item")},
    )


def _handed_over_late(scene: Scene, split: Split) -> Iterator[Table]:
    """What an algorithm under recbench gets only after it is fit: it tells something of the test part."""
    ids = _Ids(split.dataset)
    candidates = scene.candidates(split)
    if candidates is not None:
        user, place = np.nonzero(candidates >= 0)
        yield Table(
            name="candidates/candidates",
            says="the items that a user's list is made from, in an order that tells nothing",
            columns=ids.pairs(user, candidates[user, place]),
        )
    if split.dataset.scale is not None:
        test = split.test()
        order = np.argsort(tie_keys(seed_for(split.fingerprint, "export"), test.user, test.item))
        yield Table(
            name="pairs/pairs",
            says="the pairs whose rating is to be predicted, without the ratings, in an order that tells nothing",
            columns=ids.pairs(test.user[order], test.item[order]),
        )


class _Ids:
    """Rows of the tables of users and items as the ids that the data's owner uses."""

    def __init__(self, dataset: Dataset) -> None:
        self._has_ratings = dataset.scale is not None
        self._users = tuple(dataset.user_ids.tolist())
        self._items = tuple(dataset.item_ids.tolist())

    def user(self, rows: Int32Array | Int64Array) -> Categories:
        return Categories(codes=rows.astype(np.int32), names=self._users)

    def item(self, rows: Int32Array | Int64Array) -> Categories:
        return Categories(codes=rows.astype(np.int32), names=self._items)

    def pairs(self, user: Int32Array | Int64Array, item: Int32Array) -> dict[str, Values]:
        return {"user": self.user(user), "item": self.item(item)}

    def interactions(self, rows: Interactions) -> dict[str, Values]:
        """The columns that the data has."""
        columns = self.pairs(rows.user, rows.item)
        if self._has_ratings:
            columns["rating"] = rows.rating
        if rows.time is not None:
            columns["time"] = rows.time
        return columns


def _features(columns: Mapping[str, Column], taken: str) -> dict[str, Values]:
    """The features under their names; one called as the ids are gets a mark."""
    return {f"{name} (feature)" if name == taken else name: column for name, column in columns.items()}

"""Splits written down row by row, for tests that know the answer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from recbench.api import Tags
from recbench.data import Dataset, Interactions, Split

Row = tuple[int, int] | tuple[int, int, float]


def split_by_hand(
    *,
    n_users: int,
    n_items: int,
    test: Sequence[Row],
    train: Sequence[Row] = (),
    validation: Sequence[Row] = (),
    history: Sequence[Row] = (),
    tags: Sequence[Sequence[int]] | None = None,
    scale: tuple[float, float] | None = None,
) -> Split:
    """A split of rows (user, item) or (user, item, rating); `tags`: the tag numbers of each item."""
    parts = (train, validation, test, history)
    rows = [(*row, 1.0)[:3] for part in parts for row in part]
    ends = np.cumsum([len(part) for part in parts])
    user, item, rating = (np.array([row[i] for row in rows]) for i in range(3))
    dataset = Dataset(
        name="by hand",
        interactions=Interactions(user=user.astype(np.int32), item=item.astype(np.int32), rating=rating),
        user_ids=np.array([f"u{u}" for u in range(n_users)]),
        item_ids=np.array([f"i{i}" for i in range(n_items)]),
        items={} if tags is None else {"genres": as_tags(tags)},
        scale=scale,
    )
    rows_of = [np.arange(end - len(part), end) for part, end in zip(parts, ends, strict=True)]
    return Split(
        dataset=dataset,
        fold=0,
        train_rows=rows_of[0],
        validation_rows=rows_of[1],
        test_rows=rows_of[2],
        history_rows=rows_of[3],
        fingerprint="0" * 64,
        leaks_future=None,
    )


def as_tags(tags: Sequence[Sequence[int]]) -> Tags:
    """A column of tags from the tag numbers of each row."""
    n_names = 1 + max((max(row) for row in tags if len(row)), default=0)
    return Tags(
        starts=np.cumsum([0, *map(len, tags)]),
        codes=np.array([code for row in tags for code in row], dtype=np.int32),
        names=tuple(f"tag {n}" for n in range(n_names)),
    )

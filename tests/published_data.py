"""The data and protocols of published figures, read in the plainest way, for golden tests of algorithms."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from recbench.data import BoolArray, Dataset, Int64Array, Interactions
from recbench.protocols.references import PUBLISHED, load
from recbench.protocols.spec import PublishedRow


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fold:
    """What to train on, and the test part."""

    train: Dataset
    test: Interactions


def figures(publication: str, label: str) -> tuple[float, ...]:
    """The published figures of a row of ours, in the order of the publication's scores."""
    return published(publication, label).figures


def published(publication: str, label: str) -> PublishedRow:
    """The published row that is ours, with what ours may be off by."""
    (row,) = (row for row in load(PUBLISHED / f"{publication}.toml").rows if row.label == label)
    return row


def assert_is_as_published(found: Any, publication: str, label: str) -> None:
    """Hold figures against the first ones of a published row."""
    row = published(publication, label)
    for ours, theirs in zip(found, row.figures, strict=False):
        assert abs(ours - theirs) <= row.within * theirs, (label, list(found), row)


def movielens_100k(folder: Path, files: tuple[str, ...] = ("u.data",)) -> Dataset:
    """Ratings in the order of the files."""
    rows = np.concatenate([np.loadtxt(folder / name, dtype=np.int64) for name in files])
    return Dataset(
        name="ml-100k",
        interactions=Interactions(
            user=(rows[:, 0] - 1).astype(np.int32),
            item=(rows[:, 1] - 1).astype(np.int32),
            rating=rows[:, 2].astype(np.float32),
            time=rows[:, 3],
        ),
        user_ids=np.arange(1, 944).astype(str),
        item_ids=np.arange(1, 1683).astype(str),
        scale=(1.0, 5.0),
    )


def surprise_folds(folder: Path) -> Iterator[Fold]:
    """Surprise's KFold(n_splits=5, random_state=0) over the lines of u.data."""
    dataset = movielens_100k(folder)
    order = np.arange(len(dataset.interactions))
    np.random.RandomState(0).shuffle(order)
    for test in np.split(order, 5):
        yield _fold(dataset, test)


def official_fold(folder: Path, name: str) -> Fold:
    """For example "u1": u1.base and u1.test."""
    dataset = movielens_100k(folder, (f"{name}.base", f"{name}.test"))
    n_train = len((folder / f"{name}.base").read_text().splitlines())
    return _fold(dataset, np.arange(n_train, len(dataset.interactions)))


def rmse_and_mae(algorithm: Any, fold: Fold, *, seed: int = 0) -> NDArray[np.float64]:
    """Fit, predict, clip to [1, 5], and give (2,): RMSE and MAE."""
    algorithm.fit(fold.train, seed=seed)
    predicted = algorithm.predict(fold.test.user.astype(np.int64), fold.test.item.astype(np.int64))
    error = np.clip(predicted, 1.0, 5.0) - fold.test.rating
    return np.array([np.sqrt(np.mean(error**2)), np.mean(np.abs(error))])


def table32(folder: Path) -> Fold:
    """SpectralCF's split of MovieLens 1M."""
    parts = [_adjacency(folder / name) for name in ("train_users.dat", "test_users.dat")]
    n_users, n_items = (int(max(part[side].max() for part in parts)) + 1 for side in (0, 1))
    train, test = (
        Interactions(
            user=user.astype(np.int32), item=item.astype(np.int32), rating=np.ones(len(user), dtype=np.float32)
        )
        for user, item in parts
    )
    dataset = Dataset(
        name="table32",
        interactions=train,
        user_ids=np.arange(n_users).astype(str),
        item_ids=np.arange(n_items).astype(str),
    )
    return Fold(train=dataset, test=test)


def recall_and_map(algorithm: Any, fold: Fold, *, k: int = 20, seed: int = 0) -> tuple[float, float]:
    """Fit, rank all unseen items, ties by lot, and give REC@k and MAP@k as Table 32 defines them."""
    algorithm.fit(fold.train, seed=seed)
    train, test = fold.train.user_item("one"), _matrix(fold)
    users = np.flatnonzero(np.diff(test.indptr))
    rng = np.random.default_rng(seed)
    recall, ap = [], []
    for block in np.array_split(users, max(1, len(users) // 500)):
        scores = np.array(algorithm.score(block.astype(np.int64)), dtype=np.float64)
        scores[train[block].toarray() > 0] = -np.inf
        hits = np.take_along_axis(test[block].toarray() > 0, _best(scores, k, rng), axis=1)
        relevant = np.diff(test.indptr)[block]
        precision = np.cumsum(hits, axis=1) / np.arange(1, k + 1)
        recall.append(hits.sum(axis=1) / relevant)
        ap.append((precision * hits).sum(axis=1) / np.minimum(relevant, k))
    return float(np.concatenate(recall).mean()), float(np.concatenate(ap).mean())


def _best(scores: NDArray[np.float64], k: int, rng: np.random.Generator) -> Int64Array:
    """(m, k) positions of the best scores, ties by lot."""
    least = -np.partition(-scores, k - 1, axis=1)[:, k - 1, None]
    kept = np.where(scores >= least, scores, -np.inf)
    return np.lexsort((rng.random(scores.shape), -kept), axis=1)[:, :k].astype(np.int64)


def _fold(dataset: Dataset, test: Int64Array) -> Fold:
    in_train: BoolArray = np.ones(len(dataset.interactions), dtype=np.bool_)
    in_train[test] = False
    rows = dataset.interactions
    return Fold(train=dataset.with_interactions(rows.take(in_train)), test=rows.take(test))


def _adjacency(path: Path) -> tuple[Int64Array, Int64Array]:
    lines = [[int(word) for word in line.split()] for line in path.read_text().splitlines()]
    user = np.repeat([line[0] for line in lines], [len(line) - 1 for line in lines])
    return user, np.array([item for line in lines for item in line[1:]])


def _matrix(fold: Fold) -> csr_matrix:
    shape = fold.train.n_users, fold.train.n_items
    return csr_matrix((np.ones(len(fold.test)), (fold.test.user, fold.test.item)), shape=shape)

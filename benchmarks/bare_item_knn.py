"""Item-kNN from file to scores as one would write it without recbench: no checks, no isolation, no records.

Reads lines of user, item, rating and time between tabs, holds out a fifth of each user's ratings, keeps the 100 items
most alike by shrunk cosine, cuts lists of 10, and prints precision, recall, NDCG, AP and MRR at 10:

    python benchmarks/bare_item_knn.py FILE
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix

K, SHRINK, DEPTH, TEST, BLOCK = 100, 10.0, 10, 0.2, 1000


def read(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    columns = np.fromstring(path.read_text(), sep=" ").reshape(-1, 4)
    _, user = np.unique(columns[:, 0], return_inverse=True)
    _, item = np.unique(columns[:, 1], return_inverse=True)
    return user, item, columns[:, 2]


def hold_out(user: np.ndarray) -> np.ndarray:
    """Which rows are in test: the last fifth of each user's, in random order."""
    order = np.random.default_rng(42).permutation(len(user))
    order = order[np.argsort(user[order], kind="stable")]
    lengths = np.bincount(user)
    nth = np.arange(len(user)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    test = np.zeros(len(user), dtype=bool)
    test[order] = nth >= np.repeat(lengths - np.floor(TEST * lengths).astype(int), lengths)
    return test


def fit(train: csr_matrix) -> csr_matrix:
    """(n_items, n_items) similarities: of each item, in a column, its K nearest."""
    shared = (train.T @ train).tocsr()
    counts = shared.diagonal()
    norms = np.sqrt(counts)
    shared.setdiag(0)
    rows, starts = [], [0]
    n_items = shared.shape[0]
    for first in range(0, n_items, BLOCK):
        part = shared[first : first + BLOCK].toarray()
        part /= norms[first : first + BLOCK, None] * norms[None, :] + SHRINK
        nearest = np.argpartition(part, -K, axis=1)[:, -K:]
        rows.append((nearest, np.take_along_axis(part, nearest, axis=1)))
    items = np.concatenate([nearest for nearest, _ in rows]).ravel()
    values = np.concatenate([value for _, value in rows]).ravel()
    starts = np.arange(0, len(items) + 1, min(K, n_items))
    return csr_matrix((values, items, starts), shape=(n_items, n_items)).T.tocsr()


def rank(train: csr_matrix, nearest: csr_matrix) -> np.ndarray:
    """(n_users, DEPTH) lists without what is in train."""
    lists = []
    for first in range(0, train.shape[0], BLOCK):
        history = train[first : first + BLOCK]
        scores = (history @ nearest).toarray()
        scores[history.nonzero()] = -np.inf
        best = np.argpartition(scores, -DEPTH, axis=1)[:, -DEPTH:]
        order = np.argsort(-np.take_along_axis(scores, best, axis=1), axis=1)
        lists.append(np.take_along_axis(best, order, axis=1))
    return np.concatenate(lists)


def score(lists: np.ndarray, test: csr_matrix) -> dict[str, float]:
    hits = np.asarray(test[np.arange(len(lists))[:, None], lists].todense()) > 0
    relevant = np.diff(test.indptr)
    hits, relevant = hits[relevant > 0], relevant[relevant > 0]
    discounts = 1 / np.log2(np.arange(2, DEPTH + 2))
    ideal = np.cumsum(discounts)[np.minimum(relevant, DEPTH) - 1]
    ranks = np.arange(1, DEPTH + 1)
    values = {
        "precision": hits.mean(axis=1),
        "recall": hits.sum(axis=1) / relevant,
        "ndcg": hits @ discounts / ideal,
        "ap": (hits * np.cumsum(hits, axis=1) / ranks).sum(axis=1) / relevant,
        "mrr": hits.any(axis=1) / (hits.argmax(axis=1) + 1),
    }
    return {name: float(each.mean()) for name, each in values.items()}


def main() -> None:
    user, item, _ = read(Path(sys.argv[1]))
    held = hold_out(user)
    shape = (user.max() + 1, item.max() + 1)
    train, test = (
        csr_matrix((np.ones(part.sum(), dtype=np.float32), (user[part], item[part])), shape=shape)
        for part in (~held, held)
    )
    for name, value in score(rank(train, fit(train)), test).items():
        print(f"{name}@{DEPTH} {value:.4f}")


if __name__ == "__main__":
    main()

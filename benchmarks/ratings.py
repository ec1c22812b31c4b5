"""Ratings of MovieLens 1M's size and shape: 6,040 users, 3,706 items, 1,000,209 ratings, tails as long as there.

Writes lines of user, item, rating and time between tabs, the same ones for the same seed:

    python benchmarks/ratings.py FILE
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

USERS, ITEMS, RATINGS, LEAST = 6_040, 3_706, 1_000_209, 20
TASTES = 8


def write(path: Path, *, seed: int = 0) -> None:
    generator = np.random.default_rng(seed)
    lengths = _lengths(generator)
    popularity = -np.arange(ITEMS) / 850.0 - 0.5 * np.log(np.arange(ITEMS) + 15.0)
    tastes = generator.normal(size=(USERS, TASTES)) @ generator.normal(size=(TASTES, ITEMS)) / TASTES
    items, ratings = [], []
    for user in range(USERS):
        wish = popularity + tastes[user]
        chosen = np.argsort(-(wish + generator.gumbel(size=ITEMS)))[: lengths[user]]  # without drawing any twice
        items.append(chosen)
        ratings.append(np.clip(np.rint(3.6 + tastes[user, chosen] + generator.normal(0, 0.9, len(chosen))), 1, 5))
    user = np.repeat(np.arange(1, USERS + 1), lengths)
    number = generator.permutation(ITEMS) + 1  # what is popular is not told by its number
    time = generator.integers(956_703_932, 1_046_454_590, RATINGS)
    columns = [user, number[np.concatenate(items)], np.concatenate(ratings).astype(int), time]
    order = generator.permutation(RATINGS)
    np.savetxt(path, np.stack(columns, axis=1)[order], fmt="%d", delimiter="\t")


def _lengths(generator: np.random.Generator) -> np.ndarray:
    """How many ratings each user has: a long tail above the least, and the exact total."""
    tail = np.exp(generator.normal(0, 1.25, USERS))
    lengths = LEAST + np.minimum((RATINGS - LEAST * USERS) * tail / tail.sum(), 2_300).astype(int)
    while (missing := RATINGS - lengths.sum()) > 0:
        lengths[generator.choice(USERS, min(missing, USERS), replace=False)] += 1
    return lengths


if __name__ == "__main__":
    write(Path(sys.argv[1]))

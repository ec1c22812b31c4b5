"""What stands behind the scores: how many users, pairs and items, and how many of them are cold."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from recbench.api import Pairs
from recbench.data import BoolArray, Int32Array, Split
from recbench.metrics.population import Population, items_in_train, with_history


def counts_of(lists: Int32Array, split: Split, population: Population, pairs: Pairs | None) -> Mapping[str, int]:
    """The counts by name, as `docs/metrics.md` explains them; those of pairs only where there are predictions."""
    lengths = np.count_nonzero(lists >= 0, axis=1)[population.users]
    return {
        "users_evaluated": len(population.users),
        "users_warm": _count(population.warm),
        "users_skipped": population.n_skipped,
        "users_left_out": population.n_left_out,
        "users_without_list": _count(lengths == 0),
        "users_short_list": _count((lengths > 0) & (lengths < lists.shape[1])),
        **_cold_counts(split, population),
        **({} if pairs is None else _pair_counts(split, pairs)),
    }


def _cold_counts(split: Split, population: Population) -> Mapping[str, int]:
    interactions = split.dataset.interactions
    known = items_in_train(split)
    tested = np.zeros(len(known), dtype=np.bool_)
    tested[interactions.item[split.test_rows]] = True
    users = np.zeros(split.dataset.n_users, dtype=np.bool_)
    users[interactions.user[split.test_rows]] = True
    return {
        "users_in_test": _count(users),
        "cold_users_in_test": _count(users & ~with_history(split)),
        "cold_items_in_test": _count(tested & ~known),
        "relevant_pairs": _count(population.is_relevant),
        "relevant_pairs_cold_item": _count(population.is_relevant & ~known[population.items]),
    }


def _pair_counts(split: Split, pairs: Pairs) -> Mapping[str, int]:
    known_users = np.zeros(split.dataset.n_users, dtype=np.bool_)
    for rows in (split.train_rows, split.validation_rows):
        known_users[split.dataset.interactions.user[rows]] = True
    warm = known_users[pairs.users] & items_in_train(split)[pairs.items]
    return {
        "pairs": len(warm),
        "pairs_warm": _count(warm),
        "fallbacks": _count(~pairs.answered),
        "fallbacks_warm": _count(warm & ~pairs.answered),
    }


def _count(which: BoolArray) -> int:
    return int(np.count_nonzero(which))

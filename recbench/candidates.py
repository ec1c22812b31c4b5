"""Candidate sets: which items a user's list is made from, where a protocol does not rank the whole catalogue."""

from __future__ import annotations

import numpy as np

from recbench.data import Int32Array, Int64Array, Split, owned
from recbench.errors import BadProtocol
from recbench.ranking import Seen, seed_for, tie_keys, top_k


def draw(split: Split, n: int) -> Int32Array:
    """Each user's test items and `n` others, drawn uniformly from what the user has neither in train nor in test.

    A sampled candidate set flatters some algorithms more than others, so metrics over it carry "~uni" in their name.

    Returns:
        (n_users, c) int32 in an order that tells nothing, padded with -1.
    """
    n_users, n_items = split.dataset.n_users, split.dataset.n_items
    test = split.test()
    known = Seen.of(split.train().interactions, split.history(), test, n_users=n_users, n_items=n_items)
    seed = seed_for(split.fingerprint, "draw")
    others = np.empty((n_users, n), dtype=np.int32)
    step = max(1, (1 << 22) // max(1, n_items))
    for start in range(0, n_users, step):
        users = np.arange(start, min(start + step, n_users))
        # All scores are equal, so the best n are drawn by the hash that breaks ties.
        alike = np.broadcast_to(np.float32(0), (len(users), n_items))
        others[users] = top_k(alike, users=users, k=n, seen=known, seed=seed).lists
    filled = others >= 0
    user = np.concatenate([np.repeat(np.arange(n_users), filled.sum(axis=1)), test.user])
    return tabulate(split, user, np.concatenate([others[filled], test.item]))


def tabulate(split: Split, user: Int64Array, item: Int32Array) -> Int32Array:
    """Pairs as one row a user, in an order that tells nothing, padded with -1.

    Raises:
        BadProtocol: there are none.
    """
    if not len(user):
        raise BadProtocol("the candidate sets are empty", fix="give a file with at least one pair of user and item")
    order = np.lexsort((tie_keys(seed_for(split.fingerprint, "order"), user, item), user))
    user, item = user[order], item[order]
    starts = np.searchsorted(user, np.arange(split.dataset.n_users + 1))
    table = np.full((split.dataset.n_users, int(np.diff(starts).max())), -1, dtype=np.int32)
    table[user, np.arange(len(user)) - starts[user]] = item
    return owned(table)

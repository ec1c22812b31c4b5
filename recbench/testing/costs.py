"""Rules on what an algorithm costs."""

from __future__ import annotations

from recbench.testing import fresh
from recbench.testing.fresh import fit_afresh, memory_afresh
from recbench.testing.rule import Breach
from recbench.testing.subject import Subject

_FEW_USERS, _MANY_USERS = 4_000, 8_000
_FEW_ITEMS, _MANY_ITEMS = 300, 1_200
_MOST_BYTES_A_PAIR = 3.0  # a dense matrix of float32 takes 4


def ends_in_time(subject: Subject) -> None:
    """A world of 60 users takes a moment; what takes minutes there would stop every run on real data."""
    seconds = fit_afresh(subject).seconds
    if seconds > fresh.TIME_LIMIT_SECONDS:
        raise Breach(
            f"it had not ended after {fresh.TIME_LIMIT_SECONDS:g} s with 60 users and 40 items",
            fix="look for a loop that does not end, or fewer epochs and factors as a default",
        )


def memory_grows_with_the_block(subject: Subject) -> None:
    """A million users and a hundred thousand items are usual; a dense matrix of both is 800 GB.

    Measured is what NumPy and Python hold at the most while it is fitted, and asked for blocks of users. Where that
    grows much with users, only the part of the growth that itself grows with items counts: factors may take space.
    """
    grown = _grown_by_users(subject, n_items=_MANY_ITEMS)
    n_pairs = (_MANY_USERS - _FEW_USERS) * _MANY_ITEMS
    if grown > _MOST_BYTES_A_PAIR * n_pairs:
        grown -= _grown_by_users(subject, n_items=_FEW_ITEMS)
        n_pairs -= (_MANY_USERS - _FEW_USERS) * _FEW_ITEMS
    if grown > _MOST_BYTES_A_PAIR * n_pairs:
        raise Breach(
            f"it holds {grown / n_pairs:.1f} bytes for each pair of user and item, beside what grows with either",
            fix="keep interactions sparse, and work through users in blocks",
        )


def _grown_by_users(subject: Subject, *, n_items: int) -> int:
    """How many bytes more it holds with many users than with few."""
    few, many = (memory_afresh(subject, n_users=n_users, n_items=n_items) for n_users in (_FEW_USERS, _MANY_USERS))
    return many - few

"""Rules on what an algorithm costs."""

from __future__ import annotations

import itertools

from recbench.testing import fresh
from recbench.testing.fresh import fit_afresh, memory_afresh
from recbench.testing.rule import Breach
from recbench.testing.subject import Subject

_ITEMS = 600
_USERS = (2_000, 6_000, 12_000)
_MOST_BYTES_A_PAIR = 3.0


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
    grows from two thousand users to six thousand, it may not do so up to twelve thousand: a bound may be reached late.
    """
    fewer = memory_afresh(subject, n_users=_USERS[0], n_items=_ITEMS)
    for before, n_users in itertools.pairwise(_USERS):
        more, n_pairs = memory_afresh(subject, n_users=n_users, n_items=_ITEMS), (n_users - before) * _ITEMS
        if more - fewer <= _MOST_BYTES_A_PAIR * n_pairs:
            return
        grown, fewer = (more - fewer) / n_pairs, more
    raise Breach(
        f"with {n_users - before:,} more users it holds {grown * n_pairs / 1e6:.0f} MB more, {grown:.1f} bytes for each"
        " further pair of user and item",
        fix="keep interactions sparse, and work through users in blocks",
    )

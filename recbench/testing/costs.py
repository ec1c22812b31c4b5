"""Rules on what an algorithm costs."""

from __future__ import annotations

from recbench.testing.fresh import TIME_LIMIT_SECONDS, fit_afresh, memory_afresh
from recbench.testing.rule import Breach
from recbench.testing.subject import Subject

_ITEMS = 600
_FEW, _MANY = 1_000, 6_000
_MOST_BYTES_A_PAIR = 2.0


def ends_in_time(subject: Subject) -> None:
    """A world of 60 users takes a moment; what takes minutes there would stop every run on real data."""
    seconds = fit_afresh(subject).seconds
    if seconds > TIME_LIMIT_SECONDS:
        raise Breach(
            f"it had not ended after {TIME_LIMIT_SECONDS:g} s with 60 users and 40 items",
            fix="look for a loop that does not end, or fewer epochs and factors as a default",
        )


def memory_grows_with_the_block(subject: Subject) -> None:
    """A million users and a hundred thousand items are usual; a dense matrix of both is 800 GB.

    Measured with few and with many users: what NumPy and Python hold at the most while it is fitted and asked for
    blocks of users.
    """
    few, many = (memory_afresh(subject, n_users=n_users, n_items=_ITEMS) for n_users in (_FEW, _MANY))
    a_pair = (many - few) / ((_MANY - _FEW) * _ITEMS)
    if a_pair > _MOST_BYTES_A_PAIR:
        raise Breach(
            f"with {_MANY - _FEW:,} more users it holds {(many - few) / 1e6:.0f} MB more, {a_pair:.1f} bytes for each"
            f" further pair of user and item",
            fix="keep interactions sparse, and work through users in blocks",
        )

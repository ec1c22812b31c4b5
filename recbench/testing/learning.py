"""Rules on whether an algorithm learns."""

from __future__ import annotations

import numpy as np

from recbench.data import FloatArray
from recbench.testing import worlds
from recbench.testing.rule import Breach
from recbench.testing.subject import Subject
from recbench.testing.worlds import World

_K = 5
_LEAST_GAIN = 0.05
_MOST_SIGMAS = 4.0


def learns_a_checkerboard(subject: Subject) -> None:
    """Where users plainly like one half of the items, lists must hold more of that half than guessing would."""
    gain = _gain(subject, worlds.large_checkerboard())
    if gain.mean() < _LEAST_GAIN:
        raise Breach(
            f"of the first {_K} recommendations, the share that is liked is {gain.mean():+.3f} against guessing;"
            f" at least +{_LEAST_GAIN:g} is asked for",
            fix="see that higher scores mean better, and that indexes of users and items are not mixed up",
        )


def finds_nothing_in_noise(subject: Subject) -> None:
    """Where nothing carries signal, only one who knows the answers does better than chance."""
    gain = _gain(subject, worlds.noise())
    limit = _MOST_SIGMAS * gain.std() / np.sqrt(len(gain))
    if gain.mean() > limit:
        raise Breach(
            f"lists in a world of noise are better than chance by {gain.mean():.3f}; luck explains up to {limit:.3f}",
            fix="find out where it learns from what it is tested with",
        )


def _gain(subject: Subject, world: World) -> FloatArray:
    """(n,) each user's share of liked items in the list, less the share among all unseen ones."""
    fitted = subject.fitted(world)
    lists = fitted.lists(fitted.everybody(), _K)
    unseen = ~world.seen
    chance = (world.likes & unseen).sum(axis=1) / np.maximum(unseen.sum(axis=1), 1)
    hits = np.take_along_axis(world.likes, np.maximum(lists, 0).astype(np.int64), axis=1) & (lists >= 0)
    gain: FloatArray = hits.mean(axis=1) - chance
    return gain

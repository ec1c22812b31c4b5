"""Groups of algorithms that a test cannot tell apart: as letters, and as the ranks each may have."""

from __future__ import annotations

import string
from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import TypeAlias

import numpy as np

from recbench.data import BoolArray, FloatArray

Group: TypeAlias = tuple[int, ...]


def letters(p: FloatArray, means: FloatArray, alpha: float = 0.05) -> tuple[tuple[str, ...], ...]:
    """Compact letter display: two algorithms share a letter where, and only where, p is at least alpha.

    Formula: a cover of the pairs with p >= alpha by groups in which every pair has that; the letters go by the best
        member. No group can be left out without a pair losing its letter.
    Edges: after "z" come "A" to "Z", then "a2" and so on. Of equal means the earlier row counts as the better one.

    Args:
        p: (n, n) float64, symmetric; the diagonal is not looked at.
        means: (n,) float64, greater is better.

    Returns:
        The letters of each algorithm, in the order of the rows.

    Raises:
        ValueError: p is not square, not symmetric or holds NaN, or has another length than means.

    >>> p = np.array([[1.0, 0.2, 0.01], [0.2, 1.0, 0.3], [0.01, 0.3, 1.0]])
    >>> letters(p, np.array([0.5, 0.4, 0.3]))
    (('a',), ('a', 'b'), ('b',))

    Source: Piepho, An Algorithm for a Letter-Based Representation of All-Pairwise Comparisons, JCGS 2004; the cover
        is found greedily from the best row on.
    """
    order = _best_first(p, means)
    alike = p[np.ix_(order, order)] >= alpha
    groups = sorted(_without_spare(list(_cover(alike))))
    of_place: list[list[str]] = [[] for _ in order]
    for number, group in enumerate(groups):
        for place in group:
            of_place[place].append(_symbol(number))
    found: list[tuple[str, ...]] = [()] * len(order)
    for place, row in enumerate(order.tolist()):
        found[row] = tuple(of_place[place])
    return tuple(found)


def rank_ranges(p: FloatArray, means: FloatArray, alpha: float = 0.05) -> tuple[tuple[int, int], ...]:
    """The best and the worst rank that an algorithm may have, as far as the test can tell.

    Formula: best = 1 + those that are better with p < alpha; worst = n - those that are worse with p < alpha.

    Args:
        p: (n, n) float64, symmetric.
        means: (n,) float64, greater is better.

    Raises:
        ValueError: as `letters`.
    """
    _best_first(p, means)
    differs = p < alpha
    n_better = (differs & (means[None, :] > means[:, None])).sum(axis=1)
    n_worse = (differs & (means[None, :] < means[:, None])).sum(axis=1)
    return tuple((1 + int(above), len(means) - int(below)) for above, below in zip(n_better, n_worse, strict=True))


def _best_first(p: FloatArray, means: FloatArray) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    if means.ndim != 1 or p.shape != (len(means), len(means)):
        raise ValueError(f"p of shape {p.shape} does not go with {means.shape} means")
    off = p[~np.eye(len(p), dtype=np.bool_)]
    if np.isnan(off).any() or np.isnan(means).any() or not np.array_equal(p, p.T):
        raise ValueError("p and means must not hold NaN, and p must be symmetric")
    return np.argsort(-means, kind="stable")


def _cover(alike: BoolArray) -> Iterator[Group]:
    """Groups of places, ascending, that hold each pair which is alike, and each place at least once."""
    n = len(alike)
    done = np.zeros((n, n), dtype=np.bool_)
    for place in range(n):
        for other in range(place + 1, n):
            if alike[place, other] and not done[place, other]:
                group = _grown((place, other), alike)
                done[np.ix_(group, group)] = True
                yield group
        if not done[place].any():
            done[place, place] = True
            yield (place,)


def _grown(group: Group, alike: BoolArray) -> Group:
    """The group with every place added that is alike with all in it, the nearest first."""
    members = list(group)
    for place in sorted(range(len(alike)), key=lambda each: min(abs(each - member) for member in group)):
        if place not in members and alike[place, members].all():
            members.append(place)
    return tuple(sorted(members))


def _without_spare(groups: list[Group]) -> list[Group]:
    """Drop groups whose pairs all stand in others too, the smallest first."""
    for group in sorted(groups, key=len):
        others = [other for other in groups if other is not group]
        if _covered(others) >= _covered([group]):
            groups = others
    return groups


def _covered(groups: Sequence[Group]) -> set[Group]:
    """The pairs that stand in one of the groups, and the places."""
    return {part for group in groups for size in (1, 2) for part in combinations(group, size)}


def _symbol(number: int) -> str:
    round_, place = divmod(number, 2 * len(string.ascii_lowercase))
    return string.ascii_letters[place] + (str(round_ + 1) if round_ else "")

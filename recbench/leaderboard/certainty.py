"""How sure a board's figures are, in words: intervals, ties, ranks, and figures by groups. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from recbench.leaderboard.standings import Board, Figure, Standing
from recbench.leaderboard.wording import score
from recbench.records import Grouping

KINDS = {"activity": "how active users are", "popularity": "how popular the relevant items are"}
_LETTER = re.compile(r"[A-Za-z][0-9]*")
MEANING = (
    "Intervals are 95 %, by bootstrap over users, each user's seeds and folds averaged. Rows that share a letter "
    "cannot be told apart by a paired test over users (sign-flip permutation, corrected over all pairs, 5 %); # is the "
    "range of ranks that this leaves open"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Groups:
    """A score by the groups of one grouping.

    Attributes:
        title: what stands above the table, plain text.
        heads: the groups' names with their sizes, and the gap.
        rows: of each standing the means and the gap; empty cells where it has none.
    """

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def rank(standing: Standing) -> str:
    """The rank, or the ranks that a row may have; "-" where it has none."""
    if standing.rank is None:
        return "-"
    low, high = standing.ranks or (standing.rank, standing.rank)
    return str(low) if low == high else f"{low}-{high}"


def interval(found: Board, standing: Standing, key: str) -> str:
    """The 95 % interval of a score; "" where there is none."""
    ends = standing.intervals.get(key)
    return "" if ends is None else f"{_text(found, ends[0], key)} to {_text(found, ends[1], key)}"


def is_analysed(found: Board) -> bool:
    """Whether there is an interval on the board."""
    return any(each.intervals for each in found.standings)


def has_letters(found: Board) -> bool:
    """Whether ties were tested."""
    return any(each.letters for each in found.standings)


def are_tied(one: Standing, other: Standing) -> bool:
    """Whether two rows share a letter."""
    mine, theirs = (set(_LETTER.findall(each.letters)) for each in (one, other))
    return bool(mine & theirs)


def keys(found: Board) -> list[str]:
    """The scores that have intervals: those at the primary metric's cut-off, and those without one."""
    cutoff = found.primary.partition("@")[2]
    with_interval = {key for each in found.standings for key in each.intervals}
    return [key for key in found.keys if key in with_interval and key.partition("@")[2] in (cutoff, "")]


def ranks_nobody(found: Board) -> list[str]:
    """The scores under which the intervals of all rows overlap."""
    by_key = {key: [e.intervals[key] for e in found.ranked if key in e.intervals] for key in keys(found)}
    return [k for k, ends in by_key.items() if len(ends) > 1 and max(e[0] for e in ends) <= min(e[1] for e in ends)]


def groups(found: Board, key: str) -> Iterator[Groups]:
    """A score by each grouping of the board."""
    for place, grouping in enumerate(found.groupings):
        rows = [_grouped(found, each, key, place) for each in found.standings]
        if any(any(row) for row in rows):
            yield Groups(title=f"{key} by {_of(grouping)}", heads=_heads(grouping), rows=tuple(rows))


def _of(grouping: Grouping) -> str:
    return KINDS.get(grouping.kind, f"{grouping.kind} of {grouping.of}")


def _heads(grouping: Grouping) -> tuple[str, ...]:
    first, last = (each.partition(",")[0] for each in (grouping.groups[0], grouping.groups[-1]))
    sized = zip(grouping.groups, grouping.sizes, strict=True)
    named = [name if grouping.of == "items" else f"{name} ({size:,} {grouping.of})" for name, size in sized]
    return (*named, f"{first} less {last}", "95 % interval")


def _grouped(found: Board, standing: Standing, key: str, place: int) -> tuple[str, ...]:
    grouped = standing.grouped.get(key)
    if not grouped:
        return ("",) * (len(found.groupings[place].groups) + 2)
    of_group = grouped[place]
    means = ["" if mean is None else _text(found, mean, key) for mean in of_group.means]
    if of_group.gap is None:
        return (*means, "", "")
    gap, low, high = of_group.gap
    signed = f"{'+' if gap > 0 else ''}{_text(found, gap, key)}"
    return (*means, signed, f"{_text(found, low, key)} to {_text(found, high, key)}")


def _text(found: Board, value: float, key: str) -> str:
    return score(Figure(mean=value, spread=None, n=1), found.protocol, key)[0]

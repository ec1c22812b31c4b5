"""Several boards side by side: average ranks, how far apart they must be, and who is first where. Pure, Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from recbench.leaderboard import certainty
from recbench.leaderboard.markdown import aligned, rank_of
from recbench.leaderboard.standings import Board, Standing
from recbench.leaderboard.wording import escape
from recbench.statistics import average_ranks, critical_difference


@dataclass(frozen=True, slots=True, kw_only=True)
class Across:
    """The algorithms that have a rank on all of several boards. Texts are Markdown.

    Attributes:
        legend: how many there are, and what the table says and does not.
        boards: the names of the boards' files, in the order of the columns.
        rows: average rank, name, and the ranks on each board; the best average first.
    """

    legend: str
    boards: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def side_by_side(boards: Mapping[str, Board]) -> Across | None:
    """What several boards say together; None where there are not two of them with two algorithms on both.

    Args:
        boards: by the names of their files.
    """
    names = sorted(boards)
    ranked = [{each.name: each for each in boards[name].ranked} for name in names]
    shared = [name for name in ranked[0] if all(name in each for each in ranked)] if len(names) > 1 else []
    if len(shared) < 2:
        return None
    averages = average_ranks(np.array([[-(each[name].rank or 0) for name in shared] for each in ranked], dtype=float))
    order = sorted(range(len(shared)), key=lambda place: (averages[place], shared[place]))
    rows = [
        (f"{averages[place]:.1f}", _name(ranked[0][shared[place]]), *(_rank(each, shared[place]) for each in ranked))
        for place in order
    ]
    return Across(legend=_legend(len(shared), len(names)), boards=tuple(names), rows=tuple(rows))


def across(boards: Mapping[str, Board]) -> str:
    """The same as a section of Markdown; "" where there is nothing to say."""
    found = side_by_side(boards)
    if found is None:
        return ""
    heads = ["average rank", "algorithm", *(f"[{escape(boards[n].protocol['name'])}]({n})" for n in found.boards)]
    return f"## Across protocols\n\n{found.legend}\n\n{aligned(heads, found.rows)}"


def _legend(n_rows: int, n_boards: int) -> str:
    apart = critical_difference(n_rows, n_boards)
    verdict = "" if apart < n_rows - 1 else ", which is more than any two can: these boards alone do not rank them"
    return (
        f"The {n_rows} algorithms that have a rank on all {n_boards} boards, by their average rank among each other. "
        "Under each board stand the ranks that its own test leaves open; **bold** are those it cannot tell from its "
        f"best. Over {n_boards} protocols two average ranks must be {apart:.1f} apart to be told apart (Nemenyi, 5 %)"
        f"{verdict}. That takes the protocols to be independent; two over the same data are not."
    )


def _name(standing: Standing) -> str:
    return f"*{escape(standing.name)}*" if standing.first.baseline else escape(standing.name)


def _rank(ranked: Mapping[str, Standing], name: str) -> str:
    standing = ranked[name]
    shown = rank_of(standing)
    return f"**{shown}**" if _is_with_the_best(standing, list(ranked.values())) else shown


def _is_with_the_best(standing: Standing, ranked: Sequence[Standing]) -> bool:
    """Whether it is the best, or shares a letter with it."""
    return standing.rank == 1 or certainty.are_tied(standing, ranked[0])

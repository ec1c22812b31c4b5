"""Scores by groups of users and of items, with the gap between the first group and the last one. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from recbench.leaderboard import Board, Standing, certainty
from recbench.report.cells import WHO, head_cell, name_cell, rank_cell
from recbench.report.markup import Html, element, joined
from recbench.report.placing import Place, folded, tabular


def by_groups(board: Board, _place: Place) -> Html:
    """A folded table for each score and grouping; nothing where no groups are on record."""
    return joined(
        folded(groups.title, _table(board, groups)) for key in _keys(board) for groups in certainty.groups(board, key)
    )


def _keys(board: Board) -> list[str]:
    """The primary score first, then all others that are known by groups."""
    known = {key for each in board.standings for key in each.grouped}
    return sorted(known, key=lambda key: (key != board.primary, board.keys.index(key) if key in board.keys else 0, key))


def _table(board: Board, groups: certainty.Groups) -> Html:
    rows = [
        element("tr", *_row(standing, figures), data_row=place)
        for place, (standing, figures) in enumerate(zip(board.standings, groups.rows, strict=True))
        if any(figures)
    ]
    return tabular(groups.title, [*WHO, *(head_cell(head, best="high") for head in groups.heads)], rows)


def _row(standing: Standing, figures: tuple[str, ...]) -> Iterator[Html]:
    yield rank_cell(standing)
    yield name_cell(standing)
    for figure in figures[:-1]:
        yield element("td", figure, data_v=figure.lstrip("+") or None)
    yield element("td", figures[-1])

"""What stands in the cells of a board's tables. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from recbench.leaderboard import Board, Standing, certainty
from recbench.leaderboard.columns import Cell, Column
from recbench.report.dots import Rows
from recbench.report.markup import NOTHING, Html, element, number, text

REASON_LENGTH = 120
_LETTER = re.compile(r"[a-zA-Z]\d*")


def head_cell(title: str, /, *, best: str, arrow: str = "", **attributes: str | None) -> Html:
    """A column's title, with an arrow that shows which way is better; `best` is for sorting."""
    shown = [element("span", Html("&nbsp;"), arrow, aria_hidden="true")] if arrow else []
    return element("th", title, *shown, scope="col", data_best=best, **attributes)


WHO = (
    head_cell("#", best="low", class_="rank", title="The rank by the score that sorts, and the ranks that are open."),
    head_cell("algorithm", best="low", class_="name", title="The row's name, and the package it comes from."),
)
TIES = head_cell("ties", best="low", class_="ties", title="Rows that share a letter cannot be told apart.")


def rank_cell(standing: Standing) -> Html:
    """The rank, and the best and the worst one that the row may have."""
    if standing.rank is None:
        return element("td", "-", class_="rank")
    return element("td", str(standing.rank), _range(standing), class_="rank", data_v=standing.rank)


def _range(standing: Standing) -> Html:
    if standing.ranks is None:
        return NOTHING
    low, high = standing.ranks
    return _small(f"{low}" if low == high else f"{low}-{high}")


def name_cell(standing: Standing) -> Html:
    """The algorithm, whose it is, and why it is not ranked."""
    first = standing.first
    name = text(standing.name)
    parts = [element("em", name) if first.baseline else element("span", name)]
    parts.append(_small(("baseline, " if first.baseline else "") + f"{first.distribution} {first.version}"))
    if standing.trouble is not None:
        reason = text(f": {standing.trouble.reason}", REASON_LENGTH) if standing.trouble.reason else NOTHING
        parts.append(_small(element("strong", standing.trouble.what), reason, class_="trouble"))
    return element("th", *parts, scope="row", class_="name")


def letters_of(board: Board) -> tuple[str, ...]:
    """All letters on the board, in their order."""
    return tuple(dict.fromkeys(one for each in board.standings for one in _LETTER.findall(each.letters)))


def letters_cell(standing: Standing, letters: Sequence[str]) -> Html:
    """The row's letters, each below its like, so that ties are columns to the eye."""
    mine = _LETTER.findall(standing.letters)
    if not mine:
        return element("td", class_="ties")
    shown = "".join(each if each in mine else " " * len(each) for each in letters)
    place = letters.index(mine[0])
    # Blanks are kept here, and the letters are checked: nothing else of them is shown.
    return element("td", element("span", Html(shown.rstrip())), class_="ties", data_v=place)


def figure_cell(standing: Standing, column: Column, cell: Cell | None) -> Html:
    """A figure with its spread."""
    figure = column.figure(standing)
    if cell is None or figure is None:
        return element("td")
    return element("td", _shown(cell), _spread(cell), data_v=number(figure.mean))


def primary_cell(board: Board, standing: Standing, cell: Cell | None, rows: Rows | None) -> Html:
    """The figure that sorts, with its spread, its interval, and both drawn."""
    figure = None if rows is None else rows.column.figure(standing)
    if cell is None or rows is None or figure is None:
        return element("td", class_="primary")
    interval = certainty.interval(board, standing, rows.column.key)
    figures = element("span", _shown(cell), _spread(cell), _small(interval) if interval else NOTHING, class_="figures")
    return element("td", element("span", figures, rows.drawn(standing)), class_="primary", data_v=number(figure.mean))


def _shown(cell: Cell) -> Html:
    return element("strong", cell.text) if cell.is_best else text(cell.text)


def _spread(cell: Cell) -> Html:
    return _small(cell.spread) if cell.spread else NOTHING


def _small(*content: str, class_: str | None = None) -> Html:
    return element("small", *content, class_=class_)

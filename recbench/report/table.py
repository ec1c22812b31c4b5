"""The tables of a board: native ones, with what a script needs to sort and filter them. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import repeat

from recbench.leaderboard import Board, Standing, certainty
from recbench.leaderboard.columns import ARROWS, Column, best_of, grid, main, others, primary
from recbench.leaderboard.markdown import definitions, legend, tuning
from recbench.leaderboard.wording import escape
from recbench.report.cells import (
    TIES,
    WHO,
    figure_cell,
    head_cell,
    letters_cell,
    letters_of,
    name_cell,
    primary_cell,
    rank_cell,
)
from recbench.report.dots import Rows
from recbench.report.markup import Html, element, joined
from recbench.report.placing import Place, folded, tabular
from recbench.report.prose import prose, without_marks

_ORDERS = {"high": "descending", "low": "ascending", "none": "descending"}
_DIRECTIONS = {"high": "Higher is better.", "low": "Lower is better.", "none": "Neither way is better."}


def leaderboard(board: Board, place: Place) -> Html:
    """The main table with the box that filters it, and how to read it."""
    title = f"Leaderboard of {board.protocol['title']}"
    return joined(
        [
            element("p", prose(legend(board)), class_="legend"),
            _filter(place, len(board.standings)),
            _main_table(board, title),
            element("p", _reading(board), class_="note"),
            element("p", prose(tuning(board)), class_="note"),
        ]
    )


def more_scores(board: Board, _place: Place) -> Html:
    """A folded table for each cut-off or kind of metrics that is not in the main table."""
    return joined(folded(title, _table(board, [primary(board), *columns], title)) for title, columns in others(board))


def _reading(board: Board) -> str:
    """What is drawn beside the primary score."""
    if Rows.of(board) is None:
        return ""
    bars = " Bars are their intervals." if certainty.is_analysed(board) else ""
    return f"The dots show {primary(board).title}, the vertical line where the best row is.{bars}"


def _filter(place: Place, n_rows: int) -> Html:
    """A box for words, shown where there is a script that acts on it."""
    box = f"{place.key}-filter"
    entry = element("input", id=box, type="search", autocomplete="off", spellcheck="false")
    return element(
        "div",
        element("label", "Filter rows by name, package or status", for_=box),
        entry,
        element("output", f"{n_rows} rows", for_=box, aria_live="polite"),
        class_="filter",
        hidden="",
    )


def _table(board: Board, columns: Sequence[Column], title: str) -> Html:
    """Who, and a figure for each column."""
    rows = [
        element("tr", *_who(standing), *map(figure_cell, repeat(standing), columns, cells), data_row=place)
        for place, (standing, cells) in enumerate(zip(board.standings, grid(board, columns), strict=True))
    ]
    return tabular(title, [*WHO, *_heads(board, columns)], rows)


def _main_table(board: Board, title: str) -> Html:
    """The same with the first column drawn, and the ties beside it."""
    columns, rows, letters = main(board), Rows.of(board), letters_of(board)
    first, *heads = _heads(board, columns)
    body = []
    for place, (standing, (cell, *cells)) in enumerate(zip(board.standings, grid(board, columns), strict=True)):
        figures = map(figure_cell, repeat(standing), columns[1:], cells)
        sorts = primary_cell(board, standing, cell, rows)
        ties = [letters_cell(standing, letters)] if letters else []
        body.append(element("tr", *_who(standing), sorts, *ties, *figures, data_row=place))
    return tabular(title, [*WHO, first, *([TIES] if letters else []), *heads], body)


def _who(standing: Standing) -> tuple[Html, Html]:
    return rank_cell(standing), name_cell(standing)


def _heads(board: Board, columns: Sequence[Column]) -> Iterator[Html]:
    meanings = {name: without_marks(said) for name, said in definitions(board)}
    for column in columns:
        best, sorts = best_of(board, column), column == primary(board)
        name = escape(column.title if column.kind == "cost" else column.key.partition("@")[0])
        yield head_cell(
            column.title,
            arrow="" if column.kind == "cost" else ARROWS[best].strip(),
            best=best,
            class_="primary" if sorts else None,
            title=meanings.get(name) or _DIRECTIONS[best],
            aria_sort=_ORDERS[best] if sorts else None,
        )

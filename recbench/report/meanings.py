"""What the columns mean, with where this board's rows lie in each. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from recbench.leaderboard import Board
from recbench.leaderboard.columns import Column, best_of, cells, main
from recbench.leaderboard.markdown import definitions
from recbench.leaderboard.standings import metric_of
from recbench.leaderboard.wording import escape
from recbench.report.dots import strip
from recbench.report.markup import NOTHING, Html, element, joined, text
from recbench.report.placing import Place
from recbench.report.prose import prose


def meanings(board: Board, _place: Place) -> Html:
    """Each metric and cost: the definition in the records, the range, and all rows on one line."""
    columns: dict[str, Column] = {}
    for column in main(board):
        columns.setdefault(escape(column.title if column.kind == "cost" else column.key.partition("@")[0]), column)
    items = []
    for name, said in definitions(board):
        lies, drawn = _range(metric_of(board.protocol, name)), _drawn(board, columns.get(name))
        items.append(element("div", element("dt", prose(name)), element("dd", prose(said), Html(" "), lies, drawn)))
    marks = "Dots are this board's rows, and upright bars its baselines; costs are drawn by factors."
    return joined([element("p", marks, class_="legend"), element("dl", *items, class_="meanings")])


def _range(metric: Mapping[str, Any]) -> Html:
    low, high = metric.get("range", (None, None))
    if low is None and high is None:
        return NOTHING
    ends = (f"from {low:g}" if low is not None else ""), (f"to {high:g}" if high is not None else "on")
    return text(
        f"Values lie {' '.join(filter(None, ends))}." if low is not None else f"Values lie at {high:g} and below."
    )


def _drawn(board: Board, column: Column | None) -> Html:
    """The strip, and in words from where to where the rows lie and who is best."""
    if column is None or not (picture := strip(board, column)):
        return NOTHING
    shown = cells(board, column)
    able = [
        (figure.mean, each.name, cell.text)
        for each, cell in zip(board.standings, shown, strict=True)
        if cell is not None and (figure := column.figure(each)) is not None
    ]
    (_, lowest, low), (_, highest, high) = min(able), max(able)
    words = f"{column.title} here: from {low} ({lowest}) to {high} ({highest})."
    return element("figure", picture, element("figcaption", words), class_=f"lies {best_of(board, column)}")

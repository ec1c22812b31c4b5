"""How many users have which score: a mean of .2 may be a fifth for everybody, or all for every fifth. Pure."""

from __future__ import annotations

import math
from itertools import pairwise

from recbench.leaderboard import Board, Standing
from recbench.leaderboard.columns import primary
from recbench.report.cells import WHO, head_cell, name_cell, rank_cell
from recbench.report.markup import NOTHING, Html, element, joined, number
from recbench.report.placing import Place, tabular

WIDTH, HEIGHT = 100, 30
SHADES = 9


def distributions(board: Board, _place: Place) -> Html:
    """A row's users by the primary score, drawn and in percent; nothing where that is not on record."""
    n_bins = max((len(each.distribution) for each in board.standings), default=0)
    if not n_bins:
        return NOTHING
    title = f"Users by {primary(board).title}"
    said = (
        f"Of the users evaluated, the share in percent whose {primary(board).title} lies in each range. Heights and "
        "shades go by the square root of it, so that small shares can be seen."
    )
    return joined([element("p", said, class_="legend"), _table(board, title, n_bins)])


def _table(board: Board, title: str, n_bins: int) -> Html:
    edges = [f"{place / n_bins:g}" for place in range(n_bins + 1)]
    heads = [head_cell(f"{low} to {high}", best="high") for low, high in pairwise(edges)]
    rows = [
        element("tr", rank_cell(each), name_cell(each), element("td", _drawn(each)), *_shares(each), data_row=place)
        for place, each in enumerate(board.standings)
        if sum(each.distribution)
    ]
    return tabular(title, [*WHO, element("th", "drawn", scope="col"), *heads], rows)


def _shares(standing: Standing) -> list[Html]:
    total = sum(standing.distribution)
    return [
        element("td", f"{100 * n / total:.1f}", class_=f"shade-{_root(n, total, SHADES):.0f}", data_v=number(n / total))
        for n in standing.distribution
    ]


def _drawn(standing: Standing) -> Html:
    """Bars side by side as one outline."""
    total, step = sum(standing.distribution), WIDTH / len(standing.distribution)
    tops = [round(HEIGHT - _root(n, total, HEIGHT), 1) for n in standing.distribution]
    outline = "".join(f"V{top:g}h{step:g}" for top in tops)
    shape = element("path", d=f"M0 {HEIGHT}{outline}V{HEIGHT}z")
    size = {"viewBox": f"0 0 {WIDTH} {HEIGHT}", "width": WIDTH, "height": HEIGHT}
    return element("svg", shape, class_="histogram", aria_hidden="true", focusable="false", **size)


def _root(part: int, total: int, most: float) -> float:
    return most * math.sqrt(part / total)

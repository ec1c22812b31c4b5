"""Small drawings of one value a row: in the table as a dot with its interval, and all rows on one line. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from recbench.leaderboard import Board, Standing
from recbench.leaderboard.columns import Column, best_of, primary
from recbench.report.markup import NOTHING, Html, element
from recbench.report.scales import Scale, linear, logarithmic

WIDTH, HEIGHT, MARGIN = 132, 30, 5
STRIP_WIDTH, STRIP_HEIGHT = 340, 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """What is drawn in the primary column of a board: one scale for all rows, and where the best one stands."""

    column: Column
    scale: Scale
    best: float

    @classmethod
    def of(cls, board: Board) -> Rows | None:
        """None where no row has the primary score."""
        column = primary(board)
        values = [figure.mean for each in board.standings if (figure := column.figure(each)) is not None]
        if not values:
            return None
        ends = [end for each in board.standings for end in each.intervals.get(column.key, ())]
        pick = min if best_of(board, column) == "low" else max
        return cls(column=column, scale=linear([*values, *ends], MARGIN, WIDTH - MARGIN), best=pick(values))

    def drawn(self, standing: Standing) -> Html:
        """A row's dot, its interval where there is one, and a line at the best score. The figures stand beside."""
        figure = self.column.figure(standing)
        if figure is None:
            return NOTHING
        at, best = self.scale.place(figure.mean), self.scale.place(self.best)
        parts = [element("line", class_="best", x1=best, x2=best, y1=0, y2=HEIGHT)]
        if interval := standing.intervals.get(self.column.key):
            low, high = map(self.scale.place, interval)
            parts.append(element("line", class_="interval", x1=low, x2=high, y1=HEIGHT // 2, y2=HEIGHT // 2))
        parts.append(element("circle", cx=at, cy=HEIGHT // 2, r=3))
        return _picture(parts, "dot", WIDTH, HEIGHT)


def strip(board: Board, column: Column) -> Html:
    """All rows of a column on one line, baselines as bars; costs by their logarithm. Readers are told in words."""
    figures = [(each, figure.mean) for each in board.standings if (figure := column.figure(each)) is not None]
    if len(figures) < 2:
        return NOTHING
    scaled = logarithmic if column.kind == "cost" else linear
    scale = scaled([value for _, value in figures], MARGIN, STRIP_WIDTH - MARGIN)
    middle = STRIP_HEIGHT // 2
    line = element("line", class_="axis", x1=0, x2=STRIP_WIDTH, y1=middle, y2=middle)
    return _picture([line, *_marks(figures, scale, middle)], "strip", STRIP_WIDTH, STRIP_HEIGHT)


def _marks(figures: Sequence[tuple[Standing, float]], scale: Scale, middle: int) -> Iterator[Html]:
    for standing, value in figures:
        at, title = scale.place(value), element("title", standing.name)
        if standing.first.baseline:
            mark = element("path", d=f"M{at} {middle - 8}v16", class_="baseline")
        else:
            mark = element("circle", cx=at, cy=middle, r=4)
        yield element("g", title, mark)


def _picture(parts: Sequence[Html], class_: str, width: int, height: int) -> Html:
    return element(
        "svg",
        *parts,
        class_=class_,
        viewBox=f"0 0 {width} {height}",
        width=width,
        height=height,
        aria_hidden="true",
        focusable="false",
    )

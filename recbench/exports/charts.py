"""Charts for papers: quality against cost with the Pareto front, and intervals. Needs matplotlib."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from recbench.errors import RecbenchError, UnknownName
from recbench.exports.drawing import BLUE, GRAY, drawing, legend, new_figure
from recbench.exports.labels import place_labels
from recbench.leaderboard.columns import Column, best_of, primary
from recbench.leaderboard.pareto import Best, pareto_front
from recbench.leaderboard.standings import Board, Standing
from recbench.leaderboard.wording import plain

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Kind: TypeAlias = Literal["pareto", "intervals"]
Cost: TypeAlias = Literal["fit_seconds", "latency_p50_ms", "peak_memory_mb"]
COSTS: dict[Cost, str] = {
    "fit_seconds": "training (seconds)",
    "latency_p50_ms": "ranking for one user, median (milliseconds)",
    "peak_memory_mb": "peak memory (MB)",
}
WIDTH = 5.5
NAME_LENGTH = 32
Point: TypeAlias = tuple[float, float]


def pareto_chart(board: Board, *, cost: Cost = "fit_seconds", key: str | None = None) -> Figure:
    """Each ranked row's score against what it costs. The front is joined: no other row is as good for less.

    Rows whose cost is only stated by others are left out. Names off the front stand where there is room.

    Args:
        cost: which one.
        key: of the score; None: what sorts.

    Raises:
        RecbenchError: matplotlib is not installed, there is nothing to draw, or neither end of the score is better.
    """
    column = _column(board, key)
    best = _best(board, column)
    rows = [each for each in _rows(board, column) if cost in each.costs and not each.first.is_external]
    if not rows:
        raise RecbenchError(f"no ranked row has {column.key!r} and {cost!r}", fix="run the algorithms with recbench")
    points = [(_mean(column, each), each.costs[cost].mean) for each in rows]
    front = pareto_front(points, (best, "low"))
    with drawing():
        figure, axes = new_figure(WIDTH, 3.9)
        legend(figure, {"on the Pareto front": BLUE, "others": GRAY}, baselines=_has_baselines(rows))
        for row, (score, paid), is_best in zip(rows, points, front, strict=True):
            _dot(axes, (paid, score), row, BLUE if is_best else GRAY)
        steps = _steps(points, front)
        axes.plot(*zip(*steps, strict=True), color=BLUE, linewidth=1, alpha=0.6, zorder=2)
        _scale(axes, [paid for _, paid in points])
        axes.set_xlabel(COSTS[cost])
        axes.set_ylabel(_title(board, column), parse_math=False)
        first = sorted(range(len(rows)), key=lambda place: not front[place])
        names, places = [_name(rows[place]) for place in first], [points[place][::-1] for place in first]
        place_labels(axes, places, names, [front[place] for place in first], steps)
    return figure


def intervals_chart(board: Board, *, key: str | None = None) -> Figure:
    """Each ranked row's score with its 95 % interval over users, best on top.

    At the right are the letters of rows that cannot be told apart, where the score is what sorts.

    Args:
        key: of the score; None: what sorts.

    Raises:
        RecbenchError: matplotlib is not installed, or the board has no intervals of that score.
    """
    column = _column(board, key)
    rows = [each for each in _rows(board, column) if column.key in each.intervals]
    rows.sort(key=lambda each: _mean(column, each), reverse=best_of(board, column) != "low")
    if not rows:
        raise RecbenchError(
            f"the board has no intervals of {column.key!r}",
            fix="run again with the data at hand, or give a score that is a mean over users or pairs",
        )
    with drawing():
        figure, axes = new_figure(WIDTH, 0.9 + 0.19 * len(rows))
        legend(figure, {}, baselines=_has_baselines(rows))
        for place, row in enumerate(rows):
            axes.plot(row.intervals[column.key], [place, place], color=BLUE, linewidth=1.4, zorder=2)
            _dot(axes, (_mean(column, row), place), row, BLUE)
            if column.key == board.primary:
                _beside(axes, place, row.letters)
        axes.set_yticks(range(len(rows)), [_name(each) for each in rows], parse_math=False)
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="x", color="#dddddd", linewidth=0.6)
        axes.set_axisbelow(True)
        axes.set_xlabel(f"{_title(board, column)}; lines are 95 % intervals over users", parse_math=False)
    return figure


def _column(board: Board, key: str | None) -> Column:
    first = primary(board)
    if key is None:
        return first
    if key not in board.keys:
        raise UnknownName.among("score", key, board.keys, fix=f"give one of: {', '.join(board.keys)}")
    return Column(key=key, kind=first.kind, title=key)


def _best(board: Board, column: Column) -> Best:
    best = best_of(board, column)
    if best not in ("high", "low"):
        raise RecbenchError(f"neither end of {column.key!r} is better", fix="give a score that has a better end")
    return "high" if best == "high" else "low"


def _rows(board: Board, column: Column) -> list[Standing]:
    return [each for each in board.ranked if column.figure(each) is not None]


def _mean(column: Column, standing: Standing) -> float:
    figure = column.figure(standing)
    assert figure is not None
    return figure.mean


def _has_baselines(rows: Sequence[Standing]) -> bool:
    return any(each.first.baseline for each in rows)


def _scale(axes: Any, costs: Sequence[float]) -> None:
    """By magnitude, where nothing else shows them all."""
    from matplotlib.ticker import LogLocator, NullFormatter

    if min(costs) <= 0 or max(costs) <= 10 * min(costs):
        return
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if max(costs) < 1000 * min(costs) else (1,)))
    axes.xaxis.set_major_formatter("{x:g}")
    axes.xaxis.set_minor_formatter(NullFormatter())


def _title(board: Board, column: Column) -> str:
    better = {"high": ", higher is better", "low": ", lower is better"}.get(best_of(board, column), "")
    return f"{plain(column.key)}{' of users with a history' if board.sorts_warm else ''}{better}"


def _name(standing: Standing) -> str:
    return plain(standing.name, NAME_LENGTH)


def _dot(axes: Any, place: Point, row: Standing, color: str) -> None:
    """A point, hollow for a baseline."""
    axes.scatter(*place, s=18, color="white" if row.first.baseline else color, edgecolors=color, zorder=3)


def _beside(axes: Any, height: float, text: str) -> None:
    """Text at the right of the axes."""
    where = {"xycoords": ("axes fraction", "data"), "xytext": (4, 0), "textcoords": "offset points"}
    axes.annotate(text, (1.0, height), va="center", parse_math=False, **where)


def _steps(points: Sequence[Point], front: Sequence[bool]) -> list[Point]:
    """The corners (cost, score) of the best score that each cost buys."""
    line = sorted({(paid, score) for (score, paid), is_best in zip(points, front, strict=True) if is_best})
    between = [(right[0], left[1]) for left, right in pairwise(line)]
    return [corner for pair in zip(line, between, strict=False) for corner in pair] + line[-1:]

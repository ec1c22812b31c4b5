"""What a quality costs: a plot for each cost with its Pareto front, and the same as a table. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from recbench.leaderboard import Board, Standing
from recbench.leaderboard.columns import COSTS, Cell, Column, best_of, costs_compare, grid, primary
from recbench.leaderboard.pareto import Best, pareto_front
from recbench.leaderboard.wording import cost, score
from recbench.report.cells import head_cell
from recbench.report.chart import BOTTOM, LEFT, RIGHT, TOP, Axis, Point, scatter
from recbench.report.markup import NOTHING, Html, element, joined, number, text
from recbench.report.placing import Place, folded, tabular
from recbench.report.scales import linear, logarithmic

AXES = {
    "fit_seconds": ("time to fit", "seconds"),
    "latency_p50_ms": ("time to rank for a user", "milliseconds"),
    "peak_memory_mb": ("memory at its peak", "MB"),
}


def trade_offs(board: Board, place: Place) -> Html:
    """The plots side by side; nothing where quality has no better side, or fewer than two rows can be drawn."""
    found = [(column, _points(board, column)) for column in COSTS]
    plots = [_plot(board, place, column, points) for column, points in found if len(points) > 1]
    if best_of(board, primary(board)) == "none" or not plots:
        return NOTHING
    fronts = {column.key: {point.row for point in points if point.is_front} for column, points in found}
    return joined(
        [
            element("p", text(" ".join(_reading(board))), class_="legend"),
            element("div", *plots, class_="plots"),
            element("p", class_="pointed", aria_hidden="true"),
            folded("The same as a table", _table(board, fronts)),
        ]
    )


def _reading(board: Board) -> Iterator[str]:
    yield f"Costs grow by factors. The line is the front of {primary(board).title}: nobody who costs less does better."
    yield "Rows on it are filled, and named where there is room. Baselines are diamonds."
    if not costs_compare(board):
        yield "Trials ran side by side or on several machines, so costs do not compare."
    if any(each.first.is_external for each in board.standings):
        yield "Rows made elsewhere are not drawn: their costs are not measured."


def _able(board: Board, column: Column) -> Iterator[tuple[int, Standing, float, float]]:
    """The rows that have both figures: place, row, quality, cost."""
    for place, standing in enumerate(board.standings):
        quality, price = primary(board).figure(standing), column.figure(standing)
        if quality is not None and price is not None and not standing.first.is_external:
            yield place, standing, quality.mean, price.mean


def _points(board: Board, column: Column) -> list[Point]:
    able = list(_able(board, column))
    better: Best = "low" if best_of(board, primary(board)) == "low" else "high"
    front = pareto_front([(quality, price) for _, _, quality, price in able], (better, "low"))
    return [
        Point(
            row=place,
            name=standing.name,
            said=f"{standing.name}: {_quality(board, standing)}, {cost(price, column.places)} {column.title}",
            x=price,
            y=quality,
            is_baseline=standing.first.baseline,
            is_front=is_front,
        )
        for (place, standing, quality, price), is_front in zip(able, front, strict=True)
    ]


def _quality(board: Board, standing: Standing) -> str:
    figure = primary(board).figure(standing)
    assert figure is not None
    return f"{primary(board).title} {score(figure, board.protocol, board.primary)[0]}"


def _plot(board: Board, place: Place, column: Column, points: Sequence[Point]) -> Html:
    quality, (cost_name, unit) = primary(board), AXES[column.key]
    title = f"{quality.title} against {cost_name}"
    ends = (BOTTOM, TOP) if best_of(board, quality) == "high" else (TOP, BOTTOM)
    costs, qualities = [point.x for point in points], [point.y for point in points]
    x = Axis(scale=logarithmic(costs, LEFT, RIGHT), title=f"{cost_name} in {unit} (left is better)")
    y = Axis(scale=linear(qualities, *ends), title=f"{quality.title} (up is better)")
    front = [point.said for point in sorted(points, key=lambda each: each.x) if point.is_front]
    drawn = scatter(
        points,
        x,
        y,
        key=f"{place.key}-{column.key}",
        title=title,
        description=f"{len(points)} rows. On the front, from the cheapest on: {'; '.join(front)}.",
    )
    return element("figure", element("figcaption", title), drawn)


def _table(board: Board, fronts: Mapping[str, set[int]]) -> Html:
    columns = [primary(board), *COSTS]
    heads = [head_cell("algorithm", best="low", class_="name")]
    heads += [head_cell(column.title, best=best_of(board, column)) for column in columns]
    rows = [
        element(
            "tr",
            element("th", standing.name, scope="row", class_="name"),
            *(
                _cell(standing, column, cell, is_front=place in fronts.get(column.key, ()))
                for column, cell in zip(columns, cells, strict=True)
            ),
            data_row=place,
        )
        for place, (standing, cells) in enumerate(zip(board.standings, grid(board, columns), strict=True))
    ]
    return tabular("Quality and costs; rows on the front are marked", heads, rows)


def _cell(standing: Standing, column: Column, cell: Cell | None, *, is_front: bool) -> Html:
    figure = column.figure(standing)
    if cell is None or figure is None:
        return element("td")
    mark = element("small", "on the front", class_="mark") if is_front else NOTHING
    return element("td", cell.text, mark, data_v=number(figure.mean))

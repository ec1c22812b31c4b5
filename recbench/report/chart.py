"""Scatter plots as inline SVG: axes, points, the front and its names. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from recbench.leaderboard.wording import cut, width
from recbench.report.markup import Html, element, joined
from recbench.report.scales import Scale, shown

WIDTH, HEIGHT = 400, 320
LEFT, RIGHT, TOP, BOTTOM = 58, 388, 12, 274
LETTER, LINE = 7.8, 15
"""The size of a label's letter on average and of its line, a little on the large side."""
LABEL_LENGTH = 24
LED = 18
"""A label farther from its point than that has a line to it."""
_NEAR = ((8, 4, "start"), (-8, 4, "end"), (0, -9, "middle"), (0, 18, "middle"), (7, -7, "start"), (-7, -7, "end"))
_FAR = tuple(
    (side * dx, dy, anchor)
    for dx, dy in ((8, 17), (14, -14), (14, 30), (14, 46), (40, 4), (40, 24))
    for side, anchor in ((1, "start"), (-1, "end"))
)
FRONT_WEIGHT = 8.0
"""How much worse it is to hide a point of the front than another one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A row in a plot.

    Attributes:
        row: the place of the row on the board, which ties its marks together.
        name: shown beside it where it is on the front, and always told.
        said: name and figures, in words.
    """

    row: int
    name: str
    said: str
    x: float
    y: float
    is_baseline: bool
    is_front: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """A scale with its title."""

    scale: Scale
    title: str


def scatter(points: Sequence[Point], x: Axis, y: Axis, *, key: str, title: str, description: str) -> Html:
    """A plot that a screen reader hears as one picture with a title and a description."""
    front = [point for point in points if point.is_front]
    parts = [
        element("title", title, id=f"{key}-title"),
        element("desc", description, id=f"{key}-desc"),
        *_grid(x.scale, y.scale),
        _titles(x, y),
        _stairs(front, x.scale, y.scale),
        *(_mark(point, x.scale, y.scale) for point in sorted(points, key=lambda each: each.is_front)),
        *_labels(front, points, x.scale, y.scale),
    ]
    return element(
        "svg",
        *parts,
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        role="img",
        aria_labelledby=f"{key}-title",
        aria_describedby=f"{key}-desc",
        class_="scatter",
    )


def _grid(x: Scale, y: Scale) -> Iterator[Html]:
    for value in x.ticks():
        at = x.place(value)
        yield element("line", class_="grid", x1=at, x2=at, y1=TOP, y2=BOTTOM)
        yield element("text", shown(value), x=at, y=BOTTOM + 16, text_anchor="middle")
    for value in y.ticks():
        at = y.place(value)
        yield element("line", class_="grid", x1=LEFT, x2=RIGHT, y1=at, y2=at)
        yield element("text", shown(value), x=LEFT - 6, y=at + 4, text_anchor="end")


def _titles(x: Axis, y: Axis) -> Html:
    middle = (TOP + BOTTOM) // 2
    return joined(
        [
            element("text", x.title, class_="axis", x=(LEFT + RIGHT) // 2, y=HEIGHT - 8, text_anchor="middle"),
            element(
                "text", y.title, class_="axis", text_anchor="middle", transform=f"translate(11 {middle}) rotate(-90)"
            ),
        ]
    )


def _stairs(front: Sequence[Point], x: Scale, y: Scale) -> Html:
    """The edge of what nobody reaches: from each point of the front level to the next."""
    start, *corners = _corners(front, x, y)
    steps = "".join(f"L{across} {up}" for across, up in corners)
    return element("path", class_="front", d=f"M{start[0]} {start[1]}{steps}")


def _corners(front: Sequence[Point], x: Scale, y: Scale) -> list[tuple[float, float]]:
    places = sorted((x.place(point.x), y.place(point.y)) for point in front)
    corners = [(places[0][0], float(BOTTOM))]
    for across, up in places:
        corners += [(across, corners[-1][1]), (across, up)]
    return [*corners, (float(RIGHT), places[-1][1])]


def _mark(point: Point, x: Scale, y: Scale) -> Html:
    across, up = x.place(point.x), y.place(point.y)
    if point.is_baseline:
        mark = element("path", d=f"M{across} {round(up - 5, 1)}l5 5l-5 5l-5 -5z")
    else:
        mark = element("circle", cx=across, cy=up, r=4.5 if point.is_front else 4)
    names = ["point", *(["on-front"] if point.is_front else [])]
    return element("g", element("title", point.said), mark, class_=" ".join(names), data_row=point.row)


@dataclass(frozen=True, slots=True)
class _Box:
    left: float
    right: float
    top: float
    bottom: float

    def overlap(self, other: _Box) -> float:
        across = min(self.right, other.right) - max(self.left, other.left)
        down = min(self.bottom, other.bottom) - max(self.top, other.top)
        return across * down if across > 0 and down > 0 else 0.0


def _labels(front: Sequence[Point], points: Sequence[Point], x: Scale, y: Scale) -> Iterator[Html]:
    """The names of the front, each where it hides least; one that would lie on another is left out."""
    marks = [(_around(x.place(each.x), y.place(each.y)), FRONT_WEIGHT if each.is_front else 1.0) for each in points]
    marks += [(box, 1.0) for box in _along(_corners(front, x, y))]
    placed: list[_Box] = []
    for point in sorted(front, key=lambda each: (-each.x, each.name)):
        across, up, name = x.place(point.x), y.place(point.y), cut(point.name, LABEL_LENGTH)
        spots = [(dx, dy, anchor, _box(across + dx, up + dy, name, anchor)) for dx, dy, anchor in (*_NEAR, *_FAR)]
        free = [each for each in spots if _is_inside(each[3]) and not any(map(each[3].overlap, placed))]
        if not free:
            continue
        dx, dy, anchor, box = min(free, key=lambda each: _hidden(each[3], marks) + abs(each[0]) + abs(each[1]))
        placed.append(box)
        at = {"x": round(across + dx, 1), "y": round(up + dy, 1), "text_anchor": anchor}
        if abs(dx) + abs(dy) > LED:
            yield element("line", class_="leader", x1=across, y1=up, x2=at["x"], y2=round(up + dy - 4, 1))
        yield element("text", name, class_="name", data_row=point.row, **at)


def _along(corners: Sequence[tuple[float, float]]) -> Iterator[_Box]:
    """The lines between the corners, which go straight up or across."""
    for (left, bottom), (right, top) in pairwise(corners):
        yield _Box(left - 1, right + 1, top - 1, bottom + 1)


def _around(across: float, up: float) -> _Box:
    return _Box(across - 5, across + 5, up - 5, up + 5)


def _box(across: float, base: float, name: str, anchor: str) -> _Box:
    """The room of a text whose line starts, ends or has its middle there."""
    long = LETTER * width(name)
    left = across - {"start": 0.0, "middle": long / 2, "end": long}[anchor]
    return _Box(left, left + long, base - LINE + 3, base + 3)


def _is_inside(box: _Box) -> bool:
    return box.left >= LEFT and box.right <= WIDTH and box.top >= 0 and box.bottom <= BOTTOM + 1


def _hidden(box: _Box, marks: Iterable[tuple[_Box, float]]) -> float:
    return sum(weight * box.overlap(mark) for mark, weight in marks)

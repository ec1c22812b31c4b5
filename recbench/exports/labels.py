"""Names beside the points of a chart, so that none covers another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

RINGS = (5.0, 11.0, 18.0, 27.0)
"""Distances from the point, in points of print, that are tried one after the other."""
DIRECTIONS = ((1, 0), (-1, 0), (0, 1), (0, -1), (0.8, 0.8), (-0.8, 0.8), (0.8, -0.8), (-0.8, -0.8))
SIDES = {-1: "right", 0: "center", 1: "left"}
HEIGHTS = {-1: "top", 0: "center", 1: "bottom"}
MARKER = 3.0
MUTED = "#555555"


def place_labels(
    axes: Any,
    points: Sequence[tuple[float, float]],
    texts: Sequence[str],
    needed: Sequence[bool],
    corners: Sequence[tuple[float, float]],
) -> None:
    """Write each text beside its point, the first ones first; a thin line leads to one that stands farther off.

    Args:
        axes: of matplotlib, with everything else drawn.
        points: (x, y) in the data's own units.
        texts: one each.
        needed: whether it must be there even where there is no room; those that need not are left out then.
        corners: of a line of level and upright pieces to keep clear of.
    """
    from matplotlib.text import Text

    figure = axes.figure
    figure.draw_without_rendering()
    renderer = figure.canvas.get_renderer()
    scale = renderer.points_to_pixels(1.0)
    places = axes.transData.transform(points)
    taken = [_box(place, place, MARKER * scale) for place in places]
    turns = axes.transData.transform(corners)
    taken += [_box(*piece, scale) for piece in pairwise(turns)]
    window = axes.get_window_extent(renderer)
    for point, text, must in zip(points, texts, needed, strict=True):
        label = axes.annotate(
            text, point, xytext=(0, 0), textcoords="offset points", fontsize=7 if must else 6, parse_math=False,
            color="black" if must else MUTED, annotation_clip=False,
            arrowprops={"arrowstyle": "-", "linewidth": 0.4, "color": MUTED, "shrinkA": 0, "shrinkB": 2},
        )  # fmt: skip
        label.set_in_layout(False)
        for horizontal, vertical, ring in _tries():
            _move(label, horizontal, vertical, ring)
            label.update_positions(renderer)
            box = Text.get_window_extent(label, renderer)  # without the line that leads to it
            if _is_within(box, window) and not any(box.overlaps(other) for other in taken):
                taken.append(box)
                break
        else:
            _settle(label, must=must)


def _tries() -> Iterator[tuple[float, float, float]]:
    for ring in RINGS:
        for horizontal, vertical in DIRECTIONS:
            yield horizontal, vertical, ring


def _move(label: Any, horizontal: float, vertical: float, ring: float) -> None:
    label.set_position((horizontal * ring, vertical * ring))
    label.set_horizontalalignment(SIDES[(horizontal > 0) - (horizontal < 0)])
    label.set_verticalalignment(HEIGHTS[(vertical > 0) - (vertical < 0)])
    label.arrow_patch.set_visible(ring > RINGS[0])


def _settle(label: Any, *, must: bool) -> None:
    """Where there is no room: as near as can be, or not at all."""
    if must:
        _move(label, *DIRECTIONS[0], RINGS[0])
    else:
        label.remove()


def _box(one: Any, other: Any, margin: float) -> Any:
    """What two corners span, and a margin around it."""
    from matplotlib.transforms import Bbox

    (left, right), (low, high) = (sorted(pair) for pair in zip(one, other, strict=True))
    return Bbox([[left - margin, low - margin], [right + margin, high + margin]])


def _is_within(box: Any, window: Any) -> bool:
    return bool(box.x0 >= window.x0 and box.x1 <= window.x1 and box.y0 >= window.y0 and box.y1 <= window.y1)

"""Trade-offs: which points nobody beats in one thing without losing in the other. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, TypeAlias

Best: TypeAlias = Literal["high", "low"]


def pareto_front(points: Sequence[tuple[float, float]], best: tuple[Best, Best] = ("high", "low")) -> list[bool]:
    """Whether each point is on the front: no other is as good in both coordinates and better in one.

    Equal points share their place. A point with NaN says nothing: it is not on the front, and keeps nobody off it.

    Args:
        points: (first, second) each, for example a quality and a cost.
        best: which values of the first and of the second coordinate are better.

    Returns:
        For each point, in the order given, whether it is on the front.

    >>> pareto_front([(0.2, 9.0), (0.1, 1.0), (0.1, 2.0)])
    [True, True, False]
    """
    first, second = (-1 if each == "high" else 1 for each in best)
    costs = [(first * x, second * y) for x, y in points]
    front: set[tuple[float, float]] = set()
    least = None
    for cost in sorted({(x, y) for x, y in costs if not (math.isnan(x) or math.isnan(y))}):
        if least is None or cost[1] < least:
            front.add(cost)
            least = cost[1]
    return [cost in front for cost in costs]

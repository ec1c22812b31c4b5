"""Which parameters to try: points of a grid, drawn by seed. Pure."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence

from recbench.api import Json
from recbench.protocols.spec import as_json, canonical

Space = Mapping[str, Sequence[Json]]


def changes(space: Space, now: Mapping[str, Json], budget: int, *, seed: int) -> list[dict[str, Json]]:
    """What to change for each trial: nothing for the first, then points of the grid that differ from what is now."""
    unchanged = canonical(as_json(now))
    others = (point for point in points(space, budget, seed=seed) if canonical(as_json({**now, **point})) != unchanged)
    return [{}, *others][:budget]


def points(space: Space, n: int, *, seed: int) -> list[dict[str, Json]]:
    """n points of the grid in an order drawn by seed, none twice; all of them where there are no more."""
    names = sorted(space)
    size = math.prod(len(space[name]) for name in names)
    drawn = random.Random(seed).sample(range(size), min(n, size))
    return [_point(names, space, index) for index in drawn]


def _point(names: Sequence[str], space: Space, index: int) -> dict[str, Json]:
    point = {}
    for name in names:
        index, place = divmod(index, len(space[name]))
        point[name] = space[name][place]
    return point

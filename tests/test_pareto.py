"""The Pareto front: against a plain loop, and at its edges."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recbench.leaderboard.pareto import Best, pareto_front

FEW = st.integers(-3, 3).map(float)
DIRECTIONS = st.tuples(st.sampled_from(["high", "low"]), st.sampled_from(["high", "low"]))


@given(st.lists(st.tuples(FEW, FEW)), DIRECTIONS)
def test_the_front_is_whoever_nobody_dominates(points: list[tuple[float, float]], best: tuple[Best, Best]) -> None:
    worth = [tuple(v if way == "high" else -v for v, way in zip(point, best, strict=True)) for point in points]

    def is_dominated(mine: tuple[float, ...]) -> bool:
        return any(other != mine and other[0] >= mine[0] and other[1] >= mine[1] for other in worth)

    assert pareto_front(points, best) == [not is_dominated(each) for each in worth]


def test_equal_points_are_on_the_front_together() -> None:
    assert pareto_front([(0.5, 1.0), (0.5, 1.0), (0.5, 2.0)]) == [True, True, False]


def test_a_point_without_a_figure_is_on_no_front_and_keeps_nobody_off() -> None:
    assert pareto_front([(math.nan, 0.0), (0.9, math.nan), (0.1, 5.0)]) == [False, False, True]


def test_infinite_costs_compare() -> None:
    assert pareto_front([(0.1, math.inf), (0.2, math.inf), (0.1, 1.0)]) == [False, True, True]


def test_nobody_is_on_the_front_of_nothing() -> None:
    assert pareto_front([]) == []


@pytest.mark.parametrize(("best", "expected"), [(("high", "low"), [True, False]), (("low", "high"), [False, True])])
def test_which_values_are_better_decides(best: tuple[Best, Best], expected: list[bool]) -> None:
    assert pareto_front([(0.9, 1.0), (0.1, 5.0)], best) == expected

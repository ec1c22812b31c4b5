"""Sums written out for people."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from worlds import from_pairs

from recbench.api import Texts, greatest, item_names, written_out


def test_what_is_not_shown_is_summed_up() -> None:
    terms = greatest(np.array([0.1, -0.4, 0.2, 0.3, 0.05]), list("abcde"), rest="items")
    assert written_out(0.25, terms) == "0.2500 = -0.4000 (b) +0.3000 (d) +0.2000 (c) +0.1500 (2 more items)"


def test_of_equal_parts_the_first_are_shown() -> None:
    terms = greatest(np.array([0.5, -0.5, 0.5]), list("abc"), rest="items", shown=2)
    assert terms == [(0.5, "a"), (-0.5, "b"), (0.5, "1 more items")]


@pytest.mark.parametrize("n", [1, 3])
def test_all_are_shown_where_they_are_few(n: int) -> None:
    assert len(greatest(np.ones(n), list("abc"[:n]), rest="items")) == n


def test_the_last_figure_takes_what_rounding_leaves() -> None:
    assert written_out(1.0, [(1 / 3, "a"), (1 / 3, "b"), (1 / 3, "c")]) == "1.0000 = 0.3333 (a) +0.3333 (b) +0.3334 (c)"


def test_items_go_by_title_or_else_by_id() -> None:
    data = from_pairs([0], [1], n_items=2)
    assert list(item_names(data)) == ["item i0", "item i1"]
    titled = replace(data, items={"title": Texts(values=np.array(["Heat", "Alien"]))})
    assert list(item_names(titled)) == ["Heat", "Alien"]

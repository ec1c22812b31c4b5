"""Saying what a score or a rating is the sum of."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from recbench.api import Dataset, Texts
from recbench_ensembles.ratings import FloatArray

SHOWN = 4


def item_names(train: Dataset) -> Sequence[str]:
    """What people call the items: titles where the data has them, else ids."""
    titles = train.items.get("title")
    return titles.values.tolist() if isinstance(titles, Texts) else [f"item {name}" for name in train.item_ids]


def greatest(parts: FloatArray, names: Sequence[str], *, rest: str) -> list[tuple[float, str]]:
    """The greatest of many parts by name, and one figure for all the others, called "12 more `rest`"."""
    order = np.argsort(-np.abs(parts), kind="stable")
    terms = [(float(parts[place]), names[place]) for place in order[:SHOWN]]
    if len(parts) > SHOWN:
        terms.append((float(parts[order[SHOWN:]].sum()), f"{len(parts) - SHOWN} more {rest}"))
    return terms


def written_out(total: float, terms: Sequence[tuple[float, str]]) -> str:
    """Write `total` as the sum of its terms. The last figure takes what rounding leaves, so that they add up.

    >>> written_out(3.25, [(3.5, "bias"), (-0.25, "similar users")])
    '3.2500 = 3.5000 (bias) -0.2500 (similar users)'
    """
    figures = [round(figure, 4) for figure, _ in terms]
    figures[-1] = round(total, 4) - sum(figures[:-1])
    first, *others = [name for _, name in terms]
    signed = "".join(f" {figure:+.4f} ({name})" for figure, name in zip(figures[1:], others, strict=True))
    return f"{total:.4f} = {figures[0]:.4f} ({first}){signed}"

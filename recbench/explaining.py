"""Writing out for people what a score or a rating is the sum of."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from recbench.data import Dataset, Texts


def item_names(train: Dataset) -> Sequence[str]:
    """What people call the items: titles where the data has them, else ids."""
    titles = train.items.get("title")
    return titles.values.tolist() if isinstance(titles, Texts) else [f"item {name}" for name in train.item_ids]


def greatest(parts: NDArray[np.float64], names: Sequence[str], *, rest: str, shown: int = 3) -> list[tuple[float, str]]:
    """The greatest of many parts by name, and one figure for all the others, called "12 more `rest`".

    Args:
        parts: (n,) figures; those furthest from 0 come first, of equals the one given first.
        names: of the parts.
        rest: what parts are, in the plural.
        shown: parts that are named.
    """
    order = np.argsort(-np.abs(parts), kind="stable")
    terms = [(float(parts[place]), names[place]) for place in order[:shown]]
    if len(parts) > shown:
        terms.append((float(parts[order[shown:]].sum()), f"{len(parts) - shown} more {rest}"))
    return terms


def written_out(total: float, terms: Sequence[tuple[float, str]]) -> str:
    """Write `total` as the sum of its terms, at least one. The last takes what rounding leaves, so that they add up.

    >>> written_out(3.25, [(3.5, "mean"), (-0.25, "offset of the user")])
    '3.2500 = 3.5000 (mean) -0.2500 (offset of the user)'
    """
    figures = [round(figure, 4) for figure, _ in terms]
    figures[-1] = round(total, 4) - sum(figures[:-1])
    first, *others = [name for _, name in terms]
    signed = "".join(f" {figure:+.4f} ({name})" for figure, name in zip(figures[1:], others, strict=True))
    return f"{total:.4f} = {figures[0]:.4f} ({first}){signed}"

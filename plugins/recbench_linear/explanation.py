"""Saying which of the user's own items a score is the sum of."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from recbench.api import Dataset, Texts

SHOWN = 3


def item_names(train: Dataset) -> Sequence[str]:
    """What people call the items: titles where the data has them, else ids."""
    titles = train.items.get("title")
    return titles.values.tolist() if isinstance(titles, Texts) else [f"item {name}" for name in train.item_ids]


def written_out(score: float, parts: NDArray[np.float64], names: Sequence[str]) -> str:
    """Write `score` as the sum of its greatest parts and of the rest. The last figure takes what rounding leaves.

    >>> written_out(0.25, np.array([0.5, -0.25]), ["item 7", "item 8"])
    '0.2500 = 0.5000 (item 7) -0.2500 (item 8)'
    """
    order = np.argsort(-np.abs(parts), kind="stable")
    terms = [(round(float(parts[place]), 4), names[place]) for place in order[:SHOWN]]
    if len(parts) > SHOWN:
        terms.append((0.0, f"{len(parts) - SHOWN} more items"))
    terms[-1] = (round(score, 4) - sum(figure for figure, _ in terms[:-1]), terms[-1][1])
    (first, name), *others = terms
    return f"{score:.4f} = {first:.4f} ({name})" + "".join(f" {figure:+.4f} ({name})" for figure, name in others)

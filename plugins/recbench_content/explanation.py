"""Saying which features a score is the sum of."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

SHOWN = 3


def sum_of_features(
    score: float, parts: NDArray[np.float64], names: Sequence[str], popular: float, how_popular: str
) -> str:
    """Write `score` as its greatest parts, the rest of them, and popularity, which takes what rounding leaves.

    >>> sum_of_features(1.25, np.array([0.5, -0.25]), ["year near 1990", "genres War"], 1.0, "popularity")
    '1.2500 = 0.5000 (year near 1990) -0.2500 (genres War) +1.0000 (popularity)'
    """
    order = np.argsort(-np.abs(parts), kind="stable")
    terms = [(round(float(parts[place]), 4), names[place]) for place in order[:SHOWN]]
    if len(parts) > SHOWN:
        rest = round(float(parts[order[SHOWN:]].sum()), 4)
        terms.append((rest, f"{len(parts) - SHOWN} more features"))
    if popular:
        terms.append((popular, how_popular))
    terms[-1] = (round(score, 4) - sum(figure for figure, _ in terms[:-1]), terms[-1][1])
    (first, name), *others = terms
    return f"{score:.4f} = {first:.4f} ({name})" + "".join(f" {figure:+.4f} ({name})" for figure, name in others)

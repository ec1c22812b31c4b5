"""Writing out a weighted sum."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

SHOWN = 3


def written_out(score: float, weights: NDArray[np.float64], values: NDArray[np.float64], names: Sequence[str]) -> str:
    """Write `score` as the sum of its greatest terms and of the rest. The rest takes what rounding leaves.

    >>> written_out(0.76, np.array([0.6, 0.4]), np.array([0.8, 0.7]), ["user 7", "user 9"])
    '0.7600 = 0.4800 (0.6000 x 0.8000 of user 7) + 0.2800 (0.4000 x 0.7000 of user 9)'
    """
    terms = weights * values
    order = np.argsort(-np.abs(terms), kind="stable")
    shown = [
        (round(float(terms[place]), 4), f"{weights[place]:.4f} x {values[place]:.4f} of {names[place]}")
        for place in order[:SHOWN]
    ]
    rest = round(round(score, 4) - sum(figure for figure, _ in shown), 4)
    if len(order) > SHOWN:
        shown.append((rest, f"{len(order) - SHOWN} more"))
    elif rest:
        shown.append((rest, "rounding"))
    (first, name), *others = shown
    said = "".join(f" {'-' if figure < 0 else '+'} {abs(figure):.4f} ({what})" for figure, what in others)
    return f"{score:.4f} = {first:.4f} ({name}){said}"

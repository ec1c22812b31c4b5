"""How far predicted ratings are off: a value for each test pair, averaged over all pairs (not by user first)."""

from __future__ import annotations

import numpy as np

from recbench.api import Pairs
from recbench.data import FloatArray


def squared_error(pairs: Pairs) -> FloatArray:
    """The squared error of each pair; `rmse` is the root of its mean.

    Formula: (rating - prediction)^2.
    Edges: predictions are clipped to the scale; where the algorithm could not say, the training mean stands in.
    Differs: LensKit also gives the mean over users of each user's own error.

    Returns:
        (n,) float64, at least 0, lower is better.
    """
    return np.square(pairs.rating - pairs.prediction)


def absolute_error(pairs: Pairs) -> FloatArray:
    """The absolute error of each pair.

    Formula: |rating - prediction|.
    Edges: as `squared_error`.

    Returns:
        (n,) float64, at least 0, lower is better.
    """
    return np.abs(pairs.rating - pairs.prediction)


def answered(pairs: Pairs) -> FloatArray:
    """Whether the algorithm could say something about the pair.

    Formula: 0 where it gave NaN, else 1.

    Returns:
        (n,) float64, 0 or 1, higher is better.
    """
    return pairs.answered.astype(np.float64)

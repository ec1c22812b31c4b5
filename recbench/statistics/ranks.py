"""Ranks over several worlds (data sets, protocols): their mean, and how far two means must be apart."""

from __future__ import annotations

import math

import numpy as np

from recbench.data import FloatArray
from recbench.statistics.paired import ALPHA


def average_ranks(worth: FloatArray) -> FloatArray:
    """Each row's rank averaged over worlds; 1 is best, equal ones share the mean of their ranks.

    Args:
        worth: (n_worlds, n_rows) float64, greater is better.

    Returns:
        (n_rows,) float64, from 1 to n_rows.

    >>> average_ranks(np.array([[0.3, 0.2, 0.1], [0.5, 0.5, 0.4]])).tolist()
    [1.25, 1.75, 3.0]
    """
    better = (worth[:, None, :] > worth[:, :, None]).sum(axis=2)
    alike = (worth[:, None, :] == worth[:, :, None]).sum(axis=2)
    ranks: FloatArray = (better + (alike + 1) / 2).mean(axis=0)
    return ranks


def critical_difference(n_rows: int, n_worlds: int, alpha: float = ALPHA) -> float:
    """How far two average ranks must be apart to tell two of `n_rows` algorithms apart over `n_worlds` worlds.

    Formula: q sqrt(n_rows (n_rows + 1) / (6 n_worlds)), q being the studentized range's quantile for infinitely many
        degrees of freedom over the root of 2.
    Edges: the worlds are taken to be independent of each other.

    Raises:
        ValueError: fewer than two rows, or no world.

    Source: Nemenyi, Distribution-free Multiple Comparisons, 1963, as in Demsar, JMLR 2006.
    """
    if n_rows < 2 or n_worlds < 1:
        raise ValueError(f"there is no difference of ranks among {n_rows} rows over {n_worlds} worlds")
    from scipy.stats import studentized_range

    quantile = float(studentized_range.ppf(1 - alpha, n_rows, np.inf)) / math.sqrt(2)
    return quantile * math.sqrt(n_rows * (n_rows + 1) / (6 * n_worlds))

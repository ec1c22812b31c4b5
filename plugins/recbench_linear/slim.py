"""SLIM: an elastic net for each item on all others."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_matrix, csr_matrix
from sklearn import config_context
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import enet_path

from recbench_linear.itembased import ItemBased
from recbench_linear.largest import keep_largest, stacked

WeightsFor: TypeAlias = Callable[[int], NDArray[np.float64]]

MANY = 50
"""Cells of X'X for each interaction, below which it is the faster one to descend over."""


class Slim(ItemBased):
    """Ranks by a sparse linear model of each item on all other items, with weights of 0 or more.

    For each item i, with x_i its 0/1 column and X the matrix without it, w_i minimises
    |x_i - X w_i|^2 / (2 n_users) + alpha * l1_ratio * |w_i|_1 + alpha * (1 - l1_ratio) / 2 * |w_i|^2 over w_i >= 0.

    Where interactions are many for the catalogue, the descent goes over X'X instead of X, and more users make it no
    slower. That takes an array of n_items x n_items float64: 110 MB at 3,700 items.

    Args:
        alpha: strength of both penalties.
        l1_ratio: share of the one that sets weights to 0.
        k: largest weights kept for each item to score.
        sweeps: passes of the coordinate descent at most.
        tolerance: at which it stops before.

    Source: Ning and Karypis, SLIM, ICDM 2011; by scikit-learn's enet_path as in Ferrari Dacrema and others, TOIS 2021.
    """

    def __init__(
        self,
        *,
        alpha: float = 0.004,
        l1_ratio: float = 0.1,
        k: int = 200,
        sweeps: int = 100,
        tolerance: float = 1e-4,
    ) -> None:
        if not alpha > 0:
            raise ValueError(f"alpha must be above 0, not {alpha!r}")
        if not 0 <= l1_ratio <= 1:
            raise ValueError(f"l1_ratio must be between 0 and 1, not {l1_ratio!r}")
        if k < 1 or sweeps < 1:
            raise ValueError(f"k and sweeps must be 1 or more, not {k!r} and {sweeps!r}")
        self._k = k
        self._net: dict[str, Any] = {
            "alphas": np.array([alpha]),
            "l1_ratio": l1_ratio,
            "positive": True,
            "max_iter": sweeps,
            "tol": tolerance,
            "check_input": False,
            "random_state": 0,  # nothing is drawn; without it the global generator is asked for a seed
        }

    def _learn(self, history: csr_matrix) -> csr_matrix:
        n_items = history.shape[1]
        weights_for = self._by_counts(history) if n_items**2 < MANY * history.nnz else self._by_entries(history)
        columns = []
        with config_context(assume_finite=True, skip_parameter_validation=True), warnings.catch_warnings():
            # What `sweeps` cuts short is good enough: the figures of the literature are cut short, too.
            warnings.simplefilter("ignore", ConvergenceWarning)
            for item in range(n_items):
                columns.append(keep_largest(weights_for(item)[None, :], self._k))
        return stacked(columns, n_items).T.tocsr()

    def _by_entries(self, history: csr_matrix) -> WeightsFor:
        """A sweep takes time by the interactions."""
        others = csc_matrix(history, copy=True)

        def weights_for(item: int) -> NDArray[np.float64]:
            entries = slice(others.indptr[item], others.indptr[item + 1])
            if entries.start == entries.stop:
                return np.zeros(others.shape[1])
            target = np.zeros(others.shape[0])
            target[others.indices[entries]] = 1.0
            others.data[entries] = 0.0
            weights = self._descend(others, target)
            others.data[entries] = 1.0
            return weights

        return weights_for

    def _by_counts(self, history: csr_matrix) -> WeightsFor:
        """A sweep takes time by the weights that change, times the items."""
        together = (history.T @ history).toarray(order="C")  # users of both
        # With X'X and X'y given, X is asked for its shape alone, and y for its length.
        shape, users = np.broadcast_to(0.0, history.shape), np.arange(history.shape[0])

        def weights_for(item: int) -> NDArray[np.float64]:
            with_item = together[item].copy()
            with_item[item] = 0.0  # no count is below 0, so the item's own weight stays 0
            target = (users < together[item, item]).astype(np.float64)
            return self._descend(shape, target, precompute=together, Xy=with_item)

        return weights_for

    def _descend(
        self, columns: csc_matrix | NDArray[np.float64], target: NDArray[np.float64], **given: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """(n_items,) weights of the columns for the target."""
        _, weights, _ = enet_path(columns, target, **{"precompute": False, **given, **self._net})
        return np.asarray(weights[:, 0], dtype=np.float64)

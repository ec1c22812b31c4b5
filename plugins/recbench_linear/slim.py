"""SLIM: an elastic net for each item on all others."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_matrix, csr_matrix
from sklearn import config_context
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import ElasticNet

from recbench_linear.itembased import ItemBased
from recbench_linear.largest import keep_largest, stacked


class Slim(ItemBased):
    """Ranks by a sparse linear model of each item on all other items, with weights of 0 or more.

    For each item i, with x_i its 0/1 column and X the matrix without it, w_i minimises
    |x_i - X w_i|^2 / (2 n_users) + alpha * l1_ratio * |w_i|_1 + alpha * (1 - l1_ratio) / 2 * |w_i|^2 over w_i >= 0.

    Args:
        alpha: strength of both penalties.
        l1_ratio: share of the one that sets weights to 0.
        k: largest weights kept for each item to score.
        sweeps: passes of the coordinate descent at most.
        tolerance: at which it stops before.

    Source: Ning and Karypis, SLIM, ICDM 2011; by scikit-learn's ElasticNet as in Ferrari Dacrema and others, TOIS 2021.
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
        self._net = ElasticNet(
            alpha=alpha,
            l1_ratio=l1_ratio,
            positive=True,
            fit_intercept=False,
            copy_X=False,
            max_iter=sweeps,
            tol=tolerance,
            random_state=0,  # nothing is drawn; without it the global generator is asked for a seed
        )

    def _learn(self, history: csr_matrix) -> csr_matrix:
        others = csc_matrix(history, copy=True)
        columns = []
        with config_context(assume_finite=True, skip_parameter_validation=True), warnings.catch_warnings():
            # What `sweeps` cuts short is good enough: the figures of the literature are cut short, too.
            warnings.simplefilter("ignore", ConvergenceWarning)
            for item in range(history.shape[1]):
                columns.append(keep_largest(self._weights_for(item, others)[None, :], self._k))
        return stacked(columns, history.shape[1]).T.tocsr()

    def _weights_for(self, item: int, others: csc_matrix) -> NDArray[np.float64]:
        """(n_items,) weights of all other items for `item`."""
        entries = slice(others.indptr[item], others.indptr[item + 1])
        if entries.start == entries.stop:
            return np.zeros(others.shape[1])
        target = np.zeros(others.shape[0])
        target[others.indices[entries]] = 1.0
        others.data[entries] = 0.0
        self._net.fit(others, target, check_input=False)
        others.data[entries] = 1.0
        return np.asarray(self._net.coef_, dtype=np.float64)

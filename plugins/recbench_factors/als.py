"""Alternating least squares for implicit feedback."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from recbench_factors.rankers import Factors, SummingRanker

BATCH_CELLS = 2 << 20  # 16 MB of float64


class ImplicitALS(SummingRanker):
    """Ranks by factors that tell what a user has, with more confidence in what is there than in what is not.

    Minimises sum over all pairs of c (x - p_u . q_i)^2 + reg (sum |p_u|^2 + sum |q_i|^2), with x = 1 and c = 1 + alpha
    where the user has the item, x = 0 and c = 1 elsewhere. In turn, the factors of all items and then of all users
    are set to the exact optimum for the others; all start as draws from N(0, .1).

    A user's factors are the exact ones for the final items, so each item of the user has a share in them
    (Hu, Koren, Volinsky, section 5), and new users are folded in the same way.

    Args:
        factors: numbers a user and an item.
        reg: regularisation; where catalogues are small, far above text-book values.
        alpha: additional confidence in what is there.
        sweeps: times both sides are set.

    Source: Hu, Koren, Volinsky, Collaborative Filtering for Implicit Feedback Datasets, ICDM 2008.
    """

    def __init__(self, *, factors: int = 32, reg: float = 150.0, alpha: float = 15.0, sweeps: int = 15) -> None:
        if factors < 1 or sweeps < 1:
            raise ValueError(f"factors and sweeps must be 1 or more, not {factors!r} and {sweeps!r}")
        if not reg > 0:
            raise ValueError(f"reg must be above 0, not {reg!r}")
        if not alpha >= 0:
            raise ValueError(f"alpha must be 0 or more, not {alpha!r}")
        self._n_factors = factors
        self._reg = reg
        self._alpha = alpha
        self._sweeps = sweeps

    def _learn(self, history: csr_matrix, rng: np.random.Generator) -> Factors:
        by_item = history.T.tocsr()
        user = rng.normal(0.0, 0.1, (history.shape[0], self._n_factors))
        for _ in range(self._sweeps):
            item = self._optimal(by_item, user)
            user = self._optimal(history, item)
        return Factors(user=user, item=item)

    def _fold_in(self, histories: csr_matrix) -> NDArray[np.float64]:
        return self._optimal(histories, self._factors.item)

    def _shares(self, own: NDArray[np.int32]) -> NDArray[np.float64]:
        theirs = self._factors.item[own]
        left = self._everybody(self._factors.item) + self._alpha * theirs.T @ theirs
        return np.asarray(np.linalg.solve(left, (1.0 + self._alpha) * theirs.T).T, dtype=np.float64)

    def _optimal(self, ones: csr_matrix, others: NDArray[np.float64]) -> NDArray[np.float64]:
        """(m, f) factors of rows, given those of columns: (Q'Q + reg I + alpha sum q q') p = (1 + alpha) sum q."""
        everybody = self._everybody(others)
        right = (1.0 + self._alpha) * (ones @ others)
        # A row of zeros behind the last one lets rows of different lengths share a batch.
        padded = np.vstack([others, np.zeros((1, self._n_factors))])
        factors = np.zeros((ones.shape[0], self._n_factors))
        for rows in _batches(np.diff(ones.indptr), self._n_factors):
            theirs = padded.take(_padded_columns(ones, rows), axis=0)  # (b, length, f)
            left = theirs.transpose(0, 2, 1) @ theirs
            left *= self._alpha
            left += everybody
            factors[rows] = np.linalg.solve(left, right[rows, :, None])[:, :, 0]
        return factors

    def _everybody(self, others: NDArray[np.float64]) -> NDArray[np.float64]:
        """(f, f): the part of the normal equations that all rows have."""
        gram: NDArray[np.float64] = others.T @ others + self._reg * np.eye(self._n_factors)
        return gram


def _batches(lengths: NDArray[np.integer], width: int) -> Iterator[NDArray[np.intp]]:
    """Cut rows that have an entry into batches of about one length, so that padding them wastes little."""
    order = np.argsort(lengths, kind="stable")
    order = order[np.searchsorted(lengths[order], 1) :]
    ascending = lengths[order]
    first = 0
    while first < len(order):
        alike = np.searchsorted(ascending, 1.25 * ascending[first] + 2, side="right")
        room = max(1, BATCH_CELLS // (width * max(width, int(ascending[alike - 1]))))
        last = min(int(alike), first + room)
        yield order[first:last]
        first = last


def _padded_columns(ones: csr_matrix, rows: NDArray[np.intp]) -> NDArray[np.int64]:
    """(b, length) columns of rows; places behind a row's end point one past the last column."""
    starts = ones.indptr[rows].astype(np.int64)
    lengths = ones.indptr[rows + 1] - starts
    places = np.arange(int(lengths.max()))
    there = places < lengths[:, None]
    return np.where(there, ones.indices[np.where(there, starts[:, None] + places, 0)], ones.shape[1])

"""Bayesian personalised ranking by matrix factorisation."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.special import expit

from recbench_factors.compiled import compiled
from recbench_factors.rankers import FactorRanker, Factors
from recbench_factors.steps import Steps

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int32]

DRAWS = 20
STEPS = 15


class BPR(FactorRanker):
    """Ranks by b_i + p_u . q_i, learned so that items a user has come before items the user does not have.

    Maximises the sum of log s(x_ui - x_uj) over draws of a user u, an item i of u and an item j that u does not have,
    minus reg / 2 times all squared parameters, s the logistic function: with g = s(x_uj - x_ui),
    p_u += rate * (g * (q_i - q_j) - reg * p_u), and q_i, q_j, b_i, b_j likewise. An epoch takes each pair (u, i) once,
    in an order by lot, each time with another j, all items alike likely.

    A new user's p is the optimum of the same objective over all pairs of an item the user has and one the user does
    not have, b and q held: no draws, so that whoever is asked for with the user changes nothing.

    Args:
        factors: numbers a user and an item.
        epochs: passes over all pairs.
        rate: learning rate.
        reg: regularisation.
        spread: standard deviation of the draws that factors start with.

    Source: Rendle, Freudenthaler, Gantner, Schmidt-Thieme, BPR: Bayesian Personalized Ranking from Implicit Feedback,
        UAI 2009.
    """

    def __init__(
        self, *, factors: int = 64, epochs: int = 300, rate: float = 0.02, reg: float = 0.05, spread: float = 0.1
    ) -> None:
        self._steps = Steps(factors=factors, epochs=epochs, rate=rate, reg=reg, spread=spread)

    def _learn(self, history: csr_matrix, rng: np.random.Generator) -> Factors:
        steps = self._steps
        user = steps.draw(rng, np.diff(history.indptr) > 0)
        item = steps.draw(rng, np.ones(history.shape[1], dtype=np.bool_))
        offset = np.zeros(history.shape[1])
        epoch = compiled(one_epoch, SIGNATURE)
        for triples in draws(history, steps.epochs, rng):
            epoch(*triples, user, item, offset, steps.rate, steps.reg)
        return Factors(user=user, item=item, offset=offset)

    def _fold_in(self, histories: csr_matrix) -> FloatArray:
        folded = np.zeros((histories.shape[0], self._steps.factors))
        offset = self._factors.offset
        for row in range(len(folded)):
            own = np.zeros(histories.shape[1], dtype=np.bool_)
            own[histories.indices[histories.indptr[row] : histories.indptr[row + 1]]] = True
            if offset is not None and own.any() and not own.all():
                folded[row] = optimum(own, self._factors.item, offset, self._steps.reg)
        return folded


def optimum(own: NDArray[np.bool_], q: FloatArray, offset: FloatArray, reg: float) -> FloatArray:
    """Find the factors of a user: maximise the mean of log s(x_i - x_j) over own i and other j, minus reg / 2 |p|^2.

    Newton's steps, with the greatest curvature that log s can have, 1/4, in place of the curvature where they start:
    none goes too far. It takes an array of own x other items.

    Args:
        own: (n_items,) which items the user has; at least one, and not all.
        q: (n_items, f) factors of items.
        offset: (n_items,) b of items.
        reg: regularisation.

    Returns: (f,).

    Source: Boehning and Lindsay, Monotonicity of Quadratic-Approximation Algorithms, AISM 1988.
    """
    better, worse = q[own], q[~own]
    lead_of_offsets = offset[own][:, None] - offset[~own]
    crossed = np.outer(better.mean(axis=0), worse.mean(axis=0))
    squares = better.T @ better / len(better) + worse.T @ worse / len(worse) - crossed - crossed.T
    inverse = np.linalg.pinv(squares / 4.0 + reg * np.eye(q.shape[1]), hermitian=True)
    p = np.zeros(q.shape[1])
    for _ in range(STEPS):
        pull = expit((worse @ p) - (better @ p)[:, None] - lead_of_offsets)
        slope = (pull.sum(axis=1) @ better - pull.sum(axis=0) @ worse) / pull.size - reg * p
        p += inverse @ slope
    return p


def draws(history: csr_matrix, epochs: int, rng: np.random.Generator) -> Iterator[tuple[IntArray, IntArray, IntArray]]:
    """Yield, epoch by epoch, users, items they have, and items they do not have."""
    n_users, n_items = history.shape
    users = np.repeat(np.arange(n_users, dtype=np.int32), np.diff(history.indptr))
    items = history.indices.astype(np.int32, copy=False)
    for _ in range(epochs):
        order = rng.permutation(len(users))
        user = users[order]
        other = rng.integers(n_items, size=len(order)).astype(np.int32)
        own = np.arange(len(order))
        for _ in range(DRAWS):
            own = own[_owned(history, user[own], other[own])]
            other[own] = rng.integers(n_items, size=len(own))
        # A user who has nearly everything may draw own items again and again: that pair is left out of the epoch.
        right = np.ones(len(order), dtype=np.bool_)
        right[own] = ~_owned(history, user[own], other[own])
        yield user[right], items[order[right]], other[right]


def _owned(history: csr_matrix, user: IntArray, item: IntArray) -> NDArray[np.bool_]:
    """(n,) whether the user has the item."""
    owned = np.empty(len(user), dtype=np.bool_)
    starts, items = history.indptr.astype(np.int64), history.indices.astype(np.int32, copy=False)
    compiled(look_up, SIGNATURE_OF_LOOK_UP)(user, item, starts, items, owned)
    return owned


SIGNATURE_OF_LOOK_UP = "void(int32[::1], int32[::1], int64[::1], int32[::1], boolean[::1])"


def look_up(
    user: IntArray, item: IntArray, starts: NDArray[np.int64], items: IntArray, owned: NDArray[np.bool_]
) -> None:
    """Search each item among those of its user, `items[starts[user] : starts[user + 1]]`, which ascend."""
    for row in range(len(user)):
        low, end = starts[user[row]], starts[user[row] + 1]
        high = end
        while low < high:
            middle = (low + high) // 2
            if items[middle] < item[row]:
                low = middle + 1
            else:
                high = middle
        owned[row] = low < end and items[low] == item[row]


SIGNATURE = "void(int32[::1], int32[::1], int32[::1], float64[:, ::1], float64[:, ::1], float64[::1], float64, float64)"


def one_epoch(
    user: IntArray,
    item: IntArray,
    other: IntArray,
    p: FloatArray,
    q: FloatArray,
    offset: FloatArray,
    rate: float,
    reg: float,
) -> None:
    """Take one step for each triple; factors and offsets are written to."""
    for row in range(len(user)):
        u, i, j = user[row], item[row], other[row]
        lead = offset[i] - offset[j]
        for f in range(p.shape[1]):
            lead += p[u, f] * (q[i, f] - q[j, f])
        pull = 1.0 / (1.0 + np.exp(lead))
        offset[i] += rate * (pull - reg * offset[i])
        offset[j] -= rate * (pull + reg * offset[j])
        for f in range(p.shape[1]):
            mine, better, worse = p[u, f], q[i, f], q[j, f]
            p[u, f] += rate * (pull * (better - worse) - reg * mine)
            q[i, f] += rate * (pull * mine - reg * better)
            q[j, f] -= rate * (pull * mine + reg * worse)

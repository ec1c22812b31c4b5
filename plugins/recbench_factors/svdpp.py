"""SVD++: biased matrix factorisation that also learns from which items were rated at all."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags_array

from recbench.api import Dataset
from recbench_factors.compiled import compiled
from recbench_factors.raters import FactorRater, Model
from recbench_factors.steps import Steps, ratings_of

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int32]


class SVDPlusPlus(FactorRater):
    """Predicts mean + b_u + b_i + q_i . (p_u + sum of y_j over the items j that u rated / sqrt(their number)).

    Minimises the squared error plus reg times all squared parameters, one rating after the other, user by user:
    steps as in `svd`, and y_j += rate * (e * q_i / sqrt(n) - reg * y_j) for all n items j of the user.

    While the steps go over one user, only the sum of the user's y_j is read, and all of them change alike. So the
    sum is carried along, and each y_j is brought up to date once, after the user's last rating: the same result as
    step by step, in time that grows with the ratings and not with the squares of the users' numbers of them.

    Args:
        factors: numbers a user and an item.
        epochs: passes over all ratings.
        rate: learning rate.
        reg: regularisation.
        spread: standard deviation of the draws that factors start with.

    Source: Koren, Factorization Meets the Neighborhood, KDD 2008; the defaults are those of SVDpp in Surprise.
    """

    def __init__(
        self, *, factors: int = 20, epochs: int = 20, rate: float = 0.007, reg: float = 0.02, spread: float = 0.1
    ) -> None:
        self._steps = Steps(factors=factors, epochs=epochs, rate=rate, reg=reg, spread=spread)

    def score_new(self, histories: Dataset) -> FloatArray:
        """Predict ratings of users who were not there in `fit`, by what they rated, with p and b of 0."""
        factors = _mean_of_implicit(histories.user_item("one"), self._implicit)
        return self._ratings(np.zeros(histories.n_users), factors)

    def _learn(self, train: Dataset, rng: np.random.Generator) -> Model:
        steps, rows = self._steps, ratings_of(train)
        user_offset, item_offset = np.zeros(train.n_users), np.zeros(train.n_items)
        p, q, y = (steps.draw(rng, there) for there in (rows.has_user, rows.has_item, rows.has_item))
        starts = np.concatenate([[0], np.cumsum(np.bincount(rows.user, minlength=train.n_users))])
        epoch = compiled(one_epoch, SIGNATURE)
        for _ in range(steps.epochs):
            epoch(starts, rows.item, rows.rating, user_offset, item_offset, p, q, y, rows.mean, steps.rate, steps.reg)
        self._implicit = y
        user = p + _mean_of_implicit(train.user_item("one"), y)
        return Model(mean=rows.mean, user_offset=user_offset, item_offset=item_offset, user=user, item=q)


def _mean_of_implicit(rated: csr_matrix, y: FloatArray) -> FloatArray:
    """(n_users, f) sums of y over the items of a user, divided by the root of their number."""
    lengths = np.maximum(np.diff(rated.indptr), 1).astype(np.float64)
    means: FloatArray = diags_array(1.0 / np.sqrt(lengths)) @ (rated @ y)
    return means


SIGNATURE = (
    "void(int64[::1], int32[::1], float64[::1], float64[::1], float64[::1], float64[:, ::1], float64[:, ::1],"
    " float64[:, ::1], float64, float64, float64)"
)


def one_epoch(
    starts: NDArray[np.int64],
    item: IntArray,
    rating: FloatArray,
    user_offset: FloatArray,
    item_offset: FloatArray,
    p: FloatArray,
    q: FloatArray,
    y: FloatArray,
    mean: float,
    rate: float,
    reg: float,
) -> None:
    """Take one step for each rating; user u has those from starts[u] to starts[u + 1]. Parameters are written to."""
    width = p.shape[1]
    kept = 1.0 - rate * reg
    for u in range(len(starts) - 1):
        first, last = starts[u], starts[u + 1]
        root = np.sqrt(last - first)
        total = np.zeros(width)  # sum of y_j over the user's items, as it would be by now
        change = np.zeros(width)  # what each y_j has gained by now, beside shrinking
        for row in range(first, last):
            for f in range(width):
                total[f] += y[item[row], f]
        for row in range(first, last):
            i = item[row]
            predicted = mean + user_offset[u] + item_offset[i]
            for f in range(width):
                predicted += q[i, f] * (p[u, f] + total[f] / root)
            error = rating[row] - predicted
            user_offset[u] += rate * (error - reg * user_offset[u])
            item_offset[i] += rate * (error - reg * item_offset[i])
            for f in range(width):
                p_before, q_before, implicit = p[u, f], q[i, f], total[f] / root
                p[u, f] += rate * (error * q_before - reg * p_before)
                q[i, f] += rate * (error * (p_before + implicit) - reg * q_before)
                gain = rate * error * q_before / root
                change[f] = kept * change[f] + gain
                total[f] = kept * total[f] + (last - first) * gain
        shrunk = kept ** (last - first)
        for row in range(first, last):
            for f in range(width):
                y[item[row], f] = shrunk * y[item[row], f] + change[f]

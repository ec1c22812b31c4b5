"""Biased matrix factorisation for ratings, by stochastic gradient descent."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from recbench.api import Dataset
from recbench_factors.compiled import compiled
from recbench_factors.raters import FactorRater, Model
from recbench_factors.steps import Steps, ratings_of

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int32]


class BiasedMF(FactorRater):
    """Predicts mean + b_u + b_i + p_u . q_i, the "SVD" of the Netflix prize.

    Minimises the squared error plus reg times all squared offsets and factors, one rating after the other, user by
    user in the order of the table: with e the error, b += rate * (e - reg * b), p += rate * (e * q - reg * p), and
    q likewise. Factors start as draws from N(0, spread), offsets at 0. Who has no training rating has none of them.

    Args:
        factors: numbers a user and an item.
        epochs: passes over all ratings.
        rate: learning rate.
        reg: regularisation.
        spread: standard deviation of the draws.

    Source: Koren, Bell, Volinsky, Matrix Factorization Techniques for Recommender Systems, IEEE Computer 2009; the
        defaults are those of SVD in Surprise.
    """

    def __init__(
        self, *, factors: int = 100, epochs: int = 20, rate: float = 0.005, reg: float = 0.02, spread: float = 0.1
    ) -> None:
        self._steps = Steps(factors=factors, epochs=epochs, rate=rate, reg=reg, spread=spread)

    def score_new(self, histories: Dataset) -> FloatArray:
        """Predict ratings of users who were not there in `fit`, by as many epochs of steps, from 0, with items held.

        The exact optimum would follow few ratings too closely: what keeps training from it is that it stops early.
        """
        steps, rows, model = self._steps, ratings_of(histories), self._model
        offset, factors = np.zeros(histories.n_users), np.zeros((histories.n_users, steps.factors))
        # What the items leave for the user to explain.
        rest = rows.rating - model.mean - model.item_offset[rows.item]
        epoch = compiled(one_epoch_of_users, SIGNATURE_OF_USERS)
        for _ in range(steps.epochs):
            epoch(rows.user, rows.item, rest, offset, factors, model.item, steps.rate, steps.reg)
        return self._ratings(offset, factors)

    def _learn(self, train: Dataset, rng: np.random.Generator) -> Model:
        steps, rows = self._steps, ratings_of(train)
        model = Model(
            mean=rows.mean,
            user_offset=np.zeros(train.n_users),
            item_offset=np.zeros(train.n_items),
            user=steps.draw(rng, rows.has_user),
            item=steps.draw(rng, rows.has_item),
        )
        epoch = compiled(one_epoch, SIGNATURE)
        for _ in range(steps.epochs):
            epoch(
                rows.user,
                rows.item,
                rows.rating,
                model.user_offset,
                model.item_offset,
                model.user,
                model.item,
                model.mean,
                steps.rate,
                steps.reg,
            )
        return model


SIGNATURE = (
    "void(int32[::1], int32[::1], float64[::1], float64[::1], float64[::1], float64[:, ::1], float64[:, ::1],"
    " float64, float64, float64)"
)


def one_epoch(
    user: IntArray,
    item: IntArray,
    rating: FloatArray,
    user_offset: FloatArray,
    item_offset: FloatArray,
    p: FloatArray,
    q: FloatArray,
    mean: float,
    rate: float,
    reg: float,
) -> None:
    """Take one step for each rating; offsets and factors are written to."""
    for row in range(len(rating)):
        u, i = user[row], item[row]
        predicted = mean + user_offset[u] + item_offset[i]
        for f in range(p.shape[1]):
            predicted += p[u, f] * q[i, f]
        error = rating[row] - predicted
        user_offset[u] += rate * (error - reg * user_offset[u])
        item_offset[i] += rate * (error - reg * item_offset[i])
        for f in range(p.shape[1]):
            before = p[u, f]
            p[u, f] += rate * (error * q[i, f] - reg * before)
            q[i, f] += rate * (error * before - reg * q[i, f])


SIGNATURE_OF_USERS = (
    "void(int32[::1], int32[::1], float64[::1], float64[::1], float64[:, ::1], float64[:, ::1], float64, float64)"
)


def one_epoch_of_users(
    user: IntArray,
    item: IntArray,
    rest: FloatArray,
    user_offset: FloatArray,
    p: FloatArray,
    q: FloatArray,
    rate: float,
    reg: float,
) -> None:
    """Take the users' part of one step for each rating; offsets and factors of users are written to."""
    for row in range(len(rest)):
        u, i = user[row], item[row]
        error = rest[row] - user_offset[u]
        for f in range(p.shape[1]):
            error -= p[u, f] * q[i, f]
        user_offset[u] += rate * (error - reg * user_offset[u])
        for f in range(p.shape[1]):
            p[u, f] += rate * (error * q[i, f] - reg * p[u, f])

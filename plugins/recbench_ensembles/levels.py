"""What is known of a user or an item alone: level, spread, count and time of the ratings."""

from __future__ import annotations

import numpy as np

from recbench_ensembles.ratings import FloatArray, IntArray, Ratings, shrunken_mean

ROUNDS = 10
REG_USER = 15.0
REG_ITEM = 10.0
MEAN_DAMPING = 3.0
SPREAD_DAMPING = 5.0


class Levels:
    """Regularised offsets, shrunken means, spreads and counts of users and items.

    Offsets minimise sum (r - mean - b_u - b_i)^2 + 15 sum b_u^2 + 10 sum b_i^2, as the algorithm `bias` does; a
    spread is the root of the mean squared residual, 5 residuals of the mean size added to each; a count is
    log(1 + ratings). Who has no rating has offset 0, the mean of all ratings and the mean spread.

    Attributes:
        names: of the columns.
        residuals: (n,) what the offsets leave of the ratings they were fitted to.
    """

    names = (
        "bias as a feature",
        "offset of the user",
        "offset of the item",
        "mean of the user",
        "mean of the item",
        "spread of the user",
        "spread of the item",
        "ratings of the user",
        "ratings of the item",
    )

    def __init__(self, ratings: Ratings) -> None:
        self.mean = float(ratings.rating.mean()) if len(ratings) else 0.0
        self.of_user, self.of_item = _offsets(ratings, ratings.rating - self.mean)
        self.residuals = ratings.rating - self.bias(ratings.user, ratings.item)
        self._user = self._side(ratings, ratings.user, self.of_user)
        self._item = self._side(ratings, ratings.item, self.of_item)

    def bias(self, users: IntArray, items: IntArray) -> FloatArray:
        """(m,) mean of all ratings + offset of the user + offset of the item."""
        return np.asarray(self.mean + self.of_user[users] + self.of_item[items])

    def columns(self, users: IntArray, items: IntArray) -> list[FloatArray]:
        """A column a name, (m,) each."""
        pairs = zip(self._user, self._item, strict=True)
        sides = [side for user, item in pairs for side in (user[users], item[items])]
        return [self.bias(users, items), *sides]

    def _side(self, ratings: Ratings, group: IntArray, offset: FloatArray) -> list[FloatArray]:
        """Offset, mean, spread and count of each user, or of each item."""
        squares = self.residuals**2
        usual = float(squares.mean()) if len(squares) else 0.0
        mean = self.mean + shrunken_mean(ratings.rating - self.mean, group, len(offset), MEAN_DAMPING)
        spread = np.sqrt(np.maximum(usual + shrunken_mean(squares - usual, group, len(offset), SPREAD_DAMPING), 0.0))
        count = np.log1p(np.bincount(group, minlength=len(offset)) / ratings.share)
        return [offset, mean, spread, count]


class Recency:
    """When users and items got their ratings, in days before the end of train; 0 columns without times.

    Who has no rating counts as one whose only rating was at the end.
    """

    names: tuple[str, ...] = (
        "days since the user's last rating",
        "mean time of the user",
        "days since the item's first rating",
        "mean time of the item",
        "time between user and item",
    )

    def __init__(self, ratings: Ratings) -> None:
        self._days = ratings.days
        if ratings.days is None:
            self.names = ()
            return
        self._user_mean = shrunken_mean(ratings.days, ratings.user, ratings.n_users, 0.0)
        self._item_mean = shrunken_mean(ratings.days, ratings.item, ratings.n_items, 0.0)
        last = np.full(ratings.n_users, -np.inf)
        np.maximum.at(last, ratings.user, ratings.days)
        self._user_last = np.where(np.isinf(last), 0.0, last)
        self._item_first = np.zeros(ratings.n_items)
        np.minimum.at(self._item_first, ratings.item, ratings.days)

    def columns(self, users: IntArray, items: IntArray) -> list[FloatArray]:
        """A column a name, (m,) each."""
        if self._days is None:
            return []
        user, item = self._user_mean[users], self._item_mean[items]
        return [-self._user_last[users], user, -self._item_first[items], item, user - item]


def _offsets(ratings: Ratings, rest: FloatArray) -> tuple[FloatArray, FloatArray]:
    """(n_users,) and (n_items,), in turn until they settle."""
    of_user, of_item = np.zeros(ratings.n_users), np.zeros(ratings.n_items)
    for _ in range(ROUNDS):
        of_item = shrunken_mean(rest - of_user[ratings.user], ratings.item, ratings.n_items, REG_ITEM)
        of_user = shrunken_mean(rest - of_item[ratings.item], ratings.user, ratings.n_users, REG_USER)
    return of_user, of_item

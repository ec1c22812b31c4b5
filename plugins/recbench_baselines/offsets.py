"""Rating predictors that know users and items only by an offset: means and the regularised bias."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from recbench.api import Dataset, Interactions, Texts


class Offsets:
    """Predicts mean + offset of the user + offset of the item. What the offsets are is up to the children."""

    _mean: float
    _user: NDArray[np.float64]
    _item: NDArray[np.float64]

    def fit(self, train: Dataset, *, seed: int) -> None:
        """Find the mean and the offsets; 0 for users and items without a training rating."""
        rows = train.interactions
        self._mean = float(rows.rating.mean(dtype=np.float64)) if len(rows) else 0.0
        self._user = np.zeros(train.n_users)
        self._item = np.zeros(train.n_items)
        self._names = _names(train)
        self._find_offsets(rows)

    def predict(self, users: NDArray[np.int64], items: NDArray[np.int64]) -> NDArray[np.float64]:
        """Predict ratings for pairs: (m,), (m,) -> (m,), not clipped."""
        return self._mean + self._user[users] + self._item[items]

    def score(self, users: NDArray[np.int64]) -> NDArray[np.float64]:
        """Predict a rating for each item of the catalogue: (m,) -> (m, n_items)."""
        return self._mean + self._user[users][:, None] + self._item[None, :]

    def score_new(self, histories: Dataset) -> NDArray[np.float64]:
        """Score for users who were not there in `fit`: an offset of theirs would not change their order."""
        return np.broadcast_to(self._mean + self._item, (histories.n_users, len(self._item)))

    def explain(self, user: int, items: NDArray[np.int64]) -> Sequence[str]:
        """Write out the sum. The last figure takes what rounding leaves, so that the figures add up."""
        mean, mine = round(self._mean, 3), round(float(self._user[user]), 3)
        totals = [round(self._mean + float(self._user[user] + self._item[item]), 3) for item in items.tolist()]
        return [
            f"{total:.3f} = {mean:.3f} (mean of all ratings) {mine:+.3f} (offset of the user) "
            f"{total - mean - mine:+.3f} (offset of {self._names[item]})"
            for total, item in zip(totals, items.tolist(), strict=True)
        ]

    def _find_offsets(self, rows: Interactions) -> None:
        """Set `_user` and `_item`; `_mean` is known."""


class GlobalMean(Offsets):
    """Predicts the mean of all training ratings. Ranks by lot."""


class UserMean(Offsets):
    """Predicts the mean of the user's ratings, or of all ratings where the user has none. Ranks by lot.

    (sum of the user's ratings + damping * mean) / (number of the user's ratings + damping)

    Args:
        damping: how many ratings at the mean of all are added to the user's own.

    Source: UserAverage in MyMediaLite, for damping 0.
    """

    def __init__(self, *, damping: float = 0.0) -> None:
        self._damping = not_negative("damping", damping)

    def _find_offsets(self, rows: Interactions) -> None:
        self._user = shrunken_mean(rows.rating - self._mean, rows.user, len(self._user), self._damping)


class ItemMean(Offsets):
    """Predicts the mean of the item's ratings, or of all ratings where the item has none.

    (sum of the item's ratings + damping * mean) / (number of the item's ratings + damping)

    Args:
        damping: how many ratings at the mean of all are added to the item's own; 0 ranks items with one good
            rating above all.

    Source: ItemAverage in MyMediaLite, for damping 0.
    """

    def __init__(self, *, damping: float = 0.0) -> None:
        self._damping = not_negative("damping", damping)

    def _find_offsets(self, rows: Interactions) -> None:
        self._item = shrunken_mean(rows.rating - self._mean, rows.item, len(self._item), self._damping)


class Bias(Offsets):
    """Predicts mean + b_u + b_i, with both offsets regularised and fitted by alternating least squares.

    Minimises sum (r - mean - b_u - b_i)^2 + reg_user * sum b_u^2 + reg_item * sum b_i^2: in turn, first
    b_i = sum over the item's raters (r - mean - b_u) / (reg_item + raters), then b_u likewise. All start at 0.

    Args:
        epochs: times both are fitted.
        reg_item: regularisation of items: a high one ranks known items above those with a few good ratings.
        reg_user: regularisation of users.

    Source: Koren, Factor in the Neighbors, TKDD 2010, section 2.1; BaselineOnly by ALS in Surprise, equal to the
        third decimal.
    """

    def __init__(self, *, epochs: int = 10, reg_item: float = 10.0, reg_user: float = 15.0) -> None:
        if epochs < 1:
            raise ValueError(f"epochs must be at least 1, not {epochs!r}")
        self._epochs = epochs
        self._reg_item = not_negative("reg_item", reg_item)
        self._reg_user = not_negative("reg_user", reg_user)

    def _find_offsets(self, rows: Interactions) -> None:
        rest = rows.rating - self._mean
        for _ in range(self._epochs):
            self._item = shrunken_mean(rest - self._user[rows.user], rows.item, len(self._item), self._reg_item)
            self._user = shrunken_mean(rest - self._item[rows.item], rows.user, len(self._user), self._reg_user)


def shrunken_mean(
    values: NDArray[np.floating], group: NDArray[np.int32], n_groups: int, damping: float
) -> NDArray[np.float64]:
    """Sum of each group's values / (their number + damping); 0 for a group without any: -> (n_groups,)."""
    sums = np.bincount(group, weights=values, minlength=n_groups)
    weight = np.bincount(group, minlength=n_groups) + damping
    means = np.zeros(n_groups)
    np.divide(sums, weight, out=means, where=weight > 0)
    return means


def not_negative(name: str, value: float) -> float:
    """`value`, or a ValueError that names the parameter."""
    if not value >= 0:
        raise ValueError(f"{name} must be 0 or more, not {value!r}")
    return value


def _names(train: Dataset) -> Sequence[str]:
    """What people call the items: titles where the data has them, else ids."""
    titles = train.items.get("title")
    return list(titles.values) if isinstance(titles, Texts) else [f"item {name}" for name in train.item_ids]

"""Co-clustering: users and items in clusters, at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recbench.api import Dataset, Interactions, item_names, written_out


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Means:
    """Mean ratings of clusters of users, clusters of items, and their blocks."""

    user_cluster: NDArray[np.float64]
    item_cluster: NDArray[np.float64]
    block: NDArray[np.float64]


class CoClustering:
    """Predicts the mean of the block of clusters, plus what sets user and item apart from their clusters.

    r(u, i) = mean of block (g, h) + (mean of u - mean of g) + (mean of i - mean of h), for u in cluster g of users
    and i in cluster h of items. Clusters start by lot; in each epoch every user goes to the cluster with the least
    squared error, then every item. An empty cluster or block has the mean of all ratings. A user without a training
    rating gets the item's mean, an item without one the user's, and both together the mean of all.

    Args:
        user_clusters: number of clusters of users.
        item_clusters: number of clusters of items.
        epochs: times users and items choose.

    Source: George and Merugu, A Scalable Collaborative Filtering Framework Based on Co-Clustering, ICDM 2005;
        CoClustering in Surprise.
    """

    def __init__(self, *, user_clusters: int = 3, item_clusters: int = 3, epochs: int = 20) -> None:
        if user_clusters < 1 or item_clusters < 1:
            raise ValueError(f"clusters must be 1 or more, not {user_clusters!r} and {item_clusters!r}")
        if epochs < 0:
            raise ValueError(f"epochs must be 0 or more, not {epochs!r}")
        self._n_user_clusters = user_clusters
        self._n_item_clusters = item_clusters
        self._epochs = epochs

    def fit(self, train: Dataset, *, seed: int) -> None:
        """Find the clusters."""
        rows = train.interactions
        self._names = item_names(train)
        self._mean = float(rows.rating.mean(dtype=np.float64)) if len(rows) else 0.0
        self._user_mean = _group_means(rows.rating, rows.user, train.n_users, np.nan)
        self._item_mean = _group_means(rows.rating, rows.item, train.n_items, np.nan)
        rng = np.random.default_rng(seed)
        self._user = rng.integers(self._n_user_clusters, size=train.n_users)
        self._item = rng.integers(self._n_item_clusters, size=train.n_items)
        for _ in range(self._epochs):
            self._means = self._cluster_means(rows)
            self._move_users(rows)
            self._move_items(rows)
        self._means = self._cluster_means(rows)

    def predict(self, users: NDArray[np.int64], items: NDArray[np.int64]) -> NDArray[np.float64]:
        """Predict ratings for pairs: (m,), (m,) -> (m,), not clipped."""
        block, user, item = self._parts(users, items)
        known = block + user + item
        either = np.where(np.isnan(self._user_mean[users]), self._item_mean[items], self._user_mean[users])
        return np.where(np.isnan(known), np.where(np.isnan(either), self._mean, either), known)

    def score(self, users: NDArray[np.int64]) -> NDArray[np.float64]:
        """Predict a rating for each item of the catalogue: (m,) -> (m, n_items)."""
        items = np.arange(len(self._item))
        block, user, item = self._parts(users[:, None], items[None, :])
        predicted = block + user + item
        predicted[:, np.isnan(self._item_mean)] = self._user_mean[users][:, None]
        predicted[np.isnan(self._user_mean[users])] = self._item_mean
        predicted[np.isnan(predicted)] = self._mean
        return predicted

    def explain(self, user: int, items: NDArray[np.int64]) -> Sequence[str]:
        """Write out the mean of the block, and what sets user and item apart."""
        users = np.full(len(items), user)
        parts = zip(*self._parts(users, items), self.predict(users, items), items.tolist(), strict=True)
        return [self._sentence(user, *each) for each in parts]

    def _parts(
        self, users: NDArray[np.int64], items: NDArray[np.int64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        user, item = self._user[users], self._item[items]
        return (
            self._means.block[user, item],
            self._user_mean[users] - self._means.user_cluster[user],
            self._item_mean[items] - self._means.item_cluster[item],
        )

    def _sentence(self, user: int, block: float, user_part: float, item_part: float, total: float, item: int) -> str:
        if np.isnan(block + user_part + item_part):
            whose = "item" if np.isnan(user_part) else "user"
            whose = "data" if np.isnan(user_part) and np.isnan(item_part) else whose
            return f"{total:.4f}: the mean of the {whose}, since nothing else is known"
        clusters = f"cluster {self._user[user]} of users and {self._item[item]} of items"
        of_user, of_item = "the user against that cluster", f"{self._names[item]} against that cluster"
        return written_out(total, [(block, f"mean of {clusters}"), (user_part, of_user), (item_part, of_item)])

    def _cluster_means(self, rows: Interactions) -> _Means:
        user, item = self._user[rows.user], self._item[rows.item]
        shape = self._n_user_clusters, self._n_item_clusters
        blocks = _group_means(rows.rating, user * shape[1] + item, shape[0] * shape[1], self._mean)
        return _Means(
            user_cluster=_group_means(rows.rating, user, shape[0], self._mean),
            item_cluster=_group_means(rows.rating, item, shape[1], self._mean),
            block=blocks.reshape(shape),
        )

    def _move_users(self, rows: Interactions) -> None:
        item = self._item[rows.item]
        rest = rows.rating - self._user_mean[rows.user] - self._item_mean[rows.item] + self._means.item_cluster[item]
        errors = [
            np.bincount(rows.user, (rest - block[item] + mean) ** 2, minlength=len(self._user))
            for block, mean in zip(self._means.block, self._means.user_cluster, strict=True)
        ]
        self._user = np.argmin(errors, axis=0)

    def _move_items(self, rows: Interactions) -> None:
        user = self._user[rows.user]
        rest = rows.rating - self._user_mean[rows.user] - self._item_mean[rows.item] + self._means.user_cluster[user]
        errors = [
            np.bincount(rows.item, (rest - block[user] + mean) ** 2, minlength=len(self._item))
            for block, mean in zip(self._means.block.T, self._means.item_cluster, strict=True)
        ]
        self._item = np.argmin(errors, axis=0)


def _group_means(
    values: NDArray[np.float32], group: NDArray[np.integer], n_groups: int, otherwise: float
) -> NDArray[np.float64]:
    """(n_groups,) means, `otherwise` for a group without any."""
    means = np.full(n_groups, otherwise)
    counts = np.bincount(group, minlength=n_groups)
    np.divide(np.bincount(group, values, minlength=n_groups), counts, out=means, where=counts > 0)
    return means

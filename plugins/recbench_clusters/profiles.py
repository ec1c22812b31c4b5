"""Users as points: rows of ratings, centred, through a truncated SVD."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.utils.extmath import randomized_svd

from recbench.api import Dataset
from recbench_clusters.offsets import Offsets

Features: TypeAlias = Literal["ratings", "interactions"]

SVD_SEED = 0
"""Whatever the trial's seed, points are the same: the seed only starts K-means."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Projection:
    """Turns users into points.

    Attributes:
        features: what the rows hold.
        axes: (n_items, factors) right singular vectors of the training rows.
    """

    features: Features
    axes: NDArray[np.float64]

    def points(self, users: Dataset, level: Offsets) -> NDArray[np.float64]:
        """(n_users, factors) points of the users of a data set; the origin for a user without ratings."""
        return np.asarray(rows_of(users, level, self.features) @ self.axes)


def projection(train: Dataset, level: Offsets, features: Features, factors: int) -> Projection:
    """Find the axes; data without ratings has interactions only."""
    if train.scale is None:
        features = "interactions"
    rows = rows_of(train, level, features)
    _, _, axes = randomized_svd(rows, min(factors, *rows.shape), random_state=SVD_SEED)
    return Projection(features=features, axes=axes.T)


def rows_of(users: Dataset, level: Offsets, features: Features) -> csr_matrix:
    """(n_users, n_items) what each user is told apart by.

    "ratings": what each rating is above or below its level, 0 where there is none. "interactions": ones, each row
    scaled to length 1.
    """
    rows = users.user_item("rating")
    lengths = np.diff(rows.indptr)
    owner = np.repeat(np.arange(len(lengths)), lengths)
    if features == "ratings":
        rows.data = rows.data - level.of(owner, rows.indices)
    else:
        rows.data = 1.0 / np.sqrt(lengths[owner])
    return rows

"""K-means: points to centres and back."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import sklearn.cluster
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning

ROWS_AT_ONCE = 4096


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Groups:
    """A grouping of points.

    Attributes:
        labels: (n,) int64, the centre of each point.
        centres: (n_groups, n_columns) float64.
    """

    labels: NDArray[np.int64]
    centres: NDArray[np.float64]

    def inertia(self, points: NDArray[np.float64]) -> float:
        """Sum of squared distances of points (n, n_columns) to their centres."""
        return float(np.sum((points - self.centres[self.labels]) ** 2))


def assign(points: NDArray[np.float64], centres: NDArray[np.float64]) -> NDArray[np.int64]:
    """Give each point its nearest centre by squared Euclidean distance, the first of equally near ones.

    Args:
        points: (n, n_columns).
        centres: (n_groups, n_columns): as many columns as the points have.

    Returns:
        (n,) int64.

    Raises:
        ValueError: centres have another number of columns than points, or there are none: no distance is defined.
    """
    _check_shapes(points, centres)
    sizes = np.einsum("ij,ij->i", centres, centres)
    labels = np.empty(len(points), dtype=np.int64)
    for start in range(0, len(points), ROWS_AT_ONCE):
        block = slice(start, start + ROWS_AT_ONCE)
        # |x|^2 is the same for all centres of a point.
        labels[block] = np.argmin(sizes - 2.0 * points[block] @ centres.T, axis=1)
    return labels


def k_means(
    points: NDArray[np.float64], n_groups: int, *, seed: int, init: NDArray[np.float64] | None = None
) -> Groups:
    """Move centres to the means of the points nearest to them until nothing moves.

    Args:
        points: (n, n_columns).
        n_groups: centres, at most n; fewer where fewer points are distinct.
        seed: of the starting centres.
        init: (n_groups, n_columns) starting centres; by default drawn by k-means++.

    Raises:
        ValueError: `init` has not as many columns as the points.
    """
    if init is not None:
        _check_shapes(points, init)
    lloyd = sklearn.cluster.KMeans(
        min(n_groups, len(points)), init="k-means++" if init is None else init, n_init=1, random_state=seed
    )
    with warnings.catch_warnings():
        # Fewer distinct points than groups: some groups stay empty, which is fine here.
        warnings.simplefilter("ignore", ConvergenceWarning)
        lloyd.fit(points)
    return Groups(
        labels=lloyd.labels_.astype(np.int64),
        centres=np.asarray(lloyd.cluster_centers_, dtype=np.float64),
    )


def groups_of(points: NDArray[np.float64], labels: NDArray[np.int64]) -> Groups:
    """The centres that labels imply: the mean of each group. Groups are numbered from 0, and none is empty."""
    sizes = np.bincount(labels)
    centres = np.zeros((len(sizes), points.shape[1]))
    np.add.at(centres, labels, points)
    centres /= sizes[:, None]
    return Groups(labels=labels, centres=centres)


def _check_shapes(points: NDArray[np.float64], centres: NDArray[np.float64]) -> None:
    if points.ndim != 2 or centres.ndim != 2 or points.shape[1] != centres.shape[1] or not len(centres):
        raise ValueError(
            f"centres need as many columns as the points: points are {points.shape}, centres {centres.shape}"
        )

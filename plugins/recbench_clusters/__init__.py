"""Users in groups: what the group has and how it rates."""

from __future__ import annotations

from collections.abc import Iterable

from recbench.api import Algorithm, hookimpl

SPACE = {
    "n_clusters": (5, 10, 20, 50, 100, 200),
    "factors": (5, 10, 20, 50),
    "shrink": (30.0, 100.0, 300.0, 1000.0, 3000.0),
    "damping": (3.0, 10.0, 30.0, 100.0),
}


@hookimpl
def recbench_algorithms() -> Iterable[Algorithm]:
    """Offer both ways to group users."""
    yield Algorithm(
        name="kmeans",
        target="recbench_clusters.clusters:KMeans",
        space=SPACE,
        summary="Groups users by K-means and recommends what the user's group has; predicts as the group rates.",
        reference="MacQueen, Some Methods for Classification and Analysis of Multivariate Observations, 1967; Ungar "
        "and Foster, Clustering Methods for Collaborative Filtering, AAAI workshop 1998",
    )
    yield Algorithm(
        name="hierarchical",
        target="recbench_clusters.clusters:Hierarchical",
        deterministic=True,
        space=SPACE,
        summary="Groups users by Ward's hierarchical clustering and recommends as kmeans does.",
        reference="Ward, Hierarchical Grouping to Optimize an Objective Function, JASA 1963",
    )

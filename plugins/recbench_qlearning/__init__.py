"""Recommending as a policy that is learned from simulated visits."""

from __future__ import annotations

from collections.abc import Iterable

from recbench.api import Algorithm, hookimpl


@hookimpl
def recbench_algorithms() -> Iterable[Algorithm]:
    """Offer Q-learning."""
    yield Algorithm(
        name="q-learning",
        target="recbench_qlearning.policy:QLearning",
        space={
            "n_clusters": (5, 10, 20, 30),
            "recent": (1, 2),
            "factors": (5, 10, 20),
            "discount": (0.0, 0.3, 0.5, 0.8),
            "shrink": (10.0, 50.0, 200.0),
        },
        summary="Learns by Q-learning which cluster of items to recommend after the items a user took last.",
        reference="Watkins and Dayan, Q-learning, Machine Learning 1992; Shani, Heckerman, Brafman, An MDP-Based "
        "Recommender System, JMLR 2005",
    )

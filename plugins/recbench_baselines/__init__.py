"""Baselines: what any algorithm has to beat."""

from __future__ import annotations

from collections.abc import Iterable

from recbench.api import Algorithm, hookimpl

SAME_FOR_ALL = {"learns-a-checkerboard": "it is not personalised: every user gets the same order"}
SURPRISE = "Hug, Surprise: a Python library for recommender systems, JOSS 2020"


@hookimpl
def recbench_algorithms() -> Iterable[Algorithm]:
    """Offer the baselines; all but `random` are deterministic."""
    yield Algorithm(
        name="random",
        target="recbench_baselines.chance:Random",
        baseline=True,
        expected_failures={"learns-a-checkerboard": "it does not learn"},
        summary="Ranks by lot, and draws ratings from a normal distribution with the mean and spread of train.",
        reference=f"NormalPredictor in {SURPRISE}",
    )
    yield Algorithm(
        name="popularity",
        target="recbench_baselines.popularity:Popularity",
        deterministic=True,
        baseline=True,
        expected_failures=SAME_FOR_ALL,
        summary="Ranks items by how many users have them.",
        reference="TopPop in Cremonesi, Koren and Turrin, Performance of Recommender Algorithms on Top-N, RecSys 2010",
    )
    yield Algorithm(
        name="recent-popularity",
        target="recbench_baselines.popularity:RecentPopularity",
        deterministic=True,
        baseline=True,
        expected_failures=SAME_FOR_ALL,
        space={"days": (3, 7, 14, 30, 60, 90, 180, 365)},
        summary="Ranks items by how many users took them in the last days of train.",
        reference="Ji, Sun, Zhang, Li: A Re-visit of the Popularity Baseline in Recommender Systems, SIGIR 2020",
    )
    yield Algorithm(
        name="global-mean",
        target="recbench_baselines.offsets:GlobalMean",
        deterministic=True,
        baseline=True,
        expected_failures=SAME_FOR_ALL,
        summary="Predicts the mean of all ratings.",
        reference="GlobalAverage in MyMediaLite",
    )
    yield Algorithm(
        name="user-mean",
        target="recbench_baselines.offsets:UserMean",
        deterministic=True,
        baseline=True,
        expected_failures=SAME_FOR_ALL,
        space={"damping": (0.0, 1.0, 3.0, 5.0, 10.0, 25.0)},
        summary="Predicts the mean of the user's ratings.",
        reference="UserAverage in MyMediaLite",
    )
    yield Algorithm(
        name="item-mean",
        target="recbench_baselines.offsets:ItemMean",
        deterministic=True,
        baseline=True,
        expected_failures=SAME_FOR_ALL,
        space={"damping": (0.0, 1.0, 3.0, 5.0, 10.0, 25.0)},
        summary="Predicts the mean of the item's ratings.",
        reference="ItemAverage in MyMediaLite",
    )
    yield Algorithm(
        name="bias",
        target="recbench_baselines.offsets:Bias",
        deterministic=True,
        baseline=True,
        expected_failures=SAME_FOR_ALL,
        space={"reg_item": (1.0, 3.0, 10.0, 30.0, 100.0), "reg_user": (1.0, 5.0, 15.0, 50.0)},
        summary="Predicts the mean of all ratings plus an offset of the user and one of the item, both regularised.",
        reference=f"Koren, Factor in the Neighbors, TKDD 2010, section 2.1; BaselineOnly by ALS in {SURPRISE}",
    )

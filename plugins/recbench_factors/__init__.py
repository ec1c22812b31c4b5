"""Rankers and rating predictors by factors, and two classics that predict ratings without them."""

from __future__ import annotations

from collections.abc import Iterable

from recbench.api import Algorithm, hookimpl

RATES = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1)
REGULARISATIONS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2)


@hookimpl
def recbench_algorithms() -> Iterable[Algorithm]:
    """Offer rankers, then rating predictors."""
    yield from _rankers()
    yield from _raters()


def _rankers() -> Iterable[Algorithm]:
    yield Algorithm(
        name="puresvd",
        target="recbench_factors.puresvd:PureSVD",
        deterministic=True,
        space={"factors": (1, 2, 3, 5, 10, 15, 25, 50, 100)},
        summary="Ranks by the best approximation of low rank of the matrix of users and items.",
        reference="Cremonesi, Koren, Turrin, Performance of Recommender Algorithms on Top-N Recommendation Tasks, "
        "RecSys 2010",
    )
    yield Algorithm(
        name="als",
        target="recbench_factors.als:ImplicitALS",
        space={
            "factors": (8, 16, 32, 64, 128),
            "reg": (1.0, 10.0, 30.0, 80.0, 150.0, 250.0, 400.0),
            "alpha": (0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 40.0),
        },
        summary="Learns factors that tell what a user has, surer of what is there than of what is not.",
        reference="Hu, Koren, Volinsky, Collaborative Filtering for Implicit Feedback Datasets, ICDM 2008",
    )
    yield Algorithm(
        name="bpr",
        target="recbench_factors.bpr:BPR",
        requires=("numba",),
        space={
            "factors": (16, 32, 64, 128),
            "epochs": (50, 100, 300, 500),
            "rate": RATES,
            "reg": REGULARISATIONS,
        },
        summary="Learns factors that put what a user has before what the user does not have.",
        reference="Rendle, Freudenthaler, Gantner, Schmidt-Thieme, BPR: Bayesian Personalized Ranking from Implicit "
        "Feedback, UAI 2009",
    )
    yield Algorithm(
        name="nmf-ranking",
        target="recbench_factors.nmf:RankingNMF",
        deterministic=True,
        expected_failures={"relabelling-permutes-the-answers": "it starts from a randomised decomposition"},
        space={
            "factors": (2, 5, 10, 20, 40),
            "loss": ("frobenius", "kullback-leibler"),
            "reg": (0.0, 0.01, 0.03, 0.1, 0.3),
        },
        summary="Ranks by non-negative factors of the matrix of users and items.",
        reference="Lee and Seung, Algorithms for Non-negative Matrix Factorization, NIPS 2000",
    )


def _raters() -> Iterable[Algorithm]:
    yield Algorithm(
        name="svd",
        target="recbench_factors.svd:BiasedMF",
        requires=("numba",),
        space={"factors": (5, 20, 50, 100, 200), "epochs": (10, 20, 40, 80), "rate": RATES, "reg": REGULARISATIONS},
        summary="Predicts ratings by offsets and factors, learned by stochastic gradient descent.",
        reference="Koren, Bell, Volinsky, Matrix Factorization Techniques for Recommender Systems, IEEE Computer 2009",
    )
    yield Algorithm(
        name="svdpp",
        target="recbench_factors.svdpp:SVDPlusPlus",
        requires=("numba",),
        space={"factors": (5, 10, 20, 50), "epochs": (10, 20, 40), "rate": RATES, "reg": REGULARISATIONS},
        summary="Predicts ratings as svd does, and learns from which items were rated at all, too.",
        reference="Koren, Factorization Meets the Neighborhood, KDD 2008",
    )
    yield Algorithm(
        name="nmf",
        target="recbench_factors.nmf:RatingNMF",
        space={"factors": (2, 5, 10, 15, 30), "epochs": (20, 50, 100), "reg": (0.01, 0.03, 0.06, 0.1, 0.3)},
        summary="Predicts ratings by non-negative factors.",
        reference="Luo, Zhou, Xia, Zhu, An Efficient Non-Negative Matrix-Factorization-Based Approach to Collaborative "
        "Filtering, IEEE TII 2014",
    )
    yield Algorithm(
        name="slope-one",
        target="recbench_factors.slope_one:SlopeOne",
        deterministic=True,
        expected_failures={"learns-a-checkerboard": "two items differ by the same amount for every user"},
        summary="Predicts by how much more, on average, an item is liked than the items the user rated.",
        reference="Lemire and Maclachlan, Slope One Predictors for Online Rating-Based Collaborative Filtering, "
        "SDM 2005",
    )
    yield Algorithm(
        name="co-clustering",
        target="recbench_factors.co_clustering:CoClustering",
        space={"user_clusters": (1, 2, 3, 5, 10), "item_clusters": (1, 2, 3, 5, 10), "epochs": (5, 20)},
        summary="Predicts by the mean of a block of similar users and similar items, and what sets both apart.",
        reference="George and Merugu, A Scalable Collaborative Filtering Framework Based on Co-Clustering, ICDM 2005",
    )

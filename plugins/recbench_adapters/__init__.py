"""Outside libraries' models on the board: LensKit, Surprise, implicit, and scikit-learn's regressors."""

from __future__ import annotations

from collections.abc import Iterable

from recbench.api import Algorithm, hookimpl

LENSKIT = "Ekstrand, LensKit for Python, CIKM 2020"
SURPRISE = "Hug, Surprise: a Python library for recommender systems, JOSS 2020"
IMPLICIT = "Frederickson, implicit: Fast Python Collaborative Filtering for Implicit Datasets, 2016"
SKLEARN = "Pedregosa and others, Scikit-learn: Machine Learning in Python, JMLR 2011"


@hookimpl
def recbench_algorithms() -> Iterable[Algorithm]:
    """Offer each library's models by name, and some of them under names of their own."""
    yield from _lenskit()
    yield from _surprise()
    yield from _implicit()
    yield from _sklearn()


def _lenskit() -> Iterable[Algorithm]:
    for name, part, model, more, deterministic, summary in (
        ("lenskit", "Ranker", "PopScorer", {}, True, "Ranks by any scorer of LensKit; the parameter model names it."),
        ("lenskit-rating", "Rater", "BiasedMFScorer", {}, False, "Predicts ratings by any scorer of LensKit."),
        ("lenskit-bias", "Rater", "BiasScorer", {}, True, "LensKit's offsets of users and items."),
        ("lenskit-item-knn", "Ranker", "ItemKNNScorer", {"feedback": "implicit"}, True, "LensKit's item-kNN."),
        ("lenskit-user-knn", "Ranker", "UserKNNScorer", {"feedback": "implicit"}, True, "LensKit's user-kNN."),
        ("lenskit-als", "Ranker", "ImplicitMFScorer", {}, False, "LensKit's implicit factors by least squares."),
    ):
        yield Algorithm(
            name=name,
            target=f"recbench_adapters.for_lenskit:LensKit{part}",
            parameters={"model": model, **more},
            deterministic=deterministic,
            requires=("lenskit",),
            summary=summary,
            reference=LENSKIT,
        )


def _surprise() -> Iterable[Algorithm]:
    for name, model, deterministic, summary in (
        ("surprise", "BaselineOnly", True, "Predicts by any algorithm of Surprise; the parameter model names it."),
        ("surprise-svd", "SVD", False, "Surprise's factors by stochastic gradient descent."),
        ("surprise-knn-baseline", "KNNBaseline", True, "Surprise's user-kNN on ratings less offsets."),
        ("surprise-slope-one", "SlopeOne", True, "Surprise's Slope One."),
    ):
        yield Algorithm(
            name=name,
            target="recbench_adapters.for_surprise:SurpriseRater",
            parameters={"model": model},
            deterministic=deterministic,
            requires=("surprise",),
            summary=summary,
            reference=SURPRISE,
        )


def _implicit() -> Iterable[Algorithm]:
    for name, model, deterministic, summary in (
        ("implicit", "TFIDFRecommender", True, "Ranks by any model of implicit; the parameter model names it."),
        ("implicit-als", "AlternatingLeastSquares", False, "implicit's factors by least squares."),
        ("implicit-bpr", "BayesianPersonalizedRanking", False, "implicit's Bayesian personalised ranking."),
        ("implicit-item-knn", "CosineRecommender", True, "implicit's item-kNN by the cosine."),
    ):
        yield Algorithm(
            name=name,
            target="recbench_adapters.for_implicit:ImplicitRanker",
            parameters={"model": model},
            deterministic=deterministic,
            requires=("implicit",),
            summary=summary,
            reference=IMPLICIT,
        )


def _sklearn() -> Iterable[Algorithm]:
    yield Algorithm(
        name="sklearn",
        target="recbench_adapters.for_sklearn:SklearnRater",
        parameters={"model": "Ridge"},
        deterministic=True,
        summary="Predicts by any regressor of scikit-learn; the parameter model names it.",
        reference=SKLEARN,
    )

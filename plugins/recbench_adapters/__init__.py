"""Outside libraries' models on the board: those of six libraries of recommenders, and scikit-learn's regressors."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from recbench.api import Algorithm, hookimpl

LENSKIT = "Ekstrand, LensKit for Python, CIKM 2020"
SURPRISE = "Hug, Surprise: a Python library for recommender systems, JOSS 2020"
IMPLICIT = "Frederickson, implicit: Fast Python Collaborative Filtering for Implicit Datasets, 2016"
CORNAC = "Salah, Truong, Lauw, Cornac: A Comparative Framework for Multimodal Recommender Systems, JMLR 2020"
RECTOOLS = "MTS, RecTools: an easy-to-use Python library for building recommendation systems, 2022"
RECBOLE = "Zhao and others, RecBole: Towards a Unified, Comprehensive and Efficient Framework, CIKM 2021"
SKLEARN = "Pedregosa and others, Scikit-learn: Machine Learning in Python, JMLR 2011"


_OFFSETS = {"learns-a-checkerboard": "it learns offsets of users and items only, which rank alike for everybody"}
_POPULARITY = {"learns-a-checkerboard": "it ranks by popularity, alike for everybody"}
_FONTS = {"no-file-is-left": "it imports matplotlib, which keeps a list of fonts in the user's cache folder"}
_FEW_STEPS = "by its defaults it takes few and small steps, and hardly learns factors from little data"
_NO_PAIR = "it divides by the number of pairs it drew, and there are none to draw"
_NO_NEGATIVE = "it trains on none who has every item, as there is nothing else to draw"
_ALL_ITEMS = {"copes-with-one-user": _NO_NEGATIVE, "copes-with-one-item": _NO_NEGATIVE}
_MEMORY = "memory-grows-with-the-block"

# Those that go by the library's own name take any model, so whether a seed matters is not known.
_lenskit = partial(Algorithm, requires=("lenskit",), reference=LENSKIT)
_ranker = partial(_lenskit, target="recbench_adapters.for_lenskit:LensKitRanker")
_rater = partial(_lenskit, target="recbench_adapters.for_lenskit:LensKitRater")
_cornac = partial(
    Algorithm,
    target="recbench_adapters.for_cornac:CornacRanker",
    requires=("cornac",),
    reference=CORNAC,
)
_surprise = partial(
    Algorithm,
    target="recbench_adapters.for_surprise:SurpriseRater",
    requires=("surprise",),
    reference=SURPRISE,
)
_implicit = partial(
    Algorithm,
    target="recbench_adapters.for_implicit:ImplicitRanker",
    requires=("implicit",),
    reference=IMPLICIT,
)
_rectools = partial(
    Algorithm,
    target="recbench_adapters.for_rectools:RecToolsRanker",
    requires=("rectools",),
    reference=RECTOOLS,
)
_recbole = partial(
    Algorithm,
    target="recbench_adapters.for_recbole:RecBoleRanker",
    requires=("recbole",),
    reference=RECBOLE,
)


@hookimpl
def recbench_algorithms() -> Iterable[Algorithm]:
    """Offer each library's models by name, and some of them under names of their own."""
    yield from _from_lenskit()
    yield from _from_surprise()
    yield from _from_implicit()
    yield from _from_cornac()
    yield from _from_rectools()
    yield from _from_recbole()
    yield Algorithm(
        name="sklearn",
        target="recbench_adapters.for_sklearn:SklearnRater",
        parameters={"model": "Ridge"},
        summary="Predicts ratings by a regressor of scikit-learn, which the parameter model names.",
        reference=SKLEARN,
        expected_failures=_OFFSETS,
    )


def _from_lenskit() -> Iterable[Algorithm]:
    yield _ranker(
        name="lenskit",
        parameters={"model": "PopScorer"},
        summary="Ranks by a scorer of LensKit, which the parameter model names.",
        expected_failures=_POPULARITY,
    )
    yield _rater(
        name="lenskit-rating",
        parameters={"model": "BiasedMFScorer"},
        summary="Predicts ratings by a scorer of LensKit, which the parameter model names.",
    )
    yield _rater(
        name="lenskit-bias",
        parameters={"model": "BiasScorer"},
        deterministic=True,
        summary="LensKit's offsets of users and items.",
        expected_failures=_OFFSETS,
    )
    yield _ranker(
        name="lenskit-item-knn",
        parameters={"model": "ItemKNNScorer", "feedback": "implicit"},
        deterministic=True,
        summary="LensKit's neighbours among items, on what a user has.",
    )
    yield _ranker(
        name="lenskit-user-knn",
        parameters={"model": "UserKNNScorer", "feedback": "implicit"},
        deterministic=True,
        summary="LensKit's neighbours among users, on what they have.",
    )
    yield _ranker(
        name="lenskit-als",
        parameters={"model": "ImplicitMFScorer"},
        summary="LensKit's factors for implicit feedback, by alternating least squares.",
    )


def _from_surprise() -> Iterable[Algorithm]:
    yield _surprise(
        name="surprise",
        parameters={"model": "BaselineOnly"},
        summary="Predicts ratings by an algorithm of Surprise, which the parameter model names.",
        expected_failures=_OFFSETS,
    )
    yield _surprise(
        name="surprise-svd",
        parameters={"model": "SVD"},
        summary="Surprise's offsets and factors, by stochastic gradient descent.",
        expected_failures={_MEMORY: "a user's 100 factors, and ratings that are Python objects, take 1.9 kB"},
    )
    yield _surprise(
        name="surprise-knn-baseline",
        parameters={"model": "KNNBaseline"},
        deterministic=True,
        summary="Surprise's neighbours among users, on ratings less offsets.",
        expected_failures={_MEMORY: "it keeps similarities of all pairs of users"},
    )
    yield _surprise(
        name="surprise-slope-one",
        parameters={"model": "SlopeOne"},
        deterministic=True,
        summary="Surprise's Slope One.",
        expected_failures={"learns-a-checkerboard": "two items differ by the same amount for every user"},
    )


def _from_implicit() -> Iterable[Algorithm]:
    yield _implicit(
        name="implicit",
        parameters={"model": "TFIDFRecommender"},
        summary="Ranks by a model of implicit, which the parameter model names.",
    )
    yield _implicit(
        name="implicit-als",
        parameters={"model": "AlternatingLeastSquares"},
        summary="implicit's factors, by alternating least squares.",
    )
    yield _implicit(
        name="implicit-bpr",
        parameters={"model": "BayesianPersonalizedRanking"},
        summary="implicit's Bayesian personalised ranking.",
    )
    yield _implicit(
        name="implicit-item-knn",
        parameters={"model": "CosineRecommender"},
        deterministic=True,
        summary="implicit's neighbours among items, by the cosine.",
    )


def _from_cornac() -> Iterable[Algorithm]:
    yield _cornac(
        name="cornac",
        parameters={"model": "MostPop"},
        summary="Ranks by a model of Cornac, which the parameter model names.",
        expected_failures=_FONTS | _POPULARITY,
    )
    yield _cornac(
        name="cornac-rating",
        target="recbench_adapters.for_cornac:CornacRater",
        parameters={"model": "MF"},
        summary="Predicts ratings by a model of Cornac, which the parameter model names.",
        expected_failures=_FONTS | {"learns-a-checkerboard": _FEW_STEPS},
    )
    yield _cornac(
        name="cornac-ease",
        parameters={"model": "EASE"},
        deterministic=True,
        summary="Cornac's EASE.",
        expected_failures=_FONTS,
    )
    yield _cornac(
        name="cornac-bpr",
        parameters={"model": "BPR"},
        summary="Cornac's Bayesian personalised ranking.",
        expected_failures=_FONTS
        | {"learns-a-checkerboard": _FEW_STEPS, "copes-with-one-user": _NO_PAIR, "copes-with-one-item": _NO_PAIR},
    )


def _from_rectools() -> Iterable[Algorithm]:
    yield _rectools(
        name="rectools",
        parameters={"model": "PopularModel"},
        summary="Ranks by a model of RecTools, which the parameter model names.",
        expected_failures=_POPULARITY,
    )
    yield _rectools(
        name="rectools-ease",
        parameters={"model": "EASEModel"},
        deterministic=True,
        summary="RecTools's EASE.",
    )
    yield _rectools(
        name="rectools-item-knn",
        parameters={"model": "ImplicitItemKNNWrapperModel"},
        deterministic=True,
        summary="implicit's neighbours among items, as RecTools wraps them.",
    )
    yield _rectools(
        name="rectools-als",
        parameters={"model": "ImplicitALSWrapperModel"},
        summary="implicit's factors, as RecTools wraps them.",
    )


def _from_recbole() -> Iterable[Algorithm]:
    yield _recbole(
        name="recbole",
        parameters={"model": "Pop"},
        summary="Ranks by a general model of RecBole, which the parameter model names.",
        expected_failures=_POPULARITY | _ALL_ITEMS,
    )
    yield _recbole(
        name="recbole-bpr",
        parameters={"model": "BPR"},
        summary="RecBole's Bayesian personalised ranking.",
        expected_failures=_ALL_ITEMS,
    )
    yield _recbole(
        name="recbole-lightgcn",
        parameters={"model": "LightGCN"},
        summary="RecBole's LightGCN, factors smoothed over the graph of users and items.",
        expected_failures=_ALL_ITEMS,
    )
    yield _recbole(
        name="recbole-ease",
        parameters={"model": "EASE"},
        deterministic=True,
        summary="RecBole's EASE.",
        expected_failures=_ALL_ITEMS,
    )

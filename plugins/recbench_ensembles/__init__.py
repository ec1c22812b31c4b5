"""Ensembles: trees on features of user, item and pair, and stacking of other algorithms."""

from __future__ import annotations

from collections.abc import Iterable

from recbench.api import Algorithm, hookimpl

WEIGHTS = (0.0, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0)
LEAF_SIZES = (5, 10, 20, 40, 80)


@hookimpl
def recbench_algorithms() -> Iterable[Algorithm]:
    """Offer trees that rank what a first stage lists, and stacking."""
    yield Algorithm(
        name="boosting",
        target="recbench_ensembles.trees:Boosting",
        parameters={"first_stage": "ease", "shortlist": 200},
        components=("first_stage",),
        space={
            "trees": (60, 120, 200),
            "rate": (0.03, 0.05, 0.08, 0.15),
            "leaves": (8, 15, 24),
            "leaf_size": LEAF_SIZES,
            "l2": (0.0, 1.0, 5.0, 20.0),
            "weight": WEIGHTS,
        },
        summary="Predicts ratings by boosted trees on features of user, item and pair, and ranks a shortlist.",
        reference="Friedman, Greedy Function Approximation: A Gradient Boosting Machine, Annals of Statistics 2001",
    )
    yield Algorithm(
        name="random-forest",
        target="recbench_ensembles.trees:RandomForest",
        parameters={"first_stage": "ease", "shortlist": 200},
        components=("first_stage",),
        space={
            "sample": (0.1, 0.2, 0.4),
            "feature_share": (0.1, 0.2, 0.33, 0.5),
            "leaf_size": LEAF_SIZES,
            "weight": WEIGHTS,
        },
        summary="Predicts ratings by a random forest on features of user, item and pair, and ranks a shortlist.",
        reference="Breiman, Random Forests, Machine Learning 2001",
    )
    yield Algorithm(
        name="bagging",
        target="recbench_ensembles.trees:Bagging",
        parameters={"first_stage": "ease", "shortlist": 200},
        components=("first_stage",),
        space={"sample": (0.05, 0.1, 0.2), "leaf_size": LEAF_SIZES, "weight": WEIGHTS},
        summary="Predicts ratings by bagged trees on features of user, item and pair, and ranks a shortlist.",
        reference="Breiman, Bagging Predictors, Machine Learning 1996",
    )
    yield Algorithm(
        name="stacking",
        target="recbench_ensembles.stacking:Stacking",
        parameters={
            "of": ["bias", "item-cosine", "user-cosine", "item-pearson", "co-clustering", "ease", "recent-popularity"]
        },
        components=("of",),
        space={"meta": ("linear", "tree"), "ranking_reg": (0.0001, 0.001, 0.01, 0.1)},
        summary="Weighs other algorithms by what they said about rows that they had not seen.",
        reference="Wolpert, Stacked Generalization, Neural Networks 1992",
    )

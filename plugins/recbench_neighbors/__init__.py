"""Neighbourhood algorithms: users and items like each other."""

from __future__ import annotations

from collections.abc import Iterable

from recbench.api import Algorithm, hookimpl

TARGET = "recbench_neighbors.neighbors:Neighbors"
NEIGHBORS = (10, 20, 50, 100, 200, 300, 500)
SIDES = ("candidate", "neighbor")


@hookimpl
def recbench_algorithms() -> Iterable[Algorithm]:
    """Offer presets of the one implementation. What makes them differ was chosen on validation parts."""
    yield Algorithm(
        name="user-cosine",
        target=TARGET,
        parameters={"side": "user", "similarity": "cosine", "k": 300, "weighting": "tfidf", "kept_by": "neighbor"},
        deterministic=True,
        space={
            "k": NEIGHBORS,
            "shrink": (0.0, 3.0, 10.0, 30.0, 100.0),
            "weighting": ("none", "tfidf"),
            "kept_by": SIDES,
            "values": ("one", "rating"),
        },
        summary="Recommends what users have whose items are like the user's, by the cosine of whole profiles.",
        reference="Ferrari Dacrema, Boglio, Cremonesi, Jannach, A Troubling Analysis of Reproducibility, TOIS 2021",
    )
    yield Algorithm(
        name="user-pearson",
        target=TARGET,
        parameters={
            "side": "user",
            "similarity": "pearson",
            "over": "corated",
            "k": 100,
            "shrink": 50.0,
            "min_support": 2,
        },
        deterministic=True,
        space={"k": NEIGHBORS, "shrink": (0.0, 10.0, 50.0, 100.0, 300.0), "min_support": (2, 3, 5), "kept_by": SIDES},
        summary="Recommends what users have whose ratings of shared items go up and down with the user's.",
        reference="Resnick, Iacovou, Suchak, Bergstrom, Riedl, GroupLens, CSCW 1994",
    )
    yield Algorithm(
        name="item-cosine",
        target=TARGET,
        parameters={"side": "item", "similarity": "cosine", "k": 100, "shrink": 10.0},
        deterministic=True,
        space={
            "k": NEIGHBORS,
            "shrink": (0.0, 3.0, 10.0, 30.0, 50.0, 100.0),
            "weighting": ("none", "tfidf"),
            "kept_by": SIDES,
            "values": ("one", "rating"),
        },
        summary="Recommends items that the same users have as the user's own items, by the cosine of whole columns.",
        reference="Sarwar and others, Item-based Collaborative Filtering, WWW 2001; Deshpande and Karypis, TOIS 2004",
    )
    yield Algorithm(
        name="item-pearson",
        target=TARGET,
        parameters={
            "side": "item",
            "similarity": "pearson",
            "over": "corated",
            "k": 300,
            "shrink": 300.0,
            "min_support": 5,
        },
        deterministic=True,
        space={"k": NEIGHBORS, "shrink": (0.0, 10.0, 50.0, 100.0, 300.0), "min_support": (2, 3, 5), "kept_by": SIDES},
        summary="Recommends items whose ratings go up and down, over the users who rated both, with the user's own.",
        reference="Sarwar, Karypis, Konstan, Riedl, Item-based Collaborative Filtering, WWW 2001",
    )

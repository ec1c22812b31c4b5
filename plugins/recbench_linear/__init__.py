"""Linear item-based rankers: an item's score is a weighted sum over the items the user has."""

from __future__ import annotations

from collections.abc import Iterable

from recbench.api import Algorithm, hookimpl

KEPT = (30, 50, 70, 100, 150, 200, 400, 800)
POWERS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 1.0, 1.2)


@hookimpl
def recbench_algorithms() -> Iterable[Algorithm]:
    """Offer them; all are deterministic."""
    yield Algorithm(
        name="ease",
        target="recbench_linear.ease:Ease",
        deterministic=True,
        space={"l2": (10.0, 30.0, 100.0, 200.0, 300.0, 500.0, 1000.0, 3000.0)},
        summary="Learns in closed form which items tell that a user has an item: a shallow autoencoder.",
        reference="Steck, Embarrassingly Shallow Autoencoders for Sparse Data, WWW 2019",
    )
    yield Algorithm(
        name="slim",
        target="recbench_linear.slim:Slim",
        deterministic=True,
        expected_failures={
            "relabelling-permutes-the-answers": "the descent stops near the optimum, on a path that goes item by item",
            "parameters-are-honoured": "no item of a small world has the 50 neighbours that the least `k` keeps",
        },
        space={
            "alpha": (0.0003, 0.001, 0.003, 0.01, 0.03, 0.1),
            "l1_ratio": (0.0001, 0.001, 0.01, 0.03, 0.1, 0.3),
            "k": (50, 100, 200, 400, 800),
        },
        summary="Learns by elastic nets, one an item, which few items tell that a user has it.",
        reference="Ning and Karypis, SLIM: Sparse Linear Methods for Top-N Recommender Systems, ICDM 2011",
    )
    yield Algorithm(
        name="p3alpha",
        target="recbench_linear.walks:P3Alpha",
        deterministic=True,
        space={"alpha": POWERS, "k": KEPT, "normalize": (False, True)},
        summary="Follows random walks of three steps from the user over items and users to items.",
        reference="Cooper, Lee, Radzik, Siantos, Random Walks in Recommender Systems, WWW 2014 companion",
    )
    yield Algorithm(
        name="rp3beta",
        target="recbench_linear.walks:RP3Beta",
        deterministic=True,
        space={"alpha": POWERS, "beta": (0.0, 0.1, 0.2, 0.4, 0.6, 0.8), "k": KEPT, "normalize": (False, True)},
        summary="Follows random walks of three steps and holds popular items back.",
        reference="Paudel, Christoffel, Newell, Bernstein, Updatable, Accurate, Diverse, and Scalable "
        "Recommendations for Interactive Applications, TiiS 2017",
    )

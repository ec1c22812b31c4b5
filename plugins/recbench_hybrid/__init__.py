"""Algorithms made of other algorithms: similar users' outputs of a deep model, and weighted sums."""

from __future__ import annotations

from collections.abc import Iterable

from recbench.api import Algorithm, hookimpl


@hookimpl
def recbench_algorithms() -> Iterable[Algorithm]:
    """Offer the two; what they are made of is a parameter."""
    yield Algorithm(
        name="hybrid",
        target="recbench_hybrid.hybrid:Hybrid",
        parameters={"model": "mlp-torch"},
        components=("model",),
        space={
            "k": (20, 40, 80, 160),
            "similarity": ("cosine", "pearson"),
            "shrink": (0.0, 10.0, 50.0),
            "own": (0.0, 1.0, 3.0, 10.0),
            "last": (0, 3, 10),
        },
        summary="Averages what a deep model says of the most similar users, weighted by their similarity.",
        reference="Resnick, Iacovou, Suchak, Bergstrom, Riedl, GroupLens, CSCW 1994, for the weighted mean",
    )
    yield Algorithm(
        name="hybrid-blend",
        target="recbench_hybrid.blend:Blend",
        parameters={"of": ["ease", "item-cosine", "user-cosine", "bias"]},
        components=("of",),
        summary="Adds up the outputs of other algorithms, with weights fitted on the validation part.",
        reference="Caruana, Niculescu-Mizil, Crew, Ksikes, Ensemble Selection from Libraries of Models, ICML 2004; "
        "Burke, Hybrid Recommender Systems: Survey and Experiments, UMUAI 2002",
    )

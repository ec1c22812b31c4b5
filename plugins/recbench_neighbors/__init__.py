"""Neighbourhood algorithms: users and items like each other."""

from __future__ import annotations

from collections.abc import Iterable

from recbench.api import Algorithm, hookimpl

TARGET = "recbench_neighbors.neighbors:Neighbors"


@hookimpl
def recbench_algorithms() -> Iterable[Algorithm]:
    """Offer presets of the one implementation."""
    for side in ("user", "item"):
        yield Algorithm(
            name=f"{side}-cosine",
            target=TARGET,
            parameters={"side": side, "similarity": "cosine"},
            deterministic=True,
        )
        yield Algorithm(
            name=f"{side}-pearson",
            target=TARGET,
            parameters={"side": side, "similarity": "pearson", "over": "corated"},
            deterministic=True,
        )

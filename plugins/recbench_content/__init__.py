"""Recommending by what items are, not by who has them."""

from __future__ import annotations

from collections.abc import Iterable

from recbench.api import Algorithm, hookimpl


@hookimpl
def recbench_algorithms() -> Iterable[Algorithm]:
    """Offer the content-based ranker, with and without popularity."""
    yield Algorithm(
        name="content",
        target="recbench_content.content:Content",
        deterministic=True,
        space={
            "popularity": (0.0, 0.5, 1.0, 2.0, 4.0, 6.0, 10.0),
            "contrast": (0.0, 1.0, 2.0, 4.0),
            "tags": (0.5, 1.0, 2.0),
            "numbers": (0.5, 1.0, 2.0),
            "words": (0.0, 0.25, 0.5, 1.0),
        },
        summary="Ranks by how alike an item's features are to those of the user's items, and by popularity.",
        reference="Pazzani and Billsus, Content-Based Recommendation Systems, The Adaptive Web, 2007",
    )
    yield Algorithm(
        name="content-pure",
        target="recbench_content.content:Content",
        parameters={"popularity": 0.0},
        deterministic=True,
        space={"contrast": (0.0, 1.0, 2.0, 4.0), "words": (0.0, 0.25, 0.5, 1.0)},
        summary="As content, without popularity: items that nobody has come as easily as those everybody has.",
        reference="Pazzani and Billsus, Content-Based Recommendation Systems, The Adaptive Web, 2007",
    )

"""A single-file plugin that imports a framework at module level."""

from __future__ import annotations

from collections.abc import Iterator

import sklearn.linear_model

from recbench.api import Algorithm, hookimpl

Model = sklearn.linear_model.Ridge


@hookimpl
def recbench_algorithms() -> Iterator[Algorithm]:
    """Offer it."""
    yield Algorithm(name="x-heavy", target="imports_a_framework:Model")

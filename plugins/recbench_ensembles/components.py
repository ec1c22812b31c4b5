"""Other algorithms, named by a parameter, as parts of an ensemble."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from recbench.api import Dataset, Interactions
from recbench_ensembles.ratings import FloatArray, IntArray


def fitted(build: Callable[..., Any], name: str, train: Dataset, *, seed: int) -> Any:
    """Build an algorithm and fit it to all of train, with what else its `fit` needs."""
    algorithm = build(name)
    wanted = inspect.signature(algorithm.fit).parameters
    extras: dict[str, Any] = {"build": build} if "build" in wanted else {}
    if "validation" in wanted and wanted["validation"].default is inspect.Parameter.empty:
        extras["validation"] = train.with_interactions(nothing(train.interactions))
    algorithm.fit(train, seed=seed, **extras)
    return algorithm


def rates(algorithm: Any) -> bool:
    """Whether it predicts ratings."""
    return callable(getattr(algorithm, "predict", None))


def ranks(algorithm: Any) -> bool:
    """Whether it gives scores for the whole catalogue."""
    return callable(getattr(algorithm, "score", None)) or rates(algorithm)


def scores_of(algorithm: Any, users: IntArray, n_items: int) -> FloatArray:
    """(m, n_items) scores of a fitted algorithm for the whole catalogue, by `score` or else by `predict`."""
    if callable(getattr(algorithm, "score", None)):
        return np.asarray(algorithm.score(users), dtype=np.float64)
    pairs = np.repeat(users, n_items), np.tile(np.arange(n_items), len(users))
    return np.asarray(algorithm.predict(*pairs), dtype=np.float64).reshape(len(users), n_items)


def nothing(rows: Interactions) -> Interactions:
    """No interactions, with times where `rows` has them."""
    return rows.take(np.zeros(len(rows), dtype=np.bool_))


def joined(first: Interactions, second: Interactions) -> Interactions:
    """The rows of both."""
    times = None
    if first.time is not None and second.time is not None:
        times = np.concatenate([first.time, second.time])
    return Interactions(
        user=np.concatenate([first.user, second.user]),
        item=np.concatenate([first.item, second.item]),
        rating=np.concatenate([first.rating, second.rating]),
        time=times,
    )

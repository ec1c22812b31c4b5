"""The algorithms that others are made of: fitted as recbench fits them, asked in one way for scores and ratings."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recbench.api import Build, Dataset, Interactions

FloatArray = NDArray[np.float64]
Int64Array = NDArray[np.int64]


class Component:
    """A fitted algorithm under its name.

    Attributes:
        name: what it was built by.
        rates: whether it predicts ratings.
        knows_strangers: whether it scores for users who were not there in `fit`.
    """

    def __init__(self, name: str, model: Any, n_items: int) -> None:
        if not any(callable(getattr(model, method, None)) for method in ("score", "predict")):
            raise ValueError(f"{name!r} can be no component: it neither scores the catalogue nor predicts ratings")
        self.name = name
        self.rates = callable(getattr(model, "predict", None))
        self.knows_strangers = callable(getattr(model, "score_new", None))
        self._model = model
        self._n_items = n_items

    def scores(self, users: Int64Array) -> FloatArray:
        """(m,) -> (m, n_items), by `score` or else by predicted ratings; a new array."""
        if callable(getattr(self._model, "score", None)):
            return np.array(self._model.score(users), dtype=np.float64)
        items = np.arange(self._n_items)
        pairs = np.repeat(users, len(items)), np.tile(items, len(users))
        return self.ratings(*pairs).reshape(len(users), len(items))

    def scores_of_strangers(self, histories: Dataset) -> FloatArray:
        """(n_users, n_items) for the users of `histories`; a new array."""
        return np.array(self._model.score_new(histories), dtype=np.float64)

    def ratings(self, users: Int64Array, items: Int64Array) -> FloatArray:
        """(m,), (m,) -> (m,) predicted ratings; NaN where it cannot say."""
        return np.asarray(self._model.predict(users, items), dtype=np.float64)


def fitted(name: str, train: Dataset, *, seed: int, build: Build, validation: Dataset | None = None) -> Component:
    """Build and fit one component on train and validation together, as recbench itself would.

    Whoever's `fit` has a parameter `validation` gets that part there, and a train without it.
    """
    model = build(name)
    wanted = inspect.signature(model.fit).parameters
    extras: dict[str, Any] = {"build": build} if "build" in wanted else {}
    is_needed = "validation" in wanted and wanted["validation"].default is inspect.Parameter.empty
    if "validation" in wanted and (validation is not None or is_needed):
        extras["validation"] = nothing_of(train) if validation is None else validation
    elif validation is not None:
        train = joined(train, validation)
    model.fit(train, seed=seed, **extras)
    return Component(name, model, train.n_items)


def joined(train: Dataset, validation: Dataset | None) -> Dataset:
    """Train with the validation part behind it."""
    if validation is None or not len(validation.interactions):
        return train
    first, second = train.interactions, validation.interactions
    times = None if first.time is None or second.time is None else np.concatenate([first.time, second.time])
    rows = Interactions(
        user=np.concatenate([first.user, second.user]),
        item=np.concatenate([first.item, second.item]),
        rating=np.concatenate([first.rating, second.rating]),
        time=times,
    )
    return train.with_interactions(rows)


def nothing_of(train: Dataset) -> Dataset:
    """The same tables without an interaction."""
    return train.with_interactions(train.interactions.take(np.empty(0, dtype=np.int64)))

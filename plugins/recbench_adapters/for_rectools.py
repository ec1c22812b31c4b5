"""Rankers of RecTools, by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import ValidationError
from rectools import models
from rectools.dataset import Dataset as RecToolsData

from recbench.api import Dataset, Interactions
from recbench_adapters.models import close, model_named

# Those that learn from interactions alone, in a process of their own and without files.
_MODELS = {
    each.__name__: each
    for each in (
        models.EASEModel,
        models.ImplicitALSWrapperModel,
        models.ImplicitBPRWrapperModel,
        models.ImplicitItemKNNWrapperModel,
        models.PopularModel,
        models.PureSVDModel,
        models.RandomModel,
    )
}
# A trial is to give the same lists everywhere: threads race in BPR, and a GPU rounds otherwise.
_DEFAULTS = {"recommend_n_threads": 1, "recommend_use_gpu_ranking": False}
_WRAPPED = {
    "ImplicitALSWrapperModel": "AlternatingLeastSquares",
    "ImplicitBPRWrapperModel": "BayesianPersonalizedRanking",
    "ImplicitItemKNNWrapperModel": "CosineRecommender",
}
_ITEM_KNN = "ImplicitItemKNNWrapperModel"


class RecToolsRanker:
    """Ranks by a model of RecTools, trained on what counts as positive.

    Scores are those of the model's own `recommend`; an item that it leaves out is never recommended, and users and
    items without a positive in train have no score.

    Args:
        model: name of a class in `rectools.models`, such as "EASEModel".
        weights: the weight of a positive: "one", or its "rating".
        wraps: for a model that wraps one of implicit, what that one takes, and its class's name as `cls`.
        parameters: what the configuration of that class takes.

    Source: RecTools, a library of MTS for building recommendation systems, 2022.
    """

    def __init__(
        self,
        *,
        model: str = "PopularModel",
        weights: Literal["one", "rating"] = "one",
        wraps: Mapping[str, Any] | None = None,
        **parameters: Any,
    ) -> None:
        if weights not in ("one", "rating"):
            raise ValueError(f"weights must be 'one' or 'rating', not {weights!r}")
        self._name = model
        self._class = model_named(model, _MODELS, library="RecTools")
        self._weights = weights
        self._wraps = _wrapped(model, wraps)
        self._parameters = parameters
        self._made({})

    def fit(self, train: Dataset, *, seed: int) -> None:
        """Train on the positives of train."""
        rows = train.positives()
        self._warm = np.unique(rows.user)
        self._n_items = train.n_items
        self._data = RecToolsData.construct(table(rows, self._weights))
        self._model = self._made({"random_state": seed % 2**32})
        self._model.fit(self._data)

    def score(self, users: NDArray[np.int64]) -> NDArray[np.float64]:
        """Score the catalogue: (m,) -> (m, n_items)."""
        scores = np.full((len(users), self._n_items), -np.inf)
        warm = np.flatnonzero(np.isin(users, self._warm))
        if len(warm):
            asked, rows = np.unique(users[warm], return_inverse=True)
            scores[warm] = self._scores(asked)[rows]
        return scores

    def _scores(self, users: NDArray[np.int64]) -> NDArray[np.float64]:
        said = self._model.recommend(users, self._data, k=self._n_items, filter_viewed=False)
        scores = np.full((len(users), self._n_items), -np.inf)
        scores[np.searchsorted(users, said.user_id), said.item_id] = said.score
        return scores

    def _made(self, defaults: Mapping[str, Any]) -> Any:
        taken = [name for name in self._class.config_class.model_fields if name not in ("cls", "model")]
        for name in self._parameters:
            if name not in taken:
                raise ValueError(f"{self._name} has no parameter {name!r}; {close(name, taken)}")
        ours = {name: value for name, value in {**_DEFAULTS, **defaults}.items() if name in taken}
        config = {**ours, **self._parameters}
        if self._wraps is not None:
            inner = {"num_threads": 1, **({} if self._name == _ITEM_KNN else {"use_gpu": False, **defaults})}
            config["model"] = {**inner, **self._wraps}
        try:
            return self._class.from_config(config)
        except (TypeError, ValidationError) as error:
            raise ValueError(f"{self._name} does not take these parameters: {error}") from error


def table(rows: Interactions, weights: Literal["one", "rating"]) -> pd.DataFrame:
    """Interactions as RecTools wants them; without timestamps all are of one time."""
    seconds = np.zeros(len(rows.user)) if rows.time is None else rows.time
    weight = rows.rating.astype(float) if weights == "rating" else 1.0
    times = pd.to_datetime(seconds, unit="s")
    return pd.DataFrame({"user_id": rows.user, "item_id": rows.item, "weight": weight, "datetime": times})


def _wrapped(model: str, wraps: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    if model in _WRAPPED:
        return {"cls": _WRAPPED[model], **(wraps or {})}
    if wraps is not None:
        raise ValueError(f"{model} wraps no model; those that do are {', '.join(_WRAPPED)}")
    return None

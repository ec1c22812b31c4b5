"""Rating predictors of Surprise, by name."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from surprise import Dataset as SurpriseData
from surprise import Reader, Trainset, prediction_algorithms

from recbench.api import Dataset
from recbench_adapters.models import made, model_named, named_parameters

# `AlgoBase` takes these through **kwargs, without naming them.
_UNNAMED = {"bsl_options", "sim_options"}


class SurpriseRater:
    """Predicts ratings by a model of Surprise, trained on all ratings in the order of the data.

    Predictions are the model's own, unclipped. Where it cannot predict a pair it gives the mean of train, as Surprise
    does; where it cannot because the user or the item has no rating in train, NaN.

    Args:
        model: name of a class in `surprise.prediction_algorithms`.
        parameters: keyword arguments of that class.

    Source: Hug, Surprise: a Python library for recommender systems, JOSS 2020.
    """

    def __init__(self, *, model: str = "BaselineOnly", **parameters: Any) -> None:
        self._class = model_named(model, _models(), library="Surprise")
        self._parameters = parameters
        self._made({})

    def fit(self, train: Dataset, *, seed: int) -> None:
        """Train on all ratings."""
        takes_seed = "random_state" in named_parameters(self._class)
        self._model = self._made({"random_state": seed % 2**32} if takes_seed else {})
        self._model.fit(trainset(train))

    def predict(self, users: NDArray[np.int64], items: NDArray[np.int64]) -> NDArray[np.float64]:
        """Predict pair by pair, as Surprise does: (m,), (m,) -> (m,)."""
        said = (self._one(int(user), int(item)) for user, item in zip(users, items, strict=True))
        return np.fromiter(said, dtype=np.float64, count=len(users))

    def _one(self, user: int, item: int) -> float:
        said = self._model.predict(user, item, clip=False)
        if said.details["was_impossible"] and not self._knows(user, item):
            return np.nan
        return float(said.est)

    def _knows(self, user: int, item: int) -> bool:
        known: Trainset = self._model.trainset
        return user in known._raw2inner_id_users and item in known._raw2inner_id_items

    def _made(self, defaults: dict[str, Any]) -> Any:
        quiet = {"verbose": False} if "verbose" in named_parameters(self._class) else {}
        return made(self._class, {**quiet, **defaults, **self._parameters}, unnamed=_UNNAMED)


def trainset(train: Dataset) -> Trainset:
    """All ratings as Surprise wants them; its raw ids are the indexes of users and items."""
    rows = train.interactions
    frame = pd.DataFrame({"user": rows.user, "item": rows.item, "rating": rows.rating.astype(np.float64)})
    scale = train.scale or (float(rows.rating.min(initial=1)), float(rows.rating.max(initial=1)))
    return SurpriseData.load_from_df(frame, Reader(rating_scale=scale)).build_full_trainset()


def _models() -> dict[str, Any]:
    algorithm = prediction_algorithms.AlgoBase
    found = vars(prediction_algorithms).values()
    classes = [each for each in found if isinstance(each, type) and issubclass(each, algorithm)]
    return {each.__name__: each for each in classes if each is not algorithm}

"""Rankers and rating predictors of Cornac, by name."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import cornac.models
import numpy as np
from cornac.data import Dataset as CornacData
from cornac.exception import ScoreException
from numpy.typing import NDArray

from recbench.api import Dataset, Interactions
from recbench_adapters.models import made, model_named, named_parameters
from recbench_adapters.pairs import by_user

# A trial is to give the same lists everywhere: with more threads the updates of some models race.
_DEFAULTS = {"num_threads": 1, "verbose": False}


class CornacModel:
    """A model of Cornac, trained with a seed and asked user by user for the whole catalogue.

    Args:
        model: name of a class in `cornac.models`.
        parameters: keyword arguments of that class.

    Source: Salah, Truong, Lauw, Cornac: A Comparative Framework for Multimodal Recommender Systems, JMLR 2020.
    """

    def __init__(self, *, model: str, **parameters: Any) -> None:
        self._class = model_named(model, _models(), library="Cornac")
        self._parameters = parameters
        self._made({})

    def _train(self, rows: Interactions, n_items: int, seed: int) -> None:
        data = interactions(rows, seed)
        self._model = self._made({"seed": seed % 2**32})
        self._model.fit(data)
        self._users = data.uid_map
        self._items = np.fromiter(data.iid_map, dtype=np.int64)  # in the order of Cornac's own indexes
        self._n_items = n_items

    def _scores(self, user: int) -> NDArray[np.float64]:
        """(n_items,); NaN for items that are not in train, and for users who are not."""
        scores = np.full(self._n_items, np.nan)
        if user in self._users:
            with suppress(ScoreException):  # Cornac's word for "cannot say"
                scores[self._items] = np.ravel(self._model.score(self._users[user]))
        return scores

    def _made(self, defaults: dict[str, Any]) -> Any:
        taken = named_parameters(self._class)
        ours = {name: value for name, value in {**_DEFAULTS, **defaults}.items() if name in taken}
        return made(self._class, {**ours, **self._parameters})


class CornacRanker(CornacModel):
    """Ranks by a model of Cornac, trained on what counts as positive. Users and items without one have no score.

    Args:
        model: name of a class in `cornac.models`.
        parameters: keyword arguments of that class.
    """

    def __init__(self, *, model: str = "MostPop", **parameters: Any) -> None:
        super().__init__(model=model, **parameters)

    def fit(self, train: Dataset, *, seed: int) -> None:
        """Train on the positives of train."""
        self._train(train.positives(), train.n_items, seed)

    def score(self, users: NDArray[np.int64]) -> NDArray[np.float64]:
        """Score the catalogue: (m,) -> (m, n_items)."""
        scores = np.reshape([self._scores(user) for user in users.tolist()], (len(users), self._n_items))
        return np.where(np.isnan(scores), -np.inf, scores)


class CornacRater(CornacModel):
    """Predicts ratings by a model of Cornac, trained on all ratings. NaN for users and items that are not in train.

    Args:
        model: name of a class in `cornac.models`.
        parameters: keyword arguments of that class.
    """

    def __init__(self, *, model: str = "MF", **parameters: Any) -> None:
        super().__init__(model=model, **parameters)

    def fit(self, train: Dataset, *, seed: int) -> None:
        """Train on all ratings."""
        self._train(train.interactions, train.n_items, seed)

    def predict(self, users: NDArray[np.int64], items: NDArray[np.int64]) -> NDArray[np.float64]:
        """Predict ratings: (m,), (m,) -> (m,)."""
        predictions = np.empty(len(users))
        for places in by_user(users):
            predictions[places] = self._scores(int(users[places[0]]))[items[places]]
        return predictions


def interactions(rows: Interactions, seed: int) -> CornacData:
    """Interactions as Cornac wants them; its ids are the indexes of users and items."""
    triples = list(zip(rows.user.tolist(), rows.item.tolist(), rows.rating.tolist(), strict=True))
    return CornacData.from_uir(triples, seed=seed % 2**32)


def _models() -> dict[str, Any]:
    models = cornac.models
    unfit = (models.NextBasketRecommender, models.NextItemRecommender)  # these learn from baskets and sessions
    classes = [each for each in vars(models).values() if isinstance(each, type)]
    fit = [each for each in classes if issubclass(each, models.Recommender) and not issubclass(each, unfit)]
    return {each.__name__: each for each in fit if each is not models.Recommender}

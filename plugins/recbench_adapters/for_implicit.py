"""Rankers of implicit, by name."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from implicit import als, bpr, lmf, nearest_neighbours
from numpy.typing import NDArray

from recbench.api import Dataset
from recbench_adapters.models import made, model_named, named_parameters

_MODELS = {
    each.__name__: each
    for each in (
        als.AlternatingLeastSquares,
        bpr.BayesianPersonalizedRanking,
        lmf.LogisticMatrixFactorization,
        nearest_neighbours.BM25Recommender,
        nearest_neighbours.CosineRecommender,
        nearest_neighbours.ItemItemRecommender,
        nearest_neighbours.TFIDFRecommender,
    )
}
# A trial is to give the same lists everywhere: its threads race in BPR, and a GPU rounds otherwise.
_DEFAULTS = {"num_threads": 1, "use_gpu": False}


class ImplicitRanker:
    """Ranks by a model of implicit, trained on what counts as positive.

    Scores are those of the model's own `recommend`; an item that it leaves out is never recommended, and a user
    without a positive in train gets no list.

    Args:
        model: name of a class of implicit, such as "AlternatingLeastSquares".
        weights: what the matrix holds for a positive: "one", or its "rating".
        parameters: keyword arguments of that class.

    Source: Frederickson, implicit: Fast Python Collaborative Filtering for Implicit Datasets, 2016.
    """

    def __init__(
        self, *, model: str = "TFIDFRecommender", weights: Literal["one", "rating"] = "one", **parameters: Any
    ) -> None:
        self._make = model_named(model, _MODELS, library="implicit")
        self._weights = weights
        self._parameters = parameters
        self._made({})

    def fit(self, train: Dataset, *, seed: int) -> None:
        """Train on the positives of train."""
        self._history = train.user_item(self._weights, positives_only=True)
        self._model = self._made({"random_state": seed % 2**32})
        self._model.fit(self._history, show_progress=False)

    def score(self, users: NDArray[np.int64]) -> NDArray[np.float64]:
        """Score the catalogue: (m,) -> (m, n_items)."""
        scores = np.full((len(users), self._history.shape[1]), -np.inf)
        warm = np.flatnonzero(np.diff(self._history.indptr)[users])
        if len(warm):
            scores[warm] = self._scores(users[warm])
        return scores

    def _scores(self, users: NDArray[np.int64]) -> NDArray[np.float64]:
        n_items = self._history.shape[1]
        histories = self._history[users]
        items, values = self._model.recommend(users, histories, N=n_items, filter_already_liked_items=False)
        # Where a model has less to say of a user than of another, the end of the row is padded with the item -1.
        scores = np.full((len(users), n_items + 1), -np.inf)
        np.put_along_axis(scores, items.astype(np.int64), values, axis=1)
        return scores[:, :n_items]

    def _made(self, defaults: dict[str, Any]) -> Any:
        taken = named_parameters(self._make)
        ours = {name: value for name, value in {**_DEFAULTS, **defaults}.items() if name in taken}
        return made(self._make, {**ours, **self._parameters})

"""Rankers and rating predictors of LensKit, by name."""

from __future__ import annotations

import importlib
import os
from typing import Any

import numpy as np
import pandas as pd
from lenskit.data import Dataset as LensKitData
from lenskit.data import ItemList, from_interactions_df
from lenskit.operations import predict
from lenskit.parallel import config as parallel
from lenskit.pipeline import topn_pipeline
from lenskit.training import TrainingOptions
from numpy.typing import NDArray
from pydantic import ValidationError

from recbench.api import Dataset, Interactions
from recbench_adapters.models import close, model_named
from recbench_adapters.pairs import by_user

# By name the module that has it, so that a trial imports no more than its own model.
_MODELS = {
    "BiasScorer": "lenskit.basic",
    "BiasedMFScorer": "lenskit.als",
    "BiasedSVDScorer": "lenskit.sklearn.svd",
    "EASEScorer": "lenskit.knn.ease",
    "FlexMFExplicitScorer": "lenskit.flexmf",
    "FlexMFImplicitScorer": "lenskit.flexmf",
    "FunkSVDScorer": "lenskit.funksvd",
    "HPFScorer": "lenskit.hpf",
    "ImplicitMFScorer": "lenskit.als",
    "ItemKNNScorer": "lenskit.knn.item",
    "LightGCNScorer": "lenskit.graphs.lightgcn",
    "NMFScorer": "lenskit.sklearn.nmf",
    "PopScorer": "lenskit.basic",
    "SLIMScorer": "lenskit.knn.slim",
    "UserKNNScorer": "lenskit.knn.user",
}


class LensKitScorer:
    """A scorer of LensKit in LensKit's own pipeline, which looks up what a user has in train.

    Args:
        model: name of a scorer's class.
        falls_back: whether LensKit's own offsets of users and items say what the scorer cannot, in predictions.
        parameters: what the scorer's configuration takes.

    Source: Ekstrand, LensKit for Python, CIKM 2020.
    """

    def __init__(self, *, model: str, falls_back: bool, **parameters: Any) -> None:
        scorer = configured(scorer_named(model), parameters)
        self._pipeline = topn_pipeline(scorer, predicts_ratings=True if falls_back else "raw")

    def _train(self, train: Dataset, rows: Interactions, seed: int) -> None:
        keep_to_threads()
        self._n_items = train.n_items
        self._pipeline.train(interactions(rows), TrainingOptions(rng=seed))

    def _scores(self, user: int, items: NDArray[np.int64]) -> NDArray[np.float64]:
        return np.asarray(predict(self._pipeline, user, ItemList(item_ids=items)).scores(), dtype=np.float64)


class LensKitRanker(LensKitScorer):
    """Ranks by a scorer of LensKit, trained on what counts as positive. An item without a score is never recommended.

    Args:
        model: name of a scorer's class.
        parameters: what the scorer's configuration takes.
    """

    def __init__(self, *, model: str = "PopScorer", **parameters: Any) -> None:
        super().__init__(model=model, falls_back=False, **parameters)

    def fit(self, train: Dataset, *, seed: int) -> None:
        """Train on the positives of train."""
        self._train(train, train.positives(), seed)

    def score(self, users: NDArray[np.int64]) -> NDArray[np.float64]:
        """Score the catalogue: (m,) -> (m, n_items)."""
        catalogue = np.arange(self._n_items)
        scores = np.reshape([self._scores(user, catalogue) for user in users.tolist()], (len(users), self._n_items))
        return np.where(np.isnan(scores), -np.inf, scores)


class LensKitRater(LensKitScorer):
    """Predicts ratings by a scorer of LensKit, trained on all ratings. NaN where the scorer has no score.

    Args:
        model: name of a scorer's class.
        falls_back: whether LensKit's own offsets of users and items step in there, as in its `predict_pipeline`.
        parameters: what the scorer's configuration takes.
    """

    def __init__(self, *, model: str = "BiasedMFScorer", falls_back: bool = False, **parameters: Any) -> None:
        super().__init__(model=model, falls_back=falls_back, **parameters)

    def fit(self, train: Dataset, *, seed: int) -> None:
        """Train on all ratings."""
        self._train(train, train.interactions, seed)

    def predict(self, users: NDArray[np.int64], items: NDArray[np.int64]) -> NDArray[np.float64]:
        """Predict ratings: (m,), (m,) -> (m,)."""
        predictions = np.empty(len(users))
        for places in by_user(users):
            predictions[places] = self._scores(int(users[places[0]]), items[places])
        return predictions


def scorer_named(model: str) -> Any:
    """The class of a scorer; its module is imported, and no other scorer's.

    Raises:
        ValueError: there is none of that name, or it needs a package that is not installed.
    """
    module = model_named(model, _MODELS, library="LensKit")
    try:
        return getattr(importlib.import_module(module), model)
    except ImportError as error:
        raise ValueError(f"{model} of LensKit needs a package that is not installed: {error}") from error


def configured(scorer: Any, parameters: dict[str, Any]) -> Any:
    """Construct a scorer.

    Raises:
        ValueError: it has no such parameter, or does not take the value.
    """
    known = scorer.config_class().model_fields
    aliases = {str(alias) for field in known.values() for alias in getattr(field.validation_alias, "choices", ())}
    for name in parameters:
        if name not in {*known, *aliases}:  # some configurations let unknown names pass in silence
            raise ValueError(f"{scorer.__name__} has no parameter {name!r}; {close(name, known)}")
    try:
        return scorer(**parameters)
    except ValidationError as error:
        raise ValueError(f"{scorer.__name__} does not take these parameters: {error}") from error


def interactions(rows: Interactions) -> LensKitData:
    """Interactions as LensKit wants them; its ids are the indexes of users and items."""
    columns = {
        "user_id": rows.user.astype(np.int64),
        "item_id": rows.item.astype(np.int64),
        "rating": rows.rating.astype(np.float64),
    }
    return from_interactions_df(pd.DataFrame(columns))


def keep_to_threads() -> None:
    """Have LensKit use as many threads as the trial may, in this process alone; what is set already stays."""
    if parallel._config is None:
        threads = int(os.environ.get("OMP_NUM_THREADS", "1"))
        parallel.initialize(processes=1, threads=threads, backend_threads=threads)

"""Regressors of scikit-learn, by name, as rating predictors."""

from __future__ import annotations

import importlib
import inspect
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.base import RegressorMixin

from recbench.api import Dataset
from recbench_adapters.models import made, model_named, named_parameters

_FAMILIES = ("linear_model", "ensemble", "tree", "neighbors", "svm", "neural_network", "kernel_ridge")

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.integer[Any]]


class SklearnRater:
    """Predicts ratings by a regressor of scikit-learn, trained on all ratings.

    What a pair looks like to the regressor:

    - "one-hot": a sparse row with a one for the user and a one for the item. A linear model then learns an offset
      each.
    - "profile": four numbers, the mean rating of the user and of the item and the logarithm of 1 plus how many they
      have. In training a pair's own rating is left out of its four numbers; a mean over nothing is the mean of train.

    Args:
        model: name of a regressor's class.
        features: see above.
        parameters: keyword arguments of that class.

    Source: Pedregosa and others, Scikit-learn: Machine Learning in Python, JMLR 2011.
    """

    def __init__(
        self, *, model: str = "Ridge", features: Literal["one-hot", "profile"] = "one-hot", **parameters: Any
    ) -> None:
        self._class = model_named(model, _models(), library="scikit-learn")
        self._parameters = parameters
        self._features = features
        self._made({})

    def fit(self, train: Dataset, *, seed: int) -> None:
        """Train on all ratings."""
        rows = train.interactions
        rating = rows.rating.astype(np.float64)
        takes_seed = "random_state" in named_parameters(self._class)
        self._regressor = self._made({"random_state": seed % 2**32} if takes_seed else {})
        self._shape = (train.n_users, train.n_items)
        self._mean = float(rating.mean()) if len(rating) else np.nan
        self._of_user = _totals(rows.user, rating, train.n_users)
        self._of_item = _totals(rows.item, rating, train.n_items)
        self._regressor.fit(self._seen_as(rows.user, rows.item, own=rating), rating)

    def predict(self, users: NDArray[np.int64], items: NDArray[np.int64]) -> FloatArray:
        """Predict ratings: (m,), (m,) -> (m,)."""
        if not len(users):  # which scikit-learn refuses
            return np.empty(0)
        return np.asarray(self._regressor.predict(self._seen_as(users, items)), dtype=np.float64)

    def _seen_as(self, users: IntArray, items: IntArray, *, own: FloatArray | None = None) -> csr_matrix | FloatArray:
        if self._features == "one-hot":
            return _one_hot(users, items, self._shape)
        left_out = np.zeros((2, len(users))) if own is None else np.stack([own, np.ones(len(users))])
        columns = [self._numbers(self._of_user[:, users] - left_out), self._numbers(self._of_item[:, items] - left_out)]
        return np.concatenate(columns).T

    def _numbers(self, totals: FloatArray) -> FloatArray:
        """(2, m): mean and logarithm of the count, by sum and count."""
        total, count = totals
        mean = np.where(count > 0, total / np.maximum(count, 1.0), self._mean)
        return np.stack([mean, np.log1p(count)])

    def _made(self, defaults: dict[str, Any]) -> Any:
        return made(self._class, {**defaults, **self._parameters})


def _totals(owner: IntArray, rating: FloatArray, n_owners: int) -> FloatArray:
    """(2, n_owners): the sum and the number of ratings of each."""
    sums = np.bincount(owner, weights=rating, minlength=n_owners)
    return np.stack([sums, np.bincount(owner, minlength=n_owners).astype(np.float64)])


def _one_hot(users: IntArray, items: IntArray, shape: tuple[int, int]) -> csr_matrix:
    columns = np.stack([users, items.astype(np.int64) + shape[0]], axis=1).ravel()
    starts = np.arange(0, len(columns) + 1, 2)
    return csr_matrix((np.ones(len(columns)), columns, starts), shape=(len(users), sum(shape)))


def _models() -> dict[str, Any]:
    modules = (importlib.import_module(f"sklearn.{family}") for family in _FAMILIES)
    classes = (each for module in modules for each in vars(module).values() if inspect.isclass(each))
    regressors = (each for each in classes if issubclass(each, RegressorMixin) and not inspect.isabstract(each))
    return {each.__name__: each for each in regressors}

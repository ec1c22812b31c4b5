"""Ensembles of trees on features of user, item and pair: boosting, a random forest, bagging."""

from __future__ import annotations

from typing import Any

import numpy as np

from recbench_ensembles.ensemble import Plan, TreeEnsemble
from recbench_ensembles.features import Table
from recbench_ensembles.parameters import above_0, at_least, share
from recbench_ensembles.paths import Tree, of_boosting, of_forest


class Boosting(TreeEnsemble):
    """Histogram gradient boosting: each tree is grown on what those before it leave of the residuals.

    See `TreeEnsemble` for the features and for ranking.

    Args:
        trees: how many.
        rate: what part of each tree's output counts.
        leaves: of a tree, at most.
        leaf_size: training rows in a leaf, at least.
        l2: regularisation of the leaves' outputs.
        folds: parts that train is cut into for the features of its rows.
        first_stage: name of the algorithm that lists items.
        shortlist: items on a list.
        weight: of the predicted rating beside the first stage's score.

    Source: Friedman, Greedy Function Approximation: A Gradient Boosting Machine, 2001; scikit-learn's
        HistGradientBoostingRegressor, after LightGBM.
    """

    def __init__(
        self,
        *,
        trees: int = 120,
        rate: float = 0.08,
        leaves: int = 15,
        leaf_size: int = 40,
        l2: float = 5.0,
        folds: int = 5,
        first_stage: str = "ease",
        shortlist: int = 200,
        weight: float = 0.5,
    ) -> None:
        at_least("trees", trees, 1)
        at_least("leaves", leaves, 2)
        at_least("leaf_size", leaf_size, 1)
        at_least("l2", l2, 0)
        above_0("rate", rate)
        self._plan = Plan(folds=folds, first_stage=first_stage, shortlist=shortlist, weight=weight)
        self._settings = {
            "max_iter": trees,
            "learning_rate": rate,
            "max_leaf_nodes": leaves,
            "min_samples_leaf": leaf_size,
            "l2_regularization": l2,
        }

    def _grown(self, table: Table, seed: int) -> Any:
        from sklearn.ensemble import HistGradientBoostingRegressor

        model = HistGradientBoostingRegressor(**self._settings, early_stopping=False, random_state=seed)
        return model.fit(table.features, table.residuals)

    def _trees(self) -> tuple[float, list[Tree]]:
        return float(np.ravel(self._model._baseline_prediction)[0]), of_boosting(self._model._predictors)


class RandomForest(TreeEnsemble):
    """A random forest: the mean of trees grown on draws of rows, each node choosing among a draw of features.

    See `TreeEnsemble` for the features and for ranking.

    Args:
        trees: how many.
        sample: what part of the rows is drawn for a tree, with replacement.
        feature_share: what part of the features is drawn for a node.
        leaf_size: training rows in a leaf, at least.
        folds: parts that train is cut into for the features of its rows.
        first_stage: name of the algorithm that lists items.
        shortlist: items on a list.
        weight: of the predicted rating beside the first stage's score.

    Source: Breiman, Random Forests, 2001; scikit-learn's RandomForestRegressor.
    """

    def __init__(
        self,
        *,
        trees: int = 40,
        sample: float = 0.2,
        feature_share: float = 0.33,
        leaf_size: int = 10,
        folds: int = 5,
        first_stage: str = "ease",
        shortlist: int = 200,
        weight: float = 0.5,
    ) -> None:
        at_least("trees", trees, 1)
        at_least("leaf_size", leaf_size, 1)
        share("sample", sample)
        share("feature_share", feature_share)
        self._plan = Plan(folds=folds, first_stage=first_stage, shortlist=shortlist, weight=weight)
        self._n_trees, self._leaf_size = trees, leaf_size
        self._sample, self._feature_share = sample, feature_share

    def _grown(self, table: Table, seed: int) -> Any:
        from sklearn.ensemble import RandomForestRegressor

        model = RandomForestRegressor(
            self._n_trees,
            max_samples=drawn(self._sample, len(table.rating)),
            max_features=self._feature_share,
            min_samples_leaf=self._leaf_size,
            random_state=seed,
            n_jobs=1,
        )
        return model.fit(table.features, table.residuals)

    def _trees(self) -> tuple[float, list[Tree]]:
        return 0.0, of_forest(self._model.estimators_)


class Bagging(TreeEnsemble):
    """Bagging: the mean of trees grown on draws of rows, all features open to every node.

    See `TreeEnsemble` for the features and for ranking.

    Args:
        trees: how many.
        sample: what part of the rows is drawn for a tree, with replacement.
        leaf_size: training rows in a leaf, at least.
        folds: parts that train is cut into for the features of its rows.
        first_stage: name of the algorithm that lists items.
        shortlist: items on a list.
        weight: of the predicted rating beside the first stage's score.

    Source: Breiman, Bagging Predictors, 1996; scikit-learn's BaggingRegressor of DecisionTreeRegressor.
    """

    def __init__(
        self,
        *,
        trees: int = 30,
        sample: float = 0.1,
        leaf_size: int = 10,
        folds: int = 5,
        first_stage: str = "ease",
        shortlist: int = 200,
        weight: float = 0.5,
    ) -> None:
        at_least("trees", trees, 1)
        at_least("leaf_size", leaf_size, 1)
        share("sample", sample)
        self._plan = Plan(folds=folds, first_stage=first_stage, shortlist=shortlist, weight=weight)
        self._n_trees, self._leaf_size, self._sample = trees, leaf_size, sample

    def _grown(self, table: Table, seed: int) -> Any:
        from sklearn.ensemble import BaggingRegressor
        from sklearn.tree import DecisionTreeRegressor

        model = BaggingRegressor(
            DecisionTreeRegressor(min_samples_leaf=self._leaf_size),
            n_estimators=self._n_trees,
            max_samples=drawn(self._sample, len(table.rating)),
            random_state=seed,
            n_jobs=1,
        )
        return model.fit(table.features, table.residuals)

    def _trees(self) -> tuple[float, list[Tree]]:
        return 0.0, of_forest(self._model.estimators_)


def drawn(sample: float, n_rows: int) -> int:
    """How many rows are drawn for a tree, at least 1."""
    return max(1, round(sample * n_rows))

"""What each feature adds to the output of trees: differences of node values along each row's path."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recbench_ensembles.ratings import FloatArray, IntArray

LEAF = -1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tree:
    """A regression tree; a row goes left where its feature is at or below the threshold.

    Attributes:
        feature: (nodes,) which feature a node asks about, -1 at a leaf.
        threshold: (nodes,) float64.
        left: (nodes,) the node to go on with.
        right: (nodes,) likewise.
        value: (nodes,) the mean output of the training rows that pass the node; a leaf's own output.
    """

    feature: IntArray
    threshold: FloatArray
    left: IntArray
    right: IntArray
    value: FloatArray


def contributions(trees: Sequence[Tree], features: NDArray[np.float32]) -> tuple[float, FloatArray]:
    """Take the sum of the trees' outputs apart.

    A row's output is the root's value plus, for each node on its path, the value of the node that it goes to minus
    that of the node it comes from; this difference is credited to the feature that the node asks about.

    Args:
        trees: whose outputs are added up.
        features: (m, f).

    Returns:
        The sum of the roots' values, and (m, f) what each feature adds to it.

    Source: Saabas, treeinterpreter, 2014; Palczewska and others, Interpreting Random Forest Classification Models
        Using a Feature Contribution Method, 2014.
    """
    added = np.zeros(features.shape)
    for tree in trees:
        node = np.zeros(len(features), dtype=np.int64)
        on_the_way = np.flatnonzero(tree.feature[node] != LEAF)
        while len(on_the_way):
            here = node[on_the_way]
            asked = tree.feature[here]
            goes_left = features[on_the_way, asked] <= tree.threshold[here]
            there = np.where(goes_left, tree.left[here], tree.right[here])
            added[on_the_way, asked] += tree.value[there] - tree.value[here]
            node[on_the_way] = there
            on_the_way = on_the_way[tree.feature[there] != LEAF]
    return float(sum(tree.value[0] for tree in trees)), added


def of_forest(estimators: Sequence[Any]) -> list[Tree]:
    """The trees of scikit-learn's forests and bags, scaled so that their sum is the ensemble's mean."""
    return [_of_decision_tree(estimator.tree_, 1.0 / len(estimators)) for estimator in estimators]


def of_boosting(predictors: Sequence[Sequence[Any]]) -> list[Tree]:
    """The trees of scikit-learn's histogram gradient boosting: those of each iteration, the only one of its kind."""
    return [_of_histogram_tree(iteration[0].nodes) for iteration in predictors]


def _of_decision_tree(tree: Any, scale: float) -> Tree:
    return Tree(
        feature=np.where(tree.children_left == -1, LEAF, tree.feature).astype(np.int64),
        threshold=tree.threshold,
        left=tree.children_left.astype(np.int64),
        right=tree.children_right.astype(np.int64),
        value=tree.value[:, 0, 0] * scale,
    )


def _of_histogram_tree(nodes: NDArray[Any]) -> Tree:
    is_leaf = nodes["is_leaf"].astype(bool)
    left, right = nodes["left"].astype(np.int64), nodes["right"].astype(np.int64)
    value, count = nodes["value"].astype(np.float64), nodes["count"].astype(np.float64)
    # Inner nodes hold what they would give without the learning rate. A child comes after its parent.
    for node in np.flatnonzero(~is_leaf)[::-1].tolist():
        children = np.array([left[node], right[node]])
        value[node] = np.average(value[children], weights=count[children])
    return Tree(
        feature=np.where(is_leaf, LEAF, nodes["feature_idx"]).astype(np.int64),
        threshold=nodes["num_threshold"].astype(np.float64),
        left=left,
        right=right,
        value=value,
    )

"""Lists and predictions as they came from a trial or a file: checked, and brought into the form that is scored."""

from __future__ import annotations

import numpy as np

from recbench.api import Pairs
from recbench.data import FloatArray, Int32Array, Split, owned
from recbench.metrics.population import with_history
from recbench.protocols.spec import EvaluationSpec


def checked_lists(lists: Int32Array, split: Split, evaluation: EvaluationSpec) -> Int32Array:
    """The lists, cut at the greatest cut-off.

    Raises:
        ValueError: another shape, an unknown item, an item twice in a list, or an empty place before an item.
    """
    n_users, n_items, depth = split.dataset.n_users, split.dataset.n_items, evaluation.depth
    if lists.ndim != 2 or len(lists) != n_users or lists.shape[1] < depth or lists.dtype.kind != "i":
        raise ValueError(
            f"lists are {lists.dtype} of shape {lists.shape}; expected integers, {n_users} rows of {depth} or more"
        )
    lists = lists[:, :depth]
    for first in range(0, n_users, 4096):
        _check_rows(lists[first : first + 4096], n_items)
    return lists


def _check_rows(lists: Int32Array, n_items: int) -> None:
    ordered = np.sort(lists, axis=1)
    if len(ordered) and (ordered[:, 0].min() < -1 or ordered[:, -1].max() >= n_items):
        raise ValueError(f"a list has an item that is not in 0 .. {n_items - 1}; -1 marks an empty place")
    if ((ordered[:, 1:] == ordered[:, :-1]) & (ordered[:, 1:] >= 0)).any():
        raise ValueError("a list has a duplicate item")
    # Most lists are full, so only those with an empty place are looked at closely.
    short = lists[ordered[:, 0] < 0] if ordered.shape[1] else lists
    if ((short[:, 1:] >= 0) & (short[:, :-1] < 0)).any():
        raise ValueError("a list has an empty place before an item")


def pairs_of(predictions: FloatArray | None, split: Split, evaluation: EvaluationSpec) -> Pairs | None:
    """The test pairs that count, with predictions clipped and filled in; None where there is nothing to compare.

    Raises:
        ValueError: another shape, or an infinite prediction.
    """
    scale = split.dataset.scale
    if predictions is None or scale is None:
        return None
    if predictions.shape != split.test_rows.shape or np.isinf(predictions).any():
        raise ValueError(
            f"predictions have the shape {predictions.shape}; expected ({len(split.test_rows)},), none infinite"
        )
    answered = ~np.isnan(predictions)
    filled = np.where(answered, predictions, _training_mean(split, scale))
    interactions = split.dataset.interactions
    counting = slice(None) if evaluation.users == "all" else with_history(split)[interactions.user[split.test_rows]]
    rows = split.test_rows[counting]
    return Pairs(
        users=owned(interactions.user[rows]),
        items=owned(interactions.item[rows]),
        rating=owned(interactions.rating[rows].astype(np.float64)),
        prediction=owned(np.clip(filled, *scale)[counting]),
        answered=owned(answered[counting]),
        scale=scale,
    )


def _training_mean(split: Split, scale: tuple[float, float]) -> float:
    """The mean training rating; the middle of the scale where nothing is in train."""
    ratings = split.dataset.interactions.rating[np.concatenate([split.train_rows, split.validation_rows])]
    return float(ratings.mean(dtype=np.float64)) if len(ratings) else sum(scale) / 2

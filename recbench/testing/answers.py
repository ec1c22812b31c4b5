"""Rules on what an algorithm answers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from recbench.data import Dataset
from recbench.testing import worlds
from recbench.testing.rule import Breach, NotApplicable
from recbench.testing.subject import Fitted, Subject

_MOST_UNSAID = 0.05


def fits_and_answers(subject: Subject) -> None:
    """A trial needs `fit(train, *, seed)`, and one of `score`, `predict` and `recommend`."""
    if not subject.fitted(worlds.checkerboard()).offers:
        raise Breach("it has neither score, predict nor recommend", fix="add `score(users)` or `predict(users, items)`")


def shapes_and_types_are_right(subject: Subject) -> None:
    """Scores are (m, n_items) and predictions (m,), of a real type, for any m: also for one user, and for none."""
    fitted = subject.fitted(worlds.checkerboard())
    for users in (fitted.everybody(), fitted.everybody()[3:4], fitted.everybody()[:0]):
        fitted.answers(users)


def predictions_stay_near_the_scale(subject: Subject) -> None:
    """The harness clips; what lies more than the scale's own width outside it is a fault, not a bold prediction."""
    fitted = subject.fitted(worlds.checkerboard())
    if "predict" not in fitted.offers:
        raise NotApplicable("it has no predict")
    _require_in_range(fitted)


def another_seed_stays_in_range(subject: Subject) -> None:
    """A seed may change results, not break them: boards average over several."""
    fitted = subject.fit(worlds.checkerboard().train, seed=1)
    fitted.answers(fitted.everybody())
    if "predict" in fitted.offers:
        _require_in_range(fitted)


def something_is_said_of_warm_users(subject: Subject) -> None:
    """NaN means "cannot say". For pairs whose user and item are in train, that has to be the exception."""
    fitted = subject.fitted(worlds.checkerboard())
    if "predict" not in fitted.offers:
        raise NotApplicable("it has no predict")
    rows = fitted.train.interactions
    known = fitted.predictions(fitted.everybody())[np.unique(rows.user)][:, np.unique(rows.item)]
    share = float(np.isnan(known).mean())
    if share > _MOST_UNSAID:
        raise Breach(
            f"{share:.0%} of the predictions are NaN where user and item are in train; {_MOST_UNSAID:.0%} may be",
            fix="fall back to a mean of the user, the item or all",
        )


def _require_in_range(fitted: Fitted) -> None:
    values = fitted.predictions(fitted.everybody())
    low, high = _allowed(fitted.train)
    outside = _outside(values, low, high)
    if len(outside):
        raise Breach(
            f"a prediction is {outside[0]:.4g}; the ratings go from {low + (high - low) / 3:g} to"
            f" {high - (high - low) / 3:g}, and anything from {low:g} to {high:g} may be predicted",
            fix="predict ratings, on the scale of `train.scale`; scores belong into `score`",
        )


def _allowed(train: Dataset) -> tuple[float, float]:
    assert train.scale is not None
    low, high = train.scale
    return 2 * low - high, 2 * high - low


def _outside(values: NDArray[Any], low: float, high: float) -> NDArray[Any]:
    is_outside = (values < low) | (values > high)  # NaN is neither
    outside: NDArray[Any] = values[is_outside]
    return outside

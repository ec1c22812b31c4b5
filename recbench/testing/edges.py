"""Rules on data that is small, poor or odd: real data is, in its corners."""

from __future__ import annotations

import numpy as np

from recbench.data import Dataset
from recbench.testing import worlds
from recbench.testing.rule import Breach
from recbench.testing.subject import Subject


def copes_with_one_user(subject: Subject) -> None:
    """A service's first day: similarities and spreads over users are undefined, and must not stop the fit."""
    _cope(subject, worlds.first(_usual(), n_users=1, n_items=40))


def copes_with_one_item(subject: Subject) -> None:
    """A catalogue of one: similarities and spreads over items are undefined."""
    _cope(subject, worlds.first(_usual(), n_users=60, n_items=1))


def copes_with_equal_ratings(subject: Subject) -> None:
    """Where no rating differs, deviations are all 0, and dividing by them gives NaN."""
    _cope(subject, worlds.with_equal_ratings(_usual()))


def copes_with_a_short_history(subject: Subject) -> None:
    """A user with one rating has no spread, and nothing left when one is held out."""
    _cope(subject, worlds.with_short_history(_usual(), user=0))


def copes_with_a_user_who_has_everything(subject: Subject) -> None:
    """There is nothing to recommend, nothing to contrast with, and no negative to sample."""
    _cope(subject, worlds.with_everything(_usual(), user=0))


def copes_with_items_nobody_has(subject: Subject) -> None:
    """The catalogue holds items that occur in test only: a column of zeros, in which a norm is 0."""
    _cope(subject, worlds.without_items(_usual(), [0, 7, 39]))


def copes_with_users_without_history(subject: Subject) -> None:
    """Cold users are asked for like all others; NaN, or the same for everybody, is an answer; an exception is none."""
    _cope(subject, worlds.without_users(_usual(), [0, 7, 59]))


def copes_without_ratings(subject: Subject) -> None:
    """Much data is implicit: all ratings 1, and `train.scale` None."""
    _cope(subject, worlds.without_ratings(_usual()))


def copes_without_times_and_features(subject: Subject) -> None:
    """`interactions.time` is None, and there are no columns, where the data has none."""
    _cope(subject, worlds.without_times_or_features(_usual()))


def _usual() -> Dataset:
    return worlds.checkerboard().train


def _cope(subject: Subject, data: Dataset) -> None:
    """Fit, and ask for everything; what comes back is checked as in a trial."""
    fitted = subject.fit(data)
    users = fitted.everybody()
    for method, values in fitted.answers(users).items():
        if values.dtype.kind == "f" and np.isposinf(values).any():
            raise Breach(f"{method} gives +inf", fix="score with finite numbers; -inf and NaN mean never")
    fitted.lists(users, min(5, data.n_items))

"""The best items of a first stage: what is worth asking the trees about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from recbench.api import Dataset
from recbench_ensembles.components import scores_of
from recbench_ensembles.ratings import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Listed:
    """Pairs on the shortlists of some users, user by user, the items of each ascending.

    Attributes:
        row: (p,) which of the users asked about, ascending.
        item: (p,) int64.
        standing: (p,) the first stage's score, centred and scaled over the user's shortlist; 0 where all are equal.
    """

    row: IntArray
    item: IntArray
    standing: FloatArray


class Shortlist:
    """The best items of a fitted first stage.

    The `size` best that the user does not have, and with them those of the user's own that score as high. Equal
    scores go by how many users have the item, then by lot. NaN and -inf never make the list.

    Args:
        first_stage: with `score`, or else with `predict`.
        train: what it was fitted to.
        size: items a user.
        rng: for the lots.
    """

    def __init__(self, first_stage: Any, train: Dataset, *, size: int, rng: np.random.Generator) -> None:
        self._first_stage = first_stage
        self._size = size
        self._has = train.user_item("one")
        count = np.bincount(train.interactions.item, minlength=train.n_items)
        lots = rng.permutation(train.n_items)
        self._order = np.lexsort((lots, -count))

    def of(self, users: IntArray) -> Listed:
        """The shortlists of (m,) users; nobody's depends on who else is asked about."""
        scores = scores_of(self._first_stage, users, self._has.shape[1])
        listed = self._listed(scores, users)
        row, item = np.nonzero(listed)
        return Listed(row=row, item=item, standing=standardised(scores[row, item], row, len(users)))

    def _listed(self, scores: FloatArray, users: IntArray) -> BoolArray:
        """(m, n_items) bool."""
        listed = np.zeros(scores.shape, dtype=np.bool_)
        if not scores.size:
            return listed
        possible = np.where(np.isnan(scores), -np.inf, scores)
        fresh = np.where(self._has[users].toarray() > 0, -np.inf, possible)
        # A stable sort of columns that stand in the order for equals leaves them in it.
        ranked = np.argsort(-fresh[:, self._order], axis=1, kind="stable")[:, : self._size]
        np.put_along_axis(listed, self._order[ranked], values=True, axis=1)
        listed &= fresh > -np.inf
        lowest = np.where(listed, fresh, np.inf).min(axis=1)
        listed |= (possible >= lowest[:, None]) & np.isinf(fresh) & (possible > -np.inf)
        return listed


def standardised(values: FloatArray, row: IntArray, n_rows: int) -> FloatArray:
    """(p,) values minus their row's mean, over the row's standard deviation; 0 where a row's values are equal."""
    count = np.maximum(np.bincount(row, minlength=n_rows), 1)
    rest = values - (np.bincount(row, weights=values, minlength=n_rows) / count)[row]
    spread = np.sqrt(np.bincount(row, weights=rest**2, minlength=n_rows) / count)
    least = 1e-9 * np.maximum(np.abs(np.bincount(row, weights=np.abs(values), minlength=n_rows) / count), 1e-300)
    known = spread > least
    return np.where(known[row], rest / np.where(known, spread, 1.0)[row], 0.0)

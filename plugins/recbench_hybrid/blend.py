"""A weighted sum of other algorithms' outputs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recbench.api import Build, Dataset
from recbench_hybrid.components import Component, FloatArray, Int64Array, fitted
from recbench_hybrid.explanation import written_out
from recbench_hybrid.weights import greedy, held_out, least_squares, standardised

HELD_OUT = 0.1
USERS_LOOKED_AT = 1000


class Blend:
    """Adds up the outputs of other algorithms, with weights fitted on rows that none of them was trained on.

    Ratings: r(u, i) = c + sum over j of w_j p_j(u, i), with c and w_j >= 0 by least squares. Who predicts no ratings
    takes no part; NaN counts as the mean of what the algorithm predicts for the validation part.

    Ranking: s(u, i) = sum over j of v_j z_j(u, i), where z_j are the scores of algorithm j, standardised over the
    catalogue for each user, and v_j are shares found by ensemble selection for ndcg@10: one after the other, with
    replacement, whichever helps most is added.

    The algorithms are trained on train alone, the weights are fitted on the validation part (a tenth of train, drawn
    by lot, where the protocol has none), then the algorithms are trained again on both.

    Args:
        of: names of the algorithms.
        steps: rounds of ensemble selection.
    """

    def __init__(self, *, of: Sequence[str] = ("ease", "item-cosine", "user-cosine", "bias"), steps: int = 20) -> None:
        if not of or len(set(of)) < len(of):
            raise ValueError(f"of must name algorithms, none twice, not {list(of)!r}")
        if steps < 1:
            raise ValueError(f"steps must be 1 or more, not {steps!r}")
        self._names = list(of)
        self._steps = steps

    def fit(self, train: Dataset, *, seed: int, build: Build, validation: Dataset | None = None) -> None:
        """Fit the weights, then the algorithms on everything."""
        rest, looked_at = (train, validation) if validation is not None else held_out(train, HELD_OUT, seed)
        parts = [fitted(name, rest, seed=seed, build=build) for name in self._names]
        self._shares = _ranking_shares(parts, rest, looked_at, steps=self._steps, seed=seed)
        self._rating = _rating_weights(parts, looked_at)
        self._parts = [fitted(name, train, seed=seed, build=build, validation=validation) for name in self._names]
        # recbench asks whoever has `predict` for ratings: what only ranks must not have it.
        if any(part.rates for part in parts):
            self.predict = self._predict

    def score(self, users: Int64Array) -> FloatArray:
        """Add up standardised scores: (m,) -> (m, n_items)."""
        return np.asarray(sum(share * standardised(part.scores(users)) for share, part in self._rankers()))

    def score_new(self, histories: Dataset) -> FloatArray:
        """Add up standardised scores for users who were not there in `fit`: -> (n_users, n_items).

        Algorithms that cannot serve them take no part; where none can, all items score 0.
        """
        able = [(share, part) for share, part in self._rankers() if part.knows_strangers]
        total = np.zeros((histories.n_users, histories.n_items))
        for share, part in able:
            total += share * standardised(part.scores_of_strangers(histories))
        return total

    def explain(self, user: int, items: Int64Array) -> Sequence[str]:
        """Name the algorithms with their shares and standardised scores."""
        shares = np.array([share for share, _ in self._rankers()])
        asked = np.array([user])
        values = np.array([standardised(part.scores(asked))[0, items] for _, part in self._rankers()])
        names = [part.name for _, part in self._rankers()]
        return [written_out(float(shares @ column), shares, column, names) for column in values.T]

    def _rankers(self) -> list[tuple[float, Component]]:
        """Those that count for the ranking, with their shares."""
        return [(float(share), part) for share, part in zip(self._shares, self._parts, strict=True) if share]

    def _predict(self, users: Int64Array, items: Int64Array) -> FloatArray:
        """Add up predicted ratings: (m,), (m,) -> (m,), not clipped."""
        raters = [part for part in self._parts if part.rates]
        outputs = _filled([part.ratings(users, items) for part in raters], self._rating.means)
        return self._rating.constant + outputs @ self._rating.weights


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Rating:
    """How ratings add up: constant + outputs @ weights, where an output is missing its mean."""

    constant: float
    weights: FloatArray
    means: FloatArray


def _rating_weights(parts: Sequence[Component], validation: Dataset) -> _Rating:
    rows = validation.interactions
    users, items = rows.user.astype(np.int64), rows.item.astype(np.int64)
    outputs = [part.ratings(users, items) for part in parts if part.rates]
    known = [column[~np.isnan(column)] for column in outputs]
    level = float(rows.rating.mean(dtype=np.float64)) if len(rows) else 0.0
    means = np.array([column.mean() if len(column) else level for column in known])
    if not len(rows) or not outputs:
        return _Rating(constant=0.0, weights=np.full(len(means), 1.0 / max(1, len(means))), means=means)
    constant, weights = least_squares(_filled(outputs, means), rows.rating.astype(np.float64))
    return _Rating(constant=constant, weights=weights, means=means)


def _filled(outputs: Sequence[FloatArray], means: FloatArray) -> FloatArray:
    """(n, m) the outputs side by side, where they are missing their means."""
    columns = [np.where(np.isnan(column), mean, column) for column, mean in zip(outputs, means, strict=True)]
    return np.column_stack(columns) if columns else np.empty((0, 0))


def _ranking_shares(
    parts: Sequence[Component], train: Dataset, validation: Dataset, *, steps: int, seed: int
) -> FloatArray:
    """(m,) shares by ensemble selection on the validation part's positives; equal ones where there are none."""
    relevant = validation.user_item("one", positives_only=True)
    users = np.flatnonzero(np.diff(relevant.indptr))
    if len(parts) == 1 or not len(users):
        return np.full(len(parts), 1.0 / len(parts))
    rng = np.random.default_rng([seed, 8])
    users = np.sort(rng.permutation(users)[:USERS_LOOKED_AT])
    # Items in an order by lot: what scores alike must not be ranked by the order of the table.
    lot = rng.permutation(train.n_items)
    seen = train.user_item("one")[users][:, lot].nonzero()
    scores = [standardised(part.scores(users))[:, lot] for part in parts]
    for each in scores:
        each[seen] = -np.inf
    return greedy(scores, relevant[users][:, lot].toarray() > 0, steps)

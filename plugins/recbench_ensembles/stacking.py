"""Stacking: other algorithms' answers about what they had not seen teach how to weigh them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from recbench.api import Dataset, greatest, written_out
from recbench_ensembles.components import fitted, joined, ranks, rates, scores_of
from recbench_ensembles.heldout import Answers, ask, parts_of, predictions_of, standings
from recbench_ensembles.meta import Linear, Trees, ranking_weights
from recbench_ensembles.parameters import at_least
from recbench_ensembles.ratings import FloatArray, IntArray

Meta: TypeAlias = Literal["linear", "tree"]
DEFAULT_OF = ("bias", "item-cosine", "user-cosine", "item-pearson", "co-clustering", "ease", "recent-popularity")


class Stacking:
    """Combines other algorithms by what they said about rows that they had not seen.

    They are fitted to train without the validation part and asked about that part; where the protocol has none, the
    same is done with each of some folds of train. From their answers the meta-learner and the weights are learned;
    then they are fitted again to everything.

    Ratings: a meta-learner over those that predict ratings. What one cannot say is the mean of the others, or of all
    ratings where nobody can.

    Ranking: score(u, i) = sum over all of w * standing, where a standing is the distance of the score from the mean
    over the catalogue, for this user, in standard deviations. It is linear whatever the meta-learner of ratings is.
    What all of them never recommend is never recommended.

    Args:
        of: names of the algorithms, at least one.
        meta: "linear", weights of 0 or more, or "tree", boosted trees on the predictions.
        folds: how many, where there is no validation part.
        reg: regularisation of the linear meta-learner.
        ranking_reg: regularisation of the weights for ranking.

    Source: Wolpert, Stacked Generalization, 1992; Breiman, Stacked Regressions, 1996; Sill and others,
        Feature-Weighted Linear Stacking, 2009, for recommenders.
    """

    def __init__(
        self,
        *,
        of: Sequence[str] = DEFAULT_OF,
        meta: Meta = "linear",
        folds: int = 3,
        reg: float = 0.001,
        ranking_reg: float = 0.001,
    ) -> None:
        if not of or len(set(of)) < len(of):
            raise ValueError(f"of must name at least one algorithm, each once, not {list(of)!r}")
        if meta not in ("linear", "tree"):
            raise ValueError(f"meta must be 'linear' or 'tree', not {meta!r}")
        at_least("folds", folds, 2)
        at_least("reg", reg, 0)
        at_least("ranking_reg", ranking_reg, 0)
        self._of = tuple(of)
        self._meta, self._folds, self._reg, self._ranking_reg = meta, folds, reg, ranking_reg

    def fit(self, train: Dataset, *, seed: int, validation: Dataset | None = None, build: Callable[..., Any]) -> None:
        """Learn the weights from held-out rows, then fit the components to all there is."""
        rng = np.random.default_rng(seed)
        parts = parts_of(train, validation, folds=self._folds, rng=rng)
        answers = [ask(self._of, part, seed=seed, build=build, rng=rng) for part in parts]
        everything = train
        if validation is not None:
            everything = train.with_interactions(joined(train.interactions, validation.interactions))
        algorithms = [fitted(build, name, everything, seed=seed) for name in self._of]
        self._raters = {name: each for name, each in zip(self._of, algorithms, strict=True) if rates(each)}
        rankers = {name: each for name, each in zip(self._of, algorithms, strict=True) if ranks(each)}
        weights = ranking_weights([lists for _, lists in answers], len(rankers), reg=self._ranking_reg)
        # Who weighs nothing need not be asked.
        pairs = zip(rankers.items(), weights.tolist(), strict=True)
        self._rankers = {name: (each, weight) for (name, each), weight in pairs if weight > 0.0}
        self._n_items = train.n_items
        rows = everything.interactions
        self._mean = float(rows.rating.mean(dtype=np.float64)) if len(rows) else 0.0
        self._model = self._learned([ratings for ratings, _ in answers], seed)

    def predict(self, users: NDArray[np.int64], items: NDArray[np.int64]) -> FloatArray:
        """Predict ratings for pairs: (m,), (m,) -> (m,), not clipped."""
        if self._model is None:
            return np.full(len(users), self._mean)
        return self._model.predict(self._predictions(users, items))

    def score(self, users: NDArray[np.int64]) -> FloatArray:
        """Score the catalogue: (m,) -> (m, n_items)."""
        scores = np.zeros((len(users), self._n_items))
        is_possible = np.zeros(scores.shape, dtype=np.bool_)
        for ranker, weight in self._rankers.values():
            of_ranker = scores_of(ranker, users, self._n_items)
            is_possible |= np.isfinite(of_ranker)
            scores += weight * standings(of_ranker)
        scores[~is_possible] = -np.inf
        return scores

    def explain(self, user: int, items: NDArray[np.int64]) -> Sequence[str]:
        """Write out the score and the predicted rating by component."""
        users, items = np.array([user], dtype=np.int64), np.asarray(items, dtype=np.int64)
        scores = self._explained_scores(users, items)
        ratings = self._explained_ratings(np.full(len(items), user), items)
        return [f"{score}; predicted rating {rating}" for score, rating in zip(scores, ratings, strict=True)]

    def _explained_scores(self, users: IntArray, items: IntArray) -> list[str]:
        totals = self.score(users)[0][items]
        names = [f"{weight:.2f} times the standing in {name}" for name, (_, weight) in self._rankers.items()]
        layers = [
            standings(scores_of(each, users, self._n_items))[0] * weight for each, weight in self._rankers.values()
        ]
        parts = np.stack(layers, axis=1)[items]
        return [
            "never recommended by any of them"
            if np.isinf(total)
            else written_out(float(total), greatest(row, names, rest="algorithms", shown=4))
            for total, row in zip(totals, parts, strict=True)
        ]

    def _learned(self, answers: Sequence[Answers], seed: int) -> Linear | Trees | None:
        """The meta-learner of ratings; None where there is nothing to learn it from."""
        if not self._raters or not any(len(each.rating) for each in answers):
            return None
        predictions = _filled(np.concatenate([each.predictions for each in answers]), self._mean)
        rating = np.concatenate([each.rating for each in answers])
        if self._meta == "tree":
            return Trees(predictions, rating, seed=seed)
        return Linear(predictions, rating, reg=self._reg)

    def _predictions(self, users: IntArray, items: IntArray) -> FloatArray:
        return _filled(predictions_of(list(self._raters.values()), users, items), self._mean)

    def _explained_ratings(self, users: IntArray, items: IntArray) -> list[str]:
        if self._model is None:
            return [written_out(self._mean, [(self._mean, "mean of all ratings")])] * len(items)
        predictions = self._predictions(users, items)
        totals = self._model.predict(predictions).tolist()
        parts = self._model.parts(predictions, list(self._raters))
        return [written_out(total, terms) for total, terms in zip(totals, parts, strict=True)]


def _filled(predictions: FloatArray, otherwise: float) -> FloatArray:
    """(n, c) with each NaN replaced by the mean of what the others say, or by `otherwise`."""
    known = ~np.isnan(predictions)
    total = np.where(known, predictions, 0.0).sum(axis=1)
    count = known.sum(axis=1)
    mean = np.where(count > 0, total / np.maximum(count, 1), otherwise)
    return np.where(known, predictions, mean[:, None])

"""Neighbourhood methods, user-based and item-based: one implementation for ranking and for ratings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags_array

from recbench.api import Dataset
from recbench_neighbors.centers import Center, Centers, centers
from recbench_neighbors.explanation import contributions, names_of
from recbench_neighbors.nearest import nearest, nearest_of
from recbench_neighbors.prediction import mean_of_nearest
from recbench_neighbors.profiles import Weighting, Weights
from recbench_neighbors.similarity import Measure, Over, Similarity, SimilarityName

Side: TypeAlias = Literal["user", "item"]
KeptBy: TypeAlias = Literal["candidate", "neighbor"]
Values: TypeAlias = Literal["one", "rating"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rated:
    """What ratings are compared with, and (n_columns, n_rows) how far they are above or below."""

    centers: Centers
    deviations: csr_matrix


class Neighbors:
    """Recommends what similar users have, or what is similar to the items a user has.

    Ranking sums similarities w over kept pairs, r being 1 or the rating (see `values`):

    - side "user": score(u, i) = sum over users v with item i of w(u, v) * r(v, i)
    - side "item": score(u, i) = sum over items j of user u of w(j, i) * r(u, j)

    A user whose scores are all 0 gets the items by popularity instead.

    Ratings are means of what is above or below the centre: c(u, i) + sum w * (r - c) / sum w, over the k raters of i
    most similar to u (side "item": over the k items of u most similar to i), those at or below 0 dropped. Where
    nobody is left the prediction is c(u, i), or the mean of all ratings where `center` is "none".

    Args:
        side: who the neighbours are.
        similarity: "cosine", "pearson", "msd" (1 / (1 + mean squared difference)) or "jaccard".
        over: "all" takes missing entries as 0; "corated" compares the ratings of shared entries only, as textbooks
            do, and needs `min_support` or `shrink` to keep pairs that share one entry from being the most alike.
        values: with over "all", what profiles hold: "one" for each positive interaction, or the "rating" of each.
            Also what ranking sums up.
        weighting: "tfidf" or "bm25" lets rare entries count for more, inside the similarity only.
        k: neighbours at most.
        shrink: pulls similarities that rest on little towards 0. With over "all", cosine and Jaccard get it added to
            their denominators; else similarities are multiplied by n / (n + shrink), for n shared entries.
        min_support: pairs with fewer shared entries are not alike at all.
        kept_by: whose k neighbours are kept for ranking: those of the "candidate" (side "user": the user to rank
            for; side "item": the item to score), or those of the "neighbor" (side "user": v counts for the k users
            most similar to v; side "item": item j of the user counts for the k items most similar to j).
        normalize: divide a ranking score by the sum of all similarities kept for the candidate.
        center: what ratings are compared with: "none", the "mean" of the user (side "item": of the item), or
            "baseline", regularised offsets of both.

    Source: Resnick and others, GroupLens, CSCW 1994; Sarwar and others, WWW 2001; Deshpande and Karypis, TOIS 2004;
        Koren, TKDD 2010. side "user", "msd" over "corated", k 40 is Surprise's KNNBasic (center "none"), KNNWithMeans
        ("mean") and KNNBaseline ("baseline").
    """

    _rated: Rated | None  # None until the first prediction is asked for

    def __init__(
        self,
        *,
        side: Side = "item",
        similarity: SimilarityName = "cosine",
        over: Over = "all",
        values: Values = "one",
        weighting: Weighting = "none",
        k: int = 100,
        shrink: float = 0.0,
        min_support: int = 1,
        kept_by: KeptBy = "candidate",
        normalize: bool = False,
        center: Center = "baseline",
    ) -> None:
        for name, value, allowed in (
            ("side", side, Side),
            ("similarity", similarity, SimilarityName),
            ("over", over, Over),
            ("values", values, Values),
            ("weighting", weighting, Weighting),
            ("kept_by", kept_by, KeptBy),
            ("center", center, Center),
        ):
            _one_of(name, value, get_args(allowed))
        _at_least("k", k, 1)
        _at_least("shrink", shrink, 0)
        _at_least("min_support", min_support, 1)
        if over == "corated" and (similarity == "jaccard" or weighting != "none"):
            raise ValueError('similarity "jaccard" and weighting need over = "all"')
        self._by_users = side == "user"
        self._measure = Measure(similarity=similarity, over=over, shrink=shrink, min_support=min_support)
        self._rates = values == "rating"
        self._weighting: Weighting = weighting
        self._k = k
        self._kept_by = kept_by
        self._normalize = normalize
        self._center: Center = center

    def fit(self, train: Dataset, *, seed: int) -> None:
        """Find and keep the k nearest."""
        self._history = self._summed(train)
        profiles = self._profiles(train, self._history)
        self._weights = Weights(profiles, self._weighting)
        self._similarity = Similarity(self._weights.apply(profiles), self._measure)
        self._popularity = np.bincount(self._history.indices, minlength=train.n_items).astype(np.float64)
        self._pull = self._pull_of(nearest(self._similarity, self._k))
        self._train = train
        self._rated = None
        self._names = names_of(train)

    def score(self, users: NDArray[np.int64]) -> NDArray[np.float64]:
        """Score the catalogue: (m,) -> (m, n_items), 0 or more."""
        left, right = (self._pull, self._history) if self._by_users else (self._history, self._pull)
        return self._or_popularity((left[users] @ right).toarray())

    def score_new(self, histories: Dataset) -> NDArray[np.float64]:
        """Score for users who were not there in `fit`; user-based, they keep the k users nearest to them."""
        summed = self._summed(histories)
        if not self._by_users:
            return self._or_popularity((summed @ self._pull).toarray())
        profiles = self._weights.apply(self._profiles(histories, summed))
        kept = nearest_of(self._similarity, profiles, self._k)
        return self._or_popularity((self._normalized(kept) @ self._history).toarray())

    def predict(self, users: NDArray[np.int64], items: NDArray[np.int64]) -> NDArray[np.float64]:
        """Predict ratings for pairs: (m,), (m,) -> (m,), not clipped."""
        rows, columns = (users, items) if self._by_users else (items, users)
        rated = self._rated = self._rated or self._ratings_of(self._train)
        deviation = mean_of_nearest(self._similarity, rated.deviations, rows, columns, self._k)
        level = rated.centers.of(rows, columns)
        unsaid = rated.centers.otherwise if self._center == "none" else level
        return np.where(np.isnan(deviation), unsaid, level + deviation)

    def explain(self, user: int, items: NDArray[np.int64]) -> Sequence[str]:
        """Name the neighbours, or the user's own items, that the score is the sum of."""
        left = self._pull[[user]] if self._by_users else self._history[[user]]
        right = (self._history if self._by_users else self._pull).tocsc()
        scores = self.score(np.array([user]))[0]
        if not (left @ right).nnz:
            return [f"{scores[item]:.0f} users have it; nothing is known that is like this user's" for item in items]
        names = self._names.users if self._by_users else self._names.items
        parts = (left.multiply(right[:, [item]].T).tocsr() for item in items.tolist())
        return [
            contributions(float(scores[item]), part.data, [names[index] for index in part.indices])
            for item, part in zip(items.tolist(), parts, strict=True)
        ]

    def _profiles(self, train: Dataset, summed: csr_matrix) -> csr_matrix:
        """The rows that are compared: users with items, or items with users."""
        if self._measure.over == "corated" or (self._rates and self._measure.similarity != "jaccard"):
            profiles = train.user_item("rating")
        else:
            profiles = csr_matrix((np.ones(summed.nnz), summed.indices, summed.indptr), shape=summed.shape)
        return profiles if self._by_users else profiles.T.tocsr()

    def _summed(self, train: Dataset) -> csr_matrix:
        """(n_users, n_items) what ranking sums up."""
        return train.user_item("rating" if self._rates else "one", positives_only=True)

    def _ratings_of(self, train: Dataset) -> Rated:
        """What predictions are made of; rankings go without."""
        ratings = train.user_item("rating")
        rated = ratings if self._by_users else ratings.T.tocsr()
        level = centers(rated, self._center, rows_are_users=self._by_users)
        return Rated(centers=level, deviations=_deviations(rated, level))

    def _pull_of(self, kept: csr_matrix) -> csr_matrix:
        """Turn kept neighbours (row: whose they are) into the matrix that scores are products with."""
        kept_by_rows_of_product = (self._kept_by == "candidate") == self._by_users
        pull = kept if kept_by_rows_of_product else kept.T.tocsr()
        return self._normalized(pull) if self._by_users else self._normalized(pull.T.tocsr()).T.tocsr()

    def _normalized(self, pull: csr_matrix) -> csr_matrix:
        """Divide each row by its sum, where that is asked for."""
        if not self._normalize:
            return pull
        sums = np.asarray(pull.sum(axis=1)).ravel()
        return csr_matrix(diags_array(1.0 / np.where(sums > 0.0, sums, 1.0)) @ pull)

    def _or_popularity(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        scores[~scores.any(axis=1)] = self._popularity
        return scores


def _deviations(rated: csr_matrix, level: Centers) -> csr_matrix:
    """(n_columns, n_rows) ratings minus their centres; 0 is kept where a rating is at its centre."""
    row = np.repeat(np.arange(rated.shape[0]), np.diff(rated.indptr))
    values = rated.data - level.of(row, rated.indices)
    return csr_matrix((values, rated.indices, rated.indptr), shape=rated.shape).T.tocsr()


def _one_of(name: str, value: object, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, allowed))}, not {value!r}")


def _at_least(name: str, value: float, least: float) -> None:
    if not value >= least:
        raise ValueError(f"{name} must be {least} or more, not {value!r}")

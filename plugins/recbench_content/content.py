"""The content-based classic: a profile of features, compared by cosine."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags_array

from recbench.api import Dataset, greatest, item_names, written_out
from recbench_content.features import Weights, features_of


class Content:
    """Recommends items whose features are like those of the items the user likes.

    Items are vectors x of tags, numbers and words of titles; m is what the average interaction is with, and
    y_i = (x_i - m) / |x_i - m|. A user's profile is p_u = sum over the user's items of w_ui y_i, with weights

    - w_ui = 1 + contrast * (r_ui - the user's mean rating) / (greatest - least rating)
    - score(u, i) = cosine(p_u, y_i) + popularity * log(1 + points of i) / log(1 + points of the item with most)

    Points of an item are the sum of its ratings, with the scale's ends at 0 and 1, or 1 for each user without ratings.
    The user's mean is pulled towards the mean of all by `DAMPING` ratings. An item of which nothing is known has
    cosine 0 with everybody. Users without a profile, and data without features, get items by popularity, whatever
    its weight.

    Args:
        popularity: weight of popularity; 0 is pure content, which ranks items that nobody has like any other.
        contrast: how far ratings tell items of the user apart; 0 takes all of them alike.
        tags: weight of each column of tags or categories.
        numbers: weight of each column of numbers.
        words: weight of each column of text.
        anchors: points between which numbers are shared out.

    Source: Pazzani and Billsus, Content-Based Recommendation Systems, The Adaptive Web, 2007.
    """

    DAMPING = 5.0

    def __init__(
        self,
        *,
        popularity: float = 5.0,
        contrast: float = 1.0,
        tags: float = 1.0,
        numbers: float = 1.0,
        words: float = 0.5,
        anchors: int = 20,
    ) -> None:
        for name, value in (
            ("popularity", popularity),
            ("contrast", contrast),
            ("tags", tags),
            ("numbers", numbers),
            ("words", words),
        ):
            if not value >= 0:
                raise ValueError(f"{name} must be 0 or more, not {value!r}")
        if anchors < 2:
            raise ValueError(f"anchors must be at least 2, not {anchors!r}")
        self._weight_of_popularity = popularity
        self._contrast = contrast
        self._weights = Weights(tags=tags, numbers=numbers, words=words)
        self._anchors = anchors

    def fit(self, train: Dataset, *, seed: int) -> None:
        """Find the features of all items, and keep what each user has."""
        features = features_of(train, self._weights, self._anchors)
        self._x, self._feature_names = features.matrix, features.names
        self._points = _points(train)
        taken = np.bincount(train.interactions.item, minlength=train.n_items)
        self._mean = np.asarray(self._x.T @ (taken / max(taken.sum(), 1)))
        self._scale = self._scales()
        most = float(self._points.max(initial=0.0))
        self._popularity = np.log1p(self._points) / (np.log1p(most) if most else 1.0)
        self._mean_rating = float(train.interactions.rating.mean(dtype=np.float64)) if len(train.interactions) else 0.0
        self._history = self._weighted(train)
        self._names = item_names(train)

    def score(self, users: NDArray[np.int64]) -> NDArray[np.float64]:
        """Score the catalogue, items that nobody has included: (m,) -> (m, n_items)."""
        return self._scored(self._history[users])

    def score_new(self, histories: Dataset) -> NDArray[np.float64]:
        """Score for users who were not there in `fit`, by what they have: -> (n_users, n_items)."""
        return self._scored(self._weighted(histories))

    def explain(self, user: int, items: NDArray[np.int64]) -> Sequence[str]:
        """Name the features that the score is the sum of, and popularity."""
        profile = self._profiles(self._history[[user]])[0]
        scores = self.score(np.array([user]))[0]
        if not profile.any():
            return [f"{scores[i]:.4f} from the {self._points[i]:.1f} points of {self._names[i]}" for i in items]
        return [self._reason(float(scores[item]), profile, item) for item in items.tolist()]

    def _scales(self) -> NDArray[np.float64]:
        """(n_items,) 1 / |x - m|, 0 for items without features."""
        squares = np.asarray(self._x.multiply(self._x).sum(axis=1)).ravel()
        apart = squares - 2.0 * (self._x @ self._mean) + self._mean @ self._mean
        known = (squares > 0) & (apart > 1e-12)
        return np.where(known, 1.0 / np.sqrt(np.where(known, apart, 1.0)), 0.0)

    def _weighted(self, users: Dataset) -> csr_matrix:
        """(n_users, n_items) w of each interaction."""
        rows = users.user_item("rating")
        if users.scale is None or users.scale[0] == users.scale[1]:
            rows.data = np.ones_like(rows.data)
            return rows
        lengths = np.diff(rows.indptr)
        owner = np.repeat(np.arange(len(lengths)), lengths)
        sums = np.bincount(owner, weights=rows.data, minlength=len(lengths))
        own = (sums + self.DAMPING * self._mean_rating) / (lengths + self.DAMPING)
        rows.data = 1.0 + self._contrast * (rows.data - own[owner]) / (users.scale[1] - users.scale[0])
        return rows

    def _profiles(self, history: csr_matrix) -> NDArray[np.float64]:
        """(m, n_features) profiles of length 1, or of zeros."""
        scaled = csr_matrix(history @ diags_array(self._scale))
        profiles = (scaled @ self._x).toarray()
        profiles -= np.asarray(scaled.sum(axis=1)) * self._mean
        lengths = np.linalg.norm(profiles, axis=1, keepdims=True)
        return np.where(lengths > 1e-12, profiles / np.maximum(lengths, 1e-12), 0.0)

    def _scored(self, history: csr_matrix) -> NDArray[np.float64]:
        profiles = self._profiles(history)
        cosines: NDArray[np.float64] = (self._x @ profiles.T).T - (profiles @ self._mean)[:, None]
        cosines *= self._scale
        scores = cosines + self._weight_of_popularity * self._popularity
        scores[~profiles.any(axis=1)] = self._popularity
        return scores

    def _reason(self, score: float, profile: NDArray[np.float64], item: int) -> str:
        x = self._x[[item]].toarray()[0]
        parts = profile * (x - self._mean) * self._scale[item]
        names = [name if has else f"no {name}" for name, has in zip(self._feature_names, x > 0, strict=True)]
        popular = self._weight_of_popularity * float(self._popularity[item])
        terms = greatest(parts, names, rest="features")
        if popular:
            terms.append((popular, f"popularity: {self._points[item]:.1f} points"))
        return written_out(score, terms)


def _points(train: Dataset) -> NDArray[np.float64]:
    """(n_items,) the sum of what users give each item, from 0 to 1."""
    rows = train.positives()
    if train.scale is None or train.scale[0] == train.scale[1]:
        return np.bincount(rows.item, minlength=train.n_items).astype(np.float64)
    least, greatest = train.scale
    given = np.clip((rows.rating.astype(np.float64) - least) / (greatest - least), 0.0, 1.0)
    return np.bincount(rows.item, weights=given, minlength=train.n_items).astype(np.float64)

"""All features of pairs of a user and an item, and those of the training rows, computed out of fold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recbench_ensembles.alike import Alike
from recbench_ensembles.factors import Product
from recbench_ensembles.levels import Levels, Recency
from recbench_ensembles.ratings import BoolArray, FloatArray, IntArray, Ratings
from recbench_ensembles.tables import Tables, Tastes


class Features:
    """Features of any pair, computed from some ratings.

    Args:
        ratings: what the statistics are of.
        tables: what is known of users and items beside.
        rng: where the factors start.
    """

    def __init__(self, ratings: Ratings, tables: Tables, rng: np.random.Generator) -> None:
        self._levels = Levels(ratings)
        residuals = self._levels.residuals
        self._groups = (
            self._levels,
            Tastes(ratings, residuals, tables),
            Product(ratings, residuals, rng),
            Alike(ratings, residuals),
            Recency(ratings),
            tables,
        )
        self.names = tuple(name for group in self._groups for name in group.names)

    def bias(self, users: IntArray, items: IntArray) -> FloatArray:
        """(m,) what the trees start from."""
        return self._levels.bias(users, items)

    def matrix(self, users: IntArray, items: IntArray) -> NDArray[np.float32]:
        """(m, features) float32, one row a pair, never NaN."""
        values = np.empty((len(users), len(self.names)), dtype=np.float32, order="F")
        columns = (column for group in self._groups for column in group.columns(users, items))
        for place, column in enumerate(columns):
            values[:, place] = column
        return np.ascontiguousarray(values)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Table:
    """What trees are trained on.

    Attributes:
        features: (n, f) float32, those of each row computed without it.
        bias: (n,) likewise.
        rating: (n,) what came of the pair.
    """

    features: NDArray[np.float32]
    bias: FloatArray
    rating: FloatArray

    @property
    def residuals(self) -> FloatArray:
        """(n,) what the trees learn."""
        return self.rating - self.bias


def out_of_fold(ratings: Ratings, tables: Tables, *, folds: int, rng: np.random.Generator) -> Table:
    """Features of the rows of `ratings`: each from the ratings of the folds that the row is not in.

    Statistics that have seen the rating they help to predict look far better in training than they are.

    Args:
        ratings: at least as many as `folds`.
        tables: what is known of users and items beside.
        folds: how many parts the ratings are cut into, by lot.
        rng: for the lots.
    """
    parts = []
    for held_out in fold_masks(len(ratings), folds, rng):
        features = Features(ratings.take(~held_out), tables, rng)
        pairs = ratings.user[held_out], ratings.item[held_out]
        parts.append((held_out, features.matrix(*pairs), features.bias(*pairs)))
    matrix = np.empty((len(ratings), parts[0][1].shape[1]), dtype=np.float32)
    bias = np.empty(len(ratings))
    for held_out, of_features, of_bias in parts:
        matrix[held_out], bias[held_out] = of_features, of_bias
    return Table(features=matrix, bias=bias, rating=ratings.rating)


def fold_masks(n_rows: int, folds: int, rng: np.random.Generator) -> Iterator[BoolArray]:
    """Yield (n_rows,) bool for each fold: the rows in it, all folds of about one size."""
    fold = rng.permutation(n_rows) % folds
    for each in range(min(folds, n_rows)):
        yield fold == each

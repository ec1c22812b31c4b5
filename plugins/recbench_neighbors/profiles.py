"""What similarities are computed on: profiles of users or items, their entries weighted by how telling they are."""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

Weighting: TypeAlias = Literal["none", "tfidf", "bm25"]

BM25_K1 = 1.2
BM25_B = 0.75


class Weights:
    """Weights for the entries of profiles, learned from the training profiles.

    An entry in a column that many rows have says little, and weighs little:

    - "tfidf": value * log(rows / (1 + rows with the column)), but at least 0.
    - "bm25": value * (K1 + 1) / (value + K1 * (1 - B + B * length / mean length)) * the same logarithm, where a row's
      length is the sum of its values; K1 = 1.2, B = .75.

    Source: Robertson and Zaragoza, The Probabilistic Relevance Framework, 2009; the form of the logarithm as in
        Ferrari Dacrema and others, TOIS 2021.
    """

    def __init__(self, profiles: csr_matrix, weighting: Weighting) -> None:
        n_rows, n_columns = profiles.shape
        frequency = np.bincount(profiles.indices, minlength=n_columns)
        self._weighting = weighting
        self._telling = np.maximum(np.log(max(n_rows, 1) / (1.0 + frequency)), 0.0)
        self._mean_length = float(profiles.sum()) / max(n_rows, 1)

    def apply(self, profiles: csr_matrix) -> csr_matrix:
        """Give the weighted profiles, the same entries in the same places."""
        if self._weighting == "none":
            return profiles
        values = profiles.data * self._telling[profiles.indices]
        if self._weighting == "bm25":
            values *= self._saturation(profiles)
        return csr_matrix((values, profiles.indices, profiles.indptr), shape=profiles.shape)

    def _saturation(self, profiles: csr_matrix) -> NDArray[np.float64]:
        length = np.asarray(profiles.sum(axis=1)).ravel() / self._mean_length if profiles.nnz else np.zeros(0)
        row_part = np.repeat(BM25_K1 * (1.0 - BM25_B + BM25_B * length), np.diff(profiles.indptr))
        return np.asarray((BM25_K1 + 1.0) / (profiles.data + row_part), dtype=np.float64)

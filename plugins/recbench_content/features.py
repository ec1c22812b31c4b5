"""The columns of the items as one sparse matrix: tags, numbers and words."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags_array, hstack

from recbench.api import Categories, Column, Dataset, Numbers, Tags, Texts

WORD = re.compile(r"\w\w+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """How much each kind of column counts; 0 leaves it out."""

    tags: float
    numbers: float
    words: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Features:
    """What items are.

    Attributes:
        matrix: (n_items, n_features) float64, each row of length 1, or 0 where nothing is known of the item.
        names: what each feature is called.
    """

    matrix: csr_matrix
    names: tuple[str, ...]


def features_of(train: Dataset, weights: Weights, anchors: int) -> Features:
    """Set the columns of the items side by side, by name."""
    parts: list[tuple[csr_matrix, tuple[str, ...]]] = [(csr_matrix((train.n_items, 0)), ())]
    for name, column in sorted(train.items.items()):
        weight = _weight(column, weights)
        if weight > 0:
            part = _part(name, column, anchors)
            parts.append((csr_matrix(weight * unit(part.matrix)), part.names))
    joined = csr_matrix(hstack([matrix for matrix, _ in parts], format="csr"))
    return Features(matrix=unit(joined), names=sum((names for _, names in parts), ()))


def unit(rows: csr_matrix) -> csr_matrix:
    """Scale each row to length 1; rows of zeros stay."""
    lengths = np.sqrt(np.asarray(rows.multiply(rows).sum(axis=1)).ravel())
    return csr_matrix(diags_array(1.0 / np.where(lengths > 0, lengths, 1.0)) @ rows)


def _weight(column: Column, weights: Weights) -> float:
    if isinstance(column, Numbers):
        return weights.numbers
    return weights.words if isinstance(column, Texts) else weights.tags


def _part(name: str, column: Column, anchors: int) -> Features:
    if isinstance(column, Tags):
        return _rare_first(name, column.matrix(), column.names)
    if isinstance(column, Categories):
        return _rare_first(name, _one_of(column), column.names)
    if isinstance(column, Texts):
        return _words(name, column.values.tolist())
    return _near(name, column.values, anchors)


def _rare_first(name: str, has: csr_matrix, values: tuple[str, ...]) -> Features:
    """Weigh by rarity: 1 + log(items / items with it)."""
    n_with = np.bincount(has.indices, minlength=has.shape[1])
    rarity = 1.0 + np.log(has.shape[0] / np.maximum(n_with, 1))
    return Features(matrix=csr_matrix(has @ diags_array(rarity)), names=tuple(f"{name} {value}" for value in values))


def _one_of(column: Categories) -> csr_matrix:
    known = np.flatnonzero(column.codes >= 0)
    shape = len(column.codes), len(column.names)
    return csr_matrix((np.ones(len(known)), (known, column.codes[known])), shape=shape)


def _words(name: str, texts: list[str]) -> Features:
    """TF-IDF of the words that two texts or more have; a word's count is damped: 1 + log(count)."""
    counts = [Counter(WORD.findall(text.lower())) for text in texts]
    n_with = Counter(word for count in counts for word in count)
    shared = sorted(word for word, n in n_with.items() if n > 1)
    place = {word: index for index, word in enumerate(shared)}
    cells = [
        (row, place[word], 1.0 + np.log(n))
        for row, count in enumerate(counts)
        for word, n in count.items()
        if word in place
    ]
    rows, columns, values = (list(side) for side in zip(*cells, strict=True)) if cells else ([], [], [])
    matrix = csr_matrix((values, (rows, columns)), shape=(len(texts), len(shared)), dtype=np.float64)
    return _rare_first(name, matrix, tuple(repr(word) for word in shared))


def _near(name: str, values: NDArray[np.float64], anchors: int) -> Features:
    """Share each number between the two anchors round it, so that near numbers are alike. Anchors are quantiles."""
    known = np.flatnonzero(np.isfinite(values))
    if not len(known):
        return Features(matrix=csr_matrix((len(values), 0)), names=())
    at = np.unique(np.quantile(values[known], np.linspace(0.0, 1.0, anchors)))
    exact = np.interp(values[known], at, np.arange(len(at)))
    lower = np.minimum(exact.astype(np.int64), max(len(at) - 2, 0))
    upper = np.minimum(lower + 1, len(at) - 1)
    share = exact - lower
    cells = np.concatenate([1.0 - share, share]), (np.tile(known, 2), np.concatenate([lower, upper]))
    matrix = csr_matrix(cells, shape=(len(values), len(at)))
    return Features(matrix=matrix, names=tuple(f"{name} near {anchor:g}" for anchor in at))

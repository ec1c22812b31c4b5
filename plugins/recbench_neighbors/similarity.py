"""How alike two rows of a sparse matrix are: cosine, Pearson, mean squared difference, Jaccard.

Rows are users with their items, or items with their users. Similarities are computed a block of rows at a time and
only for pairs of rows that share an entry, so neither time nor memory grows with the square of the rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from recbench_neighbors.loops import N_SUMS, Add, Loop, Parts, add_up, add_up_all, count, multiply, parts_of, summing

SimilarityName: TypeAlias = Literal["cosine", "pearson", "msd", "jaccard"]
Over: TypeAlias = Literal["all", "corated"]

BLOCK_PAIRS = 1 << 18
"""Pairs in a block: 2 MB an array, and a handful of such arrays live at once."""

MULTIPLIED_FROM = 500_000_000
ADDED_FROM = 100_000_000
"""Products of shared entries from which on a compiled loop pays: SciPy takes two seconds for them, and goes over them
several times where only shared entries count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """What makes two rows alike.

    Attributes:
        similarity: see `FORMULAS`.
        over: "all": missing entries count as 0; "corated": only entries that both rows have count.
        shrink: pulls similarities that rest on little towards 0. Cosine and Jaccard over "all" get it added to the
            denominator (Ferrari Dacrema and others); all others are multiplied by n / (n + shrink), for n shared
            entries (Koren).
        min_support: pairs with fewer shared entries are not alike at all.
    """

    similarity: SimilarityName
    over: Over
    shrink: float
    min_support: int

    @property
    def shrinks_in_denominator(self) -> bool:
        """Whether `shrink` stands in the formula's denominator."""
        return self.over == "all" and self.similarity in ("cosine", "jaccard")

    @property
    def counts_shared(self) -> bool:
        """Whether it must be known which entries are shared, beside the sum of their products.

        A cosine or Jaccard similarity over "all" is 0 where that sum is 0, whether there are shared entries or not.
        """
        return not self.shrinks_in_denominator or self.min_support > 1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sums:
    """Sums over the entries that count, for pairs of rows x and y: arrays of one length, or numbers.

    `extra` is added to the denominators of cosine and Jaccard.
    """

    length: NDArray[np.float64] | float
    xy: NDArray[np.float64]
    xx: NDArray[np.float64]
    yy: NDArray[np.float64]
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    extra: float = 0.0


def cosine(sums: Sums) -> NDArray[np.float64]:
    """sum xy / (sqrt(sum xx * sum yy) + extra)."""
    return _ratio(sums.xy, np.sqrt(sums.xx * sums.yy) + sums.extra)


def pearson(sums: Sums) -> NDArray[np.float64]:
    """The correlation coefficient; 0 where a row does not vary over the entries that count."""
    xx, yy = sums.length * sums.xx, sums.length * sums.yy
    varying_x, varying_y = xx - sums.x**2, yy - sums.y**2
    # What is left of a constant row is rounding, which must not be blown up to a correlation.
    varies = (varying_x > 1e-9 * xx) & (varying_y > 1e-9 * yy)
    covarying = sums.length * sums.xy - sums.x * sums.y
    return _ratio(np.where(varies, covarying, 0.0), np.sqrt(np.maximum(varying_x, 0.0) * np.maximum(varying_y, 0.0)))


def msd(sums: Sums) -> NDArray[np.float64]:
    """1 / (1 + the mean of (x - y)^2)."""
    return 1.0 / (1.0 + np.maximum(sums.xx + sums.yy - 2.0 * sums.xy, 0.0) / sums.length)


def jaccard(sums: Sums) -> NDArray[np.float64]:
    """sum xy / (sum xx + sum yy - sum xy + extra), on rows of ones: shared entries / entries of either (Tanimoto)."""
    return _ratio(sums.xy, sums.xx + sums.yy - sums.xy + sums.extra)


FORMULAS: dict[SimilarityName, Callable[[Sums], NDArray[np.float64]]] = {
    "cosine": cosine,
    "pearson": pearson,
    "msd": msd,
    "jaccard": jaccard,
}


class Similarity:
    """Similarities of any rows to the rows of one matrix.

    Args:
        rows: (n, width) CSR. A stored 0 is an entry.
        measure: what makes two rows alike.
    """

    def __init__(self, rows: csr_matrix, measure: Measure) -> None:
        self.rows = rows
        self._measure = measure
        self._values = rows.T.tocsr()  # (width, n)
        self._is_binary = _is_binary(rows)
        self._lengths = np.diff(self._values.indptr)
        self._squares, self._totals = _row_sums(rows)
        self._rooms: dict[Add, NDArray[Any]] = {}

    def blocks(self, rows: csr_matrix) -> Iterator[tuple[int, csr_matrix]]:
        """Yield (first, similarities), block by block: the latter is (b, n) CSR, for `rows[first : first + b]`.

        Only positive similarities are stored; those of a row to itself are stored too.
        """
        pairs = np.minimum(self._work(rows), self.rows.shape[0])  # at most
        for first, last in _bounds(pairs, BLOCK_PAIRS):
            yield first, self._block(rows[first:last])

    @cached_property
    def _is_long(self) -> bool:
        """Whether a loop pays, which looks at all n for each row."""
        least = ADDED_FROM if self._measure.over == "corated" else MULTIPLIED_FROM
        return int(self._work(self.rows).sum()) >= max(least, self.rows.shape[0] ** 2)

    def _loop(self, add: Add) -> Loop | None:
        """The loop to take; None where SciPy's products do it."""
        return summing(add, self._room(add).dtype.name) if self._is_long else None

    def _room(self, add: Add) -> NDArray[Any]:
        """(n, n_sums) zeros, which loops leave as they found them: not made anew for each block."""
        if add not in self._rooms:
            numbers = np.int32 if add is count else np.float64  # half as much to go over
            self._rooms[add] = np.zeros((self.rows.shape[0], N_SUMS[add]), dtype=numbers)
        return self._rooms[add]

    @cached_property
    def _own_parts(self) -> Parts:
        """Who has each entry, for loops: as long as the entries, so not made anew for each block."""
        return parts_of(self._values)

    @cached_property
    def _counting(self) -> csr_matrix:
        return _counting(self._values)

    @cached_property
    def _ones(self) -> csr_matrix:
        return _ones(self._values)

    @cached_property
    def _values_squared(self) -> csr_matrix:
        return self._values.power(2)

    def _work(self, rows: csr_matrix) -> NDArray[np.int64]:
        """(n_rows,) products of entries for each row."""
        per_entry = np.concatenate([[0], np.cumsum(self._lengths[rows.indices], dtype=np.int64)])
        return np.diff(per_entry[rows.indptr])

    def _block(self, left: csr_matrix) -> csr_matrix:
        measure = self._measure
        formula = FORMULAS[measure.similarity]
        if not measure.counts_shared:
            products = self._products(left)
            return _positive(formula(self._all(left, products, products.data)), products)
        if measure.over == "corated":
            shared, sums = self._corated(left)
            alike = formula(sums)
        else:
            shared = self._shared(left)
            alike = formula(self._all(left, shared, _aligned(self._products(left), shared)))
        if measure.shrink and not measure.shrinks_in_denominator:
            alike *= shared.data / (shared.data + measure.shrink)
        alike[shared.data < measure.min_support] = 0.0
        return _positive(alike, shared)

    def _products(self, left: csr_matrix) -> csr_matrix:
        """(b, n) sums of products of entries."""
        if self._is_binary and _is_binary(left):
            return self._shared(left)
        loop = self._loop(multiply)
        return csr_matrix(left @ self._values) if loop is None else self._summed(loop, multiply, left)[0]

    def _shared(self, left: csr_matrix) -> csr_matrix:
        """(b, n) how many entries both have. Integers are counted faster than floats are added up."""
        loop = self._loop(count)
        if loop is not None:
            return self._summed(loop, count, left)[0]
        counts = _counting(left) @ self._counting
        return csr_matrix((counts.data.astype(np.float64), counts.indices, counts.indptr), shape=counts.shape)

    def _all(self, left: csr_matrix, pairs: csr_matrix, xy: NDArray[np.float64]) -> Sums:
        squares, totals = _row_sums(left)
        lengths = np.diff(pairs.indptr)
        correlates = self._measure.similarity == "pearson"
        return Sums(
            length=float(left.shape[1]),
            xy=xy,
            xx=np.repeat(squares, lengths),
            yy=self._squares[pairs.indices],
            x=np.repeat(totals, lengths) if correlates else xy,
            y=self._totals[pairs.indices] if correlates else xy,
            extra=self._measure.shrink if self._measure.shrinks_in_denominator else 0.0,
        )

    def _corated(self, left: csr_matrix) -> tuple[csr_matrix, Sums]:
        """(b, n) how many entries both have, and the sums over them."""
        correlates = self._measure.similarity == "pearson"
        add = add_up_all if correlates else add_up
        loop = self._loop(add)
        if loop is not None:
            shared, sums = self._summed(loop, add, left)
            length, xy, xx, yy = sums[:4]
            x, y = sums[4:] if correlates else (length, length)
            return shared, Sums(length=length, xy=xy, xx=xx, yy=yy, x=x, y=y)
        shared = self._shared(left)
        ones = _ones(left)
        return shared, Sums(
            length=shared.data,
            xy=_aligned(left @ self._values, shared),
            xx=_aligned(left.power(2) @ self._ones, shared),
            yy=_aligned(ones @ self._values_squared, shared),
            x=_aligned(left @ self._ones, shared) if correlates else shared.data,
            y=_aligned(ones @ self._values, shared) if correlates else shared.data,
        )

    def _summed(self, loop: Loop, add: Add, left: csr_matrix) -> tuple[csr_matrix, NDArray[np.float64]]:
        """What a loop finds: (b, n) the first of its sums over what pairs of rows share, and all, (n_sums, pairs)."""
        n = self.rows.shape[0]
        at_most = int(np.minimum(self._work(left), n).sum())
        ends = np.empty(left.shape[0] + 1, dtype=np.int64)
        found, sums = np.empty(at_most, dtype=np.int32), np.empty((N_SUMS[add], at_most))
        loop(*parts_of(left), *self._own_parts, self._room(add), ends, found, sums)
        sums = sums[:, : ends[-1]]
        return csr_matrix((sums[0], found[: ends[-1]], ends), shape=(left.shape[0], n)), sums


def _ones(matrix: csr_matrix) -> csr_matrix:
    """The same entries, all 1."""
    return csr_matrix((np.ones(matrix.nnz), matrix.indices, matrix.indptr), shape=matrix.shape)


def _counting(matrix: csr_matrix) -> csr_matrix:
    """The same entries, all 1, as int32."""
    return csr_matrix((np.ones(matrix.nnz, dtype=np.int32), matrix.indices, matrix.indptr), shape=matrix.shape)


def _is_binary(matrix: csr_matrix) -> bool:
    return bool((matrix.data == 1.0).all())


def _positive(values: NDArray[np.float64], pairs: csr_matrix) -> csr_matrix:
    """`values` in the places of `pairs`, those above 0 only."""
    found = csr_matrix((np.maximum(values, 0.0), pairs.indices, pairs.indptr), shape=pairs.shape)
    found.eliminate_zeros()
    return found


def _row_sums(matrix: csr_matrix) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(n_rows,) sum of squares and (n_rows,) sum of each row."""
    squares = np.asarray(matrix.power(2).sum(axis=1), dtype=np.float64).ravel()
    return squares, np.asarray(matrix.sum(axis=1), dtype=np.float64).ravel()


def _ratio(top: NDArray[np.float64], bottom: NDArray[np.float64]) -> NDArray[np.float64]:
    """top / bottom, at most 1 in spite of rounding; 0 where bottom is 0."""
    ratio = np.zeros(top.shape)
    np.divide(top, bottom, out=ratio, where=bottom > 0.0)
    return np.minimum(ratio, 1.0, out=ratio)


def _aligned(product: csr_matrix, shared: csr_matrix) -> NDArray[np.float64]:
    """The values of `product` in the places of `shared`. A product leaves out sums that come to 0."""
    if product.nnz == shared.nnz:  # then both were filled in the same order
        return np.asarray(product.data, dtype=np.float64)
    values = np.empty(shared.nnz)
    buffer = np.zeros(shared.shape[1])
    for row in range(shared.shape[0]):
        found = slice(product.indptr[row], product.indptr[row + 1])
        wanted = slice(shared.indptr[row], shared.indptr[row + 1])
        buffer[product.indices[found]] = product.data[found]
        values[wanted] = buffer[shared.indices[wanted]]
        buffer[product.indices[found]] = 0.0
    return values


def _bounds(work: NDArray[np.integer], most: int) -> Iterator[tuple[int, int]]:
    """Cut rows into runs of at most `most` work each; a row that has more is a run of its own."""
    total = np.cumsum(work, dtype=np.int64)
    first = 0
    while first < len(work):
        done = total[first - 1] if first else 0
        last = max(first + 1, int(np.searchsorted(total, done + most, side="right")))
        yield first, last
        first = last

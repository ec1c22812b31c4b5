"""Loops over single entries, as machine code where Numba is installed and the work is long enough to repay it.

What they find NumPy and SciPy find, too, in several passes: the same sums in the same order, and means that differ in
their last digits at most. A row's sums are made in one array over all others, which stays in the processor's cache;
SciPy's product of sparse matrices goes over all entries twice, and keeps a list of what is not 0 on the way.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import ParamSpec

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

P = ParamSpec("P")
Floats = NDArray[np.float64]

_CSR = "int64[::1], int32[::1], float64[::1]"
_FOUND = "int64[::1], int32[::1], float64[:, ::1]"
COUNT = f"void(int64[::1], int32[::1], int64[::1], int32[::1], int32[::1], {_FOUND})"
MULTIPLY = f"void({_CSR}, {_CSR}, float64[::1], {_FOUND})"
ADD_UP = f"void({_CSR}, {_CSR}, float64[:, ::1], {_FOUND})"
AVERAGE = f"void(float64[:, ::1], {_CSR}, int64[::1], int64[::1], float64[::1], float64[::1], float64[::1])"


@cache
def compiled(loop: Callable[P, None], signature: str) -> Callable[P, None] | None:
    """The same function as machine code, which takes half a second once a process; None where there is no Numba."""
    try:
        from numba import njit
    except ImportError:
        return None
    code: Callable[P, None] = njit(signature)(loop)
    return code


def parts_of(matrix: csr_matrix) -> tuple[NDArray[np.int64], NDArray[np.int32], Floats]:
    """Starts, columns and values of a CSR, of one type whatever its size."""
    return matrix.indptr.astype(np.int64), matrix.indices.astype(np.int32, copy=False), matrix.data


def count(
    starts: NDArray[np.int64],
    entries: NDArray[np.int32],
    other_starts: NDArray[np.int64],
    others: NDArray[np.int32],
    work: NDArray[np.int32],
    ends: NDArray[np.int64],
    found: NDArray[np.int32],
    sums: Floats,
) -> None:
    """Count, for each row and all others, the entries that both have. As `add_up`, without values, and one sum."""
    place = 0
    ends[0] = 0
    for row in range(len(starts) - 1):
        for at in range(starts[row], starts[row + 1]):
            for there in range(other_starts[entries[at]], other_starts[entries[at] + 1]):
                work[others[there]] += 1
        for other in range(len(work)):
            if work[other] > 0:
                found[place] = other
                sums[0, place] = work[other]
                work[other] = 0
                place += 1
        ends[row + 1] = place


def multiply(
    starts: NDArray[np.int64],
    entries: NDArray[np.int32],
    x: Floats,
    other_starts: NDArray[np.int64],
    others: NDArray[np.int32],
    y: Floats,
    work: Floats,
    ends: NDArray[np.int64],
    found: NDArray[np.int32],
    sums: Floats,
) -> None:
    """Add up xy alone; pairs whose sum is 0 are left out. Arguments as for `add_up`; one sum."""
    place = 0
    ends[0] = 0
    for row in range(len(starts) - 1):
        for at in range(starts[row], starts[row + 1]):
            value = x[at]
            for there in range(other_starts[entries[at]], other_starts[entries[at] + 1]):
                work[others[there]] += value * y[there]
        for other in range(len(work)):
            if work[other] != 0.0:
                found[place] = other
                sums[0, place] = work[other]
                work[other] = 0.0
                place += 1
        ends[row + 1] = place


def add_up(
    starts: NDArray[np.int64],
    entries: NDArray[np.int32],
    x: Floats,
    other_starts: NDArray[np.int64],
    others: NDArray[np.int32],
    y: Floats,
    work: Floats,
    ends: NDArray[np.int64],
    found: NDArray[np.int32],
    sums: Floats,
) -> None:
    """Add up, for each row and all others that it shares entries with, over those entries: 1, xy, xx, yy, x, y.

    Args:
        starts, entries, x: CSR of the rows.
        other_starts, others, y: CSR with a row for each entry: who has it, and with what value.
        work: (n_others, 6) zeros, and zeros again at the end.
        ends: (n_rows + 1,) out: where each row's pairs begin and end.
        found: (at least all pairs,) out: the other of each pair, ascending in a row.
        sums: (6, as many) out.
    """
    place = 0
    ends[0] = 0
    for row in range(len(starts) - 1):
        for at in range(starts[row], starts[row + 1]):
            value = x[at]
            for there in range(other_starts[entries[at]], other_starts[entries[at] + 1]):
                its = y[there]
                pair = work[others[there]]
                pair[0] += 1.0
                pair[1] += value * its
                pair[2] += value * value
                pair[3] += its * its
                pair[4] += value
                pair[5] += its
        for other in range(len(work)):
            if work[other, 0] > 0.0:
                found[place] = other
                for which in range(6):
                    sums[which, place] = work[other, which]
                    work[other, which] = 0.0
                place += 1
        ends[row + 1] = place


def average(
    alike: Floats,
    starts: NDArray[np.int64],
    raters: NDArray[np.int32],
    values: Floats,
    place: NDArray[np.int64],
    columns: NDArray[np.int64],
    nearest: Floats,
    weights: Floats,
    means: Floats,
) -> None:
    """Average each pair's column over the raters nearest to its row, as `prediction.mean_of_nearest` says.

    Args:
        alike: (b, n) similarities of the rows that are asked about to all.
        starts, raters, values: CSR with a row for each column.
        place: (p,) row of `alike` for each pair.
        columns: (p,) column of each pair.
        nearest: (k,) to work with: a heap of the largest weights so far, the least of them first.
        weights: (at least the raters of any column,) to work with.
        means: (p,) out; what has no neighbour is left as it is.
    """
    k = len(nearest)
    for pair in range(len(place)):
        row = alike[place[pair]]
        first = starts[columns[pair]]
        n = starts[columns[pair] + 1] - first
        nearest[:] = 0.0
        for at in range(n):
            weight = weights[at] = row[raters[first + at]]
            if weight > nearest[0]:
                hole, below = 0, 1
                while below < k:
                    if below + 1 < k and nearest[below + 1] < nearest[below]:
                        below += 1
                    if nearest[below] >= weight:
                        break
                    nearest[hole] = nearest[below]
                    hole, below = below, 2 * below + 1
                nearest[hole] = weight
        least = nearest[0]  # 0: there are fewer than k
        above, equal = 0, 0
        total, of_values, of_equal = 0.0, 0.0, 0.0
        for at in range(n):
            weight = weights[at]
            if weight > least:
                above += 1
                total += weight
                of_values += weight * values[first + at]
            elif weight == least:
                equal += 1
                of_equal += values[first + at]
        if least > 0.0:
            total += (k - above) * least
            of_values += (k - above) * least * of_equal / equal
        if total > 0.0:
            means[pair] = of_values / total

"""Loops over single entries, as machine code where Numba is installed and the work is long enough to repay it.

What they find NumPy and SciPy find, too, in several passes: the same sums in the same order, and means that differ in
their last digits at most. A row's sums are made in one array over all others, which stays in the processor's cache;
SciPy's product of sparse matrices goes over all entries twice, and keeps a list of what is not 0 on the way.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

Floats = NDArray[np.float64]
Parts: TypeAlias = tuple[NDArray[np.int64], NDArray[np.uint32], Floats]
Loop: TypeAlias = Callable[..., None]
Add: TypeAlias = Callable[[NDArray[Any], float, float], None]

_CSR = "int64[::1], uint32[::1], float64[::1]"
SUMS = f"void({_CSR}, {_CSR}, {{}}[:, ::1], int64[::1], int32[::1], float64[:, ::1])"
AVERAGE = (
    f"void(float64[:, ::1], {_CSR}, int64[::1], int64[::1], "
    "float64[::1], int64[::1], float64[::1], float64[::1], float64[::1])"
)


@cache
def averaging() -> Loop | None:
    """`average` as machine code, which takes half a second once a process; None where there is no Numba."""
    njit = _njit()
    return None if njit is None else njit(AVERAGE)(average)


@cache
def summing(add: Add, numbers: str) -> Loop | None:
    """`over_shared(add)` as machine code, for `work` of float64 or int32; None where there is no Numba."""
    njit = _njit()
    return None if njit is None else njit(SUMS.format(numbers))(over_shared(njit(add)))


def _njit() -> Callable[..., Any] | None:
    try:
        from numba import njit
    except ImportError:
        return None
    compiler: Callable[..., Any] = njit
    return compiler


def parts_of(matrix: csr_matrix) -> Parts:
    """Starts, columns and values of a CSR, of one type whatever its size.

    Columns have no sign: a loop would ask of each whether it counts from the end.
    """
    columns = matrix.indices.astype(np.int32, copy=False).view(np.uint32)
    return matrix.indptr.astype(np.int64), columns, matrix.data


def count(pair: NDArray[Any], _x: float, _y: float) -> None:
    """Add up 1: how many entries are shared."""
    pair[0] += 1


def multiply(pair: NDArray[Any], x: float, y: float) -> None:
    """Add up xy."""
    pair[0] += x * y


def add_up(pair: NDArray[Any], x: float, y: float) -> None:
    """Add up 1, xy, xx, yy."""
    pair[0] += 1.0
    pair[1] += x * y
    pair[2] += x * x
    pair[3] += y * y


def add_up_all(pair: NDArray[Any], x: float, y: float) -> None:
    """Add up 1, xy, xx, yy, x, y."""
    pair[0] += 1.0
    pair[1] += x * y
    pair[2] += x * x
    pair[3] += y * y
    pair[4] += x
    pair[5] += y


N_SUMS: dict[Add, int] = {count: 1, multiply: 1, add_up: 4, add_up_all: 6}


def over_shared(add: Add) -> Loop:
    """The loop that adds up, for each row and all others that it shares entries with, over those entries.

    Its arguments:
        starts, entries, x: CSR of the rows.
        other_starts, others, y: CSR with a row for each entry: who has it, and with what value.
        work: (n_others, n_sums) zeros, and zeros again at the end.
        ends: (n_rows + 1,) out: where each row's pairs begin and end.
        found: (at least all pairs,) int32 out: the other of each pair, ascending in a row; pairs whose first sum is 0
            are left out.
        sums: (n_sums, as many) out.
    """

    def loop(
        starts: NDArray[np.int64],
        entries: NDArray[np.uint32],
        x: Floats,
        other_starts: NDArray[np.int64],
        others: NDArray[np.uint32],
        y: Floats,
        work: NDArray[Any],
        ends: NDArray[np.int64],
        found: NDArray[np.int32],
        sums: Floats,
    ) -> None:
        place = 0
        ends[0] = 0
        for row in range(len(starts) - 1):
            for at in range(starts[row], starts[row + 1]):
                value = x[at]
                for there in range(other_starts[entries[at]], other_starts[entries[at] + 1]):
                    add(work[others[there]], value, y[there])
            for other in range(len(work)):
                if work[other, 0] != 0:
                    found[place] = other
                    for which in range(len(sums)):
                        sums[which, place] = work[other, which]
                        work[other, which] = 0
                    place += 1
            ends[row + 1] = place

    return loop


def average(
    alike: Floats,
    starts: NDArray[np.int64],
    raters: NDArray[np.uint32],
    values: Floats,
    place: NDArray[np.int64],
    columns: NDArray[np.int64],
    scales: Floats,
    buckets: NDArray[np.int64],
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
        scales: (b,) what takes a row's weights, 0 or more, to numbers of buckets, the largest to that of the last.
        buckets: (n_buckets,) to work with: how many weights are in each. All above the bucket of the k-th largest are
            among the k, and of that bucket alone is it asked which.
        nearest: (k,) to work with: a heap of the largest weights of that bucket so far, the least of them first.
        weights: (at least the raters of any column,) to work with.
        means: (p,) out; what has no neighbour is left as it is.
    """
    k = len(nearest)
    for pair in range(len(place)):
        row, scale = alike[place[pair]], scales[place[pair]]
        first = starts[columns[pair]]
        n = starts[columns[pair] + 1] - first
        buckets[:] = 0
        for at in range(n):
            weight = weights[at] = row[raters[first + at]]
            buckets[int(weight * scale)] += 1
        last, room = len(buckets) - 1, k
        while last > 0 and buckets[last] < room:
            room -= buckets[last]
            last -= 1
        nearest[:room] = 0.0
        for at in range(n):
            weight = weights[at]
            if weight > nearest[0] and int(weight * scale) == last:
                hole, below = 0, 1
                while below < room:
                    if below + 1 < room and nearest[below + 1] < nearest[below]:
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

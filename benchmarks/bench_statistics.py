"""How fast all pairs of algorithms are tested and given intervals, against SciPy's functions called one by one.

Makes values as users have them (most are zero), then measures both ways in the same process. SciPy is timed on a few
pairs and rows, with as many permutations and resamples, and reckoned up to all of them; its tests are not corrected:

    python benchmarks/bench_statistics.py [--users 10000] [--algorithms 20] [--sample 2]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from functools import partial
from typing import TypeVar

import numpy as np
from scipy import stats

from recbench.data import FloatArray
from recbench.statistics import Bootstrap, effects, letters, rank_ranges, sign_flip, symmetric, t_test, wilcoxon

PERMUTATIONS, RESAMPLES = 10_000, 5_000
T = TypeVar("T")


def make(n_users: int, n_algorithms: int) -> FloatArray:
    """Users differ in how hard they are, and algorithms a little in how good."""
    generator = np.random.default_rng(0)
    hard = generator.random(n_users) < 0.6
    values = generator.beta(1.0, 2.0, (n_algorithms, n_users)) + np.linspace(0, 0.05, n_algorithms)[:, None]
    return np.where(hard, 0.0, np.minimum(values, 1.0))


def ours(values: FloatArray) -> int:
    """Intervals of all rows and of all pairs, tests corrected over all pairs, effects, letters and ranks."""
    drawn = Bootstrap(values, resamples=RESAMPLES)
    pairs = sign_flip(values, permutations=PERMUTATIONS)
    found = [drawn.interval(row) for row in range(len(values))]
    found += [drawn.difference(int(i), int(j)) for i, j in zip(pairs.first, pairs.second, strict=True)]
    effects(values)
    matrix, means = symmetric(pairs), values.mean(axis=1)
    letters(matrix, means)
    rank_ranges(matrix, means)
    return len(found)


def theirs(values: FloatArray, n_sampled: int) -> float:
    """Seconds that one call for each row and pair would take, from a few of them."""
    n = len(values)
    n_pairs = n * (n - 1) // 2
    of_interval, of_test = [], []
    for at in range(n_sampled):
        differences = values[2 * at] - values[2 * at + 1]
        of_interval.append(seconds(partial(interval, differences))[0])
        of_test.append(seconds(partial(permutation, differences))[0])
    return float(np.mean(of_interval)) * (n + n_pairs) + float(np.mean(of_test)) * n_pairs


def interval(values: FloatArray) -> object:
    """SciPy's BCa interval of a mean, in batches that fit into memory."""
    return stats.bootstrap((values,), np.mean, n_resamples=RESAMPLES, method="BCa", batch=100)


def permutation(differences: FloatArray) -> object:
    """SciPy's sign-flip test of one pair."""
    return stats.permutation_test(
        (differences,), np.mean, permutation_type="samples", n_resamples=PERMUTATIONS, vectorized=True, batch=100
    )


def seconds(call: Callable[[], T]) -> tuple[float, T]:
    """How long a call takes, and what it gives."""
    start = time.perf_counter()
    given = call()
    return time.perf_counter() - start, given


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--users", type=int, default=10_000)
    parser.add_argument("--algorithms", type=int, default=20)
    parser.add_argument("--sample", type=int, default=2, help="pairs on which SciPy is timed")
    given = parser.parse_args()
    values = make(given.users, given.algorithms)
    taken, n_intervals = seconds(partial(ours, values))
    reckoned = theirs(values, given.sample)
    print(f"{given.users:,} users, {given.algorithms} algorithms, {n_intervals} intervals")
    print(f"recbench, permutation, all pairs:  {taken:8.1f} s")
    print(f"recbench, Wilcoxon and Holm:       {seconds(partial(wilcoxon, values))[0]:8.1f} s")
    print(f"recbench, Student's t and Holm:    {seconds(partial(t_test, values))[0]:8.1f} s")
    print(f"SciPy one by one, reckoned up:     {reckoned:8.1f} s, {reckoned / taken:.0f} times as long")


if __name__ == "__main__":
    main()

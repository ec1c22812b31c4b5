"""Random numbers that stay the same over machines and versions of NumPy: raw words of PCG64, and whole numbers of them.

Nothing here or in what is made of it takes a logarithm, a power or a sum of floating-point numbers in an order of
NumPy's own choice: those differ in the last bit between machines.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from recbench.data import Int64Array

Words: TypeAlias = NDArray[np.uint64]
Purpose: TypeAlias = Literal["users", "items", "times", "interactions", "ratings"]

_PURPOSES: tuple[Purpose, ...] = ("users", "items", "times", "interactions", "ratings")


class Draws:
    """The random words of one purpose, one after the other.

    Args:
        seed: the data set's.
        purpose: what they are for.
        block: which block of users they are for.
    """

    def __init__(self, seed: int, purpose: Purpose, block: int = 0) -> None:
        key = (_PURPOSES.index(purpose), block)
        self._bits = np.random.PCG64(np.random.SeedSequence(seed, spawn_key=key))

    def words(self, n: int) -> Words:
        """n words of 64 bits."""
        return self._bits.random_raw(n)

    def below(self, bound: int | Int64Array, n: int) -> Int64Array:
        """n whole numbers from 0 to below `bound`, which is at most 2**53."""
        return below(self.words(n), bound)

    def order(self, n: int) -> Int64Array:
        """An order of n things."""
        return np.argsort(self.words(n), kind="stable")

    def bell(self, n: int) -> Int64Array:
        """n whole numbers around 0, between -510 and 510, with a standard deviation of 148: sums of four bytes."""
        words = self.words(n)
        parts = ((words >> np.uint64(shift)) & np.uint64(255) for shift in (0, 8, 16, 24))
        return sum(part.astype(np.int64) for part in parts) - np.full(n, 510)


def below(words: Words, bound: int | Int64Array) -> Int64Array:
    """Words as whole numbers from 0 to below `bound`."""
    return (words >> np.uint64(1)).astype(np.int64) % bound

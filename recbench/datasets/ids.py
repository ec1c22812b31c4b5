"""Ids of users and items: from cells to numbers, without an object for each row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recbench.data import BoolArray, Int32Array, RowArray, StrArray
from recbench.datasets.cells import Span

LONGEST = 255
"""Bytes of an id. Tables of ids are as wide as the longest of them, so one endless id would fill the memory."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ids:
    """Ids with the rows that have them.

    Attributes:
        texts: (k,) UTF-8 bytes, none twice.
        codes: (n,) int32 into `texts`.
    """

    texts: NDArray[np.bytes_]
    codes: Int32Array


def factorize(texts: NDArray[np.uint8]) -> Ids:
    """Number texts by their order as bytes, which for UTF-8 is the order of code points.

    Args:
        texts: (n, width) bytes, filled up with zeros.
    """
    n, width = texts.shape
    padded = np.zeros((n, -(-width // 8) * 8), dtype=np.uint8)
    padded[:, :width] = texts
    words = padded.view(">u8").astype(np.uint64)
    codes, firsts = _number(words[:, 0])
    for column in range(1, words.shape[1]):
        following, _ = _number(words[:, column])
        codes, firsts = _number(codes.astype(np.uint64) * np.uint64(int(following.max(initial=0)) + 1) + following)
    found = np.ascontiguousarray(padded[firsts]).view(f"S{padded.shape[1]}").ravel()
    return Ids(texts=found, codes=codes.astype(np.int32))


def _number(values: NDArray[np.uint64]) -> tuple[NDArray[np.uint64], RowArray]:
    """Number values by size: the number of each, and one place of each number."""
    least = values.min(initial=np.iinfo(np.uint64).max)
    spread = int(values.max(initial=0)) - int(least) if len(values) else 0
    if spread < 4 * len(values) + (1 << 16):  # a table of all that lies between is faster than sorting
        return _number_by_table((values - least).astype(np.int64), spread + 1)
    _, firsts, codes = np.unique(values, return_index=True, return_inverse=True)
    return codes.reshape(-1).astype(np.uint64), firsts


def _number_by_table(values: RowArray, size: int) -> tuple[NDArray[np.uint64], RowArray]:
    place = np.full(size, -1, dtype=np.int64)
    place[values] = np.arange(len(values))
    present = place >= 0
    codes = (np.cumsum(present) - 1)[values].astype(np.uint64)
    return codes, place[present]


def ids_of(cells: Span) -> Ids:
    """The ids in a column, none of which may be longer than `LONGEST`."""
    numbers = small_numbers(cells)
    return factorize(cells.matrix()) if numbers is None else number_ids(numbers)


def number_ids(numbers: NDArray[np.uint64]) -> Ids:
    """Ids that are whole numbers: their digits."""
    codes, firsts = _number(numbers)
    return Ids(texts=numbers[firsts].astype("S20"), codes=codes.astype(np.int32))


def small_numbers(cells: Span) -> NDArray[np.uint64] | None:
    """Whole numbers without a sign or needless zeros, of up to 8 digits; None where something else is among them."""
    length = cells.length
    if not len(length) or length.max() > 8 or length.min() < 1:
        return None
    last = len(cells.buffer) - 1
    values = np.zeros(len(length), dtype=np.uint64)
    for column in range(int(length.max())):
        digit = cells.buffer[np.minimum(cells.start + column, last)] - np.uint8(ord("0"))
        inside = length > column
        if np.any((digit > 9) & inside) or (column == 0 and np.any((digit == 0) & (length > 1))):
            return None
        values = np.where(inside, values * np.uint64(10) + digit, values)
    return values


def merge(parts: Sequence[Ids], more: Sequence[StrArray] = ()) -> tuple[StrArray, Int32Array]:
    """One table of ids for several blocks, in their natural order, and the row of each interaction in it.

    Ids that all consist of digits alone go by their value, others by code points; so the order of the rows of a file
    has no say in it.

    Args:
        parts: ids of the blocks.
        more: further ids that belong to the table.

    Returns:
        (k,) str, and (n,) int32: the codes of all blocks, one after the other.
    """
    extra = [np.char.encode(each, "utf-8") for each in more if len(each)]
    texts = [*(part.texts for part in parts), *extra]
    if not sum(map(len, texts)):
        return np.zeros(0, dtype=np.str_), np.zeros(0, dtype=np.int32)
    every = np.concatenate(texts).astype(np.bytes_)
    found = factorize(np.frombuffer(every.tobytes(), dtype=np.uint8).reshape(len(every), -1))
    order = natural_order(found.texts)
    place = np.empty(len(order), dtype=np.int32)
    place[order] = np.arange(len(order), dtype=np.int32)
    numbers = place[found.codes]
    codes = np.empty(sum(len(part.codes) for part in parts), dtype=np.int32)
    first, row = 0, 0
    for part in parts:
        codes[row : row + len(part.codes)] = numbers[first : first + len(part.texts)][part.codes]
        first, row = first + len(part.texts), row + len(part.codes)
    return np.char.decode(found.texts[order], "utf-8"), codes


def natural_order(texts: NDArray[np.bytes_]) -> RowArray:
    """The order of ids: by value where all are digits, else by code points.

    >>> natural_order(np.array([b"10", b"9", b"010"]))
    array([1, 2, 0])
    """
    if not np.all(np.char.isdigit(texts)):
        return np.argsort(texts, kind="stable")
    bare = np.char.lstrip(texts, b"0")
    return np.lexsort((texts, bare, np.char.str_len(bare)))


def id_faults(cells: Span, name: str) -> tuple[tuple[str, BoolArray], ...]:
    """What can be wrong with ids: which rows lack one, have an endless one, or one with a NUL byte in it."""
    length = cells.length
    has_nul = np.zeros(len(length), dtype=np.bool_)
    nuls = np.flatnonzero(cells.buffer == 0)
    if len(nuls):
        has_nul = np.searchsorted(nuls, cells.end) > np.searchsorted(nuls, cells.start)
    return ((f"{name} missing", length <= 0), (f"{name} too long", length > LONGEST), (f"NUL byte in {name}", has_nul))

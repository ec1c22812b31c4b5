"""Ratings and times: from cells to numbers, with what is wrong in them."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from recbench.data import BoolArray, FloatArray, Int64Array
from recbench.datasets.cells import Span
from recbench.datasets.ids import factorize

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,4})?", re.ASCII)
LARGEST = float(np.finfo(np.float32).max)
LATEST = 1e18
LONGEST = 64
_INFINITE = ("inf", "infinity")

Faults: TypeAlias = tuple[tuple[str, BoolArray], ...]


def number(text: str) -> float | str:
    """The number in a text, or what is wrong with it.

    >>> number("3.5"), number("NaN"), number("five")
    (3.5, 'is NaN', 'is not a number')
    """
    bare = text.strip(" \t")
    if NUMBER.fullmatch(bare):
        value = float(bare)
        return value if abs(value) <= LARGEST else "is infinite"
    lower = bare.lower().lstrip("+-")
    if not bare:
        return "is missing"
    return "is NaN" if lower == "nan" else "is infinite" if lower in _INFINITE else "is not a number"


def seconds(text: str) -> float | str:
    """The time in a text as seconds since 1970, or what is wrong with it. Without a time zone it is UTC.

    >>> seconds("1970-01-02"), seconds("1970/01/01T00:01:00"), seconds("60.9"), seconds("noon")
    (86400.0, 60.0, 60.9, 'is neither seconds since 1970 nor an ISO 8601 time')
    """
    found = number(text)
    if isinstance(found, float):
        return found if abs(found) <= LATEST else "is out of range"
    if found != "is not a number":
        return found
    bare = text.strip(" \t").removesuffix(" UTC")
    try:
        parsed = datetime.fromisoformat(bare[:10].replace("/", "-") + bare[10:])
    except ValueError:
        return "is neither seconds since 1970 nor an ISO 8601 time"
    try:
        return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()
    except OverflowError:
        return "is out of range"


def read_numbers(cells: Span, name: str) -> tuple[FloatArray, Faults]:
    """A column of numbers.

    Returns:
        (n,) float64, NaN where the number is wrong, and what is wrong.
    """
    return _read(cells, name, number)


def read_times(cells: Span) -> tuple[Int64Array, Faults]:
    """A column of times.

    Returns:
        (n,) int64 seconds since 1970, 0 where the time is wrong, and what is wrong.
    """
    whole, is_whole = _whole_numbers(cells)
    if is_whole.all():
        return whole, ()
    others = np.flatnonzero(~is_whole)
    values, faults = _read(cells.take(others), "time", seconds)
    whole[others] = np.floor(np.nan_to_num(values, posinf=0, neginf=0)).astype(np.int64)
    return whole, tuple((kind, _spread(rows, others, len(whole))) for kind, rows in faults)


def off_scale(values: FloatArray, scale: tuple[float, float]) -> BoolArray:
    """Which values are off the scale. NaN is not: it has a fault of its own."""
    return (values < scale[0]) | (values > scale[1])


def _read(cells: Span, name: str, parse: Callable[[str], float | str]) -> tuple[FloatArray, Faults]:
    too_long = cells.length > LONGEST
    if too_long.any():
        cells = Span(buffer=cells.buffer, start=cells.start, end=np.where(too_long, cells.start, cells.end))
    found = factorize(cells.matrix())
    parsed = [parse(text.decode()) for text in found.texts.tolist()]
    values = np.array([value if isinstance(value, float) else math.nan for value in parsed])[found.codes]
    wrong = {value for value in parsed if isinstance(value, str)}
    kinds = {text: np.array([value == text for value in parsed])[found.codes] for text in sorted(wrong)}
    if too_long.any():
        kinds = {text: rows & ~too_long for text, rows in kinds.items()}
        kinds["is not a number"] = kinds.get("is not a number", np.zeros_like(too_long)) | too_long
    return values, tuple((f"{name} {text}", rows) for text, rows in kinds.items() if rows.any())


def _whole_numbers(cells: Span) -> tuple[Int64Array, BoolArray]:
    """Whole numbers of up to 18 digits without a sign, and which cells are such."""
    length = cells.length
    good = (length >= 1) & (length <= 18)
    values: NDArray[np.int64] = np.zeros(len(length), dtype=np.int64)
    last = len(cells.buffer) - 1
    for column in range(int(length[good].max(initial=0))):
        digit = cells.buffer[np.minimum(cells.start + column, last)] - np.uint8(ord("0"))
        inside = good & (length > column)
        good &= ~inside | (digit <= 9)
        values = np.where(inside, values * 10 + digit, values)
    return np.where(good, values, 0), good


def _spread(rows: BoolArray, places: NDArray[np.int64], n: int) -> BoolArray:
    found = np.zeros(n, dtype=np.bool_)
    found[places[rows]] = True
    return found

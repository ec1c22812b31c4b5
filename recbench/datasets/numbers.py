"""Ratings and times: from cells to numbers, with what is wrong in them."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from recbench.data import BoolArray, Float32Array, FloatArray, Int64Array
from recbench.datasets.cells import Span
from recbench.datasets.ids import factorize

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,4})?", re.ASCII)
LARGEST = float(np.finfo(np.float32).max)
LATEST = 1e18
LONGEST = 64
_STAMP = "YYYY-MM-DDThh:mm:ss"
_STAMP_MARKS = tuple({"-": b"-/", "T": b"T ", ":": b":"}.get(mark, b"") for mark in _STAMP)
_INFINITE = ("inf", "infinity")

Faults: TypeAlias = tuple[tuple[str, BoolArray], ...]
Ratings: TypeAlias = FloatArray | Float32Array


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
        (n,) int64 seconds since 1970, fractions cut off; anything where the time is wrong; and what is wrong.
    """
    found, is_right = _whole_numbers(cells)
    for read in (_stamps, _other_times):
        if is_right.all():
            return found, ()
        others = np.flatnonzero(~is_right)
        found[others], is_right[others], faults = read(cells.take(others))
    return found, tuple((kind, _spread(rows, others, len(found))) for kind, rows in faults)


def narrowed(values: FloatArray) -> Ratings:
    """The same numbers in half the memory, where none of them loses anything."""
    narrow = values.astype(np.float32)
    return narrow if np.array_equal(narrow, values) else values


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
    return values, tuple((f"{name} {text.removeprefix('is ')}", rows) for text, rows in kinds.items() if rows.any())


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


def _stamps(cells: Span) -> tuple[Int64Array, BoolArray, Faults]:
    """Times as `YYYY-MM-DDThh:mm:ss`, also with slashes, a blank or a Z, and which cells are such. The fast way."""
    length = cells.length
    good = (length == len(_STAMP)) | (length == len(_STAMP) + 1)
    last = len(cells.buffer) - 1
    digits: dict[str, Int64Array] = {}
    for column, (mark, allowed) in enumerate(zip(_STAMP, _STAMP_MARKS, strict=True)):
        byte = cells.buffer[np.minimum(cells.start + column, last)].astype(np.int64)
        if allowed:
            good &= np.isin(byte, list(allowed))
        else:
            good &= (byte >= ord("0")) & (byte <= ord("9"))
            digits[mark] = digits.get(mark, 0) * 10 + byte - ord("0")
    good &= (length == len(_STAMP)) | (cells.buffer[np.maximum(cells.end - 1, 0)] == ord("Z"))
    year, month, day, hour, minute, second = (np.where(good, digits[mark], 1) for mark in "YMDhms")
    months = (year - 1970) * 12 + month - 1
    first, following = (
        each.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64) for each in (months, months + 1)
    )
    good &= (year > 0) & (month > 0) & (month <= 12) & (day > 0) & (day <= following - first)
    good &= (hour < 24) & (minute < 60) & (second < 60)
    return ((first + day - 1) * 24 + hour) * 3600 + minute * 60 + second, good, ()


def _other_times(cells: Span) -> tuple[Int64Array, BoolArray, Faults]:
    """Times in any other form, and what is wrong with those that are none."""
    values, faults = _read(cells, "time", seconds)
    return np.floor(np.nan_to_num(values)).astype(np.int64), ~np.isnan(values), faults


def _spread(rows: BoolArray, places: NDArray[np.int64], n: int) -> BoolArray:
    found = np.zeros(n, dtype=np.bool_)
    found[places[rows]] = True
    return found

"""Readers of single values: each turns what TOML holds into what a protocol says, or tells what it expected."""

from __future__ import annotations

import difflib
import json
import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, TypeAlias, TypeVar

T = TypeVar("T")
H = TypeVar("H", bound=Hashable)
Reader: TypeAlias = Callable[[Any], T]

GREATEST_SEED = 2**32 - 1
"""What every library's generator takes as a seed."""


class Unfit(Exception):
    """A value is not what its key takes. Turned into BadProtocol where file and key are known."""

    def __init__(self, value: Any, expected: str, *, hint: str = "", options: Sequence[str] = ()) -> None:
        super().__init__(expected)
        self.value = value
        self.expected = expected
        self.hint = hint or (close(value, options) if isinstance(value, str) else "")


def close(word: str, options: Sequence[str]) -> str:
    """The options much like `word`, as the end of a message; empty where there are none."""
    found = difflib.get_close_matches(word, options, n=3, cutoff=0.65)
    return f"; close: {', '.join(map(repr, found))}" if found else ""


def shown(value: Any) -> str:
    """`value` as a TOML file would have it, cut where it is long."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 80 else f"{text[:77]}..."


def anything(value: Any) -> Any:
    """Whatever stands there: only that it is there counts."""
    return value


def text(value: Any) -> str:
    """A text that is not empty."""
    if not isinstance(value, str) or not value.strip():
        raise Unfit(value, "a text")
    return value


def label(value: Any) -> str:
    """A text that fits into a cell of a table and into a command."""
    if not isinstance(value, str) or not 1 <= len(value) <= 64 or not value.isprintable() or value != value.strip():
        raise Unfit(value, "a text of 1 to 64 printable characters, without blanks at its ends")
    return value


def flag(value: Any) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise Unfit(value, "true or false")
    return value


def number(value: Any) -> float:
    """A finite number; a whole one counts."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Unfit(value, "a number")
    try:
        read = float(value)
    except OverflowError:
        read = math.inf
    if not math.isfinite(read):
        raise Unfit(value, "a finite number")
    return read


def positive(value: Any) -> float:
    """A finite number above 0."""
    read = number(value)
    if read <= 0:
        raise Unfit(value, "a number above 0")
    return read


def share(value: Any) -> float:
    """A number above 0 and below 1."""
    read = number(value)
    if not 0 < read < 1:
        raise Unfit(value, "a share above 0 and below 1")
    return read


def share_or_none(value: Any) -> float:
    """A number from 0 on and below 1."""
    read = number(value)
    if not 0 <= read < 1:
        raise Unfit(value, "a share from 0 on and below 1")
    return read


def whole(*, least: int, most: int | None = None) -> Reader[int]:
    """A whole number in a range. True and 3.0 are none."""
    limit = f"of at least {least}" if most is None else f"from {least} to {most}"

    def read(value: Any) -> int:
        if (
            isinstance(value, bool)
            or not isinstance(value, int)
            or value < least
            or (most is not None and value > most)
        ):
            raise Unfit(value, f"a whole number {limit}")
        return value

    return read


seed = whole(least=0, most=GREATEST_SEED)


def one_of(options: Sequence[T]) -> Reader[T]:
    """One of a few texts."""
    names = [str(option) for option in options]

    def read(value: Any) -> T:
        if not isinstance(value, str) or value not in names:
            raise Unfit(value, f"one of {', '.join(map(repr, names))}", options=names)
        return options[names.index(value)]

    return read


def list_of(each: Reader[T], *, least: int = 1) -> Reader[tuple[T, ...]]:
    """A list with so many entries at least."""

    def read(value: Any) -> tuple[T, ...]:
        if not isinstance(value, list) or len(value) < least:
            raise Unfit(value, f"a list of {least} or more" if least else "a list")
        return tuple(each(entry) for entry in value)

    return read


def set_of(each: Reader[H], *, least: int = 1) -> Reader[tuple[H, ...]]:
    """A list in which nothing stands twice, in its order."""
    listed = list_of(each, least=least)

    def read(value: Any) -> tuple[H, ...]:
        entries = listed(value)
        twice = next((entry for place, entry in enumerate(entries) if entry in entries[:place]), None)
        if twice is not None:
            raise Unfit(value, "a list without repetition", hint=f": {shown(twice)} stands twice")
        return entries

    return read


def table_of(each: Reader[T], *, names: Sequence[str] = ()) -> Reader[Mapping[str, T]]:
    """A table with one kind of values, under any names or under some of `names`."""

    def read(value: Any) -> Mapping[str, T]:
        if not isinstance(value, dict):
            raise Unfit(value, "a table")
        for name in value:
            if names and name not in names:
                raise Unfit(name, f"one of {', '.join(map(repr, names))}", options=names)
        return MappingProxyType({name: each(entry) for name, entry in value.items()})

    return read


def interval(value: Any) -> tuple[float, float]:
    """Two numbers, the lesser first."""
    ends = list_of(number)(value)
    if len(ends) != 2 or not ends[0] < ends[1]:
        raise Unfit(value, "two numbers, the lesser first")
    return ends[0], ends[1]


def sha256(value: Any) -> str:
    """A sha256 in hexadecimal."""
    if not isinstance(value, str) or len(value) != 64 or not set(value) <= set("0123456789abcdef"):
        raise Unfit(value, "a sha256 of 64 hexadecimal digits")
    return value


def json_value(value: Any) -> Any:
    """What JSON can say too: no dates, no NaN, no infinity."""
    if isinstance(value, list):
        return [json_value(entry) for entry in value]
    if isinstance(value, dict):
        return {name: json_value(entry) for name, entry in value.items()}
    if isinstance(value, float):
        return number(value)
    if not isinstance(value, str | int):
        raise Unfit(value, "a text, a number, true, false, or a list or table of such")
    return value

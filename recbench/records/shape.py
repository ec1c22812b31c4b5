"""What JSON values a record is made of. A check gives the first value that is wrong with its place, or None."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from recbench.records.parsing import REMEMBERED

Check = Callable[[Any], str | None]
"""Takes a value; gives " is 3", ".split.fold is 3", " lacks 'fold'" or None where all is well."""

GREATEST = 1e100
"""Nothing that is measured or counted is greater, and sums of such numbers are finite."""


def _is(value: Any) -> str:
    return f" is {value!r:.80}"


def kind(*kinds: type) -> Check:
    """A value of one of these types; true and false are no numbers."""
    if bool in kinds or not issubclass(bool, kinds):
        return lambda value: None if isinstance(value, kinds) else _is(value)
    return lambda value: None if isinstance(value, kinds) and not isinstance(value, bool) else _is(value)


def number(value: Any) -> str | None:
    """A finite number."""
    return None if type(value) in (int, float) and -GREATEST <= value <= GREATEST else _is(value)


def whole(value: Any) -> str | None:
    """A whole number that is not negative."""
    return None if type(value) is int and 0 <= value < 1 << 63 else _is(value)


def matching(pattern: str) -> Check:
    """Text that fits the pattern whole."""
    compiled = re.compile(pattern)
    return lambda value: None if isinstance(value, str) and compiled.fullmatch(value) else _is(value)


def one_of(*values: Any) -> Check:
    """One of the values."""
    return lambda value: None if any(value is each or value == each for each in values) else _is(value)


def optional(check: Check) -> Check:
    """What `check` takes, or null."""
    return lambda value: None if value is None else check(value)


def shared(check: Check) -> Check:
    """What `check` takes. The very tables that passed last are not looked at again: many records may share them."""
    passed: tuple[Any, ...] = ()

    def fault(value: Any) -> str | None:
        nonlocal passed
        if any(value is each for each in passed):
            return None
        found = check(value)
        if found is None:
            passed = (value, *passed)[:REMEMBERED]
        return found

    return fault


def items(check: Check, *, length: int | None = None) -> Check:
    """A list of what `check` takes."""

    def fault(value: Any) -> str | None:
        if not isinstance(value, list) or length not in (None, len(value)):
            return _is(value)
        for n, each in enumerate(value):
            if (found := check(each)) is not None:
                return f"[{n}]{found}"
        return None

    return fault


def values(check: Check) -> Check:
    """A table of any keys, whose values `check` takes."""

    def fault(value: Any) -> str | None:
        if not isinstance(value, dict):
            return _is(value)
        for key, each in value.items():
            if (found := check(each)) is not None:
                return f".{key}{found}"
        return None

    return fault


def table(needed: Mapping[str, Check], known: Mapping[str, Check] | None = None, *, is_closed: bool = False) -> Check:
    """A table with the keys `needed`, and maybe with those `known`; with others too unless it is closed."""
    checks = {**needed, **(known or {})}

    def fault(value: Any) -> str | None:
        if not isinstance(value, dict):
            return _is(value)
        if not needed.keys() <= value.keys():
            return f" lacks {min(needed.keys() - value.keys())!r}"
        if is_closed and not value.keys() <= checks.keys():
            return f" has the unknown key {min(value.keys() - checks.keys())!r}"
        for key, check in checks.items():
            if key in value and (found := check(value[key])) is not None:
                return f".{key}{found}"
        return None

    return fault

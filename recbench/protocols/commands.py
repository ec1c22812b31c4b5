"""Commands of programs: words in which a name in braces stands for what a trial puts there."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from recbench.protocols.readers import Unfit, list_of

PLACEHOLDERS = ("train", "users", "items", "out", "k", "seed", "threads", "here")
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


def command(value: Any) -> tuple[str, ...]:
    """Words of a command, the program first. One of them has `{out}` in it, without which nothing could be read."""
    words = list_of(_word)(value)
    if not words[0].strip() or placeholders(words[:1]) - {"here"}:
        raise Unfit(value, "a command that begins with a program")
    if "out" not in placeholders(words):
        raise Unfit(value, "a command with {out} in it, the file that the program writes")
    return words


def placeholders(words: Sequence[str]) -> set[str]:
    """The names in braces."""
    return {name for word in words for name in _PLACEHOLDER.findall(word)}


def filled(words: Sequence[str], values: Mapping[str, str]) -> tuple[str, ...]:
    """The words with `values` in place of the names in braces; a name that is not among them stays."""
    return tuple(_PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), word) for word in words)


def _word(value: Any) -> str:
    if not isinstance(value, str) or "\0" in value:
        raise Unfit(value, "a text")
    for name in _PLACEHOLDER.findall(value):
        if name not in PLACEHOLDERS:
            known = ", ".join(f"{{{each}}}" for each in PLACEHOLDERS)
            raise Unfit(f"{{{name}}}", f"one of {known}; braces around anything but one word are left alone")
    return value

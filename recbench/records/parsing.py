"""JSON text as an object, with suspicion. Of many texts that are much alike, what they share is held once."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import accumulate
from typing import Any

from recbench.errors import BadRecord

DEPTH = 24
REMEMBERED = 8
"""Parts of a place that are held to be shared: folds and machines come in turn."""
FIX = "get the file again from where it came, or remove it and run again"
_STEPS = {ord(bracket): 1 if bracket in "[{" else -1 for bracket in "[]{}"}
_ALL_BUT_BRACKETS = bytes(set(range(256)) - _STEPS.keys())


def parse(text: str, where: str) -> dict[str, Any]:
    """The JSON object that `text` says.

    Args:
        where: the file, for messages.

    Raises:
        BadRecord: it is none.
    """
    if _depth(text) > DEPTH:
        raise BadRecord(f"{where}: is nested deeper than {DEPTH}", fix=FIX)
    try:
        document = _DECODER.decode(text)
    except (ValueError, RecursionError) as error:
        raise BadRecord(f"{where}: is not JSON: {error}", fix=FIX) from error
    if not isinstance(document, dict):
        raise BadRecord(f"{where}: is not a record", fix=FIX)
    return document


class Alike:
    """Parses texts that share parts: a part that reads as one of the last few of its place is that very object.

    Records differ in little: what they share is then parsed, checked and held once.

    Args:
        places: the keys that lead to each part, from the outermost, in the order of the text.
    """

    def __init__(self, places: Sequence[tuple[str, ...]]) -> None:
        # What stands for a part in a text: nobody can have written it there.
        self._marks = {place: secrets.token_hex(8) for place in places}
        self._known: dict[tuple[str, ...], tuple[tuple[str, Any], ...]] = dict.fromkeys(places, ())

    def parse(self, text: str, where: str) -> dict[str, Any]:
        """As the function `parse`. Parts of what it returns are shared, and not to be changed."""
        short, found = self._cut(text)
        try:
            document = parse(short, where)
            is_whole = all(self._put_back(document, place, part) for place, part in found.items())
        except BadRecord:
            is_whole = False  # the message is to name a place in the text as it is
        if not is_whole:  # or what reads like a part stands elsewhere
            document, found = parse(text, where), {}
        for place in self._marks.keys() - found.keys():
            self._learn(text, document, place)
        return document

    def _cut(self, text: str) -> tuple[str, Mapping[tuple[str, ...], Any]]:
        """The text with marks for those parts that read as before, and those parts by their places."""
        pieces: list[str] = []
        found, end = {}, 0
        for place, mark in self._marks.items():
            start = text.find(_start(place), end)
            for written, part in self._known[place] if start >= 0 else ():
                if text.startswith(written, start):
                    pieces += text[end:start], f'{_start(place)}"{mark}"'
                    found[place] = part
                    end = start + len(written)
                    break
        return "".join([*pieces, text[end:]]), found

    def _put_back(self, document: dict[str, Any], place: tuple[str, ...], part: Any) -> bool:
        """Put a part where its mark is. Returns whether that is its place."""
        holder = _at(document, place[:-1])
        if not isinstance(holder, dict) or holder.get(place[-1]) != self._marks[place]:
            return False
        holder[place[-1]] = part
        return True

    def _learn(self, text: str, document: dict[str, Any], place: tuple[str, ...]) -> None:
        """Remember how a part of the document is written, where it is written as `to_json` does."""
        start = text.find(_start(place) + "{")
        if start >= 0:
            part = _at(document, place)
            value, end = _DECODER.raw_decode(text, start + len(_start(place)))
            if json.dumps(value) == json.dumps(part):  # as values 1, 1.0 and true are equal
                self._known[place] = ((text[start:end], part), *self._known[place])[:REMEMBERED]


@lru_cache
def _start(place: tuple[str, ...]) -> str:
    """The line that a part starts with, up to its value."""
    return f'\n{"  " * len(place)}"{place[-1]}": '


def _at(document: Any, place: Sequence[str]) -> Any:
    """What the keys lead to; None where they lead nowhere."""
    for key in place:
        document = document.get(key) if isinstance(document, dict) else None
    return document


def _depth(text: str) -> int:
    """An upper bound of the nesting, without parsing; brackets in strings count too."""
    brackets = text.encode("utf-8", "replace").translate(None, _ALL_BUT_BRACKETS)
    return _deepest(brackets)


@lru_cache(maxsize=8)
def _deepest(brackets: bytes) -> int:
    return max(accumulate(map(_STEPS.__getitem__, brackets)), default=0)


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not a value")


_DECODER = json.JSONDecoder(parse_constant=_refuse)

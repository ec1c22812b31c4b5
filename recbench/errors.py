"""The errors a user can meet. Each says what is wrong and what to do about it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class RecbenchError(Exception):
    """Something about the input, a plugin or the machine is wrong. A bug of ours is never one of these.

    Args:
        what: what is wrong, with the place and the offending value.
        fix: what to do about it, in the imperative.
    """

    def __init__(self, what: str, *, fix: str) -> None:
        super().__init__(what)
        self.what = what
        self.fix = fix


class BadData(RecbenchError):
    """A data file says something that cannot be right."""


class BadProtocol(RecbenchError):
    """A protocol has an unknown key, a wrong type or an impossible value."""


class BadRecord(RecbenchError):
    """A record's file is damaged, forged or of another schema."""


class FetchError(RecbenchError):
    """A download failed, or brought something else than was expected."""


class UnknownName(RecbenchError):
    """A name that nothing goes by."""

    @classmethod
    def among(cls, kind: str, name: str, known: Iterable[str], *, fix: str) -> UnknownName:
        """Build the error for `name`, listing the close ones among `known`."""
        close = difflib.get_close_matches(name, list(known), n=3, cutoff=0.5)
        hint = f"; close: {', '.join(map(repr, close))}" if close else ""
        article = "an" if kind[0] in "aeiou" else "a"
        return cls(f"{name!r} is not the name of {article} {kind}{hint}", fix=fix)

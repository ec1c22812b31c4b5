"""Texts of strangers as LaTeX that shows them and does nothing else, under every engine. Pure."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from recbench.leaderboard.wording import plain

_SIGNS = {
    "\\": r"\textbackslash{}",
    "{": r"\textbraceleft{}",
    "}": r"\textbraceright{}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': "''",
    "`": r"\`{}",
    "±": r"$\pm$",
    "×": r"$\times$",  # noqa: RUF001
    "↑": r"$\uparrow$",
    "↓": r"$\downarrow$",
    "…": r"\ldots{}",
    "–": "--",  # noqa: RUF001
    "—": "---",
    "’": "'",  # noqa: RUF001
    "‘": "`",  # noqa: RUF001
    "“": "``",
    "”": "''",
    "ß": r"\ss{}",
    "ø": r"\o{}",
    "Ø": r"\O{}",
    "ł": r"\l{}",
    "Ł": r"\L{}",
    "æ": r"\ae{}",
    "Æ": r"\AE{}",
    "œ": r"\oe{}",
    "Œ": r"\OE{}",
    "ı": r"\i{}",  # noqa: RUF001
}
_MARKS = {
    "\u0300": "`", "\u0301": "'", "\u0302": "^", "\u0303": "~", "\u0304": "=", "\u0306": "u", "\u0307": ".",
    "\u0308": '"', "\u030a": "r", "\u030b": "H", "\u030c": "v", "\u0323": "d", "\u0327": "c", "\u0331": "b",
}  # fmt: skip
_LIGATURES = re.compile(r"([-',!?])(?=[-',`])")


def escape(text: Any, length: int | None = None) -> str:
    """`text` in one line, cut to `length`, with nothing that means something to TeX.

    A letter that TeX's own fonts lack is shown by its number, as in [U+4E2D]: LaTeX would stop at it.
    """
    line = unicodedata.normalize("NFC", plain(text, length))
    line = _LIGATURES.sub(lambda found: f"{found[1]}\0", line)
    return "".join(map(_sign, line))


def label(name: str) -> str:
    """`name` as it can stand in a label or a key: ASCII letters, digits and hyphens."""
    return re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-").lower() or "board"


def _sign(char: str) -> str:
    if char == "\0":
        return "{}"
    if char in _SIGNS:
        return _SIGNS[char]
    if char.isascii():
        return char
    parts = unicodedata.normalize("NFD", char)
    if len(parts) == 2 and parts[0].isascii() and parts[1] in _MARKS:
        return f"\\{_MARKS[parts[1]]}{{{parts[0]}}}"
    return f"[U+{ord(char):04X}]"

"""How texts and figures are written on a board, so that no name of a stranger's can do more than stand there. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from recbench.leaderboard.standings import Figure, metric_of

_SPECIAL = re.compile(r"[\\`*\[\]~|]|#|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "$": "<span>$</span>"}
# GitHub makes links of bare addresses and of people, and does so after markup is gone: only a break in the text helps.
_BREAK = "<!-- -->"
_LINKS = re.compile(r"(?<=/)/|(?<=www)\.|@(?!\d+(?![\w.]))|(?<!\w)@", re.IGNORECASE)
_LIST = re.compile(r"([-+=]|\d+[.)])(?= |$)")
_MANY = 1e6


def plain(text: Any, length: int | None = None) -> str:
    """`text` in one line, without control characters, cut to `length`."""
    line = " ".join("".join(char if char.isprintable() else " " for char in str(text)).split())
    return line if length is None or len(line) <= length else line[: length - 1].rstrip() + "…"


def escape(text: Any, length: int | None = None) -> str:
    """`text` as Markdown that shows it and does nothing else: no markup, no link, no cell border, no HTML, no math."""
    line = plain(text, length)
    first, *others = (_without_markup(part) for part in _LINKS.split(line))
    safe = first + "".join(_broken(link) + part for link, part in zip(_LINKS.findall(line), others, strict=True))
    return _LIST.sub(lambda found: f"{found[0][:-1]}\\{found[0][-1]}", safe, count=1) if _LIST.match(safe) else safe


def _without_markup(text: str) -> str:
    return "".join(_ENTITIES.get(char, char) for char in _SPECIAL.sub(r"\\\g<0>", text))


def _broken(link: str) -> str:
    return f"{link}{_BREAK}" if link == "@" else f"{_BREAK}{link}"


def code(text: Any) -> str:
    """`text` as code, in a fence longer than any in it. Not for cells of tables, where a pipe would end it."""
    line = plain(text)
    fence = "`" * (1 + max(map(len, re.findall("`+", line)), default=0))
    edge = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{fence}{edge}{line}{edge}{fence}" if line else ""


def width(text: str) -> int:
    """Columns that `text` takes on a terminal."""
    if text.isascii():
        return len(text)
    wide = sum(unicodedata.east_asian_width(char) in "WF" for char in text)
    return len(text) + wide - sum(bool(unicodedata.combining(char)) for char in text)


def cut(text: str, columns: int) -> str:
    """`text` in at most that many columns."""
    if width(text) <= columns:
        return text
    while text and width(text) >= columns:
        text = text[:-1]
    return text + "…" * (columns > 0)


def pad(text: str, columns: int, *, right: bool) -> str:
    """`text` filled up with blanks to that many columns, on its left where it belongs to the right."""
    blanks = " " * (columns - width(text))
    return blanks + text if right else text + blanks


def score(figure: Figure, protocol: Mapping[str, Any], key: str) -> tuple[str, str]:
    """A score, and its spread over folds and seeds: four decimals where its range is closed, else three."""
    low, high = metric_of(protocol, key).get("range", (0, 1))
    places = 4 if low is not None and high is not None else 3
    spread = "" if figure.spread is None else f" ± {decimals(figure.spread, places)}"
    return decimals(figure.mean, places), spread


def decimals(value: float, places: int) -> str:
    """A number with that many decimals; short however large it is."""
    return f"{value:.{places}f}" if abs(value) < _MANY else f"{value:.3e}"


def cost(value: float, places: int) -> str:
    """A cost; what would be shown as nothing is shown as less than the least."""
    least: float = 10**-places
    shown = decimals(value, places) if abs(value) >= _MANY else f"{value:,.{places}f}"
    return f"<{least:g}" if 0 < value < least / 2 else shown


def count(value: int) -> str:
    """A number with commas."""
    return f"{value:,}"


def percent(share: float) -> str:
    """A share in percent, with as many digits as tell something."""
    return f"{100 * share:.3g} %" if share >= 1e-6 or not share else "<0.0001 %"


def spans(values: list[int]) -> str:
    """A number, or from least to greatest where there are several."""
    least, greatest = min(values), max(values)
    return count(least) if least == greatest else f"{count(least)} to {count(greatest)}"

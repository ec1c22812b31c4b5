"""How figures and names are written on a board: the same in Markdown and in the terminal. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from recbench.leaderboard.standings import Figure, metric_of

_SPECIAL = re.compile(r"[\\`*_\[\]#~|!]")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"}
REASON_LENGTH = 160


def plain(text: Any, length: int | None = None) -> str:
    """`text` in one line, without control characters, cut to `length`."""
    line = " ".join("".join(char if char.isprintable() else " " for char in str(text)).split())
    return line if length is None or len(line) <= length else line[: length - 1] + "…"


def escape(text: Any, length: int | None = None) -> str:
    """`text` as Markdown that shows it and does nothing else: no markup, no link, no cell border, no HTML."""
    safe = "".join(_ENTITIES.get(char, char) for char in _SPECIAL.sub(r"\\\g<0>", plain(text, length)))
    return safe.replace("://", "&#58;//").replace("www.", "www&#46;")


def score(figure: Figure | None, protocol: Mapping[str, Any], key: str) -> str:
    """A score with its spread over folds and seeds: four decimals where its range is closed, else three."""
    if figure is None:
        return ""
    places = places_of(protocol, key)
    spread = "" if figure.spread is None else f" ± {figure.spread:.{places}f}"
    return f"{figure.mean:.{places}f}{spread}"


def places_of(protocol: Mapping[str, Any], key: str) -> int:
    """How many decimals a score is shown with."""
    low, high = metric_of(protocol, key).get("range", (0, 1))
    return 4 if low is not None and high is not None else 3


def cost(figure: Figure | None, places: int) -> str:
    """A cost: its mean alone."""
    return "" if figure is None else f"{figure.mean:,.{places}f}"


def count(value: Any) -> str:
    """A number with commas, or what is there instead."""
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else plain(value)


COSTS: tuple[tuple[str, str, int], ...] = (
    ("fit_seconds", "fit s", 2),
    ("latency_p50_ms", "ms/user", 2),
    ("peak_memory_mb", "MB", 0),
)
"""Costs on the board: name, heading, decimals."""

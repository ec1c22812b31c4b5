"""HTML that is safe by construction: what is not HTML already is escaped wherever it is put. Pure."""

from __future__ import annotations

import html
from collections.abc import Iterable

from recbench.leaderboard.wording import plain

VOID = frozenset({"br", "input", "link", "meta", "circle", "line", "path", "rect"})
"""Elements without content; those of SVG are closed at once."""


class Html(str):
    """Text that is HTML, made by this module or written in the source."""

    __slots__ = ()


NOTHING = Html("")


def text(value: object, length: int | None = None) -> Html:
    """`value` as one line that shows it and does nothing else: no markup, no control characters."""
    return Html(html.escape(plain(value, length)))


def element(name: str, /, *children: str, **attributes: object) -> Html:
    """An element with its children; a child that is not `Html` is escaped.

    Args:
        attributes: by name; `_` stands for `-`, and one at the end is dropped (`class_`). None leaves one out, "" is
            one without a value.
    """
    given = "".join(_attribute(key, value) for key, value in attributes.items() if value is not None)
    if name in VOID:
        return Html(f"<{name}{given}>" if name in {"br", "input", "link", "meta"} else f"<{name}{given}/>")
    return Html(f"<{name}{given}>{joined(children)}</{name}>")


def joined(parts: Iterable[str], between: str = "") -> Html:
    """Parts one after the other; a part that is not `Html` is escaped."""
    return Html(between.join(part if isinstance(part, Html) else text(part) for part in parts))


def number(value: float) -> str:
    """A number for attributes: six digits, the same everywhere."""
    return f"{value:.6g}"


def _attribute(key: str, value: object) -> str:
    shown = html.escape(plain(value)) if not isinstance(value, float) else number(value)
    name = key.removesuffix("_").replace("_", "-")
    return f' {name}="{shown}"' if shown else f" {name}"

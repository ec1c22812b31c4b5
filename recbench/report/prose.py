"""The boards' Markdown as HTML: exactly what `recbench.leaderboard.wording` writes, and nothing more. Pure."""

from __future__ import annotations

import html
import re

from recbench.leaderboard.facts import PLAIN_ADDRESS
from recbench.report.markup import Html, element

_TOKEN = re.compile(
    r"""
    \\(?P<char>.)
    | (?P<entity>&(?:amp|lt|gt|nbsp);)
    | <span>(?P<dollar>\$)</span>
    | (?P<gone><!--\ -->)
    | (?P<fence>(?<!`)`+)(?P<code>.*?)(?<!`)(?P=fence)(?!`)
    | (?P<mark>\*\*?)
    | \[(?P<label>(?:\\.|[^\]\\])*)\]\((?P<address>[^)\s]*)\)
    """,
    re.VERBOSE,
)
_MARKS = {"**": "strong", "*": "em"}


def prose(markdown: str) -> Html:
    """One line of Markdown; whatever is no markup of ours stands there as text."""
    return Html("".join(_parts(markdown)))


def _parts(markdown: str) -> list[str]:
    parts: list[str] = []
    opened: list[str] = []
    at = 0
    for found in _TOKEN.finditer(markdown):
        parts.append(html.escape(markdown[at : found.start()]))
        mark = found["mark"]
        parts.append(_toggled(_MARKS[mark], opened) if mark else _token(found))
        at = found.end()
    parts.append(html.escape(markdown[at:]))
    return parts + [f"</{name}>" for name in reversed(opened)]


def _token(found: re.Match[str]) -> str:
    if found["entity"] or found["gone"]:
        return found["entity"] or ""
    if found["code"] is not None:
        return f"<code>{html.escape(_without_edge(found['code']))}</code>"
    if found["label"] is not None:
        return _link(found)
    return html.escape(found["char"] or found["dollar"])


def _toggled(name: str, opened: list[str]) -> str:
    """Begin an element, or end it; one that lies across another's end is left to stand as it began."""
    if name not in opened:
        opened.append(name)
        return f"<{name}>"
    if opened[-1] != name:
        return ""
    opened.pop()
    return f"</{name}>"


def _without_edge(code: str) -> str:
    return code[1:-1] if code.startswith(" ") and code.endswith(" ") and "`" in code else code


def _link(found: re.Match[str]) -> str:
    label = prose(found["label"])
    if not PLAIN_ADDRESS.fullmatch(found["address"]):
        return f"[{label}]({html.escape(found['address'])})"
    return element("a", label, href=found["address"], rel="noreferrer")


def without_marks(markdown: str) -> str:
    """What a line of Markdown says, as plain text."""
    return html.unescape(re.sub(r"<[^>]*>", "", prose(markdown)))

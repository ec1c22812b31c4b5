"""What a part of the page is told: where it stands. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeAlias

from recbench.leaderboard import Board
from recbench.report.markup import Html, element


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a board stands on the page.

    Attributes:
        key: begins the ids of all that belongs to the board.
        level: of the board's heading; its sections stand one below.
    """

    key: str
    level: int

    def heading(self, content: str, *, below: int = 0, id_: str | None = None) -> Html:
        """A heading, `below` levels under the board's own."""
        return element(f"h{self.level + below}", content, id=id_)


Part: TypeAlias = Callable[[Board, Place], Html]
"""A section's content; empty where the board has nothing for it."""


def folded(summary: str, *content: str) -> Html:
    """Shown on a click, and on paper."""
    return element("details", element("summary", summary), *content)


def tabular(title: str, heads: Iterable[str], rows: Iterable[str], *, class_: str = "board") -> Html:
    """A table in a box that scrolls by itself, by finger, mouse and keyboard, so that the page does not.

    The box is a group and no landmark: there are too many of them.

    Args:
        title: its caption, for those who do not see what stands above it.
        heads: the cells of its head.
        rows: of its body.
    """
    caption = element("caption", title, class_="unseen")
    head, body = element("thead", element("tr", *heads)), element("tbody", *rows)
    table = element("table", caption, head, body, class_=class_)
    return element("div", table, class_="scroll", role="group", tabindex="0", aria_label=title)

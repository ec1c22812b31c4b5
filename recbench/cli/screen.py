"""The terminal: how wide it is, whether it has colour, and text of strangers made safe for it."""

from __future__ import annotations

import functools
import os
import shutil
import textwrap
from collections.abc import Sequence
from typing import TextIO


def width_of(stream: TextIO) -> int:
    """Columns to fill: the terminal's, or 80 where there is none."""
    return shutil.get_terminal_size((80, 24)).columns if stream.isatty() else int(os.environ.get("COLUMNS", 80))


def has_color(stream: TextIO) -> bool:
    """Whether to use colour: only on a terminal, and not where NO_COLOR is set (no-color.org)."""
    return stream.isatty() and not os.environ.get("NO_COLOR")


def printable(text: str) -> str:
    """`text` in one line and without control characters: strangers' names must not move the cursor."""
    return "".join(char if char.isprintable() else " " for char in text)


def one_line(text: str, width: int) -> str:
    """`text` in at most `width` columns."""
    text = printable(text)
    return text if len(text) <= width else text[: max(0, width - 1)] + "…"


def table(rows: Sequence[Sequence[str]], width: int) -> str:
    """Columns side by side, the last one cut so that each row fits `width`."""
    if not rows:
        return ""
    widths = [max(len(printable(row[column])) for row in rows) for column in range(len(rows[0]) - 1)]
    lines = [
        "  ".join([*(printable(cell).ljust(w) for cell, w in zip(row, widths, strict=False)), row[-1]]) for row in rows
    ]
    return "\n".join(one_line(line, width).rstrip() for line in lines)


def wrapped(rows: Sequence[Sequence[str]], width: int) -> str:
    """Columns side by side, the last one on as many lines as it needs.

    A column is at most a quarter of `width` wide; a longer cell pushes its own row alone. Where that leaves the last
    column little room, it goes below.
    """
    heads = [[printable(cell) for cell in row[:-1]] for row in rows]
    columns = zip(*heads, strict=True)
    widths = [max((len(cell) for cell in column if len(cell) <= width // 4), default=0) for column in columns]
    return "\n".join(_wrapped(head, widths, printable(row[-1]), width) for head, row in zip(heads, rows, strict=True))


def _wrapped(head: Sequence[str], widths: Sequence[int], text: str, width: int) -> str:
    start = "".join(f"{cell.ljust(w)}  " for cell, w in zip(head, widths, strict=True))
    # Commands and names are to be copied: they break at blanks alone.
    wrap = functools.partial(textwrap.fill, width=width, break_on_hyphens=False)
    if len(start) + len(text) <= width or len(start) <= width // 2:
        return wrap(text, initial_indent=start, subsequent_indent=" " * len(start))
    return f"{start.rstrip()}\n" + wrap(text, initial_indent=" " * 6, subsequent_indent=" " * 6)

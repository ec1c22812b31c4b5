"""A board as HTML for notebooks, where names of strangers are shown and do nothing else. Pure."""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence
from typing import Any

from recbench.leaderboard import certainty
from recbench.leaderboard.columns import ARROWS, Cell, best_of, grid, main
from recbench.leaderboard.standings import Board, Standing
from recbench.leaderboard.wording import plain

REASON_LENGTH = 120


def to_html(board: Board, unavailable: Sequence[tuple[str, str]] = ()) -> str:
    """The main columns of the board; the best in bold, baselines in italics, letters of ties in superscript.

    Args:
        unavailable: rows that cannot run here, each with the reason.
    """
    # The classes keep the notebook from reading $ in a name as the beginning of a formula.
    return "\n".join(
        ['<div class="tex2jax_ignore mathjax_ignore" style="overflow-x: auto">', *_table(board, unavailable), "</div>"]
    )


def _table(board: Board, unavailable: Sequence[tuple[str, str]]) -> Iterator[str]:
    columns = main(board)
    yield f"<table>\n<caption>{_text(board.protocol['title'])}, by {_text(board.primary)}</caption>"
    heads = [_text(each.title) + ("" if each.kind == "cost" else ARROWS[best_of(board, each)]) for each in columns]
    yield f"<thead><tr>{''.join(f'<th>{head}</th>' for head in ('#', 'algorithm', *heads))}</tr></thead>\n<tbody>"
    for standing, row in zip(board.standings, grid(board, columns), strict=True):
        yield f"<tr>{_start(standing)}{_figures(standing, row)}</tr>"
    for name, reason in unavailable:
        yield f"<tr><td></td>{_left(_text(name))}{_reason(reason, len(columns))}</tr>"
    yield "</tbody>\n</table>"


def _start(standing: Standing) -> str:
    name = _text(standing.name)
    name = f"<i>{name}</i>" if standing.first.baseline else name
    letters = f"<sup>{_text(standing.letters)}</sup>" if standing.letters else ""
    return f"<td>{certainty.rank(standing)}</td>{_left(name + letters)}"


def _figures(standing: Standing, row: Sequence[Cell | None]) -> str:
    if standing.trouble is not None and not any(row):
        return _reason(str(standing.trouble), len(row))
    return "".join(f"<td>{_cell(cell)}</td>" for cell in row)


def _cell(cell: Cell | None) -> str:
    if cell is None:
        return ""
    text = _text(cell.text)
    return (f"<b>{text}</b>" if cell.is_best else text) + html.escape(cell.spread)


def _left(content: str) -> str:
    return f'<td style="text-align: left">{content}</td>'


def _reason(text: str, n: int) -> str:
    return f'<td colspan="{n}" style="text-align: left">{_text(text, REASON_LENGTH)}</td>'


def _text(text: Any, length: int | None = None) -> str:
    return html.escape(plain(text, length)).replace("$", "<span>$</span>")

"""A board for the terminal: an aligned table that fits, without colour unless it is asked for. Pure."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence

from recbench.leaderboard.standings import Board, Standing, board
from recbench.leaderboard.wording import COSTS, cost, plain, score
from recbench.records import Record

NAME_WIDTH = 26
BOLD, END = "\x1b[1m", "\x1b[0m"


def terminal(records: Iterable[Record], *, width: int, color: bool, unavailable: Sequence[tuple[str, str]] = ()) -> str:
    """The standings in at most `width` columns. Columns that do not fit are counted.

    Args:
        records: of one protocol.
        width: of the terminal.
        color: whether to use colour.
        unavailable: rows that cannot run here, each with the command that mends it.
    """
    found = board(records)
    table, n_hidden = _table(found, width)
    lines = [_cut(plain(found.protocol["title"]), width), "", *table]
    if n_hidden:
        lines.append(f"{n_hidden} more columns are in the file.")
    for name, reason in [(each.name, each.why_unranked) for each in found.standings if each.why_unranked]:
        lines += _paragraph(f"{plain(name)}: {plain(reason, 300)}", width)
    for name, command in unavailable:
        lines += _paragraph(f"{plain(name)}: not installed: {command}", width)
    return "\n".join(_colored(lines) if color else lines)


def _table(found: Board, width: int) -> tuple[list[str], int]:
    ranked = [each for each in found.standings if each.rank is not None]
    name_width = min(NAME_WIDTH, max([9, *(len(_name(each)) for each in ranked)]))
    heads = ["#", "algorithm".ljust(name_width)]
    columns = [
        [str(each.rank) for each in ranked],
        [_cut(_name(each), name_width).ljust(name_width) for each in ranked],
    ]
    n_hidden = 0
    for head, cells in _columns(found, ranked):
        taken = sum(max(map(len, [h, *c])) + 2 for h, c in zip([*heads, head], [*columns, cells], strict=True)) - 2
        if taken <= width:
            heads.append(head)
            columns.append(cells)
        else:
            n_hidden += 1
    widths = [max(map(len, [head, *cells])) for head, cells in zip(heads, columns, strict=True)]
    rows = [heads, *zip(*columns, strict=True)] if ranked else []
    return [
        "  ".join(
            cell.ljust(w) if place == 1 else cell.rjust(w)
            for place, (cell, w) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ], n_hidden


def _columns(found: Board, ranked: Sequence[Standing]) -> Iterable[tuple[str, list[str]]]:
    """What to show, most important first: the score that sorts, its fellows at that cut-off, costs, the rest."""
    kinds = ["warm", ""] if found.sorts_warm else [""]
    cutoff = found.primary.partition("@")[2]
    at_cutoff = [key for key in found.keys if key.partition("@")[2] in ("", cutoff) and key != found.primary]
    rest = [key for key in found.keys if key not in (found.primary, *at_cutoff)]
    for key in (found.primary, *at_cutoff[:5]):
        yield from (_scores(found, ranked, key, kind) for kind in (kinds if key == found.primary else kinds[:1]))
    for name, head, places in COSTS:
        yield head, [cost(each.costs.get(name), places) for each in ranked]
    for key in (*at_cutoff[5:], *rest):
        yield _scores(found, ranked, key, kinds[0])


def _scores(found: Board, ranked: Sequence[Standing], key: str, kind: str) -> tuple[str, list[str]]:
    figures = [(each.scores_warm if kind else each.scores).get(key) for each in ranked]
    return key + (" warm" if kind else ""), [score(figure, found.protocol, key) for figure in figures]


def _name(standing: Standing) -> str:
    return plain(standing.name) + (" *" if standing.first.baseline else "")


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"


def _paragraph(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, subsequent_indent="    ", break_long_words=True)


def _colored(lines: Sequence[str]) -> list[str]:
    """The title and the heading in bold; nothing else needs colour to be read."""
    return [f"{BOLD}{line}{END}" if place in (0, 2) and line else line for place, line in enumerate(lines)]

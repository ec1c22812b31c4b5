"""A board for the terminal: an aligned table that fits, in colour only where it is asked for. Pure."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence

from recbench.leaderboard import certainty
from recbench.leaderboard.columns import COSTS, Cell, Column, cells, main, others, primary
from recbench.leaderboard.standings import Board, Standing, board
from recbench.leaderboard.wording import cut, pad, plain, width
from recbench.records import Analysis, Record

NAME_WIDTH = 26
LEAST_NAME_WIDTH = 6
REASON_LENGTH = 300
GAP = "  "
TIES, MOST_TIES = "ties", 8
BOLD, DIM, RED, END = "\x1b[1m", "\x1b[2m", "\x1b[31m", "\x1b[0m"


def terminal(
    records: Iterable[Record],
    analysis: Analysis | None = None,
    *,
    width: int,
    color: bool,
    unavailable: Sequence[tuple[str, str]] = (),
) -> str:
    """The standings in at most `width` columns, the least important left out and counted.

    Args:
        records: of one protocol.
        analysis: what the statistics say of them.
        width: of the terminal.
        color: whether to use colour. What it says can be read without.
        unavailable: rows that cannot run here, each with the reason.
    """
    found = board(records, analysis)
    return terminal_board(found, width=width, color=color, unavailable=unavailable)


def terminal_board(found: Board, *, width: int, color: bool, unavailable: Sequence[tuple[str, str]] = ()) -> str:
    """The same of a board that is at hand. Arguments as `terminal`."""
    columns = _fitting(found, width)
    n_hidden = len(_all(found)) - len(columns)
    lines = [
        _painted(cut(plain(found.protocol["title"]), width), BOLD, color=color),
        *_wrapped(_legend(found, columns), width),
        "",
        *_table(found, columns, width, color=color),
    ]
    if n_hidden:
        lines += ["", *_wrapped(f"{n_hidden} more columns are in the file.", width)]
    troubles = [(each.name, str(each.trouble)) for each in found.standings if each.trouble]
    lines += [""] * bool(troubles or unavailable)
    for name, said in [*troubles, *_by_reason(unavailable)]:
        lines += _entry(name, said, width, color=color)
    return "\n".join(line.rstrip() for line in lines)


def _by_reason(unavailable: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Rows that cannot run for the same reason, together."""
    reasons = dict.fromkeys(reason for _, reason in unavailable)
    return [(", ".join(name for name, its in unavailable if its == reason), reason) for reason in reasons]


def _legend(found: Board, columns: Sequence[Column]) -> str:
    order = {"low": ", lower is better", "high": ", higher is better"}.get(found.best_of(found.primary), "")
    whose = " of users with a history" if found.sorts_warm else ""
    said = [f"sorted by {plain(found.primary)}{whose}{order}"]
    said += ["* baseline"] if any(each.first.baseline for each in found.ranked) else []
    said += ["rows that share a letter are tied"] if certainty.has_letters(found) else []
    said += ["± over folds and seeds"] if any(_has_spread(found, each) for each in columns) else []
    return "; ".join(said)


def _has_spread(found: Board, column: Column) -> bool:
    return any(cell is not None and cell.spread for cell in cells(found, column))


def _all(found: Board) -> list[Column]:
    return [*main(found), *(column for _, group in others(found) for column in group)]


def _by_importance(found: Board) -> list[Column]:
    """What to keep where not all fits: what sorts, its next of kin, the other kind's first, costs, the rest."""
    shown = [column for column in main(found) if column.kind != "cost"]
    has_cutoff = "@" in primary(found).key
    alike = [column for column in shown if ("@" in column.key) == has_cutoff]
    other = [column for column in shown if column not in alike]
    return list(dict.fromkeys([*alike[:3], *other[:1], *COSTS, *alike, *other, *_all(found)]))


def _fitting(found: Board, columns: int) -> list[Column]:
    """The most important columns that fit, in the order in which they stand in the file."""
    free = columns - _rank_width(found) - len(GAP) - _name_width(found, columns) - _ties_room(found)
    kept: list[Column] = []
    for column in _by_importance(found):
        free -= len(GAP) + _width(found, column)
        if free < 0:
            break
        kept.append(column)
    return [column for column in _all(found) if column in kept]


def _table(found: Board, columns: Sequence[Column], available: int, *, color: bool) -> Iterator[str]:
    ranked = [place for place, standing in enumerate(found.standings) if standing.rank is not None]
    if not ranked:
        return
    widths = [_width(found, column) for column in columns]
    first = _rank_width(found), _name_width(found, available)
    heads = [pad("#", first[0], right=True), pad("algorithm", first[1], right=False)]
    heads += [pad(_title(column), w, right=True) for column, w in zip(columns, widths, strict=True)]
    ties = _ties_width(found)
    if ties:
        heads.insert(3, pad(TIES, ties, right=False))
    yield _painted(cut(GAP.join(heads), available), BOLD, color=color)
    figures = [cells(found, column) for column in columns]
    for place in ranked:
        standing = found.standings[place]
        name = pad(cut(_name(standing), first[1]), first[1], right=False)
        row = [pad(certainty.rank(standing), first[0], right=True)]
        row.append(_painted(name, DIM, color=color and standing.first.baseline))
        row += [_cell(each[place], w, color=color) for each, w in zip(figures, widths, strict=True)]
        if ties:
            row.insert(3, pad(cut(standing.letters, ties), ties, right=False))
        yield GAP.join(row)


def _cell(cell: Cell | None, columns: int, *, color: bool) -> str:
    if cell is None:
        return " " * columns
    return _painted(pad(cell.text + cell.spread, columns, right=True), BOLD, color=color and cell.is_best)


def _width(found: Board, column: Column) -> int:
    shown = [cell for cell in cells(found, column) if cell is not None]
    return max([width(_title(column)), *(width(cell.text + cell.spread) for cell in shown)])


def _title(column: Column) -> str:
    return plain(column.title, NAME_WIDTH)


def _rank_width(found: Board) -> int:
    return max([1, *(len(certainty.rank(each)) for each in found.ranked)])


def _ties_width(found: Board) -> int:
    """Of the column of letters, behind what sorts; 0 where ties were not tested."""
    longest = max((len(each.letters) for each in found.ranked), default=0)
    return min(MOST_TIES, max(len(TIES), longest)) if longest else 0


def _ties_room(found: Board) -> int:
    taken = _ties_width(found)
    return taken + len(GAP) if taken else 0


def _name_width(found: Board, available: int) -> int:
    """As long as the longest name, if the column that sorts still fits beside it."""
    longest = max([len("algorithm"), *(width(_name(each)) for each in found.ranked)])
    left = available - _rank_width(found) - 2 * len(GAP) - _width(found, primary(found)) - _ties_room(found)
    return max(LEAST_NAME_WIDTH, min(NAME_WIDTH, longest, left))


def _name(standing: Standing) -> str:
    return plain(standing.name) + " *" * standing.first.baseline + " (external)" * standing.first.is_external


def _entry(name: str, said: str, columns: int, *, color: bool) -> list[str]:
    lines = _wrapped(f"{plain(name)}: {plain(said, REASON_LENGTH)}", columns)
    return [_painted(line, RED, color=color) if not place else line for place, line in enumerate(lines)]


def _wrapped(text: str, columns: int) -> list[str]:
    return textwrap.wrap(text, max(columns, LEAST_NAME_WIDTH), subsequent_indent="    ", break_on_hyphens=False)


def _painted(text: str, paint: str, *, color: bool) -> str:
    return f"{paint}{text}{END}" if color and text else text

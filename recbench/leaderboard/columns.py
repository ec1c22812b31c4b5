"""The columns of a board: which there are, what stands in them, which figure is best. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from recbench.leaderboard.standings import Board, Figure, Standing
from recbench.leaderboard.wording import cost, score

Kind = Literal["all", "warm", "cost"]

ARROWS = {"high": " ↑", "low": " ↓", "none": ""}


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A score over everybody, a score over users with a history ("warm"), or a cost.

    Attributes:
        key: the score's key, or the cost's name in `Costs`.
        title: what stands above it.
        places: decimals of a cost; scores have theirs by their range.
    """

    key: str
    kind: Kind
    title: str
    places: int = 0

    def figure(self, standing: Standing) -> Figure | None:
        """What a row has in this column."""
        if self.kind == "cost":
            return standing.costs.get(self.key)
        return (standing.scores if self.kind == "all" else standing.scores_warm).get(self.key)


COSTS = (
    Column(kind="cost", key="fit_seconds", title="fit s", places=2),
    Column(kind="cost", key="latency_p50_ms", title="ms/user", places=2),
    Column(kind="cost", key="peak_memory_mb", title="MB", places=0),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """What stands in a column: a figure, its spread over folds and seeds, and whether it is the best."""

    text: str
    spread: str = ""
    is_best: bool = False


def cells(board: Board, column: Column) -> list[Cell | None]:
    """A column, row by row; None where a row has no figure. All that look like the best are the best."""
    figures = [column.figure(standing) for standing in board.standings]
    shown = [None if figure is None else _shown(board, column, figure) for figure in figures]
    shown = [
        each and _as_stated(*each, column, standing) for standing, each in zip(board.standings, shown, strict=True)
    ]
    best = _best(board, column)
    return [
        each and Cell(text=each[0], spread=each[1], is_best=standing.rank is not None and each[0] == best)
        for standing, each in zip(board.standings, shown, strict=True)
    ]


def best_of(board: Board, column: Column) -> str:
    """Whether "high" or "low" is better in a column, or "none"."""
    return "low" if column.kind == "cost" else board.best_of(column.key)


def primary(board: Board) -> Column:
    """The column that sorts."""
    return _of(board, board.primary, "warm" if board.sorts_warm else "all")


def main(board: Board) -> list[Column]:
    """What a reader wants first: the column that sorts, its like at the same cut-off, the other kind, the costs.

    Ranking metrics come before rating metrics, unless a rating metric sorts.
    """
    first = primary(board)
    chosen = [first, *([_of(board, board.primary, "all")] if board.sorts_warm else [])]
    cutoff = _cutoff(board.primary) or str(max(board.evaluation["cutoffs"], default=""))
    for wanted in (cutoff, "") if _cutoff(board.primary) else ("", cutoff):
        chosen += [_of(board, key, first.kind) for key in board.keys if _cutoff(key) == wanted and key != first.key]
    return [*chosen, *COSTS]


def others(board: Board) -> list[tuple[str, list[Column]]]:
    """All scores that are not in the main table, in groups that belong together, each with a title."""
    seen = set(main(board))
    groups: dict[str, list[Column]] = {}
    # What belongs to the main table comes first: the same cut-off, and its kind of metrics.
    cutoffs = dict.fromkeys([_cutoff(column.key) for column in main(board)] + [_cutoff(key) for key in board.keys])
    kinds: tuple[Kind, ...] = ("warm", "all") if board.sorts_warm else ("all",)
    for cutoff in cutoffs:
        for kind in kinds:
            title = f"At {cutoff}" if cutoff else "Ratings"
            if board.sorts_warm:
                title += ", users with a history" if kind == "warm" else ", all users"
            found = [_of(board, key, kind) for key in board.keys if _cutoff(key) == cutoff]
            groups[title] = [column for column in found if column not in seen]
    return [(title, found) for title, found in groups.items() if found]


def _of(board: Board, key: str, kind: Kind) -> Column:
    suffix = f" ({kind})" if board.sorts_warm else ""
    return Column(key=key, kind=kind, title=key + suffix)


def _cutoff(key: str) -> str:
    return key.partition("@")[2]


def _shown(board: Board, column: Column, figure: Figure) -> tuple[str, str]:
    if column.kind == "cost":
        return cost(figure.mean, column.places), ""
    return score(figure, board.protocol, column.key)


def _as_stated(text: str, spread: str, column: Column, standing: Standing) -> tuple[str, str]:
    """A cost that nobody here measured says so."""
    return f"{text} stated" if _is_stated(column, standing) else text, spread


def _is_stated(column: Column, standing: Standing) -> bool:
    return column.kind == "cost" and standing.first.is_external


def _best(board: Board, column: Column) -> str | None:
    """How the best figure is shown; None where nothing is better, or all rows show the same."""
    wanted = best_of(board, column)
    measured = [each for each in board.ranked if not _is_stated(column, each)]
    figures = [figure for each in measured if (figure := column.figure(each)) is not None]
    if wanted == "none" or (column.kind == "cost" and not costs_compare(board)):
        return None
    shown = {_shown(board, column, figure)[0] for figure in figures}
    pick = max if wanted == "high" else min
    return _shown(board, column, pick(figures, key=_mean))[0] if len(shown) > 1 else None


def _mean(figure: Figure) -> float:
    return figure.mean


def costs_compare(board: Board) -> bool:
    """Whether no trials ran side by side, which makes costs depend on the neighbours, or on different machines."""
    known = [record.provenance for record in board.records]
    return all(each.get("jobs", 1) <= 1 and "cluster" not in each for each in known)


def grid(board: Board, columns: Sequence[Column]) -> list[list[Cell | None]]:
    """The columns side by side: row by row, then column by column."""
    return [list(row) for row in zip(*(cells(board, column) for column in columns), strict=True)]

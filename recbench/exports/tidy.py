"""A board as plain values: a row for each algorithm, and columns whose names say what stands in them. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TypeAlias

from recbench.errors import UnknownName
from recbench.leaderboard.columns import COSTS, Column
from recbench.leaderboard.standings import Board, Standing
from recbench.records import Costs

Value: TypeAlias = str | int | float | None
Type: TypeAlias = type[str] | type[int] | type[float]

ABOUT: Mapping[str, Type] = {
    "protocol": str,
    "fingerprint": str,
    "metrics_version": int,
    "rank": int,
    "rank_best": int,
    "rank_worst": int,
    "letters": str,
    "name": str,
    "algorithm": str,
    "distribution": str,
    "version": str,
    "status": str,
    "reason": str,
    "n_trials": int,
}
OF_A_SCORE = ("", "_spread", "_low", "_high")
INCOMPLETE = "incomplete"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tidy:
    """A table of values.

    Attributes:
        types: of what stands in each column, by its name, in their order. None may stand in any.
        rows: by column; the ranked ones in their order, then the others.
    """

    types: Mapping[str, Type]
    rows: tuple[Mapping[str, Value], ...]


def tidy(board: Board) -> Tidy:
    """All that is known of each row.

    There are the columns of `ABOUT`; for each score its mean, `_spread` (the standard deviation over folds and
    seeds), `_low` and `_high` (its 95 % interval over users); and the mean of each cost, whose name has the unit.
    """
    figures = columns(board)
    names = [name + part for name, column in figures.items() for part in _parts(column)]
    rows = tuple({**_about(board, each), **dict(_figures(board, figures, each))} for each in board.standings)
    return Tidy(types={**ABOUT, **dict.fromkeys(names, float)}, rows=rows)


def columns(board: Board) -> Mapping[str, Column]:
    """All columns of figures by the names that they have here: "ndcg@10", "ndcg@10_warm", "fit_seconds".

    `_warm` marks scores of users with a history, in boards that have both.
    """
    suffix = " (all)" if board.sorts_warm else ""
    found: dict[str, Column] = {}
    for key in board.keys:
        found[key] = Column(key=key, kind="all", title=f"{key}{suffix}")
        if board.sorts_warm:
            found[f"{key}_warm"] = Column(key=key, kind="warm", title=f"{key} (warm)")
    shown = {column.key: column for column in COSTS}
    for cost in fields(Costs):
        title = cost.name.replace("_", " ")
        found[cost.name] = shown.get(cost.name, Column(key=cost.name, kind="cost", title=title, places=2))
    return found


def chosen(board: Board, names: Sequence[str]) -> list[Column]:
    """The columns of these names.

    Raises:
        UnknownName: the board has no such column.
    """
    known = columns(board)
    for name in names:
        if name not in known:
            raise UnknownName.among("column", name, known, fix=f"give one of: {', '.join(known)}")
    return [known[name] for name in names]


def _parts(column: Column) -> tuple[str, ...]:
    return ("",) if column.kind == "cost" else OF_A_SCORE


def _about(board: Board, standing: Standing) -> dict[str, Value]:
    first = standing.first
    best, worst = standing.ranks or (None, None)
    return {
        "protocol": str(board.protocol["name"]),
        "fingerprint": str(board.protocol["fingerprint"]),
        "metrics_version": first.metrics_version,
        "rank": standing.rank,
        "rank_best": best,
        "rank_worst": worst,
        "letters": standing.letters or None,
        "name": standing.name,
        "algorithm": first.algorithm,
        "distribution": first.distribution,
        "version": first.version,
        "status": _status(standing),
        "reason": None if standing.trouble is None else str(standing.trouble),
        "n_trials": len(standing.records),
    }


def _status(standing: Standing) -> str:
    """That of the first trial that was not ok; "incomplete" where trials are missing."""
    if standing.failures:
        return standing.failures[0].status.value
    return "ok" if standing.scores else INCOMPLETE


def _figures(board: Board, known: Mapping[str, Column], standing: Standing) -> Iterator[tuple[str, Value]]:
    for name, column in known.items():
        figure = column.figure(standing)
        if column.kind == "cost":
            yield name, None if figure is None else figure.mean
            continue
        sorts = (column.kind == "warm") == board.sorts_warm
        low, high = standing.intervals.get(column.key, (None, None)) if sorts else (None, None)
        mean, spread = (None, None) if figure is None else (figure.mean, figure.spread)
        yield from zip((name + part for part in OF_A_SCORE), (mean, spread, low, high), strict=True)

"""Comparisons as tables of text, for the terminal and as Markdown. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from recbench.comparing.contrasts import QUANTILES, Compared, Comparison, Contrast, GroupContrast, RowFigure
from recbench.comparing.regressions import Change, Regressions
from recbench.leaderboard.wording import escape
from recbench.statistics import Interval

MOST_PAIRS = 6
"""Pairs are shown one by one up to here; more of them are told by letters, and by `--json`."""
ARROWS = {"high": " ↑", "low": " ↓"}
TESTS = {
    "permutation": "sign-flip permutation, corrected over all pairs by the greatest statistic",
    "wilcoxon": "Wilcoxon's signed-rank test, corrected over all pairs by Holm",
    "t": "Student's paired t test, corrected over all pairs by Holm",
}
KINDS = {
    "activity": "how active users are",
    "popularity": "how popular the test items are",
    "tags": "tags of the test items",
}
VERDICTS = {
    "worse": "worse",
    "better": "better",
    "same": "the same for every user",
    "unsure": "no sure difference",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A title, the names of columns, rows of cells, and a sentence below."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


def tables_of(found: Comparison) -> Iterator[Table]:
    """The rows and pairs of each metric, then the groups."""
    for each in found.metrics:
        yield from _of_metric(each)
    yield from _of_groups(found.groups)


def summary(found: Comparison) -> Iterator[str]:
    """What holds for all tables, in sentences."""
    yield f"{found.title}, over {found.population}, paired by user."
    yield "Intervals are 95 %, by bootstrap over users; ± is the standard deviation between seeds and folds."
    yield f"p: {TESTS[found.test]}, metric by metric. Rows that share a letter cannot be told apart at 5 %."
    yield "Effect: mean difference / standard deviation of the users' differences. Wins: the first is better for them."
    if found.groups:
        yield "Intervals of groups are not corrected for the number of groups: they say where to look."
    for name, why in found.left_out.items():
        yield f"Left out: {name}, {why}."


def changes_table(found: Regressions) -> Table:
    """What changed, row by row."""
    return Table(
        title=f"{found.protocol} against {found.folder}",
        header=("row", "score", "before", "now", "difference", "95 % interval", "verdict"),
        rows=tuple(_change(each) for each in found.changes),
        note="Worse: the whole 95 % interval of the difference, paired by user, is on the worse side of zero.",
    )


def notes_of(found: Regressions) -> Iterator[str]:
    """What could not be compared, in sentences."""
    if found.new:
        yield f"New, with nothing to compare with: {', '.join(found.new)}."
    for name, why in found.left_out:
        yield f"Left out: {name}, {why}."


def markdown(tables: Sequence[Table], sentences: Sequence[str]) -> str:
    """GitHub-flavoured Markdown; what strangers wrote is escaped."""
    parts = [_markdown(each) for each in tables]
    return "\n\n".join([*parts, *([" ".join(map(escape, sentences))] if sentences else [])]) + "\n"


def _markdown(table: Table) -> str:
    sides = [":--" if column < 1 else "--:" for column in range(len(table.header))]
    lines = [f"| {' | '.join(map(escape, row))} |" for row in (table.header, *table.rows)]
    lines.insert(1, f"| {' | '.join(sides)} |")
    return "\n\n".join(part for part in (f"### {escape(table.title)}", "\n".join(lines), escape(table.note)) if part)


def _of_metric(each: Compared) -> Iterator[Table]:
    title = f"{each.key}{ARROWS.get(each.best, '')}"
    without = f"Without it: {', '.join(each.without)}." if each.without else ""
    if not each.rows:
        return
    if not each.contrasts:
        reason = "A figure over all lists at once: no interval over users, no paired test."
        header, rows = ("row", "score", "±"), tuple((r.name, _score(r.mean), _spread(r)) for r in each.rows)
        yield Table(title=title, header=header, rows=rows, note=" ".join(filter(None, (reason, without))))
        return
    yield _without_empty(
        Table(
            title=f"{title}, {each.n_users:,} users",
            header=("row", "score", "95 % interval", "±", "ranks", "letters"),
            rows=tuple(_row(row) for row in each.rows),
            note=without,
        )
    )
    if len(each.contrasts) <= MOST_PAIRS:
        yield Table(
            title=f"{title}, differences",
            header=("pair", "difference", "95 % interval", "p", "effect", "wins", "ties", "losses"),
            rows=tuple(_contrast(pair) for pair in each.contrasts),
        )
        yield Table(
            title=f"{each.key}, differences of single users",
            header=("pair", *(f"{quantile:.0%}".replace("%", " %") for quantile in QUANTILES)),
            rows=tuple((_pair(pair), *map(_signed, pair.scatter)) for pair in each.contrasts),
            note="That share of the users has no greater difference.",
        )


def _of_groups(groups: Sequence[GroupContrast]) -> Iterator[Table]:
    """A table for each kind of groups."""
    for kind in dict.fromkeys(each.kind for each in groups):
        chosen = [each for each in groups if each.kind == kind]
        greatest = max(chosen, key=lambda each: abs(each.difference.estimate))
        yield Table(
            title=f"{chosen[0].score} by {KINDS[kind]}",
            header=("pair", "group", "first", "second", "difference", "95 % interval"),
            rows=tuple(_group(each) for each in chosen),
            note=f"They differ most in: {greatest.group} ({greatest.first} and {greatest.second}).",
        )


def _without_empty(table: Table) -> Table:
    """Without columns in which nothing stands."""
    kept = [column for column in range(len(table.header)) if any(row[column] for row in table.rows)]
    header, *rows = (tuple(row[column] for column in kept) for row in (table.header, *table.rows))
    return replace(table, header=header, rows=tuple(rows))


def _row(row: RowFigure) -> tuple[str, ...]:
    assert row.interval is not None
    low, high = row.ranks or (0, 0)
    ranks = f"{low}" if low == high else f"{low} to {high}"
    return row.name, _score(row.mean), _interval(row.interval), _spread(row), ranks, row.letters


def _contrast(pair: Contrast) -> tuple[str, ...]:
    counts = tuple(f"{n:,}" for n in (pair.wins, pair.ties, pair.losses))
    return (
        _pair(pair),
        _signed(pair.difference.estimate),
        _interval(pair.difference),
        _p(pair.p),
        _effect(pair.effect),
        *counts,
    )


def _pair(pair: Contrast) -> str:
    return f"{pair.first} − {pair.second}"  # noqa: RUF001


def _group(each: GroupContrast) -> tuple[str, ...]:
    first, second = map(_score, each.means)
    name = f"{each.first} − {each.second}"  # noqa: RUF001
    return name, each.group, first, second, _signed(each.difference.estimate), _interval(each.difference)


def _change(each: Change) -> tuple[str, ...]:
    return (
        each.name,
        each.key + ARROWS.get(each.best, ""),
        _score(each.before),
        _score(each.now),
        _signed(each.difference.estimate),
        _interval(each.difference),
        VERDICTS[each.verdict],
    )


def _score(value: float) -> str:
    return f"{value:.4f}"


def _signed(value: float) -> str:
    return f"{value:+.4f}".replace("+0.0000", "0.0000").replace("-0.0000", "0.0000")


def _interval(interval: Interval) -> str:
    return f"{_score(interval.low)} to {_score(interval.high)}".replace("-0.0000", "0.0000")


def _spread(row: RowFigure) -> str:
    return "" if row.spread is None else _score(row.spread)


def _p(p: float) -> str:
    return f"{p:.4f}" if p >= 0.0001 else "<0.0001"


def _effect(effect: float) -> str:
    return f"{effect:+.3f}" if math.isfinite(effect) else ("all" if effect > 0 else "-all")

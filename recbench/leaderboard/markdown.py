"""A board as Markdown: reads well on GitHub and as it is. Pure: the same records give the same bytes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from recbench.leaderboard.facts import command, data_facts, machines, rules, warnings
from recbench.leaderboard.standings import Board, Standing, board, metric_of
from recbench.leaderboard.wording import COSTS, REASON_LENGTH, cost, escape, places_of, score
from recbench.records import Record

Column = tuple[str, str]
"""A score's key, and "" for everybody or "warm" for users with a history."""


def render(records: Iterable[Record]) -> str:
    """The leaderboard of one protocol.

    Raises:
        BadRecord: the records are of several protocols or metric versions, or there are none.
    """
    found = board(records)
    return "\n\n".join(part for part in _parts(found) if part) + "\n"


def _parts(found: Board) -> Iterator[str]:
    protocol = found.protocol
    yield f"# {escape(protocol['title'])}"
    yield _summary(found)
    yield _table(found, _main_columns(found), with_costs=True)
    yield _marks(found)
    rest = [column for column in _all_columns(found) if column not in _main_columns(found)]
    if rest:
        whole = _table(found, [_sorting(found), *rest], with_costs=False)
        yield f"<details>\n<summary>All other cut-offs</summary>\n\n{whole}\n\n</details>"
    yield "## What was run\n\n" + _list([*data_facts(found), *rules(found)])
    if notes := warnings(found):
        yield "## Mind\n\n" + "\n".join(f"- {note}" for note in notes)
    yield "## What the columns mean\n\n" + _list(_definitions(found))
    yield "## The machine\n\n" + "\n".join(f"- {machine}" for machine in machines(found))
    yield "## Make it again\n\n```console\n$ " + command(found) + "\n```"


def _summary(found: Board) -> str:
    ranked = [standing for standing in found.standings if standing.rank is not None]
    order = "lower" if found.best_of(found.primary) == "low" else "higher"
    who = ", users with a history" if found.sorts_warm else ""
    rows = (
        f"{len(ranked)} of {len(found.standings)} algorithms ranked"
        if len(ranked) < len(found.standings)
        else (f"{len(ranked)} algorithm{'s' if len(ranked) != 1 else ''} ranked")
    )
    return (
        f"{rows} by **{escape(found.primary)}**{who} ({order} is better). Best in each column in bold; "
        "*italics*: a baseline. ± is the standard deviation over folds and seeds."
    )


def _sorting(found: Board) -> Column:
    return found.primary, "warm" if found.sorts_warm else ""


def _all_columns(found: Board) -> list[Column]:
    kinds = ("warm", "") if found.sorts_warm else ("",)
    return [(key, kind) for key in found.keys for kind in kinds]


def _main_columns(found: Board) -> list[Column]:
    """The column that sorts, then everything without a cut-off or at that of the primary metric."""
    cutoff = found.primary.partition("@")[2]
    if not cutoff:
        cutoff = str(max(found.protocol["deciding"]["evaluation"]["cutoffs"]))
    first = _sorting(found)
    kind = first[1]
    here = [
        (key, kind) for key in found.keys if key.partition("@")[2].partition("~")[0] in ("", cutoff.partition("~")[0])
    ]
    shown = [first, *(column for column in here if column != first)]
    return shown if not kind else [first, (found.primary, ""), *shown[1:]]


def _table(found: Board, columns: Sequence[Column], *, with_costs: bool) -> str:
    costs = COSTS if with_costs else ()
    heads = ["#", "algorithm", *map(_heading, columns), *(heading for _, heading, _ in costs)]
    bold = {column: _best(found, column) for column in columns}
    rows = [heads, ["--:", ":--", *["--:"] * (len(heads) - 2)]]
    for standing in found.standings:
        cells = [_bold(_score(found, standing, column), bold[column]) for column in columns]
        cells += [cost(standing.costs.get(name), places) for name, _, places in costs]
        rows.append([str(standing.rank or "-"), _name(standing), *cells])
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def _heading(column: Column) -> str:
    key, kind = column
    return escape(key) + (" (warm)" if kind else "")


def _score(found: Board, standing: Standing, column: Column) -> str:
    key, kind = column
    figures = standing.scores_warm if kind else standing.scores
    return score(figures.get(key), found.protocol, key)


def _best(found: Board, column: Column) -> str | None:
    """How the best figure of a column is shown; all rows that show it are best."""
    key, kind = column
    best = found.best_of(key)
    figures = [(each.scores_warm if kind else each.scores).get(key) for each in found.standings if each.rank]
    means = [figure.mean for figure in figures if figure is not None]
    if best == "none" or len(means) < 2:
        return None
    return f"{(max if best == 'high' else min)(means):.{places_of(found.protocol, key)}f}"


def _bold(cell: str, best: str | None) -> str:
    return f"**{cell}**" if best is not None and cell.partition(" ")[0] == best else cell


def _name(standing: Standing) -> str:
    first = standing.first
    label = escape(standing.name)
    label = f"*{label}*" if first.baseline else label
    whose = f"<sub>{escape(first.distribution)} {escape(first.version)}</sub>"
    why = f"<br>**{escape(standing.why_unranked, REASON_LENGTH)}**" if standing.why_unranked else ""
    return f"{label} {whose}{why}"


def _marks(found: Board) -> str:
    """What belongs to single rows: how parameters came about, seeds, ties, fallbacks."""
    lines = []
    for standing in found.standings:
        said = list(_marks_of(standing))
        if said:
            lines.append(f"- {escape(standing.name)}: {'; '.join(said)}")
    return "**Rows**\n\n" + "\n".join(lines) if lines else ""


def _marks_of(standing: Standing) -> Iterator[str]:
    first = standing.first
    if first.protocol.get("tuned"):
        yield f"tuned with {first.protocol['tuned']} trials on the validation part"
    if first.protocol.get("settings"):
        yield "parameters set by hand"
    n_seeds = len({record.seed for record in standing.records})
    if n_seeds > 1:
        yield f"{n_seeds} model seeds"
    for mark in sorted({mark for record in standing.records for mark in record.marks}):
        yield escape(mark)
    fallbacks = sum(record.counts.get("fallbacks", 0) for record in standing.records)
    pairs = sum(record.counts.get("pairs", 0) for record in standing.records)
    if fallbacks and pairs:
        yield f"{fallbacks:,} of {pairs:,} predictions are the training mean, for want of its own"
    short = sum(record.counts.get("users_short_list", 0) for record in standing.records)
    if short:
        yield f"{short:,} users with a short list or none"


def _definitions(found: Board) -> Iterator[tuple[str, str]]:
    for name in dict.fromkeys(key.partition("@")[0] for key in found.keys):
        metric = metric_of(found.protocol, name)
        best = {"high": " Higher is better.", "low": " Lower is better."}.get(str(metric.get("best")), "")
        yield escape(name), escape(metric.get("definition", "")) + "." * bool(metric.get("definition")) + best
    yield "fit s", "seconds of training. Measured, as all costs; the mean over trials."
    yield "ms/user", "milliseconds to rank for one user on request, the median."
    yield "MB", "peak private memory of the trial's process, sampled."


def _list(facts: Iterable[tuple[str, str]]) -> str:
    return "\n".join(f"- **{name}**: {text}" for name, text in facts if text)

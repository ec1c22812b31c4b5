"""A board as Markdown: reads well on GitHub and as it is. Pure: the same records give the same bytes."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable, Iterator, Sequence

from recbench.leaderboard import certainty, facts, notes
from recbench.leaderboard.columns import ARROWS, Cell, Column, best_of, grid, main, others, primary
from recbench.leaderboard.commands import commands
from recbench.leaderboard.standings import Board, Standing, board, metric_of, parameters_of
from recbench.leaderboard.wording import escape, pad, plain, width
from recbench.protocols.spec import canonical
from recbench.records import Analysis, Record

REASON_LENGTH = 90
PARAMETERS_LENGTH = 200
HASH_LENGTH = 10
NO_BREAK, NO_BREAK_ENTITY, NO_BREAK_HYPHEN = "\u00a0", "&nbsp;", "\u2011"
MADE_BY = "<!-- Made by `recbench render` from the records: edits of this file are lost. -->"
"""The first line of a board; a file that begins with it is held against the records."""


def render(records: Iterable[Record], analysis: Analysis | None = None) -> str:
    """The leaderboard of one protocol.

    Raises:
        BadRecord: the records are of several protocols or metric versions, or there are none.
    """
    return render_board(board(records, analysis))


def render_board(found: Board) -> str:
    """A board as Markdown."""
    return "\n\n".join(part for part in _parts(found) if part) + "\n"


def _parts(found: Board) -> Iterator[str]:
    yield f"{MADE_BY}\n# {escape(found.protocol['title'])}"
    yield " · ".join(f"**{name}** {text}" for name, text in facts.in_short(found) if text)
    yield legend(found)
    yield _table(found, main(found), name=_name, extra=_sureness(found))
    yield tuning(found)
    for title, columns in others(found):
        yield _folded(title, _table(found, [primary(found), *columns], name=_bare_name))
    if certainty.is_analysed(found):
        yield _folded("Intervals: 95 %, over users", _intervals(found))
    for each in certainty.groups(found, found.primary):
        yield _folded(each.title, _groups(found, each))
    yield _folded("Parameters, seeds and code", _details(found))
    yield _section("Trade-offs", _trade_offs(found))
    yield _section("Not ok", _bullets(notes.failures(found)))
    yield _section("Warnings", _bullets(notes.warnings(found)))
    yield _section("Metrics", _facts(definitions(found)))
    yield _section("What was run", _facts([*facts.data_facts(found), *facts.rules(found)]))
    yield facts.splits(found)
    yield _section("Machine", _bullets(facts.machines(found)))
    yield _section("Make it again", _fenced("\n".join(f"$ {command}" for command in commands(found))))


def legend(found: Board) -> str:
    """How many rows there are, what sorts them, and what the marks mean, in Markdown."""
    n, n_ranked = len(found.standings), len(found.ranked)
    rows = f"{n} algorithm{'s' * (n != 1)}" + (f", {n_ranked} of them ranked" if n_ranked < n else "")
    whose = " of users with a history" if found.sorts_warm else ""
    order = {"low": " (lower is better)", "high": " (higher is better)"}.get(found.best_of(found.primary), "")
    baselines = ", *baselines* in italics" if any(each.first.baseline for each in found.standings) else ""
    sure = f". {certainty.MEANING}" if certainty.has_letters(found) else ""
    return f"{rows}, by **{escape(found.primary)}**{whose}{order}. Best in **bold**{baselines}{_spread(found)}{sure}."


def _spread(found: Board) -> str:
    """What ± is over; nothing where no row has several trials."""
    if all(len(each.records) == 1 for each in found.standings):
        return ""
    several = {
        "folds": len({record.fold for record in found.records}) > 1,
        "model seeds": any(len({record.seed for record in each.records}) > 1 for each in found.standings),
    }
    return f". ± is the standard deviation over {' and '.join(name for name, is_so in several.items() if is_so)}"


TIES = "ties"
Extra = tuple[str, Sequence[str]]
"""A column of text behind the one that sorts: its head, and a cell for each row."""


def _table(
    found: Board, columns: Sequence[Column], *, name: Callable[[Standing], str], extra: Sequence[Extra] = ()
) -> str:
    first, *rest = [_head(found, each) for each in columns]
    heads = ["#", "algorithm", first, *(head for head, _ in extra), *rest]
    rows = []
    for place, (standing, row) in enumerate(zip(found.standings, grid(found, columns), strict=True)):
        first, *rest = map(_cell, row)
        rows.append([rank_of(standing), name(standing), first, *(cells[place] for _, cells in extra), *rest])
    return aligned(heads, rows, left=(1, *(heads.index(TIES) for head, _ in extra if head == TIES)))


def _sureness(found: Board) -> list[Extra]:
    """The interval of what sorts, and the letters of ties, as far as they are known."""
    extra: list[Extra] = []
    if certainty.is_analysed(found):
        shown = [certainty.interval(found, each, found.primary) for each in found.standings]
        extra.append(("95 % interval", list(map(_unbroken, shown))))
    if certainty.has_letters(found):
        extra.append((TIES, [each.letters for each in found.standings]))
    return extra


def rank_of(standing: Standing) -> str:
    """The ranks that a row may have, in Markdown that does not part them."""
    shown = certainty.rank(standing)
    return shown if standing.rank is None else shown.replace("-", NO_BREAK_HYPHEN)


def _intervals(found: Board) -> str:
    keys = certainty.keys(found)
    rows = [
        [rank_of(each), _bare_name(each), *(_unbroken(certainty.interval(found, each, key)) for key in keys)]
        for each in found.standings
    ]
    return aligned(["#", "algorithm", *map(escape, keys)], rows)


def _groups(found: Board, groups: certainty.Groups) -> str:
    rows = [
        [rank_of(standing), _bare_name(standing), *map(_unbroken, row)]
        for standing, row in zip(found.standings, groups.rows, strict=True)
    ]
    return aligned(["#", "algorithm", *map(escape, groups.heads)], rows)


def _head(found: Board, column: Column) -> str:
    """A title, with an arrow where it is not plain which way is better."""
    return escape(column.title) + ("" if column.kind == "cost" else _unbroken(ARROWS[best_of(found, column)]))


def _cell(cell: Cell | None) -> str:
    if cell is None:
        return ""
    return (f"**{cell.text}**" if cell.is_best else cell.text) + _unbroken(cell.spread)


def _unbroken(text: str) -> str:
    return text.replace(" ", NO_BREAK)


def aligned(heads: Sequence[str], rows: Sequence[Sequence[str]], *, left: Sequence[int] = (1,)) -> str:
    """A table in columns of one width, so that the text itself can be read; a cell with a reason may stick out.

    Args:
        left: the columns that hold text, and not figures.
    """
    widths = [
        max(width(head), 3, *(width(row[place]) for row in rows if "<br>" not in row[place]))
        for place, head in enumerate(heads)
    ]
    rule = [":" + "-" * (w - 1) if place in left else "-" * (w - 1) + ":" for place, w in enumerate(widths)]
    padded = [
        [pad(cell, w, right=place not in left) for place, (cell, w) in enumerate(zip(row, widths, strict=True))]
        for row in (heads, *rows)
    ]
    padded[0] = [_unfolded(cell) if place in left else cell for place, cell in enumerate(padded[0])]
    return "\n".join(f"| {' | '.join(row)} |" for row in (padded[0], rule, *padded[1:]))


def _unfolded(head: str) -> str:
    """Have a column as wide as its head is padded: browsers fold texts before they let a wide table be scrolled.

    The entity keeps readers of Markdown from cutting off the blanks before it.
    """
    n_blanks = len(head) - len(head.rstrip(" "))
    if n_blanks <= len(NO_BREAK_ENTITY):
        return head
    return head.rstrip(" ") + NO_BREAK * (n_blanks - len(NO_BREAK_ENTITY)) + NO_BREAK_ENTITY


def _bare_name(standing: Standing) -> str:
    name = escape(standing.name)
    return f"*{name}*" if standing.first.baseline else name


def _name(standing: Standing) -> str:
    """The algorithm, whose it is, and why it is not ranked."""
    first = standing.first
    mark = "baseline, " if first.baseline else ""
    shown = f"{_bare_name(standing)} <sub>{mark}{escape(f'{first.distribution} {first.version}')}</sub>"
    if standing.trouble is None:
        return shown
    reason = f": {escape(standing.trouble.reason, REASON_LENGTH)}" if standing.trouble.reason else ""
    return f"{shown}<br>**{escape(standing.trouble.what)}**{reason}"


def tuning(found: Board) -> str:
    """How the parameters were chosen, in a sentence of Markdown; `_details` has them row by row."""
    tuned = {each.name: each.first.protocol.get("tuned") for each in found.standings}
    budgets = {budget for budget in tuned.values() if budget}
    if not budgets:
        return (
            "No tuning trials are on record for this protocol: each algorithm has its defaults, or what the protocol "
            "says. Many of recbench's own defaults were chosen on the validation part of MovieTweetings."
        )
    shown = ", ".join(f"{escape(name)} ({budget})" for name, budget in tuned.items() if budget)
    rest = "" if all(tuned.values()) else "; all others have their defaults, or what the protocol says"
    return f"Tuned on the validation part, with the number of trials: {shown}{rest}."


def _trade_offs(found: Board) -> str:
    fronts = _bullets(notes.trade_offs(found))
    return fronts and f"Each row not named here is beaten by one that costs no more and scores no worse.\n\n{fronts}"


def _details(found: Board) -> str:
    rows = [
        [
            rank_of(each),
            _bare_name(each),
            _parameters(each),
            tuned_of(each.first),
            seeds_of(each),
            str(len({record.fold for record in each.records})),
            code_of(each.first),
        ]
        for each in found.standings
    ]
    heads = ["#", "algorithm", "parameters", "tuned", "model seeds", "folds", "code"]
    return aligned(heads, rows, left=(1, 2, 3, 6))


def _parameters(standing: Standing) -> str:
    if standing.first.is_external:
        return "not known"
    given = parameters_of(standing.first)
    shown = ", ".join(f"{name} = {canonical(value)}" for name, value in sorted(given.items()))
    return escape(shown, PARAMETERS_LENGTH) or "defaults"


def tuned_of(record: Record) -> str:
    """How the parameters were chosen, as far as anybody says, in Markdown."""
    if record.protocol.get("settings"):
        return "by hand"
    if trials := record.protocol.get("tuned"):
        return f"{trials} trials"
    return escape(record.provenance.get("tuned_on") or "unknown", PARAMETERS_LENGTH)


def seeds_of(standing: Standing) -> str:
    """The model seeds of a row's trials."""
    if standing.first.is_external:
        return "not known"
    seeds = ", ".join(map(str, sorted({record.seed for record in standing.records})))
    return f"{seeds} (deterministic)" if standing.first.deterministic else seeds


def code_of(record: Record) -> str:
    """The commit or the hash of what ran, where the version does not tell it, in Markdown."""
    source = record.identity.get("algorithm", {}).get("source")
    if record.is_external:
        return f"lists {escape((source or '')[:HASH_LENGTH])}"
    if git := record.provenance.get("git"):
        return f"commit {escape(git[:HASH_LENGTH])}{' and changes' * git.endswith('+')}"
    return f"source {escape(source[:HASH_LENGTH])}" if source else f"version {escape(record.version)}"


def definitions(found: Board) -> Iterator[tuple[str, str]]:
    """What each column means: metrics as the records define them, and costs. Texts are Markdown."""
    shown = [column.key for column in main(found) if column.kind != "cost"]
    for name in dict.fromkeys(key.partition("@")[0] for key in (*shown, *found.keys)):
        metric = metric_of(found.protocol, name)
        best = {"high": " Higher is better.", "low": " Lower is better."}.get(str(metric.get("best")), "")
        definition = escape(metric.get("definition", "")).rstrip(".")
        yield escape(name), f"{definition}.{best}" if definition else best.strip()
    if found.sorts_warm:
        yield "(warm), (all)", "over users with a history in train, and over everybody."
    stated = " Those marked as stated are not measured." if any(r.is_external for r in found.records) else ""
    yield "fit s", f"seconds of training. Costs are measured, and means over the trials of a row.{stated}"
    yield "ms/user", "milliseconds to rank for one user on request, the median."
    yield "MB", "peak private memory of the trial's process, sampled."


def _facts(said: Iterable[tuple[str, str]]) -> str:
    return _bullets(f"**{name}**: {text}" for name, text in said if text)


def _bullets(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _section(title: str, text: str) -> str:
    return f"## {title}\n\n{text}" if text else ""


def _folded(title: str, text: str) -> str:
    """Shown on a click. The title is HTML, where Markdown's escapes would be seen."""
    return f"<details>\n<summary>{html.escape(plain(title))}</summary>\n\n{text}\n\n</details>"


def _fenced(text: str) -> str:
    """A block that no line of `text` can end."""
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}console\n{text}\n{fence}"

"""An index as Markdown. The same publications, checked with the same data, give the same bytes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from recbench.errors import RecbenchError
from recbench.indexing.merging import Agreement, Index, Repeat, Row, Table
from recbench.indexing.publications import Checked, Published
from recbench.leaderboard import facts
from recbench.leaderboard.columns import ARROWS, Cell, Column, best_of, grid, main
from recbench.leaderboard.markdown import NO_BREAK, aligned, code_of
from recbench.leaderboard.standings import Standing, parameters_of
from recbench.leaderboard.wording import code, count, escape
from recbench.protocols.spec import canonical
from recbench.records import Record, write_whole

PAGE = "README.md"
MADE_BY = "<!-- Made by `recbench index` from publications: edits of this file are lost. -->"
"""The first line of an index; a file without it is not written over."""

SCORES = 4
"""Columns of scores; all others are on the publications' own boards."""

PARAMETERS_LENGTH, REASON_LENGTH, NAME_LENGTH = 100, 200, 120
MOST_LEFT_OUT = 1000


def write(index: Index, output: Path) -> Path:
    """Write the page of an index to a folder.

    Raises:
        RecbenchError: something else of that name is there, or it cannot be written.
    """
    path = output / PAGE
    if os.path.lexists(path) and not _is_index(path):
        raise RecbenchError(f"{path} is there, and is no index", fix="give another folder with -o")
    write_whole(path, render(index, output).encode())
    return path


def _is_index(path: Path) -> bool:
    if path.is_symlink() or not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(MADE_BY)) == MADE_BY.encode()


def render(index: Index, output: Path) -> str:
    """The page, with links as they are from the folder `output`."""
    parts = [f"{MADE_BY}\n# Index of publications", _how_many(index), _publications(index, output)]
    for table in index.tables:
        parts += _section(index, table, output)
    parts += [_left_out(index), _notes()]
    return "\n\n".join(part for part in parts if part) + "\n"


def _how_many(index: Index) -> str:
    rows = [row for table in index.tables for row in table.rows]
    anew = sum(row.checked is Checked.ANEW for row in rows)
    again = sum(any(each.is_of_another for each in row.repeats) for row in rows)
    left_out = f" {_n(len(index.left_out), 'thing')} left out, or not as it should be: see below."
    return (
        f"{_n(len(index.publications), 'publication')}, {_n(len(index.tables), 'protocol')}, {_n(len(rows), 'row')}: "
        f"{count(anew)} scored anew for this index, {count(again)} run by several publishers."
    ) + left_out * bool(index.left_out)


def _n(n: int, what: str) -> str:
    return f"{count(n)} {what}" + ("" if n == 1 else "s")


def _publications(index: Index, output: Path) -> str:
    rows = [
        [
            str(number),
            _by(each),
            f"[{escape(each.folder.resolve().name, NAME_LENGTH)}]({_link(each.folder, output)})",
            count(len(each.records)),
            "yes" if each.has_checksums else "no",
            _whole(each),
        ]
        for number, each in enumerate(index.publications, 1)
    ]
    heads = ["#", "published by", "folder", "records", "checksums", "holds"]
    return f"## Publications\n\n{aligned(heads, rows, left=(1, 2, 4, 5))}"


def _by(publication: Published) -> str:
    return escape(publication.by) if publication.by else "not said"


def _whole(publication: Published) -> str:
    n = len(publication.findings) + sum(bool(each.fault) for each in publication.records)
    if n:
        return f"no: {_n(n, 'thing')}"
    missing = sum(each.checked is Checked.NO_DATA for each in publication.records)
    return f"as far as it was checked: no data for {_n(missing, 'record')}" if missing else "yes"


def _section(index: Index, table: Table, output: Path) -> Iterator[str]:
    found = table.board
    yield f"## {escape(found.protocol['title'], NAME_LENGTH)}"
    protocol = f"{escape(found.protocol['name'], NAME_LENGTH)}, fingerprint {code(found.protocol['fingerprint'][:16])}"
    said = [("Protocol", protocol), *facts.in_short(found)]
    yield " · ".join(f"**{name}** {text}" for name, text in said if text)
    columns = [column for column in main(found) if column.kind != "cost"][:SCORES]
    heads = [
        "#",
        "algorithm",
        *(_head(table, each) for each in columns),
        "published by",
        "checked",
        "run again",
        "records",
    ]
    rows = [
        [
            "-" if row.standing.rank is None else str(row.standing.rank),
            _algorithm(row.standing),
            *map(_cell, cells),
            f"{_by(index.publications[row.number - 1])} ({row.number})",
            _checked(index, row),
            "<br>".join(_repeat(each) for each in row.repeats) or "no",
            _records(index, row, output),
        ]
        for row, cells in zip(table.rows, grid(found, columns), strict=True)
    ]
    n = len(columns) + 2
    yield aligned(heads, rows, left=(1, n, n + 1, n + 2, n + 3))


def _head(table: Table, column: Column) -> str:
    return escape(column.title, NAME_LENGTH) + ARROWS[best_of(table.board, column)]


def _cell(cell: Cell | None) -> str:
    if cell is None:
        return ""
    return (f"**{cell.text}**" if cell.is_best else cell.text) + cell.spread.replace(" ", NO_BREAK)


def _algorithm(standing: Standing) -> str:
    """Name, plugin and version, code, parameters; and why it is not ranked."""
    first = standing.first
    plugin = escape(f"{first.distribution} {first.version}", NAME_LENGTH)
    given = ", ".join(f"{name} = {canonical(value)}" for name, value in sorted(parameters_of(first).items()))
    said = [plugin, *_code(first), *([escape(given, PARAMETERS_LENGTH)] if given else [])]
    shown = f"{escape(standing.name, NAME_LENGTH)} <sub>{', '.join(said)}</sub>"
    if standing.trouble is None:
        return shown
    reason = f": {escape(standing.trouble.reason, REASON_LENGTH)}" if standing.trouble.reason else ""
    return f"{shown}<br>**{escape(standing.trouble.what)}**{reason}"


def _code(record: Record) -> list[str]:
    """The commit or the hash of what ran, where the version does not tell it."""
    return [code_of(record)] if record.identity.get("algorithm", {}).get("source") else []


def _checked(index: Index, row: Row) -> str:
    has_more = bool(index.publications[row.number - 1].findings)
    return row.checked.value + ("; its publication does not hold" if has_more else "")


def _repeat(repeat: Repeat) -> str:
    said = {
        Agreement.COPY: f"the same records in ({repeat.number})",
        Agreement.EXACT: f"({repeat.number}): exactly",
        Agreement.WITHIN: f"({repeat.number}): within 0.0001",
        Agreement.BEYOND: f"({repeat.number}): **no**, {escape(repeat.score)} by {repeat.difference:.4g}",
        Agreement.OTHER_ENDING: f"({repeat.number}): **no**, it ended otherwise",
    }[repeat.agreement]
    if repeat.agreement is Agreement.COPY:
        return said
    return f"{'replicated in ' if repeat.is_of_another else 'again in '}{said}, {_n(repeat.n_trials, 'trial')}"


def _records(index: Index, row: Row, output: Path) -> str:
    folder = index.publications[row.number - 1].folder
    return " ".join(f"[{number}]({_link(folder / each.name, output)})" for number, each in enumerate(row.records, 1))


def _link(path: Path, output: Path) -> str:
    """A path from the folder of the page, as an address: no character of it ends the link."""
    return quote(Path(os.path.relpath(path.resolve(), output.resolve())).as_posix())


def _left_out(index: Index) -> str:
    lines = [
        f"- {f'({each.number}) ' if each.number else ''}{escape(each.what, NAME_LENGTH)}: "
        f"{escape(each.reason, REASON_LENGTH)}"
        for each in index.left_out[:MOST_LEFT_OUT]
    ]
    more = len(index.left_out) - len(lines)
    lines += [f"- and {count(more)} more, which `recbench verify` names"] if more else []
    return "## Left out, or not as it should be\n\n" + "\n".join(lines) if lines else ""


def _notes() -> str:
    return "## How to read this\n\n" + "\n".join(f"- {line}" for line in _lines())


def _lines() -> tuple[str, ...]:
    return (
        "**published by**: who published, as they say themselves; nobody here has asked them. In brackets the number "
        "of the publication.",
        "**checked**: *scored anew* where the split was made again from the data and every list scored; *not scored "
        "here* where the data was missing; *nothing to score* where a trial ended in a fault. Lists that were made up "
        "and scored honestly are found by `recbench reproduce` only.",
        "**run again**: *replicated* where another publisher has the same trials: the same code, parameters, split and "
        "seed. *again* where the publishers are the same, or do not say who they are. *exactly*: all scores are the "
        "same to the last digit; *within 0.0001*: none differs by more, relative to scores above 1.",
        "Ranks are by the mean of the first score, over all publications. Costs of several machines do not compare; "
        "they are on the publications' own boards.",
    )

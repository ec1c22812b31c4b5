"""The Markdown files of a folder of records: a board for each protocol, and an index. Pure."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from recbench.leaderboard.across import across
from recbench.leaderboard.columns import cells, primary
from recbench.leaderboard.facts import dates
from recbench.leaderboard.markdown import aligned, render_board
from recbench.leaderboard.standings import Board, board
from recbench.leaderboard.wording import escape
from recbench.records import Analysis, Record

INDEX = "README.md"
NAME_LENGTH = 64


def files(records: Iterable[Record], analyses: Mapping[str, Analysis] | None = None) -> Mapping[str, str]:
    """By name the content of each file.

    Args:
        analyses: what the statistics say of the boards, by their protocols' fingerprints.
    """
    return contents(standings(records, analyses))


def contents(boards: Mapping[str, Board]) -> Mapping[str, str]:
    """By name the content of each file: of the boards as `standings` gives them, and of the index."""
    return {**{name: render_board(found) for name, found in boards.items()}, INDEX: _index(boards)}


def standings(records: Iterable[Record], analyses: Mapping[str, Analysis] | None = None) -> Mapping[str, Board]:
    """By its file's name the board of each protocol."""
    found = _boards(records, analyses or {})
    names = _names(found)
    return {name: found[fingerprint] for fingerprint, name in sorted(names.items(), key=lambda each: each[1])}


def file_names(records: Iterable[Record]) -> Mapping[str, str]:
    """By the protocol's fingerprint the name of its board's file.

    A name that several protocols share is made longer by eight digits of the fingerprint.
    """
    return _names(_boards(records, {}))


def _boards(records: Iterable[Record], analyses: Mapping[str, Analysis]) -> dict[str, Board]:
    groups: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        groups[str(record.protocol["fingerprint"])].append(record)
    return {fingerprint: board(group, analyses.get(fingerprint)) for fingerprint, group in groups.items()}


def _names(boards: Mapping[str, Board]) -> dict[str, str]:
    stems = {fingerprint: _stem(str(found.protocol["name"])) for fingerprint, found in boards.items()}
    n_alike = Counter(stem.lower() for stem in stems.values())  # some file systems do not tell A from a
    named = {
        fingerprint: stem if n_alike[stem.lower()] == 1 else f"{stem}-{fingerprint[:8]}"
        for fingerprint, stem in stems.items()
    }
    n_alike = Counter(name.lower() for name in named.values())  # one may be called what another became
    return {
        fingerprint: f"{name if n_alike[name.lower()] == 1 else f'{stems[fingerprint]}-{fingerprint}'}.md"
        for fingerprint, name in named.items()
    }


def _stem(name: str) -> str:
    """What of a protocol's name can be a file's anywhere; never the index's."""
    stem = re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-")[:NAME_LENGTH] or "protocol"
    return f"{stem}-board" if stem.lower() == "readme" else stem


def _index(boards: Mapping[str, Board]) -> str:
    rows = [_row(name, boards[name]) for name in sorted(boards)]
    table = aligned(["board", "data", "algorithms", "sorted by", "best", "recorded"], rows, left=(0, 1, 3, 4, 5))
    parts = ["# Leaderboards", "Made by `recbench render` from the records in `records/`.", table, across(boards)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _row(name: str, found: Board) -> list[str]:
    data = found.records[0].data
    return [
        f"[{escape(found.protocol['title'])}]({name})",
        escape(data.get("title") or data.get("name") or ""),
        str(len(found.standings)),
        escape(found.primary) + (" of users with a history" if found.sorts_warm else ""),
        _best(found),
        escape(dates(found)),
    ]


def _best(found: Board) -> str:
    """Who is first, all of them where several are, and the figure."""
    first = [place for place, each in enumerate(found.standings) if each.rank == 1]
    if not first:
        return "nobody yet"
    figure = cells(found, primary(found))[first[0]]
    names = ", ".join(escape(found.standings[place].name) for place in first)
    return f"{names} {figure.text}{figure.spread}" if figure else names

"""The Markdown files of a folder of records: a board for each protocol, and an index. Pure."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from recbench.leaderboard.markdown import render
from recbench.leaderboard.standings import board
from recbench.leaderboard.wording import escape, score
from recbench.records import Record

INDEX = "README.md"


def files(records: Iterable[Record]) -> Mapping[str, str]:
    """By name the content of each file. One protocol name with several fingerprints gives a board for each."""
    groups: dict[tuple[str, str], list[Record]] = defaultdict(list)
    for record in records:
        groups[str(record.protocol["name"]), str(record.protocol["fingerprint"])].append(record)
    n_alike = Counter(_stem(name) for name, _ in groups)
    boards = {_file_name(*key, is_alone=n_alike[_stem(key[0])] == 1): group for key, group in sorted(groups.items())}
    return {**{name: render(group) for name, group in boards.items()}, INDEX: _index(boards)}


def board_name(record: Record, names: Iterable[str]) -> str:
    """Which of the files has the record's board."""
    known = set(names)
    alone = _file_name(str(record.protocol["name"]), "", is_alone=True)
    return (
        alone
        if alone in known
        else _file_name(str(record.protocol["name"]), str(record.protocol["fingerprint"]), is_alone=False)
    )


def _stem(name: str) -> str:
    stem = re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-")[:64] or "protocol"
    return f"{stem}-board" if stem.lower() == "readme" else stem


def _file_name(name: str, fingerprint: str, *, is_alone: bool) -> str:
    return f"{_stem(name)}.md" if is_alone else f"{_stem(name)}-{fingerprint[:8]}.md"


def _index(boards: Mapping[str, list[Record]]) -> str:
    rows = ["| board | data | algorithms | sorted by | first |", "| :-- | :-- | --: | :-- | :-- |"]
    for name, records in boards.items():
        found = board(records)
        first = found.standings[0]
        figures = first.scores_warm if found.sorts_warm else first.scores
        best = f"{escape(first.name)} {score(figures.get(found.primary), found.protocol, found.primary)}"
        data = records[0].data
        rows.append(
            f"| [{escape(found.protocol['title'])}]({name}) | {escape(data.get('title') or data.get('name', ''))} "
            f"| {len(found.standings)} | {escape(found.primary)} | {best if first.rank else 'nobody yet'} |"
        )
    return "# Leaderboards\n\nMade by `recbench render` from the records beside them.\n\n" + "\n".join(rows) + "\n"

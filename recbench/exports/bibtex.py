"""What a board's results rest on, as BibTeX: recbench, the data set, the algorithms. Pure.

Citations are kept as sentences, so each becomes the note of a `@misc`: fields that nobody stated are not made up.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

from recbench.api import Algorithm
from recbench.exports.tex import escape, label
from recbench.leaderboard.facts import PLAIN_ADDRESS
from recbench.leaderboard.standings import Board
from recbench.registry import Offered

TITLE = "recbench: a plugin-based benchmark suite for recommender systems"
AUTHOR = "The recbench developers"
Used: TypeAlias = tuple[str, str]
"""An algorithm's name, and the distribution that it came from."""


def to_bibtex(board: Board, algorithms: Mapping[str, Offered[Algorithm]]) -> str:
    """An entry for each thing to cite, and a comment with the algorithms of which no reference is known.

    Args:
        algorithms: on offer here, by name. Records do not say where an algorithm was published; one that comes from
            another distribution than the record's does not count.
    """
    groups: dict[str, list[str]] = defaultdict(list)
    for name, distribution in sorted(_used(board)):
        groups[_reference(name, distribution, algorithms)].append(name)
    unknown = groups.pop("", [])
    parts = [_recbench(board), _data(board), *_of_algorithms(groups)]
    if unknown:
        parts.append(f"% No reference is known here of: {_comment(unknown)}")
    return "\n\n".join(parts) + "\n"


def _used(board: Board) -> set[Used]:
    """All algorithms of the board, and those that they were built of."""
    found = {(record.algorithm, record.distribution) for record in board.records}
    parts = [each for record in board.records for each in record.identity.get("components", {}).values()]
    return found | {(str(each.get("name")), str(each.get("distribution"))) for each in parts}


def _reference(name: str, distribution: str, algorithms: Mapping[str, Offered[Algorithm]]) -> str:
    offered = algorithms.get(name)
    return offered.value.reference if offered is not None and offered.plugin.distribution == distribution else ""


def _recbench(board: Board) -> str:
    versions = sorted({str(each.provenance["recbench"]) for each in board.records if each.provenance.get("recbench")})
    note = f"Version{'s' * (len(versions) > 1)} {', '.join(versions)}" if versions else ""
    return _entry("recbench", author=f"{{{AUTHOR}}}", title=f"{{{TITLE}}}", note=escape(note))


def _data(board: Board) -> str:
    data = board.records[0].data
    name = str(data.get("name") or "data")
    address = str(data.get("homepage") or "")
    return _entry(
        f"recbench-data-{label(name)}",
        key=escape(name),
        title=f"{{{escape(data.get('title') or name)}}}",
        note=escape(data.get("citation") or ""),
        url=address if PLAIN_ADDRESS.fullmatch(address) else "",
    )


def _of_algorithms(groups: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """An entry for each reference, with the names of the algorithms that give it above."""
    keys: set[str] = set()
    for reference, names in groups.items():
        key = f"recbench-{label(names[0])}"
        while key in keys:
            key += "x"
        keys.add(key)
        yield f"% {_comment(names)}\n{_entry(key, key=escape(names[0]), note=escape(reference))}"


def _entry(name: str, **fields: str) -> str:
    lines = [f"  {field} = {{{value}}}" for field, value in fields.items() if value]
    return "\n".join([f"@misc{{{name},", ",\n".join(lines), "}"])


def _comment(names: Iterable[str]) -> str:
    """Names as BibTeX skips them: an @ would begin an entry."""
    return ", ".join(map(label, names))

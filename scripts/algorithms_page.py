"""Writes docs/algorithms.md: every built-in algorithm with reference, parameters, what it offers and needs, and cost.

    python scripts/algorithms_page.py

Facts come from the registry, the classes with their docstrings, and the published records of the default protocol.
Only what no code says is stated by hand, in `algorithm_notes.py`. All frameworks must be installed.
"""

from __future__ import annotations

import importlib
import itertools
import json
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from algorithm_facts import (
    Parameter,
    adapters,
    built_in,
    class_of,
    components_of,
    extra_of,
    offers,
    parameters_of,
    written_class,
)
from algorithm_notes import BY_RATING, COSTS, LETTERS, READS

from recbench.api import Algorithm
from recbench.leaderboard import facts
from recbench.leaderboard.standings import Board, Standing, board
from recbench.leaderboard.standings import parameters_of as set_parameters
from recbench.leaderboard.wording import code, cost, escape
from recbench.records import Store
from recbench.registry import Offered, discover

REPOSITORY = Path(__file__).resolve().parent.parent
PAGE = REPOSITORY / "docs" / "algorithms.md"
PUBLISHED = REPOSITORY / "leaderboards"
PROTOCOL = "movietweetings"
WIDTH = 120

Offers: TypeAlias = Mapping[str, Offered[Algorithm]]
Rows: TypeAlias = Mapping[str, Standing]


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")


def page() -> str:
    """The whole page."""
    registry = discover()
    records, problems = Store(PUBLISHED).load_all()
    if problems:
        raise problems[0]
    measured = board(record for record in records if record.protocol["name"] == PROTOCOL)
    rows = {row.records[0].algorithm: row for row in measured.standings}
    parts = [*_parts(built_in(registry), measured, rows), *_adapters(adapters(registry), rows)]
    return "\n\n".join(parts) + "\n"


def _parts(algorithms: Offers, measured: Board, rows: Rows) -> Iterator[str]:
    yield "<!-- Made by `python scripts/algorithms_page.py`: edits of this file are lost. -->\n# Algorithms"
    yield _opening(len(algorithms), measured)
    yield _table(
        ("algorithm", "predicts", "needs", "reads", "fit s", "MB", "what it does"),
        (_row(each.value, algorithms, rows.get(name)) for name, each in algorithms.items()),
        right=(4, 5),
    )
    yield _new_users(algorithms)
    for package, members in itertools.groupby(sorted(algorithms.values(), key=_package), key=_package):
        yield f"## {escape(package)}\n\n{_text(_first_line(package))}"
        for each in members:
            yield from _section(each.value, algorithms, rows.get(each.value.name))


def _adapters(algorithms: Offers, rows: Rows) -> Iterator[str]:
    """Models of other libraries, by what their plugin says of them alone: the libraries need not be there."""
    if not algorithms:
        return
    package = next(iter(algorithms.values())).plugin.module
    yield f"## {escape(package)}\n\n{_text(_first_line(package))}"
    yield (
        "What a model costs is up to the library. `recbench show NAME` says how to install it. All parameters beside\n"
        "those below go to the class of the library that `model` names."
    )
    yield _table(
        ("algorithm", "predicts", "needs", "its parameters", "fit s", "MB", "what it does"),
        (_adapter(each.value, rows.get(name)) for name, each in algorithms.items()),
        right=(4, 5),
    )
    members = [each.value for each in algorithms.values()]
    classes = {each.name: each for each in map(written_class, members)}
    yield _table(
        ("class", "parameter", "meaning"),
        (
            (code(each.name), code(name), _text(meaning))
            for each in classes.values()
            for name, meaning in each.arguments.items()
        ),
    )
    references = dict.fromkeys(each.reference for each in members)
    yield "\n".join(_bullet(_text(reference)) for reference in references)


def _adapter(algorithm: Algorithm, row: Standing | None) -> tuple[str, ...]:
    return (
        escape(algorithm.name),
        "ratings" if "predict" in written_class(algorithm).methods else "rankings",
        ", ".join(map(extra_of, algorithm.requires)),
        ", ".join(f"{name} {_value(value)}" for name, value in algorithm.parameters.items()),
        _cost(row, "fit_seconds", 2),
        _cost(row, "peak_memory_mb", 0),
        _text(algorithm.summary),
    )


def _opening(n_algorithms: int, measured: Board) -> str:
    letters = "\n".join(f"- {code(letter)}: {meaning}" for letter, meaning in LETTERS.items())
    machines = "\n".join(_bullet(machine) for machine in facts.machines(measured))
    return f"""\
The {n_algorithms} algorithms that come with recbench, by name and then by package. `--set NAME.PARAMETER=VALUE`
sets a parameter for a run.

- **Predicts**: *rankings* by a score for each item; *ratings* for pairs of user and item; *ratings, and ranks by
  them* where the score is the predicted rating. *New users* are those who were not there in training and whose
  history is handed over afterwards.
- **Needs**: frameworks, each an extra of the package. **Reads**: what of the data beside users and items changes the
  result; where it is missing, the algorithm does without, unless it says otherwise.
- **Ranges** are what the constructor takes while all other parameters are at their defaults.
- **Tuned over**: the values that `recbench tune` tries.
- **Measured**: means over the trials published for
  [{escape(measured.protocol["title"])}](../leaderboards/{PROTOCOL}.md), {facts.size(measured)}.
  Times of ranking are for all users; MB is the peak of the process's own memory.

Measured on

{machines}

Letters in orders of growth:

{letters}"""


def _row(algorithm: Algorithm, algorithms: Offers, row: Standing | None) -> tuple[str, ...]:
    name = algorithm.name
    return (
        f"[{escape(name)}](#{name})",
        {"rankings, ratings": "both"}.get(_predicts(algorithm), _predicts(algorithm)),
        ", ".join(_frameworks(algorithm, algorithms)),
        ", ".join(dict.fromkeys(each.rpartition(" ")[2] for each in READS[algorithm.name])),
        _cost(row, "fit_seconds", 2),
        _cost(row, "peak_memory_mb", 0),
        _text(algorithm.summary),
    )


def _new_users(algorithms: Offers) -> str:
    without = [name for name, each in algorithms.items() if not offers(class_of(each.value), "score_new")]
    links = [f"[{escape(name)}](#{name})" for name in without]
    unexplained = [name for name, each in algorithms.items() if not offers(class_of(each.value), "explain")]
    explained = "All of them explain" if not unexplained else f"All but {', '.join(unexplained)} explain"
    served = textwrap.fill(f"New users are served by all but {', '.join(links)}.", WIDTH, break_on_hyphens=False)
    return f"{served}\n{explained} what they recommend (`recbench recommend NAME --user ID --explain`)."


def _section(algorithm: Algorithm, algorithms: Offers, row: Standing | None) -> Iterator[str]:
    yield f"### {escape(algorithm.name)}\n\n{_text(algorithm.summary)}"
    said = {
        "Reference": _text(algorithm.reference),
        "Predicts": _offered(algorithm),
        "Needs": _needs(algorithm, algorithms),
        "Reads": ", ".join(READS[algorithm.name]) or "who has what, and nothing else",
        "Seed": "changes nothing" if algorithm.deterministic else "changes the result",
        "Cost": f"fit {_text(COSTS[algorithm.name].fit)}; rank {_text(COSTS[algorithm.name].rank)}",
        "Measured": _measured(algorithm, row),
    }
    yield "\n".join(_bullet(f"**{what}**: {text}") for what, text in said.items())
    if parameters := parameters_of(algorithm):
        heads = ("parameter", "type and range", "default", "tuned over", "meaning")
        yield _table(heads, (_cells(each) for each in parameters))


def _predicts(algorithm: Algorithm) -> str:
    if algorithm.name in BY_RATING:
        return "ratings"
    return "rankings, ratings" if offers(class_of(algorithm), "predict") or algorithm.components else "rankings"


def _offered(algorithm: Algorithm) -> str:
    cls = class_of(algorithm)
    predicts = {
        "ratings": "ratings, and ranks by them",
        "rankings, ratings": "rankings and ratings",
        "rankings": "rankings",
    }[_predicts(algorithm)]
    if not offers(cls, "predict") and algorithm.components:
        predicts += " (rankings alone where no component predicts ratings)"
    new = "new users" if offers(cls, "score_new") else "no new users"
    return f"{predicts}; {new}; {'explains' if offers(cls, 'explain') else 'does not explain'}"


def _frameworks(algorithm: Algorithm, algorithms: Offers) -> list[str]:
    """What it needs beside the light core, and what its components need."""
    parts = [algorithms[name].value for name in components_of(algorithm)]
    return sorted({*algorithm.requires, *(module for part in parts for module in _frameworks(part, algorithms))})


def _needs(algorithm: Algorithm, algorithms: Offers) -> str:
    extras = [f"the extra {code(extra_of(module))}" for module in _frameworks(algorithm, algorithms)]
    parts = [f"[{escape(name)}](#{name})" for name in components_of(algorithm)]
    made_of = [f"other algorithms, by default {', '.join(parts)}"] if parts else []
    return "; ".join(extras + made_of) or "nothing beside the light core"


def _measured(algorithm: Algorithm, row: Standing | None) -> str:
    if row is None or not row.costs:
        return "not published yet"
    given = set_parameters(row.records[0])
    own = {name: value for name, value in given.items() if algorithm.parameters.get(name) != value}
    setting = f", with {', '.join(f'{name} {_value(value)}' for name, value in own.items())}" if own else ""
    figures = (
        f"fit {_cost(row, 'fit_seconds', 2)} s, rank {_cost(row, 'rank_seconds', 2)} s",
        f"{_cost(row, 'latency_p50_ms', 2)} ms for one user on request (median)",
        f"{_cost(row, 'peak_memory_mb', 0)} MB",
    )
    return ", ".join(figures) + setting


def _cost(row: Standing | None, name: str, places: int) -> str:
    return cost(row.costs[name].mean, places) if row is not None and name in row.costs else ""


def _cells(parameter: Parameter) -> tuple[str, ...]:
    kind = ", ".join(map(_value, parameter.choices)) or f"{parameter.kind} {parameter.range}".strip()
    tuned = ", ".join(map(_value, parameter.tuned))
    return code(parameter.name), kind, _value(parameter.default), tuned, _text(parameter.meaning)


def _value(value: Any) -> str:
    return code(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def _table(heads: Sequence[str], rows: Iterator[tuple[str, ...]], *, right: Sequence[int] = ()) -> str:
    rule = ("--:" if place in right else ":--" for place in range(len(heads)))
    lines = ("".join(f" {cell} |" if cell else " |" for cell in cells) for cells in (heads, tuple(rule), *rows))
    return "\n".join(f"|{line}" for line in lines)


def _bullet(text: str) -> str:
    """An entry of a list, folded, and never so that a line begins with what would be a list of its own."""
    glued = re.sub(r" (?=[-+*=] )", "\0", text)
    folded = textwrap.fill(
        glued, WIDTH, break_long_words=False, break_on_hyphens=False, initial_indent="- ", subsequent_indent="  "
    )
    return folded.replace("\0", " ")


def _text(text: str) -> str:
    """Prose as Markdown: what stands in backticks is code, everything else stands for itself."""
    parts = re.split(r"(`[^`]+`)", text)
    return "".join(part if part.startswith("`") and len(part) > 1 else _between(part) for part in parts)


def _between(text: str) -> str:
    """Escaped, with the blanks at both ends that set it off from code."""
    inner = text.strip()
    return text.replace(inner, escape(inner)) if inner else text


def _package(offered: Offered[Algorithm]) -> str:
    return offered.plugin.module


def _first_line(package: str) -> str:
    return (importlib.import_module(package).__doc__ or "").strip().splitlines()[0]


if __name__ == "__main__":
    main()

"""What stands behind the figures: warnings, failures, parameters, data, machines, commands. Pure."""

from __future__ import annotations

import html
from collections.abc import Iterable

from recbench.leaderboard import Board, Standing, facts, notes
from recbench.leaderboard.commands import commands
from recbench.leaderboard.markdown import code_of, seeds_of, tuned_of
from recbench.leaderboard.standings import parameters_of
from recbench.leaderboard.wording import count
from recbench.protocols.spec import canonical
from recbench.records import Status
from recbench.report.cells import head_cell
from recbench.report.markup import NOTHING, Html, element, joined, text
from recbench.report.placing import Place, folded, tabular
from recbench.report.prose import prose

PARAMETERS_LENGTH = 400


def in_short(board: Board) -> Html:
    """What a reader must know first."""
    return _described(facts.in_short(board), class_="short")


def warnings(board: Board, _place: Place) -> Html:
    """What a reader must know before believing the board."""
    return _list(notes.warnings(board))


def failures(board: Board, _place: Place) -> Html:
    """The trials that were not ok, with their reasons."""
    return _list(notes.failures(board))


def parameters(board: Board, _place: Place) -> Html:
    """Row by row: what it ran with, how that was chosen, the code, and the records."""
    heads = ("algorithm", "parameters", "tuned", "model seeds", "folds", "code", "records")
    rows = (_details(place, each) for place, each in enumerate(board.standings))
    titles = (head_cell(head, best="low") for head in heads)
    return folded("Row by row", tabular("Parameters, seeds, code and records", titles, rows, class_="board texts"))


def what_was_run(board: Board, _place: Place) -> Html:
    """The data, the rules, the folds and the machines."""
    return joined(
        [
            _described([*facts.data_facts(board), *facts.rules(board)], class_="facts"),
            _folds(board),
            _described((("Machine", each) for each in facts.machines(board)), class_="facts"),
        ]
    )


def make_again(board: Board, _place: Place) -> Html:
    """The commands, one after the other."""
    lines = "\n".join(f"$ {command}" for command in commands(board))
    # Line breaks count here, so the words, which are safe for a shell already, are escaped without folding them.
    return element("pre", element("code", Html(html.escape(lines))), tabindex="0", role="group", aria_label="Commands")


def _details(place: int, standing: Standing) -> Html:
    first = standing.first
    ids = " ".join(record.trial_id for record in standing.records)
    return element(
        "tr",
        element("th", standing.name, scope="row", class_="name"),
        element("td", _parameters(standing)),
        element("td", prose(tuned_of(first))),
        element("td", seeds_of(standing)),
        element("td", str(len({record.fold for record in standing.records}))),
        element("td", prose(code_of(first))),
        element("td", element("code", ids)),
        data_row=place,
    )


def _parameters(standing: Standing) -> Html:
    if standing.first.is_external:
        return text("not known")
    given = sorted(parameters_of(standing.first).items())
    return text(", ".join(f"{name} = {canonical(value)}" for name, value in given) or "defaults", PARAMETERS_LENGTH)


def _folds(board: Board) -> Html:
    evaluated = {r.fold: r.counts.get("users_evaluated") for r in reversed(board.records) if r.status is Status.OK}
    heads = ("fold", "train", "of it validation", "test", "users evaluated", "fingerprint")
    rows = []
    for split in board.splits:
        figures = [split["train"], split.get("validation", 0), split["test"], evaluated.get(split["fold"])]
        cells = [element("td", "" if figure is None else count(figure)) for figure in figures]
        code = element("td", element("code", split["fingerprint"][:16]))
        rows.append(element("tr", element("th", str(split["fold"]), scope="row"), *cells, code))
    return tabular("Folds", (element("th", head, scope="col") for head in heads), rows, class_="board texts")


def _described(said: Iterable[facts.Fact], *, class_: str) -> Html:
    items = [
        element(
            "div",
            element("dt", name),
            element("dd", prose(words)),
            class_="caution" if _is_caution(name, words) else None,
        )
        for name, words in said
        if words
    ]
    return element("dl", *items, class_=class_)


def _is_caution(name: str, words: str) -> bool:
    return name == "Leak of the future" and words != "no"


def _list(lines: Iterable[str]) -> Html:
    items = [element("li", prose(line)) for line in lines]
    return element("ul", *items, class_="notes") if items else NOTHING

"""The page as a whole: its head, what leads around in it, a part for each board. Pure but for its own two files."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from recbench.leaderboard import Board
from recbench.leaderboard.across import side_by_side
from recbench.leaderboard.columns import cells, primary
from recbench.leaderboard.facts import dates
from recbench.report.account import failures, in_short, make_again, parameters, warnings, what_was_run
from recbench.report.cells import head_cell
from recbench.report.distributions import distributions
from recbench.report.groups import by_groups
from recbench.report.markup import NOTHING, Html, element, joined, text
from recbench.report.meanings import meanings
from recbench.report.placing import Part, Place, tabular
from recbench.report.prose import prose
from recbench.report.table import leaderboard, more_scores
from recbench.report.tradeoffs import trade_offs

SECTIONS: Sequence[tuple[str, Part]] = (
    ("Leaderboard", leaderboard),
    ("Trade-offs", trade_offs),
    ("Users by score", distributions),
    ("By groups", by_groups),
    ("More scores", more_scores),
    ("What the columns mean", meanings),
    ("Warnings", warnings),
    ("Not ok", failures),
    ("Parameters, seeds and code", parameters),
    ("What was run", what_was_run),
    ("Make it again", make_again),
)
"""The sections of a board in their order; one that has nothing to say is left out, and so is the way to it."""


def page(boards: Mapping[str, Board]) -> str:
    """The boards as one HTML document: no file, address or clock is needed to show it.

    Args:
        boards: at least one, by the names of their files.
    """
    n = len(boards)
    title = "Leaderboards" if n > 1 else str(next(iter(boards.values())).protocol["title"])
    places = [(Place(key=f"b{at}", level=1 if n == 1 else 2), board) for at, board in enumerate(boards.values(), 1)]
    body = element(
        "body",
        element("a", "Skip to the leaderboard", href="#main", class_="skip"),
        _header(places),
        element("main", _overview(places, boards), *(_board(board, place) for place, board in places), id="main"),
        element("footer", element("p", _made_by())),
        element("script", _asset("page.js")),
    )
    return f'<!doctype html>\n<html lang="en">\n{_head(title)}\n{body}\n</html>\n'


def _head(title: str) -> Html:
    style, script = _asset("page.css"), _asset("page.js")
    allowed = (
        f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)}; base-uri 'none'; form-action 'none'"
    )
    return element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=allowed),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", title),
        element("style", style),
    )


def _asset(name: str) -> Html:
    """What stands in a file beside this one."""
    return Html((Path(__file__).parent / name).read_text(encoding="utf-8"))


def _hash(content: str) -> str:
    """What the browser may run or apply, and nothing else."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"


def _header(places: Sequence[tuple[Place, Board]]) -> Html:
    links = [element("a", str(board.protocol["title"]), href=f"#{place.key}") for place, board in places]
    ways = element("nav", *links, aria_label="Leaderboards") if len(links) > 1 else NOTHING
    toggle = element("button", "Dark colours", type="button", id="theme", hidden="")
    return element("header", element("p", "recbench report", class_="brand"), ways, toggle)


def _overview(places: Sequence[tuple[Place, Board]], boards: Mapping[str, Board]) -> Html:
    """Where there are several boards: a row for each, and the algorithms that are on all of them."""
    if len(places) == 1:
        return NOTHING
    heads = ("board", "data", "algorithms", "sorted by", "first", "recorded")
    titles = (element("th", head, scope="col") for head in heads)
    rows = (_line(place, board) for place, board in places)
    table = tabular("All leaderboards on this page", titles, rows, class_="board texts")
    return joined([element("h1", "Leaderboards"), table, _across(boards)])


def _across(boards: Mapping[str, Board]) -> Html:
    found = side_by_side(boards)
    if found is None:
        return NOTHING
    heads = [head_cell("average rank", best="low"), head_cell("algorithm", best="low", class_="name")]
    heads += [head_cell(str(boards[name].protocol["title"]), best="low") for name in found.boards]
    rows = [_side_by_side(*row) for row in found.rows]
    legend = element("p", prose(found.legend), class_="legend")
    return element("section", element("h2", "Across protocols"), legend, tabular("Across protocols", heads, rows))


def _side_by_side(average: str, name: str, *ranks: str) -> Html:
    who = element("th", prose(name), scope="row", class_="name")
    return element("tr", element("td", average), who, *(element("td", prose(each)) for each in ranks))


def _line(place: Place, board: Board) -> Html:
    data = board.records[0].data
    return element(
        "tr",
        element("th", element("a", str(board.protocol["title"]), href=f"#{place.key}"), scope="row"),
        element("td", str(data.get("title") or data.get("name") or "")),
        element("td", str(len(board.standings))),
        element("td", primary(board).title),
        element("td", _first(board)),
        element("td", dates(board)),
    )


def _first(board: Board) -> Html:
    shown = zip(board.standings, cells(board, primary(board)), strict=True)
    best = [f"{each.name} {cell.text}{cell.spread}" for each, cell in shown if each.rank == 1 and cell]
    return text(", ".join(best) or "nobody yet")


def _board(board: Board, place: Place) -> Html:
    sections = [(title, content) for title, part in SECTIONS if (content := part(board, place))]
    ways = [element("a", title, href=f"#{_id(place, title)}") for title, _ in sections]
    return element(
        "article",
        place.heading(str(board.protocol["title"]), id_=f"{place.key}-title"),
        in_short(board),
        element("nav", *ways, aria_label=f"Sections of {board.protocol['title']}", class_="sections"),
        *_sections(place, sections),
        id=place.key,
        aria_labelledby=f"{place.key}-title",
    )


def _sections(place: Place, sections: Sequence[tuple[str, Html]]) -> Iterator[Html]:
    for title, content in sections:
        name = _id(place, title)
        heading = place.heading(title, below=1)
        yield element("section", heading, content, id=name)


def _id(place: Place, title: str) -> str:
    return f"{place.key}-{'-'.join(title.lower().replace(',', '').split())}"


def _made_by() -> Html:
    words = text("from records alone: the same records give the same page.")
    return joined([Html("Made by "), element("code", "recbench report"), Html(" "), words])

"""The HTML page: whole, self-contained, well-formed, and nothing of a stranger's does anything but stand there."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import example, given
from hypothesis import strategies as st
from reports_by_hand import HOSTILE, all_boards, analysed, in_time, names_of, plain, records, without_anything

from recbench.cli import cli
from recbench.leaderboard.wording import code, escape
from recbench.leaderboard.wording import plain as plain_text
from recbench.records import Store
from recbench.report import page
from recbench.report.markup import Html, element
from recbench.report.prose import prose
from recbench.report.scales import linear, logarithmic

VOID = {"br", "input", "link", "meta"}
LEADERBOARDS = Path(__file__).resolve().parent.parent / "leaderboards"


@dataclass
class Node:
    """An element, with its text in the order it is read."""

    name: str
    given: dict[str, str]
    children: list[Node | str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "".join(each if isinstance(each, str) else each.text for each in self.children)

    def all(self, name: str, **given: str) -> list[Node]:
        return [each for each in self.walk() if each.name == name and given.items() <= each.given.items()]

    def walk(self) -> Iterator[Node]:
        yield self
        for each in self.children:
            if isinstance(each, Node):
                yield from each.walk()


class Tree(HTMLParser):
    """Parses strictly: each element that is opened is closed, in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.root = Node("", {})
        self.open = [self.root]
        self.feed(text)
        self.close()
        assert len(self.open) == 1, f"never closed: {self.open[-1].name}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(dict(attrs)) == len(attrs), f"an attribute twice in {tag}"
        node = Node(tag, {key: value or "" for key, value in attrs})
        self.open[-1].children.append(node)
        if tag not in VOID:
            self.open.append(node)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop().name == tag, f"{tag} closes what it did not open"

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(data)


def parsed(text: str) -> Node:
    return Tree(text).root


@pytest.fixture(scope="module")
def whole() -> Node:
    return parsed(page(all_boards()))


def table_of(root: Node, name: str) -> list[list[str]]:
    """The cells of the table in the box of that name, its head first; blanks between parts of a cell count once."""
    region = next(each for each in root.all("div", role="group") if each.given["aria-label"] == name)
    return [[_read(cell) for cell in row.children if isinstance(cell, Node)] for row in region.all("tr")]


def _read(node: Node) -> str:
    parts = [each if isinstance(each, str) else _read(each) for each in node.children if _is_read(each)]
    return " ".join(" ".join(parts).split())


def _is_read(each: Node | str) -> bool:
    return isinstance(each, str) or each.given.get("aria-hidden") != "true"


# Safe and self-contained


def test_nothing_of_a_strangers_becomes_an_element_or_an_attribute(whole: Node) -> None:
    assert len(whole.all("script")) == 1
    assert not whole.all("img")
    for node in whole.walk():
        assert not [key for key in node.given if key.startswith("on") or key == "style"], node
        assert not node.given.get("href", "").lower().startswith("javascript")


def test_strangers_texts_are_shown_as_they_are(whole: Node) -> None:
    heads = [_read(cell) for cell in whole.all("th", scope="row")]
    assert any(head.startswith(plain_text(HOSTILE)) for head in heads)
    assert any("[evil](javascript:alert(4)) @everyone" in head for head in heads)


def test_the_page_asks_nothing_of_anybody(whole: Node) -> None:
    asking = {"src", "srcset", "action", "data", "poster", "background", "ping", "formaction", "xlink:href"}
    for node in whole.walk():
        assert not asking & node.given.keys(), node
        assert node.name not in {"link", "iframe", "object", "embed", "form", "base", "image", "use"}
    style = whole.all("style")[0].text
    assert "url(" not in style
    assert "@import" not in style
    assert not re.search(r"fetch|XMLHttp|import\(|WebSocket|sendBeacon|eval|innerHTML", whole.all("script")[0].text)


def test_the_policy_allows_the_one_script_and_the_one_style_and_nothing_else(whole: Node) -> None:
    policy = next(each.given["content"] for each in whole.all("meta") if "http-equiv" in each.given)
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    for name, tag in (("style-src", "style"), ("script-src", "script")):
        digest = base64.b64encode(hashlib.sha256(whole.all(tag)[0].text.encode()).digest()).decode()
        assert rules.pop(name) == f"'sha256-{digest}'"
    assert rules == {"default-src": "'none'", "base-uri": "'none'", "form-action": "'none'"}


def test_the_policy_comes_before_what_it_governs(whole: Node) -> None:
    head = [each for each in whole.all("head")[0].children if isinstance(each, Node)]
    assert [each.name for each in head[:2]] == ["meta", "meta"]
    assert "http-equiv" in head[1].given


def test_the_same_boards_give_the_same_bytes_in_whatever_process() -> None:
    said = "import hashlib, reports_by_hand as r; from recbench.report import page; "
    said += "print(hashlib.sha256(page(r.all_boards()).encode()).hexdigest())"
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(__file__).parent)}
        done = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True, env=environment)
        assert done.stdout.strip() == hashlib.sha256(page(all_boards()).encode()).hexdigest()


@given(st.text())
@example("\x00\x1b[31m\u202e\ud800")
def test_whatever_is_put_into_an_element_comes_out_as_text(text: str) -> None:
    node = parsed(element("p", text, title=text)).all("p")[0]
    assert node.text == plain_text(text) == node.given["title"]


def test_what_is_html_already_is_left_alone() -> None:
    assert element("p", Html("<b>&amp;</b>"), "<b>") == "<p><b>&amp;</b>&lt;b&gt;</p>"


# The boards' Markdown


@given(st.text())
@example("a_b *c* **d** `e` [f](https://g.example) @h www.i #j $k ~l | <m> & \\n 1. o - p")
def test_escaped_markdown_reads_as_the_text_it_was_made_of(text: str) -> None:
    assert parsed(prose(escape(text))).text == plain_text(text)


@given(st.text())
@example("`` ` a")
def test_code_in_markdown_reads_as_the_text_it_was_made_of(text: str) -> None:
    root = parsed(prose(f"before {code(text)} after"))
    assert root.text == f"before {plain_text(text)} after"
    assert len(root.all("code")) == bool(plain_text(text))


@given(st.text())
@example("**a *b** c*")
@example("[a](javascript:alert(1))")
@example("<!-- --><span>$</span>&lt;`")
def test_any_markdown_at_all_becomes_well_formed_and_harmless(text: str) -> None:
    names = {each.name for each in parsed(prose(text)).walk()}
    assert names <= {"", "strong", "em", "code", "a"}


def test_marks_and_plain_links_are_kept() -> None:
    assert prose("**a** *b* `c<` [d](https://e.example/f)") == (
        '<strong>a</strong> <em>b</em> <code>c&lt;</code> <a href="https://e.example/f" rel="noreferrer">d</a>'
    )


# Structure


def test_every_id_is_there_once_and_every_reference_leads_to_one(whole: Node) -> None:
    ids = Counter(each.given["id"] for each in whole.walk() if "id" in each.given)
    assert max(ids.values()) == 1
    for node in whole.walk():
        targets = [node.given[key] for key in ("aria-labelledby", "aria-describedby", "for") if key in node.given]
        if node.given.get("href", "").startswith("#"):
            targets.append(node.given["href"][1:])
        assert set(" ".join(targets).split()) <= ids.keys(), node


def test_headings_go_down_one_level_at_a_time(whole: Node) -> None:
    for root in (whole, parsed(page({"one.md": analysed()}))):
        levels = [int(each.name[1]) for each in root.walk() if re.fullmatch("h[1-6]", each.name)]
        assert levels.count(1) == 1
        assert levels[0] == 1
        assert all(after <= before + 1 for before, after in pairwise(levels))


def test_every_table_has_a_caption_and_heads_and_scrolls_in_a_box_that_takes_the_focus(whole: Node) -> None:
    tables = whole.all("table")
    boxes = [each for each in whole.all("div", role="group", tabindex="0") if each.all("table")]
    assert len(boxes) == len(tables) > 10
    for box in boxes:
        (table,) = box.all("table")
        assert table.all("caption")[0].text == box.given["aria-label"]
        widths = {len([each for each in row.children if isinstance(each, Node)]) for row in table.all("tr")}
        assert len(widths) == 1
        assert all(each.given["scope"] in {"col", "row"} for each in table.all("th"))
        assert all(row.all("th", scope="row") for row in table.all("tbody")[0].all("tr"))


def test_a_page_of_several_boards_leads_to_each(whole: Node) -> None:
    articles = whole.all("article")
    assert [each.all("h2")[0].text for each in articles] == ["Toy ratings, 5-core", "Plain", "In time"]
    ways = next(each for each in whole.all("nav") if each.given["aria-label"] == "Leaderboards")
    assert [each.given["href"][1:] for each in ways.all("a")] == [each.given["id"] for each in articles]
    assert [row[0] for row in table_of(whole, "All leaderboards on this page")[1:]] == [
        "Toy ratings, 5-core",
        "Plain",
        "In time",
    ]


def test_a_page_of_one_board_has_its_title_and_no_overview() -> None:
    root = parsed(page({"plain.md": plain()}))
    assert root.all("title")[0].text == "Plain" == root.all("h1")[0].text
    assert not [each for each in root.all("div", role="group") if "All leaderboards" in each.given["aria-label"]]


# What stands on it


def test_the_table_has_the_rows_of_the_board_with_their_figures() -> None:
    board = analysed()
    rows = table_of(parsed(page({"one.md": board})), "Leaderboard of Toy ratings, 5-core")
    assert rows[0][:4] == ["#", "algorithm", "ndcg@10", "ties"]
    assert rows[0][-3:] == ["fit s", "ms/user", "MB"]
    assert [row[1].split(" ")[0] for row in rows[1:]][:3] == list(names_of(board))[:3]
    assert rows[1][:4] == ["1 1-2", "ease someone 1.0", "0.1670 0.1503 to 0.1837", "a"]
    assert rows[3][2] == "0.1200 ± 0.0141 0.1080 to 0.1320"
    broken = next(row for row in rows if row[1].startswith("broken"))
    assert broken[0] == "-"
    assert broken[1].startswith("broken someone 1.0 failed : ValueError: </script>")


def test_letters_stand_below_their_like() -> None:
    root = parsed(page({"one.md": analysed()}))
    ties = [each.text for each in root.all("td", **{"class": "ties"})]
    assert ties[:4] == ["a", "ab", " bc", "  cd"]


def test_the_figures_behind_the_cells_are_those_of_the_board() -> None:
    board = analysed()
    cells = parsed(page({"one.md": board})).all("td", **{"class": "primary"})
    means = [standing.scores["ndcg@10"].mean for standing in board.ranked]
    assert [float(cell.given["data-v"]) for cell in cells if "data-v" in cell.given][: len(means)] == pytest.approx(
        means
    )


def test_what_is_not_known_is_not_on_the_page() -> None:
    root = parsed(page({"plain.md": plain()}))
    titles = [each.text for each in root.all("h2")]
    assert titles == [
        "Leaderboard", "Trade-offs", "What the columns mean", "Warnings",
        "Parameters, seeds and code", "What was run", "Make it again",
    ]  # fmt: skip
    assert "ties" not in table_of(root, "Leaderboard of Plain")[0]
    assert not root.all("line", **{"class": "interval"})


def test_a_board_on_which_nothing_was_ok_is_shown_with_its_reasons() -> None:
    root = parsed(page({"toy.md": without_anything()}))
    rows = table_of(root, "Leaderboard of Toy ratings, 5-core")
    assert rows[1] == ["-", "a someone 1.0 timeout : was not done after 600 s", "", "", "", ""]
    assert not root.all("svg")
    assert "b: timeout. was not done after 600 s" in root.text


def test_algorithms_on_several_boards_stand_side_by_side(whole: Node) -> None:
    assert not [each for each in whole.all("h2") if each.text == "Across protocols"], "these share no two algorithms"
    root = parsed(page({"a.md": analysed(), "b.md": in_time(), "c.md": analysed()}))
    assert not [each for each in root.all("h2") if each.text == "Across protocols"]
    rows = table_of(parsed(page({"a.md": analysed(), "c.md": analysed()})), "Across protocols")
    assert rows[0] == ["average rank", "algorithm", "Toy ratings, 5-core", "Toy ratings, 5-core"]
    assert rows[1][:2] == ["1.0", "ease"]


def test_what_is_known_has_a_section_and_a_way_to_it() -> None:
    root = parsed(page({"one.md": analysed()}))
    titles = [each.text for each in root.all("h2")]
    assert {"Users by score", "By groups", "More scores", "Not ok"} <= set(titles)
    ways = next(each for each in root.all("nav") if each.given.get("class") == "sections")
    assert [each.text for each in ways.all("a")] == titles


def test_the_front_is_drawn_told_and_marked_in_the_table() -> None:
    root = parsed(page({"one.md": analysed()}))
    plots = root.all("svg", role="img")
    assert len(plots) == 3
    memory = plots[2]
    # Here whoever is better takes less memory, so that only one row is on the front.
    assert memory.all("desc")[0].text.endswith("On the front, from the cheapest on: ease: ndcg@10 0.1670, 383 MB.")
    marks = memory.all("g")
    assert [each.all("title")[0].text for each in marks if "on-front" in each.given["class"]] == [
        "ease: ndcg@10 0.1670, 383 MB"
    ]
    assert not [each for each in marks if "elsewhere" in each.text], "costs as stated are not drawn"
    rows = table_of(root, "Quality and costs; rows on the front are marked")
    assert [row[0] for row in rows if row[-1].endswith("on the front")] == ["ease"]


def test_where_low_is_good_the_front_and_the_axis_turn_round() -> None:
    memory = parsed(page({"plain.md": plain()})).all("svg", role="img")[0]
    places = {each.all("title")[0].text[0]: float(each.all("circle")[0].given["cy"]) for each in memory.all("g")}
    assert places["a"] < places["b"]
    assert "On the front, from the cheapest on: a: rmse 0.900" in memory.all("desc")[0].text


def test_each_metric_is_told_as_the_records_define_it(whole: Node) -> None:
    told = {each.all("dt")[0].text: each.all("dd")[0].text for each in whole.all("dl")[1].children}  # type: ignore[union-attr]
    assert told["recall"].startswith("hits / relevant. Higher is better. Values lie from 0 to 1.")
    assert "recall@10 here: from 0.0030 (random) to 0.1670 (ease)." in told["recall"]
    assert "Values lie from 0 on." in told["rmse"]


def test_failures_warnings_parameters_and_commands_are_there(whole: Node) -> None:
    text = whole.all("article")[0].text
    assert "broken: failed. ValueError: </script>" in text
    assert "Leak of the future: yes." in text
    assert "l2 = 458.0" in text
    assert "$ recbench run -p toy" in text
    assert all(record.trial_id in text for record in records())


def test_a_board_in_time_sorts_by_users_with_a_history() -> None:
    rows = table_of(parsed(page({"time.md": in_time()})), "Leaderboard of In time")
    assert rows[0][2:4] == ["ndcg@10 (warm)", "ndcg@10 (all)"]
    assert [row[1].split(" ")[0] for row in rows[1:]] == ["recent-popularity", "ease"]


# Scales


@given(st.lists(st.floats(1e-6, 1e6), min_size=1, max_size=20))
def test_what_is_drawn_lies_between_the_ends_and_in_order(values: list[float]) -> None:
    for scale in (linear(values, 10.0, 110.0), logarithmic(values, 10.0, 110.0)):
        places = [scale.place(value) for value in sorted(values)]
        assert places == sorted(places)
        assert all(10 <= place <= 110 for place in places)
        assert len(scale.ticks()) <= 20
        assert all(scale.low <= tick <= scale.high * (1 + 1e-9) for tick in scale.ticks())


def test_a_cost_of_nothing_lies_at_the_edge() -> None:
    scale = logarithmic([0.0, 0.1, 10.0], 0.0, 100.0)
    assert scale.place(0.0) == 0.0
    assert scale.ticks() == (0.1, 1.0, 10.0)


# The command


def test_the_command_writes_the_page_into_the_folder_or_where_it_is_told(tmp_path: Path) -> None:
    for each in records():
        Store(tmp_path).save(each, lists=None, predictions=None)
    found = CliRunner().invoke(cli, ["report", str(tmp_path)])
    assert (found.exit_code, found.output.strip()) == (0, str(tmp_path / "report.html"))
    written = (tmp_path / "report.html").read_bytes()
    CliRunner().invoke(cli, ["report", str(tmp_path), "-p", "toy", "-o", str(tmp_path / "x" / "y.html")])
    assert (tmp_path / "x" / "y.html").read_bytes() == written
    assert parsed(written.decode()).all("h1")[0].text == "Toy ratings, 5-core"


def test_the_command_knows_the_boards_by_name(tmp_path: Path) -> None:
    Store(tmp_path).save(records()[0], lists=None, predictions=None)
    found = CliRunner().invoke(cli, ["report", str(tmp_path), "-p", "toys"])
    assert "'toys' is not the name of a board; close: 'toy'" in str(found.exception)


@pytest.mark.slow
def test_the_published_boards_fit_into_two_megabytes() -> None:
    from recbench import boards

    text = page(boards.read(LEADERBOARDS))
    assert len(text.encode()) < 2_000_000
    parsed(text)

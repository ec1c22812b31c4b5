"""The HTML page in a real browser: with a script and without, by keyboard, on phones and desks, dark and light.

Skipped where there is no Chromium. The check with axe-core runs where RECBENCH_AXE names its `axe.min.js`
(`npm install axe-core`).
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from chromium_by_pipe import Browser, chromium
from reports_by_hand import all_boards, analysed, names_of

from recbench.report import page

pytestmark = pytest.mark.slow

PHONE, DESK = (390, 844), (1280, 900)
NAMES = """[...document.querySelectorAll("#b1-leaderboard tbody tr:not([hidden]) th > :first-child")]
    .map((each) => each.textContent)"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile, chromium(Path(profile)) as found:
        yield found


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(page(all_boards()), encoding="utf-8")
    return path


def head(name: str) -> str:
    """The button of a column of the first table, as an expression."""
    return f"""[...document.querySelectorAll("#b1-leaderboard thead button")]
        .find((each) => each.textContent.startsWith({json.dumps(name)}))"""


def order_of(browser: Browser, name: str) -> str | None:
    found: str | None = browser.run(f"""{head(name)}.parentNode.getAttribute("aria-sort")""")
    return found


def test_a_click_sorts_by_the_figures_best_first_and_another_turns_it_round(browser: Browser, report: Path) -> None:
    browser.open(report)
    shown = browser.run(NAMES)
    assert order_of(browser, "ndcg@10") == "descending"
    browser.run(f"{head('rmse')}.click()")
    best_first = browser.run(NAMES)
    assert best_first[:3] == ["ease", "item-cosine", "bpr"]
    assert order_of(browser, "rmse") == "ascending"
    assert order_of(browser, "ndcg@10") is None
    browser.run(f"{head('rmse')}.click()")
    assert browser.run(NAMES)[0] == "random"
    assert order_of(browser, "rmse") == "descending"
    assert browser.run(NAMES)[-2:] == best_first[-2:] == ["elsewhere", "broken"], "rows without a figure stay last"
    browser.run(f"{head('#')}.click()")
    assert browser.run(NAMES) == shown


def test_the_first_order_is_that_of_the_board(browser: Browser, report: Path) -> None:
    browser.open(report)
    assert [name.split("</script>")[0] for name in browser.run(NAMES)] == [
        name.split("</script>")[0] for name in names_of(analysed())
    ]


def test_the_table_sorts_by_name_too(browser: Browser, report: Path) -> None:
    browser.open(report)
    browser.run(f"{head('algorithm')}.click()")
    names = browser.run(NAMES)[1:]
    assert names == sorted(names)


def test_sorting_is_told_to_those_who_hear_the_page(browser: Browser, report: Path) -> None:
    browser.open(report)
    browser.run(f"{head('fit s')}.click()")
    told = browser.run("""[...document.querySelectorAll("output")].map((each) => each.textContent)""")
    assert "Sorted by fit s, ascending" in told


def test_a_column_is_sorted_from_the_keyboard_alone(browser: Browser, report: Path) -> None:
    browser.open(report)
    browser.run("""document.querySelector("#b1-filter").focus()""")
    for _ in range(2):  # the region that scrolls, then the first head
        browser.press("Tab", code=9)
    assert browser.run("document.activeElement.textContent") == "#"
    assert browser.run("""getComputedStyle(document.activeElement).outlineStyle""") == "solid"
    browser.press("Tab", code=9)
    browser.press("Enter", text="\r", code=13)
    assert order_of(browser, "algorithm") == "ascending"
    browser.press(" ", text=" ", code=32)
    assert order_of(browser, "algorithm") == "descending"
    assert browser.run("document.activeElement.textContent") == "algorithm", "the focus stays where it was"


def test_the_first_stop_leads_past_the_head_of_the_page(browser: Browser, report: Path) -> None:
    browser.open(report)
    browser.press("Tab", code=9)
    assert browser.run("document.activeElement.getAttribute('href')") == "#main"
    assert browser.run("document.activeElement.getBoundingClientRect().left") >= 0


def test_words_filter_all_tables_and_plots_of_a_board_and_are_counted(browser: Browser, report: Path) -> None:
    browser.open(report)
    total = len(browser.run(NAMES))
    browser.run("""document.querySelector("#b1-filter").focus()""")
    browser.type("COSINE item")
    assert browser.run(NAMES) == ["item-cosine"]
    assert browser.run("""document.querySelector("#b1-leaderboard output").textContent""") == f"1 of {total} rows"
    shown = """[...new Set([...document.querySelectorAll("#b1 tbody tr[data-row]:not([hidden])")]
        .map((each) => each.dataset.row))].length"""
    assert browser.run(shown) == 1
    faded = """document.querySelectorAll("#b1 .scatter .point:not(.faded)").length"""
    assert browser.run(faded) == 3
    assert browser.run("""document.querySelectorAll("#b2 tbody tr[hidden]").length""") == 0
    browser.run("""document.querySelector("#b1-filter").select()""")
    browser.press("Backspace", code=8)
    assert len(browser.run(NAMES)) == total


def test_packages_and_statuses_can_be_filtered_for(browser: Browser, report: Path) -> None:
    browser.open(report)
    browser.run("""document.querySelector("#b1-filter").focus()""")
    browser.type("failed")
    assert browser.run(NAMES) == ["broken"]


def test_pointing_at_a_mark_shows_its_row_in_all_plots_and_in_words(browser: Browser, report: Path) -> None:
    browser.open(report)
    browser.run(
        """[...document.querySelectorAll("#b1 .point")].find((each) => each.textContent.startsWith("ease"))
        .dispatchEvent(new Event("pointerover", { bubbles: true }))"""
    )
    assert browser.run("""document.querySelectorAll("#b1 .point.pointed-at").length""") == 3
    words = browser.run("""document.querySelector("#b1 .pointed").textContent""")
    assert words == "ease: ndcg@10 0.1670, 2.79 fit s, 1.17 ms/user, 383 MB"


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_colours_follow_the_system_until_somebody_chooses(browser: Browser, report: Path, dark: bool) -> None:
    brightness = """(() => {
        const context = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d");
        context.fillStyle = getComputedStyle(document.body).backgroundColor;
        context.fillRect(0, 0, 1, 1);
        return context.getImageData(0, 0, 1, 1).data[0];
    })()"""
    browser.open(report, dark=dark)
    assert (browser.run(brightness) < 128) is dark
    assert browser.run("""document.querySelector("#theme").textContent""") == f"{'Light' if dark else 'Dark'} colours"
    browser.run("""document.querySelector("#theme").click()""")
    assert (browser.run(brightness) < 128) is not dark


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_nothing_is_fetched_nothing_complains_and_the_page_never_scrolls_sideways(
    browser: Browser, report: Path, size: tuple[int, int], dark: bool
) -> None:
    browser.open(report, size, dark=dark)
    browser.run("""document.querySelectorAll("details").forEach((each) => { each.open = true; })""")
    assert browser.requests() == [report.as_uri()]
    assert browser.complaints() == []
    assert browser.run("document.documentElement.scrollWidth") == size[0]


def test_heads_and_names_stay_in_sight_while_a_table_scrolls(browser: Browser, report: Path) -> None:
    browser.open(report, PHONE)
    browser.run("""document.querySelector("#b1-leaderboard .scroll").scrollTo(400, 200)""")
    places = browser.run("""(() => {
        const region = document.querySelector("#b1-leaderboard .scroll");
        const box = (each) => each.getBoundingClientRect();
        const [name, title] = [region.querySelector("tbody th"), region.querySelector("thead th:last-child")];
        return [box(name).left - box(region).left, box(title).top - box(region).top, region.scrollLeft];
    })()""")
    assert places[2] > 0
    assert places[0] < 60
    assert abs(places[1]) < 3


def test_without_a_script_all_is_there_and_nothing_that_needs_one(browser: Browser, report: Path) -> None:
    browser.open(report, script=False)
    tree = browser.call("Accessibility.getFullAXTree")["nodes"]
    said = {each["role"]["value"]: [] for each in tree if "role" in each}
    for each in tree:
        said[each["role"]["value"]].append(each.get("name", {}).get("value", ""))
    assert not {"button", "searchbox"} & said.keys()
    assert said["image"][:3] == [
        "ndcg@10 against time to fit",
        "ndcg@10 against time to rank for a user",
        "ndcg@10 against memory at its peak",
    ]
    assert {"ease someone 1.0", "popularity baseline, someone 1.0"} <= set(said["rowheader"])


def test_the_box_and_the_heads_have_names_and_states_for_those_who_hear_them(browser: Browser, report: Path) -> None:
    browser.open(report)
    tree = browser.call("Accessibility.getFullAXTree")["nodes"]
    named = {(each["role"]["value"], each.get("name", {}).get("value")) for each in tree if not each.get("ignored")}
    assert ("searchbox", "Filter rows by name, package or status") in named
    assert ("group", "Leaderboard of Toy ratings, 5-core") in named
    assert ("button", "ndcg@10") in named
    assert ("table", "Leaderboard of Toy ratings, 5-core") in named


def test_on_paper_stands_what_is_open_in_light_colours_without_what_is_there_to_press(
    browser: Browser, report: Path
) -> None:
    browser.open(report, dark=True)
    browser.run("""document.querySelector("#b1-more-scores details").open = true""")
    browser.call("Emulation.setEmulatedMedia", media="print")
    height = "document.querySelector({}).getBoundingClientRect().height"
    assert browser.run(height.format('"#b1-more-scores"')) > 100
    assert browser.run(height.format('"#b1-by-groups"')) == 0
    assert browser.run(height.format('"#b1 .filter"')) == 0
    assert browser.run(height.format('"#theme"')) == 0
    shown = """getComputedStyle(document.querySelector({})).{}"""
    assert browser.run(shown.format('"#b1 .scroll"', "overflowX")) == "visible"
    assert browser.run(shown.format('":root"', "colorScheme")) == "light"
    assert len(browser.call("Page.printToPDF", preferCSSPageSize=True)["data"]) > 10_000


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_nothing(browser: Browser, report: Path, size: tuple[int, int], dark: bool) -> None:
    named = os.environ.get("RECBENCH_AXE")
    if not named:
        pytest.skip("needs axe-core: RECBENCH_AXE names its axe.min.js")
    browser.open(report, size, dark=dark)
    browser.run("""document.querySelectorAll("details").forEach((each) => { each.open = true; })""")
    browser.run(Path(named).read_text(encoding="utf-8") + ";0")
    found = browser.run("""axe.run(document, { resultTypes: ["violations"] }).then((result) => result.violations
        .map((each) => [each.id, each.impact, each.nodes.length, each.nodes[0].html.slice(0, 200)]))""")
    assert found == []

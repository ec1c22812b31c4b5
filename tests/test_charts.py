"""Charts: what is drawn, where names stand, and that the same board gives the same bytes."""

from __future__ import annotations

import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from records_by_hand import of_external, protocol, record

from recbench.cli import cli
from recbench.errors import RecbenchError, UnknownName
from recbench.exports.charts import intervals_chart, pareto_chart
from recbench.exports.drawing import FORMATS, to_bytes
from recbench.leaderboard.standings import Board, board
from recbench.records import Record, Status, Store

HOSTILE = r"$x^2$ <b>&amp; \frac{ _ % 中"
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(autouse=True)
def _matplotlib() -> None:
    pytest.importorskip("matplotlib")


def of(label: str, score: float, seconds: float, **more: object) -> Record:
    """A row with its score and its cost."""
    return record(label, scores={"ndcg@10": score, "gini@10": 0.5}, measured={"fit_seconds": seconds}, **more)


def rows() -> list[Record]:
    return [
        of("best", 0.9, 60.0),
        of("worse and dearer", 0.5, 90.0),
        of(HOSTILE, 0.7, 5.0),
        of("cheap", 0.3, 0.001, baseline=True),
        of_external("stated", scores={"ndcg@10": 0.95}, measured={"fit_seconds": 0.0001}),
        record("broken", status=Status.FAILED, reason="no"),
    ]


def sure() -> Board:
    """A board with intervals and letters."""
    found = board(rows()[:4])
    standings = [
        replace(each, intervals={"ndcg@10": (each.scores["ndcg@10"].mean - 0.1, 1.0)}, letters=letters)
        for each, letters in zip(found.standings, ("a", "ab", "b", "c"), strict=True)
    ]
    return replace(found, standings=tuple(standings))


def texts(content: bytes) -> list[str]:
    """All texts of an SVG."""
    return ["".join(each.itertext()).strip() for each in ET.fromstring(content).iter(f"{SVG}text")]


@pytest.mark.parametrize(
    "form", [pytest.param(form, marks=[] if form == "svg" else [pytest.mark.slow]) for form in FORMATS]
)
def test_the_same_board_gives_the_same_bytes(form: str) -> None:
    first, second = (to_bytes(pareto_chart(board(rows())), form) for _ in range(2))
    assert first == second


@pytest.mark.slow
def test_another_process_with_other_settings_gives_the_same_bytes(tmp_path: Path) -> None:
    (tmp_path / "matplotlibrc").write_text("font.size: 30\nsvg.fonttype: path\n")
    Store(tmp_path / "out").save(of("a", 0.5, 1.0), lists=None, predictions=None)
    command = [sys.executable, "-m", "recbench", "chart", "out", "-o"]
    for name in ("first.svg", "second.svg"):
        subprocess.run([*command, name], cwd=tmp_path, check=True, capture_output=True)
        (tmp_path / "matplotlibrc").unlink(missing_ok=True)
    assert (tmp_path / "first.svg").read_bytes() == (tmp_path / "second.svg").read_bytes()


def test_names_of_strangers_stand_there_as_they_are() -> None:
    shown = texts(to_bytes(pareto_chart(board(rows())), "svg"))
    assert HOSTILE in shown
    assert {"best", "cheap", "worse and dearer"} <= set(shown)


def test_the_front_is_joined_from_the_cheapest_to_the_best() -> None:
    axes = pareto_chart(board(rows())).axes[0]
    (line,) = axes.lines
    corners = [(0.001, 0.3), (5.0, 0.3), (5.0, 0.7), (60.0, 0.7), (60.0, 0.9)]
    assert list(zip(*line.get_data(), strict=True)) == corners


def test_costs_that_are_only_stated_are_left_out() -> None:
    assert "stated" not in texts(to_bytes(pareto_chart(board(rows())), "svg"))


def test_the_scale_is_logarithmic_only_where_costs_span_magnitudes() -> None:
    assert pareto_chart(board(rows())).axes[0].get_xscale() == "log"
    assert pareto_chart(board([of("a", 0.1, 1.0), of("b", 0.2, 2.0)])).axes[0].get_xscale() == "linear"
    assert pareto_chart(board([of("a", 0.1, 0.0), of("b", 0.2, 99.0)])).axes[0].get_xscale() == "linear"


def test_no_name_covers_another_nor_a_point() -> None:
    from matplotlib.text import Text

    crowd = board([of(f"algorithm-{n}", 0.5 + n % 5 / 100, 1.0 + n % 7 / 100) for n in range(60)])
    figure = pareto_chart(crowd)
    renderer = figure.canvas.get_renderer()
    labels = figure.axes[0].texts
    front = {label.get_text() for label in labels if label.get_fontsize() == 7}
    boxes = [Text.get_window_extent(each, renderer) for each in labels if each.get_text() not in front]
    assert len(boxes) < 60
    assert not any(one.overlaps(other) for place, one in enumerate(boxes) for other in boxes[:place])


def test_a_lower_score_may_be_the_better_one() -> None:
    axes = pareto_chart(board([record("a", scores={"rmse": 0.9}, protocol=protocol(primary="rmse"))])).axes[0]
    assert axes.get_ylabel() == "rmse, lower is better"


def test_a_score_without_a_better_end_has_no_front() -> None:
    with pytest.raises(RecbenchError, match="neither end of 'gini@10' is better"):
        pareto_chart(board(rows()), key="gini@10")


def test_an_unknown_score_lists_the_close_ones() -> None:
    with pytest.raises(UnknownName, match=r"close: 'ndcg@10'"):
        pareto_chart(board(rows()), key="ndcg@11")


def test_nothing_to_draw_is_an_error() -> None:
    with pytest.raises(RecbenchError, match="no ranked row"):
        pareto_chart(board([record("broken", status=Status.FAILED, reason="no")]))


def test_intervals_stand_beside_their_rows_best_on_top() -> None:
    axes = intervals_chart(sure()).axes[0]
    assert [each.get_text() for each in axes.get_yticklabels()] == ["best", HOSTILE, "worse and dearer", "cheap"]
    assert [list(line.get_xdata()) for line in axes.lines] == [
        pytest.approx([low, 1.0]) for low in (0.8, 0.6, 0.4, 0.2)
    ]
    assert [each.get_text() for each in axes.texts] == ["a", "ab", "b", "c"]
    to_bytes(axes.figure, "svg")


def test_a_board_without_intervals_says_how_to_get_them() -> None:
    with pytest.raises(RecbenchError, match="no intervals of 'ndcg@10'") as caught:
        intervals_chart(board(rows()))
    assert "data at hand" in caught.value.fix


def test_without_matplotlib_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.style", None)
    with pytest.raises(RecbenchError, match="matplotlib, which is not installed") as caught:
        pareto_chart(board(rows()))
    assert "[charts]" in caught.value.fix


@pytest.mark.slow
def test_the_command_writes_the_form_that_the_ending_says(tmp_path: Path) -> None:
    for each in rows():
        Store(tmp_path).save(each, lists=None, predictions=None)
    starts = {"svg": b"<?xml", "png": b"\x89PNG", "pdf": b"%PDF"}
    for ending, start in starts.items():
        arguments = ["chart", str(tmp_path), "-p", "toy", "-o", str(tmp_path / f"a.{ending}")]
        done = CliRunner().invoke(cli, arguments, standalone_mode=False)
        assert done.exception is None
        assert (tmp_path / f"a.{ending}").read_bytes().startswith(start)
    done = CliRunner().invoke(cli, ["chart", str(tmp_path), "-o", "a.gif"], standalone_mode=False)
    assert re.search(r"'a.gif' does not end like a chart", str(done.exception))

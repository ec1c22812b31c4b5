"""`import recbench` in scripts and notebooks: what the commands do, with values in hand and nothing printed."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from html.parser import HTMLParser
from pathlib import Path

import publications
import pytest
from records_by_hand import protocol, record

import recbench
from recbench.errors import UnknownName
from recbench.records import Record, Status, Store

HOSTILE = "|<b>$x$</td>&amp;"


def saved(folder: Path, *records: Record) -> Path:
    for each in records:
        Store(folder).save(each, lists=None, predictions=None)
    return folder


def loaded_after(code: str) -> set[str]:
    """The modules in memory after a line of Python."""
    script = f"import sys\n{code}\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_importing_recbench_imports_next_to_nothing() -> None:
    found = loaded_after("import recbench; dir(recbench)")
    assert {name for name in found if name.startswith("recbench")} == {"recbench"}
    assert "numpy" not in found


def test_the_door_for_plugin_authors_does_not_import_what_scripts_use() -> None:
    assert "recbench.interface" not in loaded_after("import recbench.api")


def test_using_it_imports_no_framework() -> None:
    heavy = {"torch", "tensorflow", "keras", "numba", "matplotlib", "pandas", "pyarrow"}
    assert heavy.isdisjoint(loaded_after("from recbench import Leaderboard, run"))


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'rnu'"):
        recbench.rnu  # noqa: B018
    assert {"run", "Leaderboard", "RecbenchError"} <= set(dir(recbench))


def test_a_board_shows_as_in_the_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    shown = repr(recbench.Leaderboard.load(saved(tmp_path, record("ease"), record("slim", scores={"ndcg@10": 0.2}))))
    assert "1  ease" in shown
    assert max(map(len, shown.splitlines())) <= 60
    assert "\x1b" not in shown


class Tags(HTMLParser):
    """The tags of a page, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def test_notebooks_show_hostile_names_and_nothing_else_comes_of_them(tmp_path: Path) -> None:
    titled = protocol(title=HOSTILE)
    hostile = [
        record(HOSTILE, scores={"ndcg@10": 0.2}, protocol=titled),
        record(f"{HOSTILE} too", status=Status.FAILED, reason=HOSTILE, protocol=titled),
    ]
    tame = [record("x", scores={"ndcg@10": 0.2}), record("y", status=Status.FAILED, reason="x")]
    pages = [
        Tags(recbench.Leaderboard.load(saved(tmp_path / str(n), *rows))._repr_html_())
        for n, rows in enumerate((hostile, tame))
    ]
    assert [tag for tag in pages[0].tags if tag != "span"] == pages[1].tags
    assert pages[0].text.count(HOSTILE) == 4
    assert "$" not in recbench.Leaderboard.load(tmp_path / "0")._repr_html_().replace("<span>$</span>", "")


def test_notebooks_mark_best_baselines_and_failures(tmp_path: Path) -> None:
    rows = (
        record("ease", scores={"ndcg@10": 0.3}),
        record("popularity", scores={"ndcg@10": 0.2}, baseline=True),
        record("broken", status=Status.FAILED, reason="no luck"),
    )
    page = recbench.Leaderboard.load(saved(tmp_path, *rows))._repr_html_()
    assert "<b>0.3000</b>" in page
    assert "<i>popularity</i>" in page
    assert "failed: no luck" in page


def test_a_board_is_found_by_its_protocols_name_or_file(original: Path, tmp_path: Path) -> None:
    saved(tmp_path, record("a"), record("b", protocol=protocol(name="other", fingerprint="cd" * 32)))
    assert list(recbench.Leaderboard.load(tmp_path, protocol="other").to_pandas()["name"]) == ["b"]
    by_file = recbench.Leaderboard.load(original / "out", protocol=original / "small.toml")
    assert by_file.protocol == str(original / "small.toml")
    with pytest.raises(recbench.RecbenchError, match="several boards: other, toy"):
        recbench.Leaderboard.load(tmp_path)
    with pytest.raises(UnknownName, match="close: 'other'"):
        recbench.Leaderboard.load(tmp_path, protocol="othr")


def test_protocols_of_one_name_are_told_apart_by_their_files_names(tmp_path: Path) -> None:
    saved(tmp_path, record("a"), record("b", protocol=protocol(fingerprint="cd" * 32)))
    assert list(recbench.Leaderboard.load(tmp_path, protocol="toy-cdcdcdcd").to_pandas()["name"]) == ["b"]


def test_a_damaged_record_is_a_warning(tmp_path: Path) -> None:
    saved(tmp_path, record("a"), record("b"))
    publications.path_of(tmp_path, "a").write_text("{")
    with pytest.warns(UserWarning, match="passed over"):
        found = recbench.Leaderboard.load(tmp_path)
    assert list(found.to_pandas()["name"]) == ["b"]


def test_what_is_exported_is_what_the_command_exports(original: Path, tmp_path: Path) -> None:
    found = recbench.Leaderboard.load(original / "out")
    for ending in ("csv", "json", "tex", "bib"):
        found.save(tmp_path / f"mine.{ending}")
        command = [sys.executable, "-m", "recbench", "export", str(original / "out"), "-o", f"theirs.{ending}"]
        subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
        assert (tmp_path / f"mine.{ending}").read_bytes() == (tmp_path / f"theirs.{ending}").read_bytes()
    assert found.to_latex() == (tmp_path / "mine.tex").read_text()
    assert found.to_bibtex() == (tmp_path / "mine.bib").read_text()


def test_saving_to_an_unknown_ending_says_which_there_are(original: Path, tmp_path: Path) -> None:
    with pytest.raises(recbench.RecbenchError, match=r"'x.docx' does not end") as caught:
        recbench.Leaderboard.load(original / "out").save(tmp_path / "x.docx")
    assert ".parquet" in caught.value.fix


def test_charts_show_as_pictures_and_are_written_as_the_command_writes_them(original: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    found = recbench.Leaderboard.load(original / "out")
    chart = found.chart(cost="fit_seconds")
    chart.save(tmp_path / "mine.svg")
    command = [sys.executable, "-m", "recbench", "chart", str(original / "out"), "-o", "theirs.svg"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    assert (tmp_path / "mine.svg").read_bytes() == (tmp_path / "theirs.svg").read_bytes()
    picture, size = chart._repr_png_()
    assert (picture[:4], size) == (b"\x89PNG", {"width": 550})
    with pytest.raises(recbench.RecbenchError, match="'pie' is not a kind"):
        found.chart("pie")  # type: ignore[arg-type]


def test_rows_are_compared_pair_by_pair(original: Path) -> None:
    found = recbench.Leaderboard.load(original / "out", protocol=original / "small.toml")
    differences = found.compare("popularity", "random", "item-mean", metrics=["ndcg@5", "rmse"])
    frame = differences.to_pandas()
    pairs = frame[frame["score"] == "ndcg@5"]
    assert list(zip(pairs["first"], pairs["second"], strict=True)) == [
        ("popularity", "random"),
        ("popularity", "item-mean"),
        ("random", "item-mean"),
    ]
    assert (frame["low"] <= frame["difference"]).all()
    assert "popularity − random" in repr(differences)  # noqa: RUF001
    assert "| popularity − random |" in differences._repr_markdown_()  # noqa: RUF001


@pytest.fixture
def small(original: Path, tmp_path: Path) -> Path:
    """The small protocol with its data, and nothing run."""
    for name in ("small.toml", "ratings.tsv"):
        (tmp_path / name).write_bytes((original / name).read_bytes())
    plugin = tmp_path / "broken_here.py"
    plugin.write_text(publications.BROKEN.replace("MODULE", "broken_here"))
    return tmp_path / "small.toml"


def test_a_run_gives_the_board_of_its_folder(small: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output, told = small.parent / "out", list[str]()
    first = recbench.run(small, "popularity", output=output)
    second = recbench.run(small, ["pop*", "random"], exclude="recent-*", output=output, progress=told.append)
    assert list(first.to_pandas()["name"]) == ["popularity"]
    assert sorted(second.to_pandas()["name"]) == ["popularity", "random"]
    assert [line.partition(" fold")[0] for line in told] == ["ok random"]
    assert repr(second) == repr(recbench.Leaderboard.load(output))
    assert (output / "small.md").is_file()
    assert second.compare("popularity", "random", metrics="ndcg@5").to_pandas().shape[0] == 1
    assert capsys.readouterr() == ("", "")


def test_a_failure_is_a_row_with_its_reason(small: Path) -> None:
    plugin = small.parent / "broken_here.py"
    found = recbench.run(str(small), ["broken", "popularity"], output=small.parent / "out", plugins=[plugin])
    row = found.to_pandas().set_index("name").loc["broken"]
    assert row["status"] == "failed"
    assert "no luck" in row["reason"]
    assert "broken: failed: RuntimeError in fit: no luck" in repr(found)


def test_parameters_are_set_by_algorithm(small: Path) -> None:
    found = recbench.run(small, "ease", settings={"ease": {"l2": 7.0}}, output=small.parent / "out")
    assert found.board.records[0].identity["algorithm"]["parameters"]["l2"] == 7.0


def test_a_wrong_name_is_an_error_with_a_way_out(small: Path) -> None:
    with pytest.raises(UnknownName, match="close: 'popularity'"):
        recbench.run(small, "popularty", output=small.parent / "out")


def test_where_nothing_can_run_the_command_that_mends_it_is_named(small: Path) -> None:
    (small.parent / "lacking.py").write_text(
        "from recbench.api import Algorithm, hookimpl\n\n\n@hookimpl\ndef recbench_algorithms():\n"
        '    yield Algorithm(name="lacking", target="lacking:X", requires=("no_such_module",))\n'
    )
    with pytest.raises(recbench.RecbenchError, match="'lacking'") as caught:
        recbench.run(small, "lacking", output=small.parent / "out", plugins=[small.parent / "lacking.py"])
    assert caught.value.fix == "pip install no_such_module"
    found = recbench.run(
        small, ["lacking", "popularity"], output=small.parent / "out", plugins=[small.parent / "lacking.py"]
    )
    assert "not installed: pip install no_such_module" in repr(found)
    assert "not installed: pip install no_such_module" in found._repr_html_()


def test_a_broken_plugin_is_a_warning_and_harms_nothing_else(small: Path) -> None:
    (small.parent / "bad.py").write_text("raise RuntimeError('not today')\n")
    with pytest.warns(UserWarning, match="bad.py is broken: .*not today"):
        found = recbench.run(small, "popularity", output=small.parent / "out", plugins=[small.parent / "bad.py"])
    assert list(found.to_pandas()["name"]) == ["popularity"]


SCRIPT = """
import recbench
print("once")
board = recbench.run("small.toml", ["popularity", "random"], output="out")
print(len(board.to_pandas()))
"""


@pytest.mark.parametrize("way", ["file", pytest.param("standard input", marks=pytest.mark.slow)])
def test_a_script_needs_no_guard(small: Path, way: str) -> None:
    (small.parent / "script.py").write_text(SCRIPT)
    command = [sys.executable, "script.py"] if way == "file" else [sys.executable, "-"]
    given = None if way == "file" else SCRIPT
    done = subprocess.run(command, input=given, cwd=small.parent, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "once\n2\n", "")


def test_a_run_works_from_a_thread_that_is_not_the_main_one(small: Path) -> None:
    found: list[recbench.Leaderboard] = []
    thread = threading.Thread(
        target=lambda: found.append(recbench.run(small, "popularity", output=small.parent / "out"))
    )
    thread.start()
    thread.join()
    assert len(found[0].to_pandas()) == 1


@pytest.mark.slow
def test_what_is_finished_before_an_interrupt_is_kept(small: Path) -> None:
    (small.parent / "sleepy.py").write_text(
        "import time\nfrom recbench.api import Algorithm, hookimpl\n\n\nclass Sleepy:\n"
        "    def fit(self, train, *, seed):\n        time.sleep(600)\n"
        "    def score(self, users):\n        raise AssertionError\n\n\n@hookimpl\ndef recbench_algorithms():\n"
        '    yield Algorithm(name="z-sleepy", target="sleepy:Sleepy", deterministic=True)\n'
    )
    script = (
        "import recbench\ntry:\n"
        "    recbench.run('small.toml', ['popularity', 'z-sleepy'], output='out', plugins=['sleepy.py'],"
        " progress=lambda line: print(line, flush=True))\n"
        "except KeyboardInterrupt as interrupt:\n    print(interrupt)\n"
        "print(list(recbench.Leaderboard.load('out').to_pandas()['name']))\n"
    )
    command = [sys.executable, "-c", script]
    with subprocess.Popen(command, cwd=small.parent, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("ok popularity")
        process.send_signal(signal.SIGINT)
        rest = process.stdout.read()
        assert process.wait() == 0
    assert "what is finished is kept" in rest
    assert "['popularity']" in rest

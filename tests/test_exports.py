"""Exports: every figure and every row gets there, and no name of a stranger's does anything but stand there."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st
from records_by_hand import of_external, protocol, record

from recbench import exports
from recbench.api import Algorithm
from recbench.cli import cli
from recbench.errors import RecbenchError, UnknownName
from recbench.exports.bibtex import AUTHOR, TITLE
from recbench.exports.tex import escape
from recbench.leaderboard.standings import Board, board
from recbench.records import Record, Status, Store
from recbench.registry import Offered, Plugin

REPOSITORY = Path(__file__).resolve().parent.parent
HOSTILE = r"""a_b & 100% # $x$ {y} }{ ~ ^ \input{x} "q" `<|> é ß 中 😀 --- @misc{z,"""


def rows() -> list[Record]:
    """Two seeds of one row, a deterministic baseline with a hostile name, one without a rank, two that failed."""
    usual: dict[str, Any] = {"deterministic": False, "measured": {"fit_seconds": 3.0}}
    by_seed = [{"ndcg@10": 0.30, "rmse": 0.8}, {"ndcg@10": 0.32, "rmse": 0.82}]
    return [
        *(record("ease", scores=scores, seed=seed, **usual) for seed, scores in enumerate(by_seed)),
        record(HOSTILE, scores={"ndcg@10": 0.2, "rmse": 0.9}, baseline=True, measured={"fit_seconds": 0.001}),
        record("rater", scores={"rmse": 0.7}),
        record("broken", status=Status.FAILED, reason="50% of {x} & $y$"),
        of_external("lists", scores={"ndcg@10": 0.1}, measured={"fit_seconds": 9.0}),
    ]


def whole() -> Board:
    """The board of `rows`, with what the statistics would say."""
    found = board(rows())
    first, second, *others = found.standings
    first = replace(first, intervals={"ndcg@10": (0.28, 0.34)}, letters="a", ranks=(1, 2))
    second = replace(second, intervals={"ndcg@10": (0.17, 0.23)}, letters="ab", ranks=(1, 3))
    return replace(found, standings=(first, second, *others))


def by_name(found: Board) -> dict[Any, Any]:
    return {row["name"]: row for row in exports.tidy(found).rows}


def test_each_row_has_its_place_its_figures_and_how_sure_they_are() -> None:
    ease = by_name(whole())["ease"]
    assert (ease["rank"], ease["rank_best"], ease["rank_worst"], ease["letters"]) == (1, 1, 2, "a")
    assert ease["ndcg@10"] == pytest.approx(0.31)
    assert ease["ndcg@10_spread"] == pytest.approx(0.02 / 2**0.5)
    assert (ease["ndcg@10_low"], ease["ndcg@10_high"]) == (0.28, 0.34)
    assert (ease["rmse_low"], ease["rmse_high"]) == (None, None)
    assert (ease["fit_seconds"], ease["n_trials"], ease["status"]) == (3.0, 2, "ok")
    assert (ease["protocol"], ease["fingerprint"], ease["metrics_version"]) == ("toy", "ab" * 32, 1)


def test_a_row_without_a_rank_says_why_and_keeps_its_figures() -> None:
    found = by_name(whole())
    assert (found["rater"]["rank"], found["rater"]["status"], found["rater"]["rmse"]) == (None, "ok", 0.7)
    assert "no ndcg@10" in found["rater"]["reason"]
    assert (found["broken"]["status"], found["broken"]["ndcg@10"]) == ("failed", None)
    assert found["broken"]["reason"] == "failed: 50% of {x} & $y$"


def test_missing_trials_are_incomplete() -> None:
    found = board([record("a", fold=0), record("a", fold=1), record("b", fold=0)])
    assert by_name(found)["b"]["status"] == "incomplete"


def test_a_board_of_two_populations_has_columns_for_both() -> None:
    found = board([record("a", scores={"ndcg@10": 0.1}, scores_warm={"ndcg@10": 0.2})])
    found = replace(found, standings=(replace(found.standings[0], intervals={"ndcg@10": (0.15, 0.25)}),))
    (row,) = exports.tidy(found).rows
    assert (row["ndcg@10"], row["ndcg@10_warm"]) == (0.1, 0.2)
    assert (row["ndcg@10_low"], row["ndcg@10_warm_low"]) == (None, 0.15)  # intervals are of what sorts
    assert "ndcg@10 (warm)" in exports.to_latex(found, ["ndcg@10_warm"])


def test_csv_reads_back_as_it_was() -> None:
    table = exports.tidy(whole())
    read = list(csv.DictReader(io.StringIO(exports.to_csv(table).decode())))
    assert len(read) == len(table.rows)
    for line, row in zip(read, table.rows, strict=True):
        assert line == {name: "" if value is None else str(value) for name, value in row.items()}


def test_json_reads_back_as_it_was() -> None:
    table = exports.tidy(whole())
    assert json.loads(exports.to_json(table)) == [dict(row) for row in table.rows]


def test_parquet_reads_back_as_it_was_with_a_type_for_each_column() -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    table = exports.tidy(whole())
    read = parquet.read_table(io.BytesIO(exports.to_parquet(table)))
    assert read.to_pylist() == [dict(row) for row in table.rows]
    kinds = {str: "string", int: "int64", float: "double"}
    assert {field.name: str(field.type) for field in read.schema} == {n: kinds[t] for n, t in table.types.items()}


def test_parquet_without_pyarrow_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(RecbenchError, match="pyarrow") as caught:
        exports.to_parquet(exports.tidy(whole()))
    assert "[parquet]" in caught.value.fix


def test_pandas_has_a_type_for_each_column_whatever_is_missing() -> None:
    frame = exports.to_pandas(exports.tidy(whole()))
    assert list(frame["rank"].dropna()) == [1, 2, 3]
    assert {str(frame[name].dtype) for name in ("rank", "n_trials", "metrics_version")} == {"Int64"}
    assert str(frame["coverage@10" if "coverage@10" in frame else "ndcg@10"].dtype) == "float64"


def cells(text: str) -> list[list[str]]:
    """The rows of a LaTeX table, its head first."""
    return [re.split(r" (?<!\\)& ", line.strip().removesuffix(r" \\")) for line in text.splitlines() if r" & " in line]


def test_the_best_is_bold_and_letters_are_superscripts() -> None:
    head, ease, hostile, lists, *_ = cells(exports.to_latex(whole(), ["ndcg@10", "fit_seconds"]))
    assert head == [r"\#", "Algorithm", r"\multicolumn{2}{c}{ndcg@10 $\uparrow$}", "fit s"]
    assert ease == ["1--2", r"ease\textsuperscript{a}", r"\textbf{0.3100}", r"\,$\pm$\,0.0141", "3.00"]
    assert hostile[1].startswith(r"\emph{a\_b \& 100\% \# \$x\$")
    assert hostile[1].endswith(r"\textsuperscript{ab}")
    assert hostile[-1] == r"\textbf{\textless{}0.01}"
    assert lists[1:] == ["lists", "0.1000", "", "9.00 stated"]


def test_rows_without_a_rank_stand_below_a_rule() -> None:
    text = exports.to_latex(whole(), ["ndcg@10", "rmse"])
    below = text.split(r"\midrule")[2]
    assert [row[0] for row in cells(below)] == ["--", "--"]
    assert r"-- & broken & \multicolumn{4}{l}{failed} \\" in below
    assert "-- & rater &  &  & " in below


def test_the_caption_says_what_the_marks_mean_and_nothing_that_is_not_there() -> None:
    text = exports.to_latex(whole())
    for said in ("bold", r"$\pm$", "share a letter", "italics", "ndcg@10 (higher is better)"):
        assert said in text
    plain = exports.to_latex(board([record("a")]))
    for said in ("bold", r"$\pm$", "share a letter", "italics"):
        assert said not in plain


def test_columns_come_in_the_order_asked_for() -> None:
    (head, *_) = cells(exports.to_latex(whole(), ["peak_memory_mb", "rmse", "wall_seconds"]))
    assert [each.strip("}").rpartition("{")[2] for each in head[2:]] == ["MB", r"rmse $\downarrow$", "wall seconds"]


def test_an_unknown_column_lists_the_close_ones() -> None:
    with pytest.raises(UnknownName, match=r"'ndgc@10'.*close: 'ndcg@10'"):
        exports.to_latex(whole(), ["ndgc@10"])


COMMANDS = re.compile(
    r"\\(?:text(?:backslash|asciitilde|asciicircum|less|greater|bar|braceleft|braceright)|ldots|ss|ae|AE|oe|OE|[oOlLi])"
    r"\{\}|\\[&%#_$]|\\[`'^~=u.\"rHvdcb]\{[A-Za-z]?\}|\$\\[a-z]+\$"
)


@given(st.text(max_size=40))
def test_whatever_a_name_is_nothing_of_it_means_something_to_tex(name: str) -> None:
    text = escape(name)
    assert text.isascii()
    assert not re.search(r"[\\{}$&#%_~^\"<>|]", COMMANDS.sub("", text).replace("{}", ""))
    assert text.count("{") == text.count("}")  # BibTeX counts them, a backslash before them or not


def test_names_are_readable_where_tex_can_show_them() -> None:
    assert escape("Žižek, François & Łukasz") == r"\v{Z}i\v{z}ek, Fran\c{c}ois \& \L{}ukasz"
    assert escape("Z\u030cizek") == r"\v{Z}izek"
    assert escape("a--b ''c'' 中") == "a-{}-b '{}'c'{}' [U+4E2D]"


def compile_latex(folder: Path, body: str, bib: str | None = None) -> str:
    """Run the real programs; what they said. Any error ends the test."""
    if shutil.which("pdflatex") is None or not shutil.which("kpsewhich"):
        pytest.skip("pdflatex is not installed")
    if not subprocess.run(["kpsewhich", "booktabs.sty"], capture_output=True).stdout:
        pytest.skip("LaTeX has no booktabs")
    cite = "" if bib is None else "\\nocite{*}\\bibliographystyle{plain}\\bibliography{cited}"
    (folder / "paper.tex").write_text(
        f"\\documentclass{{article}}\\usepackage{{booktabs}}\\begin{{document}}\n{body}\n{cite}\\end{{document}}\n"
    )
    said = ""
    commands = [["pdflatex", "-halt-on-error", "-interaction=nonstopmode", "paper.tex"]]
    if bib is not None:
        (folder / "cited.bib").write_text(bib)
        commands = [*commands, ["bibtex", "paper"], *commands]
    for command in commands:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, errors="replace")
        assert done.returncode == 0, done.stdout[-3000:]
        said += done.stdout
    return said


@pytest.mark.slow
def test_pdflatex_compiles_a_table_with_hostile_names(tmp_path: Path) -> None:
    hostile = [replace(each, label=HOSTILE * 2, algorithm=HOSTILE) for each in rows()[:1]]
    found = board([*rows(), *[replace(each, protocol=protocol(title=HOSTILE)) for each in hostile]])
    compile_latex(tmp_path, exports.to_latex(found) + exports.to_latex(whole(), ["ndcg@10", "rmse", "fit_seconds"]))


@pytest.mark.slow
def test_pdflatex_sets_the_published_board_within_the_page(tmp_path: Path) -> None:
    done = export(REPOSITORY / "leaderboards", "-p", "movietweetings", "--format", "latex")
    assert "Overfull" not in compile_latex(tmp_path, done.output)


def offer(name: str, reference: str, distribution: str = "someone") -> Offered[Algorithm]:
    plugin = Plugin(name=name, module=name, distribution=distribution, version="1.0")
    return Offered(value=Algorithm(name=name, target="x:Y", reference=reference), plugin=plugin)


def entries(text: str) -> dict[str, str]:
    """By its key what stands in an entry."""
    return dict(re.findall(r"^@misc\{([^,]+),\n(.*?)\n\}$", text, re.DOTALL | re.MULTILINE))


def test_bibtex_has_recbench_the_data_and_each_algorithm_that_was_used() -> None:
    found = entries(exports.to_bibtex(whole(), {"ease": offer("ease", "Steck, WWW 2019"), "bpr": offer("bpr", "UAI")}))
    assert list(found) == ["recbench", "recbench-data-toy", "recbench-ease"]
    assert "note = {Version 0.1.0}" in found["recbench"]
    assert "note = {A. Nobody, 2026}" in found["recbench-data-toy"]
    assert "note = {Steck, WWW 2019}" in found["recbench-ease"]


def test_bibtex_names_recbench_as_its_citation_file_does() -> None:
    said = (REPOSITORY / "CITATION.cff").read_text()
    assert f'title: "{TITLE}"' in said
    assert f"name: {AUTHOR}" in said


def test_what_was_published_together_is_one_entry() -> None:
    found = board([record("a"), record("b", scores={"ndcg@10": 0.1})])
    text = exports.to_bibtex(found, {name: offer(name, "Both, 2020") for name in "ab"})
    assert "% a, b\n@misc{recbench-a,\n" in text
    assert text.count("Both, 2020") == 1


def test_components_are_cited_too() -> None:
    blend = record("blend")
    identity = {**blend.identity, "components": {"ease": {"name": "ease", "distribution": "someone"}}}
    found = board([replace(blend, identity=identity)])
    assert "Steck" in exports.to_bibtex(found, {"ease": offer("ease", "Steck")})


def test_an_algorithm_of_the_same_name_from_somewhere_else_is_not_cited() -> None:
    text = exports.to_bibtex(board([record("ease")]), {"ease": offer("ease", "Wrong", distribution="another")})
    assert "Wrong" not in text
    assert text.endswith("% No reference is known here of: ease\n")


def test_keys_are_unique_whatever_the_names() -> None:
    found = board([record("a.b"), record("a b", scores={"ndcg@10": 0.1})])
    text = exports.to_bibtex(found, {"a.b": offer("a.b", "One"), "a b": offer("a b", "Two")})
    assert list(entries(text))[2:] == ["recbench-a-b", "recbench-a-bx"]


@pytest.mark.slow
def test_bibtex_and_pdflatex_take_hostile_citations(tmp_path: Path) -> None:
    data = {"title": HOSTILE, "citation": HOSTILE, "name": HOSTILE, "homepage": "https://x.org/a%7Bb"}
    found = board([record(HOSTILE, data=data), record("plain", scores={"ndcg@10": 0.1}, data=data)])
    bib = exports.to_bibtex(found, {HOSTILE: offer(HOSTILE, HOSTILE)})
    said = compile_latex(tmp_path, "Text.", bib)
    assert "arning" not in said.partition("This is BibTeX")[2].partition("This is pdfTeX")[0]
    assert len(entries(bib)) == 3


def export(*arguments: object, code: int = 0) -> Result:
    done = CliRunner().invoke(cli, ["export", *map(str, arguments)], standalone_mode=False)
    if code == 0 and done.exception:
        raise done.exception
    return done


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two boards: `rows` under the protocol toy, and one row under another."""
    store = Store(tmp_path / "out")
    for each in [*rows(), record("x", protocol=protocol(name="other", fingerprint="cd" * 32))]:
        store.save(each, lists=None, predictions=None)
    return tmp_path / "out"


@pytest.mark.parametrize("ending", ["csv", "json", "tex", "bib"])
def test_the_ending_says_which_form(folder: Path, tmp_path: Path, ending: str) -> None:
    starts = {"csv": "protocol,", "json": "[\n", "tex": "% Made by `recbench export`", "bib": "@misc{recbench,"}
    done = export(folder, "-p", "toy", "-o", tmp_path / f"board.{ending}")
    assert done.output == f"{tmp_path / f'board.{ending}'}\n"
    assert (tmp_path / f"board.{ending}").read_text().startswith(starts[ending])


def test_without_a_file_it_goes_to_standard_output_twice_the_same(folder: Path) -> None:
    for form in ("csv", "json", "latex", "bibtex"):
        first, second = (export(folder, "-p", "toy", "--format", form).stdout for _ in range(2))
        assert first == second
        assert "ease" in first


def test_columns_are_chosen_for_latex(folder: Path) -> None:
    done = export(folder, "-p", "toy", "--format", "latex", "--columns", "rmse,ndcg@10")
    assert [each.strip("}").rpartition("{")[2] for each in cells(done.stdout)[0][2:]] == [
        r"rmse $\downarrow$", r"ndcg@10 $\uparrow$",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--format", "csv"], r"several boards: other, toy"),
        (["--format", "csv", "-p", "toi"], r"'toi' is not the name of a board; close: 'toy'"),
        (["-p", "toy"], r"what to export is not said"),
        (["-p", "toy", "-o", "board.xyz"], r"'board.xyz' does not end like an export"),
        (["-p", "toy", "--format", "csv", "--columns", "rmse"], r"columns cannot be chosen for csv"),
    ],
)
def test_what_cannot_be_meant_is_an_error(folder: Path, arguments: Sequence[str], message: str) -> None:
    assert re.search(message, str(export(folder, *arguments, code=1).exception))


def test_a_damaged_record_is_told_and_holds_nothing_up(folder: Path) -> None:
    next(folder.glob("records/toy-*/*.json")).write_text("{")
    done = export(folder, "-p", "toy", "--format", "csv")
    assert "Passed over" in done.stderr
    assert done.stdout.startswith("protocol,")

"""`recbench run --reference`: published figures beside ours, from files that say where they are from."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from published_data import figures
from records_by_hand import protocol, record

from recbench.cli import cli
from recbench.errors import BadProtocol, RecbenchError
from recbench.leaderboard.references import beside
from recbench.protocols import loading
from recbench.protocols.references import PUBLISHED, load, of, shipped
from recbench.protocols.spec import PublishedRow, Reference
from recbench.records import Record, Status

FILE = """
title = "A paper"
citation = "A. Nobody, A paper, 2020"
link = "https://example.org/paper"
protocol = "toy"
fingerprint = "FINGERPRINT"
scores = ["ndcg@10", "rmse"]

[[row]]
published_as = "EASE_R"
label = "ease"
within = 0.01
figures = [0.250, 0.9]

[[row]]
published_as = "Other"
figures = [0.1, 1.0]
"""
TOY = "ab" * 32


def reference(**more: Any) -> Reference:
    usual: dict[str, Any] = {
        "title": "A paper",
        "citation": "A. Nobody, A paper, 2020",
        "link": "https://example.org/paper",
        "protocol": "toy",
        "fingerprint": TOY,
        "scores": ("ndcg@10", "rmse"),
        "rows": (
            PublishedRow(published_as="EASE_R", label="ease", within=0.01, figures=(0.25, 0.9)),
            PublishedRow(published_as="Other", figures=(0.1, 1.0)),
        ),
    }
    return Reference(**usual | more)


def shown(records: list[Record], found: Reference | None = None, *, width: int = 100) -> list[list[str]]:
    """The lines, as words."""
    return [line.split() for line in beside(records, found or reference(), width=width).splitlines()]


def read(text: str, folder: Path) -> Reference:
    path = folder / "paper.toml"
    path.write_text(text.replace("FINGERPRINT", TOY))
    return load(path)


# What is shown


def test_published_figures_stand_beside_ours_with_the_difference() -> None:
    lines = shown([record(scores={"ndcg@10": 0.2512, "rmse": 0.93})])
    assert lines[2] == ["algorithm", "published", "as", "ndcg@10", "ours", "off", "by", "rmse", "ours", "off", "by"]
    assert lines[3] == ["ease", "EASE_R", "0.25", "0.25", "0.00", "0.9", "0.9", "0.0!"]
    assert "1 of 2 figures are as published" in " ".join(lines[5])


def test_figures_have_the_decimals_of_the_publication_and_a_nought_no_sign() -> None:
    rows = (
        PublishedRow(published_as="a", label="a", within=0.1, figures=(0.067,)),
        PublishedRow(published_as="b", label="b", within=0.1, figures=(0.0917,)),
    )
    records = [record(label, scores={"ndcg@10": score}) for label, score in (("a", 0.06699), ("b", 0.0911))]
    lines = shown(records, reference(scores=("ndcg@10",), rows=rows))
    assert lines[3] == ["a", "a", "0.0670", "0.0670", "0.0000"]
    assert lines[4] == ["b", "b", "0.0917", "0.0911", "-0.0006"]


def test_folds_are_averaged_unless_the_publication_has_one_of_them() -> None:
    records = [record(fold=fold, scores={"ndcg@10": score}) for fold, score in ((0, 0.2), (1, 0.4))]
    rows = (PublishedRow(published_as="E", label="ease", within=0.5, figures=(0.25,)),)
    assert shown(records, reference(scores=("ndcg@10",), rows=rows))[3][3] == "0.30"
    alone = shown(records, reference(scores=("ndcg@10",), rows=rows, fold=1))
    assert alone[3][3] == "0.40"
    assert "of fold 1 alone" in " ".join(alone[6])


def test_what_failed_or_did_not_run_or_has_no_row_is_named() -> None:
    rows = (
        PublishedRow(published_as="E", label="ease", within=0.5, figures=(0.25, 0.9)),
        PublishedRow(published_as="S", label="slim", within=0.5, figures=(0.25, 0.9)),
        PublishedRow(published_as="Other", figures=(0.1, 1.0)),
    )
    failed = record(status=Status.FAILED, reason="no luck")
    text = beside([failed], reference(rows=rows), width=100)
    assert "No figures here: ease, slim." in text
    assert "Published, and no row here: Other." in text


def test_a_row_without_one_of_the_scores_has_no_figure_there() -> None:
    lines = shown([record(scores={"ndcg@10": 0.25})])
    assert lines[3] == ["ease", "EASE_R", "0.25", "0.25", "0.00", "0.9"]
    assert "1 of 1 figures" in " ".join(lines[5])


def test_parameters_set_by_hand_are_told() -> None:
    text = beside([record(protocol=protocol(settings={"l2": 3}))], reference(), width=100)
    assert "ease (set by hand)" in text


@pytest.mark.parametrize("width", [40, 80, 120, 200])
def test_all_scores_are_shown_in_as_many_tables_as_fit(width: int) -> None:
    scores = tuple(f"ndcg@{k}" for k in range(1, 11))
    rows = (PublishedRow(published_as="E", label="ease", within=0.5, figures=(0.25,) * 10),)
    text = beside([record(scores=dict.fromkeys(scores, 0.25))], reference(scores=scores, rows=rows), width=width)
    assert re.findall(r"ndcg@\d+", text) == list(scores)
    assert max(map(len, text.splitlines())) <= max(width, len("ease       E               0.25  0.25    0.00") + 6)


# Files


def test_a_file_says_what_it_is_of(tmp_path: Path) -> None:
    assert read(FILE, tmp_path) == reference()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('label = "ease"', 'lable = "ease"', "[row#1] lable is not a key; close: 'label'"),
        ("[0.250, 0.9]", "[0.250]", "[row#1] figures: [0.25] is not a list of 2, one for each of scores"),
        ('label = "ease"\n', "", "[row#1] within means nothing without label"),
        ("within = 0.01\n", "", "[row#1] within is missing"),
        ('label = "ease"\nwithin = 0.01\n', "", "no [[row]] has a label"),
        ('"Other"', '"EASE_R"', "published_as 'EASE_R' stands twice"),
        ("FINGERPRINT", "12", 'fingerprint: "12" is not a sha256'),
        ('link = "https://example.org/paper"\n', "", "link is missing"),
        ("scores =", "scores = =", "line 7 is not TOML"),
    ],
)
def test_what_cannot_be_meant_is_an_error_that_names_file_and_key(
    old: str, new: str, message: str, tmp_path: Path
) -> None:
    with pytest.raises(BadProtocol) as caught:
        read(FILE.replace(old, new), tmp_path)
    assert caught.value.what.startswith(str(tmp_path / "paper.toml"))
    assert message in caught.value.what


def test_a_protocol_without_figures_says_so_and_which_have_some() -> None:
    with pytest.raises(RecbenchError, match="no published figures for protocol 'mine'") as caught:
        of(shipped(), "mine", TOY)
    assert "movielens-100k, movielens-100k-surprise, table32" in caught.value.fix


def test_figures_of_other_splits_are_not_shown() -> None:
    with pytest.raises(RecbenchError, match="are of other data, another split or another evaluation"):
        of((reference(),), "toy", "cd" * 32)


# Those that come with recbench


@pytest.mark.parametrize("path", sorted(PUBLISHED.glob("*.toml")), ids=lambda path: path.stem)
def test_shipped_figures_are_of_rows_and_scores_that_their_protocol_has(path: Path) -> None:
    found = load(path)
    of_it = loading.load(found.protocol, loading.shipped())
    evaluation = of_it.evaluation
    scores = {f"{metric}@{k}" for metric in evaluation.metrics for k in evaluation.cutoffs} | set(evaluation.metrics)
    assert set(found.scores) <= scores
    assert path.read_text().startswith("# ")
    if found.fold is None:
        rows = {row.label for row in of_it.rows} | set(of_it.parameters) | set(of_it.trials.algorithms)
        assert {row.label for row in found.rows if row.label} - rows <= {
            "random",
            "slope-one",
        }  # they have no parameters


def test_shipped_figures_are_those_that_were_looked_up() -> None:
    assert figures("table32", "ease")[:2] == (0.0956, 0.0212)
    assert figures("surprise", "svd") == (0.934, 0.737)
    assert figures("mymedialite", "user-mean") == (1.063, 0.85019)
    assert len(load(PUBLISHED / "table32.toml").rows) == 24


@pytest.mark.golden
def test_the_figures_of_mymedialite_are_shown_beside_ours(shared_data: Any, tmp_path: Path) -> None:
    arguments = ["run", "-p", "movielens-100k", "-a", "user-mean", "-o", str(tmp_path), "--reference"]
    done = CliRunner().invoke(
        cli, [*arguments, "--data-dir", str(shared_data("ml-100k").parent)], standalone_mode=False
    )
    assert done.exception is None, done.output
    assert re.search(r"user-mean +UserAverage +1\.063 +1\.063 +0\.000 +0\.85019 +0\.85019 +0\.00000", done.output)
    assert "2 of 2 figures are as published" in done.output


# The command


def run(original: Path, tmp_path: Path, *more: str) -> Any:
    arguments = ["run", "-p", str(original / "small.toml"), "-a", "popularity", "-o", str(tmp_path / "out"), *more]
    return CliRunner().invoke(cli, arguments, standalone_mode=False)


def test_a_file_of_one_s_own_is_shown_after_the_board(original: Path, tmp_path: Path) -> None:
    from publications import path_of

    from recbench.records import load as load_record

    known = load_record(path_of(original / "out", "popularity"))
    text = FILE.replace("ndcg@10", "ndcg@5").replace('"ease"', '"popularity"').replace('"toy"', '"small"')
    (tmp_path / "paper.toml").write_text(text.replace("FINGERPRINT", known.protocol["fingerprint"]))
    done = run(original, tmp_path, "--reference", str(tmp_path / "paper.toml"))
    assert done.exception is None
    table = done.output.partition("A paper, https://example.org/paper")[2]
    assert re.search(r"popularity +EASE_R +0\.25 +0\.\d\d +[+-]?0\.\d\d", table)


def test_without_figures_nothing_runs(original: Path, tmp_path: Path) -> None:
    done = run(original, tmp_path, "--reference")
    assert isinstance(done.exception, RecbenchError)
    assert "there are no published figures for protocol 'small'" in done.exception.what
    assert not (tmp_path / "out").exists()


def test_show_tells_which_publications_have_figures() -> None:
    done = CliRunner().invoke(cli, ["show", "table32"], standalone_mode=False)
    assert "Table 32 of Ferrari Dacrema et al. (2021)" in done.output


def test_lines_of_json_have_no_place_for_them(original: Path, tmp_path: Path) -> None:
    done = run(original, tmp_path, "--reference", "--json")
    assert "exclude each other" in str(done.exception)

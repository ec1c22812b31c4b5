"""`recbench index`: publications of several authors in one page, checked here, with who ran what again."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import publications
import pytest
from click.testing import CliRunner
from publications import edit, path_of
from records_by_hand import protocol, record

from recbench import benchmark, boards, publishing
from recbench.cli import cli
from recbench.cli.offers import registry
from recbench.errors import RecbenchError
from recbench.indexing import Agreement, Published, merge
from recbench.indexing.publications import Checked, Kept
from recbench.protocols.loading import load
from recbench.records import Record, Status
from recbench.trials import Selection
from recbench.verifying import SUMS, Means, checksums

ADA, BOB = "Ada Lovelace <ada@example.org>", "Bob"


@pytest.fixture(scope="session")
def authors(original: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ada published the run that all others are tested with; Bob ran two of its rows again. Not to be changed."""
    folder = tmp_path_factory.mktemp("authors")
    small = load(original / "small.toml", {})
    options = benchmark.Options(output=folder / "bob-out", in_process=True)
    agenda = benchmark.arrange(small, registry(), Selection(wanted=("popularity", "random", "bias")), options)
    benchmark.run(agenda, options, publications.Quiet())
    boards.write(folder / "bob-out")
    means = Means(registry=registry(), protocols=(small,))
    publishing.publish(original / "out", folder / "ada", means, by=ADA)
    publishing.publish(folder / "bob-out", folder / "bob", means, by=BOB)
    return folder


@pytest.fixture
def published(authors: Path, original: Path, tmp_path: Path) -> Path:
    """A folder with a copy of both publications, to tamper with, and the protocol with its data."""
    for name in ("ada", "bob"):
        shutil.copytree(authors / name, tmp_path / name)
    for name in ("small.toml", "ratings.tsv"):
        shutil.copy(original / name, tmp_path / name)
    return tmp_path


def index(folder: Path, *names: str, with_protocol: bool = True) -> Any:
    """Run the command over publications in a folder; the page goes to `index`."""
    given = ["-p", str(folder / "small.toml")] if with_protocol else []
    dirs = [str(folder / name) for name in names or ("ada", "bob")]
    return CliRunner().invoke(cli, ["index", *dirs, "-o", str(folder / "index"), *given], standalone_mode=False)


def page(folder: Path) -> str:
    return (folder / "index" / "README.md").read_text()


def table(text: str, heading: str) -> list[dict[str, str]]:
    """The rows of the table under a heading, by the titles of its columns."""
    part = text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in part.splitlines() if line.startswith("|")]
    head, _, *rows = [[cell.strip(" \u00a0") for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
    return [dict(zip((name.replace("&nbsp;", "").strip(" \u00a0") for name in head), row, strict=True)) for row in rows]


def small(text: str, name: str) -> list[dict[str, str]]:
    """The rows of an algorithm."""
    return [row for row in table(text, "Small") if row["algorithm"].partition(" <sub>")[0] == name]


def sign_again(folder: Path) -> None:
    """Write the boards and checksums of a tampered publication anew, as a forger would."""
    boards.write(folder)
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != SUMS)
    (folder / SUMS).write_text(checksums(folder, files))


# What stands in it


def test_rows_of_two_authors_stand_in_one_table_with_who_published_them(published: Path) -> None:
    done = index(published)
    assert done.return_value == 0, done.output
    rows = table(page(published), "Small")
    assert len(rows) == 5 + 3
    assert {row["published by"] for row in small(page(published), "popularity")} == {
        "Ada Lovelace &lt;ada@<!-- -->example.org&gt; (1)",
        "Bob (2)",
    }
    assert [row["published by"].rpartition(" ")[2] for row in small(page(published), "bias")] == ["(2)"]
    assert {row["holds"] for row in table(page(published), "Publications")} == {"yes"}


def test_rows_are_ranked_together_and_equal_ones_share_a_rank(published: Path) -> None:
    index(published)
    rows = table(page(published), "Small")
    ranked = [row for row in rows if row["#"] != "-"]
    scores = [float(row["ndcg@5 ↑"].strip("*")) for row in ranked]
    assert scores == sorted(scores, reverse=True)
    assert [row["#"] for row in small(page(published), "random")] == [small(page(published), "random")[0]["#"]] * 2
    assert [row["#"] for row in rows[len(ranked) :]] == ["-"]
    assert "**failed**: RuntimeError in fit: no luck" in rows[-1]["algorithm"]


def test_each_row_is_linked_to_its_records(published: Path) -> None:
    index(published)
    for row in table(page(published), "Small"):
        links = re.findall(r"\]\(([^)]+)\)", row["records"])
        assert len(links) == 1
        for link in links:
            record = json.loads((published / "index" / unquote(link)).read_text())
            assert record["label"] == row["algorithm"].partition(" <sub>")[0]


def test_a_row_tells_plugin_version_and_code(published: Path) -> None:
    index(published)
    record = json.loads(path_of(published / "bob", "popularity").read_text())
    (_, bobs) = small(page(published), "popularity")
    assert f"{record['distribution']} {record['version']}" in bobs["algorithm"]


def test_the_same_trials_of_two_authors_are_a_replication_with_its_agreement(published: Path) -> None:
    index(published)
    ada, bob = small(page(published), "popularity")
    assert ada["run again"] == "replicated in (2): exactly, 1 trial"
    assert bob["run again"] == "replicated in (1): exactly, 1 trial"
    assert [row["run again"] for row in small(page(published), "item-mean")] == ["no"]


@pytest.mark.parametrize(
    ("by", "said"),
    [
        (5e-5, "replicated in (2): within 0.0001, 1 trial"),
        (0.0123, "replicated in (2): **no**, ndcg@5 by 0.0123, 1 trial"),
    ],
)
def test_scores_that_differ_say_by_how_much(published: Path, by: float, said: str) -> None:
    path = path_of(published / "bob", "popularity")
    edit(path, lambda document: document["scores"].update({"ndcg@5": document["scores"]["ndcg@5"] + by}))
    sign_again(published / "bob")
    (published / "ratings.tsv").unlink()  # with the data, the forged score would be found
    index(published)
    assert small(page(published), "popularity")[0]["run again"] in (said, said.replace("(2)", "(1)"))


def test_a_copy_of_another_s_records_is_no_replication(published: Path) -> None:
    shutil.copytree(published / "ada", published / "eve")
    (published / "eve" / "PUBLISHER").write_text("Eve\n")
    sign_again(published / "eve")
    index(published, "ada", "eve")
    assert {row["run again"] for row in small(page(published), "popularity")} == {
        "the same records in (1)",
        "the same records in (2)",
    }


@pytest.mark.parametrize("names", [(None, BOB), (BOB, BOB), (None, None)])
def test_who_is_not_named_or_the_same_does_not_replicate(published: Path, names: tuple[str | None, str | None]) -> None:
    for folder, name in zip(("ada", "bob"), names, strict=True):
        (published / folder / "PUBLISHER").unlink()
        if name is not None:
            (published / folder / "PUBLISHER").write_text(f"{name}\n")
        sign_again(published / folder)
    index(published)
    assert small(page(published), "popularity")[0]["run again"] == "again in (2): exactly, 1 trial"


def test_lists_made_elsewhere_are_not_said_to_be_run_again(published: Path) -> None:
    shutil.copytree(published / "ada", published / "eve")
    edit(
        path_of(published / "eve", "mine"),
        lambda document: document["provenance"].update(recorded="2020-01-01T00:00:00Z"),
    )
    sign_again(published / "eve")
    index(published, "ada", "eve")
    assert {row["run again"] for row in small(page(published), "mine")} == {"no"}


def test_the_same_publications_give_the_same_bytes_in_any_order(published: Path) -> None:
    index(published)
    first = page(published)
    index(published, "bob", "ada", "bob")
    assert page(published) == first


# What does not hold


def test_a_tampered_score_is_left_out_and_named(published: Path) -> None:
    path = path_of(published / "bob", "popularity")
    edit(path, lambda document: document["scores"].update({"ndcg@5": 0.99}))
    done = index(published)
    assert done.return_value == 3
    assert [row["published by"][-3:] for row in small(page(published), "popularity")] == ["(1)"]
    out = page(published).partition("## Left out")[2]
    assert f"(2) popularity: records/{path.parent.name}/{path.name}: " in out
    assert "0.99" not in page(published).partition("## Left out")[0]
    assert f"left out  {published / 'bob'}: popularity: records/" in done.output
    assert "its publication does not hold" in small(page(published), "random")[1]["checked"]


def test_a_tampered_score_with_checksums_to_match_is_found_by_the_data(published: Path) -> None:
    edit(path_of(published / "bob", "popularity"), lambda document: document["scores"].update({"ndcg@5": 0.99}))
    sign_again(published / "bob")
    assert index(published).return_value == 3
    assert "ndcg@5 is 0.99, and its lists give" in page(published).replace("@<!-- -->", "@")


def test_without_the_data_rows_say_that_they_were_not_scored_here(published: Path) -> None:
    (published / "ratings.tsv").unlink()
    assert index(published).return_value == 0
    rows = table(page(published), "Small")
    assert {row["checked"] for row in rows} == {"not scored here"}
    assert {row["holds"].partition(":")[0] for row in table(page(published), "Publications")} == {
        "as far as it was checked"
    }
    index(published, with_protocol=False)
    assert {row["checked"] for row in table(page(published), "Small")} == {"not scored here"}


def test_a_damaged_record_and_a_stray_file_are_named(published: Path) -> None:
    path = path_of(published / "bob", "random")
    path.write_text("{}")
    (published / "bob" / "records" / "notes.txt").write_text("mine")
    assert index(published).return_value == 3
    out = page(published).partition("## Left out")[2]
    assert f"records/{path.parent.name}/{path.name}: is of schema None" in out
    assert "records/notes.txt: is not the file of a record" in out
    assert len(small(page(published), "random")) == 1


def test_a_link_is_named_and_not_followed(published: Path) -> None:
    path = path_of(published / "bob", "random")
    shutil.move(path, published / "elsewhere.json")
    path.symlink_to(published / "elsewhere.json")
    assert index(published).return_value == 3
    assert "is a symbolic link; it was not followed" in page(published)
    assert len(small(page(published), "random")) == 1


def test_a_publisher_that_is_no_line_is_none(published: Path) -> None:
    for text in ("two\nlines\n", "y" * 5000):
        (published / "bob" / "PUBLISHER").write_text(text)
        index(published)
        assert small(page(published), "popularity")[1]["published by"] == "not said (2)"
        assert "PUBLISHER: is not one line with the name of a publisher" in page(published)


def test_names_of_strangers_do_no_more_than_stand_there(published: Path) -> None:
    evil = "<b>|[x](http://evil.example)`@you"
    (published / "bob" / "PUBLISHER").write_text(f"{evil}\n")
    edit(path_of(published / "bob", "bias"), lambda document: document.update(label=evil, version="](x)|<i>"))
    edit(path_of(published / "bob", "random"), lambda document: document["protocol"].update(title=f"# {evil}"))
    sign_again(published / "bob")
    (published / "ratings.tsv").unlink()
    index(published)
    for forbidden in ("<b>", "<i>", "[x](http", "](x)"):
        assert forbidden not in page(published).replace("\\[x\\](", "").replace("\\](x)", "")
    assert len(table(page(published), "Small")) == 8  # each row has the cells that the head has


def test_a_folder_that_is_no_publication_is_named_and_the_others_are_there(published: Path) -> None:
    (published / "empty").mkdir()
    done = index(published, "ada", "empty")
    assert done.return_value == 3
    assert "- empty: 'empty' holds no records" in page(published)
    assert str(published) not in page(published)
    assert len(table(page(published), "Small")) == 5


def test_a_failed_row_that_was_deleted_makes_its_publication_not_hold(published: Path) -> None:
    path_of(published / "ada", "broken").unlink()
    assert index(published).return_value == 3
    assert "is in SHA256SUMS and not there" in page(published)
    assert "small.md: differs from what the records say" in page(published)
    (row,) = small(page(published), "item-mean")
    assert row["checked"] == "scored anew; its publication does not hold"


def test_what_the_protocol_counts_as_better_cannot_be_turned_round_by_a_stranger(published: Path) -> None:
    def turn(document: dict[str, Any]) -> None:
        document["protocol"]["metrics"]["ndcg"]["best"] = "low"

    for label in ("popularity", "random", "bias"):
        edit(path_of(published / "bob", label), turn)
    sign_again(published / "bob")
    (published / "ratings.tsv").unlink()
    index(published)
    assert page(published).count("\n## Small\n") == 2


# Rows of several folds and seeds


def published_by(by: str, *records: Record) -> Published:
    kept = tuple(
        Kept(record=each, name=f"records/toy/{number}.json", checked=Checked.ANEW)
        for number, each in enumerate(records)
    )
    return Published(folder=Path(by), by=by, records=kept, findings=(), has_checksums=True)


def of_fold(fold: int, score: float, **more: Any) -> Record:
    folds = protocol(split={"kind": "k-fold", "folds": 2, "repeats": 1})
    return record("ease", fold=fold, scores={"ndcg@10": score}, protocol=folds, **more)


def test_nobody_ranks_with_the_best_of_the_folds_alone() -> None:
    (table,) = merge(
        [published_by("Ada", of_fold(1, 0.9)), published_by("Bob", of_fold(0, 0.1), of_fold(1, 0.3))]
    ).tables
    first, second = table.rows
    assert (first.number, first.standing.rank, first.standing.scores["ndcg@10"].mean) == (2, 1, 0.2)
    assert (second.number, second.standing.rank, str(second.standing.trouble)) == (1, None, "1 of 2 folds")


def test_trials_are_compared_one_by_one_and_the_worst_counts() -> None:
    ada = published_by("Ada", of_fold(0, 0.1), of_fold(1, 0.3))
    bob = published_by("Bob", of_fold(0, 0.1), of_fold(1, 0.35, provenance={"recorded": "2026-11-25T00:00:00Z"}))
    (table,) = merge([ada, bob]).tables
    (repeat,) = table.rows[0].repeats
    assert (repeat.agreement, repeat.n_trials, repeat.score) == (Agreement.BEYOND, 2, "ndcg@10")
    assert repeat.difference == pytest.approx(0.05)


def test_other_seeds_are_other_trials() -> None:
    rows = [of_fold(fold, 0.1, seed=seed, deterministic=False) for seed in (0, 1) for fold in (0, 1)]
    (table,) = merge([published_by("Ada", *rows[:2]), published_by("Bob", *rows[2:])]).tables
    assert [row.repeats for row in table.rows] == [(), ()]


def test_a_trial_that_ended_otherwise_does_not_agree() -> None:
    failed = record("ease", status=Status.FAILED, reason="no luck")
    (table,) = merge([published_by("Ada", record("ease")), published_by("Bob", failed)]).tables
    assert [row.repeats[0].agreement for row in table.rows] == [Agreement.OTHER_ENDING] * 2


def test_records_of_code_that_was_changed_since_are_named() -> None:
    old = record("ease", source="11", provenance={"recorded": "2020-01-01T00:00:00Z"})
    index = merge([published_by("Ada", old, record("ease"))])
    assert len(index.tables[0].rows) == 1
    assert [(each.what, each.reason) for each in index.left_out] == [
        ("records/toy/0.json", "a newer record takes its place")
    ]


def test_scores_of_users_with_a_history_in_one_publication_do_not_unrank_the_others() -> None:
    odd = record("slim", scores_warm={"ndcg@10": 0.9})
    tables = merge([published_by("Ada", record("ease")), published_by("Bob", odd)]).tables
    assert [[row.standing.rank for row in table.rows] for table in tables] == [[1], [1]]


def test_metrics_of_two_versions_share_no_table() -> None:
    assert len(merge([published_by("Ada", record()), published_by("Bob", record(metrics_version=2))]).tables) == 2


# Files


def test_what_is_no_index_is_not_written_over(published: Path) -> None:
    (published / "index").mkdir()
    (published / "index" / "README.md").write_text("# My thesis\n")
    done = index(published)
    assert isinstance(done.exception, RecbenchError)
    assert "is there, and is no index" in done.exception.what
    assert page(published) == "# My thesis\n"


def test_a_link_in_place_of_the_page_is_not_written_through(published: Path) -> None:
    (published / "index").mkdir()
    (published / "thesis.md").write_text("# My thesis\n")
    os.symlink(published / "thesis.md", published / "index" / "README.md")
    assert "is there, and is no index" in index(published).exception.what
    assert (published / "thesis.md").read_text() == "# My thesis\n"


def test_nothing_but_folders_that_are_none_is_an_error(published: Path) -> None:
    (published / "empty").mkdir()
    assert "none of these folders is a publication" in index(published, "empty").exception.what
    assert not (published / "index").exists()

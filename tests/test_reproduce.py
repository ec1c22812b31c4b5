"""`recbench reproduce` runs a trial again by its algorithm's name, and finds the forgery that agrees with itself."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from publications import Quiet, edit, path_of, verified

from recbench import benchmark, boards
from recbench.benchmark import rescore
from recbench.cli import cli
from recbench.cli.offers import registry
from recbench.errors import BadRecord, RecbenchError, UnknownName
from recbench.protocols.loading import load
from recbench.records import Status, Store, read_lists
from recbench.records import load as load_record
from recbench.reproducing import Reproduction, reproduce
from recbench.trials import Selection
from recbench.verifying import Means


def again(output: Path, path: Path, *plugins: Path, allow_command: bool = False) -> Reproduction:
    protocol = load(output.parent / "small.toml", {})
    means = Means(registry=registry(plugins), protocols=(protocol,))
    return reproduce(path, means, on_stage=lambda _: None, allow_command=allow_command)


@pytest.mark.parametrize("label", ["popularity", "item-mean"])
def test_a_record_made_here_is_the_same_to_the_last_digit(output: Path, label: str) -> None:
    found = again(output, path_of(output, label))
    assert (found.findings, found.differences) == ((), ())
    assert found.is_exact
    assert found.again.trial_id == found.record.trial_id


def test_a_trial_that_failed_agrees_when_it_fails_again(original: Path) -> None:
    output = original / "out"
    found = again(output, path_of(output, "broken"), *original.glob("broken_*.py"))
    assert found.agrees
    assert "no luck" in str(found.again.reason)


def test_a_forgery_consistent_throughout_is_found_by_running_again(output: Path) -> None:
    path = path_of(output, "random")
    record = load_record(path)
    lists, predictions = read_lists(path, record)
    Store(output).save(record, lists=lists[:, ::-1].copy(), predictions=predictions)
    rescore(load(output.parent / "small.toml", {}), registry(), output)
    boards.write(output)
    assert verified(output).holds
    found = again(output, path)
    assert not found.agrees
    assert any(each.startswith("the lists of 30 of 30 users are others here") for each in found.findings)


def test_a_forged_score_is_found_where_versions_differ_too(output: Path) -> None:
    def forge(document: dict) -> None:  # type: ignore[type-arg]
        document["scores"]["ndcg@5"] += 0.001
        document["provenance"]["packages"]["numpy"] = "1.0"

    found = again(output, edit(path_of(output, "popularity"), forge))
    assert found.tolerance == 1e-4
    assert any(each.startswith("numpy: 1.0 there, ") for each in found.differences)
    (finding,) = found.findings
    assert finding.startswith("ndcg@5 was ")


def test_other_versions_may_differ_in_the_fifth_digit(output: Path) -> None:
    def nudge(document: dict) -> None:  # type: ignore[type-arg]
        document["scores"]["ndcg@5"] += 0.00005
        document["provenance"]["python"] = "3.99.0"

    found = again(output, edit(path_of(output, "popularity"), nudge))
    assert found.agrees
    assert not found.is_exact


def test_the_target_that_a_record_names_is_never_imported(output: Path, tmp_path: Path) -> None:
    (tmp_path / "evil.py").write_text(f"open({str(tmp_path / 'was here')!r}, 'w').close()\nclass Evil: ...\n")
    path = edit(
        path_of(output, "popularity"),
        lambda document: document["identity"]["algorithm"].update(target="evil:Evil"),
        renew_id=True,
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(tmp_path))
        patch.setenv("PYTHONPATH", str(tmp_path))
        found = again(output, path)
    assert found.agrees
    assert any(each.startswith("target: evil:Evil there, recbench_baselines") for each in found.differences)
    assert not (tmp_path / "was here").exists()


def test_what_nobody_offers_here_cannot_run(output: Path) -> None:
    def rename(document: dict) -> None:  # type: ignore[type-arg]
        document["algorithm"] = document["label"] = document["identity"]["algorithm"]["name"] = "popularty"

    path = edit(path_of(output, "popularity"), rename, renew_id=True)
    with pytest.raises(UnknownName, match=r"popularty.*popularity"):
        again(output, path)


def test_what_was_made_elsewhere_cannot_be_run_again(output: Path) -> None:
    with pytest.raises(RecbenchError, match="'mine' was made elsewhere"):
        again(output, path_of(output, "mine"))


def test_a_program_does_not_run_unless_allowed_and_never_from_the_record(output: Path) -> None:
    def program(document: dict) -> None:  # type: ignore[type-arg]
        document["distribution"] = "program"
        document["identity"]["algorithm"].update(distribution="program", parameters={"command": ["rm", "-r", "{}"]})

    path = edit(path_of(output, "popularity"), program, renew_id=True)
    with pytest.raises(RecbenchError, match="made by a program") as refused:
        again(output, path)
    assert "--allow-command" in refused.value.fix
    with pytest.raises(RecbenchError, match="has no row 'popularity' here"):
        again(output, path, allow_command=True)


def test_lists_that_are_not_the_records_are_an_error(output: Path) -> None:
    path = path_of(output, "popularity")
    path.with_suffix(".npz").write_bytes(b"no archive")
    with pytest.raises(BadRecord):
        again(output, path)


def test_the_command_says_whether_it_agrees_and_keeps_the_record(output: Path, tmp_path: Path) -> None:
    arguments = ["reproduce", str(path_of(output, "popularity")), "-p", str(output.parent / "small.toml")]
    done = CliRunner().invoke(cli, [*arguments, "-o", str(tmp_path / "again")], standalone_mode=False)
    assert done.return_value == 0, done.output
    assert "popularity, fold 0, seed 0: agrees: all 6 scores are the same to the last digit." in done.output
    (kept,) = Store(tmp_path / "again").paths()
    assert kept.name == path_of(output, "popularity").name
    assert (tmp_path / "again" / "small.md").is_file()
    edit(path_of(output, "popularity"), lambda document: document["scores"].update({"ndcg@5": 0.99}))
    done = CliRunner().invoke(cli, arguments, standalone_mode=False)
    assert done.return_value == 3
    assert "does not agree  ndcg@5 was 0.99" in done.output


PROGRAM = """
import sys
out, train, items, users = sys.argv[1:5]
def column(path):
    return [line.rstrip("\\n").split("\\t") for line in open(path)][1:]
seen = {(row[0], row[1]) for row in column(train)}
with open(out, "w") as file:
    print("user", "item", "score", sep="\\t", file=file)
    for user, *_ in column(users):
        for place, (item, *_) in enumerate(column(items)):
            if (user, item) not in seen:
                print(user, item, -place, sep="\\t", file=file)
"""


@pytest.fixture
def with_program(original: Path, tmp_path: Path) -> Path:
    """The folder of a run with a row that a program makes, beside its protocol."""
    shutil.copy(original / "ratings.tsv", tmp_path)
    (tmp_path / "first.py").write_text(PROGRAM)
    command = json.dumps([sys.executable, "first.py", "{out}", "{train}", "{items}", "{users}"])
    row = f'\n[[algorithm]]\nlabel = "first"\ncommand = {command}\n'
    (tmp_path / "small.toml").write_text((original / "small.toml").read_text() + row)
    protocol, options = load(tmp_path / "small.toml", {}), benchmark.Options(output=tmp_path / "out")
    agenda = benchmark.arrange(protocol, registry(), Selection(wanted=("first",)), options)
    report = benchmark.run(agenda, options, Quiet())
    assert [entry.record.status for entry in report.entries] == [Status.OK]
    return tmp_path / "out"


def test_a_program_s_row_is_run_again_where_that_is_allowed(with_program: Path) -> None:
    path = path_of(with_program, "first")
    with pytest.raises(RecbenchError, match="made by a program"):
        again(with_program, path)
    found = again(with_program, path, allow_command=True)
    assert (found.findings, found.differences) == ((), ())
    assert found.is_exact
    assert found.again.trial_id == found.record.trial_id


def test_a_program_that_was_changed_since_is_named_and_its_lists_do_not_agree(with_program: Path) -> None:
    (with_program.parent / "first.py").write_text(PROGRAM.replace("-place", "place"))
    found = again(with_program, path_of(with_program, "first"), allow_command=True)
    assert not found.agrees
    assert any(each.startswith("version: ") for each in found.differences)

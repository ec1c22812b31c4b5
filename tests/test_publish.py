"""`recbench publish` makes a folder that holds all that others need, whole or not at all, and small."""

from __future__ import annotations

import shutil
import subprocess
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from publications import edit, path_of

from recbench import publishing
from recbench.cli import cli
from recbench.cli.offers import registry
from recbench.errors import BadRecord, RecbenchError
from recbench.protocols.loading import load
from recbench.records import Store, read_lists, trial_id
from recbench.records import load as load_record
from recbench.verifying import SUMS, Means, verify

REPOSITORY = Path(__file__).resolve().parent.parent


def means(output: Path) -> Means:
    return Means(registry=registry(), protocols=(load(output.parent / "small.toml", {}),))


def names(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_a_publication_has_all_that_others_need_and_nothing_else(output: Path, tmp_path: Path) -> None:
    (output / "notes.txt").write_text("mine alone")
    made = publishing.publish(output, tmp_path / "p", means(output))
    found = names(tmp_path / "p")
    folder = path_of(output, "popularity").parent.name
    protocol = f"protocols/{folder}.toml"
    records = {name for name in found if name.startswith("records/")}
    assert found - records == {"README.md", "small.md", "ABOUT.md", SUMS, protocol, "environments/1.txt"}
    assert records == {name for name in names(output) if name.startswith("records/")}
    assert (made.records, made.files) == (5, len(found))
    assert made.n_bytes == sum((tmp_path / "p" / name).stat().st_size for name in found)
    assert tomllib.loads((tmp_path / "p" / protocol).read_text())["name"] == "small"
    assert (tmp_path / "p" / "small.md").read_bytes() == (output / "small.md").read_bytes()


def test_a_publication_holds_and_its_checksums_are_those_of_sha256sum(output: Path, tmp_path: Path) -> None:
    publishing.publish(output, tmp_path / "p", means(output))
    found = verify(tmp_path / "p", means(output))
    assert found.findings == ()
    assert found.checksums == len(names(tmp_path / "p")) - 1
    if shutil.which("sha256sum"):
        subprocess.run(["sha256sum", "-c", "--quiet", SUMS], cwd=tmp_path / "p", check=True)


def test_the_environment_is_one_that_pip_reads(output: Path, tmp_path: Path) -> None:
    publishing.publish(output, tmp_path / "p", means(output))
    head, *lines = (tmp_path / "p" / "environments" / "1.txt").read_text().splitlines()
    packages = load_record(path_of(output, "popularity")).provenance["packages"]
    assert head.startswith("# Python 3.")
    assert dict(line.split("==") for line in lines) == packages


def test_what_does_not_hold_is_not_published(output: Path, tmp_path: Path) -> None:
    edit(path_of(output, "popularity"), lambda document: document["scores"].update({"ndcg@5": 0.99}))
    with pytest.raises(RecbenchError, match=r"is not published: .*ndcg@5 is 0.99"):
        publishing.publish(output, tmp_path / "p", means(output))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy"]


def test_a_damaged_record_is_not_published(output: Path, tmp_path: Path) -> None:
    path_of(output, "popularity").write_text("{}")
    with pytest.raises(BadRecord):
        publishing.publish(output, tmp_path / "p", means(output))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy"]


def test_a_link_is_not_published(output: Path, tmp_path: Path) -> None:
    (output / "records" / "secret").symlink_to("/etc")
    with pytest.raises(RecbenchError, match="records/secret is a symbolic link"):
        publishing.publish(output, tmp_path / "p", means(output))
    assert not (tmp_path / "p").exists()


def test_what_is_there_is_not_written_over(output: Path, tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "thesis.txt").write_text("mine")
    with pytest.raises(RecbenchError, match="is there already"):
        publishing.publish(output, tmp_path / "p", means(output))
    assert names(tmp_path / "p") == {"thesis.txt"}


def test_without_the_data_it_is_published_and_says_what_was_not_checked(output: Path, tmp_path: Path) -> None:
    (output.parent / "ratings.tsv").unlink()
    made = publishing.publish(output, tmp_path / "p", means(output))
    assert len(made.verification.unchecked) == 6
    assert (tmp_path / "p" / SUMS).is_file()


def test_the_command_says_what_it_made(output: Path, tmp_path: Path) -> None:
    arguments = ["publish", str(output), "-o", str(tmp_path / "p"), "-p", str(output.parent / "small.toml")]
    done = CliRunner().invoke(cli, arguments, standalone_mode=False)
    assert done.exception is None
    size = sum(path.stat().st_size for path in (tmp_path / "p").rglob("*") if path.is_file())
    assert f"Published 5 records in 16 files, {size / 1e6:.2f} MB: {tmp_path / 'p'}" in done.output


@pytest.mark.slow
def test_twenty_algorithms_with_three_seeds_on_the_default_protocol_stay_under_25_megabytes(tmp_path: Path) -> None:
    """Sixty of the committed records, under seeds of their own."""
    committed = Store(REPOSITORY / "leaderboards")
    with_lists = [path for path in committed.paths() if load_record(path).lists is not None]
    store = Store(tmp_path / "out")
    for number, path in enumerate(with_lists[:20]):
        record = load_record(path)
        lists, predictions = read_lists(path, record)
        for seed in range(3 * number, 3 * number + 3):
            identity = {**record.identity, "seed": seed}
            moved = replace(record, identity=identity, seed=seed, trial_id=trial_id(identity), deterministic=False)
            store.save(moved, lists=lists, predictions=predictions)
    made = publishing.publish(tmp_path / "out", tmp_path / "p", Means(registry=registry()))
    assert made.records == 60
    assert made.n_bytes < 25e6


def test_who_publishes_is_a_line_that_the_checksums_cover(output: Path, tmp_path: Path) -> None:
    publishing.publish(output, tmp_path / "p", means(output), by="Ada Lovelace <ada@example.org>")
    assert (tmp_path / "p" / "PUBLISHER").read_text() == "Ada Lovelace <ada@example.org>\n"
    assert "published by Ada Lovelace &lt;ada" in (tmp_path / "p" / "ABOUT.md").read_text()
    (tmp_path / "p" / "PUBLISHER").write_text("Eve\n")
    (finding,) = verify(tmp_path / "p", means(output)).findings
    assert finding.where == "PUBLISHER"


@pytest.mark.parametrize("by", ["two\nlines", " Ada", "x" * 201, "\x1b[2J"])
def test_a_publisher_is_one_printable_line(output: Path, tmp_path: Path, by: str) -> None:
    with pytest.raises(RecbenchError, match="is not the name of a publisher"):
        publishing.publish(output, tmp_path / "p", means(output), by=by)
    assert not (tmp_path / "p").exists()

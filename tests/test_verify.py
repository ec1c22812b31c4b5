"""`recbench verify` finds every kind of tampering, names the file and what is wrong, and comes to no harm by it."""

from __future__ import annotations

import hashlib
import io
import os
import re
import resource
import shlex
import shutil
import struct
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import publications
import pytest
from click.testing import CliRunner
from publications import edit, path_of, said, verified

from recbench import boards
from recbench.cli import cli
from recbench.cli.offers import registry
from recbench.errors import RecbenchError
from recbench.records import Store, load, read_lists
from recbench.verifying import SUMS, Means, checksums, verify

REPOSITORY = Path(__file__).resolve().parent.parent


def npz_of(output: Path, label: str) -> Path:
    return path_of(output, label).with_suffix(".npz")


def save_lists(output: Path, label: str, change: Callable[[Any, Any], object]) -> Path:
    """Write other lists and predictions beside a record, with the right checksum in it."""
    path = path_of(output, label)
    record = load(path)
    lists, predictions = read_lists(path, record)
    lists, predictions = lists.copy(), None if predictions is None else predictions.copy()
    change(lists, predictions)
    return Store(output).save(record, lists=lists, predictions=predictions)


def test_what_recbench_made_holds(output: Path) -> None:
    found = verified(output)
    assert said(found) == ""
    assert found.unchecked == ()
    assert (found.records, found.scored, found.without, found.analyses, found.boards) == (5, 4, 1, 1, 2)


@pytest.mark.slow
def test_the_committed_leaderboards_hold_as_far_as_their_data_is_embedded() -> None:
    done = CliRunner().invoke(cli, ["verify", str(REPOSITORY / "leaderboards")], standalone_mode=False)
    assert done.return_value == 0, done.output
    unchecked = [line for line in done.output.splitlines() if line.startswith("not checked")]
    assert all("movielens" in line for line in unchecked)


@pytest.mark.slow
def test_the_committed_leaderboards_hold(shared_data: Callable[[str], Path]) -> None:
    arguments = ["verify", str(REPOSITORY / "leaderboards"), "--data-dir", str(shared_data("ml-100k").parent)]
    done = CliRunner().invoke(cli, arguments, standalone_mode=False)
    assert done.return_value == 0, done.output
    assert "not checked" not in done.output


CHANGES: dict[str, tuple[str, Callable[[dict[str, Any]], object], str]] = {
    "a score": ("popularity", lambda d: d["scores"].update({"ndcg@5": 0.99}), "ndcg@5 is 0.99, and its lists give 0."),
    "the last digit of a score": (
        "popularity",
        lambda d: d["scores"].update({"ndcg@5": float(np.nextafter(d["scores"]["ndcg@5"], 1))}),
        "ndcg@5 is ",
    ),
    "a score more": ("item-mean", lambda d: d["scores"].update({"ap@5": 0.5}), "ap@5 is 0.5, and its lists give None"),
    "a score less": ("popularity", lambda d: d["scores"].pop("ndcg@5"), "ndcg@5 is None, and its lists give"),
    "an error of predictions": ("item-mean", lambda d: d["scores"].update(rmse=0.1), "rmse is 0.1, and its lists give"),
    "scores of warm users": ("popularity", lambda d: d.update(scores_warm={"ndcg@5": 0.5}), "of users with a history"),
    "a count": ("popularity", lambda d: d["counts"].update(users_evaluated=3), "the count users_evaluated is 3"),
    "a count more": ("popularity", lambda d: d["counts"].update(luck=3), "a count 'luck'"),
    "the size of the split": ("popularity", lambda d: d["split"].update(test=9), "the split's test is 9"),
    "the leak of the future": ("popularity", lambda d: d["split"].update(leaks_future=False), "leaks_future is False"),
    "a metric's definition": (
        "popularity",
        lambda d: d["protocol"]["metrics"]["ndcg"].update(definition="luck"),
        "defines ndcg otherwise",
    ),
    "the evaluation": (
        "popularity",
        lambda d: d["protocol"]["deciding"]["evaluation"].update(relevant_at_least=1.0),
        "and what it says of it gives",
    ),
    "the protocol's fingerprint": (
        "popularity",
        lambda d: d["protocol"].update(fingerprint="ab" * 32),
        "states the protocol abababababab",
    ),
    "a pin": ("popularity", lambda d: d["protocol"].update(is_pinned=True), "pins nothing"),
    "the data": ("popularity", lambda d: d["data"].update(rows=7), "the data's rows is 7"),
    "the seed": ("popularity", lambda d: d.update(seed=9), "its seed is 9, and 0 in its identity"),
    "the algorithm": ("popularity", lambda d: d.update(algorithm="ease"), "its algorithm is 'ease', and 'popularity'"),
    "a setting": ("popularity", lambda d: d["protocol"].update(settings={"k": 3}), "k was set to 3"),
    "a cost": ("popularity", lambda d: d["measured"].update(fit_seconds=-1.0), "fit_seconds is -1.0, below 0"),
    "metrics of another version": ("popularity", lambda d: d.update(metrics_version=7), "has scores of version 7"),
    "the mark of what was made elsewhere": ("mine", lambda d: d.update(marks=[]), "was made elsewhere"),
    "a reason without a fault": ("popularity", lambda d: d.update(reason="none"), "a reason goes with every status"),
    "a failed one made ok": ("broken", lambda d: d.update(status="ok", reason=None), "is ok and has no lists"),
    "a good one made failed": (
        "popularity",
        lambda d: d.update(status="failed", reason="bad luck", scores={}),
        "is stated to be failed (bad luck), and its lists are ok",
    ),
    "a failed one with scores": ("broken", lambda d: d.update(scores={"ndcg@5": 0.9}), "is failed and has scores"),
    "a score out of its range": ("popularity", lambda d: d["scores"].update({"ndcg@5": 7}), "out of its range"),
    "an identity": ("popularity", lambda d: d["identity"].update(depth=4), "is not that of the identity in it"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_changed_value_is_found_and_named(output: Path, name: str) -> None:
    label, change, message = CHANGES[name]
    path = edit(path_of(output, label), change)
    found = verified(output)
    shown = said(found) + "\n".join(f"{each.where}: {each.what}" for each in found.unchecked)
    assert any(message in line and path.name in line for line in shown.splitlines()), shown
    assert not found.holds


RENAMED: dict[str, tuple[str, Callable[[dict[str, Any]], object], str]] = {
    "a record from another split": (
        "popularity",
        lambda d: (d["split"].update(fingerprint="cd" * 32), d["identity"].update(split="cd" * 32)),
        "is of the split cdcdcdcdcdcd, which protocol and data do not give",
    ),
    "lists that may repeat what was seen": (
        "popularity",
        lambda d: d["identity"].update(exclude_seen=False),
        "was masked, cut or chosen from candidates otherwise",
    ),
    "another source of what was made elsewhere": (
        "mine",
        lambda d: d["identity"]["algorithm"].update(source="ef" * 32),
        "its identity has another",
    ),
    "parts that are not there": (
        "mine",
        lambda d: (
            d["identity"].update(parts=["lists", "predictions"]),
            d["marks"].append("pairs visible in training"),
        ),
        "and its arrays are others",
    ),
}


@pytest.mark.parametrize("name", RENAMED)
def test_a_changed_identity_with_an_id_to_match_is_found(output: Path, name: str) -> None:
    label, change, message = RENAMED[name]
    path = edit(path_of(output, label), change, renew_id=True)
    boards.write(output)
    shown = said(verified(output))
    assert any(message in line and path.name in line for line in shown.splitlines()), shown


def test_lists_of_the_best_items_under_old_scores_are_found(output: Path) -> None:
    def swap(lists: Any, _: Any) -> None:
        lists[:, [0, 4]] = lists[:, [4, 0]]

    save_lists(output, "popularity", swap)
    assert "and its lists give" in said(verified(output))


def test_a_list_changed_without_its_checksum_is_found(output: Path) -> None:
    save = npz_of(output, "popularity")
    save.write_bytes(save.read_bytes()[:-1] + b"x")
    assert "its lists: is not what the record was made from" in said(verified(output))


def test_a_prediction_changed_is_found(output: Path) -> None:
    def better(_: Any, predictions: Any) -> None:
        predictions[0] += 0.5

    save_lists(output, "item-mean", better)
    assert "rmse is " in said(verified(output))


def test_an_item_twice_is_found(output: Path) -> None:
    def double(lists: Any, _: Any) -> None:
        lists[0, 1] = lists[0, 0]

    save_lists(output, "popularity", double)
    assert "a list has a duplicate item" in said(verified(output))


def test_an_item_that_there_is_not_is_found(output: Path) -> None:
    def unknown(lists: Any, _: Any) -> None:
        lists[0, 1] = publications.N_ITEMS

    save_lists(output, "popularity", unknown)
    assert "an item that is not in 0 .. 19" in said(verified(output))


def test_an_item_that_its_user_has_seen_is_found_and_named(output: Path) -> None:

    def seen(lists: Any, _: Any) -> None:
        rest = [item for item in range(publications.N_ITEMS) if item not in lists[0]]
        lists[:1, :] = rest[:5]

    save_lists(output, "popularity", seen)
    assert "lists item 'i" in said(verified(output))
    assert "has seen" in said(verified(output))


def test_lists_of_another_row_are_found(output: Path) -> None:
    one, other = npz_of(output, "popularity"), npz_of(output, "random")
    one.write_bytes(other.read_bytes())
    assert f"{path_of(output, 'popularity').name}: its lists: is not what" in said(verified(output))


def test_two_records_swapped_are_found(output: Path) -> None:
    one, other = path_of(output, "popularity"), path_of(output, "random")
    first, second = one.read_bytes(), other.read_bytes()
    one.write_bytes(second)
    other.write_bytes(first)
    shown = said(verified(output))
    assert f"{one.name}: holds the record" in shown
    assert f"{other.name}: holds the record" in shown


def test_a_row_that_failed_and_was_deleted_is_missed_by_the_board(output: Path) -> None:
    path_of(output, "broken").unlink()
    assert "small.md: differs from what the records say" in said(verified(output))


def test_a_board_edited_by_hand_is_found(output: Path) -> None:
    board = output / "small.md"
    board.write_text(board.read_text().replace("popularity", "mine-all-mine"))
    assert "small.md: differs" in said(verified(output))


def test_a_key_that_stands_twice_is_found(output: Path) -> None:
    path = path_of(output, "popularity")
    path.write_text(path.read_text().replace('  "algorithm"', '  "label": "best",\n  "algorithm"', 1))
    assert "a key stands twice" in said(verified(output))


def test_a_record_in_the_folder_of_another_protocol_is_found(output: Path) -> None:
    path = path_of(output, "popularity")
    folder = path.parent.parent / "other-00000000"
    folder.mkdir()
    for each in (path, path.with_suffix(".npz")):
        each.rename(folder / each.name)
    assert "lies in 'other-00000000', and is a record of 'small-" in said(verified(output))


def test_a_symbolic_link_is_named_and_not_followed(output: Path, tmp_path: Path) -> None:
    path = path_of(output, "popularity")
    shutil.copy(path, tmp_path / "elsewhere.json")
    path.unlink()
    path.symlink_to(tmp_path / "elsewhere.json")
    found = verified(output)
    assert f"{path.name}: is a symbolic link; it was not followed" in said(found)
    assert found.records == 4


def test_a_link_in_place_of_lists_is_not_followed(output: Path) -> None:
    path = npz_of(output, "popularity")
    path.unlink()
    path.symlink_to("/dev/zero")
    assert "its lists: is not there" in said(verified(output))


def test_a_linked_folder_is_not_entered(output: Path, original: Path) -> None:
    (output / "records" / "more").symlink_to(original / "out" / "records", target_is_directory=True)
    found = verified(output)
    assert "records/more: is a symbolic link" in said(found)
    assert found.records == 5


def test_a_pipe_holds_nothing_up(output: Path) -> None:
    folder = path_of(output, "popularity").parent
    os.mkfifo(folder / "0123456789abcdef.json")
    assert "0123456789abcdef.json: is not a plain file" in said(verified(output))


def test_what_does_not_belong_among_records_is_named(output: Path) -> None:
    folder = path_of(output, "popularity").parent
    (folder / "0123456789abcdef.npz").write_bytes(b"")
    (folder / "virus.exe").write_bytes(b"")
    shown = said(verified(output))
    assert "0123456789abcdef.npz: lies beside no record" in shown
    assert "virus.exe: is not the file of a record" in shown


def sums(output: Path) -> Path:
    files = [path for path in output.rglob("*") if path.is_file() and path.name != SUMS]
    (output / SUMS).write_text(checksums(output, files))
    return output / SUMS


def test_checksums_that_hold_are_counted(output: Path) -> None:
    sums(output)
    found = verified(output)
    assert said(found) == ""
    assert found.checksums == 12  # five records, four arrays, an analysis, a board and the index


def test_checksums_find_a_file_changed_missing_or_more(output: Path) -> None:
    sums(output)
    (output / "README.md").write_text("other")
    (output / "more.txt").write_text("more")
    npz_of(output, "random").unlink()
    shown = said(verified(output))
    assert f"README.md: is not the file that {SUMS} has the checksum of" in shown
    assert f"more.txt: is not in {SUMS}" in shown
    assert f".npz: is in {SUMS} and not there" in shown


@pytest.mark.parametrize("name", ["../small.toml", "/etc/passwd", "records/../../small.toml", "a\\b"])
def test_a_path_out_of_the_folder_is_named_and_not_read(output: Path, name: str) -> None:
    path = sums(output)
    digest = hashlib.sha256((output.parent / "small.toml").read_bytes()).hexdigest()
    path.write_text(path.read_text() + f"{digest}  {name}\n")
    assert f"{SUMS}: line 13 names no file of this folder" in said(verified(output))


BOMBS: dict[str, tuple[Callable[[], bytes], str]] = {
    "deep JSON": (lambda: b"[" * 5_000_000, "is nested deeper than 24"),
    "deep tables": (lambda: b'{"a":' * 1_000_000, "is nested deeper than 24"),
    "wide JSON": (lambda: b'{"a": [' + b"[]," * 2_000_000 + b"0]}", "is of schema None"),
    "a huge number": (lambda: b'{"schema": ' + b"9" * 1_000_000 + b"}", "is not JSON"),
    "a huge exponent": (lambda: b'{"schema": 1e999999999}', "is of schema inf"),
    "a huge file": (lambda: b" " * (17 << 20), "is larger than"),
    "no text": (lambda: b"\xff\xfe" * 100, "cannot be read"),
    "NaN": (lambda: b'{"schema": NaN}', "is not JSON"),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_of_json_is_named_and_does_no_harm(output: Path, name: str) -> None:
    make, message = BOMBS[name]
    path = path_of(output, "popularity")
    path.write_bytes(make())
    start = time.monotonic()
    assert f"{path.name}: {message}" in said(verified(output))
    assert time.monotonic() - start < 10


def test_a_huge_number_in_a_record_is_named(output: Path) -> None:
    path = path_of(output, "popularity")
    path.write_text(path.read_text().replace('"fold": 0', f'"fold": {"9" * 400}', 1))
    assert f"{path.name}: fold is 9999" in said(verified(output))


def archive(arrays: dict[str, tuple[str, int]]) -> bytes:
    """An archive whose members say they are large and are: header, then zeros, which deflate a thousandfold."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for name, (header, n_bytes) in arrays.items():
            with file.open(f"{name}.npy", "w", force_zip64=True) as member:
                text = header.ljust(117) + "\n"
                member.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode())
                for _ in range(n_bytes >> 20):
                    member.write(bytes(1 << 20))
    return buffer.getvalue()


def plant(output: Path, content: bytes, **split: int) -> Path:
    """Put an archive beside a record that agrees with it on checksum and sizes."""
    path = path_of(output, "popularity")

    def agree(document: dict[str, Any]) -> None:
        document["lists"]["sha256"] = hashlib.sha256(content).hexdigest()
        document["split"].update(split)

    edit(path, agree)
    path.with_suffix(".npz").write_bytes(content)
    return path


def says(shape: tuple[int, ...], dtype: str = "|i1") -> str:
    return repr({"descr": dtype, "fortran_order": False, "shape": shape})


ARCHIVES: dict[str, tuple[bytes, dict[str, int]]] = {
    "arrays that say 10 GB": (archive({"lists": (says((2_000_000_000, 5)), 0)}), {"users": 2_000_000_000}),
    "a bomb of 256 MB": (archive({"lists": (says((30, 5)), 256 << 20)}), {}),
    "a bomb that the record agrees with": (
        archive({"lists": (says(((512 << 20) // 5, 5)), 512 << 20)}),
        {"users": (512 << 20) // 5},
    ),
    "objects": (archive({"lists": (says((30, 5), "|O"), 0)}), {}),
    "another member": (archive({"lists": (says((30, 5)), 0), "evil": (says((1,)), 0)}), {}),
    "no archive": (b"PK" + bytes(1000), {}),
    "an empty file": (b"", {}),
}


@pytest.mark.parametrize("name", ARCHIVES)
@pytest.mark.parametrize("has_data", [True, False])
def test_a_bomb_of_arrays_is_named_and_does_no_harm(output: Path, name: str, has_data: bool) -> None:
    content, sizes = ARCHIVES[name]
    path = plant(output, content, **sizes)
    if not has_data:
        (output.parent / "ratings.tsv").unlink()
    code, shown, peak_mb = in_a_process(output)
    lines = [line for line in shown.splitlines() if path.name in line]
    is_too_large = not has_data and sizes.get("users", 0) > 0
    assert code == 3 or is_too_large, shown
    assert any(line.startswith(("does not hold", "not checked")) for line in lines), shown
    assert peak_mb < 900


def in_a_process(output: Path) -> tuple[int, str, float]:
    """The command in a process that may have two gigabytes, with its exit code, output and peak in megabytes."""
    script = (
        "import re, sys; from recbench.cli import cli\n"
        f"code = cli.main(['verify', {str(output)!r}, '-p', {str(output.parent / 'small.toml')!r}], "
        "standalone_mode=False)\n"
        "# Not ru_maxrss: it begins with what the parent had.\n"
        "print(int(re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1]) // 1024)\n"
        "sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        timeout=60,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30)),
        env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
    )
    assert "Traceback" not in done.stderr, done.stderr
    *lines, last = done.stdout.splitlines()
    return done.returncode, "\n".join(lines), float(last)


def test_without_the_data_it_says_what_was_not_checked_and_is_well(output: Path) -> None:
    (output.parent / "ratings.tsv").unlink()
    found = verified(output)
    assert found.holds
    assert len(found.unchecked) == 6
    assert "was not held against the data: there is no file" in found.unchecked[0].what


def test_a_protocol_that_nobody_gave_is_not_taken_from_the_folder_when_it_names_files(output: Path) -> None:
    (output / "protocols").mkdir()
    shutil.copy(output.parent / "small.toml", output / "protocols" / "small.toml")
    found = verify(output, Means(registry=registry()))
    assert found.holds
    assert "there is no protocol like its 'small' here (give its file with -p)" in found.unchecked[0].what


def test_one_record_is_checked_alone(output: Path) -> None:
    path = path_of(output, "popularity")
    assert verified_file(output, path) == (0, 1)
    edit(path, lambda document: document["scores"].update({"ndcg@5": 0.99}))
    assert verified_file(output, path) == (1, 1)


def verified_file(output: Path, path: Path) -> tuple[int, int]:
    from recbench.protocols.loading import load as load_protocol

    protocol = load_protocol(output.parent / "small.toml", {})
    found = verify(path, Means(registry=registry(), protocols=(protocol,)))
    return len(found.findings), found.scored


def test_a_folder_without_records_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RecbenchError, match="holds no records"):
        verify(tmp_path, Means(registry=registry()))


def test_a_forgery_consistent_throughout_is_not_found_and_the_command_says_so(output: Path) -> None:
    """Perfect lists, scored honestly: only running the algorithm again can tell."""
    from recbench.benchmark import rescore
    from recbench.protocols.loading import load as load_protocol

    save_lists(output, "random", lambda lists, _: lists.__setitem__(slice(None), lists[:, ::-1].copy()))
    protocol = load_protocol(output.parent / "small.toml", {})
    rescore(protocol, registry(), output)
    boards.write(output)
    done = CliRunner().invoke(
        cli, ["verify", str(output), "-p", str(output.parent / "small.toml")], standalone_mode=False
    )
    assert done.return_value == 0
    assert "is found by `recbench reproduce` only" in done.output


def test_the_command_ends_with_3_and_a_line_for_each_finding(output: Path) -> None:
    edit(path_of(output, "popularity"), lambda document: document["scores"].update({"ndcg@5": 0.99}))
    done = CliRunner().invoke(
        cli, ["verify", str(output), "-p", str(output.parent / "small.toml")], standalone_mode=False
    )
    assert done.return_value == 3
    lines = [line for line in done.output.splitlines() if line.startswith("does not hold")]
    assert len(lines) == 3  # the score, and the board and the index that do not show it
    assert "3 things do not hold." in done.output


COMMAND = re.compile(r"^\$ (recbench .+)$", re.MULTILINE)


@pytest.mark.slow
def test_the_commands_of_the_page_do_what_it_says(tmp_path: Path) -> None:
    """Each command runs; figures aside, its last lines are those of the page."""
    page = (REPOSITORY / "docs" / "verifying.md").read_text(encoding="utf-8")
    shutil.copytree(REPOSITORY / "leaderboards", tmp_path / "leaderboards")
    embedded = [path for path in Store(tmp_path / "leaderboards").paths() if path.parent.name[:15] == "movietweetings-"]
    record = next(path for path in embedded if load(path).label == "p3alpha")
    commands = COMMAND.findall(page)
    assert [shlex.split(command)[1] for command in commands] == ["verify", "publish", "index", "reproduce"]
    for command in commands:
        words = [str(record) if word.endswith(".json") else word for word in shlex.split(command)[1:]]
        done = subprocess.run(
            [sys.executable, "-m", "recbench", *words], cwd=tmp_path, capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, done.stdout + done.stderr
        shown = page.partition(f"$ {command}\n")[2].partition("```")[0]
        for line in shown.replace("...\n", "").splitlines():
            assert re.sub(r"[\d.,]+", "#", line) in re.sub(r"[\d.,]+", "#", done.stdout), done.stdout

"""`[[algorithm]] command`: a program in any language makes a row, under the limits and checks of a plugin."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_run import json_lines, recbench, write_adjacency
from worlds import popularity_world

from recbench.cli.offers import registry
from recbench.errors import BadProtocol, RecbenchError
from recbench.outside.program import Program
from recbench.protocols.loading import load
from recbench.protocols.spec import Protocol
from recbench.trials import Row, Selection, select
from recbench.worker.faults import InvalidResult, ProgramFault

PAGE = (Path(__file__).resolve().parent.parent / "docs" / "protocols.md").read_text(encoding="utf-8")
PROGRAMS = PAGE.partition("### A program in any language")[2].partition("\n## ")[0]
POPULAR = re.findall(r"```awk\n(.*?)```", PROGRAMS, re.DOTALL)[0]
COMMAND = ["awk", "-v", "out={out}", "-f", "popular.awk", "{train}", "{items}", "{users}"]
TRAIN = popularity_world(n_users=20, n_items=10, length=3).train
pytestmark = pytest.mark.skipif(shutil.which("awk") is None, reason="needs awk")


def board(folder: Path, command: Sequence[str] = COMMAND, *, label: str = "mine", rest: str = "") -> None:
    """A world without ties, popularity, and a row of a program."""
    write_adjacency(folder)
    (folder / "popular.awk").write_text(POPULAR)
    with (folder / "mine.toml").open("a") as file:
        file.write(f"{rest}\n[[algorithm]]\nlabel = '{label}'\ncommand = {json.dumps(list(command))}\n")


def script(folder: Path, text: str, name: str = "program") -> list[str]:
    """A program for the shell beside the protocol, and the command that runs it."""
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return [f"./{name}", "{out}", "{train}", "{users}", "{items}"]


def outcome(folder: Path, text: str, *, rest: str = "") -> dict[str, Any]:
    """What comes of a row that a shell script makes, the other row being as it always is."""
    board(folder, script(folder, text), rest=rest)
    done = recbench("run", "-p", "mine.toml", "--json", cwd=folder)
    lines = {line["label"]: line for line in json_lines(done)}
    assert lines["popularity"]["status"] == "ok", done.stderr
    assert done.returncode == (0 if lines["mine"]["status"] == "ok" else 3)
    return lines["mine"]


def rows(folder: Path, *wanted: str) -> dict[str, Row]:
    return {row.label: row for row in select(protocol(folder), registry(()), Selection(wanted=wanted))}


def protocol(folder: Path) -> Protocol:
    return load(folder / "mine.toml", {})


def fit(text: str, *command: str) -> Program:
    program = Program(["sh", "-c", text, *command], k=3, threads=2, exclude_seen=True, fingerprint="0" * 64)
    program.fit(TRAIN, seed=7)
    return program


def ids() -> tuple[str, str, str]:
    """A user, an item that the user has in train, and one that the user has not."""
    has = np.zeros((TRAIN.n_users, TRAIN.n_items), dtype=bool)
    has[TRAIN.interactions.user, TRAIN.interactions.item] = True
    users, items = TRAIN.user_ids, TRAIN.item_ids
    return str(users[0]), str(items[np.argmax(has[0])]), str(items[np.argmin(has[0])])


def test_a_program_in_awk_gets_exactly_the_scores_of_popularity(tmp_path: Path) -> None:
    board(tmp_path)
    lines = {line["label"]: line for line in json_lines(recbench("run", "-p", "mine.toml", "--json", cwd=tmp_path))}
    assert lines["mine"]["status"] == "ok"
    assert lines["mine"]["scores"] == lines["popularity"]["scores"]
    assert lines["mine"]["scores"]["recall@5"] > 0


@pytest.mark.slow
def test_the_example_of_the_documentation_is_true_ties_and_all(tmp_path: Path) -> None:
    (tmp_path / "shop.toml").write_text(re.findall(r"```toml\n(.*?)```", PROGRAMS, re.DOTALL)[0])
    (tmp_path / "popular.awk").write_text(POPULAR)
    (command,) = re.findall(r"^\$ recbench (.*)$", PROGRAMS, re.MULTILINE)
    done = recbench(*command.split(), "--json", cwd=tmp_path)
    lines = {line["label"]: line for line in json_lines(done)}
    assert done.returncode == 0, done.stderr
    assert lines["awk-popular"]["scores"] == lines["popularity"]["scores"]


def test_the_documentation_tells_every_placeholder() -> None:
    from recbench.protocols.commands import PLACEHOLDERS

    told = re.findall(r"^\| (.*?) \|", PROGRAMS, re.MULTILINE)
    assert {name for cell in told for name in re.findall(r"`\{(\w+)\}`", cell)} == set(PLACEHOLDERS)


def test_the_second_run_starts_no_program_and_a_changed_one_runs_again(tmp_path: Path) -> None:
    text = 'printf "user\\titem\\trank\\n0\\t24\\t1\\n" > "$1"; echo ran >> RAN'
    first = outcome(tmp_path, text.replace("RAN", str(tmp_path / "ran")))
    again = json_lines(recbench("run", "-p", "mine.toml", "--json", cwd=tmp_path))
    assert (tmp_path / "ran").read_text().count("ran") == 1
    assert first in again
    script(tmp_path, text.replace("RAN", str(tmp_path / "ran")) + "\n# other")
    recbench("run", "-p", "mine.toml", "--json", cwd=tmp_path)
    assert (tmp_path / "ran").read_text().count("ran") == 2


def test_the_identity_covers_words_and_content_and_no_folder(tmp_path: Path) -> None:
    versions = set()
    for name, text in {"a": POPULAR, "b": POPULAR, "c": POPULAR + "# other"}.items():
        folder = tmp_path / name
        folder.mkdir()
        board(folder)
        (folder / "popular.awk").write_text(text)
        row = rows(folder)["mine"]
        assert row.parameters == {"command": COMMAND}
        versions.add(row.offered.plugin.version)
    assert len(versions) == 2


def test_a_program_without_a_seed_runs_once_and_with_one_for_each(tmp_path: Path) -> None:
    board(tmp_path)
    assert rows(tmp_path)["mine"].offered.value.deterministic
    board(tmp_path, [*COMMAND, "{seed}"])
    assert not rows(tmp_path)["mine"].offered.value.deterministic


def test_an_exit_code_is_a_failure_with_the_last_lines(tmp_path: Path) -> None:
    line = outcome(tmp_path, "echo one; echo two >&2; echo no such model >&2; exit 7")
    assert line["status"] == "failed"
    assert line["reason"] == "fit: the program ended with exit code 7: one | two | no such model"
    record = json.loads((tmp_path / line["record"]).read_text())
    assert record["output"] == "one\ntwo\nno such model\n"
    assert record["traceback"] is None


def test_a_signal_is_a_crash(tmp_path: Path) -> None:
    line = outcome(tmp_path, "kill -SEGV $$")
    assert line["status"] == "crashed"
    assert "was ended by SIGSEGV" in line["reason"]


def test_a_program_that_hangs_runs_out_of_time_and_leaves_nothing_behind(tmp_path: Path) -> None:
    line = outcome(tmp_path, f"echo $$ > {tmp_path}/pid; sleep 1000 & wait", rest="seconds = 4")
    assert line["status"] == "timeout"
    pid = int((tmp_path / "pid").read_text())
    found = subprocess.run(["ps", "-o", "args=", "--pid", str(pid), "--ppid", str(pid)], capture_output=True, text=True)
    assert "sleep" not in found.stdout


def test_a_program_that_takes_too_much_memory_is_out_of_memory(tmp_path: Path) -> None:
    greedy = """awk 'BEGIN { s = "x"; for (i = 0; i < 31; i++) s = s s; print length(s) }'"""
    line = outcome(tmp_path, greedy, rest="memory_mb = 200")
    assert line["status"] in ("out-of-memory", "failed")  # awk may see first that there is no more
    assert "memory" in line["reason"].lower() or "MB" in line["reason"]


def test_an_unknown_item_is_invalid_with_file_and_line(tmp_path: Path) -> None:
    line = outcome(tmp_path, 'printf "user\\titem\\tscore\\n0\\t99\\t1\\n" > "$1"')
    assert line["status"] == "invalid"
    assert line["reason"] == "fit: lists.tsv, line 2: item '99' is not in the data; close: '9'"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("true", "the program ended well, and wrote nothing to {out}"),
        (': > "$0"', "lists.tsv"),
        ('head -c 3000 /dev/zero | tr "\\0" "z" > "$0"', "lists.tsv, line 1: the header 'zzz"),
        ('head -c 3000 /dev/zero > "$0"', "lists.tsv, line 1: "),
        ('printf "user\\titem\\n0\\t24\\n" > "$0"', "lists.tsv has neither a column 'rank' nor a column 'score'"),
        ('printf "user\\titem\\tscore\\nnobody\\t9\\t1\\n" > "$0"', "lists.tsv, line 2: user 'nobody' is not in the"),
    ],
)
def test_garbage_is_invalid_with_file_and_line(text: str, reason: str) -> None:
    with pytest.raises(InvalidResult, match=f"^{re.escape(reason)}"):
        fit(text, "{out}")


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ("USER\tNEW\tnan", "line 2"),
        ("USER\tNEW\t1\nUSER\tNEW\t2", "line 3: user 'USER' and item 'NEW' are there twice, first in line 2"),
        ("USER\tNEW\t1\nUSER\tOLD\t2", "line 3: user 'USER' and item 'OLD': the user has the item in train"),
    ],
)
def test_a_bad_line_is_named(lines: str, reason: str) -> None:
    user, old, new = ids()
    for word, value in {"USER": user, "OLD": old, "NEW": new}.items():
        lines, reason = lines.replace(word, value), reason.replace(word, value)
    with pytest.raises(InvalidResult, match=re.escape(reason)):
        fit('printf "user\\titem\\tscore\\n%s\\n" "$1" > "$0"', "{out}", lines)


def test_short_and_missing_lists_are_empty_places() -> None:
    user, _, new = ids()
    program = fit('printf "user\\titem\\tscore\\n%s\\t%s\\t1\\n" "$1" "$2" > "$0"', "{out}", user, new)
    nothing = np.zeros(3, dtype=np.int64), np.empty(0, dtype=np.int32)
    lists = program.recommend(np.array([0, 1]), 3, nothing)
    assert lists.tolist() == [[TRAIN.item_ids.tolist().index(new), -1, -1], [-1, -1, -1]]


def test_what_a_new_user_did_first_is_left_out_of_the_list() -> None:
    user, _, new = ids()
    program = fit('printf "user\\titem\\tscore\\n%s\\t%s\\t1\\n" "$1" "$2" > "$0"', "{out}", user, new)
    seen = np.array([0, 1]), np.array([TRAIN.item_ids.tolist().index(new)], dtype=np.int32)
    assert program.recommend(np.array([0]), 3, seen).tolist() == [[-1, -1, -1]]


def test_numbers_stand_in_place_of_their_names(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(InvalidResult):
        fit('echo "$@"', "{out}", "{k}/{seed}", "-t{threads}", "{ print }")
    assert capsys.readouterr().out == "3/7 -t2 { print }\n"


def test_a_program_gets_train_users_and_items_in_a_folder_of_its_own() -> None:
    text = 'echo $(wc -l < "$0") $(wc -l < "$1") $(wc -l < "$2"); echo $(ls); head -n 1 "$0"; exit 1'
    counts = f"{len(TRAIN.interactions) + 1} {TRAIN.n_users + 1} {TRAIN.n_items + 1}"
    with pytest.raises(ProgramFault, match=re.escape(f"{counts} | items.tsv train.tsv users.tsv | user\titem")):
        fit(text, "{train}", "{users}", "{items}")


@pytest.mark.parametrize(
    ("command", "what"),
    [
        (["./missing", "{out}"], "there is no program"),
        (["no-such-program-anywhere", "{out}"], "on the PATH"),
        (["./popular.awk", "{out}"], "is not executable"),
    ],
)
def test_a_missing_program_is_an_error_before_anything_trains(tmp_path: Path, command: list[str], what: str) -> None:
    board(tmp_path, command)
    with pytest.raises(BadProtocol, match=what):
        rows(tmp_path)
    assert set(rows(tmp_path, "popularity")) == {"popularity"}
    done = recbench("run", "-p", "mine.toml", cwd=tmp_path)
    assert (done.returncode, (tmp_path / "recbench-out").exists()) == (1, False)
    assert "'mine'" in done.stderr


@pytest.mark.parametrize(
    ("entry", "what"),
    [
        ('command = ["./p", "{trian}", "{out}"]', 'command: "{trian}" is not one of {train}, {users}'),
        ('command = ["./p", "{train}"]', "a command with {out} in it"),
        ('command = ["{out}"]', "a command that begins with a program"),
        ("command = []", "a list of 1 or more"),
        ('command = "./p {out}"', "is not a list of 1 or more"),
        ('command = ["./p", "{out}", 3]', "3 is not a text"),
        ('command = ["./p", "{out}"]\nname = "ease"', "name means nothing beside command"),
        ('command = ["./p", "{out}"]\nparameters = { a = 1 }', "parameters means nothing beside command"),
        ("", "name is missing"),
    ],
)
def test_a_command_that_cannot_be_meant_is_an_error(tmp_path: Path, entry: str, what: str) -> None:
    write_adjacency(tmp_path)
    with (tmp_path / "mine.toml").open("a") as file:
        file.write(f"[[algorithm]]\nlabel = 'mine'\n{entry}\n")
    with pytest.raises(BadProtocol, match=re.escape(what)):
        protocol(tmp_path)


def test_candidate_sets_are_refused_since_a_program_is_never_told_them(tmp_path: Path) -> None:
    board(tmp_path)
    path = tmp_path / "mine.toml"
    path.write_text(path.read_text().replace("[trials]", 'candidates = "uniform:9"\n[trials]'))
    with pytest.raises(BadProtocol, match="candidates are given to algorithms only after"):
        rows(tmp_path)


def test_a_program_has_no_parameters_to_set(tmp_path: Path) -> None:
    board(tmp_path)
    with pytest.raises(RecbenchError, match="has no parameters to set"):
        select(protocol(tmp_path), registry(()), Selection(settings={"mine": {"k": 3}}))


def test_a_program_cannot_go_by_the_name_of_an_algorithm(tmp_path: Path) -> None:
    board(tmp_path, label="popularity")
    with pytest.raises(RecbenchError, match="is the name of an algorithm on offer"):
        rows(tmp_path)


def test_a_program_in_a_folder_that_the_sandbox_hides_is_an_error(tmp_path: Path) -> None:
    board(tmp_path)
    done = recbench("run", "-p", "mine.toml", "--sandbox", cwd=tmp_path)
    assert done.returncode == 1
    assert "which --sandbox hides" in done.stderr

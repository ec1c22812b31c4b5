"""docs/exports.md and docs/python.md: what they show runs, and no column is left out."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest
from records_by_hand import record

from recbench.exports.tidy import ABOUT, OF_A_SCORE, tidy
from recbench.leaderboard.standings import board
from recbench.records import Costs

REPOSITORY = Path(__file__).resolve().parent.parent
EXPORTS = (REPOSITORY / "docs" / "exports.md").read_text()
PYTHON = (REPOSITORY / "docs" / "python.md").read_text()
TABLE = "\n".join(line for line in EXPORTS.splitlines() if line.startswith("| `"))


def test_every_column_is_documented() -> None:
    named = set(re.findall(r"`([^`]+)`", TABLE))
    assert set(ABOUT) | {cost.name for cost in fields(Costs)} <= named
    assert {f"ndcg@10{part}" for part in (*OF_A_SCORE, "_warm")} <= named


def test_every_documented_column_is_there() -> None:
    found = tidy(board([record("a", scores={"ndcg@10": 0.1}, scores_warm={"ndcg@10": 0.2})])).types
    columns = {name for line in TABLE.splitlines() for name in re.findall(r"`([^`]+)`", line.split("|")[1])}
    assert columns <= set(found)


@pytest.mark.slow
@pytest.mark.parametrize("command", re.findall(r"^\$ (recbench .*)$", EXPORTS, re.MULTILINE))
def test_every_command_runs(command: str, tmp_path: Path) -> None:
    if command.startswith("recbench chart"):
        pytest.importorskip("matplotlib")
    (tmp_path / "leaderboards").symlink_to(REPOSITORY / "leaderboards")
    command = command.replace("recbench", f"{sys.executable} -m recbench", 1)
    subprocess.run(["bash", "-c", command], cwd=tmp_path, check=True, capture_output=True)
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.slow
def test_the_python_page_runs_from_first_to_last_line(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    blocks = re.findall(r"```python\n(.*?)```", PYTHON, re.DOTALL)
    (tmp_path / "page.py").write_text("\n".join([*blocks, "print('best', best)"]))
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache"), "COLUMNS": "100"}
    command = [sys.executable, "-W", "error::UserWarning", "page.py"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    shown = [line.partition("# ")[2] for line in blocks[-1].splitlines() if "# " in line]
    assert done.stdout.splitlines()[-3:] == [*shown, "best ease"]
    assert {path.name for path in tmp_path.iterdir()} >= {"board.csv", "front.pdf"}

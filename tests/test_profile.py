"""`recbench run --profile`: all time on the clock stands somewhere, and once."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from test_run import json_lines, recbench, write_adjacency

from recbench.cli.profile import Laps, written

TRIALS = [
    ("popularity 0/0", {"start": 0.2, "fit": 0.1, "rank": 0.1, "latency": 0.05, "score": 0.04, "write": 0.01}),
    ("a-name-that-is-long-and-longer 1/7", {"start": 0.1, "fit": 2.0, "rank": 0.5, "predict": 0.3, "write": 0.1}),
]


def test_what_is_entered_ends_what_went_before_and_may_come_again() -> None:
    clock = iter([0.0, 1.0, 3.0, 3.5])
    laps = Laps("load", lambda: next(clock))
    for what in ("split", "load", "end"):
        laps.enter(what)
    assert laps.seconds == {"load": 1.5, "split": 2.0}


def test_the_share_around_the_algorithms_counts_all_but_fit_rank_and_predict() -> None:
    text = written({"import": 0.5, "load": 0.25, "trials": 3.75}, TRIALS, 80)
    # 3.0 of 4.5 s; of the phase of trials 0.25 s are in none of them.
    assert text.splitlines()[0] == "4.50 s: 67% in fit, rank, predict, 33% around them"
    assert re.search(r"import +load +other +trials\n +0\.50 +0\.25 +0\.25 +3\.50$", text, re.MULTILINE)
    assert re.search(r"^all +0\.30 +2\.10 +0\.60 +0\.30 +0\.05 +0\.04 +0\.11$", text, re.MULTILINE)


def test_of_trials_side_by_side_the_seconds_together_are_shared_out() -> None:
    text = written({"import": 0.5, "trials": 2.0}, TRIALS, 80)
    assert text.startswith("4.00 s: 75% in")


@pytest.mark.parametrize("width", [80, 100])
def test_both_tables_fit_the_width(width: int) -> None:
    phases = dict.fromkeys(("import", "load", "split", "keep", "recall", "trials", "analyse", "render"), 1234.56)
    assert max(map(len, written(phases, TRIALS, width).splitlines())) <= width


def test_a_run_that_is_profiled_tells_each_phase_and_each_trial_on_standard_error(tmp_path: Path) -> None:
    write_adjacency(tmp_path)
    done = recbench("run", "-p", "mine.toml", "--json", "--profile", cwd=tmp_path)
    assert len(json_lines(done)) == 1
    for told in ("import", "load", "split", "render", "fit, rank, predict", "popularity 0/0"):
        assert told in done.stderr
    seconds = re.search(r"^([0-9.]+) s: ", done.stderr, re.MULTILINE)
    assert seconds
    assert float(seconds[1]) > 0


def test_a_run_that_has_nothing_left_to_do_is_profiled_too(tmp_path: Path) -> None:
    write_adjacency(tmp_path)
    recbench("run", "-p", "mine.toml", cwd=tmp_path)
    done = recbench("run", "-p", "mine.toml", "--profile", cwd=tmp_path)
    assert done.returncode == 0
    assert "0% in fit, rank, predict, 100% around them" in done.stderr


def test_it_is_known_to_the_hundredth_when_a_process_began() -> None:
    tell = "from recbench.cli.profile import process_began; print(process_began())"
    before = time.time()
    told = subprocess.run([sys.executable, "-c", tell], capture_output=True, text=True, check=True).stdout
    assert before - 0.02 <= float(told) <= time.time() - 0.02

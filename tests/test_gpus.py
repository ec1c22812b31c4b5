"""GPUs: found without a framework, one trial each, and a reason where there is none."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from dask_by_hand import write_world
from test_run import json_lines, recbench

import recbench as api
from recbench import gpus
from recbench.cli.offers import registry
from recbench.collecting import Loaded
from recbench.execution import Job, Runner
from recbench.protocols.loading import load as load_protocol
from recbench.registry import discover
from recbench.scene import prepare
from recbench.scheduling import Ask, Need, Schedule

PLUGIN = """
import os

import numpy as np
from recbench.api import Algorithm, hookimpl


class Sees:
    def fit(self, train, *, seed):
        print("sees", os.environ.get("CUDA_VISIBLE_DEVICES"))
        self.n_items = train.n_items

    def score(self, users):
        return np.zeros((len(users), self.n_items))


class Holds(Sees):
    def __init__(self, of: str = "on-gpu"):
        self.of = of


@hookimpl
def recbench_algorithms():
    yield Algorithm(name="on-gpu", target="graphic:Sees", gpu=True)
    yield Algorithm(name="over-it", target="graphic:Holds", components=("of",), parameters={"of": "on-gpu"})
    yield Algorithm(name="plain", target="graphic:Sees")
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    write_world(tmp_path)
    (tmp_path / "graphic.py").write_text(PLUGIN)
    return tmp_path


def devices(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ((), ()),
        (("nvidiactl", "nvidia-uvm", "nvidia-modeset"), ()),
        (("nvidiactl", "nvidia0", "nvidia1"), ("0", "1")),
        (("nvidia3",), ("0",)),  # of a container that was given one of four
        (("kfd", "dri/card0", "dri/renderD128", "dri/renderD129"), ("0", "1")),
        (("kfd",), ("0",)),
        (("dri/card0", "dri/renderD128"), ()),
    ],
)
def test_gpus_are_counted_by_their_device_files(files: tuple[str, ...], found: tuple[str, ...], tmp_path: Path) -> None:
    assert gpus.names(devices(tmp_path, *files), {}) == found


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("", ()),
        ("-1", ()),
        ("1", ("1",)),
        ("1, 0", ("1", "0")),
        ("0,7,1", ("0",)),
        ("0,0", ("0",)),
        ("GPU-8932f937,MIG-1", ("GPU-8932f937", "MIG-1")),
    ],
)
def test_only_the_gpus_that_are_let_through_count(said: str, found: tuple[str, ...], tmp_path: Path) -> None:
    there = devices(tmp_path, "nvidia0", "nvidia1")
    assert gpus.names(there, {"CUDA_VISIBLE_DEVICES": said}) == found
    assert gpus.names(tmp_path / "none", {"CUDA_VISIBLE_DEVICES": said}) == ()


def test_as_many_trials_with_a_gpu_run_as_there_are_gpus_and_each_has_its_own() -> None:
    asks = [Ask(place=n, label="g" if n < 4 else "c", split="a", needs_gpu=n < 4) for n in range(6)]
    known = {"g": Need(memory_mb=1, seconds=9), "c": Need(memory_mb=1, seconds=1)}
    schedule = Schedule(asks, slots=8, known=known, limit_mb=1, memory_mb=99, gpus=("0", "1"))
    started = [ask for _ in range(8) if (ask := schedule.start(99))]
    assert [ask.place for ask in started] == [0, 1, 4, 5]
    assert [schedule.gpu(ask) for ask in started] == ["0", "1", None, None]
    assert not schedule.lacks_memory
    schedule.end(started[1], None)
    following = schedule.start(99)
    assert following is not None
    assert (following.place, schedule.gpu(following)) == (2, "1")
    assert schedule.start(99) is None


@pytest.mark.skipif(bool(gpus.names()), reason="this machine has a GPU")
def test_without_a_gpu_the_row_is_shown_with_the_reason_and_others_run(home: Path) -> None:
    plugin = ("--plugin", "graphic.py")
    rows = ("-a", "on-gpu", "-a", "over-it", "-a", "plain")
    done = recbench("run", *plugin, "-p", "small.toml", *rows, "--json", cwd=home)
    lines = {line["label"]: line for line in json_lines(done)}
    assert lines["plain"]["status"] == "ok"
    for name in ("on-gpu", "over-it"):
        assert lines[name]["status"] == "unavailable"
        assert lines[name]["reason"].startswith("needs a GPU, and this machine has none: run it where there is one")
    shown = recbench("run", *plugin, "-p", "small.toml", *rows, cwd=home)
    assert "on-gpu, over-it: needs a GPU, and this machine has none" in re.sub(r"\s+", " ", shown.stdout)
    assert shown.returncode == 3  # both were asked for by name
    listed = recbench("list", "algorithms", *plugin, cwd=home).stdout
    assert re.search(r"on-gpu +no GPU +needs a GPU, and this machine has none", listed)
    assert re.search(r"requires +a GPU", recbench("show", "on-gpu", *plugin, cwd=home).stdout)


@pytest.mark.skipif(bool(gpus.names()), reason="this machine has a GPU")
def test_a_row_that_cannot_run_is_told_where_no_board_tells_it(home: Path) -> None:
    done = recbench("run", "--plugin", "graphic.py", "-p", "small.toml", "-a", "on-gpu", cwd=home)
    assert done.returncode == 3
    assert done.stdout == ""
    assert done.stderr.startswith("on-gpu cannot run: needs a GPU, and this machine has none: run it where")


@pytest.mark.skipif(bool(gpus.names()), reason="this machine has a GPU")
def test_who_asks_for_it_by_name_gets_the_reason_as_an_error(home: Path) -> None:
    done = recbench("recommend", "on-gpu", "--plugin", "graphic.py", "-p", "small.toml", "--user", "u1", cwd=home)
    assert done.returncode == 1
    assert "Error: 'on-gpu' cannot run here: needs a GPU, and this machine has none" in done.stderr
    (home / "again.py").write_text(PLUGIN.replace("graphic:", "again:"))  # one file of a name in a process
    with pytest.raises(api.RecbenchError, match="'on-gpu': needs a GPU, and this machine has none"):
        api.run(home / "small.toml", "on-gpu", plugins=[home / "again.py"], output=home / "out")


def test_with_a_gpu_the_row_runs_and_sees_that_one_alone(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recbench.gpus.names", lambda: ("5", "6"))
    found = api.run(home / "small.toml", ["on-gpu", "plain"], plugins=[home / "graphic.py"], output=home / "out")
    printed = {record.label: record.output for record in found.board.records}
    assert printed == {"on-gpu": "sees 5\n", "plain": "sees None\n"}


def test_a_job_sees_the_gpu_that_it_is_given(home: Path) -> None:
    (split,) = prepare(load_protocol(home / "small.toml", {}), registry()).splits
    job = Job(target="graphic:Sees", plugin_file=home / "graphic.py", depth=5, needs_gpu=True)
    with Runner() as runner:
        given, without = (runner.run(each, split) for each in (replace(job, gpu="GPU-7"), job))
    assert given is not None
    assert without is not None
    assert given.output == "sees GPU-7\n"
    assert without.output == "sees None\n"


def test_a_declaration_that_is_no_flag_breaks_its_plugin_alone(tmp_path: Path) -> None:
    (tmp_path / "wrong.py").write_text(PLUGIN.replace("gpu=True", "gpu='yes'"))
    (broken,) = (each for each in discover(files=[tmp_path / "wrong.py"]).plugins if not isinstance(each, Loaded))
    assert "gpu is 'yes', and must be True or False" in broken.reason

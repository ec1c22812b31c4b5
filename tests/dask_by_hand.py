"""A scheduler and workers of Dask as processes of their own on the loopback interface, to be killed and fooled."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from recbench.records import Store

SECONDS = 60.0

SBATCH = """#!/bin/sh
cp "$1" "job-$$.sh"
setsid sh "job-$$.sh" >"job-$$.log" 2>&1 </dev/null &
echo "$!" >>jobs
echo "Submitted batch job $!"
"""
SCANCEL = """#!/bin/sh
echo "$1" >>cancelled
kill -- "-$1"
"""

PROTOCOL = """
name = "small"
title = "Small"
[data]
interactions = { path = "ratings.tsv", separator = "\\t", columns = ["user", "item", "rating", "time"] }
scale = [1, 5]
[split]
kind = "holdout"
test = 0.3
seed = 3
[evaluation]
primary = "ndcg@5"
cutoffs = [5]
metrics = ["rmse", "recall", "ndcg"]
relevant_at_least = 4
[trials]
memory_mb = 500
seconds = 120
"""

PLUGIN = '''
import os
import time
from pathlib import Path

import numpy as np
from recbench.api import Algorithm, hookimpl


class Nothing:
    """Scores all alike."""

    def fit(self, train, *, seed):
        self.n_items = train.n_items

    def score(self, users):
        return np.zeros((len(users), self.n_items))


class Sees(Nothing):
    """Prints which GPU it may use."""

    def fit(self, train, *, seed):
        super().fit(train, seed=seed)
        print("sees", os.environ.get("CUDA_VISIBLE_DEVICES"))


class Waits(Nothing):
    """Says that it has begun, and goes on when it may."""

    def __init__(self, folder: str = ""):
        self.folder = Path(folder)

    def fit(self, train, *, seed):
        super().fit(train, seed=seed)
        (self.folder / f"began-{os.getpid()}").touch()
        while not (self.folder / "go").exists():
            time.sleep(0.02)


@hookimpl
def recbench_algorithms():
    yield Algorithm(name="nothing", target="idle:Nothing")
    yield Algorithm(name="waits", target="idle:Waits", parameters={"folder": FOLDER}, deterministic=True)
    yield Algorithm(name="elsewhere", target="idle:Nothing", requires=("no_such_framework",))
    yield Algorithm(name="on-gpu", target="idle:Sees", gpu=True)
'''


@dataclass(kw_only=True)
class Site:
    """A folder with a small protocol, a plugin, a scheduler and workers."""

    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    scheme: str = "tcp"
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    address: str = ""
    scheduler: subprocess.Popen[bytes] | None = None

    def start_scheduler(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = str(free.getsockname()[1])
        self.address = f"{self.scheme}://127.0.0.1:{port}"
        host = ("--host", f"{self.scheme}://127.0.0.1", "--port", port)
        self.scheduler = self._start("dask_scheduler", *host, "--no-dashboard")

    def start_worker(
        self, name: str, *options: str, prefix: Sequence[str] = (), environment: Mapping[str, str] | None = None
    ) -> subprocess.Popen[bytes]:
        """Start a worker, and wait until the scheduler knows it."""
        worker = self.call_worker(name, *options, prefix=prefix, environment=environment)
        self.await_worker(name)
        return worker

    def call_worker(
        self, name: str, *options: str, prefix: Sequence[str] = (), environment: Mapping[str, str] | None = None
    ) -> subprocess.Popen[bytes]:
        """Start a worker."""
        return self._start(
            "dask_worker",
            *(self.address, "--name", name, "--no-nanny", "--nthreads", "1", "--no-dashboard"),
            *("--local-directory", str(self.folder / "dask"), *options),
            prefix=prefix,
            environment=environment,
            log=self.folder / f"{name}.log",
        )

    def await_worker(self, name: str) -> None:
        """Wait until the scheduler knows a worker."""
        await_(lambda: "Registered to" in (self.folder / f"{name}.log").read_text())

    def run(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """`recbench run` on the cluster."""
        plugin = ("--plugin", "idle.py", "-p", "small.toml", "--cluster", self.address)
        process = subprocess.Popen(
            [sys.executable, "-m", "recbench", "run", *plugin, *arguments],
            cwd=self.folder,
            env=self._environment() | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.processes.append(process)  # type: ignore[arg-type]
        return process

    def began(self, n: int) -> list[int]:
        """The processes of at least `n` trials of "waits", as soon as they have begun."""
        return await_(lambda: len(found := self.begun()) >= n and found)

    def begun(self) -> list[int]:
        return [int(path.name.partition("-")[2]) for path in self.folder.glob("began-*")]

    def let_go(self) -> None:
        """Let "waits" go on."""
        (self.folder / "go").touch()

    def records(self, output: str = "recbench-out") -> list[dict[str, Any]]:
        return [json.loads(path.read_text()) for path in Store(self.folder / output).paths()]

    def close(self) -> None:
        for process in self.processes:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGCONT)
                process.kill()
            process.communicate()

    def _environment(self) -> dict[str, str]:
        return {**os.environ, "HOME": str(self.folder), "DASK_RECBENCH__GRACE_SECONDS": "30", **self.environment}

    def _start(
        self,
        program: str,
        *arguments: str,
        prefix: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
        log: Path | None = None,
    ) -> subprocess.Popen[bytes]:
        with open(log or self.folder / f"{program}.log", "wb") as output:
            process = subprocess.Popen(
                [*prefix, sys.executable, "-m", f"distributed.cli.{program}", *arguments],
                cwd=self.folder,
                env=self._environment() | dict(environment or {}),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        self.processes.append(process)
        return process


def queue(folder: Path) -> dict[str, str]:
    """Programs called as those of Slurm, which run a job at once on this machine; and the environment to find them."""
    programs = folder / "programs"
    programs.mkdir()
    for name, text in (("sbatch", SBATCH), ("scancel", SCANCEL)):
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    return {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}


def slurm(folder: Path, *, workers: int = 2, wait_seconds: int = 60, **options: str) -> str:
    """A file that describes a cluster of jobs of Slurm, workers that look for their scheduler for five seconds."""
    said = {
        "cores": "1",
        "processes": "1",
        "memory": '"2GiB"',
        "death_timeout": "5",
        "local_directory": '"dask"',
        "scheduler_options": '{ host = "127.0.0.1", dashboard_address = ":0" }',
        **options,
    }
    top = f'class = "dask_jobqueue.SLURMCluster"\nworkers = {workers}\nwait_seconds = {wait_seconds}\n'
    table = "".join(f"{name} = {value}\n" for name, value in said.items())
    (folder / "slurm.toml").write_text(f"{top}[options]\n{table}")
    return "slurm.toml"


def numbers(file: Path) -> list[int]:
    """Those that a program of the queue wrote down."""
    return list(map(int, file.read_text().split())) if file.is_file() else []


@contextlib.contextmanager
def site(folder: Path, workers: Sequence[str] = (), **settings: object) -> Iterator[Site]:
    """A scheduler and workers, gone at the end."""
    write_world(folder)
    made = Site(folder=folder, **settings)  # type: ignore[arg-type]
    try:
        made.start_scheduler()
        for name in workers:
            made.call_worker(name)
        for name in workers:
            made.await_worker(name)
        yield made
    finally:
        made.close()


def write_world(folder: Path) -> None:
    """A small protocol, its data, and a plugin in a single file."""
    import random

    draw = random.Random(1)
    pairs = [(u, i, draw.randint(1, 5), draw.randrange(1000)) for u in range(30) for i in draw.sample(range(20), 10)]
    (folder / "ratings.tsv").write_text("".join(f"u{u}\ti{i}\t{r}\t{t}\n" for u, i, r, t in pairs))
    (folder / "small.toml").write_text(PROTOCOL)
    (folder / "idle.py").write_text(PLUGIN.replace("FOLDER", repr(str(folder))))


def await_(found: Callable[[], object], seconds: float = SECONDS):
    """Wait until something is true, and give it."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if value := found():
            return value
        time.sleep(0.05)
    raise AssertionError("it did not come about")


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that only waits to be taken in does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False

"""What a cluster costs: trials of nothing on two workers behind a scheduler, and in two jobs on this machine, in turn.

    python benchmarks/bench_cluster.py [--trials 200] [--repeats 3]

Needs the extra `cluster`. All processes are on this machine, so that the difference is the price of Dask, of what
travels, and of one process that scores.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from taking_turns import report, take_turns

PROTOCOL = """
name = "nothing"
title = "Nothing"
[data]
interactions = { path = "pairs.tsv", separator = "\\t", columns = ["user", "item"] }
[split]
kind = "holdout"
[evaluation]
primary = "recall@10"
cutoffs = [10]
metrics = ["recall"]
[trials]
memory_mb = 500
"""
PLUGIN = """
import numpy as np
from recbench.api import Algorithm, hookimpl

class Nothing:
    def fit(self, train, *, seed):
        self.n_items = train.n_items
    def score(self, users):
        return np.zeros((len(users), self.n_items))

@hookimpl
def recbench_algorithms():
    yield Algorithm(name="nothing", target="nothing:Nothing")
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        processes = prepare(folder)
        try:
            address = json.loads((folder / "scheduler.json").read_text())["address"]
            here = [sys.executable, "-m", "recbench", "run", "-p", str(folder / "nothing.toml"), "--fresh"]
            here += ["--plugin", str(folder / "nothing.py"), "-a", "nothing", "-o", str(folder / "out")]
            here += [f"--seed={n}" for n in range(options.trials)]
            commands = {"two jobs here": [*here, "-j", "2"], "two workers": [*here, "--cluster", address]}
            rounds = take_turns(commands, repeats=options.repeats)
        finally:
            for process in processes:
                process.kill()
                process.wait()
    print(f"{options.trials} trials of nothing; seconds of the processor without those of the workers")
    report(rounds, reference="two jobs here")


def prepare(folder: Path) -> list[subprocess.Popen[bytes]]:
    """Write the protocol; start a scheduler and two workers, and wait until all have met."""
    draw = random.Random(1)
    pairs = [f"u{user}\ti{item}\n" for user in range(100) for item in draw.sample(range(100), 10)]
    (folder / "pairs.tsv").write_text("".join(pairs))
    (folder / "nothing.toml").write_text(PROTOCOL)
    (folder / "nothing.py").write_text(PLUGIN)
    file = str(folder / "scheduler.json")
    scheduler = start(
        "dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", file
    )
    while not (Path(file).is_file() and Path(file).read_text()):
        time.sleep(0.1)
    places = ("--scheduler-file", file, "--local-directory", str(folder / "dask"))
    workers = [start("dask_worker", *places, "--nthreads", "1", "--no-nanny", "--no-dashboard") for _ in range(2)]
    time.sleep(5)
    return [*workers, scheduler]


def start(program: str, *arguments: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", f"distributed.cli.{program}", *arguments]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


if __name__ == "__main__":
    main()

"""What it costs to run a trial in a process of its own: an algorithm that does nothing, over and over.

    python benchmarks/bench_isolation.py [--trials 200] [--repeats 3]

Beside whole runs, one trial at a time and two: bare forks of a process that has imported SciPy, which is as little as
a fresh process with libraries can cost, and as many fresh interpreters that import it, which is what a fork server
saves (measured for a tenth of them, times ten).
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from pathlib import Path
from shutil import rmtree
from statistics import median

from taking_turns import report, take_turns

PLUGIN = '''
import numpy as np
from recbench.api import Algorithm, hookimpl

class Nothing:
    """Does nothing."""
    def fit(self, train, *, seed):
        self.zeros = np.zeros(train.n_items)
    def score(self, users):
        return np.broadcast_to(self.zeros, (len(users), len(self.zeros)))

@hookimpl
def recbench_algorithms():
    yield Algorithm(name="nothing", target="nothing:Nothing")
'''
PROTOCOL = """
name = "nothing"
[data]
interactions = { path = "data.tsv", separator = "\\t", columns = ["user", "item"] }
[split]
kind = "holdout"
test = 0.2
[evaluation]
primary = "ndcg@10"
cutoffs = [10]
metrics = ["ndcg", "recall", "precision"]
"""
FORKS = """
import os, sys
import scipy.sparse
for _ in range(int(sys.argv[1])):
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
"""
INTERPRETERS = """
import subprocess, sys
for _ in range(int(sys.argv[1])):
    subprocess.run([sys.executable, "-c", "import scipy.sparse"], check=True)
"""


def make(folder: Path, *, users: int = 500, items: int = 200, each: int = 20) -> None:
    """A small data set, its protocol, and the plugin."""
    draw = random.Random(0)
    lines = [f"{user}\t{item}" for user in range(users) for item in draw.sample(range(items), each)]
    (folder / "data.tsv").write_text("\n".join(lines) + "\n")
    (folder / "nothing.toml").write_text(PROTOCOL)
    (folder / "nothing.py").write_text(PLUGIN)


def run(folder: Path, n_trials: int, jobs: int) -> list[str]:
    seeds = [argument for seed in range(n_trials) for argument in ("--seed", str(seed))]
    plugin, protocol, output = (str(folder / name) for name in ("nothing.py", "nothing.toml", "out"))
    recbench = [sys.executable, "-m", "recbench", "run", "--plugin", plugin, "-p", protocol, "-a", "nothing"]
    return [*recbench, "-o", output, "-j", str(jobs), *seeds]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--repeats", type=int, default=3)
    asked = parser.parse_args()
    n = asked.trials
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        make(folder)
        commands = {
            f"{n} trials": run(folder, n, 1),
            f"{n} trials, -j 2": run(folder, n, 2),
            "1 trial": run(folder, 1, 1),
            f"{n} bare forks": [sys.executable, "-c", FORKS, str(n)],
            f"{n // 10} interpreters": [sys.executable, "-c", INTERPRETERS, str(n // 10)],
        }
        output = folder / "out"
        rounds = take_turns(commands, repeats=asked.repeats, before=lambda: rmtree(output, ignore_errors=True))
    report(rounds, reference=f"{n} bare forks")
    both = zip(rounds[f"{n} trials"], rounds["1 trial"], strict=True)
    more = [(many.wall_seconds - one.wall_seconds, many.cpu_seconds - one.cpu_seconds) for many, one in both]
    wall, cpu = (median(each) / (n - 1) for each in zip(*more, strict=True))
    print(f"a further trial: {wall:.4f} s on the clock, {cpu:.4f} s of the processor")


if __name__ == "__main__":
    main()

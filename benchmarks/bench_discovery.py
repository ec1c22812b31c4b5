"""How fast plugins are found, against bare `importlib.metadata.entry_points` and an import of the same modules.

Makes small distributions in a temporary folder, each with one module that offers one algorithm, and measures each way
in fresh interpreters, taking turns, once numpy and recbench's registry are imported:

    python benchmarks/bench_discovery.py [--plugins 500] [--repeats 5]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

MODULE = """from recbench.api import Algorithm, hookimpl

@hookimpl
def recbench_algorithms():
    yield Algorithm(name="plugin-{number}", target="bench_plugin_{number}:Nothing")
"""
BEGIN = """
import json, sys, time
import recbench.registry
wall, cpu = time.perf_counter(), time.process_time()
"""
END = """
print(json.dumps([n, time.perf_counter() - wall, time.process_time() - cpu]))
"""
RECBENCH = "n = len(recbench.registry.discover().algorithms)"
BARE = """
import importlib.metadata
n = 0
for point in importlib.metadata.entry_points(group="recbench"):
    n += len(list(point.load().recbench_algorithms()))
"""


def make(folder: Path, n_plugins: int) -> None:
    """What an installer writes for each distribution, in so far as anybody reads it."""
    for number in range(n_plugins):
        info = folder / f"bench_plugin_{number}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.4\nName: bench-plugin-{number}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[recbench]\nplugin-{number} = bench_plugin_{number}\n")
        (folder / f"bench_plugin_{number}.py").write_text(MODULE.format(number=number))


def measure(folder: Path, code: str) -> tuple[int, float, float]:
    """How many algorithms were found, and how many seconds that took: on the clock, and of the processor."""
    path = os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")]).strip(os.pathsep)
    done = subprocess.run(
        [sys.executable, "-c", BEGIN + code + END],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    n, wall, cpu = json.loads(done.stdout)
    return n, wall, cpu


def compare(n_plugins: int, repeats: int) -> dict[str, list[tuple[int, float, float]]]:
    ways = {"recbench": RECBENCH, "bare": BARE}
    with tempfile.TemporaryDirectory() as scratch:
        make(Path(scratch), n_plugins)
        for code in ways.values():
            measure(Path(scratch), code)  # compiles the modules, as an installer does
        rounds = [{name: measure(Path(scratch), code) for name, code in ways.items()} for _ in range(repeats)]
    return {name: [each[name] for each in rounds] for name in ways}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--plugins", type=int, default=500)
    parser.add_argument("--repeats", type=int, default=5)
    asked = parser.parse_args()
    found = compare(asked.plugins, asked.repeats)
    assert len({n for rounds in found.values() for n, _, _ in rounds}) == 1, "the two ways found different things"
    print(f"{asked.plugins:,} plugins beside the built-in ones; median and least of {asked.repeats}, in seconds")
    for name, rounds in found.items():
        wall, cpu = ([each[place] for each in rounds] for place in (1, 2))
        print(f"{name:<10} clock {median(wall):.3f} {min(wall):.3f}   processor {median(cpu):.3f}")
    ratios = [ours[1] / bare[1] for ours, bare in zip(found["recbench"], found["bare"], strict=True)]
    print(f"recbench / bare {median(ratios):.2f}")


if __name__ == "__main__":
    main()

"""How fast 10,000 records are saved, looked at by a run that finds them all there, and rendered.

    python benchmarks/bench_store.py [--algorithms 100] [--seeds 100] [--repeats 3]

The records are those of algorithms times seeds that never ran: their lists are drawn. Beside it the same files are
read and parsed as JSON, and no more, which is the least that anything made from them can cost.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
from bench_isolation import make

from recbench import benchmark, boards
from recbench.benchmark import Options
from recbench.execution import Outcome
from recbench.offering import everything
from recbench.protocols.loading import load
from recbench.recording import record_of
from recbench.records import Costs, Status, Store
from recbench.trials import Selection

PLUGIN = """
from recbench.api import Algorithm, hookimpl

@hookimpl
def recbench_algorithms():
    for number in range({n}):
        yield Algorithm(name=f"nothing-{{number}}", target="many:Nothing")
"""


def fill(folder: Path, options: Options, n_algorithms: int) -> tuple[float, Callable[[], benchmark.Agenda]]:
    """Save a record for each trial. Returns the seconds of saving, and what a run does before it trains."""
    make(folder)
    (folder / "many.py").write_text(PLUGIN.format(n=n_algorithms))
    registry, protocol = everything(files=[folder / "many.py"]), load(folder / "nothing.toml", {})
    selection = Selection(wanted=("nothing-*",))

    def arrange() -> benchmark.Agenda:
        return benchmark.arrange(protocol, registry, selection, options)

    agenda = arrange()
    dataset, depth = agenda.scene.splits[0].dataset, protocol.evaluation.depth
    draw = np.random.default_rng(0)
    costs = Costs(fit_seconds=0.1, rank_seconds=0.1, peak_memory_mb=40.0, wall_seconds=0.3)
    store, saving = Store(options.output), 0.0
    for trial in agenda.trials:
        lists = np.argsort(draw.random((dataset.n_users, dataset.n_items)), axis=1)[:, :depth].astype(np.int32)
        record = record_of(trial, agenda.scene, Outcome(status=Status.OK, lists=lists, costs=costs), jobs=1)
        start = time.perf_counter()
        store.save(record, lists=lists, predictions=None)
        saving += time.perf_counter() - start
    return saving, arrange


def parse(output: Path) -> None:
    for path in output.glob("records/*/*.json"):
        json.loads(path.read_text())


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds on the clock and of the processor."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("algorithms", 100), ("seeds", 100), ("repeats", 3)):
        parser.add_argument(f"--{name}", type=int, default=default)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        options = Options(output=folder / "out", seeds=tuple(range(asked.seeds)))
        saving, arrange = fill(folder, options, asked.algorithms)
        n = asked.algorithms * asked.seeds
        assert not arrange().trials, "a run does not find its records"
        works = {
            "parse as JSON": lambda: parse(options.output),
            "resume check": arrange,
            "render": lambda: boards.write(options.output),
        }
        rounds = [{name: timed(work) for name, work in works.items()} for _ in range(asked.repeats)]
    print(f"{n:,} records, saved in {1000 * saving / n:.1f} ms each; median of {asked.repeats}, in seconds")
    for name in works:
        wall, cpu = zip(*(each[name] for each in rounds), strict=True)
        ratio = median(each[name][1] / each["parse as JSON"][1] for each in rounds)
        print(f"{name:<14} clock {median(wall):6.2f}   processor {median(cpu):6.2f}   times parsing {ratio:.1f}")


if __name__ == "__main__":
    main()

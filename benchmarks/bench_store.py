"""How fast 10,000 records are saved, and what a run costs that finds them all there.

    python benchmarks/bench_store.py [--algorithms 100] [--seeds 100] [--repeats 3]

The records are those of algorithms times seeds that never ran: their lists are drawn. Such a run finds its records
(resume check), sees that its analysis is of them, and renders the boards; it reads each file once. Beside it the same
files are read and parsed as JSON, and no more, which is the least that anything made from them can cost.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import TypeVar

import numpy as np
from bench_isolation import make

from recbench import benchmark, boards
from recbench.benchmark import Options
from recbench.comparing import analyse_store
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

WHOLE = "all three"
BOUND = 5.0
"""Seconds of the processor that all three may take for 10,000 records."""
T = TypeVar("T")


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


def resume(arrange: Callable[[], benchmark.Agenda], output: Path) -> dict[str, float]:
    """Processor seconds of what a run does that finds all done, step by step and together."""
    agenda, finding = timed(arrange)
    _, analysing = timed(lambda: analyse_store(agenda.store, agenda.scene))
    _, rendering = timed(lambda: boards.write(output, store=agenda.store))
    steps = {"resume check": finding, "analysis check": analysing, "render": rendering}
    return {**steps, WHOLE: sum(steps.values())}


def timed(work: Callable[[], T]) -> tuple[T, float]:
    """What comes of it, and processor seconds."""
    start = time.process_time()
    return work(), time.process_time() - start


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
        resume(arrange, options.output)  # makes the analysis
        rounds = [
            {"parse as JSON": timed(lambda: parse(options.output))[1], **resume(arrange, options.output)}
            for _ in range(asked.repeats)
        ]
    print(f"{n:,} records, saved in {1000 * saving / n:.1f} ms each; median of {asked.repeats}, in processor seconds")
    for name in rounds[0]:
        ratio = median(each[name] / each["parse as JSON"] for each in rounds)
        bound = f"   bound {BOUND:.1f} for 10,000" if name == WHOLE else ""
        print(f"{name:<18} {median(each[name] for each in rounds):6.2f}   times parsing {ratio:4.1f}{bound}")


if __name__ == "__main__":
    main()

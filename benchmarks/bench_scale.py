"""How seconds of the processor and memory grow with size: made-up data read, split, ranked and scored.

    python benchmarks/bench_scale.py --folder FOLDER 1 10 20 100     # millions of interactions
    python benchmarks/bench_scale.py --folder FOLDER --chart docs/scale.svg

Each size runs in a process of its own, and trials in processes of theirs, as in `recbench run`; a million runs ten
times, and medians count, since its steps take hundredths of a second. Figures are kept in FOLDER/figures.json, so that
sizes may be measured one at a time.

What is predicted is the smallest size's figure, times the growth of what the step's work goes by, in seconds outside
the kernel: what the kernel takes to hand out memory depends on who had it before. The host of a virtual machine may
take back what is free, and give it anew at seconds a GB. Linux: peaks are read from /proc, and set back between steps.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from recbench import datasets, splits
from recbench.data import Split
from recbench.execution import Job, Runner
from recbench.metrics import builtin_metrics, score
from recbench.protocols.loading import load as load_protocol
from recbench.protocols.spec import Protocol
from recbench.synthetic import Size, generate

SHAPES = {1: (6_000, 3_700), 10: (70_000, 11_000), 20: (138_000, 27_000), 100: (480_000, 100_000)}
"""Users and items by millions of interactions."""

MOST_RANKED = 50_000
"""Users that item-kNN ranks for, where there are more: drawn by the split's fingerprint."""

WORK = {
    "generate": "interactions",
    "load": "interactions",
    "split": "interactions",
    "hand over": "interactions",
    "popularity: fit": "interactions",
    "popularity: rank": "users x items",
    "popularity: score": "interactions",
    "item-kNN: fit": "squared profiles",
    "item-kNN: rank": "ranked x items",
    "item-kNN: score": "interactions",
}
"""What the work of each step goes by."""


class Steps:
    """Seconds and peaks of memory of steps, as they are done."""

    def __init__(self) -> None:
        self.figures: dict[str, dict[str, float]] = {}

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        Path("/proc/self/clear_refs").write_text("5")
        start, cpu_start = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF)
        yield
        cpu, seconds = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter() - start
        user_seconds, system_seconds = cpu.ru_utime - cpu_start.ru_utime, cpu.ru_stime - cpu_start.ru_stime
        self.note(
            name,
            cpu_seconds=user_seconds + system_seconds,
            user_seconds=user_seconds,
            seconds=seconds,
            peak_mb=_status("VmHWM"),
        )

    def note(self, name: str, *, cpu_seconds: float, user_seconds: float, seconds: float, peak_mb: float) -> None:
        self.figures[name] = {
            "cpu_seconds": round(cpu_seconds, 3),
            "user_seconds": round(user_seconds, 3),
            "seconds": round(seconds, 3),
            "peak_mb": round(peak_mb),
        }
        line = f"  {name:18} {cpu_seconds:8.2f} s of the processor, {seconds:8.2f} s, {peak_mb:8,.0f} MB"
        print(line, file=sys.stderr, flush=True)


def _status(key: str) -> float:
    """Megabytes of this process."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(key)) / 1024


def measure(million: int, folder: Path, trials: Sequence[str]) -> dict[str, Any]:
    """All steps at one size, in this process and its trials."""
    users, items = SHAPES[million]
    size = Size(users=users, items=items, interactions=million * 1_000_000, seed=1)
    steps = Steps()
    if not (folder / "protocol.toml").exists():
        with steps.step("generate"):
            generate(size, folder)
    protocol = load_protocol(folder / "protocol.toml", {})
    with steps.step("load"):
        loaded = datasets.load(protocol.data, sources={})
    with steps.step("split"):
        (split,) = splits.split(loaded.dataset, protocol.split)
    del loaded
    profiles = np.bincount(split.dataset.interactions.user[split.train_rows]).astype(np.float64)
    with Runner() as runner:
        _run_trials(steps, runner, protocol, split, trials)
    return {
        "interactions": size.interactions,
        "users x items": users * items,
        "ranked x items": min(users, MOST_RANKED) * items,
        "squared profiles": float((profiles**2).sum()),
        "steps": steps.figures,
    }


def _run_trials(steps: Steps, runner: Runner, protocol: Protocol, split: Split, trials: Sequence[str]) -> None:
    offered = {metric.name: metric for metric in builtin_metrics()}
    with steps.step("hand over"):  # to a trial that only says no to its parameters: the data is laid out once
        runner.run(_job("recbench_baselines.popularity:Popularity", nonsense=1), split)
    for name in trials:
        outcome = runner.run(JOBS[name], split)
        if outcome is None or outcome.lists is None:
            print(f"  {name}: {outcome and outcome.reason}", file=sys.stderr)
            continue
        costs = outcome.costs
        taken = {"fit": costs.fit_seconds or 0.0, "rank": costs.rank_seconds or 0.0}
        busy = (costs.cpu_seconds or 0.0) / sum(taken.values())  # known of the whole trial, which runs in one thread
        for step, seconds in taken.items():
            peak_mb = costs.peak_memory_mb or 0.0
            cpu_seconds = seconds * min(1.0, busy)
            steps.note(
                f"{name}: {step}", cpu_seconds=cpu_seconds, user_seconds=cpu_seconds, seconds=seconds, peak_mb=peak_mb
            )
        with steps.step(f"{name}: score"):
            score(
                lists=outcome.lists,
                predictions=outcome.predictions,
                split=split,
                evaluation=protocol.evaluation,
                metrics=offered,
                kind="holdout",
            )


def _job(target: str, *, most: int | None = None, **parameters: Any) -> Job:
    return Job(
        target=target,
        parameters=parameters,
        depth=10,
        users_at_most=most,
        predictions=False,
        latencies=False,
        seconds=3600,
        memory_mb=16_384,
    )


JOBS = {
    "popularity": _job("recbench_baselines.popularity:Popularity"),
    "item-kNN": _job("recbench_neighbors.neighbors:Neighbors", most=MOST_RANKED, side="item", k=100, shrink=10.0),
}


def in_a_process_of_its_own(arguments: Sequence[str | Path]) -> dict[str, Any]:
    """What `measure` finds there."""
    done = subprocess.run([sys.executable, __file__, *arguments], check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def median_of(runs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The runs' figures, each the median: what takes hundredths of a second is not told from one time."""
    steps = {
        step: {key: median(run["steps"][step][key] for run in runs if step in run["steps"]) for key in figures}
        for step, figures in runs[0]["steps"].items()
    }
    return {**runs[0], "steps": steps}


def table(figures: Mapping[str, Any]) -> str:
    """Measured and predicted, by step and size. What is predicted are the seconds outside the kernel."""
    sizes = sorted(figures, key=int)
    lines = ["| step | work | " + " | ".join(f"{size} M: CPU s, of predicted, MB" for size in sizes) + " |"]
    lines.append("|---|---|" + "--:|" * len(sizes))
    for step, work in WORK.items():
        known = [size for size in sizes if step in figures[size]["steps"]]
        cells = []
        for size in sizes:
            if size not in known:
                cells.append("")
                continue
            first, here = figures[known[0]], figures[size]
            expected = first["steps"][step]["user_seconds"] * here[work] / first[work]
            found = here["steps"][step]
            ratio = f"{found['user_seconds'] / expected:.2f}" if expected and size != known[0] else ""
            cells.append(f"{found['cpu_seconds']:,.1f}, {ratio}, {found['peak_mb']:,.0f}")
        lines.append(f"| {step} | {work} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def chart(figures: Mapping[str, Any], path: Path) -> None:
    """Seconds and peaks against interactions, both on scales of tens."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "recbench", "font.size": 8})
    from matplotlib import pyplot

    drawing, axes = pyplot.subplots(1, 2, figsize=(8, 3.4))
    sizes = sorted(figures, key=int)
    shown = (("cpu_seconds", "seconds of the processor"), ("peak_mb", "peak memory, MB"))
    for axis, (key, title) in zip(axes, shown, strict=True):
        for step in WORK:
            there = [size for size in sizes if step in figures[size]["steps"]]
            if there and step != "item-kNN: score":
                values = [max(figures[size]["steps"][step][key], 0.01) for size in there]
                axis.plot([int(size) for size in there], values, marker="o", markersize=3, linewidth=1, label=step)
        axis.set(xscale="log", yscale="log", xlabel="million interactions", title=title)
        axis.set_xticks([int(size) for size in sizes], labels=sizes)
        axis.minorticks_off()
        axis.grid(visible=True, linewidth=0.3)
    axes[1].legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
    drawing.tight_layout()
    drawing.savefig(path, metadata={"Date": None})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("millions", nargs="*", type=int, choices=[*SHAPES, []])
    parser.add_argument("--folder", type=Path, required=True, help="where data and figures are kept")
    parser.add_argument("--trials", nargs="*", choices=[*JOBS], default=[*JOBS])
    parser.add_argument("--chart", type=Path, help="an SVG file to draw")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.here:
        print(json.dumps(measure(asked.millions[0], asked.folder / str(asked.millions[0]), asked.trials)))
        return
    kept = asked.folder / "figures.json"
    figures: dict[str, Any] = json.loads(kept.read_text()) if kept.exists() else {}
    for million in asked.millions:
        print(f"{million} million interactions", file=sys.stderr)
        own = ["--here", "--folder", asked.folder, str(million), "--trials", *asked.trials]
        found = median_of([in_a_process_of_its_own(own) for _ in range(max(1, 10 // million))])
        before = figures.get(str(million), {}).get("steps", {})
        figures[str(million)] = {**found, "steps": {**before, **found["steps"]}}
        kept.write_text(json.dumps(figures, indent=1))
    print(table(figures))
    if asked.chart:
        chart(figures, asked.chart)


if __name__ == "__main__":
    main()

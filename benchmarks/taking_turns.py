"""Commands that do the same work, run in turn and measured whole: what the benchmarks of whole processes share.

Seconds of the processor count a command and every process below it that was waited for. Ratios are medians of ratios
within a round, so that a machine that is busy for a while slows both sides.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What one run of a command took."""

    wall_seconds: float
    cpu_seconds: float
    peak_mb: float


Rounds = Mapping[str, Sequence[Taken]]


def take_turns(
    commands: Mapping[str, Sequence[str]], *, repeats: int, before: Callable[[], object] = lambda: None
) -> Rounds:
    """Run each command once to warm caches and compile modules, as an installer does, then all in turn.

    Args:
        commands: by name what to run.
        before: called before each run.
    """
    with tempfile.TemporaryDirectory() as scratch:
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        environment |= {"PYTHONPYCACHEPREFIX": f"{scratch}/compiled", "HOME": scratch, "OMP_NUM_THREADS": "1"}
        environment |= {"OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}

        def run(name: str) -> Taken:
            before()
            return measure(commands[name], environment)

        for name in commands:
            run(name)
        rounds = [{name: run(name) for name in commands} for _ in range(repeats)]
    return {name: [each[name] for each in rounds] for name in commands}


def measure(command: Sequence[str], environment: Mapping[str, str]) -> Taken:
    """Run a command to its end; one that fails is an error with what it printed."""
    with tempfile.TemporaryFile() as printed:
        start = time.perf_counter()
        process = subprocess.Popen(command, env=environment, stdout=printed, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            printed.seek(0)
            raise SystemExit(f"{' '.join(command)} ended with {process.returncode}:\n{printed.read().decode()}")
    return Taken(wall_seconds=wall, cpu_seconds=usage.ru_utime + usage.ru_stime, peak_mb=usage.ru_maxrss / 1024)


def report(rounds: Rounds, *, reference: str) -> None:
    """Print medians, and ratios to `reference`."""
    widest = max(map(len, rounds))
    print(f"{'':<{widest}}  {'wall s':>7}  {'cpu s':>7}  {'MB':>6}  {'wall ratio':>10}  {'cpu ratio':>9}")
    for name, taken in rounds.items():
        wall, cpu = (ratio(rounds, name, reference, what) for what in ("wall_seconds", "cpu_seconds"))
        figures = [median(getattr(each, what) for each in taken) for what in ("wall_seconds", "cpu_seconds", "peak_mb")]
        print(f"{name:<{widest}}  {figures[0]:7.3f}  {figures[1]:7.3f}  {figures[2]:6.0f}  {wall:>10.2f}  {cpu:>9.2f}")


def ratio(rounds: Rounds, name: str, reference: str, what: str) -> float:
    """The median over rounds of what `name` took against `reference`."""
    pairs = zip(rounds[name], rounds[reference], strict=True)
    return median(getattr(ours, what) / getattr(theirs, what) for ours, theirs in pairs)


def ratings_folder() -> Path | None:
    """Where MovieLens 100K lies, if it does: `RECBENCH_DATA`, or beside the clone."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("RECBENCH_DATA", beside)) / "ml-100k"
    return folder if (folder / "u.data").is_file() else None

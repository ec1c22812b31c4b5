"""`recbench run --profile`: where the time on the clock went, phase by phase of the run and step by step of a trial."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from recbench.cli.screen import one_line

if TYPE_CHECKING:
    from recbench.benchmark import Entry, Listener
    from recbench.trials import Trial

STEPS = ("start", "fit", "rank", "predict", "latency", "score", "write")
OF_ALGORITHMS = ("fit", "rank", "predict")
"""What an algorithm is asked for. All else is the price of the harness, requests of single users included."""

COLUMN = 8
LEAST_NAME = 11


class Laps:
    """Seconds by what they went to: whatever is entered ends what went before.

    Args:
        first: what comes first.
        now: a clock in seconds.
    """

    def __init__(self, first: str, now: Callable[[], float]) -> None:
        self._at = first
        self._now = now
        self._since = now()
        self.seconds: dict[str, float] = {}

    def enter(self, what: str) -> None:
        """Go on to `what`."""
        now = self._now()
        self.seconds[self._at] = self.seconds.get(self._at, 0.0) + now - self._since
        self._at, self._since = what, now


class Profile:
    """Hears of the phases of a run and of the steps of its trials. It begins with what is imported.

    Args:
        now: a clock of seconds since 1970.
    """

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._began = now()
        self._phases = Laps("import", now)
        self._running: dict[str, Laps] = {}
        self._trials: list[tuple[str, Mapping[str, float]]] = []

    def phase(self, name: str) -> None:
        """The run goes on to a phase."""
        self._phases.enter(name)

    def beside(self, listener: Listener) -> Listener:
        """A listener that tells this profile, too."""
        return _Both(self, listener)

    def stage(self, trial: Trial, stage: str) -> None:
        """A trial goes on to another step."""
        if trial.id in self._running:
            self._running[trial.id].enter(stage)
        else:
            self._running[trial.id] = Laps(stage, self._now)

    def finished(self, trial: Trial) -> None:
        """A trial has its record."""
        laps = self._running.pop(trial.id)
        laps.enter("end")
        self._trials.append((f"{trial.row.label} {trial.split.fold}/{trial.seed}", laps.seconds))

    def text(self, width: int, *, process_began: float) -> str:
        """What was heard, in `width` columns. Ends what is under way.

        Args:
            process_began: when this process started, in seconds since 1970: until it had a profile it imported.
        """
        self._phases.enter("end")
        phases = dict(self._phases.seconds)
        phases["import"] += self._began - process_began
        return written(phases, self._trials, width)


def process_began() -> float:
    """When this process started, in seconds since 1970."""
    import psutil

    began = psutil.Process().create_time()
    if hasattr(time, "CLOCK_BOOTTIME"):
        # Linux counts from the machine's start, which psutil knows to the second only.
        began += time.time() - time.clock_gettime(time.CLOCK_BOOTTIME) - psutil.boot_time()
    return began


class _Both:
    def __init__(self, profile: Profile, listener: Listener) -> None:
        self._profile = profile
        self._listener = listener

    def stage(self, trial: Trial, stage: str) -> None:
        self._profile.stage(trial, stage)
        self._listener.stage(trial, stage)

    def finished(self, trial: Trial, entry: Entry) -> None:
        self._profile.finished(trial)
        self._listener.finished(trial, entry)

    def told(self, text: str) -> None:
        self._listener.told(text)


def written(phases: Mapping[str, float], trials: Sequence[tuple[str, Mapping[str, float]]], width: int) -> str:
    """Two tables of seconds, and which share is not the algorithms'.

    Args:
        phases: of the run, "trials" among them where there were any.
        trials: the name and the steps of each.
    """
    steps = {step: sum(taken.get(step, 0.0) for _, taken in trials) for step in STEPS}
    # Trials side by side take more seconds together than passed on the clock.
    other = max(0.0, phases.get("trials", 0.0) - sum(steps.values()))
    around = {name: taken for name, taken in phases.items() if name != "trials"} | {"other": other}
    everything = sum(around.values()) + sum(steps.values())
    share = sum(steps[step] for step in OF_ALGORITHMS) / everything
    lines = [
        f"{everything:.2f} s: {share:.0%} in {', '.join(OF_ALGORITHMS)}, {1 - share:.0%} around them",
        "",
        _line("", width, [*around, "trials"]),
        _line("", width, [f"{taken:.2f}" for taken in (*around.values(), sum(steps.values()))]),
    ]
    if trials:
        lines += ["", _line("trial", width, STEPS)]
        lines += [_line(name, width, [_seconds(taken.get(step)) for step in STEPS]) for name, taken in trials]
    if len(trials) > 1:
        lines.append(_line("all", width, [f"{taken:.2f}" for taken in steps.values()]))
    return "\n".join(line.rstrip() for line in lines)


def _seconds(taken: float | None) -> str:
    return "" if taken is None else f"{taken:.2f}"


def _line(name: str, width: int, cells: Sequence[str]) -> str:
    room = max(LEAST_NAME, width - COLUMN * len(STEPS))
    head = one_line(name, room).ljust(room) if name else ""
    return head + "".join(cell.rjust(COLUMN) for cell in cells)

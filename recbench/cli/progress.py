"""How a run goes, on standard error: a line for each finished trial, and on a terminal a bar below them."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING

import click

from recbench.cli.screen import one_line, printable, width_of

if TYPE_CHECKING:
    from recbench.benchmark import Agenda, Entry
    from recbench.records import Record
    from recbench.trials import Trial

BAR = 20
TICK_SECONDS = 0.5
DOING = {
    "start": "starting",
    "fit": "training",
    "rank": "ranking",
    "predict": "predicting",
    "latency": "timing",
    "score": "scoring",
}


class Progress:
    """Hears of stages and finished trials. A context manager: the bar is gone when it closes."""

    def __init__(self, agenda: Agenda, *, finished: Callable[[Entry], None] | None = None) -> None:
        self._total = len(agenda.trials)
        self._primary = agenda.scene.primary
        self._tell = finished
        self._n_folds = len(agenda.scene.splits)
        self._done = 0
        self._active: dict[str, tuple[str, float]] = {}
        self._began = time.monotonic()
        self._is_terminal = sys.stderr.isatty()
        self._lock = threading.RLock()
        self._closed = threading.Event()
        self._ticker = threading.Thread(target=self._tick, daemon=True)

    def __enter__(self) -> Progress:
        if self._is_terminal and self._total:
            self._ticker.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closed.set()
        with self._lock:
            self._wipe()

    def stage(self, trial: Trial, stage: str) -> None:
        """A trial goes on to another stage."""
        with self._lock:
            began = self._active.get(trial.id, ("", time.monotonic()))[1]
            self._active[trial.id] = (f"{self._name(trial)}: {DOING.get(stage, stage)}", began)
            self._draw()

    def finished(self, trial: Trial, entry: Entry) -> None:
        """A trial has its record."""
        with self._lock:
            self._done += 1
            self._active.pop(trial.id, None)
            self._wipe()
            click.echo(one_line(self._line(self._name(trial), entry.record), width_of(sys.stderr)), err=True)
            if self._tell:
                self._tell(entry)
            self._draw()

    def told(self, text: str) -> None:
        """Something happened where the trials run."""
        with self._lock:
            self._wipe()
            click.echo(printable(text), err=True)
            self._draw()

    def _name(self, trial: Trial) -> str:
        fold = f" fold {trial.split.fold}" if self._n_folds > 1 else ""
        seed = f" seed {trial.seed}" if trial.seed else ""
        return f"{trial.row.label}{fold}{seed}"

    def _line(self, name: str, record: Record) -> str:
        if record.reason is not None:
            return f"{record.status:<13} {name:<28} {record.reason}"
        score = record.scores.get(self._primary)
        told = "" if score is None else f"{self._primary} {score:.4f}"
        wall = record.measured.wall_seconds
        return f"{record.status:<13} {name:<28} {told}" + ("" if wall is None else f"  {wall:.1f} s")

    def _tick(self) -> None:
        while not self._closed.wait(TICK_SECONDS):
            with self._lock:
                self._draw()

    def _draw(self) -> None:
        if not self._is_terminal or self._closed.is_set():
            return
        filled = BAR * self._done // max(1, self._total)
        doing = ", ".join(what for what, _ in self._active.values())
        line = f"[{'#' * filled}{'.' * (BAR - filled)}] {self._done}/{self._total} {self._time_left()}  {doing}"
        sys.stderr.write("\r\x1b[K" + one_line(line, width_of(sys.stderr) - 1))
        sys.stderr.flush()

    def _wipe(self) -> None:
        if self._is_terminal:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()

    def _time_left(self) -> str:
        elapsed = time.monotonic() - self._began
        if not self._done:
            return f"{_clock(elapsed)} gone"
        return f"{_clock(elapsed / self._done * (self._total - self._done))} left"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"

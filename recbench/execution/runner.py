"""Runs trials: each in a process of its own, in as many slots as were asked for."""

from __future__ import annotations

import contextlib
import os
import queue
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event, Lock
from types import TracebackType
from typing import TypeAlias

from recbench.data import Split
from recbench.errors import RecbenchError
from recbench.execution.conversation import Checking, Conversation
from recbench.execution.direct import check_here, run_here
from recbench.execution.job import Job, Outcome
from recbench.execution.shared import SharedTrainings
from recbench.execution.slot import Sandbox, Slot, find_sandbox
from recbench.execution.verdict import judge, outcome_of
from recbench.execution.watch import Bounds, Ended, Watch
from recbench.records import Status

OnStage: TypeAlias = Callable[[str], None]
Frameworks: TypeAlias = frozenset[str]

FRAMEWORKS = frozenset({"numba", "tensorflow", "torch"})
"""What takes long to import, and can be forked after it was: trials that require it start where it is imported."""


def _ignore(_: str) -> None:
    """Hear nothing."""


class Bay:
    """Where one trial runs at a time: a slot for each interpreter and its frameworks, made when first asked for."""

    def __init__(self, make: Callable[[Path | None, Frameworks], Slot]) -> None:
        self._make = make
        self._slots: dict[tuple[Path | None, Frameworks], Slot] = {}

    def slot(self, python: Path | None, frameworks: Frameworks) -> Slot:
        """The slot of an interpreter, None being this one, with what is imported there."""
        key = python, frameworks
        if key not in self._slots:
            self._slots[key] = self._make(python, frameworks)
        return self._slots[key]

    def ready(self, python: Path | None, frameworks: Frameworks) -> Slot:
        """The same, ready for a trial. Where a framework cannot be imported, one without: the trial will say why.

        Raises:
            RecbenchError: it did not start.
        """
        slot = self.slot(python, frameworks)
        try:
            slot.await_ready()
        except RecbenchError:
            if not frameworks:
                raise
            slot = self._slots[python, frameworks] = self.ready(python, frozenset())
        return slot

    def close(self) -> None:
        """Close all slots."""
        for slot in self._slots.values():
            slot.close()


class Runner:
    """A context in which trials run. `run` may be called from several threads; each call takes a free slot.

    Args:
        slots: how many trials run at once.
        threads: how many threads the libraries of a trial may use.
        sandbox: cut trials off from the network and from `hidden`.
        in_process: run trials in this process, one at a time, without any isolation or limit: for debugging a plugin.
        hidden: folders and files that a sandboxed trial cannot see; folders that are not there yet are made.
        fresh: an interpreter for each trial instead of a fork server's child.
    """

    def __init__(
        self,
        *,
        slots: int = 1,
        threads: int = 1,
        sandbox: bool = False,
        in_process: bool = False,
        hidden: Sequence[Path] = (),
        fresh: bool = False,
    ) -> None:
        self._n_slots = 0 if in_process else slots
        self._threads = threads
        self._sandbox = sandbox
        self._in_process = in_process
        self._hidden = hidden
        self._fresh = fresh
        self._cancelled = Event()
        self._trainings = SharedTrainings(most=max(1, slots))
        self._alone = Lock()
        self._way: Sandbox | None = None
        self._bays: list[Bay] = []
        self._free: queue.LifoQueue[Bay] = queue.LifoQueue()

    def __enter__(self) -> Runner:
        if self._sandbox and not self._in_process:
            for path in self._hidden:
                if not path.exists():
                    with contextlib.suppress(OSError):  # where nobody can make it, nothing will be in it
                        path.mkdir(parents=True)
            self._way = find_sandbox(self._hidden)
        self._bays = [Bay(self._slot) for _ in range(self._n_slots)]
        for bay in self._bays:
            bay.slot(None, frozenset()).start()
            self._free.put(bay)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.cancel()
        for bay in self._bays:
            bay.close()

    def run(self, job: Job, split: Split, *, on_stage: OnStage = _ignore) -> Outcome | None:
        """Run one trial. `on_stage` hears "start", "fit", "rank", "predict" and "latency". None: the run was cancelled.

        Raises:
            RecbenchError: no process could be started.
        """
        if self._cancelled.is_set():
            return None
        on_stage("start")
        shared = self._trainings.of(split)
        conversation = Conversation(job, split, shared, on_stage)
        bounds = Bounds(seconds=job.seconds, memory_mb=job.memory_mb, output_mb=job.output_mb)
        if self._in_process:
            with self._alone:
                return outcome_of(run_here(conversation, shared), conversation, bounds, sandboxed=False)
        ended = self._watch(conversation, bounds, job, shared.descriptor, shared.size)
        if ended.cause == "cancelled":
            return None
        outcome = outcome_of(ended, conversation, bounds, sandboxed=self._sandbox)
        return outcome if shared.is_intact() else self._disown(outcome, split)

    def check(self, job: Job) -> str | None:
        """Whether an algorithm can be loaded and takes its parameters; why not. Trains nothing."""
        checking = Checking(job)
        bounds = Bounds(seconds=job.seconds, memory_mb=job.memory_mb, output_mb=job.output_mb)
        if self._in_process:
            with self._alone:
                return judge(check_here(checking), checking, bounds)[1]
        with open(os.devnull, "rb") as nothing:
            ended = self._watch(checking, bounds, job, nothing.fileno(), 0)
        return judge(ended, checking, bounds)[1]

    def cancel(self) -> None:
        """End what runs, and run nothing more."""
        self._cancelled.set()

    def _slot(self, python: Path | None, frameworks: Frameworks) -> Slot:
        return Slot(
            threads=self._threads, sandbox=self._way, fresh=self._fresh, python=python, frameworks=sorted(frameworks)
        )

    def _watch(self, talk: Checking | Conversation, bounds: Bounds, job: Job, data: int, size: int) -> Ended:
        bay = self._free.get()
        try:
            slot = bay.ready(job.python, FRAMEWORKS.intersection(job.requires))
            try:
                return Watch(slot, talk, bounds, shared=size, cancelled=self._cancelled).carry_out(data)
            except BaseException:
                slot.destroy()
                raise
        finally:
            self._free.put(bay)

    def _disown(self, outcome: Outcome, split: Split) -> Outcome:
        """The result of a trial that wrote to what others learn from does not count."""
        self._trainings.forget(split)
        return Outcome(
            status=Status.INVALID,
            reason="wrote to the training data",
            costs=outcome.costs,
            output=outcome.output,
            sandboxed=outcome.sandboxed,
        )

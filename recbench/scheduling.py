"""Which trial starts next where several run at a time: within cores, memory and GPUs, the longest first.

Decisions are pure; what they go by is looked up by the last functions.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf

from recbench.records import Costs, Store

_MB = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What a trial takes. Whoever has not run yet is taken to need all it may, and to take longest.

    Attributes:
        memory_mb: private memory at its peak.
        seconds: from start to end.
    """

    memory_mb: float
    seconds: float = inf

    def joined(self, other: Need) -> Need:
        """The greater of each."""
        return Need(memory_mb=max(self.memory_mb, other.memory_mb), seconds=max(self.seconds, other.seconds))


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A trial that asks to run.

    Attributes:
        place: its place in the plan.
        label: of its row; trials of one row need about the same.
        split: fingerprint of its split.
        needs_gpu: it runs on a GPU of its own.
    """

    place: int
    label: str
    split: str
    needs_gpu: bool = False


def slots(jobs: int, *, threads: int, cores: int) -> int:
    """How many of the trials that are asked for can run at a time, each with its threads on cores of its own."""
    return max(1, min(jobs, cores // threads))


def choose(waiting: Sequence[Ask], running: Sequence[Ask], needs: Mapping[str, Need], free_mb: float) -> Ask | None:
    """The trial to start now, or None where it is better to wait.

    Splits come one after the other, so that few are in memory at once. Of one split's trials the longest that fits
    comes first, so that the last one does not run alone for long. Where nothing runs, something starts in any case.

    Args:
        waiting: in the order of the plan.
        running: what runs already.
        needs: of each label.
        free_mb: memory that neither is in use nor will be by what runs.
    """
    of_split = [ask for ask in waiting if ask.split == waiting[0].split]
    of_split.sort(key=lambda ask: -needs[ask.label].seconds)
    fitting = [ask for ask in of_split if not running or needs[ask.label].memory_mb <= free_mb]
    return fitting[0] if fitting else None


class Schedule:
    """The trials of a run that wait and that run.

    Attributes:
        lacks_memory: whether a trial had to wait for memory, with a slot free for it.

    Args:
        asks: in the order of the plan, which is kept where one runs at a time.
        slots: how many may run at a time.
        known: the needs of rows of which there are records.
        limit_mb: what every other may take.
        memory_mb: what all that run may take together.
        gpus: names of those that there are; at least one where a trial needs one.
    """

    def __init__(
        self,
        asks: Sequence[Ask],
        *,
        slots: int,
        known: Mapping[str, Need],
        limit_mb: float,
        memory_mb: float,
        gpus: Sequence[str] = (),
    ) -> None:
        self._waiting = list(asks)
        self._slots = slots
        self._known = dict(known)
        self._needs = {ask.label: known.get(ask.label, Need(memory_mb=limit_mb)) for ask in asks}
        self._memory_mb = memory_mb
        self._at_once: dict[Ask, int] = {}
        self._free_gpus = list(gpus)
        self._gpu_of: dict[Ask, str] = {}
        self.lacks_memory = False

    def start(self, available_mb: float) -> Ask | None:
        """Start a trial, if there is one that should be. `available_mb`: memory that is not in use at this moment."""
        waiting = [ask for ask in self._waiting if not ask.needs_gpu or self._free_gpus]
        if not waiting or len(self._at_once) >= self._slots:
            return None
        if self._slots == 1:
            chosen: Ask | None = waiting[0]
        else:
            promised = sum(self._needs[ask.label].memory_mb for ask in self._at_once)
            free_mb = min(self._memory_mb - promised, available_mb)
            chosen = choose(waiting, list(self._at_once), self._needs, free_mb)
        if chosen is None:
            self.lacks_memory = True
            return None
        self._waiting.remove(chosen)
        self._at_once[chosen] = 0
        if chosen.needs_gpu:
            self._gpu_of[chosen] = self._free_gpus.pop(0)
        for ask, most in self._at_once.items():
            self._at_once[ask] = max(most, len(self._at_once))
        return chosen

    def at_once(self, ask: Ask) -> int:
        """How many ran at a time, at most, since this trial started."""
        return self._at_once[ask]

    def gpu(self, ask: Ask) -> str | None:
        """The GPU that a trial has to itself; None where it needs none."""
        return self._gpu_of.get(ask)

    def end(self, ask: Ask, costs: Costs | None) -> None:
        """A trial has ended. What it took is what others of its row will take."""
        del self._at_once[ask]
        if ask in self._gpu_of:
            self._free_gpus.append(self._gpu_of.pop(ask))
        need = None if costs is None else need_of(costs)
        if need is not None:
            before = self._known.get(ask.label)
            self._known[ask.label] = self._needs[ask.label] = need if before is None else need.joined(before)


def known_needs(store: Store, fingerprint: str) -> dict[str, Need]:
    """By label, the most that a row's trials on a board took: other seeds, other folds and earlier runs."""
    known: dict[str, Need] = {}
    for record in store.load_all()[0]:
        need = need_of(record.measured)
        if need is not None and record.protocol["fingerprint"] == fingerprint and not record.is_external:
            known[record.label] = need if record.label not in known else need.joined(known[record.label])
    return known


def need_of(costs: Costs) -> Need | None:
    """What a trial took, where that was measured."""
    if costs.peak_memory_mb is None or costs.wall_seconds is None:
        return None
    return Need(memory_mb=costs.peak_memory_mb, seconds=costs.wall_seconds)


def cores() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def available_mb() -> float:
    """Memory that programs can have without anything being swapped out."""
    import psutil

    return float(psutil.virtual_memory().available / _MB)

"""The workers that may be used, and who waits for one. First come, first served, as far as a free worker fits."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from recbench.cluster.introductions import GPU
from recbench.errors import RecbenchError

_LOOK_SECONDS = 0.5


@dataclass(slots=True, kw_only=True, eq=False)
class Member:
    """A worker that may be used.

    Attributes:
        address: what Dask knows it by.
        name: what people know it by.
        where: facts of its machine.
        lacking: modules that are not installed there, and `introductions.GPU` where there is none.
        free: how many more trials it takes now.
        gpus: names of those that no trial has now; workers of one machine may share the list.
        holds: digests of the parcels that were sent to it, by the split's fingerprint.
        sending: held while something is sent to it, so that nothing is sent twice.
        is_lost: it is gone, or not to be used any more.
    """

    address: str
    name: str
    where: Mapping[str, Any]
    lacking: frozenset[str]
    free: int
    gpus: list[str] = field(default_factory=list)
    holds: dict[str, str] = field(default_factory=dict)
    sending: threading.Lock = field(default_factory=threading.Lock)
    is_lost: bool = False

    def __str__(self) -> str:
        return self.name if self.name == self.address else f"{self.name} at {self.address}"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Place:
    """Room for one trial.

    Attributes:
        member: on which worker.
        gpu: the GPU that the trial has to itself; None where it needs none.
    """

    member: Member
    gpu: str | None = None


class NobodyCan(Exception):
    """No worker has what a trial needs. The argument: what is lacking."""


@dataclass(slots=True, eq=False)
class _Waiting:
    needs: frozenset[str]
    likes: Callable[[Member], Any]
    given: Place | None = None

    def fits(self, member: Member) -> bool:
        """Whether a worker has room for it now."""
        return member.free > 0 and not self.needs & member.lacking and (GPU not in self.needs or bool(member.gpus))


class Roster:
    """Thread-safe.

    Args:
        grace_seconds: how long it is waited for a worker where there is none.
        where: the cluster, for messages.
    """

    def __init__(self, *, grace_seconds: float, where: str) -> None:
        self.grace_seconds = grace_seconds
        self._where = where
        self._changed = threading.Condition()
        self._members: dict[str, Member] = {}
        self._queue: list[_Waiting] = []
        self._gone: list[tuple[float, Member]] = []
        self._reasons: dict[str, str] = {}
        self._empty_since = time.monotonic()
        self._failure: RecbenchError | None = None
        self._is_cancelled = False

    def members(self) -> list[Member]:
        """Those that may be used now."""
        with self._changed:
            return list(self._members.values())

    def join(self, member: Member) -> None:
        """A worker may be used."""
        with self._changed:
            self._members[member.address] = member
            self._assign()

    def lose(self, member: Member, *, reason: str | None = None) -> None:
        """A worker is gone; or, for a `reason`, not to be used any more."""
        with self._changed:
            member.is_lost = True
            if self._members.pop(member.address, None) is None:
                return
            if reason is not None:
                self._reasons[str(member)] = reason
            self._gone.append((time.monotonic(), member))
            if not self._members:
                self._empty_since = time.monotonic()
            self._changed.notify_all()

    def refuse(self, who: str, reason: str) -> None:
        """Remember why a worker may not be used."""
        with self._changed:
            self._reasons[who] = reason

    def take(self, needs: frozenset[str], likes: Callable[[Member], Any]) -> Place | None:
        """Wait for a worker that has `needs`, the one that `likes` gives the least value if several are free.

        Args:
            needs: modules, and `introductions.GPU`.
            likes: see above.

        Returns:
            None where the run was cancelled.

        Raises:
            NobodyCan: there are workers, and none of them has what is needed.
            RecbenchError: there is no worker, and none came in time.
        """
        waiting = _Waiting(needs, likes)
        with self._changed:
            self._queue.append(waiting)
            try:
                self._assign()
                while waiting.given is None and not self._is_cancelled:
                    self._check_hope(needs)
                    self._changed.wait(_LOOK_SECONDS)
            finally:
                if waiting in self._queue:
                    self._queue.remove(waiting)
            return waiting.given

    def give_back(self, place: Place) -> None:
        """A trial there is over."""
        with self._changed:
            place.member.free += 1
            if place.gpu is not None:
                place.member.gpus.append(place.gpu)
            self._assign()

    def fail(self, error: RecbenchError) -> None:
        """Nothing more can run: everybody who waits gets the error."""
        with self._changed:
            self._failure = self._failure or error
            self._changed.notify_all()

    def cancel(self) -> None:
        """Nothing more is to run."""
        with self._changed:
            self._is_cancelled = True
            self._changed.notify_all()

    def check(self) -> None:
        """Raise what `fail` was given, if it was."""
        if self._failure is not None:
            raise self._failure

    def check_some(self) -> None:
        """See that not all of the workers that are there were refused.

        Raises:
            RecbenchError: all of them were.
        """
        with self._changed:
            if self._reasons and not self._members:
                raise self._no_worker("has no worker that may be used")

    def _assign(self) -> None:
        for waiting in list(self._queue):
            able = [each for each in self._members.values() if waiting.fits(each)]
            if able:
                member = min(able, key=waiting.likes)
                member.free -= 1
                waiting.given = Place(member=member, gpu=member.gpus.pop(0) if GPU in waiting.needs else None)
                self._queue.remove(waiting)
        self._changed.notify_all()

    def _check_hope(self, needs: frozenset[str]) -> None:
        """Whether a worker that fits is there, or was a moment ago and may come again."""
        self.check()
        now = time.monotonic()
        self._gone = [(when, each) for when, each in self._gone if now - when < self.grace_seconds]
        if not self._members:
            if now - self._empty_since > self.grace_seconds:
                raise self._no_worker(f"has had no worker that may be used for {self.grace_seconds:g} s")
            return
        known = [*self._members.values(), *(each for _, each in self._gone)]
        if all(needs & each.lacking for each in known):
            raise NobodyCan(min((needs & each.lacking for each in known), key=len))

    def _no_worker(self, problem: str) -> RecbenchError:
        reasons = "".join(f"; {who} {reason}" for who, reason in self._reasons.items())
        return RecbenchError(
            f"{self._where} {problem}{reasons}",
            fix="start workers with this very installation, and with memory for a trial; what is finished is kept, "
            "and the same command goes on",
        )

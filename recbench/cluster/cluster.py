"""Runs trials on the workers of a cluster, in the shape of `execution.Runner`: what a run asks for is the same."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, TypeAlias

from recbench import gpus
from recbench.cluster import host, introductions
from recbench.cluster.address import Address, grace_seconds
from recbench.cluster.connection import Cancelled, Connection, Fault, Lost
from recbench.cluster.frames import Damaged, describe_job, outcome_from, seal, unseal
from recbench.cluster.parcel import Contents, Parcel, blank
from recbench.cluster.roster import Member, NobodyCan, Roster
from recbench.data import Split
from recbench.execution import Job, Outcome
from recbench.records import Status
from recbench.trials import Trial
from recbench.worker.channel import Message

MOST_TRIES = 3
"""How often a trial is started where workers are lost or send damaged results."""

_MOST_PARCELS = 2
_Attempt: TypeAlias = Callable[[Member, Job], Message]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How trials run on a worker.

    Attributes:
        threads: how many the libraries of a trial may use.
        jobs: trials at a time on one worker, as far as it has threads and memory for them.
        memory_mb: what one trial may take.
        sandbox: cut trials off from the network and from `hidden`.
        hidden: what a sandboxed trial cannot see, where a worker has it.
    """

    threads: int
    jobs: int
    memory_mb: int
    sandbox: bool = False
    hidden: Sequence[Path] = ()

    def on_worker(self) -> dict[str, Any]:
        """What a worker has to know of them."""
        hidden = sorted(str(path.resolve()) for path in self.hidden)
        return {"threads": self.threads, "sandbox": self.sandbox, "hidden": hidden}


class Cluster:
    """A context in which trials run on workers. `run` may be called from several threads.

    Args:
        address: where the scheduler is; or a cluster is started: of `settings.jobs` workers here, or as a file says.
        trials: what will run, to see that workers have the same code.
        settings: how.
        tell: hears what the user should know: workers refused, lost, trials started again.
    """

    def __init__(
        self,
        address: Address,
        *,
        trials: Sequence[Trial],
        settings: Settings,
        tell: Callable[[str], None],
    ) -> None:
        self._address = address
        self._asked = introductions.needs(trials)
        self._settings = settings
        self._tell = tell
        self._roster = Roster(grace_seconds=grace_seconds(address), where=f"the cluster {address}")
        self._connection = Connection(
            address, joined=self._introduce, lost=self._lose, failed=self._roster.fail, tell=tell
        )
        self._gpus = list(gpus.names()) if address.is_local else None  # workers of one machine share them
        self._parcels: OrderedDict[str, Parcel] = OrderedDict()
        self._packing = threading.Lock()

    def __enter__(self) -> Cluster:
        n_workers = self._settings.jobs if self._address.is_local else 0
        self._connection.open(n_workers)
        try:
            self._roster.check_some()
        except BaseException:
            self._connection.close([])
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.cancel()
        self._connection.close([member.address for member in self._roster.members()])

    def run(self, job: Job, split: Split, *, on_stage: Callable[[str], None]) -> Outcome | None:
        """Run one trial on a worker, and again on another one where that is lost. None: the run was cancelled.

        An outcome that is `unavailable` says that no worker has what the trial needs.

        Raises:
            RecbenchError: no worker is left, or the scheduler is gone.
        """

        def attempt(member: Member, job: Job) -> Message:
            on_stage("start")
            while True:
                order = Message(kind="trial", values={"parcel": self._send(member, split, job), **self._describe(job)})
                answer = self._ask(member, order, on_stage)
                if answer.kind != "missing":
                    return answer
                member.holds.pop(split.fingerprint, None)  # it had to make room for others

        try:
            placed = self._place(job, attempt, split.fingerprint)
        except NobodyCan as lacking:
            reason = f"no worker has {introductions.words(lacking.args[0])}"
            return Outcome(status=Status.UNAVAILABLE, reason=reason)
        except _GivenUp as problem:
            return Outcome(status=Status.CRASHED, reason=str(problem))
        if placed is None:
            return None
        answer, member = placed
        return outcome_from(answer, member.where)

    def check(self, job: Job) -> str | None:
        """Whether an algorithm can be loaded and takes its parameters; why not. Trains nothing."""

        def attempt(member: Member, job: Job) -> Message:
            return self._ask(member, Message(kind="check", values=self._describe(job)), lambda _: None)

        try:
            placed = self._place(job, attempt, "")
        except NobodyCan:
            return None  # the trial itself will say so
        except _GivenUp as problem:
            return str(problem)
        return None if placed is None else placed[0].values["reason"]

    def cancel(self) -> None:
        """End what runs, and run nothing more."""
        self._roster.cancel()
        self._connection.cancel()

    def _place(self, job: Job, attempt: _Attempt, fingerprint: str) -> tuple[Message, Member] | None:
        """Find a worker and have it try, until one comes back with a result. None: the run was cancelled.

        Args:
            job: for the worker.
            attempt: has a worker try the job; which has a GPU of its own by then, if it needs one.
            fingerprint: of the split; a worker that holds it is liked better.

        Raises:
            NobodyCan: there is no worker for it.
            _GivenUp: no result came back, after so many tries.
        """
        failures: list[str] = []
        while len(failures) < MOST_TRIES:
            place = self._roster.take(
                introductions.needs_of(job), lambda each: (fingerprint not in each.holds, -each.free)
            )
            if place is None:
                return None
            member = place.member
            try:
                answer = attempt(member, replace(job, gpu=place.gpu))
            except Cancelled:
                self._roster.check()
                return None
            except (Lost, Damaged) as error:
                failures.append(f"{member} {str(error) or 'was lost'}")
                follows = "is given up" if len(failures) == MOST_TRIES else "starts again"
                self._tell(f"{failures[-1]}; its trial {follows}, after {len(failures)} of {MOST_TRIES} tries")
                continue
            except Fault as fault:
                self._strike(member, f"cannot run trials: {fault}")
                continue
            finally:
                self._roster.give_back(place)
            return answer, member
        raise _GivenUp(f"was started {MOST_TRIES} times, and no result came back: {', '.join(failures)}")

    def _ask(self, member: Member, order: Message, on_stage: Callable[[str], None]) -> Message:
        """What a worker answers to an order.

        Raises:
            Lost, Cancelled, Fault, Damaged: there is no answer that counts.
        """
        answer = unseal(self._connection.fly(member.address, seal(order), on_stage))
        if answer.kind == "unfit":
            raise Fault(answer.values["reason"])
        if answer.kind == "cancelled":
            raise Lost("is closing")
        return answer

    def _send(self, member: Member, split: Split, job: Job) -> str:
        """See that a worker has the split's data, and give its digest there."""
        with member.sending:
            if split.fingerprint not in member.holds:
                parcel = self._parcel(split, job)
                for offset, piece in parcel.pieces():
                    place = (self._connection.topic, parcel.digest, parcel.head, parcel.size, offset)
                    self._connection.call(member.address, host.receive, *place, piece)
                member.holds[split.fingerprint] = parcel.digest
            return member.holds[split.fingerprint]

    def _parcel(self, split: Split, job: Job) -> Parcel:
        """A split's parcel; packed once, unless it was long out of use."""
        with self._packing:
            if split.fingerprint not in self._parcels:
                contents = Contents(split=blank(split), candidates=job.candidates)
                self._parcels[split.fingerprint] = Parcel(contents)
            self._parcels.move_to_end(split.fingerprint)
            while len(self._parcels) > _MOST_PARCELS:
                self._parcels.popitem(last=False)
            return self._parcels[split.fingerprint]

    def _describe(self, job: Job) -> dict[str, Any]:
        return {
            "topic": self._connection.topic,
            "settings": self._settings.on_worker(),
            "job": describe_job(job),
        }

    def _introduce(self, address: str) -> None:
        """Hear what a worker is, and use it or not."""
        try:
            answer = self._connection.call(address, host.introduce, self._asked)
        except Lost:
            return
        except Fault as fault:
            self._refuse(address, f"cannot say what it is: {fault}")
            return
        member = Member(
            address=address,
            name=answer["name"],
            where={**answer["machine"], "cluster": self._address.kind},
            lacking=frozenset([*answer["lacking"], *([] if answer["gpus"] else [introductions.GPU])]),
            gpus=answer["gpus"] if self._gpus is None else self._gpus,
            free=min(self._settings.jobs, answer["threads"], answer["memory_mb"] // self._settings.memory_mb),
        )
        reason = introductions.objection(answer, self._asked)
        if reason is None and not member.free:
            reason = f"has {answer['memory_mb']} MB of memory, and a trial may take {self._settings.memory_mb} MB"
        if reason is not None:
            self._refuse(str(member), reason)
        else:
            self._roster.join(member)

    def _refuse(self, who: str, reason: str) -> None:
        self._roster.refuse(who, reason)
        self._tell(f"Worker {who} is not used: it {reason}")

    def _strike(self, member: Member, reason: str) -> None:
        """Use a worker no more."""
        if not member.is_lost:
            self._roster.lose(member, reason=reason)
            self._tell(f"Worker {member} is not used any more: it {reason}")

    def _lose(self, address: str) -> None:
        """A worker is gone."""
        for member in self._roster.members():
            if member.address == address:
                self._roster.lose(member)
                if not self._roster.members():
                    self._tell(f"No worker is left; one may come within {self._roster.grace_seconds:g} s")


class _GivenUp(Exception):
    """No result of a trial came back, and why."""

"""From how a trial ended to its status and reason."""

from __future__ import annotations

import signal

from recbench.execution.conversation import Conversation, Talk
from recbench.execution.job import Outcome
from recbench.execution.watch import Bounds, Ended
from recbench.records import Costs, Status

_WORDS: dict[int, str] = {
    signal.SIGSEGV: "a segmentation fault",
    signal.SIGBUS: "a bus error",
    signal.SIGILL: "an illegal instruction",
    signal.SIGFPE: "an arithmetic error",
    signal.SIGABRT: "an abort, as after a failed assertion or allocation in compiled code",
    signal.SIGKILL: "not sent by recbench: the system may have been out of memory, or something killed it",
}


def outcome_of(ended: Ended, conversation: Conversation, bounds: Bounds, *, sandboxed: bool) -> Outcome:
    """What is recorded of a trial."""
    status, reason, traceback = judge(ended, conversation, bounds)
    if status is Status.OK and (problem := conversation.problem()):
        status, reason = Status.INVALID, problem
    is_ok = status is Status.OK
    return Outcome(
        status=status,
        reason=reason,
        traceback=traceback,
        lists=conversation.lists if is_ok else None,
        predictions=conversation.predictions if is_ok else None,
        served=conversation.served if is_ok else None,
        n_never=conversation.n_never,
        marks=(conversation.mark,) if is_ok and conversation.mark else (),
        costs=_costs(ended, conversation),
        output=ended.printed,
        sandboxed=sandboxed,
    )


def judge(ended: Ended, talk: Talk, bounds: Bounds) -> tuple[Status, str | None, str | None]:
    """Status, reason and traceback: what we ended it for goes first, then what it said, then how it went."""
    if ended.cause == "memory":
        return Status.OUT_OF_MEMORY, f"took more than {bounds.memory_mb} MB in {talk.step}", None
    if ended.cause == "timeout":
        return Status.TIMEOUT, f"was not done after {bounds.seconds:g} s, in {talk.step}", None
    if ended.cause == "output":
        return Status.FAILED, f"printed more than {bounds.output_mb} MB, in {talk.step}", None
    if ended.cause == "garbled":
        return Status.INVALID, f"wrote to recbench's own channel in {talk.step}: {ended.note}", None
    if ended.cause == "server":
        return (
            Status.CRASHED,
            f"the process that watches over it was killed, by itself or by the system, in {talk.step}",
            None,
        )
    if talk.fault is not None:
        return Status(talk.fault["status"]), talk.fault["reason"], talk.fault["traceback"] or None
    if talk.is_done:
        return Status.OK, None, None
    return Status.CRASHED, _describe_end(ended.code, talk.step), None


def _describe_end(code: int | None, step: str) -> str:
    if code is None or code >= 0:
        return f"ended with exit code {code} before it was done, in {step}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    words = _WORDS.get(-code)
    return f"ended by {name}" + (f" ({words})" if words else "") + f", in {step}"


def _costs(ended: Ended, conversation: Conversation) -> Costs:
    return Costs(
        **conversation.costs,
        peak_memory_mb=ended.peak_bytes / (1 << 20) if ended.peak_bytes else None,
        cpu_seconds=ended.cpu_seconds,
        wall_seconds=ended.wall_seconds,
    )

"""A trial in this very process, for debugging a plugin: the same steps, and no isolation at all."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from recbench.execution.conversation import Checking, Conversation, Talk
from recbench.execution.shared import SharedTraining
from recbench.execution.watch import Ended
from recbench.worker import trial
from recbench.worker.channel import Garbled, Message
from recbench.worker.faults import describe
from recbench.worker.sharing import attach


class _Direct:
    """Hands messages to the other side without a channel."""

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation

    def tell(self, message: Message) -> None:
        self._conversation.answer(message)

    def ask(self, message: Message) -> Message:
        answer = self._conversation.answer(message)
        if answer is None:
            raise Garbled(f"{message.kind!r} has no answer")
        return answer


def check_here(checking: Checking) -> Ended:
    """Check parameters in this process."""

    def check(job: Mapping[str, Any]) -> None:
        trial.check(job)
        checking.is_done = True

    return _end_with(checking, check)


def run_here(conversation: Conversation, shared: SharedTraining) -> Ended:
    """Run a trial to its end. `KeyboardInterrupt` is the user's own, and goes on."""
    progress = trial.Progress(parent=_Direct(conversation))

    def conduct(job: Mapping[str, Any]) -> None:
        trial.conduct(job, trial.Parts.of(job, attach(shared.descriptor, shared.layout)), progress)

    return _end_with(conversation, conduct)


def _end_with(talk: Talk, do: Callable[[Mapping[str, Any]], None]) -> Ended:
    start, cpu_start = time.monotonic(), time.process_time()
    try:
        do(talk.request().values)
    except (Exception, SystemExit) as error:  # a plugin raised it, whatever it is
        talk.answer(Message(kind="fault", values=describe(error, talk.step)))
    return Ended(
        cause="itself",
        code=0,
        note="",
        cpu_seconds=time.process_time() - cpu_start,
        wall_seconds=time.monotonic() - start,
        peak_bytes=0,
        printed="",
    )

"""Holds an algorithm against the rules in a process of its own, so that nothing it does harms whoever asks."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from typing import IO, Any

from recbench.testing.rule import Rule, State, Verdict
from recbench.testing.subject import Subject

RULE_LIMIT_SECONDS = 900.0


def judge_apart(subject: Subject, rules: Sequence[Rule], *, seconds: float = RULE_LIMIT_SECONDS) -> Iterator[Verdict]:
    """The verdicts, one after the other as they come.

    Where the process ends in the middle of a rule, or a rule takes longer than `seconds`, that rule is broken, and a
    new process goes on with the next one.
    """
    left = [rule.name for rule in rules]
    while left:
        with _Judge(subject, left) as process:
            while left and not process.is_gone:
                yield process.next(left.pop(0), seconds)


class _Judge:
    """A process that works through rules, and a pipe that its verdicts come through."""

    def __init__(self, subject: Subject, rules: Sequence[str]) -> None:
        self._request = json.dumps({**subject.request, "rules": list(rules)}).encode()
        self._declared = subject.declaration.expected_failures
        self.is_gone = False

    def __enter__(self) -> _Judge:
        read, write = os.pipe()
        self._verdicts: IO[bytes] = os.fdopen(read, "rb", buffering=0)
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter
            [sys.executable, "-P", "-m", "recbench.testing", str(write)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=(write,),
            start_new_session=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        )
        os.close(write)
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError), self._process.stdin as pipe:
            pipe.write(self._request)
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._verdicts.close()

    def next(self, rule: str, seconds: float) -> Verdict:
        """The verdict on `rule`, which comes next."""
        ready, _, _ = select.select([self._verdicts], [], [], seconds)
        line = self._verdicts.readline() if ready else b""
        if line.endswith(b"\n"):
            values: dict[str, Any] = json.loads(line)
            return Verdict(**{**values, "state": State(values["state"])})
        self.is_gone = True
        found = self._how_it_ended() if ready else f"it had not ended after {seconds:g} s"
        return self._broken(rule, found)

    def _broken(self, rule: str, found: str) -> Verdict:
        if rule in self._declared:
            return Verdict(rule=rule, state=State.EXPECTED, found=self._declared[rule])
        return Verdict(rule=rule, state=State.BROKEN, found=found, fix="see what it does with the data of this rule")

    def _how_it_ended(self) -> str:
        code = self._process.wait()
        how = f"signal {-code} ({signal.Signals(-code).name})" if code < 0 else f"exit code {code}"
        return f"the process ended with {how}"

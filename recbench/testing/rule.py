"""A rule, what breaks it, and the verdict on an algorithm."""

from __future__ import annotations

import enum
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from recbench.testing.subject import Subject


class Breach(AssertionError):
    """A rule is broken: what was found, and what to do."""

    def __init__(self, found: str, *, fix: str) -> None:
        super().__init__(found)
        self.found = found
        self.fix = fix


class NotApplicable(Exception):
    """The rule asks for something that this algorithm does not offer."""


class State(enum.StrEnum):
    """How an algorithm stands to a rule."""

    OK = "ok"
    BROKEN = "broken"
    EXPECTED = "expected"
    """It is broken, as the algorithm declares."""
    REFUTED = "refuted"
    """It is declared broken, and holds."""
    SKIPPED = "skipped"
    """It asks for what the algorithm does not offer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What came of one rule.

    Attributes:
        found: what was seen; empty when all is well.
        fix: what to do; empty when there is nothing to do.
    """

    rule: str
    state: State
    found: str = ""
    fix: str = ""

    @property
    def is_bad(self) -> bool:
        """Whether something is to be done."""
        return self.state in (State.BROKEN, State.REFUTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One thing that holds for every algorithm. `check` raises `Breach` where it does not."""

    check: Callable[[Subject], None]

    @property
    def name(self) -> str:
        """What users call it."""
        return self.check.__name__.replace("_", "-")

    @property
    def reason(self) -> str:
        """Why there is such a rule: the first paragraph of what `check` says of itself."""
        return " ".join((self.check.__doc__ or "").split("\n\n")[0].split())


def judge(rule: Rule, subject: Subject) -> Verdict:
    """Hold an algorithm against a rule. Whatever a plugin raises is a breach; nothing of it comes out of here."""
    declared = subject.declaration.expected_failures.get(rule.name)
    try:
        rule.check(subject)
    except NotApplicable as reason:
        return Verdict(rule=rule.name, state=State.SKIPPED, found=str(reason))
    except Breach as breach:
        return _broken(rule, declared, breach.found, breach.fix)
    except (Exception, SystemExit) as error:  # foreign code may raise anything
        return _broken(rule, declared, _tell(error), "make it cope, or raise a ValueError that says what is wrong")
    if declared is not None:
        fix = f"take {rule.name!r} out of Algorithm(expected_failures=...)"
        return Verdict(rule=rule.name, state=State.REFUTED, found="it holds, though declared to fail", fix=fix)
    return Verdict(rule=rule.name, state=State.OK)


def _broken(rule: Rule, declared: str | None, found: str, fix: str) -> Verdict:
    if declared is not None:
        return Verdict(rule=rule.name, state=State.EXPECTED, found=declared)
    return Verdict(rule=rule.name, state=State.BROKEN, found=found, fix=fix)


def _tell(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    where = f" ({frames[-1].filename}, line {frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {error}{where}"

"""The kit for pytest."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from recbench.testing.rule import Rule, State, judge
from recbench.testing.rules import RULES, rules_named
from recbench.testing.subject import Subject


def conformance(name: str, *, plugin: Path | None = None) -> Callable[..., None]:
    """A test function for pytest that holds the algorithm called `name` against every rule, one test a rule.

    What the algorithm declares in `Algorithm(expected_failures=...)` is shown as xfailed, with its reason.

    Args:
        plugin: a single-file plugin that offers it; None: an installed one does.

    Raises:
        RecbenchError: nobody offers it, something it needs is not installed, or it declares a rule that there is not.
    """
    import pytest

    subject = Subject(name, plugins=() if plugin is None else (plugin,))
    rules_named(subject.declaration.expected_failures)  # a misspelt one is an error

    def test_conformance(rule: Rule) -> None:
        verdict = judge(rule, subject)
        if verdict.state is State.SKIPPED:
            pytest.skip(verdict.found)
        if verdict.state is State.EXPECTED:
            pytest.xfail(verdict.found)
        if verdict.is_bad:
            pytest.fail(f"{rule.name}: {verdict.found}\n{rule.reason}\nFix: {verdict.fix}", pytrace=False)

    mark: Any = pytest.mark.parametrize("rule", [pytest.param(rule, id=rule.name) for rule in RULES])
    marked: Callable[..., None] = mark(test_conformance)
    return marked

"""The conformance kit: each rule finds what breaks it, and nothing else."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from recbench.errors import UnknownName
from recbench.registry import discover, missing
from recbench.testing import RULES, State, Subject, Verdict, conformance, fresh, judge, judge_apart, rules_named

FOLDER = Path(__file__).parent / "conformance"
PLUGIN = FOLDER / "breakers.py"
sys.path.insert(0, str(FOLDER))
from breakers import BREAKERS  # noqa: E402 - a file that is a plugin, too

CROSS_PROCESS = {"hash-seed-and-folder-do-not-matter"}
ALSO = {
    "Mute": {"learns-a-checkerboard", "finds-nothing-in-noise", *(r.name for r in RULES if r.name.startswith("copes"))},
    "FarOff": {"another-seed-stays-in-range"},
    "Unseeded": CROSS_PROCESS,
    "LooksAtGlobalRandomness": CROSS_PROCESS,
    "CentresTheBlock": {"order-of-users-does-not-matter"},
}
"""What a breaker cannot help breaking beside its rule."""


def subject(name: str) -> Subject:
    return Subject(f"x-{name}", plugins=[PLUGIN])


def bad(verdicts: list[Verdict]) -> set[str]:
    return {verdict.rule for verdict in verdicts if verdict.is_bad}


@pytest.mark.parametrize(("rule", "breaker"), BREAKERS.items(), ids=BREAKERS)
def test_each_rule_finds_the_one_that_breaks_it(
    rule: str, breaker: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(fresh, "TIME_LIMIT_SECONDS", 6.0 if breaker == "Endless" else 60.0)
    (verdict,) = [judge(each, subject(breaker)) for each in rules_named([rule])]
    assert verdict.state is State.BROKEN
    assert verdict.found
    assert verdict.fix


@pytest.mark.slow
@pytest.mark.parametrize("breaker", [b for b in BREAKERS.values() if b != "Endless"])
def test_each_breaker_keeps_to_all_other_rules(breaker: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    mine = {rule for rule, name in BREAKERS.items() if name == breaker}
    one = subject(breaker)
    costly = {"memory-grows-with-the-block"} - mine
    assert bad([judge(rule, one) for rule in RULES if rule.name not in costly]) == mine | ALSO.get(breaker, set())


def test_every_rule_has_a_breaker_and_a_reason() -> None:
    assert {rule.name for rule in RULES} == {*BREAKERS, "importing-is-cheap"}
    assert all(len(rule.reason) > 40 for rule in RULES)


def test_a_sound_algorithm_keeps_to_every_rule() -> None:
    one = subject("Sound")
    assert {verdict.state for verdict in (judge(rule, one) for rule in RULES)} == {State.OK}


def test_a_framework_at_module_level_is_found() -> None:
    heavy = Subject("x-heavy", plugins=[FOLDER / "imports_a_framework.py"])
    (verdict,) = [judge(rule, heavy) for rule in rules_named(["importing-is-cheap"])]
    assert verdict.state is State.BROKEN
    assert "sklearn" in verdict.found


def test_bait_in_a_frame_is_found_like_bait_in_a_file() -> None:
    (verdict,) = [judge(r, subject("LooksIntoTheCallersFrames")) for r in rules_named(["test-data-is-not-sought"])]
    assert "a variable called `test`" in verdict.found


def test_declared_failures_are_shown_with_their_reason_and_refuted_where_the_rule_holds() -> None:
    declared = Subject("x-declared", plugins=[PLUGIN])
    found = {v.rule: v for v in judge_apart(declared, rules_named(["learns-a-checkerboard", "copes-with-one-user"]))}
    assert found["learns-a-checkerboard"].state is State.EXPECTED
    assert found["learns-a-checkerboard"].found == "it is the wrong way round on purpose"
    assert found["copes-with-one-user"].state is State.REFUTED
    assert found["copes-with-one-user"].is_bad


def test_a_rule_that_ends_the_process_is_broken_and_the_next_one_is_judged_all_the_same() -> None:
    wanted = rules_named(["input-is-left-alone", "copes-with-one-user", "copes-with-one-item"])
    verdicts = list(judge_apart(subject("EndsTheProcess"), wanted))
    assert [verdict.state for verdict in verdicts] == [State.OK, State.BROKEN, State.OK]
    assert "exit code 7" in verdicts[1].found


def test_a_rule_that_does_not_end_is_broken_and_the_next_one_is_judged_all_the_same() -> None:
    wanted = rules_named(["copes-with-one-user", "copes-with-one-item"])
    verdicts = list(judge_apart(subject("HangsOnOneUser"), wanted, seconds=8.0))
    assert [verdict.state for verdict in verdicts] == [State.BROKEN, State.OK]
    assert "had not ended after 8 s" in verdicts[0].found


def test_an_unknown_rule_names_the_close_ones() -> None:
    with pytest.raises(UnknownName, match="close: 'copes-with-one-user'"):
        rules_named(["copes-with-one-usr"])


def test_a_misspelt_rule_among_the_declared_failures_is_an_error() -> None:
    with pytest.raises(UnknownName, match="close: 'learns-a-checkerboard'"):
        conformance("x-misspelt", plugin=PLUGIN)


def test_one_call_gives_pytest_one_test_a_rule() -> None:
    function = conformance("x-Sound", plugin=PLUGIN)
    (mark,) = function.pytestmark  # type: ignore[attr-defined]
    assert [parameter.id for parameter in mark.args[1]] == [rule.name for rule in RULES]
    function(RULES[0])


def test_the_test_of_a_broken_rule_fails_with_rule_finding_and_way_out() -> None:
    function: Callable[..., None] = conformance("x-Backwards", plugin=PLUGIN)
    (rule,) = rules_named(["learns-a-checkerboard"])
    with pytest.raises(pytest.fail.Exception, match=r"(?s)learns-a-checkerboard: of the first 5.*Fix: see that higher"):
        function(rule)


def _built_in() -> list[str]:
    return [name for name, each in discover().algorithms.items() if each.plugin.distribution == "recbench-suite"]


@pytest.mark.slow
@pytest.mark.parametrize("name", _built_in())
def test_every_built_in_algorithm_keeps_to_every_rule(name: str) -> None:
    if lacking := missing(discover().algorithm(name).value):
        pytest.skip(f"{name} needs {', '.join(lacking)}")
    verdicts = list(judge_apart(Subject(name), RULES))
    assert len(verdicts) == len(RULES)
    assert [f"{verdict.rule}: {verdict.found}" for verdict in verdicts if verdict.is_bad] == []

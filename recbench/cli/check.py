"""`recbench check`: hold algorithms against the conformance kit."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from recbench.cli import exits
from recbench.cli.offers import complete_algorithm, disabled, plugin_option
from recbench.cli.screen import has_color, printable, width_of

if TYPE_CHECKING:
    from recbench.testing import Rule, Subject, Verdict

COLORS = {"ok": "green", "broken": "red", "refuted": "red", "expected": "yellow", "skipped": None}
INDENT = " " * 10


@click.command(
    epilog="""\b
Examples:
  recbench check my-algorithm
  recbench check --plugin my_algo.py my-algorithm --rule copes-with-one-user
  recbench check --rules                          what is asked, and why"""
)
@click.argument("algorithms", nargs=-1, metavar="ALGORITHM...", shell_complete=complete_algorithm)
@plugin_option
@click.option("--rule", "wanted", multiple=True, metavar="RULE", help="Only this rule (repeatable).")
@click.option("--rules", "tell", is_flag=True, help="Print all rules with their reasons, and check nothing.")
@click.option("--set", "settings", multiple=True, metavar="ALGORITHM.PARAMETER=VALUE", help="With this parameter.")
def check(
    algorithms: tuple[str, ...],
    plugins: tuple[Path, ...],
    wanted: tuple[str, ...],
    settings: tuple[str, ...],
    *,
    tell: bool,
) -> int:
    """Hold each ALGORITHM against the rules that every algorithm keeps to, each in a process of its own.

    Ends with 3 when one is broken.
    """
    from recbench import testing

    if tell:
        click.echo("\n\n".join(map(_reason, testing.RULES)))
        return 0
    if not algorithms:
        raise click.UsageError("name at least one algorithm")
    rules = testing.rules_named(wanted)
    subjects = testing.subjects(algorithms, plugins=plugins, settings=settings, disabled=disabled())
    n_bad = sum(_check(subject, rules) for subject in subjects)
    return exits.NOT_OK if n_bad else 0


def _check(subject: Subject, rules: tuple[Rule, ...]) -> bool:
    """Show each verdict as it comes; whether one is bad."""
    from recbench.testing import judge_apart, rules_named

    rules_named(subject.declaration.expected_failures)  # a misspelt one is an error
    click.secho(printable(f"{subject.name} ({subject.plugin.distribution} {subject.plugin.version})"), bold=True)
    counts: Counter[str] = Counter()
    is_bad = False
    for verdict in judge_apart(subject, rules):
        click.echo(_told(verdict), color=has_color(sys.stdout))
        counts[verdict.state] += 1
        is_bad |= verdict.is_bad
    click.echo(", ".join(f"{n} {state}" for state, n in counts.items()) + "\n")
    return is_bad


def _told(verdict: Verdict) -> str:
    """A line; below it what was found, and what to do."""
    head = click.style(f"{verdict.state:<8}", fg=COLORS[verdict.state]) + f"  {verdict.rule}"
    return "\n".join(
        [head, *(_wrapped(text) for text in (verdict.found, verdict.fix and f"Fix: {verdict.fix}") if text)]
    )


def _wrapped(text: str) -> str:
    return click.wrap_text(printable(text), width_of(sys.stdout), INDENT, INDENT)


def _reason(rule: Rule) -> str:
    return f"{rule.name}\n" + click.wrap_text(rule.reason, width_of(sys.stdout), "  ", "  ")

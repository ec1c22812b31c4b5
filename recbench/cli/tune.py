"""`recbench tune`: search for parameters on the validation part, and print what to put into the protocol."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from recbench.cli.offers import (
    DEFAULT_PROTOCOL,
    cache,
    complete_algorithm,
    complete_protocol,
    data_dir_option,
    load_protocol,
    output_option,
    plugin_option,
    registry,
)
from recbench.cli.screen import one_line, printable, table, width_of

if TYPE_CHECKING:
    from recbench.tuning import Tried, Tuned

BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


@click.command(
    epilog="""\b
Examples:
  recbench tune ease
  recbench tune item-cosine user-cosine -p movietweetings-time --budget 50

\b
The first trial is what each algorithm has now; the others are drawn from its
grid by --seed. All are scored by the protocol's primary metric on the
validation part of train; the test part is not looked at. What was tried is
kept in OUTPUT/tune, so that a search that was stopped goes on where it was."""
)
@click.argument("algorithms", nargs=-1, required=True, metavar="ALGORITHM...", shell_complete=complete_algorithm)
@click.option(
    "-p",
    "--protocol",
    "reference",
    default=DEFAULT_PROTOCOL,
    show_default=True,
    metavar="NAME|FILE",
    shell_complete=complete_protocol,
    help="A protocol by name, or a TOML file.",
)
@click.option("--budget", type=click.IntRange(min=1), default=30, show_default=True, help="Trials for each algorithm.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed of the draw.")
@output_option
@data_dir_option
@plugin_option
def tune(
    algorithms: tuple[str, ...],
    reference: str,
    budget: int,
    seed: int,
    output: Path,
    data_dir: Path | None,
    plugins: tuple[Path, ...],
) -> None:
    """Search for good parameters of each ALGORITHM: the same number of trials for each, on validation data alone."""
    from recbench import tuning

    offered = registry(plugins)
    options = tuning.Options(log=output / "tune", budget=budget, seed=seed, data_dir=data_dir, cache=cache())
    progress = _Progress()
    found = tuning.tune(algorithms, load_protocol(reference, offered), offered, options, progress)
    for each in found:
        click.echo(f"{printable(each.row.label)}, {progress.primary} on the validation part")
        click.echo(_table(each) + "\n")
    click.echo(to_toml(found))


class _Progress:
    """A line for each trial on standard error."""

    primary = ""

    def begins(self, label: str, n_trials: int, primary: str) -> None:
        """The search of an algorithm begins."""
        self.primary = primary
        self._total = n_trials
        click.echo(printable(f"{label}: {n_trials} trials"), err=True)

    def tried(self, label: str, trial: Tried) -> None:
        """A trial is done, or was there already."""
        line = f"[{trial.number}/{self._total}] {label}  {_score(trial)}  {trial.seconds:.1f} s  {_point(trial)}"
        click.echo(one_line(line, width_of(sys.stderr)), err=True)


def to_toml(found: tuple[Tuned, ...]) -> str:
    """The lines of a protocol that hold the best parameters, and the trials spent on them."""
    won = [each for each in found if each.best is not None]
    if not won:
        return "# No trial was ok: nothing to put into the protocol."
    blocks = ["\n".join(_parameters(each)) for each in won if each.parameters]
    tuned = [f"{_key(each.row.label)} = {len(each.trials)}" for each in won]
    return "\n\n".join(["# For the protocol's file:", *blocks, "\n".join(["[tuned]", *tuned])])


def _table(found: Tuned) -> str:
    rows = [("", "trial", "score", "parameters")]
    for trial in found.trials:
        mark = "*" if found.best is not None and trial.number == found.best.number else ""
        rows.append((mark, str(trial.number), _score(trial), trial.reason or _point(trial)))
    return table(rows, sys.maxsize)  # parameters are the result: never cut


def _score(trial: Tried) -> str:
    return "-" if trial.score is None else f"{trial.score:.4f}"


def _point(trial: Tried) -> str:
    values = ", ".join(f"{name} {json.dumps(value)}" for name, value in trial.point.items())
    return values or "what it has now"


def _parameters(found: Tuned) -> Iterator[str]:
    label, name = found.row.label, found.row.offered.value.name
    if label == name:
        yield f"[algorithms.{_key(name)}]"
    else:
        yield f"[[algorithm]]\nlabel = {_value(label)}\nname = {_value(name)}\n[algorithm.parameters]"
    for parameter, value in sorted(found.parameters.items()):
        if _has_null(value):
            unsaid = json.dumps(value)
            yield f"# {_key(parameter)}: {unsaid} cannot be said in TOML; leave it out where it is the default"
        else:
            yield f"{_key(parameter)} = {_value(value)}"


def _key(name: str) -> str:
    return name if BARE_KEY.fullmatch(name) else _value(name)


def _value(value: Any) -> str:
    """A JSON value as TOML. Both write numbers and truth alike, and strings but for one control character."""
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_key(str(key))} = {_value(each)}" for key, each in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_value, value)) + "]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _has_null(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(map(_has_null, value.values()))
    return any(map(_has_null, value)) if isinstance(value, list | tuple) else value is None

"""`recbench score`: a record of lists that another system made."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from recbench.cli import exits
from recbench.cli.offers import (
    complete_protocol,
    data_dir_option,
    load_protocol,
    output_option,
    plugin_option,
    registry,
)
from recbench.cli.screen import has_color, printable, width_of

if TYPE_CHECKING:
    from recbench.outside import Scored

FORMATS = ("csv", "tsv", "trec", "recbole", "lenskit", "parquet")
existing_file = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(
    epilog="""\b
Examples:
  recbench score lists.tsv -p movietweetings --name mine --cost fit_seconds=12
  recbench score run.trec -p my.toml --fold 2 --name bm25
  recbench score -p movietweetings --name my-rater --predictions pairs.csv

\b
LISTS has a header with user, item and rank, or user, item and score;
or it is a TREC run, or what RecBole or LensKit write, or Parquet.
`recbench split export` writes what such a system needs."""
)
@click.argument("lists", type=existing_file, required=False)
@click.option(
    "-p",
    "--protocol",
    "reference",
    required=True,
    metavar="NAME|FILE",
    shell_complete=complete_protocol,
    help="What it was made for.",
)
@click.option("--name", required=True, help="Name of the row.")
@click.option("--fold", type=click.IntRange(min=0), help="Which fold; needed where there are several.")
@click.option("--format", "form", type=click.Choice(FORMATS), help="Of LISTS; else by content.")
@click.option("--predictions", type=existing_file, help="A file with user, item and prediction, a line a test pair.")
@click.option(
    "--cost", "costs", multiple=True, metavar="COST=NUMBER", help="What it took, as in fit_seconds=12 (repeatable)."
)
@output_option
@data_dir_option
@plugin_option
def score(reference: str, output: Path, costs: tuple[str, ...], data_dir: Path | None, **given: Any) -> int:
    """Check and score LISTS, or predictions, that were made elsewhere.

    They get a record and a row like others, marked "external".
    """
    from recbench import outside

    offered = registry(given.pop("plugins"))
    submission = outside.Submission(costs=outside.stated(costs), **given)
    found = outside.score(submission, load_protocol(reference, offered), offered, output, data_dir=data_dir)
    _show(found, output)
    return exits.NOT_OK if found.record.reason is not None else 0


def _show(found: Scored, output: Path) -> None:
    from recbench import boards, leaderboard
    from recbench.records import Store

    if found.short or found.without:
        shown = f"Of {found.users:,} users {found.short:,} have a short list, and {found.without:,} have none."
        click.echo(shown, err=True)
    fingerprint = found.record.protocol["fingerprint"]
    board = boards.write(output, damaged=lambda problem: click.echo(printable(problem.what), err=True))[fingerprint]
    store = Store(output)
    records = [each for each in store.load_all()[0] if each.protocol["fingerprint"] == fingerprint]
    analysis = store.analyses()[0].get(fingerprint)
    click.echo(leaderboard.terminal(records, analysis, width=width_of(sys.stdout), color=has_color(sys.stdout)))
    click.echo(f"\nLeaderboard  {board}\nRecord       {found.path}")

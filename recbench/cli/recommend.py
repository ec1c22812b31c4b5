"""`recbench recommend`: one user's list, with titles and reasons."""

from __future__ import annotations

import dataclasses
import json
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import click

from recbench.cli.offers import (
    DEFAULT_PROTOCOL,
    cache,
    complete_algorithm,
    complete_protocol,
    data_dir_option,
    load_protocol,
    plugin_option,
    registry,
)
from recbench.cli.screen import printable, table, width_of

if TYPE_CHECKING:
    from recbench.recommending import Recommendation, Recommended

INDENT = " " * 6
STAGES = {
    "start": "starting",
    "fit": "training on all interactions",
    "rank": "ranking for all users",
    "serve": "looking up scores and reasons",
}


@click.command(
    epilog="""\b
Examples:
  recbench recommend ease --user 10
  recbench recommend item-cosine --user 10 -n 5 --explain
  recbench recommend ease -p movielens-100k --new-user "50:5,181:4"

\b
The lists of all users are kept in the user's cache folder, so that asking
for another user trains nothing; `recbench cache list` shows them. Reasons
and new users need the model itself, which is never kept: --explain and
--new-user train again each time."""
)
@click.argument("algorithm", shell_complete=complete_algorithm)
@click.option("--user", metavar="ID", help="A user of the data.")
@click.option(
    "--new-user",
    metavar='"ITEM:RATING,..."',
    help="Somebody new, by what they rated, the latest last; ITEM,... where the data has no ratings.",
)
@click.option("-n", "n", type=click.IntRange(min=1), default=10, show_default=True, help="How many items.")
@click.option("--explain", is_flag=True, help="Say why, in a sentence for each item.")
@click.option(
    "-p",
    "--protocol",
    "reference",
    default=DEFAULT_PROTOCOL,
    show_default=True,
    metavar="NAME|FILE",
    shell_complete=complete_protocol,
    help="Whose data and parameters to take, by name or TOML file.",
)
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="NAME.PARAMETER=VALUE",
    help="Set a parameter; the value is JSON, or else a string (repeatable).",
)
@click.option("--seed", type=click.IntRange(min=0), help="Model seed; the protocol's first if not given.")
@data_dir_option
@plugin_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
def recommend(
    algorithm: str,
    user: str | None,
    new_user: str | None,
    n: int,
    explain: bool,  # noqa: FBT001 - click passes options by name
    reference: str,
    settings: tuple[str, ...],
    seed: int | None,
    data_dir: Path | None,
    plugins: tuple[Path, ...],
    as_json: bool,  # noqa: FBT001
) -> None:
    """Train ALGORITHM on everything, without a split, and show what it recommends to one user."""
    from recbench import recommending
    from recbench.trials import parse_settings

    if (user is None) == (new_user is None):
        raise click.UsageError("Give one of --user and --new-user.")
    if explain and new_user is not None:
        raise click.UsageError("--explain is for users of the data: algorithms give no reasons for a new user.")
    offered = registry(plugins)
    wish = recommending.Wish(
        algorithm=algorithm,
        user=user,
        new_user=new_user,
        n=n,
        explain=explain,
        settings=parse_settings(settings),
        seed=seed,
    )
    options = recommending.Options(cache=cache(), data_dir=data_dir)
    found = recommending.recommend(wish, load_protocol(reference, offered), offered, options, on_stage=_tell)
    if explain and found.places and found.places[0].why is None:
        click.echo(f"{algorithm} cannot explain what it recommends: it has no method `explain`.", err=True)
    click.echo(_as_json(found) if as_json else _as_text(found, width_of(sys.stdout)))


def _tell(stage: str) -> None:
    click.echo(f"{STAGES.get(stage, stage)} ...", err=True)


def _as_json(found: Recommendation) -> str:
    return json.dumps(dataclasses.asdict(found), ensure_ascii=False, allow_nan=False)


def _as_text(found: Recommendation, width: int) -> str:
    whom = "a new user" if found.user is None else f"user {found.user}"
    heading = printable(f"{found.algorithm} recommends to {whom} ({found.data}):")
    if not found.places:
        return f"{heading}\n  nothing: no item is left that it would recommend"
    rows = [("", "item", "score", "title" if any(place.title for place in found.places) else "")]
    rows += [_row(place) for place in found.places]
    head, *lines = table(rows, width).splitlines()
    return "\n".join([heading, head, *map(_with_reason, lines, found.places, [width] * len(lines))])


def _row(place: Recommended) -> tuple[str, str, str, str]:
    score = "-" if place.score is None else f"{place.score:.4f}"
    return f"{place.rank:>3}", place.item, score, place.title or ""


def _with_reason(line: str, place: Recommended, width: int) -> str:
    if place.why is None:
        return line
    reason = textwrap.fill(
        printable(place.why), max(40, width), initial_indent=INDENT, subsequent_indent=INDENT, break_long_words=False
    )
    return f"{line}\n{reason}"

"""`recbench compare`: rows against each other, or against their own earlier selves."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from recbench.cli import exits
from recbench.cli.offers import cache, complete_protocol, data_dir_option, output_option, plugin_option, registry
from recbench.cli.screen import printable, table

if TYPE_CHECKING:
    from recbench.comparing import Request
    from recbench.comparing.tables import Table
    from recbench.registry import Registry


UNCUT = 1000
"""A figure that is cut off says something else: lines may wrap."""


@click.command(
    epilog="""\b
Examples:
  recbench compare ease slim -o leaderboards
  recbench compare ease slim popularity --metric ndcg@10 --metric recall@10
  recbench compare mine/ theirs/            all rows of two folders
  recbench compare records/.../0123456789abcdef.json ease
  recbench compare --against leaderboards   in the CI of a plugin

\b
A ROW is a label of OUTPUT, a record's file, or a folder of records. Scores by
user are made anew from the lists, so the data must be at hand.
Exit codes: 0 compared, 1 an error or nothing to compare, 3 with --against:
a row is worse."""
)
@click.argument("wanted", nargs=-1, metavar="[ROW]...")
@output_option
@click.option(
    "-p",
    "--protocol",
    metavar="NAME|FILE",
    shell_complete=complete_protocol,
    help="Take records of this protocol; by default the one that the records name.",
)
@click.option("--metric", "keys", multiple=True, metavar="SCORE", help="As in ndcg@10 (repeatable).")
@click.option(
    "--test",
    type=click.Choice(["permutation", "wilcoxon", "t"]),
    default="permutation",
    show_default=True,
    help="Which paired test.",
)
@click.option(
    "--against",
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Compare with the rows of the same names in this folder; exit with 3 where one is worse.",
)
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON, all pairs included.")
@click.option("--markdown", "as_markdown", is_flag=True, help="Print Markdown, as for a summary on GitHub.")
@data_dir_option
@plugin_option
def compare(plugins: tuple[Path, ...], folder: Path | None, **given: Any) -> int:
    """Compare rows of leaderboards, paired by user.

    Differences with intervals, corrected p values, effects, and where they differ.
    """
    from recbench.comparing import Request

    forms = {name: given.pop(f"as_{name}") for name in ("json", "markdown")}
    if all(forms.values()):
        raise click.UsageError("--json and --markdown exclude each other")
    request, offered = Request(cache=cache(), **given), registry(plugins)
    if folder is None:
        return _compare(request, offered, forms)
    return _compare_against(request, folder, offered, forms)


def _compare(request: Request, offered: Registry, forms: Mapping[str, bool]) -> int:
    from recbench import comparing
    from recbench.comparing.tables import summary, tables_of

    found = comparing.compare(request, offered)
    _show(found, list(tables_of(found)), list(summary(found)), forms)
    return 0


def _compare_against(request: Request, folder: Path, offered: Registry, forms: Mapping[str, bool]) -> int:
    from recbench import comparing
    from recbench.comparing.tables import changes_table, notes_of

    found = comparing.against(request, folder, offered)
    _show(found, [changes_table(found)], list(notes_of(found)), forms)
    return exits.NOT_OK if found.worse else 0


def _show(found: Any, tables: Sequence[Table], sentences: Sequence[str], forms: Mapping[str, bool]) -> None:
    from recbench.comparing.tables import markdown

    if forms["json"]:
        click.echo(json.dumps(_plain(dataclasses.asdict(found)), allow_nan=False))
        return
    if forms["markdown"]:
        click.echo(markdown(tables, sentences), nl=False)
        return
    for each in tables:
        click.echo(f"{printable(each.title)}\n{_indented(table([each.header, *each.rows], UNCUT))}")
        click.echo(f"{printable(each.note)}\n" if each.note else "")
    for sentence in sentences:
        click.echo(printable(sentence))


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())


def _plain(value: Any) -> Any:
    """As JSON has it: no infinity, paths as text."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return str(value) if isinstance(value, Path) else value

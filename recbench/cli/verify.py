"""`recbench verify`: records, lists and boards held against the data and each other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from recbench.cli import exits
from recbench.cli.offers import complete_protocol, data_dir_option, load_protocol, plugin_option, registry
from recbench.cli.screen import printable

if TYPE_CHECKING:
    from recbench.registry import Registry
    from recbench.verifying import Finding, Means, Verification

PROMISE = (
    "This finds what does not agree. A forgery that agrees with itself throughout, as lists made up and scored "
    "honestly, is found by `recbench reproduce` only."
)
protocols_option = click.option(
    "-p",
    "--protocol",
    "references",
    multiple=True,
    metavar="NAME|FILE",
    shell_complete=complete_protocol,
    help="A protocol whose data are files of yours (repeatable); others are found by themselves.",
)


@click.command(
    epilog="""\b
Examples:
  recbench verify leaderboards
  recbench verify recbench-out -p my.toml
  recbench verify recbench-out/records/shop-1a2b3c4d/0123456789abcdef.json

\b
Exit codes: 0 what could be checked holds, 1 an error, 3 something does not."""
)
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@protocols_option
@data_dir_option
@plugin_option
def verify(path: Path, **given: Any) -> int:
    """Check PATH, a folder of records with its boards, or a record.

    The split is made anew from the data, every list is scored again, and boards, fingerprints and checksums are
    held against the records. Trains nothing.
    """
    from recbench import verifying

    found = verifying.verify(path, means(**given))
    show(found)
    return 0 if found.holds else exits.NOT_OK


def means(references: tuple[str, ...], data_dir: Path | None, plugins: tuple[Path, ...]) -> Means:
    """What a verification has at hand, from the command line."""
    from recbench import verifying

    offered: Registry = registry(plugins)
    protocols = tuple(load_protocol(each, offered) for each in references)
    return verifying.Means(registry=offered, protocols=protocols, data_dir=data_dir)


def show(found: Verification) -> None:
    """A line for each thing that does not hold or was not checked, then what holds."""
    for each in found.findings:
        click.echo(printable(f"does not hold  {each.where}: {each.what}"))
    for where, what in _grouped(found.unchecked):
        click.echo(printable(f"not checked    {where}: {what}"))
    for line in _held(found):
        click.echo(f"looked at      {line}")
    end = "Everything that was checked holds." if found.holds else f"{len(found.findings):,} things do not hold."
    click.echo(f"\n{end} {PROMISE}")


def _grouped(unchecked: Sequence[Finding]) -> list[tuple[str, str]]:
    """One line for each reason."""
    groups: dict[str, list[str]] = defaultdict(list)
    for each in unchecked:
        groups[each.what].append(each.where)
    return [
        (where[0] if len(where) == 1 else f"{len(where):,} files, {where[0]} among them", what)
        for what, where in groups.items()
    ]


def _held(found: Verification) -> list[str]:
    lines = [f"{_n(found.records, 'record')}; {_n(found.scored, 'record')} scored anew from lists and predictions"]
    if found.without:
        lines.append(f"{_n(found.without, 'record')} of trials that ended in a fault: no list to score")
    if found.analyses:
        what = "analysis" if found.analyses == 1 else "analyses"
        lines.append(f"{found.analyses:,} {what}: intervals, ties and groups computed anew")
    if found.boards is not None:
        lines.append(f"{_n(found.boards, 'board')}, the index counted, made again from the records, byte for byte")
    if found.checksums is not None:
        lines.append(f"{_n(found.checksums, 'file')} as the checksums say")
    return lines


def _n(n: int, what: str) -> str:
    return f"{n:,} {what}" + ("" if n == 1 else "s")

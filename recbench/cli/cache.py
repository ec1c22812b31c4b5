"""`recbench cache`: what is kept between commands, and how to be rid of it."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import click

from recbench.cli import offers
from recbench.cli.screen import printable, table, width_of

if TYPE_CHECKING:
    from recbench.cache import Entry

MEGABYTE = 10**6


@click.group()
def cache() -> None:
    """See and remove what is kept between commands.

    Splits of large data, which the next run maps into memory, and the lists of `recbench recommend`. Data sets that
    were fetched or imported are no part of it. RECBENCH_CACHE_GB says how many gigabytes are kept at most (10); what
    was out of use longest goes first, and 0 keeps nothing.
    """


@cache.command(name="list")
def list_() -> None:
    """Show what is kept, what was used last first."""
    kept = offers.cache()
    entries = kept.entries()
    if entries:
        click.echo(table([_row(entry) for entry in entries], width_of(sys.stdout)))
    whole = sum(entry.size for entry in entries) / MEGABYTE
    click.echo(printable(f"{whole:,.1f} MB of {kept.limit / MEGABYTE:,.0f} MB in {kept.root}"))


@cache.command()
def clear() -> None:
    """Remove everything that is kept. Runs that use it go on."""
    removed = offers.cache().clear()
    click.echo(f"{len(removed)} removed, {sum(entry.size for entry in removed) / MEGABYTE:,.1f} MB")


def _row(entry: Entry) -> tuple[str, str, str, str]:
    from recbench.prepared import title_of

    used = time.strftime("%Y-%m-%d %H:%M", time.localtime(entry.used))
    what = title_of(entry.path) if entry.kind == "splits" else "lists of all users"
    return entry.kind, f"{entry.size / MEGABYTE:>9,.1f} MB", used, f"{entry.path.stem[:12]}  {what}"

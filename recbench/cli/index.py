"""`recbench index`: publications of many authors in one page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from recbench.cli import exits
from recbench.cli.offers import data_dir_option, plugin_option
from recbench.cli.screen import printable
from recbench.cli.verify import means, protocols_option
from recbench.errors import RecbenchError

if TYPE_CHECKING:
    from recbench.indexing import Index, LeftOut, Published
    from recbench.verifying import Means


@click.command(
    epilog="""\b
Example:
  recbench index publications/* -o index

\b
Exit codes: 0 everything stands in the index, 1 an error, 3 something was left
out, or is not as it should be. The index is written either way."""
)
@click.argument(
    "folders", nargs=-1, required=True, metavar="DIR...", type=click.Path(exists=True, file_okay=False, path_type=Path)
)
@click.option(
    "-o", "--output", required=True, type=click.Path(file_okay=False, path_type=Path), help="Folder of the index."
)
@protocols_option
@data_dir_option
@plugin_option
def index(folders: tuple[Path, ...], output: Path, **given: Any) -> int:
    """Verify the publications DIR, and put their rows side by side.

    A table a protocol, each row with its records, who published it, and whether it was run again by others. What does
    not hold is left out and named. Without the data a row says that it was not scored here.
    """
    from recbench import indexing

    found, unread = _read(folders, means(**given))
    if not found:
        raise RecbenchError("none of these folders is a publication", fix="give folders that `recbench publish` made")
    merged = indexing.merge(found, unread)
    path = indexing.write(merged, output)
    _show(merged)
    click.echo(f"\nIndex  {path}")
    return exits.NOT_OK if merged.left_out else 0


def _read(folders: tuple[Path, ...], at_hand: Means) -> tuple[list[Published], list[LeftOut]]:
    """The publications in the order of their folders, and the folders that are none."""
    from recbench import indexing

    found, unread = [], []
    for place, folder in sorted({each.resolve(): each for each in folders}.items()):
        try:
            found.append(indexing.read(folder, at_hand))
        except RecbenchError as error:
            unread.append(
                indexing.LeftOut(number=0, what=place.name, reason=error.what.replace(str(folder), place.name))
            )
    return found, unread


def _show(merged: Index) -> None:
    for each in merged.left_out:
        folder = f"{merged.publications[each.number - 1].folder}: " if each.number else ""
        click.echo(printable(f"left out  {folder}{each.what}: {each.reason}"))
    for table in merged.tables:
        again = sum(bool(row.repeats) for row in table.rows)
        what = f"{len(table.rows)} rows, {again} of them in several publications"
        click.echo(printable(f"table     {table.board.protocol['title']}: {what}"))

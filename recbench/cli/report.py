"""`recbench report`: the boards of a folder as one HTML page."""

from __future__ import annotations

from pathlib import Path

import click

from recbench.cli.render import folder_argument
from recbench.cli.screen import printable


@click.command()
@folder_argument
@click.option("-p", "--protocol", metavar="NAME", help="The board of this protocol alone; all of them by default.")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file to write; report.html in FOLDER by default.",
)
def report(folder: Path, protocol: str | None, output: Path | None) -> None:
    """Write one HTML page of the leaderboards in FOLDER, which needs nothing from outside.

    The same records give the same bytes.
    """
    from recbench import boards
    from recbench.records import write_whole
    from recbench.report import page

    found = boards.read(folder) if protocol is None else {protocol: boards.read_one(folder, protocol)}
    path = folder / "report.html" if output is None else output
    write_whole(path, page(found).encode())
    click.echo(printable(str(path)))

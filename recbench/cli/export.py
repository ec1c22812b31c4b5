"""`recbench export`: a board for papers and other programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from recbench.cli.offers import DEFAULT_OUTPUT, complete_protocol, plugin_option, registry
from recbench.cli.screen import printable
from recbench.errors import BadRecord, RecbenchError

if TYPE_CHECKING:
    from recbench.exports.forms import Form
    from recbench.leaderboard import Board

FORMS = ("csv", "json", "parquet", "latex", "bibtex")

folder_argument = click.argument(
    "folder", type=click.Path(file_okay=False, path_type=Path), default=DEFAULT_OUTPUT, required=False
)
board_option = click.option(
    "-p",
    "--protocol",
    metavar="NAME",
    shell_complete=complete_protocol,
    help="The board of this protocol; may be left out where FOLDER has one only.",
)


@click.command(
    epilog="""\b
Examples:
  recbench export -p movietweetings -o board.csv
  recbench export leaderboards -p movietweetings -o board.tex
  recbench export -o board.tex --columns ndcg@10,recall@10,fit_seconds
  recbench export -p movietweetings --format bibtex

\b
Needs no data, and no plugin but for BibTeX: where an algorithm was published
is known to whoever offers it."""
)
@folder_argument
@board_option
@click.option("--format", "form", type=click.Choice(FORMS), help="By default what the file's ending says.")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="The file to write; else stdout.")
@click.option(
    "--columns",
    metavar="NAME,NAME...",
    help="Columns of a LaTeX table, by the names that they have in CSV, in this order.",
)
@plugin_option
def export(
    folder: Path,
    protocol: str | None,
    form: Form | None,
    output: Path | None,
    columns: str | None,
    plugins: tuple[Path, ...],
) -> None:
    """Write the board of FOLDER as a table of values, for LaTeX, or what to cite as BibTeX."""
    from recbench.exports.forms import content, form_of

    if form is None and output is None:
        raise RecbenchError("what to export is not said", fix=f"give --format: {', '.join(FORMS)}")
    form = form or form_of(output or Path())
    chosen = columns.split(",") if columns else ()
    board = read_board(folder, protocol)
    write(content(board, form, columns=chosen, algorithms=lambda: registry(plugins).algorithms), output)


def read_board(folder: Path, protocol: str | None) -> Board:
    """The board; a damaged record is told, and holds nothing up."""
    from recbench import boards

    def tell(problem: BadRecord) -> None:
        click.echo(printable(f"Passed over: {problem.what}. {problem.fix}."), err=True)

    return boards.read_one(folder, protocol, damaged=tell)


def write(content: bytes, output: Path | None) -> None:
    """Into the file, whole or not at all, or to standard output."""
    from recbench.records import write_whole

    if output is None:
        click.echo(content, nl=False)
        return
    write_whole(output, content)
    click.echo(output)

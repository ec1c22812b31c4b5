"""`recbench render` and `recbench rescore`: boards from records, and records from lists."""

from __future__ import annotations

from pathlib import Path

import click

from recbench.cli import exits
from recbench.cli.offers import DEFAULT_OUTPUT, data_dir_option, load_protocol, plugin_option, registry
from recbench.cli.screen import printable

folder_argument = click.argument(
    "folder", type=click.Path(file_okay=False, path_type=Path), default=DEFAULT_OUTPUT, required=False
)


@click.command()
@folder_argument
@click.option("--check", is_flag=True, help="Write nothing; exit with 3 where a file differs from the records.")
def render(folder: Path, **given: bool) -> int:
    """Write the leaderboards of FOLDER again, from the records in it. Needs no plugin and no data.

    The same records give the same bytes.
    """
    from recbench import boards

    if given["check"]:
        differences = boards.check(folder)
        for difference in differences:
            click.echo(printable(difference), err=True)
        click.echo("The boards follow from the records." if not differences else "Run `recbench render` to mend it.")
        return exits.NOT_OK if differences else 0
    for path in boards.write(folder).values():
        click.echo(path)
    return 0


@click.command()
@folder_argument
@click.option(
    "-p", "--protocol", "reference", required=True, metavar="NAME|FILE", help="A protocol by name, or a file."
)
@data_dir_option
@plugin_option
def rescore(folder: Path, reference: str, data_dir: Path | None, plugins: tuple[Path, ...]) -> None:
    """Score the lists in FOLDER anew under a protocol. Nothing is trained.

    For other metrics, cut-offs up to the lists' length, another relevance, or a newer version of the metrics. Lists
    of other splits are left as they are.
    """
    from recbench import benchmark, boards

    offered = registry(plugins)
    done, left = benchmark.rescore(load_protocol(reference, offered), offered, folder, data_dir=data_dir)
    click.echo(f"{done} records scored anew, {left} of other splits or not ok left as they are.")
    for path in boards.write(folder).values():
        click.echo(path)

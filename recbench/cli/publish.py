"""`recbench publish`: a folder of records made ready for others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from recbench.cli.offers import data_dir_option, plugin_option
from recbench.cli.verify import means, protocols_option, show


@click.command(
    epilog="""\b
Example:
  recbench publish recbench-out -o my-results --by "Ada <ada@example.org>"

\b
Records hold tracebacks and what trials printed: look them through first."""
)
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(path_type=Path),
    help="The folder to make; it must not be there yet.",
)
@click.option("--by", default="", metavar="NAME", help="Who publishes, in one line; an index shows it with each row.")
@protocols_option
@data_dir_option
@plugin_option
def publish(folder: Path, output: Path, by: str, **given: Any) -> None:
    """Make a folder of FOLDER's records that others can check.

    Boards, records, lists, protocols, environments and checksums. What does not hold is not published.
    """
    from recbench import publishing

    made = publishing.publish(folder, output, means(**given), by=by)
    show(made.verification)
    size = f"{made.n_bytes / 1e6:.2f} MB"
    click.echo(f"\nPublished {made.records:,} records in {made.files:,} files, {size}: {made.folder}")

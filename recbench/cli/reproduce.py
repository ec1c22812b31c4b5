"""`recbench reproduce`: one trial run again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from recbench.cli import exits
from recbench.cli.offers import data_dir_option, plugin_option
from recbench.cli.screen import printable
from recbench.cli.verify import means, protocols_option

if TYPE_CHECKING:
    from recbench.reproducing import Reproduction

MOST_SHOWN = 12


@click.command(
    epilog="""\b
Example:
  recbench reproduce recbench-out/records/shop-1a2b3c4d/0123456789abcdef.json

\b
Exit codes: 0 it agrees, 1 it cannot be run again here, 3 it does not agree."""
)
@click.argument("record", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    help="Keep the new record in this folder.",
)
@click.option("--allow-command", is_flag=True, help="Run the program that makes the row, as the protocol here has it.")
@protocols_option
@data_dir_option
@plugin_option
def reproduce(record: Path, output: Path | None, **given: Any) -> int:
    """Run the trial of RECORD again, and say whether it agrees.

    What is installed under the algorithm's name runs; nothing that the record names is imported. On the same
    platform with the same versions all is the same to the last digit; else scores may differ by 0.0001.
    """
    from recbench import reproducing

    allow_command = given.pop("allow_command")

    def tell(stage: str) -> None:
        click.echo(f"{stage} ...", err=True)

    found = reproducing.reproduce(record, means(**given), on_stage=tell, output=output, allow_command=allow_command)
    _show(found)
    return 0 if found.agrees else exits.NOT_OK


def _show(found: Reproduction) -> None:
    for each in found.findings:
        click.echo(printable(f"does not agree  {each}"))
    for each in found.differences[:MOST_SHOWN]:
        click.echo(printable(f"differs         {each}"))
    if len(found.differences) > MOST_SHOWN:
        click.echo(f"differs         {len(found.differences) - MOST_SHOWN} more")
    click.echo(printable(_verdict(found)))
    if found.path is not None:
        click.echo(f"Record          {found.path}")


def _verdict(found: Reproduction) -> str:
    name = f"{found.record.label}, fold {found.record.fold}, seed {found.record.seed}"
    if not found.agrees:
        reason = "with other code, versions or platform" if found.differences else "with nothing else different"
        return f"{name}: does not agree, {reason}."
    if found.record.reason is not None:
        return f"{name}: agrees: it is {found.again.status} here, too."
    if found.is_exact:
        return f"{name}: agrees: all {len(found.again.scores)} scores are the same to the last digit."
    return f"{name}: agrees: all {len(found.again.scores)} scores are within {found.tolerance:g}."

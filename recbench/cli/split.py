"""`recbench split`: a protocol's splits as files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from recbench.cli.offers import complete_protocol, data_dir_option, load_protocol, plugin_option, registry


@click.group()
def split() -> None:
    """Give a protocol's splits to systems that run elsewhere."""


@split.command(
    epilog="""\b
Examples:
  recbench split export movietweetings mt
  recbench split export movielens-100k ml --fold 2 --parquet

\b
`recbench score` scores the lists that such a system makes."""
)
@click.argument("protocol", metavar="PROTOCOL", shell_complete=complete_protocol)
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--fold", type=click.IntRange(min=0), help="This fold only.")
@click.option("--parquet", is_flag=True, help="Write each table as Parquet too.")
@click.option("--force", is_flag=True, help="Replace an earlier export in DIR.")
@data_dir_option
@plugin_option
def export(protocol: str, folder: Path, data_dir: Path | None, plugins: tuple[Path, ...], **given: Any) -> None:
    """Write train, users, items and the pairs to predict of PROTOCOL to DIR.

    Each fold gets a folder, with a README and checksums in it. The test part's answers are not among them.
    """
    from recbench import outside
    from recbench.scene import prepare

    offered = registry(plugins)
    scene = prepare(load_protocol(protocol, offered), offered, data_dir=data_dir)
    for path in outside.export(scene, folder, **given):
        click.echo(path)

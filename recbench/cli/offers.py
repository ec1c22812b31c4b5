"""What commands share: the registry with recbench's own offers in it, protocols by name, completion."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from recbench.protocols import Protocol
    from recbench.registry import Registry

DEFAULT_PROTOCOL = "movietweetings"
DEFAULT_OUTPUT = Path("recbench-out")

output_option = click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=DEFAULT_OUTPUT,
    show_default=True,
    help="Folder of records and leaderboards.",
)
plugin_option = click.option(
    "--plugin",
    "plugins",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Also offer what this single-file plugin offers (repeatable).",
)
data_dir_option = click.option(
    "--data-dir",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder that holds data sets, each in a folder of its name. Looked at before RECBENCH_DATA and the cache.",
)


def registry(plugins: tuple[Path, ...] = ()) -> Registry:
    """Everything on offer here."""
    from recbench.datasets import builtin_sources
    from recbench.metrics import builtin_metrics
    from recbench.protocols.loading import shipped
    from recbench.registry import discover

    return discover(files=plugins, sources=builtin_sources(), metrics=builtin_metrics(), protocols=shipped().values())


def load_protocol(reference: str, offered: Registry) -> Protocol:
    """A protocol by name or path."""
    from recbench.protocols.loading import load

    return load(reference, {name: each.value for name, each in offered.protocols.items()})


def complete_algorithm(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """Names of algorithms, for the shell."""
    return [name for name in registry().algorithms if name.startswith(incomplete)]


def complete_protocol(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """Names of protocols and of TOML files here, for the shell."""
    names = [*registry().protocols, *(str(path) for path in Path().glob("*.toml"))]
    return [name for name in names if name.startswith(incomplete)]

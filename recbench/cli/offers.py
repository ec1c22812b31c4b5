"""What commands share: the registry with recbench's own offers in it, protocols by name, completion."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from recbench.cli.screen import printable

if TYPE_CHECKING:
    from recbench.cache import Cache
    from recbench.protocols import Protocol
    from recbench.registry import Registry

DEFAULT_PROTOCOL = "movietweetings"
DEFAULT_OUTPUT = Path("recbench-out")
DISABLED = "recbench.disabled"
Command = TypeVar("Command", bound=Callable[..., Any])

output_option = click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=DEFAULT_OUTPUT,
    show_default=True,
    help="Folder of records and leaderboards.",
)
data_dir_option = click.option(
    "--data-dir",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder that holds data sets, each in a folder of its name. Looked at before RECBENCH_DATA and the cache.",
)


def plugin_option(command: Command) -> Command:
    """Let a command take `--plugin FILE`, as its `plugins`, and `--disable-plugin NAME`, kept for `disabled`."""
    offer = click.option(
        "--plugin",
        "plugins",
        multiple=True,
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="Also offer what this single-file plugin offers (repeatable).",
    )
    disable = click.option(
        "--disable-plugin",
        multiple=True,
        metavar="NAME",
        expose_value=False,
        callback=_keep,
        help="Leave out this plugin, or all of this distribution (repeatable; also RECBENCH_DISABLE_PLUGINS=A,B).",
    )
    return offer(disable(command))


def _keep(context: click.Context, _parameter: click.Parameter, names: tuple[str, ...]) -> None:
    context.meta[DISABLED] = names


def disabled() -> tuple[str, ...]:
    """The plugins that the command at hand is told to do without."""
    context = click.get_current_context(silent=True)
    names: tuple[str, ...] = () if context is None else context.meta.get(DISABLED, ())
    return names


def registry(plugins: tuple[Path, ...] = ()) -> Registry:
    """Everything on offer here; what the user should hear of is said on stderr."""
    try:
        offered = _discover(plugins)
    except KeyboardInterrupt as interrupt:
        _say(*getattr(interrupt, "__notes__", ()))
        raise
    _say(*(f"Warning: {warning}" for warning in offered.warnings))
    return offered


def _discover(plugins: tuple[Path, ...] = ()) -> Registry:
    from recbench.offering import everything

    return everything(files=plugins, disabled=disabled())


def _say(*lines: str) -> None:
    for line in lines:
        click.echo(printable(line), err=True)


def cache() -> Cache:
    """The user's cache folder; why something cannot be kept there is said on stderr."""
    from recbench.cache import Cache, limit, root

    return Cache(root=root(), limit=limit(), tell=lambda why: _say(f"Warning: {why}"))


def load_protocol(reference: str, offered: Registry) -> Protocol:
    """A protocol by name or path."""
    from recbench.protocols.loading import load

    return load(reference, {name: each.value for name, each in offered.protocols.items()})


def complete_algorithm(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """Names of algorithms, for the shell."""
    return [name for name in _discover().algorithms if name.startswith(incomplete)]


def complete_protocol(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """Names of protocols and of TOML files here, for the shell."""
    names = [*_discover().protocols, *(str(path) for path in Path().glob("*.toml"))]
    return [name for name in names if name.startswith(incomplete)]

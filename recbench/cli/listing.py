"""`recbench list`, `show` and `version`: what is on offer, and what is known of it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from recbench.cli.offers import output_option, plugin_option, registry
from recbench.cli.screen import has_color, table, width_of, wrapped

if TYPE_CHECKING:
    from recbench.registry import Broken, Disabled, Loaded, Registry

KINDS = ("algorithms", "data", "protocols", "metrics", "plugins")
Lines = Iterator[tuple[str, str, str]]


@click.command(name="list")
@click.argument("kind", type=click.Choice(KINDS), required=False)
@plugin_option
def list_(kind: str | None, plugins: tuple[Path, ...]) -> None:
    """List algorithms, data sets, protocols, metrics and plugins, or one KIND of them."""
    offered = registry(plugins)
    tellers = dict(zip(KINDS, (_algorithms, _data, _protocols, _metrics, _plugins), strict=True))
    for each in [kind] if kind else KINDS:
        click.secho(each, bold=True, color=has_color(sys.stdout))
        rows = [("  " + name, state, text) for name, state, text in tellers[each](offered)]
        layout = wrapped if each == "plugins" else table
        click.echo(layout(rows, width_of(sys.stdout)) + "\n")


@click.command()
@click.argument("name")
@plugin_option
@output_option
def show(name: str, plugins: tuple[Path, ...], output: Path) -> None:
    """Show all that is known of NAME: an algorithm, data set, protocol, metric, plugin, or a record.

    A record goes by its file or its id; its error, traceback and output are shown.
    """
    from recbench.cli.details import details

    click.echo("\n\n".join(details(name, registry(plugins), output)))


@click.command()
def version() -> None:
    """Print versions: of recbench, its metrics, Python."""
    import platform

    from recbench.distribution import distribution
    from recbench.metrics import METRICS_VERSION
    from recbench.records import SCHEMA

    click.echo(f"{distribution().name} {distribution().version}")
    click.echo(f"metrics version {METRICS_VERSION}, record schema {SCHEMA}, Python {platform.python_version()}")


def _algorithms(offered: Registry) -> Lines:
    from recbench import gpus
    from recbench.registry import how_to_install, missing

    for name, algorithm in offered.algorithms.items():
        if missing(algorithm.value):
            yield name, "not installed", how_to_install(algorithm)
        elif algorithm.value.gpu and not gpus.names():
            yield name, "no GPU", gpus.NONE_HERE
        else:
            yield name, "baseline" if algorithm.value.baseline else "", algorithm.value.summary


def _data(offered: Registry) -> Lines:
    from recbench.datasets.imported import imported_sources

    for name, source in offered.sources.items():
        yield name, "embedded" if source.value.bundled else "", source.value.title
    for mine in imported_sources():
        yield mine.name, "imported", mine.title


def _protocols(offered: Registry) -> Lines:
    from recbench.errors import RecbenchError
    from recbench.protocols.loading import load

    paths = {name: path.value for name, path in offered.protocols.items()}
    for name in paths:
        try:
            yield name, "", load(name, paths).title
        except RecbenchError as error:
            yield name, "broken", error.what


def _metrics(offered: Registry) -> Lines:
    best = {"high": "higher is better", "low": "lower is better", "none": ""}
    for name, metric in offered.metrics.items():
        yield name, best[metric.value.best], metric.value.definition


def _plugins(offered: Registry) -> Lines:
    for each in offered.plugins:
        yield each.plugin.name, f"{each.plugin.distribution} {each.plugin.version}", _state(each)


def _state(plugin: Loaded | Broken | Disabled) -> str:
    from recbench.registry import Broken, Disabled

    if isinstance(plugin, Disabled):
        return f"disabled by {plugin.by}"
    if isinstance(plugin, Broken):
        return f"broken: {plugin.reason}"
    offers = (
        ("algorithm", plugin.algorithms),
        ("source", plugin.sources),
        ("metric", plugin.metrics),
        ("protocol", plugin.protocols),
    )
    counts = ", ".join(f"{len(values)} {kind}{'s' * (len(values) > 1)}" for kind, values in offers if values)
    return "; ".join([counts or "offers nothing", *plugin.notes])

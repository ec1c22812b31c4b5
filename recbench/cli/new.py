"""`recbench new`: write a plugin that works as it comes, to be filled in."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from recbench.cli.offers import registry

if TYPE_CHECKING:
    from recbench.scaffold import Answers, Framework, Written


@click.group(
    epilog="""\b
Examples:
  recbench new algorithm my-algorithm
  recbench new algorithm my-network --kind rating --framework torch
  recbench new metric my-metric --author 'A. Author' --into ~/code"""
)
def new() -> None:
    """Write a plugin of your own: a small distribution that works as it comes, for you to fill in."""


def _options(function: Callable[..., None]) -> Callable[..., None]:
    """What all kinds take."""
    options: tuple[Callable[[Any], Any], ...] = (
        click.argument("name"),
        click.option("--author", metavar="NAME", help="Whose it is. [default: the user.name of git]"),
        click.option(
            "-o",
            "--into",
            type=click.Path(file_okay=False, path_type=Path),
            default=Path(),
            metavar="FOLDER",
            help="Where to make the folder NAME. [default: here]",
        ),
        click.option("--force", is_flag=True, help="Write over the files of a folder that exists."),
    )
    for option in reversed(options):
        function = option(function)
    return function


@new.command()
@_options
@click.option(
    "--kind", type=click.Choice(["ranker", "rating"]), default="ranker", show_default=True, help="Lists or ratings."
)
@click.option(
    "--framework",
    type=click.Choice(["none", "sklearn", "torch", "tensorflow"]),
    default="none",
    show_default=True,
    help="What it is written in, beside NumPy.",
)
def algorithm(name: str, author: str | None, into: Path, kind: Answers, framework: Framework, *, force: bool) -> None:
    """Write an algorithm called NAME."""
    from recbench import scaffold

    taken = registry().algorithms
    written = scaffold.new(
        name, "algorithm", into=into, offered=taken, author=author, answers=kind, framework=framework, force=force
    )
    _tell(written, check=f"recbench check {name}")


@new.command()
@_options
def metric(name: str, author: str | None, into: Path, *, force: bool) -> None:
    """Write a metric called NAME."""
    from recbench import scaffold

    taken = registry().metrics
    _tell(scaffold.new(name, "metric", into=into, offered=taken, author=author, force=force))


@new.command()
@_options
def source(name: str, author: str | None, into: Path, *, force: bool) -> None:
    """Write a data set called NAME, with a protocol on it."""
    from recbench import scaffold

    offered = registry()
    taken = {*offered.sources, *offered.protocols}
    _tell(scaffold.new(name, "source", into=into, offered=taken, author=author, force=force))


@new.command()
@_options
def protocol(name: str, author: str | None, into: Path, *, force: bool) -> None:
    """Write a protocol called NAME."""
    from recbench import scaffold

    taken = registry().protocols
    _tell(scaffold.new(name, "protocol", into=into, offered=taken, author=author, force=force))


def _tell(written: Written, *, check: str = "pytest") -> None:
    for path in written.files:
        click.echo(written.folder / path)
    click.echo("\nNext:")
    click.echo(f"  cd {shlex.quote(str(written.folder))} && pip install -e '.[test]'")
    click.echo(f"  {check}\n  {written.command}")

"""`recbench data`: fetch, verify, import."""

from __future__ import annotations

from pathlib import Path

import click

from recbench.cli.offers import data_dir_option


@click.group()
def data() -> None:
    """Get data sets and check them."""


@data.command()
@click.argument("name")
@data_dir_option
def fetch(name: str, data_dir: Path | None) -> None:
    """Download the data set NAME, verify it and unpack it. Goes on where an earlier try was cut off."""

"""`recbench run --reference`: published figures beside ours."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from recbench.cli.screen import width_of

if TYPE_CHECKING:
    from recbench.protocols.spec import Reference
    from recbench.records import Record
    from recbench.scene import Scene

SHIPPED = "shipped"

reference_option = click.option(
    "--reference",
    "published",
    is_flag=False,
    flag_value=SHIPPED,
    metavar="[FILE]",
    help="Print published figures beside ours: those that come with recbench for the protocol, or those of FILE.toml.",
)


def read(published: str | None, *, is_json: bool) -> tuple[Reference, ...] | None:
    """The references that were asked for, before anything runs; None where none were."""
    from recbench.protocols import references

    if published is None:
        return None
    if is_json:
        raise click.UsageError("--reference and --json exclude each other")
    return references.shipped() if published == SHIPPED else (references.load(Path(published)),)


def of_scene(known: Sequence[Reference] | None, scene: Scene) -> tuple[Reference, ...]:
    """Those among them that are of this protocol with these splits; there must be some where they were asked for."""
    from recbench.protocols import references

    return () if known is None else references.of(known, scene.protocol.name, scene.fingerprint)


def show(records: Sequence[Record], references: Sequence[Reference]) -> None:
    """Print each publication's figures beside those of the records."""
    from recbench.leaderboard.references import beside

    for reference in references if records else ():
        click.echo(f"\n{beside(records, reference, width=width_of(sys.stdout))}")

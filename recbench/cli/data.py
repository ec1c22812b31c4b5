"""`recbench data`: fetch, verify, import, generate."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from recbench.cli.offers import data_dir_option, registry
from recbench.cli.screen import one_line, printable, width_of

if TYPE_CHECKING:
    from recbench.api import Source

MEGABYTE = 1 << 20


@click.group()
def data() -> None:
    """Get data sets and check them."""


@data.command()
@click.argument("name")
@data_dir_option
def fetch(name: str, data_dir: Path | None) -> None:
    """Download the data set NAME, verify it and unpack it.

    Goes on where an earlier try was cut off. Without --data-dir it goes to the user's cache folder.
    """
    from recbench.datasets import fetching

    source = _source(name)
    for path in fetching.fetch(source, into=data_dir, progress=_show_progress):
        click.echo(path)
    click.echo(f"\nLicense   {source.license}\nCitation  {source.citation}", err=True)


@data.command()
@click.argument("name")
@data_dir_option
def verify(name: str, data_dir: Path | None) -> None:
    """Hold the files of the data set NAME against their checksums."""
    from recbench.datasets import checksums, places

    source = _source(name)
    folder = places.locate(source, data_dir)
    for file in checksums.verify_copy(source, folder):
        click.echo(printable(f"{file.standing:<10}  {file.size:>12,}  {file.sha256}  {folder / file.name}"))


@data.command(name="import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--name", required=True, help='What to call it: `source = "NAME"` in a protocol then finds it.')
@click.option(
    "--format", "form", type=click.Choice(["csv", "adjacency", "parquet", "npy", "atomic"]), help="Else by ending."
)
@click.option("--separator", help="Of a csv file; else by ending.")
@click.option("--columns", help="Names of the columns of a file without a header, as in user,item,rating,time.")
@click.option(
    "--scale", nargs=2, type=float, metavar="LEAST GREATEST", help="Ends of the ratings' scale; else as found."
)
@click.option("--users", metavar="TABLE", help="A file of features of users, written as in a protocol.")
@click.option("--items", metavar="TABLE", help="A file of features of items, likewise.")
@click.option("--on-bad-rows", type=click.Choice(["error", "drop"]), default="error", show_default=True)
@click.option("--duplicates", type=click.Choice(["error", "first", "last", "mean"]), default="error", show_default=True)
@click.option("--license", "license_", default="", help="What its owner allows.")
@click.option("--citation", default="", help="What its owner asks to cite.")
@data_dir_option
def import_(file: Path, name: str, data_dir: Path | None, **given: Any) -> None:
    """Check FILE, a file of interactions of your own, and keep it under a name.

    \b
    Examples:
      recbench data import ratings.csv --name mine
      recbench data import u.csv --name mine --columns user,item,rating,time
      recbench data import r.csv --name mine --scale 1 5 \\
        --items '{ path = "items.csv", id = "item", types = { genre = "tags" } }'
    """
    from recbench.datasets import imported
    from recbench.protocols.files import own_file, own_table

    tables = {side: own_table(given[side], side) for side in ("users", "items") if given[side] is not None}
    columns = given["columns"] and given["columns"].split(",")
    spec = own_file(file, format=given["form"], separator=given["separator"], columns=columns)
    brought = imported.import_file(
        spec,
        name=name,
        into=data_dir,
        taken=registry().sources,
        card=imported.Card(title=name, license=given["license_"], citation=given["citation"]),
        scale=_scale(given["scale"]),
        **tables,
        on_bad_rows=given["on_bad_rows"],
        duplicates=given["duplicates"],
    )
    click.echo(f"Kept in {brought.folder}; `source = {name!r}` finds it.")
    for fact, value in brought.facts.items():
        click.echo(printable(f"  {fact}: {value}"))


def _scale(ends: tuple[float, float] | None) -> tuple[float, float] | None:
    if ends is not None and not (ends[0] < ends[1] and all(map(math.isfinite, ends))):
        raise click.UsageError("--scale takes two numbers, the lesser first")
    return ends


@data.command()
@click.option("--users", type=int, required=True, help="How many users; each has at least one interaction.")
@click.option("--items", type=int, required=True, help="How many items.")
@click.option("--interactions", type=int, required=True, help="How many interactions, none twice.")
@click.option("--seed", type=int, default=0, show_default=True, help="Another seed, another world.")
@click.option("--output", type=click.Path(path_type=Path), help="Folder to write; else one named after all that.")
def generate(users: int, items: int, interactions: int, seed: int, output: Path | None) -> None:
    """Make up a data set of any size whose truth is known, with a protocol to run on it.

    The same bytes for the same numbers, on every machine. Memory goes by users and items, not by interactions.

    \b
    Example:
      recbench data generate --users 6000 --items 3700 --interactions 1000000 --output made-up
      recbench run -p made-up/protocol.toml
    """
    from recbench import synthetic

    size = synthetic.Size(users=users, items=items, interactions=interactions, seed=seed)
    written = synthetic.generate(size, output or Path(size.name), progress=lambda done: _show_done(done, interactions))
    click.echo(f"{written.protocol} ({written.size / MEGABYTE:.1f} MB beside it)")


def _source(name: str) -> Source:
    from recbench.datasets.imported import imported_source
    from recbench.errors import UnknownName

    known = registry().sources
    found = known[name].value if name in known else imported_source(name)
    if found is None:
        raise UnknownName.among("data set", name, known, fix="run `recbench list data`")
    return found


def _show_done(done: int, whole: int) -> None:
    if sys.stderr.isatty():
        end = "\n" if done == whole else ""
        sys.stderr.write(f"\r\x1b[K{done:,} of {whole:,} interactions{end}")
        sys.stderr.flush()


def _show_progress(name: str, there: int, whole: int | None) -> None:
    if not sys.stderr.isatty():
        return
    of = "" if whole is None else f" of {whole / MEGABYTE:.1f} MB, {100 * there / max(1, whole):.0f} %"
    sys.stderr.write("\r\x1b[K" + one_line(f"{name}: {there / MEGABYTE:.1f} MB{of}", width_of(sys.stderr) - 1))
    sys.stderr.flush()

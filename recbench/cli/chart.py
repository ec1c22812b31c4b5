"""`recbench chart`: a board as a picture for a paper."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from recbench.cli.export import board_option, folder_argument, read_board, write

if TYPE_CHECKING:
    from recbench.exports.charts import Cost


@click.command(
    epilog="""\b
Examples:
  recbench chart leaderboards -p movietweetings -o front.svg
  recbench chart -p movietweetings -o memory.pdf --cost peak_memory_mb
  recbench chart -p movietweetings -o intervals.png --kind intervals"""
)
@folder_argument
@board_option
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file to write, which ends with .svg, .png or .pdf.",
)
@click.option(
    "--kind",
    type=click.Choice(["pareto", "intervals"]),
    default="pareto",
    show_default=True,
    help="A score against a cost with the Pareto front, or scores with their intervals.",
)
@click.option("--metric", "key", metavar="SCORE", help="As in ndcg@10; by default what sorts.")
@click.option(
    "--cost",
    type=click.Choice(["fit_seconds", "latency_p50_ms", "peak_memory_mb"]),
    default="fit_seconds",
    show_default=True,
    help="What the score is set against, for --kind pareto.",
)
def chart(folder: Path, protocol: str | None, output: Path, kind: str, key: str | None, cost: Cost) -> None:
    """Draw the board of FOLDER. Needs matplotlib, and no data."""
    from recbench.exports.charts import intervals_chart, pareto_chart
    from recbench.exports.drawing import form_of, to_bytes

    form = form_of(output)
    board = read_board(folder, protocol)
    figure = pareto_chart(board, cost=cost, key=key) if kind == "pareto" else intervals_chart(board, key=key)
    write(to_bytes(figure, form), output)

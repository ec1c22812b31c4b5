"""The command line: parses, calls one function, shows its result. Only this package prints or exits."""

from __future__ import annotations

import contextlib
import os
import sys

import click

from recbench.cli import (
    cache,
    chart,
    check,
    compare,
    data,
    exits,
    export,
    index,
    listing,
    new,
    publish,
    recommend,
    render,
    report,
    reproduce,
    run,
    score,
    split,
    tune,
    verify,
)
from recbench.errors import RecbenchError


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="""\b
Start with:
  recbench run                       the embedded data, everything installed
  recbench run -a 'item-*' -a ease   some algorithms
  recbench list                      what is on offer""",
)
def cli() -> None:
    """Benchmark recommender systems: same splits, isolated trials, exact metrics, honest leaderboards."""


COMMANDS = (
    run.run,
    render.render,
    render.rescore,
    report.report,
    recommend.recommend,
    tune.tune,
    listing.list_,
    listing.show,
    data.data,
    cache.cache,
    split.split,
    score.score,
    compare.compare,
    verify.verify,
    publish.publish,
    index.index,
    export.export,
    chart.chart,
    reproduce.reproduce,
    new.new,
    check.check,
    listing.version,
)
for command in COMMANDS:
    cli.add_command(command)


def main() -> None:
    """Run the command line; the one place where errors become messages and exit codes."""
    sys.exit(_main())


def _main() -> int:
    try:
        return int(cli.main(standalone_mode=False) or 0)
    except RecbenchError as error:
        click.secho("Error: ", fg="red", bold=True, nl=False, err=True)
        click.echo(f"{error.what}\nFix:   {error.fix}", err=True)
        return exits.ERROR
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("Interrupted.", err=True)
        return exits.INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output went away; keep Python from complaining about it once more at exit.
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return exits.ERROR

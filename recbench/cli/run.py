"""`recbench run`: the main job."""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from recbench.cli import exits, reference
from recbench.cli.offers import (
    DEFAULT_PROTOCOL,
    cache,
    complete_algorithm,
    complete_protocol,
    data_dir_option,
    load_protocol,
    output_option,
    plugin_option,
    registry,
)
from recbench.cli.profile import Profile, process_began
from recbench.cli.progress import Progress
from recbench.cli.screen import has_color, printable, width_of
from recbench.errors import BadRecord

if TYPE_CHECKING:
    from recbench.benchmark import Agenda, Entry, Options, Report, Unavailable
    from recbench.cluster import Address
    from recbench.protocols.spec import Protocol
    from recbench.registry import Registry


@click.command(
    epilog="""\b
Examples:
  recbench run                              everything, on the embedded data
  recbench run -a ease -a 'item-*'          some algorithms
  recbench run -a ease --set ease.l2=250    other parameters
  recbench run -p my.toml -j 2              your own, two trials at a time
  recbench run --plugin my_algo.py -a mine  an algorithm in a single file
  recbench run -p table32 --reference       published figures beside ours

\b
Exit codes: 0 all is well, 1 an error, 2 wrong usage, 3 a trial was not ok,
130 interrupted. A run that was stopped goes on where it was: finished
trials are kept."""
)
@click.option(
    "-p",
    "--protocol",
    "name",
    default=DEFAULT_PROTOCOL,
    show_default=True,
    metavar="NAME|FILE",
    shell_complete=complete_protocol,
    help="A protocol by name, or a TOML file.",
)
@click.option(
    "-a",
    "--algorithm",
    "wanted",
    multiple=True,
    metavar="GLOB",
    shell_complete=complete_algorithm,
    help="Run these only (repeatable).",
)
@click.option(
    "-x",
    "--exclude",
    "excluded",
    multiple=True,
    metavar="GLOB",
    shell_complete=complete_algorithm,
    help="Leave these out (repeatable).",
)
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="NAME.PARAMETER=VALUE",
    help="Set a parameter; the value is JSON, or else a string (repeatable).",
)
@click.option("--seed", "seeds", multiple=True, type=click.IntRange(min=0), help="Model seed (repeatable).")
@click.option(
    "-j",
    "--jobs",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Trials at a time, as far as cores and memory allow; costs that compare are measured with 1.",
)
@click.option(
    "--cluster",
    metavar="local|ADDRESS|FILE",
    help="Run trials on the workers of Dask: started here, at tcp://HOST:PORT or tls://HOST:PORT, or by a TOML file.",
)
@output_option
@reference.reference_option
@data_dir_option
@plugin_option
@click.option(
    "--python",
    "interpreters",
    multiple=True,
    metavar="PLUGIN=PATH",
    help="Run the algorithms of this plugin under another Python that has recbench, too (repeatable).",
)
@click.option("--fresh", is_flag=True, help="Run again what has a record already.")
@click.option("--retry", is_flag=True, help="Run again what was not ok.")
@click.option("--sandbox", is_flag=True, help="Hide the data's own files and the network from trials.")
@click.option("--in-process", is_flag=True, help="Run trials in this process, for a debugger: no isolation, no limits.")
@click.option("--dry-run", is_flag=True, help="Show what would run and what is there already; write nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print a line of JSON for each trial, and nothing else.")
@click.option("--profile", "is_profiled", is_flag=True, help="Tell where the time went, on standard error.")
def run(name: str, wanted: tuple[str, ...], **given: Any) -> int:
    """Train and score algorithms, each in isolation, and write the leaderboard."""
    profile = Profile()
    from recbench import benchmark, elsewhere
    from recbench.trials import Selection, parse_settings

    excluded, settings = given.pop("excluded"), parse_settings(given.pop("settings"))
    is_json, is_profiled = given.pop("as_json"), given.pop("is_profiled")
    known = reference.read(given.pop("published"), is_json=is_json)
    offered = registry(given.pop("plugins"))
    protocol = load_protocol(name, offered)
    offered = elsewhere.join(offered, {**protocol.python, **elsewhere.parse(given.pop("interpreters"))})
    _warn_of_broken(offered)
    options = benchmark.Options(cache=cache(), cluster=_cluster(given.pop("cluster")), **given)
    _warn_of_few_cores(options, protocol)
    selection = Selection(wanted=wanted, excluded=excluded, settings=settings)
    agenda = benchmark.arrange(protocol, offered, selection, options, on_phase=profile.phase)
    references = reference.of_scene(known, agenda.scene)
    if options.dry_run:
        _show_agenda(agenda)
        return 0
    report = (_carry_out_as_json if is_json else _carry_out)(agenda, options, profile)
    if is_profiled:
        _show_profile(profile)
    reference.show([entry.record for entry in report.entries], references)
    return _exit_code(report, wanted)


def _carry_out(agenda: Agenda, options: Options, profile: Profile) -> Report:
    from recbench import leaderboard

    if agenda.entries:
        click.echo(f"{len(agenda.entries)} trials are there already; --fresh runs them again.", err=True)
    report = _run(agenda, options, Progress(agenda), profile)
    if report.entries:
        board = _write_boards(agenda, report, options)
        records = [entry.record for entry in report.entries]
        lacking = [(each.label, str(each)) for each in report.unavailable]
        color, columns = has_color(sys.stdout), width_of(sys.stdout)
        analysis = agenda.store.analyses()[0].get(agenda.scene.fingerprint)
        click.echo(leaderboard.terminal(records, analysis, width=columns, color=color, unavailable=lacking))
        click.echo(f"\nLeaderboard  {board}\nRecords      {report.entries[0].path.parent}")
    else:  # no board says it
        for each in agenda.unavailable:
            click.echo(printable(f"{each.label} cannot run: {each}"), err=True)
    return report


def _carry_out_as_json(agenda: Agenda, options: Options, profile: Profile) -> Report:
    for entry in agenda.entries:
        _print_json(entry)
    for lacking in agenda.unavailable:
        _print_line(algorithm=lacking.algorithm, label=lacking.label, status="unavailable", reason=str(lacking))
    report = _run(agenda, options, Progress(agenda, finished=_print_json), profile)
    if report.entries:
        _write_boards(agenda, report, options)
    return report


def _write_boards(agenda: Agenda, report: Report, options: Options) -> Path:
    """Write the boards of the folder; a damaged record of another run is told, and holds nothing up."""
    from recbench import boards

    def tell(problem: BadRecord) -> None:
        click.echo(printable(f"Passed over: {problem.what}. {problem.fix}."), err=True)

    written = boards.write(options.output, damaged=tell, store=agenda.store)
    return written[report.entries[0].record.protocol["fingerprint"]]


def _run(agenda: Agenda, options: Options, progress: Progress, profile: Profile) -> Report:
    from recbench import benchmark

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a polite kill is a Ctrl-C
    with progress:
        report = benchmark.run(agenda, options, profile.beside(progress), on_phase=profile.phase)
    profile.phase("render")
    return report


def _show_profile(profile: Profile) -> None:
    text = profile.text(width_of(sys.stderr), process_began=process_began())
    click.echo(f"\n{text}", err=True)


def _print_json(entry: Entry) -> None:
    record = entry.record
    _print_line(
        algorithm=record.algorithm,
        label=record.label,
        seed=record.seed,
        fold=record.fold,
        status=record.status,
        reason=record.reason,
        scores=dict(record.scores),
        fit_seconds=record.measured.fit_seconds,
        peak_memory_mb=record.measured.peak_memory_mb,
        record=str(entry.path),
    )


def _print_line(**values: Any) -> None:
    keys = (
        "algorithm",
        "label",
        "seed",
        "fold",
        "status",
        "reason",
        "scores",
        "fit_seconds",
        "peak_memory_mb",
        "record",
    )
    click.echo(json.dumps({key: values.get(key, {} if key == "scores" else None) for key in keys}, allow_nan=False))


def _warn_of_broken(offered: Registry) -> None:
    from recbench.registry import Broken

    for each in offered.plugins:
        if isinstance(each, Broken):
            click.echo(printable(f"Plugin {each.plugin.name} is broken: {each.reason}"), err=True)


def _cluster(text: str | None) -> Address | None:
    if text is None:
        return None
    from recbench.cluster import Address

    address = Address.parse(text)
    if address.warning is not None:
        click.echo(f"Warning: {address.warning}", err=True)
    return address


def _warn_of_few_cores(options: Options, protocol: Protocol) -> None:
    from recbench import benchmark

    slots, threads = benchmark.slots_of(options, protocol), protocol.trials.threads
    if slots < options.jobs:
        each = "1 thread" if threads == 1 else f"{threads} threads"
        told = f"-j {options.jobs} is cut to {slots}: each trial has {each}, and there are no more cores."
        click.echo(told, err=True)


def _show_agenda(agenda: Agenda) -> None:
    for entry in agenda.entries:
        record = entry.record
        click.echo(printable(f"there     {record.label}  fold {record.fold}  seed {record.seed}  {record.status}"))
    for trial in agenda.trials:
        click.echo(printable(f"would run {trial.row.label}  fold {trial.split.fold}  seed {trial.seed}"))
    for each in agenda.unavailable:
        click.echo(printable(f"cannot    {each.label}: {each}"))


def _exit_code(report: Report, wanted: tuple[str, ...]) -> int:
    """A row that cannot run here counts only where it was asked for by name."""
    if report.interrupted:
        click.echo("Interrupted. What is finished is kept; the same command goes on from here.", err=True)
        return exits.INTERRUPTED
    failed = any(entry.record.reason is not None for entry in report.entries)
    return exits.NOT_OK if failed or _asked_in_vain(report.unavailable, wanted) else 0


def _asked_in_vain(unavailable: tuple[Unavailable, ...], wanted: tuple[str, ...]) -> bool:
    return any(each.label in wanted for each in unavailable)

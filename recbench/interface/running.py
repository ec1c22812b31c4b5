"""`recbench.run`: the main job, as `recbench run` does it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from recbench import benchmark, boards, elsewhere
from recbench.errors import RecbenchError
from recbench.interface.arguments import OUTPUT, AnyPath, cache, offered, passed_over, path_or_none, several
from recbench.interface.leaderboards import Leaderboard
from recbench.protocols.loading import load as load_protocol
from recbench.trials import Selection, Trial


def run(
    protocol: AnyPath = "movietweetings",
    algorithms: str | Sequence[str] = (),
    *,
    output: AnyPath = OUTPUT,
    exclude: str | Sequence[str] = (),
    settings: Mapping[str, Mapping[str, Any]] | None = None,
    seeds: Sequence[int] = (),
    jobs: int = 1,
    data_dir: AnyPath | None = None,
    plugins: Sequence[AnyPath] = (),
    fresh: bool = False,
    retry: bool = False,
    sandbox: bool = False,
    in_process: bool = False,
    progress: Callable[[str], object] | None = None,
) -> Leaderboard:
    """Train and score algorithms, each in isolation, as `recbench run` does.

    What has a record in `output` is not run again. A trial that fails is a row with its reason.

    Args:
        protocol: a name, or the path of a TOML file.
        algorithms: names or globs; none: all of the protocol.
        output: folder of records and leaderboards.
        exclude: names or globs of algorithms to leave out.
        settings: parameters by algorithm, as in {"ease": {"l2": 250}}.
        seeds: model seeds; none: those of the protocol.
        jobs: trials at a time; costs that compare are measured with 1.
        data_dir: a folder that holds data sets, each in a folder of its name.
        plugins: single-file plugins to offer beside what is installed.
        fresh: run again what has a record already.
        retry: run again what was not ok.
        sandbox: hide the data's own files and the network from trials.
        in_process: run trials in this process, for a debugger: no isolation, no limits.
        progress: hears a line for each finished trial; `print` will do.

    Returns:
        The leaderboard of the protocol in `output`, rows of earlier runs included.

    Raises:
        RecbenchError: something is wrong with the arguments, the data or the machine, or nothing could run.
        KeyboardInterrupt: what is finished is kept, and the same call goes on from there.
    """
    on_offer = offered(plugins)
    wanted = load_protocol(protocol, {name: each.value for name, each in on_offer.protocols.items()})
    options = benchmark.Options(
        output=Path(output), data_dir=path_or_none(data_dir), cache=cache(), jobs=jobs, seeds=tuple(seeds),
        fresh=fresh, retry=retry, sandbox=sandbox, in_process=in_process,
    )  # fmt: skip
    selection = Selection(wanted=several(algorithms), excluded=several(exclude), settings=settings or {})
    agenda = benchmark.arrange(wanted, elsewhere.join(on_offer, wanted.python), selection, options)
    stem = _carry_out(agenda, options, progress)
    found = Leaderboard.load(output, protocol=stem, plugins=plugins, data_dir=data_dir)
    lacking = tuple((each.label, str(each)) for each in agenda.unavailable)
    return replace(found, unavailable=lacking, protocol=str(protocol))


def _carry_out(agenda: benchmark.Agenda, options: benchmark.Options, progress: Callable[[str], object] | None) -> str:
    """Run, and write the boards of the folder; the name of this one's file without its ending."""
    report = benchmark.run(agenda, options, _Listener(agenda, progress))
    if not report.entries and not report.interrupted:
        lacking = report.unavailable[0]
        raise RecbenchError(f"nothing could run: {lacking.label!r}: {lacking.reason}", fix=lacking.fix)
    written = boards.write(options.output, damaged=passed_over, store=agenda.store) if report.entries else {}
    if report.interrupted:
        raise KeyboardInterrupt("what is finished is kept, and the same call goes on from there")
    return written[agenda.scene.fingerprint].stem


class _Listener:
    """Tells of each finished trial in a line."""

    def __init__(self, agenda: benchmark.Agenda, tell: Callable[[str], object] | None) -> None:
        self._tell = tell
        self._primary = agenda.scene.primary
        self._n_left = len(agenda.trials)

    def stage(self, trial: Trial, stage: str) -> None:
        """A trial goes on to another stage."""

    def told(self, text: str) -> None:
        """Something happened where the trials run."""
        if self._tell is not None:
            self._tell(text)

    def finished(self, trial: Trial, entry: benchmark.Entry) -> None:  # noqa: ARG002
        """A trial has its record."""
        self._n_left -= 1
        record = entry.record
        score = record.scores.get(self._primary)
        said = record.reason or ("" if score is None else f"{self._primary} {score:.4f}")
        if self._tell is not None:
            self._tell(
                f"{record.status} {record.label} fold {record.fold} seed {record.seed} {said}, {self._n_left} left"
            )

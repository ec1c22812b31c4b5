"""The straight line: load, split, plan, run each trial in isolation, score, record."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Protocol as Interface

from recbench.cache import Cache
from recbench.comparing import analyse_store
from recbench.elsewhere import how_to_install
from recbench.errors import BadRecord, RecbenchError
from recbench.execution import Outcome, Runner
from recbench.metrics import METRICS_VERSION
from recbench.prepared import OnPhase, unheard
from recbench.programs import check_in_sight
from recbench.protocols.spec import Protocol
from recbench.recording import job_of, record_of, rescored
from recbench.records import Costs, Record, Status, Store, load, read_lists
from recbench.registry import Registry
from recbench.scene import Scene, hidden_folders, prepare
from recbench.scheduling import Ask, Schedule, available_mb, cores, known_needs, slots
from recbench.trials import Row, Selection, Trial, is_ranked_like, plan, select

if TYPE_CHECKING:
    from recbench.cluster import Address, Cluster

MOST_ON_THEIR_WAY = 64
"""How many trials are on their way to and from a cluster at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How to run; none of it decides a score.

    Attributes:
        cache: where data that was read and split is kept; None: it is read and split in any case.
        jobs: how many trials at a time, as far as cores and memory allow; at a cluster's address, on each worker.
        cluster: whose workers run the trials; None: this machine does.
        dry_run: whether nothing is to be written.
    """

    output: Path
    data_dir: Path | None = None
    cache: Cache | None = None
    jobs: int = 1
    seeds: tuple[int, ...] = ()
    fresh: bool = False
    retry: bool = False
    sandbox: bool = False
    in_process: bool = False
    dry_run: bool = False
    cluster: Address | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A trial's record, and where it lies."""

    record: Record
    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Unavailable:
    """A row that cannot run here, and the command that mends it. Never stored: it is looked at in every run."""

    label: str
    algorithm: str
    how_to_install: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Agenda:
    """What a run has to do, known before anything is trained.

    Attributes:
        entries: records that are there already, and count.
        trials: what is left to run.
        unavailable: rows that cannot run here.
    """

    scene: Scene
    entries: tuple[Entry, ...]
    trials: tuple[Trial, ...]
    unavailable: tuple[Unavailable, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What came of a run: a record for each trial that is finished, those found there included."""

    entries: tuple[Entry, ...]
    unavailable: tuple[Unavailable, ...]
    interrupted: bool = False


class Listener(Interface):
    """Hears how the run goes. Called from the threads that wait for trials, one call at a time."""

    def stage(self, trial: Trial, stage: str) -> None:
        """The trial goes on to "start", "fit", "rank", "predict", "latency", "score" or "write"."""

    def finished(self, trial: Trial, entry: Entry) -> None:
        """The trial has its record on disk."""

    def told(self, text: str) -> None:
        """Something happened where the trials run."""


def arrange(
    protocol: Protocol, registry: Registry, selection: Selection, options: Options, *, on_phase: OnPhase = unheard
) -> Agenda:
    """Find out what is to be done. Scores anew what was trained under another evaluation of the same lists, and keeps
    it unless `options.dry_run`.

    Args:
        on_phase: hears "load", "split", "keep" and "recall".

    Raises:
        RecbenchError: data, protocol or selection are wrong.
    """
    rows = select(protocol, registry, selection)
    _check_in_process(rows, options)
    _check_cluster(rows, options)
    if options.sandbox:
        programs = [(row.label, row.program) for row in rows if row.program is not None]
        check_in_sight(programs, hidden_folders(protocol, options.data_dir, options.cache))
    scene = prepare(protocol, registry, data_dir=options.data_dir, cache=options.cache, on_phase=on_phase)
    on_phase("recall")
    looked_at = rows if options.cluster is None else ()  # its workers are another matter
    unavailable = tuple(lack for row in looked_at if (lack := _unavailable(row)))
    lacking = {each.label for each in unavailable}
    able = [row for row in rows if row.label not in lacking]
    trials = plan(protocol, able, scene.splits, options.seeds or protocol.trials.seeds)
    store = Store(options.output)
    there = store.by_trial()
    known = (
        {}
        if options.fresh
        else {trial.id: entry for trial in trials if (entry := _recall(trial, scene, store, options, there))}
    )
    return Agenda(
        scene=scene,
        entries=tuple(known[trial.id] for trial in trials if trial.id in known),
        trials=tuple(trial for trial in trials if trial.id not in known),
        unavailable=unavailable,
    )


def run(agenda: Agenda, options: Options, listener: Listener, *, on_phase: OnPhase = unheard) -> Report:
    """Run what is left to do, and analyse the board. A `KeyboardInterrupt` stops it and is reported.

    What is finished is kept.

    Args:
        on_phase: hears "trials" and "analyse".
    """
    on_phase("trials")
    report = _Run(agenda, options, listener).carry_out()
    if report.entries and not report.interrupted:
        on_phase("analyse")
        analyse_store(options.output, agenda.scene)
    return report


def rescore(protocol: Protocol, registry: Registry, output: Path, *, data_dir: Path | None = None) -> tuple[int, int]:
    """Score all lists in a store that are of this protocol's splits and masking anew, and analyse them. Trains nothing.

    Returns:
        How many records were scored, and how many were left as they are.

    Raises:
        RecbenchError: data or protocol are wrong, or a record is damaged.
    """
    scene = prepare(protocol, registry, data_dir=data_dir)
    wanted = {split.fingerprint: split for split in scene.splits}
    store, done, left = Store(output), 0, 0
    for path in store.paths():
        record = load(path)
        split = wanted.get(record.identity.get("split", ""))
        if split is None or record.status is not Status.OK or not is_ranked_like(record.identity, protocol):
            left += 1
            continue
        lists, predictions = read_lists(path, record)
        store.save(rescored(record, scene, split, lists, predictions), lists=lists, predictions=predictions)
        done += 1
    analyse_store(output, scene)
    return done, left


class _Run:
    def __init__(self, agenda: Agenda, options: Options, listener: Listener) -> None:
        self.agenda = agenda
        self.scene = agenda.scene
        self.options = options
        self.listener = listener
        self.store = Store(options.output)
        self.slots = _slots(options, self.scene.protocol)
        self.schedule = self._plan()
        self.speaking = threading.Lock()
        self.knows_of_memory = False
        self.done: list[Entry] = []
        self.lacking: dict[str, Unavailable] = {}

    def carry_out(self) -> Report:
        interrupted = False
        if self.agenda.trials:
            with self._runner() as runner, ThreadPoolExecutor(self.slots) as threads:
                self._check_parameters(runner)
                interrupted = self._work_off(runner, threads)
        return Report(
            entries=(*self.agenda.entries, *self.done),
            unavailable=(*self.agenda.unavailable, *self.lacking.values()),
            interrupted=interrupted,
        )

    def _runner(self) -> Runner | Cluster:
        """What carries trials out: processes of this machine, or the workers of a cluster."""
        trials, cluster = self.scene.protocol.trials, self.options.cluster
        folders = hidden_folders(self.scene.protocol, self.options.data_dir, self.options.cache)
        if cluster is None:
            return Runner(
                slots=self.slots,
                threads=trials.threads,
                sandbox=self.options.sandbox,
                in_process=self.options.in_process,
                hidden=(self.options.output, *folders),
            )
        from recbench.cluster import Cluster, Settings

        settings = Settings(
            threads=trials.threads,
            jobs=slots_of(self.options, self.scene.protocol),
            memory_mb=trials.memory_mb,
            sandbox=self.options.sandbox,
            hidden=(self.options.output, *folders),
        )
        return Cluster(cluster, trials=self.agenda.trials, settings=settings, tell=self._tell)

    def _check_parameters(self, runner: Runner | Cluster) -> None:
        """Before anything trains, have a child look at what was set by hand."""
        rows = {trial.row.label: trial for trial in self.agenda.trials if trial.row.is_unproven}
        for label, trial in rows.items():
            reason = runner.check(job_of(trial, self.scene, None))
            if reason is not None:
                raise RecbenchError(f"{label}: {reason}", fix=f"see `recbench show {trial.row.offered.value.name}`")

    def _plan(self) -> Schedule:
        trials, limits = self.agenda.trials, self.scene.protocol.trials
        return Schedule(
            [Ask(place=n, label=each.row.label, split=each.split.fingerprint) for n, each in enumerate(trials)],
            slots=self.slots,
            known=known_needs(self.store, self.scene.fingerprint) if self.slots > 1 else {},
            limit_mb=limits.memory_mb,
            memory_mb=self._available_mb(),
        )

    def _available_mb(self) -> float:
        """Memory for trials. The workers of a cluster see to theirs."""
        return available_mb() if self.options.cluster is None else inf

    def _work_off(self, runner: Runner | Cluster, threads: ThreadPoolExecutor) -> bool:
        """Run what the schedule says until nothing is left. Returns whether it was interrupted."""
        running: dict[Future[Costs | None], Ask] = {}
        try:
            while True:
                while ask := self.schedule.start(self._available_mb()):
                    running[threads.submit(self._run_one, runner, ask)] = ask
                self._tell_of_memory()
                if not running:
                    return False
                for future in wait(running, timeout=0.5, return_when="FIRST_COMPLETED").done:
                    self.schedule.end(running.pop(future), future.result())
        except BaseException as error:
            threads.shutdown(wait=False, cancel_futures=True)
            runner.cancel()
            if not isinstance(error, KeyboardInterrupt):
                raise
            return True

    def _tell_of_memory(self) -> None:
        if self.schedule.lacks_memory and not self.knows_of_memory:
            self.knows_of_memory = True
            limit = self.scene.protocol.trials.memory_mb
            self._tell(f"Trials wait for memory: each may take {limit:,} MB (memory_mb) until its row has a record.")

    def _run_one(self, runner: Runner | Cluster, ask: Ask) -> Costs | None:
        """Run a trial and keep its record. Returns what it took; None where it did not run."""
        trial = self.agenda.trials[ask.place]
        job = job_of(trial, self.scene, self.scene.candidates(trial.split))
        outcome = runner.run(job, trial.split, on_stage=lambda stage: self._stage(trial, stage))
        if outcome is None:
            return None
        if outcome.status is Status.UNAVAILABLE:
            self._pass_over(trial, outcome)
            return None
        self._stage(trial, "score")
        beside = self.schedule.at_once(ask) if self.options.cluster is None else self.options.jobs
        entry = self._save(trial, outcome, jobs=beside)
        with self.speaking:
            self.done.append(entry)
            self.listener.finished(trial, entry)
        return outcome.costs

    def _save(self, trial: Trial, outcome: Outcome, *, jobs: int) -> Entry:
        record = record_of(trial, self.scene, outcome, jobs=jobs)
        self._stage(trial, "write")
        path = self.store.save(record, lists=outcome.lists, predictions=outcome.predictions)
        return Entry(record=load(path), path=path)

    def _pass_over(self, trial: Trial, outcome: Outcome) -> None:
        """No worker has what the row needs."""
        row = trial.row
        lack = Unavailable(label=row.label, algorithm=row.offered.value.name, how_to_install=outcome.reason or "")
        with self.speaking:
            if row.label not in self.lacking:
                self.listener.told(f"No worker can run {row.label}: {lack.how_to_install}")
            self.lacking[row.label] = lack

    def _stage(self, trial: Trial, stage: str) -> None:
        with self.speaking:
            self.listener.stage(trial, stage)

    def _tell(self, text: str) -> None:
        with self.speaking:
            self.listener.told(text)


def _slots(options: Options, protocol: Protocol) -> int:
    """How many trials this process has in hand at a time, at most."""
    if options.cluster is not None:
        return MOST_ON_THEIR_WAY
    return 1 if options.in_process else slots_of(options, protocol)


def slots_of(options: Options, protocol: Protocol) -> int:
    """How many trials run at a time on a machine, at most: as many as are asked for, unless it has too few cores."""
    if options.cluster is not None and not options.cluster.is_local:
        return options.jobs  # each worker has its own
    return slots(options.jobs, threads=protocol.trials.threads, cores=cores())


def _recall(
    trial: Trial, scene: Scene, store: Store, options: Options, there: Mapping[str, Sequence[Path]]
) -> Entry | None:
    """The record that answers a trial, if there is one: as it stands, or its lists scored under this evaluation.

    Args:
        there: the files of all records by their trials' ids.
    """
    for path in there.get(trial.id, ()):
        try:
            record = load(path)
            if record.status is not Status.OK:
                if _stands(record, trial, scene, options):
                    return Entry(record=record, path=path)
                continue
            if _answers(record, trial, scene):
                return Entry(record=record, path=path)
            lists, predictions = read_lists(path, record)
        except BadRecord:
            continue  # a damaged record is as good as none: the trial runs again and takes its place
        again = rescored(replace(record, label=trial.row.label), scene, trial.split, lists, predictions)
        kept = path if options.dry_run else store.save(again, lists=lists, predictions=predictions)
        return Entry(record=again if options.dry_run else load(kept), path=kept)
    return None


def _answers(record: Record, trial: Trial, scene: Scene) -> bool:
    """Whether the record is of this board and row, with numbers that mean what they mean today."""
    return (
        record.protocol["fingerprint"] == scene.fingerprint
        and record.metrics_version == METRICS_VERSION
        and record.label == trial.row.label
    )


def _stands(record: Record, trial: Trial, scene: Scene, options: Options) -> bool:
    """Whether a trial that was not ok is left at that: nobody asks for another try, and the limits were not raised."""
    limits, then = scene.protocol.trials, record.protocol["trials"]
    raised = limits.seconds > then["seconds"] or limits.memory_mb > then["memory_mb"]
    return _answers(record, trial, scene) and not options.retry and not raised


def _check_in_process(rows: Sequence[Row], options: Options) -> None:
    if not options.in_process:
        return
    for row in rows:
        if row.interpreter is not None:
            raise RecbenchError(
                f"{row.label!r} runs under {row.interpreter.path}, and so not in this process",
                fix="leave out --in-process, or --python",
            )


def _check_cluster(rows: Sequence[Row], options: Options) -> None:
    if options.cluster is None:
        return
    if options.in_process:
        raise RecbenchError("--in-process keeps trials here, and --cluster does not", fix="leave out one of them")
    for row in rows:
        if row.interpreter is not None:
            raise RecbenchError(
                f"{row.label!r} runs under {row.interpreter.path}, and so not on a cluster",
                fix=f"leave it out with -x {row.label}, or run it without --cluster",
            )
        if row.program is not None:
            raise RecbenchError(
                f"{row.label!r} is a program of this machine, and so not on a cluster",
                fix=f"leave it out with -x {row.label}, or run it without --cluster",
            )


def _unavailable(row: Row) -> Unavailable | None:
    lacking = row.not_installed()
    if lacking is None:
        return None
    return Unavailable(label=row.label, algorithm=row.offered.value.name, how_to_install=how_to_install(lacking))

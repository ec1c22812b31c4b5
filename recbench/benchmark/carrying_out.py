"""The trials of an agenda carried out, side by side where that is asked for; each record is kept once it is there."""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from math import inf
from typing import TYPE_CHECKING
from typing import Protocol as Interface

from recbench import gpus
from recbench.benchmark.agenda import Agenda, Entry, Options, Unavailable
from recbench.comparing import analyse_store
from recbench.errors import RecbenchError
from recbench.execution import Outcome, Runner
from recbench.prepared import OnPhase, unheard
from recbench.protocols.spec import Protocol
from recbench.recording import job_of, record_of
from recbench.records import Costs, Status
from recbench.scene import hidden_folders
from recbench.scheduling import Ask, Schedule, available_mb, cores, known_needs, slots
from recbench.trials import Trial

if TYPE_CHECKING:
    from recbench.cluster import Cluster

MOST_ON_THEIR_WAY = 64
"""How many trials are on their way to and from a cluster at a time."""


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
        try:
            analyse_store(agenda.store, agenda.scene)
        except KeyboardInterrupt:
            return replace(report, interrupted=True)
    return report


class _Run:
    def __init__(self, agenda: Agenda, options: Options, listener: Listener) -> None:
        self.agenda = agenda
        self.scene = agenda.scene
        self.options = options
        self.listener = listener
        self.store = agenda.store
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
        is_here = self.options.cluster is None  # the workers of a cluster see to their GPUs
        return Schedule(
            [
                Ask(
                    place=n,
                    label=each.row.label,
                    split=each.split.fingerprint,
                    needs_gpu=each.row.needs_gpu and is_here,
                )
                for n, each in enumerate(trials)
            ],
            slots=self.slots,
            known=known_needs(self.store, self.scene.fingerprint) if self.slots > 1 else {},
            limit_mb=limits.memory_mb,
            memory_mb=self._available_mb(),
            gpus=gpus.names() if is_here else (),
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
        job = replace(job_of(trial, self.scene, self.scene.candidates(trial.split)), gpu=self.schedule.gpu(ask))
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
        return Entry(record=self.store.load(path), path=path)

    def _pass_over(self, trial: Trial, outcome: Outcome) -> None:
        """No worker has what the row needs."""
        row = trial.row
        assert outcome.reason is not None
        lack = Unavailable(
            label=row.label, algorithm=row.offered.value.name, reason=outcome.reason, fix="start one that has it"
        )
        with self.speaking:
            if row.label not in self.lacking:
                self.listener.told(f"{row.label} cannot run: {lack}")
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

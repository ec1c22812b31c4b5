"""What a run has to do: found out before anything is trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from recbench.cache import Cache
from recbench.errors import BadRecord, RecbenchError
from recbench.metrics import METRICS_VERSION
from recbench.prepared import OnPhase, unheard
from recbench.programs import check_in_sight
from recbench.protocols.spec import Protocol
from recbench.recording import rescored
from recbench.records import Record, Status, Store, read_lists
from recbench.registry import Registry
from recbench.scene import Scene, hidden_folders, prepare
from recbench.trials import Row, Selection, Trial, plan, select

if TYPE_CHECKING:
    from recbench.cluster import Address


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
    """A row that cannot run here, why, and what mends it. Never stored: it is looked at in every run."""

    label: str
    algorithm: str
    reason: str
    fix: str

    def __str__(self) -> str:
        return f"{self.reason}: {self.fix}"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Agenda:
    """What a run has to do, known before anything is trained.

    Attributes:
        store: what it was found in; it reads no record again that has not changed since.
        entries: records that are there already, and count.
        trials: what is left to run.
        unavailable: rows that cannot run here.
    """

    scene: Scene
    store: Store
    entries: tuple[Entry, ...]
    trials: tuple[Trial, ...]
    unavailable: tuple[Unavailable, ...]


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
        store=store,
        entries=tuple(known[trial.id] for trial in trials if trial.id in known),
        trials=tuple(trial for trial in trials if trial.id not in known),
        unavailable=unavailable,
    )


def _recall(
    trial: Trial, scene: Scene, store: Store, options: Options, there: Mapping[str, Sequence[Path]]
) -> Entry | None:
    """The record that answers a trial, if there is one: as it stands, or its lists scored under this evaluation.

    Args:
        there: the files of all records by their trials' ids.
    """
    for path in there.get(trial.id, ()):
        try:
            record = store.load(path)
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
        return Entry(record=again if options.dry_run else store.load(kept), path=kept)
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
    lack = row.lack()
    if lack is None:
        return None
    return Unavailable(label=row.label, algorithm=row.offered.value.name, reason=lack.reason, fix=lack.fix)

"""A trial run again from its record, by the name of an installed algorithm, and held against what the record says."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from recbench import boards
from recbench.errors import BadRecord, RecbenchError
from recbench.execution import Outcome, Runner
from recbench.programs import DISTRIBUTION as PROGRAM
from recbench.protocols.spec import AlgorithmSpec, Protocol
from recbench.recording import job_of, record_of
from recbench.records import Record, Status, Store, load
from recbench.scene import Scene, prepare
from recbench.trials import Row, Selection, Trial, plan, select
from recbench.verifying import Means
from recbench.verifying.against import split_of
from recbench.verifying.scenes import Scenes
from recbench.verifying.standing import Arrays, arrays_of
from recbench.verifying.whole import PROTOCOLS

ELSEWHERE = 1e-4
"""Difference of scores allowed between platforms and versions; relative where a score is above 1."""

OnStage = Callable[[str], None]
_MOST_THREADS = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Reproduction:
    """A record, and what came of its trial here.

    Attributes:
        record: as it was given.
        again: of the trial that ran here.
        path: where that one was saved, or None.
        differences: what differs in code, versions and platform, so that results may differ.
        findings: what does not agree.
        tolerance: of scores; 0 where nothing differs.
    """

    record: Record
    again: Record
    path: Path | None
    differences: tuple[str, ...]
    findings: tuple[str, ...]
    tolerance: float

    @property
    def agrees(self) -> bool:
        """Whether the trial ended here as the record says."""
        return not self.findings

    @property
    def is_exact(self) -> bool:
        """Whether all scores are the same to the last digit."""
        return dict(self.record.scores) == dict(self.again.scores) and self.record.status is self.again.status


def reproduce(
    path: Path, means: Means, *, on_stage: OnStage, output: Path | None = None, allow_command: bool = False
) -> Reproduction:
    """Run a record's trial again. Nothing that the record names is imported: what is installed under its name runs.

    Args:
        path: the record.
        on_stage: hears "start", "fit", "rank" and "predict".
        output: folder in which the new record is kept; None keeps none.
        allow_command: whether a row that a program makes may run that program, as the protocol here has it.

    Raises:
        RecbenchError: it cannot be run again here, or the record is damaged.
    """
    record = load(path)
    _refuse(record, allow_command=allow_command)
    stated = arrays_of(path, record) if record.lists is not None else None
    scene = _scene(path, record, means)
    trial = _trial(record, scene, means)
    outcome = _run(trial, scene, on_stage)
    again = record_of(trial, scene, outcome, jobs=1)
    differences = tuple(_differences(record, again))
    tolerance = ELSEWHERE if differences else 0.0
    return Reproduction(
        record=record,
        again=again,
        path=None if output is None else _save(again, outcome, output),
        differences=differences,
        findings=tuple(_findings(record, again, stated, outcome, tolerance)),
        tolerance=tolerance,
    )


def _refuse(record: Record, *, allow_command: bool) -> None:
    if record.is_external:
        raise RecbenchError(
            f"{record.label!r} was made elsewhere: recbench has its lists, and nothing that it could run",
            fix="ask whoever made it; `recbench verify` checks its lists and scores",
        )
    if _is_program(record) and not allow_command:
        raise RecbenchError(
            f"{record.label!r} is made by a program, which would run as you",
            fix="look at its command in the protocol, then give --allow-command",
        )


def _is_program(record: Record) -> bool:
    return bool(record.identity.get("algorithm", {}).get("distribution") == PROGRAM)


def _scene(path: Path, record: Record, means: Means) -> Scene:
    """The record's protocol with the data of this machine; only the record's own row is in it."""
    beside = path.resolve().parent.parent.parent / PROTOCOLS
    scenes = Scenes(registry=means.registry, given=means.protocols, folder=beside, data_dir=means.data_dir)
    protocol = scenes.protocol_of(record)
    scene = prepare(protocol, means.registry, data_dir=means.data_dir)
    if split_of(record, scene) is None:
        raise RecbenchError(
            f"{path}: is of the split {record.split['fingerprint'][:12]}, which protocol and data here do not give",
            fix="use the data and the protocol that it was made with; `recbench verify` names what differs",
        )
    return replace(scene, protocol=_with_row(record, protocol))


def _with_row(record: Record, protocol: Protocol) -> Protocol:
    """The protocol with the record's parameters, threads and limits."""
    identity, limits = record.identity, record.protocol["trials"]
    trials = replace(
        protocol.trials,
        threads=min(max(1, int(limits.get("threads", 1))), _MOST_THREADS),
        seconds=max(1.0, float(limits["seconds"])),
        memory_mb=max(64, int(limits["memory_mb"])),
    )
    if _is_program(record):
        return replace(protocol, trials=trials, rows=tuple(row for row in protocol.rows if row.label == record.label))
    parameters = dict(identity.get("algorithm", {}).get("parameters", {}))
    components: Mapping[str, Any] = identity.get("components") or {}
    return replace(
        protocol,
        trials=trials,
        rows=(AlgorithmSpec(label=record.label, name=record.algorithm, parameters=parameters),),
        parameters=MappingProxyType({name: dict(each.get("parameters", {})) for name, each in components.items()}),
    )


def _trial(record: Record, scene: Scene, means: Means) -> Trial:
    row = _row(record, scene, means)
    row.check_can_run()
    split = split_of(record, scene)
    assert split is not None
    (trial,) = plan(scene.protocol, [row], [split], (record.seed,))
    return trial


def _row(record: Record, scene: Scene, means: Means) -> Row:
    if not scene.protocol.rows:
        raise RecbenchError(
            f"protocol {scene.protocol.name!r} has no row {record.label!r} here", fix="give the protocol's file with -p"
        )
    (row,) = select(scene.protocol, means.registry, Selection(wanted=(record.label,)))
    if (row.program is not None) != _is_program(record):
        raise RecbenchError(
            f"{record.label!r} is a program's row in the record or here, and not in both",
            fix="give the protocol's file with -p",
        )
    return row


def _run(trial: Trial, scene: Scene, on_stage: OnStage) -> Outcome:
    with Runner(threads=scene.protocol.trials.threads) as runner:
        outcome = runner.run(job_of(trial, scene, scene.candidates(trial.split)), trial.split, on_stage=on_stage)
    if outcome is None:
        raise KeyboardInterrupt
    return outcome


def _save(again: Record, outcome: Outcome, output: Path) -> Path:
    path = Store(output).save(again, lists=outcome.lists, predictions=outcome.predictions)
    boards.write(output, damaged=_pass_over)
    return path


def _pass_over(_: BadRecord) -> None:
    """A damaged record of another run does not concern this one."""


def _differences(record: Record, again: Record) -> Iterator[str]:
    """What may make a difference: code, parameters, platform, versions."""
    if record.protocol["fingerprint"] != again.protocol["fingerprint"]:
        yield _pair("protocol", record.protocol["fingerprint"][:12], again.protocol["fingerprint"][:12])
    for name in sorted((record.identity.keys() | again.identity.keys()) - {"algorithm"}):
        if record.identity.get(name) != again.identity.get(name):
            yield _pair(name, record.identity.get(name), again.identity.get(name))
    there, here = record.identity.get("algorithm", {}), again.identity["algorithm"]
    for name in sorted(there.keys() | here.keys()):
        if there.get(name) != here.get(name):
            yield _pair(name, there.get(name), here.get(name))
    if record.metrics_version != again.metrics_version:
        yield _pair("metrics_version", record.metrics_version, again.metrics_version)
    yield from _environment(record.provenance, again.provenance)


def _environment(there: Mapping[str, Any], here: Mapping[str, Any]) -> Iterator[str]:
    for name in ("python", "platform", "cpu", "recbench"):
        if there.get(name) != here.get(name):
            yield _pair(name, there.get(name), here.get(name))
    before, now = there.get("packages", {}), here.get("packages", {})
    for name in sorted(before.keys() | now.keys()):
        if before.get(name) != now.get(name):
            yield _pair(name, before.get(name, "not installed"), now.get(name, "not installed"))


def _pair(name: str, there: Any, here: Any) -> str:
    return f"{name}: {_short(there)} there, {_short(here)} here"


def _short(value: Any) -> str:
    text = "none" if value is None else str(value)
    return text if len(text) <= 40 else f"{text[:37]}..."


def _findings(
    record: Record, again: Record, stated: Arrays | None, outcome: Outcome, tolerance: float
) -> Iterator[str]:
    if record.status is not again.status:
        yield f"was {_ending(record)}, and is {_ending(again)} here"
        return
    for kind, there, here in (
        ("", record.scores, again.scores),
        (" of users with a history", record.scores_warm or {}, again.scores_warm or {}),
    ):
        for key in sorted(there.keys() | here.keys()):
            before, now = there.get(key), here.get(key)
            if before is None or now is None or abs(before - now) > tolerance * max(1.0, abs(before)):
                yield f"{key}{kind} was {before!r}, and is {now!r} here"
    if tolerance == 0.0 and stated is not None:
        yield from _list_findings(stated, outcome)


def _ending(record: Record) -> str:
    return str(record.status) + (
        f" ({record.reason[:160]})" if record.reason and record.status is not Status.OK else ""
    )


def _list_findings(stated: Arrays, outcome: Outcome) -> Iterator[str]:
    """Where nothing differs, lists and predictions are the same, too."""
    lists, predictions = stated
    if outcome.lists is None or lists.shape != outcome.lists.shape:
        yield "its lists have another shape here"
    elif n := int(np.count_nonzero((lists != outcome.lists).any(axis=1))):
        yield f"the lists of {n:,} of {len(lists):,} users are others here"
    if (predictions is None) != (outcome.predictions is None):
        yield "it predicts ratings there or here, and not in both"
    elif predictions is not None and not np.array_equal(predictions, np.asarray(outcome.predictions), equal_nan=True):
        yield "its predictions are others here"

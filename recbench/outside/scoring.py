"""From files that another system wrote to a record in the store."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from pathlib import Path

import numpy as np

from recbench.comparing import analyse_store
from recbench.data import FloatArray, Int32Array, Split
from recbench.datasets.checksums import sha256_of
from recbench.errors import RecbenchError, UnknownName
from recbench.outside.checking import lists_of, predictions_of
from recbench.outside.folds import only
from recbench.outside.reading import read_lists, read_predictions
from recbench.protocols.readers import Unfit, label
from recbench.protocols.spec import Protocol
from recbench.recording import MadeElsewhere, record_of_external
from recbench.records import Costs, Record, Store
from recbench.registry import Registry
from recbench.scene import Scene, prepare


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """What is to be scored.

    Attributes:
        name: of the row.
        lists: a file of lists, or None.
        predictions: a file of predictions, or None.
        form: how the lists are written, one of `FORMATS`; None: find out.
        fold: which fold they are of; None where the protocol has but one.
        costs: what making them took, as stated.
    """

    name: str
    lists: Path | None = None
    predictions: Path | None = None
    form: str | None = None
    fold: int | None = None
    costs: Costs = field(default_factory=Costs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """What came of it.

    Attributes:
        users: how many there are to serve.
        short: how many of them have a list that is not full.
        without: how many have none. None of both where no lists were given.
    """

    record: Record
    path: Path
    users: int
    short: int | None = None
    without: int | None = None


def score(
    submission: Submission, protocol: Protocol, registry: Registry, output: Path, *, data_dir: Path | None = None
) -> Scored:
    """Check a submission, score it, and keep its record in the store below `output`.

    Raises:
        RecbenchError: the name is taken, there is nothing to score, or a file is wrong.
    """
    _check_name(submission.name, {*registry.algorithms, *(row.label for row in protocol.rows)})
    scene = prepare(protocol, registry, data_dir=data_dir)
    split = only(scene, submission.fold)
    _check_use(submission, scene, split)
    lists = None if submission.lists is None else _lists(submission, submission.lists, scene, split)
    predictions = None if submission.predictions is None else _predictions(submission.predictions, split)
    files = [path for path in (submission.lists, submission.predictions) if path is not None]
    made = MadeElsewhere(
        name=submission.name,
        lists=lists,
        predictions=predictions,
        costs=submission.costs,
        files={path.name: sha256_of(path) for path in files},
    )
    record = record_of_external(made, scene, split)
    n_users = split.dataset.n_users
    kept = made.to_keep(n_users, protocol.evaluation.depth)
    store = Store(output)
    path = store.save(record, lists=kept, predictions=predictions)
    analyse_store(store, scene)
    if lists is None:
        return Scored(record=record, path=path, users=n_users)
    lengths = np.count_nonzero(lists >= 0, axis=1)
    short = int(np.count_nonzero((lengths > 0) & (lengths < lists.shape[1])))
    return Scored(record=record, path=path, users=n_users, short=short, without=int(np.count_nonzero(lengths == 0)))


def stated(costs: Iterable[str]) -> Costs:
    """Costs out of "fit_seconds=12".

    Raises:
        RecbenchError: there is no such cost, or it is no number from 0 on.
    """
    known = [each.name for each in fields(Costs)]
    found: dict[str, float] = {}
    for cost in costs:
        name, _, text = cost.partition("=")
        if name not in known:
            raise UnknownName.among("cost", name, known, fix=f"give one of {', '.join(known)}, as in fit_seconds=12")
        found[name] = _cost(name, text)
    return Costs(**found)


def _cost(name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value < 1e100:
        raise RecbenchError(f"{name} is {text!r}", fix=f"give a number from 0 on, as in {name}=12")
    return value


def _check_name(name: str, taken: Iterable[str]) -> None:
    try:
        label(name)
    except Unfit as fault:
        raise RecbenchError(f"the name {name!r} cannot be that of a row", fix=f"give {fault.expected}") from fault
    if name in taken:
        raise RecbenchError(f"{name!r} is the name of an algorithm on offer", fix="give what you made another name")


def _check_use(submission: Submission, scene: Scene, split: Split) -> None:
    """See that what is given can be scored."""
    if submission.lists is None and submission.predictions is None:
        raise RecbenchError("there is nothing to score", fix="give a file of lists, or one with --predictions, or both")
    if submission.predictions is None:
        return
    if split.dataset.scale is None:
        raise RecbenchError("the data has no ratings, so there is nothing to predict", fix="leave out --predictions")
    if submission.lists is None and all(metric.kind != "pair" for metric in scene.metrics.values()):
        raise RecbenchError(
            f"protocol {scene.protocol.name!r} has no metric of predictions", fix="give lists, or take another protocol"
        )


def _lists(submission: Submission, path: Path, scene: Scene, split: Split) -> Int32Array:
    evaluation = scene.protocol.evaluation
    return lists_of(
        read_lists(path, submission.form),
        split,
        depth=evaluation.depth,
        exclude_seen=evaluation.exclude_seen,
        candidates=scene.candidates(split),
    )


def _predictions(path: Path, split: Split) -> FloatArray:
    return predictions_of(read_predictions(path), split)

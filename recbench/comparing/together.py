"""The straight line of a comparison: find rows, hold them to one ground, make the split anew, align, test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from recbench import metrics
from recbench.cache import Cache
from recbench.comparing.contrasts import Comparison, compare_groups, compare_metric
from recbench.comparing.rows import Row, check_same_ground, find_rows
from recbench.comparing.scores import ByUser, check_ground, population, score_row
from recbench.errors import RecbenchError, UnknownName
from recbench.protocols.loading import load
from recbench.protocols.spec import Protocol
from recbench.registry import Registry
from recbench.scene import Scene, prepare
from recbench.statistics import Test

MOST_FOR_GROUPS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to compare.

    Attributes:
        cache: where data that was read and split is kept; None: it is read and split in any case.
        wanted: labels of `output`, record files and folders; none: all of `output`.
        protocol: a name or a file; None: the one that the records name.
        keys: scores to compare, as "ndcg@10"; none: all at the primary metric's cut-off.
    """

    output: Path
    wanted: tuple[str, ...] = ()
    protocol: str | None = None
    keys: tuple[str, ...] = ()
    data_dir: Path | None = None
    cache: Cache | None = None
    test: Test = "permutation"


def compare(request: Request, registry: Registry) -> Comparison:
    """Compare rows, paired by user.

    Raises:
        RecbenchError: a row cannot be found or compared, the rows do not stand on one ground, or the data is not
            at hand.
        BadRecord: scores do not follow from the lists.
    """
    named = None if request.protocol is None else protocol_of(request.protocol, registry)
    found = find_rows(request.wanted, request.output, None if named is None else named.name)
    if len(found.rows) < 2:
        lacking = "".join(f"; {name}: {why}" for name, why in found.left_out.items())
        raise RecbenchError(f"there are {len(found.rows)} rows to compare{lacking}", fix="give at least two")
    check_same_ground(found.rows)
    scene = scene_of(found.rows, named, request, registry)
    keys = request.keys or default_keys(scene)
    rows = [score_row(row, scene, _with_primary(keys, scene)) for row in found.rows]
    return Comparison(
        protocol=scene.protocol.name,
        title=scene.protocol.title,
        fingerprint=scene.fingerprint,
        population=population(found.rows[0].first),
        test=request.test,
        metrics=tuple(compare_metric(key, rows, scene, request.test) for key in keys),
        groups=tuple(compare_groups(_main(keys, rows), rows, scene)) if len(rows) <= MOST_FOR_GROUPS else (),
        left_out=found.left_out,
    )


def protocol_of(reference: str, registry: Registry) -> Protocol:
    """A protocol by name or file."""
    return load(reference, {name: each.value for name, each in registry.protocols.items()})


def scene_of(rows: Sequence[Row], named: Protocol | None, request: Request, registry: Registry) -> Scene:
    """The data and the splits that the rows were made on, made anew.

    Raises:
        RecbenchError: the protocol or the data is not at hand, or not that of the records; a key is unknown.
    """
    name = str(rows[0].first.protocol["name"])
    if named is None:
        if name not in registry.protocols:  # what a record says is a name, and never a file to open
            raise RecbenchError(
                f"scores by user need the protocol {name!r} of the records, and it is not on offer here",
                fix="give its file with -p",
            )
        named = protocol_of(name, registry)
    scene = prepare(named, registry, data_dir=request.data_dir, cache=request.cache)
    for row in rows:
        check_ground(row, scene)
    known = _keys(scene)
    for key in request.keys:
        if key not in known:
            raise UnknownName.among("score", key, known, fix=f"give one that {scene.protocol.name!r} has")
    return scene


def default_keys(scene: Scene) -> tuple[str, ...]:
    """The primary metric first, then the others at its cut-off, or at the greatest where it has none."""
    evaluation = scene.protocol.evaluation
    _, at, cutoff = evaluation.primary.partition("@")
    k = int(cutoff) if at else max(evaluation.cutoffs)
    others = [metrics.key_of(scene.metrics[name], k, evaluation) for name in evaluation.metrics]
    return tuple(dict.fromkeys([scene.primary, *others]))


def _keys(scene: Scene) -> tuple[str, ...]:
    evaluation = scene.protocol.evaluation
    found = [
        metrics.key_of(scene.metrics[name], k, evaluation) for name in evaluation.metrics for k in evaluation.cutoffs
    ]
    return tuple(dict.fromkeys(found))


def _with_primary(keys: Sequence[str], scene: Scene) -> tuple[str, ...]:
    return tuple(dict.fromkeys([*keys, scene.primary]))


def _main(keys: Sequence[str], rows: Sequence[ByUser]) -> str:
    """The first key that has values by user in all rows."""
    able = [key for key in keys if all(key in row.values or key in row.sums for row in rows)]
    return able[0] if able else keys[0]

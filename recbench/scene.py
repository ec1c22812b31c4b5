"""What all trials of a run share: the data, its splits, the metrics, and the fingerprint over what decides scores."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recbench import candidates, datasets, metrics, prepared
from recbench.api import Metric
from recbench.cache import KINDS, Cache, root
from recbench.data import Int32Array, Int64Array, Split
from recbench.errors import BadData
from recbench.prepared import OnPhase, unheard
from recbench.protocols.loading import check_metrics
from recbench.protocols.spec import Protocol, fingerprint
from recbench.registry import Registry


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scene:
    """What all trials of a run share.

    Attributes:
        data: facts about the data for the record: title, license, citation, counts, what was dropped.
        metrics: those that the protocol asks for, by name.
        fingerprint: over what decides scores: data, splits and evaluation.
        candidate_pairs: users and items of the protocol's file of candidates, or None without one.
    """

    protocol: Protocol
    splits: tuple[Split, ...]
    data: Mapping[str, Any]
    metrics: Mapping[str, Metric]
    fingerprint: str
    candidate_pairs: tuple[Int64Array, Int32Array] | None = None

    @property
    def primary(self) -> str:
        """The key of the score that sorts the board."""
        evaluation = self.protocol.evaluation
        name, at, cutoff = evaluation.primary.partition("@")
        return metrics.key_of(self.metrics[name], int(cutoff) if at else 0, evaluation)

    def candidates(self, split: Split) -> Int32Array | None:
        """The candidate sets of a fold, (n_users, c) int32 padded with -1; None where every item is a candidate."""
        return _candidates(self, split)


def prepare(
    protocol: Protocol,
    registry: Registry,
    *,
    data_dir: Path | None = None,
    cache: Cache | None = None,
    on_phase: OnPhase = unheard,
) -> Scene:
    """Load the data and split it, and hold both against what the protocol pins.

    Args:
        data_dir: folder that holds data sets, looked at before all others.
        cache: where data that was read and split is kept; None: it is read and split in any case.
        on_phase: as in `prepared.prepare`.

    Raises:
        RecbenchError: the data, the protocol or both together are wrong.
    """
    offered = {name: metric.value for name, metric in registry.metrics.items()}
    check_metrics(protocol, offered)
    asked = tuple(offered[name] for name in protocol.evaluation.metrics)
    sources = {name: source.value for name, source in registry.sources.items()}
    found = prepared.prepare(protocol, sources=sources, data_dir=data_dir, cache=cache, on_phase=on_phase)
    made = found.splits
    metrics.check(asked, made[0].dataset)
    _check_pins(protocol, made)
    chosen = protocol.evaluation.candidates
    return Scene(
        protocol=protocol,
        splits=made,
        data=found.facts,
        metrics={metric.name: metric for metric in asked},
        candidate_pairs=None if isinstance(chosen, str) else datasets.pairs(chosen, made[0].dataset),
        fingerprint=fingerprint({**protocol.deciding(), "splits": [split.fingerprint for split in made]}),
    )


@functools.lru_cache(maxsize=2)  # all trials of a fold share theirs, and folds come one after another
def _candidates(scene: Scene, split: Split) -> Int32Array | None:
    if scene.candidate_pairs is not None:
        return candidates.tabulate(split, *scene.candidate_pairs)
    kind, _, number = str(scene.protocol.evaluation.candidates).partition(":")
    return candidates.draw(split, int(number)) if kind == "uniform" else None


def hidden_folders(protocol: Protocol, data_dir: Path | None = None, cache: Cache | None = None) -> tuple[Path, ...]:
    """What a sandbox hides: where test parts are kept, and where the data's own files lie, which hold them as well."""
    data, chosen = protocol.data, protocol.evaluation.candidates
    files = [data.interactions, data.users, data.items, None if isinstance(chosen, str) else chosen]
    files += [part for fold in data.folds for part in (fold.train, fold.test)]
    own = {file.path.resolve().parent for file in files if file is not None and data.source is None}
    there = [folder for folder in (*datasets.folders(data_dir), *sorted(own)) if folder.is_dir()]
    roots = {root(), root() if cache is None else cache.root}
    return (*there, *(each / kind for each in sorted(roots) for kind in KINDS))


def _check_pins(protocol: Protocol, made: tuple[Split, ...]) -> None:
    pinned, found = protocol.pinned.splits, tuple(split.fingerprint for split in made)
    if pinned and pinned != found:
        raise BadData(
            f"protocol {protocol.name!r} pins splits {_short(pinned)}, and this data gives {_short(found)}",
            fix="use the data it was made for, or a copy of the protocol under a new name without [pinned]",
        )


def _short(fingerprints: tuple[str, ...]) -> str:
    return ", ".join(each[:12] for each in fingerprints)

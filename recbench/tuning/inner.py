"""The question that a search asks: train and validation of a protocol, and nothing of its test part. Pure."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from recbench.data import Split, owned
from recbench.fingerprints import split_fingerprint, tables_hash
from recbench.heldout import RULES, Draw, Pool, first_of_each_user
from recbench.protocols.spec import EvaluationSpec, FileSpec, SplitSpec
from recbench.scene import Scene


def on_validation(scene: Scene) -> Scene:
    """The same question with each fold's validation part as its test part, and its test rows gone altogether.

    What is left of train gets a validation part of its own by the same rule, for those who stop early by one. Only
    the primary metric is left to score by.
    """
    protocol = scene.protocol
    primary = protocol.evaluation.primary.partition("@")[0]
    return replace(
        scene,
        protocol=replace(protocol, evaluation=_by_primary(protocol.evaluation)),
        metrics={name: metric for name, metric in scene.metrics.items() if name == primary},
        splits=tuple(inner_split(split, protocol.split) for split in scene.splits),
        candidate_pairs=None,
    )


def inner_split(split: Split, spec: SplitSpec) -> Split:
    """A split of train alone: its validation part becomes the test part."""
    rows = np.sort(np.concatenate([split.train_rows, split.validation_rows]))
    dataset = split.dataset.with_interactions(split.dataset.interactions.take(rows))
    train, test = np.searchsorted(rows, split.train_rows), np.searchsorted(rows, split.validation_rows)
    history = test[:0]
    if spec.history > 0:
        early = first_of_each_user(Pool(interactions=dataset.interactions, rows=test), spec.history)
        history, test = test[early], test[~early]
    repeat = split.fold // spec.folds if spec.kind == "k-fold" else split.fold
    draw = Draw(share=spec.validation, by=spec.by, seed=spec.seed, key=(repeat, 2, split.fold))
    held = RULES[spec.kind](Pool(interactions=dataset.interactions, rows=train), draw)
    parts = {"train": train[~held], "validation": train[held], "test": test, "history": history}
    return Split(
        dataset=dataset,
        fold=split.fold,
        **{f"{name}_rows": owned(part) for name, part in parts.items()},
        fingerprint=split_fingerprint(dataset.interactions, parts, tables_hash(dataset)),
        leaks_future=None,
    )


def _by_primary(evaluation: EvaluationSpec) -> EvaluationSpec:
    name, at, cutoff = evaluation.primary.partition("@")
    # Candidates out of a file were chosen for the pairs of the test part.
    candidates = "all" if isinstance(evaluation.candidates, FileSpec) else evaluation.candidates
    cutoffs = (int(cutoff),) if at else evaluation.cutoffs
    return replace(evaluation, metrics=(name,), cutoffs=cutoffs, candidates=candidates)

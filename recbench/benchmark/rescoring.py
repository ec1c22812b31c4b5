"""Records scored anew under another evaluation, or by newer metrics."""

from __future__ import annotations

from pathlib import Path

from recbench.comparing import analyse_store
from recbench.protocols.spec import Protocol
from recbench.recording import rescored
from recbench.records import Status, Store, read_lists
from recbench.registry import Registry
from recbench.scene import prepare
from recbench.trials import is_ranked_like


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
        record = store.load(path)
        split = wanted.get(record.identity.get("split", ""))
        if split is None or record.status is not Status.OK or not is_ranked_like(record.identity, protocol):
            left += 1
            continue
        lists, predictions = read_lists(path, record)
        store.save(rescored(record, scene, split, lists, predictions), lists=lists, predictions=predictions)
        done += 1
    analyse_store(store, scene)
    return done, left

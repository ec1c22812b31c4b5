"""Which folds of a protocol are meant."""

from __future__ import annotations

from recbench.data import Split
from recbench.errors import RecbenchError
from recbench.scene import Scene


def chosen(scene: Scene, fold: int | None) -> tuple[Split, ...]:
    """The fold of that number; all of them for None.

    Raises:
        RecbenchError: the protocol has no such fold.
    """
    if fold is None:
        return scene.splits
    found = tuple(split for split in scene.splits if split.fold == fold)
    if not found:
        raise RecbenchError(
            f"protocol {scene.protocol.name!r} has no fold {fold}", fix=f"give one of {numbers(scene)} with --fold"
        )
    return found


def only(scene: Scene, fold: int | None) -> Split:
    """The fold of that number; for None the only one there is.

    Raises:
        RecbenchError: the protocol has no such fold, or several.
    """
    first, *others = chosen(scene, fold)
    if others:
        raise RecbenchError(
            f"protocol {scene.protocol.name!r} has {len(scene.splits)} folds, and lists are of one",
            fix=f"say which with --fold: {numbers(scene)}",
        )
    return first


def numbers(scene: Scene) -> str:
    """The numbers of a protocol's folds, for people."""
    first, last = scene.splits[0].fold, scene.splits[-1].fold
    return str(first) if first == last else f"{first} to {last}"

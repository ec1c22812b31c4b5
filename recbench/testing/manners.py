"""Rules on what an algorithm leaves alone."""

from __future__ import annotations

import logging
import os
import random
import sys
import threading
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recbench.data import Dataset
from recbench.testing import worlds
from recbench.testing.fresh import fit_afresh, import_afresh
from recbench.testing.randomness import globally_seeded
from recbench.testing.rule import Breach
from recbench.testing.subject import Subject

_MOST_IMPORT_SECONDS = 1.0


def input_is_left_alone(subject: Subject) -> None:
    """All algorithms of a run share one copy of the data; it is read-only, and nobody may make it writable."""
    rows = worlds.checkerboard().train.interactions
    train = worlds.checkerboard().train.with_interactions(rows.take(np.arange(len(rows))))  # arrays of its own
    before = [(name, array.tobytes()) for name, array in _arrays(train)]
    fitted = subject.fit(train)
    users = fitted.everybody()
    fitted.answers(users)
    for (name, content), (_, array) in zip(before, _arrays(train), strict=True):
        if array.tobytes() != content or array.flags.writeable:
            raise Breach(f"it changed {name}, or made it writable", fix="work on a copy: `values.copy()`")
    if users.flags.writeable or not np.array_equal(users, np.arange(train.n_users)):
        raise Breach("it changed the array of users that it was asked for", fix="work on a copy: `users.copy()`")


def global_state_is_left_alone(subject: Subject) -> None:
    """Whoever runs an algorithm inside a program of their own must not find that program changed."""
    subject.fitted(worlds.checkerboard())  # what importing a framework changes is not the algorithm's doing
    with globally_seeded(987):  # a state that no algorithm would leave behind
        before = _global_state()
        fitted = subject.fit(worlds.checkerboard().train)
        fitted.answers(fitted.everybody())
        changed = [name for name, value in _global_state().items() if value != before[name]]
    if changed:
        raise Breach(
            f"it changes {', '.join(changed)}",
            fix="use generators of your own, `with warnings.catch_warnings()`, and restore what you set",
        )


def importing_is_cheap(subject: Subject) -> None:
    """Every command imports every plugin: a framework at module level would slow all of them, and may be missing."""
    imported = import_afresh(subject.plugin)
    if imported.frameworks:
        raise Breach(
            f"importing {subject.plugin.module} imports {', '.join(imported.frameworks)}",
            fix="put the class into a module of its own, and name that in Algorithm(target=...)",
        )
    if imported.cpu_seconds > _MOST_IMPORT_SECONDS:
        raise Breach(
            f"importing {subject.plugin.module} takes {imported.cpu_seconds:.1f} s of the processor",
            fix="compute and load nothing at module level",
        )


def nothing_is_printed(subject: Subject) -> None:
    """Standard output belongs to whoever runs the command; logging is for the rest."""
    printed = fit_afresh(subject).printed
    if printed:
        raise Breach(
            f"it prints {printed[:60]!r} to standard output", fix="use `logging`, or turn the progress bar off"
        )


def no_file_is_left(subject: Subject) -> None:
    """A trial's folder is thrown away, a user's home is not: what an algorithm writes, it must clean up."""
    left = fit_afresh(subject).files
    if left:
        raise Breach(f"it leaves {', '.join(left[:3])}", fix="use `tempfile.TemporaryDirectory()` in a `with` block")


def network_is_not_used(subject: Subject) -> None:
    """A result that depends on a server cannot be made again."""
    connections = fit_afresh(subject).connections
    if connections:
        raise Breach(f"it connects to {', '.join(connections[:3])}", fix="ship what it needs with the package")


def test_data_is_not_sought(subject: Subject) -> None:
    """The answers are laid as bait, in a file, in the environment and in the caller's frame: nobody may take them."""
    taken = fit_afresh(subject).bait
    if taken:
        raise Breach(f"it looks at the test data laid as bait: {', '.join(taken)}", fix="learn from `train` alone")


def _arrays(train: Dataset) -> Iterator[tuple[str, NDArray[Any]]]:
    rows = train.interactions
    columns = {"user": rows.user, "item": rows.item, "rating": rows.rating, "time": rows.time}
    yield from ((f"train.interactions.{name}", array) for name, array in columns.items() if array is not None)
    yield "train.user_ids", train.user_ids
    yield "train.item_ids", train.item_ids
    for name, column in train.items.items():
        for part in ("values", "codes", "starts"):
            if (array := getattr(column, part, None)) is not None:
                yield f"train.items[{name!r}].{part}", array


def _global_state() -> Mapping[str, Any]:
    torch = sys.modules.get("torch")
    return {
        "the state of `random`": random.getstate(),
        "the state of `np.random`": str(np.random.get_state()),
        "warnings' filters": list(warnings.filters),
        "the environment": dict(os.environ),
        "the working folder": os.getcwd(),
        "running threads": {thread.ident for thread in threading.enumerate()},
        "NumPy's handling of errors": np.geterr(),
        "logging": (logging.root.level, logging.root.manager.disable, list(logging.root.handlers)),
        "PyTorch's threads": None if torch is None else torch.get_num_threads(),
        "PyTorch's random state": None if torch is None else torch.get_rng_state().numpy().tobytes(),
    }

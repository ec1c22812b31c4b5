"""What both sides share: the data, one way to take the time, and the answer as one line of JSON.

Each side runs in an interpreter of its own, which may lack the other's libraries, so this needs NumPy and nothing else.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Data:
    """Training rows, and pairs to predict.

    Attributes:
        user, item: (n,) int32.
        rating: (n,) float32, 1 to 5.
        asked_user, asked_item: (m,) int32, pairs that are not in training.
    """

    user: NDArray[np.int32]
    item: NDArray[np.int32]
    rating: NDArray[np.float32]
    asked_user: NDArray[np.int32]
    asked_item: NDArray[np.int32]
    n_users: int
    n_items: int

    def save(self, path: Path) -> None:
        """Write it as .npz."""
        np.savez(path, **{name: getattr(self, name) for name in self.__slots__})

    @classmethod
    def load(cls, path: Path) -> Data:
        """Read what `save` wrote."""
        with np.load(path, allow_pickle=False) as found:
            columns = {name: found[name] for name in found.files}
        sizes = {name: int(columns.pop(name)) for name in ("n_users", "n_items")}
        return cls(**columns, **sizes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What is timed of one model. `use` is for all users top 10 without what they have, or all pairs predicted."""

    fit: Callable[[], object]
    use: Callable[[], object]


Case: TypeAlias = Callable[[Data], Work]


def answer(cases: Mapping[str, Case]) -> None:
    """Run the case and the data that the command line names, and print seconds of the processor and memory.

    On one thread they are what a quiet machine takes, and a busy one moves them least.
    """
    name, path = sys.argv[1], Path(sys.argv[2])
    work = cases[name](Data.load(path))
    started = time.process_time()
    work.fit()
    fitted = time.process_time()
    work.use()
    used = time.process_time()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # kilobytes on Linux
    print(json.dumps({"fit": fitted - started, "use": used - fitted, "peak_mb": peak}))

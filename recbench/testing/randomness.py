"""The global random state, set for a while and put back."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator

import numpy as np


@contextlib.contextmanager
def globally_seeded(seed: int) -> Iterator[None]:
    """Within it `random` and `np.random` go on from `seed`; after it, from where they were."""
    kept = random.getstate(), np.random.get_state()
    random.seed(seed)
    np.random.seed(seed)
    try:
        yield
    finally:
        random.setstate(kept[0])
        np.random.set_state(kept[1])

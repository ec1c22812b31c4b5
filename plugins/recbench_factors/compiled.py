"""Compiling loops that cannot be vectorised, since each step needs what the one before has changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec

P = ParamSpec("P")


def compiled(loop: Callable[P, None], signature: str) -> Callable[P, None]:
    """The same function as machine code; half a second each.

    Nothing is kept on disk: a cache would lie beside the installed package, where a trial has no business to write.
    """
    from numba import njit

    machine_code: Callable[P, None] = njit(signature)(loop)
    return machine_code

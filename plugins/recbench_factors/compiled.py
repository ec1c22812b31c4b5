"""Compiling loops that cannot be vectorised, since each step needs what the one before has changed."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import ParamSpec

P = ParamSpec("P")


def compiled(loop: Callable[P, None], signature: str) -> Callable[P, None]:
    """The same function as machine code, which takes half a second once a process.

    Nothing is kept on disk: a cache would lie beside the installed package, where a trial has no business to write.
    """
    return _machine_code(loop, signature)


@cache
def _machine_code(loop: Callable[..., None], signature: str) -> Callable[..., None]:
    from numba import njit

    code: Callable[..., None] = njit(signature)(loop)
    return code

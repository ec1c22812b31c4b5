"""A plugin-based benchmark suite for recommender systems.

`run` and `Leaderboard` are for scripts and notebooks, and imported when they are first used. Plugins import
`recbench.api`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from recbench.errors import RecbenchError
    from recbench.interface import Leaderboard, run

__all__ = ["Leaderboard", "RecbenchError", "run"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from recbench import interface

    return getattr(interface, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

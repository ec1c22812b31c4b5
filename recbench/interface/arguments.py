"""What callers may write: one name for a list, text for a path; and what they are warned of."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

from recbench.cache import Cache, limit, root
from recbench.errors import BadRecord
from recbench.offering import everything
from recbench.registry import Broken, Registry

AnyPath: TypeAlias = str | Path
OUTPUT = "recbench-out"


def offered(plugins: Sequence[AnyPath]) -> Registry:
    """Everything on offer; what is broken is a warning."""
    found = everything(files=tuple(map(Path, plugins)))
    broken = [each for each in found.plugins if isinstance(each, Broken)]
    for text in (*found.warnings, *(f"plugin {each.plugin.name} is broken: {each.reason}" for each in broken)):
        warnings.warn(text, stacklevel=3)
    return found


def cache() -> Cache:
    """The user's cache folder; why something cannot be kept there is a warning."""
    return Cache(root=root(), limit=limit(), tell=lambda why: warnings.warn(why, stacklevel=5))


def passed_over(problem: BadRecord) -> None:
    """Warn of a damaged record."""
    warnings.warn(f"passed over: {problem.what}. {problem.fix}.", stacklevel=5)


def several(names: str | Sequence[str]) -> tuple[str, ...]:
    """One name is a list of one."""
    return (names,) if isinstance(names, str) else tuple(names)


def path_or_none(path: AnyPath | None) -> Path | None:
    """A path where there is one."""
    return None if path is None else Path(path)

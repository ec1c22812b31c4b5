"""From a target, "module:Class", to an algorithm with its parameters."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recbench.single_file import import_file
from recbench.worker.parameters import BadParameters, check_parameters


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How to make an algorithm. `file`: a single-file plugin that the module is read from, or None."""

    target: str
    file: str | None
    parameters: Mapping[str, Any]

    def make(self, **changes: Any) -> Any:
        """Import the class, check the parameters, construct.

        Raises:
            BadParameters: the constructor does not take them.
        """
        return self.constructor(**changes)()

    def constructor(self, **changes: Any) -> Callable[[], Any]:
        """Import the class and check the parameters."""
        parameters = {**self.parameters, **changes}
        cls = self._class()
        check_parameters(cls, parameters)
        return lambda: cls(**parameters)

    def _class(self) -> Callable[..., Any]:
        module_name, _, name = self.target.partition(":")
        module = import_file(Path(self.file)) if self.file else importlib.import_module(module_name)
        found: Callable[..., Any] = getattr(module, name)
        return found


class Builder:
    """What `fit` gets as `build`: makes declared components by name, and nothing else."""

    def __init__(self, recipes: Mapping[str, Recipe]) -> None:
        self._recipes = recipes

    def __call__(self, name: str, **parameters: Any) -> Any:
        """An unfitted algorithm. Parameters given here go before those the protocol gives it."""
        if name not in self._recipes:
            declared = ", ".join(map(repr, self._recipes)) or "none"
            raise BadParameters(f"{name!r} is not among the declared components: {declared}")
        return self._recipes[name].make(**parameters)

"""What is on offer: finds plugins in installed packages and single files, and loads each on its own.

Finding and loading are two steps with two types, and a fault is a value: a plugin that cannot be loaded is
`Broken`, with the reason, and harms nobody else. Of two plugins that offer one name the first has it: recbench's
own come first, then the others by distribution and name, single files last.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Generic, TypeAlias, TypeVar

from recbench.api import Algorithm, Metric, Source
from recbench.collecting import Loaded, load, name_of
from recbench.distribution import distribution
from recbench.errors import RecbenchError, UnknownName
from recbench.installed import Broken, Disabled, Plugin, disable, find, plugin_of

__all__ = [
    "Broken",
    "Disabled",
    "Loaded",
    "Offered",
    "Plugin",
    "Registry",
    "discover",
    "find",
    "how_to_install",
    "load",
    "missing",
]

DISABLED_BY = "RECBENCH_DISABLE_PLUGINS"
T = TypeVar("T")
Settled: TypeAlias = Loaded | Broken | Disabled


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered(Generic[T]):
    """Something on offer, and whose it is."""

    value: T
    plugin: Plugin


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry:
    """All that is on offer, by name, in the order of names; every plugin found; what the user should hear of."""

    algorithms: Mapping[str, Offered[Algorithm]] = field(default_factory=dict)
    sources: Mapping[str, Offered[Source]] = field(default_factory=dict)
    metrics: Mapping[str, Offered[Metric]] = field(default_factory=dict)
    protocols: Mapping[str, Offered[Path]] = field(default_factory=dict)
    plugins: tuple[Settled, ...] = ()
    warnings: tuple[str, ...] = ()

    def algorithm(self, name: str) -> Offered[Algorithm]:
        """The algorithm called `name`.

        Raises:
            UnknownName: nobody offers it.
        """
        if name not in self.algorithms:
            raise UnknownName.among(
                "algorithm", name, self.algorithms, fix="run `recbench list`, or install the package that offers it"
            )
        return self.algorithms[name]


def discover(
    *,
    files: Sequence[Path] = (),
    sources: Iterable[Source] = (),
    metrics: Iterable[Metric] = (),
    protocols: Iterable[Path] = (),
    disabled: Iterable[str] = (),
) -> Registry:
    """Find every plugin, and load those that are not switched off.

    RECBENCH_DISABLE_PLUGINS switches off, too: names with commas between them. One that is not installed is a
    warning there, since the variable may serve many environments.

    Args:
        files: single-file plugins. These are asked for, and never switched off.
        sources: what recbench itself offers beside its plugins.
        metrics: likewise.
        protocols: likewise.
        disabled: entry points or distributions not to import.

    Raises:
        UnknownName: a name in `disabled` that is neither.
    """
    own = Loaded(plugin=_own(), sources=tuple(sources), metrics=tuple(metrics), protocols=tuple(protocols))
    found, warnings = _without_disabled(find(), tuple(disabled))
    wanted = [*found, *map(_file_plugin, files)]
    return _merge([own, *(load(each) if isinstance(each, Plugin) else each for each in wanted)], warnings)


def missing(algorithm: Algorithm) -> tuple[str, ...]:
    """The modules that `algorithm` requires and that are not installed. Imports nothing."""
    return tuple(module for module in algorithm.requires if importlib.util.find_spec(module.partition(".")[0]) is None)


def how_to_install(offered: Offered[Algorithm]) -> str:
    """The command that installs what `offered` lacks: by an extra of its distribution where there is one."""
    lacking = missing(offered.value)
    extras = [_extra_with(offered.plugin.distribution, module) for module in lacking]
    if offered.plugin.file is None and extras and all(extras):
        return f"pip install '{offered.plugin.distribution}[{','.join(sorted({str(extra) for extra in extras}))}]'"
    return f"pip install {' '.join(lacking)}"


def _without_disabled(
    found: Sequence[Plugin | Broken], asked: Sequence[str]
) -> tuple[list[Plugin | Broken | Disabled], tuple[str, ...]]:
    for name in asked:
        if (problem := _unknown(name, found)) is not None:
            raise problem
    listed = tuple(name.strip() for name in os.environ.get(DISABLED_BY, "").split(",") if name.strip())
    problems = [problem.what for name in listed if (problem := _unknown(name, found)) is not None]
    remaining = disable(disable(found, asked, by="--disable-plugin"), listed, by=DISABLED_BY)
    return remaining, tuple(f"{DISABLED_BY}: {what}" for what in problems)


def _unknown(name: str, found: Iterable[Plugin | Broken]) -> UnknownName | None:
    plugins = [plugin_of(each) for each in found]
    if any(plugin.goes_by(name) for plugin in plugins):
        return None
    names = dict.fromkeys(name for plugin in plugins for name in (plugin.name, plugin.distribution))
    return UnknownName.among("plugin", name, names, fix="run `recbench list plugins` for their names")


def _own() -> Plugin:
    own = distribution()
    return Plugin(name="recbench", module="recbench", distribution=own.name, version=own.version)


def _file_plugin(path: Path) -> Plugin:
    if not path.is_file():
        raise RecbenchError(f"there is no plugin file {str(path)!r}", fix="give --plugin the path of a Python file")
    return Plugin(name=str(path), module=path.stem, distribution=path.name, version="file", file=path.resolve())


Slot: TypeAlias = dict[str, Offered[Any]]


def _merge(plugins: Sequence[Settled], warnings: tuple[str, ...]) -> Registry:
    """Put everything on offer under its name. A plugin that takes a name that is taken offers nothing at all."""
    kinds: dict[str, Slot] = {"algorithms": {}, "sources": {}, "metrics": {}, "protocols": {}}
    settled: list[Settled] = []
    for plugin in plugins:
        reason = _clash(plugin, kinds) if isinstance(plugin, Loaded) else None
        settled.append(Broken(plugin=plugin.plugin, reason=reason) if reason else plugin)
        if isinstance(plugin, Loaded) and not reason:
            for kind, slot in kinds.items():
                slot.update({name_of(v): Offered(value=v, plugin=plugin.plugin) for v in getattr(plugin, kind)})
    ordered: dict[str, Any] = {kind: MappingProxyType(dict(sorted(slot.items()))) for kind, slot in kinds.items()}
    return Registry(plugins=tuple(settled), warnings=warnings, **ordered)


def _clash(plugin: Loaded, kinds: Mapping[str, Slot]) -> str | None:
    for kind, slot in kinds.items():
        seen: set[str] = set()
        for name in map(name_of, getattr(plugin, kind)):
            if name in slot:
                return f"the name {name!r} ({kind}) is taken by {_whose(slot[name].plugin)}"
            if name in seen:
                return f"it offers two {kind} called {name!r}"
            seen.add(name)
    return None


def _whose(other: Plugin) -> str:
    """Who has a name, and how to do without: recbench's own offers beside its plugins cannot be switched off."""
    whose = f"{other.distribution} {other.version}"
    if other.file is not None or other == _own():
        return whose
    return f"{whose}, plugin {other.name!r}: to have this one instead, --disable-plugin {other.name}"


def _extra_with(distribution: str, module: str) -> str | None:
    """The extra of `distribution` that brings `module`, by its own name or one that is customary beside it."""
    try:
        requirements = importlib.metadata.requires(distribution) or []
    except importlib.metadata.PackageNotFoundError:
        return None
    for requirement in requirements:
        name = re.match(r"[\w.-]+", requirement)
        extra = re.search(r"extra\s*==\s*['\"]([^'\"]+)['\"]", requirement)
        if name and extra and name.group().lower().replace("_", "-") in {module, f"{module}-cpu", f"scikit-{module}"}:
            return extra.group(1)
    return None

"""What is on offer: finds plugins in installed packages and single files, and loads each on its own.

Finding and loading are two steps with two types, and a fault is a value: a plugin that cannot be loaded is
`Broken`, with the reason, and harms nobody else. Each entry point gets a plugin manager of its own, so what is
offered is attributed, and a registration that fails half-way leaves nothing behind.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any, Generic, TypeAlias, TypeVar

import pluggy

from recbench import hookspecs
from recbench.api import Algorithm, Metric, Source
from recbench.distribution import distribution
from recbench.errors import RecbenchError, UnknownName
from recbench.single_file import import_file

GROUP = "recbench"
TARGET = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plugin:
    """A plugin that was found, and not yet imported.

    Attributes:
        name: the entry point's name, or the file's path.
        module: what is imported.
        distribution: the distribution's name; for a single file its name.
        version: the distribution's version; for a single file "file".
        file: the single file, or None for an installed package.
        editable: installed from a folder that its author edits.
    """

    name: str
    module: str
    distribution: str
    version: str
    file: Path | None = None
    editable: bool = False

    @property
    def is_pinned(self) -> bool:
        """Whether the version says what the code is; a file's or an editable install's code may change under it."""
        return self.file is None and not self.editable

    def source_of(self, target: str) -> str:
        """sha256 over the Python files of the package that `target` lies in."""
        return _hash_files(_python_files(self.file, target.partition(":")[0]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered(Generic[T]):
    """Something on offer, and whose it is."""

    value: T
    plugin: Plugin


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A plugin that was imported, and what its hooks returned."""

    plugin: Plugin
    algorithms: tuple[Algorithm, ...] = ()
    sources: tuple[Source, ...] = ()
    metrics: tuple[Metric, ...] = ()
    protocols: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """A plugin that offers nothing, and why."""

    plugin: Plugin
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry:
    """All that is on offer, by name, in the order of names."""

    algorithms: Mapping[str, Offered[Algorithm]] = field(default_factory=dict)
    sources: Mapping[str, Offered[Source]] = field(default_factory=dict)
    metrics: Mapping[str, Offered[Metric]] = field(default_factory=dict)
    protocols: Mapping[str, Offered[Path]] = field(default_factory=dict)
    plugins: tuple[Loaded | Broken, ...] = ()

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
) -> Registry:
    """Find and load every plugin.

    Args:
        files: single-file plugins.
        sources: what recbench itself offers beside its plugins.
        metrics: likewise.
        protocols: likewise.
    """
    own = Loaded(plugin=_own(), sources=tuple(sources), metrics=tuple(metrics), protocols=tuple(protocols))
    loaded: list[Loaded | Broken] = [own]
    loaded += [load(plugin) for plugin in [*find(), *map(_file_plugin, files)]]
    return _merge(loaded)


def find() -> list[Plugin]:
    """Find the entry points of all installed distributions, recbench's own first, then by distribution and name."""
    points = importlib.metadata.entry_points(group=GROUP)
    found = [_describe(point) for point in points if point.dist is not None]
    mine = distribution().name
    return sorted(set(found), key=lambda plugin: (plugin.distribution != mine, plugin.distribution, plugin.name))


def load(plugin: Plugin) -> Loaded | Broken:
    """Import one plugin and collect what it offers. Never raises: a plugin's fault is a value."""
    try:
        return _collect(plugin, _import(plugin))
    except (Exception, SystemExit) as error:  # foreign code: whatever it raises is shown, and harms nobody else
        return Broken(plugin=plugin, reason=f"{type(error).__name__}: {error}")


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


def _own() -> Plugin:
    own = distribution()
    return Plugin(name="recbench", module="recbench", distribution=own.name, version=own.version)


def _describe(point: importlib.metadata.EntryPoint) -> Plugin:
    assert point.dist is not None
    return Plugin(
        name=point.name,
        module=point.value,
        distribution=point.dist.name,
        version=point.dist.version,
        editable=_is_editable(point.dist),
    )


def _is_editable(distribution: importlib.metadata.Distribution) -> bool:
    text = distribution.read_text("direct_url.json")
    return bool(text) and bool(json.loads(text or "{}").get("dir_info", {}).get("editable"))


def _file_plugin(path: Path) -> Plugin:
    if not path.is_file():
        raise RecbenchError(f"there is no plugin file {str(path)!r}", fix="give --plugin the path of a Python file")
    return Plugin(name=str(path), module=path.stem, distribution=path.name, version="file", file=path.resolve())


def _import(plugin: Plugin) -> ModuleType:
    if plugin.file is None:
        return importlib.import_module(plugin.module)
    return import_file(plugin.file)


def _collect(plugin: Plugin, module: ModuleType) -> Loaded:
    manager = pluggy.PluginManager(GROUP)
    manager.add_hookspecs(hookspecs)
    manager.register(module)
    manager.check_pending()  # a hook that nobody specified is a misspelt one
    loaded = Loaded(
        plugin=plugin,
        algorithms=_drain(manager.hook.recbench_algorithms(), Algorithm),
        sources=_drain(manager.hook.recbench_sources(), Source),
        metrics=_drain(manager.hook.recbench_metrics(), Metric),
        protocols=_drain(manager.hook.recbench_protocols(), Path),
    )
    for algorithm in loaded.algorithms:
        _check_algorithm(algorithm)
    for name in map(_name, (*loaded.algorithms, *loaded.sources, *loaded.metrics)):
        _check_name(name)
    return loaded


def _drain(results: Sequence[Iterable[Any]], kind: type[T]) -> tuple[T, ...]:
    values = tuple(value for result in results for value in result)
    for value in values:
        if not isinstance(value, kind):
            raise TypeError(f"a hook gave {value!r}, which is not one of recbench.api.{kind.__name__}")
    return values


def _check_name(name: object) -> None:
    if not isinstance(name, str) or not 1 <= len(name) <= 64 or not name.isprintable() or " " in name:
        raise ValueError(f"{name!r} is not a name: 1 to 64 printable characters without blanks are")


def _check_algorithm(algorithm: Algorithm) -> None:
    if not isinstance(algorithm.target, str) or not TARGET.fullmatch(algorithm.target):
        raise ValueError(f"{algorithm.name!r}: target {algorithm.target!r} is not of the form 'module:Class'")
    for field_name in ("requires", "components"):
        value = getattr(algorithm, field_name)
        if not isinstance(value, tuple) or not all(isinstance(each, str) for each in value):
            raise TypeError(f"{algorithm.name!r}: {field_name} is {value!r}, and must be a tuple of strings")
    try:
        json.dumps(dict(algorithm.parameters), allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{algorithm.name!r}: parameters are not JSON values: {error}") from error


Slot: TypeAlias = dict[str, Offered[Any]]


def _merge(plugins: Sequence[Loaded | Broken]) -> Registry:
    """Put everything on offer under its name. A plugin that takes a name that is taken offers nothing at all."""
    kinds: dict[str, Slot] = {"algorithms": {}, "sources": {}, "metrics": {}, "protocols": {}}
    settled: list[Loaded | Broken] = []
    for plugin in plugins:
        reason = _clash(plugin, kinds) if isinstance(plugin, Loaded) else None
        settled.append(Broken(plugin=plugin.plugin, reason=reason) if reason else plugin)
        if isinstance(plugin, Loaded) and not reason:
            for kind, slot in kinds.items():
                slot.update({_name(v): Offered(value=v, plugin=plugin.plugin) for v in getattr(plugin, kind)})
    ordered: dict[str, Any] = {kind: MappingProxyType(dict(sorted(slot.items()))) for kind, slot in kinds.items()}
    return Registry(plugins=tuple(settled), **ordered)


def _clash(plugin: Loaded, kinds: Mapping[str, Slot]) -> str | None:
    for kind, slot in kinds.items():
        seen: set[str] = set()
        for name in map(_name, getattr(plugin, kind)):
            if name in slot:
                other = slot[name].plugin
                return f"the name {name!r} ({kind}) is taken by {other.distribution} {other.version}"
            if name in seen:
                return f"it offers two {kind} called {name!r}"
            seen.add(name)
    return None


def _name(value: Any) -> str:
    return value.stem if isinstance(value, Path) else str(value.name)


def _python_files(file: Path | None, module: str) -> list[Path]:
    if file is not None and module == file.stem:
        return [file]
    spec = importlib.util.find_spec(module.partition(".")[0])
    if spec is None:
        return []
    folders = list(spec.submodule_search_locations or ())
    if folders:
        return sorted(path for folder in folders for path in Path(folder).rglob("*.py"))
    return [Path(spec.origin)] if spec.origin else []


def _hash_files(paths: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        content = path.read_bytes()
        digest.update(f"{path.name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def _extra_with(distribution: str, module: str) -> str | None:
    """The extra of `distribution` that brings `module`: its own requirement by that name, or the CPU build's."""
    try:
        requirements = importlib.metadata.requires(distribution) or []
    except importlib.metadata.PackageNotFoundError:
        return None
    for requirement in requirements:
        name = re.match(r"[\w.-]+", requirement)
        extra = re.search(r"extra\s*==\s*['\"]([^'\"]+)['\"]", requirement)
        if name and extra and name.group().lower().replace("_", "-") in {module, f"{module}-cpu"}:
            return extra.group(1)
    return None

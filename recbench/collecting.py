"""Loading a plugin: imports it and collects what its hooks return. Its faults are values, and harm nobody else.

Each plugin gets a plugin manager of its own, so what is offered is attributed, and a registration that fails
half-way leaves nothing behind.
"""

from __future__ import annotations

import importlib
import json
import re
import reprlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

import pluggy

from recbench import hookspecs
from recbench.api import API_VERSION, Algorithm, Metric, Source
from recbench.distribution import distribution
from recbench.importing import contained, reason_of, traceback_of
from recbench.installed import GROUP, Broken, Plugin
from recbench.single_file import import_file

OLDEST_API = 1
MOST_OFFERS = 10_000
TARGET = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")
T = TypeVar("T")

# The hooks alone: pluggy looks at every name of what it is given, for every plugin anew.
_HOOKS = ModuleType("hooks")
vars(_HOOKS).update({name: value for name, value in vars(hookspecs).items() if name.startswith("recbench_")})


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A plugin that was imported, and what its hooks returned; `notes` say what it did beside, and was undone."""

    plugin: Plugin
    algorithms: tuple[Algorithm, ...] = ()
    sources: tuple[Source, ...] = ()
    metrics: tuple[Metric, ...] = ()
    protocols: tuple[Path, ...] = ()
    notes: tuple[str, ...] = ()


def load(plugin: Plugin) -> Loaded | Broken:
    """Import one plugin and collect what it offers. A plugin's fault is a value; an interrupt alone passes."""
    try:
        with contained() as undone:
            module = _import(plugin)
            _check_api(plugin, module)
            loaded = _collect(plugin, module)
        return replace(loaded, notes=tuple(undone))
    except KeyboardInterrupt as interrupt:
        way_out = "" if plugin.file else f"; --disable-plugin {plugin.name} leaves it out"
        interrupt.add_note(f"Plugin {plugin.name!r} was being imported{way_out}.")
        raise
    except BaseException as error:  # foreign code: whatever it raises, SystemExit too, is shown and harms nobody else
        return Broken(plugin=plugin, reason=_reason(error), traceback=traceback_of(error))


def name_of(value: Any) -> str:
    """What an offer goes by: its name, or for a protocol that of its file."""
    return value.stem if isinstance(value, Path) else str(value.name)


def _reason(error: BaseException) -> str:
    if isinstance(error, _ApiMismatch):
        return str(error)
    if isinstance(error, ImportError) and error.name == "recbench.api":
        return f"{reason_of(error)}; it may ask for an API newer than {API_VERSION}: {_upgrade()}"
    return reason_of(error)


def _upgrade() -> str:
    return f"pip install -U {distribution().name}"


def _import(plugin: Plugin) -> ModuleType:
    if plugin.file is None:
        return importlib.import_module(plugin.module)
    return import_file(plugin.file)


class _ApiMismatch(Exception):
    """A plugin asks for a form of recbench.api that is not here; the message says it all."""


def _check_api(plugin: Plugin, module: ModuleType) -> None:
    asked = getattr(module, "RECBENCH_API", OLDEST_API)
    if not isinstance(asked, int) or isinstance(asked, bool):
        raise _ApiMismatch(f"RECBENCH_API is {reprlib.repr(asked)}, and must be an integer, as in RECBENCH_API = 1")
    if asked > API_VERSION:
        raise _ApiMismatch(f"asks for API {asked}, this recbench has {API_VERSION}: {_upgrade()}")
    if asked < OLDEST_API:
        remedy = "bring the file up to date" if plugin.file else f"pip install -U {plugin.distribution}"
        raise _ApiMismatch(f"asks for API {asked}, the oldest that this recbench has is {OLDEST_API}: {remedy}")


def _collect(plugin: Plugin, module: ModuleType) -> Loaded:
    manager = pluggy.PluginManager(GROUP)
    manager.add_hookspecs(_HOOKS)
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
    for offers in (loaded.algorithms, loaded.sources, loaded.metrics):
        for offer in offers:
            _check_name(offer.name)
    for protocol in loaded.protocols:
        _check_name(protocol.stem)
    return loaded


def _drain(results: Sequence[Iterable[Any]], kind: type[T]) -> tuple[T, ...]:
    values = tuple(value for result in results for value in islice(result, MOST_OFFERS + 1))
    if len(values) > MOST_OFFERS:
        raise ValueError(f"a hook gives more than {MOST_OFFERS:,} offers: does it ever end?")
    for value in values:
        if not isinstance(value, kind):
            wanted = "a pathlib.Path" if kind is Path else f"a recbench.api.{kind.__name__}"
            raise TypeError(f"a hook gave {reprlib.repr(value)}, which is not {wanted}")
    return values


def _check_name(name: object) -> None:
    if not isinstance(name, str) or not 1 <= len(name) <= 64 or not name.isprintable() or " " in name:
        raise ValueError(f"{reprlib.repr(name)} is not a name: 1 to 64 printable characters without blanks are")


def _check_algorithm(algorithm: Algorithm) -> None:
    if not isinstance(algorithm.target, str) or not TARGET.fullmatch(algorithm.target):
        raise ValueError(f"{algorithm.name!r}: target {algorithm.target!r} is not of the form 'module:Class'")
    for field_name in ("requires", "components"):
        value = getattr(algorithm, field_name)
        if not isinstance(value, tuple) or not all(isinstance(each, str) for each in value):
            raise TypeError(f"{algorithm.name!r}: {field_name} is {value!r}, and must be a tuple of strings")
    if not isinstance(algorithm.gpu, bool):
        raise TypeError(f"{algorithm.name!r}: gpu is {algorithm.gpu!r}, and must be True or False")
    if not isinstance(algorithm.tuned_on, str):
        raise TypeError(f"{algorithm.name!r}: tuned_on is {algorithm.tuned_on!r}, and must be a string")
    try:
        json.dumps(dict(algorithm.parameters), allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{algorithm.name!r}: parameters are not JSON values: {error}") from error

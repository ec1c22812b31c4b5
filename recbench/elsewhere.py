"""Algorithms of plugins that run under another interpreter, where what they need cannot live in this environment."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeAlias

from recbench import provenance
from recbench.api import Algorithm
from recbench.collecting import Loaded
from recbench.distribution import distribution
from recbench.errors import RecbenchError, UnknownName
from recbench.installed import Disabled, Plugin
from recbench.registry import Broken, Offered, Registry, missing
from recbench.registry import how_to_install as how_to_install_here

ANOTHERS = ("PYTHONPATH", "PYTHONHOME")
"""Settings of the environment that say where this interpreter's packages are, and are not for another one."""

_SECONDS = 120.0
Settled: TypeAlias = Loaded | Broken | Disabled


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpreter:
    """Another interpreter.

    Attributes:
        path: of its executable, absolute. Links are left: a virtual environment's is one.
        machine: what `provenance.machine` says there.
    """

    path: Path
    machine: Mapping[str, Any] = field(compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class DistantPlugin(Plugin):
    """A plugin of another interpreter.

    Attributes:
        interpreter: which one.
        sources: hashes of code by target, where the version does not say what the code is.
        lacking: modules that are not installed there, by algorithm.
    """

    interpreter: Interpreter
    sources: Mapping[str, str] = field(compare=False)
    lacking: Mapping[str, tuple[str, ...]] = field(compare=False)

    def source_of(self, target: str) -> str:
        """sha256 over the Python files of the package that `target` lies in, there."""
        return self.sources[target]


def join(registry: Registry, interpreters: Mapping[str, Path]) -> Registry:
    """The registry with the algorithms of some plugins taken from other interpreters, and not from here.

    Sources, metrics and protocols of a plugin stay as they are here: the run itself needs them.

    Args:
        registry: what is on offer here.
        interpreters: executables by the name of a plugin or a distribution.

    Raises:
        UnknownName: there is no such plugin there.
        RecbenchError: an interpreter cannot be asked, has another recbench, or a plugin there is broken.
    """
    for name, path in interpreters.items():
        registry = _replaced(registry, name, _survey(name, path))
    return registry


def parse(options: tuple[str, ...]) -> dict[str, Path]:
    """Turn "lenskit=envs/lenskit/bin/python" into a name and a path.

    Raises:
        RecbenchError: an option is not of that form.
    """
    found = {}
    for option in options:
        name, _, path = option.partition("=")
        if not (name and path):
            raise RecbenchError(
                f"{option!r} names no interpreter", fix="write --python PLUGIN=PATH, as in lenskit=env/bin/python"
            )
        found[name] = Path(path)
    return found


def interpreter_of(offered: Offered[Algorithm]) -> Interpreter | None:
    """The interpreter that an algorithm runs under; None for this one."""
    return offered.plugin.interpreter if isinstance(offered.plugin, DistantPlugin) else None


def lacking(offered: Offered[Algorithm]) -> tuple[str, ...]:
    """The modules that an algorithm requires and that are not installed where it runs."""
    if isinstance(offered.plugin, DistantPlugin):
        return offered.plugin.lacking[offered.value.name]
    return missing(offered.value)


def how_to_install(offered: Offered[Algorithm]) -> str:
    """The command that installs what an algorithm lacks, where it runs."""
    interpreter = interpreter_of(offered)
    if interpreter is None:
        return how_to_install_here(offered)
    return f"{interpreter.path} -m pip install {' '.join(lacking(offered))}"


def _survey(name: str, path: Path) -> tuple[Loaded, ...]:
    """What the plugins called `name` offer under another interpreter."""
    executable = _executable(name, path)
    answer = _ask(executable, name)
    _check_version(executable, answer["recbench"])
    if not answer["plugins"]:
        raise UnknownName.among(
            "plugin", name, answer["names"], fix=f"install it there: {executable} -m pip install ..."
        )
    interpreter = Interpreter(path=executable, machine=answer["machine"])
    return tuple(_loaded(each, interpreter) for each in answer["plugins"])


def _executable(name: str, path: Path) -> Path:
    word = os.fspath(path)
    found = shutil.which(word)
    if found is None:
        raise RecbenchError(
            f"plugin {name!r} is to run under {word!r}, and there is no such interpreter",
            fix="give the path of a Python, as in env/bin/python",
        )
    return Path(os.path.abspath(found))


def _ask(executable: Path, name: str) -> Any:
    outside = {key: value for key, value in os.environ.items() if key not in ANOTHERS}
    try:
        done = subprocess.run(  # noqa: S603 - the user names the interpreter
            [executable, "-P", "-m", "recbench.worker", "offers", name],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=outside,
            timeout=_SECONDS,
            check=True,
        )
        return json.loads(done.stdout.splitlines()[-1])
    except (OSError, subprocess.SubprocessError, ValueError, IndexError) as error:
        said = (getattr(error, "stderr", None) or b"").decode("utf-8", "replace").strip()
        last = said.splitlines()[-1] if said else str(error)
        raise RecbenchError(f"{executable} cannot run trials: {last}", fix=_how_to_have_recbench(executable)) from error


def _check_version(executable: Path, theirs: Mapping[str, str]) -> None:
    ours = provenance.build()
    if theirs["version"] != ours["version"]:
        raise RecbenchError(
            f"{executable} has recbench {theirs['version']}, and this is {ours['version']}",
            fix=_how_to_have_recbench(executable),
        )
    if theirs["source"] != ours["source"]:
        raise RecbenchError(
            f"{executable} has a recbench {theirs['version']} of other code than this one",
            fix="install both from the same wheel, or the same folder",
        )


def _how_to_have_recbench(executable: Path) -> str:
    return f"{executable} -m pip install {distribution().name}=={distribution().version}"


def _loaded(said: Mapping[str, Any], interpreter: Interpreter) -> Loaded:
    facts = said["plugin"]
    if "broken" in said:
        raise RecbenchError(
            f"plugin {facts['name']!r} is broken under {interpreter.path}: {said['broken']}",
            fix="repair it there, or leave out --python",
        )
    plugin = DistantPlugin(
        **facts,
        interpreter=interpreter,
        sources=said["sources"],
        lacking={name: tuple(modules) for name, modules in said["lacking"].items()},
    )
    return Loaded(plugin=plugin, algorithms=tuple(map(_algorithm, said["algorithms"])))


def _algorithm(said: Mapping[str, Any]) -> Algorithm:
    tuples = {key: tuple(said[key]) for key in ("requires", "components")}
    return Algorithm(**{**said, **tuples})


def _replaced(registry: Registry, name: str, there: tuple[Loaded, ...]) -> Registry:
    algorithms = {key: each for key, each in registry.algorithms.items() if not each.plugin.goes_by(name)}
    for loaded in there:
        for algorithm in loaded.algorithms:
            if algorithm.name in algorithms:
                whose = algorithms[algorithm.name].plugin
                raise RecbenchError(
                    f"the algorithm {algorithm.name!r} of {loaded.plugin.name!r} has the name of one of {whose.name!r}",
                    fix=f"leave that one out with --disable-plugin {whose.name}",
                )
            algorithms[algorithm.name] = Offered(value=algorithm, plugin=loaded.plugin)
    kept = (_without_algorithms(each) if each.plugin.goes_by(name) else each for each in registry.plugins)
    return dataclasses.replace(
        registry,
        algorithms=MappingProxyType(dict(sorted(algorithms.items()))),
        plugins=(*(each for each in kept if each is not None), *there),
    )


def _without_algorithms(each: Settled) -> Settled | None:
    """What is left of a plugin here; nothing where it is broken or switched off."""
    return dataclasses.replace(each, algorithms=()) if isinstance(each, Loaded) else None

"""What a worker is, asked before anything runs on it; and why it may not be used, where it may not."""

from __future__ import annotations

import importlib.util
import socket
import sys
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from recbench import gpus, provenance
from recbench.execution import Component, Job
from recbench.installed import Plugin, find
from recbench.trials import Trial

GPU = "a GPU"
"""Stands among the modules that a trial needs and a worker lacks. No module is called so."""


def needs(trials: Iterable[Trial]) -> dict[str, Any]:
    """What to ask workers about: the plugins of all trials, as they are here, and the modules that they import."""
    rows = {id(trial.row): trial.row for trial in trials}.values()
    offered = [each for row in rows for each in row.all_offered]
    modules = {module for each in offered for module in each.value.requires}
    plugins: dict[str, dict[str, Any]] = {}
    for each in offered:
        if each.plugin.file is None:
            modules.add(package_of(each.value.target))
            plugins[each.value.target] = _describe(each.plugin, each.value.target)
    return {"modules": sorted(modules), "plugins": plugins}


def needs_of(job: Job) -> frozenset[str]:
    """What has to be there for a job: modules, and `GPU`."""
    parts: tuple[Job | Component, ...] = (job, *job.components.values())
    modules = {*job.requires, *(package_of(part.target) for part in parts if part.plugin_file is None)}
    return frozenset({*modules, GPU} if job.needs_gpu else modules)


def package_of(target: str) -> str:
    """The import package that a target lies in."""
    return target.partition(":")[0].partition(".")[0]


def introduce(asked: Mapping[str, Any]) -> dict[str, Any]:
    """What this process is: a worker's side of the introduction."""
    found = {(each.name, each.distribution): each for each in find() if isinstance(each, Plugin)}
    plugins = {}
    for target, facts in asked["plugins"].items():
        plugin = found.get((facts["name"], facts["distribution"]))
        plugins[target] = None if plugin is None else _describe(plugin, target)
    return {
        "recbench": provenance.build(),
        "machine": provenance.machine(),
        "host": socket.gethostname(),
        "gpus": list(gpus.names()),
        "lacking": [each for each in asked["modules"] if importlib.util.find_spec(each.partition(".")[0]) is None],
        "plugins": plugins,
    }


def objection(answer: Mapping[str, Any], asked: Mapping[str, Any]) -> str | None:
    """Why a worker may not be used; None: it may. What is not installed there is no objection."""
    ours, theirs = provenance.build(), answer["recbench"]
    if theirs["version"] != ours["version"]:
        return f"has recbench {theirs['version']}, and this is {ours['version']}"
    if theirs["source"] != ours["source"]:
        return f"has a recbench {theirs['version']} of other code than this one"
    here = sys.version_info[:2]
    there = tuple(map(int, answer["machine"]["python"].split(".")[:2]))
    if there != here:
        return f"has Python {_dotted(there)}, and this is {_dotted(here)}"
    differing = (_difference(answer["plugins"][target], plugin) for target, plugin in asked["plugins"].items())
    return next((problem for problem in differing if problem is not None), None)


def words(needs: Collection[str]) -> str:
    """What a trial needs, for a message."""
    return " and ".join(sorted(needs))


def _describe(plugin: Plugin, target: str) -> dict[str, Any]:
    return {
        "name": plugin.name,
        "distribution": plugin.distribution,
        "version": plugin.version,
        "source": None if plugin.is_pinned else plugin.source_of(target),
    }


def _difference(theirs: Mapping[str, Any] | None, ours: Mapping[str, Any]) -> str | None:
    if theirs is None or theirs == ours:
        return None
    name = ours["distribution"]
    if theirs["version"] != ours["version"]:
        return f"has {name} {theirs['version']}, and this is {ours['version']}"
    return f"has a {name} {theirs['version']} of other code than this one"


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))

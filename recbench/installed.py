"""Plugins that are installed: found in the metadata of distributions, and not imported here.

Each distribution is read on its own. What cannot be read is `Broken`, with the reason; what the user switched off
is `Disabled`. Neither is ever imported.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from recbench.distribution import POINTS, Distribution, distribution, name_and_version, normalized

GROUP = "recbench"


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

    def goes_by(self, name: str) -> bool:
        """Whether `name` is the entry point's or the distribution's."""
        return name == self.name or normalized(name) == normalized(self.distribution)

    def source_of(self, target: str) -> str:
        """sha256 over the Python files of the package that `target` lies in."""
        return _hash_files(_python_files(self.file, target.partition(":")[0]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """A plugin that offers nothing, and why; with the traceback where its code raised."""

    plugin: Plugin
    reason: str
    traceback: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Disabled:
    """A plugin that was switched off, and by what."""

    plugin: Plugin
    by: str


def find() -> list[Plugin | Broken]:
    """Find the entry points of all installed distributions, recbench's own first, then by distribution and name."""
    found: dict[Plugin | Broken, None] = {}
    for each in importlib.metadata.distributions():
        found.update(dict.fromkeys(_plugins_of(each)))
    mine = normalized(distribution().name)

    def place(each: Plugin | Broken) -> tuple[bool, str, str, str]:
        plugin = plugin_of(each)
        whose = normalized(plugin.distribution)
        return whose != mine, whose, plugin.name, plugin.module

    return sorted(found, key=place)


def plugin_of(found: Plugin | Broken | Disabled) -> Plugin:
    """Whom a find is about."""
    return found if isinstance(found, Plugin) else found.plugin


def disable(
    found: Iterable[Plugin | Broken | Disabled], names: Iterable[str], *, by: str
) -> list[Plugin | Broken | Disabled]:
    """Switch off every plugin that goes by one of `names`, whether it works or not."""
    unwanted = tuple(names)
    return [
        Disabled(plugin=plugin_of(each), by=by) if any(map(plugin_of(each).goes_by, unwanted)) else each
        for each in found
    ]


def _plugins_of(distribution: Distribution) -> list[Plugin | Broken]:
    known = None
    try:
        text = distribution.read_text(POINTS) or ""
        if GROUP not in text:
            return []
        known = name_and_version(distribution)
        if known and _is_shadowed(known[0], text):
            return []
        points = [point for point in distribution.entry_points if point.group == GROUP]
    except (Exception, SystemExit) as error:  # damaged files, finders of somebody else's
        reason = f"its {POINTS} cannot be read: {type(error).__name__}: {error}"
        return [_unreadable(distribution, known or name_and_version(distribution), reason)]
    if known is None:
        reason = "its metadata gives no name and version that can be used: install it anew"
        return [_unreadable(distribution, None, reason)] if points else []
    editable = bool(points) and _is_editable(distribution)
    return [_judged(point, *known, editable=editable) for point in points]


def _is_shadowed(name: str, text: str) -> bool:
    """Whether another of that name stands before it on the path: that one's code is what an import finds."""
    try:
        return importlib.metadata.distribution(name).read_text(POINTS) != text
    except importlib.metadata.PackageNotFoundError:
        return False


def _unreadable(distribution: Distribution, known: tuple[str, str] | None, reason: str) -> Broken:
    name, version = known or (Path(str(getattr(distribution, "_path", "unknown"))).name, "")
    return Broken(plugin=Plugin(name="?", module="?", distribution=name, version=version), reason=reason)


def _judged(point: importlib.metadata.EntryPoint, name: str, version: str, *, editable: bool) -> Plugin | Broken:
    module = point.value.partition("[")[0].strip()
    plugin = Plugin(name=point.name, module=module, distribution=name, version=version, editable=editable)
    if not point.name.isprintable():
        return Broken(plugin=plugin, reason=f"the name of its entry point, {point.name!r}, has control characters")
    if not all(part.isidentifier() for part in module.split(".")):
        package = module.partition(":")[0].strip() if ":" in module else "package.module"
        reason = f"its entry point is {point.value!r}, which is no module: write {point.name} = {package!r}"
        return Broken(plugin=plugin, reason=reason)
    return plugin


def _is_editable(distribution: Distribution) -> bool:
    """Whether its code may change under its version; what cannot be read counts as such, since then code is hashed."""
    text = distribution.read_text("direct_url.json")
    if text is None:
        # Metadata that a build left in a folder of sources, which is on the path.
        return bool(distribution.read_text("SOURCES.txt")) and not distribution.read_text("installed-files.txt")
    try:
        return bool(json.loads(text).get("dir_info", {}).get("editable"))
    except (ValueError, AttributeError):
        return True


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

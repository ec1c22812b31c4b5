"""The user's cache folder: what recbench keeps there between commands, how much of it, and what goes first.

recbench/data/                data sets that were fetched or imported: never removed from here
         splits/KEY/          data that was read and split
         recommend/KEY.npz    lists of `recbench recommend`
"""

from __future__ import annotations

import contextlib
import math
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from recbench.errors import RecbenchError

LIMIT_BY = "RECBENCH_CACHE_GB"
_DEFAULT_GB = 10.0
_STALE_SECONDS = 24 * 3600.0

Kind: TypeAlias = Literal["splits", "recommend"]
KINDS: tuple[Kind, ...] = ("splits", "recommend")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Something that is kept.

    Attributes:
        path: its file or folder.
        size: bytes.
        used: when it was made or last used, in seconds since 1970.
    """

    kind: Kind
    path: Path
    size: int
    used: float


def _hear_nothing(_: str) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cache:
    """What is kept below one folder. Several commands may use it at once.

    Attributes:
        root: the folder.
        limit: bytes to keep at most, data sets not counted; 0 keeps nothing.
        tell: hears why something cannot be kept. That never ends a command.
    """

    root: Path
    limit: int
    tell: Callable[[str], None] = _hear_nothing

    def folder(self, kind: Kind) -> Path:
        """Where things of one kind lie."""
        return self.root / kind

    def entries(self) -> list[Entry]:
        """Everything that is kept, what was used last first."""
        found = [entry for kind in KINDS for path in _children(self.folder(kind)) if (entry := _entry(kind, path))]
        return sorted(found, key=lambda entry: (-entry.used, entry.path))

    def make_room(self) -> None:
        """Remove what was out of use longest, until the rest is within the limit, and what a killed command left."""
        left = self.limit
        for entry in self.entries():
            left -= entry.size
            if left < 0:
                remove(entry.path)
        for kind in KINDS:
            for path in _children(self.folder(kind), unfinished=True):
                with contextlib.suppress(OSError):
                    if time.time() - path.stat().st_mtime > _STALE_SECONDS:
                        remove(path)

    def clear(self) -> list[Entry]:
        """Remove everything that is kept. Returns what it was."""
        entries = self.entries()
        for kind in KINDS:
            for path in (*_children(self.folder(kind)), *_children(self.folder(kind), unfinished=True)):
                remove(path)
        return entries


def root(environment: Mapping[str, str] = os.environ) -> Path:
    """The folder: below XDG_CACHE_HOME, else below the cache folder that is customary on this system."""
    outer = environment.get("XDG_CACHE_HOME", "")
    if os.path.isabs(outer):
        return Path(outer) / "recbench"
    home = Path(environment.get("HOME") or Path.home())
    return home / ("Library/Caches" if sys.platform == "darwin" else ".cache") / "recbench"


def limit(environment: Mapping[str, str] = os.environ) -> int:
    """How many bytes may be kept, as RECBENCH_CACHE_GB says.

    Raises:
        RecbenchError: it says no such number.
    """
    text = environment.get(LIMIT_BY, "")
    try:
        gigabytes = float(text) if text else _DEFAULT_GB
    except ValueError:
        gigabytes = math.nan
    if not 0 <= gigabytes < math.inf:
        raise RecbenchError(f"{LIMIT_BY} is {text!r}", fix="give a number of gigabytes, 0 to keep nothing")
    return int(gigabytes * 10**9)


def touch(path: Path) -> None:
    """Something was used. Where that cannot be noted down, it only goes sooner."""
    with contextlib.suppress(OSError):
        os.utime(path)


def remove(path: Path) -> None:
    """Remove a file or a folder, unless somebody else was faster. Who has mapped it keeps what it sees."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with contextlib.suppress(OSError):
            path.unlink()


def _children(folder: Path, *, unfinished: bool = False) -> Iterator[Path]:
    try:
        yield from [path for path in folder.iterdir() if path.name.startswith(".") == unfinished]
    except OSError:
        return


def _entry(kind: Kind, path: Path) -> Entry | None:
    """What lies at a path; None where somebody has just removed it."""
    try:
        files = [each.stat().st_size for each in path.iterdir()] if path.is_dir() else [path.stat().st_size]
        return Entry(kind=kind, path=path, size=sum(files), used=path.stat().st_mtime)
    except OSError:
        return None

"""Where and with what a record was made. Shown beside it, never compared."""

from __future__ import annotations

import functools
import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from recbench.distribution import distribution, versions
from recbench.installed import Plugin


def now() -> str:
    """This moment in UTC, to the second, as ISO 8601."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@functools.cache
def machine() -> dict[str, Any]:
    """Interpreter, platform, processor, and every installed distribution with its version."""
    return {
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "cpu": _processor(),
        "cores": os.cpu_count() or 1,
        "packages": _packages(),
    }


@functools.cache
def build() -> dict[str, str]:
    """Version of recbench, and a hash of its code, which may change under the version where it is worked on."""
    own = distribution()
    plugin = Plugin(name="recbench", module="recbench", distribution=own.name, version=own.version)
    return {"version": own.version, "source": plugin.source_of("recbench:code")}


@functools.cache
def git_commit(folder: Path) -> str | None:
    """The commit checked out in `folder`, with "+" where files differ from it; None outside a repository."""
    try:
        commit = _git(folder, "rev-parse", "HEAD")
        return commit + ("+" if _git(folder, "status", "--porcelain", "--untracked-files=no", "--", ".") else "")
    except (OSError, subprocess.SubprocessError):
        return None


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(  # noqa: S603 - a fixed command
        ["git", "-C", str(folder), *arguments],  # noqa: S607 - the user's own git
        capture_output=True,
        check=True,
        text=True,
        timeout=10,
    )
    return done.stdout.strip()


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or "unknown"
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or "unknown")


def _packages() -> dict[str, str]:
    found: dict[str, str] = {}
    for name, version in versions():
        found.setdefault(name, version)  # of two copies the first on the path is imported
    return dict(sorted(found.items(), key=lambda item: item[0].lower()))

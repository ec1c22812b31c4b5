"""Writes a new distribution, and never over what is there unless told."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from recbench.errors import RecbenchError


def write(files: Mapping[PurePosixPath, str], folder: Path, *, force: bool) -> None:
    """Write files into a new folder.

    Args:
        files: texts by their paths in the folder.
        folder: where to; made with its parents.
        force: write into a folder that exists, over the files that have these names.

    Raises:
        RecbenchError: the folder exists and `force` is not set, or cannot be written to.
    """
    if folder.exists() and not force:
        raise RecbenchError(
            f"{str(folder)!r} exists already, and nothing was written",
            fix="take another name or --into, or write over its files with --force",
        )
    try:
        for path, text in files.items():
            _write_one(folder / path, text)
    except OSError as error:
        raise RecbenchError(
            f"{error.filename}: {error.strerror}", fix="let --into name a folder that can be written to"
        ) from error


def author_by_git() -> str | None:
    """The name that git puts on commits here; None where there is none."""
    try:
        told = subprocess.run(["git", "config", "user.name"], capture_output=True, text=True, check=False)  # noqa: S607
    except OSError:
        return None
    return told.stdout.strip() or None


def _write_one(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")

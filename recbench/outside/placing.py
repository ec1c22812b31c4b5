"""A folder that is written whole or not at all, and the checksums of what is in it."""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from recbench.datasets.checksums import sha256_of
from recbench.errors import RecbenchError

SUMS = "SHA256SUMS"
LINE = re.compile(r"([0-9a-f]{64})  (.+)")


@contextlib.contextmanager
def whole(folder: Path, *, force: bool) -> Iterator[Path]:
    """Give a folder to write to, which takes the place of `folder` when all went well, and goes away otherwise.

    Args:
        folder: must not exist, or be empty.
        force: an earlier export may be there too, and is replaced.

    Raises:
        RecbenchError: something is there that must not go away, or the folder cannot be written.
    """
    folder = Path(os.path.realpath(folder))
    try:
        check_free(folder, force=force)
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", suffix=".tmp", dir=folder.parent) as aside:
            made = Path(aside) / "new"
            made.mkdir()
            yield made
            _place(made, folder, Path(aside) / "old")
    except OSError as error:
        raise RecbenchError(
            f"{folder}: cannot be written: {error.strerror or error}", fix="free some space, or give another folder"
        ) from error


def check_free(folder: Path, *, force: bool) -> None:
    """See that nothing gets lost where `folder` is written.

    Raises:
        RecbenchError: it holds something that is no earlier export, or holds one and `force` is not set.
    """
    if not os.path.lexists(folder) or (folder.is_dir() and not any(folder.iterdir())):
        return
    if not folder.is_dir():
        raise RecbenchError(f"{folder} is a file", fix="give the name of a folder")
    if not _is_export(folder):
        raise RecbenchError(
            f"{folder} holds files that are not of an export, and they would be lost",
            fix="give another folder, or move them away",
        )
    if not force:
        raise RecbenchError(f"{folder} holds an export already", fix="give another folder, or replace it with --force")


def write_sums(folder: Path) -> None:
    """Write the checksums of all files below a folder, as `sha256sum -c` reads them."""
    paths = [path for path in folder.rglob("*") if path.is_file() and path != folder / SUMS]
    (folder / SUMS).write_text(checksums(folder, paths), encoding="utf-8")


def checksums(root: Path, paths: Iterable[Path]) -> str:
    """The text of a SHA256SUMS of some files below `root`."""
    names = {path.relative_to(root).as_posix(): path for path in paths}
    return "".join(f"{sha256_of(names[name])}  {name}\n" for name in sorted(names))


def _place(made: Path, folder: Path, old: Path) -> None:
    """Move what was made to its place; what was there comes back where that fails."""
    if folder.is_dir() and any(folder.iterdir()):
        folder.rename(old)
    try:
        made.rename(folder)
    except OSError:
        if old.is_dir():
            old.rename(folder)
        raise


def _is_export(folder: Path) -> bool:
    """Whether all files below `folder` stand in the checksums of one of its folders."""
    parts = list(folder.iterdir())
    return all(part.is_dir() and (part / SUMS).is_file() and _holds_nothing_else(part) for part in parts)


def _holds_nothing_else(part: Path) -> bool:
    lines = (part / SUMS).read_text(encoding="utf-8", errors="replace").splitlines()
    listed = {found[2] for line in lines if (found := LINE.fullmatch(line))}
    return {path.relative_to(part).as_posix() for path in part.rglob("*") if not path.is_dir()} <= {SUMS, *listed}

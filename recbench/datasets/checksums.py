"""Whether a copy of a source is what it should be: checksums that are declared, or that the first fetch recorded."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

from recbench.api import Source
from recbench.datasets.places import expected
from recbench.errors import BadData

RECORD = "recbench-checksums.json"
_HEX = frozenset("0123456789abcdef")
_LARGEST_RECORD = 1 << 20

Standing: TypeAlias = Literal["declared", "recorded", "unverified"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """One file of a copy.

    Attributes:
        name: the file's name in the folder.
        sha256: what it is, in hexadecimal.
        size: bytes.
        standing: what it was held against: a checksum that recbench declares, one that the first fetch recorded, or
            nothing.
    """

    name: str
    sha256: str
    size: int
    standing: Standing


def verify_copy(source: Source, folder: Path) -> tuple[Checked, ...]:
    """Hold every file of a copy against its checksum, where one is known.

    Raises:
        BadData: a file is not what it should be.
    """
    recorded = recorded_checksums(folder)
    found = []
    for file in expected(source):
        path = folder / file.name
        if not path.is_file():
            continue
        wanted = file.sha256 or recorded.get(file.name)
        digest = sha256_of(path)
        if wanted is not None and digest != wanted:
            raise BadData(
                f"{path} is not the file it should be: its sha256 is {digest}, not {wanted}",
                fix=f"remove it and get it again{f' from {file.url}' if file.url else ''}, or put a right copy there",
            )
        standing: Standing = "declared" if file.sha256 else "recorded" if wanted else "unverified"
        found.append(Checked(name=file.name, sha256=digest, size=path.stat().st_size, standing=standing))
    return tuple(found)


def sha256_of(path: Path) -> str:
    """sha256 of a file in hexadecimal.

    Raises:
        BadData: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise BadData(f"{path} cannot be read: {error}", fix="correct the path or its permissions") from error


def recorded_checksums(folder: Path) -> Mapping[str, str]:
    """The checksums that the first fetch recorded beside the data, by file name; whatever is odd there is not one."""
    try:
        if (folder / RECORD).stat().st_size > _LARGEST_RECORD:
            return {}
        known = json.loads((folder / RECORD).read_text("utf-8"))["files"]
        return {str(name): str(entry["sha256"]) for name, entry in known.items() if _is_sha256(entry["sha256"])}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}


def record_checksums(folder: Path, files: Mapping[str, Path], origins: Mapping[str, str]) -> None:
    """Write down what a first fetch brought, so that it is noticed if a file changes.

    Args:
        folder: the data set's.
        files: paths by the name that a source has for them.
        origins: where each came from, by name.
    """
    known: dict[str, Any] = {name: {"sha256": sha} for name, sha in recorded_checksums(folder).items()}
    for name, path in files.items():
        known[name] = {"sha256": sha256_of(path), "size": path.stat().st_size, "from": origins.get(name, "")}
    write_text(folder / RECORD, json.dumps({"files": known}, indent=2, sort_keys=True, ensure_ascii=False) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write a small file whole or not at all."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-", suffix=".tmp")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise


def _is_sha256(text: Any) -> bool:
    return isinstance(text, str) and len(text) == 64 and set(text) <= _HEX

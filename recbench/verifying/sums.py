"""SHA256SUMS: the checksums of all other files of a folder, in the form that `sha256sum -c` reads."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from recbench.verifying.findings import Finding
from recbench.verifying.places import Places

SUMS = "SHA256SUMS"
MOST_BYTES = 1 << 30
SUMS_BYTES = 64 << 20
_LINE = re.compile(r"([0-9a-f]{64})  (.+)")


def checksums(root: Path, paths: Iterable[Path]) -> str:
    """The text of a SHA256SUMS of some files below `root`."""
    names = {path.relative_to(root).as_posix(): path for path in paths}
    return "".join(f"{_sha256(names[name])}  {name}\n" for name in sorted(names))


def differences(places: Places) -> Iterator[Finding]:
    """What of the checksums does not hold: files changed, missing or without one, and names outside the folder."""
    path = places.root / SUMS
    if path not in places.files:
        return
    stated = {}
    if places.files[path] > SUMS_BYTES:
        yield Finding(where=SUMS, what=f"is larger than {SUMS_BYTES:,} bytes; it was not read")
        return
    for number, line in enumerate(path.read_bytes().decode("utf-8", "replace").splitlines(), 1):
        found = _LINE.fullmatch(line)
        if found is None or not _stays_inside(found[2]) or found[2] in stated:
            yield Finding(
                where=SUMS, what=f"line {number} names no file of this folder, or one twice: {line[66:]!r:.80}"
            )
            continue
        stated[found[2]] = found[1]
    yield from _compare(places, stated)


def _compare(places: Places, stated: dict[str, str]) -> Iterator[Finding]:
    there = {path.relative_to(places.root).as_posix(): path for path in places.files if path != places.root / SUMS}
    yield from (Finding(where=name, what=f"is in {SUMS} and not there") for name in sorted(stated.keys() - there))
    yield from (Finding(where=name, what=f"is not in {SUMS}") for name in sorted(there.keys() - stated))
    for name in sorted(there.keys() & stated):
        if places.files[there[name]] > MOST_BYTES:
            yield Finding(where=name, what=f"is larger than {MOST_BYTES:,} bytes; it was not read")
        elif _sha256(there[name]) != stated[name]:
            yield Finding(where=name, what=f"is not the file that {SUMS} has the checksum of")


def _stays_inside(name: str) -> bool:
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts and "\\" not in name


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

"""SHA256SUMS: the checksums of all other files of a folder, in the form that `sha256sum -c` reads."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from recbench.datasets.checksums import sha256_of
from recbench.outside.placing import LINE, SUMS
from recbench.verifying.findings import Finding
from recbench.verifying.places import Places

MOST_BYTES = 1 << 30
SUMS_BYTES = 64 << 20


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
        found = LINE.fullmatch(line)
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
        elif sha256_of(there[name]) != stated[name]:
            yield Finding(where=name, what=f"is not the file that {SUMS} has the checksum of")


def _stays_inside(name: str) -> bool:
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts and "\\" not in name

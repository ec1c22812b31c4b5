"""Downloads: the only code of recbench that touches the network."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from recbench.api import Source, SourceFile
from recbench.datasets.checksums import record_checksums, recorded_checksums, sha256_of, verify_copy
from recbench.datasets.downloading import Download, OnProgress, download, nothing
from recbench.datasets.opening import is_archive
from recbench.datasets.places import cache_folder, expected, folder_name, how_to_get
from recbench.datasets.unpacking import unpack
from recbench.errors import FetchError, RecbenchError


def fetch(
    source: Source,
    *,
    into: Path | None = None,
    progress: OnProgress = nothing,
    pause: Callable[[float], None] = time.sleep,
) -> list[Path]:
    """Download a data set, verify it and unpack it. Goes on where an earlier try was cut off.

    What has no checksum yet gets one: it is recorded beside the data, and later copies are held against it. Archives
    are removed once they are unpacked, where the source says what must come out.

    Args:
        source: the data set.
        into: folder that holds data sets; None is the user's cache folder.
        progress: called now and then with the file's name, bytes there, and bytes in all, None where unknown.
        pause: called with seconds to wait before another try.

    Returns:
        The files, sorted.

    Raises:
        FetchError: the network, the server or the file is not as it should be.
        RecbenchError: the owner wants a form filled in, or the disk cannot be written.
    """
    if source.bundled is not None:
        return sorted(source.bundled / file.name for file in source.files)
    folder = (into or cache_folder()) / folder_name(source.name)
    by_hand = how_to_get(source, into)
    if not _is_there(folder, source):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for file in source.files:
                _fetch_file(source, file, folder, partial(Download, by_hand=by_hand, progress=progress, pause=pause))
        except OSError as error:
            raise RecbenchError(
                f"{folder} cannot be written: {error}", fix="free space, correct permissions, or choose --data-dir"
            ) from error
    lacking = [file.name for file in source.contents if not (folder / file.name).is_file()]
    if lacking:
        raise FetchError(f"what was fetched for {source.name!r} lacks {', '.join(lacking)}", fix=by_hand)
    verify_copy(source, folder)
    return sorted(path for file in expected(source) if (path := folder / file.name).is_file())


def _is_there(folder: Path, source: Source) -> bool:
    """Whether everything lies in the folder, unpacked where it comes in an archive."""
    return all((folder / file.name).is_file() for file in source.contents or source.files)


def _fetch_file(source: Source, file: SourceFile, folder: Path, prepared: Callable[..., Download]) -> None:
    target, known = folder / file.name, recorded_checksums(folder)
    sha256 = file.sha256 or known.get(file.name)
    if file.url is None:
        raise RecbenchError(f"{file.name} is given out by its owner only", fix=how_to_get(source, folder.parent))
    if not target.is_file():
        target.parent.mkdir(parents=True, exist_ok=True)
        download(prepared(url=file.url, target=target, sha256=sha256, size=file.size))
    elif sha256 is not None and sha256_of(target) != sha256:
        raise FetchError(f"{target} is not the file it should be", fix="remove it, and fetch again")
    found = {file.name: target}
    if is_archive(target):
        unpack(target, folder)
        found |= {each.name: path for each in source.contents if (path := folder / each.name).is_file()}
    record_checksums(folder, found, dict.fromkeys(found, file.url))
    if is_archive(target) and source.contents:
        target.unlink()

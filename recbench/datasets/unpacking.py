"""Archives unpacked with suspicion: nothing outside the folder, no links, no bombs."""

from __future__ import annotations

import os
import shutil
import stat
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from recbench.errors import FetchError

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What an honest archive of data stays within.

    Attributes:
        files: how many files.
        ratio: bytes that may come out for each that is in.
        spare: bytes that may come out whatever is in, so that tiny archives pass.
        total: bytes that may come out at all.
    """

    files: int = 10_000
    ratio: int = 60
    spare: int = 10 << 20
    total: int = 200 << 30

    def bytes_of(self, archive: Path) -> int:
        """How many bytes may come out of an archive."""
        return min(self.total, archive.stat().st_size * self.ratio + self.spare)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Member:
    name: str
    is_folder: bool
    is_file: bool
    open: Callable[[], IO[bytes] | None]


def unpack(archive: Path, into: Path, *, limits: Limits | None = None) -> list[Path]:
    """Unpack an archive into a folder. Files there are replaced one by one, and only when all came out well.

    A single folder around everything in the archive is taken off: `ml-1m/ratings.dat` becomes `ratings.dat`.

    Args:
        archive: a .zip or .tar, the latter compressed or not.
        into: the folder; made where there is none.
        limits: what is too much.

    Returns:
        The files, sorted.

    Raises:
        FetchError: the archive is damaged, encrypted, wants to write outside the folder, holds links or devices, or
            is larger inside than an honest one.
    """
    into.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(dir=into, prefix=".unpacking-"))
    try:
        names = _extract(archive, scratch, limits or Limits())
        outer = _outer(names)
        found = []
        for name in names:
            target = into / (name.relative_to(outer) if outer else name)
            target.parent.mkdir(parents=True, exist_ok=True)
            os.replace(scratch / name, target)
            found.append(target)
        return sorted(found)
    except (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, RuntimeError, NotImplementedError) as error:
        raise _refused(archive, f"it is damaged: {error}") from error
    except OSError as error:
        raise FetchError(
            f"{archive.name} cannot be unpacked into {into}: {error}", fix="free space, or correct permissions"
        ) from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _extract(archive: Path, scratch: Path, limits: Limits) -> list[PurePosixPath]:
    left = limits.bytes_of(archive)
    names: dict[str, PurePosixPath] = {}
    for member in _members(archive):
        name = _safe(member.name, archive)
        if member.is_folder:
            continue
        if not member.is_file:
            raise _refused(archive, f"{member.name!r} in it is a link or a device")
        if name.as_posix().lower() in names:
            raise _refused(archive, f"{member.name!r} is in it twice")
        names[name.as_posix().lower()] = name
        if len(names) > limits.files:
            raise _refused(archive, f"more than {limits.files:,} files are in it")
        left -= _write(member, scratch / name, archive, left)
    return list(names.values())


def _write(member: _Member, target: Path, archive: Path, left: int) -> int:
    """Write one file and give its size, counted as it comes out: what an archive declares may be a lie."""
    target.parent.mkdir(parents=True, exist_ok=True)
    source = member.open()
    if source is None:
        raise _refused(archive, f"{member.name!r} in it cannot be read")
    size = 0
    with source, target.open("xb") as file:
        while chunk := source.read(_CHUNK):
            size += len(chunk)
            if size > left:
                raise _refused(archive, "far more is in it than its size allows for, as in a bomb")
            file.write(chunk)
    return size


def _members(archive: Path) -> Iterator[_Member]:
    if archive.suffix.lower() == ".zip":
        with zipfile.ZipFile(archive) as opened:
            for info in opened.infolist():
                yield _zipped(opened, info)
    else:
        with tarfile.open(archive) as tar:
            for entry in tar:
                yield _Member(name=entry.name, is_folder=entry.isdir(), is_file=entry.isreg(), open=_opens(tar, entry))


def _opens(tar: tarfile.TarFile, entry: tarfile.TarInfo) -> Callable[[], IO[bytes] | None]:
    return lambda: tar.extractfile(entry)


def _zipped(opened: zipfile.ZipFile, info: zipfile.ZipInfo) -> _Member:
    kind = stat.S_IFMT(info.external_attr >> 16)
    return _Member(
        name=info.filename,
        is_folder=info.is_dir(),
        is_file=kind in (0, stat.S_IFREG),
        open=lambda: opened.open(info),
    )


def _safe(name: str, archive: Path) -> PurePosixPath:
    """The name as a path that stays inside, whatever system wrote it."""
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or not path.parts or ":" in path.parts[0] or "\0" in name:
        raise _refused(archive, f"{name!r} in it leads out of the folder")
    return path


def _outer(names: list[PurePosixPath]) -> PurePosixPath | None:
    """The one folder that everything is in, if there is such."""
    firsts = {name.parts[0] for name in names}
    return PurePosixPath(firsts.pop()) if len(firsts) == 1 and all(len(name.parts) > 1 for name in names) else None


def _refused(archive: Path, why: str) -> FetchError:
    return FetchError(
        f"{archive.name} was not unpacked: {why}",
        fix="get the archive again from its owner; if it stays so, report it there",
    )

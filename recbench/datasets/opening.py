"""Files as streams of bytes: plain, compressed with gzip, or inside an archive. Nothing here trusts what it reads."""

from __future__ import annotations

import gzip
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, TypeAlias, cast

from recbench.errors import BadData

Opener: TypeAlias = Callable[[Path], BinaryIO]

ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2")
_GZIP_MAGIC = b"\x1f\x8b"


def open_file(path: Path) -> BinaryIO:
    """Open a file to read bytes, through gzip where it is compressed so.

    Raises:
        BadData: there is no such file, or it cannot be read.
    """
    try:
        with path.open("rb") as stream:
            is_packed = stream.read(2) == _GZIP_MAGIC
        return cast(BinaryIO, gzip.open(path)) if is_packed else path.open("rb")
    except OSError as error:
        raise _unreadable(path, error) from error


def in_folder(folder: Path) -> Opener:
    """How to open files of a folder, whether they lie there as they are, compressed, or in an archive."""

    def open_member(path: Path) -> BinaryIO:
        for candidate in (folder / path, folder / f"{path}.gz"):
            if candidate.is_file():
                return open_file(candidate)
        for archive in archives(folder):
            stream = _from_archive(archive, path.as_posix())
            if stream is not None:
                return stream
        raise BadData(f"{folder} has no file {str(path)!r}", fix="put it there, or fetch the data set again")

    return open_member


def holds(folder: Path, name: str) -> bool:
    """Whether `in_folder(folder)` could open `name`."""
    if (folder / name).is_file() or (folder / f"{name}.gz").is_file():
        return True
    return any(_member(members(archive), name) is not None for archive in archives(folder))


def archives(folder: Path) -> list[Path]:
    """The archives in a folder, sorted by name."""
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if is_archive(path) and path.is_file())


def is_archive(path: Path) -> bool:
    """Whether the name of a file is that of an archive."""
    return path.name.lower().endswith(ARCHIVES)


def members(archive: Path) -> list[str]:
    """Names of the files in an archive.

    Raises:
        BadData: it is not an archive, or it is damaged.
    """
    try:
        if archive.suffix.lower() == ".zip":
            with zipfile.ZipFile(archive) as opened:
                return [info.filename for info in opened.infolist() if not info.is_dir()]
        with tarfile.open(archive) as tar:
            return [info.name for info in tar if info.isreg()]
    except (OSError, zipfile.BadZipFile, tarfile.TarError, EOFError) as error:
        raise _unreadable(archive, error) from error


def _member(names: list[str], name: str) -> str | None:
    """The member called `name`, in whatever folder of the archive; the one least deep where there are several."""
    found = [each for each in names if each == name or each.endswith(f"/{name}")]
    return min(found, key=lambda each: (each.count("/"), each), default=None)


def _from_archive(archive: Path, name: str) -> BinaryIO | None:
    member = _member(members(archive), name)
    if member is None:
        return None
    if archive.suffix.lower() == ".zip":
        return cast(BinaryIO, zipfile.ZipFile(archive).open(member))
    tar = tarfile.open(archive)  # noqa: SIM115 - stays open as long as the member that is read
    extracted = tar.extractfile(member)
    return None if extracted is None else cast(BinaryIO, extracted)


def _unreadable(path: Path, error: Exception) -> BadData:
    if isinstance(error, FileNotFoundError):
        return BadData(f"there is no file {path}", fix="correct the path; relative ones start where the protocol is")
    return BadData(f"{path} cannot be read: {error}", fix="get it again, or correct its permissions")


def read_blocks(stream: BinaryIO, path: Path, *, size: int = 1 << 24, longest: int = 1 << 26) -> Iterator[bytes]:
    """The bytes of a stream in blocks of whole lines, each block ending in a line feed.

    Args:
        stream: what to read; closed at the end.
        path: for messages.
        size: bytes to read at once.
        longest: a line of more bytes is an error.

    Raises:
        BadData: a line is too long, or what was compressed is damaged.
    """
    rest, first = b"", True
    with stream:
        while block := _read(stream, size, path):
            block = rest + (block.removeprefix(b"\xef\xbb\xbf") if first else block)
            cut, first = block.rfind(b"\n") + 1, False
            rest = block[cut:]
            if len(rest) > longest:
                raise BadData(f"{path} has a line of over {longest >> 20} MB", fix="check that it is the right file")
            if cut:
                yield block[:cut]
    if rest:
        yield rest + b"\n"


def _read(stream: BinaryIO, size: int, path: Path) -> bytes:
    try:
        return stream.read(size)
    except (OSError, EOFError, zipfile.BadZipFile, tarfile.TarError, zlib.error, RuntimeError) as error:
        raise BadData(f"{path} cannot be read: {error}", fix="it is damaged: get it again") from error

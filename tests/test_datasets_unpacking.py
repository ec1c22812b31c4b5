"""Archives that want out, and archives that are bombs."""

from __future__ import annotations

import io
import stat
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from recbench.datasets.unpacking import Limits, unpack
from recbench.errors import FetchError


def zipped(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def tarred(path: Path, *entries: tarfile.TarInfo, content: bytes = b"") -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for entry in entries:
            entry.size = len(content) if entry.isreg() else 0
            archive.addfile(entry, io.BytesIO(content))
    return path


def nothing_outside(folder: Path) -> bool:
    return sorted(path.name for path in folder.parent.iterdir()) == ["archive", "into"]


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    (tmp_path / "archive").mkdir()
    return tmp_path / "archive" / "a.zip"


@pytest.fixture
def into(tmp_path: Path) -> Path:
    (tmp_path / "into").mkdir()
    return tmp_path / "into"


def test_the_single_outer_folder_is_taken_off(archive: Path, into: Path) -> None:
    zipped(archive, {"ml/": b"", "ml/a.csv": b"a", "ml/deep/b.csv": b"b"})
    assert unpack(archive, into) == [into / "a.csv", into / "deep" / "b.csv"]
    assert (into / "deep" / "b.csv").read_bytes() == b"b"


def test_several_outer_folders_stay(archive: Path, into: Path) -> None:
    zipped(archive, {"one/a.csv": b"a", "two/b.csv": b"b"})
    assert unpack(archive, into) == [into / "one" / "a.csv", into / "two" / "b.csv"]


def test_tar_is_unpacked_like_zip(archive: Path, into: Path) -> None:
    entry = tarfile.TarInfo("ml/a.csv")
    assert unpack(tarred(archive.with_name("a.tar.gz"), entry, content=b"a"), into) == [into / "a.csv"]


@pytest.mark.parametrize(
    "name", ["../evil", "a/../../evil", "/evil", "..\\evil", "C:\\evil", "C:evil", "a\\..\\..\\evil", "..", "."]
)
def test_a_path_out_of_the_folder_is_refused(archive: Path, into: Path, name: str) -> None:
    zipped(archive, {"fine.csv": b"x", name: b"evil"})
    with pytest.raises(FetchError, match="leads out of the folder"):
        unpack(archive, into)
    assert list(into.iterdir()) == []
    assert nothing_outside(into)
    with pytest.raises(FetchError, match="leads out of the folder"):
        unpack(tarred(archive.with_name("b.tgz"), tarfile.TarInfo(name), content=b"evil"), into)
    assert list(into.iterdir()) == []


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE])
def test_links_and_devices_in_a_tar_are_refused(archive: Path, into: Path, kind: bytes) -> None:
    entry = tarfile.TarInfo("link")
    entry.type, entry.linkname = kind, "/etc/passwd"
    with pytest.raises(FetchError, match="'link' in it is a link or a device"):
        unpack(tarred(archive.with_name("a.tar.gz"), entry), into)
    assert list(into.iterdir()) == []


def test_links_in_a_zip_are_refused(archive: Path, into: Path) -> None:
    info = zipfile.ZipInfo("link")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr(info, "/etc/passwd")
    with pytest.raises(FetchError, match="'link' in it is a link or a device"):
        unpack(archive, into)


def test_a_bomb_is_stopped_while_it_goes_off(archive: Path, into: Path) -> None:
    zipped(archive, {"zeros.csv": bytes(50 << 20)})
    assert archive.stat().st_size < 100_000
    with pytest.raises(FetchError, match="far more is in it than its size allows for"):
        unpack(archive, into)
    assert list(into.iterdir()) == []


def test_a_bomb_of_many_files_counts_as_a_whole(archive: Path, into: Path) -> None:
    zipped(archive, {f"{n}.csv": bytes(1 << 20) for n in range(30)})
    with pytest.raises(FetchError, match="far more is in it"):
        unpack(archive, into)


def test_a_size_that_a_zip_lies_about_does_not_help(archive: Path, into: Path) -> None:
    zipped(archive, {"zeros.csv": bytes(50 << 20)})
    data = archive.read_bytes().replace((50 << 20).to_bytes(4, "little"), (100).to_bytes(4, "little"))
    archive.write_bytes(data)
    with pytest.raises(FetchError, match="was not unpacked"):
        unpack(archive, into)
    assert list(into.iterdir()) == []


def test_too_many_files_are_refused(archive: Path, into: Path) -> None:
    zipped(archive, {f"{n}.csv": b"" for n in range(20)})
    with pytest.raises(FetchError, match="more than 10 files are in it"):
        unpack(archive, into, limits=Limits(files=10))


def test_a_name_that_comes_twice_is_refused_in_whatever_case(archive: Path, into: Path) -> None:
    zipped(archive, {"a.csv": b"1", "A.CSV": b"2"})
    with pytest.raises(FetchError, match=r"'A.CSV' is in it twice"):
        unpack(archive, into)


@pytest.mark.parametrize(
    "damage", [lambda data: data[:-30], lambda data: b"no zip", lambda data: data[:40] + b"\0" * 9 + data[49:]]
)
def test_a_damaged_archive_leaves_nothing_behind(archive: Path, into: Path, damage: Callable[[bytes], bytes]) -> None:
    zipped(archive, {"a.csv": bytes(range(256)) * 40})
    archive.write_bytes(damage(archive.read_bytes()))
    with pytest.raises(FetchError, match="was not unpacked: it is damaged"):
        unpack(archive, into)
    assert list(into.iterdir()) == []


def test_an_encrypted_archive_is_refused(archive: Path, into: Path) -> None:
    zipped(archive, {"a.csv": b"abc"})
    data = bytearray(archive.read_bytes())
    data[6] |= 1
    data[data.index(b"PK\1\2") + 8] |= 1
    archive.write_bytes(bytes(data))
    with pytest.raises(FetchError, match="encrypted"):
        unpack(archive, into)


def test_files_that_were_there_survive_an_archive_that_is_refused(archive: Path, into: Path) -> None:
    (into / "a.csv").write_bytes(b"mine")
    zipped(archive, {"a.csv": b"new", "../evil": b"x"})
    with pytest.raises(FetchError):
        unpack(archive, into)
    assert (into / "a.csv").read_bytes() == b"mine"

"""The files records are kept in: written whole or not at all, and read with suspicion.

DIR/records/<protocol>-<8 hex of its fingerprint>/<trial id>.json    the record
                                                  <trial id>.npz     its lists and predictions
                                                  analysis.json      what the statistics say of all of them
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import re
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from recbench.data import FloatArray, Int32Array
from recbench.errors import BadRecord, RecbenchError
from recbench.records.analysis import Analysis, analysis_from_json, analysis_to_json
from recbench.records.arrays import Sizes, pack, unpack
from recbench.records.form import alike, from_json, to_json
from recbench.records.parsing import Alike
from recbench.records.record import Record

ANALYSIS = "analysis.json"
JSON_BYTES = 16 << 20
STALE_SECONDS = 3600
ID = re.compile(r"[0-9a-f]{16}")
NAME = re.compile(rf"{ID.pattern}\.json")
AGAIN = "get it again from where it came, or remove it and run again"


@dataclass(frozen=True, slots=True)
class _Stamp:
    """What changes with a file: whoever writes a record puts a new file in the old one's place."""

    device: int
    inode: int
    n_bytes: int
    modified_ns: int
    changed_ns: int


class Store:
    """The records below one folder. Several runs may use it at once.

    Each file is read once, and again when it has changed.

    Args:
        output: the folder that `records/` is in.
    """

    def __init__(self, output: Path) -> None:
        self.folder = output / "records"
        self._swept: set[Path] = set()
        self._read: dict[Path, tuple[_Stamp, Record]] = {}
        self._alike = alike()

    def load(self, path: Path) -> Record:
        """As the function `load`, of a file below the folder. Records share parts, none of which may be changed."""
        stamp = _stamp(path)
        known = self._read.get(path)
        if stamp is not None and known is not None and known[0] == stamp:
            return known[1]
        record = load(path, self._alike)
        if stamp is not None:  # taken before: a file that changed since will show another
            self._read[path] = stamp, record
        return record

    def save(self, record: Record, *, lists: Int32Array | None, predictions: FloatArray | None) -> Path:
        """Write a record with its arrays beside it, both or neither. What was there under its id is replaced.

        Args:
            record: its `lists` is filled in here.
            lists: (n_users, depth), or None where there are none.
            predictions: (n_test,), or None where there are none.

        Raises:
            RecbenchError: the disk is full, or the folder cannot be written to.
        """
        path = self.folder / folder_name(record) / f"{record.trial_id}.json"
        arrays = None if lists is None else pack(lists, predictions)
        record = replace(record, lists=None if arrays is None else {"sha256": hashlib.sha256(arrays).hexdigest()})
        beside = {} if arrays is None else {path.with_suffix(".npz"): arrays}
        with _writing(path):
            if path.parent not in self._swept:  # to look for leftovers takes longer the more records there are
                _sweep(path.parent)
                self._swept.add(path.parent)
            _commit({**beside, path: to_json(record).encode()})
            if arrays is None:
                path.with_suffix(".npz").unlink(missing_ok=True)
        return path

    def save_analysis(self, analysis: Analysis, record: Record) -> Path:
        """Write the analysis of a board beside its records, of which `record` is one.

        Raises:
            RecbenchError: the disk is full, or the folder cannot be written to.
        """
        path = self.folder / folder_name(record) / ANALYSIS
        write_whole(path, analysis_to_json(analysis).encode())
        return path

    def analyses(self) -> tuple[dict[str, Analysis], list[BadRecord]]:
        """The analyses by their protocols' fingerprints, and what is wrong with the files that are none."""
        found, problems = {}, []
        for path in sorted(self.folder.glob(f"*/{ANALYSIS}")):
            try:
                analysis = load_analysis(path)
                found[analysis.protocol] = analysis
            except BadRecord as problem:
                problems.append(problem)
        return found, problems

    def find(self, trial_id: str) -> list[Path]:
        """The files of a trial's records, one for each protocol it stands under."""
        return sorted(self.folder.glob(f"*/{trial_id}.json")) if ID.fullmatch(trial_id) else []

    def by_trial(self) -> Mapping[str, Sequence[Path]]:
        """As `find`, of every trial that has any."""
        found: dict[str, list[Path]] = {}
        for path in self.paths():
            found.setdefault(path.stem, []).append(path)
        return found

    def paths(self, fingerprint: str = "") -> list[Path]:
        """The files of all records; with a protocol's fingerprint of those only that may be of it."""
        folders = sorted(self.folder.glob(f"*-{fingerprint[:8]}" if fingerprint else "*"))
        return [folder / name for folder in folders for name in sorted(_names(folder)) if NAME.fullmatch(name)]

    def load_all(self) -> tuple[list[Record], list[BadRecord]]:
        """All records, and what is wrong with the files that are none."""
        records, problems = [], []
        for path in self.paths():
            try:
                records.append(self.load(path))
            except BadRecord as problem:
                problems.append(problem)
        return records, problems


def folder_name(record: Record) -> str:
    """Safe and injective: what of the name is not plain is left out, and the fingerprint tells protocols apart."""
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", str(record.protocol["name"])).strip("-")[:64]
    return f"{name or 'protocol'}-{record.protocol['fingerprint'][:8]}"


def load(path: Path, among: Alike | None = None) -> Record:
    """Read one record.

    Args:
        among: as for `from_json`.

    Raises:
        BadRecord: the file cannot be read, or does not say a record.
    """
    record = from_json(_text(path), str(path), among)
    if path.stem != record.trial_id:
        raise BadRecord(f"{path}: holds the record {record.trial_id!r}", fix=AGAIN)
    return record


def _names(folder: Path) -> list[str]:
    """What is in a folder; nothing where it is none, or cannot be looked into."""
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _stamp(path: Path) -> _Stamp | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return _Stamp(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


def load_analysis(path: Path) -> Analysis:
    """Read one analysis.

    Raises:
        BadRecord: the file cannot be read, or does not say an analysis.
    """
    return analysis_from_json(_text(path), str(path))


def _text(path: Path) -> str:
    """A file of JSON, and no more of it than any such file has."""
    try:
        with path.open("rb") as file:
            # To ask for the most at once would take as much memory, however short the file is.
            content = file.read(min(os.fstat(file.fileno()).st_size, JSON_BYTES) + 1)
        text = content.decode()
    except (OSError, UnicodeDecodeError) as error:
        raise BadRecord(f"{path}: cannot be read: {error}", fix=AGAIN) from error
    if len(content) > JSON_BYTES:
        raise BadRecord(f"{path}: is larger than {JSON_BYTES:,} bytes", fix=AGAIN)
    return text


def read_lists(path: Path, record: Record) -> tuple[Int32Array, FloatArray | None]:
    """The lists and predictions beside the record at `path`.

    Returns:
        (n_users, depth) int32 with -1 for empty places, and (n_test,) float64 or None.

    Raises:
        BadRecord: they are not there, or not those that the record was made from, or not of its sizes.
    """
    beside = path.with_suffix(".npz")
    split = record.split
    sizes = Sizes(
        users=split["users"], items=split["items"], pairs=split["test"], depth=record.identity.get("depth", None)
    )
    try:
        with beside.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
            if record.lists is None or record.lists["sha256"] != found:
                raise ValueError(f"is not what the record was made from: its sha256 is {found[:12]}")
            file.seek(0)
            return unpack(file, sizes)
    except OSError as error:
        raise BadRecord(f"{beside}: cannot be read: {error}", fix=AGAIN) from error
    except ValueError as error:
        raise BadRecord(f"{beside}: {error}", fix=AGAIN) from error


def write_whole(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, for good; its folder is made where it is not there.

    Raises:
        RecbenchError: the disk is full, or the folder cannot be written to.
    """
    with _writing(path):
        _sweep(path.parent)
        _commit({path: content})


@contextlib.contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Have the folder of `path` to oneself: two runs that save one trial must not mix its files."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            with contextlib.suppress(OSError):  # a file system without locks; last one wins, file by file
                fcntl.flock(folder, fcntl.LOCK_EX)
            yield
        finally:
            os.close(folder)  # gives the lock back
    except OSError as error:
        raise _cannot_write(path, error) from error


def _commit(files: Mapping[Path, bytes]) -> None:
    """Write all to temporary files first, then move them to their places in order; the last one counts.

    That one goes away before another changes, so that at no moment it stands beside what is not its own.
    """
    *others, last = files
    temporary = {path: path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}.tmp") for path in files}
    try:
        for path, content in files.items():
            with open(temporary[path], "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        for path in others:
            if not path.is_file() or path.read_bytes() != files[path]:
                last.unlink(missing_ok=True)
            os.replace(temporary[path], path)
            _make_last(path.parent)
        os.replace(temporary[last], last)
        _make_last(last.parent)
    except BaseException:
        for path in temporary.values():
            path.unlink(missing_ok=True)
        raise


def _make_last(folder: Path) -> None:
    """Have the system write down which files are in a folder."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sweep(folder: Path) -> None:
    """Remove what writers that were killed left behind; nobody takes an hour to write a record."""
    for path in folder.glob(".*.tmp"):
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime > STALE_SECONDS:
                path.unlink()


def _cannot_write(path: Path, error: OSError) -> RecbenchError:
    fix = "free some space, or give another folder with -o; what is finished is kept, and the same command goes on"
    if error.errno not in (errno.ENOSPC, errno.EDQUOT):
        fix = "give a folder you may write to with -o"
    return RecbenchError(f"{path}: cannot be written: {error.strerror or error}", fix=fix)

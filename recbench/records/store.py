"""The files records are kept in: written whole or not at all, and read with suspicion.

DIR/records/<protocol>-<8 hex of its fingerprint>/<trial id>.json    the record
                                                  <trial id>.npz     its lists and predictions
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import threading
import time
from dataclasses import replace
from pathlib import Path

from recbench.data import FloatArray, Int32Array
from recbench.errors import BadRecord, RecbenchError
from recbench.records.arrays import pack, unpack
from recbench.records.form import from_json, to_json
from recbench.records.record import Record

JSON_BYTES = 16 << 20
STALE_SECONDS = 3600
ID = re.compile(r"[0-9a-f]{16}")
AGAIN = "get it again from where it came, or remove it and run again"


class Store:
    """The records below one folder. Several runs may use it at once.

    Args:
        output: the folder that `records/` is in.
    """

    def __init__(self, output: Path) -> None:
        self.folder = output / "records"

    def save(self, record: Record, *, lists: Int32Array | None, predictions: FloatArray | None) -> Path:
        """Write a record with its arrays beside it. The JSON file comes last: with it the record is there.

        Args:
            record: its `lists` is filled in here.
            lists: (n_users, depth), or None where there are none.
            predictions: (n_test,), or None where there are none.

        Raises:
            RecbenchError: the disk is full, or the folder cannot be written to.
        """
        folder = self.folder / folder_name(record)
        path = folder / f"{record.trial_id}.json"
        if lists is not None:
            content = pack(lists, predictions)
            write_whole(path.with_suffix(".npz"), content)
            record = replace(record, lists={"sha256": hashlib.sha256(content).hexdigest()})
        write_whole(path, to_json(record).encode())
        return path

    def find(self, trial_id: str) -> list[Path]:
        """The files of a trial's records, one for each protocol it stands under."""
        return sorted(self.folder.glob(f"*/{trial_id}.json")) if ID.fullmatch(trial_id) else []

    def paths(self) -> list[Path]:
        """The files of all records."""
        return sorted(path for path in self.folder.glob("*/*.json") if ID.fullmatch(path.stem))

    def load_all(self) -> tuple[list[Record], list[BadRecord]]:
        """All records, and what is wrong with the files that are none."""
        records, problems = [], []
        for path in self.paths():
            try:
                records.append(load(path))
            except BadRecord as problem:
                problems.append(problem)
        return records, problems


def folder_name(record: Record) -> str:
    """Safe and injective: what of the name is not plain is left out, and the fingerprint tells protocols apart."""
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", str(record.protocol["name"])).strip("-")[:64]
    return f"{name or 'protocol'}-{record.protocol['fingerprint'][:8]}"


def load(path: Path) -> Record:
    """Read one record.

    Raises:
        BadRecord: the file cannot be read, or does not say a record.
    """
    try:
        if path.stat().st_size > JSON_BYTES:
            raise BadRecord(f"{path}: is larger than {JSON_BYTES:,} bytes", fix=AGAIN)
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadRecord(f"{path}: cannot be read: {error}", fix=AGAIN) from error
    record = from_json(text, str(path))
    if path.stem != record.trial_id:
        raise BadRecord(f"{path}: holds the record {record.trial_id!r}", fix=AGAIN)
    return record


def read_lists(path: Path, record: Record) -> tuple[Int32Array, FloatArray | None]:
    """The lists and predictions beside the record at `path`.

    Raises:
        BadRecord: they are not there, or not those that the record was made from.
    """
    beside = path.with_suffix(".npz")
    try:
        found = hashlib.sha256(beside.read_bytes()).hexdigest()
    except OSError as error:
        raise BadRecord(f"{beside}: cannot be read: {error}", fix=AGAIN) from error
    if record.lists is None or record.lists.get("sha256") != found:
        raise BadRecord(f"{beside}: is not what the record was made from: its sha256 is {found[:12]}", fix=AGAIN)
    return unpack(beside)


def write_whole(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, for good; its folder is made where it is not there.

    Raises:
        RecbenchError: the disk is full, or the folder cannot be written to.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _sweep(path.parent)
        _replace(path, content)
    except OSError as error:
        raise _cannot_write(path, error) from error


def _replace(path: Path, content: bytes) -> None:
    """A temporary file beside it, then a rename, both made to last."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}.tmp")
    try:
        with open(temporary, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


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
    return RecbenchError(f"{path}: cannot be written: {error.strerror}", fix=fix)

"""The training data of one split, laid into memory that trials map read-only. The test part is not in it."""

from __future__ import annotations

import fcntl
import os
import tempfile
import weakref
import zlib
from collections import OrderedDict
from threading import Lock
from typing import Any

from recbench.data import Split
from recbench.worker.processes import IS_LINUX
from recbench.worker.sharing import Arrays, describe, dismantle, lay_out

# From linux/fcntl.h; Python names them since 3.12 only. Sealed: not to be written, grown, shrunk or unsealed by anyone.
_F_ADD_SEALS, _ALL_SEALS = 1033, 1 | 2 | 4 | 8


class SharedTraining:
    """Train, train without validation, validation, and the tables, in a file without a name.

    On Linux the file is sealed, so that not even its owner can change it. Elsewhere it is an unlinked file, and its
    checksum tells whether anybody did.

    Attributes:
        descriptor: the open file, to be sent to trials.
        layout: where each array lies in it.
        facts: the rest of the tables, as JSON values.
        size: bytes.
    """

    def __init__(self, split: Split) -> None:
        self.facts, arrays = describe(split.dataset)
        arrays |= dismantle("train", split.train().interactions)
        self.has_validation = bool(len(split.validation_rows))
        if self.has_validation:
            arrays |= dismantle("rest", split.train_without_validation().interactions)
            arrays |= dismantle("validation", split.validation().interactions)
        self.layout, self.size = lay_out(arrays)
        self.descriptor = _create()
        weakref.finalize(self, os.close, self.descriptor)
        _write(self.descriptor, arrays, self.layout, self.size)
        self._checksum = None if _seal(self.descriptor) else _checksum(self.descriptor)

    def is_intact(self) -> bool:
        """Whether nobody has changed a byte."""
        return self._checksum is None or self._checksum == _checksum(self.descriptor)


class SharedTrainings:
    """Those of the splits in use, by fingerprint; the one longest out of use goes first."""

    def __init__(self, *, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[str, SharedTraining] = OrderedDict()
        self._lock = Lock()

    def of(self, split: Split) -> SharedTraining:
        """Lay out the training data of a split, unless it is there."""
        with self._lock:
            if split.fingerprint not in self._kept:
                self._kept[split.fingerprint] = SharedTraining(split)
            self._kept.move_to_end(split.fingerprint)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
            return self._kept[split.fingerprint]

    def forget(self, split: Split) -> None:
        """Lay it out anew next time."""
        with self._lock:
            self._kept.pop(split.fingerprint, None)


def _create() -> int:
    if IS_LINUX:
        return os.memfd_create("recbench-train", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def _seal(descriptor: int) -> bool:
    if IS_LINUX:
        fcntl.fcntl(descriptor, _F_ADD_SEALS, _ALL_SEALS)
    return IS_LINUX


def _write(descriptor: int, arrays: Arrays, layout: dict[str, list[Any]], size: int) -> None:
    os.ftruncate(descriptor, size)
    for name, array in arrays.items():
        _write_at(descriptor, layout[name][0], memoryview(array.tobytes()))


def _write_at(descriptor: int, offset: int, content: memoryview) -> None:
    while content:
        written = os.pwrite(descriptor, content, offset)
        offset += written
        content = content[written:]


def _checksum(descriptor: int) -> int:
    checksum, offset = 0, 0
    while piece := os.pread(descriptor, 1 << 22, offset):
        checksum = zlib.crc32(piece, checksum)
        offset += len(piece)
    return checksum

"""The training data of one split, laid into memory that trials map read-only. The test part is not in it."""

from __future__ import annotations

import fcntl
import os
import tempfile
import weakref
import zlib
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recbench.data import RowArray, Split, steps
from recbench.worker.processes import IS_LINUX
from recbench.worker.sharing import Layout, describe, dismantle, lay_out

# From linux/fcntl.h; Python names them since 3.12 only. Sealed: not to be written, grown, shrunk or unsealed by anyone.
_F_ADD_SEALS, _ALL_SEALS = 1033, 1 | 2 | 4 | 8


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Picked:
    """A column, or some rows of it, taken a block at a time: a part of a large data set is never there twice."""

    column: NDArray[Any]
    rows: RowArray | None = None

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.column.dtype

    @property
    def shape(self) -> tuple[int, ...]:
        return self.column.shape if self.rows is None else self.rows.shape

    def blocks(self) -> Iterator[NDArray[Any]]:
        for block in steps(self.shape[0]):
            yield self.column[block] if self.rows is None else self.column[self.rows[block]]


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
        self.facts, tables = describe(split.dataset)
        parts = {"train": split.all_train_rows()}
        self.has_validation = bool(len(split.validation_rows))
        if self.has_validation:
            parts |= {"rest": split.train_rows, "validation": split.validation_rows}
        columns = {name: _Picked(column=table) for name, table in tables.items()}
        for part, rows in parts.items():
            for name, column in dismantle(part, split.dataset.interactions).items():
                columns[name] = _Picked(column=column, rows=rows)
        self.layout, self.size = lay_out(columns)
        self.descriptor = _create()
        weakref.finalize(self, os.close, self.descriptor)
        _write(self.descriptor, columns, self.layout, self.size)
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


def _write(descriptor: int, columns: Mapping[str, _Picked], layout: Layout, size: int) -> None:
    os.ftruncate(descriptor, size)
    for name, column in columns.items():
        offset = layout[name][0]
        for block in column.blocks():
            offset = _write_at(descriptor, offset, memoryview(block.tobytes()))


def _write_at(descriptor: int, offset: int, content: memoryview) -> int:
    """Write all of it; give where it ends."""
    while content:
        written = os.pwrite(descriptor, content, offset)
        offset += written
        content = content[written:]
    return offset


def _checksum(descriptor: int) -> int:
    checksum, offset = 0, 0
    while piece := os.pread(descriptor, 1 << 22, offset):
        checksum = zlib.crc32(piece, checksum)
        offset += len(piece)
    return checksum

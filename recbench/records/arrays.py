"""Lists and predictions as an archive of arrays: the same bytes for the same values, and checked before it is read."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recbench.data import FloatArray, Int32Array
from recbench.errors import BadRecord

MEMBERS = frozenset({"lists.npy", "predictions.npy"})
ARRAY_BYTES = 16 << 30
RATIO = 2000
FIX = "get the file again from where it came, or remove the record and run again"


def pack(lists: Int32Array, predictions: FloatArray | None) -> bytes:
    """An .npz archive. Lists are kept in the narrowest type that holds them, predictions as they are."""
    widest = int(lists.max(initial=0))
    narrow = next(kind for kind in (np.int8, np.int16, np.int32) if widest <= np.iinfo(kind).max)
    arrays: dict[str, NDArray[Any]] = {"lists": lists.astype(narrow)}
    if predictions is not None:
        arrays["predictions"] = predictions.astype("<f8")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in arrays.items():
            # The fixed date keeps the bytes the same whenever it is written.
            member = zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0))
            member.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(member, "w", force_zip64=True) as file:
                np.lib.format.write_array(file, np.ascontiguousarray(array), version=(1, 0), allow_pickle=False)
    return buffer.getvalue()


def unpack(path: Path) -> tuple[Int32Array, FloatArray | None]:
    """Read an archive that anybody may have made.

    Raises:
        BadRecord: it is not one of ours: other members, larger than it may be, other types or shapes.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            _check_members(path, archive)
            found = {name: _read(archive, name) for name in archive.namelist()}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, NotImplementedError) as error:
        raise BadRecord(f"{path}: cannot be read: {error}", fix=FIX) from error
    lists, predictions = found["lists.npy"], found.get("predictions.npy")
    if lists.ndim != 2 or lists.dtype.kind != "i":
        raise BadRecord(f"{path}: lists are {lists.dtype} of shape {lists.shape}", fix=FIX)
    if predictions is not None and (predictions.ndim != 1 or predictions.dtype != np.float64):
        raise BadRecord(f"{path}: predictions are {predictions.dtype} of shape {predictions.shape}", fix=FIX)
    return lists.astype(np.int32), predictions


def _check_members(path: Path, archive: zipfile.ZipFile) -> None:
    names = archive.namelist()
    if "lists.npy" not in names or len(set(names)) != len(names) or not set(names) <= MEMBERS:
        raise BadRecord(f"{path}: holds {sorted(names)!r}, and not lists with or without predictions", fix=FIX)
    for member in archive.infolist():
        # Deflate reaches a ratio of 1,032 at most, so a greater one is a lie about the size.
        if member.file_size > min(ARRAY_BYTES, RATIO * max(member.compress_size, 1)):
            raise BadRecord(f"{path}: {member.filename} claims {member.file_size:,} bytes unpacked", fix=FIX)


def _read(archive: zipfile.ZipFile, name: str) -> NDArray[Any]:
    """One array; what its header claims is held against the member's size before memory is taken."""
    size = archive.getinfo(name).file_size
    with archive.open(name) as file:
        if np.lib.format.read_magic(file) != (1, 0):
            raise ValueError(f"{name} is of another version")
        shape, _, dtype = np.lib.format.read_array_header_1_0(file)
        if dtype.hasobject or any(length < 0 for length in shape):
            raise ValueError(f"{name} holds objects")
        n_bytes = dtype.itemsize * int(np.prod(shape, dtype=object))
        if n_bytes > size:
            raise ValueError(f"{name} claims {n_bytes:,} bytes, and has {size:,}")
        content = file.read(n_bytes)
    if len(content) != n_bytes:
        raise ValueError(f"{name} ends early")
    return np.frombuffer(content, dtype=dtype).reshape(shape)

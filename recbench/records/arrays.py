"""Lists and predictions as an archive of arrays: the same bytes for the same values, and checked before it is read."""

from __future__ import annotations

import io
import math
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from recbench.data import FloatArray, Int32Array

NARROW = ("<i1", "<i2", "<i4")
HEADER_BYTES = 256
DAMAGES = (
    *(OSError, ValueError, SyntaxError, EOFError, RuntimeError),
    *(struct.error, tokenize.TokenError, zipfile.BadZipFile, zlib.error),
)
"""What the readers of zip and npy raise on bytes that are neither."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """What a record says of its arrays.

    Attributes:
        users: rows of the lists.
        depth: columns of the lists; None where the record does not say.
        items: one more than the greatest item.
        pairs: length of the predictions.
    """

    users: int
    depth: int | None
    items: int
    pairs: int


def pack(lists: Int32Array, predictions: FloatArray | None) -> bytes:
    """An .npz archive. Lists are kept in the narrowest type that holds them, predictions as they are."""
    widest = int(lists.max(initial=0))
    narrow = next(code for code in NARROW if widest <= np.iinfo(code).max)
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


def unpack(file: IO[bytes], sizes: Sizes) -> tuple[Int32Array, FloatArray | None]:
    """Read an archive that anybody may have made. Takes no more memory than `sizes` ask for.

    Raises:
        ValueError: it is not one of ours, or of other sizes.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            members = _members(archive)
            lists = _read(archive, members["lists.npy"], NARROW, (sizes.users, sizes.depth))
            scored = members.get("predictions.npy")
            predictions = None if scored is None else _read(archive, scored, ("<f8",), (sizes.pairs,))
    except DAMAGES as error:
        raise ValueError(f"cannot be read: {error}") from error
    if lists.min(initial=-1) < -1 or lists.max(initial=-1) >= sizes.items:
        raise ValueError(f"a list has an item that is not in 0 .. {sizes.items - 1}")
    return lists.astype(np.int32), predictions


def _members(archive: zipfile.ZipFile) -> Mapping[str, zipfile.ZipInfo]:
    members = {member.filename: member for member in archive.infolist()}
    if len(members) != len(archive.infolist()) or members.keys() not in (
        {"lists.npy"},
        {"lists.npy", "predictions.npy"},
    ):
        raise ValueError(f"holds {archive.namelist()!r:.200}, and not lists with or without predictions")
    if any(each.flag_bits & 1 or each.compress_type != zipfile.ZIP_DEFLATED for each in members.values()):
        raise ValueError("is not compressed as recbench does")
    return members


def _read(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, codes: tuple[str, ...], wanted: tuple[int | None, ...]
) -> NDArray[Any]:
    """One array; what it claims to be is held against what is wanted before memory is taken."""
    with archive.open(member) as file:
        if np.lib.format.read_magic(file) != (1, 0):
            raise ValueError(f"{member.filename} is of another version")
        shape, is_fortran, dtype = np.lib.format.read_array_header_1_0(file)
        is_wanted = len(shape) == len(wanted) and all(w in (None, n) for n, w in zip(shape, wanted, strict=True))
        if dtype.str.replace("|", "<") not in codes or is_fortran or not is_wanted:
            expected = tuple("any" if length is None else length for length in wanted)
            raise ValueError(f"{member.filename} is {dtype.str} of shape {shape}, and not of shape {expected}")
        n_bytes = dtype.itemsize * math.prod(shape)
        if not n_bytes < member.file_size <= n_bytes + HEADER_BYTES:
            raise ValueError(f"{member.filename} claims {member.file_size:,} bytes, and needs {n_bytes:,}")
        content = file.read(n_bytes)
        if len(content) != n_bytes or file.read(1):
            raise ValueError(f"{member.filename} is not as long as it says")
    return np.frombuffer(content, dtype=dtype).reshape(shape)

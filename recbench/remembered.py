"""Lists of recommendations that are kept between commands, and the only module that knows their files.

Arrays only, never a model: what is read back is checked, and what is not as expected is as good as not there.
"""

from __future__ import annotations

import os
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recbench.cache import touch
from recbench.data import FloatArray, Int32Array, owned

_HEADERS = 4096
"""Bytes of a file beside its arrays: more than the headers of two arrays in an archive take."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Lists:
    """What is recommended to everybody.

    Attributes:
        items: (n_users, depth) int32, best first, -1 for an empty place.
        scores: (n_users, depth) float64, NaN where there is none.
    """

    items: Int32Array
    scores: FloatArray


def recall(folder: Path, key: str, *, n_users: int, n_items: int, depth: int) -> Lists | None:
    """The lists kept under `key`; None where there are none, or the file is not what it should be."""
    path, shape = folder / f"{key}.npz", (n_users, depth)
    try:
        if path.stat().st_size > n_users * depth * 12 + _HEADERS or not _is_plain(path):
            return None
        with np.load(path, allow_pickle=False) as file:
            items, scores = file["items"], file["scores"]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
    if (items.dtype, scores.dtype, items.shape, scores.shape) != (np.int32, np.float64, shape, shape):
        return None
    if items.size and (items.min() < -1 or items.max() >= n_items):
        return None
    touch(path)
    return Lists(items=owned(items), scores=owned(scores))


def remember(folder: Path, key: str, lists: Lists) -> None:
    """Keep lists under `key`: whole, or not at all. Two at once do not harm each other.

    Raises:
        OSError: the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=folder, prefix=f".{key}-", suffix=".tmp")
    try:
        with os.fdopen(descriptor, "wb") as file:
            np.savez(file, items=lists.items, scores=lists.scores)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, folder / f"{key}.npz")
    except BaseException:
        os.unlink(name)
        raise


def _is_plain(path: Path) -> bool:
    """Whether nothing in the archive is compressed, so that its size is the size of what comes out."""
    with zipfile.ZipFile(path) as archive:
        return all(member.compress_type == zipfile.ZIP_STORED for member in archive.infolist())

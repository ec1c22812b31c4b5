"""The fingerprint of a split: one hash over all that is in it, the same on every machine. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recbench.data import Categories, Column, Dataset, Interactions, Numbers, RowArray, StrArray, Tags, Texts, steps


def tables_hash(dataset: Dataset) -> str:
    """sha256 in hexadecimal over the ids and features of users and items, and the rating scale.

    Each column goes in with its name, length and type; numbers as little-endian bytes, each text as UTF-8 after
    its length. Features are sorted by name. -0.0 counts as 0.0 and every NaN as one NaN.
    """
    digest = hashlib.sha256(
        f"scale {None if dataset.scale is None else [float(end) for end in dataset.scale]}\n".encode()
    )
    for table, ids, columns in (
        ("users", dataset.user_ids, dataset.users),
        ("items", dataset.item_ids, dataset.items),
    ):
        _add_texts(digest, f"{table} ids", ids)
        for name in sorted(columns):
            _add_column(digest, f"{table} {name!a}", columns[name])
    return digest.hexdigest()


def split_fingerprint(interactions: Interactions, parts: Mapping[str, RowArray], tables: str) -> str:
    """sha256 in hexadecimal over the parts of a split.

    For each part in the order given: its name and length, then user and item as int32, rating as float32 and, where
    there are any, time as int64, all little-endian, in the order of the part's rows.

    Args:
        interactions: those of the data set.
        parts: rows by the part's name.
        tables: see `tables_hash`.
    """
    digest = hashlib.sha256(f"tables {tables}\n".encode())
    columns = {
        "user <i4": interactions.user,
        "item <i4": interactions.item,
        "rating <f4": interactions.rating,
        "time <i8": interactions.time,
    }
    for part, rows in parts.items():
        digest.update(f"{part} {len(rows)}\n".encode())
        for name, values in columns.items():
            if values is not None:
                digest.update(f"{name}\n".encode())
                _add_numbers(digest, values, name.split()[1], rows)
    return digest.hexdigest()


def _add_column(digest: hashlib._Hash, name: str, column: Column) -> None:
    match column:
        case Numbers():
            values = np.where(np.isnan(column.values), np.nan, column.values + 0.0)
            digest.update(f"{name} numbers {len(values)}\n".encode())
            _add_numbers(digest, values, "<f8")
        case Categories():
            digest.update(f"{name} categories {len(column.codes)}\n".encode())
            _add_numbers(digest, column.codes, "<i4")
            _add_texts(digest, "names", column.names)
        case Tags():
            digest.update(f"{name} tags {len(column.starts) - 1} {len(column.codes)}\n".encode())
            _add_numbers(digest, column.starts, "<i8")
            _add_numbers(digest, column.codes, "<i4")
            _add_texts(digest, "names", column.names)
        case Texts():
            _add_texts(digest, f"{name} texts", column.values)


def _add_numbers(digest: hashlib._Hash, values: NDArray[Any], dtype: str, rows: RowArray | None = None) -> None:
    """Add `values`, or those at `rows`, a block at a time."""
    for block in steps(len(values if rows is None else rows)):
        taken = values[block] if rows is None else values[rows[block]]
        digest.update(taken.astype(dtype, copy=False).tobytes())


def _add_texts(digest: hashlib._Hash, name: str, texts: StrArray | tuple[str, ...]) -> None:
    digest.update(f"{name} {len(texts)}\n".encode())
    for block in steps(len(texts)):
        encoded = (str(text).encode("utf-8", "surrogatepass") for text in texts[block])
        digest.update(b"".join(len(text).to_bytes(8, "little") + text for text in encoded))

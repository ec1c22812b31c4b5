"""Arrays of records as NumPy saves them: the fastest form there is to read, and one that needs no library more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from recbench.data import BoolArray
from recbench.datasets.faults import Inspector
from recbench.datasets.ids import number_ids
from recbench.datasets.layout import by_header
from recbench.datasets.numbers import LARGEST, LATEST, narrowed, off_scale
from recbench.datasets.rows import RowFault, Rows, Scale
from recbench.errors import BadData
from recbench.protocols.spec import FileSpec

_AT_ONCE = 1 << 20
_KINDS: Mapping[str, str] = {"user": "iu", "item": "iu", "rating": "iuf", "time": "iu"}
_FORM = "an array of records with whole numbers as user and item, and numbers as rating, whole ones as time"


def rows_of_records(stream: BinaryIO, file: FileSpec, inspector: Inspector, scale: Scale) -> Iterator[Rows]:
    """The rows of an .npy file, block by block. Rows count as lines, from 1.

    Args:
        stream: the file; closed at the end.
        file: its path, and which field is what.
        inspector: what becomes of bad rows.
        scale: least and greatest rating.

    Raises:
        BadData: the file is damaged or of another form; or a row is bad, and that is an error.
    """
    with stream:
        dtype, n = _header(stream, file.path)
        fields = _fields(dtype, file)
        for first in range(0, n, _AT_ONCE):
            content = stream.read(min(_AT_ONCE, n - first) * dtype.itemsize)
            if len(content) != min(_AT_ONCE, n - first) * dtype.itemsize:
                raise BadData(f"{file.path} ends early", fix="it is damaged: get it again")
            records = np.frombuffer(content, dtype=dtype)
            columns = {name: np.ascontiguousarray(records[field]) for name, field in fields.items()}
            yield _rows(columns, np.arange(first + 1, first + 1 + len(records), dtype=np.int64), inspector, scale)


def _header(stream: BinaryIO, path: Path) -> tuple[np.dtype[Any], int]:
    """The type of the records, and how many there are."""
    try:
        version = np.lib.format.read_magic(stream)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = read(stream)
    except (ValueError, EOFError, SyntaxError) as error:
        raise BadData(f"{path} is no .npy file: {error}", fix="correct the path or the format") from error
    if len(shape) != 1 or dtype.names is None or dtype.hasobject:
        raise BadData(f"{path} holds {dtype} of the shape {shape}", fix=f"save {_FORM}")
    return dtype, shape[0]


def _fields(dtype: np.dtype[Any], file: FileSpec) -> Mapping[str, str]:
    """Which field of a record is what."""
    names: Sequence[str] = dtype.names or ()
    fields = {name: names[place] for name, place in by_header(names, file).places.items()}
    for name, field in fields.items():
        if dtype[field].kind not in _KINDS[name] or dtype[field].subdtype is not None:
            raise BadData(f"{file.path}: field {field!r} is of type {dtype[field]}", fix=f"save {_FORM}")
    return fields


def _rows(columns: Mapping[str, NDArray[Any]], lines: NDArray[np.int64], inspector: Inspector, scale: Scale) -> Rows:
    rating = columns["rating"].astype(np.float64) if "rating" in columns else None
    time = columns["time"].astype(np.int64) if "time" in columns else None
    faults = [_fault(name, "is negative", columns[name] < 0, columns) for name in ("user", "item")]
    if rating is not None:
        faults.append(_fault("rating", "is NaN", np.isnan(rating), columns))
        faults.append(_fault("rating", "is infinite", np.abs(rating) > LARGEST, columns))
        if scale is not None:
            said = f"is off the scale from {scale[0]:g} to {scale[1]:g}"
            faults.append(("rating off the scale", off_scale(rating, scale), _saying("rating", said, columns)))
    if time is not None:
        faults.append(_fault("time", "is out of range", np.abs(columns["time"].astype(np.float64)) > LATEST, columns))
    kept = inspector.sound(lines, faults)
    return Rows(
        lines=lines[kept],
        user=number_ids(columns["user"][kept].astype(np.uint64)),
        item=number_ids(columns["item"][kept].astype(np.uint64)),
        rating=None if rating is None else narrowed(rating[kept]),
        time=None if time is None else time[kept],
    )


def _fault(name: str, what: str, bad: BoolArray, columns: Mapping[str, NDArray[Any]]) -> RowFault:
    return f"{name} {what.removeprefix('is ')}", bad, _saying(name, what, columns)


def _saying(name: str, what: str, columns: Mapping[str, NDArray[Any]]) -> Any:
    return lambda row: f"{name} {columns[name][row]} {what}"

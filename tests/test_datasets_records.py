"""Arrays of records: the same data set as from text, and every fault with its place."""

from __future__ import annotations

import gzip
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recbench.datasets import Loaded, load
from recbench.errors import BadData
from recbench.protocols.files import own_file
from recbench.protocols.spec import DataSpec

RECORD = np.dtype([("user", "<i4"), ("item", "<u8"), ("rating", "<f4"), ("time", "<i8")])
ROWS = [(10, 7, 4.5, 100), (9, 8, 0.5, -5), (10, 8, 3.0, 300)]


def save(folder: Path, rows: list[tuple[Any, ...]], dtype: Any = RECORD) -> Path:
    np.save(folder / "own.npy", np.array(rows, dtype=dtype))
    return folder / "own.npy"


def read(path: Path, *, columns: Any = None, **data: Any) -> Loaded:
    return load(DataSpec(interactions=own_file(path, columns=columns), **data), sources={})


def as_values(loaded: Loaded) -> Mapping[str, Any]:
    rows = loaded.dataset.interactions
    assert rows.time is not None
    return {
        "user": loaded.dataset.user_ids[rows.user].tolist(),
        "item": loaded.dataset.item_ids[rows.item].tolist(),
        "rating": rows.rating.tolist(),
        "time": rows.time.tolist(),
        "users": loaded.dataset.user_ids.tolist(),
        "scale": loaded.dataset.scale,
    }


def test_an_array_of_records_is_the_data_set_that_its_text_is(tmp_path: Path) -> None:
    text = tmp_path / "own.csv"
    text.write_text("user,item,rating,time\n" + "".join(f"{u},{i},{r},{t}\n" for u, i, r, t in ROWS))
    assert as_values(read(save(tmp_path, ROWS))) == as_values(read(text))


def test_blocks_do_not_show(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = as_values(read(save(tmp_path, ROWS)))
    monkeypatch.setattr("recbench.datasets.records._AT_ONCE", 1)
    assert as_values(read(tmp_path / "own.npy")) == whole


def test_fields_may_have_other_names_and_more_of_them(tmp_path: Path) -> None:
    dtype = [("who", "<i8"), ("note", "S3"), ("what", "<i2")]
    path = save(tmp_path, [(1, b"abc", 2), (3, b"", 4)], dtype)
    loaded = read(path, columns={"user": "who", "item": "what"})
    assert loaded.dataset.user_ids.tolist() == ["1", "3"]
    assert loaded.dataset.scale is None
    with pytest.raises(BadData, match="there is no column 'user'; there are 'who', 'note', 'what'"):
        read(path)


def test_it_may_be_compressed(tmp_path: Path) -> None:
    plain = as_values(read(save(tmp_path, ROWS)))
    buffer = io.BytesIO()
    np.save(buffer, np.array(ROWS, dtype=RECORD))
    (tmp_path / "own.npy").write_bytes(gzip.compress(buffer.getvalue()))
    assert as_values(read(tmp_path / "own.npy")) == plain


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ((-1, 1, 3.0, 0), "own.npy, row 2: user -1 is negative"),
        ((1, 1, np.nan, 0), "own.npy, row 2: rating nan is NaN"),
        ((1, 1, -np.inf, 0), "own.npy, row 2: rating -inf is infinite"),
        ((1, 1, 5.5, 0), "own.npy, row 2: rating 5.5 is off the scale from 0.5 to 5"),
        ((1, 1, 5.0, 2**62), "own.npy, row 2: time 4611686018427387904 is out of range"),
        ((10, 7, 1.0, 0), "row 2: user '10' and item '7' are there already, in row 1"),
    ],
)
def test_a_bad_row_is_named(row: tuple[Any, ...], message: str, tmp_path: Path) -> None:
    path = save(tmp_path, [ROWS[0], row, *ROWS[1:]])
    with pytest.raises(BadData, match=message):
        read(path, scale=(0.5, 5.0))
    if "already" not in message:
        dropped = read(path, scale=(0.5, 5.0), on_bad_rows="drop")
        assert len(dropped.dataset.interactions) == len(ROWS)
        assert sum(dropped.facts["dropped"].values()) == 1


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((3, 2), dtype=np.int32), "holds int32 of the shape"),
        (np.zeros(3, dtype=[("user", "<f8"), ("item", "<i4")]), "field 'user' is of type float64"),
        (np.zeros(3, dtype=[("user", "<i4", (2,)), ("item", "<i4")]), "field 'user' is of type"),
        (np.zeros(3, dtype=[("user", "<i4"), ("item", "<i4"), ("time", "<f8")]), "field 'time' is of type float64"),
        (np.zeros(0, dtype=RECORD), "has no interactions"),
    ],
)
def test_another_form_is_refused(array: np.ndarray[Any, Any], message: str, tmp_path: Path) -> None:
    np.save(tmp_path / "own.npy", array)
    with pytest.raises(BadData, match=message):
        read(tmp_path / "own.npy")


def test_objects_are_never_unpickled(tmp_path: Path) -> None:
    records = np.zeros(1, dtype=[("user", "O"), ("item", "<i4")])
    np.save(tmp_path / "own.npy", records, allow_pickle=True)
    with pytest.raises(BadData, match="holds"):
        read(tmp_path / "own.npy")


@pytest.mark.parametrize("cut", [3, 60, -1])
def test_a_damaged_file_is_said_to_be_so(cut: int, tmp_path: Path) -> None:
    path = save(tmp_path, ROWS)
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(BadData, match=r"is no .npy file|ends early"):
        read(path)

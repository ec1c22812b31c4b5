"""What changes a split's fingerprint, and what does not."""

from __future__ import annotations

import hashlib
import struct
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from recbench.data import Categories, Dataset, Interactions, Numbers, Tags, Texts
from recbench.fingerprints import split_fingerprint, tables_hash

ROWS = Interactions(
    user=np.array([0, 1, 1]), item=np.array([2, 0, 1]), rating=np.array([1.0, 4.5, 3.0]), time=np.array([9, 8, 2**40])
)
DATA = Dataset(
    name="tiny",
    interactions=ROWS,
    user_ids=np.array(["a", "ü"]),
    item_ids=np.array(["p", "q", "r"]),
    users={"age": Numbers(values=np.array([30.0, np.nan]))},
    items={
        "kind": Categories(codes=np.array([0, 1, -1]), names=("x", "y")),
        "genres": Tags(starts=np.array([0, 1, 3, 3]), codes=np.array([0, 1, 0]), names=("f", "g")),
        "title": Texts(values=np.array(["P", "Q", ""])),
    },
    scale=(1.0, 5.0),
)
PARTS = {"train": np.array([0, 2]), "validation": np.array([], dtype=np.int64), "test": np.array([1])}


def test_the_fingerprint_is_the_hash_of_the_documented_bytes() -> None:
    plain = b"tables 00\n"
    for name, rows in PARTS.items():
        plain += f"{name} {len(rows)}\n".encode()
        plain += b"user <i4\n" + b"".join(struct.pack("<i", ROWS.user[row]) for row in rows)
        plain += b"item <i4\n" + b"".join(struct.pack("<i", ROWS.item[row]) for row in rows)
        plain += b"rating <f4\n" + b"".join(struct.pack("<f", ROWS.rating[row]) for row in rows)
        plain += b"time <i8\n" + b"".join(struct.pack("<q", ROWS.time[row]) for row in rows)  # type: ignore[index]
    assert split_fingerprint(ROWS, PARTS, "00") == hashlib.sha256(plain).hexdigest()


def test_the_hash_of_the_tables_never_changes() -> None:
    assert tables_hash(DATA) == "b7bdc6cc72fc79c3749f183ddc9ef47d7beaaace4cba7e9f44e183beba2de6f2"


@pytest.mark.parametrize("block", [1, 2, 3])
def test_the_size_of_blocks_changes_nothing(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = np.array([2, 0, 1, 1, 2])
    before = split_fingerprint(ROWS, {"train": rows}, "")
    tables = tables_hash(DATA)
    monkeypatch.setattr("recbench.data.ROWS_AT_ONCE", block)
    assert split_fingerprint(ROWS, {"train": rows}, "") == before
    assert tables_hash(DATA) == tables


@pytest.mark.parametrize("column", ["user", "item", "rating", "time"])
def test_every_value_counts(column: str) -> None:
    values = {name: getattr(ROWS, name).copy() for name in ("user", "item", "rating", "time")}
    values[column][2] += 1
    assert split_fingerprint(Interactions(**values), PARTS, "") != split_fingerprint(ROWS, PARTS, "")


def test_times_that_are_missing_are_not_times_of_zero() -> None:
    without = Interactions(user=ROWS.user, item=ROWS.item, rating=ROWS.rating)
    zero = Interactions(user=ROWS.user, item=ROWS.item, rating=ROWS.rating, time=np.zeros(3))
    assert split_fingerprint(without, PARTS, "") != split_fingerprint(zero, PARTS, "")


def test_what_is_in_which_part_counts() -> None:
    moved = {"train": np.array([0]), "validation": np.array([2]), "test": np.array([1])}
    assert split_fingerprint(ROWS, moved, "") != split_fingerprint(ROWS, PARTS, "")


@pytest.mark.parametrize(
    "changes",
    [
        {"user_ids": np.array(["a", "u"])},
        {"item_ids": np.array(["p", "qr", ""])},
        {"user_ids": np.array(["p", "q", "r"]), "item_ids": np.array(["a", "ü"])},
        {"scale": (0.0, 5.0)},
        {"scale": None},
        {"users": {}},
        {"users": {"years": DATA.users["age"]}},
        {"users": {"age": Numbers(values=np.array([30.0, 31.0]))}},
        {"items": {**DATA.items, "kind": Categories(codes=np.array([0, 1, -1]), names=("x", "z"))}},
        {"items": {**DATA.items, "kind": Categories(codes=np.array([0, 1, 1]), names=("x", "y"))}},
        {"items": {**DATA.items, "title": Texts(values=np.array(["PQ", "", ""]))}},
        {
            "items": {
                **DATA.items,
                "genres": Tags(starts=np.array([0, 2, 3, 3]), codes=np.array([0, 1, 0]), names=("f", "g")),
            }
        },
    ],
)
def test_every_part_of_the_tables_counts(changes: dict[str, Any]) -> None:
    assert tables_hash(replace(DATA, **changes)) != tables_hash(DATA)


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "another"},
        {"positive_at_least": 3.0},
        {"user_ids": np.array(["a", "ü"], dtype="<U40")},
        {"items": dict(reversed(DATA.items.items()))},
        {"users": {"age": Numbers(values=-np.array([-30.0, np.nan]))}},
        {"scale": (1, 5)},
    ],
)
def test_names_widths_and_orders_do_not_count(changes: dict[str, Any]) -> None:
    assert tables_hash(replace(DATA, **changes)) == tables_hash(DATA)


def test_zero_has_no_sign() -> None:
    def with_ages(ages: list[float]) -> Dataset:
        values: NDArray[np.float64] = np.array(ages)
        return replace(DATA, users={"age": Numbers(values=values)})

    assert tables_hash(with_ages([-0.0, 1.0])) == tables_hash(with_ages([0.0, 1.0]))

"""Made-up data on disk, with a protocol to run on it.

DIR/interactions.npy   an array of records: user, item, rating, time
    items.csv          id, genres, year
    truth/             what all this was drawn from, see `Truth`
    protocol.toml      for `recbench run -p DIR/protocol.toml`
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np

from recbench.errors import RecbenchError
from recbench.synthetic.drawing import draw
from recbench.synthetic.truth import save
from recbench.synthetic.words import Draws
from recbench.synthetic.world import Items, Size, make_items, make_users

RECORD = np.dtype([("user", "<i4"), ("item", "<i4"), ("rating", "<f4"), ("time", "<i8")])
"""20 bytes an interaction."""

PROTOCOL = "protocol.toml"
_ITEMS_AT_ONCE = 1 << 16

_TEMPLATE = """\
# Written by `recbench data generate --users {users} --items {items} --interactions {interactions} --seed {seed}`.
name = "{name}"
title = "Made up: {interactions:,} interactions of {users:,} users with {items:,} items, seed {seed}"

[data]
interactions = {{ path = "interactions.npy" }}
items = {{ path = "items.csv", id = "id", types = {{ genres = "tags", year = "number" }} }}
scale = [0.5, 5.0]

[split]
kind = "holdout"
by = "user"
test = 0.2

[evaluation]
primary = "ndcg@10"
cutoffs = [10]
metrics = ["precision", "recall", "ndcg", "ap", "mrr", "hit", "coverage", "gini", "novelty"]

[trials]
algorithms = ["random", "popularity", "item-cosine"]
seconds = 3600
memory_mb = 8192
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What was made.

    Attributes:
        protocol: the file to run.
        size: bytes of all files.
    """

    protocol: Path
    size: int


def generate(size: Size, folder: Path, *, progress: Callable[[int], None] = lambda _: None) -> Written:
    """Make up interactions, and write them block by block.

    Memory goes by the numbers of users and items and by the block, not by the number of interactions.

    Args:
        size: how much.
        folder: where to; must be empty, or not there yet.
        progress: hears how many interactions are there.

    Raises:
        RecbenchError: the folder holds something, or cannot be written.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise RecbenchError(f"{folder} is not empty", fix="give another --output, or remove it")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        users, items = make_users(size), make_items(size)
        save(folder, users, items)
        _write_items(folder / "items.csv", size, items)
        with _whole(folder / "interactions.npy") as file:
            header = {"descr": np.lib.format.dtype_to_descr(RECORD), "fortran_order": False}
            np.lib.format.write_array_header_1_0(file, {**header, "shape": (size.interactions,)})
            done = 0
            for drawn in draw(size, users, items):
                records = np.empty(len(drawn.user), dtype=RECORD)
                records["user"], records["item"], records["time"] = drawn.user, drawn.item, drawn.time
                records["rating"] = drawn.rating / 2
                file.write(records.tobytes())
                done += len(records)
                progress(done)
        (folder / PROTOCOL).write_text(_TEMPLATE.format(name=size.name, **_arguments(size)), encoding="utf-8")
    except OSError as error:
        raise RecbenchError(
            f"{folder} cannot be written: {error}", fix="free space, or give another --output"
        ) from error
    return Written(
        protocol=folder / PROTOCOL,
        size=sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()),
    )


def _arguments(size: Size) -> dict[str, int]:
    return {name: getattr(size, name) for name in ("users", "items", "interactions", "seed")}


def _write_items(path: Path, size: Size, items: Items) -> None:
    """What people may know of items: genres, and a year that tells a little of whether they come or go."""
    year = 2000 + 3 * (items.drift + 3) + Draws(size.seed, "times", 1).below(5, size.items)
    names = [f"genre-{number:02}" for number in range(size.genres)]
    with _whole(path) as file:
        file.write(b"id,genres,year\n")
        for first in range(0, size.items, _ITEMS_AT_ONCE):
            rows = slice(first, first + _ITEMS_AT_ONCE)
            lines = (
                f"{first + at},{'|'.join(names[genre] for genre in dict.fromkeys(genres))},{when}\n"
                for at, (genres, when) in enumerate(zip(items.genres[rows].tolist(), year[rows].tolist(), strict=True))
            )
            file.write("".join(lines).encode())


@contextmanager
def _whole(path: Path) -> Iterator[IO[bytes]]:
    """A file that is there under its name once it is whole."""
    part = path.with_name(f"{path.name}.part")
    with part.open("wb") as file:
        yield file
    os.replace(part, path)

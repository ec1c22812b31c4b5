"""A split as it travels to a worker: without what only the run may know, in pieces, and known by its content.

The ratings and times of the test part never travel. Its pairs do where ratings are to be predicted: the worker's
recbench process hands them to the trial when its ranking is in, as a run without a cluster does.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recbench.data import Int32Array, Interactions, RowArray, Split, owned
from recbench.worker.sharing import assemble, describe, dismantle, lay_out, tables

PIECE_BYTES = 16 << 20
_ROWS = ("train_rows", "validation_rows", "test_rows", "history_rows")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Contents:
    """What a worker needs of a fold: the split, with a blank test part, and the candidate sets."""

    split: Split
    candidates: Int32Array | None


class Parcel:
    """Contents on their way.

    Attributes:
        head: JSON that says where each array lies, and what is no array.
        size: bytes of all arrays together.
        digest: sha256 in hexadecimal over all of it: what the parcel is known by.
    """

    def __init__(self, contents: Contents) -> None:
        split = contents.split
        facts, arrays = describe(split.dataset)
        arrays |= dismantle("all", split.dataset.interactions)
        arrays |= {rows: getattr(split, rows) for rows in _ROWS}
        if contents.candidates is not None:
            arrays["candidates"] = contents.candidates
        layout, self.size = lay_out(arrays)
        self._arrays = arrays
        self.head = json.dumps(
            {
                "facts": facts,
                "layout": layout,
                "fold": split.fold,
                "fingerprint": split.fingerprint,
                "leaks_future": split.leaks_future,
            }
        )
        digest = hashlib.sha256(self.head.encode())
        for _, piece in self.pieces():
            digest.update(piece)
        self.digest = digest.hexdigest()

    def pieces(self) -> Iterator[tuple[int, bytes]]:
        """Where each piece goes, and its bytes, one after the other and without a gap."""
        end = 0
        for start, array in zip(_starts(json.loads(self.head)["layout"]), self._arrays.values(), strict=True):
            if start > end:
                yield end, bytes(start - end)
            flat = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
            for at in range(0, len(flat), PIECE_BYTES):
                yield start + at, flat[at : at + PIECE_BYTES].tobytes()
            end = start + len(flat)
        if end < self.size:
            yield end, bytes(self.size - end)


def blank(split: Split) -> Split:
    """The split without the ratings and times of its test part, and without interactions of no part.

    Where no ratings are predicted there is no test part at all.
    """
    kept = {rows: getattr(split, rows) for rows in _ROWS}
    if split.dataset.scale is None:
        kept["test_rows"] = owned(np.empty(0, dtype=np.int64))
    every = np.unique(np.concatenate(list(kept.values())))
    renumbered = {name: owned(np.searchsorted(every, rows)) for name, rows in kept.items()}
    interactions = _without_answers(split.dataset.interactions.take(every), renumbered["test_rows"])
    return Split(
        dataset=split.dataset.with_interactions(interactions),
        fold=split.fold,
        fingerprint=split.fingerprint,
        leaks_future=split.leaks_future,
        **renumbered,
    )


def unpack(head: str, content: bytes | bytearray | memoryview) -> Contents:
    """What a parcel holds, over `content`."""
    said = json.loads(head)
    arrays = {name: _array(content, *place) for name, place in said["layout"].items()}
    dataset = tables(said["facts"], arrays, positive_at_least=None).with_interactions(assemble("all", arrays))
    split = Split(
        dataset=dataset,
        fold=said["fold"],
        fingerprint=said["fingerprint"],
        leaks_future=said["leaks_future"],
        **{rows: arrays[rows] for rows in _ROWS},
    )
    return Contents(split=split, candidates=arrays.get("candidates"))


def digest_of(head: str, content: bytes | bytearray | memoryview) -> str:
    """sha256 in hexadecimal over what arrived."""
    digest = hashlib.sha256(head.encode())
    digest.update(content)
    return digest.hexdigest()


def _without_answers(interactions: Interactions, test_rows: RowArray) -> Interactions:
    rating = interactions.rating.copy()
    rating[test_rows] = 0
    time = None if interactions.time is None else interactions.time.copy()
    if time is not None:
        time[test_rows] = 0
    return Interactions(
        user=interactions.user,
        item=interactions.item,
        rating=owned(rating),
        time=None if time is None else owned(time),
    )


def _starts(layout: Mapping[str, list[Any]]) -> list[int]:
    return [place[0] for place in layout.values()]


def _array(content: bytes | bytearray | memoryview, offset: int, dtype: str, *shape: int) -> NDArray[Any]:
    found: NDArray[Any] = np.ndarray(shape, dtype=dtype, buffer=content, offset=offset)
    return owned(found)

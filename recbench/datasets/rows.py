"""Blocks of cells to rows of interactions: checked, numbered, and put together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from recbench.data import BoolArray, Int64Array
from recbench.datasets.cells import Span, Table
from recbench.datasets.faults import Inspector
from recbench.datasets.ids import LONGEST, Ids, id_faults, ids_of
from recbench.datasets.numbers import Faults, Ratings, narrowed, off_scale, read_numbers, read_times

Scale: TypeAlias = tuple[float, float] | None
RowFault: TypeAlias = tuple[str, BoolArray, Callable[[int], str]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rows:
    """Some rows of interactions.

    Attributes:
        lines: (n,) line of each row in its file.
        user: ids of users.
        item: ids of items.
        rating: (n,) float32 where that is exact for all of them, else float64; or None.
        time: (n,) int64 seconds since 1970, or None.
    """

    lines: Int64Array
    user: Ids
    item: Ids
    rating: Ratings | None = None
    time: Int64Array | None = None

    def __len__(self) -> int:
        return len(self.lines)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Block:
    """What is read of a file, block by block, before anything is looked at."""

    table: Table
    places: Mapping[str, int] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Span:
        return self.table.columns[self.places[name]]


def check(blocks: Iterable[Block], inspector: Inspector, scale: Scale) -> Iterator[Rows]:
    """Rows of interactions out of blocks of cells.

    Args:
        blocks: with the fields user and item, and rating and time where the file has them.
        inspector: what becomes of bad rows.
        scale: least and greatest rating.

    Raises:
        BadData: a row is bad, and that is an error.
    """
    for block in blocks:
        rating = read_numbers(block["rating"], "rating") if "rating" in block.places else None
        time = read_times(block["time"]) if "time" in block.places else None
        faults = [*_id_faults(block)]
        if rating is not None:
            faults += _number_faults(block, "rating", rating[1])
        if rating is not None and scale is not None:
            said = saying(block["rating"], "rating", f"is off the scale from {scale[0]:g} to {scale[1]:g}")
            faults.append(("rating off the scale", off_scale(rating[0], scale), said))
        if time is not None:
            faults += _number_faults(block, "time", time[1])
        kept = _inspect(block.table, inspector, faults)
        yield Rows(
            lines=block.table.lines[kept],
            user=ids_of(block["user"].take(kept)),
            item=ids_of(block["item"].take(kept)),
            rating=None if rating is None else narrowed(rating[0][kept]),
            time=None if time is None else time[0][kept],
        )


def _inspect(table: Table, inspector: Inspector, faults: list[RowFault]) -> BoolArray:
    """Which rows to keep; of several bad ones in a block the topmost is named, those not cut into cells included."""
    broken = table.broken
    if broken is not None and inspector.on_bad_rows == "error":
        above = table.lines < broken.lines[0]
        inspector.sound(table.lines, [(kind, rows & above, describe) for kind, rows, describe in faults])
    inspector.apart(broken)
    return inspector.sound(table.lines, faults)


def _id_faults(block: Block) -> Iterator[RowFault]:
    for name in ("user", "item"):
        missing, endless, nul = id_faults(block[name], name)
        yield *missing, saying(block[name], name, "is missing")
        yield *endless, saying(block[name], name, f"is longer than {LONGEST} bytes")
        yield *nul, saying(block[name], name, "has a NUL byte in it")


def _number_faults(block: Block, name: str, faults: Faults) -> Iterator[RowFault]:
    for kind, rows in faults:
        yield kind, rows, saying(block[name], name, f"is {kind.removeprefix(f'{name} ')}")


def saying(cells: Span, name: str, what: str) -> Callable[[int], str]:
    """Says of a row what is wrong with its cell."""
    if what == "is missing":
        return lambda _: f"the {name} is missing"
    return lambda row: f"{name} {cells.text(row)!r} {what}"

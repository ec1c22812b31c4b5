"""Training data in memory that many processes look at: where each array lies, and a `Dataset` over it."""

from __future__ import annotations

import math
import mmap
from collections.abc import Mapping
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from recbench.data import Categories, Column, Dataset, Interactions, Numbers, Tags, Texts, owned, take_rows

Arrays: TypeAlias = Mapping[str, NDArray[Any]]
Layout: TypeAlias = dict[str, list[Any]]

_ALIGNMENT = 64


class Extent(Protocol):
    """What is known of an array before it is there."""

    @property
    def dtype(self) -> np.dtype[Any]: ...

    @property
    def shape(self) -> tuple[int, ...]: ...


def lay_out(arrays: Mapping[str, Extent]) -> tuple[Layout, int]:
    """Where each array lies in one file: name -> [offset, dtype, *shape]; and the size of the file, at least 1."""
    layout: Layout = {}
    end = 0
    for name, array in arrays.items():
        layout[name] = [end, array.dtype.str, *array.shape]
        end += -(-math.prod(array.shape) * array.dtype.itemsize // _ALIGNMENT) * _ALIGNMENT
    return layout, max(1, end)


def attach(descriptor: int, layout: Layout) -> dict[str, NDArray[Any]]:
    """The arrays in an open file, mapped read-only: nobody can make them writable."""
    view = mmap.mmap(descriptor, 0, prot=mmap.PROT_READ)
    return {
        name: np.ndarray(tuple(shape), dtype=dtype, buffer=view, offset=offset)
        for name, (offset, dtype, *shape) in layout.items()
    }


def describe(dataset: Dataset) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """The tables of a data set as JSON values and arrays; `tables` is the reverse."""
    users, items = (_describe_columns(side, getattr(dataset, side)) for side in ("users", "items"))
    facts = {"name": dataset.name, "scale": dataset.scale, "users": users[0], "items": items[0]}
    return facts, {"user_ids": dataset.user_ids, "item_ids": dataset.item_ids, **users[1], **items[1]}


def tables(facts: Mapping[str, Any], arrays: Arrays, *, positive_at_least: float | None) -> Dataset:
    """A data set without interactions from what `describe` gave."""
    return Dataset(
        name=facts["name"],
        interactions=nothing(),
        user_ids=arrays["user_ids"],
        item_ids=arrays["item_ids"],
        users=_columns("users", facts["users"], arrays),
        items=_columns("items", facts["items"], arrays),
        scale=None if facts["scale"] is None else tuple(facts["scale"]),
        positive_at_least=positive_at_least,
    )


def dismantle(part: str, interactions: Interactions) -> dict[str, NDArray[Any]]:
    """The columns of interactions under names that begin with `part`."""
    columns = {name: getattr(interactions, name) for name in ("user", "item", "rating", "time")}
    return {f"{part}/{name}": column for name, column in columns.items() if column is not None}


def assemble(part: str, arrays: Arrays) -> Interactions:
    """Interactions from what `dismantle` gave."""
    return Interactions(
        user=arrays[f"{part}/user"],
        item=arrays[f"{part}/item"],
        rating=arrays[f"{part}/rating"],
        time=arrays.get(f"{part}/time"),
    )


def nothing() -> Interactions:
    """No interactions."""
    return Interactions(
        user=owned(np.empty(0, np.int32)), item=owned(np.empty(0, np.int32)), rating=owned(np.empty(0, np.float32))
    )


def take_users(dataset: Dataset, rows: NDArray[np.integer], interactions: Interactions) -> Dataset:
    """A data set whose table of users is `rows` of another's."""
    return Dataset(
        name=dataset.name,
        interactions=interactions,
        user_ids=owned(dataset.user_ids[rows]),
        item_ids=dataset.item_ids,
        users={name: take_rows(column, rows) for name, column in dataset.users.items()},
        items=dataset.items,
        scale=dataset.scale,
        positive_at_least=dataset.positive_at_least,
    )


def _describe_columns(side: str, columns: Mapping[str, Column]) -> tuple[list[Any], dict[str, NDArray[Any]]]:
    facts, arrays = [], {}
    for number, (name, column) in enumerate(columns.items()):
        names = list(column.names) if isinstance(column, Categories | Tags) else []
        facts.append([name, type(column).__name__, names])
        for part in ("values", "codes", "starts"):
            if hasattr(column, part):
                arrays[f"{side}/{number}/{part}"] = getattr(column, part)
    return facts, arrays


def _columns(side: str, facts: list[Any], arrays: Arrays) -> dict[str, Column]:
    return {name: _column(f"{side}/{n}", kind, tuple(names), arrays) for n, (name, kind, names) in enumerate(facts)}


def _column(place: str, kind: str, names: tuple[str, ...], arrays: Arrays) -> Column:
    if kind == "Numbers":
        return Numbers(values=arrays[f"{place}/values"])
    if kind == "Texts":
        return Texts(values=arrays[f"{place}/values"])
    if kind == "Categories":
        return Categories(codes=arrays[f"{place}/codes"], names=names)
    return Tags(starts=arrays[f"{place}/starts"], codes=arrays[f"{place}/codes"], names=names)

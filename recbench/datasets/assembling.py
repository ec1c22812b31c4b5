"""Rows and features to a data set: no pair twice, everything numbered, folds as rows of one data set."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from recbench.data import (
    Dataset,
    FloatArray,
    Given,
    Int32Array,
    Int64Array,
    Interactions,
    RowArray,
    StrArray,
    owned,
    steps,
)
from recbench.datasets.features import Features
from recbench.datasets.freeing import give_back
from recbench.datasets.ids import merge
from recbench.datasets.numbers import Ratings
from recbench.datasets.reading import Reader
from recbench.datasets.rows import Rows, Scale
from recbench.errors import BadData
from recbench.protocols.spec import FileSpec, FoldSpec

Duplicates: TypeAlias = Literal["error", "first", "last", "mean"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reading:
    """A data set with what there is to say about how it was read.

    Attributes:
        dataset: the data set.
        given: the folds that files give.
        facts: plain values: rows read, dropped by reason, duplicates merged.
    """

    dataset: Dataset
    given: tuple[Given, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)


def assemble(
    name: str,
    file: FileSpec,
    reader: Reader,
    *,
    users: Features | None = None,
    items: Features | None = None,
    duplicates: Duplicates = "error",
) -> Reading:
    """One data set out of one file of interactions.

    Users and items are numbered by the natural order of their ids. Items that only the table of items knows belong
    to the catalogue; users that only the table of users knows are left out, since there is nobody to rank for.

    Args:
        name: the data set's.
        file: the interactions.
        reader: how to read them; its scale becomes the data set's.
        users: features of users.
        items: features of items.
        duplicates: what becomes of a pair that comes twice: "error", keep the "first" or "last" row in the file's
            order, or "mean": the mean rating, in the place of the first row, with the latest time.

    Raises:
        BadData: see `Reader.read`; or a pair comes twice and that is an error.
    """
    columns, n_read = _columns([file], reader, (), () if items is None else items.ids)
    kept = _without_duplicates(columns.parts[0], columns, reader, duplicates)
    n_merged = len(columns.parts[0].user) - len(kept.user)
    return _reading(name, kept, columns, reader, users, items, {"rows": n_read, "duplicates": n_merged})


def assemble_folds(
    name: str,
    folds: Sequence[FoldSpec],
    reader: Reader,
    *,
    users: Features | None = None,
    items: Features | None = None,
    known_users: Sequence[str] = (),
    duplicates: Duplicates = "error",
) -> Reading:
    """One data set out of the files of folds: the rows of all of them, each pair once, in the order they come in.

    Args:
        name: the data set's.
        folds: the files.
        reader: how to read them.
        users: features of users.
        items: features of items, all of which belong to the data set.
        known_users: ids of users who belong to the data set even if no file names them.
        duplicates: what becomes of a pair that comes twice in one file.

    Raises:
        BadData: see `assemble`; or files differ in their columns, or in what they say of a pair.
    """
    files = [file for fold in folds for file in (fold.train, fold.test)]
    columns, n_read = _columns(files, reader, known_users, () if items is None else items.ids)
    parts = [_without_duplicates(part, columns, reader, duplicates) for part in columns.parts]
    n_merged = sum(len(part.user) for part in columns.parts) - sum(len(part.user) for part in parts)
    whole, places = _union(parts, columns)
    given = tuple(Given(train_rows=places[2 * n], test_rows=places[2 * n + 1]) for n in range(len(folds)))
    return replace(
        _reading(name, whole, columns, reader, users, items, {"rows": n_read, "duplicates": n_merged}), given=given
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Part:
    """The rows of one file, numbered by the tables of all."""

    file: FileSpec
    user: Int32Array
    item: Int32Array
    rating: Ratings | None
    time: Int64Array | None

    def take(self, rows: RowArray) -> _Part:
        return replace(
            self,
            user=self.user[rows],
            item=self.item[rows],
            rating=None if self.rating is None else self.rating[rows],
            time=None if self.time is None else self.time[rows],
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Columns:
    parts: tuple[_Part, ...]
    user_ids: StrArray
    item_ids: StrArray

    def pairs(self, part: _Part) -> RowArray:
        """(n,) one number for each pair of user and item."""
        pairs = part.user.astype(np.int64)
        pairs *= len(self.item_ids)
        pairs += part.item
        return pairs

    def named(self, part: _Part, row: int) -> str:
        return f"user {str(self.user_ids[part.user[row]])!r} and item {str(self.item_ids[part.item[row]])!r}"


def _columns(
    files: Sequence[FileSpec], reader: Reader, users: Sequence[str], items: Sequence[str]
) -> tuple[_Columns, int]:
    """The rows of files, numbered by common tables, and how many rows there were, bad ones included."""
    n_bad = -sum(reader.dropped.values())
    read = [_by_column(reader.read(file)) for file in files]
    give_back()
    sizes = [sum(len(part.codes) for part in columns["user"]) for columns in read]
    user_ids, user = merge([part for columns in read for part in columns.pop("user")], _as_texts(users))
    item_ids, item = merge([part for columns in read for part in columns.pop("item")], _as_texts(items))
    parts, at = [], 0
    for file, columns, n in zip(files, read, sizes, strict=True):
        rows = slice(at, at + n)
        rating, time = (_joined(columns.pop(name)) for name in ("rating", "time"))
        parts.append(_Part(file=file, user=user[rows], item=item[rows], rating=rating, time=time))
        at += n
    give_back()
    n_bad += sum(reader.dropped.values())
    return _Columns(parts=tuple(parts), user_ids=user_ids, item_ids=item_ids), at + n_bad


def _by_column(blocks: Iterable[Rows]) -> dict[str, list[Any]]:
    """The blocks' columns, each apart, so that it can go as soon as it is joined; of lines nothing is kept."""
    columns: dict[str, list[Any]] = {"user": [], "item": [], "rating": [], "time": []}
    for rows in blocks:
        for name, parts in columns.items():
            parts.append(getattr(rows, name))
    return columns


def _as_texts(ids: Sequence[str]) -> list[StrArray]:
    return [np.array(ids, dtype=np.str_)] if len(ids) else []


def _without_duplicates(part: _Part, columns: _Columns, reader: Reader, duplicates: Duplicates) -> _Part:
    """Each pair once, by the policy."""
    if not _has_twice(columns.pairs(part)):
        return part
    pairs = columns.pairs(part)
    order = np.argsort(pairs, kind="stable")
    is_first = np.ones(len(order), dtype=np.bool_)
    is_first[1:] = pairs[order[1:]] != pairs[order[:-1]]
    if duplicates == "error":
        again = int(order[~is_first].min())
        earlier = int(np.flatnonzero(pairs == pairs[again])[0])
        unit = reader.inspector(part.file).unit
        raise BadData(
            f"{part.file.path}, {unit} {reader.line_of(part.file, again)}: {columns.named(part, again)} are there "
            f"already, in {unit} {reader.line_of(part.file, earlier)}",
            fix='remove one of the two, or set duplicates = "last", "first" or "mean"',
        )
    starts = np.flatnonzero(is_first)
    if duplicates == "last":
        return part.take(np.sort(order[np.append(starts[1:], len(order)) - 1]))
    firsts = order[starts]
    by_place = np.argsort(firsts)
    kept = part.take(firsts[by_place])
    if duplicates == "mean":
        sizes = np.diff(np.append(starts, len(order)))
        rating = None if part.rating is None else (_summed(part.rating[order], starts) / sizes)[by_place]
        time = None if part.time is None else np.maximum.reduceat(part.time[order], starts)[by_place]
        kept = replace(kept, rating=rating, time=time)
    return kept


def _has_twice(pairs: RowArray) -> bool:
    """Whether a number is there twice. The numbers are used up: sorting them in place takes no memory."""
    pairs.sort()
    return any(bool((pairs[1:][step] == pairs[:-1][step]).any()) for step in steps(len(pairs) - 1))


def _union(parts: Sequence[_Part], columns: _Columns) -> tuple[_Part, list[RowArray]]:
    """All pairs of several files in the order they first come in, and the rows of each file among them."""
    for name in ("rating", "time"):
        lacking = [part.file.path for part in parts if getattr(part, name) is None]
        if 0 < len(lacking) < len(parts):
            raise BadData(f"{lacking[0]} has no column {name}, and others have one", fix="give it to all files or none")
    every = _Part(
        file=parts[0].file,
        user=np.concatenate([part.user for part in parts]),
        item=np.concatenate([part.item for part in parts]),
        rating=_joined([part.rating for part in parts]),
        time=_joined([part.time for part in parts]),
    )
    _, firsts, numbers = np.unique(columns.pairs(every), return_index=True, return_inverse=True)
    numbers = numbers.reshape(-1)
    _check_agreement(every, firsts[numbers], parts, columns)
    order = np.argsort(firsts)
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    ends = np.cumsum([len(part.user) for part in parts])
    return every.take(firsts[order]), np.split(place[numbers], ends[:-1])


def _summed(values: Ratings, starts: RowArray) -> FloatArray:
    sums: FloatArray = np.add.reduceat(values.astype(np.float64, copy=False), starts)
    return sums


def _joined(columns: Sequence[NDArray[Any] | None]) -> Any:
    """The columns one after the other; all are there, or none is."""
    there = [column for column in columns if column is not None]
    return np.concatenate(there) if there else None


def _check_agreement(every: _Part, first: RowArray, parts: Sequence[_Part], columns: _Columns) -> None:
    """Files that name the same pair must say the same of it."""
    starts = np.cumsum([0, *(len(part.user) for part in parts)])
    for name in ("rating", "time"):
        values = getattr(every, name)
        if values is None:
            continue
        differing = np.flatnonzero(values != values[first])
        if len(differing):
            row, earlier = int(differing[0]), int(first[differing[0]])
            here, there = (int(np.searchsorted(starts, at, side="right")) - 1 for at in (row, earlier))
            raise BadData(
                f"{parts[here].file.path}: {columns.named(every, row)} have {name} {values[row]:g}, and "
                f"{values[earlier]:g} in {parts[there].file.path}",
                fix="correct one of the two: all folds are parts of one data set",
            )


def _reading(
    name: str,
    part: _Part,
    columns: _Columns,
    reader: Reader,
    users: Features | None,
    items: Features | None,
    facts: Mapping[str, Any],
) -> Reading:
    scale = _scale(part, reader.scale)
    rating = part.rating if part.rating is not None and scale is not None else np.ones(len(part.user), np.float32)
    dataset = Dataset(
        name=name,
        interactions=Interactions(
            user=owned(part.user),
            item=owned(part.item),
            rating=owned(rating.astype(np.float32, copy=False)),
            time=None if part.time is None else owned(part.time),
        ),
        user_ids=columns.user_ids,
        item_ids=columns.item_ids,
        users={} if users is None else users.aligned(columns.user_ids),
        items={} if items is None else items.aligned(columns.item_ids),
        scale=scale,
    )
    return Reading(dataset=dataset, facts={**facts, "dropped": dict(reader.dropped)})


def _scale(part: _Part, declared: Scale) -> Scale:
    """The scale that is declared, or else the least and greatest rating. Equal ratings say no more than no ratings."""
    if part.rating is None:
        return None
    if declared is not None:
        return declared
    # As they are kept: 32 bits, written as short as can be.
    least, greatest = (float(str(np.float32(end))) for end in (part.rating.min(), part.rating.max()))
    return (least, greatest) if least < greatest else None

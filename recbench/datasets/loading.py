"""From what a protocol says of data to a data set: found, verified, read, reduced to its core."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from recbench.api import Source
from recbench.data import Dataset, Given, Int32Array, Int64Array, StrArray
from recbench.datasets.assembling import Reading, assemble, assemble_folds
from recbench.datasets.checksums import sha256_of, verify_copy
from recbench.datasets.features import Features, read_features
from recbench.datasets.ids import Ids
from recbench.datasets.imported import imported_source
from recbench.datasets.opening import in_folder
from recbench.datasets.places import locate
from recbench.datasets.reading import Reader
from recbench.errors import BadData, RecbenchError, UnknownName
from recbench.filtering import k_core, restrict
from recbench.protocols.spec import DataSpec, FileSpec


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Loaded:
    """A data set, ready to be split.

    Attributes:
        dataset: the data set.
        given: the folds that files give, in their order; empty where recbench is to split.
        facts: plain values about the data for records and boards: name, title, license, citation, homepage, rows
            read, dropped by reason, duplicates merged, sha256 of each file, which of them are unverified.
    """

    dataset: Dataset
    given: tuple[Given, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)


def load(
    spec: DataSpec, *, sources: Mapping[str, Source], data_dir: Path | None = None, core: int | None = None
) -> Loaded:
    """Read the data that a protocol asks for.

    Args:
        spec: what the protocol says of data.
        sources: data sets by name; those that were imported are found besides.
        data_dir: folder that holds data sets, looked at before all others.
        core: the least number of interactions of each user and item, instead of the protocol's own.

    Raises:
        UnknownName: there is no data set of that name.
        BadData: it is not on this machine, not what it should be, or bad.
    """
    if spec.source is not None:
        reading, facts = _from_source(spec, sources, data_dir)
    else:
        reading, facts = _from_files(spec)
    k = spec.core if core is None else core
    return Loaded(
        dataset=_cored(reading.dataset, k) if k > 0 and not reading.given else reading.dataset,
        given=reading.given,
        facts={**facts, **reading.facts},
    )


def pairs(file: FileSpec, dataset: Dataset) -> tuple[Int64Array, Int32Array]:
    """Pairs of users and items in a file, as rows of the data set's tables: candidate sets, for example.

    Pairs with a user or an item that the data set does not have are left out.

    Returns:
        (n,) int64 users and (n,) int32 items.
    """
    blocks = list(Reader().read(file))
    user = _places([rows.user for rows in blocks], dataset.user_ids)
    item = _places([rows.item for rows in blocks], dataset.item_ids)
    known = (user >= 0) & (item >= 0)
    return user[known], item[known].astype(np.int32)


def _places(parts: Sequence[Ids], table: StrArray) -> Int64Array:
    """(n,) the row of each id in a table, -1 for unknown ones."""
    place = {each: row for row, each in enumerate(table.tolist())}
    known = [np.array([place.get(text.decode(), -1) for text in part.texts.tolist()]) for part in parts]
    return np.concatenate([rows[part.codes] for rows, part in zip(known, parts, strict=True)])


def read_source(source: Source, folder: Path) -> Reading:
    """Call a source's reader, and look at what it gives.

    Raises:
        RecbenchError: the reader is not there, raises, or gives something else than a data set.
    """
    ours = source.read.startswith("recbench.datasets.")
    try:
        module, _, name = source.read.partition(":")
        found = getattr(importlib.import_module(module), name)(folder)
    except RecbenchError:
        raise
    except Exception as error:  # foreign code; the reason is shown
        if ours:
            raise
        raise RecbenchError(
            f"the reader {source.read} of the data set {source.name!r} failed: {type(error).__name__}: {error}",
            fix="tell its author, with this message",
        ) from error
    reading = found if isinstance(found, Reading) else Reading(dataset=found)
    if not ours:
        _check(reading.dataset, source)
    return replace(reading, dataset=replace(reading.dataset, name=source.name))


def _from_source(
    spec: DataSpec, sources: Mapping[str, Source], data_dir: Path | None
) -> tuple[Reading, dict[str, Any]]:
    assert spec.source is not None
    source = sources.get(spec.source) or imported_source(spec.source, data_dir)
    if source is None:
        raise UnknownName.among(
            "data set", spec.source, sources, fix="run `recbench list`, or install the package that offers it"
        )
    folder = locate(source, data_dir)
    checked = verify_copy(source, folder)
    reading = read_source(source, folder)
    if spec.folds:
        reading = _folds_in(reading.dataset, folder, spec)
    return reading, {
        "name": source.name,
        "title": source.title,
        "license": source.license,
        "citation": source.citation,
        "homepage": source.homepage,
        "files": {file.name: file.sha256 for file in checked},
        "unverified": [file.name for file in checked if file.standing == "unverified"],
    }


def _folds_in(dataset: Dataset, folder: Path, spec: DataSpec) -> Reading:
    """Folds whose files lie in a source's folder, around the tables of the source."""
    reader = Reader(opener=in_folder(folder), scale=dataset.scale, on_bad_rows=spec.on_bad_rows)
    return assemble_folds(
        dataset.name,
        spec.folds,
        reader,
        users=Features(ids=dataset.user_ids.tolist(), columns=dataset.users),
        items=Features(ids=dataset.item_ids.tolist(), columns=dataset.items),
        known_users=dataset.user_ids.tolist(),
        duplicates=spec.duplicates,
    )


def _from_files(spec: DataSpec) -> tuple[Reading, dict[str, Any]]:
    reader = Reader(scale=spec.scale, on_bad_rows=spec.on_bad_rows)
    users = None if spec.users is None else read_features(reader, spec.users)
    items = None if spec.items is None else read_features(reader, spec.items)
    tables = [table.path for table in (spec.users, spec.items) if table is not None]
    if spec.interactions is not None:
        paths, name = [spec.interactions.path, *tables], spec.interactions.path.name
        reading = assemble(name, spec.interactions, reader, users=users, items=items, duplicates=spec.duplicates)
    else:
        files = [file.path for fold in spec.folds for file in (fold.train, fold.test)]
        paths, name = [*files, *tables], files[0].name
        reading = assemble_folds(name, spec.folds, reader, users=users, items=items, duplicates=spec.duplicates)
    checksums = {path.name: sha256_of(path) for path in dict.fromkeys(paths)}
    return reading, {"name": name, "title": name, "files": checksums}


def _cored(dataset: Dataset, core: int) -> Dataset:
    kept = k_core(dataset.interactions.user, dataset.interactions.item, core)
    if not kept.any():
        raise BadData(
            f"no user and item of {dataset.name!r} have {core} interactions each", fix="lower `core` in [data]"
        )
    return restrict(dataset, kept)


def _check(dataset: Any, source: Source) -> None:
    """Hold what a plugin's reader gives against what a data set must be."""
    problem = _problem(dataset)
    if problem:
        raise RecbenchError(
            f"the reader {source.read} of the data set {source.name!r} gives {problem}",
            fix="tell its author, with this message",
        )


def _problem(dataset: Any) -> str | None:
    if not isinstance(dataset, Dataset):
        return f"a {type(dataset).__name__}, not a Dataset"
    rows = dataset.interactions
    if not len(rows):
        return "no interactions"
    for name, values, size in (("users", rows.user, dataset.n_users), ("items", rows.item, dataset.n_items)):
        if values.min() < 0 or values.max() >= size:
            return f"interactions with {name} outside their table"
    codes = rows.user.astype(np.int64) * dataset.n_items + rows.item
    if len(np.unique(codes)) != len(codes):
        return "a pair of user and item twice"
    if not np.isfinite(rows.rating).all():
        return "ratings that are not finite"
    if dataset.scale and (rows.rating.min() < dataset.scale[0] or rows.rating.max() > dataset.scale[1]):
        return f"ratings off its scale {dataset.scale}"
    return None

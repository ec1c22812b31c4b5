"""Which cell of a row is what: by the header of a file, or by the list of columns in a protocol."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from recbench.errors import BadData
from recbench.protocols.spec import FileSpec

FIELDS = ("user", "item", "rating", "time")
ATOMIC: Mapping[str, str] = {"user": "user_id", "item": "item_id", "rating": "rating", "time": "timestamp"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Where fields are in a row.

    Attributes:
        names: what each cell is called.
        places: which cell has a field, or a column of features.
    """

    names: tuple[str, ...]
    places: Mapping[str, int]


def without_header(columns: Sequence[str]) -> Layout:
    """The layout that a list of columns gives."""
    return Layout(names=tuple(columns), places={name: place for place, name in enumerate(columns) if name in FIELDS})


def by_header(names: Sequence[str], file: FileSpec) -> Layout:
    """The layout that a header gives, with the names that the protocol maps.

    Raises:
        BadData: a column is missing, or there twice.
    """
    wanted = file.columns if isinstance(file.columns, Mapping) else None
    if wanted is None:
        usual = ATOMIC if file.format == "atomic" else {field: field for field in FIELDS}
        wanted = {field: name for field, name in usual.items() if field in ("user", "item") or name in names}
    return Layout(names=tuple(names), places={field: place(name, names, file.path) for field, name in wanted.items()})


def place(name: str, names: Sequence[str], path: Path) -> int:
    """Which cell the column `name` is.

    Raises:
        BadData: it is missing, or there twice.
    """
    if names.count(name) == 1:
        return names.index(name)
    there = ", ".join(map(repr, names[:20]))
    if name in names:
        raise BadData(f"{path}, line 1: column {name!r} is there twice, among {there}", fix="rename one of the two")
    raise BadData(f"{path}, line 1: there is no column {name!r}; there are {there}", fix=_mapping(name, names))


def _mapping(name: str, names: Sequence[str]) -> str:
    close = difflib.get_close_matches(name.lower(), [each.lower() for each in names], n=1, cutoff=0.4)
    found = next((each for each in names if close and each.lower() == close[0]), "its name there")
    if name not in ("user", "item", "rating", "time"):
        return f"correct the name; the closest is {found!r}" if close else "correct the name"
    return (
        f"say which column it is: columns = {{ {name} = {json.dumps(found, ensure_ascii=False)}, ... }}; or, where "
        f'the first line is no header, list the columns in order: columns = ["user", "item", ...]'
    )


def untyped(name: str) -> str:
    """The name in a header of RecBole's files, where each stands as "name:type"."""
    return name.rpartition(":")[0] or name

"""One table of a protocol's file at a time: what it may hold, and errors that name file, table and key."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from recbench.errors import BadProtocol
from recbench.protocols.readers import Reader, Unfit, close, shown
from recbench.protocols.spec import (
    AlgorithmSpec,
    DataSpec,
    EvaluationSpec,
    FileSpec,
    FoldSpec,
    PinnedSpec,
    Protocol,
    PublishedRow,
    Reference,
    SplitSpec,
    TableSpec,
    TrialSpec,
)

T = TypeVar("T")
D = TypeVar("D")


def _fields(spec: type[Any], *, without: tuple[str, ...] = ()) -> tuple[str, ...]:
    return tuple(field.name for field in dataclasses.fields(spec) if field.name not in without)


KEYS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "protocol": (
            *_fields(Protocol, without=("parameters", "rows", "path", "file")),
            "algorithms",
            "algorithm",
        ),
        "data": (*_fields(DataSpec, without=("folds",)), "train", "test", "fold"),
        "fold": _fields(FoldSpec),
        "file": _fields(FileSpec),
        "table": _fields(TableSpec),
        "split": _fields(SplitSpec),
        "evaluation": _fields(EvaluationSpec),
        "trials": _fields(TrialSpec),
        "algorithm": _fields(AlgorithmSpec),
        "pinned": _fields(PinnedSpec),
        "reference": (*_fields(Reference, without=("rows",)), "row"),
        "row": _fields(PublishedRow),
    }
)
"""The keys of each kind of table. `[algorithms.NAME]` and `[tuned]` take any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A table of a protocol's file.

    Attributes:
        path: the file.
        name: where in the file, "data.train"; empty for the top of it.
        values: what stands there.
    """

    path: Path
    name: str
    values: Mapping[str, Any]

    @classmethod
    def open(cls, kind: str, values: Any, *, path: Path, name: str) -> Section:
        """Take a table that holds only keys of its kind.

        Raises:
            BadProtocol: it is no table, or a key is unknown.
        """
        section = cls(path=path, name=name, values=values if isinstance(values, dict) else {})
        if not isinstance(values, dict):
            raise BadProtocol(
                f"{path}: {name} is {shown(values)}, not a table", fix=f"write {name} as a table: {_form(kind, name)}"
            )
        for key in values:
            if key not in KEYS[kind]:
                raise section._unknown(key, kind)
        return section

    def __contains__(self, key: str) -> bool:
        return key in self.values

    def required(self, key: str, reader: Reader[T]) -> T:
        """The value of a key that must be there."""
        if key not in self.values:
            raise self.error(f"{self.place(key)} is missing", fix=f"add `{key} = ...`")
        return self._read(key, reader)

    def optional(self, key: str, reader: Reader[T], *, default: D) -> T | D:
        """The value of a key, or `default` where it is absent."""
        return self._read(key, reader) if key in self.values else default

    def table(self, key: str, kind: str) -> Section:
        """The table under a key that is there."""
        name = f"{self.name}.{key}" if self.name else key
        return Section.open(kind, self.values[key], path=self.path, name=name)

    def tables(self, key: str, kind: str) -> tuple[Section, ...]:
        """The tables `[[key]]`, in their order."""
        name = f"{self.name}.{key}" if self.name else key
        entries = self.values.get(key, [])
        if not isinstance(entries, list) or (key in self.values and not entries):
            raise self.error(
                f"{self.place(key)} is {shown(entries)}, not a list of tables", fix=f"start each with [[{name}]]"
            )
        return tuple(
            Section.open(kind, entry, path=self.path, name=f"{name}#{number}")
            for number, entry in enumerate(entries, start=1)
        )

    def refuse(self, *keys: str, because: str) -> None:
        """Stop at a key that means nothing beside the others.

        Raises:
            BadProtocol: one of `keys` is there.
        """
        for key in keys:
            if key in self.values:
                raise self.error(f"{self.place(key)} means nothing {because}", fix="remove it")

    def unfit(self, key: str, unfit: Unfit) -> BadProtocol:
        """The error for a value that its key does not take."""
        return self.error(
            f"{self.place(key)}: {shown(unfit.value)} is not {unfit.expected}{unfit.hint}", fix=f"give {unfit.expected}"
        )

    def error(self, what: str, *, fix: str) -> BadProtocol:
        """The error for something in this file."""
        return BadProtocol(f"{self.path}: {what}", fix=fix)

    def place(self, key: str) -> str:
        """How a message calls a key: "[data.train] path"."""
        return f"[{self.name}] {key}" if self.name else key

    def _read(self, key: str, reader: Reader[T]) -> T:
        try:
            return reader(self.values[key])
        except Unfit as unfit:
            raise self.unfit(key, unfit) from None

    def _unknown(self, key: str, kind: str) -> BadProtocol:
        elsewhere = [other for other in ("data", "split", "evaluation", "trials") if key in KEYS[other]]
        hint = close(key, KEYS[kind]) or "".join(f"; it belongs into [{other}]" for other in elsewhere[:1])
        return self.error(
            f"{self.place(key)} is not a key{hint}", fix=f"use one of {', '.join(sorted(KEYS[kind]))}, or remove it"
        )


def _form(kind: str, name: str) -> str:
    return f"{name.rpartition('.')[2]} = {{ path = ... }}" if kind in {"file", "table"} else f"[{name}]"

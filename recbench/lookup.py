"""One row of a protocol, asked for by its name and not as part of a board."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from recbench.errors import RecbenchError, UnknownName
from recbench.protocols.spec import Protocol
from recbench.registry import Registry
from recbench.trials import Row, Selection, select

Settings = Mapping[str, Mapping[str, Any]]


def row_named(label: str, protocol: Protocol, registry: Registry, *, settings: Settings | None = None) -> Row:
    """The row called `label`, with its parameters under the protocol.

    Raises:
        UnknownName: there is none, or a parameter is set for another one.
        RecbenchError: something that it needs is not installed, or there is no GPU for it.
    """
    known = {*registry.algorithms, *(row.label for row in protocol.rows)}
    if label not in known:  # `select` takes globs as well
        raise UnknownName.among(
            "algorithm", label, known, fix="run `recbench list`, or install the package that offers it"
        )
    (row,) = select(protocol, registry, Selection(wanted=(label,), settings=settings or {}))
    if row.program is not None:
        raise RecbenchError(
            f"{label!r} is made by a program, which only `recbench run` runs", fix="name an algorithm of a plugin"
        )
    row.check_can_run()
    return row

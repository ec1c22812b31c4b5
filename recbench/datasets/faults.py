"""Rows that cannot be right: an error that names the place, or a count of what was dropped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np

from recbench.data import BoolArray, Int64Array
from recbench.errors import BadData

Policy: TypeAlias = Literal["error", "drop"]

HOW_TO_GO_ON = 'correct the line, or set on_bad_rows = "drop" to leave such rows out and count them'


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fault:
    """One kind of fault and where it is.

    Attributes:
        kind: what is wrong, as it is counted: "rating not a number".
        lines: (n,) lines of the file, ascending, at least one.
        describe: says of the i-th of them what is wrong there, with the value.
    """

    kind: str
    lines: Int64Array
    describe: Callable[[int], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspector:
    """Decides what becomes of bad rows of one file, and counts what it dropped.

    Attributes:
        path: the file, for messages.
        on_bad_rows: stop, or drop and count.
        unit: what a row is called: "line", or "row" where the file has no lines.
        fix: how to go on.
    """

    path: Path
    on_bad_rows: Policy = "error"
    unit: str = "line"
    fix: str = HOW_TO_GO_ON
    dropped: Counter[str] = field(default_factory=Counter)

    def apart(self, fault: Fault | None) -> None:
        """Take note of rows that were never among those to inspect."""
        if fault is not None:
            self._stop_at(fault)
            self.dropped[fault.kind] += len(fault.lines)

    def sound(self, lines: Int64Array, faults: Iterable[tuple[str, BoolArray, Callable[[int], str]]]) -> BoolArray:
        """Which rows to keep.

        Args:
            lines: (n,) line of each row.
            faults: kind, (n,) which rows have it, and what to say of row i. A row counts under its first fault.

        Returns:
            (n,) bool.

        Raises:
            BadData: rows are bad, and that is an error. The topmost is named.
        """
        kept = np.ones(len(lines), dtype=np.bool_)
        first: Fault | None = None
        for kind, bad, describe in faults:
            rows = np.flatnonzero(bad & kept)
            if not len(rows):
                continue
            kept[rows] = False
            self.dropped[kind] += len(rows)
            if first is None or lines[rows[0]] < first.lines[0]:
                first = Fault(kind=kind, lines=lines[rows], describe=_at(describe, rows))
        if first is not None:
            self._stop_at(first)
        return kept

    def _stop_at(self, fault: Fault) -> None:
        if self.on_bad_rows == "error":
            raise BadData(f"{self.path}, {self.unit} {fault.lines[0]}: {fault.describe(0)}", fix=self.fix)


def _at(describe: Callable[[int], str], rows: Int64Array) -> Callable[[int], str]:
    return lambda index: describe(int(rows[index]))

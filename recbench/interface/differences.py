"""Comparisons of rows, as they show in a notebook and as a table of pandas."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from recbench.comparing import Comparison
from recbench.comparing.tables import Table, markdown, summary, tables_of
from recbench.leaderboard.wording import pad, plain, width

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Differences:
    """How rows differ. Shows as tables.

    Attributes:
        found: all that is known.
    """

    found: Comparison

    def __repr__(self) -> str:
        return "\n\n".join([*map(_text, tables_of(self.found)), *summary(self.found)])

    def _repr_markdown_(self) -> str:
        return markdown(list(tables_of(self.found)), list(summary(self.found)))

    def to_pandas(self) -> pandas.DataFrame:
        """A row for each metric and pair: the first less the second.

        `low` and `high` are the 95 % interval of that pair alone; `p` is corrected over all pairs of the metric.
        """
        import pandas

        names = ("score", "first", "second", "difference", "low", "high", "p", "effect", "wins", "ties", "losses")
        rows = [
            (each.key, pair.first, pair.second, pair.difference.estimate, pair.difference.low, pair.difference.high,
             pair.p, pair.effect, pair.wins, pair.ties, pair.losses)
            for each in self.found.metrics
            for pair in each.contrasts
        ]  # fmt: skip
        return pandas.DataFrame(rows, columns=list(names))


def _text(table: Table) -> str:
    """A table in columns of one width, its first one at the left."""
    rows = [[plain(cell) for cell in row] for row in (table.header, *table.rows)]
    widths = [max(map(width, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(
            pad(cell, w, right=place > 0) for place, (cell, w) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    return "\n".join([plain(table.title), *(f"  {line}" for line in lines), *filter(None, [plain(table.note)])])

"""What the statistics say of a board: how sure its figures are. Plain values, made from records and their lists."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from recbench.errors import BadRecord
from recbench.protocols.spec import canonical
from recbench.records.form import check, written
from recbench.records.parsing import FIX, parse
from recbench.records.record import Record
from recbench.records.shape import items, kind, matching, number, one_of, optional, table, values, whole

ANALYSIS_SCHEMA = 1
N_BINS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Grouping:
    """Groups of users or of items.

    Attributes:
        kind: "activity" or "popularity", or the name of a column of the users' table.
        of: what is grouped, "users" or "items".
        groups: their names, from one end to the other.
        sizes: users or items in each.
    """

    kind: str
    of: str
    groups: tuple[str, ...]
    sizes: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Grouped:
    """A score by the groups of a grouping.

    Attributes:
        means: a mean over users for each group; None where the group has nobody to be evaluated.
        gap: the first group's mean less the last one's, with its 95 % interval: (estimate, low, high).
    """

    means: tuple[float | None, ...]
    gap: tuple[float, float, float] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RowAnalysis:
    """What is known of a row.

    Attributes:
        name: as on the board.
        records: what it was made from, as `digest` says it.
        intervals: by key the 95 % interval, (low, high), of the scores that sort the board.
        letters: of the primary metric, shared by rows that the test cannot tell apart.
        ranks: the best and the worst rank by that test; None where it was not tested.
        distribution: users by their value of the primary metric, from 0 to 1 in `N_BINS` equal bins; empty where its
            range is another.
        grouped: by key, for each grouping of the analysis in its order.
    """

    name: str
    records: str
    intervals: Mapping[str, tuple[float, float]]
    letters: str = ""
    ranks: tuple[int, int] | None = None
    distribution: tuple[int, ...] = ()
    grouped: Mapping[str, tuple[Grouped, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """What is known of a board.

    Attributes:
        protocol: its fingerprint.
        metrics_version: of the scores.
        n_users: over whom the primary metric's intervals are.
        rows: those whose lists could be read, by name.
    """

    protocol: str
    metrics_version: int
    n_users: int
    rows: tuple[RowAnalysis, ...]
    groupings: tuple[Grouping, ...] = ()
    schema: int = ANALYSIS_SCHEMA


def digest(records: Iterable[Record]) -> str:
    """What stands for the records of a row: sha256 in hexadecimal over their ids, scores and lists."""
    said = sorted(
        canonical([each.trial_id, each.status, each.scores, each.scores_warm, each.lists, each.metrics_version])
        for each in records
    )
    return hashlib.sha256(canonical(said).encode()).hexdigest()


def analysis_to_json(analysis: Analysis) -> str:
    """The one text of an analysis, as `to_json` of a record."""
    return written(analysis, indent=1)


def analysis_from_json(text: str, where: str) -> Analysis:
    """The analysis that `text` says.

    Raises:
        BadRecord: it is none, or of another schema.
    """
    document = parse(text, where)
    check(document, where, ANALYSIS_SCHEMA, _ANALYSIS, way_out="`recbench rescore` makes it anew")
    groupings = tuple(_grouping(each) for each in document["groupings"])
    rows = tuple(_row(each) for each in document["rows"])
    shapes = [len(each.groups) for each in groupings]
    if any(len(each.sizes) != n for each, n in zip(groupings, shapes, strict=True)):
        raise BadRecord(f"{where}: a grouping has not as many sizes as groups", fix=FIX)
    if any([len(each.means) for each in found] != shapes for row in rows for found in row.grouped.values()):
        raise BadRecord(f"{where}: a row has other groups than the analysis", fix=FIX)
    return Analysis(**document | {"rows": rows, "groupings": groupings})


def _grouping(document: Mapping[str, Any]) -> Grouping:
    return Grouping(**{**document, **{name: tuple(document[name]) for name in ("groups", "sizes")}})


def _row(document: Mapping[str, Any]) -> RowAnalysis:
    ranks = document["ranks"]
    return RowAnalysis(
        **{
            **document,
            "intervals": {key: _pair(each) for key, each in document["intervals"].items()},
            "ranks": None if ranks is None else _pair(ranks),
            "distribution": tuple(document["distribution"]),
            "grouped": {key: tuple(map(_grouped, each)) for key, each in document["grouped"].items()},
        }
    )


def _grouped(document: Mapping[str, Any]) -> Grouped:
    gap = document["gap"]
    return Grouped(means=tuple(document["means"]), gap=None if gap is None else (gap[0], gap[1], gap[2]))


def _pair(both: Sequence[Any]) -> tuple[Any, Any]:
    return both[0], both[1]


_TEXT, _SHA256 = kind(str), matching("[0-9a-f]{64}")
_GROUPING = table(
    {"kind": _TEXT, "of": one_of("users", "items"), "groups": items(_TEXT), "sizes": items(whole)}, is_closed=True
)
_GROUPED = table(
    {"means": items(optional(number)), "gap": optional(items(number, length=3))},
    is_closed=True,
)
_ROW = table(
    {
        "name": _TEXT,
        "records": _SHA256,
        "intervals": values(items(number, length=2)),
        "letters": matching("[A-Za-z0-9]*"),
        "ranks": optional(items(whole, length=2)),
        "distribution": items(whole),
        "grouped": values(items(_GROUPED)),
    },
    is_closed=True,
)
_ANALYSIS = table(
    {
        "protocol": _SHA256,
        "metrics_version": whole,
        "n_users": whole,
        "rows": items(_ROW),
        "groupings": items(_GROUPING),
        "schema": whole,
    },
    is_closed=True,
)

"""An analysis held against the records beside it, whose statistics are computed anew."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from recbench.comparing import analyse
from recbench.errors import BadRecord
from recbench.records import Analysis, Record, RowAnalysis, analysis_to_json, load_analysis
from recbench.scene import Scene

OTHER_MACHINE = 1e-9
"""Difference of two figures that another processor or NumPy may have added up."""


def analysis_faults(path: Path, records: Mapping[Path, Record], scene: Scene) -> Iterator[str]:
    """What does not hold of the analysis at `path`.

    Args:
        records: all of the folder that it lies in, each of which holds.
    """
    try:
        stated = load_analysis(path)
    except BadRecord as error:
        yield error.what.removeprefix(f"{path}: ")
        return
    if path.read_bytes() != analysis_to_json(stated).encode():
        yield "is not written as recbench writes it: a key stands twice, or it was edited"
    if stated.protocol != scene.fingerprint:
        yield f"is of the protocol {stated.protocol[:12]}, and its records are of {scene.fingerprint[:12]}"
        return
    yield from _differences(stated, analyse(records, scene))


def _differences(stated: Analysis, found: Analysis) -> Iterator[str]:
    mine, theirs = ({each.records: each for each in one.rows} for one in (stated, found))
    if mine.keys() != theirs.keys():
        yield "was made from other records than those beside it: `recbench rescore` makes it anew"
        return
    if (stated.n_users, stated.metrics_version) != (found.n_users, found.metrics_version):
        yield f"states {stated.n_users:,} users, and its records give {found.n_users:,}"
    if stated.groupings != found.groupings:
        yield "states other groups than the data gives"
        return
    for key, row in theirs.items():
        yield from _of_row(mine[key], row)


def _of_row(stated: RowAnalysis, found: RowAnalysis) -> Iterator[str]:
    for what in ("name", "letters", "ranks", "distribution"):
        mine, theirs = getattr(stated, what), getattr(found, what)
        if mine != theirs:
            yield f"states the {what} {mine!r:.60} of {found.name!r:.60}, and its records give {theirs!r:.60}"
    if not _alike(stated.intervals, found.intervals):
        yield f"states other intervals of {found.name!r:.60} than its records give"
    mine, theirs = (
        {key: [(*each.means, *(each.gap or ())) for each in groups] for key, groups in one.grouped.items()}
        for one in (stated, found)
    )
    if mine.keys() != theirs.keys() or not all(
        _alike(dict(enumerate(mine[key])), dict(enumerate(theirs[key]))) for key in mine
    ):
        yield f"states other figures by groups of {found.name!r:.60} than its records give"


def _alike(one: Mapping[Any, tuple[float | None, ...]], other: Mapping[Any, tuple[float | None, ...]]) -> bool:
    return one.keys() == other.keys() and all(
        len(one[key]) == len(other[key]) and all(map(_is_same, one[key], other[key])) for key in one
    )


def _is_same(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return abs(one - other) <= OTHER_MACHINE * max(1.0, abs(other))

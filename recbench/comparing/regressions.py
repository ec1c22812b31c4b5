"""Rows against their own earlier selves, for whoever changes an algorithm: is any of them surely worse?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from recbench.comparing.contrasts import measure
from recbench.comparing.rows import Found, Row, check_same_ground, find_rows
from recbench.comparing.scores import ByUser, score_row
from recbench.comparing.together import Request, protocol_of, scene_of
from recbench.errors import RecbenchError
from recbench.registry import Registry
from recbench.scene import Scene
from recbench.statistics import Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A row's score now less the one before, paired by user. `verdict`: "worse", "better", "same" or "unsure"."""

    name: str
    key: str
    best: str
    before: float
    now: float
    difference: Interval
    verdict: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Regressions:
    """What changed. `new`: rows that the folder has not; `left_out`: rows that could not be compared, and why."""

    protocol: str
    folder: Path
    changes: tuple[Change, ...]
    new: tuple[str, ...]
    left_out: tuple[tuple[str, str], ...]

    @property
    def worse(self) -> tuple[Change, ...]:
        """The regressions."""
        return tuple(each for each in self.changes if each.verdict == "worse")


def against(request: Request, folder: Path, registry: Registry) -> Regressions:
    """Compare rows of `request.output` with the rows of the same names in `folder`.

    A row is worse where the whole paired interval of the difference is on the worse side of zero.

    Raises:
        RecbenchError: as `compare`; or no row has an earlier self there.
    """
    named = None if request.protocol is None else protocol_of(request.protocol, registry)
    name = None if named is None else named.name
    mine = find_rows(request.wanted, request.output, name)
    if not mine.rows:
        shown = "; ".join(f"{row}: {why}" for row, why in mine.left_out.items())
        raise RecbenchError(f"there is no row to compare: {shown}", fix="run them again, and see their reasons")
    theirs = find_rows((str(folder),), folder, name or str(mine.rows[0].first.protocol["name"]))
    before = {row.name: row for row in theirs.rows}
    both = [(row, before[row.name]) for row in mine.rows if row.name in before]
    if not both:
        raise RecbenchError(
            f"no row of {str(request.output)!r} stands in {str(folder)!r}", fix="give a folder that has their names"
        )
    for pair in both:
        check_same_ground(pair)
    scene = scene_of([row for pair in both for row in pair], named, request, registry)
    keys = request.keys or (scene.primary,)
    return Regressions(
        protocol=scene.protocol.name,
        folder=folder,
        changes=tuple(change for pair in both for change in _changes(*_scored(pair, scene, keys), scene, keys)),
        new=tuple(row.name for row in mine.rows if row.name not in before),
        left_out=_left_out(mine, theirs),
    )


def _left_out(mine: Found, theirs: Found) -> tuple[tuple[str, str], ...]:
    names = {row.name for row in mine.rows}
    before = [(name, f"before: {why}") for name, why in theirs.left_out.items() if name in names]
    return (*mine.left_out.items(), *before)


def _scored(pair: tuple[Row, Row], scene: Scene, keys: Sequence[str]) -> tuple[ByUser, ByUser]:
    now, before = (score_row(row, scene, keys) for row in pair)
    return now, replace(before, name=f"{before.name}, before")


def _changes(now: ByUser, before: ByUser, scene: Scene, keys: Sequence[str]) -> Iterator[Change]:
    for key in keys:
        if not all(key in row.values or key in row.sums for row in (now, before)):
            continue
        measured, has = measure(key, (now, before), scene)
        if has.sum() < 2:
            continue
        best = scene.metrics[key.partition("@")[0]].best
        drawn = measured.bootstrap()
        difference = drawn.difference(0, 1)
        yield Change(
            name=now.name,
            key=key,
            best=best,
            before=drawn.interval(1).estimate,
            now=drawn.interval(0).estimate,
            difference=difference,
            verdict=_verdict(difference, best),
        )


def _verdict(difference: Interval, best: str) -> str:
    if difference.low == difference.high == 0:
        return "same"
    if not difference.excludes_zero or best == "none":
        return "unsure"
    return "better" if (difference.low > 0) == (best == "high") else "worse"

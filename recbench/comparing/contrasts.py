"""What the statistics say of aligned rows: each row's interval, each pair's difference, and where they differ."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from recbench.comparing.groups import by_activity, by_popularity, by_tags, hits_by_user
from recbench.comparing.scores import ByUser
from recbench.data import BoolArray, FloatArray
from recbench.scene import Scene
from recbench.statistics import Bootstrap, Interval, Test, effects, letters, paired, rank_ranges, symmetric

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


@dataclass(frozen=True, slots=True, kw_only=True)
class RowFigure:
    """What a row is worth under one metric.

    Attributes:
        mean: the score, as the board has it.
        interval: over users, of the mean over users after their seeds and folds are averaged; None for metrics that
            are no mean over users or pairs.
        spread: the standard deviation between trials (n - 1), None with one trial.
        letters: shared by rows that the test cannot tell apart.
        ranks: the best and the worst rank it may have.
    """

    name: str
    mean: float
    interval: Interval | None
    spread: float | None
    n_trials: int
    letters: str = ""
    ranks: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Contrast:
    """A pair of rows: the first less the second.

    Attributes:
        difference: with its own 95 % interval, not corrected for the number of pairs.
        p: corrected over all pairs of the metric.
        effect: the mean difference over the standard deviation of the users' differences.
        wins: users for whom the first is better (has the greater value, where neither end is better).
        scatter: of the users' differences the quantiles at `QUANTILES`.
    """

    first: str
    second: str
    difference: Interval
    p: float
    effect: float
    wins: int
    ties: int
    losses: int
    scatter: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One metric. `without`: rows that have no such score."""

    key: str
    best: str
    n_users: int
    rows: tuple[RowFigure, ...]
    contrasts: tuple[Contrast, ...]
    without: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupContrast:
    """The difference of two rows within a group of users, or over the test items of a group of items.

    Attributes:
        kind: "activity" of users, "popularity" or "tags" of items.
        means: of the first and of the second.
    """

    first: str
    second: str
    score: str
    kind: str
    group: str
    means: tuple[float, float]
    difference: Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """All that is known of how rows differ.

    Attributes:
        population: over whom.
        left_out: rows of folders that could not be compared, and why.
    """

    protocol: str
    title: str
    fingerprint: str
    population: str
    test: Test
    metrics: tuple[Compared, ...]
    groups: tuple[GroupContrast, ...]
    left_out: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Measured:
    """Aligned values of one metric: (n_rows, n_users), errors summed by user where there are `counts`."""

    values: FloatArray
    counts: FloatArray | None
    root: bool

    def bootstrap(self, members: BoolArray | None = None) -> Bootstrap:
        """Users drawn, or only some of them."""
        counts = self.counts if self.counts is None or members is None else self.counts[members]
        values = self.values if members is None else self.values[:, members]
        return Bootstrap(values, counts=counts, root=self.root)

    def of_users(self, row: int) -> FloatArray:
        """A row's mean by user; of errors over the user's pairs, squared ones where `rmse` takes the root."""
        found: FloatArray = self.values[row] if self.counts is None else self.values[row] / self.counts
        return found

    def tested(self) -> FloatArray:
        """Values whose mean over users is what is compared; for `rmse` the squared errors, which rank alike."""
        if self.counts is None:
            return self.values
        has = self.counts > 0
        tested: FloatArray = self.values[:, has] * float(has.sum() / self.counts.sum())
        return tested


def measure(key: str, rows: Sequence[ByUser], scene: Scene) -> tuple[Measured, BoolArray]:
    """The values of those users who have one in every row, and who they are: (n_users,) bool."""
    if key in rows[0].sums:
        counts = rows[0].counts
        pairs: BoolArray = counts > 0
        sums = np.stack([row.sums[key][pairs] for row in rows])
        return Measured(values=sums, counts=counts[pairs], root=scene.metrics[key].root), pairs
    values = np.stack([row.values[key] for row in rows])
    has: BoolArray = np.isfinite(values.sum(axis=0))
    return Measured(values=values[:, has], counts=None, root=False), has


def compare_metric(key: str, rows: Sequence[ByUser], scene: Scene, test: Test) -> Compared:
    """What one metric says of all rows that have it; a metric over the catalogue gives figures alone."""
    best = scene.metrics[key.partition("@")[0]].best
    able = [row for row in rows if all(key in (t.record.scores_warm or t.record.scores) for t in row.trials)]
    without = tuple(row.name for row in rows if row not in able)
    by_users = [row for row in able if key in row.values or key in row.sums]
    if not by_users:
        return Compared(
            key=key,
            best=best,
            n_users=0,
            rows=tuple(_ordered([_figure(key, row, None) for row in able], best)),
            contrasts=(),
            without=without,
        )
    measured, has = measure(key, by_users, scene)
    if has.sum() < 2:
        return Compared(key=key, best=best, n_users=int(has.sum()), rows=(), contrasts=(), without=without)
    drawn = measured.bootstrap()
    figures = [_figure(key, row, drawn.interval(place)) for place, row in enumerate(by_users)]
    contrasts: tuple[Contrast, ...] = ()
    if len(by_users) > 1:
        figures, contrasts = _tested(figures, measured, drawn, best, test)
    return Compared(
        key=key,
        best=best,
        n_users=int(has.sum()),
        rows=tuple(_ordered(figures, best)),
        contrasts=contrasts,
        without=without,
    )


def compare_groups(key: str, rows: Sequence[ByUser], scene: Scene) -> Iterator[GroupContrast]:
    """Where the rows differ: by users' activity, and by popularity and tags of the test items."""
    able = [row for row in rows if key in row.values or key in row.sums]
    if len(able) < 2:
        return
    dataset = scene.splits[0].dataset
    measured, has = measure(key, able, scene)
    for group in by_activity(dataset, has) if has.any() else ():
        if group.members.sum() > 1:
            drawn = measured.bootstrap(group.members[has])
            yield from _in_group(able, drawn, score=key, kind="activity", group=group.name)
    cutoff = _cutoff(key)
    if cutoff is None:
        return
    groups = [("popularity", group) for group in by_popularity(dataset)]
    groups += [("tags", group) for group in by_tags(dataset)]
    for kind, group in groups:
        found = [hits_by_user(row.trials, scene, group.members, cutoff) for row in able]
        if (found[0][1] > 0).sum() > 1:
            drawn = Bootstrap(np.stack([hits for hits, _ in found]), counts=found[0][1])
            yield from _in_group(able, drawn, score=f"recall@{cutoff} of pairs", kind=kind, group=group.name)


def _cutoff(key: str) -> int | None:
    _, at, rest = key.partition("@")
    return int(rest.partition("~")[0]) if at else None


def _in_group(
    rows: Sequence[ByUser], drawn: Bootstrap, *, score: str, kind: str, group: str
) -> Iterator[GroupContrast]:
    for second in range(1, len(rows)):
        for first in range(second):
            yield GroupContrast(
                first=rows[first].name,
                second=rows[second].name,
                score=score,
                kind=kind,
                group=group,
                means=(drawn.interval(first).estimate, drawn.interval(second).estimate),
                difference=drawn.difference(first, second),
            )


def _figure(key: str, row: ByUser, interval: Interval | None) -> RowFigure:
    scores = row.per_trial(key)
    return RowFigure(
        name=row.name,
        mean=math.fsum(scores) / len(scores),
        interval=interval,
        spread=float(np.std(scores, ddof=1)) if len(scores) > 1 else None,
        n_trials=len(scores),
    )


def _tested(
    figures: Sequence[RowFigure], measured: Measured, drawn: Bootstrap, best: str, test: Test
) -> tuple[list[RowFigure], tuple[Contrast, ...]]:
    values = measured.tested()
    pairs, sizes = paired(values, test), effects(values)
    wins, losses = (sizes.losses, sizes.wins) if best == "low" else (sizes.wins, sizes.losses)
    contrasts = tuple(
        Contrast(
            first=figures[i].name,
            second=figures[j].name,
            difference=drawn.difference(int(i), int(j)),
            p=float(pairs.corrected[at]),
            effect=float(sizes.size[at]),
            wins=int(wins[at]),
            ties=int(sizes.ties[at]),
            losses=int(losses[at]),
            scatter=tuple(np.quantile(measured.of_users(int(i)) - measured.of_users(int(j)), QUANTILES).tolist()),
        )
        for at, (i, j) in enumerate(zip(pairs.first, pairs.second, strict=True))
    )
    worth = values.mean(axis=1) * (-1 if best == "low" else 1)
    matrix = symmetric(pairs)
    shown = zip(figures, letters(matrix, worth), rank_ranges(matrix, worth), strict=True)
    return [replace(figure, letters="".join(signs), ranks=ranks) for figure, signs, ranks in shown], contrasts


def _ordered(figures: Sequence[RowFigure], best: str) -> list[RowFigure]:
    return sorted(figures, key=lambda each: each.mean if best == "low" else -each.mean)

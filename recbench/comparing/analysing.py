"""How sure a board is: intervals of its figures, ties of its rows, and its figures by groups of users and items."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from recbench import metrics
from recbench.comparing.contrasts import measure
from recbench.comparing.groups import Group, by_activity, by_popularity, by_user_columns
from recbench.comparing.rows import Row
from recbench.comparing.scores import ByUser, Scored, counting_users, score_row, values_by_user
from recbench.data import BoolArray, FloatArray, Split
from recbench.errors import BadRecord
from recbench.leaderboard.standings import Board, board
from recbench.metrics import METRICS_VERSION
from recbench.protocols.spec import EvaluationSpec
from recbench.records import N_BINS, Analysis, Grouped, Grouping, Record, RowAnalysis, Store, digest
from recbench.scene import Scene
from recbench.statistics import Bootstrap, by_user, gap_intervals, letters, paired, rank_ranges, symmetric

_HELD = 1 << 25
"""Values by user that are held at a time; where there are more, those of one cut-off are."""
GROUPED = ("ndcg", "precision", "recall")
"""What is looked at by groups, where the protocol has it; the primary metric comes first whatever it is."""


def analyse_store(store: Store, scene: Scene) -> Analysis | None:
    """Analyse the records of a scene's protocol in a store, and keep what comes of it beside them.

    Returns:
        What lies there now; None where there is no such record.

    Raises:
        RecbenchError: the folder cannot be written to.
    """
    records = {}
    for path in store.paths(scene.fingerprint):
        try:
            record = store.load(path)
        except BadRecord:
            continue  # whoever renders the board tells
        if record.protocol["fingerprint"] == scene.fingerprint and record.metrics_version == METRICS_VERSION:
            records[path] = record
    if not records:
        return None
    known = store.analyses()[0].get(scene.fingerprint)
    found = board(records.values())
    if known is not None and _is_of(known, found):
        return known
    analysis = _analyse(found, records, scene)
    store.save_analysis(analysis, next(iter(records.values())))
    return analysis


def _is_of(analysis: Analysis, found: Board) -> bool:
    """Whether there is nothing to be found out that is not known."""
    return {each.records for each in analysis.rows} == {digest(each.records) for each in found.standings if each.scores}


def analyse(records: Mapping[Path, Record], scene: Scene) -> Analysis:
    """What the statistics say of the rows of a board. Rows whose lists cannot be read are left out.

    Args:
        records: of the scene's protocol, by their files.
    """
    return _analyse(board(records.values()), records, scene)


def _analyse(found: Board, records: Mapping[Path, Record], scene: Scene) -> Analysis:
    rows = _rows(found, records)
    keys = [key for key in found.keys if scene.metrics[key.partition("@")[0]].kind != "catalogue"]
    known: dict[str, dict[str, tuple[float, float]]] = defaultdict(dict)
    main: list[ByUser] = []
    values = len(rows) * scene.splits[0].dataset.n_users * len(keys)
    for some in [keys] if values <= _HELD else _parts(keys, scene.primary):
        scored = [each for row in rows if (each := _scored(row, scene, some)) is not None]
        for key, name, interval in _intervals(some, scored, scene):
            known[name][key] = interval
        if scene.primary in some:
            main = scored
    tested = _tested(main, scene)
    groupings, grouped = _by_groups(main, scene)
    return Analysis(
        protocol=scene.fingerprint,
        metrics_version=METRICS_VERSION,
        n_users=tested.n_users,
        rows=tuple(
            RowAnalysis(
                name=row.name,
                records=digest(record for record, _ in row.trials),
                intervals=known[row.name],
                letters=tested.letters.get(row.name, ""),
                ranks=tested.ranks.get(row.name),
                distribution=tested.distributions.get(row.name, ()),
                grouped=grouped.get(row.name, {}),
            )
            for row in rows
            if row.name in known
        ),
        groupings=groupings,
    )


def _rows(found: Board, records: Mapping[Path, Record]) -> list[Row]:
    files = {id(record): path for path, record in records.items()}
    return [
        Row(
            name=each.name,
            folder=files[id(each.first)],
            trials=tuple((record, files[id(record)]) for record in each.records),
        )
        for each in found.standings
        if each.scores
    ]


def _parts(keys: Sequence[str], primary: str) -> Iterator[list[str]]:
    """The keys by cut-off, so that no more than these values by user are held at a time; the primary metric's last."""
    parts: dict[str, list[str]] = defaultdict(list)
    for key in keys:
        parts[key.partition("@")[2] or primary.partition("@")[2]].append(key)
    yield from sorted(parts.values(), key=lambda part: primary in part)


def _scored(row: Row, scene: Scene, keys: Sequence[str]) -> ByUser | None:
    try:
        return score_row(row, scene, keys)
    except BadRecord:
        return None  # its row stays on the board, as its records say, without an interval


def _intervals(
    keys: Sequence[str], rows: Sequence[ByUser], scene: Scene
) -> Iterator[tuple[str, str, tuple[float, float]]]:
    """Of each key and row the interval. Users are drawn once for all figures over the same users."""
    alike: dict[bytes, list[tuple[str, str, FloatArray]]] = defaultdict(list)
    for row in rows:
        for key, values in row.values.items():
            has = np.isfinite(values)
            if has.sum() > 1:
                alike[np.packbits(has).tobytes()].append((key, row.name, values[has]))
    for figures in alike.values():
        drawn = Bootstrap(np.stack([values for _, _, values in figures]))
        for place, (key, name, _) in enumerate(figures):
            interval = drawn.interval(place)
            yield key, name, (interval.low, interval.high)
    for key in keys:
        able = [row for row in rows if key in row.sums]
        if able and (able[0].counts > 0).sum() > 1:
            drawn = measure(key, able, scene)[0].bootstrap()
            for place, row in enumerate(able):
                interval = drawn.interval(place)
                yield key, row.name, (interval.low, interval.high)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tested:
    n_users: int = 0
    letters: Mapping[str, str]
    ranks: Mapping[str, tuple[int, int]]
    distributions: Mapping[str, tuple[int, ...]]


def _tested(rows: Sequence[ByUser], scene: Scene) -> _Tested:
    """What the paired test over all pairs says of the primary metric."""
    key = scene.primary
    metric = scene.metrics[key.partition("@")[0]]
    able = [row for row in rows if key in row.values or key in row.sums]
    if not able:
        return _Tested(letters={}, ranks={}, distributions={})
    measured, has = measure(key, able, scene)
    if has.sum() < 2:
        return _Tested(n_users=int(has.sum()), letters={}, ranks={}, distributions={})
    names, values = [row.name for row in able], measured.tested()
    bins = {}
    if measured.counts is None and metric.range == (0.0, 1.0):
        counted = [np.histogram(each, bins=N_BINS, range=(0.0, 1.0))[0].tolist() for each in values]
        bins = {name: tuple(each) for name, each in zip(names, counted, strict=True)}
    if len(able) < 2:
        return _Tested(n_users=int(has.sum()), letters={}, ranks={}, distributions=bins)
    matrix = symmetric(paired(values))
    worth = values.mean(axis=1) * (-1 if metric.best == "low" else 1)
    signs = ["".join(each) for each in letters(matrix, worth)]
    return _Tested(
        n_users=int(has.sum()),
        letters=dict(zip(names, signs, strict=True)),
        ranks=dict(zip(names, rank_ranges(matrix, worth), strict=True)),
        distributions=bins,
    )


def _by_groups(
    rows: Sequence[ByUser], scene: Scene
) -> tuple[tuple[Grouping, ...], dict[str, dict[str, tuple[Grouped, ...]]]]:
    """The figures by groups: for each grouping and key, of all rows that have it."""
    keys = _grouped_keys(scene)
    able = [row for row in rows if all(key in row.values for key in keys)]
    if not able or not keys:
        return (), {}
    dataset = scene.splits[0].dataset
    users: BoolArray = np.isfinite(able[0].values[keys[0]])
    if not users.any():
        return (), {}
    of_users = {"activity": by_activity(dataset, users), **by_user_columns(dataset, users)}
    of_items = {"popularity": by_popularity(dataset)}
    groupings = []
    found: dict[str, dict[str, list[Grouped]]] = {row.name: {key: [] for key in keys} for row in able}
    for what, kinds in (("users", of_users), ("items", of_items)):
        for kind, groups in kinds.items():
            if len(groups) < 2:
                continue
            groupings.append(_grouping(kind, what, groups))
            values = _within(able, groups, keys) if what == "users" else _over(able, groups, keys, scene)
            for key in keys:
                for row, each in zip(able, _compared(values[key]), strict=True):
                    found[row.name][key].append(each)
    return tuple(groupings), {
        name: {key: tuple(each) for key, each in by_key.items()} for name, by_key in found.items()
    }


def _grouped_keys(scene: Scene) -> list[str]:
    """The primary metric, and its like at the same cut-off; all are means over users."""
    evaluation = scene.protocol.evaluation
    primary, _, cutoff = scene.primary.partition("~")[0].partition("@")
    if not cutoff or scene.metrics[primary].kind != "user":
        return []
    names = [name for name in GROUPED if name in scene.metrics and name != primary]
    return [metrics.key_of(scene.metrics[name], int(cutoff), evaluation) for name in (primary, *names)]


def _grouping(kind: str, what: str, groups: Sequence[Group]) -> Grouping:
    return Grouping(
        kind=kind,
        of=what,
        groups=tuple(each.name for each in groups),
        sizes=tuple(int(each.members.sum()) for each in groups),
    )


def _within(rows: Sequence[ByUser], groups: Sequence[Group], keys: Sequence[str]) -> dict[str, list[FloatArray]]:
    """By key, for each group (n_rows, n_users) values of its members, NaN elsewhere."""
    return {
        key: [np.stack([np.where(group.members, row.values[key], np.nan) for row in rows]) for group in groups]
        for key in keys
    }


def _over(
    rows: Sequence[ByUser], groups: Sequence[Group], keys: Sequence[str], scene: Scene
) -> dict[str, list[FloatArray]]:
    """As `_within`, with the items of a group as the only relevant ones; the lists stay as they are."""
    names = tuple(key.partition("@")[0] for key in keys)
    cutoff = int(keys[0].partition("@")[2].partition("~")[0])
    chosen = replace(scene.protocol.evaluation, metrics=names, cutoffs=(cutoff,))
    found: dict[str, list[FloatArray]] = {key: [] for key in keys}
    for group in groups:
        splits = {split.fingerprint: _limited(split, group.members) for split in scene.splits}
        of_rows = [[_values(trial, splits, chosen, scene) for trial in row.trials] for row in rows]
        for key in keys:
            found[key].append(np.stack([by_user(np.stack([each[key] for each in trials])) for trials in of_rows]))
    return found


def _limited(split: Split, items: BoolArray) -> Split:
    """The split with those test interactions only that are of some items."""
    rows = split.test_rows
    return replace(split, test_rows=rows[items[split.dataset.interactions.item[rows]]])


def _values(
    trial: Scored, splits: Mapping[str, Split], evaluation: EvaluationSpec, scene: Scene
) -> dict[str, FloatArray]:
    split = splits[trial.record.split["fingerprint"]]
    return dict(values_by_user(trial.lists, split, evaluation, scene, counting_users(trial.record, split)))


def _compared(values: Sequence[FloatArray]) -> Iterator[Grouped]:
    """Row by row the means of the groups, and the gap between the first and the last; each (n_rows, n_users)."""
    n_users = [int(np.isfinite(each[0]).sum()) for each in values]
    gaps = gap_intervals(values[0], values[-1]) if min(n_users[0], n_users[-1]) > 1 else None
    for row in range(len(values[0])):
        means = [float(np.nanmean(each[row])) if n else None for each, n in zip(values, n_users, strict=True)]
        gap = None if gaps is None else (gaps[row].estimate, gaps[row].low, gaps[row].high)
        yield Grouped(means=tuple(means), gap=gap)

"""From records to standings: which rows a board has, what each is worth, and in which order they stand. Pure."""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from recbench.errors import BadRecord
from recbench.protocols.spec import canonical
from recbench.records import Costs, Record, Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A mean over trials, and the standard deviation between them where there are several (n - 1)."""

    mean: float
    spread: float | None
    n: int

    @classmethod
    def over(cls, values: Sequence[float]) -> Figure:
        """Of at least one value."""
        mean = math.fsum(values) / len(values)
        spread = statistics.stdev(values) if len(values) > 1 else None
        return cls(mean=mean, spread=spread, n=len(values))


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A row of the board.

    Attributes:
        name: the label, with the parameters that tell it from rows of the same label.
        records: its trials, by fold and seed.
        rank: 1 is best; equal figures share a rank. None where it cannot be compared.
        why_unranked: says why not.
        scores: by key, over all trials; empty where a trial is missing or not ok.
        scores_warm: the same over users with a history.
        costs: by name, as in `Costs`.
    """

    name: str
    records: tuple[Record, ...]
    rank: int | None
    why_unranked: str | None
    scores: Mapping[str, Figure]
    scores_warm: Mapping[str, Figure]
    costs: Mapping[str, Figure]

    @property
    def first(self) -> Record:
        """The record that stands for what all trials share."""
        return self.records[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """All that a rendering needs.

    Attributes:
        standings: ranked rows in their order, then those that cannot be compared, by name.
        keys: the scores' keys in the protocol's order.
        primary: the key that sorts.
        sorts_warm: whether scores of warm users sort.
        n_superseded: records of code that its author has changed since, which are not shown.
    """

    records: tuple[Record, ...]
    standings: tuple[Standing, ...]
    keys: tuple[str, ...]
    primary: str
    sorts_warm: bool
    n_superseded: int

    @property
    def protocol(self) -> Mapping[str, Any]:
        """What the records say of the protocol."""
        return self.records[0].protocol

    def best_of(self, key: str) -> str:
        """Whether "high" or "low" values of a score are better, or "none"."""
        return str(metric_of(self.protocol, key).get("best", "none"))


def metric_of(protocol: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """What the protocol's record says of a score's metric."""
    found: Mapping[str, Any] = protocol.get("metrics", {}).get(key.partition("@")[0], {})
    return found


def board(records: Iterable[Record]) -> Board:
    """Put the records of one protocol in order.

    Raises:
        BadRecord: they are of several protocols or metric versions, or there are none.
    """
    current, n_superseded = _current(sorted(records, key=_place))
    _check_same(current)
    keys = _keys(current)
    primary = _primary(current[0].protocol, keys)
    sorts_warm = any(record.scores_warm for record in current)
    rows = _rows(current)
    n_folds = len({record.fold for record in current})
    drafts = [_standing(name, trials, n_folds=n_folds) for name, trials in rows.items()]
    sign = -1 if metric_of(current[0].protocol, primary).get("best", "high") == "high" else 1

    def worth(standing: Standing) -> float | None:
        figures = standing.scores_warm if sorts_warm else standing.scores
        return sign * figures[primary].mean if primary in figures else None

    return Board(
        records=tuple(current),
        standings=tuple(_ranked(drafts, worth, primary)),
        keys=keys,
        primary=primary,
        sorts_warm=sorts_warm,
        n_superseded=n_superseded,
    )


def _place(record: Record) -> tuple[str, str, int, int, str]:
    return record.label, canonical(_parameters(record)), record.fold, record.seed, record.trial_id


def _parameters(record: Record) -> Mapping[str, Any]:
    found: Mapping[str, Any] = record.identity.get("algorithm", {}).get("parameters", {})
    return found


def _code(record: Record) -> str:
    """What tells one state of an algorithm's code from another, components included."""
    algorithm = {key: value for key, value in record.identity.get("algorithm", {}).items() if key != "parameters"}
    return canonical([algorithm, record.identity.get("components", {})])


def _current(records: Sequence[Record]) -> tuple[list[Record], int]:
    """Of each row the records of its newest code alone: an author who edits and runs again sees no old result."""
    newest: dict[tuple[str, str], tuple[str, str]] = {}
    for record in records:
        row = record.label, canonical(_parameters(record))
        state = str(record.provenance.get("recorded", "")), _code(record)
        newest[row] = max(newest.get(row, state), state)
    kept = [r for r in records if newest[r.label, canonical(_parameters(r))][1] == _code(r)]
    return kept, len(records) - len(kept)


def _check_same(records: Sequence[Record]) -> None:
    if not records:
        raise BadRecord("there are no records", fix="run `recbench run` first")
    for what, values in (
        ("protocols", {str(record.protocol["fingerprint"]) for record in records}),
        ("metric versions", {str(record.metrics_version) for record in records}),
    ):
        if len(values) > 1:
            shown = ", ".join(sorted(value[:12] for value in values))
            raise BadRecord(f"the records are of several {what}: {shown}", fix="run `recbench rescore`, or part them")


def _keys(records: Sequence[Record]) -> tuple[str, ...]:
    """All keys, in the order of the protocol's metrics, then of cut-offs."""
    metrics = records[0].protocol.get("deciding", {}).get("evaluation", {}).get("metrics", [])
    found = {key for record in records for key in record.scores}

    def place(key: str) -> tuple[int, int, str]:
        name, _, rest = key.partition("@")
        cutoff = rest.partition("~")[0]
        return metrics.index(name) if name in metrics else len(metrics), int(cutoff or 0), key

    return tuple(sorted(found, key=place))


def _primary(protocol: Mapping[str, Any], keys: Sequence[str]) -> str:
    """The primary metric as it stands in the scores: over sampled candidates its key carries a mark."""
    wanted = str(protocol["deciding"]["evaluation"]["primary"])
    return next((key for key in keys if key.partition("~")[0] == wanted), wanted)


def _rows(records: Sequence[Record]) -> dict[str, list[Record]]:
    """Trials by row. Where one label has several sets of parameters, its name shows what differs."""
    groups: dict[str, dict[str, list[Record]]] = defaultdict(lambda: defaultdict(list))
    for record in records:
        groups[record.label][canonical(_parameters(record))].append(record)
    rows: dict[str, list[Record]] = {}
    for label, sets in groups.items():
        for trials in sets.values():
            others = [_parameters(other[0]) for other in sets.values()]
            rows[label + _difference(_parameters(trials[0]), others)] = trials
    return rows


def _difference(mine: Mapping[str, Any], all_sets: Sequence[Mapping[str, Any]]) -> str:
    missing = object()
    names = sorted({name for each in all_sets for name in each})
    differing = [n for n in names if any(each.get(n, missing) != mine.get(n, missing) for each in all_sets)]
    shown = ", ".join(f"{name}={canonical(mine[name])}" if name in mine else f"{name} default" for name in differing)
    return f" ({shown})" if shown else ""


def _standing(name: str, trials: Sequence[Record], *, n_folds: int) -> Standing:
    why = _why_incomplete(trials, n_folds)
    complete = () if why else trials
    return Standing(
        name=name,
        records=tuple(trials),
        rank=None,
        why_unranked=why,
        scores=_figures([record.scores for record in complete]),
        scores_warm=_figures([record.scores_warm or {} for record in complete]),
        costs=_figures([_costs(record.measured) for record in trials if record.status is Status.OK]),
    )


def _why_incomplete(trials: Sequence[Record], n_folds: int) -> str | None:
    bad = [record for record in trials if record.status is not Status.OK]
    if bad:
        many = f"{len(bad)} of {len(trials)} trials " if len(trials) > 1 else ""
        return f"{many}{bad[0].status.value}: {(bad[0].reason or '').strip()}"
    folds = {record.fold for record in trials}
    return f"{len(folds)} of {n_folds} folds so far" if len(folds) < n_folds else None


def _figures(values: Sequence[Mapping[str, float]]) -> Mapping[str, Figure]:
    """Means over trials, of what every trial has."""
    if not values:
        return {}
    shared = [key for key in values[0] if all(key in each for each in values)]
    return {key: Figure.over([each[key] for each in values]) for key in shared}


def _costs(costs: Costs) -> Mapping[str, float]:
    values = {each.name: getattr(costs, each.name) for each in fields(costs)}
    return {name: value for name, value in values.items() if value is not None}


def _ranked(drafts: Sequence[Standing], worth: Callable[[Standing], float | None], primary: str) -> Iterable[Standing]:
    able = sorted((draft for draft in drafts if worth(draft) is not None), key=lambda each: (worth(each), each.name))
    values = [worth(draft) for draft in able]
    for draft, value in zip(able, values, strict=True):
        yield _with(draft, rank=1 + values.index(value))
    for draft in sorted((each for each in drafts if worth(each) is None), key=lambda each: each.name):
        yield _with(draft, why=draft.why_unranked or f"no {primary}")


def _with(draft: Standing, *, rank: int | None = None, why: str | None = None) -> Standing:
    from dataclasses import replace

    return replace(draft, rank=rank, why_unranked=why)

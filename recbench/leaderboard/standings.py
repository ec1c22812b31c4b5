"""From records to standings: which rows a board has, what each is worth, and in which order they stand. Pure."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

from recbench.errors import BadRecord
from recbench.protocols.spec import canonical
from recbench.records import Analysis, Costs, Grouped, Grouping, Record, RowAnalysis, Status, digest, to_json


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A mean over trials, and the standard deviation between them where there are several (n - 1)."""

    mean: float
    spread: float | None
    n: int

    @classmethod
    def over(cls, values: Sequence[float]) -> Figure:
        """Of at least one value."""
        n = len(values)
        mean = math.fsum(values) / n
        spread = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (n - 1)) if n > 1 else None
        return cls(mean=mean, spread=spread, n=n)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Why a row has no rank: in short, "failed in 1 of 5 trials", and in the words of the trial."""

    what: str
    reason: str = ""

    def __str__(self) -> str:
        return f"{self.what}: {self.reason}" if self.reason else self.what


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A row of the board.

    Attributes:
        name: the label, with the parameters that tell it from rows of the same label.
        records: its trials, by fold and seed.
        rank: 1 is best; equal figures share a rank. None where it cannot be compared.
        trouble: why not; None where it has a rank.
        scores: by key, over all trials; empty where a trial is missing or not ok.
        scores_warm: the same over users with a history.
        costs: by name, as in `Costs`, over the trials that were ok.
        intervals: by key the 95 % interval over users, (low, high), of the scores that sort (`scores_warm` where the
            board sorts by those); only of metrics that are means over users or pairs. Empty where none are on record.
        letters: shared by rows that the corrected test cannot tell apart under the primary metric; "" where unknown.
        ranks: the best and the worst rank the row may have by that test; None where unknown.
        distribution: users by their value of the primary metric, as `RowAnalysis` has it.
        grouped: by key, for each of the board's groupings.
    """

    name: str
    records: tuple[Record, ...]
    rank: int | None = None
    trouble: Trouble | None = None
    scores: Mapping[str, Figure]
    scores_warm: Mapping[str, Figure]
    costs: Mapping[str, Figure]
    intervals: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    letters: str = ""
    ranks: tuple[int, int] | None = None
    distribution: tuple[int, ...] = ()
    grouped: Mapping[str, tuple[Grouped, ...]] = field(default_factory=dict)

    @property
    def first(self) -> Record:
        """The record that stands for what all trials share."""
        return self.records[0]

    @property
    def failures(self) -> tuple[Record, ...]:
        """The trials that were not ok."""
        return tuple(record for record in self.records if record.status is not Status.OK)


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """All that a rendering needs.

    Attributes:
        records: those that are shown, by row, fold and seed.
        protocol: what the newest of them says of the protocol.
        standings: ranked rows in their order, then those that cannot be compared, by name.
        keys: the scores' keys in the protocol's order.
        primary: the key that sorts.
        sorts_warm: whether scores of users with a history sort.
        n_superseded: records of code that its author has changed since, which are not shown.
        groupings: the groups of users and items that the rows' `grouped` go by.
    """

    records: tuple[Record, ...]
    protocol: Mapping[str, Any]
    standings: tuple[Standing, ...]
    keys: tuple[str, ...]
    primary: str
    sorts_warm: bool
    n_superseded: int
    groupings: tuple[Grouping, ...] = ()

    @property
    def ranked(self) -> tuple[Standing, ...]:
        """The rows with a rank."""
        return tuple(each for each in self.standings if each.rank is not None)

    @property
    def evaluation(self) -> Mapping[str, Any]:
        """What counts as right, and what is measured."""
        found: Mapping[str, Any] = self.protocol["deciding"]["evaluation"]
        return found

    @property
    def splits(self) -> tuple[Mapping[str, Any], ...]:
        """What is known of each split, fold by fold."""
        return tuple({r.fold: r.split for r in sorted(self.records, key=lambda r: r.fold)}.values())

    def best_of(self, key: str) -> str:
        """Whether "high" or "low" values of a score are better, or "none"."""
        return str(metric_of(self.protocol, key).get("best", "none"))


def metric_of(protocol: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """What the protocol's record says of a score's metric."""
    found: Mapping[str, Any] = protocol.get("metrics", {}).get(key.partition("@")[0], {})
    return found


def parameters_of(record: Record) -> Mapping[str, Any]:
    """The parameters that a trial ran with, beside the algorithm's own defaults."""
    found: Mapping[str, Any] = record.identity.get("algorithm", {}).get("parameters", {})
    return found


def _variant(record: Record) -> str:
    """What tells rows of one label apart: parameters, and whether it was made elsewhere."""
    return canonical(parameters_of(record)) + record.is_external * " external"


def recorded(record: Record) -> str:
    """When, in ISO 8601; empty where unknown."""
    return str(record.provenance.get("recorded", ""))


def board(records: Iterable[Record], analysis: Analysis | None = None) -> Board:
    """Put the records of one protocol in order, in whatever order they come.

    Args:
        analysis: what the statistics say of them. What was made from other records than a row has is left out;
            letters and ranks hold among all rows, and are left out together where one row is another.

    Raises:
        BadRecord: they are of several protocols or metric versions, or there are none.
    """
    distinct = _distinct(records)
    variants = {record.trial_id: _variant(record) for record in distinct}
    current, n_superseded = _current(sorted(distinct, key=lambda record: _place(record, variants)), variants)
    _check_same(current)
    protocol = max(current, key=lambda record: (recorded(record), record.trial_id)).protocol
    keys = _keys(current, protocol)
    primary = _primary(protocol, keys)
    sorts_warm = any(record.scores_warm for record in current)
    n_folds = len({record.fold for record in current})
    drafts = [_standing(name, trials, n_folds=n_folds) for name, trials in _rows(current, variants).items()]
    sign = 1 if metric_of(protocol, primary).get("best", "high") == "low" else -1

    def worth(standing: Standing) -> float | None:
        figures = standing.scores_warm if sorts_warm else standing.scores
        return sign * figures[primary].mean if primary in figures else None

    if analysis is not None:
        drafts = _analysed(drafts, analysis, worth)
    return Board(
        records=tuple(current),
        protocol=protocol,
        standings=tuple(_ranked(drafts, worth, _why_without(primary))),
        keys=keys,
        primary=primary,
        sorts_warm=sorts_warm,
        n_superseded=n_superseded,
        groupings=() if analysis is None else analysis.groupings,
    )


def _analysed(
    drafts: Sequence[Standing], analysis: Analysis, worth: Callable[[Standing], float | None]
) -> list[Standing]:
    known = {each.records: each for each in analysis.rows}
    of_draft = {draft.name: digest(draft.records) for draft in drafts}
    tested = {each.records for each in analysis.rows if each.letters}
    is_whole = tested == {of_draft[draft.name] for draft in drafts if worth(draft) is not None}
    return [
        draft if (found := known.get(of_draft[draft.name])) is None else _with(draft, found, is_whole=is_whole)
        for draft in drafts
    ]


def _with(draft: Standing, found: RowAnalysis, *, is_whole: bool) -> Standing:
    return replace(
        draft,
        intervals=found.intervals,
        letters=found.letters if is_whole else "",
        ranks=found.ranks if is_whole else None,
        distribution=found.distribution,
        grouped=found.grouped,
    )


def _distinct(records: Iterable[Record]) -> list[Record]:
    """Each trial once: a protocol that got another name may have left its record under both."""
    newest: dict[str, Record] = {}
    for record in records:
        other = newest.setdefault(record.trial_id, record)
        if other is not record:
            newest[record.trial_id] = max(other, record, key=lambda each: (recorded(each), to_json(each)))
    return list(newest.values())


def _place(record: Record, variants: Mapping[str, str]) -> tuple[str, str, int, int, str]:
    return record.label, variants[record.trial_id], record.fold, record.seed, record.trial_id


def _code(record: Record) -> str:
    """What tells one state of an algorithm's code, and the way its lists were made, from another."""
    algorithm = {**record.identity.get("algorithm", {}), "parameters": None}
    return canonical({**record.identity, "algorithm": algorithm, "split": None, "seed": None})


def _current(records: Sequence[Record], variants: Mapping[str, str]) -> tuple[list[Record], int]:
    """Of each row the records of its newest code alone: an author who edits and runs again sees no old result.

    Args:
        variants: by trial id, as `_variant` says them.
    """
    newest: dict[tuple[str, str, int | None], tuple[str, str]] = {}
    states = []
    for record in records:
        # What was made elsewhere is told by its lists, which differ from fold to fold.
        row = (record.label, variants[record.trial_id], record.fold if record.is_external else None)
        state = (recorded(record), _code(record))
        newest[row] = max(newest.get(row, state), state)
        states.append((row, state[1]))
    kept = [record for record, (row, code) in zip(records, states, strict=True) if newest[row][1] == code]
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


def _keys(records: Sequence[Record], protocol: Mapping[str, Any]) -> tuple[str, ...]:
    """All keys, in the order of the protocol's metrics, then of cut-offs."""
    metrics = protocol["deciding"]["evaluation"]["metrics"]
    found = {key for record in records for key in (*record.scores, *(record.scores_warm or {}))}

    def place(key: str) -> tuple[int, int, str]:
        name, _, rest = key.partition("@")
        cutoff = re.match(r"[0-9]{1,9}", rest)
        return metrics.index(name) if name in metrics else len(metrics), int(cutoff[0]) if cutoff else 0, key

    return tuple(sorted(found, key=place))


def _primary(protocol: Mapping[str, Any], keys: Sequence[str]) -> str:
    """The primary metric as it stands in the scores: over sampled candidates its key carries a mark."""
    wanted = str(protocol["deciding"]["evaluation"]["primary"])
    return next((key for key in keys if key.partition("~")[0] == wanted), wanted)


def _rows(records: Sequence[Record], variants: Mapping[str, str]) -> dict[str, list[Record]]:
    """Trials by row. Where one label has several sets of parameters, its name shows what differs."""
    groups: dict[str, dict[str, list[Record]]] = defaultdict(lambda: defaultdict(list))
    for record in records:
        groups[record.label][variants[record.trial_id]].append(record)
    rows: dict[str, list[Record]] = {}
    for label, sets in groups.items():
        others = [parameters_of(other[0]) for other in sets.values()]
        for trials in sets.values():
            rows[_free(label + _difference(parameters_of(trials[0]), others), rows)] = trials
    return rows


def _free(name: str, taken: Iterable[str]) -> str:
    """`name`, made longer where another row's label reads just so."""
    while name in taken:
        name += "'"
    return name


def _difference(mine: Mapping[str, Any], all_sets: Sequence[Mapping[str, Any]]) -> str:
    missing = object()
    names = sorted({name for each in all_sets for name in each})
    differing = [n for n in names if any(each.get(n, missing) != mine.get(n, missing) for each in all_sets)]
    shown = ", ".join(f"{name}={canonical(mine[name])}" if name in mine else f"{name} default" for name in differing)
    return f" ({shown})" if shown else ""


def _standing(name: str, trials: Sequence[Record], *, n_folds: int) -> Standing:
    trouble = _trouble(trials, n_folds)
    complete = () if trouble else trials
    return Standing(
        name=name,
        records=tuple(trials),
        trouble=trouble,
        scores=_figures([record.scores for record in complete]),
        scores_warm=_figures([record.scores_warm or {} for record in complete]),
        costs=_figures([_costs(record.measured) for record in trials if record.status is Status.OK]),
    )


def _trouble(trials: Sequence[Record], n_folds: int) -> Trouble | None:
    bad = [record for record in trials if record.status is not Status.OK]
    if bad:
        many = f" in {len(bad)} of {len(trials)} trials" if len(trials) > 1 else ""
        return Trouble(what=bad[0].status.value + many, reason=(bad[0].reason or "").strip())
    n_done = len({record.fold for record in trials})
    return Trouble(what=f"{n_done} of {n_folds} folds so far") if n_done < n_folds else None


def _why_without(primary: str) -> Trouble:
    return Trouble(what="not ranked", reason=f"no {primary}" + ("" if "@" in primary else ", it predicts no ratings"))


def _figures(values: Sequence[Mapping[str, float]]) -> Mapping[str, Figure]:
    """Means over trials, of what every trial has."""
    if not values:
        return {}
    shared = [key for key in values[0] if all(key in each for each in values)]
    return {key: Figure.over([each[key] for each in values]) for key in shared}


def _costs(costs: Costs) -> Mapping[str, float]:
    values = {each.name: getattr(costs, each.name) for each in fields(costs)}
    return {name: value for name, value in values.items() if value is not None}


def _ranked(
    drafts: Sequence[Standing], worth: Callable[[Standing], float | None], without: Trouble
) -> Iterator[Standing]:
    able = [(value, draft.name, draft) for draft in drafts if (value := worth(draft)) is not None]
    able.sort(key=lambda each: each[:2])
    rank = 0
    for place, (value, _, draft) in enumerate(able):
        rank = rank if place and able[place - 1][0] == value else place + 1
        yield replace(draft, rank=rank)
    for draft in sorted((each for each in drafts if worth(each) is None), key=lambda each: each.name):
        yield replace(draft, trouble=draft.trouble or without)

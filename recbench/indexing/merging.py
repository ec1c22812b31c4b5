"""The rows of several publications in one table a protocol, and how those agree that are of the same trials. Pure."""

from __future__ import annotations

import enum
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from recbench.indexing.publications import Checked, Kept, Published
from recbench.leaderboard.standings import Board, Standing, Trouble, board, metric_of
from recbench.protocols.spec import canonical
from recbench.records import Record, to_json
from recbench.reproducing import ELSEWHERE


class Agreement(enum.IntEnum):
    """How the same trials of two publications agree, from best to worst."""

    COPY = 0
    EXACT = 1
    WITHIN = 2
    BEYOND = 3
    OTHER_ENDING = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeat:
    """The same trials in another publication.

    Attributes:
        number: of the other publication.
        n_trials: how many trials both have.
        score: the one that differs most; empty where none does.
        difference: of that score.
        is_of_another: whether both publishers are named, and are not the same.
    """

    number: int
    agreement: Agreement
    n_trials: int
    score: str = ""
    difference: float = 0.0
    is_of_another: bool


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Row:
    """A row of a publication's board.

    Attributes:
        number: of its publication, from 1.
        records: of its trials.
    """

    number: int
    standing: Standing
    records: tuple[Kept, ...]
    repeats: tuple[Repeat, ...] = ()

    @property
    def fault(self) -> str:
        """The first thing of its records that does not hold; empty where all do."""
        return next((f"{each.name}: {each.fault}" for each in self.records if each.fault), "")

    @property
    def checked(self) -> Checked:
        """How far its records were checked: as far as the least of them."""
        found = {each.checked for each in self.records}
        return next(each for each in (Checked.NO_DATA, Checked.ANEW, Checked.ENDED_IN_A_FAULT) if each in found)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Table:
    """All rows of one protocol.

    Attributes:
        board: of all of them, ranked together.
        rows: in the order of the board's standings.
    """

    board: Board
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """What does not stand in a table.

    Attributes:
        number: of its publication; 0: of what could not be read as one.
        what: a row by its label, a file, or a folder.
        reason: why not.
    """

    number: int
    what: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Index:
    """What all publications come to."""

    publications: tuple[Published, ...]
    tables: tuple[Table, ...]
    left_out: tuple[LeftOut, ...]


def merge(publications: Sequence[Published], unread: Sequence[LeftOut] = ()) -> Index:
    """Put the rows of all publications together. Those with a record that does not hold are left out and named.

    Args:
        publications: in the order of their numbers.
        unread: what could not be read as a publication.
    """
    groups: dict[str, list[tuple[Board, list[Row]]]] = defaultdict(list)
    left_out = [*unread]
    for number, publication in enumerate(publications, 1):
        for key, kept in _by_protocol(publication.records).items():
            found = board(each.record for each in kept)
            rows = list(_rows(number, found, kept))
            groups[f"{key} {found.sorts_warm}"].append((found, [row for row in rows if not row.fault]))
            left_out += [LeftOut(number=number, what=row.standing.name, reason=row.fault) for row in rows if row.fault]
            left_out += _not_shown(number, rows, kept)
        left_out += [LeftOut(number=number, what=each.where, reason=each.what) for each in publication.findings]
    authors = {number: each.by for number, each in enumerate(publications, 1)}
    tables = [_table(group, authors) for _, group in sorted(groups.items()) if any(rows for _, rows in group)]
    tables.sort(key=lambda each: str(each.board.protocol["name"]))
    return Index(publications=tuple(publications), tables=tuple(tables), left_out=tuple(left_out))


def _by_protocol(records: Sequence[Kept]) -> Mapping[str, list[Kept]]:
    """Scores compare where all is the same that decides them.

    What the fingerprint covers is compared, too: without the data a record may state any fingerprint, and its author
    could turn round the order of somebody else's rows.
    """
    found: dict[str, list[Kept]] = defaultdict(list)
    for each in records:
        stated = {key: each.record.protocol[key] for key in ("fingerprint", "deciding", "metrics")}
        found[canonical([stated["fingerprint"], stated, each.record.metrics_version])].append(each)
    return found


def _rows(number: int, found: Board, kept: Sequence[Kept]) -> Iterator[Row]:
    files = {id(each.record): each for each in kept}
    for standing in found.standings:
        records = tuple(files[id(each)] for each in standing.records)
        yield Row(number=number, standing=standing, records=records)


def _not_shown(number: int, rows: Sequence[Row], kept: Sequence[Kept]) -> Iterator[LeftOut]:
    """The records that no row has: of code that was changed since, or there twice."""
    shown = {each.name for row in rows for each in row.records}
    for each in kept:
        if each.name not in shown:
            yield LeftOut(number=number, what=each.name, reason=each.fault or "a newer record takes its place")


def _table(group: Sequence[tuple[Board, Sequence[Row]]], authors: Mapping[int, str]) -> Table:
    """Rank the rows together, and compare those of the same trials."""
    boards, rows = [found for found, _ in group], [row for _, its in group for row in its]
    merged = replace(
        boards[0],
        records=tuple(each.record for row in rows for each in row.records),
        keys=tuple(dict.fromkeys(key for each in boards for key in each.keys)),
        n_superseded=0,
    )
    n_folds = _n_folds_of(merged.protocol["deciding"])
    able, others = [], []
    for row in rows:
        worth = _worth(merged, row.standing) if _n_folds(row) == n_folds else None
        if worth is None:
            others.append(replace(row, standing=_unranked(row, n_folds)))
        else:
            able.append((worth, row.standing.name, row.number, row))
    able.sort(key=lambda each: each[:3])
    others.sort(key=lambda each: (each.standing.name, each.number))
    ranked = [replace(row, standing=replace(row.standing, rank=rank)) for rank, row in _with_ranks(able)]
    found = [replace(row, repeats=tuple(_repeats(row, rows, authors))) for row in (*ranked, *others)]
    return Table(board=replace(merged, standings=tuple(row.standing for row in found)), rows=tuple(found))


def _worth(merged: Board, standing: Standing) -> float | None:
    """What sorts, less is better; None where the row has no rank among its own, or not that score."""
    figures = standing.scores_warm if merged.sorts_warm else standing.scores
    if standing.rank is None or merged.primary not in figures:
        return None
    mean = figures[merged.primary].mean
    return mean if metric_of(merged.protocol, merged.primary).get("best", "high") == "low" else -mean


def _n_folds_of(deciding: Mapping[str, Any]) -> int:
    """How many folds a protocol has: nobody ranks with the best of them alone."""
    split, folds = deciding["split"], deciding["data"].get("folds")
    match split["kind"]:
        case "provided":
            return len(folds) if isinstance(folds, list) else 1
        case "k-fold":
            return int(split.get("folds", 1) * split.get("repeats", 1))
        case "holdout" | "cold-user" | "cold-item":
            return int(split.get("repeats", 1))
    return 1


def _n_folds(row: Row) -> int:
    return len({each.record.fold for each in row.records})


def _unranked(row: Row, n_folds: int) -> Standing:
    fewer = Trouble(what=f"{_n_folds(row)} of {n_folds} folds")
    trouble = row.standing.trouble or (fewer if _n_folds(row) < n_folds else Trouble(what="not ranked"))
    return replace(row.standing, rank=None, trouble=trouble)


def _with_ranks(able: Sequence[tuple[float, str, int, Row]]) -> Iterator[tuple[int, Row]]:
    """Equal figures share a rank."""
    rank = 0
    for place, (worth, _, _, row) in enumerate(able):
        rank = rank if place and able[place - 1][0] == worth else place + 1
        yield rank, row


def _repeats(row: Row, rows: Sequence[Row], authors: Mapping[int, str]) -> Iterator[Repeat]:
    """Where else trials of this row stand. What was made elsewhere has no trial that could be run again."""
    if row.standing.first.is_external:
        return
    mine = {each.record.trial_id: each.record for each in row.records}
    theirs: dict[int, list[Record]] = defaultdict(list)
    for other in rows:
        if other.number != row.number:
            theirs[other.number] += [each.record for each in other.records if each.record.trial_id in mine]
    for number, records in sorted(theirs.items()):
        if records:
            compared = [_compare(mine[each.trial_id], each) for each in records]
            agreement, difference, score = max(compared)
            one, other_one = authors[row.number], authors[number]
            yield Repeat(
                number=number,
                agreement=agreement,
                n_trials=len(records),
                score=score,
                difference=difference,
                is_of_another=bool(one and other_one and one != other_one),
            )


def _compare(one: Record, other: Record) -> tuple[Agreement, float, str]:
    """How a trial's two records agree, the largest difference of scores, and in which one."""
    if to_json(one) == to_json(other):
        return Agreement.COPY, 0.0, ""
    if one.status is not other.status:
        return Agreement.OTHER_ENDING, 0.0, ""
    worst = max(_differences(one, other), default=(0.0, 0.0, ""))
    if not worst[0]:
        return Agreement.EXACT, 0.0, ""
    return (Agreement.WITHIN if worst[0] <= ELSEWHERE else Agreement.BEYOND), worst[1], worst[2]


def _differences(one: Record, other: Record) -> Iterator[tuple[float, float, str]]:
    """For each score the difference, relative above 1 as `reproduce` has it, then the bare one, then which."""
    for there, here in ((one.scores, other.scores), (one.scores_warm or {}, other.scores_warm or {})):
        for key in sorted(there.keys() & here.keys()):
            difference = abs(there[key] - here[key])
            yield difference / max(1.0, abs(there[key]), abs(here[key])), difference, key

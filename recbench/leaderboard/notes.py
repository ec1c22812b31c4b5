"""What a reader must know before believing a board: of its splits, of its trials, of single rows. Pure, Markdown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby

from recbench.leaderboard import certainty
from recbench.leaderboard.columns import COSTS, Column, best_of, costs_compare, primary
from recbench.leaderboard.facts import fold_counts, leak
from recbench.leaderboard.pareto import Best, pareto_front
from recbench.leaderboard.standings import Board, Standing
from recbench.leaderboard.wording import code, count, escape, spans
from recbench.records import Costs, Record, Status

REASON_LENGTH = 400
A_SECOND, LITTLE = 1.0, 0.75
LEAKS = {
    "yes": "Some training interactions are later than test interactions, so these figures say how well gaps are "
    "filled, not how well the future is foreseen.",
    "no": "Every training interaction is earlier than every test interaction.",
    "unknown": "The data has no times.",
}


def warnings(board: Board) -> list[str]:
    """All of them, a line each."""
    return [*_of_splits(board), *_of_runs(board), *_of_rows(board)]


def trade_offs(board: Board) -> list[str]:
    """For each cost the rows of the Pareto front, the cheapest first; nothing where costs do not compare."""
    column = primary(board)
    best = best_of(board, column)
    if best == "none" or not costs_compare(board):
        return []
    measured = [each for each in board.ranked if not each.first.is_external]
    return [
        f"{escape(column.title)} against {escape(price.title)}: {front}."
        for price in COSTS
        if (front := _front(measured, column, price, "low" if best == "low" else "high"))
    ]


def _front(rows: Sequence[Standing], quality: Column, price: Column, best: Best) -> str:
    able = [(each, q.mean, p.mean) for each in rows if (q := quality.figure(each)) and (p := price.figure(each))]
    is_front = pareto_front([(q, p) for _, q, p in able], (best, "low"))
    front = [each for each, is_on in zip(able, is_front, strict=True) if is_on]
    return ", ".join(escape(each.name) for each, _, _ in sorted(front, key=lambda one: one[2]))


def failures(board: Board) -> list[str]:
    """The trials that were not ok, with their reasons in full; those of a row that ended alike in one line."""
    return [
        _failure(standing, status, reason, list(group))
        for standing in board.standings
        for (status, reason), group in groupby(sorted(standing.failures, key=_end), key=_end)
    ]


def _end(record: Record) -> tuple[Status, str]:
    return record.status, record.reason or ""


def _failure(standing: Standing, status: Status, reason: str, alike: list[Record]) -> str:
    many = f" in {len(alike)} of {len(standing.records)} trials" if len(standing.records) > 1 else ""
    which = f"record {code(alike[0].trial_id)}" + (", for one" if len(alike) > 1 else "")
    return f"{escape(standing.name)}: **{status.value}**{many}. {escape(reason, REASON_LENGTH)} ({which})"


def _of_splits(board: Board) -> Iterator[str]:
    yield f"**Leak of the future: {leak(board)}.** {LEAKS[leak(board)]}"
    if not board.protocol.get("is_pinned"):
        yield "**Fingerprint not pinned.** The protocol does not say which bytes its splits must have."
    if unverified := board.records[0].data.get("unverified"):
        yield f"**Data not verified.** No checksum is known of {escape(', '.join(map(str, unverified)))}."
    if board.evaluation["candidates"] != "all":
        yield "**Not the whole catalogue is ranked**, which flatters some algorithms more than others."
    if skipped := _of_folds(board, "users_skipped"):
        yield f"{skipped} users in test have nothing relevant there, and are skipped."
    if left_out := _of_folds(board, "users_left_out"):
        yield f"{left_out} users with something relevant have no history, and are left out."
    if cold := _of_folds(board, "cold_items_in_test"):
        yield f"{cold} items occur in test only; where they are relevant they stay in the denominators."


def _of_folds(board: Board, name: str) -> str:
    found = [counts.get(name, 0) for counts in fold_counts(board)]
    return spans(found) if any(found) else ""


def _of_runs(board: Board) -> Iterator[str]:
    known = [record.provenance for record in board.records if not record.is_external]
    if any("cluster" in each for each in known):
        yield "**Costs do not compare.** Some trials ran on the machines of a cluster."
    elif any(each.get("jobs", 1) > 1 for each in known):
        yield "**Costs do not compare.** Some trials ran side by side."
    if any(each.get("memory_limited") is False for each in known):
        yield (
            "**Weaker limits.** Some trials ran where the system does not limit memory, and where what a trial leaves "
            "behind is not sure to end with it; memory was only looked at from time to time."
        )
    sandboxed = [bool(each.get("sandboxed")) for each in known]
    if sandboxed and not any(sandboxed):
        yield "Trials ran without a sandbox: test data was never handed to them, but they could read the user's files."
    elif not all(sandboxed):
        yield f"{sandboxed.count(False)} of {len(sandboxed)} trials ran without a sandbox."
    yield from _of_sureness(board)
    if board.n_superseded:
        yield f"{count(board.n_superseded)} records of older code are in the store, and not shown."


def _of_sureness(board: Board) -> Iterator[str]:
    if any(each.rank is not None and not each.intervals for each in board.standings):
        name = escape(board.protocol["name"])
        yield f"**Not analysed.** Some rows have no intervals; `recbench rescore` with the protocol {name} makes them."
    if unranked := certainty.ranks_nobody(board):
        yield f"**This table does not rank these.** The intervals of all rows overlap in {escape(', '.join(unranked))}."


def _of_rows(board: Board) -> Iterator[str]:
    yield from _rows(board, "Predictions that are the training mean, for want of the algorithm's own", _fallbacks)
    yield from _rows(board, "Evaluated users with a short list or none", _short_lists)
    marks = {mark for record in board.records for mark in record.marks}
    for mark in sorted(marks):
        yield from _rows(board, mark[:1].upper() + mark[1:], _marked(mark))
    yield from _rows(board, "Parameters set by hand", _set_by_hand)
    title = "Seconds lengthened by other work on the machine (share of them with a processor)"
    yield from _rows(board, title, _waited)


def _rows(board: Board, title: str, says: Callable[[Standing], str | None]) -> Iterable[str]:
    found = [(each.name, said) for each in board.standings if (said := says(each)) is not None]
    shown = ", ".join(f"{escape(name)} {said}".rstrip() for name, said in found)
    return [f"{escape(title)}: {shown}."] if found else []


def _fallbacks(standing: Standing) -> str | None:
    n, pairs = (_total(standing, name) for name in ("fallbacks", "pairs"))
    return f"({count(n)} of {count(pairs)})" if n else None


def _short_lists(standing: Standing) -> str | None:
    n = _total(standing, "users_short_list") + _total(standing, "users_without_list")
    return f"({count(n)})" if n else None


def _total(standing: Standing, name: str) -> int:
    return sum(record.counts.get(name, 0) for record in standing.records)


def _waited(standing: Standing) -> str | None:
    """The least share of its seconds in which a trial had a processor, where that is little."""
    shares = [share for record in standing.records if (share := _share_of_a_processor(record.measured)) is not None]
    least = min(shares, default=1.0)
    return f"({least:.0%})".replace("%", " %") if least < LITTLE else None


def _share_of_a_processor(costs: Costs) -> float | None:
    """Processor seconds by seconds of the clock; None where they are unknown, or too few to say."""
    parts = (costs.fit_seconds, costs.rank_seconds, costs.predict_seconds)
    seconds = sum(part or 0.0 for part in parts)
    return None if costs.cpu_seconds is None or seconds < A_SECOND else costs.cpu_seconds / seconds


def _marked(mark: str) -> Callable[[Standing], str | None]:
    return lambda standing: "" if any(mark in record.marks for record in standing.records) else None


def _set_by_hand(standing: Standing) -> str | None:
    return "" if standing.first.protocol.get("settings") else None

"""Boards for the page: one with everything on it, one without anything that may be missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from records_by_hand import of_external, protocol, record

from recbench import leaderboard
from recbench.leaderboard import Board
from recbench.records import Analysis, Grouped, Grouping, Record, RowAnalysis, Status, digest

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"' onclick=alert(3)"


def row(name: str, score: float, **more: Any) -> Record:
    """A row whose primary score is given; the others, and the costs, follow from it."""
    scores = {"ndcg@10": score, "ndcg@5": score / 2, "recall@10": score, "gini@10": 1 - score, "rmse": 1.5 - score}
    costs = {"fit_seconds": 100 * score**2, "latency_p50_ms": 1 + score, "peak_memory_mb": 400 - 100 * score}
    return record(name, **{"scores": scores, "measured": costs, **more})


def records() -> list[Record]:
    """Eight rows: ranked, baselines, of several seeds, failed, hostile, and made elsewhere."""
    reason = f"ValueError: {HOSTILE} " + "and so on " * 60
    return [
        row("popularity", 0.12, baseline=True),
        row("random", 0.003, baseline=True),
        row("ease", 0.167, parameters={"l2": 458.0}),
        row("item-cosine", 0.165),
        row("bpr", 0.11, deterministic=False, seed=0),
        row("bpr", 0.13, deterministic=False, seed=1),
        row(HOSTILE, 0.05, distribution="[evil](javascript:alert(4))", version="@everyone"),
        record("broken", status=Status.FAILED, reason=reason),
        of_external("elsewhere", scores={"ndcg@10": 0.1, "recall@10": 0.1}),
    ]


def analysed() -> Board:
    """The board of these records with all that the statistics say."""
    found = records()
    without = next(iter(leaderboard.standings(found).values()))
    rows = [each for each in without.standings if each.scores]
    known = [
        RowAnalysis(
            name=each.name,
            records=digest(each.records),
            intervals={"ndcg@10": (each.scores["ndcg@10"].mean * 0.9, each.scores["ndcg@10"].mean * 1.1)},
            letters="abcdefgh"[max(0, place - 1) : place + 1],
            ranks=(max(1, place), min(len(rows), place + 2)),
            distribution=(60, 10, 10, 5, 5, 4, 3, 2, 1, 0),
            grouped={"ndcg@10": (Grouped(means=(0.1, None, 0.2), gap=(-0.1, -0.2, 0.05)),)},
        )
        for place, each in enumerate(rows)
    ]
    groupings = (Grouping(kind="activity", of="users", groups=("few", HOSTILE, "many"), sizes=(10, 0, 5)),)
    fingerprint = str(found[0].protocol["fingerprint"])
    analysis = Analysis(protocol=fingerprint, metrics_version=1, n_users=100, rows=tuple(known), groupings=groupings)
    return next(iter(leaderboard.standings(found, {fingerprint: analysis}).values()))


def without_anything() -> Board:
    """A board on which no trial was ok."""
    found = [record(name, status=Status.TIMEOUT, reason="was not done after 600 s") for name in ("a", "b")]
    return next(iter(leaderboard.standings(found).values()))


def plain() -> Board:
    """Two rows and their scores, nothing more; a rating metric sorts, where low is good."""
    shared = protocol(name="plain", title="Plain", fingerprint="cd" * 32, primary="rmse")
    found = [record(name, scores={"rmse": rmse}, protocol=shared) for name, rmse in (("a", 0.9), ("b", 0.95))]
    return next(iter(leaderboard.standings(found).values()))


def in_time() -> Board:
    """A board that users with a history sort."""
    split = {"kind": "time", "test": 0.2, "validation": 0.1, "seed": 42}
    shared = protocol(name="time", title="In time", fingerprint="71" * 32, split=split)
    found = [
        row(name, warm / 2, scores_warm={"ndcg@10": warm}, protocol=shared, split={"leaks_future": False})
        for name, warm in (("ease", 0.06), ("recent-popularity", 0.09))
    ]
    return next(iter(leaderboard.standings(found).values()))


def all_boards() -> Mapping[str, Board]:
    """By file name, as `boards.read` gives them."""
    return {"everything.md": analysed(), "plain.md": plain(), "time.md": in_time()}


def names_of(board: Board) -> Sequence[str]:
    """The rows in their order."""
    return [each.name for each in board.standings]

"""What was run, in facts: data, splits, rules, machines. Pure. Texts are Markdown."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from recbench.leaderboard.splitting import sentence
from recbench.leaderboard.standings import Board, recorded
from recbench.leaderboard.wording import code, count, escape, percent, spans
from recbench.records import Record, Status

PACKAGES = ("numpy", "scipy", "pandas", "scikit-learn", "tensorflow", "tensorflow-cpu", "keras", "torch", "numba")

PLAIN_ADDRESS = re.compile(r"https?://[A-Za-z0-9.-]+(/[A-Za-z0-9._~/%-]*)?")

Fact = tuple[str, str]


def in_short(board: Board) -> Iterator[Fact]:
    """What a reader must know first."""
    yield "Data", size(board)
    yield "Test", escape(sentence(board.protocol["deciding"]["split"]).partition(";")[0])
    yield "Relevant", relevance(board)
    yield "Users evaluated", population(board)
    yield "Leak of the future", leak(board)
    yield "Recorded", escape(dates(board))


def data_facts(board: Board) -> Iterator[Fact]:
    """The data: what it is, how much, whose, and what reading it left out."""
    data = board.records[0].data
    yield "Data", _linked(data.get("title") or data.get("name") or "", data.get("homepage") or "")
    yield "Size", size(board)
    if core := board.protocol["deciding"]["data"].get("core"):
        where = "in train " if board.protocol["deciding"]["split"]["kind"] == "time" else ""
        yield (
            "Core",
            f"users and items with fewer than {escape(core)} interactions {where}left out, repeatedly",
        )
    left_out = {**(data.get("dropped") or {}), "duplicates merged": data.get("duplicates", 0)}
    yield "Left out while reading", escape(", ".join(f"{n:,} {why}" for why, n in sorted(left_out.items()) if n))
    yield "License", escape(data.get("license") or "")
    yield "Cite", escape(data.get("citation") or "")


def rules(board: Board) -> Iterator[Fact]:
    """The protocol: how it was split, what counts as relevant, what was ranked, who is evaluated."""
    protocol, evaluation = board.protocol, board.evaluation
    yield "Protocol", f"{escape(protocol['name'])}, fingerprint {code(protocol['fingerprint'][:16])}"
    yield "Test", escape(sentence(protocol["deciding"]["split"]))
    yield "Relevant", relevance(board)
    positive = evaluation.get("train_at_least")
    yield "Positive in training", "" if positive is None else f"ratings of {positive:g} and more"
    seen = "without what the user has in train" if evaluation.get("exclude_seen", True) else "what was seen included"
    yield "Ranked", f"{_candidates(evaluation['candidates'])}, {seen}"
    most = evaluation.get("users_at_most")
    yield "Ranked for", "" if most is None else f"{count(most)} users at most, drawn by the split's fingerprint"
    yield "Cut-offs", ", ".join(map(str, evaluation["cutoffs"]))
    yield "Users evaluated", population(board)
    limits = protocol["trials"]
    yield "Limits of a trial", f"{limits['seconds']:g} s, {limits['memory_mb']:g} MB"
    yield "Metric version", str(board.records[0].metrics_version)
    yield "Recorded", escape(dates(board))


def size(board: Board) -> str:
    """Interactions, users, items and density."""
    first = board.splits[0]
    total = sum(first.get(part, 0) for part in ("train", "test", "history"))
    filled = total / max(1, first["users"] * first["items"])
    return (
        f"{count(total)} interactions of {count(first['users'])} users and {count(first['items'])} items, "
        f"density {percent(filled)}"
    )


def relevance(board: Board) -> str:
    """Which test interactions are relevant."""
    least = board.evaluation.get("relevant_at_least")
    return "every interaction in test" if least is None else f"ratings of {least:g} and more in test"


def population(board: Board) -> str:
    """How many users the ranking metrics are averaged over, and which share of all that is."""
    found = [counts["users_evaluated"] for counts in fold_counts(board) if "users_evaluated" in counts]
    users = board.splits[0]["users"]
    if not found:
        return ""
    share = f", {percent(sum(found) / len(found) / users)} of all" if users else ""
    return f"{spans(found)}{' a fold' if len(found) > 1 else ''}{share}"


def fold_counts(board: Board) -> list[Mapping[str, int]]:
    """What was counted in each fold, which is the same for all algorithms where it is of users and items."""
    found: dict[int, Mapping[str, int]] = {}
    for record in sorted(board.records, key=lambda each: each.fold):
        if record.status is Status.OK:
            found.setdefault(record.fold, record.counts)
    return list(found.values())


def leak(board: Board) -> str:
    """Whether anything in train is later than something in test: "yes", "no" or "unknown"."""
    known = {split.get("leaks_future") for split in board.splits}
    return "yes" if True in known else "unknown" if None in known else "no"


def dates(board: Board) -> str:
    """The day the records were made, or the first and the last."""
    days = sorted({recorded(record)[:10] for record in board.records} - {""})
    return " to ".join(dict.fromkeys((days[0], days[-1]))) if days else ""


def splits(board: Board) -> str:
    """A table of the folds."""
    counts = {record.fold: record.counts for record in reversed(board.records) if record.status is Status.OK}
    rows = [
        "| fold | train | of it validation | test | users evaluated | fingerprint |",
        "| --: | --: | --: | --: | --: | :-- |",
    ]
    for split in board.splits:
        evaluated = counts.get(split["fold"], {}).get("users_evaluated")
        figures = [split["train"], split.get("validation", 0), split["test"], evaluated]
        shown = " | ".join("" if figure is None else count(figure) for figure in figures)
        rows.append(f"| {split['fold']} | {shown} | {code(split['fingerprint'][:16])} |")
    return "\n".join(rows)


def machines(board: Board) -> list[str]:
    """Where the trials ran, each machine and set of versions once."""
    found = {_machine(record) for record in board.records if not record.is_external}
    return sorted({escape(each) for each in found})


def _machine(record: Record) -> str:
    known = record.provenance
    packages = known.get("packages") or {}
    parts = [
        str(known.get("cpu", "unknown processor")),
        f"{known.get('cores', '?')} cores, {known.get('threads', '?')} for a trial",
        str(known.get("platform", "unknown platform")),
        f"Python {known.get('python', '?')}",
        f"recbench {known.get('recbench', '?')}",
        *(f"{name} {packages[name]}" for name in PACKAGES if name in packages),
    ]
    return ", ".join(parts)


def _linked(text: str, address: str) -> str:
    """The text, as a link where the address is a plain one."""
    return f"[{escape(text)}]({address})" if text and PLAIN_ADDRESS.fullmatch(address) else escape(text)


def _candidates(candidates: Any) -> str:
    if candidates == "all":
        return "all items"
    kind, _, number = str(candidates).partition(":")
    if kind == "uniform":
        return f"a user's test items and {escape(number)} others drawn at random"
    return f"the pairs of a file, {escape(json.dumps(candidates, sort_keys=True))}"

"""What a board says beside its figures: data, rules, warnings, machines, and the command that makes it again. Pure."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from recbench.leaderboard.standings import Board
from recbench.leaderboard.wording import count, escape
from recbench.records import Record, Status

PACKAGES = ("numpy", "scipy", "pandas", "scikit-learn", "tensorflow", "tensorflow-cpu", "keras", "torch", "numba")


def data_facts(board: Board) -> Iterator[tuple[str, str]]:
    """The data and the splits."""
    data, splits = board.records[0].data, _splits(board)
    first = splits[0]
    yield "Data", escape(data.get("title") or data.get("name", ""))
    yield (
        "Size",
        (
            f"{count(first.get('train', 0) + first.get('test', 0) + first.get('history', 0))} interactions of "
            f"{count(first.get('users'))} users and {count(first.get('items'))} items, "
            f"density of train {100 * first.get('density', 0):.3f} %"
        ),
    )
    if dropped := {reason: n for reason, n in (data.get("dropped") or {}).items() if n}:
        yield "Dropped while reading", escape(", ".join(f"{n:,} {reason}" for reason, n in sorted(dropped.items())))
    yield "License of the data", escape(data.get("license", ""))
    yield "Cite", escape(data.get("citation", ""))
    for split in splits:
        yield (
            f"Split{'' if len(splits) == 1 else ' ' + str(split['fold'])}",
            (
                f"{count(split.get('train'))} train (of them {count(split.get('validation'))} validation), "
                f"{count(split.get('test'))} test, fingerprint `{escape(split['fingerprint'][:16])}`"
            ),
        )


def rules(board: Board) -> Iterator[tuple[str, str]]:
    """The protocol: how it was split, what counts as relevant, who is evaluated."""
    protocol = board.protocol
    split, evaluation = protocol["deciding"]["split"], protocol["deciding"]["evaluation"]
    yield "Protocol", f"{escape(protocol['name'])}, fingerprint `{escape(protocol['fingerprint'][:16])}`"
    yield "How it is split", escape(", ".join(f"{key} {json.dumps(value)}" for key, value in split.items()))
    least = evaluation.get("relevant_at_least")
    yield "Relevant", "every interaction in test" if least is None else f"ratings of {least:g} and more in test"
    positive = evaluation.get("train_at_least")
    yield "Positive in training", "" if positive is None else f"ratings of {positive:g} and more"
    seen = "without what the user has in train" if evaluation.get("exclude_seen") else "what was seen included"
    all_items = "all items" if evaluation.get("candidates") == "all" else escape(_text(evaluation.get("candidates")))
    yield "Ranked", f"{all_items}, {seen}"
    yield "Cut-offs", ", ".join(map(str, evaluation.get("cutoffs", ())))
    yield "Users evaluated", _population(board)
    yield "Metric version", str(board.records[0].metrics_version)
    dates = sorted({str(record.provenance.get("recorded", ""))[:10] for record in board.records} - {""})
    yield "Recorded", escape(dates[0] if len(set(dates)) == 1 else f"{dates[0]} to {dates[-1]}") if dates else ""


def warnings(board: Board) -> list[str]:
    """What a reader must know before believing the table."""
    return [*_of_splits(board), *_of_trials(board)]


def machines(board: Board) -> list[str]:
    """Where the trials ran, each machine and set of versions once."""
    return sorted({_machine(record) for record in board.records})


def command(board: Board) -> str:
    """What makes the board again."""
    words = ["recbench", "run", "-p", str(board.protocol["name"])]
    for label in dict.fromkeys(record.label for record in board.records):
        words += ["-a", label]
    for record in {record.label: record for record in board.records}.values():
        for name, value in sorted((record.protocol.get("settings") or {}).items()):
            words += ["--set", f"{record.label}.{name}={json.dumps(value)}"]
    seeds = sorted({record.seed for record in board.records})
    if not set(seeds) <= set(board.protocol.get("trials", {}).get("seeds", seeds)):
        words += [word for seed in seeds for word in ("--seed", str(seed))]
    # A fence of backticks would end the block it is shown in.
    return " ".join(map(shlex.quote, words)).replace("`", "'\"\\140\"'").replace("\n", " ")


def _splits(board: Board) -> list[Mapping[str, Any]]:
    return list({record.fold: record.split for record in sorted(board.records, key=lambda r: r.fold)}.values())


def _population(board: Board) -> str:
    counts = next((record.counts for record in board.records if record.status is Status.OK), {})
    evaluated, in_test = counts.get("users_evaluated"), counts.get("users_in_test")
    if not evaluated or not in_test:
        return ""
    users = board.records[0].split.get("users") or 0
    share = f", {100 * evaluated / users:.1f} % of all" if users else ""
    skipped = counts.get("users_skipped", 0)
    return f"{evaluated:,}{share}; {skipped:,} users in test have nothing relevant there and are skipped"


def _of_splits(board: Board) -> Iterator[str]:
    leaks = {split.get("leaks_future") for split in _splits(board)}
    if True in leaks:
        yield (
            "**Leak of the future: yes.** Some training interactions are later than test interactions, "
            "so these figures say how well the past is filled in, not how well the future is foreseen."
        )
    elif None in leaks:
        yield "**Leak of the future: unknown.** The data has no times."
    else:
        yield "**Leak of the future: no.** Every training interaction is earlier than every test interaction."
    if not board.protocol.get("is_pinned"):
        yield "**Fingerprint not pinned.** The protocol does not say which bytes its splits must have."
    if cold := max((record.counts.get("cold_items_in_test", 0) for record in board.records), default=0):
        yield f"{cold:,} items occur in test only; those that are relevant stay in the denominators."
    if board.protocol["deciding"]["evaluation"].get("candidates") != "all":
        yield "**Not the whole catalogue is ranked**, which flatters some algorithms more than others."


def _of_trials(board: Board) -> Iterator[str]:
    if any(record.status is not Status.OK for record in board.records):
        yield "**Some trials were not ok**, and their rows are not ranked."
    if any(record.provenance.get("jobs", 1) > 1 for record in board.records):
        yield "**Some trials ran side by side**, so their costs do not compare."
    if any(record.provenance.get("memory_limited") is False for record in board.records):
        yield "The memory limit was only polled on this platform, not backed by the system."
    if not all(record.provenance.get("sandboxed") for record in board.records):
        yield "Trials ran without a sandbox: test data was never handed to them, but they could read the user's files."
    if any(record.deterministic for record in board.records) and len({r.seed for r in board.records}) > 1:
        yield "Deterministic algorithms ran with one seed."
    if board.n_superseded:
        yield f"{board.n_superseded:,} records of older code are in the store, and not shown."


def _machine(record: Record) -> str:
    known = record.provenance
    packages = known.get("packages") or {}
    versions = [f"{name} {packages[name]}" for name in PACKAGES if name in packages]
    parts = [
        str(known.get("cpu", "unknown processor")),
        f"{known.get('cores', '?')} cores, {known.get('threads', '?')} for a trial",
        str(known.get("platform", "unknown platform")),
        f"Python {known.get('python', '?')}",
        f"recbench {known.get('recbench', '?')}",
        *versions,
    ]
    return escape(", ".join(parts))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)

"""How a protocol splits, as a sentence for people. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from recbench.leaderboard.wording import percent, plain

Spec = Mapping[str, Any]


def sentence(split: Spec) -> str:
    """What is in test, and what was carved out of train for validation."""
    says = _KINDS.get(split["kind"], _unknown)
    validation = split.get("validation", 0)
    return says(split) + (f"; {percent(validation)} of train, by the same rule, for validation" if validation else "")


def _holdout(split: Spec) -> str:
    whose = "all interactions" if split.get("by") == "all" else "each user's interactions"
    return f"{percent(split.get('test', 0))} of {whose}, drawn at random{_seed(split)}"


def _k_fold(split: Spec) -> str:
    return f"all interactions in turn, in {split.get('folds')} folds drawn at random{_seed(split)}"


def _leave_last_out(_split: Spec) -> str:
    return "the last interaction of each user"


def _time(split: Spec) -> str:
    return f"the latest {percent(split.get('test', 0))} of all interactions, from one point in time on"


def _cold_user(split: Spec) -> str:
    history = split.get("history", 0)
    known = f", of whom the first {percent(history)} are known" if history else ", of whom nothing is known"
    return f"the interactions of {percent(split.get('test', 0))} of the users{known}{_seed(split)}"


def _cold_item(split: Spec) -> str:
    return (
        f"the interactions with {percent(split.get('test', 0))} of the items, which nobody has in train{_seed(split)}"
    )


def _provided(_split: Spec) -> str:
    return "as the data's owner or a paper gives it, in files"


def _unknown(split: Spec) -> str:
    return plain(split["kind"])


def _seed(split: Spec) -> str:
    repeats = split.get("repeats", 1)
    times = f", {repeats} times" if repeats > 1 else ""
    return f"{times} (seed {split.get('seed')})"


_KINDS: Mapping[str, Callable[[Spec], str]] = {
    "holdout": _holdout,
    "k-fold": _k_fold,
    "leave-last-out": _leave_last_out,
    "time": _time,
    "cold-user": _cold_user,
    "cold-item": _cold_item,
    "provided": _provided,
}

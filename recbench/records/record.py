"""What came of a trial, as plain values."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from recbench.protocols.spec import fingerprint

SCHEMA = 1
EXTERNAL = "external"
"""The target of what recbench did not run: no plugin's is called so, since theirs have a colon."""


class Status(enum.StrEnum):
    """How a trial ended. `unavailable` is never stored: it is looked at in every run."""

    OK = "ok"
    FAILED = "failed"
    TIMEOUT = "timeout"
    OUT_OF_MEMORY = "out-of-memory"
    CRASHED = "crashed"
    INVALID = "invalid"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """What a trial took. None: never got that far, or cannot be measured here."""

    fit_seconds: float | None = None
    rank_seconds: float | None = None
    predict_seconds: float | None = None
    latency_p50_ms: float | None = None
    latency_p95_ms: float | None = None
    latency_p99_ms: float | None = None
    peak_memory_mb: float | None = None
    cpu_seconds: float | None = None
    wall_seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What came of one trial. Plain values only, so JSON gives it back unchanged.

    Attributes:
        trial_id: sha256 prefix over canonical JSON of `identity`.
        identity: what decides lists and predictions: algorithm, plugin's version or source, parameters,
            components, split's fingerprint, seed, masking, candidates, depth.
        label: the row's name on the board; the algorithm's name unless the protocol gives another.
        protocol: name, title, `fingerprint`, and under `deciding` what decides scores; under `trials` the limits;
            under `tuned` the validation trials spent on this row's parameters, or None; under `file` the name of the
            user's own file, where it is in one.
        split: fold, fingerprint, leaks_future, and counts: users, items, train, validation, test, history,
            density, users_evaluated, ...
        data: the data set's name, title, license, citation, counts and what was dropped while reading.
        scores: by key, "ndcg@10": for the protocol's population; empty unless ok.
        scores_warm: the same over users with a history, in protocols that show both; else None.
        counts: users_evaluated, users_skipped, users_without_list, pairs, fallbacks, never_recommended, ...
        marks: short sentences that belong beside the row: "ties by the plugin", "sandboxed".
        measured: costs; never compared. Of what was made elsewhere, as its maker states them.
        provenance: versions, platform, processor, packages, when; `other_python` is the plugin that was asked to run
            under another interpreter. Never compared.
        output: the beginning and the end of what the trial printed.
        lists: file name and sha256 of the lists and predictions beside the record, or None.
    """

    trial_id: str
    identity: Mapping[str, Any]
    label: str
    algorithm: str
    distribution: str
    version: str
    deterministic: bool
    baseline: bool
    seed: int
    fold: int
    status: Status
    protocol: Mapping[str, Any]
    split: Mapping[str, Any]
    data: Mapping[str, Any]
    metrics_version: int
    scores: Mapping[str, float] = field(default_factory=dict)
    scores_warm: Mapping[str, float] | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    marks: tuple[str, ...] = ()
    measured: Costs = field(default_factory=Costs)
    provenance: Mapping[str, Any] = field(default_factory=dict)
    reason: str | None = None
    traceback: str | None = None
    output: str = ""
    lists: Mapping[str, str] | None = None
    schema: int = SCHEMA

    def __post_init__(self) -> None:
        if (self.status is Status.OK) != (self.reason is None):
            raise ValueError(f"{self.trial_id}: a reason goes with every status but ok")

    @property
    def is_external(self) -> bool:
        """Whether lists or predictions that were made elsewhere were scored, and nothing was run."""
        return bool(self.identity.get("algorithm", {}).get("target") == EXTERNAL)

    @property
    def has_lists(self) -> bool:
        """Whether there are lists to score; of what was made elsewhere there may be predictions alone."""
        return "lists" in self.identity.get("parts", ("lists",))


def trial_id(identity: Mapping[str, Any]) -> str:
    """What a record is filed under: the first 16 hexadecimal digits of sha256 over canonical JSON."""
    return fingerprint(identity)[:16]

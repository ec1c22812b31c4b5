"""What a trial has to do, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from recbench.data import FloatArray, Int32Array, Interactions
from recbench.records import Costs, Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """An algorithm that another one may build."""

    target: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    plugin_file: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Serve:
    """What to ask of an algorithm that is put to use, beside lists.

    Attributes:
        explain: a user, and for how many places of the list a reason is wanted; None: no reasons.
        newcomer: what somebody new did, all as user 0; None: nobody is new.
    """

    explain: tuple[int, int] | None = None
    newcomer: Interactions | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Served:
    """What came of it.

    Attributes:
        scores: (n_users, depth) float64 of the items in the lists; NaN at empty places, and where the algorithm ranks
            by scores that it keeps to itself.
        sentences: reasons for the first places of a list; None where nobody asked, or the algorithm gives none.
        newcomer_items: (depth,) int32, -1 for an empty place; None where nobody is new.
        newcomer_scores: (depth,) float64.
    """

    scores: FloatArray
    sentences: tuple[str, ...] | None = None
    newcomer_items: Int32Array | None = None
    newcomer_scores: FloatArray | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Job:
    """What one trial has to do with a split.

    Attributes:
        target: "module:Class".
        parameters: keyword arguments of the constructor; JSON values.
        plugin_file: a single-file plugin that the module is read from, or None.
        python: the executable of the interpreter to run under; None: this one.
        components: what `build` may make, by name.
        requires: modules that have to be installed where it runs, beside those of the targets.
        needs_gpu: whether it, or something that it builds, runs on a GPU.
        gpu: which one it has to itself, as `CUDA_VISIBLE_DEVICES` calls it; None: all that there are.
        seed: the model's seed.
        depth: length of the lists.
        exclude_seen: keep what a user has seen out of the lists.
        train_at_least: the rating from which a ranker may count an interaction as positive; None: all are.
        candidates: (n_users, c) int32 padded with -1, or None where every item is a candidate.
        users_at_most: rank for so many users, drawn by the split's fingerprint; None: for all.
        predictions: whether ratings of the test pairs are asked for.
        latencies: whether requests of single users are timed.
        serve: what is asked for instead of ratings and latencies, when an algorithm is put to use; or None.
        seconds: limit of time for the whole trial.
        memory_mb: limit of private memory, processes that it starts included.
        output_mb: limit of what it prints, and of each file it writes.
    """

    target: str
    depth: int
    parameters: Mapping[str, Any] = field(default_factory=dict)
    plugin_file: Path | None = None
    python: Path | None = None
    components: Mapping[str, Component] = field(default_factory=dict)
    requires: tuple[str, ...] = ()
    needs_gpu: bool = False
    gpu: str | None = None
    seed: int = 0
    exclude_seen: bool = True
    train_at_least: float | None = None
    candidates: Int32Array | None = None
    users_at_most: int | None = None
    predictions: bool = True
    latencies: bool = True
    serve: Serve | None = None
    seconds: float = 600.0
    memory_mb: int = 4096
    output_mb: int = 1024


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Outcome:
    """What came of one trial.

    Attributes:
        reason: why it is not ok; None only when it is.
        traceback: of the plugin's own frames, where there was one.
        lists: (n_users, depth) int32, -1 for an empty place; None unless ok.
        predictions: (n_test,) float64 unclipped, in the order of `split.test()`, NaN for "cannot say"; None unless ok,
            and where the algorithm predicts no ratings.
        served: what was asked for by `Job.serve`; None unless ok.
        n_never: how many unseen candidates the scores said never to recommend.
        marks: what has to be said beside the row.
        output: the beginning and the end of what the trial printed.
        sandboxed: whether network and data folders were out of its reach.
        where: facts of the machine it ran on, as `provenance.machine` says them; None: that of the run.
    """

    status: Status
    reason: str | None = None
    traceback: str | None = None
    lists: Int32Array | None = None
    predictions: FloatArray | None = None
    served: Served | None = None
    n_never: int = 0
    marks: tuple[str, ...] = ()
    costs: Costs = field(default_factory=Costs)
    output: str = ""
    sandboxed: bool = False
    where: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        if (self.status is Status.OK) != (self.reason is None):
            raise ValueError("a reason goes with every status but ok")

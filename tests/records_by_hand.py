"""Records as a run would make them, with values of the test's choice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from recbench.records import EXTERNAL, Costs, Record, Status, trial_id

METRICS: Mapping[str, tuple[str, str, tuple[float | None, float | None]]] = {
    "ndcg": ("sum over the hits of 1 / log2(rank + 1), divided by that of a perfect list", "high", (0.0, 1.0)),
    "recall": ("hits / relevant", "high", (0.0, 1.0)),
    "coverage": ("items in at least one list / all items of the data set", "high", (0.0, 1.0)),
    "gini": ("Gini index of how often each item is recommended: 0 is even, near 1 all on one", "none", (0.0, 1.0)),
    "rmse": ("square root of the mean of (rating - prediction)^2", "low", (0.0, None)),
    "mae": ("mean of |rating - prediction|", "low", (0.0, None)),
}
HOLDOUT = {
    "kind": "holdout", "by": "user", "test": 0.2, "validation": 0.1, "seed": 42,
    "folds": 5, "repeats": 1, "shuffle": "pcg64", "history": 0.0,
}  # fmt: skip
SPLIT = {
    "fold": 0,
    "fingerprint": "5b" * 32,
    "leaks_future": True,
    "users": 2,
    "items": 6,
    "train": 9,
    "validation": 1,
    "history": 0,
    "test": 2,
    "density": 0.75,
}
DATA = {
    "name": "toy",
    "title": "Toy ratings",
    "license": "MIT",
    "citation": "A. Nobody, 2026",
    "rows": 11,
    "dropped": {},
    "duplicates": 0,
    "unverified": [],
}
COUNTS = {"users_evaluated": 2, "users_in_test": 2, "users_skipped": 0, "pairs": 2, "fallbacks": 0}
PROVENANCE = {
    "recorded": "2026-11-24T10:00:00Z",
    "python": "3.11.7",
    "platform": "Linux x86_64",
    "cpu": "A Processor",
    "cores": 2,
    "threads": 1,
    "jobs": 1,
    "sandboxed": False,
    "memory_limited": True,
    "recbench": "0.1.0",
    "git": None,
    "packages": {"numpy": "2.4.6", "scipy": "1.17.1", "torch": "2.13.0", "zipp": "1.0"},
}
PARTS = ("protocol", "split", "data", "counts", "provenance", "measured")


def protocol(
    *,
    name: str = "toy",
    metrics: tuple[str, ...] = ("ndcg", "recall", "coverage", "gini", "rmse", "mae"),
    primary: str = "ndcg@10",
    cutoffs: tuple[int, ...] = (5, 10),
    split: Mapping[str, Any] = HOLDOUT,
    evaluation: Mapping[str, Any] | None = None,
    **more: Any,
) -> dict[str, Any]:
    """What a record says of its protocol."""
    return {
        "name": name,
        "title": "Toy ratings, 5-core",
        "fingerprint": "ab" * 32,
        "is_pinned": True,
        "deciding": {
            "data": {"source": "toy", "core": 5},
            "split": dict(split),
            "evaluation": {
                "primary": primary,
                "cutoffs": list(cutoffs),
                "metrics": list(metrics),
                "relevant_at_least": 4.0,
                "train_at_least": None,
                "candidates": "all",
                "exclude_seen": True,
                "users": "all",
                **(evaluation or {}),
            },
        },
        "trials": {"algorithms": ["*"], "seeds": [0], "threads": 1, "seconds": 600.0, "memory_mb": 4096},
        "tuned": None,
        "settings": {},
        "metrics": {
            key: {"definition": definition, "best": best, "range": list(bounds)}
            for key, (definition, best, bounds) in METRICS.items()
            if key in metrics
        },
        **more,
    }


def identity(
    name: str = "ease", *, parameters: Mapping[str, Any] | None = None, source: str = "00", seed: int = 0, fold: int = 0
) -> dict[str, Any]:
    """What decides lists and predictions."""
    return {
        "algorithm": {"name": name, "parameters": dict(parameters or {}), "source": source * 32},
        "components": {},
        "depth": 3,
        "threads": 1,
        "split": f"{fold}",
        "seed": seed,
    }


def record(
    label: str = "ease", *, parameters: Mapping[str, Any] | None = None, source: str = "00", **more: Any
) -> Record:
    """A record; each part may be given in whole, or, where it is a table, as what differs from the usual one."""
    seed, fold = more.get("seed", 0), more.get("fold", 0)
    whole = identity(label, parameters=parameters, source=source, seed=seed, fold=fold)
    usual: dict[str, Any] = {
        "protocol": protocol(),
        "split": {**SPLIT, "fold": fold},
        "data": DATA,
        "counts": COUNTS,
        "provenance": PROVENANCE,
        "measured": {},
    }
    parts = {part: {**usual[part], **more.pop(part, {})} for part in PARTS}
    costs = Costs(**{"fit_seconds": 1.5, "latency_p50_ms": 0.25, "peak_memory_mb": 80.0, **parts.pop("measured")})
    is_ok = more.get("status", Status.OK) is Status.OK
    given: dict[str, Any] = {
        "trial_id": trial_id(whole),
        "identity": whole,
        "label": label,
        "algorithm": label,
        "distribution": "someone",
        "version": "1.0",
        "deterministic": True,
        "baseline": False,
        "seed": 0,
        "fold": 0,
        "status": Status.OK,
        "metrics_version": 1,
        "scores": {"ndcg@10": 0.25, "rmse": 0.9} if is_ok else {},
        "measured": costs if is_ok else Costs(),
        **parts,
    }
    return Record(**(given | more))


def of_external(label: str = "mine", *, source: str = "00", **more: Any) -> Record:
    """A record of lists that were made elsewhere."""
    whole = identity(label, source=source, fold=more.get("fold", 0))
    whole["algorithm"] |= {"distribution": EXTERNAL, "target": EXTERNAL}
    whole["parts"] = ["lists"]
    usual: dict[str, Any] = {
        "trial_id": trial_id(whole),
        "identity": whole,
        "distribution": EXTERNAL,
        "version": "",
        "marks": ("made elsewhere, scored here and not run, costs as stated",),
    }
    found = record(label, **usual | more)
    return replace(found, provenance={"recorded": found.provenance["recorded"], "recbench": "0.1.0"})

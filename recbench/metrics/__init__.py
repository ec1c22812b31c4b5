"""Exact metrics over lists and predictions. `docs/metrics.md` has every formula, its edges and who differs."""

from recbench.metrics.builtin import builtin_metrics
from recbench.metrics.calling import MetricFault, OutOfRange, check, resolve
from recbench.metrics.scoring import METRICS_VERSION, Scores, evaluated_users, key_of, per_pair, per_user, score

__all__ = [
    "METRICS_VERSION",
    "MetricFault",
    "OutOfRange",
    "Scores",
    "builtin_metrics",
    "check",
    "evaluated_users",
    "key_of",
    "per_pair",
    "per_user",
    "resolve",
    "score",
]

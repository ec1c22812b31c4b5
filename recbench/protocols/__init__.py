"""Protocols: pinned ways to evaluate, one TOML file each."""

from recbench.protocols.spec import (
    AlgorithmSpec,
    DataSpec,
    EvaluationSpec,
    FileSpec,
    FoldSpec,
    PinnedSpec,
    Protocol,
    SplitSpec,
    TableSpec,
    TrialSpec,
)

__all__ = [
    "AlgorithmSpec",
    "DataSpec",
    "EvaluationSpec",
    "FileSpec",
    "FoldSpec",
    "PinnedSpec",
    "Protocol",
    "SplitSpec",
    "TableSpec",
    "TrialSpec",
]

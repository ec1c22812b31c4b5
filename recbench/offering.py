"""Everything that is on offer here: what plugins offer, and what recbench itself offers beside them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from recbench.datasets import builtin_sources
from recbench.metrics import builtin_metrics
from recbench.protocols.loading import shipped
from recbench.registry import Registry, discover


def everything(*, files: Sequence[Path] = (), disabled: Iterable[str] = ()) -> Registry:
    """Find and load every plugin, and put recbench's own data sets, metrics and protocols beside them.

    Args:
        files: single-file plugins.
        disabled: plugins or distributions not to import.

    Raises:
        UnknownName: a name in `disabled` that is neither.
        RecbenchError: a file is not there.
    """
    return discover(
        files=files,
        sources=builtin_sources(),
        metrics=builtin_metrics(),
        protocols=shipped().values(),
        disabled=disabled,
    )

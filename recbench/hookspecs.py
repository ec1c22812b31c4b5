"""The hooks. Each takes nothing, returns values, and is called once a command, before any data is read.

Implementations import no framework and open no file: what they return is lazy by construction. A fault (an
exception, a wrong type, a name that is taken) breaks the one entry point it came from; `recbench list plugins`
shows why, and everybody else stays on offer.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pluggy

from recbench.api import Algorithm, Metric, Source

hookspec = pluggy.HookspecMarker("recbench")


@hookspec
def recbench_algorithms() -> Iterable[Algorithm]:
    """Offer algorithms."""
    return ()


@hookspec
def recbench_sources() -> Iterable[Source]:
    """Offer data sets by name, for `source = "..."` in a protocol and for `recbench data fetch`."""
    return ()


@hookspec
def recbench_metrics() -> Iterable[Metric]:
    """Offer metrics, for `metrics = [...]` in a protocol."""
    return ()


@hookspec
def recbench_protocols() -> Iterable[Path]:
    """Offer protocols: paths of TOML files, each named like the protocol in it."""
    return ()

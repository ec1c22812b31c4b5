"""How much memory of its own a trial has: every process of it counted, mapped training data not."""

from __future__ import annotations

import contextlib
from pathlib import Path

from recbench.worker.processes import IS_LINUX, descendants


def private_bytes(server: int, *, shared: int) -> int:
    """Private memory of all processes below `server`, in bytes.

    Linux: anonymous and shared-memory pages that are resident, less the training data that each process maps.
    Elsewhere: what would come free if the process ended (USS).

    Args:
        shared: size of the training data, which each process maps but does not own.
    """
    if not IS_LINUX:
        return _unique_bytes(server)
    return sum(_resident_bytes(pid, shared) for pid in descendants(server))


def _resident_bytes(pid: int, shared: int) -> int:
    try:
        text = Path(f"/proc/{pid}/status").read_text()
    except OSError:  # it has ended
        return 0
    sizes = {}
    for line in text.splitlines():
        name, _, rest = line.partition(":")
        if name in ("RssAnon", "RssShmem"):
            sizes[name] = int(rest.split()[0]) * 1024
    return sizes.get("RssAnon", 0) + max(0, sizes.get("RssShmem", 0) - shared)


def _unique_bytes(server: int) -> int:
    import psutil

    total = 0
    with contextlib.suppress(psutil.Error):
        for process in psutil.Process(server).children(recursive=True):
            with contextlib.suppress(psutil.Error):
                total += process.memory_full_info().uss
    return total

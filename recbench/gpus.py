"""The GPUs that this process may use, found without a framework: by the device files of NVIDIA and AMD on Linux."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

VISIBLE = "CUDA_VISIBLE_DEVICES"
"""The setting that says which of them a process sees. AMD's libraries heed it, too."""

NONE_HERE = "needs a GPU, and this machine has none"
REMEDY = "run it where there is one, or on a cluster whose workers have one"


def names(devices: Path = Path("/dev"), environment: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """What `CUDA_VISIBLE_DEVICES` would call each; where it is set already, only what it lets through.

    Args:
        devices: the folder of device files.
        environment: where the setting is looked up.
    """
    n_there = _count(devices)
    if n_there == 0 or VISIBLE not in environment:
        return tuple(map(str, range(n_there)))
    seen: list[str] = []
    for word in filter(None, map(str.strip, environment[VISIBLE].split(","))):
        if re.fullmatch(r"-?\d+", word) and not 0 <= int(word) < n_there:
            break  # the driver looks no further, either
        seen.append(word)
    return tuple(dict.fromkeys(seen))


def _count(devices: Path) -> int:
    nvidia = [each for each in devices.glob("nvidia*") if re.fullmatch(r"nvidia\d+", each.name)]
    if nvidia or not (devices / "kfd").exists():
        return len(nvidia)
    return max(1, len(list(devices.glob("dri/renderD*"))))

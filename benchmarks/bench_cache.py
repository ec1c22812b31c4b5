"""What keeping splits saves: reading and splitting against mapping what a run before has kept, in turn.

Each time is that of a process of its own, from the protocol to its splits, without imports. Private memory is what the
process holds then beside the maps:

    python benchmarks/bench_cache.py [--protocol NAME|FILE]... [--interactions N]... [--rounds 5]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pandas as pd

from recbench import prepared
from recbench.cache import Cache
from recbench.datasets import builtin_sources
from recbench.protocols.loading import load, shipped
from recbench.synthetic import Size, generate

OWN = """
name = "own"
[data]
interactions = {{ path = "{file}" }}
core = 5
[split]
kind = "holdout"
validation = 0.1
[evaluation]
primary = "ndcg@10"
cutoffs = [10]
metrics = ["ndcg"]
"""


def once(reference: str, root: Path | None) -> dict[str, Any]:
    """Prepare a protocol here, with or without a cache."""
    prepared.LEAST_BYTES = 0  # to see what it would save
    protocol, sources = load(reference, shipped()), {source.name: source for source in builtin_sources()}
    cache = None if root is None else Cache(root=root, limit=10**11)
    start = time.perf_counter()
    found = prepared.prepare(protocol, sources=sources, cache=cache)
    seconds = time.perf_counter() - start
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines() if ":" in line)
    n = len(found.splits[0].dataset.interactions)
    return {"seconds": seconds, "private_mb": int(status["RssAnon"].split()[0]) / 1024, "interactions": n}


def apart(reference: str, root: Path | None) -> dict[str, Any]:
    """The same in a process of its own."""
    command = [sys.executable, __file__, "--protocol", reference, "--once", "" if root is None else str(root)]
    found: dict[str, Any] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return found


def compare(reference: str, rounds: int, scratch: Path) -> None:
    """Print a line for a protocol."""
    root = Path(tempfile.mkdtemp(dir=scratch))
    first = apart(reference, root)
    plain, kept = zip(*((apart(reference, None), apart(reference, root)) for _ in range(rounds)), strict=True)
    ratio = median(one["seconds"] / two["seconds"] for one, two in zip(plain, kept, strict=True))
    size = sum(path.stat().st_size for path in root.rglob("*.npy")) / 10**6
    print(
        f"{Path(reference).stem:<24} {first['interactions']:>11,} {_median(plain, 'seconds'):>8.2f} "
        f"{first['seconds']:>8.2f} {_median(kept, 'seconds'):>8.3f} {ratio:>7.1f} {size:>8.0f} "
        f"{_median(plain, 'private_mb'):>8.0f} {_median(kept, 'private_mb'):>8.0f}"
    )


def _median(taken: Sequence[dict[str, Any]], key: str) -> float:
    return float(median(each[key] for each in taken))


def make(n: int, folder: Path) -> tuple[Path, Path]:
    """Protocols over the same made-up interactions: as text, and as an array."""
    generate(Size(users=max(100, n // 150), items=max(100, round(n**0.62)), interactions=n), folder)
    records = np.load(folder / "interactions.npy")
    pd.DataFrame({name: records[name] for name in records.dtype.names}).to_csv(folder / "interactions.csv", index=False)
    for form in ("csv", "npy"):
        (folder / f"generated-{n}-{form}.toml").write_text(OWN.format(file=f"interactions.{form}"))
    return folder / f"generated-{n}-csv.toml", folder / f"generated-{n}-npy.toml"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--protocol", action="append", default=[])
    parser.add_argument("--interactions", type=int, action="append", default=[])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--once")
    given = parser.parse_args()
    if given.once is not None:
        print(json.dumps(once(given.protocol[0], Path(given.once) if given.once else None)))
        return
    print(f"{'':<24} {'inter-':>11} {'read and':>8} {'and':>8} {'':>8} {'':>7} {'MB on':>8} {'private MB':>17}")
    print(
        f"{'protocol':<24} {'actions':>11} {'split s':>8} {'keep s':>8} {'map s':>8} {'ratio':>7} {'disk':>8} "
        f"{'read':>8} {'mapped':>8}"
    )
    with tempfile.TemporaryDirectory() as folder:
        for reference in given.protocol:
            compare(reference, given.rounds, Path(folder))
        for n in given.interactions:
            for path in make(n, Path(folder) / str(n)):
                compare(str(path), given.rounds, Path(folder))


if __name__ == "__main__":
    main()

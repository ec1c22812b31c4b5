"""A whole run on a million interactions stays within the memory that docs/scale.md states."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from recbench.records import Store, load
from recbench.synthetic import Size, generate

MILLION = Size(users=6_000, items=3_700, interactions=1_000_000)

MOST_MB_OF_RUN = 350
MOST_MB_OF_TRIAL = {"popularity": 100, "item-cosine": 450}

_RUN = """
import sys
from pathlib import Path
from recbench.cli import main
try:
    main()
finally:
    status = Path("/proc/self/status").read_text().splitlines()
    print("peak", next(line.split()[1] for line in status if line.startswith("VmHWM")))
"""


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="peak memory is read from /proc")
def test_a_run_on_a_million_interactions_stays_within_its_memory(tmp_path: Path) -> None:
    protocol = generate(MILLION, tmp_path / "data").protocol
    asked = ["run", "-p", protocol, *(f"--algorithm={name}" for name in MOST_MB_OF_TRIAL), "--output", tmp_path / "out"]
    run = subprocess.run([sys.executable, "-c", _RUN, *asked], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    (peak,) = (int(line.split()[1]) / 1024 for line in run.stdout.splitlines() if line.startswith("peak"))
    assert peak < MOST_MB_OF_RUN
    records = [load(path) for path in Store(tmp_path / "out").paths()]
    assert {record.label for record in records} == set(MOST_MB_OF_TRIAL)
    for record in records:
        assert record.measured.peak_memory_mb is not None
        assert record.measured.peak_memory_mb < MOST_MB_OF_TRIAL[record.label]

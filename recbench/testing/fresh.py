"""What shows only in an interpreter of its own: output, files, connections, memory, and what depends on the process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recbench.registry import Plugin
from recbench.testing.rule import Breach
from recbench.testing.subject import Subject

TIME_LIMIT_SECONDS = 120.0
_MEMORY_LIMIT_SECONDS = 900.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Afresh:
    """What a process did that fitted the algorithm to the checkerboard and asked for everything.

    Attributes:
        digest: sha256 over the answers; empty where the process did not end in time.
        printed: what came out of its standard output.
        files: what it left in its working folder, home and temporary folder.
        connections: addresses that it connected to.
        bait: which of the baits it took.
        seconds: from start to end, imports included; infinite where it did not end in time.
    """

    digest: str = ""
    printed: str = ""
    files: tuple[str, ...] = ()
    connections: tuple[str, ...] = ()
    bait: tuple[str, ...] = ()
    seconds: float = float("inf")


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What importing a plugin does.

    Attributes:
        frameworks: those that come in with it.
        cpu_seconds: beyond what recbench itself takes.
    """

    frameworks: tuple[str, ...]
    cpu_seconds: float


def fit_afresh(subject: Subject, *, hash_seed: int = 0) -> Afresh:
    """Fit and ask in a new process with a home, working folder and temporary folder of its own; once a hash seed."""
    known: dict[int, Afresh | Breach] = subject.afresh
    if hash_seed not in known:
        try:
            known[hash_seed] = _fit(subject, hash_seed)
        except Breach as breach:
            known[hash_seed] = breach
    found = known[hash_seed]
    if isinstance(found, Breach):
        raise found
    return found


def import_afresh(plugin: Plugin) -> Imported:
    """Import the plugin, and nothing else, in a new process."""
    with tempfile.TemporaryDirectory() as folder:
        file = None if plugin.file is None else str(plugin.file)
        found, _ = _run(
            {"do": "import", "module": plugin.module, "file": file},
            Path(folder),
            hash_seed=0,
            seconds=TIME_LIMIT_SECONDS,
        )
    return Imported(frameworks=tuple(found["frameworks"]), cpu_seconds=found["cpu_seconds"])


def memory_afresh(subject: Subject, *, n_users: int, n_items: int) -> int:
    """Bytes that NumPy and Python hold at the most while the algorithm learns from, and is asked for, a crowd."""
    wanted = {"do": "memory", **subject.request, "n_users": n_users, "n_items": n_items}
    with tempfile.TemporaryDirectory() as folder:
        found, _ = _run(wanted, Path(folder), hash_seed=0, seconds=_MEMORY_LIMIT_SECONDS)
    return int(found["peak_bytes"])


def _fit(subject: Subject, hash_seed: int) -> Afresh:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        try:
            found, printed = _run(
                {"do": "fit", **subject.request}, folder, hash_seed=hash_seed, seconds=TIME_LIMIT_SECONDS
            )
        except subprocess.TimeoutExpired:
            return Afresh()
        files = tuple(sorted(_left_in(folder)))
    return Afresh(
        digest=found["digest"],
        printed=printed,
        files=files,
        connections=tuple(found["connections"]),
        bait=tuple(found["bait"]),
        seconds=found["seconds"],
    )


def _run(request: Mapping[str, Any], folder: Path, *, hash_seed: int, seconds: float) -> tuple[dict[str, Any], str]:
    """What the probe found, and what was printed meanwhile.

    Raises:
        Breach: the process ended otherwise than by finishing.
        subprocess.TimeoutExpired: it did not end.
    """
    for each in ("work", "home", "tmp"):
        (folder / each).mkdir()
    bait = folder / "bait" / "test.tsv"
    bait.parent.mkdir()
    bait.write_text("user\titem\trating\nu0\ti0\t5\n")
    result = folder / "result.json"
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "PYTHONHASHSEED": str(hash_seed),
        "HOME": str(folder / "home"),
        "TMPDIR": str(folder / "tmp"),
        "RECBENCH_TEST_DATA": str(bait),
    }
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-P", "-m", "recbench.testing.probe", str(result)],
        input=json.dumps(request).encode(),
        capture_output=True,
        cwd=folder / "work",
        env=environment,
        timeout=seconds,
        check=False,
    )
    if done.returncode != 0 or not result.exists():
        raise Breach(_how_it_ended(done), fix="fit it in a process of its own, and see what it does there")
    return json.loads(result.read_text()), done.stdout.decode(errors="replace")


def _how_it_ended(done: subprocess.CompletedProcess[bytes]) -> str:
    last = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
    how = f"by signal {-done.returncode}" if done.returncode < 0 else f"with exit code {done.returncode}"
    return f"a process of its own ended {how}" + (f": {last[0]}" if last else "")


def _left_in(folder: Path) -> Iterator[str]:
    for place in ("work", "home", "tmp"):
        for path in (folder / place).rglob("*"):
            if path.is_file():
                yield str(Path(place) / path.relative_to(folder / place))

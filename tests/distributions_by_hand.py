"""Distributions for the tests of discovery: wheels that pip installs, and folders that no installer would leave."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

WHEEL = "Wheel-Version: 1.0\nGenerator: by hand\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
OFFERS = """
from recbench.api import Algorithm, hookimpl

@hookimpl
def recbench_algorithms():
    yield Algorithm(name="{name}", target="{module}:Nothing")
"""


@dataclass(frozen=True, kw_only=True)
class Distribution:
    """A distribution of one module.

    Attributes:
        name: also the entry point's name.
        code: of the module, called like the distribution.
        version: of the distribution.
        points: entry_points.txt, where it is not the obvious one.
        metadata: METADATA, likewise; None leaves the file out.
        files: more files beside the module, and in the dist-info folder where the name begins with "info/".
    """

    name: str
    code: str
    version: str = "1.0"
    points: str | bytes | None = None
    metadata: str | None = ""
    files: Mapping[str, str] = field(default_factory=dict)

    @property
    def module(self) -> str:
        return self.name.replace("-", "_")

    @property
    def info(self) -> str:
        return f"{self.module}-{self.version}.dist-info"

    def contents(self) -> dict[str, bytes]:
        """By path what an installer writes."""
        points = f"[recbench]\n{self.name} = {self.module}\n" if self.points is None else self.points
        metadata = self.metadata or f"Metadata-Version: 2.1\nName: {self.name}\nVersion: {self.version}\n"
        found: dict[str, str | bytes] = {f"{self.module}.py": self.code, f"{self.info}/entry_points.txt": points}
        if self.metadata is not None:
            found[f"{self.info}/METADATA"] = metadata
        found |= {name.replace("info/", f"{self.info}/"): text for name, text in self.files.items()}
        return {name: text if isinstance(text, bytes) else text.encode() for name, text in found.items()}


def offers(distribution: str, name: str) -> str:
    """The code of a module that offers one algorithm."""
    return OFFERS.format(module=distribution.replace("-", "_"), name=name)


def build_wheel(each: Distribution, folder: Path) -> Path:
    path = folder / f"{each.module}-{each.version}-py3-none-any.whl"
    contents = each.contents() | {f"{each.info}/WHEEL": WHEEL.encode()}
    record = "".join(f"{name},,\n" for name in [*contents, f"{each.info}/RECORD"])
    with zipfile.ZipFile(path, "w") as wheel:
        for name, text in {**contents, f"{each.info}/RECORD": record.encode()}.items():
            wheel.writestr(name, text)
    return path


def install(wheels: Iterable[Path], target: Path) -> None:
    """Let pip install wheels into a folder to be put on PYTHONPATH."""
    options = ["-q", "--no-deps", "--no-index", "--no-compile", "--disable-pip-version-check", "--target", target]
    subprocess.run([sys.executable, "-m", "pip", "install", *options, *wheels], check=True)


def build_project(project: Path, folder: Path) -> Path:
    """Build a real project's wheel, as its author would."""
    options = ["--wheel", "--no-isolation", "--outdir", folder]
    subprocess.run([sys.executable, "-m", "build", *options, project], check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


def write(each: Distribution, target: Path) -> None:
    """Lay a distribution's files out by hand, where pip would refuse it."""
    for name, text in each.contents().items():
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text)

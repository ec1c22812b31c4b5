"""What decides what a data set will be, known before it is read: its files, and what a source says of itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recbench.api import Source
from recbench.datasets.checksums import sha256_of
from recbench.datasets.imported import imported_source
from recbench.datasets.places import locate
from recbench.protocols.spec import DataSpec, as_json


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where data comes from.

    Attributes:
        source: the source as JSON values; None for files of one's own.
        files: by name, every file that may be read.
    """

    source: Any
    files: Mapping[str, Path]

    def size(self) -> int:
        """Bytes of all files."""
        return sum(path.stat().st_size for path in self.files.values())

    def stamps(self) -> list[tuple[int, int, int]]:
        """Size, time and number of each file on its disk: they change when it is written."""
        return [(each.st_size, each.st_mtime_ns, each.st_ino) for each in map(Path.stat, self.files.values())]

    def deciding(self) -> dict[str, Any]:
        """The source and sha256 of each file, as JSON values."""
        return {"source": self.source, "files": {name: sha256_of(path) for name, path in self.files.items()}}


def origin_of(spec: DataSpec, *, sources: Mapping[str, Source], data_dir: Path | None = None) -> Origin | None:
    """What decides what `load` gives for `spec`. None where a plugin's code reads it, which may look at anything.

    Raises:
        BadData: the data is not on this machine.
    """
    if spec.source is None:
        return Origin(source=None, files={f"{number}": path for number, path in enumerate(_own(spec))})
    source = sources.get(spec.source) or imported_source(spec.source, data_dir)
    if source is None or not source.read.startswith("recbench.datasets."):
        return None
    folder = locate(source, data_dir)
    files = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}
    return Origin(source=as_json(source), files=files)


def _own(spec: DataSpec) -> list[Path]:
    files = [] if spec.interactions is None else [spec.interactions]
    files += [file for fold in spec.folds for file in (fold.train, fold.test)]
    return [file.path for file in files] + [table.path for table in (spec.users, spec.items) if table is not None]

"""What lies in a folder that anybody may have made. Nothing is opened here, and no link is followed."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from recbench.errors import RecbenchError
from recbench.records.store import ANALYSIS, ID
from recbench.verifying.findings import Finding

MOST_FILES = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """The files of a folder.

    Attributes:
        files: plain files only, with their sizes in bytes.
        findings: what is no plain file, and what does not belong among records.
    """

    root: Path
    files: dict[Path, int]
    findings: tuple[Finding, ...]

    @property
    def records(self) -> list[Path]:
        """The files of records: records/PROTOCOL/ID.json."""
        return [path for path in self.files if self._is_among_records(path) and path.suffix == ".json"]

    @property
    def analyses(self) -> list[Path]:
        """The files of analyses: records/PROTOCOL/analysis.json."""
        return [path for path in self.files if self._depth(path) == 3 and path.name == ANALYSIS]

    def name(self, path: Path) -> str:
        """A file as findings call it."""
        return str(path.relative_to(self.root))

    def _is_among_records(self, path: Path) -> bool:
        return self._depth(path) == 3 and ID.fullmatch(path.stem) is not None

    def _depth(self, path: Path) -> int:
        """Of a file among the records, in parts of its name; 0 of others."""
        parts = path.relative_to(self.root).parts
        return len(parts) if parts[0] == "records" else 0


def survey(root: Path) -> Places:
    """Look at what lies below `root`.

    Raises:
        RecbenchError: it holds no records, or more files than anybody makes.
    """
    if not (root / "records").is_dir():
        raise RecbenchError(
            f"{str(root)!r} holds no records", fix="give the folder that `recbench run -o` wrote to, or a record"
        )
    files: dict[Path, int] = {}
    findings = []
    for entry in _entries(root):
        mode = entry.lstat().st_mode
        if stat.S_ISREG(mode):
            files[entry] = entry.lstat().st_size
        else:
            kind = "a symbolic link" if stat.S_ISLNK(mode) else "not a plain file"
            findings.append(Finding(where=str(entry.relative_to(root)), what=f"is {kind}; it was not followed"))
    places = Places(root=root, files=dict(sorted(files.items())), findings=())
    findings += [Finding(where=places.name(path), what=what) for path, what in _strays(places)]
    return Places(root=root, files=places.files, findings=tuple(sorted(findings)))


def _entries(root: Path) -> Iterator[Path]:
    """Everything below `root` but folders; a link to a folder is not one."""
    n = 0
    for folder, names, others in os.walk(root, followlinks=False):
        for name in (*others, *(each for each in names if Path(folder, each).is_symlink())):
            n += 1
            if n > MOST_FILES:
                raise RecbenchError(f"{str(root)!r} holds more than {MOST_FILES:,} files", fix="give its parts")
            yield Path(folder, name)


def _strays(places: Places) -> Iterator[tuple[Path, str]]:
    """Files among the records that are none, and lists without a record."""
    records = {*places.records, *places.analyses}
    for path in places.files:
        is_record_or_elsewhere = path in records or path.relative_to(places.root).parts[0] != "records"
        if is_record_or_elsewhere or path.suffix == ".tmp":
            continue
        if path.suffix != ".npz":
            yield path, "is not the file of a record"
        elif path.with_suffix(".json") not in records:
            yield path, "lies beside no record"

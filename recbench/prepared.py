"""Data that is read and split, kept in files: the next run maps them into memory, and reads and splits nothing.

KEY/contents.json    facts, tables and folds, and the sha256 of each array's file
    NAME.npy         an array

The key covers everything that decides what is in there: what the protocol says of data and split, the sha256 of each
file of the data, and recbench's own code. What is not exactly what was written is as good as not there.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import platform
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

import recbench
from recbench import datasets, splits
from recbench.api import Source
from recbench.cache import Cache, remove, touch
from recbench.data import Dataset, Split
from recbench.datasets.origins import Origin, origin_of
from recbench.protocols.spec import Protocol, as_json, canonical, fingerprint
from recbench.worker.sharing import Arrays, assemble, describe, dismantle, tables

LEAST_BYTES = 4 << 20
"""Data in smaller files is read in well under a second: nothing is kept of it."""

_CONTENTS = "contents.json"
_LARGEST_CONTENTS = 1 << 28
_PARTS = ("train_rows", "validation_rows", "test_rows", "history_rows")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prepared:
    """The folds of a protocol, and facts about the data as `datasets.load` gives them."""

    splits: tuple[Split, ...]
    facts: Mapping[str, Any]


OnPhase: TypeAlias = Callable[[str], None]


def unheard(_phase: str) -> None:
    """Hear nothing."""


def prepare(
    protocol: Protocol,
    *,
    sources: Mapping[str, Source],
    data_dir: Path | None = None,
    cache: Cache | None = None,
    on_phase: OnPhase = unheard,
) -> Prepared:
    """Read the data of a protocol and split it, or take what a run before has kept.

    Args:
        on_phase: hears "load", "split" and "keep".

    Raises:
        RecbenchError: data and protocol do not go together.
    """
    on_phase("load")
    origin = origin_of(protocol.data, sources=sources, data_dir=data_dir) if cache and cache.limit else None
    if cache is None or origin is None or not _is_large(origin):
        return _read_and_split(protocol, sources, data_dir, on_phase)
    before = origin.stamps()
    key = key_of(protocol, origin)
    found = recall(cache, key)
    if found is not None:
        return found
    made = _read_and_split(protocol, sources, data_dir, on_phase)
    on_phase("keep")
    if origin.stamps() != before:  # nobody knows which state of the files was read
        return made
    remember(cache, key, made)
    return recall(cache, key) or made  # maps take no memory of the run's own


def key_of(protocol: Protocol, origin: Origin) -> str:
    """What the splits of a protocol are kept under."""
    deciding = {
        **{part: as_json(getattr(protocol, part)) for part in ("data", "split")},
        **origin.deciding(),
        "code": code_hash(Path(recbench.__file__).parent),
        "versions": [platform.python_version(), np.__version__],
    }
    return fingerprint(deciding)[:32]


def code_hash(package: Path) -> str:
    """sha256 over the Python files of a package."""
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        digest.update(f"{path.relative_to(package).as_posix()} {path.stat().st_size}\n".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def recall(cache: Cache, key: str) -> Prepared | None:
    """What is kept under `key`, mapped into memory; None where there is nothing, or it is not what was written."""
    folder = cache.folder("splits") / key
    contents = _contents(folder)
    if contents is None:
        return None
    try:
        arrays = {name: _mapped(folder / _file_of(name), sha256) for name, sha256 in contents["arrays"].items()}
        found = _put_together(contents, arrays)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    touch(folder)
    return found


def remember(cache: Cache, key: str, prepared: Prepared) -> None:
    """Keep something under `key`: whole, or not at all. Two at once do not harm each other."""
    contents, arrays = _take_apart(prepared)
    if sum(array.nbytes for array in arrays.values()) > cache.limit:
        return
    folder = cache.folder("splits")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(dir=folder, prefix=f".{key}-"))
        try:
            _write(unfinished, contents, arrays)
            with contextlib.suppress(OSError):  # somebody else was faster, or what was there is damaged
                remove(folder / key)
                unfinished.rename(folder / key)
        finally:
            remove(unfinished)
        cache.make_room()
    except (OSError, ValueError) as error:  # ValueError: text that is no Unicode
        cache.tell(f"splits are not kept in {folder}: {error}")


def title_of(folder: Path) -> str:
    """What is kept in a folder, in a few words."""
    contents = _contents(folder)
    if contents is None:
        return "damaged"
    folds = len(contents["folds"])
    return f"{contents['tables']['name']}, {folds} {'split' if folds == 1 else 'splits'}"


def _is_large(origin: Origin) -> bool:
    try:
        return origin.size() >= LEAST_BYTES
    except OSError:  # whoever reads it says what is wrong
        return False


def _read_and_split(
    protocol: Protocol, sources: Mapping[str, Source], data_dir: Path | None, on_phase: OnPhase
) -> Prepared:
    data = protocol.data
    core = 0 if protocol.split.kind == "time" else data.core
    loaded = datasets.load(data, sources=sources, data_dir=data_dir, core=core)
    on_phase("split")
    made = splits.split(loaded.dataset, protocol.split, loaded.given, core=data.core)
    return Prepared(splits=made, facts=loaded.facts)


def _take_apart(prepared: Prepared) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """What goes into `contents.json` but for checksums, and what into files of its own."""
    dataset = prepared.splits[0].dataset
    facts, arrays = describe(dataset)
    arrays |= dismantle("all", dataset.interactions)
    for split in prepared.splits:
        arrays |= {f"{split.fold}/{part}": getattr(split, part) for part in _PARTS}
    folds = [
        {"fold": split.fold, "fingerprint": split.fingerprint, "leaks_future": split.leaks_future}
        for split in prepared.splits
    ]
    return {"facts": dict(prepared.facts), "tables": facts, "folds": folds}, arrays


def _put_together(contents: Mapping[str, Any], arrays: Arrays) -> Prepared:
    dataset: Dataset = tables(contents["tables"], arrays, positive_at_least=None)
    dataset = dataset.with_interactions(assemble("all", arrays))
    return Prepared(
        facts=contents["facts"],
        splits=tuple(
            Split(dataset=dataset, **{**fold, **{part: arrays[f"{fold['fold']}/{part}"] for part in _PARTS}})
            for fold in contents["folds"]
        ),
    )


def _contents(folder: Path) -> dict[str, Any] | None:
    """What `contents.json` says; None where that is not what was written."""
    path = folder / _CONTENTS
    try:
        if path.stat().st_size > _LARGEST_CONTENTS:
            return None
        kept = json.loads(path.read_text("utf-8"))
        contents: dict[str, Any] = kept["contents"]
        return contents if kept["sha256"] == fingerprint(contents) else None
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def _file_of(name: str) -> str:
    return f"{name.replace('/', '.')}.npy"


def _mapped(path: Path, sha256: str) -> NDArray[Any]:
    with path.open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != sha256:
            raise ValueError(f"{path} is damaged")
    return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))


def _write(folder: Path, contents: Mapping[str, Any], arrays: Arrays) -> None:
    """No flush to the disk is waited for: what a crash of the machine leaves half written is seen by its checksum."""
    checksums = {}
    for name, array in arrays.items():
        with (folder / _file_of(name)).open("wb") as file:
            writer = _Hashing(file)
            np.save(writer, array, allow_pickle=False)
            os.fchmod(file.fileno(), 0o400)
        checksums[name] = writer.digest.hexdigest()
    whole = {**contents, "arrays": checksums}
    (folder / _CONTENTS).write_text(canonical({"contents": whole, "sha256": fingerprint(whole)}), "utf-8")


class _Hashing:
    """A file for writing that takes the sha256 of what goes through it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.digest = hashlib.sha256()

    def write(self, piece: bytes) -> int:
        """Write it, and add it to the digest."""
        self.digest.update(piece)
        return self._file.write(piece)

"""Where data sets lie: folders that are searched in order, and what a folder must hold to be a copy of a source."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import recbench
from recbench.api import Source, SourceFile
from recbench.cache import root
from recbench.datasets.opening import holds
from recbench.errors import BadData, RecbenchError

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def cache_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """Where fetched and imported data sets go: a folder for each, in the user's cache folder."""
    return root(environment) / "data"


def places(data_dir: Path | None = None, environment: Mapping[str, str] = os.environ) -> tuple[Path, ...]:
    """Folders that hold data sets, each in a folder of its name, in the order they are searched in."""
    named = [Path(part) for part in environment.get("RECBENCH_DATA", "").split(os.pathsep) if part]
    return (*([data_dir] if data_dir is not None else []), *named, cache_folder(environment))


def folders(data_dir: Path | None = None) -> tuple[Path, ...]:
    """All folders that data sets are read from, the embedded ones included."""
    return (*places(data_dir), Path(recbench.__file__).parent / "bundled")


def folder_name(name: str) -> str:
    """The name of a source's folder, surely one that stays where it belongs.

    Raises:
        RecbenchError: the name is none for a folder.
    """
    if not NAME.fullmatch(name):
        raise RecbenchError(
            f"a data set cannot be called {name!r}",
            fix="use 1 to 64 letters, digits, dots, hyphens and underscores, the first a letter or digit",
        )
    return name


def locate(source: Source, data_dir: Path | None = None) -> Path:
    """The folder of the first copy of a source.

    Raises:
        BadData: there is none, with what to do without a network, too.
    """
    candidates = [place / folder_name(source.name) for place in places(data_dir)]
    if source.bundled is not None:
        candidates.append(source.bundled)
    for folder in candidates:
        if is_copy(folder, source):
            return folder
    raise BadData(_not_here(source, candidates), fix=how_to_get(source, data_dir))


def is_copy(folder: Path, source: Source) -> bool:
    """Whether a folder holds what a source consists of: its files, or what is in them."""
    if not folder.is_dir():
        return False
    if all((folder / file.name).is_file() for file in source.files):
        return True
    return bool(source.contents) and all(holds(folder, file.name) for file in source.contents)


def expected(source: Source) -> Iterator[SourceFile]:
    """Every file that a copy may have."""
    yield from source.files
    yield from source.contents


def how_to_get(source: Source, data_dir: Path | None = None) -> str:
    """What to do to have a source, by name of file, checksum and folder."""
    into = (data_dir or cache_folder()) / source.name
    files = ", ".join(_described(file) for file in source.files)
    elsewhere = f"or into a folder {source.name!r} inside one that --data-dir or RECBENCH_DATA names"
    by_hand = f"put {files} into {into}, {elsewhere}"
    if all(file.url for file in source.files):
        return f"run `recbench data fetch {source.name}`; without a network, {by_hand}"
    return f"get it from its owner, see {source.homepage}; then {by_hand}"


def _described(file: SourceFile) -> str:
    checksum = f"sha256 {file.sha256}" if file.sha256 else "no checksum known"
    return f"{file.name} ({checksum}{f', from {file.url}' if file.url else ''})"


def _not_here(source: Source, candidates: list[Path]) -> str:
    wanted = source.contents or source.files
    started = [folder for folder in candidates if any(holds(folder, file.name) for file in wanted)]
    if started:
        lacking = [file.name for file in wanted if not holds(started[0], file.name)]
        return f"the copy of {source.name!r} in {started[0]} lacks {', '.join(lacking)}"
    return f"the data set {source.name!r} is not in any of {', '.join(str(folder) for folder in candidates)}"

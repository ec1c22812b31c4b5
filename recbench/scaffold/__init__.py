"""New plugins: small distributions that work as they come, for authors to fill in."""

from __future__ import annotations

import datetime
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from recbench.distribution import distribution
from recbench.scaffold.naming import check_name
from recbench.scaffold.rendering import Answers, Framework, Kind, Request, command, render
from recbench.scaffold.writing import author_by_git, write

__all__ = ["Answers", "Framework", "Kind", "Written", "new"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A distribution that was written.

    Attributes:
        folder: where it is.
        files: its files, by their paths there.
        command: what shows at work what it offers, once it is installed.
    """

    folder: Path
    files: tuple[Path, ...]
    command: str


def new(
    name: str,
    kind: Kind,
    *,
    into: Path,
    offered: Collection[str],
    author: str | None = None,
    answers: Answers = "ranker",
    framework: Framework = "none",
    force: bool = False,
) -> Written:
    """Write a distribution called `name` into a folder of that name.

    Args:
        name: of the distribution, and of what it offers.
        kind: what it offers.
        into: the folder to make its folder in.
        offered: the names of that kind that are taken.
        author: whose it is; by default whom git knows, else nobody by name.
        answers: for an algorithm, what it answers with.
        framework: for an algorithm, what it is written in.
        force: write over files that are there.

    Raises:
        RecbenchError: the name cannot be had, the folder exists, or it cannot be written.
    """
    folder = into / name
    check_name(name, kind=kind, offered=offered, folder=folder)
    request = Request(
        name=name,
        kind=kind,
        author=" ".join((author or author_by_git() or f"The authors of {name}").split()),
        year=datetime.datetime.now(tz=datetime.UTC).year,
        suite=distribution().name,
        version=distribution().version,
        answers=answers,
        framework=framework,
    )
    files = render(request)
    write(files, folder, force=force)
    return Written(folder=folder, files=tuple(map(Path, files)), command=command(request))

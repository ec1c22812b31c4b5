"""Leaderboards on disk: written from the records beside them, and held against them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from recbench import leaderboard
from recbench.errors import BadRecord, RecbenchError, UnknownName
from recbench.records import Analysis, Record, Store, write_whole


def write(
    output: Path, *, damaged: Callable[[BadRecord], object] | None = None, store: Store | None = None
) -> dict[str, Path]:
    """Write the boards and the index of all records below `output`.

    Args:
        output: the folder that holds `records/`.
        damaged: hears of each record that is passed over; without it the first one is raised.
        store: that of `output`, where one has read its records already.

    Returns:
        The board's file by the protocol's fingerprint, and the index under its own name.

    Raises:
        RecbenchError: there are no records, or the folder cannot be written to.
        BadRecord: a record is damaged, and nobody hears of it.
    """
    boards = read(output, damaged=damaged, store=store)
    for name, content in leaderboard.contents(boards).items():
        write_whole(output / name, content.encode())
    written = {str(board.protocol["fingerprint"]): output / name for name, board in boards.items()}
    return {**written, leaderboard.INDEX: output / leaderboard.INDEX}


def read(
    output: Path, *, damaged: Callable[[BadRecord], object] | None = None, store: Store | None = None
) -> Mapping[str, leaderboard.Board]:
    """The boards of all records below `output`, by the names of their files. Arguments and errors as `write`."""
    store = store or Store(output)
    return leaderboard.standings(_records(store, damaged), _analyses(store, damaged))


def read_one(
    output: Path, protocol: str | None = None, *, damaged: Callable[[BadRecord], object] | None = None
) -> leaderboard.Board:
    """The board of one protocol.

    Args:
        output: as for `write`, as is `damaged`.
        protocol: its name, or the name of the board's file without its ending, which tells protocols of one name
            apart; None: the only one.

    Raises:
        UnknownName: there is no such board.
        RecbenchError: there are several, or what `write` raises.
    """
    found = {name.removesuffix(".md"): board for name, board in read(output, damaged=damaged).items()}
    named = {stem: board for stem, board in found.items() if protocol in (None, stem, board.protocol["name"])}
    if protocol is not None and protocol in found:
        return found[protocol]
    if protocol is not None and not named:
        raise UnknownName.among("board", protocol, found, fix=f"`recbench render {output}` names the boards")
    if len(named) > 1:
        raise RecbenchError(
            f"{str(output)!r} has several boards: {', '.join(named)}", fix="say which: -p, or `protocol` in Python"
        )
    return next(iter(named.values()))


def check(output: Path) -> list[str]:
    """What of the boards on disk does not follow from the records: a sentence each."""
    return [f"{path} {what}" for path, what in differences(output, _records(Store(output)))]


def differences(output: Path, records: Sequence[Record]) -> list[tuple[Path, str]]:
    """The files in `output` that are not the boards of these records, and what is wrong with each.

    No more is read of a file than it may be long.
    """
    contents = leaderboard.files(records, Store(output).analyses()[0])
    found = [
        (output / name, "is missing" if there is None else "differs from what the records say")
        for name, content in contents.items()
        if (there := _content(output / name, len(content.encode()) + 1)) != content.encode()
    ]
    stale = sorted(path for path in output.glob("*.md") if path.name not in contents and _is_board(path))
    return found + [(path, "is a board without records: remove it") for path in stale]


def names(records: Sequence[Record]) -> tuple[str, ...]:
    """The names of the boards of these records, and of the index."""
    return (*leaderboard.file_names(records).values(), leaderboard.INDEX)


def _analyses(store: Store, damaged: Callable[[BadRecord], object] | None) -> Mapping[str, Analysis]:
    analyses, problems = store.analyses()
    for problem in problems:
        if damaged is None:
            raise problem
        damaged(problem)
    return analyses


def _is_board(path: Path) -> bool:
    start = leaderboard.MADE_BY.encode()
    return _content(path, len(start)) == start


def _content(path: Path, most: int) -> bytes | None:
    if not path.is_file():
        return None
    with path.open("rb") as file:
        return file.read(most)


def _records(store: Store, damaged: Callable[[BadRecord], object] | None = None) -> list[Record]:
    output = store.folder.parent
    if not store.folder.is_dir():
        raise RecbenchError(
            f"{str(output)!r} holds no records", fix="give the folder that `recbench run -o` wrote to, or run first"
        )
    records, problems = store.load_all()
    for problem in problems:
        if damaged is None:
            raise problem
        damaged(problem)
    if not records:
        raise RecbenchError(f"there is no record below {str(output)!r}", fix="run `recbench run` first")
    return records

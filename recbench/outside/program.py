"""A program in any language as an algorithm: it reads files, writes a file, and what it wrote is checked."""

from __future__ import annotations

import contextlib
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import IO

import numpy as np

from recbench.data import Dataset, Int32Array, Int64Array, Split
from recbench.errors import BadData
from recbench.outside.checking import lists_of
from recbench.outside.exporting import training_tables
from recbench.outside.reading import read_lists
from recbench.outside.tables import check_ids, write_text
from recbench.protocols.commands import filled
from recbench.worker.faults import InvalidResult, ProgramFault

OUT = "lists.tsv"
_LAST_LINES, _TAIL_BYTES = 3, 2000
_PATIENCE_SECONDS = 5.0


class Program:
    """Runs a command that makes lists of items.

    Args:
        command: words, the program first, with names in braces for what is put there: `{train}`, `{users}` and
            `{items}`, files as `recbench split export` writes them; `{out}`, the file to write; `{k}`, `{seed}` and
            `{threads}`.
        k: length of the lists.
        threads: how many threads it may use.
        exclude_seen: refuse lists with items that a user has in train.
        fingerprint: of the split; orders equal scores.
    """

    def __init__(self, command: list[str], *, k: int, threads: int, exclude_seen: bool, fingerprint: str) -> None:
        self._command = command
        self._k = k
        self._threads = threads
        self._exclude_seen = exclude_seen
        self._fingerprint = fingerprint

    def fit(self, train: Dataset, *, seed: int) -> None:
        """Write what there is to learn from, run the program, and read its lists.

        Raises:
            ProgramFault: the program cannot be started, or does not end well.
            InvalidResult: what it wrote is wrong; the message names the line.
        """
        split = _all_in_train(train, self._fingerprint)
        folder = Path(tempfile.mkdtemp(prefix="program-"))
        try:
            files = _write_tables(split, folder)
            values = {"out": str(folder / OUT), "k": str(self._k), "seed": str(seed), "threads": str(self._threads)}
            _carry_out(filled(self._command, files | values), folder)
            self._lists = self._read(folder, split)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def recommend(self, users: Int64Array, k: int, seen: tuple[Int64Array, Int32Array]) -> Int32Array:
        """The lists that the program made, without what new users did first, which it was not told."""
        starts, items = seen
        lists = self._lists[users]
        rows = np.arange(len(users), dtype=np.int64)
        width = np.int64(max(lists.max(initial=0), items.max(initial=0)) + 1)
        known = np.repeat(rows, np.diff(starts)) * width + items
        kept = (lists >= 0) & ~np.isin(rows[:, None] * width + lists, known)
        order = np.argsort(~kept, axis=1, kind="stable")
        cut = np.take_along_axis(np.where(kept, lists, -1), order, axis=1)[:, :k]
        return np.pad(cut, ((0, 0), (0, k - cut.shape[1])), constant_values=-1)

    def _read(self, folder: Path, split: Split) -> Int32Array:
        path = folder / OUT
        if not path.is_file():
            raise InvalidResult("the program ended well, and wrote nothing to {out}")
        try:
            entries = read_lists(path)
            longest = int(np.bincount(entries.user.codes).max())
            return lists_of(entries, split, depth=longest, exclude_seen=self._exclude_seen, candidates=None)
        except BadData as fault:
            raise InvalidResult(fault.what.replace(f"{folder}/", "")) from fault


def _all_in_train(train: Dataset, fingerprint: str) -> Split:
    """The split as a trial knows it."""
    none = np.empty(0, dtype=np.int64)
    return Split(
        dataset=train,
        fold=0,
        train_rows=np.arange(len(train.interactions)),
        validation_rows=none,
        test_rows=none,
        history_rows=none,
        fingerprint=fingerprint,
        leaks_future=None,
    )


def _write_tables(split: Split, folder: Path) -> dict[str, str]:
    """The path of each table, by its name."""
    check_ids(split.dataset.user_ids.tolist(), split.dataset.item_ids.tolist())
    files = {}
    for table in training_tables(split):
        path = folder / f"{table.name}.tsv"
        write_text(table, path)
        files[table.name] = str(path)
    return files


def _carry_out(words: Sequence[str], folder: Path) -> None:
    try:
        process = subprocess.Popen(  # noqa: S603 - the user's own protocol names it
            words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=folder
        )
    except OSError as error:
        raise ProgramFault(f"{words[0]} cannot be started: {error.strerror}") from error
    assert process.stdout is not None
    tail = bytearray()
    listener = threading.Thread(target=_pass_on, args=(process.stdout, tail), daemon=True)
    listener.start()
    try:
        code = process.wait()
    except BaseException:
        process.kill()
        raise
    listener.join(_PATIENCE_SECONDS)  # whoever it left behind may hold the pipe
    if code:
        status = "crashed" if code < 0 else "failed"
        raise ProgramFault(f"the program {_ended(code)}{_last_words(bytes(tail))}", status=status)


def _pass_on(pipe: IO[bytes], tail: bytearray) -> None:
    """Print what the program prints, as it comes, and keep the end of it."""
    with pipe:
        while piece := pipe.read1(1 << 16):  # type: ignore[attr-defined]
            sys.stdout.buffer.write(piece)
            sys.stdout.buffer.flush()
            tail += piece
            del tail[:-_TAIL_BYTES]


def _ended(code: int) -> str:
    if code > 0:
        return f"ended with exit code {code}"
    with contextlib.suppress(ValueError):
        return f"was ended by {signal.Signals(-code).name}"
    return f"was ended by signal {-code}"


def _last_words(tail: bytes) -> str:
    lines = [line.strip() for line in tail.decode("utf-8", "replace").splitlines() if line.strip()]
    return f": {' | '.join(lines[-_LAST_LINES:])}" if lines else ", and printed nothing"

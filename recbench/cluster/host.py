"""A worker's side: it keeps splits, and runs each trial as a run without a cluster does, in a process of its own.

The functions below `Host` are what the run asks a worker for, by Dask. There is one `Host` in a worker's process.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import logging
import shutil
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol

from recbench import datasets
from recbench.cluster import introductions
from recbench.cluster.frames import Damaged, describe_outcome, job_from, seal, unseal
from recbench.cluster.parcel import Contents, digest_of, unpack
from recbench.errors import RecbenchError
from recbench.execution import Job, Runner
from recbench.worker.channel import Message

LEAST_FREE_MB = 64
"""Free disk space below which a worker takes no trial."""
MOST_SPLITS = 4
"""How many splits a worker keeps."""

_MB = 1 << 20
_LOOK_SECONDS = 0.2


class _Unwanted(Exception):
    """Whoever sent a trial is gone, or does not want it any more."""


class Errand(Protocol):
    """What a trial on a worker is to whoever sent it."""

    def is_wanted(self) -> bool:
        """Whether anybody still waits for it."""

    def stage(self, stage: str) -> None:
        """Say which step it is in."""


class Host:
    """Splits by digest, those longest out of use dropped first; and runners that wait for the next trial."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._arriving: dict[tuple[str, str], bytearray] = {}
        self._kept: OrderedDict[str, Contents] = OrderedDict()
        self._idle: dict[str, list[Runner]] = {}
        self._folder: str | None = None

    def receive(self, topic: str, digest: str, head: str, size: int, offset: int, piece: bytes) -> None:
        """Take a piece of a parcel; with the last one it is checked and kept.

        Raises:
            Damaged: what arrived is not what was sent.
        """
        with self._lock:
            content = bytearray(size) if offset == 0 else self._arriving.pop((topic, digest))
            content[offset : offset + len(piece)] = piece
            if offset + len(piece) < size:
                self._arriving[topic, digest] = content
                return
        if digest_of(head, content) != digest:
            raise Damaged("the data of a split arrived damaged")
        with self._lock:
            self._kept[digest] = unpack(head, content)
            while len(self._kept) > MOST_SPLITS:
                self._kept.popitem(last=False)

    def answer(self, order: Message, errand: Errand) -> Message:
        """Do what the run asks for. Whatever is wrong with this worker, and not with the trial, is "unfit"."""
        try:
            _see_to_disk()
            return self._check(order) if order.kind == "check" else self._run(order, errand)
        except RecbenchError as error:
            return Message(kind="unfit", values={"reason": error.what})
        except OSError as error:
            return Message(kind="unfit", values={"reason": str(error)})

    def leave(self) -> None:
        """Drop what is kept, and end the processes that wait for trials."""
        with self._lock:
            idle = [runner for runners in self._idle.values() for runner in runners]
            self._idle.clear()
            self._kept.clear()
            self._arriving.clear()
        for runner in idle:
            runner.__exit__(None, None, None)

    def _check(self, order: Message) -> Message:
        with self._runner(order.values["settings"]) as runner:
            return Message(kind="checked", values={"reason": runner.check(self._job(order, None))})

    def _run(self, order: Message, errand: Errand) -> Message:
        with self._lock:
            contents = self._kept.get(order.values["parcel"])
            if contents is None:
                return Message(kind="missing")
            self._kept.move_to_end(order.values["parcel"])
        job = self._job(order, contents)
        try:
            with self._runner(order.values["settings"]) as runner, _watching(errand, runner.cancel):
                outcome = runner.run(job, contents.split, on_stage=errand.stage)
        except _Unwanted:
            self.leave()
            return Message(kind="cancelled")
        assert outcome is not None
        return describe_outcome(outcome)

    def _job(self, order: Message, contents: Contents | None) -> Job:
        return job_from(order.values["job"], contents.candidates if contents else None, self._keep_file)

    @contextlib.contextmanager
    def _runner(self, settings: Mapping[str, Any]) -> Iterator[Runner]:
        """A runner of one slot for one trial. It waits for the next one, unless something went wrong."""
        key = repr(sorted(settings.items()))
        with self._lock:
            waiting = self._idle.setdefault(key, [])
            runner = waiting.pop() if waiting else None
        if runner is None:
            runner = _make_runner(settings).__enter__()
        try:
            yield runner
        except BaseException:
            runner.__exit__(None, None, None)
            raise
        with self._lock:
            self._idle.setdefault(key, []).append(runner)

    def _keep_file(self, name: str, text: str) -> Path:
        """A single-file plugin, in a folder named by its content."""
        with self._lock:
            if self._folder is None:
                self._folder = tempfile.mkdtemp(prefix="recbench-plugins-")
                atexit.register(shutil.rmtree, self._folder, ignore_errors=True)
            content = text.encode("utf-8", "surrogateescape")
            path = Path(self._folder, sha256(content).hexdigest()[:16], Path(name).name)
            if not path.is_file():
                path.parent.mkdir(exist_ok=True)
                path.write_bytes(content)
            return path


def _make_runner(settings: Mapping[str, Any]) -> Runner:
    hidden = [path for each in settings["hidden"] if (path := Path(each)).exists()]
    own = [path for path in datasets.folders(None) if path.is_dir()]
    return Runner(threads=settings["threads"], sandbox=settings["sandbox"], hidden=(*hidden, *own))


def _see_to_disk() -> None:
    """See that trials have room for their files: without, they would fail for no fault of theirs.

    Raises:
        RecbenchError: the disk is full.
    """
    folder = tempfile.gettempdir()
    free = shutil.disk_usage(folder).free // _MB
    if free < LEAST_FREE_MB:
        raise RecbenchError(
            f"its disk is full: {free} MB are free in {folder}, and {LEAST_FREE_MB} are needed", fix="free some space"
        )


@contextlib.contextmanager
def _watching(errand: Errand, stop: Callable[[], None]) -> Iterator[None]:
    """Stop what runs inside as soon as nobody waits for it.

    Raises:
        _Unwanted: nobody does.
    """
    over, unwanted = threading.Event(), threading.Event()

    def look() -> None:
        while not over.wait(_LOOK_SECONDS):
            if not errand.is_wanted():
                unwanted.set()
                stop()
                return

    watcher = threading.Thread(target=look, name="recbench-errand", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()
    if unwanted.is_set():
        raise _Unwanted


class _Task:
    """A task of Dask as an errand. Where the run, its interest or the scheduler is gone, Dask cancels it here."""

    def __init__(self, topic: str) -> None:
        import distributed

        self._worker: Any = distributed.get_worker()
        self._key = self._worker.get_current_task()
        self._topic = topic

    def is_wanted(self) -> bool:
        task = self._worker.state.tasks.get(self._key)
        is_cancelled = task is None or task.state == "cancelled"
        return not is_cancelled and self._worker.status.name == "running"

    def stage(self, stage: str) -> None:
        self._worker.log_event(self._topic, {"key": str(self._key), "stage": stage})


_HOST = Host()


def carry_out(order: bytes) -> bytes:
    """Run a trial, or check its parameters: what is submitted to a worker."""
    try:
        message = unseal(order)
        return seal(_HOST.answer(message, _Task(message.values["topic"])))
    except Exception as error:  # Dask keeps to itself what it cannot pickle
        logging.getLogger("distributed.worker").exception("recbench: an order could not be carried out")
        return seal(Message(kind="unfit", values={"reason": f"{type(error).__name__}: {error}"}))


async def introduce(asked: Mapping[str, Any], dask_worker: Any) -> dict[str, Any]:
    """What this worker is, for the run to judge."""
    answer = await asyncio.to_thread(introductions.introduce, asked)
    limit = dask_worker.memory_manager.memory_limit
    return {
        **answer,
        "name": str(dask_worker.name),
        "threads": dask_worker.state.nthreads,
        "memory_mb": (limit or _physical_bytes()) // _MB,
    }


async def receive(topic: str, digest: str, head: str, size: int, offset: int, piece: bytes) -> None:
    """Take a piece of a split's data."""
    await asyncio.to_thread(_HOST.receive, topic, digest, head, size, offset, piece)


async def leave() -> None:
    """Forget the run."""
    await asyncio.to_thread(_HOST.leave)


def _physical_bytes() -> int:
    import psutil

    return int(psutil.virtual_memory().total)

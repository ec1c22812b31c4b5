"""A cluster that a run starts for itself: a file that names one of Dask's cluster classes, and what comes of it."""

from __future__ import annotations

import contextlib
import importlib
import logging
import re
import signal
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from recbench.errors import RecbenchError
from recbench.protocols.document import read
from recbench.protocols.readers import Unfit, anything, close, positive, table_of, whole
from recbench.protocols.sections import Section

_KEYS = ("class", "workers", "wait_seconds", "options")
_USUAL_WAIT_SECONDS = 3600.0
_INTERFACE = ("scale", "close", "scheduler_address")
_LONGEST = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How to start a cluster.

    Attributes:
        file: where it is written.
        target: "module.Class", as in "dask_jobqueue.SLURMCluster".
        workers: how many to ask for.
        options: keyword arguments of the class.
        wait_seconds: how long a run waits for a worker where there is none: as long as a queue may take.
    """

    file: Path
    target: str
    workers: int
    options: Mapping[str, Any]
    wait_seconds: float

    @classmethod
    def load(cls, file: Path) -> Recipe:
        """Read a file.

        Raises:
            BadProtocol: it cannot be read, is not TOML, or says what cannot be meant.
        """
        top = Section(path=file, name="", values=read(file))
        for key in top.values:
            if key not in _KEYS:
                raise top.error(f"{key} is not a key{close(key, _KEYS)}", fix=f"use {', '.join(_KEYS)}, or remove it")
        return cls(
            file=file,
            target=top.required("class", _class_name),
            workers=top.required("workers", whole(least=1)),
            options=top.optional("options", table_of(anything), default={}),
            wait_seconds=top.optional("wait_seconds", positive, default=_USUAL_WAIT_SECONDS),
        )

    def make(self) -> Any:
        """The cluster, without workers so far.

        Raises:
            RecbenchError: there is no such class, it is none of a cluster, or it does not take the options.
        """
        made = self._class()
        try:
            return made(**self.options)
        except Exception as error:  # foreign code; the reason is shown
            raise RecbenchError(
                f"{self.target} could not be started with the options in {self.file}: {in_a_line(error)}",
                fix="correct [options], whose keys are the keyword arguments of the class",
            ) from error

    def _class(self) -> Any:
        module, _, name = self.target.rpartition(".")
        try:
            with _ctrl_c_left_alone():
                found = getattr(importlib.import_module(module), name)
        except Exception as error:  # a foreign module may raise anything
            package = module.partition(".")[0].replace("_", "-")
            raise RecbenchError(
                f"{self.file}: class {self.target!r} cannot be imported: {in_a_line(error)}",
                fix=f"pip install {package}, or correct the name, as in dask_jobqueue.SLURMCluster",
            ) from error
        if not (isinstance(found, type) and all(hasattr(found, each) for each in _INTERFACE)):
            raise RecbenchError(
                f"{self.file}: {self.target!r} is not a cluster class of Dask's kind: it needs "
                f"{', '.join(_INTERFACE[:-1])} and {_INTERFACE[-1]}",
                fix="name one that has them, as in dask_jobqueue.SLURMCluster",
            )
        return found


class Overheard(logging.Handler):
    """The last error that a cluster met in its own loop: it goes to a log, and the cluster goes on without workers.

    A context manager, which keeps these errors off the screen.
    """

    def __init__(self) -> None:
        super().__init__()
        self.error: BaseException | None = None
        self._log = logging.getLogger("tornado.application")
        self._others: list[logging.Handler] = []

    def __enter__(self) -> Overheard:
        self._others, self._log.handlers = self._log.handlers, [self]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._log.handlers = self._others

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the error of a line of the log."""
        if record.exc_info is not None:
            self.error = record.exc_info[1]


@contextlib.contextmanager
def _ctrl_c_left_alone() -> Iterator[None]:
    """What Ctrl-C does stays as it was: dask-jobqueue, as it is imported, makes it a silent exit with code 0."""
    before = signal.getsignal(signal.SIGINT)
    try:
        yield
    finally:
        if signal.getsignal(signal.SIGINT) is not before:
            signal.signal(signal.SIGINT, before)


def _class_name(value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"\w+(\.\w+)+", value):
        raise Unfit(value, 'the name of a class with its module, as in "dask_jobqueue.SLURMCluster"')
    return value


def in_a_line(error: BaseException) -> str:
    """The kind and the message of a foreign error, in one line of a bearable length."""
    words = " ".join(f"{type(error).__name__}: {error}".split())
    return words if len(words) <= _LONGEST else f"{words[: _LONGEST - 3]}..."

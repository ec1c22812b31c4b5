"""The process of one trial: cut loose from the fork server, limited, and ended as soon as the trial is."""

from __future__ import annotations

import contextlib
import ctypes
import faulthandler
import io
import os
import resource
import signal
import socket
import sys
import tempfile
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from recbench.worker import trial
from recbench.worker.channel import Channel, Message
from recbench.worker.faults import describe
from recbench.worker.processes import die_with
from recbench.worker.sharing import attach

_MB = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What the kernel enforces beside what the run watches.

    Attributes:
        memory_mb: the run's limit of private memory. The kernel's is four times that, over address space: a backstop
            for bursts between two looks, since frameworks reserve much more than they use.
        output_mb: greatest size of a file.
    """

    memory_mb: int
    output_mb: int

    def apply(self) -> None:
        """Limit this process, and those it starts."""
        _limit(resource.RLIMIT_DATA, 4 * self.memory_mb * _MB)
        _limit(resource.RLIMIT_FSIZE, self.output_mb * _MB)
        _limit(resource.RLIMIT_CORE, 0)


def run_forked(*, channel: int, output: int, data: int, parent: int, folder: str, limits: Limits) -> NoReturn:
    """Become the process of a trial, right after a fork, and never come back."""
    try:
        os.setsid()
        die_with(parent)
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        with open(os.devnull) as nothing:
            os.dup2(nothing.fileno(), 0)
        os.dup2(output, 1)
        os.dup2(output, 2)
        _close_all_but({0, 1, 2, channel, data})
        run(channel=channel, data=data, folder=folder, limits=limits)
    except BaseException:  # nothing may get back into the server's loop
        traceback.print_exc()
    finally:
        os._exit(1)


def run(*, channel: int, data: int, folder: str, limits: Limits) -> NoReturn:
    """Run the trial that the channel asks for. Ends this process without any clean-up that could hang."""
    os.chdir(folder)
    os.environ["TMPDIR"] = folder
    tempfile.tempdir = None
    limits.apply()
    sys.stdout, sys.stderr = _text_stream(1), _text_stream(2)
    faulthandler.enable()
    _serve(Channel(socket.socket(fileno=channel)), data)
    _flush()
    os._exit(0)


def _serve(channel: Channel, data: int) -> None:
    request = channel.receive()
    progress = trial.Progress(parent=channel)
    os.environ.update(request.values.get("environment", {}))
    sys.path += [folder for folder in request.values["path"] if folder not in sys.path]
    try:
        _obey(request, data, progress)
    except BaseException as error:  # SystemExit and KeyboardInterrupt too: a plugin raised it, whatever it is
        values = describe(error, progress.step)
        channel.tell(Message(kind="fault", values=values))


def _obey(request: Message, data: int, progress: trial.Progress) -> None:
    job: Mapping[str, Any] = request.values
    if request.kind == "check":
        trial.check(job)
        progress.parent.tell(Message(kind="done"))
        return
    arrays = attach(data, job["layout"])
    os.close(data)
    trial.conduct(job, trial.Parts.of(job, arrays), progress)


def _limit(kind: int, most: int) -> None:
    """Lower a limit, as far as it is not lower already."""
    _, hard = resource.getrlimit(kind)
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    with contextlib.suppress(ValueError, OSError):  # macOS refuses some
        resource.setrlimit(kind, (most, most))


def _close_all_but(kept: set[int]) -> None:
    folder = "/proc/self/fd" if os.path.isdir("/proc/self/fd") else "/dev/fd"
    for descriptor in map(int, os.listdir(folder)):
        if descriptor not in kept:
            with contextlib.suppress(OSError):  # the one that listed the folder
                os.close(descriptor)


def _text_stream(descriptor: int) -> io.TextIOWrapper:
    """Line by line, so that what was printed before a crash is not lost."""
    raw = io.FileIO(descriptor, "w", closefd=False)
    return io.TextIOWrapper(io.BufferedWriter(raw), encoding="utf-8", errors="replace", line_buffering=True)


def _flush() -> None:
    """What Python and C still hold back goes out, since `_exit` would drop it."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):  # a plugin may have put anything there
            stream.flush()
    with contextlib.suppress(Exception):
        ctypes.CDLL(None).fflush(None)

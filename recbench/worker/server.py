"""The fork server: a process that has only imported things, and starts each trial as a child of its own.

It holds no data. It becomes the parent of whatever a trial leaves behind, ends that, and tells the run how the trial
ended. When the run is gone it ends everything below it, and itself.
"""

from __future__ import annotations

import contextlib
import gc
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from typing import Any

from recbench.worker.channel import Decoder, Message, encode
from recbench.worker.process import Limits, run_forked
from recbench.worker.processes import IS_LINUX, adopt_orphans, descendants

_PATIENCE_SECONDS = 10.0
_MOST_DESCRIPTORS = 8


class Server:
    """Runs one trial at a time.

    Args:
        control: the socket to the run.
        home: a folder of this server's own, for the working folders of its trials.
        fresh: start an interpreter for each trial, where a fork is not safe.
    """

    def __init__(self, control: socket.socket, *, home: str, fresh: bool) -> None:
        self._control = control
        self._home = home
        self._fresh = fresh
        self._decoder = Decoder(text_limit=1 << 20, array_limit=0)
        self._descriptors: list[int] = []
        self._child: int | None = None
        self._folder = ""
        self._cpu_seconds = 0.0
        self._wake, wake_end = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC) if IS_LINUX else os.pipe()
        os.set_blocking(self._wake, False)
        os.set_blocking(wake_end, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wake_end, warn_on_full_buffer=False)

    def serve(self) -> None:
        """Take requests until the run is gone."""
        adopt_orphans()
        gc.freeze()
        self._tell("ready", pid=os.getpid())
        while True:
            ready, _, _ = select.select([self._control.fileno(), self._wake], [], [])
            if self._wake in ready:
                with contextlib.suppress(BlockingIOError):
                    os.read(self._wake, 1 << 12)
                self._reap()
            if self._control.fileno() in ready and not self._obey():
                break
        self._end_all()
        shutil.rmtree(self._home, ignore_errors=True)

    def _obey(self) -> bool:
        """Do what the run asks for; False when it is gone."""
        try:
            piece, descriptors, _, _ = socket.recv_fds(self._control, 1 << 16, _MOST_DESCRIPTORS)
        except ConnectionError:
            return False
        self._descriptors += descriptors
        for message in self._decoder.feed(piece):
            if message.kind == "start":
                self._start(message.values)
            elif self._child is not None:
                _kill_group(self._child)
                self._kill_descendants()
        return bool(piece)

    def _start(self, values: Mapping[str, Any]) -> None:
        channel, output, data = self._descriptors
        self._folder = tempfile.mkdtemp(prefix="trial-", dir=self._home)
        self._cpu_seconds = 0.0
        limits = Limits(memory_mb=values["memory_mb"], output_mb=values["output_mb"])
        if self._fresh:
            self._child = self._spawn(channel, output, data, limits)
        else:
            parent = os.getpid()
            self._child = os.fork()
            if self._child == 0:
                run_forked(channel=channel, output=output, data=data, parent=parent, folder=self._folder, limits=limits)
        for descriptor in self._descriptors:
            os.close(descriptor)
        self._descriptors = []

    def _spawn(self, channel: int, output: int, data: int, limits: Limits) -> int:
        numbers = map(str, (channel, data, limits.memory_mb, limits.output_mb, os.getpid()))
        process = subprocess.Popen(  # noqa: S603 - our own interpreter
            [sys.executable, "-P", "-m", "recbench.worker", "trial", self._folder, *numbers],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=self._folder,
            pass_fds=(channel, data),
            start_new_session=True,
        )
        process.returncode = 0  # it is waited for here, not by subprocess
        return process.pid

    def _reap(self) -> None:
        """Take in who has ended: the trial itself, or orphans of it."""
        while (ended := self._wait(os.WNOHANG)) is not None:
            pid, code = ended
            if pid == self._child:
                self._end_all()
                self._child = None
                shutil.rmtree(self._folder, ignore_errors=True)
                self._tell("ended", code=code, cpu_seconds=self._cpu_seconds)

    def _wait(self, options: int) -> tuple[int, int] | None:
        try:
            pid, status, usage = os.wait4(-1, options)
        except ChildProcessError:
            return None
        if pid == 0:
            return None
        self._cpu_seconds += usage.ru_utime + usage.ru_stime
        return pid, os.waitstatus_to_exitcode(status)

    def _end_all(self) -> None:
        """Kill everything below this process and take it in, new ones included, until nothing is left."""
        end = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < end:
            if self._child is not None and not IS_LINUX:
                _kill_group(self._child)
            below = self._kill_descendants()
            while self._wait(os.WNOHANG) is not None:
                pass
            if not below:
                return
            time.sleep(0.001)

    def _kill_descendants(self) -> list[int]:
        below = descendants(os.getpid())
        for pid in below:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return below

    def _tell(self, kind: str, **values: Any) -> None:
        with contextlib.suppress(OSError):  # the run is gone: the next read says so
            self._control.sendall(encode(Message(kind=kind, values=values)))


def _kill_group(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)

"""A place where trials run one after the other: a fork server, started anew when a trial takes it down."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from recbench.elsewhere import ANOTHERS
from recbench.errors import RecbenchError
from recbench.worker.channel import Decoder, Message, encode
from recbench.worker.processes import IS_LINUX

_START_SECONDS = 60.0
_END_SECONDS = 15.0
_TOKEN = "RECBENCH_SLOT"  # noqa: S105 - a mark by which to find what a trial left behind, no secret
_THREADS = (
    "BLIS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "TF_NUM_INTEROP_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)
# What outside settings could change results by, or get between a trial and its limits.
_LEFT_OUT = ("RECBENCH_", "OMP_", "GOTO_", "OPENBLAS_", "MKL_", "BLIS_", "KMP_", "NUMEXPR_", "NUMBA_NUM_", "TF_NUM_")
_LEFT_OUT_NAMES = ("PYTHONINSPECT", "PYTHONSTARTUP", "PYTHONOPTIMIZE", "PYTHONWARNINGS", "PYTHONDEVMODE", "TMPDIR")


class SlotLost(Exception):
    """The server of a slot has ended."""


class Sandbox:
    """How a slot is cut off from network and folders: by namespaces, or by bubblewrap where only that may make them.

    Attributes:
        hidden: what is to be out of reach.
        bubblewrap: the program, or None for namespaces of our own.
    """

    def __init__(self, *, hidden: Sequence[Path], bubblewrap: str | None) -> None:
        self.hidden = hidden
        self.bubblewrap = bubblewrap

    def prefix(self) -> list[str]:
        """What stands before the server's own command."""
        if self.bubblewrap is None:
            return []
        covers = [option for path in self.hidden for option in _cover(path)]
        cuts = ["--unshare-user", "--unshare-net", "--unshare-ipc", "--cap-drop", "ALL"]
        return [self.bubblewrap, "--dev-bind", "/", "/", *covers, *cuts]


class Slot:
    """A fork server, and the socket to it.

    Args:
        threads: how many the libraries of a trial may use.
        sandbox: how to cut it off, or None.
        fresh: an interpreter for each trial instead of a fork. Where a fork is unsafe it is so anyway.
        python: the executable of another interpreter; None: this one.
        frameworks: modules that the server imports, so that trials need not.
    """

    def __init__(
        self,
        *,
        threads: int,
        sandbox: Sandbox | None,
        fresh: bool = False,
        python: Path | None = None,
        frameworks: Sequence[str] = (),
    ) -> None:
        self._threads = threads
        self._sandbox = sandbox
        self._fresh = fresh or not IS_LINUX
        self._python = python
        self._frameworks = [] if self._fresh else list(frameworks)
        self._token = ""
        self._home = ""
        self._process: subprocess.Popen[bytes] | None = None
        self._decoder = Decoder(text_limit=1 << 16, array_limit=0)
        self.pid: int | None = None
        self.control: socket.socket | None = None

    def start(self) -> None:
        """Start the server without waiting for it."""
        self._token = uuid.uuid4().hex
        self._home = tempfile.mkdtemp(prefix="recbench-")
        self._decoder = Decoder(text_limit=1 << 16, array_limit=0)
        self.control, other = socket.socketpair()
        with other, open(f"{self._home}/errors", "wb") as errors:
            prefix = self._sandbox.prefix() if self._sandbox else []
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter
                [*prefix, self._executable, "-P", "-m", "recbench.worker", "server", str(other.fileno())],
                stdin=subprocess.PIPE,
                stdout=errors,
                stderr=errors,
                cwd=self._home,
                env=environment(self._outside(), threads=self._threads) | {_TOKEN: self._token},
                pass_fds=(other.fileno(),),
                start_new_session=True,
            )
        self._greet()

    def await_ready(self) -> None:
        """Wait until the server has imported what it needs.

        Raises:
            RecbenchError: it did not start.
        """
        if self.pid is not None:
            return
        if self._process is None:
            self.start()
        assert self.control is not None
        self.control.settimeout(_START_SECONDS)
        try:
            messages: list[Message] = []
            while not messages:
                messages = self.read()
            self.pid = int(messages[0].values["pid"])
        except (SlotLost, TimeoutError):
            problem = Path(f"{self._home}/errors").read_text(errors="replace").strip()
            self.destroy()
            raise _cannot_start(problem, self._sandbox, self._executable) from None
        self.control.settimeout(None)

    def send(self, kind: str, descriptors: Sequence[int] = (), **values: Any) -> None:
        """Tell the server something.

        Raises:
            SlotLost: it is gone.
        """
        assert self.control is not None
        try:
            socket.send_fds(self.control, [encode(Message(kind=kind, values=values))], descriptors)
        except OSError as error:
            raise SlotLost from error

    def read(self) -> list[Message]:
        """Take what the server says.

        Raises:
            SlotLost: it is gone.
        """
        assert self.control is not None
        try:
            piece = self.control.recv(1 << 16)
        except ConnectionError as error:
            raise SlotLost from error
        if not piece:
            raise SlotLost
        return list(self._decoder.feed(piece))

    def close(self) -> None:
        """Let the server end everything below it, and itself."""
        if self._process is None:
            return
        if self.control is not None:
            self.control.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_END_SECONDS)
        self.destroy()

    def destroy(self) -> None:
        """End the server and whatever carries its token. It starts anew when the slot is used again."""
        if self._process is None:
            return
        if self.control is not None:
            self.control.close()
        lost = self._process.poll() is None or self._process.returncode != 0
        self._process.kill()
        self._process.wait()
        if lost:
            _kill_bearers(self._token)
        shutil.rmtree(self._home, ignore_errors=True)
        self._process = self.control = self.pid = None

    @property
    def _executable(self) -> str:
        return sys.executable if self._python is None else str(self._python)

    def _outside(self) -> Mapping[str, str]:
        if self._python is None:
            return os.environ
        return {name: value for name, value in os.environ.items() if name not in ANOTHERS}

    def _greet(self) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        hidden = [] if self._sandbox is None else [str(path) for path in self._sandbox.hidden]
        hides_itself = self._sandbox is not None and self._sandbox.bubblewrap is None
        hello = {
            "home": self._home,
            "sandbox": hides_itself,
            "hidden": hidden,
            "fresh": self._fresh,
            "frameworks": self._frameworks,
        }
        with contextlib.suppress(BrokenPipeError):  # it has ended: the wait for it says why
            self._process.stdin.write(json.dumps(hello).encode())
            self._process.stdin.close()


def environment(outside: Mapping[str, str], *, threads: int) -> dict[str, str]:
    """The environment of a trial: that of the run, with the number of threads and the hash seed set by us."""
    kept = {
        name: value for name, value in outside.items() if not name.startswith(_LEFT_OUT) and name not in _LEFT_OUT_NAMES
    }
    return kept | dict.fromkeys(_THREADS, str(threads)) | {"PYTHONHASHSEED": "0"}


def find_sandbox(hidden: Sequence[Path]) -> Sandbox:
    """A way to cut trials off that works here, tried out.

    Raises:
        RecbenchError: there is none.
    """
    hidden = [path.resolve() for path in hidden]
    ways = [Sandbox(hidden=hidden, bubblewrap=None)]
    if program := shutil.which("bwrap"):
        ways.append(Sandbox(hidden=hidden, bubblewrap=program))
    problem: RecbenchError | None = None
    for way in ways if IS_LINUX else ():
        slot = Slot(threads=1, sandbox=way)
        try:
            slot.await_ready()
        except RecbenchError as error:
            problem = error
        else:
            return way
        finally:
            slot.close()
    raise problem or RecbenchError(
        "no sandbox: this system has no namespaces", fix="run without --sandbox, or on Linux; records say which it was"
    )


def _cannot_start(problem: str, sandbox: Sandbox | None, executable: str) -> RecbenchError:
    lines = problem.splitlines()
    last = lines[-1] if lines else "it said nothing"
    if sandbox is not None:
        fix = "install bubblewrap, allow unprivileged user namespaces, or run without --sandbox"
    else:
        fix = f"see that `{executable} -P -m recbench.worker` can import recbench, numpy and scipy"
    return RecbenchError(f"the process that runs trials did not start: {last}", fix=fix)


def _cover(path: Path) -> list[str]:
    if path.is_dir():
        return ["--tmpfs", str(path)]
    return ["--ro-bind", "/dev/null", str(path)] if path.exists() else []


def _kill_bearers(token: str) -> None:
    """Kill every process whose environment has the token: what the server of a slot can no longer end itself."""
    import psutil

    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.environ().get(_TOKEN) == token:
                process.send_signal(signal.SIGKILL)

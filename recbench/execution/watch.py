"""Watches one trial from its start to its end: what it says, what it prints, its time and its memory."""

from __future__ import annotations

import contextlib
import os
import selectors
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event
from typing import Literal, TypeAlias

from recbench.execution.conversation import Talk
from recbench.execution.memory import private_bytes
from recbench.execution.printed import Printed
from recbench.execution.slot import Slot, SlotLost
from recbench.worker.channel import Decoder, Garbled, Message, encode

Cause: TypeAlias = Literal["itself", "timeout", "memory", "output", "garbled", "server", "cancelled"]

_LOOK_SECONDS = 0.05
_PATIENCE_SECONDS = 15.0
_MB = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What a trial may take."""

    seconds: float
    memory_mb: int
    output_mb: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a trial ended.

    Attributes:
        cause: who ended it: itself, or we for a reason.
        code: its exit code, negative for a signal; None where nobody was left to tell.
        note: more about the cause.
    """

    cause: Cause
    code: int | None
    note: str
    cpu_seconds: float | None
    wall_seconds: float
    peak_bytes: int
    printed: str


class Watch:
    """One trial in one slot.

    Args:
        shared: size of the training data that the trial maps.
        cancelled: set when the run is to stop.
    """

    def __init__(self, slot: Slot, talk: Talk, bounds: Bounds, *, shared: int, cancelled: Event) -> None:
        self._slot = slot
        self._talk = talk
        self._bounds = bounds
        self._shared = shared
        self._cancelled = cancelled
        self._decoder = Decoder(text_limit=_MB, array_limit=talk.array_limit)
        self._printed = Printed()
        self._outgoing = bytearray(encode(talk.request()))
        self._cause: Cause = "itself"
        self._note = ""
        self._killed_at: float | None = None
        self._code: int | None = None
        self._cpu_seconds: float | None = None
        self._has_ended = False
        self._peak = 0
        self._next_look = 0.0
        self._start = time.monotonic()
        self._selector = selectors.DefaultSelector()

    def carry_out(self, data: int) -> Ended:
        """Start the trial with the training data in `data`, and stay until it has ended."""
        channel, child_end = socket.socketpair()
        output, child_output = os.pipe()
        try:
            with channel, child_end:
                channel.settimeout(0)
                os.set_blocking(output, False)
                self._start_trial((child_end.fileno(), child_output, data))
                child_end.close()
                os.close(child_output)
                self._loop(channel, output)
                self._drain(channel, output)
        finally:
            os.close(output)
            self._selector.close()
        return self._ended()

    def _start_trial(self, descriptors: tuple[int, int, int]) -> None:
        try:
            self._slot.send("start", descriptors, memory_mb=self._bounds.memory_mb, output_mb=self._bounds.output_mb)
        except SlotLost:
            self._lose()

    def _loop(self, channel: socket.socket, output: int) -> None:
        if self._has_ended:
            return
        assert self._slot.control is not None
        handlers: dict[int, Callable[[], None]] = {
            channel.fileno(): lambda: self._exchange(channel),
            output: lambda: self._listen(output),
            self._slot.control.fileno(): self._hear_server,
        }
        for descriptor in handlers:
            self._selector.register(descriptor, selectors.EVENT_READ)
        self._selector.modify(channel, selectors.EVENT_READ | selectors.EVENT_WRITE)
        while not self._has_ended:
            for key, _ in self._selector.select(_LOOK_SECONDS):
                handlers[key.fd]()
            self._look()

    def _exchange(self, channel: socket.socket) -> None:
        """Take what the trial says, and send what waits to be sent."""
        try:
            if self._outgoing:
                with contextlib.suppress(BlockingIOError):
                    del self._outgoing[: channel.send(self._outgoing)]
            piece = channel.recv(1 << 18)
        except BlockingIOError:
            piece = None
        except ConnectionError:
            piece = b""
        if piece == b"":  # it hung up: the server will tell how it ended
            self._selector.unregister(channel)
            return
        if piece:
            self._take(piece)
        self._selector.modify(channel, selectors.EVENT_READ | (selectors.EVENT_WRITE if self._outgoing else 0))

    def _take(self, piece: bytes) -> None:
        if self._killed_at is not None:
            return
        self._next_look = 0.0  # a trial that says something is at a turning point
        try:
            for message in self._decoder.feed(piece):
                self._reply(self._talk.answer(message))
        except Garbled as error:
            self._kill("garbled", str(error))

    def _reply(self, answer: Message | None) -> None:
        if answer is not None:
            self._measure()
            self._outgoing += encode(answer)

    def _listen(self, output: int) -> None:
        piece = os.read(output, 1 << 16)
        self._printed.add(piece)
        if not piece:
            self._selector.unregister(output)
        elif self._printed.n_bytes > self._bounds.output_mb * _MB:
            self._kill("output")

    def _hear_server(self) -> None:
        try:
            for message in self._slot.read():
                if message.kind == "ended":
                    self._code = message.values["code"]
                    self._cpu_seconds = message.values["cpu_seconds"]
                    self._has_ended = True
        except (SlotLost, Garbled):
            self._lose()

    def _look(self) -> None:
        """See to the limits, at most every 50 ms."""
        now = time.monotonic()
        if self._has_ended or now < self._next_look:
            return
        self._next_look = now + _LOOK_SECONDS
        self._measure()
        if self._killed_at is not None:
            if now > self._killed_at + _PATIENCE_SECONDS:
                self._lose()
        elif self._cancelled.is_set():
            self._kill("cancelled")
        elif self._peak > self._bounds.memory_mb * _MB:
            self._kill("memory")
        elif now > self._start + self._bounds.seconds:
            self._kill("timeout")

    def _measure(self) -> None:
        if self._slot.pid is not None:
            self._peak = max(self._peak, private_bytes(self._slot.pid, shared=self._shared))

    def _kill(self, cause: Cause, note: str = "") -> None:
        """Have the server kill the trial, unless that is on its way already."""
        if self._killed_at is not None:
            return
        self._cause, self._note, self._killed_at = cause, note, time.monotonic()
        try:
            self._slot.send("kill")
        except SlotLost:
            self._lose()

    def _lose(self) -> None:
        """The server is gone, or does not answer: clear away what is left of it."""
        if self._cause == "itself":
            self._cause = "server"
        self._has_ended = True
        self._slot.destroy()

    def _drain(self, channel: socket.socket, output: int) -> None:
        """Take what was said and printed before the end."""
        if self._cause == "itself":
            with contextlib.suppress(OSError):
                while piece := channel.recv(1 << 18):
                    self._take(piece)
        with contextlib.suppress(BlockingIOError):
            while piece := os.read(output, 1 << 16):
                self._printed.add(piece)

    def _ended(self) -> Ended:
        return Ended(
            cause=self._cause,
            code=self._code,
            note=self._note,
            cpu_seconds=self._cpu_seconds,
            wall_seconds=time.monotonic() - self._start,
            peak_bytes=self._peak,
            printed=self._printed.text(),
        )

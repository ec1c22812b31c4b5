"""Frames between a run and its workers: a header, values in JSON, and the bytes of arrays. Nothing is ever pickled.

A frame is a magic number, the length of the JSON text (4 bytes) and of the arrays (8 bytes), then both. Sizes are
checked before anything is allocated, since what comes from a trial may be anything.
"""

from __future__ import annotations

import json
import math
import socket
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

_MAGIC = b"RBF1"
_HEAD = struct.Struct("<4sIQ")
_TYPES = frozenset({"<i4", "<i8", "<f4", "<f8"})
_CHUNK = 1 << 18


class Garbled(ValueError):
    """What came is not a frame, or not one that is allowed here."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Message:
    """One frame.

    Attributes:
        kind: what it says.
        values: JSON values.
        arrays: int32, int64, float32 or float64, of any shape.
    """

    kind: str
    values: Mapping[str, Any] = field(default_factory=dict)
    arrays: Mapping[str, NDArray[Any]] = field(default_factory=dict)


def encode(message: Message) -> bytes:
    """The frame of `message`."""
    arrays = {name: _little_endian(array) for name, array in message.arrays.items()}
    shapes = {name: [array.dtype.str, *array.shape] for name, array in arrays.items()}
    text = json.dumps({"kind": message.kind, "values": dict(message.values), "arrays": shapes}).encode()
    payload = [array.tobytes() for array in arrays.values()]
    return b"".join([_HEAD.pack(_MAGIC, len(text), sum(map(len, payload))), text, *payload])


class Decoder:
    """Puts frames together from whatever pieces they come in.

    Args:
        text_limit: bytes of JSON a frame may have.
        array_limit: bytes of arrays a frame may have.
    """

    def __init__(self, *, text_limit: int, array_limit: int) -> None:
        self._text_limit = text_limit
        self._array_limit = array_limit
        self._buffer = bytearray()

    def feed(self, piece: bytes) -> Iterator[Message]:
        """Take the next bytes; give the frames that are complete, those before anything garbled included.

        Raises:
            Garbled: the bytes are no frame, or one beyond the limits.
        """
        self._buffer += piece
        while (message := self._next()) is not None:
            yield message

    def _next(self) -> Message | None:
        if len(self._buffer) < _HEAD.size:
            return None
        magic, n_text, n_arrays = _HEAD.unpack_from(self._buffer)
        if magic != _MAGIC:
            raise Garbled("bytes that are no frame")
        if n_text > self._text_limit or n_arrays > self._array_limit:
            raise Garbled(f"a frame of {n_text} + {n_arrays} bytes")
        end = _HEAD.size + n_text + n_arrays
        if len(self._buffer) < end:
            return None
        frame = bytes(self._buffer[:end])
        del self._buffer[:end]
        return _parse(frame[_HEAD.size : _HEAD.size + n_text], frame[_HEAD.size + n_text :])


class Channel:
    """A blocking end of a socket, for a side that trusts the other."""

    def __init__(self, end: socket.socket) -> None:
        self._socket = end
        self._decoder = Decoder(text_limit=1 << 31, array_limit=1 << 62)
        self._waiting: list[Message] = []

    def tell(self, message: Message) -> None:
        """Send, and expect no answer."""
        self._socket.sendall(encode(message))

    def ask(self, message: Message) -> Message:
        """Send, and wait for the answer."""
        self.tell(message)
        return self.receive()

    def receive(self) -> Message:
        """Wait for a frame.

        Raises:
            EOFError: the other side is gone.
        """
        while not self._waiting:
            piece = self._socket.recv(_CHUNK)
            if not piece:
                raise EOFError("the run is gone")
            self._waiting = list(self._decoder.feed(piece))
        return self._waiting.pop(0)


def _little_endian(array: NDArray[Any]) -> NDArray[Any]:
    little = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
    if little.dtype.str not in _TYPES:
        raise TypeError(f"arrays of {array.dtype} are not sent")
    return little


def _parse(text: bytes, payload: bytes) -> Message:
    try:
        document = json.loads(text)
        kind, values, shapes = document["kind"], document["values"], document["arrays"]
        if not (isinstance(kind, str) and isinstance(values, dict) and isinstance(shapes, dict)):
            raise TypeError
        return Message(kind=kind, values=values, arrays=_cut(shapes, payload))
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Garbled("a frame that says nothing") from error


def _cut(shapes: Mapping[str, list[Any]], payload: bytes) -> dict[str, NDArray[Any]]:
    arrays, start = {}, 0
    for name, (dtype, *shape) in shapes.items():
        if dtype not in _TYPES or not all(isinstance(n, int) and n >= 0 for n in shape):
            raise ValueError(name)
        n_bytes = math.prod(shape) * np.dtype(dtype).itemsize
        if start + n_bytes > len(payload):
            raise ValueError(name)
        arrays[name] = np.frombuffer(payload[start : start + n_bytes], dtype=dtype).reshape(shape)
        start += n_bytes
    if start != len(payload):
        raise ValueError("bytes are left over")
    return arrays

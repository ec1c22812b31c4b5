"""Files with one object a line, in JSON or as Python prints it, as tab-separated text with the same lines."""

from __future__ import annotations

import ast
import io
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, cast

from recbench.datasets.opening import Opener

_LONGEST = 1 << 20
_BLANKS = str.maketrans("\t\r\n", "   ")
_NO_OBJECT = b"no object\n"


def as_tabs(opener: Opener, fields: Sequence[str]) -> Opener:
    """An opener of what `opener` opens, with some fields of each object as cells; none where it lacks one.

    A line that is no object becomes one with a single cell, so that it is seen as broken, in its place.
    """

    def open_tabs(path: Path) -> BinaryIO:
        return cast(BinaryIO, io.BufferedReader(_Chunks(_lines(opener(path), fields)), buffer_size=1 << 20))

    return open_tabs


def _lines(stream: BinaryIO, fields: Sequence[str]) -> Iterator[bytes]:
    with stream:
        while line := stream.readline(_LONGEST + 1):
            found = _object(line) if len(line) <= _LONGEST else None
            if len(line) > _LONGEST:
                _skip_line(stream, line)
            if found is None:
                yield b"\n" if not line.strip() else _NO_OBJECT
            else:
                yield "\t".join(_cell(found.get(field)) for field in fields).encode("utf-8", "replace") + b"\n"


def _object(line: bytes) -> dict[str, Any] | None:
    """The object in a line; literals only, so nothing in it is run."""
    try:
        text = line.decode()
        found = json.loads(text) if text.startswith('{"') else ast.literal_eval(text)
    except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
        return None
    return found if isinstance(found, dict) else None


def _cell(value: Any) -> str:
    return "" if value is None else str(value).translate(_BLANKS)


def _skip_line(stream: BinaryIO, line: bytes) -> None:
    while line and not line.endswith(b"\n"):
        line = stream.readline(_LONGEST)


class _Chunks(io.RawIOBase):
    """Chunks of bytes as a stream."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = b""

    def readable(self) -> bool:
        """It is for reading."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer as far as there is something."""
        parts, size = [self._rest], len(self._rest)
        while size < len(buffer) and (chunk := next(self._chunks, b"")):
            parts.append(chunk)
            size += len(chunk)
        data = b"".join(parts)
        taken, self._rest = data[: len(buffer)], data[len(buffer) :]
        buffer[: len(taken)] = taken
        return len(taken)

"""What a trial printed: the beginning and the end are kept, however much there is."""

from __future__ import annotations

_KEPT = 32 << 10


class Printed:
    """Takes what is printed piece by piece, in constant memory."""

    def __init__(self) -> None:
        self._head = bytearray()
        self._tail = bytearray()
        self.n_bytes = 0

    def add(self, piece: bytes) -> None:
        """Take the next piece."""
        self.n_bytes += len(piece)
        room = _KEPT - len(self._head)
        self._head += piece[:room]
        self._tail += piece[room:]
        if len(self._tail) > 2 * _KEPT:
            del self._tail[:-_KEPT]

    def text(self) -> str:
        """The beginning and the end, with a note of what lies between."""
        tail = self._tail[-_KEPT:]
        left_out = self.n_bytes - len(self._head) - len(tail)
        note = f"\n[... {left_out} bytes left out ...]\n" if left_out else ""
        return self._head.decode(errors="replace") + note + tail.decode(errors="replace")

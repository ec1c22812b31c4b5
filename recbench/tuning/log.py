"""The log of a search, so that it goes on where it stopped."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any


class Log:
    """What was tried, a line of JSON each. A line that a kill cut off counts as not there."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: dict[str, Mapping[str, Any]] = {}
        text = path.read_text() if path.exists() else ""
        self._needs_newline = bool(text) and not text.endswith("\n")
        for line in text.splitlines():
            with contextlib.suppress(ValueError, KeyError, TypeError):
                entry = json.loads(line)
                self._known[entry["key"]] = {name: entry[name] for name in ("score", "reason", "seconds")}

    def find(self, key: str) -> Mapping[str, Any] | None:
        """The entry under `key`."""
        return self._known.get(key)

    def add(self, entry: Mapping[str, Any]) -> None:
        """Append an entry, and see that it is on disk."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        line = json.dumps(entry, allow_nan=False) + "\n"
        with self._path.open("a") as file:
            file.write("\n" + line if self._needs_newline else line)
            file.flush()
            os.fsync(file.fileno())
        self._needs_newline = False
        self._known[entry["key"]] = entry

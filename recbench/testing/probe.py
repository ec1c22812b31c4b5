"""`python -m recbench.testing.probe RESULT`: does one thing with an algorithm, and writes down what was seen of it.

The request comes as JSON on standard input; RESULT becomes a JSON file. Standard output is the algorithm's.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import sys
import time
import tracemalloc
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from recbench.single_file import import_file

FRAMEWORKS = ("torch", "tensorflow", "keras", "jax", "numba", "lightning", "xgboost", "lightgbm", "catboost", "sklearn")
_ASKED_AT_ONCE = 50


class Bait:
    """Looks like test data to whoever finds it in a frame, and remembers who did."""

    def __init__(self, taken: set[str]) -> None:
        self._taken = taken

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("__"):  # what debuggers and copies ask of every object
            self._taken.add("a variable called `test`")
        raise AttributeError(name)

    def __iter__(self) -> Any:
        self._taken.add("a variable called `test`")
        return iter(())


class Watch:
    """Sees connections and the opening of the bait's file. What is compiled and calls the system itself is not seen."""

    def __init__(self, bait: str) -> None:
        self._bait = os.path.realpath(bait)
        self.connections: set[str] = set()
        self.taken: set[str] = set()
        sys.addaudithook(self._hear)

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "socket.connect":
            self.connections.add(str(arguments[1]))
        elif event == "socket.getaddrinfo":
            self.connections.add(str(arguments[0]))
        elif event == "open" and isinstance(arguments[0], str) and os.path.realpath(arguments[0]) == self._bait:
            self.taken.add("the file that RECBENCH_TEST_DATA names")


def fit(request: Mapping[str, Any]) -> dict[str, Any]:
    """Fit to the checkerboard and ask for everything."""
    start = time.perf_counter()
    watch = Watch(os.environ["RECBENCH_TEST_DATA"])
    test = Bait(watch.taken)  # noqa: F841 - it lies here to be found
    from recbench.testing import worlds

    fitted = _subject(request).fit(worlds.checkerboard().train)
    answers = fitted.answers(fitted.everybody())
    digest = hashlib.sha256(b"".join(answers[method].tobytes() for method in sorted(answers)))
    return {
        "digest": digest.hexdigest(),
        "connections": sorted(watch.connections),
        "bait": sorted(watch.taken),
        "seconds": time.perf_counter() - start,
    }


def memory(request: Mapping[str, Any]) -> dict[str, Any]:
    """Fit to a crowd and ask for lists of some users at a time, as a run would."""
    from recbench.testing import worlds

    subject = _subject(request)
    crowd = worlds.crowd(request["n_users"], request["n_items"], length=5)
    subject.fit(worlds.checkerboard().train)  # what is imported on the way does not count
    tracemalloc.start()
    fitted = subject.fit(crowd)
    users = fitted.everybody()
    for start in range(0, len(users), len(users) // 4):
        fitted.lists(users[start : start + _ASKED_AT_ONCE], 10)
    return {"peak_bytes": tracemalloc.get_traced_memory()[1]}


def imports(request: Mapping[str, Any]) -> dict[str, Any]:
    """Import a plugin's module."""
    importlib.import_module("recbench.api")
    before, start = set(sys.modules), time.process_time()
    if request["file"] is None:
        importlib.import_module(request["module"])
    else:
        import_file(Path(request["file"]))
    seconds = time.process_time() - start
    return {"frameworks": [name for name in FRAMEWORKS if name in set(sys.modules) - before], "cpu_seconds": seconds}


def _subject(request: Mapping[str, Any]) -> Any:
    subject = importlib.import_module("recbench.testing.subject")
    return subject.Subject(
        request["name"],
        plugins=[Path(path) for path in request["plugins"]],
        settings=request["settings"],
        disabled=request["disabled"],
    )


def main() -> None:
    """Do what is asked."""
    request = json.load(sys.stdin)
    found = {"fit": fit, "memory": memory, "import": imports}[request["do"]](request)
    Path(sys.argv[1]).write_text(json.dumps(found))


if __name__ == "__main__":
    main()

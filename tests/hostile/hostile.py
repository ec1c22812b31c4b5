"""Algorithms that do what they must not, one class for each way. Read as a single-file plugin."""

from __future__ import annotations

import ctypes
import os
import random
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np


class Good:
    """Well-behaved: noise by the model's seed and popularity, and means as predictions."""

    def fit(self, train: Any, *, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self.n_items = train.n_items
        self.counts = np.bincount(train.interactions.item, minlength=train.n_items) + rng.random(train.n_items)
        self.mean = float(train.interactions.rating.mean())

    def score(self, users: Any) -> Any:
        return np.broadcast_to(self.counts, (len(users), self.n_items))

    def predict(self, users: Any, items: Any) -> Any:
        return self.mean + 0.001 * items + 0.01 * users


class Multiplies(Good):
    """Uses the threads of the linear algebra."""

    def fit(self, train: Any, *, seed: int) -> None:
        super().fit(train, seed=seed)
        matrix = np.random.default_rng(seed).random((600, 600))
        assert np.isfinite(matrix @ matrix).all()


class RaisesInFit(Good):
    def fit(self, train: Any, *, seed: int) -> None:
        raise ValueError("no such luck")


class RaisesInScore(Good):
    def score(self, users: Any) -> Any:
        raise ZeroDivisionError("in score")


class RaisesWhatCannotBeShown(Good):
    def fit(self, train: Any, *, seed: int) -> None:
        class Silent(Exception):
            def __str__(self) -> str:
                raise RuntimeError

        raise Silent


class CallsExit(Good):
    def fit(self, train: Any, *, seed: int) -> None:
        sys.exit("enough")


class Interrupts(Good):
    def fit(self, train: Any, *, seed: int) -> None:
        raise KeyboardInterrupt


class LeavesAtOnce(Good):
    def fit(self, train: Any, *, seed: int) -> None:
        print("last words")
        os._exit(3)


class LeavesQuietly(Good):
    def fit(self, train: Any, *, seed: int) -> None:
        os._exit(0)


class Segfaults(Good):
    def score(self, users: Any) -> Any:
        print("before the crash")
        return ctypes.string_at(0)


class Aborts(Good):
    def fit(self, train: Any, *, seed: int) -> None:
        os.abort()


class KillsItself(Good):
    def fit(self, train: Any, *, seed: int) -> None:
        os.kill(os.getpid(), signal.SIGKILL)


class Loops(Good):
    def fit(self, train: Any, *, seed: int) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        while True:
            pass


class LeavesAChild(Good):
    """The child writes its number into `place`, where the test finds it."""

    def __init__(self, place: str) -> None:
        self.place = place

    def fit(self, train: Any, *, seed: int) -> None:
        super().fit(train, seed=seed)
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        child.returncode = 0
        Path(self.place).write_text(str(child.pid))


class LeavesADaemon(Good):
    """A double fork with sessions of their own: out of the process group, and out of the family."""

    def __init__(self, place: str) -> None:
        self.place = place

    def fit(self, train: Any, *, seed: int) -> None:
        super().fit(train, seed=seed)
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                os.setsid()
                Path(self.place).write_text(str(os.getpid()))
                time.sleep(600)
            os._exit(0)
        while not Path(self.place).exists():
            time.sleep(0.001)


class EatsMemory(Good):
    def fit(self, train: Any, *, seed: int) -> None:
        self.hoard = []
        while True:
            self.hoard.append(np.ones(1 << 20))  # 8 MB
            time.sleep(0.005)


class EatsMemoryInAChild(Good):
    def fit(self, train: Any, *, seed: int) -> None:
        if os.fork() == 0:
            EatsMemory().fit(train, seed=seed)
        os.wait()


class WantsTooMuchAtOnce(Good):
    def fit(self, train: Any, *, seed: int) -> None:
        np.ones(1 << 40)


class FrameworkRunsOut(Good):
    def fit(self, train: Any, *, seed: int) -> None:
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes")


class PrintsMegabytes(Good):
    def fit(self, train: Any, *, seed: int) -> None:
        super().fit(train, seed=seed)
        print("the beginning")
        for _ in range(40):
            print("x" * (100 << 10))
            os.write(1, b"y" * (100 << 10))
            os.write(2, b"\xff" * 1000)
        print("the end")


class PrintsWithoutEnd(Good):
    def fit(self, train: Any, *, seed: int) -> None:
        while True:
            os.write(1, b"x" * (1 << 20))


class WritesAHugeFile(Good):
    def fit(self, train: Any, *, seed: int) -> None:
        with open("big", "wb") as file:
            for _ in range(64):
                file.write(b"x" * (1 << 20))


class WrongShape(Good):
    def score(self, users: Any) -> Any:
        return np.zeros((len(users), self.n_items + 1))


class WrongRank(Good):
    def score(self, users: Any) -> Any:
        return np.zeros(self.n_items)


class AllNaN(Good):
    def score(self, users: Any) -> Any:
        return np.full((len(users), self.n_items), np.nan)


class Infinite(Good):
    def score(self, users: Any) -> Any:
        scores = np.zeros((len(users), self.n_items))
        scores[:, :] = np.inf
        return scores


class Complex(Good):
    def score(self, users: Any) -> Any:
        return super().score(users) * 1j


class Objects(Good):
    def score(self, users: Any) -> Any:
        return super().score(users).astype(object)


class Strings(Good):
    def score(self, users: Any) -> Any:
        return super().score(users).astype(str)


class Nothing(Good):
    def score(self, users: Any) -> Any:
        return None


class PredictsTooFew(Good):
    def predict(self, users: Any, items: Any) -> Any:
        return np.zeros(len(users) - 1)


class PredictsInfinity(Good):
    def predict(self, users: Any, items: Any) -> Any:
        return np.full(len(users), -np.inf)


class PredictsNothing(Good):
    def predict(self, users: Any, items: Any) -> Any:
        return np.full(len(users), np.nan)


class Recommends:
    """Lists of its own; `fault` says what is wrong with them."""

    def __init__(self, fault: str = "") -> None:
        self.fault = fault

    def fit(self, train: Any, *, seed: int) -> None:
        self.n_items = train.n_items

    def recommend(self, users: Any, k: int, seen: Any) -> Any:
        starts, items = seen
        lists = np.full((len(users), k), -1)
        for row in range(len(users)):
            known = items[starts[row] : starts[row + 1]]
            unseen = np.setdiff1d(np.arange(self.n_items), known)[:k]
            if self.fault == "seen":
                unseen[0] = known[0]
            if self.fault == "double":
                unseen[1] = unseen[0]
            if self.fault == "unknown":
                unseen[0] = self.n_items
            if self.fault == "gap":
                unseen[0] = -1
            lists[row, : len(unseen)] = unseen
        return lists[:, 1:] if self.fault == "short" else lists


class MutatesTrain(Good):
    def fit(self, train: Any, *, seed: int) -> None:
        train.interactions.rating[:] = 0


class MakesTrainWritable(Good):
    def fit(self, train: Any, *, seed: int) -> None:
        train.interactions.rating.flags.writeable = True


class WritesBehindTrain(Good):
    """Straight to the address, past every flag."""

    def fit(self, train: Any, *, seed: int) -> None:
        ctypes.memset(train.interactions.rating.ctypes.data, 0, 64)


class WritesToTrainFile(Good):
    """Opens the file behind the training data by its path and writes; says what stopped it."""

    def fit(self, train: Any, *, seed: int) -> None:
        super().fit(train, seed=seed)
        stopped = 0
        for name in os.listdir("/proc/self/fd"):
            try:
                if "recbench-train" not in os.readlink(f"/proc/self/fd/{name}"):
                    continue
                with open(f"/proc/self/fd/{name}", "r+b", buffering=0) as file:
                    file.write(b"\xff" * 4096)
            except OSError:
                stopped += 1
        print("stopped", stopped)


class MutatesUsers(Good):
    def score(self, users: Any) -> Any:
        users[:] = 0
        return super().score(users)


class ChangesRandomState(Good):
    def fit(self, train: Any, *, seed: int) -> None:
        super().fit(train, seed=seed)
        random.seed(99)
        np.random.seed(99)
        np.seterr(all="raise")
        os.environ["OMP_NUM_THREADS"] = "99"
        sys.modules["recbench.ranking"].top_k.__kwdefaults__ = {}
        np.argsort = None  # type: ignore[assignment]


class UsesRandomState(Good):
    """Random by the global state alone."""

    def fit(self, train: Any, *, seed: int) -> None:
        super().fit(train, seed=seed)
        self.counts = np.random.random(train.n_items) + random.random()


class WritesIntoItsFolder(Good):
    def fit(self, train: Any, *, seed: int) -> None:
        super().fit(train, seed=seed)
        print("found", os.listdir("."))
        Path("litter").write_text("x")
        os.mkdir("locked")
        Path("locked/file").write_text("x")
        os.chmod("locked", 0)


class ClosesEverything(Good):
    def fit(self, train: Any, *, seed: int) -> None:
        os.closerange(0, 256)


class WritesGarbage(Good):
    def fit(self, train: Any, *, seed: int) -> None:
        for descriptor in range(3, 256):
            try:
                socket.socket(fileno=os.dup(descriptor)).sendall(b"garbage" * 100)
            except OSError:
                continue
        time.sleep(60)


class ForgesAHugeFrame(Good):
    def fit(self, train: Any, *, seed: int) -> None:
        for descriptor in range(3, 256):
            try:
                socket.socket(fileno=os.dup(descriptor)).sendall(b"RBF1" + b"\xff" * 12)
            except OSError:
                continue
        time.sleep(60)


class ForgesTheEnd(Good):
    """Says it is done before it has given anything."""

    def fit(self, train: Any, *, seed: int) -> None:
        from recbench.worker.channel import Message, encode

        for descriptor in range(3, 256):
            try:
                socket.socket(fileno=os.dup(descriptor)).sendall(encode(Message(kind="done")))
            except OSError:
                continue
        time.sleep(60)


class KillsItsParent(Good):
    def fit(self, train: Any, *, seed: int) -> None:
        os.kill(os.getppid(), signal.SIGKILL)
        time.sleep(60)


class KillsItsParentAndStays(Good):
    """Leaves a daemon, and kills the process that would have ended it."""

    def __init__(self, place: str) -> None:
        self.place = place

    def fit(self, train: Any, *, seed: int) -> None:
        LeavesADaemon(self.place).fit(train, seed=seed)
        os.kill(os.getppid(), signal.SIGKILL)
        time.sleep(60)


class StopsItsParent(Good):
    def fit(self, train: Any, *, seed: int) -> None:
        os.kill(os.getppid(), signal.SIGSTOP)
        time.sleep(60)


class Looks(Good):
    """Writes down where it is and what is in reach, before the ranking is in."""

    def score(self, users: Any) -> Any:
        descriptors = {}
        for name in os.listdir("/proc/self/fd"):
            try:
                descriptors[name] = os.readlink(f"/proc/self/fd/{name}")
            except OSError:
                continue
        print("argv", sys.argv, Path("/proc/self/cmdline").read_bytes())
        print("environ", dict(os.environ), Path("/proc/self/environ").read_bytes())
        print("descriptors", descriptors)
        print("folder", os.getcwd(), os.listdir("."))
        return super().score(users)


class SearchesMemory(Good):
    """Looks in all of its memory and all of its open files for 64-bit words that are `mark` above their low bits.

    The mark comes as two halves, so that it is nowhere in memory unless somebody put data with it there.
    """

    def __init__(self, left: int, right: int) -> None:
        self.left = left
        self.right = right

    def score(self, users: Any) -> Any:
        found = 0
        n_bytes = 0
        with open("/proc/self/maps") as maps, open("/proc/self/mem", "rb", buffering=0) as memory:
            for line in maps.readlines():
                span, rights = line.split()[:2]
                start, end = (int(text, 16) for text in span.split("-"))
                if "r" not in rights or "[v" in line:
                    continue
                for place in range(start, end, 1 << 22):
                    try:
                        memory.seek(place)
                        found += self._count(memory.read(min(1 << 22, end - place)))
                        n_bytes += min(1 << 22, end - place)
                    except (OSError, OverflowError):
                        continue
        for name in os.listdir("/proc/self/fd"):
            try:
                with open(f"/proc/self/fd/{name}", "rb") as file:
                    if file.seekable():
                        found += self._count(file.read())
            except OSError:
                continue
        print("searched", n_bytes > 1 << 20, "found", found)
        return super().score(users)

    def _count(self, content: bytes) -> int:
        words = np.frombuffer(content[: len(content) // 8 * 8], dtype=np.uint64)
        high = (words >> np.uint64(24)).astype(np.uint64)
        high ^= np.uint64(self.left)
        return int(np.count_nonzero(high == np.uint64(self.right)))


class OpensFiles(Good):
    """Tries to open `places`, also the way the process `run` sees them, and the network; prints what worked."""

    def __init__(self, places: list[str], run: int) -> None:
        self.places = places
        self.run = run

    def fit(self, train: Any, *, seed: int) -> None:
        super().fit(train, seed=seed)
        for place in self.places:
            subprocess.run(["umount", place], check=False, capture_output=True)
            subprocess.run(["unshare", "-Urm", "umount", place], check=False, capture_output=True)
        seen = [place for place in self.places if Path(place).exists() and any(Path(place).iterdir())]
        print("seen", seen)
        for pid in (1, self.run):
            try:
                print("through", pid, os.listdir(f"/proc/{pid}/root{self.places[0]}"))
            except OSError:
                continue
        interfaces = [line.split(":")[0].strip() for line in Path("/proc/net/dev").read_text().splitlines()[2:]]
        print("interfaces", interfaces)


class ReadsFile(Good):
    def __init__(self, place: str) -> None:
        self.place = place

    def fit(self, train: Any, *, seed: int) -> None:
        super().fit(train, seed=seed)
        print("read", repr(Path(self.place).read_text()))

"""The line to a scheduler: who its workers are, tasks on one of them, and what becomes of both. All of Dask is here.

Dask alone would run a lost task again wherever it likes, keep one pending for ever whose worker is gone, and say
nothing when nobody is left. So each task is meant for one worker, and a thread looks after workers and scheduler.
"""

from __future__ import annotations

import contextlib
import logging
import shutil
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any

from recbench.cluster import host
from recbench.cluster.address import Address, engine, warning_of
from recbench.cluster.frames import Damaged
from recbench.cluster.recipe import Overheard, Recipe, in_a_line
from recbench.errors import RecbenchError

_INTRODUCTION_SECONDS = 30.0
_LOOK_SECONDS = 0.5
_FAREWELL_SECONDS = 5.0
_RENEWAL_SECONDS = 15.0


class Lost(Exception):
    """The worker is gone, or the scheduler dropped the task."""


class Cancelled(Exception):
    """The run does not want it any more."""


class Fault(Exception):
    """The worker cannot do such a thing at all. The argument: why."""


@dataclass(slots=True, eq=False)
class _Flight:
    address: str
    on_stage: Callable[[str], None]
    over: threading.Event = field(default_factory=threading.Event)
    is_lost: bool = False


class Connection:
    """Thread-safe.

    Args:
        address: of the scheduler; or a cluster is started, here or as a file says.
        joined: hears of a worker's address, in a thread of its own.
        lost: hears of the address of a worker that is gone.
        failed: hears that the scheduler is gone.
        tell: hears what the user should know of a cluster that is started.
    """

    def __init__(
        self,
        address: Address,
        *,
        joined: Callable[[str], None],
        lost: Callable[[str], None],
        failed: Callable[[RecbenchError], None],
        tell: Callable[[str], None],
    ) -> None:
        self.topic = f"recbench-{uuid.uuid4().hex}"
        self._address = address
        self._joined = joined
        self._lost = lost
        self._failed = failed
        self._tell = tell
        self._lock = threading.Lock()
        self._known: set[str] = set()
        self._flights: dict[str, _Flight] = {}
        self._closing = threading.Event()
        self._is_cancelled = False
        self._watcher = threading.Thread(target=self._watch, name="recbench-cluster", daemon=True)
        self._undo = contextlib.ExitStack()
        self._client: Any = None
        self._cluster: Any = None

    def open(self, n_workers: int) -> None:
        """Connect, and wait until the workers that are there have been heard.

        Args:
            n_workers: how many to start where the cluster is started here.

        Raises:
            RecbenchError: no scheduler answers, or the cluster that a file describes cannot be started.
        """
        distributed = engine()
        _silence()
        try:
            if self._address.recipe is not None:
                self._start_by(distributed, self._address.recipe)
            else:
                where = self._start_here(distributed, n_workers) if self._address.is_local else str(self._address)
                self._client = self._connect(distributed, where)
            self._client.subscribe_topic(self.topic, self._hear)
            for thread in self._look():
                thread.join(_INTRODUCTION_SECONDS)
            self._watcher.start()
        except BaseException:
            self._undo.close()
            raise

    def close(self, addresses: Collection[str]) -> None:
        """Let workers forget the run, and go."""
        self._closing.set()
        if self._client is not None and self._client.status == "running" and addresses:
            farewell = threading.Thread(target=self._say_farewell, args=(list(addresses),), daemon=True)
            farewell.start()
            farewell.join(_FAREWELL_SECONDS)
        self._undo.close()

    def cancel(self) -> None:
        """End what runs."""
        with self._lock:
            self._is_cancelled = True
            flights = list(self._flights.values())
        for flight in flights:
            flight.over.set()

    def call(self, address: str, function: Callable[..., Any], *arguments: Any) -> Any:
        """Have a worker run a function out of turn.

        Raises:
            Lost: it is gone.
            Damaged: what was sent did not arrive as it was.
            Fault: the function raised something else, or is not there.
        """
        try:
            (answer,) = self._client.run(function, *arguments, workers=[address]).values()
        except Damaged:
            raise
        except (OSError, ValueError) as error:  # no way there, or no answer
            raise Lost from error
        except Exception as error:
            raise Fault(f"{type(error).__name__}: {error}") from error
        return answer

    def fly(self, address: str, order: bytes, on_stage: Callable[[str], None]) -> bytes:
        """Have a worker carry out an order, and wait for what comes back.

        Raises:
            Lost, Cancelled, Fault: nothing comes back.
        """
        key, flight = f"recbench-{uuid.uuid4().hex}", _Flight(address, on_stage)
        with self._lock:
            if self._is_cancelled:
                raise Cancelled
            if address not in self._known:
                raise Lost
            self._flights[key] = flight
        future = self._client.submit(
            host.carry_out, order, key=key, workers=[address], allow_other_workers=False, pure=False
        )
        try:
            future.add_done_callback(lambda _: flight.over.set())
            flight.over.wait()
            return self._landed(future, flight)
        finally:
            with self._lock:
                self._flights.pop(key, None)
            with contextlib.suppress(Exception):  # the scheduler may be gone
                future.cancel()

    def _landed(self, future: Any, flight: _Flight) -> bytes:
        while True:
            if self._is_cancelled:
                raise Cancelled
            if flight.is_lost:
                raise Lost
            if self._client.status != "running":
                error = self._scheduler_is_gone()
                self._failed(error)
                raise error
            if future.status == "cancelled":
                raise Lost
            if future.status == "error":
                error = future.exception()
                raise Fault(f"{type(error).__name__}: {error}")
            with contextlib.suppress(TimeoutError):  # its worker went away with the result: the watch will tell
                result: bytes = future.result(timeout=_LOOK_SECONDS)
                return result

    def _start_here(self, distributed: Any, n_workers: int) -> str:
        folder = tempfile.mkdtemp(prefix="recbench-cluster-")
        self._undo.callback(shutil.rmtree, folder, ignore_errors=True)
        cluster = distributed.LocalCluster(
            n_workers=n_workers,
            threads_per_worker=1,
            memory_limit=None,
            dashboard_address=None,
            local_directory=folder,
            silence_logs=logging.CRITICAL,
        )
        self._undo.callback(cluster.close)
        return str(cluster.scheduler_address)

    def _start_by(self, distributed: Any, recipe: Recipe) -> None:
        """Start the cluster that a file describes, and wait for the first of its workers."""
        overheard = self._undo.enter_context(Overheard())
        self._cluster = recipe.make()
        self._undo.callback(self._take_down, overheard)
        where = str(self._cluster.scheduler_address)
        if (warning := warning_of(where)) is not None:
            self._tell(f"Warning: {warning}")
        self._client = self._connect(distributed, where, security=getattr(self._cluster, "security", None))
        try:
            self._cluster.scale(recipe.workers)
        except Exception as error:  # foreign code; the reason is shown
            overheard.error = error
        self._await_worker(recipe, overheard)

    def _await_worker(self, recipe: Recipe, overheard: Overheard) -> None:
        self._tell(f"Waiting for workers of {recipe.target}, up to {recipe.wait_seconds:g} s")
        end = time.monotonic() + recipe.wait_seconds
        while not self._has_workers():
            if overheard.error is not None:
                raise RecbenchError(
                    f"{recipe.target} cannot start workers: {in_a_line(overheard.error)}",
                    fix=f"correct [options] in {recipe.file}, or run where workers can be started",
                ) from overheard.error
            if time.monotonic() > end:
                raise RecbenchError(
                    f"no worker of {recipe.target} came within {recipe.wait_seconds:g} s",
                    fix=f"look at its jobs and their logs, or raise wait_seconds in {recipe.file}",
                )
            time.sleep(_LOOK_SECONDS)

    def _has_workers(self) -> bool:
        try:
            return bool(self._client.nthreads())
        except (OSError, TimeoutError) as error:
            raise self._scheduler_is_gone() from error

    def _lacks_workers(self) -> bool:
        """Whether a cluster of the run's own has fewer workers than were asked for."""
        recipe = self._address.recipe
        return recipe is not None and len(self._known) < recipe.workers

    def _ask_for_workers(self) -> None:
        """Ask again, since Dask does not replace a job that has come to its end. Those asked for already count."""
        assert self._address.recipe is not None
        with contextlib.suppress(Exception):  # it may work the next time
            self._cluster.scale(self._address.recipe.workers)

    def _take_down(self, overheard: Overheard) -> None:
        try:
            self._cluster.close()
        except Exception as error:
            if overheard.error is None:  # one that never worked does not close as it should, either
                self._tell(f"The cluster {self._address} did not close as it should: {in_a_line(error)}")

    def _connect(self, distributed: Any, where: str, *, security: Any = None) -> Any:
        try:
            client = distributed.Client(where, security=security, set_as_default=False)
        except (OSError, TypeError, ValueError, RuntimeError) as error:
            fix = "start one with `dask scheduler`, or mend the address"
            if self._address.scheme == "tls":
                fix = "see docs/cluster.md for the certificates that both sides need"
            raise RecbenchError(f"no scheduler answers at {where}: {_last_line(error)}", fix=fix) from error
        self._undo.callback(client.close)
        return client

    def _watch(self) -> None:
        asked = time.monotonic()
        while not self._closing.wait(_LOOK_SECONDS):
            try:
                if self._client.status != "running":
                    raise OSError
                self._look()
                if self._lacks_workers() and time.monotonic() - asked > _RENEWAL_SECONDS:
                    asked = time.monotonic()
                    self._ask_for_workers()
            except Exception:  # whatever Dask raises when its scheduler is gone
                if not self._closing.is_set():
                    self._failed(self._scheduler_is_gone())
                    self.cancel()
                return

    def _look(self) -> list[threading.Thread]:
        """See who came and who went. Returns the threads that hear who came."""
        there = set(self._client.nthreads())
        with self._lock:
            came, went = there - self._known, self._known - there
            self._known = there
            stranded = [flight for flight in self._flights.values() if flight.address in went]
        for address in went:
            self._lost(address)
        for flight in stranded:
            flight.is_lost = True
            flight.over.set()
        threads = [threading.Thread(target=self._joined, args=(address,), daemon=True) for address in sorted(came)]
        for thread in threads:
            thread.start()
        return threads

    def _hear(self, event: tuple[float, dict[str, str]]) -> None:
        said = event[1]
        with self._lock:
            flight = self._flights.get(said["key"])
        if flight is not None and not flight.over.is_set():
            flight.on_stage(said["stage"])

    def _say_farewell(self, addresses: list[str]) -> None:
        with contextlib.suppress(Exception):  # they may be gone
            self._client.run(host.leave, workers=addresses, on_error="ignore")

    def _scheduler_is_gone(self) -> RecbenchError:
        return RecbenchError(
            f"the scheduler of the cluster {self._address} is gone",
            fix="start it and its workers again; what is finished is kept, and the same command goes on",
        )


def _silence() -> None:
    """Dask's log is not the user's: what matters is said in our own words."""
    for name in ("distributed", "distributed.client"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


def _last_line(error: BaseException) -> str:
    return str(error).strip().splitlines()[-1] if str(error).strip() else type(error).__name__

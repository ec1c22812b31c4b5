"""What a run and a trial say to each other, in order, and what is accepted of it."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from recbench.data import BoolArray, FloatArray, Int32Array, Int64Array, Split, owned
from recbench.execution.job import Component, Job, Serve, Served
from recbench.execution.shared import SharedTraining
from recbench.gpus import VISIBLE
from recbench.protocols.spec import as_json
from recbench.ranking import drawn_users, seed_for, tie_seed
from recbench.worker.channel import Garbled, Message
from recbench.worker.sharing import dismantle

_MOST_FALLBACKS = 0.05


class Talk(Protocol):
    """One side of a conversation with a trial.

    Attributes:
        step: what the trial is doing, as it says.
        fault: status, reason and traceback that it gave itself, or None.
        is_done: it has given everything.
        array_limit: the most bytes of arrays that a message of its may have.
    """

    step: str
    fault: Mapping[str, Any] | None
    is_done: bool
    array_limit: int

    def request(self) -> Message: ...

    def answer(self, message: Message) -> Message | None: ...


class Checking:
    """Asks whether parameters are right. Nothing is trained."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self.step = "start"
        self.fault: Mapping[str, Any] | None = None
        self.is_done = False
        self.array_limit = 0

    def request(self) -> Message:
        """The first message."""
        return Message(kind="check", values=_describe(self._job))

    def answer(self, message: Message) -> Message | None:
        """Take what the trial says."""
        if message.kind == "fault":
            self.fault = _checked_fault(message.values)
        elif message.kind == "done":
            self.is_done = True
        else:
            raise Garbled(f"{message.kind!r} while parameters are checked")
        return None


class Conversation:
    """A trial's: its history, candidates and pairs are given away one after the other, each when it is time.

    Attributes:
        lists, predictions: what came, in the order of users and of `split.test()`.
        served: what came of `Job.serve`.
        costs: seconds and milliseconds by name.
        mark: what the trial says about its lists.
    """

    def __init__(self, job: Job, split: Split, shared: SharedTraining, on_step: Callable[[str], None]) -> None:
        self._job = job
        self._split = split
        self._shared = shared
        self._on_step = on_step
        self._order: Int64Array | None = None
        self._is_fitted = False
        self.array_limit = 8 * max((split.dataset.n_users + 2) * job.depth, len(split.test_rows))
        self.step = "start"
        self.fault: Mapping[str, Any] | None = None
        self.is_done = False
        self.lists: Int32Array | None = None
        self.predictions: FloatArray | None = None
        self.served: Served | None = None
        self.n_never = 0
        self.mark: str | None = None
        self.costs: dict[str, float] = {}

    def request(self) -> Message:
        """The first message: what to do, and where the training data lies."""
        return Message(kind="trial", values=_describe(self._job) | self._describe_data())

    def answer(self, message: Message) -> Message | None:
        """Take what the trial says, and give what it asks for.

        Raises:
            Garbled: it is not what comes next, or not what it should be.
        """
        take = {
            "step": self._take_step,
            "fitted": self._take_fitted,
            "ranked": self._take_ranked,
            "predicted": self._take_predicted,
            "served": self._take_served,
            "done": self._take_done,
            "fault": self._take_fault,
        }.get(message.kind)
        if take is None:
            raise Garbled(f"a message of the kind {message.kind!r}")
        return take(message)

    def problem(self) -> str | None:
        """Why predictions that came whole are no result: too many of them say nothing."""
        if self.predictions is None:
            return None
        test = self._split.test_rows
        known = self._is_in_train("user")[test] & self._is_in_train("item")[test]
        n_silent = int(np.isnan(self.predictions[known]).sum())
        n_known = int(known.sum())
        if n_silent <= _MOST_FALLBACKS * n_known:
            return None
        return (
            f"predict said nothing (NaN) for {n_silent} of {n_known} pairs whose user and item are both in train; "
            f"at most {_MOST_FALLBACKS:.0%} may be so"
        )

    def _is_in_train(self, name: str) -> BoolArray:
        """(n,) for each interaction of the data set, whether its user or item is in train too."""
        column: Int32Array = getattr(self._split.dataset.interactions, name)
        occurs = np.zeros(int(column.max(initial=-1)) + 1, dtype=np.bool_)
        for rows in (self._split.train_rows, self._split.validation_rows):
            occurs[column[rows]] = True
        return occurs[column]

    def _describe_data(self) -> dict[str, Any]:
        return {
            "dataset": self._shared.facts,
            "layout": self._shared.layout,
            "has_validation": self._shared.has_validation,
            "tie_seed": tie_seed(self._split.fingerprint),
            "depth": self._job.depth,
            "exclude_seen": self._job.exclude_seen,
            "train_at_least": self._job.train_at_least,
            "latencies": self._job.latencies,
            "needs": "score_new" if self._job.serve is not None and self._job.serve.newcomer is not None else None,
        }

    def _take_step(self, message: Message) -> None:
        step = message.values.get("step")
        if step not in ("fit", "rank", "predict", "serve", "latency"):
            raise Garbled(f"a step called {step!r}")
        self.step = str(step)
        self._on_step(self.step)

    def _take_fitted(self, message: Message) -> Message:
        _expect(not self._is_fitted, message)
        self._is_fitted = True
        self._take_cost(message, "fit_seconds")
        arrays: dict[str, NDArray[Any]] = {}
        if len(self._split.history_rows):
            arrays |= dismantle("history", self._split.history())
        if self._job.candidates is not None:
            arrays["candidates"] = self._job.candidates
        if self._job.users_at_most is not None:
            n_users = self._split.dataset.n_users
            arrays["users"] = drawn_users(n_users, self._job.users_at_most, self._split.fingerprint)
        return Message(kind="rank", arrays=arrays)

    def _take_ranked(self, message: Message) -> Message:
        _expect(self._is_fitted and self.lists is None, message)
        dataset = self._split.dataset
        lists = _array(message, "lists", np.int32, (dataset.n_users, self._job.depth))
        if lists.size and (lists.min() < -1 or lists.max() >= dataset.n_items):
            raise Garbled("lists with items that do not exist")
        self.lists = lists
        self._take_cost(message, "rank_seconds")
        n_never, mark = message.values.get("n_never"), message.values.get("mark")
        if type(n_never) is not int or not (mark is None or isinstance(mark, str)):
            raise Garbled("lists with odd notes")
        self.n_never, self.mark = n_never, mark
        return self._pairs() if self._job.serve is None else _ask(self._job.serve)

    def _pairs(self) -> Message:
        """The pairs to predict, in an order that tells nothing."""
        if not self._job.predictions:
            return Message(kind="pairs")
        test = self._split.test()
        self._order = _shuffle(len(test), self._split.fingerprint)
        return Message(kind="pairs", arrays={"user": test.user[self._order], "item": test.item[self._order]})

    def _take_predicted(self, message: Message) -> None:
        _expect(self._order is not None and self.predictions is None, message)
        shuffled = _array(message, "predictions", np.float64, (len(self._split.test_rows),))
        if np.isinf(shuffled).any():
            raise Garbled("infinite predictions")
        self._take_cost(message, "predict_seconds")
        predictions = np.empty_like(shuffled)
        predictions[self._order] = shuffled
        self.predictions = owned(predictions)

    def _take_served(self, message: Message) -> None:
        asked = self._job.serve
        _expect(asked is not None and self.lists is not None and self.served is None, message)
        assert asked is not None
        depth = self._job.depth
        scores = _array(message, "scores", np.float64, (self._split.dataset.n_users, depth))
        items, values = None, None
        if asked.newcomer is not None:
            items = _array(message, "newcomer_items", np.int32, (depth,))
            values = _array(message, "newcomer_scores", np.float64, (depth,))
            if items.size and (items.min() < -1 or items.max() >= self._split.dataset.n_items):
                raise Garbled("a list with items that do not exist")
        self.served = Served(
            scores=scores, sentences=_sentences(message, asked), newcomer_items=items, newcomer_scores=values
        )

    def _take_done(self, message: Message) -> None:
        _expect(self.lists is not None and (self._job.serve is None) == (self.served is None), message)
        for name in ("latency_p50_ms", "latency_p95_ms", "latency_p99_ms"):
            if name in message.values:
                self._take_cost(message, name)
        self.is_done = True

    def _take_fault(self, message: Message) -> None:
        self.fault = _checked_fault(message.values)

    def _take_cost(self, message: Message, name: str) -> None:
        cost = message.values.get(name)
        if not isinstance(cost, float) or not math.isfinite(cost) or cost < 0:
            raise Garbled(f"{name} is {cost!r}")
        self.costs[name] = cost


def _describe(job: Job) -> dict[str, Any]:
    return {
        "algorithm": _recipe(job),
        "components": {name: _recipe(component) for name, component in job.components.items()},
        "seed": job.seed,
        # A library reads which GPU is its own when it first looks for one, after this has arrived.
        "environment": {} if job.gpu is None else {VISIBLE: job.gpu},
        "path": [] if job.python else [folder for folder in sys.path if folder.startswith("/")],
    }


def _recipe(what: Job | Component) -> dict[str, Any]:
    file = what.plugin_file
    return {
        "target": what.target,
        "file": None if file is None else str(file.resolve()),
        "parameters": as_json(what.parameters),
    }


def _ask(serve: Serve) -> Message:
    """What an algorithm is asked for when it is put to use."""
    arrays = {} if serve.newcomer is None else dismantle("newcomer", serve.newcomer)
    return Message(kind="serve", values={"explain": serve.explain}, arrays=arrays)


def _sentences(message: Message, asked: Serve) -> tuple[str, ...] | None:
    sentences = message.values.get("sentences")
    if sentences is None:
        return None
    most = 0 if asked.explain is None else asked.explain[1]
    if not isinstance(sentences, list) or len(sentences) > most or not all(isinstance(each, str) for each in sentences):
        raise Garbled("reasons that are no sentences")
    return tuple(sentences)


def _checked_fault(values: Mapping[str, Any]) -> Mapping[str, Any]:
    if values.get("status") not in ("failed", "crashed", "invalid", "out-of-memory"):
        raise Garbled(f"a fault of the status {values.get('status')!r}")
    if not isinstance(values.get("reason"), str) or not isinstance(values.get("traceback"), str):
        raise Garbled("a fault without a reason")
    return values


def _expect(holds: bool, message: Message) -> None:  # noqa: FBT001 - reads like an assertion
    if not holds:
        raise Garbled(f"{message.kind!r} out of turn")


def _array(message: Message, name: str, dtype: Any, shape: tuple[int, ...]) -> NDArray[Any]:
    array = message.arrays.get(name)
    if array is None or array.dtype != dtype or array.shape != shape:
        raise Garbled(f"{message.kind!r} without {name} of the shape {shape}")
    return array


def _shuffle(n: int, fingerprint: str) -> Int64Array:
    """An order from a hash of the fingerprint that is neither that of the data nor that of ties."""
    return np.argsort(np.random.PCG64(seed_for(fingerprint, "pairs")).random_raw(n), kind="stable")

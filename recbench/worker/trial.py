"""One trial, step by step: load, fit, rank, predict, and requests of single users against the clock.

What is not known before `fit` is handed over after it, by the answers of the other side: what new users did, the
candidates, then, when the lists are in, the pairs to predict, or what is asked of an algorithm that is put to use.
"""

from __future__ import annotations

import inspect
import random
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from recbench.data import Dataset, Int32Array, Int64Array, Interactions, counts_of, owned
from recbench.ranking import Seen
from recbench.worker.channel import Message
from recbench.worker.loading import Builder, Recipe
from recbench.worker.rankers import Ranker, Setting, checked_predictions, checked_scores, ranker_of
from recbench.worker.serving import require, serve
from recbench.worker.sharing import assemble, nothing, tables, take_users

_PAIRS_AT_ONCE = 1 << 20
_LATENCY_USERS = 100
_LATENCY_SECONDS = 1.0


class Parent(Protocol):
    """The other side of a trial."""

    def tell(self, message: Message) -> None: ...

    def ask(self, message: Message) -> Message: ...


@dataclass(slots=True, kw_only=True)
class Progress:
    """Which step a trial is in, for the reason when it ends there."""

    parent: Parent
    step: str = "start"

    def enter(self, step: str) -> None:
        """Go on to the next step."""
        self.step = step
        self.parent.tell(Message(kind="step", values={"step": step}))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Parts:
    """What may be learned from.

    Attributes:
        train: all of it, with the validation part.
        rest: train without the validation part.
        validation: the validation part; empty where the protocol has none.
    """

    train: Dataset
    rest: Dataset
    validation: Dataset

    @classmethod
    def of(cls, job: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Parts:
        """Put the parts together from shared memory."""
        base = tables(job["dataset"], arrays, positive_at_least=job["train_at_least"])
        train = base.with_interactions(assemble("train", arrays))
        if not job["has_validation"]:
            return cls(train=train, rest=train, validation=base)
        rest, validation = (base.with_interactions(assemble(part, arrays)) for part in ("rest", "validation"))
        return cls(train=train, rest=rest, validation=validation)


def check(job: Mapping[str, Any]) -> None:
    """Load the algorithm and what it may build, check all parameters, and construct it. Nothing is trained."""
    for recipe in _recipes(job["components"]).values():
        recipe.constructor()
    Recipe(**job["algorithm"]).make()


def conduct(job: Mapping[str, Any], parts: Parts, progress: Progress) -> None:
    """Run a trial. Whatever a plugin raises comes out of here."""
    algorithm = _fitted(job, parts, progress)
    given = progress.parent.ask(Message(kind="fitted", values={"fit_seconds": algorithm.seconds}))
    history = _history(given.arrays)
    setting = _setting(job, parts.train, history, given.arrays.get("candidates"))
    progress.enter("rank")
    ranker = ranker_of(algorithm.value, setting)
    start = time.perf_counter()
    users = given.arrays.get("users", np.arange(parts.train.n_users))
    lists, n_never, newcomers = _rank_all(algorithm.value, ranker, setting, parts.train, history, users)
    values = {"rank_seconds": time.perf_counter() - start, "n_never": n_never, "mark": ranker.mark}
    pairs = progress.parent.ask(Message(kind="ranked", values=values, arrays={"lists": lists}))
    if pairs.kind == "serve":
        progress.enter("serve")
        everybody = _blocks(np.arange(parts.train.n_users), ranker.block)
        progress.parent.tell(
            serve(algorithm.value, pairs, lists, parts.train, tie_seed=job["tie_seed"], blocks=everybody)
        )
        progress.parent.tell(Message(kind="done"))
        return
    if "user" in pairs.arrays and callable(getattr(algorithm.value, "predict", None)):
        progress.enter("predict")
        start = time.perf_counter()
        predictions = _predict_all(algorithm.value, pairs.arrays["user"], pairs.arrays["item"])
        values = {"predict_seconds": time.perf_counter() - start}
        progress.parent.tell(Message(kind="predicted", values=values, arrays={"predictions": predictions}))
    if not job.get("latencies", True):
        progress.parent.tell(Message(kind="done"))
        return
    progress.enter("latency")
    progress.parent.tell(Message(kind="done", values=_latency(ranker, parts.train.n_users, newcomers, job["seed"])))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fitted:
    value: Any
    seconds: float


def _fitted(job: Mapping[str, Any], parts: Parts, progress: Progress) -> _Fitted:
    random.seed(job["seed"])
    np.random.seed(job["seed"] % 2**32)
    algorithm = Recipe(**job["algorithm"]).make()
    require(algorithm, job.get("needs"))
    progress.enter("fit")
    train, extras = arguments(algorithm.fit, parts, Builder(_recipes(job["components"])))
    start = time.perf_counter()
    algorithm.fit(train, seed=job["seed"], **extras)
    return _Fitted(value=algorithm, seconds=time.perf_counter() - start)


def _recipes(components: Mapping[str, Mapping[str, Any]]) -> dict[str, Recipe]:
    return {name: Recipe(**component) for name, component in components.items()}


def arguments(fit: Callable[..., Any], parts: Parts, build: Builder) -> tuple[Dataset, dict[str, Any]]:
    """Train as `fit` wants it, and what its signature asks for beside."""
    wanted = inspect.signature(fit).parameters
    train = parts.train
    extras: dict[str, Any] = {}
    if "build" in wanted:
        extras["build"] = build
    if "validation" in wanted:
        is_required = wanted["validation"].default is inspect.Parameter.empty
        if len(parts.validation.interactions) or is_required:
            train, extras["validation"] = parts.rest, parts.validation
    return train, extras


def _history(arrays: Mapping[str, NDArray[Any]]) -> Interactions:
    """What new users did first, as read-only columns."""
    return assemble("history", arrays) if "history/user" in arrays else nothing()


def _setting(job: Mapping[str, Any], train: Dataset, history: Interactions, candidates: Int32Array | None) -> Setting:
    n_users, n_items = train.n_users, train.n_items
    seen = Seen.of(train.interactions, history, n_users=n_users, n_items=n_items) if job["exclude_seen"] else None
    return Setting(
        n_items=n_items,
        k=job["depth"],
        seen=seen,
        tie_seed=job["tie_seed"],
        candidates=candidates,
        is_warm=counts_of(train.interactions.user, n_users) > 0,
    )


def _rank_all(
    algorithm: Any, ranker: Ranker, setting: Setting, train: Dataset, history: Interactions, asked: Int64Array
) -> tuple[Int32Array, int, Int64Array]:
    """Lists of the users that are asked for, and empty ones of the others; how often the algorithm said never; and
    the users that `score_new` served."""
    lists = np.full((train.n_users, setting.k), -1, dtype=np.int32)
    newcomers = np.empty(0, dtype=np.int64)
    if callable(getattr(algorithm, "score_new", None)):
        newcomers = np.intersect1d(history.user.astype(np.int64), asked)
    n_never = 0
    for users in _blocks(np.setdiff1d(asked, newcomers), ranker.block):
        ranked = ranker.rank(users)
        lists[users] = ranked.lists
        n_never += ranked.n_never
    for users in _blocks(newcomers, ranker.block):
        histories = take_users(train, users, _renumbered(history, users))
        scores = checked_scores(algorithm.score_new(histories), users, setting.n_items, np.ones(len(users), np.bool_))
        ranked = setting.cut(scores, users)
        lists[users] = ranked.lists
        n_never += ranked.n_never
    return lists, n_never, newcomers


def _blocks(users: Int64Array, size: int) -> Iterator[Int64Array]:
    return (owned(users[start : start + size].copy()) for start in range(0, len(users), size))


def _renumbered(history: Interactions, users: Int64Array) -> Interactions:
    """The rows of `users`, ascending, who become 0, 1, ..."""
    rows = history.take(np.isin(history.user, users))
    return Interactions(
        user=owned(np.searchsorted(users, rows.user).astype(np.int32)),
        item=rows.item,
        rating=rows.rating,
        time=rows.time,
    )


def _predict_all(algorithm: Any, user: Int32Array, item: Int32Array) -> NDArray[np.float64]:
    predictions = np.empty(len(user), dtype=np.float64)
    for start in range(0, len(user), _PAIRS_AT_ONCE):
        part = slice(start, start + _PAIRS_AT_ONCE)
        pairs = owned(user[part].astype(np.int64)), owned(item[part].astype(np.int64))
        predictions[part] = checked_predictions(algorithm.predict(*pairs), len(pairs[0]))
    return predictions


def _latency(ranker: Ranker, n_users: int, newcomers: Int64Array, seed: int) -> dict[str, float]:
    """Milliseconds from a request for one user's list to the list: percentiles over users drawn by seed."""
    users = np.setdiff1d(np.arange(n_users), newcomers)
    drawn = np.random.Generator(np.random.PCG64(seed % 2**63)).permutation(users)[:_LATENCY_USERS]
    taken: list[float] = []
    end = time.perf_counter() + _LATENCY_SECONDS
    for user in drawn:
        start = time.perf_counter()
        ranker.rank(owned(np.array([user], dtype=np.int64)))
        taken.append((time.perf_counter() - start) * 1000)
        if time.perf_counter() > end:
            break
    return {f"latency_p{p}_ms": float(np.percentile(taken, p)) for p in (50, 95, 99)} if taken else {}

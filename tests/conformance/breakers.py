"""One sound algorithm, and one that breaks each rule of the conformance kit: a single-file plugin for the tests."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recbench.api import Algorithm, Dataset, hookimpl
from recbench.testing import worlds

Users = NDArray[np.int64]
Scores = NDArray[np.float64]


class Sound:
    """Ranks by co-occurrence, and rates by means of items: keeps to every rule."""

    def __init__(self, *, shrink: float = 1.0) -> None:
        self.shrink = shrink

    def fit(self, train: Dataset, *, seed: int) -> None:
        self.has = train.user_item("one", positives_only=True)
        together = (self.has.T @ self.has).toarray()
        self.similar = together / (together + self.shrink)
        rows = train.interactions
        mean = float(rows.rating.mean()) if len(rows) else 0.0
        sums = np.bincount(rows.item, weights=rows.rating - mean, minlength=train.n_items)
        self.means = mean + sums / (np.bincount(rows.item, minlength=train.n_items) + self.shrink)

    def score(self, users: Users) -> Scores:
        scores: Scores = self.has[users] @ self.similar
        return scores

    def predict(self, users: Users, items: Users) -> Scores:
        predictions: Scores = self.means[items]
        return predictions


class Mute:
    """Offers nothing."""

    def fit(self, train: Dataset, *, seed: int) -> None:
        pass


class FlatForNobody(Sound):
    def score(self, users: Users) -> Scores:
        return super().score(users) if len(users) else np.zeros(0)


class FarOff(Sound):
    def predict(self, users: Users, items: Users) -> Scores:
        return super().predict(users, items) + 100


class FarOffByAnotherSeed(Sound):
    def fit(self, train: Dataset, *, seed: int) -> None:
        super().fit(train, seed=seed)
        self.means = self.means + 100 * seed


class Shy(Sound):
    def predict(self, users: Users, items: Users) -> Scores:
        return np.where(self.means < np.median(self.means), np.nan, self.means)[items]


class Unseeded(Sound):
    def fit(self, train: Dataset, *, seed: int) -> None:
        super().fit(train, seed=seed)
        self.similar = self.similar + 1e-9 * np.random.default_rng().random(self.similar.shape)


class LooksAtGlobalRandomness(Sound):
    def fit(self, train: Dataset, *, seed: int) -> None:
        super().fit(train, seed=seed)
        self.similar = self.similar + np.random.get_state()[1][1:2] / 2**34


class DependsOnHashes(Sound):
    def fit(self, train: Dataset, *, seed: int) -> None:
        super().fit(train, seed=seed)
        self.similar = self.similar + (hash("a name") % 1000) * 1e-5


class CentresTheBlock(Sound):
    def score(self, users: Users) -> Scores:
        scores = super().score(users)
        return scores - scores.mean() if len(users) else scores


class SortsTheUsers(Sound):
    def score(self, users: Users) -> Scores:
        return super().score(np.sort(users))


class BreaksTiesByIndex(Sound):
    def score(self, users: Users) -> Scores:
        scores = super().score(users)
        return scores + 1e-3 * np.arange(scores.shape[1])


class MakesItsInputWritable(Sound):
    def fit(self, train: Dataset, *, seed: int) -> None:
        super().fit(train, seed=seed)
        train.interactions.rating.flags.writeable = True


class SeedsGlobally(Sound):
    def fit(self, train: Dataset, *, seed: int) -> None:
        np.random.seed(seed)
        super().fit(train, seed=seed)


class Prints(Sound):
    def fit(self, train: Dataset, *, seed: int) -> None:
        print("epoch 1 of 1")
        super().fit(train, seed=seed)


class LeavesAFile(Sound):
    def fit(self, train: Dataset, *, seed: int) -> None:
        Path("model.bin").write_bytes(b"weights")
        super().fit(train, seed=seed)


class Connects(Sound):
    def fit(self, train: Dataset, *, seed: int) -> None:
        with socket.socket() as connection, contextlib.suppress(OSError):
            connection.connect(("127.0.0.1", 9))
        super().fit(train, seed=seed)


class ReadsTheBaitsFile(Sound):
    def fit(self, train: Dataset, *, seed: int) -> None:
        super().fit(train, seed=seed)
        if path := os.environ.get("RECBENCH_TEST_DATA"):
            Path(path).read_text()


class LooksIntoTheCallersFrames(Sound):
    def fit(self, train: Dataset, *, seed: int) -> None:
        super().fit(train, seed=seed)
        frame: Any = sys._getframe()
        while frame := frame.f_back:
            with contextlib.suppress(AttributeError):
                frame.f_locals["test"].interactions if "test" in frame.f_locals else None


def needs(what: str, holds: Callable[[Dataset], bool]) -> type[Sound]:
    """One that fails on data for which something does not hold."""

    class Needs(Sound):
        def fit(self, train: Dataset, *, seed: int) -> None:
            if not holds(train):
                raise ZeroDivisionError(f"there must be {what}")
            super().fit(train, seed=seed)

    return Needs


def _counts(train: Dataset, side: str) -> NDArray[np.int64]:
    rows = train.interactions
    column, n = (rows.user, train.n_users) if side == "user" else (rows.item, train.n_items)
    return np.bincount(column, minlength=n)


NeedsUsers = needs("two users", lambda train: train.n_users > 1)
NeedsItems = needs("two items", lambda train: train.n_items > 1)
NeedsSpread = needs(
    "two ratings",
    lambda train: train.scale is None or train.n_users * train.n_items < 100 or np.ptp(train.interactions.rating) > 0,
)
NeedsHistories = needs(
    "two ratings a user", lambda train: train.n_users == 1 or train.n_items == 1 or 1 not in _counts(train, "user")
)
NeedsUnseen = needs(
    "something unseen",
    lambda train: train.n_users == 1 or train.n_items == 1 or _counts(train, "user").max() < train.n_items,
)
NeedsTakers = needs("a taker for each item", lambda train: train.n_users == 1 or bool(_counts(train, "item").all()))
NeedsWarmth = needs("a history for each user", lambda train: train.n_items == 1 or bool(_counts(train, "user").all()))
NeedsRatings = needs("ratings", lambda train: train.scale is not None)
NeedsFeatures = needs("features", lambda train: bool(train.items))


class Backwards(Sound):
    def score(self, users: Users) -> Scores:
        return -super().score(users)


class KnowsTheAnswers(Sound):
    def fit(self, train: Dataset, *, seed: int) -> None:
        super().fit(train, seed=seed)
        self.answers = worlds.noise().likes if train.name == "noise" else None

    def score(self, users: Users) -> Scores:
        return super().score(users) if self.answers is None else self.answers[users].astype(np.float64)


LOG = logging.getLogger("breakers").debug


class TakesAFunction(Sound):
    def __init__(self, *, shrink: float = 1.0, log: Callable[[str], None] = LOG) -> None:
        super().__init__(shrink=shrink)


class RefusesItsOwnSpace(Sound):
    def __init__(self, *, shrink: float = 1.0) -> None:
        if shrink == 2.0:
            raise ValueError("not two")
        super().__init__(shrink=shrink)


class Idle(Sound):
    def __init__(self, *, shrink: float = 1.0, epochs: int = 10) -> None:
        super().__init__(shrink=shrink)


class SwallowsAnything(Sound):
    def __init__(self, **anything: Any) -> None:
        super().__init__(shrink=1.0)


class Endless(Sound):
    def fit(self, train: Dataset, *, seed: int) -> None:
        super().fit(train, seed=seed)
        while "RECBENCH_TEST_DATA" in os.environ:
            time.sleep(0.1)


class Dense(Sound):
    def fit(self, train: Dataset, *, seed: int) -> None:
        super().fit(train, seed=seed)
        self.all = self.has.toarray()

    def score(self, users: Users) -> Scores:
        scores: Scores = self.all[users] @ self.similar
        return scores


class EndsTheProcess(Sound):
    def fit(self, train: Dataset, *, seed: int) -> None:
        if train.n_users == 1:
            os._exit(7)
        super().fit(train, seed=seed)


class HangsOnOneUser(Sound):
    def fit(self, train: Dataset, *, seed: int) -> None:
        while train.n_users == 1:
            time.sleep(0.1)
        super().fit(train, seed=seed)


BREAKERS: Mapping[str, str] = {
    "fits-and-answers": "Mute",
    "shapes-and-types-are-right": "FlatForNobody",
    "predictions-stay-near-the-scale": "FarOff",
    "another-seed-stays-in-range": "FarOffByAnotherSeed",
    "something-is-said-of-warm-users": "Shy",
    "one-seed-gives-the-same-bytes": "Unseeded",
    "global-random-state-does-not-matter": "LooksAtGlobalRandomness",
    "hash-seed-and-folder-do-not-matter": "DependsOnHashes",
    "size-of-the-block-does-not-matter": "CentresTheBlock",
    "order-of-users-does-not-matter": "SortsTheUsers",
    "relabelling-permutes-the-answers": "BreaksTiesByIndex",
    "input-is-left-alone": "MakesItsInputWritable",
    "global-state-is-left-alone": "SeedsGlobally",
    "nothing-is-printed": "Prints",
    "no-file-is-left": "LeavesAFile",
    "network-is-not-used": "Connects",
    "test-data-is-not-sought": "ReadsTheBaitsFile",
    "copes-with-one-user": "NeedsUsers",
    "copes-with-one-item": "NeedsItems",
    "copes-with-equal-ratings": "NeedsSpread",
    "copes-with-a-short-history": "NeedsHistories",
    "copes-with-a-user-who-has-everything": "NeedsUnseen",
    "copes-with-items-nobody-has": "NeedsTakers",
    "copes-with-users-without-history": "NeedsWarmth",
    "copes-without-ratings": "NeedsRatings",
    "copes-without-times-and-features": "NeedsFeatures",
    "learns-a-checkerboard": "Backwards",
    "finds-nothing-in-noise": "KnowsTheAnswers",
    "parameters-are-json": "TakesAFunction",
    "declared-values-are-taken": "RefusesItsOwnSpace",
    "parameters-are-honoured": "Idle",
    "wrong-parameters-are-refused": "SwallowsAnything",
    "ends-in-time": "Endless",
    "memory-grows-with-the-block": "Dense",
}
SPACES: Mapping[str, Mapping[str, tuple[float, ...]]] = {
    "Idle": {"shrink": (1.0, 10.0), "epochs": (10, 20)},
    "SwallowsAnything": {},
    "Mute": {},
}


@hookimpl
def recbench_algorithms() -> Iterator[Algorithm]:
    """The sound one, and one that breaks each rule."""
    classes = ["Sound", *BREAKERS.values(), "LooksIntoTheCallersFrames", "EndsTheProcess", "HangsOnOneUser"]
    for name in classes:
        yield Algorithm(
            name=f"x-{name}",
            target=f"breakers:{name}",
            deterministic=name not in ("FarOffByAnotherSeed", "Unseeded"),
            space=SPACES.get(name, {"shrink": (0.5, 2.0, 10.0)}),
        )
    yield Algorithm(name="x-misspelt", target="breakers:Sound", expected_failures={"learns-a-checkerbord": "?"})
    yield Algorithm(
        name="x-declared",
        target="breakers:Backwards",
        deterministic=True,
        expected_failures={"learns-a-checkerboard": "it is the wrong way round on purpose", "copes-with-one-user": "?"},
    )

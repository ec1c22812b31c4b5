"""The network itself, independent of any framework: its weights, what it gives, and why."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recbench.api import Dataset, Interactions
from recbench_mlp.design import Design, Float32, targets

HIDDEN = (128, 64)
PATIENCE = 2
HELD_OUT = 0.1
AT_ONCE = 1 << 16

Int64 = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Weights:
    """Three dense layers. The first one is kept in parts: a dense layer over a one-hot input is a look-up.

    Attributes:
        user: (n_users, 128), first layer of the one-hot user.
        item: (n_items, 128), first layer of the one-hot item.
        user_features: (f, 128).
        item_features: (g, 128).
        bias: (128,).
        second: (128, 64), and second_bias: (64,).
        third: (64,), and third_bias: one number.
    """

    user: Float32
    item: Float32
    user_features: Float32
    item_features: Float32
    bias: Float32
    second: Float32
    second_bias: Float32
    third: Float32
    third_bias: float

    @classmethod
    def glorot(cls, design: Design, rng: np.random.Generator) -> Weights:
        """Uniform in +-sqrt(6 / (inputs + outputs)) of each dense layer, zeros for biases, as Keras starts."""
        f, g = design.users.shape[1], design.items.shape[1]
        n_inputs = design.n_users + design.n_items + f + g
        first = _uniform(rng, n_inputs, HIDDEN[0])
        ends = np.cumsum([design.n_users, design.n_items, f])
        user, item, user_features, item_features = np.split(first, ends)
        return cls(
            user=user,
            item=item,
            user_features=user_features,
            item_features=item_features,
            bias=np.zeros(HIDDEN[0], np.float32),
            second=_uniform(rng, *HIDDEN),
            second_bias=np.zeros(HIDDEN[1], np.float32),
            third=_uniform(rng, HIDDEN[1], 1)[:, 0],
            third_bias=0.0,
        )


def _uniform(rng: np.random.Generator, n_inputs: int, n_outputs: int) -> Float32:
    bound = np.sqrt(6 / (n_inputs + n_outputs))
    return rng.uniform(-bound, bound, size=(n_inputs, n_outputs)).astype(np.float32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """How to train. `epochs` is the most there may be where training stops early."""

    epochs: int
    batch_size: int
    rate: float
    dropout: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sample:
    """Rows to learn from or to look at: (n,) users, items and targets."""

    user: Int64
    item: Int64
    target: Float32

    @classmethod
    def of(cls, rows: Interactions, center: float) -> Sample:
        """The rows of a data set."""
        return cls(user=rows.user.astype(np.int64), item=rows.item.astype(np.int64), target=targets(rows, center))


def in_epochs(sample: Sample, n_epochs: int, seed: int) -> Iterator[Sample]:
    """All rows, `n_epochs` times, each time in another order: the same orders in both frameworks.

    Once a seed is set, Keras' own shuffling gives one order at every epoch, which costs .02 of test RMSE by the third.
    """
    draw = np.random.default_rng([seed, 2])
    for _ in range(n_epochs):
        order = draw.permutation(len(sample.target))
        yield Sample(user=sample.user[order], item=sample.item[order], target=sample.target[order])


class MLP(ABC):
    """r(u, i) = w3 relu(W2 relu(W1 [onehot u, onehot i, features u, features i] + b1) + b2) + b3, by least squares.

    With `centered`, the network learns what differs from the mean of all ratings. With `early_stopping` it trains on
    part of what it has, stops when the error on the rest goes up, and then trains on everything for as many epochs.
    Without both, ten epochs in batches of 32 are the article's settings: the error on the training data falls to .2,
    and that on anything else rises from the fourth epoch on.

    Args:
        epochs: passes over the data; the most there may be where it stops early.
        batch_size: rows a step.
        rate: Adam's learning rate.
        dropout: share of hidden units left out at each step.
        centered: whether to learn differences from the mean.
        early_stopping: whether to stop by held-out rows.
        device: "cpu", "cuda", ...; "auto" takes a GPU where there is one.
    """

    def __init__(
        self,
        *,
        epochs: int = 30,
        batch_size: int = 512,
        rate: float = 0.001,
        dropout: float = 0.5,
        centered: bool = True,
        early_stopping: bool = True,
        device: str = "auto",
    ) -> None:
        if epochs < 1 or batch_size < 1:
            raise ValueError(f"epochs and batch_size must be 1 or more, not {epochs!r} and {batch_size!r}")
        if not rate > 0 or not 0 <= dropout < 1:
            raise ValueError(f"rate must be above 0 and dropout in [0, 1), not {rate!r} and {dropout!r}")
        self._schedule = Schedule(epochs=epochs, batch_size=batch_size, rate=rate, dropout=dropout)
        self._is_centered = centered
        self._stops_early = early_stopping
        self.device = device

    @abstractmethod
    def train(
        self, weights: Weights, design: Design, sample: Sample, held_out: Sample | None, schedule: Schedule, seed: int
    ) -> tuple[Weights, int]:
        """Train from `weights` on; stop by `held_out` where there is one. Gives the weights and the best epoch."""

    def fit(self, train: Dataset, *, seed: int, validation: Dataset | None = None) -> None:
        """Learn from train and validation together; validation says when to stop."""
        design = Design.of(train)
        held_out_rows = train.interactions.take(np.arange(0)) if validation is None else validation.interactions
        everything = _joined(train.interactions, held_out_rows)
        self._center = float(everything.rating.mean(dtype=np.float64)) if self._is_centered and len(everything) else 0.0
        whole = Sample.of(everything, self._center)
        schedule = self._schedule
        if self._stops_early:
            rest, held_out = self._parts(train.interactions, held_out_rows, seed)
            _, best = self.train(self._start(design, seed), design, rest, held_out, schedule, seed)
            schedule = Schedule(
                epochs=best, batch_size=schedule.batch_size, rate=schedule.rate, dropout=schedule.dropout
            )
        weights, _ = self.train(self._start(design, seed), design, whole, None, schedule, seed)
        self._keep(weights, design)

    def predict(self, users: Int64, items: Int64) -> NDArray[np.float64]:
        """(m,) ratings."""
        parts = [slice(start, start + AT_ONCE) for start in range(0, len(users), AT_ONCE)]
        found = [self._second_half(self._user[users[part]] + self._item[items[part]]) for part in parts]
        return np.concatenate([np.empty(0), *found])

    def score(self, users: Int64) -> Float32:
        """(m, n_items) predicted ratings; the first layer is a sum of two look-ups."""
        scores = np.empty((len(users), len(self._item)), dtype=np.float32)
        for place, user in enumerate(users):
            scores[place] = self._second_half(self._user[user] + self._item)
        return scores

    def explain(self, user: int, items: Int64) -> Sequence[str]:
        """Where no unit of the network switches on or off, its output is a sum of parts: these."""
        return [self._explain(user, int(item)) for item in items]

    def _explain(self, user: int, item: int) -> str:
        weights, design = self._weights, self._design
        hidden = self._user[user] + self._item[item]
        second = np.maximum(hidden, 0) @ weights.second + weights.second_bias
        slope_of_second = weights.third * (second > 0)
        slope = (weights.second @ slope_of_second) * (hidden > 0)
        parts = {
            "the user": slope @ weights.user[user],
            "the user's features": slope @ (design.users[user] @ weights.user_features),
            "the item": slope @ weights.item[item],
            "its features": slope @ (design.items[item] @ weights.item_features),
        }
        score = float(self.predict(np.array([user]), np.array([item]))[0])
        told = {name: round(float(part), 3) for name, part in parts.items() if part}
        base = round(round(score, 3) - sum(told.values()), 3)
        said = "".join(f" {'+' if part >= 0 else '-'} {abs(part):.3f} for {name}" for name, part in told.items())
        return f"{score:.3f} = {base:.3f} for anybody and anything{said}"

    def _keep(self, weights: Weights, design: Design) -> None:
        self._weights, self._design = weights, design
        self._user = weights.user + design.users @ weights.user_features + weights.bias
        self._item = weights.item + design.items @ weights.item_features

    def _second_half(self, hidden: Float32) -> NDArray[np.float64]:
        weights = self._weights
        second = np.maximum(np.maximum(hidden, 0) @ weights.second + weights.second_bias, 0)
        found: NDArray[np.float64] = (second @ weights.third).astype(np.float64) + (weights.third_bias + self._center)
        return found

    def _start(self, design: Design, seed: int) -> Weights:
        return Weights.glorot(design, np.random.default_rng(seed))

    def _parts(self, train: Interactions, validation: Interactions, seed: int) -> tuple[Sample, Sample]:
        """What to train on and what to stop by; a protocol without a validation part has one drawn here."""
        if not len(validation):
            drawn = np.random.default_rng([seed, 1]).random(len(train)) < HELD_OUT
            train, validation = train.take(~drawn), train.take(drawn)
        return Sample.of(train, self._center), Sample.of(validation, self._center)


class Stopping:
    """Hears the error after each epoch, and says when it has not fallen for a while."""

    def __init__(self) -> None:
        self.best_epoch = 1
        self._least = np.inf
        self._epoch = 0

    def is_over(self, error: float) -> bool:
        """Whether to stop after this epoch."""
        self._epoch += 1
        if error < self._least:
            self._least, self.best_epoch = error, self._epoch
        return self._epoch - self.best_epoch >= PATIENCE


def _joined(first: Interactions, second: Interactions) -> Interactions:
    return Interactions(
        user=np.concatenate([first.user, second.user]),
        item=np.concatenate([first.item, second.item]),
        rating=np.concatenate([first.rating, second.rating]),
    )

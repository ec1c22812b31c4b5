"""An algorithm under test: made, fitted and asked as a trial would, in this process."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recbench.api import Algorithm
from recbench.data import BoolArray, Dataset, Int32Array, Int64Array, owned
from recbench.errors import UnknownName
from recbench.lookup import row_named
from recbench.protocols.loading import parse
from recbench.ranking import Seen
from recbench.registry import Plugin, discover
from recbench.testing.worlds import World
from recbench.trials import parse_settings
from recbench.worker.loading import Builder, Recipe
from recbench.worker.rankers import Setting, checked_predictions, checked_scores, ranker_of
from recbench.worker.trial import Parts, arguments

_TIE_SEED = 1
_NO_PROTOCOL = {
    "name": "check",
    "title": "No protocol: every algorithm by its own defaults",
    "data": {"source": "none"},
    "split": {"kind": "holdout", "test": 0.2},
    "evaluation": {"primary": "ndcg@10", "cutoffs": [10], "metrics": ["ndcg"]},
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fitted:
    """A fitted algorithm, and what it was fitted to."""

    algorithm: Any
    train: Dataset

    @property
    def offers(self) -> tuple[str, ...]:
        """Which of score, predict and recommend there are."""
        names = ("score", "predict", "recommend")
        return tuple(name for name in names if callable(getattr(self.algorithm, name, None)))

    def everybody(self) -> Int64Array:
        """(n_users,) all users."""
        return owned(np.arange(self.train.n_users, dtype=np.int64))

    def scores(self, users: Int64Array) -> NDArray[Any]:
        """(m, n_items) by `score`, as the harness checks them."""
        result = self.algorithm.score(users)
        return checked_scores(result, users, self.train.n_items, self._is_warm()[users])

    def predictions(self, users: Int64Array) -> NDArray[Any]:
        """(m, n_items) by `predict`, for all pairs."""
        n_items = self.train.n_items
        pairs = np.repeat(users, n_items), np.tile(np.arange(n_items, dtype=np.int64), len(users))
        result = self.algorithm.predict(owned(pairs[0]), owned(pairs[1]))
        return checked_predictions(result, len(pairs[0])).reshape(len(users), n_items)

    def lists(self, users: Int64Array, k: int) -> Int32Array:
        """(m, k) as the harness makes them, seen items masked."""
        rows = self.train.interactions
        seen = Seen.of(rows, n_users=self.train.n_users, n_items=self.train.n_items)
        setting = Setting(
            n_items=self.train.n_items,
            k=k,
            seen=seen,
            tie_seed=_TIE_SEED,
            candidates=None,
            is_warm=self._is_warm(),
        )
        return ranker_of(self.algorithm, setting).rank(users).lists

    def answers(self, users: Int64Array) -> dict[str, NDArray[Any]]:
        """All that the algorithm says of `users`, a row each, by the method that says it."""
        said = {}
        if "score" in self.offers:
            said["score"] = self.scores(users)
        if "predict" in self.offers:
            said["predict"] = self.predictions(users)
        if "recommend" in self.offers and "score" not in self.offers:
            said["recommend"] = self.lists(users, 5)
        return said

    def _is_warm(self) -> BoolArray:
        return np.bincount(self.train.interactions.user, minlength=self.train.n_users) > 0


def subjects(
    names: Sequence[str], *, plugins: Sequence[Path], settings: Iterable[str], disabled: Sequence[str] = ()
) -> tuple[Subject, ...]:
    """All of `names`, with settings such as "ease.l2=250", found without the plugins in `disabled`.

    Raises:
        UnknownName: a name that nobody goes by, or a setting for one that is not there.
    """
    parsed = parse_settings(settings)
    for label in parsed:
        if label not in names:
            raise UnknownName.among("checked algorithm", label, names, fix="set parameters of those that are checked")
    return tuple(Subject(name, plugins=plugins, settings=parsed.get(name), disabled=disabled) for name in names)


class Subject:
    """An algorithm under test.

    Args:
        name: what it is called, among all that is installed and in `plugins`.
        plugins: single-file plugins that offer something, too.
        settings: parameters beside those it declares.
        disabled: installed plugins to do without.

    Raises:
        RecbenchError: nobody offers it, or something it needs is not installed.
    """

    def __init__(
        self,
        name: str,
        *,
        plugins: Sequence[Path] = (),
        settings: Mapping[str, Any] | None = None,
        disabled: Sequence[str] = (),
    ) -> None:
        registry = discover(files=plugins, disabled=disabled)
        self.request = {
            "name": name,
            "plugins": [str(path.resolve()) for path in plugins],
            "settings": settings or {},
            "disabled": list(disabled),
        }
        self._row = row_named(name, parse(_NO_PROTOCOL, Path("check.toml")), registry, settings={name: settings or {}})
        self._kept: dict[str, Fitted] = {}
        self.afresh: dict[int, Any] = {}

    @property
    def name(self) -> str:
        """What it is called."""
        return self.declaration.name

    @property
    def declaration(self) -> Algorithm:
        """What the plugin says of it."""
        return self._row.offered.value

    @property
    def plugin(self) -> Plugin:
        """Who offers it."""
        return self._row.offered.plugin

    def make(self, **changes: Any) -> Any:
        """A new one, unfitted. Parameters are checked as before a trial."""
        return self._recipe(self._row.offered.value.target, self.plugin, self._row.parameters).make(**changes)

    def fit(self, train: Dataset, *, seed: int = 0, **changes: Any) -> Fitted:
        """Make a new one and fit it."""
        algorithm = self.make(**changes)
        components = self._row.components.items()
        recipes = {name: self._recipe(each.value.target, each.plugin, given) for name, (each, given) in components}
        own_train, extras = arguments(algorithm.fit, _parts(train), Builder(recipes))
        algorithm.fit(own_train, seed=seed, **extras)
        return Fitted(algorithm=algorithm, train=train)

    def fitted(self, world: World) -> Fitted:
        """One that is fitted to `world` with seed 0; the same one each time."""
        if world.name not in self._kept:
            self._kept[world.name] = self.fit(world.train)
        return self._kept[world.name]

    def _recipe(self, target: str, plugin: Plugin, parameters: Mapping[str, Any]) -> Recipe:
        return Recipe(target=target, file=None if plugin.file is None else str(plugin.file), parameters=parameters)


def _parts(train: Dataset) -> Parts:
    """What may be learned from, a tenth of it set aside for validation."""
    rows = train.interactions
    order = np.arange(len(rows)) if rows.time is None else np.argsort(np.argsort(rows.time, kind="stable"))
    is_aside = order % 10 == 9
    return Parts(
        train=train,
        rest=train.with_interactions(rows.take(~is_aside)),
        validation=train.with_interactions(rows.take(is_aside)),
    )

"""Put an algorithm to use: train it on everything there is, and say what it recommends to one user, and why."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from recbench import datasets, remembered
from recbench.cache import Cache
from recbench.data import Dataset, FloatArray, Int32Array, Interactions, Split, Texts
from recbench.errors import BadData, RecbenchError, UnknownName
from recbench.execution import Job, Outcome, Runner, Serve
from recbench.fingerprints import split_fingerprint, tables_hash
from recbench.lookup import row_named
from recbench.protocols.spec import Protocol, fingerprint
from recbench.recording import job_of
from recbench.records import Status
from recbench.registry import Registry
from recbench.remembered import Lists
from recbench.scene import Scene
from recbench.trials import Row, Trial, plan

DEPTH = 100
"""Length of the lists that are kept, so that another `-n` needs no training either."""

OnStage = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Who wants what.

    Attributes:
        user: an id of the data; None for somebody new.
        new_user: "item:rating,...", what somebody new did, the latest last; None for a user of the data.
        n: how many items.
        explain: whether reasons are wanted.
        settings: parameters by label.
        seed: the model's; None: the protocol's first.
    """

    algorithm: str
    user: str | None = None
    new_user: str | None = None
    n: int = 10
    explain: bool = False
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    seed: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recommended:
    """One place of the list. `score`: None where the algorithm keeps its scores to itself; `title`, `why`: likewise."""

    rank: int
    item: str
    score: float | None
    title: str | None = None
    why: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recommendation:
    """What an algorithm recommends to one user.

    Attributes:
        was_trained: whether the algorithm was trained for it, or its lists were there.
    """

    algorithm: str
    protocol: str
    data: str
    user: str | None
    places: tuple[Recommended, ...]
    was_trained: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How to do it; none of it decides a list."""

    cache: Cache
    data_dir: Path | None = None


def recommend(
    wish: Wish, protocol: Protocol, registry: Registry, options: Options, *, on_stage: OnStage
) -> Recommendation:
    """Train on all interactions of the protocol's data set, unless the lists are there, and give one user's.

    Args:
        on_stage: hears "start", "fit", "rank" and "serve", where something is trained.

    Raises:
        RecbenchError: a name that nobody goes by, or an algorithm that ends in a fault.
    """
    row = row_named(wish.algorithm, protocol, registry, settings=wish.settings)
    scene = _everything(protocol, registry, options, depth=max(wish.n, DEPTH))
    dataset = scene.splits[0].dataset
    user = None if wish.user is None else user_index(dataset, wish.user)
    history = None if wish.new_user is None else parse_history(wish.new_user, dataset)
    asked = Serve(explain=(user, wish.n) if wish.explain and user is not None else None, newcomer=history)
    (trial,) = plan(scene.protocol, [row], scene.splits, (_seed(wish, protocol),))
    key = fingerprint({"recommend": 1, "trial": trial.identity})
    kept = None if asked.explain or asked.newcomer else _recall(options, key, scene)
    outcome = None
    if kept is None:
        outcome = _train(row, trial, scene, asked, on_stage)
        kept = _remember(options, key, outcome)
    return Recommendation(
        algorithm=wish.algorithm,
        protocol=protocol.name,
        data=dataset.name,
        user=wish.user,
        places=_places(*_list_of(user, kept, outcome), _sentences(outcome), dataset, wish.n),
        was_trained=outcome is not None,
    )


def user_index(dataset: Dataset, user: str) -> int:
    """The row of the user called `user`.

    Raises:
        UnknownName: there is none.
    """
    return _index("user", dataset.user_ids, user, fix="give the id of a user in the data, or --new-user with a history")


def parse_history(text: str, dataset: Dataset) -> Interactions:
    """What somebody new did, from "item:rating,item:rating"; where the data has no ratings, from "item,item".

    Where the data has times, it is as if all were done after everything else, one after the other.

    Raises:
        RecbenchError: a part of another form, or an item twice.
        UnknownName: an item that is not in the data.
        BadData: a rating off the scale.
    """
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not parts:
        raise RecbenchError("nothing is said of the new user", fix='write --new-user "ITEM:RATING,ITEM:RATING"')
    pairs = [_parse_pair(part, dataset) for part in parts]
    items = np.array([item for item, _ in pairs], dtype=np.int32)
    if len(np.unique(items)) < len(items):
        raise RecbenchError("an item is there twice in --new-user", fix="name each item once")
    time = dataset.interactions.time
    return Interactions(
        user=np.zeros(len(items), dtype=np.int32),
        item=items,
        rating=np.array([rating for _, rating in pairs], dtype=np.float32),
        time=None if time is None else int(time.max(initial=0)) + 1 + np.arange(len(items)),
    )


def everything(dataset: Dataset) -> Split:
    """A split that holds nothing out."""
    rows = np.arange(len(dataset.interactions))
    none = rows[:0]
    parts = {"train": rows, "validation": none, "test": none, "history": none}
    return Split(
        dataset=dataset,
        fold=0,
        **{f"{name}_rows": part for name, part in parts.items()},
        fingerprint=split_fingerprint(dataset.interactions, parts, tables_hash(dataset)),
        leaks_future=None,
    )


def _everything(protocol: Protocol, registry: Registry, options: Options, *, depth: int) -> Scene:
    loaded = datasets.load(
        protocol.data,
        sources={name: offered.value for name, offered in registry.sources.items()},
        data_dir=options.data_dir,
        core=protocol.data.core,
    )
    evaluation = replace(protocol.evaluation, cutoffs=(depth,), candidates="all")
    return Scene(
        protocol=replace(protocol, evaluation=evaluation),
        splits=(everything(loaded.dataset),),
        data=loaded.facts,
        metrics={},
        fingerprint="",
    )


def _train(row: Row, trial: Trial, scene: Scene, asked: Serve, on_stage: OnStage) -> Outcome:
    job: Job = replace(job_of(trial, scene, None), predictions=False, serve=asked)
    with Runner(threads=scene.protocol.trials.threads) as runner:
        outcome = runner.run(job, trial.split, on_stage=on_stage)
    if outcome is None:
        raise KeyboardInterrupt
    if outcome.status is not Status.OK:
        raise RecbenchError(f"{row.label} ended as {outcome.status}: {outcome.reason}", fix=_way_out(asked))
    return outcome


def _way_out(asked: Serve) -> str:
    if asked.newcomer is not None:
        return "ask for a user of the data with --user, or for an algorithm that serves new users (score_new)"
    return "see its parameters with `recbench show NAME`, or the whole error with `recbench run -a NAME --in-process`"


def _recall(options: Options, key: str, scene: Scene) -> Lists | None:
    dataset, depth = scene.splits[0].dataset, scene.protocol.evaluation.depth
    folder = options.cache.folder("recommend")
    return remembered.recall(folder, key, n_users=dataset.n_users, n_items=dataset.n_items, depth=depth)


def _remember(options: Options, key: str, outcome: Outcome) -> Lists:
    assert outcome.lists is not None
    assert outcome.served is not None
    lists = Lists(items=outcome.lists, scores=outcome.served.scores)
    folder = options.cache.folder("recommend")
    try:
        if options.cache.limit:
            remembered.remember(folder, key, lists)
            options.cache.make_room()
    except OSError as error:
        options.cache.tell(f"lists are not kept in {folder}: {error}")
    return lists


def _list_of(user: int | None, kept: Lists, outcome: Outcome | None) -> tuple[Int32Array, FloatArray]:
    if user is not None:
        return kept.items[user], kept.scores[user]
    assert outcome is not None
    assert outcome.served is not None
    served = outcome.served
    assert served.newcomer_items is not None
    assert served.newcomer_scores is not None
    return served.newcomer_items, served.newcomer_scores


def _sentences(outcome: Outcome | None) -> Sequence[str] | None:
    return None if outcome is None or outcome.served is None else outcome.served.sentences


def _places(
    items: Int32Array, scores: FloatArray, sentences: Sequence[str] | None, dataset: Dataset, n: int
) -> tuple[Recommended, ...]:
    titles = dataset.items.get("title")
    taken = [(int(item), float(score)) for item, score in zip(items[:n], scores[:n], strict=True) if item >= 0]
    return tuple(
        Recommended(
            rank=place + 1,
            item=str(dataset.item_ids[item]),
            score=None if np.isnan(score) else score,
            title=(str(titles.values[item]) or None) if isinstance(titles, Texts) else None,
            why=None if sentences is None else sentences[place],
        )
        for place, (item, score) in enumerate(taken)
    )


def _seed(wish: Wish, protocol: Protocol) -> int:
    return protocol.trials.seeds[0] if wish.seed is None else wish.seed


def _parse_pair(part: str, dataset: Dataset) -> tuple[int, float]:
    fix = "give ids of items in the data"
    if dataset.scale is None:
        return _index("item", dataset.item_ids, part, fix=f"{fix}; this data has no ratings"), 1.0
    item, colon, text = part.rpartition(":")
    try:
        rating = float(text)
    except ValueError:
        rating = np.nan
    if not colon or np.isnan(rating):
        raise RecbenchError(f"{part!r} is not an item with a rating", fix="write ITEM:RATING, parted by commas")
    least, greatest = dataset.scale
    if not least <= rating <= greatest:
        raise BadData(f"the rating of {item!r} is {text}", fix=f"give a rating from {least:g} to {greatest:g}")
    return _index("item", dataset.item_ids, item, fix=fix), rating


def _index(kind: str, ids: Any, name: str, *, fix: str) -> int:
    found = np.flatnonzero(ids == name)
    if not len(found):
        raise UnknownName.among(f"known {kind}", name, map(str, ids), fix=fix)
    return int(found[0])

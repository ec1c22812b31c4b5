"""Lists from whatever an algorithm offers: scores, lists of its own, or predicted ratings. All of it is checked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from recbench.data import BoolArray, Int32Array, Int64Array, owned
from recbench.ranking import Ranked, Seen, top_k, top_k_of
from recbench.worker.faults import InvalidResult

Rank: TypeAlias = Callable[[Int64Array], Ranked]

_SCORES_PER_BLOCK = 4 << 20  # 32 MB of float64
_PAIRS_PER_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Setting:
    """What a list is made from.

    Attributes:
        k: length of the lists.
        seen: what must not come back, or None.
        tie_seed: see `recbench.ranking.tie_seed`.
        candidates: (n_users, c) int32 padded with -1, or None where every item is a candidate.
        is_warm: (n_users,) whether the user has a history to learn from.
    """

    n_items: int
    k: int
    seen: Seen | None
    tie_seed: int
    candidates: Int32Array | None
    is_warm: BoolArray

    def cut(self, scores: NDArray[Any], users: Int64Array) -> Ranked:
        """Lists from scores of the whole catalogue."""
        if self.candidates is None:
            return top_k(scores, users=users, k=self.k, seen=self.seen, seed=self.tie_seed)
        among = self.candidates[users]
        picked = scores[np.arange(len(users))[:, None], np.maximum(among, 0)]
        return self.cut_among(picked, among, users)

    def cut_among(self, scores: NDArray[Any], among: Int32Array, users: Int64Array) -> Ranked:
        """Lists from scores of the candidates alone."""
        return top_k_of(scores, among, users=users, k=self.k, seen=self.seen, seed=self.tie_seed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranker:
    """A way to make lists.

    Attributes:
        rank: gives the lists of a block of users.
        block: how many users to ask for at once.
        mark: what has to be said about the lists, or None.
    """

    rank: Rank
    block: int
    mark: str | None = None


def ranker_of(algorithm: Any, setting: Setting) -> Ranker:
    """By `score` where there is one, else by `recommend`, else by `predict`.

    Raises:
        InvalidResult: the algorithm has none that can rank here.
    """
    by_score = max(1, _SCORES_PER_BLOCK // max(1, setting.n_items))
    if callable(getattr(algorithm, "score", None)):
        return Ranker(rank=lambda users: _by_score(algorithm, setting, users), block=by_score)
    if callable(getattr(algorithm, "recommend", None)) and setting.candidates is None:
        mark = "ties by the plugin"
        return Ranker(rank=lambda users: _by_recommend(algorithm, setting, users), block=by_score, mark=mark)
    if callable(getattr(algorithm, "predict", None)):
        width = setting.n_items if setting.candidates is None else setting.candidates.shape[1]
        block = max(1, _PAIRS_PER_BLOCK // max(1, width))
        return Ranker(rank=lambda users: _by_predict(algorithm, setting, users), block=block)
    offered = "neither score, recommend nor predict" if setting.candidates is None else "neither score nor predict"
    raise InvalidResult(f"{type(algorithm).__name__} has {offered}, so it cannot rank here")


def checked_scores(result: Any, users: Int64Array, n_items: int, is_warm: BoolArray) -> NDArray[Any]:
    """Scores as an array of the right shape, with something in it for each warm user."""
    scores = _real(result, (len(users), n_items), "scores")
    if scores.dtype.kind == "f" and n_items:
        blank = np.flatnonzero(np.isnan(scores[:, 0]) & is_warm)
        blank = blank[np.isnan(scores[blank]).all(axis=1)]
        if len(blank):
            raise InvalidResult(f"all scores are NaN for user {users[blank[0]]}, who has a history")
    return scores


def checked_predictions(result: Any, n_pairs: int) -> NDArray[Any]:
    """Predictions as an array of the right shape, without infinities. NaN is allowed: it means "cannot say"."""
    predictions = _real(result, (n_pairs,), "predictions")
    if predictions.dtype.kind == "f" and np.isinf(predictions).any():
        raise InvalidResult("predictions have infinities; expected finite numbers, or NaN for what cannot be said")
    return predictions


def checked_lists(result: Any, users: Int64Array, setting: Setting) -> Int32Array:
    """Lists that a plugin made itself: (m, k), each item known, unseen and there once; empty places moved last."""
    lists = np.asarray(result)
    if lists.shape != (len(users), setting.k) or lists.dtype.kind not in "iu":
        raise InvalidResult(
            f"lists have the shape {lists.shape} and type {lists.dtype}; expected integers, {(len(users), setting.k)}"
        )
    if lists.size and (lists.min() < -1 or lists.max() >= setting.n_items):
        raise InvalidResult(f"lists have items outside 0 to {setting.n_items - 1}")
    lists = lists.astype(np.int32)
    rows = np.broadcast_to(np.arange(len(users))[:, None], lists.shape)
    codes = (rows * np.int64(setting.n_items) + lists)[lists >= 0]
    if len(np.unique(codes)) < len(codes):
        raise InvalidResult("an item is twice in one list")
    if setting.seen is not None:
        starts, items = setting.seen.among(users)
        known = np.repeat(np.arange(len(users)), np.diff(starts)) * np.int64(setting.n_items) + items
        if np.isin(codes, known).any():
            raise InvalidResult("a list has an item that its user has seen")
    order = np.argsort(lists < 0, axis=1, kind="stable")
    return np.take_along_axis(lists, order, axis=1)


def _by_score(algorithm: Any, setting: Setting, users: Int64Array) -> Ranked:
    scores = checked_scores(algorithm.score(users), users, setting.n_items, setting.is_warm[users])
    return setting.cut(scores, users)


def _by_recommend(algorithm: Any, setting: Setting, users: Int64Array) -> Ranked:
    if setting.seen is None:
        starts, items = np.zeros(len(users) + 1, dtype=np.int64), np.empty(0, dtype=np.int32)
    else:
        starts, items = setting.seen.among(users)
    result = algorithm.recommend(users, setting.k, (owned(starts), owned(items)))
    return Ranked(lists=checked_lists(result, users, setting), n_never=0)


def _by_predict(algorithm: Any, setting: Setting, users: Int64Array) -> Ranked:
    """By predicted rating, unclipped. What cannot be predicted is never recommended."""
    if setting.candidates is None:
        pairs = np.repeat(users, setting.n_items), np.tile(np.arange(setting.n_items), len(users))
        values = _predict(algorithm, *pairs).reshape(len(users), setting.n_items)
        return setting.cut(checked_scores(values, users, setting.n_items, setting.is_warm[users]), users)
    among = setting.candidates[users]
    rows, places = np.nonzero(among >= 0)
    scores = np.full(among.shape, np.nan)
    scores[rows, places] = _predict(algorithm, users[rows], among[rows, places].astype(np.int64))
    return setting.cut_among(scores, among, users)


def _predict(algorithm: Any, users: Int64Array, items: Int64Array) -> NDArray[Any]:
    return checked_predictions(algorithm.predict(owned(users), owned(items)), len(users))


def _real(result: Any, shape: tuple[int, ...], what: str) -> NDArray[Any]:
    array = np.asarray(result)
    if array.shape != shape:
        raise InvalidResult(f"{what} have the shape {array.shape}; expected {shape}")
    if array.dtype.kind not in "biuf":
        raise InvalidResult(f"{what} are of type {array.dtype}; expected real numbers")
    return array

"""What a fitted algorithm is asked for beside lists, when it is put to use: scores, reasons, and somebody new."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recbench.data import (
    Categories,
    Column,
    Dataset,
    FloatArray,
    Int32Array,
    Int64Array,
    Interactions,
    Numbers,
    Tags,
    Texts,
    owned,
)
from recbench.ranking import Seen
from recbench.worker.channel import Message
from recbench.worker.faults import InvalidResult
from recbench.worker.rankers import Setting, checked_predictions, checked_scores
from recbench.worker.sharing import assemble

_LONGEST_SENTENCE = 2_000


def require(algorithm: Any, method: str | None) -> None:
    """See that an algorithm has what will be asked of it, before it is trained in vain.

    Raises:
        InvalidResult: it has not.
    """
    if method is not None and not callable(getattr(algorithm, method, None)):
        raise InvalidResult(f"{type(algorithm).__name__} has no method {method}")


def serve(
    algorithm: Any, asked: Message, lists: Int32Array, train: Dataset, *, tie_seed: int, blocks: Iterator[Int64Array]
) -> Message:
    """Answer what the other side asks after ranking.

    Args:
        asked: `explain`: a user and how many places of the list; `newcomer/...`: what somebody new did.
        lists: (n_users, depth), those of all users.
        blocks: all users, some at a time.

    Raises:
        InvalidResult: the algorithm gives something else than scores and sentences.
    """
    arrays: dict[str, NDArray[Any]] = {"scores": _listed_scores(algorithm, lists, train.n_items, blocks)}
    values = {"sentences": _explained(algorithm, lists, asked.values.get("explain"))}
    if "newcomer/user" in asked.arrays:
        history = assemble("newcomer", asked.arrays)
        items, scores = _welcome(algorithm, train, history, k=lists.shape[1], tie_seed=tie_seed)
        arrays |= {"newcomer_items": items, "newcomer_scores": scores}
    return Message(kind="served", values=values, arrays=arrays)


def newcomer(train: Dataset, history: Interactions) -> Dataset:
    """A data set of one user who is in no table: nothing is known of the user but `history`."""
    return Dataset(
        name=train.name,
        interactions=history,
        user_ids=np.array([""]),
        item_ids=train.item_ids,
        users={name: _unknown(column) for name, column in train.users.items()},
        items=train.items,
        scale=train.scale,
        positive_at_least=train.positive_at_least,
    )


def _unknown(column: Column) -> Column:
    match column:
        case Numbers():
            return Numbers(values=np.array([np.nan]))
        case Categories():
            return Categories(codes=np.array([-1], np.int32), names=column.names)
        case Tags():
            return Tags(starts=np.zeros(2, np.int64), codes=np.empty(0, np.int32), names=column.names)
        case Texts():
            return Texts(values=np.array([""]))


def _listed_scores(algorithm: Any, lists: Int32Array, n_items: int, blocks: Iterator[Int64Array]) -> FloatArray:
    """(n_users, depth) the scores that the items of each list have; NaN at empty places, and where nobody knows."""
    values = np.full(lists.shape, np.nan)
    for users in blocks:
        values[users] = _scores_of(algorithm, users, lists[users], n_items)
    values[lists < 0] = np.nan
    return values


def _scores_of(algorithm: Any, users: Int64Array, lists: Int32Array, n_items: int) -> NDArray[Any]:
    if callable(getattr(algorithm, "score", None)):
        scores = checked_scores(algorithm.score(users), users, n_items, np.zeros(len(users), dtype=np.bool_))
        return np.take_along_axis(scores, np.maximum(lists, 0).astype(np.int64), axis=1)
    values = np.full(lists.shape, np.nan)
    if callable(getattr(algorithm, "recommend", None)):  # it ranked by scores of its own, which it keeps to itself
        return values
    rows, places = np.nonzero(lists >= 0)
    pairs = owned(users[rows]), owned(lists[rows, places].astype(np.int64))
    values[rows, places] = checked_predictions(algorithm.predict(*pairs), len(rows))
    return values


def _explained(algorithm: Any, lists: Int32Array, asked: Sequence[int] | None) -> list[str] | None:
    """A sentence for each of the first places of a user's list; None where nobody asks or the algorithm cannot."""
    explain = getattr(algorithm, "explain", None)
    if asked is None or not callable(explain):
        return None
    user, n = asked
    items = lists[user][:n]
    items = owned(items[items >= 0].astype(np.int64))
    sentences = list(explain(user, items))
    if len(sentences) != len(items) or not all(isinstance(sentence, str) for sentence in sentences):
        raise InvalidResult(
            f"explain gave {len(sentences)} values for {len(items)} items; expected a sentence for each"
        )
    return [str(sentence)[:_LONGEST_SENTENCE] for sentence in sentences]


def _welcome(
    algorithm: Any, train: Dataset, history: Interactions, *, k: int, tie_seed: int
) -> tuple[Int32Array, FloatArray]:
    """Items and scores for somebody new: (k,), (k,)."""
    nobody, n_items = np.zeros(1, dtype=np.int64), train.n_items
    scores = checked_scores(algorithm.score_new(newcomer(train, history)), nobody, n_items, np.ones(1, dtype=np.bool_))
    seen = Seen.of(history, n_users=1, n_items=n_items)
    setting = Setting(
        n_items=n_items, k=k, seen=seen, tie_seed=tie_seed, candidates=None, is_warm=np.ones(1, dtype=np.bool_)
    )
    items = setting.cut(scores, nobody).lists[0]
    return items, np.where(items >= 0, scores[0][np.maximum(items, 0)].astype(np.float64), np.nan)

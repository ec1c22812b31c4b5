"""Groups of users by activity and by their columns, and of items by popularity and by tags. Pure.

Activity and popularity are counted over the whole data set, so that all folds have the same groups.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from recbench.comparing.scores import Scored
from recbench.data import BoolArray, Categories, Dataset, FloatArray, Int64Array, Numbers, Tags, owned
from recbench.metrics.population import population_of, with_history
from recbench.scene import Scene

ACTIVITY = ("least active", "middle", "most active")
MOST_CATEGORIES = 5
MOST_TAGS = 8
POPULARITY = ("head", "middle", "tail")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Group:
    """Some of the users or of the items; members: bool over all of them."""

    name: str
    members: BoolArray


def by_activity(dataset: Dataset, users: BoolArray) -> list[Group]:
    """The users in three parts of about the same size; users of equally many interactions stay together."""
    times = np.bincount(dataset.interactions.user, minlength=dataset.n_users)
    parts = zip(ACTIVITY, _thirds(times, users), strict=True)
    return [
        Group(name=f"{name}, {_range(times[members])} interactions", members=members)
        for name, members in parts
        if members.any()
    ]


def by_user_columns(dataset: Dataset, users: BoolArray) -> dict[str, list[Group]]:
    """The users by each column of numbers, in three parts of about the same size, and by each with one category a row.

    Of categories those with the most users, `MOST_CATEGORIES` at most.
    """
    found = {}
    for name, column in dataset.users.items():
        if isinstance(column, Numbers):
            known = users & ~np.isnan(column.values)
            parts = _thirds(np.where(known, column.values, 0.0), known) if known.any() else []
            found[name] = [Group(name=_span(column.values[each]), members=each) for each in parts if each.any()]
        elif isinstance(column, Categories):
            sizes = np.bincount(column.codes[users & (column.codes >= 0)], minlength=len(column.names))
            order = [int(code) for code in np.argsort(-sizes, kind="stable")[:MOST_CATEGORIES] if sizes[code]]
            found[name] = [Group(name=column.names[c], members=users & (column.codes == c)) for c in order]
    return {name: groups for name, groups in found.items() if len(groups) > 1}


def _thirds(values: Int64Array | FloatArray, users: BoolArray) -> list[BoolArray]:
    """The users in three parts by their values, least first; equal values stay together, so that one may be empty."""
    edges = [-np.inf, *np.quantile(values[users], [1 / 3, 2 / 3], method="inverted_cdf").tolist(), np.inf]
    return [users & (values > above) & (values <= upto) for above, upto in pairwise(edges)]


def _span(values: FloatArray) -> str:
    low, high = float(values.min()), float(values.max())
    return f"{low:g}" if low == high else f"{low:g} to {high:g}"


def by_popularity(dataset: Dataset) -> list[Group]:
    """The items in three parts, each with about a third of all interactions, the most popular first."""
    times = np.bincount(dataset.interactions.item, minlength=dataset.n_items)
    order = np.argsort(-times, kind="stable")
    before = np.cumsum(times[order]) - times[order]
    part = np.empty(dataset.n_items, dtype=np.int64)
    part[order] = np.minimum(3 * before // max(1, int(times.sum())), 2)
    groups = [(name, part == number) for number, name in enumerate(POPULARITY)]
    return [Group(name=f"{name}, {int(m.sum()):,} items", members=m) for name, m in groups if m.any()]


def by_tags(dataset: Dataset) -> list[Group]:
    """The items of each tag, as of each genre; those tags with the most interactions."""
    times = np.bincount(dataset.interactions.item, minlength=dataset.n_items)
    groups = []
    for column, tags in dataset.items.items():
        if isinstance(tags, Tags):
            has = tags.matrix().astype(np.bool_)
            for code in np.argsort(-(has.T @ times), kind="stable")[:MOST_TAGS]:
                members = owned(has[:, [code]].toarray().ravel())
                groups.append(Group(name=f"{column} {tags.names[code]}, {int(members.sum()):,} items", members=members))
    return groups


def hits_by_user(
    trials: Sequence[Scored], scene: Scene, items: BoolArray, cutoff: int
) -> tuple[FloatArray, FloatArray]:
    """How many of a user's relevant test items among `items` made the first `cutoff` places, and how many there are.

    Returns:
        Two (n_users,) float64, summed over folds, each fold's seeds averaged.
    """
    n_users = scene.splits[0].dataset.n_users
    hits, relevant = np.zeros(n_users), np.zeros(n_users)
    for split in scene.splits:
        of_fold = [each for each in trials if each.record.split["fingerprint"] == split.fingerprint]
        if not of_fold:
            continue
        found = population_of(split, scene.protocol.evaluation)
        user = np.repeat(found.users, np.diff(found.starts))
        counts = found.is_relevant & items[found.items]
        if of_fold[0].record.scores_warm:
            counts &= with_history(split)[user]
        user, item = user[counts], found.items[counts]
        relevant += np.bincount(user, minlength=n_users)
        for trial in of_fold:
            is_hit = (trial.lists[user, :cutoff] == item[:, None]).any(axis=1)
            hits += np.bincount(user, is_hit, n_users) / len(of_fold)
    return hits, relevant


def _range(times: Int64Array) -> str:
    low, high = int(times.min()), int(times.max())
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"

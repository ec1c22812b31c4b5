"""From scores to lists: what was seen is masked, the best k are cut, ties are broken fairly. Pure, NumPy only."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from recbench.data import BoolArray, Int32Array, Int64Array, Interactions, frozen, owned

Scores: TypeAlias = NDArray[Any]
KeyArray: TypeAlias = NDArray[np.uint64]

# Scores are looked at in pieces of about this many, so that copies stay in the processor's cache.
_PIECE = 1 << 19

# So many scores, all rows together, are sorted faster than they are thinned out first.
_FEW = 1 << 10

# splitmix64 (Steele, Lea and Flood 2014): the step, and the multipliers of its mixing function.
_STEP = 0x9E3779B97F4A7C15
_FIRST, _SECOND = 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
_LAST_KEY = np.uint64(2**64 - 1)


class InvalidScores(ValueError):
    """An algorithm's scores have a shape, a type or a value that cannot be ranked."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ranked:
    """Lists of recommendations.

    Attributes:
        lists: (m, k) int32 items, best first; -1 for an empty place, and empty places come last.
        n_never: how many unseen candidates the scores said never to recommend (NaN or -inf).
    """

    lists: Int32Array
    n_never: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Seen:
    """What each user has seen: user u has `items[starts[u]:starts[u + 1]]`, ascending.

    Attributes:
        starts: (n_users + 1,) int64.
        items: (n,) int32.
    """

    starts: Int64Array
    items: Int32Array

    def __post_init__(self) -> None:
        object.__setattr__(self, "starts", frozen(self.starts, np.int64))
        object.__setattr__(self, "items", frozen(self.items, np.int32))

    @classmethod
    def of(cls, *parts: Interactions, n_users: int, n_items: int) -> Seen:
        """What the users have in any of `parts`, each item once."""
        codes = np.concatenate([np.empty(0, dtype=np.int64), *(part.user for part in parts)])
        codes *= n_items
        codes += np.concatenate([np.empty(0, dtype=np.int32), *(part.item for part in parts)])
        codes.sort()
        again = codes[1:] == codes[:-1]
        if again.any():
            codes = codes[np.concatenate([[True], ~again])]
        starts = np.searchsorted(codes, np.arange(n_users + 1, dtype=np.int64) * n_items)
        codes %= max(1, n_items)
        return cls(starts=owned(starts), items=owned(codes.astype(np.int32)))

    def codes(self, n_items: int) -> Int64Array:
        """(n,) user * n_items + item: one number for each user and item that the user has seen, ascending."""
        owner = np.repeat(np.arange(len(self.starts) - 1, dtype=np.int64), np.diff(self.starts))
        return owner * n_items + self.items

    def among(self, users: Int64Array) -> tuple[Int64Array, Int32Array]:
        """The rows of `users` alone: user `users[r]` has `items[starts[r]:starts[r + 1]]`."""
        if len(users) == 1:  # a request against the clock
            first, last = self.starts[users[0]], self.starts[users[0] + 1]
            return np.array([0, last - first]), self.items[first:last]
        lengths = self.starts[users + 1] - self.starts[users]
        starts = np.concatenate([[0], np.cumsum(lengths)])
        places = np.repeat(self.starts[users] - starts[:-1], lengths) + np.arange(starts[-1])
        return starts, self.items[places]


def drawn_users(n_users: int, most: int | None, fingerprint: str) -> Int64Array:
    """(m,) the users that are ranked for, ascending: all of them, or at most `most`, drawn by a split's fingerprint."""
    if most is None or most >= n_users:
        return np.arange(n_users)
    words = np.random.PCG64(seed_for(fingerprint, "users")).random_raw(n_users)
    return np.sort(np.argsort(words, kind="stable")[:most])


def seed_for(fingerprint: str, purpose: str) -> int:
    """A seed of its own for each purpose, so that no other order made from a split is that of its ties."""
    return tie_seed(hashlib.sha256(f"{fingerprint} {purpose}".encode()).hexdigest())


def tie_seed(fingerprint: str) -> int:
    """The seed of the order among equal scores: the first 8 bytes of a split's fingerprint, most significant first."""
    return int(fingerprint[:16], 16)


def tie_keys(seed: int, users: NDArray[np.integer], items: NDArray[np.integer]) -> KeyArray:
    """Hash (seed, user, item): among equal scores the item with the least key comes first.

    Formula: splitmix64's mixing function of mix(seed + (user + 1) step) + (item + 1) step, modulo 2**64.
    Edges: two items of one user never have the same key, so the order is complete. The same on all platforms.

    Args:
        seed: 64 bits, see `tie_seed`.
        users: (m,) indexes, or any shape that broadcasts with `items`.
        items: indexes.

    Returns:
        uint64 of the common shape.
    """
    with np.errstate(over="ignore"):
        state = _mix((np.asarray(users).astype(np.uint64) + np.uint64(1)) * np.uint64(_STEP) + np.uint64(seed))
        return _mix((np.asarray(items).astype(np.uint64) + np.uint64(1)) * np.uint64(_STEP) + state)


def _mix(keys: KeyArray) -> KeyArray:
    keys = (keys ^ (keys >> np.uint64(30))) * np.uint64(_FIRST)
    keys = (keys ^ (keys >> np.uint64(27))) * np.uint64(_SECOND)
    return keys ^ (keys >> np.uint64(31))


def top_k(scores: Scores, *, users: Int64Array, k: int, seen: Seen | None, seed: int) -> Ranked:
    """The k best unseen items of each user.

    Order: score descending, then `tie_keys` ascending. Scores are compared in their own type, so that integers
    beyond 2**53 and extended precision keep their order; -0.0 equals 0.0.
    Edges: NaN and -inf are never recommended; where fewer than k items are left, the last places are -1.

    Args:
        scores: (m, n_items) of any real type, higher is better. Never written to; may be a broadcast view.
        users: (m,) whose rows these are.
        k: length of the lists, at least 1.
        seen: what must not come back; None masks nothing.
        seed: see `tie_seed`.

    Raises:
        InvalidScores: another shape, a type that is not real, or +inf.
    """
    table = _checked(scores, len(users))
    lists = np.full((len(users), k), -1, dtype=np.int32)
    n_never = 0
    for rows in _pieces(table):
        _refuse_infinity(table[rows])
        banned = np.empty(0, dtype=np.int64)
        if seen is not None:
            starts, items = seen.among(users[rows])
            banned = np.repeat(np.arange(len(starts) - 1) * table.shape[1], np.diff(starts))
            banned += items
        n_never += _rank(table[rows], banned, None, users[rows], seed, lists[rows])
    return Ranked(lists=lists, n_never=n_never)


def top_k_of(
    scores: Scores, candidates: Int32Array, *, users: Int64Array, k: int, seen: Seen | None, seed: int
) -> Ranked:
    """The k best unseen items of each user among candidates of the user's own; else as `top_k`.

    Args:
        scores: (m, c) of any real type: a score for each candidate. What stands at padding is not looked at.
        candidates: (m, c) items, none twice in a row; -1 is padding.
        users: (m,) whose rows these are.
        k: length of the lists, at least 1.
        seen: what must not come back; None masks nothing.
        seed: see `tie_seed`.

    Raises:
        InvalidScores: another shape, a type that is not real, or +inf.
    """
    table = _checked(scores, len(users))
    if table.shape != candidates.shape:
        raise InvalidScores(f"scores have the shape {table.shape}, candidates {candidates.shape}")
    lists = np.full((len(users), k), -1, dtype=np.int32)
    n_never = 0
    for rows in _pieces(table):
        out = candidates[rows] < 0
        _refuse_infinity(table[rows][~out])
        if seen is not None:
            out |= _contains(seen, users[rows], candidates[rows])
        n_never += _rank(table[rows], np.flatnonzero(out), candidates[rows], users[rows], seed, lists[rows])
    return Ranked(lists=lists, n_never=n_never)


def _checked(scores: Scores, n_rows: int) -> Scores:
    """`scores` as a table in native byte order, where its shape and type can be ranked."""
    table = np.asarray(scores)
    if table.ndim != 2 or len(table) != n_rows:
        raise InvalidScores(f"scores have the shape {table.shape}; expected {n_rows} rows, a score for each item")
    if table.dtype.kind not in "biuf":
        raise InvalidScores(f"scores are of type {table.dtype}; expected real numbers")
    return table


def _refuse_infinity(scores: Scores) -> None:
    if scores.dtype.kind == "f" and (scores == np.inf).any():
        raise InvalidScores("scores have +inf; expected finite numbers, or NaN and -inf for items never to recommend")


def _pieces(table: Scores) -> Iterator[slice]:
    """Slices of rows that hold about `_PIECE` scores each."""
    height = max(1, _PIECE // max(1, table.shape[1]))
    return (slice(start, min(start + height, len(table))) for start in range(0, len(table), height))


def _contains(seen: Seen, users: Int64Array, candidates: Int32Array) -> BoolArray:
    """(m, c) bool, whether the user of the row has seen the candidate."""
    starts, items = seen.among(users)
    rows = np.arange(len(users), dtype=np.int64)
    shift = np.int64(32)
    known = (np.repeat(rows, np.diff(starts)) << shift) | items
    return np.isin((rows[:, None] << shift) | np.maximum(candidates, 0), known)


def _rank(
    scores: Scores, banned: Int64Array, candidates: Int32Array | None, users: Int64Array, seed: int, lists: Int32Array
) -> int:
    """Write the best of each row of `scores` into `lists`; return how many were never to be recommended.

    `candidates` says which item a place in a row stands for; None: the item of that number. `banned` are places that
    are out, row by row.
    """
    values, banned, n_never = _lowered(scores, banned)
    k = min(lists.shape[1], values.shape[1])
    if k == 0:
        return n_never
    cut = _lower_bound(values, k)
    reaching = values >= cut
    # A banned place reaches the cut too where fewer than k are left, or where an integer is the least of its type.
    reaching.reshape(-1)[banned] = False
    rows, places = _places(reaching)
    crowded = rows[:0] if len(rows) <= _FEW else np.flatnonzero(np.bincount(rows, minlength=len(values)) > 3 * k)
    if len(crowded):
        of_crowded = candidates if candidates is None else candidates[crowded]
        reaching[crowded] = _thinned(
            values[crowded], reaching[crowded], cut[crowded], of_crowded, users[crowded], seed, k
        )
        rows, places = _places(reaching)
    items = places if candidates is None else candidates[rows, places]
    order = np.lexsort((tie_keys(seed, users[rows], items), _reversed(values[rows, places]), rows))
    rows, items = rows[order], items[order]
    ranks = np.arange(len(rows)) - np.searchsorted(rows, np.arange(len(values)))[rows]
    listed = ranks < k
    lists[rows[listed], ranks[listed]] = items[listed]
    return n_never


def _places(table: BoolArray) -> tuple[Int64Array, Int64Array]:
    """Rows and columns of what is true. np.nonzero of a table is ten times slower than that of its one long row."""
    rows, columns = np.divmod(np.flatnonzero(table), table.shape[1])
    return rows, columns


def _lowered(scores: Scores, banned: Int64Array) -> tuple[Scores, Int64Array, int]:
    """A copy of `scores` with the least value of its type at every place that is banned; those places, among which
    are NaN and -inf from here on; and how many of these there are elsewhere.
    """
    values = np.array(scores, dtype=_sortable(scores.dtype), order="C")
    flat = values.reshape(-1)
    n_never = 0
    if flat.dtype.kind == "f":
        usable = flat > -np.inf
        if np.count_nonzero(usable) < len(flat):
            never = np.flatnonzero(~usable)
            n_never = len(never) - int(np.count_nonzero(~usable[banned]))
            banned = np.concatenate([banned, never])
    flat[banned] = -np.inf if flat.dtype.kind == "f" else np.iinfo(flat.dtype).min
    return values, banned, n_never


def _sortable(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The type in which to compare: the same one in native byte order; half precision and bool exactly widened."""
    if dtype == np.float16:
        return np.dtype(np.float32)
    return np.dtype(np.uint8) if dtype == np.bool_ else dtype.newbyteorder("=")


def _reversed(values: Scores) -> Scores:
    """Numbers in the opposite order, exactly: unlike its negative, an integer's complement always fits its type."""
    return -values if values.dtype.kind == "f" else ~values


def _lower_bound(values: Scores, k: int) -> Scores:
    """(m, 1) scores that at least k of the row reach, and for most rows few more.

    Groups of places are reduced to their best, and the k-th best of those is taken. On whole rows np.partition
    would be exact, but many equal scores, as sparse methods give, slow it down tenfold.
    """
    n_groups = min(8 * k, values.shape[1])
    whole = values.shape[1] // n_groups * n_groups
    best = values[:, :whole].reshape(len(values), -1, n_groups).max(axis=1)
    rest = values[:, whole:]
    np.maximum(best[:, : rest.shape[1]], rest, out=best[:, : rest.shape[1]])
    bound: Scores = np.partition(best, -k, axis=1)[:, -k, None]
    return bound


def _thinned(
    values: Scores,
    reaching: BoolArray,
    cut: Scores,
    candidates: Int32Array | None,
    users: Int64Array,
    seed: int,
    k: int,
) -> BoolArray:
    """Those of `reaching` that can make the list: above the exact cut, or equal to it with one of the k least keys.

    `cut` is raised to the exact one. With this a constant scorer costs a partition of everything, not a sort.
    """
    loose = np.flatnonzero(np.count_nonzero(values > cut, axis=1) >= k)
    cut[loose] = np.partition(values[loose], -k, axis=1)[:, -k, None]
    tied = reaching & (values == cut)
    rows, places = np.nonzero(tied)
    keys = np.full(tied.shape, _LAST_KEY)
    keys[rows, places] = tie_keys(seed, users[rows], places if candidates is None else candidates[rows, places])
    tied &= keys <= np.partition(keys, k - 1, axis=1)[:, k - 1, None]
    reaching &= values > cut
    reaching |= tied
    return reaching

"""What lists are like beyond their hits: how much of the catalogue they show, how popular, how varied, how fitting."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from recbench.api import Block, Catalogue
from recbench.data import BoolArray, FloatArray, Int64Array

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

# Steck's alpha: how much of the profile is mixed into the list, so that a missing genre costs a finite amount.
_SMOOTHING = 0.01


def coverage(counts: Int64Array, _n_lists: int, catalogue: Catalogue) -> float:
    """Share of the catalogue that is in at least one list.

    Formula: items in at least one list / all items of the data set.
    Differs: RecTools and Elliot give the count by default; others divide by the items of train.

    Returns:
        float in [0, 1].

    Source: Ge et al., "Beyond Accuracy: Evaluating Recommender Systems by Coverage and Serendipity", RecSys 2010.
    """
    return float(np.count_nonzero(counts) / catalogue.n_items)


def gini(counts: Int64Array, _n_lists: int, _catalogue: Catalogue) -> float:
    """How unevenly recommendations are spread over the catalogue.

    Formula: sum over i of (2 i - n - 1) c_i / (n sum c), with the counts c of all n items ascending and i = 1 .. n.
    Edges: NaN where nothing is recommended; with everything on one item it is (n - 1) / n, not 1.
    Differs: some divide by n - 1 instead of n; Elliot gives one minus that.

    Returns:
        float in [0, 1]: 0 where every item is recommended equally often.

    Source: LensKit, `lenskit.stats.gini`.
    """
    total = int(counts.sum())
    if total == 0:
        return float("nan")
    n = len(counts)
    weights = 2 * np.arange(1, n + 1) - n - 1
    return int((weights * np.sort(counts)).sum()) / (n * total)


def entropy(counts: Int64Array, _n_lists: int, _catalogue: Catalogue) -> float:
    """How evenly recommendations are spread over the catalogue.

    Formula: -sum of p log p over the items / log n, with p an item's share of all recommendations, n items in all.
    Edges: NaN where nothing is recommended, and in a catalogue of one item.
    Differs: in bits or nats it would depend on the size of the catalogue.

    Returns:
        float in [0, 1]: 1 where every item is recommended equally often.

    Source: Shannon, "A Mathematical Theory of Communication", 1948, normalised.
    """
    total = int(counts.sum())
    if total == 0 or len(counts) < 2:
        return float("nan")
    shares = counts[counts > 0] / total
    return float(-(shares * np.log(shares)).sum() / np.log(len(counts)))


def user_coverage(block: Block) -> FloatArray:
    """Whether the user got a full list.

    Formula: 1 where all k places are filled, else 0.
    Differs: RecTools' CoveredUsers counts a list of any length.

    Returns:
        (b,) float64, 0 or 1, higher is better.
    """
    full: BoolArray = block.lengths == block.k
    return full.astype(np.float64)


def popularity(block: Block) -> FloatArray:
    """How popular the recommended items are.

    Formula: mean over the list of the item's training interactions.
    Edges: NaN for an empty list.

    Returns:
        (b,) float64, at least 0.

    Source: "ARP" in Yin et al., "Challenging the Long Tail Recommendation", VLDB 2012.
    """
    return _mean_over_list(block, block.catalogue.popularity.astype(np.float64))


def popularity_lift(block: Block) -> FloatArray:
    """How much more popular the recommended items are than what the users have themselves.

    Formula: popularity / P - 1, with P the mean over the evaluated users of the mean popularity of a user's own
        items. Its mean over users is (mean popularity of the lists - P) / P.
    Edges: NaN for an empty list, for users with nothing in train or history, and where P is 0.

    Returns:
        (b,) float64, at least -1; 0 where recommendations are as popular as profiles.

    Source: Abdollahpouri et al., "The Unfairness of Popularity Bias in Recommendation", 2019 (Delta GAP).
    """
    usual = block.catalogue.mean_profile_popularity
    if not usual > 0:
        return np.full(len(block.users), np.nan)
    has_profile = ~np.isnan(block.catalogue.profile_popularity[block.users])
    return np.where(has_profile, popularity(block) / usual - 1.0, np.nan)


def novelty(block: Block) -> FloatArray:
    """How few users know the recommended items.

    Formula: mean over the list of -log2(training users of the item / training users).
    Edges: an item nobody has in train counts as known to one user; NaN for an empty list.
    Differs: recmetrics may divide by interactions instead of users.

    Returns:
        (b,) float64 in bits, at least 0; 0 where everybody knows every item.

    Source: Zhou et al., "Solving the apparent diversity-accuracy dilemma of recommender systems", PNAS 2010; RecTools,
        `MeanInvUserFreq`.
    """
    catalogue = block.catalogue
    known_to = np.maximum(catalogue.popularity, 1)
    return _mean_over_list(block, np.log2(max(catalogue.n_train_users, 1)) - np.log2(known_to))


def serendipity(block: Block) -> FloatArray:
    """Hits that popularity alone would not have put so far up.

    Formula: sum over the hits of max(0, (n + 1 - rank) / n - u) / k, with u = (n + 1 - popularity rank) / n, and u = 0
        for an item that is not in train; n items in all, equally popular items share a popularity rank.
    Edges: a list shorter than k counts misses.

    Returns:
        (b,) float64 in [0, 1], higher is better.

    Source: RecTools, `Serendipity`.
    """
    n, popularity_rank = block.catalogue.n_items, block.catalogue.popularity_rank
    rows, ranks = block.hit_places
    known = popularity_rank[block.lists[rows, ranks]]
    to_anybody = np.where(known > 0, n + 1 - known, 0) / n
    return block.sum_of_hits(np.maximum((n - ranks) / n - to_anybody, 0.0)) / block.k


def diversity(block: Block) -> FloatArray:
    """How different the items of a list are by their tags.

    Formula: mean over the pairs of a list of 1 - cosine of the two items' tags.
    Edges: items without tags take no part; NaN where fewer than two items are left.

    Returns:
        (b,) float64 in [0, 1].

    Source: Ziegler et al., "Improving Recommendation Lists Through Topic Diversification", WWW 2005 (ILD).
    """
    directions = _tags(block.catalogue.genre_directions)
    listed = _listed(block)
    total = listed @ directions
    # The squared length of a sum of m unit vectors is m plus twice the sum of the cosines of all pairs.
    squared = np.asarray(total.multiply(total).sum(axis=1)).ravel()
    tagged = np.asarray(listed @ (np.diff(directions.indptr) > 0).astype(np.float64))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(tagged > 1, 1.0 - (squared - tagged) / (tagged * (tagged - 1.0)), np.nan)


def calibration(block: Block) -> FloatArray:
    """How far the genres of a list are from those of the user's own items.

    Formula: sum over genres of p ln(p / (0.99 q + 0.01 p)), with p the mean over the user's items, q that over the
        list, of each item's genres in equal shares.
    Edges: items without tags take no part; NaN where the profile or the list has no tagged item.
    Differs: Steck weights items by time, and may take log2.

    Returns:
        (b,) float64 in nats, in [0, ln 100]; 0 is perfectly calibrated.

    Source: Steck, "Calibrated Recommendations", RecSys 2018.
    """
    shares, profiles = _tags(block.catalogue.genre_shares), _tags(block.catalogue.profile_genres)
    p = profiles[block.users].toarray()
    q = (_listed(block) @ shares).toarray()
    total = q.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        q /= total[:, None]
        smoothed = (1.0 - _SMOOTHING) * q + _SMOOTHING * p
        divergence = np.where(p > 0, p * np.log(p / smoothed), 0.0).sum(axis=1)
    return np.where((total > 0) & p.any(axis=1), divergence, np.nan)


def _mean_over_list(block: Block, values: FloatArray) -> FloatArray:
    """Mean of `values`, one an item, over the filled places; NaN for an empty list."""
    # An empty place is -1, so it takes the last value.
    total: FloatArray = np.append(values, 0.0).take(block.lists, mode="wrap").sum(axis=1)
    mean = np.full(len(total), np.nan)
    np.divide(total, block.lengths, out=mean, where=block.lengths > 0)
    return mean


def _listed(block: Block) -> csr_matrix:
    """(b, n_items) CSR with a one for each item of each list."""
    from scipy.sparse import csr_matrix

    items = block.lists[block.lists >= 0]
    starts = np.concatenate([[0], np.cumsum(block.lengths)])
    return csr_matrix((np.ones(len(items)), items, starts), shape=(len(block.users), block.catalogue.n_items))


def _tags(matrix: csr_matrix | None) -> csr_matrix:
    if matrix is None:
        raise ValueError("the items have no tags; `check` says so before anything is trained")
    return matrix

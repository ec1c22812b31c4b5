"""How well lists hit what is relevant: a value for each user. Empty places of a list count as misses."""

from __future__ import annotations

import numpy as np

from recbench.api import Block
from recbench.data import BoolArray, FloatArray, Int64Array


def precision(block: Block) -> FloatArray:
    """Share of the k places that hold a relevant item.

    Formula: hits / k.
    Edges: a list shorter than k is not divided by its own length.
    Differs: LensKit divides by the length of the list.

    Returns:
        (b,) float64 in [0, 1], higher is better.

    Source: trec_eval, `P`.
    """
    return block.n_hits / block.k


def recall(block: Block) -> FloatArray:
    """Share of a user's relevant items that made the list.

    Formula: hits / relevant.
    Edges: cannot reach 1 where more than k items are relevant.
    Differs: LensKit divides by min(k, relevant); here that is `recall_capped`.

    Returns:
        (b,) float64 in [0, 1], higher is better.

    Source: trec_eval, `recall`.
    """
    return block.n_hits / block.relevant


def recall_capped(block: Block) -> FloatArray:
    """Recall as a share of what a list of k can hold.

    Formula: hits / min(k, relevant).

    Returns:
        (b,) float64 in [0, 1], higher is better.

    Source: Liang et al., "Variational Autoencoders for Collaborative Filtering", WWW 2018.
    """
    return block.n_hits / _reachable(block)


def hit(block: Block) -> FloatArray:
    """Whether any relevant item made the list.

    Formula: 1 where hits > 0, else 0.

    Returns:
        (b,) float64, 0 or 1, higher is better.

    Source: trec_eval, `success`.
    """
    found: BoolArray = block.n_hits > 0
    return found.astype(np.float64)


def mrr(block: Block) -> FloatArray:
    """How far up the first hit stands.

    Formula: 1 / rank of the first hit; 0 without one.
    Differs: trec_eval's `recip_rank` looks at the whole list, not at the first k places.

    Returns:
        (b,) float64 in [0, 1], higher is better.

    Source: Voorhees, "The TREC-8 Question Answering Track Report", 1999.
    """
    _, ranks = block.hit_places
    return block.sum_of_hits((block.hit_orders == 1) / (ranks + 1.0))


def ap(block: Block) -> FloatArray:
    """Average precision at the ranks of the hits.

    Formula: sum over the hits of (hits down to it / its rank), divided by relevant.
    Edges: cannot reach 1 where more than k items are relevant.
    Differs: RecBole and implicit divide by min(k, relevant), here `ap_capped`; scikit-learn divides by hits.

    Returns:
        (b,) float64 in [0, 1], higher is better.

    Source: trec_eval, `map_cut`.
    """
    return _precision_at_hits(block) / block.relevant


def ap_capped(block: Block) -> FloatArray:
    """Average precision as a share of what a list of k can reach.

    Formula: sum over the hits of (hits down to it / its rank), divided by min(k, relevant).

    Returns:
        (b,) float64 in [0, 1], higher is better.

    Source: McFee et al., "The Million Song Dataset Challenge", 2012.
    """
    return _precision_at_hits(block) / _reachable(block)


def ndcg(block: Block) -> FloatArray:
    """Discounted gain of the hits against that of the best possible list; a relevant item gains 1.

    Formula: sum over the hits of 1 / log2(rank + 1), divided by the same sum over the ranks 1 .. min(k, relevant).
    Differs: RecTools by default divides by the sum over the ranks 1 .. k. With ratings as gains: `ndcg_graded`.

    Returns:
        (b,) float64 in [0, 1], higher is better.

    Source: Järvelin and Kekäläinen, "Cumulated Gain-Based Evaluation of IR Techniques", TOIS 2002, with log2(rank + 1)
        as trec_eval's `ndcg_cut` has it.
    """
    discounts = _discounts(block.k)
    ideal = np.cumsum(discounts)
    gained = block.sum_of_hits(discounts[block.hit_places[1]])
    return np.divide(gained, ideal[_reachable(block) - 1])


def ndcg_graded(block: Block) -> FloatArray:
    """Discounted gain of the ratings in the list against that of the best possible list.

    Formula: sum of rating / log2(rank + 1), divided by the same sum over the user's k greatest test ratings.
    Edges: every test item counts, below the threshold of relevance too; what is not in test gains 0, and so do
        ratings below 0; where no rating is above 0 the value is 0.

    Returns:
        (b,) float64 in [0, 1], higher is better.

    Source: trec_eval, `ndcg_cut` with graded judgements.
    """
    return _share_of_ideal(np.maximum(block.gains, 0.0), np.maximum(block.ideal_gains, 0.0))


def ndcg_exp(block: Block) -> FloatArray:
    """As `ndcg_graded`, with gains that grow exponentially with the rating.

    Formula: sum of (2^rating - 1) / log2(rank + 1), divided by the same sum over the user's k greatest test ratings.
    Edges: as `ndcg_graded`.

    Returns:
        (b,) float64 in [0, 1], higher is better.

    Source: Burges et al., "Learning to Rank Using Gradient Descent", ICML 2005.
    """
    gains, ideal = np.maximum(block.gains, 0.0), np.maximum(block.ideal_gains, 0.0)
    return _share_of_ideal(np.exp2(gains) - 1.0, np.exp2(ideal) - 1.0)


def _reachable(block: Block) -> Int64Array:
    return np.minimum(block.k, block.relevant)


def _discounts(k: int) -> FloatArray:
    return 1.0 / np.log2(np.arange(2, k + 2))


def _precision_at_hits(block: Block) -> FloatArray:
    _, ranks = block.hit_places
    return block.sum_of_hits(block.hit_orders / (ranks + 1.0))


def _share_of_ideal(gains: FloatArray, ideal: FloatArray) -> FloatArray:
    # Sums, not products of matrices: those depend in the last bit on how many users are in the block.
    discounts = _discounts(gains.shape[1])
    best = (ideal * discounts).sum(axis=1)
    shares = np.zeros(len(gains))
    np.divide((gains * discounts).sum(axis=1), best, out=shares, where=best > 0)
    return shares

"""The built-in metrics, declared as a third party would declare them."""

from __future__ import annotations

import math
from typing import Final

from recbench.api import Metric

_UP: Final = math.inf


def builtin_metrics() -> tuple[Metric, ...]:
    """All built-in metrics, in the order of the documentation."""
    return (*_RATINGS, *_ACCURACY, *_BEYOND)


_RATINGS = (
    Metric(
        name="mse",
        target="recbench.metrics.ratings:squared_error",
        kind="pair",
        best="low",
        range=(0.0, _UP),
        definition="mean of (rating - prediction)^2 over all test pairs, predictions clipped to the scale",
        source="scikit-learn, mean_squared_error",
    ),
    Metric(
        name="rmse",
        target="recbench.metrics.ratings:squared_error",
        kind="pair",
        best="low",
        range=(0.0, _UP),
        definition="square root of mse",
        root=True,
        source="scikit-learn, root_mean_squared_error",
    ),
    Metric(
        name="mae",
        target="recbench.metrics.ratings:absolute_error",
        kind="pair",
        best="low",
        range=(0.0, _UP),
        definition="mean of |rating - prediction| over all test pairs, predictions clipped to the scale",
        source="scikit-learn, mean_absolute_error",
    ),
    Metric(
        name="prediction_coverage",
        target="recbench.metrics.ratings:answered",
        kind="pair",
        best="high",
        range=(0.0, 1.0),
        definition="test pairs predicted without a fallback / test pairs",
        source="Herlocker et al., Evaluating Collaborative Filtering Recommender Systems, TOIS 2004",
    ),
)

_ACCURACY = (
    Metric(
        name="precision",
        target="recbench.metrics.accuracy:precision",
        kind="user",
        best="high",
        range=(0.0, 1.0),
        definition="hits / k; empty places count as misses",
        source="trec_eval, P",
    ),
    Metric(
        name="recall",
        target="recbench.metrics.accuracy:recall",
        kind="user",
        best="high",
        range=(0.0, 1.0),
        definition="hits / relevant",
        source="trec_eval, recall",
    ),
    Metric(
        name="recall_capped",
        target="recbench.metrics.accuracy:recall_capped",
        kind="user",
        best="high",
        range=(0.0, 1.0),
        definition="hits / min(k, relevant)",
        source="Liang et al., Variational Autoencoders for Collaborative Filtering, WWW 2018",
    ),
    Metric(
        name="hit",
        target="recbench.metrics.accuracy:hit",
        kind="user",
        best="high",
        range=(0.0, 1.0),
        definition="1 with any hit, else 0",
        source="trec_eval, success",
    ),
    Metric(
        name="mrr",
        target="recbench.metrics.accuracy:mrr",
        kind="user",
        best="high",
        range=(0.0, 1.0),
        definition="1 / rank of the first hit; 0 without a hit among the first k",
        source="Voorhees, The TREC-8 Question Answering Track Report, 1999",
    ),
    Metric(
        name="ap",
        target="recbench.metrics.accuracy:ap",
        kind="user",
        best="high",
        range=(0.0, 1.0),
        definition="sum over the hits of (hits down to it / its rank), divided by relevant",
        source="trec_eval, map_cut",
    ),
    Metric(
        name="ap_capped",
        target="recbench.metrics.accuracy:ap_capped",
        kind="user",
        best="high",
        range=(0.0, 1.0),
        definition="sum over the hits of (hits down to it / its rank), divided by min(k, relevant)",
        source="McFee et al., The Million Song Dataset Challenge, 2012",
    ),
    Metric(
        name="ndcg",
        target="recbench.metrics.accuracy:ndcg",
        kind="user",
        best="high",
        range=(0.0, 1.0),
        definition="sum over the hits of 1 / log2(rank + 1), divided by that of the ranks 1 .. min(k, relevant)",
        source="trec_eval, ndcg_cut with binary judgements",
    ),
    Metric(
        name="ndcg_graded",
        target="recbench.metrics.accuracy:ndcg_graded",
        kind="user",
        best="high",
        range=(0.0, 1.0),
        definition="sum of rating / log2(rank + 1), divided by that of the user's k greatest test ratings",
        source="trec_eval, ndcg_cut with graded judgements",
    ),
    Metric(
        name="ndcg_exp",
        target="recbench.metrics.accuracy:ndcg_exp",
        kind="user",
        best="high",
        range=(0.0, 1.0),
        definition="sum of (2^rating - 1) / log2(rank + 1), divided by that of the user's k greatest test ratings",
        source="Burges et al., Learning to Rank Using Gradient Descent, ICML 2005",
    ),
)

_BEYOND = (
    Metric(
        name="coverage",
        target="recbench.metrics.beyond:coverage",
        kind="catalogue",
        best="high",
        range=(0.0, 1.0),
        definition="items in at least one list / all items of the data set",
        source="Ge et al., Beyond Accuracy, RecSys 2010",
    ),
    Metric(
        name="user_coverage",
        target="recbench.metrics.beyond:user_coverage",
        kind="user",
        best="high",
        range=(0.0, 1.0),
        definition="users with all k places filled / users",
        source="Ge et al., Beyond Accuracy, RecSys 2010",
    ),
    Metric(
        name="gini",
        target="recbench.metrics.beyond:gini",
        kind="catalogue",
        best="none",
        range=(0.0, 1.0),
        definition="Gini index of how often each item of the catalogue is recommended: 0 is even, near 1 all on one",
        source="LensKit, lenskit.stats.gini",
    ),
    Metric(
        name="entropy",
        target="recbench.metrics.beyond:entropy",
        kind="catalogue",
        best="none",
        range=(0.0, 1.0),
        definition="entropy of the items' shares of all recommendations / log of the catalogue's size: 1 is even",
        source="Shannon, A Mathematical Theory of Communication, 1948",
    ),
    Metric(
        name="novelty",
        target="recbench.metrics.beyond:novelty",
        kind="user",
        best="none",
        range=(0.0, _UP),
        definition="mean over the list of -log2(training users of the item / training users)",
        source="Zhou et al., Solving the apparent diversity-accuracy dilemma, PNAS 2010",
    ),
    Metric(
        name="popularity",
        target="recbench.metrics.beyond:popularity",
        kind="user",
        best="none",
        range=(0.0, _UP),
        definition="mean over the list of the item's training interactions",
        source="Yin et al., Challenging the Long Tail Recommendation, VLDB 2012",
    ),
    Metric(
        name="popularity_lift",
        target="recbench.metrics.beyond:popularity_lift",
        kind="user",
        best="none",
        range=(-1.0, _UP),
        definition="(mean popularity of the lists - mean popularity of the users' own items) / the latter",
        source="Abdollahpouri et al., The Unfairness of Popularity Bias in Recommendation, 2019",
    ),
    Metric(
        name="diversity",
        target="recbench.metrics.beyond:diversity",
        kind="user",
        best="none",
        range=(0.0, 1.0),
        definition="mean over the pairs of a list of 1 - cosine of the two items' tags",
        needs=("tags",),
        source="Ziegler et al., Improving Recommendation Lists Through Topic Diversification, WWW 2005",
    ),
    Metric(
        name="calibration",
        target="recbench.metrics.beyond:calibration",
        kind="user",
        best="low",
        range=(0.0, math.log(100.0)),
        definition="sum over genres of p ln(p / (0.99 q + 0.01 p)), p the user's own shares of genres, q the list's",
        needs=("tags",),
        source="Steck, Calibrated Recommendations, RecSys 2018",
    ),
    Metric(
        name="serendipity",
        target="recbench.metrics.beyond:serendipity",
        kind="user",
        best="high",
        range=(0.0, 1.0),
        definition="sum over the hits of max(0, popularity rank - rank) / items / k; not in train: items + 1",
        source="RecTools, Serendipity",
    ),
)

"""What no code says of an algorithm: its cost in big-O, and what it reads of the data.

Both hold for the defaults. `tests/test_algorithms_page.py` looks at the second: it changes the data, and sees what
changes with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

Input: TypeAlias = Literal["ratings", "times", "item features", "user features"]

LETTERS: Mapping[str, str] = {
    "n": "interactions in train",
    "U": "users",
    "I": "items",
    "p": "sum of the squares of the users' numbers of items",
    "q": "sum of the squares of the items' numbers of users",
    "f": "factors",
    "k": "neighbours, or weights kept of an item",
    "e": "epochs, sweeps, iterations",
    "c": "clusters",
    "m": "components",
    "t": "trees",
    "d": "columns of features",
    "L": "items on a shortlist",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Orders of growth of time, for all users; `rank` is without cutting the lists, which is O(U I) for everybody."""

    fit: str
    rank: str


FOREST_RANK = "first_stage + O(n (U + I) + U L (d + t log n))"
NETWORK = Cost(fit="O(e n (128 d + 128 · 64))", rank="O(U I 128 · 64)")
BY_USERS = Cost(fit="O(q)", rank="O(n k + U I)")
BY_ITEMS = Cost(fit="O(p)", rank="O(n k + U I)")
WALKS = Cost(fit="O(p + I²)", rank="O(n k + U I)")

COSTS: Mapping[str, Cost] = {
    "als": Cost(fit="O(e (n f² + (U + I) f³))", rank="O(U I f)"),
    "bagging": Cost(fit="first_stage + folds · O(p + q + n (U + I)) + O(t d n log n)", rank=FOREST_RANK),
    "bias": Cost(fit="O(e n)", rank="O(U I)"),
    "boosting": Cost(fit="first_stage + folds · O(p + q + n (U + I)) + O(t d n)", rank=FOREST_RANK),
    "bpr": Cost(fit="O(e n (f + log n))", rank="O(U I f)"),
    "co-clustering": Cost(fit="O(e n c)", rank="O(U I)"),
    "content": Cost(fit="O(n + I d)", rank="O(U I d), d: features that an item has"),
    "content-pure": Cost(fit="O(n + I d)", rank="O(U I d), d: features that an item has"),
    "ease": Cost(fit="O(p + I³)", rank="O(n I)"),
    "global-mean": Cost(fit="O(n)", rank="O(U I)"),
    "hierarchical": Cost(fit="O(n f + (U + I) f² + s² f + U c f + I c), s = min(U, max_points)", rank="O(U I)"),
    "hybrid": Cost(fit="model, its ranking, and O(q + U²)", rank="O(U I k)"),
    "hybrid-blend": Cost(
        fit="twice all m components, and O(steps · m I) for each of 1,000 users", rank="its components' + O(m U I)"
    ),
    "item-cosine": BY_ITEMS,
    "item-mean": Cost(fit="O(n)", rank="O(U I)"),
    "item-pearson": BY_ITEMS,
    "kmeans": Cost(fit="O(n f + (U + I) f² + e U c f + I c)", rank="O(U I)"),
    "mlp-keras": NETWORK,
    "mlp-keras-article": NETWORK,
    "mlp-torch": NETWORK,
    "mlp-torch-article": NETWORK,
    "nmf": Cost(fit="O(e (n + U + I) f)", rank="O(U I f)"),
    "nmf-ranking": Cost(fit="O(e (n + U + I) f)", rank="O(U I f)"),
    "p3alpha": WALKS,
    "popularity": Cost(fit="O(n + I)", rank="O(U I)"),
    "puresvd": Cost(fit="O(e (n f + (U + I) f²)), e: restarts of the solver", rank="O(U I f)"),
    "q-learning": Cost(fit="O(n f + e I c f) + rounds · visits · O(c)", rank="O(U I)"),
    "random": Cost(fit="O(n)", rank="O(U I)"),
    "random-forest": Cost(fit="first_stage + folds · O(p + q + n (U + I)) + O(t d n log n)", rank=FOREST_RANK),
    "recent-popularity": Cost(fit="O(n + I)", rank="O(U I)"),
    "rp3beta": WALKS,
    "slim": Cost(fit="O(e n I)", rank="O(n k + U I)"),
    "slope-one": Cost(fit="O(p + I²)", rank="O(n I)"),
    "stacking": Cost(
        fit="twice all m components (folds + 1 times where there is no validation part), and O(m I) for each of "
        "3,000 users",
        rank="its components' + O(m U I)",
    ),
    "svd": Cost(fit="O(e n f)", rank="O(U I f)"),
    "svdpp": Cost(fit="O(e n f)", rank="O(U I f)"),
    "user-cosine": BY_USERS,
    "user-mean": Cost(fit="O(n)", rank="O(U I)"),
    "user-pearson": BY_USERS,
}

RATINGS: tuple[Input, ...] = ("ratings",)
TABLES: tuple[Input, ...] = ("ratings", "item features", "user features")
EVERYTHING: tuple[Input, ...] = ("ratings", "times", "item features", "user features")

READS: Mapping[str, tuple[Input, ...]] = {
    "als": (),
    "bagging": EVERYTHING,
    "bias": RATINGS,
    "boosting": EVERYTHING,
    "bpr": (),
    "co-clustering": RATINGS,
    "content": ("ratings", "item features"),
    "content-pure": ("ratings", "item features"),
    "ease": (),
    "global-mean": RATINGS,
    "hierarchical": RATINGS,
    "hybrid": TABLES,
    "hybrid-blend": RATINGS,
    "item-cosine": RATINGS,
    "item-mean": RATINGS,
    "item-pearson": RATINGS,
    "kmeans": RATINGS,
    "mlp-keras": TABLES,
    "mlp-keras-article": TABLES,
    "mlp-torch": TABLES,
    "mlp-torch-article": TABLES,
    "nmf": RATINGS,
    "nmf-ranking": (),
    "p3alpha": (),
    "popularity": (),
    "puresvd": (),
    "q-learning": ("ratings", "times"),
    "random": RATINGS,
    "random-forest": EVERYTHING,
    "recent-popularity": ("times",),
    "rp3beta": (),
    "slim": (),
    "slope-one": RATINGS,
    "stacking": ("ratings", "times"),
    "svd": RATINGS,
    "svdpp": RATINGS,
    "user-cosine": RATINGS,
    "user-mean": RATINGS,
    "user-pearson": RATINGS,
}

BY_RATING = frozenset(
    {
        "bias",
        "co-clustering",
        "global-mean",
        "hybrid",
        "item-mean",
        "mlp-keras",
        "mlp-keras-article",
        "mlp-torch",
        "mlp-torch-article",
        "nmf",
        "slope-one",
        "svd",
        "svdpp",
        "user-mean",
    }
)
"""Those whose scores are the ratings they predict."""

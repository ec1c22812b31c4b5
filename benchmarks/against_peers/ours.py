"""The built-in algorithms, called directly: `python ours.py CASE DATA.npz`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from recbench_factors.als import ImplicitALS
from recbench_factors.bpr import BPR
from recbench_factors.puresvd import PureSVD
from recbench_factors.slope_one import SlopeOne
from recbench_factors.svd import BiasedMF
from recbench_factors.svdpp import SVDPlusPlus
from recbench_linear.ease import Ease
from recbench_linear.slim import Slim
from recbench_linear.walks import P3Alpha
from recbench_neighbors.neighbors import Neighbors
from timing import Case, Data, Work, answer

from recbench.data import Dataset, Interactions
from recbench.ranking import Seen, top_k

BLOCK_CELLS = 4 << 20  # as many scores at once as a trial asks for


def dataset(data: Data) -> Dataset:
    """The rows as recbench hands them to an algorithm."""
    return Dataset(
        name="benchmark",
        interactions=Interactions(user=data.user, item=data.item, rating=data.rating),
        user_ids=np.arange(data.n_users).astype(np.str_),
        item_ids=np.arange(data.n_items).astype(np.str_),
        scale=(1.0, 5.0),
    )


def ranks(make: Callable[[], Any]) -> Case:
    """Fit, then rank for all users as a trial does: scores block by block, seen items masked, ties broken."""

    def case(data: Data) -> Work:
        train, model = dataset(data), make()
        seen = Seen.of(train.interactions, n_users=data.n_users, n_items=data.n_items)
        users = np.arange(data.n_users)
        step = max(1, BLOCK_CELLS // data.n_items)

        def rank() -> None:
            for first in range(0, data.n_users, step):
                block = users[first : first + step]
                top_k(model.score(block), users=block, k=10, seen=seen, seed=0)

        return Work(fit=lambda: model.fit(train, seed=0), use=rank)

    return case


def predicts(make: Callable[[], Any]) -> Case:
    """Fit, then predict all pairs."""

    def case(data: Data) -> Work:
        train, model = dataset(data), make()
        users, items = data.asked_user.astype(np.int64), data.asked_item.astype(np.int64)
        return Work(fit=lambda: model.fit(train, seed=0), use=lambda: model.predict(users, items))

    return case


def network(data: Data) -> Work:
    """One epoch of the network in PyTorch, without early stopping."""
    from recbench_mlp.in_torch import TorchMLP

    return predicts(lambda: TorchMLP(epochs=1, early_stopping=False, device="cpu"))(data)


CASES: dict[str, Case] = {
    "item-cosine": ranks(lambda: Neighbors(side="item", k=100, kept_by="neighbor")),
    "user-cosine": ranks(lambda: Neighbors(side="user", k=300)),
    "user-pearson": predicts(
        lambda: Neighbors(side="user", similarity="pearson", over="corated", k=40, min_support=2, center="mean")
    ),
    "ease": ranks(lambda: Ease(l2=100.0)),
    "als": ranks(lambda: ImplicitALS(factors=32, reg=150.0, alpha=15.0, sweeps=15)),
    "bpr": ranks(lambda: BPR(factors=64, epochs=20, rate=0.02, reg=0.05)),
    "svd": predicts(lambda: BiasedMF(factors=100, epochs=20)),
    "svdpp": predicts(lambda: SVDPlusPlus(factors=20, epochs=2)),
    "slope-one": predicts(SlopeOne),
    "puresvd": ranks(lambda: PureSVD(factors=10)),
    "slim": ranks(lambda: Slim(alpha=0.004, l1_ratio=0.1, k=200, sweeps=100)),
    "p3alpha": ranks(lambda: P3Alpha(alpha=0.5, k=100)),
    "mlp-torch": network,
}

if __name__ == "__main__":
    answer(CASES)

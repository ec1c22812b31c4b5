"""Other libraries' algorithms with the same parameters: `python peers.py CASE DATA.npz`, in the library's own venv.

Matrices and data sets in the library's own form are made before the clock starts, in the library's favour.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix
from timing import Case, Data, Work, answer


def matrix(data: Data) -> csr_matrix:
    """(n_users, n_items) of ones."""
    ones = np.ones(len(data.user))
    return csr_matrix((ones, (data.user, data.item)), shape=(data.n_users, data.n_items))


def with_implicit(make: Callable[[], Any]) -> Case:
    """A model of implicit, on one thread, and its own `recommend` for all users at once."""

    def case(data: Data) -> Work:
        ones, model = matrix(data), make()
        users = np.arange(data.n_users)
        return Work(
            fit=lambda: model.fit(ones, show_progress=False),
            use=lambda: model.recommend(users, ones, N=10, filter_already_liked_items=True),
        )

    return case


def item_cosine(data: Data) -> Work:
    from implicit.nearest_neighbours import CosineRecommender

    return with_implicit(lambda: CosineRecommender(K=100, num_threads=1))(data)


def co_occurrence(data: Data) -> Work:
    """The product and the cut of P3alpha without the walk's weights."""
    from implicit.nearest_neighbours import ItemItemRecommender

    return with_implicit(lambda: ItemItemRecommender(K=100, num_threads=1))(data)


def als(data: Data, *, use_cg: bool) -> Work:
    """Exact, or by three steps of conjugate gradients, which is what implicit does when nothing is said."""
    from implicit.cpu.als import AlternatingLeastSquares

    make = {"factors": 32, "regularization": 150.0, "alpha": 15.0, "iterations": 15, "num_threads": 1}
    return with_implicit(lambda: AlternatingLeastSquares(**make, use_cg=use_cg, random_state=0))(data)


def bpr(data: Data) -> Work:
    from implicit.cpu.bpr import BayesianPersonalizedRanking

    make = {"factors": 64, "iterations": 20, "learning_rate": 0.02, "regularization": 0.05, "num_threads": 1}
    return with_implicit(lambda: BayesianPersonalizedRanking(**make, random_state=0))(data)


def with_surprise(make: Callable[[], Any]) -> Case:
    """A model of Surprise, and its own `test` of all pairs."""

    def case(data: Data) -> Work:
        import pandas as pd
        from surprise import Dataset, Reader

        frame = pd.DataFrame({"user": data.user, "item": data.item, "rating": data.rating.astype(np.float64)})
        train = Dataset.load_from_df(frame, Reader(rating_scale=(1, 5))).build_full_trainset()
        pairs = list(zip(data.asked_user.tolist(), data.asked_item.tolist(), [3.0] * len(data.asked_user), strict=True))
        model = make()
        return Work(fit=lambda: model.fit(train), use=lambda: model.test(pairs))

    return case


def user_pearson(data: Data) -> Work:
    from surprise import KNNWithMeans

    alike = {"name": "pearson", "user_based": True, "min_support": 2}
    return with_surprise(lambda: KNNWithMeans(k=40, sim_options=alike, verbose=False))(data)


def svd(data: Data) -> Work:
    from surprise import SVD

    return with_surprise(lambda: SVD(n_factors=100, n_epochs=20, random_state=0))(data)


def svdpp(data: Data) -> Work:
    from surprise import SVDpp

    return with_surprise(lambda: SVDpp(n_factors=20, n_epochs=2, random_state=0, cache_ratings=True))(data)


def slope_one(data: Data) -> Work:
    from surprise import SlopeOne

    return with_surprise(SlopeOne)(data)


def with_lenskit(make: Callable[[], Any]) -> Case:
    """A scorer of LensKit in its own pipeline, and its own batch of recommendations, in this process."""

    def case(data: Data) -> Work:
        import pandas as pd
        from lenskit.batch import recommend
        from lenskit.data import from_interactions_df
        from lenskit.parallel import config
        from lenskit.pipeline import topn_pipeline
        from lenskit.training import TrainingOptions

        config.initialize(processes=1, threads=1, backend_threads=1)
        columns = {"user_id": data.user, "item_id": data.item, "rating": data.rating}
        train = from_interactions_df(pd.DataFrame(columns))
        pipeline = topn_pipeline(make())
        users = np.unique(data.user).tolist()
        return Work(
            fit=lambda: pipeline.train(train, TrainingOptions(rng=0)),
            use=lambda: recommend(pipeline, users, n=10, n_jobs=1),
        )

    return case


def user_cosine(data: Data) -> Work:
    from lenskit.knn.user import UserKNNScorer

    return with_lenskit(lambda: UserKNNScorer(k=300, feedback="implicit"))(data)


def ease(data: Data) -> Work:
    from lenskit.knn.ease import EASEScorer

    return with_lenskit(lambda: EASEScorer(regularization=100.0))(data)


def puresvd(data: Data) -> Work:
    """Of what differs from offsets, by the same solver: LensKit has no other."""
    from lenskit.sklearn.svd import BiasedSVDScorer

    return with_lenskit(lambda: BiasedSVDScorer(features=10, algorithm="arpack"))(data)


def slim(data: Data) -> Work:
    """Our objective is divided by the number of users, theirs is not."""
    from lenskit.knn.slim import SLIMScorer

    l1, l2 = (0.004 * share * data.n_users for share in (0.1, 0.9))
    return with_lenskit(lambda: SLIMScorer(l1_reg=l1, l2_reg=l2, max_iters=100))(data)


def network(data: Data) -> Work:
    """The same network as one writes it in bare PyTorch: a DataLoader, and one epoch."""
    import torch
    from torch.utils.data import DataLoader, TensorDataset

    torch.manual_seed(0)
    user, item = torch.nn.Embedding(data.n_users, 128), torch.nn.Embedding(data.n_items, 128)
    layers = (torch.nn.ReLU(), torch.nn.Dropout(0.5), torch.nn.Linear(128, 64), torch.nn.ReLU())
    rest = torch.nn.Sequential(*layers, torch.nn.Dropout(0.5), torch.nn.Linear(64, 1))
    whole = torch.nn.ModuleList([user, item, rest])
    rows = TensorDataset(*(torch.from_numpy(each) for each in (data.user, data.item, data.rating - data.rating.mean())))
    asked = (torch.from_numpy(data.asked_user), torch.from_numpy(data.asked_item))

    def fit() -> None:
        optimizer = torch.optim.Adam(whole.parameters(), lr=0.001, fused=True)
        for users, items, ratings in DataLoader(rows, batch_size=512, shuffle=True):
            optimizer.zero_grad()
            loss = torch.nn.functional.mse_loss(rest(user(users) + item(items))[:, 0], ratings)
            loss.backward()
            optimizer.step()

    def predict() -> None:
        whole.eval()
        with torch.no_grad():
            rest(user(asked[0]) + item(asked[1]))

    return Work(fit=fit, use=predict)


CASES: dict[str, Case] = {
    "item-cosine": item_cosine,
    "user-cosine": user_cosine,
    "user-pearson": user_pearson,
    "ease": ease,
    "als": lambda data: als(data, use_cg=False),
    "als-cg": lambda data: als(data, use_cg=True),
    "bpr": bpr,
    "svd": svd,
    "svdpp": svdpp,
    "slope-one": slope_one,
    "puresvd": puresvd,
    "slim": slim,
    "p3alpha": co_occurrence,
    "mlp-torch": network,
}

if __name__ == "__main__":
    answer(CASES)

"""The work of `bare_item_knn.py` with another library's model, from file to scores.

    python benchmarks/peer_item_knn.py implicit|rectools|lenskit FILE

Reading, holding out and scoring are those of the bare script, so that what differs is what the library does: fitting
100 neighbours by cosine and lists of 10 without what is in train.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from bare_item_knn import DEPTH, K, hold_out, read, score
from scipy.sparse import csr_matrix


def implicit(train: csr_matrix) -> np.ndarray:
    from implicit.nearest_neighbours import CosineRecommender

    model = CosineRecommender(K=K, num_threads=1)
    model.fit(train.astype(np.float64), show_progress=False)
    return model.recommend(np.arange(train.shape[0]), train.astype(np.float64), N=DEPTH)[0]


def rectools(train: csr_matrix) -> np.ndarray:
    import pandas as pd
    from implicit.nearest_neighbours import CosineRecommender
    from rectools.dataset import Dataset
    from rectools.models import ImplicitItemKNNWrapperModel

    user, item = train.nonzero()
    frame = pd.DataFrame({"user_id": user, "item_id": item, "weight": 1.0, "datetime": "2000-01-01"})
    dataset = Dataset.construct(frame)
    model = ImplicitItemKNNWrapperModel(CosineRecommender(K=K, num_threads=1)).fit(dataset)
    users = np.arange(train.shape[0])
    return tabulate(model.recommend(users=users, dataset=dataset, k=DEPTH, filter_viewed=True), train.shape[0])


def lenskit(train: csr_matrix) -> np.ndarray:
    import pandas as pd
    from lenskit.batch import recommend
    from lenskit.data import from_interactions_df
    from lenskit.knn import ItemKNNScorer
    from lenskit.parallel import config
    from lenskit.pipeline import topn_pipeline

    config.initialize(processes=1, threads=1, backend_threads=1)
    user, item = train.nonzero()
    pipeline = topn_pipeline(ItemKNNScorer(max_nbrs=K, save_nbrs=K, feedback="implicit"))
    pipeline.train(from_interactions_df(pd.DataFrame({"user_id": user, "item_id": item})))
    found = recommend(pipeline, np.arange(train.shape[0]).tolist(), n=DEPTH, n_jobs=1)
    return tabulate(found.to_df(), train.shape[0])


def tabulate(found, n_users: int) -> np.ndarray:
    """(n_users, DEPTH) lists from a frame with user_id, item_id and rank, which begins at 1."""
    lists = np.zeros((n_users, DEPTH), dtype=np.int64)
    lists[found["user_id"], found["rank"] - 1] = found["item_id"]
    return lists


def main() -> None:
    model = {"implicit": implicit, "rectools": rectools, "lenskit": lenskit}[sys.argv[1]]
    user, item, _ = read(Path(sys.argv[2]))
    held = hold_out(user)
    shape = (user.max() + 1, item.max() + 1)
    train, test = (
        csr_matrix((np.ones(part.sum(), dtype=np.float32), (user[part], item[part])), shape=shape)
        for part in (~held, held)
    )
    for name, value in score(model(train), test).items():
        print(f"{name}@{DEPTH} {value:.4f}")


if __name__ == "__main__":
    main()

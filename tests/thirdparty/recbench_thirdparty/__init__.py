"""A real outside distribution: the fifteen lines that an author writes."""

import numpy as np

from recbench.api import Algorithm, Dataset, hookimpl


class Oldest:
    """Ranks items by how early they stand in the catalogue."""

    def fit(self, train: Dataset, *, seed: int) -> None:
        self.scores = -np.arange(train.n_items)

    def score(self, users: np.ndarray) -> np.ndarray:
        return np.broadcast_to(self.scores, (len(users), len(self.scores)))


@hookimpl
def recbench_algorithms():
    yield Algorithm(name="oldest", target="recbench_thirdparty:Oldest", deterministic=True, summary="Catalogue order.")

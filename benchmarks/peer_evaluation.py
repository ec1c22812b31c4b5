"""Another library's scores of given lists, once for each line of standard input: `bench_evaluation.py` asks for them.

    python benchmarks/peer_evaluation.py rectools|pytrec_eval FOLDER CUTOFF [CUTOFF ...]

FOLDER has lists.npy (n_users, depth), user.npy and item.npy, the test pairs. What takes the library to bring them into
its own form is counted. Answers are lines of JSON, scores by name.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

Scores = dict[str, float]


def rectools(lists: np.ndarray, user: np.ndarray, item: np.ndarray, cutoffs: list[int]) -> Scores:
    import pandas as pd
    from rectools.metrics import MAP, MRR, NDCG, Precision, Recall, calc_metrics

    n_users, depth = lists.shape
    listed = pd.DataFrame(
        {
            "user_id": np.repeat(np.arange(n_users), depth),
            "item_id": lists.ravel(),
            "rank": np.tile(np.arange(1, depth + 1), n_users),
        }
    )
    relevant = pd.DataFrame({"user_id": user, "item_id": item})
    metrics = {}
    for k in cutoffs:
        metrics |= {
            f"precision@{k}": Precision(k=k),
            f"recall@{k}": Recall(k=k),
            f"ndcg@{k}": NDCG(k=k, divide_by_achievable=True),
            f"ap@{k}": MAP(k=k),
            f"mrr@{k}": MRR(k=k),
        }
    return {name: float(value) for name, value in calc_metrics(metrics, listed, relevant).items()}


def pytrec_eval(lists: np.ndarray, user: np.ndarray, item: np.ndarray, cutoffs: list[int]) -> Scores:
    """All but mrr, which it does not cut."""
    import pytrec_eval

    truth: dict[str, dict[str, int]] = {}
    for each, what in zip(user.tolist(), item.tolist(), strict=True):
        truth.setdefault(str(each), {})[str(what)] = 1
    run = {each: {str(what): -float(rank) for rank, what in enumerate(lists[int(each)])} for each in truth}
    cuts = ",".join(map(str, cutoffs))
    measures = {f"{name}.{cuts}" for name in ("P", "recall", "ndcg_cut", "map_cut")}
    by_user = pytrec_eval.RelevanceEvaluator(truth, measures).evaluate(run)
    names = {"precision": "P", "recall": "recall", "ndcg": "ndcg_cut", "ap": "map_cut"}
    return {
        f"{name}@{k}": float(np.mean([values[f"{their}_{k}"] for values in by_user.values()]))
        for name, their in names.items()
        for k in cutoffs
    }


PEERS: dict[str, Callable[..., Scores]] = {"rectools": rectools, "pytrec_eval": pytrec_eval}


def main() -> None:
    name, folder, *cutoffs = sys.argv[1:]
    lists, user, item = (np.load(Path(folder, f"{each}.npy")) for each in ("lists", "user", "item"))
    for _ in sys.stdin:
        print(json.dumps(PEERS[name](lists, user, item, [int(each) for each in cutoffs])), flush=True)


if __name__ == "__main__":
    main()

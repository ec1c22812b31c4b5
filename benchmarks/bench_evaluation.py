"""How fast scoring is, against bare NumPy scripts and other libraries.

All score the same lists with the same metrics and cut-offs, preparation included; beside them stands what twelve
metrics of the default protocol take instead of five:

    python benchmarks/bench_evaluation.py [--users 100000] [--items 50000] [--depth 100] [--pairs 1000000]
        [--peer rectools=PATH] [--peer pytrec_eval=PATH]

A peer's side is `peer_evaluation.py`, by the Python at PATH, which stays between rounds, so that nothing is
compiled in them.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from statistics import median

import numpy as np

from recbench.data import Dataset, FloatArray, Int32Array, Interactions, Split
from recbench.metrics import builtin_metrics, score
from recbench.protocols.spec import EvaluationSpec

HERE = Path(__file__).parent
METRICS = ("precision", "recall", "ndcg", "ap", "mrr")
DEFAULT = ("mse", "rmse", "mae", "precision", "recall", "ndcg", "ap", "mrr", "hit", "coverage", "gini", "novelty")
OFFERED = {metric.name: metric for metric in builtin_metrics()}


def make(n_users: int, n_items: int, depth: int, n_pairs: int) -> tuple[Split, Int32Array]:
    """A split with long-tailed items in a shuffled file, and lists that find about half of what is relevant."""
    generator = np.random.default_rng(0)
    wanted = n_pairs + n_pairs // 4
    codes = np.empty(0, dtype=np.int64)
    while len(codes) < wanted:
        item = (n_items * generator.random(wanted) ** 2).astype(np.int64)
        codes = np.unique(np.concatenate([codes, generator.integers(0, n_users, wanted) * n_items + item]))
    codes = generator.permutation(codes)[:wanted]
    dataset = Dataset(
        name="benchmark",
        interactions=Interactions(
            user=(codes // n_items).astype(np.int32),
            item=(codes % n_items).astype(np.int32),
            rating=generator.integers(1, 6, wanted).astype(np.float32),
        ),
        user_ids=np.arange(n_users).astype(np.str_),
        item_ids=np.arange(n_items).astype(np.str_),
        scale=(1.0, 5.0),
    )
    nothing = np.empty(0, dtype=np.int64)
    split = Split(
        dataset=dataset,
        fold=0,
        train_rows=np.arange(n_pairs, wanted),
        validation_rows=nothing,
        test_rows=np.arange(n_pairs),
        history_rows=nothing,
        fingerprint="0" * 64,
        leaks_future=None,
    )
    return split, make_lists(split, depth, generator)


def make_lists(split: Split, depth: int, generator: np.random.Generator) -> Int32Array:
    """Items of odd numbers at a stride of the user's own, and all over them the user's test items of even numbers."""
    n_users, half = split.dataset.n_users, split.dataset.n_items // 2
    strides = np.array([s for s in range(1, 400) if np.gcd(s, half) == 1])
    start, stride = generator.integers(0, half, (n_users, 1)), generator.choice(strides, (n_users, 1))
    lists = (2 * ((start + stride * np.arange(depth)) % half) + 1).astype(np.int32)
    user, item = (getattr(split.dataset.interactions, name)[split.test_rows] for name in ("user", "item"))
    order = np.argsort(user, kind="stable")
    order = order[item[order] % 2 == 0]
    user, item = user[order], item[order]
    nth = np.arange(len(user)) - np.searchsorted(user, np.arange(n_users))[user]
    jump = next(step for step in range(max(2, depth // 14), depth + 2) if np.gcd(step, depth) == 1)
    fits = nth < depth
    places = (generator.integers(0, depth, n_users)[user] + jump * nth) % depth
    lists[user[fits], places[fits]] = item[fits]
    return lists


def ours(lists: Int32Array, split: Split, names: tuple[str, ...], cutoffs: tuple[int, ...]) -> Mapping[str, float]:
    evaluation = EvaluationSpec(primary="ndcg@10", cutoffs=cutoffs, metrics=names)
    predictions = np.full(len(split.test_rows), 3.0)
    return score(
        lists=lists, predictions=predictions, split=split, evaluation=evaluation, metrics=OFFERED, kind="holdout"
    ).scores


def bare(lists: Int32Array, split: Split, cutoffs: tuple[int, ...]) -> Mapping[str, float]:
    """What one would write without recbench: no checks, no counts, no ranges, one population."""
    n_users, n_items, depth = split.dataset.n_users, split.dataset.n_items, lists.shape[1]
    user, item = (getattr(split.dataset.interactions, name)[split.test_rows] for name in ("user", "item"))
    order = np.argsort(user, kind="stable")
    user, item = user[order], item[order]
    starts = np.searchsorted(user, np.arange(n_users + 1))
    relevant = np.diff(starts)
    discounts = 1 / np.log2(np.arange(2, depth + 2))
    ideal = np.cumsum(discounts)
    found: dict[str, list[FloatArray]] = {}
    step = 2000
    for first in range(0, n_users, step):
        rows = slice(first, min(first + step, n_users))
        n_rows = rows.stop - rows.start
        mine = slice(starts[rows.start], starts[rows.stop])
        known = np.zeros((n_rows, n_items), dtype=bool)
        known[user[mine] - first, item[mine]] = True
        hits = np.take_along_axis(known, lists[rows].astype(np.int64), axis=1)
        n_relevant = np.maximum(relevant[rows], 1)
        for k in cutoffs:
            top = hits[:, :k]
            n_hits = top.sum(axis=1)
            values = {
                "precision": n_hits / k,
                "recall": n_hits / n_relevant,
                "ndcg": top @ discounts[:k] / ideal[np.minimum(k, n_relevant) - 1],
                "ap": (top * np.cumsum(top, axis=1) / np.arange(1, k + 1)).sum(axis=1) / n_relevant,
                "mrr": top.any(axis=1) / (top.argmax(axis=1) + 1),
            }
            for name, each in values.items():
                found.setdefault(f"{name}@{k}", []).append(each)
    return {key: float(np.concatenate(parts)[relevant > 0].mean()) for key, parts in found.items()}


def lean(lists: Int32Array, split: Split, cutoffs: tuple[int, ...]) -> Mapping[str, float]:
    """`bare`, as somebody would write it who has measured: a small table, and sums over the few hits only."""
    n_users, n_items, depth = split.dataset.n_users, split.dataset.n_items, lists.shape[1]
    user, item = (getattr(split.dataset.interactions, name)[split.test_rows] for name in ("user", "item"))
    order = np.argsort(user, kind="stable")
    user, item = user[order], item[order]
    starts = np.searchsorted(user, np.arange(n_users + 1))
    relevant = np.maximum(np.diff(starts), 1)
    places, step = [], max(1, (1 << 22) // n_items)
    table = np.zeros(step * n_items, dtype=bool)
    ahead = np.arange(step)[:, None] * n_items
    for first in range(0, n_users, step):
        stop = min(first + step, n_users)
        mine = slice(starts[first], starts[stop])
        marked = (user[mine] - first).astype(np.int64) * n_items + item[mine]
        table[marked] = True
        places.append(np.flatnonzero(table[lists[first:stop] + ahead[: stop - first]]) + first * depth)
        table[marked] = False
    rows, ranks = np.divmod(np.concatenate(places), depth)
    nth = np.arange(1, len(rows) + 1) - np.searchsorted(rows, np.arange(n_users))[rows]
    discounts = 1 / np.log2(np.arange(2, depth + 2))
    ideal = np.cumsum(discounts)
    found: dict[str, FloatArray] = {}
    for k in cutoffs:
        top = ranks < k
        row, rank, count = rows[top], ranks[top], nth[top]
        n_hits = np.bincount(row, minlength=n_users)
        found[f"precision@{k}"] = np.divide(n_hits, k)
        found[f"recall@{k}"] = np.divide(n_hits, relevant)
        found[f"ndcg@{k}"] = np.bincount(row, discounts[rank], n_users) / ideal[np.minimum(k, relevant) - 1]
        found[f"ap@{k}"] = np.divide(np.bincount(row, count / (rank + 1), n_users), relevant)
        found[f"mrr@{k}"] = np.bincount(row, (count == 1) / (rank + 1), n_users).astype(np.float64)
    return {key: float(values[np.diff(starts) > 0].mean()) for key, values in found.items()}


class Peer:
    """Another library, in a process of its own that waits to be asked."""

    def __init__(self, name: str, python: str, folder: Path, cutoffs: tuple[int, ...]) -> None:
        command = [python, str(HERE / "peer_evaluation.py"), name, str(folder), *map(str, cutoffs)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def score(self) -> Mapping[str, float]:
        """Its scores, made anew."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        scores: dict[str, float] = json.loads(self._process.stdout.readline())
        return scores


def rounds(works: Mapping[str, Callable[[], object]], repeats: int) -> dict[str, list[float]]:
    """Seconds on the clock of each work, in turn. Each has been done once before."""
    taken: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(repeats):
        for name, work in works.items():
            started = time.perf_counter()
            work()
            taken[name].append(time.perf_counter() - started)
    return taken


def compare(found: Mapping[str, float], reference: Mapping[str, float]) -> float:
    """The largest difference between two sets of scores, of those that both have."""
    return max(abs(found[key] - reference[key]) for key in found.keys() & reference.keys())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    defaults = (("users", 100_000), ("items", 50_000), ("depth", 100), ("pairs", 1_000_000), ("repeats", 5))
    for name, default in defaults:
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--peer", metavar="NAME=PATH", action="append", default=[], help="rectools or pytrec_eval")
    asked = parser.parse_args()
    split, lists = make(asked.users, asked.items, asked.depth, asked.pairs)
    cutoffs = (min(10, asked.depth), asked.depth)
    print(f"{asked.users:,} users, {asked.items:,} items, lists of {asked.depth}, {asked.pairs:,} test pairs")
    print(f"{', '.join(METRICS)} at {cutoffs[0]} and {cutoffs[1]}; medians of {asked.repeats}")
    with tempfile.TemporaryDirectory() as folder:
        np.save(f"{folder}/lists.npy", lists)
        for name in ("user", "item"):
            np.save(f"{folder}/{name}.npy", getattr(split.dataset.interactions, name)[split.test_rows])
        peers = [Peer(*peer.split("=", 1), Path(folder), cutoffs) for peer in asked.peer]
        works: dict[str, Callable[[], Mapping[str, float]]] = {
            "recbench": partial(ours, lists, split, METRICS, cutoffs),
            "twelve of the default protocol": partial(ours, lists, split, DEFAULT, cutoffs),
            "bare script": partial(bare, lists, split, cutoffs),
            "lean script": partial(lean, lists, split, cutoffs),
            **{peer.partition("=")[0]: each.score for peer, each in zip(asked.peer, peers, strict=True)},
        }
        found = {name: work() for name, work in works.items()}
        taken = rounds(works, asked.repeats)
    print(f"{'':<32}{'s':>7}  {'of the bare script':>19}  {'times recbench':>15}  {'difference':>10}")
    for name, seconds in taken.items():
        of_bare, of_ours = (
            median(each / other for each, other in zip(seconds, taken[reference], strict=True))
            for reference in ("bare script", "recbench")
        )
        apart = compare(found["recbench"], found[name])
        print(f"{name:<32}{median(seconds):7.3f}  {of_bare:19.2f}  {of_ours:15.2f}  {apart:10.0e}")
    tracemalloc.start()
    ours(lists, split, DEFAULT, cutoffs)
    print(f"memory beside the data and the lists: {tracemalloc.get_traced_memory()[1] / 1e6:.0f} MB at most")


if __name__ == "__main__":
    main()

"""Made-up data: what it is like, that it is the same everywhere, and that its truth is known."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from recbench.data import Dataset, FloatArray, Int32Array, Split
from recbench.datasets import load
from recbench.errors import RecbenchError
from recbench.metrics import builtin_metrics, score
from recbench.protocols.loading import load as load_protocol
from recbench.protocols.spec import Protocol
from recbench.ranking import Seen, tie_seed, top_k
from recbench.splits import split
from recbench.synthetic import Size, Truth, generate

SMALL = Size(users=600, items=400, interactions=20_000, seed=1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return generate(SMALL, tmp_path_factory.mktemp("made-up")).protocol.parent


@pytest.fixture(scope="module")
def protocol(folder: Path) -> Protocol:
    return load_protocol(folder / "protocol.toml", {})


@pytest.fixture(scope="module")
def dataset(protocol: Protocol) -> Dataset:
    return load(protocol.data, sources={}).dataset


def digests(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()[:16] for path in files}


def test_the_same_numbers_give_the_same_bytes_on_every_machine(folder: Path) -> None:
    found = digests(folder)
    del found["protocol.toml"]
    assert found == {
        "interactions.npy": "02f914d68136e0b7",
        "items.csv": "1522fe215606deb3",
        "truth/items.npy": "d1b5543de814d536",
        "truth/users.npy": "f3ff1ee6e30ca0d3",
    }


def test_another_seed_gives_another_world(folder: Path, tmp_path: Path) -> None:
    generate(replace(SMALL, seed=2), tmp_path)
    other, this = digests(tmp_path), digests(folder)
    assert other.keys() == this.keys()
    assert not set(other.values()) & set(this.values())


def test_users_items_and_interactions_are_as_many_as_asked_for(dataset: Dataset) -> None:
    rows = dataset.interactions
    assert (dataset.n_users, dataset.n_items, len(rows)) == (600, 400, 20_000)
    assert np.bincount(rows.user, minlength=600).min() >= 1
    assert len(np.unique(rows.user.astype(np.int64) * 400 + rows.item)) == 20_000


def test_ids_are_the_numbers_of_the_truth(dataset: Dataset) -> None:
    assert dataset.user_ids.tolist() == [str(n) for n in range(600)]
    assert dataset.item_ids.tolist() == [str(n) for n in range(400)]


def test_activity_and_popularity_have_long_tails(dataset: Dataset) -> None:
    for column in (dataset.interactions.user, dataset.interactions.item):
        counts = np.sort(np.bincount(column))[::-1]
        assert counts[: len(counts) // 10].sum() > 0.2 * counts.sum()
        assert counts.mean() > 1.2 * np.median(counts)


def test_what_drifts_upwards_is_taken_later(dataset: Dataset, folder: Path) -> None:
    drift = Truth.load(folder).items.drift
    rows = dataset.interactions
    assert rows.time is not None
    late, early = (float(rows.time[chosen].mean()) for chosen in (drift[rows.item] > 0, drift[rows.item] < 0))
    assert late - early > 30 * 86_400


@pytest.mark.parametrize(
    ("size", "message"),
    [
        ({"users": 10, "items": 100, "interactions": 251}, "each has from 1 to 25"),
        ({"users": 10, "items": 100, "interactions": 9}, "each has from 1 to 25"),
        ({"users": 10, "items": 7, "interactions": 10}, "items = 7 cannot be made"),
        ({"users": 10, "items": 100, "interactions": 10, "seed": -1}, "seed = -1 cannot be made"),
    ],
)
def test_what_cannot_be_had_is_said(size: dict[str, int], message: str) -> None:
    with pytest.raises(RecbenchError, match=message):
        Size(**size)


@pytest.mark.parametrize("size", [(1, 8, 1), (1, 8, 2), (3, 8, 6), (40, 16, 160), (50, 1000, 50)])
def test_worlds_of_every_shape_come_to_an_end(size: tuple[int, int, int], tmp_path: Path) -> None:
    users, items, interactions = size
    generate(Size(users=users, items=items, interactions=interactions), tmp_path)
    records = np.load(tmp_path / "interactions.npy")
    assert len(np.unique(records[["user", "item"]])) == interactions


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(RecbenchError, match="is not empty"):
        generate(SMALL, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


# Whether metrics rank as the truth does


def made(protocol: Protocol, dataset: Dataset) -> Split:
    return split(dataset, protocol.split)[0]


def lists_of(scores: FloatArray, made: Split) -> Int32Array:
    n_users, n_items = made.dataset.n_users, made.dataset.n_items
    seen = Seen.of(made.train().interactions, n_users=n_users, n_items=n_items)
    return top_k(scores, users=np.arange(n_users), k=10, seen=seen, seed=tie_seed(made.fingerprint)).lists


def test_metrics_rank_the_truth_above_neighbours_above_popularity_above_chance(
    protocol: Protocol, dataset: Dataset, folder: Path
) -> None:
    from recbench_neighbors.neighbors import Neighbors

    fold = made(protocol, dataset)
    everybody = np.arange(fold.dataset.n_users)
    neighbours = Neighbors(side="item", k=100, shrink=10.0)
    neighbours.fit(fold.train(), seed=0)
    popularity = np.bincount(fold.train().interactions.item, minlength=fold.dataset.n_items).astype(np.float64)
    contestants = {
        "truth": Truth.load(folder).score(everybody),
        "neighbours": neighbours.score(everybody),
        "popularity": np.tile(popularity, (len(everybody), 1)),
        "chance": np.zeros((len(everybody), fold.dataset.n_items)),
    }
    for name in ("ndcg@10", "recall@10", "precision@10", "ap@10", "mrr@10"):
        found = {
            who: score(
                lists=lists_of(scores, fold),
                predictions=None,
                split=fold,
                evaluation=protocol.evaluation,
                metrics={metric.name: metric for metric in builtin_metrics()},
                kind="holdout",
            ).scores[name]
            for who, scores in contestants.items()
        }
        assert sorted(found, key=lambda who: -found[who]) == list(contestants), (name, found)


def test_the_truth_predicts_ratings_better_than_any_mean(dataset: Dataset, folder: Path) -> None:
    rows = dataset.interactions
    errors = rows.rating - Truth.load(folder).predict(rows.user.astype(np.int64), rows.item.astype(np.int64))
    assert abs(float(errors.mean())) < 0.02
    item_mean = np.bincount(rows.item, rows.rating) / np.bincount(rows.item)
    assert float(errors.std()) < 0.8 * float((rows.rating - item_mean[rows.item]).std())


# Memory

_PEAK = """
import sys
from pathlib import Path
from recbench.synthetic import Size, generate
size = Size(users=20_000, items=5_000, interactions=int(sys.argv[1]))
generate(size, Path(sys.argv[2]))
print(next(line.split()[1] for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")))
"""


@cache
def peak_megabytes(interactions: int, folder: Path) -> float:
    run = subprocess.run(
        [sys.executable, "-c", _PEAK, str(interactions), str(folder)], check=True, capture_output=True, text=True
    )
    return int(run.stdout) / 1024


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="peak memory is read from /proc")
def test_four_times_the_interactions_take_no_more_memory(tmp_path: Path) -> None:
    few, many = (peak_megabytes(n, tmp_path / str(n)) for n in (1_000_000, 4_000_000))
    assert many < few + 32  # the file itself grows by 60 MB

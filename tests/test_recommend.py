"""`recbench recommend`: whose list it is, why, what is kept for the next time, and what cannot be asked."""

from __future__ import annotations

import importlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from recbench_baselines.popularity import Popularity

from recbench import remembered
from recbench.data import Categories, Dataset, Interactions, Numbers, Tags, Texts
from recbench.errors import BadData, RecbenchError, UnknownName
from recbench.execution import Runner, Serve, Served
from recbench.fingerprints import split_fingerprint, tables_hash
from recbench.lookup import row_named
from recbench.metrics import builtin_metrics
from recbench.protocols.spec import DataSpec, EvaluationSpec, Protocol, SplitSpec, TrialSpec
from recbench.recommending import everything, parse_history, user_index
from recbench.recording import job_of
from recbench.registry import Registry, discover, missing
from recbench.remembered import Lists, recall, remember
from recbench.scene import Scene
from recbench.trials import plan
from recbench.worker.serving import newcomer

N_USERS, N_ITEMS = 40, 30


def world(*, rated: bool = True, timed: bool = True) -> Dataset:
    """Users like every other item, with titles, genres and years; nothing is liked equally often."""
    rng = np.random.default_rng(5)
    pairs = [(u, i) for u in range(N_USERS) for i in range(N_ITEMS) if rng.random() < (0.75 if (u + i) % 2 else 0.15)]
    user, item = np.array(pairs, dtype=np.int32).T
    n = len(pairs)
    return Dataset(
        name="world",
        interactions=Interactions(
            user=user,
            item=item,
            rating=np.where((user + item) % 2, 5, 2) if rated else np.ones(n),
            time=1_600_000_000 + rng.permutation(n) * 3600 if timed else None,
        ),
        user_ids=np.array([f"u{u}" for u in range(N_USERS)]),
        item_ids=np.array([f"i{i}" for i in range(N_ITEMS)]),
        users={"age": Numbers(values=np.arange(N_USERS) + 20.0)},
        items={
            "title": Texts(values=np.array([f"Film {i} ({1990 + i})" for i in range(N_ITEMS)])),
            "genres": Tags(starts=np.arange(N_ITEMS + 1), codes=np.arange(N_ITEMS) % 2, names=("Odd", "Even")),
            "year": Numbers(values=1990.0 + np.arange(N_ITEMS)),
        },
        scale=(1.0, 5.0) if rated else None,
    )


PROTOCOL = Protocol(
    name="p",
    title="P",
    data=DataSpec(source="x"),
    split=SplitSpec(kind="holdout"),
    evaluation=EvaluationSpec(primary="ndcg@8", cutoffs=(8,), metrics=("ndcg",)),
    trials=TrialSpec(seconds=120),
)
REGISTRY: Registry = discover(metrics=builtin_metrics())


def served_by(name: str, asked: Serve, dataset: Dataset) -> tuple[np.ndarray[Any, Any], Served]:
    """Train a built-in algorithm on everything and ask it."""
    split = everything(dataset)
    scene = Scene(protocol=PROTOCOL, splits=(split,), data={}, metrics={}, fingerprint="")
    (trial,) = plan(PROTOCOL, [row_named(name, PROTOCOL, REGISTRY)], [split], (0,))
    with Runner() as runner:
        outcome = runner.run(replace(job_of(trial, scene, None), predictions=False, serve=asked), split)
    assert outcome is not None
    assert outcome.reason is None, (outcome.reason, outcome.traceback)
    assert outcome.lists is not None
    assert outcome.served is not None
    return outcome.lists, outcome.served


def has_method(name: str, method: str) -> bool:
    module, _, cls = REGISTRY.algorithms[name].value.target.partition(":")
    return hasattr(getattr(importlib.import_module(module), cls), method)


BUILT_IN = [
    name
    for name, offered in REGISTRY.algorithms.items()
    if offered.plugin.distribution == "recbench-suite" and not missing(offered.value)
    # Models of other libraries do not say why.
    if offered.plugin.name != "adapters"
]


# What the process of an algorithm answers


@pytest.mark.parametrize("name", BUILT_IN)
def test_every_built_in_explains_each_item_in_a_sentence(name: str) -> None:
    lists, served = served_by(name, Serve(explain=(3, 5)), world())
    items = lists[3][:5]
    assert served.sentences is not None, f"{name} has no method explain"
    assert len(served.sentences) == (items >= 0).sum() > 0
    for sentence in served.sentences:
        assert sentence == sentence.strip()
        assert sentence.isprintable()
        assert sentence
        assert re.search(r"\d", sentence), f"{sentence!r} has no figure"


@pytest.mark.parametrize("name", [name for name in BUILT_IN if has_method(name, "score_new")])
@pytest.mark.parametrize("rated", [True, False], ids=["ratings", "no ratings"])
def test_every_built_in_that_can_serves_somebody_new(name: str, rated: bool) -> None:
    dataset = world(rated=rated, timed=rated)
    history = parse_history("i1:5,i3:4" if rated else "i1,i3", dataset)
    _, served = served_by(name, Serve(newcomer=history), dataset)
    assert served.newcomer_items is not None
    assert served.newcomer_scores is not None
    listed = served.newcomer_items[served.newcomer_items >= 0]
    assert len(listed) == len(set(listed.tolist())) > 0
    assert not {1, 3} & set(listed.tolist())
    assert (np.diff(served.newcomer_scores[: len(listed)]) <= 0).all()


def test_scores_beside_the_lists_are_those_that_made_them() -> None:
    dataset = world()
    lists, served = served_by("popularity", Serve(), dataset)
    model = Popularity()
    model.fit(dataset, seed=0)
    full = model.score(np.arange(N_USERS))
    assert (served.scores[lists >= 0] == np.take_along_axis(full, np.maximum(lists, 0), axis=1)[lists >= 0]).all()
    assert np.isnan(served.scores[lists < 0]).all()


def test_a_predictor_shows_the_ratings_it_ranks_by() -> None:
    lists, served = served_by("global-mean", Serve(), world())
    assert served.scores[lists >= 0] == pytest.approx(world().interactions.rating.mean())


def test_somebody_new_is_known_by_a_history_alone() -> None:
    base = replace(
        world(),
        users={
            "age": Numbers(values=np.ones(N_USERS)),
            "sex": Categories(codes=np.zeros(N_USERS), names=("F", "M")),
            "likes": Tags(starts=np.arange(N_USERS + 1), codes=np.zeros(N_USERS), names=("tea",)),
            "town": Texts(values=np.array(["Oslo"] * N_USERS)),
        },
    )
    found = newcomer(base, parse_history("i0:3", base))
    age, sex, likes, town = found.users.values()
    assert isinstance(age, Numbers)
    assert np.isnan(age.values).tolist() == [True]
    assert isinstance(sex, Categories)
    assert sex.codes.tolist() == [-1]
    assert isinstance(likes, Tags)
    assert likes.starts.tolist() == [0, 0]
    assert isinstance(town, Texts)
    assert town.values.tolist() == [""]
    assert (found.n_users, found.n_items) == (1, N_ITEMS)


# Names and histories


def test_everything_is_in_train_and_nothing_else_is() -> None:
    dataset = world()
    split = everything(dataset)
    assert len(split.train().interactions) == len(dataset.interactions)
    assert len(split.test()) == len(split.validation_rows) == len(split.history_rows) == 0
    parts = {"train": split.train_rows} | dict.fromkeys(("validation", "test", "history"), split.test_rows)
    assert split.fingerprint == split_fingerprint(dataset.interactions, parts, tables_hash(dataset))


def test_an_unknown_user_is_an_error_that_names_close_ids() -> None:
    assert user_index(world(), "u7") == 7
    with pytest.raises(UnknownName, match="'u99' is not the name of a known user; close: 'u9'"):
        user_index(world(), "u99")


def test_a_history_is_read_with_its_ratings_after_all_that_is_known() -> None:
    history = parse_history(" i3:5 , i0:1.5,", world())
    assert history.item.tolist() == [3, 0]
    assert history.rating.tolist() == [5.0, 1.5]
    assert history.time is not None
    assert np.diff(history.time).tolist() == [1]
    assert history.time.min() > world().interactions.time.max()  # type: ignore[union-attr]


def test_without_ratings_a_history_is_a_list_of_items() -> None:
    history = parse_history("i3,i0", world(rated=False, timed=False))
    assert (history.item.tolist(), history.rating.tolist(), history.time) == ([3, 0], [1, 1], None)


@pytest.mark.parametrize(
    ("text", "kind", "said"),
    [
        ("i3:5,i33:4", UnknownName, "'i33' is not the name of a known item; close: 'i3'"),
        ("i3", RecbenchError, "'i3' is not an item with a rating"),
        ("i3:good", RecbenchError, "'i3:good' is not an item with a rating"),
        ("i3:nan", RecbenchError, "'i3:nan' is not an item with a rating"),
        ("i3:6", BadData, "the rating of 'i3' is 6"),
        ("i3:5,i3:4", RecbenchError, "an item is there twice"),
        (" , ", RecbenchError, "nothing is said of the new user"),
    ],
)
def test_a_history_that_cannot_be_is_an_error(text: str, kind: type[RecbenchError], said: str) -> None:
    with pytest.raises(kind, match=said):
        parse_history(text, world())


# What is kept

LISTS = Lists(items=np.array([[2, 0], [1, -1]], dtype=np.int32), scores=np.array([[3.0, 1.0], [2.0, np.nan]]))
SIZES: Mapping[str, int] = {"n_users": 2, "n_items": 3, "depth": 2}


def test_lists_come_back_as_they_were(tmp_path: Path) -> None:
    remember(tmp_path / "a" / "b", "key", LISTS)
    found = recall(tmp_path / "a" / "b", "key", **SIZES)
    assert found is not None
    assert found.items.tolist() == LISTS.items.tolist()
    assert found.scores.tobytes() == LISTS.scores.tobytes()
    assert [path.name for path in (tmp_path / "a" / "b").iterdir()] == ["key.npz"]


def test_lists_of_another_key_or_size_are_not_there(tmp_path: Path) -> None:
    remember(tmp_path, "key", LISTS)
    assert recall(tmp_path, "other", **SIZES) is None
    for name in SIZES:
        assert recall(tmp_path, "key", **{**SIZES, name: 1}) is None


def damaged_files(tmp_path: Path) -> dict[str, bytes]:
    """By what is wrong with it, the content of a file."""
    path = tmp_path / "x.npz"
    contents = {}
    wrong: dict[str, dict[str, Any]] = {
        "another type": {"items": LISTS.items.astype(np.int64), "scores": LISTS.scores},
        "a part is missing": {"items": LISTS.items},
        "items that are not there": {"items": LISTS.items + 5, "scores": LISTS.scores},
        "pickled objects": {"items": np.array([[{}, {}], [{}, {}]]), "scores": LISTS.scores},
    }
    for name, arrays in wrong.items():
        np.savez(path, **arrays)
        contents[name] = path.read_bytes()
    np.savez_compressed(path, items=LISTS.items, scores=LISTS.scores)
    contents["compressed"] = path.read_bytes()
    remember(tmp_path, "x", LISTS)
    whole = path.read_bytes()
    half = whole.index(LISTS.scores.tobytes())
    contents |= {"cut off": whole[:-40], "empty": b"", "no archive": b"x" * 400, "too long": whole + b"x" * 10_000}
    contents["a byte changed"] = whole[:half] + b"\xff" + whole[half + 1 :]
    return contents


def test_a_damaged_file_is_as_good_as_none(tmp_path: Path) -> None:
    for name, content in damaged_files(tmp_path).items():
        (tmp_path / "key.npz").write_bytes(content)
        assert recall(tmp_path, "key", **SIZES) is None, name


def test_a_folder_that_cannot_be_written_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(remembered.np, "savez", full)
    with pytest.raises(OSError, match="no space left"):
        remember(tmp_path, "key", LISTS)
    assert list(tmp_path.iterdir()) == []


# The command

PLUGIN = """
import numpy as np
from recbench.api import Algorithm, hookimpl

class Silent:
    def __init__(self, *, sign: int = 1) -> None:
        self.sign = sign
    def fit(self, train, *, seed):
        self.n = train.n_items
        assert len(train.interactions) == LENGTH, "not everything"
    def score(self, users):
        return self.sign * np.tile(np.arange(self.n, dtype=float), (len(users), 1))

class Odd(Silent):
    def explain(self, user, items):
        return ["too", "few"]

class Own:
    def fit(self, train, *, seed):
        self.n = train.n_items
    def recommend(self, users, k, seen):
        starts, items = seen
        lists = np.full((len(users), k), -1)
        for row in range(len(users)):
            free = np.setdiff1d(np.arange(self.n), items[starts[row]:starts[row + 1]])[:k]
            lists[row, :len(free)] = free
        return lists

@hookimpl
def recbench_algorithms():
    yield Algorithm(name="silent", target="silent:Silent", deterministic=True)
    yield Algorithm(name="odd", target="silent:Odd", deterministic=True)
    yield Algorithm(name="own", target="silent:Own", deterministic=True)
    yield Algorithm(name="needy", target="silent:Own", requires=("no_such_module_anywhere",))
"""

TOML = """
name = "mine"
title = "Mine"
[data]
interactions = { path = "ratings.csv", header = false, columns = ["user", "item", "rating"] }
items = { path = "items.csv", id = "id", types = { title = "text" } }
scale = [1, 5]
[split]
kind = "holdout"
test = 0.3
[evaluation]
primary = "ndcg@10"
relevant_at_least = 4
cutoffs = [10]
metrics = ["ndcg"]
[trials]
seconds = 60
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("recommend")
    rows = world().interactions
    triples = list(zip(rows.user.tolist(), rows.item.tolist(), rows.rating.tolist(), strict=True))
    (folder / "ratings.csv").write_text("".join(f"u{u},i{i},{r:g}\n" for u, i, r in triples))
    (folder / "items.csv").write_text("id,title\n" + "".join(f"i{i},Film {i}\n" for i in range(N_ITEMS)))
    (folder / "mine.toml").write_text(TOML)
    (folder / "silent.py").write_text(PLUGIN.replace("LENGTH", str(len(rows))))
    return folder


def recbench(*arguments: object, cwd: Path, cache: str = "cache") -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "HOME": str(cwd), "XDG_CACHE_HOME": str(cwd / cache), "COLUMNS": "80"}
    command = [sys.executable, "-m", "recbench", "recommend", *map(str, arguments), "-p", "mine.toml"]
    return subprocess.run(
        [*command, "--plugin", "silent.py"], cwd=cwd, env=environment, capture_output=True, text=True, timeout=120
    )


def from_json(*arguments: object, cwd: Path, **more: str) -> dict[str, Any]:
    done = recbench(*arguments, "--json", cwd=cwd, **more)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def seen_by(user: int) -> set[str]:
    rows = world().interactions
    return {f"i{item}" for item in rows.item[rows.user == user]}


def test_the_list_has_ranks_items_titles_and_scores_and_nothing_seen(home: Path) -> None:
    found = from_json("popularity", "--user", "u3", "-n", 4, cwd=home)
    counts = np.bincount(world().interactions.item, minlength=N_ITEMS)
    unseen = {f"i{i}": float(counts[i]) for i in range(N_ITEMS)}
    unseen = {item: count for item, count in unseen.items() if item not in seen_by(3)}
    assert [place["rank"] for place in found["places"]] == [1, 2, 3, 4]
    assert [place["score"] for place in found["places"]] == sorted(unseen.values(), reverse=True)[:4]
    assert all(unseen[place["item"]] == place["score"] for place in found["places"])
    assert all(place["title"] == f"Film {place['item'][1:]}" for place in found["places"])


def test_text_shows_the_same_with_a_reason_below_each_item(home: Path) -> None:
    done = recbench("popularity", "--user", "u3", "-n", 3, "--explain", cwd=home)
    found = from_json("popularity", "--user", "u3", "-n", 3, "--explain", cwd=home)
    lines = done.stdout.splitlines()
    assert lines[0].startswith("popularity recommends to user u3 (")
    assert lines[1].split() == ["item", "score", "title"]
    for line, reason, place in zip(lines[2::2], lines[3::2], found["places"], strict=True):
        title = place["title"].split()
        assert line.split() == [str(place["rank"]), place["item"], f"{place['score']:.4f}", *title]
        assert reason.strip() == place["why"]


def test_another_user_needs_no_training(home: Path) -> None:
    first = from_json("popularity", "--user", "u1", cwd=home, cache="again")
    again = from_json("popularity", "--user", "u1", "-n", 3, cwd=home, cache="again")
    other = from_json("popularity", "--user", "u2", cwd=home, cache="again")
    assert [each["was_trained"] for each in (first, again, other)] == [True, False, False]
    assert again["places"] == first["places"][:3]
    assert other["places"] == from_json("popularity", "--user", "u2", cwd=home, cache="fresh")["places"]
    (kept,) = (home / "again" / "recbench" / "recommend").iterdir()
    assert re.fullmatch(r"[0-9a-f]{64}\.npz", kept.name)


def test_lists_of_other_parameters_or_seeds_are_others(home: Path) -> None:
    up = from_json("silent", "--user", "u1", "-n", 50, cwd=home, cache="others")
    down = from_json("silent", "--user", "u1", "-n", 50, "--set", "silent.sign=-1", cwd=home, cache="others")
    assert down["was_trained"]
    assert [place["item"] for place in down["places"]] == [place["item"] for place in up["places"]][::-1]
    assert from_json("random", "--user", "u1", "--seed", 1, cwd=home) != from_json("random", "--user", "u1", cwd=home)


def test_a_damaged_cache_is_made_again(home: Path) -> None:
    first = from_json("popularity", "--user", "u1", cwd=home, cache="damaged")
    (kept,) = (home / "damaged" / "recbench" / "recommend").iterdir()
    kept.write_bytes(kept.read_bytes()[:-30])
    again = from_json("popularity", "--user", "u1", cwd=home, cache="damaged")
    assert again == first


def test_a_longer_list_than_is_kept_is_made(home: Path) -> None:
    found = from_json("popularity", "--user", "u1", "-n", 500, cwd=home)
    assert len(found["places"]) == N_ITEMS - len(seen_by(1))


def test_somebody_new_gets_a_list_by_what_they_did(home: Path) -> None:
    found = from_json("item-cosine", "--new-user", "i1:5,i3:5,i5:4", cwd=home)
    assert found["user"] is None
    assert not {"i1", "i3", "i5"} & {place["item"] for place in found["places"]}
    odd = [int(place["item"][1:]) % 2 for place in found["places"][:4]]
    assert odd == [1, 1, 1, 1]


def test_who_cannot_explain_says_so_and_recommends_all_the_same(home: Path) -> None:
    done = recbench("silent", "--user", "u1", "--explain", cwd=home)
    assert done.returncode == 0
    assert "silent cannot explain what it recommends" in done.stderr
    assert "silent recommends to user u1" in done.stdout


def test_who_ranks_by_scores_of_its_own_shows_none(home: Path) -> None:
    assert [place["score"] for place in from_json("own", "--user", "u1", "-n", 2, cwd=home)["places"]] == [None, None]
    assert recbench("own", "--user", "u1", "-n", 1, cwd=home).stdout.splitlines()[2].split()[2] == "-"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("popularity", "--user", "u77"), "'u77' is not the name of a known user; close: 'u7'"),
        (("populrity", "--user", "u7"), "'populrity' is not the name of an algorithm; close: 'popularity'"),
        (("item-*", "--user", "u7"), "'item-*' is not the name of an algorithm"),
        (("needy", "--user", "u7"), "'needy' cannot run here: not installed"),
        (("silent", "--new-user", "i1:5"), "silent ended as invalid: start: Silent has no method score_new"),
        (("silent", "--new-user", "i77:5"), "'i77' is not the name of a known item; close: 'i7'"),
        (("silent", "--user", "u1", "--set", "silent.sing=2"), "has no parameter 'sing'; close: 'sign'"),
        (("silent", "--user", "u1", "--set", "other.sign=2"), "'other' is not the name of a row of this run"),
        (("odd", "--user", "u1", "--explain"), "explain gave 2 values for"),
    ],
)
def test_what_cannot_be_is_an_error_with_a_way_out(home: Path, arguments: tuple[str, ...], said: str) -> None:
    done = recbench(*arguments, cwd=home)
    assert done.returncode == 1
    assert said in done.stderr
    assert "Fix:" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "arguments", [(), ("--user", "u1", "--new-user", "i1:5"), ("--new-user", "i1:5", "--explain"), ("-n", "0")]
)
def test_asking_for_nobody_for_two_or_for_reasons_for_somebody_new_is_wrong_usage(
    home: Path, arguments: tuple[str, ...]
) -> None:
    assert recbench("popularity", *arguments, cwd=home).returncode == 2

"""`recbench tune`: what is tried, what it is scored on, what is kept, and that a planted best value is found."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recbench.api import Algorithm, Json
from recbench.cli.tune import to_toml
from recbench.data import Dataset, Interactions, Split
from recbench.protocols.spec import SplitSpec
from recbench.registry import Offered, Plugin
from recbench.splits import split
from recbench.trials import Row
from recbench.tuning import Tried, Tuned, changes, inner_split, points
from recbench.tuning.log import Log

SPACE: Mapping[str, tuple[Json, ...]] = {"k": (1, 2, 3), "shrink": (0.0, 1.0), "kind": ("a", "b")}


def as_set(found: list[dict[str, Json]]) -> set[tuple[Json, ...]]:
    return {tuple(point[name] for name in sorted(point)) for point in found}


# Points


@given(n=st.integers(1, 20), seed=st.integers(0, 2**40))
def test_points_are_of_the_grid_and_none_is_twice(n: int, seed: int) -> None:
    found = points(SPACE, n, seed=seed)
    assert len(found) == len(as_set(found)) == min(n, 12)
    assert all(point[name] in SPACE[name] for point in found for name in SPACE)


def test_the_seed_decides_the_points_and_the_order_of_the_space_does_not() -> None:
    turned = dict(reversed(SPACE.items()))
    assert points(SPACE, 5, seed=1) == points(turned, 5, seed=1)
    assert points(SPACE, 5, seed=1) != points(SPACE, 5, seed=2)


def test_points_of_a_grid_too_large_to_list_are_drawn_too() -> None:
    space = {f"p{number}": tuple(range(100)) for number in range(9)}
    assert len(as_set(points(space, 30, seed=0))) == 30


@given(budget=st.integers(1, 20), seed=st.integers(0, 1000))
def test_what_is_there_now_comes_first_and_not_again(budget: int, seed: int) -> None:
    now = {"k": 2, "shrink": 1.0, "kind": "b", "other": None}
    found = changes(SPACE, now, budget, seed=seed)
    assert found[0] == {}
    assert len(found) == min(budget, 12)
    assert all({**now, **point} != now for point in found[1:])


# The split


def dataset() -> Dataset:
    rng = np.random.default_rng(3)
    pairs = rng.permutation(30 * 40)[:400]
    return Dataset(
        name="d",
        interactions=Interactions(
            user=pairs // 40, item=pairs % 40, rating=rng.integers(1, 6, 400), time=rng.permutation(400)
        ),
        user_ids=np.array([f"u{u}" for u in range(30)]),
        item_ids=np.array([f"i{i}" for i in range(40)]),
        scale=(1.0, 5.0),
    )


KINDS = [
    SplitSpec(kind="holdout", validation=0.2),
    SplitSpec(kind="k-fold", folds=3, validation=0.2),
    SplitSpec(kind="leave-last-out", validation=0.1),
    SplitSpec(kind="time", validation=0.2),
    SplitSpec(kind="cold-user", validation=0.2, history=0.5),
    SplitSpec(kind="cold-item", validation=0.2),
]


def rows_of(part: Interactions) -> set[tuple[int, int, float]]:
    return set(zip(part.user.tolist(), part.item.tolist(), part.rating.tolist(), strict=True))


@pytest.mark.parametrize("spec", KINDS, ids=lambda spec: spec.kind)
def test_a_search_is_scored_on_the_validation_part_and_has_no_test_row(spec: SplitSpec) -> None:
    for outer in split(dataset(), spec):
        inner = inner_split(outer, spec)
        test = rows_of(outer.test()) | rows_of(outer.history())
        assert not rows_of(inner.dataset.interactions) & test
        assert rows_of(inner.test()) | rows_of(inner.history()) == rows_of(outer.validation().interactions)
        assert rows_of(inner.train().interactions) == rows_of(outer.train_without_validation().interactions)
        assert inner.fingerprint != outer.fingerprint


@pytest.mark.parametrize("spec", KINDS, ids=lambda spec: spec.kind)
def test_who_stops_early_gets_a_validation_part_that_is_not_the_one_scored_on(spec: SplitSpec) -> None:
    inner: Split = inner_split(split(dataset(), spec)[0], spec)
    assert len(inner.validation_rows)
    assert not np.isin(inner.validation_rows, inner.test_rows).any()


def test_new_users_of_a_cold_start_keep_a_history_in_the_search() -> None:
    spec = KINDS[4]
    inner = inner_split(split(dataset(), spec)[0], spec)
    assert set(inner.history().user.tolist()) == set(inner.test().user.tolist())


# The log


def test_a_log_gives_back_what_it_was_told(tmp_path: Path) -> None:
    Log(tmp_path / "a" / "log").add({"key": "x", "score": 0.5, "reason": None, "seconds": 1.0, "more": [1]})
    assert Log(tmp_path / "a" / "log").find("x") == {"score": 0.5, "reason": None, "seconds": 1.0}


def test_a_line_that_a_kill_cut_off_is_not_there_and_harms_no_other(tmp_path: Path) -> None:
    path = tmp_path / "log"
    whole = json.dumps({"key": "x", "score": 0.5, "reason": None, "seconds": 1.0})
    path.write_text(f'{whole}\n[1]\n{{"key": "z"}}\n{{"key": "y", "sco')
    log = Log(path)
    assert log.find("y") is None
    assert log.find("z") is None
    log.add({"key": "y", "score": 0.7, "reason": None, "seconds": 1.0})
    again = Log(path)
    assert [again.find(key) is not None for key in "xy"] == [True, True]


# The lines for the protocol


def tuned(parameters: Mapping[str, Any], *, label: str = "ease", n: int = 3) -> Tuned:
    trials = tuple(Tried(number=i + 1, point={}, score=0.1 * i, reason=None, seconds=1.0) for i in range(n))
    plugin = Plugin(name="p", module="p", distribution="p", version="1")
    row = Row(label=label, offered=Offered(value=Algorithm(name="ease", target="p:E"), plugin=plugin), parameters={})
    return Tuned(row=row, trials=trials, best=trials[-1], parameters=parameters)


JSON_VALUES = st.recursive(
    st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.text(), JSON_VALUES, min_size=1, max_size=4))
def test_the_lines_say_in_toml_what_the_parameters_are(parameters: dict[str, Any]) -> None:
    found = tomllib.loads(to_toml((tuned(parameters),)))
    assert found == {"algorithms": {"ease": parameters}, "tuned": {"ease": 3}}


def test_a_row_under_a_label_of_its_own_is_written_as_one() -> None:
    found = tomllib.loads(to_toml((tuned({"l2": 1}, label="small"), tuned({"k": 2}))))
    assert found["algorithm"] == [{"label": "small", "name": "ease", "parameters": {"l2": 1}}]
    assert found["algorithms"] == {"ease": {"k": 2}}
    assert found["tuned"] == {"small": 3, "ease": 3}


def test_null_is_left_out_since_toml_has_none() -> None:
    text = to_toml((tuned({"k": None, "l": 1}),))
    assert tomllib.loads(text)["algorithms"] == {"ease": {"l": 1}}
    assert "k: null" in text


def test_where_nothing_was_ok_there_is_nothing_to_write() -> None:
    assert tomllib.loads(to_toml((replace(tuned({}), best=None),))) == {}


# The command, on a world in which validation says one thing and test another

N_USERS, N_ITEMS = 30, 42
TRAIN_PERIOD, TEST_PERIOD = 3, 7

PLUGIN = """
import numpy as np
from recbench.api import Algorithm, hookimpl

class Dial:
    def __init__(self, *, period: int = 2, fails: bool = False) -> None:
        self.period, self.fails = period, fails
    def fit(self, train, *, seed):
        if self.fails:
            raise RuntimeError("no luck")
        self.n_items = train.n_items
        self.user = np.array([int(name) for name in train.user_ids])
        self.item = np.array([int(name) for name in train.item_ids])
        assert all((train.interactions.time < 1000).tolist()), "test rows are here"
    def score(self, users):
        return ((self.user[users][:, None] + self.item[None, :]) % self.period == 0).astype(float)

@hookimpl
def recbench_algorithms():
    yield Algorithm(name="dial", target="dial:Dial", deterministic=True, space={"period": (2, 3, 5, 7, 11)})
    yield Algorithm(name="brittle", target="dial:Dial", deterministic=True, space={"fails": (True, False)})
    yield Algorithm(name="hopeless", target="dial:Dial", parameters={"fails": True}, space={"period": (2, 3)})
    yield Algorithm(name="fixed", target="dial:Dial")
"""

PROTOCOL = """
name = "planted"
title = "Planted"
[data]
train = { path = "train.csv", columns = ["user", "item", "time"] }
test = { path = "test.csv", columns = ["user", "item", "time"] }
[split]
kind = "provided"
validation = VALIDATION
[evaluation]
primary = "recall@5"
cutoffs = [5, 10]
metrics = ["recall", "ndcg"]
[trials]
seconds = 60
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Train has what one period says, test what another one does."""
    folder = tmp_path_factory.mktemp("tune")
    pairs = [(user, item) for user in range(N_USERS) for item in range(N_ITEMS)]
    train = [pair for pair in pairs if sum(pair) % TRAIN_PERIOD == 0]
    test = [pair for pair in pairs if sum(pair) % TEST_PERIOD == 0 and sum(pair) % TRAIN_PERIOD]
    for name, rows, time in (("train", train, 1), ("test", test, 2000)):
        (folder / f"{name}.csv").write_text("".join(f"{user},{item},{time}\n" for user, item in rows))
    (folder / "dial.py").write_text(PLUGIN)
    header = PROTOCOL.replace('"] }', '"], header = false }')
    (folder / "planted.toml").write_text(header.replace("VALIDATION", "0.3"))
    (folder / "bare.toml").write_text(header.replace("VALIDATION", "0").replace("planted", "bare"))
    return folder


def recbench(*arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "recbench", *map(str, arguments), "--plugin", "dial.py"],
        cwd=cwd,
        env={**os.environ, "HOME": str(cwd), "COLUMNS": "80"},
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_the_best_value_on_validation_wins_whatever_test_says(home: Path) -> None:
    done = recbench("tune", "dial", "-p", "planted.toml", "-o", "a", cwd=home)
    assert done.returncode == 0, done.stderr
    said = tomllib.loads(done.stdout[done.stdout.index("# For the protocol's file:") :])
    assert said == {"algorithms": {"dial": {"period": TRAIN_PERIOD}}, "tuned": {"dial": 6}}
    (best,) = [line for line in done.stdout.splitlines() if line.startswith("*")]
    assert best.split()[2:] == ["1.0000", "period", str(TRAIN_PERIOD)]


def test_a_search_that_was_stopped_goes_on_where_it_was(home: Path) -> None:
    first = recbench("tune", "dial", "-p", "planted.toml", "-o", "b", "--budget", 3, cwd=home)
    (log,) = (home / "b" / "tune").glob("*/dial.jsonl")
    lines = log.read_text().splitlines()
    assert len(lines) == 3
    again = recbench("tune", "dial", "-p", "planted.toml", "-o", "b", "--budget", 5, cwd=home)
    assert log.read_text().splitlines()[:3] == lines
    assert len(log.read_text().splitlines()) == 5
    shown = first.stdout.splitlines()[2:5]
    assert [line.lstrip("* ") for line in shown] == [line.lstrip("* ") for line in again.stdout.splitlines()[2:5]]


def test_a_trial_that_fails_is_a_row_with_its_reason_and_never_wins(home: Path) -> None:
    done = recbench("tune", "brittle", "-p", "planted.toml", "-o", "c", cwd=home)
    assert "failed: RuntimeError in fit: no luck" in done.stdout
    assert done.returncode == 0
    (best,) = [line for line in done.stdout.splitlines() if line.startswith("*")]
    assert "no luck" not in best


def test_where_every_trial_fails_nothing_is_written_down(home: Path) -> None:
    done = recbench("tune", "hopeless", "-p", "planted.toml", "-o", "d", cwd=home)
    assert "No trial was ok" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("fixed", "-p", "planted.toml"), "'fixed' says nothing of what to try: it has no space"),
        (("dial", "-p", "bare.toml"), "protocol 'bare' has no validation part to tune on"),
        (("dail", "-p", "planted.toml"), "'dail' is not the name of an algorithm; close: 'dial'"),
        (("d*", "-p", "planted.toml"), "'d*' is not the name of an algorithm"),
    ],
)
def test_what_cannot_be_tuned_is_an_error_with_a_way_out(home: Path, arguments: tuple[str, ...], said: str) -> None:
    done = recbench("tune", *arguments, "-o", "e", cwd=home)
    assert done.returncode == 1
    assert said in done.stderr
    assert "Fix:" in done.stderr
    assert "Traceback" not in done.stderr

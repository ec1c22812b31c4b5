"""What goes into train, validation, test and history, and what is refused."""

from __future__ import annotations

import math
import re
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recbench.data import Dataset, Given, Interactions, Split
from recbench.errors import BadData, BadProtocol, RecbenchError
from recbench.heldout import Draw, Pool, _least, _least_of_each, first_of_each_user
from recbench.protocols.spec import SplitSpec
from recbench.splits import split

PARTS = ("train", "validation", "test", "history")


def dataset(pairs: list[tuple[int, int]], times: list[int] | None = None) -> Dataset:
    """Interactions of `pairs`; users and items that none of them names are in the tables too."""
    user, item = np.array(pairs, dtype=np.int32).reshape(-1, 2).T
    return Dataset(
        name="tiny",
        interactions=Interactions(
            user=user,
            item=item,
            rating=1 + np.arange(len(pairs), dtype=np.float32) % 5,
            time=None if times is None else np.array(times, dtype=np.int64),
        ),
        user_ids=np.array([f"u{n}" for n in range(user.max(initial=0) + 2)]),
        item_ids=np.array([f"i{n}" for n in range(item.max(initial=0) + 2)]),
        scale=(1.0, 5.0),
    )


def world(n_users: int = 30, n_items: int = 40, n: int = 500, seed: int = 0) -> Dataset:
    rng = np.random.default_rng(seed)
    codes = rng.choice(n_users * n_items, n, replace=False)
    return dataset([divmod(int(code), n_items) for code in codes], rng.integers(0, 200, n).tolist())


@st.composite
def datasets(draw: st.DrawFn) -> Dataset:
    pair = st.tuples(st.integers(0, 6), st.integers(0, 9))
    pairs = draw(st.lists(pair, min_size=2, max_size=50, unique=True))
    return dataset(pairs, draw(st.lists(st.integers(0, 12), min_size=len(pairs), max_size=len(pairs))))


def rows_of(made: Split, part: str) -> list[int]:
    return getattr(made, f"{part}_rows").tolist()  # type: ignore[no-any-return]


def splits_or_none(data: Dataset, spec: SplitSpec) -> tuple[Split, ...]:
    """None where the world is too small for one of the parts, which is refused."""
    try:
        return split(data, spec)
    except RecbenchError as error:
        if "leaves nothing for" in error.what:
            return ()
        raise


SPECS = [
    SplitSpec(kind="holdout", test=0.3, validation=0.2, repeats=2),
    SplitSpec(kind="holdout", by="all", test=0.3, validation=0.2),
    SplitSpec(kind="k-fold", folds=2, validation=0.2, repeats=2),
    SplitSpec(kind="k-fold", folds=2, shuffle="mt19937"),
    SplitSpec(kind="leave-last-out", validation=0.1),
    SplitSpec(kind="time", test=0.3, validation=0.2),
    SplitSpec(kind="cold-user", test=0.4, history=0.5),
    SplitSpec(kind="cold-user", test=0.3, validation=0.4),
    SplitSpec(kind="cold-item", test=0.3, validation=0.3),
]


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: f"{spec.kind}-{spec.by}-{spec.shuffle}-{spec.history}")
@given(data=datasets())
@settings(max_examples=40, deadline=None)
def test_every_interaction_is_in_exactly_one_part(spec: SplitSpec, data: Dataset) -> None:
    for number, made in enumerate(splits_or_none(data, spec)):
        assert sorted(row for part in PARTS for row in rows_of(made, part)) == list(range(len(data.interactions)))
        for part in PARTS:
            rows = getattr(made, f"{part}_rows")
            assert rows.tolist() == sorted(rows)
            assert rows.dtype == np.int64
            assert not rows.flags.writeable
        assert made.fold == number
        assert bool(made.validation_rows.size) == (spec.validation > 0)
        trained = made.train().interactions.time
        tested = made.test().time
        assert trained is not None
        assert tested is not None
        assert made.leaks_future == any(before > after for before in trained for after in tested)


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: f"{spec.kind}-{spec.by}-{spec.shuffle}-{spec.history}")
def test_the_same_question_gets_the_same_answer(spec: SplitSpec) -> None:
    first, second = split(world(), spec), split(world(), spec)
    assert [made.fingerprint for made in first] == [made.fingerprint for made in second]
    assert len({made.fingerprint for made in first}) == len(first)


@given(data=datasets(), seed=st.integers(0, 2**64))
@settings(max_examples=100, deadline=None)
def test_holdout_takes_each_users_share_in_the_order_of_raw_words(data: Dataset, seed: int) -> None:
    spec = SplitSpec(kind="holdout", test=0.3, seed=seed)
    words = np.random.PCG64(seed).random_raw(len(data.interactions)).tolist()
    of_user = defaultdict(list)
    for row, user in enumerate(data.interactions.user.tolist()):
        of_user[user].append(row)
    expected = []
    for rows in of_user.values():
        expected += sorted(rows, key=lambda row: words[row])[: 3 * len(rows) // 10]
    for made in splits_or_none(data, spec):
        assert rows_of(made, "test") == sorted(expected)


def test_splits_are_the_same_whatever_is_worked_out_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = [made.fingerprint for spec in SPECS for made in split(world(), spec)]
    monkeypatch.setattr("recbench.data.ROWS_AT_ONCE", 7)
    assert [made.fingerprint for spec in SPECS for made in split(world(), spec)] == whole


@dataclass(frozen=True, kw_only=True)
class Known(Draw):
    """A draw of words that are known."""

    known: tuple[int, ...]

    def _source(self) -> Any:
        left = iter(self.known)
        return SimpleNamespace(random_raw=lambda n: np.array(list(islice(left, n)), dtype=np.uint64))


@given(
    words=st.lists(st.integers(0, 3) | st.integers(2**62, 2**62 + 2), max_size=40),
    seed=st.integers(0, 1000),
)
def test_words_that_share_their_leading_bits_are_told_apart(words: list[int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    group = rng.integers(0, 5, len(words)).astype(np.int32)
    counts = np.bincount(group)
    quota = rng.integers(0, counts + 1)
    expected = np.zeros(len(words), dtype=bool)
    for each in range(len(counts)):
        rows = np.flatnonzero(group == each).tolist()
        expected[sorted(rows, key=lambda row: words[row])[: quota[each]]] = True
    draw = Known(share=0.5, by="user", seed=0, known=tuple(words))
    assert _least_of_each(group, draw, counts, quota).tolist() == expected.tolist()


@given(words=st.lists(st.integers(0, 5), max_size=20), share=st.floats(0, 1))
def test_equal_words_go_in_the_files_order(words: list[int], share: float) -> None:
    count = int(share * len(words))
    expected = sorted(range(len(words)), key=lambda row: words[row])[:count]
    assert np.flatnonzero(_least(np.array(words, dtype=np.uint64), count)).tolist() == sorted(expected)


def test_holdout_of_all_takes_the_share_of_all() -> None:
    (made,) = split(world(), SplitSpec(kind="holdout", by="all", test=0.29, validation=0.1))
    words = np.random.PCG64(42).random_raw(500)
    assert rows_of(made, "test") == sorted(np.argsort(words)[:145].tolist())
    assert len(made.validation_rows) == 35


def test_a_share_is_the_decimal_that_was_written() -> None:
    assert math.floor(0.29 * 100) == 28
    (made,) = split(world(n=100), SplitSpec(kind="holdout", by="all", test=0.29))
    assert len(made.test_rows) == 29


def test_validation_takes_the_share_of_each_users_train() -> None:
    (made,) = split(world(), SplitSpec(kind="holdout", test=0.2, validation=0.1))
    everything, tested, validated = (
        Counter(rows.user.tolist()) for rows in (made.dataset.interactions, made.test(), made.validation().interactions)
    )
    for user, n in everything.items():
        assert tested[user] == n // 5
        assert validated[user] == (n - n // 5) // 10


def test_validation_leaves_test_as_it_is() -> None:
    for kind in ("holdout", "k-fold", "leave-last-out", "time", "cold-user", "cold-item"):
        without = split(world(), SplitSpec(kind=kind))
        with_it = split(world(), SplitSpec(kind=kind, validation=0.2))
        assert [rows_of(made, "test") for made in without] == [rows_of(made, "test") for made in with_it]
        assert without[0].fingerprint != with_it[0].fingerprint


def test_repeats_draw_anew_and_the_first_is_that_of_no_repeats() -> None:
    once = split(world(), SplitSpec(kind="holdout"))
    thrice = split(world(), SplitSpec(kind="holdout", repeats=3))
    assert [made.fold for made in thrice] == [0, 1, 2]
    assert thrice[0].fingerprint == once[0].fingerprint
    assert len({made.fingerprint for made in thrice}) == 3


@pytest.mark.parametrize("n", [10, 11, 12, 100])
@pytest.mark.parametrize("folds", [2, 3, 10])
def test_folds_of_mt19937_are_those_of_surprise(n: int, folds: int) -> None:
    # Surprise 1.1.4, model_selection/split.py, KFold.split, on the indexes alone.
    indices = np.arange(n)
    np.random.RandomState(7).shuffle(indices)
    start = stop = 0
    made = split(world(n=n), SplitSpec(kind="k-fold", folds=folds, shuffle="mt19937", seed=7))
    assert len(made) == folds
    for fold in range(folds):
        start = stop
        stop += len(indices) // folds
        if fold < len(indices) % folds:
            stop += 1
        assert rows_of(made[fold], "test") == sorted(indices[start:stop].tolist())
        assert rows_of(made[fold], "train") == sorted([*indices[:start], *indices[stop:]])


def test_folds_of_pcg64_are_blocks_in_the_order_of_raw_words() -> None:
    order = np.argsort(np.random.PCG64(42).random_raw(11), kind="stable")
    made = split(world(n=11), SplitSpec(kind="k-fold", folds=3))
    expected = [sorted(block) for block in (order[:4], order[4:8], order[8:])]
    assert [rows_of(fold, "test") for fold in made] == expected


def test_repeats_of_folds_are_numbered_on_and_hold_everything_once_each() -> None:
    made = split(world(n=20), SplitSpec(kind="k-fold", folds=4, repeats=2, shuffle="mt19937", seed=3))
    assert [fold.fold for fold in made] == list(range(8))
    for repeat in (made[:4], made[4:]):
        assert sorted(row for fold in repeat for row in rows_of(fold, "test")) == list(range(20))
    again = split(world(n=20), SplitSpec(kind="k-fold", folds=4, shuffle="mt19937", seed=4))
    assert [fold.fingerprint for fold in made[4:]] == [fold.fingerprint for fold in again]


def test_the_latest_of_each_user_is_left_out() -> None:
    data = dataset([(0, 0), (0, 1), (0, 2), (1, 0), (2, 1), (2, 0), (0, 3)], [5, 9, 9, 1, 4, 3, 2])
    (made,) = split(data, SplitSpec(kind="leave-last-out"))
    assert rows_of(made, "test") == [2, 4]  # of the two at 9 the last in the file; user 1 has but one
    (made,) = split(data, SplitSpec(kind="leave-last-out", validation=0.5))
    assert rows_of(made, "test") == [2, 4]
    assert rows_of(made, "validation") == [1]  # the one before; user 2 keeps the last one


@given(data=datasets())
@settings(max_examples=100, deadline=None)
def test_leave_last_out_agrees_with_a_plain_loop(data: Dataset) -> None:
    of_user = defaultdict(list)
    for row, (user, time) in enumerate(zip(data.interactions.user, data.interactions.time, strict=True)):
        of_user[int(user)].append((int(time), row))
    expected = sorted(max(each)[1] for each in of_user.values() if len(each) > 1)
    for made in splits_or_none(data, SplitSpec(kind="leave-last-out")):
        assert rows_of(made, "test") == expected


@given(data=datasets(), share=st.sampled_from([0.05, 0.2, 0.5, 0.9]))
@settings(max_examples=100, deadline=None)
def test_all_of_train_comes_before_all_of_test(data: Dataset, share: float) -> None:
    for made in splits_or_none(data, SplitSpec(kind="time", test=share)):
        time = data.interactions.time
        assert time is not None
        assert time[made.train_rows].max() < time[made.test_rows].min()
        assert made.leaks_future is False
        wanted = max(1, int(share * len(time)))
        possible = [int((time >= point).sum()) for point in set(time.tolist()) - {time.min()}]
        assert abs(len(made.test_rows) - wanted) == min(abs(size - wanted) for size in possible)


def test_validation_in_time_is_the_latest_part_of_train() -> None:
    data = dataset([(0, item) for item in range(10)], [3, 1, 2, 9, 8, 7, 4, 6, 5, 0])
    (made,) = split(data, SplitSpec(kind="time", test=0.2, validation=0.25))
    assert [rows_of(made, part) for part in PARTS] == [[0, 1, 2, 6, 8, 9], [5, 7], [3, 4], []]


def test_the_core_is_counted_on_train_alone_in_time() -> None:
    early = [(0, 0), (0, 1), (1, 0), (1, 1), (2, 0), (1, 2)]  # the 2-core: users 0 and 1, items 0 and 1
    late = [(0, 1 + 2), (2, 1), (3, 0), (1, 2), (3, 3), (4, 2)]  # test
    data = dataset(early + late, [*range(6), *range(10, 16)])
    (made,) = split(data, SplitSpec(kind="time", test=0.5), core=2)
    ids = made.dataset.user_ids, made.dataset.item_ids
    named = {
        part: [(str(ids[0][user]), str(ids[1][item])) for user, item in zip(rows.user, rows.item, strict=True)]
        for part, rows in (("train", made.train().interactions), ("test", made.test()))
    }
    assert named["train"] == [("u0", "i0"), ("u0", "i1"), ("u1", "i0"), ("u1", "i1")]
    # User 2 and item 2 are in train but too thin, and are not judged; user 3 and item 3 are cold, and stay.
    assert named["test"] == [("u0", "i3"), ("u3", "i0"), ("u3", "i3")]
    assert ids[0].tolist() == ["u0", "u1", "u3"]
    assert ids[1].tolist() == ["i0", "i1", "i3"]


def test_test_has_no_say_in_who_is_in_the_core() -> None:
    rng = np.random.default_rng(3)
    data = world(n_users=20, n_items=20, n=200)
    (made,) = split(data, SplitSpec(kind="time", test=0.3), core=4)
    time = data.interactions.time
    assert time is not None
    item = data.interactions.item.copy()
    late = np.flatnonzero(time > np.max(made.train().interactions.time))
    item[late] = rng.permutation(item[late])
    other = data.with_interactions(
        Interactions(user=data.interactions.user, item=item, rating=data.interactions.rating, time=time)
    )
    (again,) = split(other, SplitSpec(kind="time", test=0.3), core=4)
    assert named_pairs(again.train()) == named_pairs(made.train())
    assert min(Counter(made.train().interactions.user.tolist()).values()) >= 4


def named_pairs(data: Dataset) -> list[tuple[str, str]]:
    rows = data.interactions
    return list(zip(data.user_ids[rows.user].tolist(), data.item_ids[rows.item].tolist(), strict=True))


def test_other_kinds_leave_the_core_to_the_loader() -> None:
    assert (
        split(world(), SplitSpec(kind="holdout"), core=9)[0].fingerprint
        == split(world(), SplitSpec(kind="holdout"))[0].fingerprint
    )


def test_cold_users_are_never_in_train() -> None:
    (made,) = split(world(), SplitSpec(kind="cold-user", test=0.2, validation=0.25))
    train, validation, test = (
        set(rows.user.tolist())
        for rows in (made.train_without_validation().interactions, made.validation().interactions, made.test())
    )
    assert len(test) == 6
    assert len(validation) == 6
    assert not train & test | train & validation | validation & test


@pytest.mark.parametrize("has_times", [True, False])
def test_a_held_out_users_first_interactions_are_the_history(has_times: bool) -> None:
    data = world() if has_times else without_times(world())
    (made,) = split(data, SplitSpec(kind="cold-user", test=0.2, history=0.8))
    held = np.sort(np.concatenate([made.history_rows, made.test_rows]))
    for user in np.unique(data.interactions.user[held]):
        rows = held[data.interactions.user[held] == user].tolist()
        if data.interactions.time is not None:
            rows.sort(key=data.interactions.time.tolist().__getitem__)
        early = rows[: 4 * len(rows) // 5]
        assert set(early) <= set(made.history_rows.tolist())
        assert set(rows) - set(early) <= set(made.test_rows.tolist())
    assert not set(made.history().user.tolist()) & set(made.train().interactions.user.tolist())


def without_times(data: Dataset) -> Dataset:
    rows = data.interactions
    return data.with_interactions(Interactions(user=rows.user, item=rows.item, rating=rows.rating))


def test_of_equal_times_the_first_in_the_file_is_history() -> None:
    data = dataset([(0, 0), (0, 1), (0, 2), (0, 3)], [7, 7, 7, 1])
    assert first_of_each_user(Pool(interactions=data.interactions), 0.5).tolist() == [True, False, False, True]


def test_cold_items_are_never_in_train() -> None:
    (made,) = split(world(), SplitSpec(kind="cold-item", test=0.25))
    test = set(made.test().item.tolist())
    assert len(test) == 10
    assert not test & set(made.train().interactions.item.tolist())


def test_without_times_a_leak_is_unknown() -> None:
    assert split(without_times(world()), SplitSpec(kind="holdout"))[0].leaks_future is None


def test_validation_counts_as_training_where_a_leak_is_looked_for() -> None:
    data = dataset([(0, item) for item in range(4)], [0, 1, 5, 3])
    for seed in range(20):
        (made,) = split(data, SplitSpec(kind="holdout", test=0.25, validation=0.4, seed=seed))
        assert made.leaks_future == (rows_of(made, "test") != [2])


def test_given_folds_are_taken_as_they_are() -> None:
    folds = [
        Given(train_rows=np.array([3, 0]), test_rows=np.array([2, 1])),
        Given(train_rows=np.array([1, 2, 3]), test_rows=np.array([0])),
    ]
    made = split(dataset([(0, item) for item in range(5)]), SplitSpec(kind="provided"), folds)
    assert [rows_of(each, "train") for each in made] == [[0, 3], [1, 2, 3]]
    assert [rows_of(each, "test") for each in made] == [[1, 2], [0]]


def test_validation_of_given_folds_is_cut_at_random_from_train() -> None:
    fold = Given(train_rows=np.arange(10), test_rows=np.arange(10, 12))
    data = dataset([(row % 2, row) for row in range(12)])
    (made,) = split(data, SplitSpec(kind="provided", validation=0.2), [fold])
    assert Counter(made.validation().interactions.user.tolist()) == {0: 1, 1: 1}
    assert sorted(rows_of(made, "train") + rows_of(made, "validation")) == list(range(10))


def test_pairs_in_both_train_and_test_are_refused() -> None:
    fold = Given(train_rows=np.array([0, 1]), test_rows=np.array([1, 2]))
    with pytest.raises(BadData, match=r"1 pairs stand in both .* user 'u0' and item 'i1'") as caught:
        split(dataset([(0, item) for item in range(5)]), SplitSpec(kind="provided"), [fold])
    assert "out of one of the two files" in caught.value.fix


REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({"kind": "holdout", "test": 0.0}, r"split\.test = 0\.0", "between 0 and 1"),
    ({"kind": "time", "test": 1.0}, r"split\.test = 1\.0", "between 0 and 1"),
    ({"kind": "cold-user", "test": math.nan}, r"split\.test = nan", "between 0 and 1"),
    ({"kind": "holdout", "validation": 1.0}, r"split\.validation = 1\.0", "below 1"),
    ({"kind": "cold-user", "history": -0.1}, r"split\.history = -0\.1", "below 1"),
    ({"kind": "holdout", "history": 0.5}, r"split\.history = 0\.5", 'only kind = "cold-user"'),
    ({"kind": "holdout", "seed": -1}, r"split\.seed = -1", "whole number"),
    ({"kind": "k-fold", "shuffle": "mt19937", "seed": 2**32}, r"split\.seed = 4294967296", r"below 2\*\*32"),
    ({"kind": "holdout", "repeats": 0}, r"split\.repeats = 0", "1 or more"),
    ({"kind": "time", "repeats": 2}, r"split\.repeats = 2", "draws nothing at random"),
    ({"kind": "k-fold", "folds": 1}, r"split\.folds = 1", "from 2 to 500"),
    ({"kind": "k-fold", "folds": 501}, r"split\.folds = 501", "from 2 to 500"),
    ({"kind": "provided"}, "needs files of train and test", r"data\.train"),
]


@pytest.mark.parametrize(("values", "what", "fix"), REFUSED)
def test_what_makes_no_sense_is_refused_with_a_way_out(values: dict[str, Any], what: str, fix: str) -> None:
    with pytest.raises(BadProtocol, match=what) as caught:
        split(world(), SplitSpec(**values))
    assert re.search(fix, caught.value.fix)


@pytest.mark.parametrize("kind", ["time", "leave-last-out"])
def test_kinds_that_need_times_say_so(kind: Any) -> None:
    with pytest.raises(BadProtocol, match=f"'{kind}' needs times, but 'tiny' has none") as caught:
        split(without_times(world()), SplitSpec(kind=kind))
    assert "column of times" in caught.value.fix


@pytest.mark.parametrize(
    ("spec", "data", "what", "fix"),
    [
        (SplitSpec(kind="holdout", test=0.2), dataset([(0, 0), (1, 1)]), "the test part", 'split.by = "all"'),
        (
            SplitSpec(kind="holdout", by="all", validation=0.1),
            world(n=9),
            "the validation part",
            "share",
        ),
        (SplitSpec(kind="time"), dataset([(0, 0), (1, 1)], [3, 3]), "the test part", "times differ"),
        (SplitSpec(kind="leave-last-out"), dataset([(0, 0), (1, 1)], [3, 4]), "the test part", "two interactions"),
        (SplitSpec(kind="cold-user"), dataset([(0, 0), (1, 1)]), "the test part", "more users"),
        (SplitSpec(kind="cold-item"), dataset([(0, 0), (1, 1)]), "the test part", "more items"),
        (SplitSpec(kind="holdout"), dataset([]), "the test part", "share"),
        (SplitSpec(kind="time"), dataset([], []), "the test part", "times differ"),
    ],
)
def test_a_part_without_anything_in_it_is_refused(spec: SplitSpec, data: Dataset, what: str, fix: str) -> None:
    with pytest.raises(RecbenchError, match=f"leaves nothing for {what}") as caught:
        split(data, spec)
    assert fix in caught.value.fix


def test_a_core_that_train_does_not_have_is_refused() -> None:
    with pytest.raises(RecbenchError, match="leaves nothing for the train part"):
        split(dataset([(n, n) for n in range(9)], list(range(9))), SplitSpec(kind="time"), core=2)


def test_fingerprints_of_a_tiny_world_never_change() -> None:
    pairs = [(user, item) for user in range(6) for item in range(9) if (user + item) % 4]
    data = dataset(pairs, [(7 * row) % 11 for row in range(len(pairs))])
    found = {
        f"{spec.kind} {spec.by} {spec.shuffle} {spec.history}": [made.fingerprint[:16] for made in split(data, spec)]
        for spec in SPECS
    }
    assert found == {
        "holdout user pcg64 0.0": ["1e317241a72acd40", "7a73ed501ac56e93"],
        "holdout all pcg64 0.0": ["620ced7f27baca43"],
        "k-fold user pcg64 0.0": ["c17950ac66818368", "6dd3e13ac1ded61b", "6cd39c93c516a297", "a1aabfdc442868cd"],
        "k-fold user mt19937 0.0": ["97942ec50d03ebfe", "f1f724f3a5ff65a2"],
        "leave-last-out user pcg64 0.0": ["9c9a27d4e525f929"],
        "time user pcg64 0.0": ["3f20e0ba3e926b55"],
        "cold-user user pcg64 0.5": ["68ef81fc4e11c010"],
        "cold-user user pcg64 0.0": ["493521a918f1a44c"],
        "cold-item user pcg64 0.0": ["0ee77e7c6dbd157d"],
    }


def test_neither_hash_seed_nor_threads_change_a_split() -> None:
    script = (
        "import numpy as np; from recbench.data import *; from recbench.splits import split\n"
        "from recbench.protocols.spec import SplitSpec\n"
        "rng = np.random.default_rng(0); rows = np.unique(rng.integers(0, 10**4, 2000)); n = len(rows)\n"
        "parts = Interactions(user=rows // 100, item=rows % 100, rating=np.ones(n), time=rng.integers(0, 99, n))\n"
        "ids = np.arange(100).astype(str)\n"
        "items = {name: Numbers(values=np.arange(100.0)) for name in ('year', 'length', 'price')}\n"
        "data = Dataset(name='x', interactions=parts, user_ids=ids, item_ids=ids, items=items)\n"
        "for kind in ('holdout', 'k-fold', 'time', 'cold-user'):\n"
        "    print([made.fingerprint for made in split(data, SplitSpec(kind=kind, validation=.1))])\n"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={"PYTHONHASHSEED": str(seed), "OMP_NUM_THREADS": str(seed), "PYTHONPATH": str(Path.cwd())},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in (1, 2)
    }
    assert len(outputs) == 1
    assert len(outputs.pop()) > 64


@pytest.mark.golden
def test_five_folds_of_movielens_100k_are_those_of_surprise(shared_data: Callable[[str], Path]) -> None:
    table = np.loadtxt(shared_data("ml-100k") / "u.data", dtype=np.int64)
    rows = Interactions(user=table[:, 0], item=table[:, 1], rating=table[:, 2], time=table[:, 3])
    ids = np.arange(2000).astype(str)
    made = split(
        Dataset(name="ml-100k", interactions=rows, user_ids=ids, item_ids=ids, scale=(1.0, 5.0)),
        SplitSpec(kind="k-fold", folds=5, seed=0, shuffle="mt19937"),
    )
    order = np.arange(100_000)
    np.random.RandomState(0).shuffle(order)
    assert [rows_of(fold, "test") for fold in made] == [
        sorted(order[n : n + 20_000]) for n in range(0, 100_000, 20_000)
    ]
    mean = [fold.train().interactions.rating.mean(dtype=np.float64) for fold in made]
    error = [np.sqrt(((fold.test().rating - average) ** 2).mean()) for fold, average in zip(made, mean, strict=True)]
    assert np.mean(error) == pytest.approx(1.1257, abs=0.0005)

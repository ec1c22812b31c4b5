"""Which interactions, users and items stay."""

from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from recbench.data import Categories, Dataset, Interactions, Numbers, Tags, Texts
from recbench.filtering import k_core, restrict

PAIRS = st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=50, unique=True)


@given(PAIRS, st.integers(0, 5))
def test_the_core_agrees_with_a_plain_loop(pairs: list[tuple[int, int]], k: int) -> None:
    kept = list(pairs)
    while True:
        users, items = Counter(user for user, _ in kept), Counter(item for _, item in kept)
        smaller = [(user, item) for user, item in kept if users[user] >= k and items[item] >= k]
        if smaller == kept:
            break
        kept = smaller
    user, item = np.array(pairs, dtype=np.int32).reshape(-1, 2).T
    assert [pair for pair, stays in zip(pairs, k_core(user, item, k), strict=True) if stays] == kept


def test_who_leaves_may_take_others_along() -> None:
    chain = [(0, 0), (0, 1), (1, 1), (1, 2), (2, 2)]  # item 0 leaves, then user 0, then item 1, ...
    square = [(3, 3), (3, 4), (4, 3), (4, 4)]
    user, item = np.array(chain + square, dtype=np.int32).T
    assert k_core(user, item, 2).tolist() == [False] * 5 + [True] * 4


def test_tables_follow_the_interactions_that_stay() -> None:
    data = Dataset(
        name="tiny",
        interactions=Interactions(
            user=np.array([0, 2, 2, 1]), item=np.array([3, 1, 3, 0]), rating=np.arange(4.0), time=np.arange(4)
        ),
        user_ids=np.array(["a", "b", "c", "d"]),
        item_ids=np.array(["p", "q", "r", "s"]),
        users={"age": Numbers(values=np.array([1.0, 2.0, np.nan, 4.0]))},
        items={
            "kind": Categories(codes=np.array([0, 1, -1, 1]), names=("x", "y")),
            "genres": Tags(starts=np.array([0, 1, 3, 3, 4]), codes=np.array([0, 2, 1, 2]), names=("f", "g", "h")),
            "title": Texts(values=np.array(["P", "Q", "R", "S"])),
        },
        scale=(0.0, 3.0),
        positive_at_least=1.0,
    )
    made = restrict(data, np.array([True, True, True, False]))
    assert made.interactions.user.tolist() == [0, 1, 1]
    assert made.interactions.item.tolist() == [1, 0, 1]
    assert made.interactions.rating.tolist() == [0.0, 1.0, 2.0]
    assert made.user_ids.tolist() == ["a", "c"]
    assert made.item_ids.tolist() == ["q", "s"]
    age, kind, genres, title = made.users["age"], made.items["kind"], made.items["genres"], made.items["title"]
    assert isinstance(age, Numbers)
    assert isinstance(kind, Categories)
    assert isinstance(genres, Tags)
    assert isinstance(title, Texts)
    np.testing.assert_array_equal(age.values, [1.0, np.nan])
    assert (kind.codes.tolist(), kind.names) == ([1, 1], ("x", "y"))
    assert (genres.starts.tolist(), genres.codes.tolist(), genres.names) == ([0, 2, 3], [2, 1, 2], ("f", "g", "h"))
    assert title.values.tolist() == ["Q", "S"]
    assert (made.name, made.scale, made.positive_at_least) == ("tiny", (0.0, 3.0), 1.0)

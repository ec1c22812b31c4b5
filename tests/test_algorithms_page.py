"""The page of algorithms says what is so: nothing is missing, nothing is stale, and what is stated by hand holds."""

from __future__ import annotations

import functools
import inspect
import re
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recbench.api import Algorithm, Categories, Dataset, Interactions, Numbers, Tags
from recbench.registry import discover

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.append(str(REPOSITORY / "scripts"))

import algorithm_notes as notes  # noqa: E402
import algorithms_page as generator  # noqa: E402
from algorithm_facts import adapters, arguments, built_in, class_of, extra_of, meaning_of, parameters_of, written_class  # noqa: E402

BUILT_IN = built_in(discover())
NAMES = tuple(BUILT_IN)
SETTINGS: dict[str, dict[str, Any]] = {
    "q-learning": {"rounds": 30},
    "stacking": {"of": ["bias", "recent-popularity"]},
    "bagging": {"sample": 1.0, "leaf_size": 2},
    "random-forest": {"sample": 1.0, "leaf_size": 2},
    "boosting": {"leaf_size": 2},
    **{name: {"epochs": 2} for name in NAMES if name.startswith("mlp-")},
}
"""What keeps a trial short, and lets each component and each feature count for something in data as small as this."""


def algorithm(name: str) -> Algorithm:
    """A built-in algorithm, or the test is skipped where its framework is missing."""
    found = BUILT_IN[name].value
    for module in found.requires:
        pytest.importorskip(module)
    return found


@pytest.fixture(scope="module")
def page() -> str:
    for offered in BUILT_IN.values():
        algorithm(offered.value.name)
    return generator.page()


def test_the_page_is_what_the_generator_makes(page: str) -> None:
    assert generator.PAGE.read_text(encoding="utf-8") == page, "run `python scripts/algorithms_page.py`"


def test_every_built_in_algorithm_has_a_section_and_a_row(page: str) -> None:
    lines = page.splitlines()
    for name in NAMES:
        assert lines.count(f"### {name}") == 1
        assert sum(line.startswith(f"| [{name}](#{name}) |") for line in lines) == 1


def test_links_within_the_page_lead_to_one_heading_each(page: str) -> None:
    headings = [line.lstrip("# ").lower() for line in page.splitlines() if line.startswith("#")]
    assert len(headings) == len(set(headings))


@pytest.mark.parametrize("name", NAMES)
def test_every_built_in_algorithm_has_a_reference_and_a_summary(name: str) -> None:
    assert BUILT_IN[name].value.reference
    assert BUILT_IN[name].value.summary


def test_what_is_stated_by_hand_is_stated_of_every_built_in_algorithm_and_of_no_other() -> None:
    assert set(notes.COSTS) == set(notes.READS) == set(NAMES)
    assert set(NAMES) >= notes.BY_RATING


@pytest.mark.parametrize("name", NAMES)
def test_every_cost_has_an_order_of_growth_in_letters_that_are_explained(name: str) -> None:
    for said in (notes.COSTS[name].fit, notes.COSTS[name].rank):
        assert "O(" in said
        explained = {"O", *notes.LETTERS, *re.findall(r"\b(\w)(?: =|:)", said)}
        assert set(re.findall(r"\b[A-Za-z]\b", said.replace("²", "").replace("³", ""))) <= explained


@pytest.mark.parametrize("letter", notes.LETTERS)
def test_every_letter_that_is_explained_occurs_in_a_cost(letter: str) -> None:
    said = " ".join(f"{cost.fit} {cost.rank}" for cost in notes.COSTS.values()).replace("²", "").replace("³", "")
    assert re.search(rf"\b{letter}\b", said)


@pytest.mark.parametrize("name", NAMES)
def test_every_parameter_has_a_documented_line(name: str) -> None:
    undocumented = [each.name for each in parameters_of(algorithm(name)) if not each.meaning]
    assert not undocumented, f"{name}: add to Args of {BUILT_IN[name].value.target}: {', '.join(undocumented)}"


@pytest.mark.parametrize("name", NAMES)
def test_presets_and_spaces_name_parameters_that_are_there(name: str) -> None:
    known = {each.name for each in parameters_of(algorithm(name))}
    assert set(BUILT_IN[name].value.parameters) | set(BUILT_IN[name].value.space) <= known


class Parent:
    """A parent.

    Args:
        width: of the thing,
            in metres.
        height: likewise.
    """


class Child(Parent):
    """A child.

    Args:
        share: a part.
        width: as in `Parent`.

    Source: nobody.
    """

    def __init__(
        self, *, share: float = 0.5, rate: float = 0.1, count: int = 3, most: int = 7, width: float = 1.0
    ) -> None:
        if not 0 <= share < 1 or not rate > 0 or count < 2 or not 1 <= most <= 90:
            raise ValueError("out of range")


def test_arguments_of_a_docstring_end_where_its_section_does() -> None:
    assert arguments(Child.__doc__ or "") == {"share": "a part.", "width": "as in `Parent`."}
    assert arguments("No section.") == {}


def test_a_meaning_comes_from_the_parent_where_the_child_refers_to_it() -> None:
    assert meaning_of(Child, "width") == "of the thing, in metres."
    assert meaning_of(Child, "height") == "likewise."
    assert meaning_of(Child, "depth") == ""


def test_ranges_are_what_the_constructor_takes() -> None:
    child = Algorithm(name="child", target=f"{__name__}:Child", parameters={"count": 4}, space={"share": (0.1, 0.2)})
    found = {each.name: each for each in parameters_of(child)}
    ranges = {name: each.range for name, each in found.items()}
    assert ranges == {"share": "≥ 0, < 1", "rate": "> 0", "count": "≥ 2", "most": "1 to 90", "width": ""}
    assert found["count"].default == 4
    assert found["share"].tuned == (0.1, 0.2)


def test_a_line_is_never_folded_so_that_it_begins_a_list() -> None:
    words = "O(n) + " * 60
    folded = generator._bullet(words.strip(" +"))
    assert len(folded.splitlines()) > 1
    assert not any(line.strip().startswith("+") for line in folded.splitlines())


def test_prose_shows_its_signs_and_keeps_its_code() -> None:
    assert generator._text("a * b needs `min_support | x` or <c>") == r"a \* b needs `min_support | x` or &lt;c&gt;"


def test_adapters_are_told_of_without_their_libraries() -> None:
    for name, each in adapters(discover()).items():
        found = written_class(each.value)
        assert {"score", "predict"} & found.methods, name
        assert "model" in found.arguments, name
        assert each.value.reference
        assert all(map(extra_of, each.value.requires))


def tiny_data(seed: int = 0) -> Dataset:
    """Ratings, times, and columns of users and items, all of which tell something."""
    rng = np.random.default_rng(seed)
    n_users, n_items, groups = 40, 30, 3
    likes = (np.arange(n_users) % groups)[:, None] == (np.arange(n_items) % groups)[None, :]
    chance = np.where(likes, 0.7, 0.3) * (0.5 + np.arange(n_items) / (2 * n_items))
    user, item = np.nonzero(rng.random(likes.shape) < chance)
    rating = np.where(likes[user, item], 4, 1) + rng.integers(0, 2, len(user))
    names = tuple(f"g{group}" for group in range(groups))
    codes = (np.arange(n_items) % groups).astype(np.int32)
    return Dataset(
        name="tiny",
        interactions=Interactions(
            user=user.astype(np.int32),
            item=item.astype(np.int32),
            rating=rating.astype(np.float32),
            time=1_600_000_000 + rng.integers(0, 200 * 86_400, len(user)),
        ),
        user_ids=np.array([f"u{index}" for index in range(n_users)]),
        item_ids=np.array([f"i{index}" for index in range(n_items)]),
        users={"group": Categories(codes=(np.arange(n_users) % groups).astype(np.int32), names=names)},
        items={
            "genres": Tags(starts=np.arange(n_items + 1), codes=codes, names=names),
            "year": Numbers(values=1990 + np.arange(n_items, dtype=np.float64) % 7),
        },
        scale=(1.0, 5.0),
    )


def shuffled_ratings(data: Dataset) -> Dataset:
    rows = data.interactions
    rating = np.random.default_rng(1).permutation(rows.rating) / 2 + 1
    return data.with_interactions(replace(rows, rating=rating.astype(np.float32)))


def shuffled_times(data: Dataset) -> Dataset:
    rows = data.interactions
    assert rows.time is not None
    return data.with_interactions(replace(rows, time=np.random.default_rng(1).permutation(rows.time)))


def without_item_features(data: Dataset) -> Dataset:
    return replace(data, items={})


def without_user_features(data: Dataset) -> Dataset:
    return replace(data, users={})


CHANGES: dict[notes.Input, Callable[[Dataset], Dataset]] = {
    "ratings": shuffled_ratings,
    "times": shuffled_times,
    "item features": without_item_features,
    "user features": without_user_features,
}


def build(name: str, **parameters: Any) -> Any:
    """An unfitted algorithm, as recbench gives it to those that ask for it."""
    found = algorithm(name)
    return class_of(found)(**{**found.parameters, **SETTINGS.get(name, {}), **parameters})


@functools.cache
def plain_outputs(name: str) -> tuple[Any, Any]:
    return outputs(name, tiny_data())


def outputs(name: str, data: Dataset) -> tuple[Any, Any]:
    """(n_users, n_items) scores and, where there are any, predicted ratings."""
    model = build(name)  # every built-in one has `score`
    extras = {"build": build} if "build" in inspect.signature(model.fit).parameters else {}
    model.fit(data, seed=0, **extras)
    users, items = np.arange(data.n_users), np.arange(data.n_items)
    pairs = np.repeat(users, data.n_items), np.tile(items, data.n_users)
    ratings = model.predict(*pairs).reshape(len(users), len(items)) if hasattr(model, "predict") else None
    return np.asarray(model.score(users)), ratings


def differ(one: Any, other: Any) -> bool:
    return one is not None and not np.allclose(one, other, rtol=1e-6, atol=1e-6, equal_nan=True)


EACH = [
    pytest.param(name, marks=[pytest.mark.slow] if each.value.requires or name in ("hybrid",) else [])
    for name, each in BUILT_IN.items()
]


@pytest.mark.parametrize("name", EACH)
def test_what_an_algorithm_is_said_to_read_changes_its_result_and_nothing_else_does(name: str) -> None:
    data = tiny_data()
    plain = plain_outputs(name)
    read = []
    for what, change in CHANGES.items():
        changed = outputs(name, change(data))
        if differ(plain[0], changed[0]) or differ(plain[1], changed[1]):
            read.append(what)
    assert tuple(read) == notes.READS[name]


@pytest.mark.parametrize("name", EACH)
def test_those_that_rank_by_predicted_ratings_are_said_to(name: str) -> None:
    scores, ratings = plain_outputs(name)
    known = ratings is not None and np.isfinite(ratings)
    is_same = ratings is not None and np.allclose(scores[known], ratings[known], rtol=1e-4, atol=1e-4)
    assert is_same == (name in notes.BY_RATING)

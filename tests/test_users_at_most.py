"""Ranking for some users, drawn by the split's fingerprint, instead of everybody."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recbench.protocols.loading import load as load_protocol
from recbench.protocols.spec import Protocol
from recbench.ranking import drawn_users
from recbench.records import Store, load, read_lists
from recbench.synthetic import Size, generate
from recbench.trials import is_ranked_like, ranked_how

USERS, MOST = 120, 30


@pytest.fixture(scope="module")
def everybody(tmp_path_factory: pytest.TempPathFactory) -> Path:
    size = Size(users=USERS, items=60, interactions=1_200)
    return generate(size, tmp_path_factory.mktemp("world")).protocol


@pytest.fixture(scope="module")
def some(everybody: Path) -> Path:
    text = everybody.read_text().replace("cutoffs = [10]", f"cutoffs = [10]\nusers_at_most = {MOST}")
    path = everybody.with_name("some.toml")
    path.write_text(text)
    return path


def recbench(*arguments: object) -> None:
    subprocess.run([sys.executable, "-m", "recbench", *map(str, arguments)], check=True, capture_output=True)


def run(protocol: Path, output: Path) -> None:
    recbench("run", "-p", protocol, "-a", "popularity", "--output", output)


def only_record(output: Path) -> tuple[Any, Any]:
    (path,) = Store(output).paths()
    record = load(path)
    return record, read_lists(path, record)[0]


def test_the_drawn_are_as_many_as_asked_for_and_go_by_the_fingerprint() -> None:
    drawn = drawn_users(1000, 100, "a" * 64)
    assert len(drawn) == len(np.unique(drawn)) == 100
    assert drawn.tolist() == sorted(drawn.tolist())
    assert drawn.tolist() == drawn_users(1000, 100, "a" * 64).tolist()
    assert drawn.tolist() != drawn_users(1000, 100, "b" * 64).tolist()


@pytest.mark.parametrize("most", [None, 7, 8])
def test_nobody_is_drawn_where_all_are_asked_for(most: int | None) -> None:
    assert drawn_users(7, most, "a" * 64).tolist() == list(range(7))


def test_a_protocol_without_it_keeps_its_fingerprint_and_its_trials(everybody: Path, some: Path) -> None:
    whole, part = (load_protocol(path, {}) for path in (everybody, some))
    assert "users_at_most" not in whole.deciding()["evaluation"]
    assert part.deciding()["evaluation"]["users_at_most"] == MOST
    assert part.fingerprint != whole.fingerprint
    assert "users_at_most" not in ranked_how(whole)


def test_lists_of_some_do_not_answer_for_everybody(everybody: Path) -> None:
    whole: Protocol = load_protocol(everybody, {})
    part = replace(whole, evaluation=replace(whole.evaluation, users_at_most=MOST))
    for made_for in (whole, part):
        for asked in (whole, part):
            assert is_ranked_like(ranked_how(made_for), asked) == (made_for is asked)


def test_the_drawn_get_the_lists_that_they_get_among_everybody_and_the_rest_get_none(
    everybody: Path, some: Path, tmp_path: Path
) -> None:
    run(everybody, tmp_path / "whole")
    run(some, tmp_path / "part")
    whole, lists = only_record(tmp_path / "whole")
    part, few = only_record(tmp_path / "part")
    drawn = drawn_users(USERS, MOST, part.split["fingerprint"])
    others = np.setdiff1d(np.arange(USERS), drawn)
    assert (few[drawn] == lists[drawn]).all()
    assert (few[others] == -1).all()
    assert whole.counts["users_evaluated"] == USERS
    assert part.counts["users_evaluated"] == MOST
    assert part.counts["users_left_out"] == part.counts["users_without_list"] == 0


def test_the_board_says_so(some: Path, tmp_path: Path) -> None:
    run(some, tmp_path)
    (board,) = tmp_path.glob("generated-*.md")
    assert f"{MOST} users at most, drawn by the split's fingerprint" in board.read_text()
    recbench("render", tmp_path, "--check")

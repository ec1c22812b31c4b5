"""Trials side by side: never more than cores and memory allow, the longest first, and the same bytes as one by one."""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_run import json_lines, recbench

from recbench.records import Costs, Record, Store, load, read_lists
from recbench.scheduling import Ask, Need, Schedule, choose, cores, slots

LIMIT_MB = 4000.0


@dataclass
class Simulation:
    """What a schedule does with trials that take what they take, on a clock that only goes when they end."""

    truth: Mapping[str, Need]
    memory_mb: float
    now: float = 0.0
    lacked_memory: bool = False
    order: list[int] = field(default_factory=list)
    at_once: dict[int, int] = field(default_factory=dict)
    most_mb: dict[int, float] = field(default_factory=dict)

    def run(self, schedule: Schedule) -> Simulation:
        running: list[tuple[float, int, Ask]] = []
        while True:
            while (ask := schedule.start(self.memory_mb - self._used(running))) is not None:
                self.order.append(ask.place)
                heapq.heappush(running, (self.now + self.truth[ask.label].seconds, ask.place, ask))
                self.most_mb[len(running)] = max(self.most_mb.get(len(running), 0), self._used(running))
            if not running:
                self.lacked_memory = schedule.lacks_memory
                return self
            self.now, _, ask = heapq.heappop(running)
            need = self.truth[ask.label]
            self.at_once[ask.place] = schedule.at_once(ask)
            schedule.end(ask, Costs(peak_memory_mb=need.memory_mb, wall_seconds=need.seconds))

    def _used(self, running: Sequence[tuple[float, int, Ask]]) -> float:
        return sum(self.truth[ask.label].memory_mb for *_, ask in running)


def asks(labels: Sequence[str], *, split: str = "a") -> list[Ask]:
    return [Ask(place=place, label=label, split=split) for place, label in enumerate(labels)]


def simulate(
    wanted: Sequence[Ask],
    truth: Mapping[str, Need],
    *,
    slots: int = 2,
    known: Mapping[str, Need] | None = None,
    memory_mb: float = 16_000.0,
) -> Simulation:
    known = truth if known is None else known
    schedule = Schedule(wanted, slots=slots, known=known, limit_mb=LIMIT_MB, memory_mb=memory_mb)
    return Simulation(truth=truth, memory_mb=memory_mb).run(schedule)


def test_no_more_trials_run_at_once_than_have_cores_of_their_own() -> None:
    assert slots(8, threads=1, cores=4) == 4
    assert slots(8, threads=2, cores=4) == 2
    assert slots(2, threads=1, cores=4) == 2
    assert slots(4, threads=8, cores=4) == 1  # one runs in any case


def test_the_longest_runs_first_so_that_the_last_does_not_run_alone() -> None:
    truth = {
        label: Need(memory_mb=10, seconds=seconds) for label, seconds in zip("abcde", [1, 1, 1, 1, 4], strict=True)
    }
    done = simulate(asks("abcde"), truth)
    assert done.order == [4, 0, 1, 2, 3]
    assert done.now == 4  # in the order of the plan it would be 6


def test_what_nobody_has_measured_comes_before_what_is_known_to_be_short() -> None:
    truth = {"known": Need(memory_mb=10, seconds=5), "new": Need(memory_mb=10, seconds=9)}
    assert simulate(asks(["known", "new"]), truth, known={"known": truth["known"]}, slots=2).order == [1, 0]


def test_one_at_a_time_keeps_the_order_of_the_plan() -> None:
    truth = {"short": Need(memory_mb=10, seconds=1), "long": Need(memory_mb=10, seconds=9)}
    done = simulate(asks(["short", "long", "short"]), truth, slots=1)
    assert done.order == [0, 1, 2]
    assert set(done.at_once.values()) == {1}


def test_splits_come_one_after_the_other() -> None:
    truth = {"short": Need(memory_mb=10, seconds=1), "long": Need(memory_mb=10, seconds=9)}
    wanted = [
        Ask(place=n, label=label, split=split) for n, (label, split) in enumerate([("short", "a"), ("long", "b")])
    ]
    assert simulate(wanted, truth).order == [0, 1]


def test_a_trial_waits_until_there_is_memory_for_it() -> None:
    truth = {"big": Need(memory_mb=900, seconds=3), "small": Need(memory_mb=50, seconds=1)}
    done = simulate(asks(["big", "big", "small"]), truth, memory_mb=1000)
    assert done.order == [0, 2, 1]  # the small one fits beside the first
    assert done.now == 6
    assert done.most_mb[2] <= 1000


def test_what_is_not_known_is_taken_to_need_all_it_may() -> None:
    truth = {label: Need(memory_mb=10, seconds=1) for label in "ab"}
    alone = simulate(asks("ab"), truth, known={}, memory_mb=1.5 * LIMIT_MB)
    assert alone.now == 2
    assert alone.lacked_memory
    assert set(alone.at_once.values()) == {1}
    enough = simulate(asks("ab"), truth, known={}, memory_mb=2 * LIMIT_MB)
    assert (enough.now, enough.lacked_memory) == (1, False)


def test_what_one_seed_took_is_what_the_next_will_take() -> None:
    truth = {"a": Need(memory_mb=10, seconds=1)}
    done = simulate(asks("aaa"), truth, known={}, memory_mb=1.5 * LIMIT_MB)
    assert done.now == 2  # the first alone, the other two side by side


def test_something_runs_even_where_nothing_fits() -> None:
    truth = {"huge": Need(memory_mb=9_000, seconds=1)}
    done = simulate(asks(["huge", "huge"]), truth, memory_mb=100)
    assert done.order == [0, 1]
    assert set(done.at_once.values()) == {1}


def test_memory_that_others_use_at_this_moment_is_not_there() -> None:
    needs = {"a": Need(memory_mb=100, seconds=1)}
    first, second = asks("aa")
    assert choose([second], [first], needs, free_mb=99) is None
    assert choose([second], [first], needs, free_mb=100) is second
    schedule = Schedule([first, second], slots=2, known=needs, limit_mb=LIMIT_MB, memory_mb=1000)
    assert schedule.start(1000) is first
    assert schedule.start(50) is None
    assert schedule.start(500) is second


def test_a_trial_that_ran_beside_another_says_so_and_one_that_ran_alone_does_not() -> None:
    truth = {"big": Need(memory_mb=900, seconds=3), "small": Need(memory_mb=50, seconds=1)}
    done = simulate(asks(["big", "big", "small"]), truth, memory_mb=1000)
    assert done.at_once == {0: 2, 2: 2, 1: 1}


@st.composite
def plans(draw: st.DrawFn) -> tuple[list[Ask], dict[str, Need], dict[str, Need], int]:
    truth = {label: Need(memory_mb=draw(st.integers(1, 1200)), seconds=draw(st.integers(1, 50))) for label in "abcdef"}
    wanted = [
        Ask(place=place, label=draw(st.sampled_from("abcdef")), split="xyz"[place // 6])
        for place in range(draw(st.integers(1, 18)))
    ]
    known = {label: truth[label] for label in draw(st.sets(st.sampled_from("abcdef")))}
    return wanted, truth, known, draw(st.integers(1, 4))


@given(plans())
def test_every_trial_runs_once_within_slots_and_memory(
    plan: tuple[list[Ask], dict[str, Need], dict[str, Need], int],
) -> None:
    wanted, truth, known, n_slots = plan
    done = simulate(wanted, truth, known=known, slots=n_slots, memory_mb=1000)
    assert sorted(done.order) == [ask.place for ask in wanted]
    assert max(done.most_mb) <= n_slots
    assert all(used <= 1000 for together, used in done.most_mb.items() if together > 1)


@given(st.lists(st.integers(1, 50), min_size=1, max_size=6), st.integers(1, 4))
def test_with_memory_enough_the_longest_first_ends_soon(seconds: list[int], n_slots: int) -> None:
    labels = "abcdef"[: len(seconds)]
    truth = {label: Need(memory_mb=1, seconds=each) for label, each in zip(labels, seconds, strict=True)}
    done = simulate(asks(labels), truth, slots=n_slots)
    least = max(max(seconds), sum(seconds) / n_slots)
    assert done.now <= least * (2 - 1 / n_slots)  # Graham's bound for any list


SEEDS = """
name = "seeds"
[data]
interactions = { path = "ratings.csv" }
[split]
kind = "k-fold"
folds = 2
[evaluation]
primary = "ndcg@5"
cutoffs = [5]
metrics = ["ndcg", "recall", "rmse"]
[trials]
algorithms = ["popularity", "random", "svd", "item-mean", "item-cosine"]
seeds = [0, 1]
memory_mb = 1024
"""


@pytest.fixture
def world(tmp_path: Path) -> Path:
    draw = np.random.default_rng(1)
    pairs = np.argwhere(draw.random((60, 40)) < 0.3)
    rows = (f"u{user},i{item},{draw.integers(1, 6)}" for user, item in pairs)
    (tmp_path / "ratings.csv").write_text("user,item,rating\n" + "\n".join(rows) + "\n")
    (tmp_path / "seeds.toml").write_text(SEEDS)
    return tmp_path


@pytest.mark.slow
def test_lists_and_scores_are_the_same_bytes_however_many_run_at_once(world: Path) -> None:
    found = []
    for jobs in (1, 2):
        done = recbench("run", "-p", "seeds.toml", "-j", jobs, "-o", f"out-{jobs}", "--json", cwd=world)
        assert done.returncode == 0, done.stderr
        records, _ = Store(world / f"out-{jobs}").load_all()
        arrays = {path.stem: read_lists(path, record) for path, record in _stored(world / f"out-{jobs}")}
        found.append((records, arrays))
    (ones, lists), (twos, again) = found
    assert len(ones) == len(twos) == 2 * (3 + 2 * 2)
    assert lists.keys() == again.keys()
    for one, two in zip(ones, twos, strict=True):
        assert (one.trial_id, one.scores, one.counts) == (two.trial_id, two.scores, two.counts)
    for key, (items, predictions) in lists.items():
        assert items.tobytes() == again[key][0].tobytes()
        assert (predictions is None) == (again[key][1] is None)
        if predictions is not None:
            assert predictions.tobytes() == again[key][1].tobytes()
    assert {record.provenance["jobs"] for record in ones} == {1}
    if cores() > 1:
        assert max(record.provenance["jobs"] for record in twos) == 2


def _stored(output: Path) -> list[tuple[Path, Record]]:
    return [(path, load(path)) for path in Store(output).paths()]


def test_more_jobs_than_cores_are_cut_and_said_once_and_what_ran_alone_is_not_marked(world: Path) -> None:
    threads = cores()  # each trial takes them all
    (world / "seeds.toml").write_text(SEEDS.replace("seeds = [0, 1]", f"seeds = [0, 1]\nthreads = {threads}"))
    done = recbench("run", "-p", "seeds.toml", "-a", "popularity", "-j", 7, "--json", cwd=world)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("-j 7 is cut to 1: each trial has") == 1
    assert [line["status"] for line in json_lines(done)] == ["ok", "ok"]
    (record, _) = Store(world / "recbench-out").load_all()[0]
    assert record.provenance["jobs"] == 1
    assert "side by side" not in (world / "recbench-out" / "seeds.md").read_text()


def test_a_run_whose_trials_wait_for_memory_says_so_once_and_marks_none(world: Path) -> None:
    if cores() == 1:
        pytest.skip("needs two cores")
    (world / "seeds.toml").write_text(SEEDS.replace("memory_mb = 1024", "memory_mb = 100_000_000"))
    done = recbench("run", "-p", "seeds.toml", "-a", "popularity", "-a", "random", "-j", 2, "--json", cwd=world)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("Trials wait for memory: each may take 100,000,000 MB") == 1
    together = {record.label: record.provenance["jobs"] for record in Store(world / "recbench-out").load_all()[0]}
    assert together["popularity"] == 1

"""Q-learning: the update, the worlds it solves, and what it recommends."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from recbench_baselines.popularity import Popularity
from recbench_qlearning.environment import Environment, environment_of
from recbench_qlearning.learning import Schedule, learn, update
from recbench_qlearning.memory import ReplayMemory, Transitions
from recbench_qlearning.policy import QLearning
from recbench_qlearning.states import States
from recbench_qlearning.steps import steps_of
from worlds import checkerboard, fitted, from_pairs, hit_share, noise_world, scores_of, sequence_world

FIGURE = re.compile(r"[-+]?\d+\.\d{6}(?!\d)")


def quick(**parameters: Any) -> QLearning:
    return QLearning(**{"n_clusters": 5, "rounds": 500, "visits": 512, "memory": 10_000, **parameters})


def transitions(*rows: tuple[int, int, float, int]) -> Transitions:
    state, action, reward, following = (np.array(column) for column in zip(*rows, strict=True))
    return Transitions(state=state, action=action, reward=reward.astype(float), following=following)


def best_values(environment: Environment, discount: float) -> NDArray[np.float64]:
    """The optimal Q, by going through the formula until nothing changes."""
    q = np.zeros(environment.accepted.shape)
    for _ in range(500):
        q = environment.accepted * (environment.reward + discount * q.max(axis=1)[environment.following])
    return q


def test_one_transition_moves_q_by_the_rule() -> None:
    q = np.array([[0.5, 0.0], [0.25, 1.0]])
    samples = np.array([15, 0, 0, 0])
    update(q, samples, transitions((0, 0, 0.75, 1)), Schedule(discount=0.5, power=0.5))
    # The pair's 16th sample has the step 16 ** -.5 = .25; the target is .75 + .5 * 1.
    assert q.tolist() == [[0.5 + 0.25 * (1.25 - 0.5), 0.0], [0.25, 1.0]]
    assert samples.tolist() == [16, 0, 0, 0]


def test_the_end_of_a_visit_is_worth_its_reward_alone() -> None:
    q = np.array([[0.0, 9.0]])
    update(q, np.zeros(2, dtype=np.int64), transitions((0, 0, 0.5, -1)), Schedule(discount=0.9))
    assert q.tolist() == [[0.5, 9.0]]


def test_the_transitions_of_a_pair_count_by_their_mean() -> None:
    q = np.zeros((1, 2))
    samples = np.array([14, 0])
    update(q, samples, transitions((0, 0, 1.0, -1), (0, 0, 0.0, -1)), Schedule(power=0.5))
    assert q[0, 0] == pytest.approx(2 * 0.25 * 0.5)


def test_q_of_a_world_without_chance_is_the_one_found_by_hand() -> None:
    # Action 0 stays and pays .1; action 1 goes to the other state and pays 0 from state 0, 1 from state 1.
    environment = Environment(
        accepted=np.ones((2, 2)),
        reward=np.array([[0.1, 0.0], [0.1, 1.0]]),
        following=np.array([[0, 1], [1, 0]]),
        start=np.array([1.0, 0.0]),
    )
    # v1 = 1 + v0 / 2 and v0 = v1 / 2: v1 = 4/3, v0 = 2/3.
    by_hand = np.array([[0.1 + 1 / 3, 2 / 3], [0.1 + 2 / 3, 4 / 3]])
    assert np.allclose(best_values(environment, 0.5), by_hand)
    found = learn(environment, Schedule(rounds=1000, visits=64, discount=0.5), seed=0)
    assert np.abs(found - by_hand).max() < 1e-2


@pytest.mark.parametrize("seed", range(3))
def test_q_of_a_world_with_chance_is_the_optimal_one(seed: int) -> None:
    rng = np.random.default_rng(seed)
    environment = Environment(
        accepted=rng.uniform(0.1, 0.9, (4, 3)),
        reward=rng.random((4, 3)),
        following=rng.integers(0, 4, (4, 3)),
        start=np.ones(4),
    )
    found = learn(environment, Schedule(rounds=3000, visits=2048, discount=0.6), seed=seed)
    assert np.abs(found - best_values(environment, 0.6)).max() < 1e-2


def test_the_memory_forgets_the_oldest() -> None:
    memory = ReplayMemory(3)
    memory.add(transitions((0, 0, 0.0, 0), (1, 0, 0.0, 0)))
    memory.add(transitions((2, 0, 0.0, 0), (3, 0, 0.0, 0)))
    assert len(memory) == 3
    drawn = memory.sample(np.random.default_rng(0), 100)
    assert set(drawn.state.tolist()) == {1, 2, 3}


def test_epsilon_falls_from_1_to_its_end_at_half_time() -> None:
    schedule = Schedule(rounds=100, epsilon=0.2)
    assert [schedule.epsilon_at(turn) for turn in (0, 25, 50, 99)] == pytest.approx([1.0, 0.6, 0.2, 0.2])


@settings(deadline=None)
@given(st.integers(1, 3), st.integers(0, 2**32 - 1))
def test_states_agree_with_a_plain_loop(recent: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    pairs = np.unravel_index(rng.choice(24, 15, replace=False), (4, 6))
    steps = steps_of(from_pairs(*pairs, time=rng.integers(0, 9, 15), n_users=5, n_items=6))
    states = States(n_clusters=6, recent=recent)
    last: dict[int, int] = {}
    for place, state in enumerate(states.before_steps(steps, steps.item).tolist()):
        own = steps.item[:place][steps.user[:place] == steps.user[place]].tolist()
        digits = (own[::-1] + [6] * recent)[:recent]
        assert state == sum(digit * 7 ** (recent - 1 - index) for index, digit in enumerate(digits))
        last[int(steps.user[place])] = int(states.after(np.array([state]), steps.item[[place]])[0])
    found = states.after_last(steps, steps.item, 5)
    assert found.tolist() == [last.get(user, states.nothing) for user in range(5)]


def test_steps_are_in_the_order_of_time_with_rewards_from_0_to_1() -> None:
    data = from_pairs([1, 0, 0], [0, 1, 2], [1, 5, 3], time=np.array([5, 9, 2]))
    steps = steps_of(data)
    assert steps.user.tolist() == [0, 0, 1]
    assert steps.item.tolist() == [2, 1, 0]
    assert steps.reward.tolist() == [0.5, 1.0, 0.0]


def test_habits_are_shrunken_counts_of_the_log() -> None:
    steps = steps_of(from_pairs([0, 0, 1, 1], [0, 1, 0, 1], [5, 3, 5, 1], time=np.array([0, 1, 0, 1])))
    habits = environment_of(steps, steps.item, States(n_clusters=2, recent=1), shrink=2.0)
    # In all, both were taken twice; after item 0, item 1 twice; by somebody new, item 0 twice.
    assert habits.accepted == pytest.approx(np.array([[1 / 4, 3 / 4], [1 / 2, 1 / 2], [3 / 4, 1 / 4]]))
    assert habits.reward[0, 1] == pytest.approx((0.5 + 0.0 + 10 * 0.25) / 12)
    assert habits.following.tolist() == [[0, 1]] * 3
    assert habits.start.tolist() == [2, 0, 2]


def test_longer_states_are_pulled_towards_shorter_ones() -> None:
    steps = steps_of(from_pairs([0, 0, 0], [0, 1, 2], time=np.array([0, 1, 2])))
    one = environment_of(steps, steps.item, States(n_clusters=3, recent=1), shrink=4.0).accepted
    two = environment_of(steps, steps.item, States(n_clusters=3, recent=2), shrink=4.0).accepted
    unseen = 1 * 4 + 2
    assert two[unseen] == pytest.approx(one[1])
    assert two.sum(axis=1) == pytest.approx(np.ones(16))


@pytest.mark.parametrize("seed", range(2))
def test_what_comes_next_is_found_where_only_order_carries_signal(seed: int) -> None:
    world = sequence_world(seed=seed)
    assert hit_share(QLearning(rounds=1000), world, seed=seed) > 0.95
    assert hit_share(quick(), world, seed=seed) > 0.95
    assert hit_share(Popularity(), world) < 0.4


def test_liked_clusters_are_found_without_times() -> None:
    world = checkerboard(implicit=True)
    assert hit_share(quick(n_clusters=2), world) > 0.95


def test_nobody_does_better_than_chance_on_noise() -> None:
    world = noise_world()
    assert abs(hit_share(quick(), world) - world.chance) < 0.12


def test_scores_are_values_times_shares_of_rewards() -> None:
    world = sequence_world()
    algorithm = fitted(quick(), world)
    counts = np.bincount(world.train.interactions.item, minlength=60)
    cluster = algorithm._clusters
    for item in range(60):
        share = counts[item] / counts[cluster == cluster[item]].sum()
        expected = algorithm._q[algorithm._user_states[3], cluster[item]] * share
        assert algorithm.score(np.array([3]))[0, item] == pytest.approx(expected)


def test_users_and_items_without_interactions_get_finite_values() -> None:
    data = from_pairs([0, 0, 1], [0, 1, 0], [5, 3, 4], n_users=3, n_items=4)
    algorithm = quick(recent=2)
    algorithm.fit(data, seed=0)
    scores = algorithm.score(np.array([2, 0]))
    assert np.isfinite(scores).all()
    assert (scores[:, 2:] == 0).all()
    assert (scores[:, :2] > 0).all()


@pytest.mark.parametrize("rated", [False, True])
def test_empty_data_is_served(rated: bool) -> None:
    algorithm = quick()
    algorithm.fit(from_pairs([], [], [] if rated else None, n_users=2, n_items=3), seed=0)
    assert algorithm.score(np.array([0, 1])).tolist() == [[0.0] * 3] * 2


def test_somebody_new_is_served_like_their_twin() -> None:
    world = sequence_world()
    algorithm = fitted(quick(recent=2), world)
    assert (algorithm.score_new(world.train) == scores_of(algorithm, world)).all()


def test_scores_do_not_depend_on_the_block() -> None:
    world = sequence_world()
    algorithm = fitted(quick(), world)
    users = np.array([7, 3, 7, 0])
    assert (algorithm.score(users) == scores_of(algorithm, world)[users]).all()


def test_the_same_seed_gives_the_same_scores() -> None:
    world = sequence_world()
    first, again, other = (scores_of(fitted(quick(), world, seed=seed), world) for seed in (1, 1, 2))
    assert (first == again).all()
    assert (first != other).any()


def test_the_figures_of_an_explanation_add_up() -> None:
    world = sequence_world()
    algorithm = fitted(quick(), world)
    for item, sentence in enumerate(algorithm.explain(2, np.arange(60))):
        total, anybody, more = (float(figure) for figure in FIGURE.findall(sentence))
        assert total == pytest.approx(algorithm.score(np.array([2]))[0, item], abs=1e-6)
        assert anybody + more == pytest.approx(total, abs=1e-9)


def test_an_explanation_names_what_the_user_took_last() -> None:
    data = from_pairs([0, 0, 1], [0, 1, 0], time=np.array([0, 1, 0]), n_users=3)
    algorithm = quick()
    algorithm.fit(data, seed=0)
    assert "after item i1" in algorithm.explain(0, np.array([0]))[0]
    assert "for somebody new" in algorithm.explain(2, np.array([0]))[0]


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_clusters": 0}, "n_clusters must be at least 1, not 0"),
        ({"recent": 0}, "recent must be at least 1, not 0"),
        ({"rounds": 0}, "rounds must be at least 1, not 0"),
        ({"shrink": 0.0}, "shrink must be above 0, not 0.0"),
        ({"discount": 1.0}, "discount must be at least 0 and below 1, not 1.0"),
        ({"epsilon": 1.5}, "epsilon must be at least 0 and at most 1, not 1.5"),
        ({"n_clusters": 50, "recent": 4}, "n_clusters 50 and recent 4 make 338,260,050 pairs of state and action"),
    ],
)
def test_impossible_parameters_are_refused(parameters: dict[str, Any], message: str) -> None:
    make: Callable[..., Any] = QLearning
    with pytest.raises(ValueError, match=re.escape(message)):
        make(**parameters)

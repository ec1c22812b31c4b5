"""Q-learning from simulated visits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recbench_qlearning.environment import Environment
from recbench_qlearning.memory import ReplayMemory, Transitions


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """How to learn.

    Attributes:
        rounds: times that all visits go one step on, and Q is updated.
        visits: simulated visits side by side; also how many transitions each update draws from the memory.
        memory: transitions kept for replay, at least `visits`.
        discount: g, what the next reward is worth now.
        epsilon: share of actions drawn by lot in the end; it starts at 1 and is reached half-way.
        power: the step for the n-th sample of a pair is a = n ** -power; above .5 and at most 1 makes Q converge.
    """

    rounds: int = 3000
    visits: int = 2048
    memory: int = 100_000
    discount: float = 0.5
    epsilon: float = 0.3
    power: float = 0.85

    def epsilon_at(self, turn: int) -> float:
        """The share of actions drawn by lot in a round."""
        return max(1.0 - (1.0 - self.epsilon) * 2.0 * turn / self.rounds, self.epsilon)


def learn(environment: Environment, schedule: Schedule, *, seed: int) -> NDArray[np.float64]:
    """Find what each action is worth in each state, by trying: (n_states, n_actions) float64.

    Many visits go on side by side. Each round every visit takes one epsilon-greedy action, what came of it goes into
    the replay memory, and Q is updated from as many transitions drawn from there.
    """
    rng = np.random.default_rng(seed)
    q = np.zeros(environment.accepted.shape)
    samples = np.zeros(q.size, dtype=np.int64)
    memory = ReplayMemory(max(schedule.memory, schedule.visits))
    states = environment.begin(rng, schedule.visits)
    for turn in range(schedule.rounds):
        actions = _epsilon_greedy(rng, q, states, schedule.epsilon_at(turn))
        reward, following = environment.step(rng, states, actions)
        memory.add(Transitions(state=states, action=actions, reward=reward, following=following))
        update(q, samples, memory.sample(rng, schedule.visits), schedule)
        states = np.where(following >= 0, following, environment.begin(rng, schedule.visits))
    return q


def update(q: NDArray[np.float64], samples: NDArray[np.int64], batch: Transitions, schedule: Schedule) -> None:
    """Update Q in place by a batch of transitions.

    Q(s, a) <- Q(s, a) + step * mean over the transitions of the pair of [r + discount * max Q(s', .) - Q(s, a)].
    All targets are computed with Q as it was before. `step` is the sum of the steps of the pair's samples, at most 1.

    Args:
        q: (n_states, n_actions) float64.
        samples: (n_states * n_actions,) int64, how many transitions of each pair were learned from; counted up.
        batch: transitions, of any pairs.
        schedule: discount and power.
    """
    ends = batch.following < 0
    ahead = np.where(ends, 0.0, q[batch.following].max(axis=1))
    cells, place, counts = np.unique(batch.state * q.shape[1] + batch.action, return_inverse=True, return_counts=True)
    errors = batch.reward + schedule.discount * ahead - q.ravel()[cells[place]]
    samples[cells] += counts
    step = np.minimum(counts * samples[cells] ** -schedule.power, 1.0)
    q.reshape(-1)[cells] += step * np.bincount(place, weights=errors) / counts


def _epsilon_greedy(
    rng: np.random.Generator, q: NDArray[np.float64], states: NDArray[np.int64], epsilon: float
) -> NDArray[np.int64]:
    by_lot = rng.integers(q.shape[1], size=len(states))
    return np.where(rng.random(len(states)) < epsilon, by_lot, q[states].argmax(axis=1))

"""A simulated user, with habits counted in the log."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recbench_qlearning.states import States
from recbench_qlearning.steps import Steps

REWARDS_AT_THE_MEAN = 10.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Environment:
    """Visits: in state s the action a is accepted with a chance, pays, and leads on; else the visit is over.

    The best values are Q(s, a) = accepted[s, a] * (reward[s, a] + discount * max over b of Q(following[s, a], b)).

    Attributes:
        accepted: (n_states, n_actions) float64, chances.
        reward: (n_states, n_actions) float64, what an accepted action pays.
        following: (n_states, n_actions) int64, the state it leads to.
        start: (n_states,) float64, chances that a visit begins in each state.
    """

    accepted: NDArray[np.float64]
    reward: NDArray[np.float64]
    following: NDArray[np.int64]
    start: NDArray[np.float64]

    def begin(self, rng: np.random.Generator, n: int) -> NDArray[np.int64]:
        """Draw the states in which `n` visits begin."""
        chances = np.cumsum(self.start)
        drawn = np.searchsorted(chances, rng.random(n) * chances[-1], side="right")
        return np.asarray(np.minimum(drawn, len(chances) - 1), dtype=np.int64)

    def step(
        self, rng: np.random.Generator, states: NDArray[np.int64], actions: NDArray[np.int64]
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Recommend in many visits at once: rewards, and following states, -1 where the visit is over."""
        accepted = rng.random(len(states)) < self.accepted[states, actions]
        rewards = np.where(accepted, self.reward[states, actions], 0.0)
        return rewards, np.where(accepted, self.following[states, actions], -1)


def environment_of(steps: Steps, clusters: NDArray[np.int64], states: States, shrink: float) -> Environment:
    """Count habits: an action is a cluster, accepted as often as users took an item of it in that state.

    The share of a cluster in a state is pulled by `shrink` steps towards its share in the state that remembers one
    item less, and so on to its share in all steps. Rewards are means, pulled towards the mean of the cluster.

    Args:
        steps: what users did.
        clusters: (n,) of the items of the steps.
        states: how states are numbered.
        shrink: above 0.
    """
    before = states.before_steps(steps, clusters)
    n_actions = states.n_clusters
    sums = np.bincount(clusters, weights=steps.reward, minlength=n_actions)
    means = sums / np.maximum(np.bincount(clusters, minlength=n_actions), 1)
    counts = _counts(before, clusters, states)
    paid = _counts(before, clusters, states, steps.reward)
    numbers = np.arange(states.count)
    return Environment(
        accepted=_shares(before, clusters, states, shrink),
        reward=(paid + REWARDS_AT_THE_MEAN * means) / (counts + REWARDS_AT_THE_MEAN),
        following=states.after(numbers[:, None], np.arange(n_actions)[None, :]),
        start=counts.sum(axis=1) if len(steps) else np.ones(states.count),
    )


def _shares(
    before: NDArray[np.int64], clusters: NDArray[np.int64], states: States, shrink: float
) -> NDArray[np.float64]:
    """(n_states, n_clusters) shrunken shares; rows add up to 1, unless nobody ever did anything."""
    counts = _counts(before, clusters, states)
    if not states.recent:
        return np.asarray(counts / max(float(counts.sum()), 1.0))
    base = states.n_clusters + 1
    general = np.repeat(_shares(before // base, clusters, states.shorter(), shrink), base, axis=0)
    shares: NDArray[np.float64] = (counts + shrink * general) / (counts.sum(axis=1, keepdims=True) + shrink)
    return shares


def _counts(
    before: NDArray[np.int64],
    clusters: NDArray[np.int64],
    states: States,
    weights: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """(n_states, n_clusters) how often each cluster was taken in each state, or the sums of `weights`."""
    shape = states.count, states.n_clusters
    cells = np.bincount(before * states.n_clusters + clusters, weights=weights, minlength=shape[0] * shape[1])
    return cells.reshape(shape).astype(np.float64)

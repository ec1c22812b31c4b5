"""A recommendation policy: what to recommend after what the user took last."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from recbench.api import Dataset, item_names
from recbench_qlearning.actions import clusters_of_items
from recbench_qlearning.environment import environment_of
from recbench_qlearning.learning import Schedule, learn
from recbench_qlearning.states import States
from recbench_qlearning.steps import Steps, steps_of

CELLS = 2_000_000
"""Entries of Q at most: a bigger one would see too few visits to learn from."""


class QLearning:
    """Learns by Q-learning which cluster of items to recommend, and recommends its popular items.

    - A state is the clusters of the user's last items, in the order of time; an action is a cluster.
    - The log tells a simulated user's habits: the chance to accept a cluster in a state is how often users took one
      of its items next (shrunken), the reward is the mean rating, from 0 to 1, the next state follows. Who declines
      ends the visit, for a reward of 0.
    - Q learns from simulated visits with epsilon-greedy actions and a replay memory:
      Q(s, a) <- Q(s, a) + step * [r + discount * max Q(s', .) - Q(s, a)].
    - score(u, i) = Q(state of u, cluster of i) * (sum of the rewards of i / sum of the rewards of its cluster)

    Clusters come from K-means over vectors of who takes an item, what precedes it and what follows it. Items without
    an interaction score 0. Users without one are in the state of somebody who took nothing yet. Without times,
    the order is that of the file.

    Args:
        n_clusters: clusters of items.
        recent: items that a state remembers.
        factors: dimensions of each of the three parts of the items' vectors.
        shrink: steps with the habits of shorter states that are added to each state.
        discount: what the next reward is worth now.
        epsilon: share of actions drawn by lot in the end.
        rounds: rounds of simulation.
        visits: simulated visits in each round.
        memory: transitions kept for replay.

    Source: Watkins and Dayan, Q-learning, 1992; Lin, Self-Improving Reactive Agents, 1992 (replay); Shani, Heckerman
        and Brafman, An MDP-Based Recommender System, JMLR 2005 (habits counted in the log).
    """

    def __init__(
        self,
        *,
        n_clusters: int = 20,
        recent: int = 1,
        factors: int = 10,
        shrink: float = 50.0,
        discount: float = 0.5,
        epsilon: float = 0.3,
        rounds: int = 3000,
        visits: int = 2048,
        memory: int = 100_000,
    ) -> None:
        for name, count in (
            ("n_clusters", n_clusters),
            ("recent", recent),
            ("factors", factors),
            ("rounds", rounds),
            ("visits", visits),
            ("memory", memory),
        ):
            if count < 1:
                raise ValueError(f"{name} must be at least 1, not {count!r}")
        if not shrink > 0:
            raise ValueError(f"shrink must be above 0, not {shrink!r}")
        for name, share, above in (("discount", discount, 1.0), ("epsilon", epsilon, 1.0 + 1e-12)):
            if not 0 <= share < above:
                raise ValueError(
                    f"{name} must be at least 0 and {'below' if above == 1 else 'at most'} 1, not {share!r}"
                )
        self._states = States(n_clusters=n_clusters, recent=recent)
        if self._states.count * n_clusters > CELLS:
            raise ValueError(
                f"n_clusters {n_clusters} and recent {recent} make {self._states.count * n_clusters:,} pairs of state "
                f"and action, over {CELLS:,}"
            )
        self._factors = factors
        self._shrink = shrink
        self._schedule = Schedule(rounds=rounds, visits=visits, memory=memory, discount=discount, epsilon=epsilon)

    def fit(self, train: Dataset, *, seed: int) -> None:
        """Cluster the items, count habits, and learn from visits that have them."""
        steps = steps_of(train)
        shape = train.n_users, train.n_items
        self._clusters = clusters_of_items(
            steps, shape, n_clusters=self._states.n_clusters, factors=self._factors, seed=seed
        )
        environment = environment_of(steps, self._clusters[steps.item], self._states, self._shrink)
        self._q = learn(environment, self._schedule, seed=seed)
        self._average = environment.start @ self._q / environment.start.sum()
        self._shares = self._shares_of_reward(steps, train.n_items)
        self._user_states = self._states.after_last(steps, self._clusters[steps.item], train.n_users)
        self._last = _last_items(steps, train.n_users)
        self._names = item_names(train)

    def score(self, users: NDArray[np.int64]) -> NDArray[np.float64]:
        """Score the catalogue: (m,) -> (m, n_items), 0 or more."""
        return self._scored(self._user_states[users])

    def score_new(self, histories: Dataset) -> NDArray[np.float64]:
        """Score for users who were not there in `fit`, by what they took last: -> (n_users, n_items)."""
        steps = steps_of(histories)
        return self._scored(self._states.after_last(steps, self._clusters[steps.item], histories.n_users))

    def explain(self, user: int, items: NDArray[np.int64]) -> Sequence[str]:
        """Write the score as what the item is worth to anybody and what the user's state adds to that."""
        last = int(self._last[user])
        after = f"after {self._names[last]}" if last >= 0 else "for somebody new"
        return [self._reason(int(self._user_states[user]), item, after) for item in items.tolist()]

    def _scored(self, states: NDArray[np.int64]) -> NDArray[np.float64]:
        scores: NDArray[np.float64] = self._q[states][:, self._clusters] * self._shares
        return scores

    def _shares_of_reward(self, steps: Steps, n_items: int) -> NDArray[np.float64]:
        """(n_items,) the share of each item in the rewards of its cluster."""
        sums = np.bincount(steps.item, weights=steps.reward, minlength=n_items)
        of_cluster = np.bincount(self._clusters, weights=sums, minlength=self._states.n_clusters)[self._clusters]
        return np.divide(sums, of_cluster, out=np.zeros(n_items), where=of_cluster > 0)

    def _reason(self, state: int, item: int, after: str) -> str:
        cluster, share = self._clusters[item], self._shares[item]
        score = round(float(self._q[state, cluster] * share), 6)
        anybody = round(float(self._average[cluster] * share), 6)
        return (
            f"{score:.6f} = {anybody:.6f} ({self._names[item]} to anybody: {share:.2%} of the rewards of cluster "
            f"{cluster}) {score - anybody:+.6f} (what cluster {cluster} is worth {after})"
        )


def _last_items(steps: Steps, n_users: int) -> NDArray[np.int64]:
    """(n_users,) what each user took last, -1 for nothing."""
    last = np.full(n_users, -1, dtype=np.int64)
    last[steps.user] = steps.item
    return last

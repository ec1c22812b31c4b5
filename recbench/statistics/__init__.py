"""How sure a figure is, and which differences a paired test can tell from chance. Pure: arrays in, values out.

Rows are algorithms, columns are users. The user is what is drawn at random: seeds and folds of one user are averaged
first (`by_user`), so that the spread over users and the spread over seeds are never mixed.
"""

from recbench.statistics.intervals import Bootstrap, Interval, by_user, error_interval, gap_intervals, mean_interval
from recbench.statistics.letters import letters, rank_ranges
from recbench.statistics.paired import (
    Effects,
    Pairwise,
    Test,
    effects,
    holm,
    paired,
    sign_flip,
    symmetric,
    t_test,
    wilcoxon,
)
from recbench.statistics.ranks import average_ranks, critical_difference

__all__ = [
    "Bootstrap",
    "Effects",
    "Interval",
    "Pairwise",
    "Test",
    "average_ranks",
    "by_user",
    "critical_difference",
    "effects",
    "error_interval",
    "gap_intervals",
    "holm",
    "letters",
    "mean_interval",
    "paired",
    "rank_ranges",
    "sign_flip",
    "symmetric",
    "t_test",
    "wilcoxon",
]

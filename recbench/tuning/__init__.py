"""Tune algorithms: random search, the same number of trials for each, scored on the validation part alone."""

from recbench.tuning.inner import inner_split, on_validation
from recbench.tuning.points import changes, points
from recbench.tuning.search import Listener, Options, Tried, Tuned, tune

__all__ = ["Listener", "Options", "Tried", "Tuned", "changes", "inner_split", "on_validation", "points", "tune"]

"""The straight line: load, split, plan, run each trial in isolation, score, record."""

from recbench.benchmark.agenda import Agenda, Entry, Options, Unavailable, arrange
from recbench.benchmark.carrying_out import Listener, Report, run, slots_of
from recbench.benchmark.rescoring import rescore

__all__ = ["Agenda", "Entry", "Listener", "Options", "Report", "Unavailable", "arrange", "rescore", "run", "slots_of"]

"""The parent's side of a trial: start it in isolation, watch it, and make an outcome of how it ended."""

from recbench.execution.job import Component, Job, Outcome, Serve, Served
from recbench.execution.runner import Runner

__all__ = ["Component", "Job", "Outcome", "Runner", "Serve", "Served"]

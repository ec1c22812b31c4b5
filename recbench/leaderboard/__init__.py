"""Leaderboards: renderings of records and of nothing else. No clock, no disk, no registry."""

from recbench.leaderboard.files import INDEX, file_names, files
from recbench.leaderboard.markdown import MADE_BY, render
from recbench.leaderboard.terminal import terminal

__all__ = ["INDEX", "MADE_BY", "file_names", "files", "render", "terminal"]

"""Leaderboards: renderings of records and of nothing else. No clock, no disk, no registry."""

from recbench.leaderboard.files import board_name, files
from recbench.leaderboard.markdown import render
from recbench.leaderboard.terminal import terminal

__all__ = ["board_name", "files", "render", "terminal"]

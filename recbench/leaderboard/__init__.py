"""Leaderboards: renderings of records and of nothing else. No clock, no disk, no registry."""

from recbench.leaderboard.files import INDEX, contents, file_names, files, standings
from recbench.leaderboard.markdown import MADE_BY, render
from recbench.leaderboard.standings import Board, Figure, Standing
from recbench.leaderboard.terminal import terminal

__all__ = [
    "INDEX",
    "MADE_BY",
    "Board",
    "Figure",
    "Standing",
    "contents",
    "file_names",
    "files",
    "render",
    "standings",
    "terminal",
]

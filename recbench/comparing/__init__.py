"""Rows of leaderboards against each other: found, held to the same ground, aligned by user, and tested."""

from recbench.comparing.analysing import analyse, analyse_store
from recbench.comparing.contrasts import Compared, Comparison, Contrast, GroupContrast, RowFigure
from recbench.comparing.regressions import Change, Regressions, against
from recbench.comparing.together import Request, compare

__all__ = [
    "Change",
    "Compared",
    "Comparison",
    "Contrast",
    "GroupContrast",
    "Regressions",
    "Request",
    "RowFigure",
    "against",
    "analyse",
    "analyse_store",
    "compare",
]

"""Systems that recbench does not run: what they are given as files, and how what they made is scored."""

from recbench.outside.exporting import export
from recbench.outside.reading import FORMATS
from recbench.outside.scoring import Scored, Submission, score, stated

__all__ = ["FORMATS", "Scored", "Submission", "export", "score", "stated"]

"""Systems that recbench does not run: what they are given as files, and how what they made is scored."""

from recbench.outside.exporting import export

__all__ = ["export"]

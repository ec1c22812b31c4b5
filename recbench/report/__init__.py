"""Boards as one HTML page that needs nothing from outside. Pure: the same boards give the same bytes."""

from recbench.report.page import page

__all__ = ["page"]

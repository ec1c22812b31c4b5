"""Data sets: found by name or by path, fetched, verified, read, and checked. The only package that goes online."""

from recbench.datasets.catalogue import builtin_sources
from recbench.datasets.loading import Loaded, load, pairs
from recbench.datasets.places import folders

__all__ = ["Loaded", "builtin_sources", "folders", "load", "pairs"]

"""Trials on many machines: workers of Dask distributed run them, and the run keeps test data, scores and records."""

from recbench.cluster.address import Address
from recbench.cluster.cluster import Cluster, Settings

__all__ = ["Address", "Cluster", "Settings"]

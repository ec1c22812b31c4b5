"""Holds a folder of records against itself and against the data: finds what does not agree, whoever made it."""

from recbench.outside.placing import SUMS, checksums
from recbench.verifying.findings import Finding, Verification
from recbench.verifying.whole import Means, verify

__all__ = ["SUMS", "Finding", "Means", "Verification", "checksums", "verify"]

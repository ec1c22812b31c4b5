"""Publications of many authors put into one index: their rows side by side, checked here, and who ran what again."""

from recbench.indexing.merging import Agreement, Index, LeftOut, Row, Table, merge
from recbench.indexing.page import PAGE, render, write
from recbench.indexing.publications import Published, read

__all__ = ["PAGE", "Agreement", "Index", "LeftOut", "Published", "Row", "Table", "merge", "read", "render", "write"]

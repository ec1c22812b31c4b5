"""Boards in the forms that papers and other programs take. No disk, no clock: the same board gives the same bytes."""

from recbench.exports.bibtex import to_bibtex
from recbench.exports.latex import to_latex
from recbench.exports.tables import to_csv, to_json, to_pandas, to_parquet
from recbench.exports.tidy import Tidy, tidy

__all__ = ["Tidy", "tidy", "to_bibtex", "to_csv", "to_json", "to_latex", "to_pandas", "to_parquet"]

"""Records: what came of a trial, as plain values, and the only package that knows the files they are kept in."""

from recbench.records.analysis import N_BINS, Analysis, Grouped, Grouping, RowAnalysis, analysis_to_json, digest
from recbench.records.form import from_json, to_json
from recbench.records.record import EXTERNAL, SCHEMA, Costs, Record, Status, trial_id
from recbench.records.store import Store, load, load_analysis, read_lists, write_whole

__all__ = [
    "EXTERNAL",
    "N_BINS",
    "SCHEMA",
    "Analysis",
    "Costs",
    "Grouped",
    "Grouping",
    "Record",
    "RowAnalysis",
    "Status",
    "Store",
    "analysis_to_json",
    "digest",
    "from_json",
    "load",
    "load_analysis",
    "read_lists",
    "to_json",
    "trial_id",
    "write_whole",
]

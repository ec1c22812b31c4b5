"""Records: what came of a trial, as plain values, and the only package that knows the files they are kept in."""

from recbench.records.form import from_json, to_json
from recbench.records.record import EXTERNAL, SCHEMA, Costs, Record, Status, trial_id
from recbench.records.store import Store, load, read_lists, write_whole

__all__ = [
    "EXTERNAL",
    "SCHEMA",
    "Costs",
    "Record",
    "Status",
    "Store",
    "from_json",
    "load",
    "read_lists",
    "to_json",
    "trial_id",
    "write_whole",
]

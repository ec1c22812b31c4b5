"""Tidy tables as CSV, JSON, Parquet, and for pandas. The same table gives the same bytes."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

from recbench.distribution import install_hint
from recbench.errors import RecbenchError
from recbench.exports.tidy import Tidy

if TYPE_CHECKING:
    import pandas


def to_csv(table: Tidy) -> bytes:
    """With a header, in UTF-8; what is not known is empty. Numbers are the shortest that read back as they were."""
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(table.types), lineterminator="\n")
    writer.writeheader()
    writer.writerows(table.rows)
    return text.getvalue().encode()


def to_json(table: Tidy) -> bytes:
    """A list with an object for each row, all with the same keys; what is not known is null."""
    return (json.dumps(table.rows, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def to_parquet(table: Tidy) -> bytes:
    """Columns of strings, 64-bit integers and doubles.

    Raises:
        RecbenchError: pyarrow is not installed.
    """
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise RecbenchError(
            "Parquet needs pyarrow, which is not installed", fix=f"{install_hint('parquet')}, or take CSV"
        ) from error
    kinds = {str: pyarrow.string(), int: pyarrow.int64(), float: pyarrow.float64()}
    schema = pyarrow.schema([(name, kinds[kind]) for name, kind in table.types.items()])
    content = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(list(table.rows), schema=schema), content)
    return content.getvalue()


def to_pandas(table: Tidy) -> pandas.DataFrame:
    """Columns of str, Int64 and float64; what is not known is missing."""
    import pandas

    kinds: dict[type, Any] = {str: object, int: "Int64", float: "float64"}
    return pandas.DataFrame(
        {
            name: pandas.Series([row[name] for row in table.rows], dtype=kinds[kind])
            for name, kind in table.types.items()
        }
    )

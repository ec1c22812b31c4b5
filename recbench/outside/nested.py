"""Parquet files with a list of items in each row, as LensKit's `ItemListCollection.save_parquet` writes them."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any, BinaryIO

from recbench.errors import BadData

ITEMS = "items"


def flat(stream: BinaryIO, path: Path) -> BinaryIO:
    """The file with a row for each item where it has a list of them in each row; else as it is.

    Raises:
        BadData: it is damaged.
    """
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        return stream  # whoever reads it says so
    try:
        schema = pyarrow.parquet.read_schema(stream)
        stream.seek(0)
        if ITEMS not in schema.names or not _is_nested(schema.field(ITEMS).type, pyarrow):
            return stream
        found = _unnested(pyarrow.parquet.read_table(stream), pyarrow)
    except (pyarrow.ArrowException, OSError) as error:
        stream.close()
        raise BadData(f"{path} is no Parquet file: {str(error).partition(chr(10))[0]}", fix="get it again") from error
    stream.close()
    buffer = io.BytesIO()
    pyarrow.parquet.write_table(found, buffer)
    buffer.seek(0)
    return buffer


def _is_nested(kind: Any, pa: Any) -> bool:
    return bool((pa.types.is_list(kind) or pa.types.is_large_list(kind)) and pa.types.is_struct(kind.value_type))


def _unnested(table: Any, pa: Any) -> Any:
    from pyarrow import compute

    lists = table.column(ITEMS).combine_chunks()
    owner = compute.list_parent_indices(lists)
    keys = {name: table.column(name).combine_chunks().take(owner) for name in table.column_names if name != ITEMS}
    items = compute.list_flatten(lists)
    fields = dict(zip([field.name for field in items.type], items.flatten(), strict=True))
    return pa.table({**keys, **fields})

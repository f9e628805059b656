"""Parquet to columns of texts and back. Imported when the first such file comes: it is slow to import."""

from __future__ import annotations

import io
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.parquet as pq


def read_columns(data: bytes) -> tuple[list[str], list[list[str]]] | None:
    """Names and columns as texts; None for bytes that are no Parquet, or columns that are no plain values."""
    try:
        table = pq.read_table(io.BytesIO(data))
        return table.column_names, [_texts(column) for column in table.columns]
    except pa.ArrowException:
        return None


def write_columns(names: Sequence[str], columns: Sequence[Sequence[str]]) -> bytes:
    """Columns of texts as Parquet."""
    arrays = [pa.array(column, pa.string()) for column in columns]
    file = io.BytesIO()
    pq.write_table(pa.Table.from_arrays(arrays, names=list(names)), file)
    return file.getvalue()


def _texts(column: pa.ChunkedArray) -> list[str]:
    if pa.types.is_timestamp(column.type):
        return ["" if each is None else each.isoformat() for each in column.to_pylist()]
    return [each or "" for each in column.cast(pa.string()).to_pylist()]

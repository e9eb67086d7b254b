"""The files or frame of one table -> one relation of columns as they were read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa

from toolkit.data.files import read_csv
from toolkit.data.headers import SOURCE_FILE, SOURCE_ROW, SourceFile
from toolkit.data.typed import frame_table, parquet_mapping

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pandas as pd

    from toolkit.study import TableFile
    from toolkit.tables import Table


def raw_relation(
    connection: duckdb.DuckDBPyConnection, spec: TableFile, table: Table, source: Sequence[Path] | pd.DataFrame
) -> tuple[duckdb.DuckDBPyRelation, list[SourceFile], bool]:
    """Return the relation, what was found out about each file, and whether it should stay lazy."""
    if not isinstance(source, (list, tuple)):
        columns, found = frame_table(source, spec, table)
        columns = columns.append_column(SOURCE_FILE, pa.array([1] * columns.num_rows, pa.int32()))
        return connection.from_arrow(columns), [found], False
    if {path.suffix.lower() for path in source} == {".parquet"}:
        sources = parquet_mapping(source, spec, table)
        return _parquet_relation(connection, source, sources[0].mapping), sources, True
    parts, sources = [], []
    for number, path in enumerate(source, 1):
        columns, found = read_csv(path, spec, table)
        parts.append(columns.append_column(SOURCE_FILE, pa.array([number] * columns.num_rows, pa.int32())))
        sources.append(found)
    return connection.from_arrow(pa.concat_tables(parts, promote_options="default")), sources, False


def _parquet_relation(
    connection: duckdb.DuckDBPyConnection, paths: Sequence[Path], mapping: dict[str, tuple[str, ...]]
) -> duckdb.DuckDBPyRelation:
    """Rename columns through expressions, so that no header becomes part of a statement."""
    parts: list[duckdb.DuckDBPyRelation] = []
    for number, path in enumerate(paths, 1):
        columns = [
            duckdb.ColumnExpression(header).alias(name if len(headers) == 1 else f"{name}_{position}")
            for name, headers in mapping.items()
            for position, header in enumerate(headers, 1)
        ]
        file = connection.from_parquet(str(path), file_row_number=True)
        parts.append(
            file.select(
                *columns,
                (duckdb.ColumnExpression("file_row_number") + duckdb.ConstantExpression(1)).alias(SOURCE_ROW),
                duckdb.ConstantExpression(number).cast("INTEGER").alias(SOURCE_FILE),
            )
        )
    relation = parts[0]
    for part in parts[1:]:
        relation = relation.union(part)
    return relation

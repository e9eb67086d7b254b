"""Exports that already have types: Parquet files and pandas frames."""

from __future__ import annotations

import hashlib
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from toolkit.data.headers import SOURCE_ROW, SourceFile, map_columns
from toolkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from toolkit.study import TableFile
    from toolkit.tables import Table


def file_hash(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def parquet_mapping(paths: Sequence[Path], spec: TableFile, table: Table) -> list[SourceFile]:
    """Check Parquet files against each other and map their columns.

    Raises
    ------
    InputError
        A file is damaged or empty, files differ in the columns that are used, or a required column is missing.
    """
    schemas, sources = [], []
    for path in paths:
        if path.stat().st_size == 0:
            raise InputError("empty-file", "the file is empty (0 bytes)", where=path.name, hint="export it again")
        try:
            parquet = pq.ParquetFile(path)
        except (pa.ArrowException, OSError) as error:
            raise InputError(
                "damaged-parquet",
                f"the file cannot be read as Parquet ({type(error).__name__})",
                where=path.name,
                hint="download or export it again",
            ) from None
        if parquet.metadata.num_rows == 0:
            raise InputError("no-rows", "the file has 0 rows", where=path.name, hint="export it again with its rows")
        mapping, dropped = map_columns(parquet.schema_arrow.names, spec, table, path.name)
        _refuse_unusable(parquet.schema_arrow, mapping, path.name)
        schemas.append(parquet.schema_arrow)
        sources.append(SourceFile(path.name, partial(file_hash, path), mapping=mapping, dropped=dropped))
    used = sorted({header for headers in sources[0].mapping.values() for header in headers})
    for schema, source in zip(schemas[1:], sources[1:], strict=True):
        if source.mapping != sources[0].mapping:
            odd = next(
                name for name in table.columns if source.mapping.get(name.name) != sources[0].mapping.get(name.name)
            )
            raise InputError(
                "schema-drift",
                f"the file and {sources[0].name} do not name it alike",
                where=source.name,
                column=odd.name,
                hint="export all parts with the same columns and types",
            )
        for header in used:
            if header not in schema.names or schema.field(header).type != schemas[0].field(header).type:
                raise InputError(
                    "schema-drift",
                    f"the column differs from the one in {sources[0].name}",
                    where=source.name,
                    column=header,
                    hint="export all parts with the same columns and types",
                )
    return sources


def _refuse_unusable(schema: pa.Schema, mapping: dict[str, tuple[str, ...]], where: str) -> None:
    for header in {header for headers in mapping.values() for header in headers}:
        if sum(name.casefold() == header.casefold() for name in schema.names) > 1:
            raise InputError(
                "repeated-header", "two columns have this name, upper and lower case aside", where=where,
                column=header, hint="rename one of them",
            )  # fmt: skip
        if pa.types.is_nested(schema.field(header).type):
            raise InputError(
                "nested-column", f"the column holds {schema.field(header).type}, not single values", where=where,
                column=header, hint="export one value per row",
            )  # fmt: skip


def frame_table(frame: object, spec: TableFile, table: Table) -> tuple[pa.Table, SourceFile]:
    """Take a pandas frame as if it were a file: map its columns.

    Parameters
    ----------
    frame
        pandas.DataFrame, one row per row of ``table``; an index with a name counts as a column.
    spec, table
        As for `read_csv`.

    Returns
    -------
    tuple of pyarrow.Table and SourceFile

    Raises
    ------
    InputError
        It is not a frame, has no rows, or a column holds what is no single value.
    """
    if not isinstance(frame, pd.DataFrame):
        raise InputError(
            "not-a-frame",
            f"{table.name} must be a pandas DataFrame, not {type(frame).__name__}",
            hint="pd.DataFrame(...)",
        )
    named = frame.reset_index() if frame.index.name and frame.index.name not in frame.columns else frame
    named = named.set_axis([str(column) for column in named.columns], axis=1)
    if named.empty:
        raise InputError("no-rows", "the frame has 0 rows", where=table.name, hint="give a frame with rows")
    mapping, dropped = map_columns(list(named.columns), spec, table, table.name)
    columns: dict[str, pa.Array] = {}
    digest = hashlib.sha256()
    for name, headers in mapping.items():
        for number, header in enumerate(headers, 1):
            column = _arrow(named[header], table.name, header)
            columns[name if len(headers) == 1 else f"{name}_{number}"] = column
            digest.update(pd.util.hash_pandas_object(column.to_pandas(), index=False).to_numpy().tobytes())
    columns[SOURCE_ROW] = pa.array(range(1, len(named) + 1), pa.int64())
    return pa.table(columns), SourceFile(f"{table.name} (frame)", digest.hexdigest(), mapping=mapping, dropped=dropped)


def _arrow(values: pd.Series, where: str, header: str) -> pa.Array:
    if isinstance(values.dtype, pd.CategoricalDtype):
        values = values.astype(object)
    if values.dtype == np.float16:
        values = values.astype("float32")
    elif values.dtype == object:
        values = values.map(_scalar_text, na_action="ignore")
    try:
        column = pa.array(values, from_pandas=True)
    except (pa.ArrowException, ValueError, TypeError):
        column = None
    if column is None or pa.types.is_nested(column.type) or isinstance(column.type, pa.BaseExtensionType):
        raise InputError(
            "column-type", f"a column of {values.dtype} cannot be read", where=where, column=header,
            hint="give text, numbers, dates or booleans",
        )  # fmt: skip
    return column


def _scalar_text(value: object) -> str:
    """Write a number of a mixed column as a whole column of such numbers would read: 17.0 as 17, 1e-05 in full."""
    if isinstance(value, float | np.floating) and np.isfinite(value):
        return format(Decimal(repr(float(value))), "f").removesuffix(".0")
    return format(value, "f") if isinstance(value, Decimal) and value.is_finite() else str(value)

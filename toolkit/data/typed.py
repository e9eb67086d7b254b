"""Exports that already have types: Parquet files and pandas frames."""

from __future__ import annotations

import hashlib
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

    from toolkit.schema import Table
    from toolkit.study import TableFile


def file_hash(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def parquet_mapping(paths: Sequence[Path], spec: TableFile, table: Table) -> tuple[pa.Schema, list[SourceFile]]:
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
        schemas.append(parquet.schema_arrow)
        sources.append(SourceFile(path.name, file_hash(path), mapping=mapping, dropped=dropped))
    used = sorted({header for headers in sources[0].mapping.values() for header in headers})
    for schema, source in zip(schemas[1:], sources[1:], strict=True):
        for header in used:
            if header not in schema.names or schema.field(header).type != schemas[0].field(header).type:
                raise InputError(
                    "schema-drift",
                    f"the column differs from the one in {sources[0].name}",
                    where=source.name,
                    column=header,
                    hint="export all parts with the same columns and types",
                )
    return schemas[0], sources


def frame_table(frame: object, spec: TableFile, table: Table) -> tuple[pa.Table, SourceFile]:
    """Take a pandas frame as if it were a file: map its columns and keep ids exact.

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
        An id column is floating point and cannot be turned back into ids without loss.
    """
    if not isinstance(frame, pd.DataFrame):
        raise InputError(
            "not-a-frame",
            f"{table.name} must be a pandas DataFrame, not {type(frame).__name__}",
            hint="pd.DataFrame(...)",
        )
    named = frame.reset_index() if frame.index.name else frame
    named = named.rename(columns=str)
    if named.empty:
        raise InputError("no-rows", "the frame has 0 rows", where=table.name, hint="give a frame with rows")
    mapping, dropped = map_columns(list(named.columns), spec, table, table.name)
    columns: dict[str, pa.Array] = {}
    repairs: dict[str, int] = {}
    for name, headers in mapping.items():
        for number, header in enumerate(headers, 1):
            values = named[header]
            if isinstance(values.dtype, pd.CategoricalDtype):
                values = values.astype(object)
            if table.column(name).kind == "id" and pd.api.types.is_float_dtype(values.dtype):
                values = _whole_ids(values, table.name, header)
                repairs[f"{name}_from_float"] = int(values.notna().sum())
            elif values.dtype == object:
                values = values.map(_scalar_text, na_action="ignore")
            columns[name if len(headers) == 1 else f"{name}_{number}"] = pa.Array.from_pandas(values)
    columns[SOURCE_ROW] = pa.array(range(1, len(named) + 1), pa.int64())
    digest = hashlib.sha256()
    for name in mapping:
        for header in mapping[name]:
            digest.update(pd.util.hash_pandas_object(named[header], index=False).to_numpy().tobytes())
    return pa.table(columns), SourceFile(
        f"{table.name} (frame)", digest.hexdigest(), repairs=repairs, mapping=mapping, dropped=dropped
    )


def _scalar_text(value: object) -> object:
    return value if isinstance(value, str) else str(value)


def _whole_ids(series: pd.Series, where: str, column: str) -> pd.Series:
    known = series.dropna()
    lossy = known[(known.abs() >= 2**53) | (known != np.floor(known)) | ~np.isfinite(known)]
    if len(lossy):
        raise InputError(
            "id-float",
            "ids are stored as floating point and may already be wrong",
            where=where,
            column=column,
            count=len(lossy),
            examples=lossy.head(3),
            hint="read the file with dtype=str for this column",
        )
    return series.astype("Int64")

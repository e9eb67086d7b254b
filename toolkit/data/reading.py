"""The files or frame of one table -> one relation of columns as they were read."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from glob import escape
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa

from toolkit.data.excel import read_excel
from toolkit.data.files import read_csv
from toolkit.data.headers import SOURCE_FILE, SOURCE_ROW, constants_of
from toolkit.data.memory import Aside, fits, refuse_larger_than_disk
from toolkit.data.typed import file_hash, frame_table, parquet_mapping
from toolkit.data.unpacking import size_of
from toolkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import pandas as pd

    from toolkit.data.headers import SourceFile
    from toolkit.study import TableFile
    from toolkit.tables import Table

EXCEL = (".xlsx", ".xlsm")
HELD = 16 * 2**20
"""Bytes of Parquet up to which a table is held by the engine; larger files are read and cleaned at every question."""


def raw_relation(
    connection: duckdb.DuckDBPyConnection,
    spec: TableFile,
    table: Table,
    source: Sequence[Path] | pd.DataFrame,
    *,
    spill: Path,
) -> tuple[duckdb.DuckDBPyRelation, list[SourceFile], bool]:
    """Read the files or frame of one table as they are.

    Parameters
    ----------
    connection
        The engine; it may read the files' folders and ``spill``.
    spec, table
        What the study file says about the table, and the table.
    source
        Files (text and Excel, or Parquet), or a frame.
    spill
        Folder in which text is set aside as Parquet where it does not fit in memory.

    Returns
    -------
    tuple of duckdb.DuckDBPyRelation, list of SourceFile and bool
        The rows, what was found out about each file, and whether they stay on the disk: then a table of them should
        not be made.

    Raises
    ------
    InputError
        A file is not what it must be, was changed (``sha256:``), or fits neither in memory nor on the disk.
    """
    _refuse_other_digests(spec, source, table)
    constants = constants_of(spec)
    lazy = False
    if not isinstance(source, (list, tuple)):
        columns, found = frame_table(source, spec, table)
        sources = [found]
        relation = connection.from_arrow(_numbered(columns, 1))
    elif {path.suffix.lower() for path in source} == {".parquet"}:
        sources = parquet_mapping(source, spec, table)
        relation = _parquet_relation(connection, _without_wildcards(source, spill, table), sources[0].mapping)
        lazy = sum(map(size_of, source)) > HELD
        if not lazy:
            relation = _held(connection, relation, table)
    else:
        relation, sources, lazy = _text_relation(connection, spec, table, source, spill)
    given = [duckdb.ConstantExpression(value).cast("VARCHAR").alias(name) for name, value in constants.items()]
    if given:
        relation = relation.select(duckdb.StarExpression(), *given)
    return relation, [replace(one, constants=constants) for one in sources], lazy


def _text_relation(
    connection: duckdb.DuckDBPyConnection, spec: TableFile, table: Table, paths: Sequence[Path], spill: Path
) -> tuple[duckdb.DuckDBPyRelation, list[SourceFile], bool]:
    size = sum(size_of(path) for path in paths)
    sources: list[SourceFile] = []
    if fits(size):
        parts: list[pa.Table] = []
        for number, path in enumerate(paths, 1):
            sources.append(_read(path, spec, table, partial(_keep, parts.append, number)))
        return connection.from_arrow(pa.concat_tables(parts, promote_options="default")), sources, False
    refuse_larger_than_disk(size, spill, ", ".join(path.name for path in paths))
    files = [spill / f"{table.name}_{number}.parquet" for number in range(1, len(paths) + 1)]
    for number, (path, file) in enumerate(zip(paths, files, strict=True), 1):
        with Aside(file) as aside:
            sources.append(_read(path, spec, table, partial(_keep, aside.keep, number)))
    return connection.read_parquet([str(file) for file in files], union_by_name=True), sources, True


def _read(path: Path, spec: TableFile, table: Table, keep: Callable[[pa.Table], object]) -> SourceFile:
    reader = read_excel if path.suffix.lower() in EXCEL else read_csv
    return reader(path, spec, table, keep)


def _keep(keep: Callable[[pa.Table], object], number: int, rows: pa.Table) -> None:
    keep(_numbered(rows, number))


def _numbered(rows: pa.Table, number: int) -> pa.Table:
    return rows.append_column(SOURCE_FILE, pa.array([number] * rows.num_rows, pa.int32()))


def _refuse_other_digests(spec: TableFile, source: Sequence[Path] | pd.DataFrame, table: Table) -> None:
    paths = source if isinstance(source, (list, tuple)) else ()
    names = [path.name for path in paths]
    for name, digest in spec.sha256.items():
        if name not in names:
            raise InputError(
                "sha256", f"sha256: names {name}, which is not among the files of {table.name}",
                where=", ".join(names), hint="mend the name under sha256:, or remove it",
            )  # fmt: skip
        for path in paths:
            if path.name == name and file_hash(path) != digest.strip().lower():
                raise InputError(
                    "sha256", "the file has changed or was damaged in transit: its SHA-256 is another",
                    where=name, hint="download it again, or mend sha256: in the study file",
                )  # fmt: skip


def _held(
    connection: duckdb.DuckDBPyConnection, relation: duckdb.DuckDBPyRelation, table: Table
) -> duckdb.DuckDBPyRelation:
    """Copy rows of a file into the engine, so that no later question reads and cleans the file again."""
    relation.create_view(f"{table.name}_file", replace=True)
    connection.execute(f"CREATE OR REPLACE TABLE {table.name}_held AS SELECT * FROM {table.name}_file")  # noqa: S608 - canonical names
    return connection.table(f"{table.name}_held")


def _without_wildcards(paths: Sequence[Path], spill: Path, table: Table) -> list[Path]:
    """Give a file whose name holds ``*``, ``?`` or ``[`` another one: the engine would read other files for it."""
    links = []
    for number, path in enumerate(paths, 1):
        if escape(str(path)) == str(path):
            links.append(path)
            continue
        link = spill / f"{table.name}_{number}_link.parquet"
        link.unlink(missing_ok=True)
        link.symlink_to(path.resolve())
        links.append(link)
    return links


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

"""Delimited text as people export it -> columns of text: preamble, delimiter, ragged rows, stray quotes."""

from __future__ import annotations

import csv
import hashlib
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from toolkit.data.encoding import decode, refuse_other_formats
from toolkit.data.headers import FIRST_CELL, RAGGED, SOURCE_ROW, SourceFile, map_columns
from toolkit.data.memory import refuse_larger_than_memory
from toolkit.data.rows import cells_of, refuse_swallowed_rows, row_starts, rows_equal_to
from toolkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from toolkit.study import TableFile
    from toolkit.tables import Table

DELIMITERS = (",", "\t", ";", "|")
HEADER_SEARCH_LINES = 60
EXCEL_ROW_LIMITS = (1_048_575, 1_048_576)


def read_csv(path: Path, spec: TableFile, table: Table) -> tuple[pa.Table, SourceFile]:
    """Read one delimited text file into columns of text.

    Parameters
    ----------
    path
        The file.
    spec
        What the study file says about it.
    table
        The table that it holds.

    Returns
    -------
    tuple of pyarrow.Table and SourceFile
        One text column per mapped canonical column (factors of a product are ``<column>_1`` and ``<column>_2``), and
        ``first_cell``, ``source_row`` (int64, line of the file) and ``ragged`` (text, else null).

    Raises
    ------
    InputError
        The file is empty, has no rows, is not text, has mixed encodings, an unclosed quote, or lacks a required column.
    """
    refuse_larger_than_memory(path)
    data = path.read_bytes()
    refuse_other_formats(data, path.name)
    text, encoding = decode(data, path.name, spec.encoding)
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    lines = io.StringIO(text, newline="\n").readlines()
    if spec.delimiter == "whitespace":
        lines = [" ".join(line.split()) + "\n" for line in lines]
        spec = spec.model_copy(update={"delimiter": " "})
    start, after, header, delimiter = _find_header(lines, spec, table, path.name)
    mapping, dropped = map_columns(header, spec, table, path.name)
    rows = _split(lines[after:], header, delimiter, path.name, after + 1)
    if rows.columns.num_rows == 0 and not rows.ragged:
        raise InputError(
            "no-rows",
            "the file has a header and 0 rows",
            where=path.name,
            hint="export it again with its rows",
        )
    found = _select(rows.columns, header, mapping)
    if rows.ragged:
        found = pa.concat_tables([found, _ragged_rows(rows.ragged, found.schema)])
    repairs = rows.repairs
    if rows.columns.num_rows in EXCEL_ROW_LIMITS:
        repairs["excel_row_limit"] = rows.columns.num_rows
    if start:
        repairs["preamble_lines"] = start
    if encoding not in ("utf-8", spec.encoding):
        repairs["transcoded"] = 1
    digest = hashlib.sha256(data).hexdigest()
    return found, SourceFile(path.name, digest, encoding, delimiter, repairs, mapping, dropped)


def _find_header(lines: list[str], spec: TableFile, table: Table, where: str) -> tuple[int, int, list[str], str]:
    if spec.delimiter and (len(spec.delimiter) != 1 or spec.delimiter in '"\n\r'):
        raise InputError(
            "delimiter",
            f"{spec.delimiter!r} cannot stand between cells",
            where=where,
            hint='delimiter: ";"  or  delimiter: "\\t"  or  delimiter: whitespace',
        )
    stated = (spec.delimiter,) if spec.delimiter else ()
    for delimiter in stated or DELIMITERS:
        found = _header_row(lines, delimiter, spec, table)
        if found is not None:
            return *found, delimiter
    for delimiter in DELIMITERS if stated else ():
        if _header_row(lines, delimiter, spec, table) is not None:
            raise InputError(
                "delimiter",
                f"the columns are only found with delimiter {delimiter!r}, not {spec.delimiter!r}",
                where=where,
                hint=f"delimiter: {delimiter!r}",
            )
    first = next(n for n, line in enumerate(lines) if line.strip())
    guess = max(stated or DELIMITERS, key=lines[first].count)
    return first, first + 1, [name.strip() for name in cells_of(lines[first], guess)], guess


def _header_row(lines: list[str], delimiter: str, spec: TableFile, table: Table) -> tuple[int, int, list[str]] | None:
    """Return the first line of the header, the line after it and its cells."""
    reader = csv.reader(lines[:HEADER_SEARCH_LINES], delimiter=delimiter)
    while True:
        first = reader.line_num
        try:
            header = [name.strip() for name in next(reader)]
        except (StopIteration, csv.Error):
            return None
        if len(header) < 2:
            continue
        try:
            map_columns(header, spec, table, "")
        except InputError as error:
            if error.code not in ("ambiguous-column", "repeated-header"):
                continue
        return first, reader.line_num, header


@dataclass(frozen=True)
class _Rows:
    """Rows of the right width, rows of another one with their lines, and what was repaired."""

    columns: pa.Table
    ragged: list[tuple[int, str]]
    repairs: dict[str, int]


def _split(lines: list[str], header: list[str], delimiter: str, where: str, first_line: int) -> _Rows:
    starts = row_starts(lines, first_line, delimiter, where)
    names = [f"c{position}" for position in range(len(header))]
    trailing = _rows_end_with_a_delimiter(lines[:20], len(header), delimiter)
    if trailing:
        names.append("trailing")
    skipped: dict[int, list[str] | str] = {}

    def keep(row: pacsv.InvalidRow) -> str:
        cells = cells_of(row.text, delimiter)
        fits = not any(cell.strip() for cell in cells[len(header) :]) and len(cells) >= len(header)
        skipped[(row.number or 1) - 1] = [*cells, ""][: len(names)] if fits else row.text
        return "skip"

    body = "".join(lines)
    parsed = _parsed(body, names, delimiter, where, keep) if starts else _no_rows(names)
    kept = [line for position, line in enumerate(starts) if position not in skipped]
    blank = [at for at, row in skipped.items() if isinstance(row, str) and not row.strip(delimiter + " \t\n")]
    ragged = [(starts[at], row) for at, row in skipped.items() if isinstance(row, str) and at not in set(blank)]
    extra = {starts[at]: row for at, row in skipped.items() if not isinstance(row, str)}
    if '"' in body:
        refuse_swallowed_rows(parsed, ragged, kept, delimiter=delimiter, width=len(header), where=where)
    parsed = parsed.append_column(SOURCE_ROW, pa.array(kept, pa.int64()))
    if extra:
        cells = {name: [row[position] for row in extra.values()] for position, name in enumerate(names)}
        parsed = pa.concat_tables([parsed, pa.table(cells | {SOURCE_ROW: list(extra)}, schema=parsed.schema)])
    repairs = {"blank_rows": len(blank), "repeated_header": 0, "empty_extra_cells": len(extra)}
    for name, cells_to_drop in (("blank_rows", [""] * len(names)), ("repeated_header", header)):
        drop = rows_equal_to(parsed, cells_to_drop)
        if drop is not None:
            repairs[name] += pc.sum(drop).as_py()
            parsed = parsed.filter(pc.invert(drop))
    if trailing:
        repairs["trailing_delimiter"] = 1
        filled = pc.not_equal(pc.utf8_trim_whitespace(parsed.column("trailing")), "")
        ragged += [
            (row[SOURCE_ROW], delimiter.join(row[name] for name in names)) for row in parsed.filter(filled).to_pylist()
        ]
        parsed = parsed.filter(pc.invert(filled))
    return _Rows(parsed, ragged, {name: count for name, count in repairs.items() if count})


def _no_rows(names: list[str]) -> pa.Table:
    return pa.table({name: pa.array([], pa.string()) for name in names})


def _parsed(
    body: str, names: list[str], delimiter: str, where: str, keep: Callable[[pacsv.InvalidRow], str]
) -> pa.Table:
    try:
        return pacsv.read_csv(
            io.BytesIO(body.encode("utf-8")),
            read_options=pacsv.ReadOptions(column_names=names, use_threads=False, block_size=1 << 24),
            parse_options=pacsv.ParseOptions(
                delimiter=delimiter,
                newlines_in_values='"' in body,
                invalid_row_handler=keep,
                ignore_empty_lines=True,
            ),
            convert_options=pacsv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()),
                strings_can_be_null=False,
                quoted_strings_can_be_null=False,
            ),
        )
    except pa.ArrowInvalid:
        raise InputError("csv", "the file cannot be split into rows", where=where, hint="export it again") from None


def _rows_end_with_a_delimiter(head: list[str], width: int, delimiter: str) -> bool:
    rows = [cells_of(line.rstrip("\n"), delimiter) for line in head if line.strip()]
    return bool(rows) and all(len(row) == width + 1 and not row[-1].strip() for row in rows)


def _select(parsed: pa.Table, header: list[str], mapping: dict[str, tuple[str, ...]]) -> pa.Table:
    columns: dict[str, pa.ChunkedArray] = {}
    for name, headers in mapping.items():
        for number, one in enumerate(headers, 1):
            columns[name if len(headers) == 1 else f"{name}_{number}"] = parsed.column(f"c{header.index(one)}")
    columns[FIRST_CELL] = parsed.column("c0")
    columns[SOURCE_ROW] = parsed.column(SOURCE_ROW)
    columns[RAGGED] = pa.nulls(parsed.num_rows, pa.string())
    return pa.table(columns)


def _ragged_rows(ragged: list[tuple[int, str]], schema: pa.Schema) -> pa.Table:
    columns: dict[str, pa.Array] = {name: pa.nulls(len(ragged), schema.field(name).type) for name in schema.names}
    columns[FIRST_CELL] = pa.array([text[:80] for _, text in ragged], pa.string())
    columns[SOURCE_ROW] = pa.array([line for line, _ in ragged], pa.int64())
    columns[RAGGED] = pa.array([text for _, text in ragged], pa.string())
    return pa.table(columns, schema=schema)

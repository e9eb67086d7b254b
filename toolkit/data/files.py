"""Delimited text as people export it -> columns of text: preamble, delimiter, ragged rows, stray quotes."""

from __future__ import annotations

import csv
import hashlib
import io
import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from toolkit.data.encoding import decode, refuse_other_formats
from toolkit.data.headers import FIRST_CELL, RAGGED, SOURCE_ROW, SourceFile, map_columns
from toolkit.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    from toolkit.schema import Table
    from toolkit.study import TableFile

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
        One text column per mapped canonical column (factors of a product are ``<column>_1`` and ``<column>_2``), the columns
        ``first_cell``, ``source_row`` (int64, line of the file) and ``ragged`` (text, else null).

    Raises
    ------
    InputError
        The file is empty, has no rows, is not text, has mixed encodings, an unclosed quote, or lacks a required column.
    """
    data = path.read_bytes()
    refuse_other_formats(data, path.name)
    text, encoding = decode(data, path.name, spec.encoding)
    lines = text.splitlines(keepends=True)
    if spec.delimiter == "whitespace":
        lines = [" ".join(line.split()) + "\n" for line in lines]
        spec = spec.model_copy(update={"delimiter": " "})
    start, delimiter = _find_header(lines, spec, table, path.name)
    _refuse_unclosed_quote(lines, start, path.name)
    header = next(csv.reader(lines[start : start + 1], delimiter=delimiter))
    source = SourceFile(path.name, hashlib.sha256(data).hexdigest(), encoding, delimiter, start, {})
    columns, ragged, repairs = _parse("".join(lines[start + 1 :]), header, delimiter, path.name, start + 2)
    if columns.num_rows == 0 and not ragged:
        raise InputError(
            "no-rows",
            "the file has a header and 0 rows",
            where=path.name,
            hint="export it again with its rows",
        )
    mapping, dropped = map_columns([name.strip() for name in header], spec, table, path.name)
    found = _select(columns, [name.strip() for name in header], mapping)
    if ragged:
        found = pa.concat_tables([found, _ragged_rows(ragged, found.schema)])
    if columns.num_rows in EXCEL_ROW_LIMITS:
        repairs["excel_row_limit"] = columns.num_rows
    if start:
        repairs["preamble_lines"] = start
    if encoding not in ("utf-8", spec.encoding):
        repairs["transcoded"] = 1
    return found, replace(source, repairs=repairs, mapping=mapping, dropped=dropped)


def _find_header(lines: list[str], spec: TableFile, table: Table, where: str) -> tuple[int, str]:
    stated = (spec.delimiter,) if spec.delimiter else ()
    for delimiter in stated or DELIMITERS:
        found = _header_line(lines, delimiter, spec, table)
        if found is not None:
            return found, delimiter
    for delimiter in DELIMITERS if stated else ():
        if _header_line(lines, delimiter, spec, table) is not None:
            raise InputError(
                "delimiter",
                f"the columns are only found with delimiter {delimiter!r}, not {spec.delimiter!r}",
                where=where,
                hint=f"delimiter: {delimiter!r}",
            )
    first = next((n for n, line in enumerate(lines) if line.strip()), 0)
    guess = max(stated or DELIMITERS, key=lines[first].count)
    headers = [name.strip() for name in next(csv.reader(lines[first : first + 1], delimiter=guess))]
    map_columns(headers, spec, table, where)
    return first, guess


def _header_line(lines: list[str], delimiter: str, spec: TableFile, table: Table) -> int | None:
    for number, row in enumerate(csv.reader(lines[:HEADER_SEARCH_LINES], delimiter=delimiter)):
        headers = [name.strip() for name in row]
        if len(headers) < 2:
            continue
        try:
            map_columns(headers, spec, table, "")
        except InputError as error:
            if error.code in ("ambiguous-column", "repeated-header"):
                return number
            continue
        return number
    return None


def _refuse_unclosed_quote(lines: list[str], start: int, where: str) -> None:
    quotes = sum(line.count('"') for line in lines[start:])
    if quotes % 2 == 0:
        return
    opened = 0
    for number, line in enumerate(lines[start:], start + 1):
        was_open = opened % 2
        opened += line.count('"')
        if not was_open and opened % 2:
            suspect = number
    raise InputError(
        "unclosed-quote",
        "a quote opens and never closes",
        where=f"{where}:{suspect}",
        hint="close or remove the quote on that line",
    )


def _parse(
    body: str, header: list[str], delimiter: str, where: str, first_line: int
) -> tuple[pa.Table, list[tuple[int, str]], dict[str, int]]:
    names = [f"c{position}" for position in range(len(header))]
    trailing = _rows_end_with_a_delimiter(body, len(header), delimiter)
    if trailing:
        names.append("trailing")
    ragged: list[tuple[int, str]] = []
    extra: list[tuple[int, list[str]]] = []

    def keep(row: pacsv.InvalidRow) -> str:
        cells = next(csv.reader([row.text], delimiter=delimiter), [])
        line = first_line + (row.number or 1) - 1
        if len(cells) > len(names) and not any(cell.strip() for cell in cells[len(names) :]):
            extra.append((line, cells[: len(names)]))
        elif row.text.strip(delimiter + " \r\n\t"):
            ragged.append((line, row.text))
        return "skip"

    if not body.strip():
        return pa.table({name: pa.array([], pa.string()) for name in [*names, SOURCE_ROW]}), [], {}
    quoted = '"' in body
    try:
        parsed = pacsv.read_csv(
            io.BytesIO(body.encode("utf-8")),
            read_options=pacsv.ReadOptions(column_names=names, use_threads=False, block_size=1 << 24),
            parse_options=pacsv.ParseOptions(
                delimiter=delimiter,
                newlines_in_values=quoted,
                invalid_row_handler=keep,
                ignore_empty_lines=True,
            ),
            convert_options=pacsv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()),
                strings_can_be_null=False,
                quoted_strings_can_be_null=False,
            ),
        )
    except pa.ArrowInvalid as error:
        raise InputError(
            "csv", f"the file cannot be split into rows ({error})", where=where, hint="export it again"
        ) from None
    parsed = parsed.select(names)
    _refuse_swallowed_rows(parsed, delimiter, len(header), where)
    parsed = parsed.append_column(
        SOURCE_ROW, pa.array(_row_lines(parsed.num_rows, first_line, ragged, extra), pa.int64())
    )
    repairs = {"trailing_delimiter": parsed.num_rows} if trailing else {}
    if extra:
        columns = {name: [cells[n] for _, cells in extra] for n, name in enumerate(names)}
        columns[SOURCE_ROW] = [line for line, _ in extra]
        parsed = pa.concat_tables([parsed, pa.table(columns, schema=parsed.schema)])
        repairs["empty_extra_cells"] = len(extra)
    return parsed, ragged, repairs


def _row_lines(
    rows: int, first_line: int, ragged: list[tuple[int, str]], extra: list[tuple[int, list[str]]]
) -> list[int]:
    skipped = {line for line, _ in ragged} | {line for line, _ in extra}
    if not skipped:
        return list(range(first_line, first_line + rows))
    return [line for line in range(first_line, first_line + rows + len(skipped)) if line not in skipped][:rows]


def _rows_end_with_a_delimiter(body: str, width: int, delimiter: str) -> bool:
    head = body.split("\n", 20)[:20]
    rows = [row for row in csv.reader(head, delimiter=delimiter) if row]
    return bool(rows) and all(len(row) == width + 1 and not row[-1].strip() for row in rows)


def _refuse_swallowed_rows(parsed: pa.Table, delimiter: str, width: int, where: str) -> None:
    """Refuse a cell that holds whole lines with delimiters: a quote swallowed rows."""
    pattern = rf"\n([^\n{re.escape(delimiter)}]*{re.escape(delimiter)}){{{max(width - 1, 1)}}}"
    for column in parsed.columns:
        hits = pc.match_substring_regex(column, pattern)
        if pc.any(hits).as_py():
            row = pc.index(hits, value=True).as_py()
            raise InputError(
                "unclosed-quote",
                "a quoted cell swallows whole rows",
                where=f"{where}, about row {row + 1}",
                examples=[column[row].as_py()],
                hint="close or remove the quote there",
            )


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

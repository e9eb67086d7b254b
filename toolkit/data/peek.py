"""Looking at an export before anything is known about it: sheets, header row, a sample of its values as text."""

from __future__ import annotations

import csv
import zipfile
import zlib
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import TYPE_CHECKING

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq

from toolkit.data.contents import is_date, is_money
from toolkit.data.encoding import decode, refuse_other_formats
from toolkit.data.files import DELIMITERS, HEADER_SEARCH_LINES
from toolkit.data.headers import folded
from toolkit.data.presets import presets
from toolkit.data.unpacking import size_of, source_of
from toolkit.errors import InputError
from toolkit.tables import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

ROWS_LOOKED_AT = 20_000
_BYTES_LOOKED_AT = 1 << 23
_TICK = "`"  # WeChat Pay writes it before every cell, so that Excel leaves long numbers alone
_TEXT, _EXCEL, _PARQUET = (".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz", ".txt.gz"), (".xlsx", ".xlsm"), (".parquet",)
KINDS = (*_TEXT, *_EXCEL, *_PARQUET)
"""Endings of the names that are looked at, in small letters."""


@dataclass(frozen=True)
class Sample:
    """The head of one table-like thing: a text file, one sheet, a Parquet file.

    Attributes
    ----------
    path, sheet, sheets
        The file; the sheet and how many there are, for Excel.
    headers
        As the file has them, outer spaces gone.
    columns
        Header -> its values as text, ``rows`` of them; a header that is there twice is left out.
    header_row
        Line or row of the header, counted from 1.
    whole
        Whether all rows were looked at.
    """

    path: Path
    headers: tuple[str, ...]
    columns: dict[str, tuple[str, ...]]
    rows: int
    header_row: int = 1
    whole: bool = True
    sheet: str = ""
    sheets: int = 1


def peek(path: Path) -> list[Sample]:
    """Look at the head of a file.

    Parameters
    ----------
    path
        A file with one of the endings `KINDS`.

    Returns
    -------
    list of Sample
        One, or one per sheet that holds rows.

    Raises
    ------
    InputError
        It is damaged, empty, or not what its name says.
    """
    try:
        name = path.name.lower()
        found = _text(path) if name.endswith(_TEXT) else _parquet(path) if name.endswith(_PARQUET) else _excel(path)
    except (OSError, EOFError, zlib.error):
        raise InputError(
            "no-file", "the file cannot be read", where=path.name, hint="download it again, or check who may read it"
        ) from None
    if not found:
        raise InputError("no-rows", "no header with rows under it was found", where=path.name, hint="export it again")
    return found


def _text(path: Path) -> list[Sample]:
    with source_of(path)() as file:
        data = file.read(_BYTES_LOOKED_AT)
        whole = not file.read(1)
    refuse_other_formats(data, path.name)
    if not whole:
        data = data[: data.rindex(b"\n") + 1] if b"\n" in data else data
        data = data[: len(data) // 2 * 2] if data[:2] in (b"\xff\xfe", b"\xfe\xff") else data
    text, _ = decode(data, path.name, None)
    lines = text.replace("\r\n", "\n").replace("\r", "\n").splitlines(keepends=True)
    best: tuple[float, int, int, str] | None = None
    for delimiter in DELIMITERS:
        rows = _rows(lines[: HEADER_SEARCH_LINES + 40], delimiter)
        score, at = _header(rows)
        if at >= 0 and (best is None or score > best[0]):
            best = (score, at, len(rows), delimiter)
    if best is None:
        return []
    rows = _rows(lines, best[3], ROWS_LOOKED_AT + best[1] + 2)
    return _samples(path, rows, best[1], whole=whole and len(rows) <= ROWS_LOOKED_AT + best[1] + 1)


def _rows(lines: Iterable[str], delimiter: str, limit: int = 1_000) -> list[tuple[int, list[str]]]:
    reader = csv.reader(lines, delimiter=delimiter)
    rows: list[tuple[int, list[str]]] = []
    while len(rows) < limit:
        line = reader.line_num + 1
        try:
            rows.append((line, [cell.strip().removeprefix(_TICK) for cell in next(reader)]))
        except StopIteration:
            break
        except csv.Error:
            continue
    return rows


def _excel(path: Path) -> list[Sample]:
    size_of(path)
    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except (zipfile.BadZipFile, KeyError, ValueError, TypeError, AttributeError, SyntaxError) as error:
        raise InputError(
            "damaged-excel",
            f"the file cannot be read as Excel ({type(error).__name__})",
            where=path.name,
            hint="open it and save it as .xlsx, or export it as CSV UTF-8",
        ) from None
    samples: list[Sample] = []
    try:
        for sheet in book.worksheets:
            sheet.reset_dimensions()
            rows = [
                (number, [_cell(value) for value in row])
                for number, row in zip(range(1, ROWS_LOOKED_AT + 62), sheet.iter_rows(values_only=True), strict=False)
            ]
            _, at = _header([(number, _trimmed(cells)) for number, cells in rows[: HEADER_SEARCH_LINES + 40]])
            if at >= 0:
                width = len(_trimmed(rows[at][1]))
                padded = [(number, (cells + [""] * width)[:width]) for number, cells in rows]
                samples += _samples(
                    path,
                    padded,
                    at,
                    whole=len(rows) < ROWS_LOOKED_AT + 61,
                    sheet=sheet.title,
                    sheets=len(book.worksheets),
                )
    finally:
        book.close()
    return samples


def _trimmed(cells: list[str]) -> list[str]:
    last = max((position for position, cell in enumerate(cells, 1) if cell), default=0)
    return cells[:last]


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat(" ", "seconds").removesuffix(" 00:00:00")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value).strip()


def _parquet(path: Path) -> list[Sample]:
    try:
        file = pq.ParquetFile(path)
        batch = next(file.iter_batches(batch_size=ROWS_LOOKED_AT), None)
    except (pa.ArrowException, OSError) as error:
        raise InputError(
            "damaged-parquet",
            f"the file cannot be read as Parquet ({type(error).__name__})",
            where=path.name,
            hint="download or export it again",
        ) from None
    if batch is None or not batch.num_rows:
        return []
    headers = tuple(batch.schema.names)
    columns = {
        name: tuple(_cell(value) for value in column.to_pylist())
        for name, column in zip(headers, batch.columns, strict=True)
        if headers.count(name) == 1 and not pa.types.is_nested(column.type)
    }
    return [Sample(path, headers, columns, batch.num_rows, whole=batch.num_rows == file.metadata.num_rows)]


def _samples(
    path: Path, rows: Sequence[tuple[int, list[str]]], at: int, *, whole: bool, sheet: str = "", sheets: int = 1
) -> list[Sample]:
    headers = tuple(rows[at][1])
    body = [cells for _, cells in rows[at + 1 :] if _is_row(cells, len(headers))][:ROWS_LOOKED_AT]
    if not body:
        return []
    columns = {
        header: tuple(cells[position] for cells in body)
        for position, header in enumerate(headers)
        if header and headers.count(header) == 1
    }
    return [Sample(path, headers, columns, len(body), rows[at][0], whole, sheet, sheets)]


def _is_row(cells: list[str], width: int) -> bool:
    """Tell a row from a footer: of the header's width, a trailing delimiter aside, with more than one cell filled."""
    fits = len(cells) == width or (len(cells) == width + 1 and not cells[-1])
    return fits and sum(map(bool, cells)) > min(1, width - 1) and cells[0] not in ("合计", "总计", "小计", "Total")


def _header(rows: Sequence[tuple[int, list[str]]]) -> tuple[float, int]:
    """Return the score and position of the row that looks most like a header; -1 where none does."""
    best = (0.0, -1)
    known = _known_headers()
    for at, (_, cells) in enumerate(rows[:HEADER_SEARCH_LINES]):
        named = [cell for cell in cells if cell]
        if len(named) < 2 or len(named) < len(cells) / 2:
            continue
        after = [row for _, row in rows[at + 1 : at + 21] if any(row)]
        alike = sum(abs(len(row) - len(cells)) <= 1 for row in after) / len(after) if after else 0.0
        texts = sum(not is_date(cell) and not is_money(cell) for cell in named) / len(named)
        score = 3 * sum(folded(cell) in known for cell in named) / len(named) + 2 * alike + texts
        score += len(set(named)) / len(named) + min(len(named), 10) / 20
        if after and score > best[0]:
            best = (score, at)
    return best


def _known_headers() -> set[str]:
    names = [alias for table in TABLES.values() for column in table.columns for alias in (column.name, *column.aliases)]
    of_presets = [name for preset in presets().values() for names in preset.columns.values() for name in names]
    return {folded(name) for name in (*names, *of_presets)}

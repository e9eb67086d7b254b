"""Excel workbooks as people keep them -> columns of text, some rows at a time."""

from __future__ import annotations

import re
import warnings
from collections import Counter, deque
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import pyarrow as pa
from tqdm import tqdm

from toolkit.data.cells import cell_text, is_lost_id
from toolkit.data.headers import FIRST_CELL, RAGGED, SOURCE_ROW, SourceFile, map_columns
from toolkit.data.typed import file_hash
from toolkit.data.workbook import LAST_ROW, open_sheet
from toolkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from toolkit.data.workbook import Cells, Sheet
    from toolkit.study import TableFile
    from toolkit.tables import Kind, Table

ROWS_AT_ONCE = 20_000
_ZEROS = re.compile("0{2,}")


def read_excel(path: Path, spec: TableFile, table: Table, keep: Callable[[pa.Table], object]) -> SourceFile:
    """Read one sheet of an .xlsx or .xlsm workbook into columns of text, some rows at a time.

    Parameters
    ----------
    path, spec, table, keep
        As for `toolkit.data.files.read_csv`; ``source_row`` is the row of the sheet and ``ragged`` always null.

    Returns
    -------
    SourceFile
        What was found out about the file.

    Raises
    ------
    InputError
        The workbook is damaged; no sheet, or more than one, has the columns; there are no rows; ids are numbers of
        more than 15 digits; a formula has no value that can be trusted.

    Notes
    -----
    A cell that is merged over several rows counts in each of them, except money and numbers, which would be counted
    several times: they stand in the first row only.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with open_sheet(path, spec, table) as sheet:
            mapping, dropped = map_columns(sheet.header, spec, table, path.name)
            rows = _Rows(_columns(sheet, mapping, table), path.name)
            _refuse_uncalculated(sheet, rows.columns, path.name)
            for number, cells in tqdm(sheet.rows(), desc=path.name, unit=" rows", delay=2, leave=False):
                rows.add(number, cells)
                if len(rows.numbers) >= ROWS_AT_ONCE:
                    keep(rows.taken())
            keep(rows.taken())
    if not rows.count:
        raise InputError(
            "no-rows", f"sheet {sheet.title!r} has a header and 0 rows", where=path.name,
            hint="export it again with its rows",
        )  # fmt: skip
    facts = {
        "preamble_lines": sheet.header_row - 1,
        "excel_row_limit": rows.count if rows.last == LAST_ROW else 0,
        "hidden_sheet": int(sheet.hidden),
        "hidden_rows": sheet.anatomy.hidden_rows,
    }
    return SourceFile(
        path.name,
        partial(file_hash, path),
        sheet=sheet.title,
        repairs=dict(rows.repairs) | {name: count for name, count in facts.items() if count},
        mapping=mapping,
        dropped=dropped,
    )


@dataclass
class _Column:
    """One wanted column: its name here and there, its position from 0, and cells merged over several rows."""

    name: str
    header: str
    position: int
    kind: Kind
    merged: deque[tuple[int, int]]
    texts: list[str] = field(default_factory=list)
    top: str = ""

    def merged_text(self, number: int) -> str | None:
        """Return the text of the merged cell that row ``number`` is a lower part of."""
        while self.merged and self.merged[0][1] < number:
            self.merged.popleft()
        return self.top if self.merged and self.merged[0][0] < number else None


def _columns(sheet: Sheet, mapping: dict[str, tuple[str, ...]], table: Table) -> list[_Column]:
    columns = []
    for name, headers in mapping.items():
        kind = table.column(name).kind
        for number, header in enumerate(headers, 1):
            position = sheet.header.index(header)
            merged = [] if kind in ("money", "number") else sheet.anatomy.merged.get(position + 1, [])
            called = name if len(headers) == 1 else f"{name}_{number}"
            columns.append(_Column(called, header, position, kind, deque(merged)))
    return columns


def _refuse_uncalculated(sheet: Sheet, columns: Sequence[_Column], where: str) -> None:
    formulas = sheet.anatomy.formulas if sheet.recalculates else sheet.anatomy.uncalculated
    names = {column.position + 1: column.header for column in columns} | {0: ""}
    for position, header in names.items():
        rows = [row for row in formulas.get(position, ()) if row > sheet.header_row]
        if rows:
            raise InputError(
                "uncalculated", "formulas whose values were never calculated", where=f"{where}:{rows[0]}",
                column=header, count=len(rows), hint="open the file in Excel, save it, and give that",
            )  # fmt: skip


class _Rows:
    """Collects rows as columns of text."""

    def __init__(self, columns: list[_Column], where: str) -> None:
        self.columns = columns
        self.where = where
        self.numbers: list[int] = []
        self.first_cells: list[str] = []
        self.repairs: Counter[str] = Counter()
        self.count = 0
        self.last = 0
        self._blank = 0

    def add(self, number: int, cells: Cells) -> None:
        """Take one row, unless it is blank or the header again."""
        filled = [cell.value for cell in cells if cell.value is not None]
        first = next((text for text in (cell_text(value, "text") for value in filled) if text.strip()), "")
        if not first and all(isinstance(value, str) and not value.strip() for value in filled):
            self._blank += 1
            return
        texts = [self._text(column, number, cells) for column in self.columns]
        if [text.strip() for text in texts] == [column.header for column in self.columns]:
            self.repairs["repeated_header"] += 1
            return
        for column, text in zip(self.columns, texts, strict=True):
            column.texts.append(text)
        self.numbers.append(number)
        self.first_cells.append(first)
        self.count += 1
        self.last = number
        if self._blank:
            self.repairs["blank_rows"] += self._blank
            self._blank = 0

    def taken(self) -> pa.Table:
        """Return the rows that were added since the last time."""
        columns: dict[str, pa.Array] = {column.name: pa.array(column.texts, pa.string()) for column in self.columns}
        columns[FIRST_CELL] = pa.array(self.first_cells, pa.string())
        columns[SOURCE_ROW] = pa.array(self.numbers, pa.int64())
        columns[RAGGED] = pa.nulls(len(self.numbers), pa.string())
        for column in self.columns:
            column.texts = []
        self.numbers, self.first_cells = [], []
        return pa.table(columns)

    def _text(self, column: _Column, number: int, cells: Cells) -> str:
        cell = cells[column.position]
        value = cell.value
        text = cell_text(value, column.kind)
        if column.merged:
            merged = column.merged_text(number)
            if merged is None:
                column.top = text
            elif not text and merged:
                self.repairs["merged_cells"] += 1
                return merged
        if not text and isinstance(value, str) and value.strip():
            self.repairs["error_cells"] += 1
        if column.kind == "id" and isinstance(value, int | float) and not isinstance(value, bool):
            if is_lost_id(value):
                raise InputError(
                    "id-lost", "ids of more than 15 digits are numbers: Excel has rounded them",
                    where=f"{self.where}:{number}", column=column.header, examples=[text],
                    hint="export again, with the ids as text",
                )  # fmt: skip
            if _ZEROS.fullmatch(cell.number_format):
                return text.zfill(len(cell.number_format))
        return text

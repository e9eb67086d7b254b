"""A workbook -> the sheet and the row in which a table begins; whatever is damaged is refused."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import openpyxl

from toolkit.data.cells import cell_text
from toolkit.data.files import HEADER_SEARCH_LINES
from toolkit.data.headers import is_header
from toolkit.data.sheets import Anatomy, anatomy_of
from toolkit.errors import InputError, ToolkitError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from typing import TypeAlias

    from openpyxl.cell.cell import Cell, MergedCell
    from openpyxl.workbook.workbook import Workbook
    from openpyxl.worksheet.worksheet import Worksheet

    from toolkit.study import TableFile
    from toolkit.tables import Table

    Cells: TypeAlias = tuple[Cell | MergedCell, ...]

LAST_ROW = 1_048_576
"""The last row that a sheet can have."""


@dataclass(frozen=True)
class Sheet:
    """One sheet, and where its table begins.

    Attributes
    ----------
    title, hidden
        Its name, and whether Excel hides it.
    header_row, header
        Row of the header, from 1, and its cells; cells that are merged down to that row are part of it.
    anatomy
        How it is made.
    recalculates
        Whether the workbook asks to be calculated anew: then no stored value of a formula can be trusted.
    """

    title: str
    hidden: bool
    header_row: int
    header: list[str]
    anatomy: Anatomy
    recalculates: bool
    _worksheet: Worksheet
    _where: str

    def rows(self) -> Iterator[tuple[int, Cells]]:
        """Yield the number and the cells of each row below the header, as wide as the header."""
        first = self.header_row + 1
        with _refusing_damage(self._where):
            rows = self._worksheet.iter_rows(min_row=first, max_col=len(self.header))
            for number, row in enumerate(rows, first):
                if number > LAST_ROW:
                    raise _damaged(self._where, f"rows beyond {LAST_ROW:,}")
                yield number, row


@contextmanager
def open_sheet(path: Path, spec: TableFile, table: Table) -> Iterator[Sheet]:
    """Open the sheet that the study file names, else the only one with the table's required columns.

    Parameters
    ----------
    path
        The workbook.
    spec, table
        What the study file says about the table, and the table.

    Raises
    ------
    InputError
        The workbook is damaged; the named sheet is not there; several sheets have the columns; no sheet has rows.
    """
    where = path.name
    with _refusing_damage(where):
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    try:
        yield _chosen(book, spec, table, where)
    finally:
        book.close()


def _chosen(book: Workbook, spec: TableFile, table: Table, where: str) -> Sheet:
    named = [sheet for sheet in book.worksheets if spec.sheet in (None, sheet.title)]
    if not named:
        raise InputError(
            "sheet", f"there is no sheet {spec.sheet!r}; sheets: {_titles(book.worksheets)}", where=where,
            hint=f'sheet: "{book.worksheets[0].title}"' if book.worksheets else "export it again with a sheet",
        )  # fmt: skip
    heads = {sheet.title: _head(sheet, where) for sheet in named}
    found = {
        sheet.title: row
        for sheet in named
        for row in [next((n for n, cells in heads[sheet.title][1].items() if is_header(cells, spec, table)), None)]
        if row is not None
    }
    if len(found) > 1:
        several = [sheet for sheet in named if sheet.title in found]
        raise InputError(
            "sheet", f"several sheets could be {table.name}: {_titles(several)}", where=where,
            hint=f'sheet: "{several[0].title}"; if all are wanted, save each as a file and list them under files:',
        )  # fmt: skip
    if not found:
        found = _best_guess(heads, where)
    title, row = next(iter(found.items()))
    sheet = next(one for one in named if one.title == title)
    anatomy, head = heads[title]
    if not anatomy.in_order:
        raise _damaged(where, "rows out of order")
    recalculates = bool(book.calculation and book.calculation.fullCalcOnLoad)
    return Sheet(title, sheet.sheet_state != "visible", row, head[row], anatomy, recalculates, sheet, where)


def _head(sheet: Worksheet, where: str) -> tuple[Anatomy, dict[int, list[str]]]:
    """Return how a sheet is made and the first rows as text, empty cells at their ends aside."""
    rows: dict[int, list[str]] = {}
    with _refusing_damage(where):
        sheet.reset_dimensions()  # type: ignore[attr-defined]
        with sheet._get_source() as xml:  # type: ignore[attr-defined] # noqa: SLF001 - no other way to the sheet's XML
            anatomy = anatomy_of(xml)
        for number, row in enumerate(sheet.iter_rows(max_row=HEADER_SEARCH_LINES), 1):
            cells = [cell_text(cell.value, "text").strip() for cell in row]
            for column, spans in anatomy.merged.items():
                top = next((first for first, last in spans if first < number <= last), None)
                if top in rows and column <= len(rows[top]):
                    cells += [""] * (column - len(cells))
                    cells[column - 1] = cells[column - 1] or rows[top][column - 1]
            while cells and not cells[-1]:
                cells.pop()
            rows[number] = cells
    return anatomy, rows


def _best_guess(heads: dict[str, tuple[Anatomy, dict[int, list[str]]]], where: str) -> dict[str, int]:
    filled = [(sum(map(bool, cells)), title, row) for title, (_, rows) in heads.items() for row, cells in rows.items()]
    most, title, row = max(filled, key=lambda one: one[0], default=(0, "", 0))
    if not most:
        raise InputError("empty-file", "the workbook holds no rows", where=where, hint="export it again with its rows")
    return {title: row}


def _titles(sheets: Sequence[Worksheet]) -> str:
    return ", ".join(f"{sheet.title}{'' if sheet.sheet_state == 'visible' else ' (hidden)'}" for sheet in sheets)


def _damaged(where: str, what: str) -> InputError:
    return InputError(
        "damaged-excel", f"the file cannot be read as an Excel workbook ({what})", where=where,
        hint="open it in Excel, save it as .xlsx, and give that",
    )  # fmt: skip


@contextmanager
def _refusing_damage(where: str) -> Iterator[None]:
    try:
        yield
    except ToolkitError:
        raise
    except Exception as error:  # noqa: BLE001 - a damaged workbook makes openpyxl raise nearly anything
        raise _damaged(where, type(error).__name__) from None

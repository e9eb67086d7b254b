"""What openpyxl does not tell of a sheet that is read row by row: merged cells, formulas, hidden rows, their order."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import IO

from openpyxl.utils import column_index_from_string

_CHUNK = 1 << 20
_ROW = re.compile(rb"<(?:\w+:)?row\b([^>]*)>")
_ROW_NUMBER = re.compile(rb'\br="(\d{1,9})"')
_HIDDEN = re.compile(rb'\bhidden="(?:1|true)"')
_FORMULA = re.compile(rb"<(?:\w+:)?c\b([^>]*)>\s*<(?:\w+:)?f\b(?:[^>]*/>|[^>]*>[^<]*</(?:\w+:)?f>)\s*(<(?:\w+:)?v\b)?")
_ADDRESS = re.compile(rb'\br="([A-Z]{1,3})(\d{1,9})"')
_MERGED = re.compile(rb'<(?:\w+:)?mergeCell\b[^>]*\bref="([A-Z]{1,3})(\d{1,9}):[A-Z]{1,3}(\d{1,9})"')


@dataclass
class Anatomy:
    """How one sheet is made.

    Attributes
    ----------
    merged
        Column (from 1) -> first and last row of each cell that is merged over several rows.
    formulas, uncalculated
        Column -> rows of its formulas, and of those whose value was never stored.
    hidden_rows
        How many rows are hidden, by a filter for instance.
    in_order
        Whether row numbers only rise; rows out of order would be lost.
    """

    merged: dict[int, list[tuple[int, int]]] = field(default_factory=lambda: defaultdict(list))
    formulas: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    uncalculated: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    hidden_rows: int = 0
    in_order: bool = True


def anatomy_of(xml: IO[bytes]) -> Anatomy:
    """Look through the XML of one sheet.

    Examples
    --------
    >>> import io
    >>> found = anatomy_of(io.BytesIO(
    ...     b'<row r="2" hidden="1"><c r="A2"><f>B2*2</f></c></row></sheetData><mergeCell ref="C2:C4"/>'))
    >>> dict(found.merged), dict(found.uncalculated), found.hidden_rows
    ({3: [(2, 4)]}, {1: [2]}, 1)
    """
    found = Anatomy()
    last = 0
    rest = b""
    while chunk := xml.read(_CHUNK):
        data = rest + chunk
        end = max(data.rfind(b"row>") + 4, data.rfind(b"<", 0, max(data.rfind(b"mergeCell "), 0)))
        last = _note(data[:end], found, last)
        rest = data[end:]
    _note(rest, found, last)
    for spans in found.merged.values():
        spans.sort()
    return found


def _note(xml: bytes, found: Anatomy, last: int) -> int:
    """Note what stands in some whole elements, and return the number of the last row in them."""
    for row in _ROW.finditer(xml):
        stated = _ROW_NUMBER.search(row[1])
        current = int(stated[1]) if stated else last + 1
        found.in_order = found.in_order and current > last
        found.hidden_rows += bool(_HIDDEN.search(row[1]))
        last = current
    if b"<f" in xml or b":f" in xml:
        for cell in _FORMULA.finditer(xml):
            address = _ADDRESS.search(cell[1])
            column, number = (column_index_from_string(address[1].decode()), int(address[2])) if address else (0, last)
            found.formulas[column].append(number)
            if not cell[2]:
                found.uncalculated[column].append(number)
    for merged in _MERGED.finditer(xml):
        first, end = int(merged[2]), int(merged[3])
        if first < end:
            found.merged[column_index_from_string(merged[1].decode())].append((first, end))
    return last

"""Where rows begin in delimited text with blank lines and quoted line breaks."""

from __future__ import annotations

import csv
import re
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from toolkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

_QUOTED_PART = re.compile(r'(?:[^"]|"")*"(?!")')


def row_starts(lines: Sequence[str], first: int, delimiter: str, where: str) -> list[int]:
    r"""Return the line number of each row: lines that are not empty and not inside a quoted cell.

    Parameters
    ----------
    lines
        Lines with their ends.
    first
        Number of the first of them.
    delimiter
        One character. A quote opens a cell only at the cell's start.
    where
        File, for the message.

    Raises
    ------
    InputError
        A quote opens and never closes: with the line where it opens.

    Examples
    --------
    >>> row_starts(['a,"b\n', 'c"\n', '\n', 'd,5" e\n'], 2, ",", "orders.csv")
    [2, 5]
    """
    opening = re.compile(rf'(?<![^{re.escape(delimiter)}])"')
    starts: list[int] = []
    inside = False
    opened = first
    for number, line in enumerate(lines, first):
        if not inside and line != "\n":
            starts.append(number)
        if '"' not in line:
            continue
        at = 0
        while True:
            found = _QUOTED_PART.match(line, at) if inside else opening.search(line, at)
            if not found:
                break
            at = found.end()
            inside = not inside
            opened = number if inside else opened
    if inside:
        raise _unclosed("a quote opens and never closes", f"{where}:{opened}")
    return starts


def refuse_swallowed_rows(
    parsed: pa.Table, ragged: Sequence[tuple[int, str]], lines: Sequence[int], *, delimiter: str, width: int, where: str
) -> None:
    """Refuse a cell that holds a whole line with its delimiters: a quote swallowed rows.

    Parameters
    ----------
    parsed, ragged
        Rows as they were split, and rows of the wrong width with their lines.
    lines
        Line of each row of ``parsed``.
    delimiter, width
        What stands between cells, and how many cells a row has.
    where
        File, for the message.

    Raises
    ------
    InputError
        With the line where the cell begins.
    """
    mark = re.escape(delimiter)
    whole_line = rf"(?:^|\n)[^\n{mark}]*(?:{mark}[^\n{mark}]*){{{min(max(width - 1, 1), 1000)}}}(?:$|\n)"
    for column in parsed.columns:
        hits = pc.and_(pc.match_substring(column, "\n"), pc.match_substring_regex(column, whole_line))
        if pc.any(hits).as_py():
            raise _unclosed("a quoted cell swallows whole rows", f"{where}:{lines[pc.index(hits, value=True).as_py()]}")
    for line, text in ragged:
        if "\n" in text and re.search(whole_line, text):
            raise _unclosed("a quoted cell swallows whole rows", f"{where}:{line}")


def cells_of(row: str, delimiter: str) -> list[str]:
    """Split one row; a cell too long for the csv module is split without regard to quotes."""
    try:
        return next(csv.reader([row], delimiter=delimiter), [])
    except csv.Error:
        return row.split(delimiter)


def rows_equal_to(parsed: pa.Table, cells: Sequence[str]) -> pa.ChunkedArray | None:
    """Mark the rows that hold exactly these cells, spaces aside; None where there is none."""
    marked: pa.ChunkedArray | None = None
    for column, cell in zip(parsed.columns, cells, strict=False):
        same = pc.equal(pc.utf8_trim_whitespace(column), cell)
        marked = same if marked is None else pc.and_(marked, same)
        if not pc.any(marked).as_py():
            return None
    return marked


def _unclosed(what: str, where: str) -> InputError:
    return InputError("unclosed-quote", what, where=where, hint="close or remove the quote on that line")

"""Text -> whole rows: where they begin among blank lines and quoted line breaks, and quotes that swallow others."""

from __future__ import annotations

import csv
import io
import re
from itertools import chain
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from toolkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

LONGEST_ROW = 1 << 24
"""Characters that one row may have; a longer one is taken for a quote that never closes."""
_QUOTED_PART = re.compile(r'(?:[^"]|"")*"(?!")')


def lines_of(text: str, *, whitespace: bool = False) -> list[str]:
    r"""Split text into lines with their ends; with ``whitespace`` each run of spaces becomes one.

    Examples
    --------
    >>> lines_of("a  b\n c", whitespace=True)
    ['a b\n', 'c\n']
    """
    lines = io.StringIO(text, newline="\n").readlines()
    return [" ".join(line.split()) + "\n" for line in lines] if whitespace else lines


def whole_rows(
    pieces: Iterable[str], first: int, delimiter: str, where: str, *, whitespace: bool = False
) -> Iterator[tuple[list[str], list[int]]]:
    r"""Cut text where a row ends.

    Parameters
    ----------
    pieces
        The text, cut anywhere.
    first
        Number of its first line.
    delimiter, where, whitespace
        As for `row_starts` and `lines_of`.

    Yields
    ------
    tuple of list of str and list of int
        Lines that hold whole rows, and the number of the line at which each row begins.

    Raises
    ------
    InputError
        A quote opens and never closes: with the line where it opens. A row is longer than `LONGEST_ROW`.

    Examples
    --------
    >>> list(whole_rows(['a,"b', '\nc"\n', 'd,e'], 2, ",", "orders.csv"))
    [([], []), (['a,"b\n', 'c"\n'], [2]), ([], []), (['d,e'], [4])]
    """
    rest = ""
    for piece in chain(pieces, (None,)):
        text = rest + (piece or "")
        end = len(text) if piece is None else text.rfind("\n") + 1
        rest = text[end:]
        lines = lines_of(text[:end], whitespace=whitespace)
        starts, opened = row_starts(lines, first, delimiter)
        if opened is not None:
            if piece is None:
                raise _unclosed("a quote opens and never closes", f"{where}:{opened}")
            cut = starts.pop() - first
            rest = "".join(lines[cut:]) + rest
            del lines[cut:]
        if len(rest) > LONGEST_ROW:
            what = f"a row is longer than {LONGEST_ROW // 1_000_000} million characters"
            raise _unclosed(what, f"{where}:{opened or first + len(lines)}")
        yield lines, starts
        first += len(lines)


def row_starts(lines: Sequence[str], first: int, delimiter: str) -> tuple[list[int], int | None]:
    r"""Return the line number of each row, and the line of a quote that opens and does not close.

    Parameters
    ----------
    lines
        Lines with their ends; a row begins at one that is not empty and not inside a quoted cell.
    first
        Number of the first of them.
    delimiter
        One character. A quote opens a cell only at the cell's start.

    Examples
    --------
    >>> row_starts(['a,"b\n', 'c"\n', '\n', 'd,5" e\n', 'f,"g\n'], 2, ",")
    ([2, 5, 6], 6)
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
    return starts, opened if inside else None


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

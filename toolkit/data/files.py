"""Delimited text as people export it -> columns of text, piece by piece: encoding, preamble, delimiter, rows."""

from __future__ import annotations

import csv
from collections import Counter
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING

from tqdm import tqdm

from toolkit.data.encoding import detect, refuse_other_formats, texts
from toolkit.data.headers import SourceFile, is_header, map_columns
from toolkit.data.rows import LONGEST_ROW, cells_of, lines_of, whole_rows
from toolkit.data.splitting import ROWS_LOOKED_AT, Layout, rows_end_with_a_delimiter
from toolkit.data.typed import file_hash
from toolkit.data.unpacking import source_of
from toolkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    import pyarrow as pa

    from toolkit.study import TableFile
    from toolkit.tables import Table

DELIMITERS = (",", "\t", ";", "|")
HEADER_SEARCH_LINES = 60
EXCEL_ROW_LIMITS = (1_048_575, 1_048_576)


def read_csv(path: Path, spec: TableFile, table: Table, keep: Callable[[pa.Table], object]) -> SourceFile:
    """Read one delimited text file into columns of text, some rows at a time.

    Parameters
    ----------
    path
        The file; one whose name ends in ``.gz`` is unpacked.
    spec
        What the study file says about it.
    table
        The table that it holds.
    keep
        Is given the rows, some at a time, not quite in their order: one text column per mapped canonical column
        (factors of a product are ``<column>_1`` and ``<column>_2``), and ``first_cell``, ``source_row`` (int64, line
        of the file) and ``ragged`` (text, else null).

    Returns
    -------
    SourceFile
        What was found out about the file.

    Raises
    ------
    InputError
        The file is empty, has no rows, is not text, has mixed encodings, an unclosed quote, or lacks a required column.
    """
    source = source_of(path)
    with source() as handle:
        refuse_other_formats(handle.read(1 << 12), path.name)
    packed = path.suffix.lower() == ".gz"
    total = None if packed else 2 * path.stat().st_size
    with tqdm(total=total, desc=path.name, unit="B", unit_scale=True, delay=2, leave=False) as bar:
        encoding = detect(source, path.name, spec.encoding, bar.update)
        return _read(path, spec, table, keep, encoding=encoding, pieces=texts(source, encoding, bar.update))


def _read(
    path: Path,
    spec: TableFile,
    table: Table,
    keep: Callable[[pa.Table], object],
    *,
    encoding: str,
    pieces: Iterator[str],
) -> SourceFile:
    head = _head(pieces)
    whitespace = spec.delimiter == "whitespace"
    if whitespace:
        spec = spec.model_copy(update={"delimiter": " "})
    lines = lines_of(head, whitespace=whitespace)
    start, after, header, delimiter = _find_header(lines, spec, table, path.name)
    mapping, dropped = map_columns(header, spec, table, path.name)
    trailing = rows_end_with_a_delimiter(lines[after : after + ROWS_LOOKED_AT], len(header), delimiter)
    layout = Layout(header, delimiter, mapping, trailing, path.name)
    rest = "".join(lines_of(head)[after:])
    repairs: Counter[str] = Counter()
    rows = whole = 0
    for some, starts in whole_rows(chain([rest], pieces), after + 1, delimiter, path.name, whitespace=whitespace):
        part = layout.split(some, starts)
        keep(part.columns)
        rows += part.columns.num_rows
        whole += part.whole
        repairs += part.repairs
    if not rows:
        raise InputError(
            "no-rows",
            "the file has a header and 0 rows",
            where=path.name,
            hint="export it again with its rows",
        )
    facts = {
        "trailing_delimiter": int(trailing),
        "excel_row_limit": whole if whole in EXCEL_ROW_LIMITS else 0,
        "preamble_lines": start,
        "transcoded": int(encoding not in ("utf-8", spec.encoding)),
    }
    return SourceFile(
        path.name,
        partial(file_hash, path),
        encoding,
        delimiter,
        repairs=dict(repairs) | {name: count for name, count in facts.items() if count},
        mapping=mapping,
        dropped=dropped,
    )


def _head(pieces: Iterable[str]) -> str:
    """Take as much of the text as the search for its header needs, blank lines at the start aside."""
    head = ""
    for piece in pieces:
        head += piece
        if head.lstrip().count("\n") > HEADER_SEARCH_LINES + ROWS_LOOKED_AT or len(head) > LONGEST_ROW:
            break
    return head


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
    first = next((n for n, line in enumerate(lines) if line.strip()), 0)
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
        if is_header(header, spec, table):
            return first, reader.line_num, header

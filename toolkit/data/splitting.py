"""Whole rows of delimited text -> columns of text: ragged rows, blank ones, repeated headers, trailing delimiters."""

from __future__ import annotations

import io
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from toolkit.data.headers import FIRST_CELL, RAGGED, SOURCE_ROW
from toolkit.data.rows import LONGEST_ROW, cells_of, refuse_swallowed_rows, rows_equal_to
from toolkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_TEXT_MARKS = ('="', "`", "'")
_MARKED = r"(?s)^\s*(?:=\"([^\"]*)\"\s*|`(.*)|'(\d.*))$"
"""How exports keep Excel from taking a text for a number: ``="00123"``, ``'00123``, and a backquote before all."""
HEADS_OF_TOTALS = re.compile("`?(总交易单数|总笔数)")
"""How a line begins that names totals whose figures stand in the line below."""
ROWS_LOOKED_AT = 20
"""Lines after the header that tell whether every row ends with a delimiter."""


@dataclass(frozen=True)
class Part:
    """Some rows of a file.

    Attributes
    ----------
    columns
        One text column per mapped canonical column, ``first_cell``, ``source_row`` and ``ragged``.
    whole
        How many of the rows are as wide as the header.
    repairs
        What was repaired, counted.
    """

    columns: pa.Table
    whole: int
    repairs: Counter[str]


@dataclass(frozen=True)
class Layout:
    """How the rows of one file are written, and which of their cells are wanted.

    Attributes
    ----------
    header, delimiter
        Cells of the header, and what stands between cells.
    mapping
        Canonical column -> its header or headers.
    trailing
        Whether every row ends with a delimiter.
    where
        File, for messages.
    """

    header: list[str]
    delimiter: str
    mapping: dict[str, tuple[str, ...]]
    trailing: bool
    where: str

    def split(self, lines: Sequence[str], starts: Sequence[int]) -> Part:
        """Split whole rows into columns.

        Parameters
        ----------
        lines
            The lines of these rows.
        starts
            The number of the line at which each begins.

        Raises
        ------
        InputError
            A quoted cell swallows whole rows, or the rows cannot be split at all.
        """
        names = [f"c{position}" for position in range(len(self.header))] + ["trailing"] * self.trailing
        width = len(self.header)
        skipped: dict[int, list[str] | str] = {}

        def keep(row: pacsv.InvalidRow) -> str:
            cells = cells_of(row.text, self.delimiter)
            fits = not any(cell.strip() for cell in cells[width:]) and len(cells) >= width
            skipped[(row.number or 1) - 1] = [*cells, ""][: len(names)] if fits else row.text
            return "skip"

        body = "".join(lines)
        parsed = self._parsed(body, names, keep) if starts else _no_rows(names)
        kept = [line for position, line in enumerate(starts) if position not in skipped]
        blank = {at for at, row in skipped.items() if isinstance(row, str) and not row.strip(self.delimiter + " \t\n")}
        ragged = [(starts[at], row) for at, row in skipped.items() if isinstance(row, str) and at not in blank]
        extra = {starts[at]: row for at, row in skipped.items() if not isinstance(row, str)}
        if '"' in body:
            refuse_swallowed_rows(parsed, ragged, kept, delimiter=self.delimiter, width=width, where=self.where)
        parsed = parsed.append_column(SOURCE_ROW, pa.array(kept, pa.int64()))
        if extra:
            cells = {name: [row[position] for row in extra.values()] for position, name in enumerate(names)}
            parsed = pa.concat_tables([parsed, pa.table(cells | {SOURCE_ROW: list(extra)}, schema=parsed.schema)])
        repairs = Counter({"blank_rows": len(blank), "empty_extra_cells": len(extra)})
        for name, cells_to_drop in (("blank_rows", [""] * len(names)), ("repeated_header", self.header)):
            drop = rows_equal_to(parsed, cells_to_drop)
            if drop is not None:
                repairs[name] += pc.sum(drop).as_py()
                parsed = parsed.filter(pc.invert(drop))
        if self.trailing:
            filled = pc.not_equal(pc.utf8_trim_whitespace(parsed.column("trailing")), "")
            ragged += [
                (row[SOURCE_ROW], self.delimiter.join(row[name] for name in names))
                for row in parsed.filter(filled).to_pylist()
            ]
            parsed = parsed.filter(pc.invert(filled))
        columns = self._selected(parsed)
        if any(mark in body for mark in _TEXT_MARKS):
            columns, repairs["text_marks"] = _without_text_marks(columns, list(columns.column_names)[:-3])
        if ragged:
            columns = pa.concat_tables([columns, _ragged_rows(ragged, columns.schema)])
        return Part(columns, parsed.num_rows, +repairs)

    def _parsed(self, body: str, names: list[str], keep: Callable[[pacsv.InvalidRow], str]) -> pa.Table:
        try:
            return pacsv.read_csv(
                io.BytesIO(body.encode("utf-8")),
                read_options=pacsv.ReadOptions(column_names=names, use_threads=False, block_size=LONGEST_ROW),
                parse_options=pacsv.ParseOptions(
                    delimiter=self.delimiter,
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
            raise InputError(
                "csv", "the file cannot be split into rows", where=self.where, hint="export it again"
            ) from None

    def _selected(self, parsed: pa.Table) -> pa.Table:
        columns: dict[str, pa.ChunkedArray] = {}
        for name, headers in self.mapping.items():
            for number, one in enumerate(headers, 1):
                column = parsed.column(f"c{self.header.index(one)}")
                columns[name if len(headers) == 1 else f"{name}_{number}"] = column
        columns[FIRST_CELL] = parsed.column("c0")
        columns[SOURCE_ROW] = parsed.column(SOURCE_ROW)
        columns[RAGGED] = pa.nulls(parsed.num_rows, pa.string())
        return pa.table(columns)


def rows_end_with_a_delimiter(head: Sequence[str], width: int, delimiter: str) -> bool:
    r"""Tell whether every row has one empty cell more than the header.

    Examples
    --------
    >>> rows_end_with_a_delimiter(["a,b,\n", "c,d,\n"], 2, ",")
    True
    """
    rows = [cells_of(line.rstrip("\n"), delimiter) for line in head if line.strip()]
    return bool(rows) and all(len(row) == width + 1 and not row[-1].strip() for row in rows)


def _without_text_marks(columns: pa.Table, names: Sequence[str]) -> tuple[pa.Table, int]:
    count = 0
    for name in names:
        marked = columns.column(name)
        plain = pc.replace_substring_regex(marked, _MARKED, r"\1\2\3")
        count += pc.sum(pc.not_equal(marked, plain)).as_py() or 0
        columns = columns.set_column(columns.column_names.index(name), name, plain)
    return columns, count


def _no_rows(names: list[str]) -> pa.Table:
    return pa.table({name: pa.array([], pa.string()) for name in names})


def _first_cells(ragged: list[tuple[int, str]]) -> list[str]:
    """Return how ragged lines begin; figures right under the heads of totals begin as these do."""
    heads = {line + 1: text for line, text in ragged if HEADS_OF_TOTALS.match(text)}
    return [heads.get(line, text)[:80] for line, text in ragged]


def _ragged_rows(ragged: list[tuple[int, str]], schema: pa.Schema) -> pa.Table:
    columns: dict[str, pa.Array] = {name: pa.nulls(len(ragged), schema.field(name).type) for name in schema.names}
    columns[FIRST_CELL] = pa.array(_first_cells(ragged), pa.string())
    columns[SOURCE_ROW] = pa.array([line for line, _ in ragged], pa.int64())
    columns[RAGGED] = pa.array([text for _, text in ragged], pa.string())
    return pa.table(columns, schema=schema)

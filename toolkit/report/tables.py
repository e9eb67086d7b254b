"""Tables as people see them, in a notebook and on a page: everything escaped, numbers right, ids as pseudonyms."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from html import escape
from numbers import Number
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from toolkit.report.pseudonyms import Pseudonyms, pseudonymised
from toolkit.report.small_cells import Mark

if TYPE_CHECKING:
    from collections.abc import Iterable

Format = str | Callable[[Any], str]

MISSING = "–"

_STYLE = (
    "<style>.table-wrap{overflow-x:auto}.table-wrap th,.table-wrap td{text-align:left}"
    ".table-wrap .num{text-align:right;font-variant-numeric:tabular-nums}.table-wrap td.num{white-space:nowrap}"
    ".table-wrap .total>*{font-weight:bold;border-top:1px solid}</style>"
)


@dataclass(frozen=True, repr=False, eq=False)
class Table:
    """A table to look at: the last line of a notebook's cell, or a part of a page.

    Parameters
    ----------
    frame
        One value a cell. The index heads the rows, unless it only numbers them.
    formats
        By column or index name, how its values are written: a format string such as ``{:.1%}``, or a function from
        value to text. Neither is asked for missing values nor for marks of hidden counts. Without one, see `plainly`.
    labels
        By column or index name, what its header reads; the name itself where it is left out.
    caption
        One line above the table.
    total
        Index label of the row that holds the totals, drawn as such.
    pseudonyms
        What stands for the ids of persons; None will do where there are none.

    Examples
    --------
    >>> table = Table(pd.DataFrame({"customers": [1200, 34]}, index=["a", "b"]), labels={"customers": "Customers"})
    >>> table
      Customers
    a     1,200
    b        34
    """

    frame: pd.DataFrame
    formats: Mapping[Any, Format] = field(default_factory=dict)
    labels: Mapping[Any, str] = field(default_factory=dict)
    caption: str = ""
    total: Hashable | None = None
    pseudonyms: Pseudonyms | None = None

    def __repr__(self) -> str:
        columns = self._columns()
        lines = pd.DataFrame(dict(enumerate(column.texts for column in columns)))
        with pd.option_context("display.unicode.east_asian_width", True):  # noqa: FBT003 - the call takes pairs
            text = lines.to_string(header=[column.header for column in columns], index=False)
        return f"{self.caption}\n{text}" if self.caption else text

    def _repr_html_(self) -> str:
        columns = self._columns()
        heads = "".join(f'<th scope="col"{column.alignment}>{escape(column.header)}</th>' for column in columns)
        rows = "".join(self._row(place, columns) for place in range(len(self.frame)))
        caption = f"<caption>{escape(self.caption)}</caption>" if self.caption else ""
        table = f"<table>{caption}\n<thead><tr>{heads}</tr></thead>\n<tbody>{rows}\n</tbody></table>"
        return f'<div class="table-wrap">{_STYLE}{table}</div>'

    def _row(self, place: int, columns: Iterable[_Column]) -> str:
        is_total = self.total is not None and self.frame.index[place] == self.total
        opening = '<tr class="total">' if is_total else "<tr>"
        return "\n" + opening + "".join(column.cell(place) for column in columns) + "</tr>"

    def _columns(self) -> list[_Column]:
        frame = pseudonymised(self.frame, self.pseudonyms)
        levels = [] if numbers_rows(frame.index) else range(frame.index.nlevels)
        return [
            *(
                self._column(frame.index.names[level], frame.index.get_level_values(level), heads_row=True)
                for level in levels
            ),
            *(self._column(label, frame.iloc[:, place], heads_row=False) for place, label in enumerate(frame.columns)),
        ]

    def _column(self, name: Hashable, values: Iterable[Any], *, heads_row: bool) -> _Column:
        cells = list(values)
        style = self.formats.get(name, plainly)
        header = self.labels.get(name, "" if name is None else str(name))
        return _Column(header, [_written(cell, style) for cell in cells], any(map(_is_number, cells)), heads_row)


def to_html(
    frame: pd.DataFrame,
    *,
    formats: Mapping[Any, Format] | None = None,
    labels: Mapping[Any, str] | None = None,
    caption: str = "",
    total: Hashable | None = None,
    pseudonyms: Pseudonyms | None = None,
) -> str:
    """Return a table as a piece of a page: every header, cell and caption escaped, nothing loaded.

    Parameters
    ----------
    frame, formats, labels, caption, total, pseudonyms
        As for `Table`.

    Returns
    -------
    str
        ``<div class="table-wrap">`` with the table. Columns with numbers are of class ``num``, the row of totals is of
        class ``total``.

    Examples
    --------
    >>> "&lt;b&gt;" in to_html(pd.DataFrame({"name": ["<b>"]}))
    True
    """
    return Table(frame, formats or {}, labels or {}, caption, total, pseudonyms)._repr_html_()


def plainly(value: Any) -> str:
    """Write a value where no format was given.

    Whole numbers get thousands separators, others three significant digits, and midnights are days.

    Examples
    --------
    >>> plainly(1234567), plainly(0.12345), plainly(98765.4), plainly(pd.Timestamp("2026-10-31"))
    ('1,234,567', '0.123', '98,765', '2026-10-31')
    """
    if isinstance(value, int | np.integer) and not isinstance(value, bool):
        return f"{value:,}"
    if isinstance(value, float | np.floating | Decimal):
        return f"{value:,.0f}" if abs(float(value)) >= 100 else f"{value:.3g}"
    if isinstance(value, datetime) and value.time() == datetime.min.time():
        return value.date().isoformat()
    return str(value)


@dataclass(frozen=True)
class _Column:
    header: str
    texts: list[str]
    numeric: bool
    heads_row: bool

    @property
    def alignment(self) -> str:
        return ' class="num"' if self.numeric else ""

    def cell(self, place: int) -> str:
        text = escape(self.texts[place])
        if self.heads_row:
            return f'<th scope="row"{self.alignment}>{text}</th>'
        return f"<td{self.alignment}>{text}</td>"


def _written(value: Any, style: Format) -> str:
    if isinstance(value, Mark):
        return str(value)
    if pd.api.types.is_scalar(value) and pd.isna(value):
        return MISSING
    return style.format(value) if isinstance(style, str) else style(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, Number | np.number | Mark) and not isinstance(value, bool)


def numbers_rows(index: pd.Index[Any]) -> bool:
    """Say whether an index only numbers the rows, so that nobody needs to see it."""
    return isinstance(index, pd.RangeIndex) and index.name is None

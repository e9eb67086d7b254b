"""One cell of a workbook -> the text that a CSV export of it would hold."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from openpyxl.cell.cell import ERROR_CODES

if TYPE_CHECKING:
    from toolkit.tables import Kind

EXACT_BELOW = 10**15
"""Excel keeps 15 digits of a number: from here on an id is no longer what it was."""

_ERRORS = frozenset((*ERROR_CODES, "#SPILL!", "#CALC!", "#FIELD!", "#BLOCKED!", "#CONNECT!", "#GETTING_DATA"))
_CONTROL = re.compile(r"_x000([9ADad])_")


def cell_text(value: object, kind: Kind) -> str:
    r"""Write a cell as text.

    Parameters
    ----------
    value
        As openpyxl gives it.
    kind
        Of the column: only where it is ``number`` does a length of time become seconds.

    Returns
    -------
    str
        Empty for an empty cell and for an error such as ``#N/A``; dates and times as ``2026-01-05 10:00:00``; numbers
        in full with 15 significant digits, as many as Excel keeps; booleans as ``TRUE`` and ``FALSE``.

    Examples
    --------
    >>> from datetime import datetime, timedelta
    >>> cell_text(datetime(2026, 1, 5), "timestamp"), cell_text(0.1 + 0.2, "money"), cell_text(17.0, "id")
    ('2026-01-05 00:00:00', '0.3', '17')
    >>> cell_text(timedelta(minutes=5), "number"), cell_text("a_x000D_\nb", "text"), cell_text("#REF!", "id")
    ('300', 'a\nb', '')
    """
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, int | float):
        return _number(value)
    if isinstance(value, date | time | timedelta):
        return _moment(value, kind)
    return "" if value is None else str(value)


def is_lost_id(value: object) -> bool:
    """Tell whether a cell is a number with more digits than Excel keeps."""
    return isinstance(value, int | float) and abs(value) >= EXACT_BELOW


def _text(value: str) -> str:
    if value in _ERRORS:
        return ""
    if "_x000" in value:
        value = _CONTROL.sub(lambda found: chr(int(found[1], 16)), value)
    if "\r" in value:
        value = value.replace("\r\n", "\n").replace("\r", "\n")
    return value.replace("\ufeff", "")


def _number(value: float) -> str:
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, int) or (value.is_integer() and abs(value) < EXACT_BELOW):
        return str(int(value))
    return format(Decimal(format(value, ".15g")), "f")


def _moment(value: date | time | timedelta, kind: Kind) -> str:
    if isinstance(value, datetime):
        return value.replace(tzinfo=None).isoformat(" ")
    if isinstance(value, date):
        return f"{value.isoformat()} 00:00:00"
    if kind != "number":
        return str(value)
    if isinstance(value, time):
        value = timedelta(hours=value.hour, minutes=value.minute, seconds=value.second, microseconds=value.microsecond)
    return _number(value.total_seconds())

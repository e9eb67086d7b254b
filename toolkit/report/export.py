"""The one door out: whatever leaves as a table leaves with pseudonyms, escaped, disarmed and whole."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path
from typing import Any

import pandas as pd

from toolkit.errors import ArgumentError
from toolkit.report.pseudonyms import Pseudonyms, pseudonymised
from toolkit.report.small_cells import suppress_crosstab, suppress_small
from toolkit.report.tables import Table, numbers_rows, to_html

__all__ = [
    "Pseudonyms",
    "Table",
    "disarm",
    "pseudonymised",
    "suppress_crosstab",
    "suppress_small",
    "to_csv",
    "to_html",
]

_FORMULA = re.compile(r"\s*[=+\-@\t\r\n＝＋－＠]")


def disarm(frame: pd.DataFrame) -> pd.DataFrame:
    """Put an apostrophe before every text that a spreadsheet would run as a formula.

    Parameters
    ----------
    frame
        Any frame; its cells, column headers, index and axis names are looked at.

    Returns
    -------
    DataFrame
        A copy. Texts that start, after any blanks, with ``= + - @``, their full-width forms, a tab or a line end begin
        with an apostrophe; numbers are left, negative ones too.

    Examples
    --------
    >>> disarm(pd.DataFrame({"note": ["=1+1", "fine"], "gain": [-5, 7]}))
        note  gain
    0  '=1+1    -5
    1   fine     7
    """
    result = frame.copy()
    for place in range(frame.shape[1]):
        column = frame.iloc[:, place]
        if _may_hold_text(column):
            result.isetitem(place, column.astype(object).map(_disarmed, na_action="ignore").array)
    result.index = _disarmed_axis(frame.index)
    result.columns = _disarmed_axis(frame.columns)
    return result


def _may_hold_text(values: pd.Series[Any] | pd.Index[Any]) -> bool:
    kind = values.dtype
    return (
        isinstance(kind, pd.CategoricalDtype)
        or pd.api.types.is_object_dtype(kind)
        or pd.api.types.is_string_dtype(kind)
    )


def _disarmed_axis(axis: pd.Index[Any]) -> pd.Index[Any]:
    names = [_disarmed(name) for name in axis.names]
    if isinstance(axis, pd.MultiIndex) or _may_hold_text(axis):
        axis = axis.map(lambda label: tuple(map(_disarmed, label)) if isinstance(label, tuple) else _disarmed(label))
    return axis.set_names(names)


def _disarmed(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and _FORMULA.match(value) else value


def to_csv(frame: pd.DataFrame, path: Path, *, pseudonyms: Pseudonyms) -> None:
    r"""Write a table for a spreadsheet: whole or not at all.

    Parameters
    ----------
    frame
        One value a cell. The index is written, unless it only numbers the rows.
    path
        File to write; an older one stays until the new one is complete.
    pseudonyms
        What stands for the ids of persons.

    Raises
    ------
    ArgumentError
        Where a cell holds a list, a frame, bytes or the like.

    Notes
    -----
    UTF-8 with a byte order mark, by which spreadsheets read Chinese right, and CRLF line ends (RFC 4180). The file is
    written beside its target, flushed to the disk, then renamed. Only its owner can read it (mode 0600): it may hold
    one row a person.

    Examples
    --------
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "audience.csv"
    ...     to_csv(pd.DataFrame({"customer_id": ["C1"], "action": ["call"]}), path, pseudonyms=Pseudonyms.demo())
    ...     path.read_text(encoding="utf-8-sig")
    'customer_id,action\np_dpo7oqzkj5bl,call\n'
    """
    _refuse_compound_cells(frame)
    table = disarm(pseudonymised(frame, pseudonyms))
    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8-sig", newline="", dir=path.parent, prefix=f".{path.name}.", delete=False
    ) as file:
        draft = Path(file.name)
        try:
            table.to_csv(file, index=not numbers_rows(frame.index), lineterminator="\r\n")
            file.flush()
            os.fsync(file.fileno())
        except BaseException:
            draft.unlink()
            raise
    draft.replace(path)


def _refuse_compound_cells(frame: pd.DataFrame) -> None:
    for place, label in enumerate(frame.columns):
        column = frame.iloc[:, place]
        kinds = {type(value): value for value in column} if _may_hold_text(column) else {}
        wrong = [
            kind.__name__
            for kind, value in kinds.items()
            if isinstance(value, bytes) or not pd.api.types.is_scalar(value)
        ]
        if wrong:
            raise ArgumentError(
                "compound-cell",
                f"a cell holds a {wrong[0]}, which is not one value",
                column=str(label),
                hint="explode() the column, or join its parts into a text",
            )

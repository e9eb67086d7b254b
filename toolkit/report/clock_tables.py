"""Tables of the churn clock as a page may show them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from toolkit.report.risk_tables import spanned
from toolkit.report.tables import Table
from toolkit.report.words import MISSING

if TYPE_CHECKING:
    from toolkit.report.frame import Frame

_ERRORS = {"lost_but_ordered": "called_lost", "alive_but_silent": "called_alive"}


_OTHER = {"called_lost": "called_alive", "called_alive": "called_lost"}


def clock_cells(rates: pd.DataFrame, looks: int | pd.Series[int], *, frame: Frame) -> pd.DataFrame:
    """Return error rates of the churn clock without those that rest on too few people.

    Parameters
    ----------
    rates
        A table of ``ChurnClock``: ``called_lost``, and each rate with ``_lower`` and ``_upper``.
    looks
        How many were looked at, in all or row by row.
    frame
        Day, window, language, currency.

    Returns
    -------
    DataFrame
        The same with ``called_alive``; a rate of few, or with few on either side of it, is missing.
    """
    table = rates.assign(called_alive=looks - rates["called_lost"])
    for rate, called in _ERRORS.items():
        wrong = (table[called] * table[rate].fillna(0.0)).round()
        few = [frame.small(n) or frame.small(n - bad) or frame.small(bad)
               for n, bad in zip(table[called], wrong, strict=True)]  # fmt: skip
        table.loc[few, [rate, f"{rate}_lower", f"{rate}_upper"]] = np.nan
    return table


def clock_table(cells: pd.DataFrame, first: str, marked: str | None = None, *, frame: Frame) -> Table:
    """Write error rates with their intervals.

    Parameters
    ----------
    cells
        Output of `clock_cells`, indexed by how each row is written.
    first
        Label of what the rows are.
    marked
        The row that is drawn as the row of totals.
    frame
        Day, window, language, currency.
    """
    words = frame.words
    table = pd.DataFrame(index=cells.index.rename(first))
    labels = {first: words.label(first)}
    if "window_days" in cells.columns:
        table["window_days"] = [f"{days:,.0f}" for days in cells["window_days"]]
        labels["window_days"] = words.label("window_candidate")
    for rate, called in _ERRORS.items():
        table[called] = [_told(n, other, frame) for n, other in zip(cells[called], cells[_OTHER[called]], strict=True)]
        table[rate] = [words.percent(share) for share in cells[rate]]
        ends = zip(cells[f"{rate}_lower"], cells[f"{rate}_upper"], strict=True)
        table[f"{rate}_interval"] = [spanned(low, high, words.percent) for low, high in ends]
        labels |= {called: words.label(called), rate: words.label(rate), f"{rate}_interval": words.label("interval")}
    if "recommended" in cells.columns:
        found = zip(cells["recommended"], cells["reached"], cells["called_alive"] > 0, strict=True)
        table["recommended"] = [
            (f"{days:,.0f}" if reached else f">{days:,.0f}") if asked else MISSING for days, reached, asked in found
        ]
        labels["recommended"] = words.label("own_window")
    return Table(table, {}, labels, "", marked)


def _told(count: float, other: float, frame: Frame) -> str:
    """Write a count; with the other side small it would tell that, as both together are known."""
    return f"≥{frame.min_cell}" if frame.small(other) and not frame.small(count) else frame.count(count)

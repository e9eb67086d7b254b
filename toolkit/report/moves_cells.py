"""The matrix and the bridge as a page may show them: what must stay hidden is marked."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from toolkit.report.small_cells import HIDDEN, Mark, suppress_crosstab
from toolkit.report.words import MISSING, TOTAL
from toolkit.segments.bridge import MEASURES, PARTS
from toolkit.segments.moved import GONE, NEW

if TYPE_CHECKING:
    from collections.abc import Hashable

    from toolkit.report.frame import Frame
    from toolkit.report.words import Words
    from toolkit.segments.migration import Migration


def crosstab(move: Migration, *, frame: Frame) -> pd.DataFrame:
    """Count customers by where they came from (rows) and where they are (columns), with totals.

    Small counts, and what would tell them, are hidden where the page is published.
    """
    table = move.table().fillna(0).astype("int64")
    table.index, table.columns = pd.Index(table.index, name="from"), pd.Index(table.columns, name="to")
    table[TOTAL] = table.sum(axis="columns")
    table.loc[TOTAL] = table.sum()
    return suppress_crosstab(table, total=TOTAL, min_cell=frame.min_cell) if frame.min_cell else table


def bridge_of(move: Migration, measure: str, *, frame: Frame) -> pd.DataFrame:
    """Lay the bridge of one measure out: a row per tier, then the total; what must stay hidden is marked.

    Notes
    -----
    On a published page a tier loses its parts where one of them is small, or where the matrix hides the same customers;
    no tier loses them alone, as the total would tell. Start and end are hidden where the matrix hides them.
    """
    whole = {name: _wide(move, name) for name in MEASURES}
    table = whole[measure]
    if not frame.min_cell:
        return table
    counts, cells = whole["customers"], crosstab(move, frame=frame)
    parts = counts[[*PARTS, "drift"]].map(lambda part: 0 < abs(int(part)) < frame.min_cell)
    hidden = parts.any(axis="columns")
    for tier in move.tiers:
        hidden[tier] |= _is_hidden(cells.loc[NEW, tier]) or _is_hidden(cells.loc[tier, GONE])
    hidden[TOTAL] |= _is_hidden(cells.loc[NEW, TOTAL]) or _is_hidden(cells.loc[TOTAL, GONE])
    if hidden.sum() == 1:
        hidden[counts.loc[~hidden, list(PARTS)].abs().sum(axis="columns").astype("int64").idxmin()] = True
    shown = table.astype("object")
    shown.loc[hidden, [*PARTS, "drift"]] = HIDDEN
    for tier in move.tiers:
        for part, cell in (("start", cells.loc[tier, TOTAL]), ("end", cells.loc[TOTAL, tier])):
            if _is_hidden(cell):
                shown.loc[tier, part] = cell if measure == "customers" else HIDDEN
    for part, cell in (("start", cells.loc[NEW, TOTAL]), ("end", cells.loc[TOTAL, GONE])):
        if _is_hidden(cell):
            shown.loc[TOTAL, part] = HIDDEN
    return shown


def name_of(key: Hashable, by: str, words: Words) -> str:
    """Return the name of a tier, or of who is new or gone."""
    return words.label(f"moves_{key}") if key in {NEW, GONE} else words.tier(by, str(key))


def number_of(cell: object) -> float:
    """Return a cell's number; what is hidden counts as nothing."""
    return float(cell) if isinstance(cell, int | float | Decimal | np.number) else 0.0


def count_text(cell: object, frame: Frame) -> str:
    """Write a count, hidden or not."""
    return str(cell) if isinstance(cell, Mark) else frame.count(number_of(cell))


def cell_text(cell: object, measure: str, frame: Frame) -> str:
    """Write a cell of the bridge, hidden or not."""
    if isinstance(cell, Mark):
        return MISSING if measure == "spend" else str(cell)
    return frame.money(number_of(cell)) if measure == "spend" else f"{number_of(cell):,.0f}"


def signed_text(value: float, measure: str, frame: Frame) -> str:
    """Write a change with its sign."""
    size = frame.money(abs(value)) if measure == "spend" else f"{abs(value):,.0f}"
    return f"{'−' if value < 0 else '+' if value else ''}{size}"


def _wide(move: Migration, measure: str) -> pd.DataFrame:
    rows = move.bridge[move.bridge["measure"] == measure]
    return rows.drop(columns="measure").set_index("tier")


def _is_hidden(cell: object) -> bool:
    return isinstance(cell, Mark)

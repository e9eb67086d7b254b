"""Periods and cohorts as a page may show them: small counts, and what would tell them, are marked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from toolkit.report.small_cells import HIDDEN, Mark, suppress_small

if TYPE_CHECKING:
    from toolkit.report.frame import Frame
    from toolkit.segments.accounting import GrowthAccounting
    from toolkit.segments.retention import CohortRetention

BUYERS = ("new", "retained", "resurrected", "dormant")
PERIODS_SHOWN = 13


def periods_of(accounting: GrowthAccounting, *, frame: Frame) -> pd.DataFrame:
    """Return the last periods; one with a small count loses the split of its buyers and money."""
    table = accounting.periods.tail(PERIODS_SHOWN)
    if not frame.min_cell:
        return table
    hidden = table[list(BUYERS)].map(frame.small).any(axis="columns")
    few = table["active"].map(frame.small)
    shown = table.astype("object")
    shown.loc[hidden, [name for name in table.columns if name not in {"active", "spend"}]] = HIDDEN
    shown.loc[few, ["active", "spend"]] = HIDDEN
    return shown


def cohorts_of(retention: CohortRetention, *, frame: Frame) -> pd.DataFrame:
    """Return customers and shares by cohort and age; small counts of the active are marked, age by age."""
    shown = retention.share.astype("object")
    if frame.min_cell:
        for age in shown.columns:
            closed = retention.active[age].dropna().astype("int64")
            marked = suppress_small(closed.to_frame("active"), counts="active", min_cell=frame.min_cell)["active"]
            for cohort, cell in marked.items():
                if isinstance(cell, Mark):
                    shown.loc[cohort, age] = HIDDEN
    customers = retention.customers.map(lambda n: HIDDEN if frame.small(n) else n)
    return pd.concat([customers, shown], axis="columns")


def settings_of(table: pd.DataFrame, *, frame: Frame) -> pd.DataFrame:
    """Return the comparison of hysteresis; a small count of flaps or of late changes hides what it follows from."""
    if not frame.min_cell:
        return table
    shown = table.astype("object")
    for count, others in (("flaps", ["flap_share", "flaps_avoided"]), ("late", ["mean_delay_days"])):
        few = table[count].map(frame.small)
        shown.loc[few, [count, *others]] = HIDDEN
    return shown

"""Cells of the page on risk: the churn clock, that is, after how many silent days somebody is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from toolkit.errors import ToolkitError
from toolkit.report import plots_clock
from toolkit.report.clock_tables import clock_cells, clock_table
from toolkit.report.note import Note
from toolkit.report.outlook import Reason, missing
from toolkit.risk.clock import ChurnClock, churn_clock
from toolkit.schema import SEGMENT, SEGMENTS

if TYPE_CHECKING:
    from toolkit.data.warehouse import Warehouse
    from toolkit.report.outlook import Outlook
    from toolkit.report.page import Page
    from toolkit.report.tables import Table
    from toolkit.segments.rfm import RFM


def clock_of(study: Warehouse, ahead: Outlook, tiers: RFM) -> ChurnClock | Reason:
    """Measure how wrong each churn window is, or say why it cannot be."""
    if "risk" in ahead.reasons:
        return ahead.reasons["risk"]
    try:
        return churn_clock(study, ahead.as_of, horizon=ahead.horizon, tiers=tiers, by=SEGMENT)
    except ToolkitError as error:
        return Reason.of(error)


def rates(found: ChurnClock | Reason, page: Page) -> Note | None:
    """Draw both errors of every candidate window."""
    if isinstance(found, Reason):
        return missing("clock", found, page)
    cells = clock_cells(found.candidates.set_index("window_days"), found.looks, frame=page.frame)
    page.show(plots_clock.clock_lines(cells, recommended=found.recommended, horizon=found.horizon, frame=page.frame))
    return None


def setting(found: ChurnClock | Reason, study: Warehouse, page: Page) -> Note | None:
    """Say what to write into the study file, and how much depends on it."""
    if isinstance(found, Reason):
        return None
    words, now = page.words, study.settings.churn_window_days
    same = now == found.recommended
    said = words.say("clock_same" if same else "clock_paste", n=str(found.recommended), now=str(now))
    if any(check.code == "tolerance_not_reached" for check in found.checks):
        said = words.say("clock_not_reached", share=words.percent(found.tolerance)) + said
    return Note(said)


def sensitivity(found: ChurnClock | Reason, page: Page) -> Table | None:
    """Write both errors at the recommended window, and at one a quarter shorter and longer."""
    if isinstance(found, Reason):
        return None
    cells = clock_cells(found.sensitivity, found.looks, frame=page.frame)
    names = [f"{change:+.0%}".replace("-", "−") if change else "±0%" for change in cells.index]
    return clock_table(cells.set_axis(names, axis="index"), "window_change", "±0%", frame=page.frame)


def by_type(found: ChurnClock | Reason, page: Page) -> Table | None:
    """Write both errors at the recommended window type by type, and the window that each type would want."""
    if isinstance(found, Reason) or found.by_tier.empty:
        return None
    tiers = found.by_tier.loc[[name for name in SEGMENTS if name in found.by_tier.index]]
    kept = tiers[[not page.frame.small(n) for n in tiers["looks"]]]
    cells = clock_cells(kept, kept["looks"], frame=page.frame)
    return clock_table(cells.rename(index=page.words.segment), "segment", frame=page.frame)


def by_rhythm(found: ChurnClock | Reason, page: Page) -> Table | None:
    """Write both errors of calling customers lost by their own rhythm."""
    if isinstance(found, Reason) or found.by_cadence.empty:
        return None
    own = found.by_gap["looks"].sum() if len(found.by_gap) else found.by_cadence["called_lost"].max()
    cells = clock_cells(found.by_cadence.set_index("multiple"), int(own), frame=page.frame)
    return clock_table(cells.set_axis([f"×{times:g}" for times in cells.index]), "own_gaps", frame=page.frame)

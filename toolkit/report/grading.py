"""Cells of the page on risk: the back-test, that is, whether the risk can be trusted."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pandas as pd

from toolkit.errors import ToolkitError
from toolkit.report import plots_backtest
from toolkit.report.backtest_tables import (
    calibration_bins,
    contenders_table,
    grades_by_tier,
    grades_table,
    lift_tenths,
    own_means,
    served_table,
)
from toolkit.report.outlook import ENOUGH_BUYERS, Reason, missing
from toolkit.risk.churn import ChurnModel
from toolkit.risk.landmarks import training_landmarks
from toolkit.risk.validation import Backtest, backtest
from toolkit.schema import FIRST_ORDER_DATE, SEGMENT

if TYPE_CHECKING:
    from datetime import date

    from toolkit.data.warehouse import Warehouse
    from toolkit.report.note import Note
    from toolkit.report.outlook import Outlook
    from toolkit.report.page import Page
    from toolkit.report.tables import Table
    from toolkit.segments.rfm import RFM

_STEPS = (0, 30, 61)
"""How many days before the last possible origin the others lie."""


def origins_of(ahead: Outlook) -> list[date]:
    """Return the days from which the back-test predicts, the latest last.

    At most three; those whose log is too short, or whose first landmark has too few buyers, are left out.
    """
    starts = ahead.buyers[FIRST_ORDER_DATE]
    found = []
    for step in _STEPS:
        origin = ahead.as_of - timedelta(days=ahead.horizon + step)
        try:
            earliest = training_landmarks(starts.min().date(), origin, ahead.horizon)[0]
        except ToolkitError:
            continue
        if (starts <= pd.Timestamp(earliest)).sum() >= ENOUGH_BUYERS:
            found.append(origin)
    return found[::-1]


def graded(study: Warehouse, ahead: Outlook, tiers: RFM) -> Backtest | Reason:
    """Grade the model against what came after past days, or say why it cannot be."""
    if "risk" in ahead.reasons:
        return ahead.reasons["risk"]
    origins = origins_of(ahead)
    if not origins:
        return Reason("no_origin", {"horizon": str(ahead.horizon)})
    try:
        return backtest(study, ChurnModel(), origins=origins, horizon=ahead.horizon, tiers=tiers, as_of=ahead.as_of)
    except ToolkitError as error:
        return Reason.of(error)


def calibration(grades: Backtest | Reason, page: Page) -> Note | None:
    """Draw predicted against observed risk."""
    if isinstance(grades, Reason):
        return missing("backtest", grades, page)
    slope = own_means(grades)["slope"]
    cells = calibration_bins(grades, frame=page.frame)
    page.show(plots_backtest.calibration_curve(cells, slope=slope, horizon=grades.horizon, frame=page.frame))
    return None


def lift(grades: Backtest | Reason, page: Page) -> None:
    """Draw the share that did not order by tenth of risk."""
    if isinstance(grades, Backtest):
        mean = own_means(grades)["observed"]
        tenths = lift_tenths(grades, frame=page.frame)
        page.show(plots_backtest.lift_bars(tenths, mean=mean, horizon=grades.horizon, frame=page.frame))


def contenders(grades: Backtest | Reason, page: Page) -> Table | None:
    """Write the scores of all contenders."""
    return None if isinstance(grades, Reason) else contenders_table(grades, frame=page.frame)


def grades_by_type(grades: Backtest | Reason, page: Page) -> Table | None:
    """Write how the model did type by type, with the stamp where it must not be used."""
    if isinstance(grades, Reason) or SEGMENT not in set(grades.scores["scheme"]):
        return None
    return grades_table(grades_by_tier(grades), SEGMENT, frame=page.frame)


def served(grades: Backtest | Reason, page: Page) -> Table | None:
    """Write which model served at which origin."""
    return None if isinstance(grades, Reason) else served_table(grades, frame=page.frame)

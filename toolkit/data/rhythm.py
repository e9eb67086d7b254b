"""Clean rows -> who buys in which period, and who acts again at which age."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

import pandas as pd

from toolkit.data.sql import blocks, readable
from toolkit.errors import ArgumentError
from toolkit.schema import as_day

if TYPE_CHECKING:
    from collections.abc import Sequence

    from toolkit.data.warehouse import Warehouse

Cohort = Literal["first_order", "joined", "membership"]
Act = Literal["order", "event", "membership"]
Unit = Literal["day", "week", "month"]

_TABLE_OF = {
    "first_order": "orders", "joined": "customers", "membership": "memberships", "order": "orders", "event": "events",
}  # fmt: skip
_STEPS = {
    "day": "to_days(CAST(age AS INTEGER))",
    "week": "to_days(7 * CAST(age AS INTEGER))",
    "month": "to_months(CAST(age AS INTEGER))",
}


@readable
def first_order_day(study: Warehouse, as_of: date) -> date:
    """Return the day of the first order of a known customer that is visible at ``as_of``."""
    study.check(as_of)
    found = study._connection.execute(blocks("rhythm.sql")["first_day"], {"as_of": as_of}).fetchone()  # noqa: SLF001 - of its own room
    day = found[0] if found else None
    if day is None:
        raise ArgumentError("no-buyers", f"no customer has an order up to {as_of}", hint="a later as_of")
    return as_day(day)


@readable
def buyers_by_period(study: Warehouse, ends: Sequence[date], as_of: date) -> pd.DataFrame:
    """Count buyers of each period by when they bought before and after, with their exact spend.

    Parameters
    ----------
    study
        The study.
    ends
        Last days of the periods, rising; the first period holds everything up to its end.
    as_of
        Only rows visible then count.

    Returns
    -------
    pandas.DataFrame
        One row per period, from 0 on: whole numbers ``active new retained resurrected leaving`` (bought, and not in
        the period that follows) and `decimal.Decimal` ``spend_active spend_new spend_retained spend_resurrected
        spend_leaving`` and ``spend_idle`` (of who bought nothing in the period: refunds).
    """
    study.check(as_of)
    days: list[date] = []
    periods: list[int] = []
    for period, (start, end) in enumerate(pairwise(ends), 1):
        length = (end - start).days
        days += [start + timedelta(days=n) for n in range(1, length + 1)]
        periods += [period] * length
    given = {"as_of": as_of, "last": ends[-1], "days": days, "periods": periods}
    asked = study._connection.execute(blocks("rhythm.sql")["accounting"], given)  # noqa: SLF001 - of its own room
    names = [str(column[0]) for column in asked.description or ()]
    found = pd.DataFrame(asked.fetchall(), columns=names, dtype=object).set_index("period")
    return found.reindex(range(len(ends)), fill_value=0)


@readable
def active_by_age(
    study: Warehouse, as_of: date, *, cohort: Cohort, act: Act, unit: Unit, ages: Sequence[int]
) -> tuple[pd.Series[int], pd.DataFrame]:
    """Count each cohort, and who of it is active at which age.

    Parameters
    ----------
    study
        The study.
    as_of
        Only rows visible then count.
    cohort
        What starts a customer's clock.
    act
        What counts as active: an order or event within the unit that starts at the age, or a membership that covers
        the day on which the age is reached.
    unit
        Unit of the ages; cohorts are weeks (from Monday) for ``week``, else months.
    ages
        The ages to count at.

    Returns
    -------
    sizes : Series
        Customers, indexed by the cohort's first day.
    active : DataFrame
        ``cohort age active``, where there are any.

    Raises
    ------
    ArgumentError
        The study lacks a table.
    """
    study.check(as_of)
    for name in (cohort, act):
        if _TABLE_OF[name] not in study.files:
            table = _TABLE_OF[name]
            hint = f"tables: {{{table}: {{files: {table}.csv}}}} in the study file"
            raise ArgumentError("no-table", f"{name} comes from {table}, which this study does not have", hint=hint)
    text = blocks("rhythm.sql")
    parts = {"cohort": "week" if unit == "week" else "month", "starts": text[f"starts_{cohort}"]}
    if act == "membership":
        statement = text["covered"].format(**parts, step=_STEPS[unit], periods=text["periods"])
    else:
        age = "\n".join(line for line in text[f"age_{unit}"].splitlines() if not line.startswith("--"))
        statement = text["acted"].format(**parts, age=age, acts=text[f"acts_{act}"])
    connection = study._connection  # noqa: SLF001 - of its own room
    sizes = connection.execute(text["sizes"].format(**parts), {"as_of": as_of}).df()
    active = connection.execute(statement, {"as_of": as_of, "ages": list(ages)}).df()
    counted = sizes.set_index("cohort")["customers"].sort_index()
    return counted, active

"""Cohort retention: of those who started together, who is still active at which age."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, get_args

import numpy as np
import pandas as pd

from toolkit.data.rhythm import Act, Cohort, Unit, active_by_age
from toolkit.errors import ArgumentError
from toolkit.intervals import wilson
from toolkit.schema import as_day

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from toolkit.data.warehouse import Warehouse

DAYS = (1, 7, 30)
_WHOLE_LIFE = {"month": 24, "week": 52}


@dataclass(frozen=True, repr=False, eq=False)
class CohortRetention:
    """Who is active at which age, by cohort; see `cohort_retention`.

    Attributes
    ----------
    as_of
        The day.
    cohort, act, unit
        As given.
    customers
        Customers of each cohort, indexed by its first day.
    active
        How many of them are active: one row per cohort, one column per age; missing until the age is closed for the
        whole cohort.
    share, lower, upper
        The same as shares of the cohort's customers, with their 95 % Wilson interval.
    overall
        Index ``age``: ``customers`` and ``active`` of all cohorts for which it is closed, ``share lower upper``.
    """

    as_of: date
    cohort: Cohort
    act: Act
    unit: Unit
    customers: pd.Series[int]
    active: pd.DataFrame
    share: pd.DataFrame
    lower: pd.DataFrame
    upper: pd.DataFrame
    overall: pd.DataFrame

    def __repr__(self) -> str:
        return self.table.to_string(float_format="{:.1%}".format, na_rep="")

    def _repr_html_(self) -> str:
        return self.table.to_html(float_format="{:.1%}".format, na_rep="", border=0)

    @property
    def table(self) -> pd.DataFrame:
        """Customers and shares side by side: one row per cohort, one column per age."""
        return pd.concat([self.customers, self.share], axis="columns")


def cohort_retention(
    study: Warehouse,
    as_of: str | date,
    *,
    cohort: Cohort = "first_order",
    act: Act = "order",
    unit: Unit = "month",
) -> CohortRetention:
    """Follow those who started in the same month or week.

    Parameters
    ----------
    study
        The study.
    as_of
        The day; only rows visible at its end count.
    cohort
        What starts a customer's clock: the first order, the day of joining, or the first membership.
    act
        What counts as active: an ``order`` or an ``event`` (an act of the customer's own) within the unit that starts
        at the age, or a ``membership`` that covers the day on which the age is reached.
    unit
        Unit of the ages. ``month`` and ``day``: cohorts are calendar months; ``week``: weeks from Monday. Ages count
        from each customer's own start, so that all have had the same time: month 1 is the second month of a customer.
        ``day`` looks at days 1, 7 and 30.

    Returns
    -------
    CohortRetention
        Shares with intervals, and over all cohorts.

    Raises
    ------
    ArgumentError
        An option is unknown, the study lacks the table, or nobody has started.
    InputError
        As for ``study.snapshot``.

    Notes
    -----
    An age is closed for a cohort when its last day is over for one who started on the cohort's last day. Ages run to
    24 months or 52 weeks. A month that is too short has its last day stand for the missing ones.

    Examples
    --------
    >>> import toolkit as tk
    >>> orders = pd.DataFrame({"customer_id": ["C1", "C2", "C1", "C3"], "amount": [60, 80, 10, 40],
    ...                        "ordered_at": ["2026-01-05", "2026-01-20", "2026-02-06", "2026-02-20"]})
    >>> study = tk.Study.from_frames(orders, timezone="Asia/Shanghai", currency="CNY")
    >>> cohort_retention(study, "2026-04-30").share
    age           0    1    2
    cohort
    2026-01-01  1.0  0.5  0.0
    2026-02-01  1.0  0.0  NaN
    """
    for value, known in ((cohort, Cohort), (act, Act), (unit, Unit)):
        if value not in get_args(known):
            raise ArgumentError("option", f"there is no {value!r}", hint=f"one of {', '.join(get_args(known))}")
    day = as_day(as_of)
    ages = DAYS if unit == "day" else range(_WHOLE_LIFE[unit] + 1)
    customers, counted = active_by_age(study, day, cohort=cohort, act=act, unit=unit, ages=ages)
    if customers.empty:
        raise ArgumentError("no-cohort", f"nobody has started ({cohort}) up to {day}", hint="a later as_of")
    customers.index = pd.DatetimeIndex(customers.index)
    closed = _closed(customers.index, ages, pd.Timestamp(day), unit=unit, to_the_day=act == "membership")
    active = (
        counted.pivot_table(index="cohort", columns="age", values="active")
        .reindex(index=customers.index, columns=pd.Index(ages, name="age"))
        .fillna(0.0)
        .where(closed)
    )
    active = active.loc[:, closed.any()]
    of = active.notna().mul(customers, axis="index").astype("float64")
    lower, upper = wilson(active, of)
    return CohortRetention(
        as_of=day,
        cohort=cohort,
        act=act,
        unit=unit,
        customers=customers,
        active=active,
        share=active.div(of.where(of > 0)),
        lower=pd.DataFrame(lower, index=active.index, columns=active.columns),
        upper=pd.DataFrame(upper, index=active.index, columns=active.columns),
        overall=_overall(active, of),
    )


def _closed(
    cohorts: pd.DatetimeIndex, ages: Sequence[int], as_of: pd.Timestamp, *, unit: Unit, to_the_day: bool
) -> pd.DataFrame:
    """Say which age is over for the whole cohort: its first day, or its last one where it takes a whole unit."""
    last_start = cohorts + (pd.Timedelta(days=6) if unit == "week" else pd.offsets.MonthEnd())
    columns = {}
    for age in ages:
        n = age if to_the_day else age + 1
        step = pd.DateOffset(months=n) if unit == "month" else pd.Timedelta(days=(7 if unit == "week" else 1) * n)
        reached = last_start + step
        columns[age] = reached <= as_of if to_the_day else reached - pd.Timedelta(days=1) <= as_of
    return pd.DataFrame(columns, index=cohorts, dtype=bool).rename_axis(columns="age")


def _overall(active: pd.DataFrame, of: pd.DataFrame) -> pd.DataFrame:
    table = pd.DataFrame({"customers": of.sum(), "active": active.sum()}).astype("int64")
    lower, upper = wilson(table["active"], table["customers"])
    return table.assign(share=table["active"] / np.maximum(table["customers"], 1), lower=lower, upper=upper)

"""What became of each stage of life in a period: conversion, activity, waking and recall, with their intervals."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from toolkit.data.habits import newcomers_back, period_acts
from toolkit.errors import ArgumentError
from toolkit.intervals import wilson
from toolkit.schema import ORDER_DAYS, as_day
from toolkit.segments.channels import advice, channel_table, joined_columns, why_not
from toolkit.segments.portrait_index import shares
from toolkit.segments.stage_rows import FIGURES, RATIO, SHARES, counted
from toolkit.segments.tier_reader import ABSENT, TierReader

if TYPE_CHECKING:
    from datetime import date

    from toolkit.data.warehouse import Warehouse

AGES = (1, 7, 30)
"""Days after joining at which newcomers are looked for."""
_STAGE = "stage"
_ASKED = [ORDER_DAYS]


@dataclass(frozen=True, repr=False, eq=False)
class StageFigures:
    """What became of each stage in a period; see `stage_figures`.

    Attributes
    ----------
    start, as_of
        Stages are those of ``start``; the period is the days after it up to ``as_of``.
    learned_at
        Day at which cut points were learned.
    customers
        Customers per stage at ``start``.
    table
        Index ``stage figure``, those of `toolkit.segments.stage_rows.FIGURES`: ``count`` and ``of`` (customers, or what
        the figure divides), ``value`` (``count / of``), ``lower`` and ``upper`` (95 % Wilson interval, of shares of
        customers and of the ratio of new to old buyers), and ``why`` a figure is missing.
    channels
        Index ``channel``, of those who joined in the window: ``joined``, ``converted`` (ordered by ``as_of``),
        ``conversion lower upper``, ``spend`` (currency, in the window), ``cost`` (of the window),
        ``cost_per_customer``, ``cost_per_buyer``, ``return`` (spend per unit of cost) with
        ``return_lower return_upper``. Empty without channels; costs are missing without the table ``costs``.
    advice
        Where the next money may go, and what that rests on.
    missing
        What could not be told -> why.
    """

    start: date
    as_of: date
    learned_at: date
    customers: pd.Series[int]
    table: pd.DataFrame
    channels: pd.DataFrame
    advice: str
    missing: dict[str, str]

    @property
    def sentence(self) -> str:
        """The period in one sentence."""
        told = ", ".join(f"{stage} {count:,}" for stage, count in self.customers.items())
        return (
            f"Customers by stage on {self.start}: {told}. What they did up to {self.as_of} is what happened, without a"
            " control: it does not say what a measure did."
        )

    def __repr__(self) -> str:
        shown = [self.table, *([self.channels] if len(self.channels) else [])]
        return "\n".join([self.sentence, *(one.to_string(float_format="{:,.3f}".format) for one in shown), self.advice])

    def _repr_html_(self) -> str:
        shown = [self.table, *([self.channels] if len(self.channels) else [])]
        tables = "".join(one.to_html(float_format="{:,.3f}".format, border=0) for one in shown)
        return f"<p>{self.sentence}</p>{tables}<p>{self.advice}</p>"


def stage_figures(study: Warehouse, as_of: str | date, *, period_days: int = 30, tiers: Any = None) -> StageFigures:
    """Follow the customers of each stage through a period.

    Parameters
    ----------
    study
        The study.
    as_of
        Last day of the period; only rows visible at its end count.
    period_days
        Length of the period.
    tiers
        Transformer from a snapshot to a column ``stage``; ``Tiers(study)`` where None. A copy of it learns its cut
        points on the study's cut date.

    Returns
    -------
    StageFigures
        Figures per stage and a table of channels.

    Raises
    ------
    ArgumentError
        The period is not at least a day long, or the tiers have no stages.
    InputError
        As for ``study.snapshot``, of the first day too.

    Notes
    -----
    A stage is read before the period, what happened after it. Recall compares those who were contacted in the period,
    from the day of the first message on, with those who were not: nobody drew lots for who is contacted, so the
    difference is no effect. A newcomer counts at an age only where that day is over.

    Examples
    --------
    >>> import toolkit as tk
    >>> orders = pd.DataFrame({"customer_id": ["C1", "C1", "C2", "C1"], "amount": [60, 80, 10, 40],
    ...                        "ordered_at": ["2026-01-05", "2026-01-20", "2026-01-25", "2026-02-20"]})
    >>> study = tk.Study.from_frames(orders, timezone="Asia/Shanghai", currency="CNY")
    >>> figures = stage_figures(study, "2026-02-28", period_days=28)
    >>> figures.table.loc["maturity", ["count", "of", "value"]].loc[["conversion", "orders_per_customer"]]
                         count   of  value
    figure
    conversion             1.0  1.0    1.0
    orders_per_customer    1.0  1.0    1.0
    """
    if period_days < 1:
        raise ArgumentError("period", f"period_days is {period_days}, not at least 1", hint="period_days=30")
    day = as_day(as_of)
    start = day - timedelta(days=period_days)
    learned_at = study.cuts_date(start)
    reader = TierReader(study, _STAGE, tiers)
    columns = None if reader.columns is None else list(dict.fromkeys([*reader.columns, *_ASKED]))
    then = study.snapshot(start, columns=columns, cuts_at=learned_at)
    learned = then if learned_at == start else reader.snapshot(learned_at, cuts_at=learned_at)
    reader = reader.learned(learned)
    now = study.snapshot(day, columns=_with(columns, joined_columns(study)), cuts_at=learned_at)
    told = pd.DataFrame(
        {"code": reader.codes(then), "bought_before": then[ORDER_DAYS].to_numpy() > 0}, index=then.index
    )
    told["code_after"] = pd.Series(reader.codes(now), index=now.index).reindex(told.index, fill_value=ABSENT)
    acts = period_acts(study, since=start, as_of=day)
    new_buyers = int((acts["orders"].reindex(now.index.difference(then.index)) > 0).sum())
    told = told.join(
        pd.DataFrame({name: acts[name].reindex(told.index, fill_value=0) for name in acts}).astype(acts.dtypes)
    )
    missing = _missing(study)
    since = day - timedelta(days=study.settings.window_days)
    newcomers = pd.DataFrame(columns=["customers", "active"], dtype="int64")
    if "newcomers" not in missing:
        newcomers = newcomers_back(study, AGES, since=since, as_of=day)
    channels = channel_table(study, now, since=since, as_of=day)
    table = _table(counted(told, reader.names, new_buyers=new_buyers, newcomers=newcomers, ages=AGES), missing)
    sizes = told["code"].value_counts().reindex(range(len(reader.names)), fill_value=0)
    return StageFigures(
        start=start,
        as_of=day,
        learned_at=learned_at,
        customers=sizes.set_axis(pd.Index(reader.names, name=_STAGE)).rename("customers"),
        table=table,
        channels=channels,
        advice=advice(channels, min_cell=study.settings.min_cell),
        missing=missing | why_not(study, channels),
    )


def _with(columns: list[str] | None, more: list[str]) -> list[str] | None:
    return None if columns is None else list(dict.fromkeys([*columns, *more]))


def _missing(study: Warehouse) -> dict[str, str]:
    missing = {}
    if "events" not in study.files:
        missing["events"] = "without the table events only orders count as acts"
    if "contacts" not in study.files:
        missing["contacts"] = "without the table contacts nobody knows who was contacted"
    if "customers" not in study.files or "joined_at" not in study.files["customers"][0].mapping:
        missing["newcomers"] = "without joined_at of the table customers nobody knows who is new"
    return missing


def _table(rows: dict[tuple[str, str], tuple[float, float]], missing: dict[str, str]) -> pd.DataFrame:
    index = pd.MultiIndex.from_tuples(list(rows), names=[_STAGE, "figure"])
    table = pd.DataFrame(list(rows.values()), index=index, columns=["count", "of"], dtype="float64")
    figures = index.get_level_values("figure")
    why = [missing.get(FIGURES[name][0], "") for name in figures]
    table.loc[[bool(text) for text in why], ["count", "of"]] = float("nan")
    table["value"] = shares(table["count"], table["of"])
    is_share, is_ratio = figures.isin(SHARES), figures == RATIO
    lower, upper = wilson(table["count"].where(is_share), table["of"].where(is_share))
    low, high = wilson(table["count"].where(is_ratio), (table["count"] + table["of"]).where(is_ratio))
    lower, upper = np.where(is_ratio, shares(low, 1 - low), lower), np.where(is_ratio, shares(high, 1 - high), upper)
    nobody = [
        text or ("there was nobody to count" if of == 0 else "") for text, of in zip(why, table["of"], strict=True)
    ]
    return table.assign(lower=lower, upper=upper, why=nobody)

"""The gap principle: how far each customer is from the core, in natural units, and what falls short most."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from toolkit.errors import ArgumentError
from toolkit.schema import LAST_ORDER_DATE, ORDER_COUNT, SEGMENT
from toolkit.segments.quantiles import beyond
from toolkit.segments.rfm import DIMENSIONS
from toolkit.segments.summary import need

if TYPE_CHECKING:
    from toolkit.segments.rfm import RFM

_CENT = 0.01
_IN_A_CENT = 1e-6


def core_gap(scored: pd.DataFrame, *, rfm: RFM | None = None) -> pd.DataFrame:
    """Measure per customer what is missing to be high on recency, frequency and monetary value.

    Parameters
    ----------
    scored
        Output of ``RFM.transform``, one row per customer, with ``last_order_date``.
    rfm
        The fitted ``RFM``; needed only where ``scored`` has lost its ``attrs``.

    Returns
    -------
    DataFrame
        Index as ``scored``. ``segment``; ``recency_gap_days`` (how many days too long ago the last order is; missing
        for never-buyers); ``order_days_gap`` (smallest whole number of order days missing); ``spend_gap`` (smallest
        amount missing, to 0.01 of the currency); ``shortest`` (the dimension that falls short most; missing in the
        core); ``keep_until`` (last day on which recency stays high without a new order; missing where it is not
        high). Gaps are 0 where the customer is high.

    Raises
    ------
    ArgumentError
        A column is missing, or the splits are known neither from ``attrs`` nor from ``rfm``.

    Notes
    -----
    To compare days with money each gap is divided by the spread of its dimension among the learning buyers: their
    interquartile range, where that is 0 their standard deviation, else 1. Equal ones: recency before frequency
    before monetary. A never-buyer falls short on frequency. Where no recency counts as high (the split is 0 days)
    an order closes no recency gap.

    Examples
    --------
    >>> from toolkit.segments.rfm import RFM
    >>> snap = pd.DataFrame(
    ...     {"order_count": [1, 2, 4], "recency_days": [300, 40, 3], "window_order_days": [1, 2, 4],
    ...      "window_spend": [10.0, 99.0, 80.0],
    ...      "last_order_date": pd.to_datetime(["2026-01-04", "2026-09-21", "2026-10-28"])},
    ...     index=pd.Index(["A", "B", "C"], name="customer_id"))
    >>> core_gap(RFM(bins=3).fit_transform(snap)).drop(columns="segment")
                 recency_gap_days  order_days_gap  spend_gap   shortest keep_until
    customer_id
    A                       261.0               2      70.01    recency        NaT
    B                         1.0               1       0.00  frequency        NaT
    C                         0.0               0       0.01   monetary 2026-12-06
    """
    told = _description(scored, rfm)
    need(scored, ORDER_COUNT, SEGMENT, LAST_ORDER_DATE, *(told[dimension] for dimension in DIMENSIONS))
    buyers = scored[ORDER_COUNT].to_numpy() > 0
    recency, orders, spend = (scored[told[dimension]].to_numpy(np.float64, na_value=np.nan) for dimension in DIMENSIONS)
    latest = np.ceil(-beyond(-told["recency_split"])) - 1
    near = recency < -beyond(-told["recency_split"])
    gaps = pd.DataFrame(
        {
            "recency_gap_days": np.where(near, 0.0, recency - latest),
            "order_days_gap": _steps(beyond(told["frequency_split"]) - np.where(buyers, orders, 0.0)),
            "spend_gap": _steps((beyond(told["monetary_split"]) - np.where(buyers, spend, 0.0)) / _CENT) * _CENT,
        },
        index=scored.index,
    )
    relative = gaps.to_numpy() / [told[f"{dimension}_spread"] for dimension in DIMENSIONS]
    short = np.argmax(np.where(np.isnan(relative), -1.0, relative), axis=1)
    short = np.where(buyers, np.where(relative.max(axis=1) > 0, short, -1), 1)
    keep = scored[LAST_ORDER_DATE] + timedelta(days=max(int(latest), 0))
    return gaps.assign(
        order_days_gap=gaps["order_days_gap"].astype("int64"),
        spend_gap=gaps["spend_gap"].round(2),
        shortest=pd.Categorical.from_codes(short.tolist(), pd.Index(DIMENSIONS), ordered=True),
        keep_until=keep.where(near & buyers),
    ).pipe(lambda frame: frame.assign(segment=scored[SEGMENT])[[SEGMENT, *frame.columns]])


def shortest_table(gaps: pd.DataFrame) -> pd.DataFrame:
    """Count per type which dimension falls short most.

    Parameters
    ----------
    gaps
        Output of ``core_gap``.

    Returns
    -------
    DataFrame
        Index ``segment`` (present and outside the core, by value), columns ``recency frequency monetary`` (customers).

    Examples
    --------
    >>> shortest_table(pd.DataFrame({"segment": ["lost", "lost"], "shortest": ["recency", "monetary"]}))
    shortest  recency  frequency  monetary
    segment
    lost            1          0         1
    """
    need(gaps, SEGMENT, "shortest")
    counts = pd.crosstab(gaps[SEGMENT], gaps["shortest"])
    return counts.reindex(columns=pd.Index(DIMENSIONS, name="shortest"), fill_value=0)


def gap_summary(gaps: pd.DataFrame) -> pd.DataFrame:
    """Say per type how much is missing to the core.

    Parameters
    ----------
    gaps
        Output of ``core_gap``.

    Returns
    -------
    DataFrame
        Index ``segment`` (present and outside the core, by value); columns ``customers``, the medians
        ``median_recency_gap_days``, ``median_order_days_gap`` and ``median_spend_gap`` (currency), and
        ``one_order_away``: customers who are recent enough and short of at most one order day.

    Examples
    --------
    >>> gap_summary(pd.DataFrame({"segment": ["newcomers", "newcomers"], "shortest": ["frequency", "frequency"],
    ...     "recency_gap_days": [0.0, 0.0], "order_days_gap": [1, 2], "spend_gap": [10.0, 30.0]})).T
    segment                  newcomers
    customers                      2.0
    median_recency_gap_days        0.0
    median_order_days_gap          1.5
    median_spend_gap              20.0
    one_order_away                 1.0
    """
    need(gaps, SEGMENT, "shortest", "recency_gap_days", "order_days_gap", "spend_gap")
    outside = gaps[gaps["shortest"].notna()]
    near = (outside["recency_gap_days"] == 0) & (outside["order_days_gap"] <= 1)
    groups = outside.assign(near=near).groupby(SEGMENT, observed=True)
    return pd.DataFrame(
        {
            "customers": groups.size(),
            "median_recency_gap_days": groups["recency_gap_days"].median(),
            "median_order_days_gap": groups["order_days_gap"].median(),
            "median_spend_gap": groups["spend_gap"].median(),
            "one_order_away": groups["near"].sum(),
        }
    )


def _description(scored: pd.DataFrame, rfm: RFM | None) -> dict[str, Any]:
    if rfm is not None:
        return rfm.description()
    if "rfm" not in scored.attrs:
        raise ArgumentError("no-splits", "the frame no longer carries the splits it was scored with", hint="pass rfm=")
    return dict(scored.attrs["rfm"])


def _steps(short: np.ndarray[Any, np.dtype[np.float64]]) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.where(short < 0, 0.0, np.floor(short + _IN_A_CENT) + 1)

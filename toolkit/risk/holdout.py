"""What customers did after the day of a model, beside what it expected."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from toolkit.errors import ArgumentError
from toolkit.intervals import Z
from toolkit.risk.value import value_total
from toolkit.schema import ORDER_DAYS, RECENCY_DAYS, REPEAT_SPEND, TENURE_DAYS, as_day

if TYPE_CHECKING:
    from datetime import date

    from toolkit.data.warehouse import Warehouse
    from toolkit.risk.value import BetaGeo, GammaGamma

NEEDED = (ORDER_DAYS, RECENCY_DAYS, TENURE_DAYS, REPEAT_SPEND)
_MOST = 7


@dataclass(frozen=True, repr=False, eq=False)
class Holdout:
    """Forecast and fact of the days after a model; see `holdout` and `held_out`.

    Attributes
    ----------
    days
        Length of the holdout.
    totals
        Index ``total``: ``orders`` (order days), ``spend`` (currency, before refunds); ``actual expected lower upper``
        (95 %, by uncertainty of the parameters only) and ``off``, expected / actual - 1.
    by_orders
        Index ``order_days`` at the model's day, ``7`` for 7 and more: ``customers``, and mean order days per customer
        ``actual actual_lower actual_upper expected`` (95 %, of the mean of such customers).
    """

    days: int
    totals: pd.DataFrame
    by_orders: pd.DataFrame

    @property
    def sentence(self) -> str:
        """What it comes to, in one sentence."""
        orders, spend = self.totals.loc["orders"], self.totals.loc["spend"]
        return (
            f"In the {self.days} days after the model's, its buyers ordered on {orders['actual']:,.0f} days and"
            f" {orders['expected']:,.0f} were expected ({orders['off']:+.1%}); they paid {spend['actual']:,.2f} and"
            f" {spend['expected']:,.2f} were expected ({spend['off']:+.1%})."
        )

    def __repr__(self) -> str:
        return f"{self.sentence}\n{self.by_orders.to_string(float_format='{:,.3f}'.format)}"

    def _repr_html_(self) -> str:
        tables = (self.totals, self.by_orders)
        return f"<p>{self.sentence}</p>" + "".join(t.to_html(float_format="{:,.2f}".format, border=0) for t in tables)


def holdout(study: Warehouse, orders: BetaGeo, spend: GammaGamma, *, days: int, as_of: str | date) -> Holdout:
    """Compare models with what their buyers did in the ``days`` after the models' day.

    Parameters
    ----------
    study
        The study of whose snapshot the models were fitted.
    orders, spend
        Models, fitted on one day.
    days
        Length of the holdout.
    as_of
        Last day that may be looked at.

    Returns
    -------
    Holdout
        Orders and spend, forecast and fact.

    Raises
    ------
    ArgumentError
        The holdout ends after ``as_of``, ``days`` is no whole number above 0, or the snapshot that the model was
        fitted to did not say its day.

    Examples
    --------
    >>> import toolkit as tk
    >>> from toolkit.risk.value import BetaGeo, GammaGamma
    >>> study = tk.Study.demo(customers=800, seed=7)
    >>> snap = study.snapshot("2026-06-30", columns=list(NEEDED))
    >>> found = holdout(study, BetaGeo().fit(snap), GammaGamma().fit(snap), days=90, as_of="2026-09-28")
    >>> found.totals.columns.tolist()
    ['actual', 'expected', 'lower', 'upper', 'off']
    """
    start, last = model_day(orders), as_day(as_of)
    if not (isinstance(days, int | np.integer) and days > 0):
        raise ArgumentError("horizon", f"a holdout has whole days above 0, not {days!r}", column="days", hint="days=90")
    end = start + pd.Timedelta(days=int(days))
    if end > pd.Timestamp(last):
        raise ArgumentError(
            "holdout-beyond-window",
            f"the holdout of {days} days after {start.date()} ends on {end.date()}, after {last}",
            hint=f"days={(pd.Timestamp(last) - start).days}" if pd.Timestamp(last) > start else "an earlier model",
        )
    snap = study.snapshot(start.date(), list(NEEDED))
    before, after = (study.snapshot(day.date(), list(NEEDED), known=last) for day in (start, end))
    return held_out(snap, made_between(before, after), orders, spend, days=int(days))


def made_between(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Return what the buyers of one snapshot did after it, up to a later one of the same state of the data.

    Parameters
    ----------
    before, after
        Snapshots with ``order_days`` and ``repeat_spend``.

    Returns
    -------
    DataFrame
        Buyers of ``before``: ``orders`` (order days) and ``spend`` (currency, before refunds) in between.

    Raises
    ------
    ArgumentError
        A buyer has fewer order days or less spend than before.

    Notes
    -----
    Who bought first in between was not foreseen. What the others paid is the difference of ``repeat_spend``: all of
    it is after the first order day, and no order of before counts.
    """
    buyers = before.index[before[ORDER_DAYS].to_numpy() > 0].intersection(after.index, sort=False)
    then, now = before.loc[buyers], after.loc[buyers]
    made = pd.DataFrame({"orders": now[ORDER_DAYS] - then[ORDER_DAYS], "spend": now[REPEAT_SPEND] - then[REPEAT_SPEND]})
    shrunk = (made["orders"] < 0) | (made["spend"] < -1e-9 * then[REPEAT_SPEND])
    if shrunk.any():
        what = "buyers have fewer order days or less spend in the later snapshot"
        hint = "snapshots of one state of the data: the same known= in both, the earlier one first"
        raise ArgumentError("holdout", what, count=int(shrunk.sum()), hint=hint)
    return made


def held_out(snap: pd.DataFrame, made: pd.DataFrame, orders: BetaGeo, spend: GammaGamma, *, days: int) -> Holdout:
    """Compare what models expect of a snapshot's buyers with what these did in the ``days`` after it.

    Parameters
    ----------
    snap
        What was known at the day, with ``order_days recency_days tenure_days repeat_spend``.
    made
        ``orders`` and ``spend`` of its buyers in these days (`made_between`).
    orders, spend
        Fitted models.
    days
        Length of the holdout.

    Returns
    -------
    Holdout
        Orders and spend, forecast and fact, of the buyers that are in both.

    Raises
    ------
    ArgumentError
        No buyer is in both.
    """
    buyers = snap.index[snap[ORDER_DAYS].to_numpy() > 0].intersection(made.index, sort=False)
    if not len(buyers):
        raise ArgumentError("holdout", "no buyer of the snapshot is in the holdout", hint="snapshots of one study")
    then, now = snap.loc[buyers], made.loc[buyers]
    totals = value_total(then, orders, spend, days=days)
    totals.insert(0, "actual", now[["orders", "spend"]].sum().to_numpy(dtype=np.float64))
    totals["off"] = totals["expected"] / totals["actual"].where(totals["actual"] > 0) - 1
    each = pd.DataFrame({"actual": now["orders"], "expected": orders.expected_orders(then, days)})
    classes = np.minimum(then[ORDER_DAYS].to_numpy(dtype=np.int64), _MOST)
    grouped = each.groupby(pd.Index(classes, name=ORDER_DAYS))
    by_orders = grouped.mean()
    half: pd.Series[float] = Z * grouped["actual"].std() / grouped.size() ** 0.5
    by_orders.insert(0, "customers", grouped.size())
    by_orders.insert(2, "actual_lower", by_orders["actual"] - half)
    by_orders.insert(3, "actual_upper", by_orders["actual"] + half)
    return Holdout(days, totals, by_orders)


def model_day(orders: BetaGeo) -> pd.Timestamp:
    """Return the day of the snapshot that a model was fitted to, or refuse where the snapshot did not say it."""
    if orders.as_of_ is None:
        hint = "fit(study.snapshot(as_of))"
        raise ArgumentError("no-day", "the snapshot of the model did not say its day", hint=hint)
    return pd.Timestamp(orders.as_of_)

"""Cumulative repeat orders of a model's buyers, made and expected, before and after the day of the model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from toolkit.errors import ArgumentError
from toolkit.risk.holdout import model_day
from toolkit.schema import ORDER_DAYS, as_day

if TYPE_CHECKING:
    from datetime import date

    from toolkit.data.warehouse import Warehouse
    from toolkit.risk.value import BetaGeo


def track(study: Warehouse, model: BetaGeo, as_of: str | date, *, every_weeks: int = 4) -> pd.DataFrame:
    """Follow the buyers of a model from their first order day to ``as_of``, through the day of the model.

    Parameters
    ----------
    study
        The study of whose snapshot the model was fitted.
    model
        Fitted ``BetaGeo``, best of a day well before ``as_of``.
    as_of
        Last day to look at, and the day as of which rows are known.
    every_weeks
        Weeks between two readings; each one takes a snapshot.

    Returns
    -------
    DataFrame
        Index ``week``, from the first order day of the first buyer; the day of the model is one of them. ``day``;
        ``actual``: cumulative repeat order days of the model's buyers; ``expected lower upper``
        (``BetaGeo.expected_orders_to``; missing where a table serves); ``forecast``: whether the day is after the
        model's.

    Raises
    ------
    ArgumentError
        ``as_of`` is before the model's day, its snapshot did not say its day, or ``every_weeks`` is below 1.

    Notes
    -----
    The tracking plot of Fader, Hardie and Lee (2005), figure 2. The interval is of what is expected, by uncertainty of
    the parameters. Expected orders know of the buyers no more than their first order day.

    Examples
    --------
    >>> import toolkit as tk
    >>> from toolkit.risk.value import BetaGeo
    >>> study = tk.Study.demo(customers=800, seed=7)
    >>> model = BetaGeo().fit(study.snapshot("2026-06-30", columns=["order_days", "recency_days", "tenure_days"]))
    >>> tracked = track(study, model, "2026-09-30", every_weeks=8)
    >>> tracked.columns.tolist(), int(tracked["forecast"].sum())
    (['day', 'actual', 'expected', 'lower', 'upper', 'forecast'], 1)
    """
    if every_weeks < 1:
        raise ArgumentError("every_weeks", f"every_weeks is {every_weeks}, below 1", hint="every_weeks=4")
    fitted, last = model_day(model), pd.Timestamp(as_day(as_of))
    if last < fitted:
        raise ArgumentError(
            "as_of", f"{last.date()} is before the model's day", hint=f'as_of="{fitted.date()}" or later'
        )
    first = fitted - pd.Timedelta(days=model.longest_tenure_)
    step = 7 * every_weeks
    ages = np.arange(model.longest_tenure_ % step, (last - first).days + 1, step)
    days = [first + pd.Timedelta(days=int(age)) for age in ages]
    read = [study.snapshot(day.date(), [ORDER_DAYS], known=last.date())[ORDER_DAYS] for day in days]
    at_fit = study.snapshot(fitted.date(), [ORDER_DAYS])[ORDER_DAYS]
    cohort = at_fit.index[at_fit > 0]
    actual = [int(np.maximum(found[found.index.isin(cohort)] - 1, 0).sum()) for found in read]
    table = model.expected_orders_to(ages)
    table.insert(0, "day", pd.DatetimeIndex(days).as_unit("s"))
    table.insert(1, "actual", actual)
    table["forecast"] = table["day"] > fitted
    return table.set_index(pd.Index(ages / 7, name="week"))

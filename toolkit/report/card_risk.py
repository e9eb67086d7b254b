"""What lies ahead of one customer, for the card: risk with its drivers, and what is expected of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np
import pandas as pd

from toolkit.report.outlook import SHORT, Outlook, look_ahead
from toolkit.report.risk_tables import driver_name, write_feature
from toolkit.report.tables import Table
from toolkit.report.words import MISSING
from toolkit.schema import ORDER_DAYS, RECENCY_DAYS, TENURE_DAYS, WINDOW_ORDER_DAYS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from toolkit.data.warehouse import Warehouse
    from toolkit.report.frame import Frame
    from toolkit.report.outlook import Reason

NAMED = 3
"""How many drivers are named on either side."""
RHYTHM = (RECENCY_DAYS, ORDER_DAYS, TENURE_DAYS, WINDOW_ORDER_DAYS, "idle_days")
"""Told as one driver: the model weighs each against the others, so that none means anything alone."""
_KNOWN: WeakKeyDictionary[Warehouse, dict[date, Outlook]] = WeakKeyDictionary()
"""One fit per study and day, for as long as the study lives: cards of many customers share it."""


@dataclass(frozen=True, eq=False)
class CustomerOutlook:
    """What lies ahead of one customer.

    Attributes
    ----------
    horizon
        Days ahead, of the longer risk and of what is expected.
    risk
        Index: days; probability of no order within them. Empty where there is no model.
    drivers
        Index ``feature``; ``value typical contribution``, as ``ChurnModel.explain`` gives them. Empty likewise.
    worth
        The customer's row of ``customer_value``; empty likewise. The probability of being active is missing of
        somebody who ordered once.
    reasons
        ``risk`` and ``value``: why there is no model. Empty for a prospect, too.
    """

    horizon: int
    risk: pd.Series[float] = field(default_factory=lambda: pd.Series(dtype="float64"))
    drivers: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=["value", "typical", "contribution"]))
    worth: pd.Series[float] = field(default_factory=lambda: pd.Series(dtype="float64"))
    reasons: Mapping[str, Reason] = field(default_factory=dict)


def customer_outlook(study: Warehouse, customer_id: str, as_of: date) -> CustomerOutlook:
    """Return what lies ahead of a customer; nothing for somebody who never ordered.

    Parameters
    ----------
    study
        The study.
    customer_id
        The customer, as the index of the snapshot has them.
    as_of
        The day.
    """
    ahead = outlook_at(study, as_of)
    if customer_id not in ahead.buyers.index:
        return CustomerOutlook(ahead.horizon)
    risk, drivers, worth = (getattr(CustomerOutlook(ahead.horizon), name) for name in ("risk", "drivers", "worth"))
    if ahead.churn is not None:
        risk = pd.Series({days: ahead.risk[f"risk_{days}d"][customer_id] for days in (SHORT, ahead.horizon)})
        told = ahead.churn.explain(ahead.buyers, customer_id, horizon=ahead.horizon)
        drivers = told[["value", "typical", "contribution"]]
    if ahead.orders is not None:
        worth = ahead.worth.loc[customer_id].copy()
        if ahead.buyers[ORDER_DAYS][customer_id] < 2:
            worth["p_alive"] = np.nan
    return CustomerOutlook(ahead.horizon, risk, drivers, worth, ahead.reasons)


def outlook_at(study: Warehouse, as_of: date) -> Outlook:
    """Return the outlook of a study at a day, fitted once."""
    days = _KNOWN.setdefault(study, {})
    if as_of not in days:
        days[as_of] = look_ahead(study, as_of)
    return days[as_of]


def outlook_table(ahead: CustomerOutlook, frame: Frame) -> Table:
    """Show risk, the chance of being active, and what is expected; or say why there is none."""
    words = frame.words
    rows = {words.say("risk_of_days", n=str(days)): words.percent(float(risk)) for days, risk in ahead.risk.items()}
    if len(ahead.worth):
        spend, low, high = (float(ahead.worth[f"expected_spend{end}"]) for end in ("", "_lower", "_upper"))
        interval = f"{frame.money(spend)} ({frame.money(low)}\u00a0–\u2060\u00a0{frame.money(high)})"
        rows[words.label("p_alive")] = words.percent(float(ahead.worth["p_alive"]))
        rows[words.say("spend_of_days", n=str(ahead.horizon))] = interval
    why = {reason.told(frame): None for reason in ahead.reasons.values()}
    caption = frame.say("card_ahead_caption") if rows else ""
    caption += "".join(words.say("card_no_outlook", why=reason) for reason in why)
    table = pd.DataFrame({"value": list(rows.values()) or [MISSING]})
    table.index = pd.Index(list(rows) or [words.label("risk")], name="name")
    return Table(table, {}, {"name": "", "value": ""}, caption)


def drivers_table(ahead: CustomerOutlook, frame: Frame) -> Table:
    """Show the strongest drivers that raise the customer's risk, and the strongest that lower it."""
    words, rhythm = frame.words, [name for name in RHYTHM if name in ahead.drivers.index]
    shares = ahead.drivers["contribution"].drop(index=rhythm)
    if rhythm:
        shares["rhythm"] = float(ahead.drivers["contribution"][rhythm].sum())
    up, down = shares[shares > 0].nlargest(NAMED), shares[shares < 0].nsmallest(NAMED)
    rows = [
        {
            "driver": words.label("rhythm") if name == "rhythm" else driver_name(str(name), frame),
            "value": _value(ahead, "value", str(name), rhythm, frame),
            "typical": _value(ahead, "typical", str(name), rhythm, frame),
            "effect_on_risk": words.label("raises" if share > 0 else "lowers"),
            "times": f"×{np.exp(share):.2f}",
        }
        for name, share in [*up.items(), *down.items()]
    ]
    labels = {name: words.label(name) for name in ("driver", "value", "typical", "effect_on_risk", "times")}
    return Table(pd.DataFrame(rows).set_index("driver"), {}, labels, words.say("card_drivers_caption"))


def _value(ahead: CustomerOutlook, column: str, name: str, rhythm: list[str], frame: Frame) -> str:
    """Write a driver's value; that of the rhythm is all that it is made of."""
    names = rhythm if name == "rhythm" else [name]
    return " / ".join(write_feature(one, float(ahead.drivers[column][one]), frame) for one in names)

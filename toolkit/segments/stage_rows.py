"""Which figures belong to which stage, and how each is counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    Row = tuple[float, float]

FIGURES: dict[str, tuple[str, str]] = {
    "conversion": ("", "share who ordered in the period: for introduction it is the first order"),
    "back_on_day_1": ("newcomers", "share of newcomers of the window with an act exactly one day after joining"),
    "back_on_day_7": ("newcomers", "the same seven days after"),
    "back_on_day_30": ("newcomers", "the same thirty days after"),
    "active_share": ("", "share with an order or an act of their own in the period"),
    "retention": ("", "share still in a stage at the end that is no worse: not dormant, or for dormancy not lost"),
    "orders_per_customer": ("", "orders in the period per customer of the stage"),
    "spend_per_customer": ("", "paid minus refunded in the period per customer of the stage (currency)"),
    "new_to_old": ("", "buyers of the period with their first order, per buyer who had ordered before"),
    "wake_rate": ("", "share with an order or an act in the period"),
    "return_rate": ("", "share with an order or an act in the period"),
    "recall_rate": ("contacts", "of those contacted in the period, share with an act from the first message's day on"),
    "natural_return": ("contacts", "of those not contacted in the period, share with an act"),
}
"""Figure -> the table that it needs (``newcomers``: a day of joining) and what it is."""
RATIO = "new_to_old"
SHARES = tuple(name for name in FIGURES if name not in ("orders_per_customer", "spend_per_customer", RATIO))
"""Figures that are shares of customers."""
STAGES: dict[str, tuple[str, ...]] = {
    "introduction": ("conversion", "back_on_day_1", "back_on_day_7", "back_on_day_30"),
    "growth": ("active_share", "retention", "orders_per_customer", "spend_per_customer"),
    "maturity": ("conversion", "active_share", "orders_per_customer", "spend_per_customer", "new_to_old"),
    "dormancy": ("wake_rate", "retention"),
    "loss": ("return_rate", "recall_rate", "natural_return"),
}
"""What is reported of each stage, after the work that is done with it; see `stage_figures`."""
_ASLEEP = {"growth": ("dormancy", "loss"), "dormancy": ("loss",)}
"""Stages into which one falls."""


def counted(
    told: pd.DataFrame, names: Sequence[str], *, new_buyers: int, newcomers: pd.DataFrame, ages: Sequence[int]
) -> dict[tuple[str, str], Row]:
    """Count each figure of each stage.

    Parameters
    ----------
    told
        One row per customer known before the period: ``code`` and ``code_after`` (places in ``names``),
        ``bought_before``, and the columns of `toolkit.data.habits.period_acts`.
    names
        The stages.
    new_buyers
        Buyers of the period who were not known before it.
    newcomers
        Output of `toolkit.data.habits.newcomers_back`.
    ages
        The ages asked for.

    Returns
    -------
    dict
        Stage and figure -> what is counted, and of how many; stages in the order of ``names``. A stage with a name of
        the business's own has its share of active customers, orders and spend.
    """
    bought = told["orders"] > 0
    fresh = new_buyers + int((bought & ~told["bought_before"]).sum())
    ratio = (float(fresh), float((bought & told["bought_before"]).sum()))
    back = {
        f"back_on_day_{age}": (float(newcomers["active"].get(age, 0)), float(newcomers["customers"].get(age, 0)))
        for age in ages
    }
    rows: dict[tuple[str, str], Row] = {}
    for code, stage in enumerate(names):
        part = told[told["code"] == code]
        fallen = part["code_after"].isin([names.index(name) for name in _ASLEEP.get(stage, ()) if name in names])
        ordered, active = _share(part["orders"] > 0), _share(part["active"])
        found: dict[str, Row] = dict.fromkeys(("active_share", "wake_rate", "return_rate"), active) | {
            "conversion": ordered,
            "retention": _share(~fallen),
            "orders_per_customer": (float(part["orders"].sum()), float(len(part))),
            "spend_per_customer": (_sum(part["spend"]), float(len(part))),
            RATIO: ratio,
            "recall_rate": _share(part.loc[part["contacted"], "came_after"]),
            "natural_return": _share(part.loc[~part["contacted"], "active"]),
        }
        found |= back
        for figure in STAGES.get(stage, ("active_share", "orders_per_customer", "spend_per_customer")):
            rows[stage, figure] = found[figure]
    return rows


def _share(hits: pd.Series[bool]) -> Row:
    return float(hits.sum()), float(len(hits))


def _sum(money: pd.Series[float]) -> float:
    """Add up money, the order of rows left out of it."""
    return float(np.sort(money.to_numpy(dtype=np.float64)).sum())

"""Channels that bring customers: who came, who bought, what it cost and what came back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from toolkit.data.habits import channel_costs
from toolkit.intervals import wilson
from toolkit.schema import ORDER_COUNT, WINDOW_SPEND
from toolkit.segments.portrait_index import shares

if TYPE_CHECKING:
    from datetime import date

    from toolkit.data.warehouse import Warehouse

CHANNEL = "channel"
_FROM, _JOINED = "acquisition_channel", "joined_date"
_Z = 1.959963984540054
_COLUMNS = (
    "joined", "converted", "conversion", "lower", "upper", "spend", "cost", "cost_per_customer", "cost_per_buyer",
    "return", "return_lower", "return_upper",
)  # fmt: skip
_NO_CONTROL = (
    "This is what happened, without a control: what the next unit of money brings, only a test with a group that is"
    " left out can say."
)


def joined_columns(study: Warehouse) -> list[str]:
    """Return the snapshot columns that `channel_table` needs; none where the study does not know channels."""
    if _mapped(study) >= {"acquisition_channel", "joined_at"}:
        return [ORDER_COUNT, WINDOW_SPEND, _FROM, _JOINED]
    return []


def channel_table(study: Warehouse, snap: pd.DataFrame, *, since: date, as_of: date) -> pd.DataFrame:
    """Say of each channel who joined after ``since``, who of them bought, what it cost and what came back.

    Parameters
    ----------
    study
        The study.
    snap
        Its snapshot at ``as_of`` with `joined_columns`.
    since, as_of
        The window.

    Returns
    -------
    DataFrame
        As ``StageFigures.channels``, the channels with the best return first. Costs belong to periods that start in the
        window: a month that it cuts counts whole or not at all.

    Notes
    -----
    The interval of the return takes the number of customers as chance and their spend as seen (a compound Poisson sum:
    the variance of the total is the sum of squares); costs are known.
    """
    if not joined_columns(study):
        return pd.DataFrame(columns=[*_COLUMNS], index=pd.Index([], name=CHANNEL), dtype="float64")
    came = snap[snap[_JOINED] > pd.Timestamp(since)]
    came = came.assign(buyer=came[ORDER_COUNT] > 0).sort_values(WINDOW_SPEND)
    parts = came.groupby(came[_FROM].astype(object), dropna=True)
    table = pd.DataFrame(
        {
            "joined": parts.size(),
            "converted": parts["buyer"].sum(),
            "spend": parts[WINDOW_SPEND].sum(),
            "squares": parts[WINDOW_SPEND].agg(lambda spend: float(np.square(spend).sum())),
        }
    )
    costs = channel_costs(study, since=since, as_of=as_of) if "costs" in study.files else pd.Series(dtype="float64")
    table = table.reindex(table.index.union(costs.index)).fillna(0.0).rename_axis(CHANNEL)
    table["cost"] = costs.reindex(table.index).astype("float64")
    table["conversion"] = shares(table["converted"], table["joined"])
    table["lower"], table["upper"] = wilson(table["converted"], table["joined"])
    table["cost_per_customer"] = shares(table["cost"], table["joined"])
    table["cost_per_buyer"] = shares(table["cost"], table["converted"])
    half = _Z * np.sqrt(table["squares"])
    for name, money in (("return", 0.0), ("return_lower", -half), ("return_upper", half)):
        table[name] = shares(table["spend"] + money, table["cost"])
    ordered = table.sort_values(["return", "conversion"], ascending=False, kind="stable")
    return ordered.astype({"joined": "int64", "converted": "int64"})[[*_COLUMNS]]


def advice(channels: pd.DataFrame, *, min_cell: int) -> str:
    """Say where the next money may go; empty where no return is known."""
    ends = best_and_worst(channels, min_cell=min_cell)
    if ends is None:
        return ""
    best, worst, apart = ends
    told = {name: f"{name} {channels.loc[name, 'return']:.2f}" for name in (best, worst)}
    if best == worst:
        return f"Spend of those who joined in the window, per unit of cost: {told[best]}. {_NO_CONTROL}"
    if not apart:
        return (
            f"Per unit of cost {told[best]} came back, of {told[worst]}; their intervals overlap, so leave the budget"
            f" as it is and look again. {_NO_CONTROL}"
        )
    return (
        f"Per unit of cost {told[best]} came back, of {told[worst]}: move the next step of the budget from {worst} to"
        f" {best}. {_NO_CONTROL}"
    )


def best_and_worst(channels: pd.DataFrame, *, min_cell: int) -> tuple[str, str, bool] | None:
    """Return the channels with the best and the worst return, and whether their intervals are apart.

    Channels with fewer newcomers than ``min_cell`` or without costs do not count; None where none is left.
    """
    known = channels[(channels["joined"] >= min_cell) & channels["return"].notna()]
    if known.empty:
        return None
    best, worst = known["return"].idxmax(), known["return"].idxmin()
    return str(best), str(worst), bool(known["return_lower"][best] > known["return_upper"][worst])


def why_not(study: Warehouse, channels: pd.DataFrame) -> dict[str, str]:
    """Say which part of the table of channels could not be told, and why."""
    if not joined_columns(study):
        return {"channels": "the table customers does not give acquisition_channel and joined_at"}
    if "costs" not in study.files:
        return {"costs": "without the table costs nobody knows what a customer cost"}
    if channels["cost"].isna().all():
        return {"costs": "no channel has the same name in the table costs"}
    return {}


def _mapped(study: Warehouse) -> set[str]:
    return {name for file in study.files.get("customers", []) for name in file.mapping}

"""Counts of what tiers buy, read and say -> shares beside everybody's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from toolkit.segments.portrait_index import TIER, against_everybody, shares

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from toolkit.data.habits import Habits

    Names = Mapping[int, str]

_EVERYBODY = -1


def told_by_tier(found: Habits, names: Names, sizes: NDArray[np.int64]) -> dict[str, pd.DataFrame]:
    """Return the frames of `toolkit.segments.portrait.Portrait` that come from the tables of acts.

    Parameters
    ----------
    found
        Output of `toolkit.data.habits.habits`, by the codes of tiers.
    names
        Code -> tier.
    sizes
        Customers of each code.

    Returns
    -------
    dict
        ``products content hours content_hours service surveys``; empty where nothing is known.
    """
    products = _things(found.products, found.products_all, names, "product", ("lines", "spend"))
    if len(products):
        spend = products["spend"]
        products["share_of_spend"] = shares(spend, spend.groupby(level=TIER, sort=False).transform("sum"))
        everybody = shares(spend.groupby(level="product", sort=False).transform("sum"), spend.sum())
        products["spend_index"] = 100 * shares(products["share_of_spend"], everybody)
    return {
        "products": products,
        "content": _things(found.content, found.content_all, names, "content", ("acts", "seconds")),
        "hours": _by_hour(found.hours, names, "kind"),
        "content_hours": _by_hour(found.content_hours.rename(columns={"what": "content"}), names, "content"),
        "service": _service(found.service, names, sizes),
        "surveys": _surveys(found.surveys, names),
    }


def _things(
    counted: pd.DataFrame, all_of_it: pd.DataFrame, names: Names, thing: str, sums: Sequence[str]
) -> pd.DataFrame:
    """Compare who bought or read a thing with all who bought or read any."""
    if counted.empty:
        return pd.DataFrame()
    counts = _wide(counted, ["what"], "customers", names).rename_axis(thing)
    whole = all_of_it.set_index("code")["customers"].reindex(list(names), fill_value=0)
    of = pd.DataFrame([whole.to_numpy()] * len(counts), index=counts.index, columns=counts.columns)
    told = against_everybody(counts, of)
    for name in sums:
        told[name] = _wide(counted, ["what"], name, names).to_numpy().ravel()
    return told


def _by_hour(counted: pd.DataFrame, names: Names, thing: str) -> pd.DataFrame:
    """Compare at which hours a tier does a thing with when everybody does it."""
    if counted.empty:
        return pd.DataFrame()
    acts, who = (_wide(counted, [thing, "hour"], name, names) for name in ("acts", "customers"))
    of = acts.groupby(level=thing).transform("sum")
    told = against_everybody(acts, of).drop(columns=["lower", "upper"]).rename(columns={"customers": "acts"})
    told["customers"] = who.to_numpy().ravel()
    return told


def _service(counted: pd.DataFrame, names: Names, sizes: NDArray[np.int64]) -> pd.DataFrame:
    """Say how often a tier complains, and how long it waits for an answer."""
    if counted.empty:
        return pd.DataFrame()
    table = counted.set_index("code")
    waits = table["median_reply_hours"]
    told = table.drop(columns="median_reply_hours").reindex(list(names), fill_value=0).astype("int64")
    told["complaints_per_100"] = 100 * shares(told["complaints"], sizes)
    told["answered_share"] = shares(told["answered"], told["complaints"])
    told["median_reply_hours"] = waits.reindex(told.index)
    everybody = 100 * told["complaints"].sum() / sizes.sum()
    told["index"] = 100 * shares(told["complaints_per_100"], everybody)
    told["everybody_reply_hours"] = waits[_EVERYBODY]
    told.index = pd.Index(list(names.values()), name=TIER)
    return told


def _surveys(counted: pd.DataFrame, names: Names) -> pd.DataFrame:
    """Say what a tier answers on average, beside the mean of all answers."""
    if counted.empty:
        return pd.DataFrame()
    told = counted.assign(tier=counted["code"].map(names), total=counted["mean_score"] * counted["answers"])
    by_kind = told.groupby("kind")
    everybody = by_kind["total"].transform("sum") / by_kind["answers"].transform("sum")
    told = told.assign(everybody=everybody, index=100 * shares(told["mean_score"], everybody))
    return told.sort_values(["kind", "code"]).set_index(["kind", "tier"]).drop(columns=["code", "total"])


def _wide(frame: pd.DataFrame, keys: list[str], value: str, names: Names) -> pd.DataFrame:
    """Turn counts per group code into one row per thing and one column per group, 0 where there is nothing."""
    table = frame.pivot_table(index=keys, columns="code", values=value, aggfunc="sum", fill_value=0, sort=True)
    return table.reindex(columns=list(names), fill_value=0).set_axis(list(names.values()), axis="columns")

"""Who the customers of each tier are: attributes as shares, measurements as means and medians."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from toolkit.segments.portrait_index import TIER, against_everybody, shares

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

ATTRIBUTES = (
    "persona", "gender", "age_band", "region", "occupation", "interests", "acquisition_channel", "membership_state",
    "need", "top_layer",
)  # fmt: skip
"""Columns that say who somebody is; an export may write several values into ``interests``."""
OF_ORDERS = ("need", "top_layer")
"""Attributes that come from orders, as most tiers do: that they go together says nothing about people."""
MEASURES = (
    "tenure_days", "mean_order_value", "discount_share", "active_days", "active_days_30d", "stay_seconds_30d",
    "interactions_30d", "intent_30d", "completion_rate", "contacts_30d", "contact_opens_30d", "followers", "referrals",
    "last_nps",
)  # fmt: skip
"""Columns that were measured."""
_SEVERAL = "interests"
_BETWEEN = re.compile(r"[;；,，、|]")
_KEYS = ["attribute", "value"]


def people(tiered: pd.DataFrame, codes: NDArray[np.int64], names: Sequence[str], *, by: str) -> pd.DataFrame:
    """Count the values of each attribute per tier.

    Parameters
    ----------
    tiered
        One row per customer; of `ATTRIBUTES` those that are there count.
    codes, names
        Tier of each row as its place in ``names``.
    by
        The scheme, which is no attribute of its own.

    Returns
    -------
    DataFrame
        As `against_everybody`, index ``attribute value tier``; of the customers whose value is known.
    """
    counts: list[pd.DataFrame] = []
    known: list[NDArray[np.int64]] = []
    for name in ATTRIBUTES:
        if name not in tiered.columns or name == by:
            continue
        table, of = _attribute(tiered[name], codes, len(names), several=name == _SEVERAL)
        table.index = pd.MultiIndex.from_product([[name], table.index], names=_KEYS)
        counts.append(table)
        known += [of] * len(table)
    if not known:
        return nobody()
    all_counts = pd.concat(counts).set_axis(list(names), axis="columns")
    of_all = pd.DataFrame(np.vstack(known), index=all_counts.index, columns=all_counts.columns)
    return against_everybody(all_counts, of_all)


def nobody() -> pd.DataFrame:
    """Return what `people` returns where no attribute is known."""
    empty = pd.DataFrame(index=pd.MultiIndex.from_arrays([[], []], names=_KEYS), columns=[], dtype="int64")
    index = pd.MultiIndex.from_arrays([[], [], []], names=[*_KEYS, TIER])
    return against_everybody(empty.assign(x=0), empty.assign(x=0)).set_axis(index)


def numbers(tiered: pd.DataFrame, codes: NDArray[np.int64], names: Sequence[str]) -> pd.DataFrame:
    """Take means and medians of what was measured, per tier.

    Returns
    -------
    DataFrame
        Index ``measure tier``: ``customers`` with a value, ``mean``, ``median``, ``everybody`` (mean of all) and
        ``index`` (100 is everybody's mean; missing where that is not above 0).
    """
    rows = {}
    for measure in MEASURES:
        if measure not in tiered.columns:
            continue
        values = tiered[measure].to_numpy(dtype=np.float64, na_value=np.nan)
        there = np.isfinite(values)
        everybody = _mean(values[there])
        for code, name in enumerate(names):
            own = values[there & (codes == code)]
            rows[measure, name] = (len(own), _mean(own), float(np.median(own)) if len(own) else np.nan, everybody)
    index = pd.MultiIndex.from_tuples(list(rows), names=["measure", TIER]) if rows else _no_measure()
    table = pd.DataFrame(list(rows.values()), index=index, columns=["customers", "mean", "median", "everybody"])
    table = table.astype({"customers": "int64"})
    return table.assign(index=100 * shares(table["mean"], table["everybody"]))


def _no_measure() -> pd.MultiIndex:
    return pd.MultiIndex.from_arrays([[], []], names=["measure", TIER])


def _mean(values: NDArray[np.float64]) -> float:
    """Return the mean; values are sorted first, so that the order of rows cannot change its last digit."""
    return float(np.mean(np.sort(values))) if len(values) else np.nan


def _attribute(
    column: pd.Series[Any], codes: NDArray[np.int64], tiers: int, *, several: bool
) -> tuple[pd.DataFrame, NDArray[np.int64]]:
    """Count a column's values per tier, and the customers of each tier whose value is known."""
    place, values = pd.factorize(column, sort=False)
    texts = [str(value) for value in values]
    cells = _cells(place, codes, len(texts), tiers)
    of = cells.sum(axis=0)
    if several:
        parts = [sorted({part.strip() for part in _BETWEEN.split(text)} - {""}) for text in texts]
        rows = pd.DataFrame(cells).loc[np.repeat(np.arange(len(texts)), [len(part) for part in parts])]
        rows.index = pd.Index([one for part in parts for one in part], dtype="object")
        of = cells[[bool(part) for part in parts]].sum(axis=0)
        return rows.groupby(level=0).sum(), of
    return pd.DataFrame(cells, index=pd.Index(texts, dtype="object")).sort_index(), of


def _cells(place: NDArray[np.int64], codes: NDArray[np.int64], values: int, tiers: int) -> NDArray[np.int64]:
    there = place >= 0
    flat = np.bincount(place[there] * tiers + codes[there], minlength=values * tiers)
    return np.asarray(flat, dtype=np.int64).reshape(values, tiers)

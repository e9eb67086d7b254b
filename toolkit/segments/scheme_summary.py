"""Every scheme at a glance: customers and spend of each class."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from toolkit.errors import ArgumentError
from toolkit.schema import WINDOW_SPEND
from toolkit.segments.portrait_index import TIER, shares
from toolkit.segments.summary import need

if TYPE_CHECKING:
    from collections.abc import Sequence

SCHEME = "scheme"


def scheme_summary(tiered: pd.DataFrame, schemes: Sequence[str]) -> pd.DataFrame:
    """Count customers and their spend in each class of each scheme.

    Parameters
    ----------
    tiered
        Output of ``Tiers.transform``, with ``window_spend``.
    schemes
        The columns of tiers to count, such as ``tiers.schemes_``.

    Returns
    -------
    DataFrame
        Index ``scheme tier``, classes best first, empty ones included; ``customers``, ``share_of_customers``, ``spend``
        (currency, window) and ``share_of_spend`` (missing where the total is not positive).

    Raises
    ------
    ArgumentError
        A column is missing, or is no ordered category.

    Examples
    --------
    >>> habit = pd.Categorical(["frequent", "potential"], ["frequent", "potential"], ordered=True)
    >>> scheme_summary(pd.DataFrame({"purchase_habit": habit, "window_spend": [75.0, 25.0]}), ["purchase_habit"])
                              customers  share_of_customers  spend  share_of_spend
    scheme         tier
    purchase_habit frequent           1                 0.5   75.0            0.75
                   potential          1                 0.5   25.0            0.25
    """
    need(tiered, WINDOW_SPEND, *schemes)
    spend = tiered[WINDOW_SPEND].to_numpy(dtype=np.float64)
    by_amount = np.argsort(spend, kind="stable")
    parts = []
    for scheme in schemes:
        if not isinstance(tiered[scheme].dtype, pd.CategoricalDtype):
            hint = "tk.Tiers(study).fit(snap).transform(snap)"
            raise ArgumentError("scheme", f"{scheme} is no column of tiers", column=scheme, hint=hint)
        names = [str(name) for name in tiered[scheme].cat.categories]
        codes = tiered[scheme].cat.codes.to_numpy()[by_amount]
        there = codes >= 0
        table = pd.DataFrame(
            {
                "customers": np.bincount(codes[there], minlength=len(names)),
                "spend": np.bincount(codes[there], weights=spend[by_amount][there], minlength=len(names)),
            },
            index=pd.MultiIndex.from_product([[scheme], names], names=[SCHEME, TIER]),
        )
        for name in ("customers", "spend"):
            table[f"share_of_{name}"] = shares(table[name], table[name].sum())
        parts.append(table[["customers", "share_of_customers", "spend", "share_of_spend"]])
    return pd.concat(parts)

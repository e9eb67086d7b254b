"""Who is in each cluster, and what they bring."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from toolkit.schema import WINDOW_SPEND
from toolkit.segments.cluster_match import CLUSTER
from toolkit.segments.summary import TOTAL, need

if TYPE_CHECKING:
    from collections.abc import Sequence


def cluster_profile(clustered: pd.DataFrame, features: Sequence[str]) -> pd.DataFrame:
    """Add up customers and spend per cluster, with the median of each feature.

    Parameters
    ----------
    clustered
        Output of ``Clusters.transform``.
    features
        Columns whose median is wanted, such as ``Clusters.features_``.

    Returns
    -------
    DataFrame
        Index ``cluster``: those that are present, then ``total`` (all who have a cluster). ``customers``,
        ``share_of_customers``; with ``window_spend`` in the frame ``spend`` (currency, window) and ``share_of_spend``
        (missing where the total is not positive); then ``median_`` and the feature's name.

    Raises
    ------
    ArgumentError
        A column is missing.

    Examples
    --------
    >>> frame = pd.DataFrame({"cluster": pd.Categorical(["1", "2", "2"]), "window_spend": [60.0, 10.0, 30.0]})
    >>> cluster_profile(frame, ["window_spend"])[["customers", "share_of_spend", "median_window_spend"]]
             customers  share_of_spend  median_window_spend
    cluster
    1                1             0.6                 60.0
    2                2             0.4                 20.0
    total            3             1.0                 30.0
    """
    need(clustered, CLUSTER, *features)
    placed = clustered.loc[clustered[CLUSTER].notna()]
    parts = {str(name): part for name, part in placed.groupby(CLUSTER, observed=True)} | {TOTAL: placed}
    everybody = max(len(placed), 1)
    rows = []
    for part in parts.values():
        row: dict[str, float] = {"customers": len(part), "share_of_customers": len(part) / everybody}
        if WINDOW_SPEND in placed.columns:
            total = float(placed[WINDOW_SPEND].sum())
            row["spend"] = float(part[WINDOW_SPEND].sum())
            row["share_of_spend"] = row["spend"] / total if total > 0 else np.nan
        rows.append(row | {f"median_{name}": float(part[name].median()) for name in features})
    table = pd.DataFrame(rows, index=pd.Index(list(parts), name=CLUSTER))
    return table.astype({"customers": "int64"})

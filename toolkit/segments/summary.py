"""Tables of a scored snapshot: what each type brings, where the scores lie, how concentrated spend is."""

from __future__ import annotations

import numpy as np
import pandas as pd

from toolkit.errors import ArgumentError
from toolkit.schema import (
    F_SCORE,
    ORDER_COUNT,
    PROSPECT,
    R_SCORE,
    RECENCY_DAYS,
    SEGMENT,
    SEGMENTS,
    WINDOW_ORDER_DAYS,
    WINDOW_SPEND,
)

TOTAL = "total"


def segment_summary(scored: pd.DataFrame) -> pd.DataFrame:
    """Say per type how many customers it holds and what they brought in the window.

    Parameters
    ----------
    scored
        Output of ``RFM.transform``, one row per customer.

    Returns
    -------
    DataFrame
        Index ``segment``: the types that are present in the order of their value, ``prospect``, then ``total``.
        Columns ``customers``, ``share_of_customers``, ``spend`` (currency, window), ``share_of_spend`` (missing
        where the total is not positive), ``mean_recency_days``, ``median_recency_days``,
        ``mean_window_order_days``, ``mean_window_spend``.

    Raises
    ------
    ArgumentError
        The frame was not scored.

    Examples
    --------
    >>> scored = pd.DataFrame({"segment": ["champions", "champions", "lost"], "recency_days": [3.0, 5.0, 300.0],
    ...                        "window_order_days": [4, 6, 1], "window_spend": [50.0, 40.0, 10.0]})
    >>> segment_summary(scored)[["customers", "share_of_customers", "spend", "share_of_spend"]].round(2)
               customers  share_of_customers  spend  share_of_spend
    segment
    champions          2                0.67   90.0             0.9
    lost               1                0.33   10.0             0.1
    total              3                1.00  100.0             1.0
    """
    need(scored, SEGMENT, RECENCY_DAYS, WINDOW_ORDER_DAYS, WINDOW_SPEND)
    parts = dict(iter(scored.groupby(scored[SEGMENT].astype("object"))))
    rows = {name: _figures(parts[name]) for name in (*SEGMENTS, PROSPECT) if name in parts}
    table = pd.DataFrame.from_dict({**rows, TOTAL: _figures(scored)}, orient="index").rename_axis(SEGMENT)
    whole = table.loc[TOTAL]
    table["customers"] = table["customers"].astype("int64")
    table["share_of_customers"] = table["customers"] / max(whole["customers"], 1)
    table["share_of_spend"] = table["spend"] / (whole["spend"] if whole["spend"] > 0 else np.nan)
    first = ["customers", "share_of_customers", "spend", "share_of_spend"]
    return table[[*first, *(column for column in table.columns if column not in first)]]


def score_table(scored: pd.DataFrame) -> pd.DataFrame:
    """Count buyers per recency and frequency score, with their mean spend in the window.

    Parameters
    ----------
    scored
        Output of ``RFM.transform``.

    Returns
    -------
    DataFrame
        Index ``(r_score, f_score)``, those that occur; columns ``customers`` and ``mean_window_spend`` (currency).

    Raises
    ------
    ArgumentError
        The frame was not scored.

    Examples
    --------
    >>> scored = pd.DataFrame({"order_count": [1, 2, 0], "r_score": [1, 1, None], "f_score": [2, 2, None],
    ...                        "window_spend": [10.0, 20.0, 0.0]})
    >>> score_table(scored)
                     customers  mean_window_spend
    r_score f_score
    1       2                2               15.0
    """
    need(scored, ORDER_COUNT, R_SCORE, F_SCORE, WINDOW_SPEND)
    buyers = scored.loc[scored[ORDER_COUNT] > 0].astype({R_SCORE: "int64", F_SCORE: "int64"})
    cells = buyers.groupby([R_SCORE, F_SCORE])[WINDOW_SPEND]
    return pd.DataFrame({"customers": cells.size(), "mean_window_spend": cells.mean()})


def pareto_curve(scored: pd.DataFrame) -> pd.DataFrame:
    """Cumulate spend over buyers, the best first, at every percent of buyers.

    Parameters
    ----------
    scored
        A snapshot, scored or not.

    Returns
    -------
    DataFrame
        101 rows: ``share_of_customers`` (0, 0.01, .. 1, of buyers), ``share_of_spend`` (of the window's spend;
        over 1 in between where refunds leave some buyers under zero), ``customers`` (how many buyers that is).

    Raises
    ------
    ArgumentError
        There is no buyer, or the window's spend is not positive.

    Notes
    -----
    A percent that falls between two buyers takes the lower whole number of buyers.

    Examples
    --------
    >>> curve = pareto_curve(pd.DataFrame({"order_count": [1] * 5, "window_spend": [60.0, 10, 10, 10, 10]}))
    >>> float(curve.set_index("share_of_customers")["share_of_spend"][0.2])
    0.6
    """
    need(scored, ORDER_COUNT, WINDOW_SPEND)
    spend = scored.loc[scored[ORDER_COUNT] > 0, WINDOW_SPEND].to_numpy(dtype=np.float64)
    best_first = np.sort(spend)[::-1]
    cumulated = np.concatenate(([0.0], np.cumsum(best_first)))
    if cumulated[-1] <= 0:
        raise ArgumentError(
            "no-spend", "nothing was spent in the window", column=WINDOW_SPEND, hint="a later as_of or a longer window"
        )
    customers = np.arange(101) * len(spend) // 100
    return pd.DataFrame(
        {
            "share_of_customers": np.arange(101) / 100,
            "share_of_spend": cumulated[customers] / cumulated[-1],
            "customers": customers,
        }
    )


def need(frame: pd.DataFrame, *columns: str) -> None:
    """Refuse a frame that lacks columns, naming them.

    Raises
    ------
    ArgumentError
        A column is missing.
    """
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        hint = "tk.RFM().fit(snap).transform(snap)"
        raise ArgumentError("missing-column", f"the frame has no {', '.join(missing)}", hint=hint)


def _figures(part: pd.DataFrame) -> dict[str, float]:
    return {
        "customers": len(part),
        "spend": float(part[WINDOW_SPEND].sum()),
        "mean_recency_days": float(part[RECENCY_DAYS].mean()),
        "median_recency_days": float(part[RECENCY_DAYS].dropna().median()),
        "mean_window_order_days": float(part[WINDOW_ORDER_DAYS].mean()),
        "mean_window_spend": float(part[WINDOW_SPEND].mean()),
    }

"""Do curves differ: the log-rank test over all groups, and restricted means of pairs."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.stats import chi2, norm

from toolkit.intervals import Z
from toolkit.risk.product_limit import days_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from toolkit.risk.product_limit import Days, Floats, Rows


@dataclass(frozen=True, eq=False)
class LogRank:
    """Test that all groups have one hazard of event 1; see `log_rank`.

    Attributes
    ----------
    statistic, degrees, p_value
        Chi-square, its degrees of freedom, and the probability of more; missing where fewer than two groups compare.
    table
        Index ``group``: ``observed`` and ``expected`` events.
    """

    statistic: float
    degrees: int
    p_value: float
    table: pd.DataFrame

    def __repr__(self) -> str:
        if np.isnan(self.p_value):
            return "log-rank: not estimable"
        return f"log-rank: chi-square {self.statistic:.2f} on {self.degrees}, p {shown_p(self.p_value)}"


def log_rank(groups: Mapping[str, Rows]) -> LogRank:
    """Test whether groups have one hazard, late entry respected.

    Parameters
    ----------
    groups
        Days, codes and entries of each group, as `toolkit.risk.product_limit.observed` returns them. Event 2 ends
        follow-up: the test is about the hazard of event 1.

    Returns
    -------
    LogRank
        The test.

    Notes
    -----
    Mantel (1966), "Evaluation of survival data and two new rank order statistics", Cancer Chemother. Rep. 50, with the
    hypergeometric variance over tied days.

    Examples
    --------
    >>> from toolkit.risk.product_limit import observed
    >>> log_rank({"a": observed([1, 2, 3], [1, 1, 1]), "b": observed([4, 5, 6], [1, 1, 0])})
    log-rank: chi-square 5.05 on 1, p .025
    """
    rows = [np.concatenate(parts) for parts in zip(*groups.values(), strict=True)]
    whole = days_of(*rows)
    days = whole.time[whole.events > 0]
    events, at_risk = (np.zeros((len(days), len(groups))) for _ in range(2))
    for column, (duration, code, start) in enumerate(groups.values()):
        own = days_of(duration, code, start)
        there = start < duration
        events[np.isin(days, own.time), column] = own.events[np.isin(own.time, days)]
        entered = np.searchsorted(np.sort(start[there]), days, side="left")
        at_risk[:, column] = entered - np.searchsorted(np.sort(duration[there]), days, side="left")
    d, y = events.sum(axis=1), at_risk.sum(axis=1)
    share = at_risk / y[:, None]
    expected = (d[:, None] * share).sum(axis=0)
    table = pd.DataFrame(
        {"observed": events.sum(axis=0), "expected": expected}, index=pd.Index(list(groups), name="group")
    )
    spread = d * np.divide(y - d, y - 1, out=np.zeros(len(y)), where=y > 1)
    variance = np.diag(spread @ share) - share.T @ (spread[:, None] * share)
    gap = events.sum(axis=0) - expected
    degrees = int((np.diag(variance) > 0).sum()) - 1
    if degrees < 1:
        return LogRank(np.nan, 0, np.nan, table)
    statistic = float(gap @ np.linalg.pinv(variance, hermitian=True) @ gap)
    return LogRank(statistic, degrees, float(chi2.sf(statistic, degrees)), table)


def restricted_mean_contrasts(groups: Mapping[str, Days], horizon: float, small: Sequence[str] = ()) -> pd.DataFrame:
    """Compare the restricted means of every pair of groups.

    Parameters
    ----------
    groups
        What happened on each day, by group.
    horizon
        Days up to which the means are taken.
    small
        Groups to mark.

    Returns
    -------
    DataFrame
        ``group``, ``other``, ``difference`` (days, of the first over the second), ``lower``, ``upper``, ``p_value``,
        ``p_adjusted`` (Holm, over the pairs that are estimable), ``small`` (one of them is marked).

    Notes
    -----
    Normal approximation; the groups must have no customer in common. Royston, Parmar (2013), "Restricted mean survival
    time: an alternative to the hazard ratio", BMC Med. Res. Methodol. 13; Holm (1979).

    Examples
    --------
    >>> from toolkit.risk.product_limit import days_of, observed
    >>> groups = {"a": days_of(*observed([1, 2, 3], [1, 1, 1])), "b": days_of(*observed([4, 5, 6], [1, 1, 0]))}
    >>> restricted_mean_contrasts(groups, 4).round(3).drop(columns="small")
      group other  difference  lower  upper  p_value  p_adjusted
    0     a     b        -2.0 -2.924 -1.076      0.0         0.0
    """
    means = {name: table.restricted_mean(horizon) for name, table in groups.items()}
    rows = []
    for one, other in combinations(groups, 2):
        difference = means[one][0] - means[other][0]
        error = np.sqrt(means[one][1] + means[other][1])
        p_value = 2 * norm.sf(abs(difference) / error) if error > 0 else np.nan
        ends = (difference - Z * error, difference + Z * error)
        rows.append((one, other, difference, *ends, p_value, one in small or other in small))
    names = ["group", "other", "difference", "lower", "upper", "p_value", "small"]
    table = pd.DataFrame(rows, columns=names).astype({"small": "bool"})
    table.insert(6, "p_adjusted", holm(table["p_value"].to_numpy(dtype=np.float64)))
    return table


def holm(p_values: Floats) -> Floats:
    """Adjust p-values for how many they are (Holm, 1979, Scand. J. Stat. 6); missing ones do not count.

    Examples
    --------
    >>> holm(np.array([0.01, 0.04, np.nan, 0.03])).round(2).tolist()
    [0.03, 0.06, nan, 0.06]
    """
    known = np.flatnonzero(~np.isnan(p_values))
    order = known[np.argsort(p_values[known], kind="stable")]
    adjusted = np.full(len(p_values), np.nan)
    adjusted[order] = np.minimum(np.maximum.accumulate(p_values[order] * np.arange(len(order), 0, -1)), 1.0)
    return adjusted


def shown_p(p_value: float) -> str:
    """Write a p-value as papers do.

    Examples
    --------
    >>> shown_p(0.0312), shown_p(0.00001)
    ('.031', '< .001')
    """
    return "< .001" if p_value < 0.001 else f"{p_value:.3f}".lstrip("0")

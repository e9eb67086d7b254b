"""How often a rule for calling customers lost errs, where a customer is looked at on several days."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from toolkit.intervals import share_interval

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from toolkit.risk.product_limit import Floats, Ints

    Truth = NDArray[np.bool_]

LOST_BUT_ORDERED, ALIVE_BUT_SILENT = "lost_but_ordered", "alive_but_silent"


@dataclass(frozen=True, eq=False)
class Looks:
    """Customers at landmarks, one row per look; arrays of one length.

    Attributes
    ----------
    customer
        Number of the customer, from 0.
    idle
        Days since the last order.
    ordered
        Whether an order came within the horizon.
    """

    customer: Ints
    idle: Floats
    ordered: Truth

    def of(self, rows: Truth) -> Looks:
        """Return some of the looks, with customers numbered anew."""
        customer = np.unique(self.customer[rows], return_inverse=True)[1].astype(np.int64)
        return Looks(customer, self.idle[rows], self.ordered[rows])


def error_rates(looks: Looks, lost: Truth) -> dict[str, float]:
    """Count those called lost, and say how often either call errs.

    Parameters
    ----------
    looks
        Customers at landmarks.
    lost
        Which of them the rule calls lost; the others are called alive.

    Returns
    -------
    dict
        ``called_lost``, ``lost_but_ordered`` and ``alive_but_silent`` (shares of those called so), each with its 95 %
        interval ``_lower`` and ``_upper``; missing where nobody is called so.

    Examples
    --------
    >>> looks = Looks(np.array([0, 1, 2, 3]), np.array([9.0, 80, 95, 99]), np.array([True, False, False, True]))
    >>> rates = error_rates(looks, looks.idle >= 90)
    >>> rates["called_lost"], rates["lost_but_ordered"], rates["alive_but_silent"]
    (2, 0.5, 0.5)
    """
    alive = ~lost
    return _rates((looks.ordered[lost], looks.customer[lost]), (~looks.ordered[alive], looks.customer[alive]))


def clustered_share(hits: Truth, customer: Ints) -> tuple[float, float, float]:
    """Return a share with its 95 % interval, where rows of one customer resemble each other.

    Parameters
    ----------
    hits
        What is counted, by row.
    customer
        Number of the customer of each row, from 0.

    Returns
    -------
    share, lower, upper : float
        Missing where there is no row.

    Notes
    -----
    Wilson's interval at the effective number of rows: rows over the design effect, that is the variance of the share
    with rows summed by customer (Liang, Zeger, 1986) over the binomial one. It is held between the rows and Kish's
    rows^2 / sum(rows of a customer^2), which is taken where all rows agree and there is nothing to estimate it from.

    Examples
    --------
    >>> share, lower, upper = clustered_share(np.array([True, True, False, False]), np.array([0, 0, 1, 1]))
    >>> share, round(lower, 3), round(upper, 3)
    (0.5, 0.095, 0.905)
    """
    rows = len(hits)
    if not rows:
        return np.nan, np.nan, np.nan
    share = float(hits.mean())
    least = rows**2 / float((np.bincount(customer) ** 2).sum())
    spread = float((np.bincount(customer, weights=hits - share) ** 2).sum())
    binomial = rows * share * (1 - share)
    effective = np.clip(rows * binomial / spread, least, rows) if spread > 0 and binomial > 0 else least
    lower, upper = share_interval(share, effective)
    return share, float(lower), float(upper)


def rates_by_cut(looks: Looks, measure: Floats, cuts: Sequence[float], name: str) -> pd.DataFrame:
    """Return the error rates of calling lost at or beyond each cut of a measure; cuts that nobody reaches are left out.

    Examples
    --------
    >>> looks = Looks(np.array([0, 1, 2]), np.array([9.0, 80, 95]), np.array([True, True, False]))
    >>> table = rates_by_cut(looks, looks.idle, (30, 90, 365), "window_days")
    >>> table[["window_days", "called_lost", "lost_but_ordered"]]
       window_days  called_lost  lost_but_ordered
    0           30            2               0.5
    1           90            1               0.0
    """
    order = np.argsort(measure, kind="stable")
    ordered, customer = looks.ordered[order], looks.customer[order]
    rows: list[dict[str, Any]] = []
    for cut, first in zip(cuts, np.searchsorted(measure[order], cuts, side="left"), strict=True):
        if first < len(order):
            lost, alive = slice(first, None), slice(first)
            rows.append({name: cut, **_rates((ordered[lost], customer[lost]), (~ordered[alive], customer[alive]))})
    empty = [name, *error_rates(looks, np.zeros(len(measure), dtype=np.bool_))]
    return pd.DataFrame(rows, columns=None if rows else empty)


def smallest(table: pd.DataFrame, name: str, tolerance: float) -> tuple[float, bool]:
    """Return the smallest cut at which the upper limit of ``lost_but_ordered`` is within the tolerance.

    Returns
    -------
    cut, reached
        The largest cut, and False, where none is; missing where there is none.

    Examples
    --------
    >>> table = pd.DataFrame({"window_days": [30, 60], "lost_but_ordered_upper": [0.3, 0.09]})
    >>> smallest(table, "window_days", 0.1), smallest(table, "window_days", 0.05)
    ((60.0, True), (60.0, False))
    """
    within = table.loc[table[f"{LOST_BUT_ORDERED}_upper"] <= tolerance, name]
    return (float(within.min()), True) if len(within) else (float(table[name].max()), False)


def _rates(lost: tuple[Truth, Ints], alive: tuple[Truth, Ints]) -> dict[str, float]:
    """Say how often both calls err: who was called so and proved it wrong, and which customers they are."""
    found: dict[str, float] = {"called_lost": len(lost[0])}
    for name, (wrong, customer) in ((LOST_BUT_ORDERED, lost), (ALIVE_BUT_SILENT, alive)):
        share, lower, upper = clustered_share(wrong, customer)
        found |= {name: share, f"{name}_lower": lower, f"{name}_upper": upper}
    return found

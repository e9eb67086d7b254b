"""What customers who bought as often and as lately did: the table that serves where no model can be fitted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from toolkit.errors import ArgumentError
from toolkit.risk.histories import histories

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from toolkit.risk.histories import Histories

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

FREQUENCY = (1, 2, 3, 5)
"""Order days from which each class counts."""
RECENCY = (0, 31, 91, 181, 366)
"""Days since the last order day from which each class counts."""
FEWEST = 20
"""Customers below which a class takes the figures of a wider one."""


@dataclass(frozen=True)
class CohortTable:
    """Orders per day by recency and frequency; see `cohort_table`.

    Attributes
    ----------
    table
        Index ``order_days recency_days`` (first of each class); ``customers``, ``orders_per_day`` and ``error``, the
        standard error of its logarithm.
    observed
        Whether orders after the classes were read; else they are those of the whole past.
    """

    table: pd.DataFrame
    observed: bool

    def p_alive(self, found: Histories) -> Floats:
        """Return missing values: a table knows no one who is alive."""
        return np.full(len(found.repeats), np.nan)

    def p_alive_bounds(self, found: Histories) -> tuple[Floats, Floats]:
        """Return missing values."""
        return self.p_alive(found), self.p_alive(found)

    def orders(self, found: Histories, days: float, *, given_active: bool) -> Floats:
        """Return the orders of the class within ``days``; given active, those of the latest class of that frequency."""
        return self._column("orders_per_day", found, given_active=given_active) * days

    def orders_error(self, found: Histories, days: float, *, given_active: bool) -> Floats:  # noqa: ARG002 - as of a model
        """Return the standard error of the logarithm of the expected orders."""
        return self._column("error", found, given_active=given_active)

    def probability(self, found: Histories, days: float, *, given_active: bool) -> Floats:
        """Return the probability of an order within ``days``, as if orders of a class came at random."""
        return -np.expm1(-self.orders(found, days, given_active=given_active))

    def total(self, found: Histories, weights: Floats, days: float) -> tuple[float, float]:
        """Return the weighted sum of expected orders, and the standard error of its logarithm, at its largest."""
        parts = self.orders(found, days, given_active=False) * weights
        expected = float(parts.sum())
        return expected, float(parts @ self.orders_error(found, days, given_active=False)) / expected

    def cumulative(self, starts: Ints, counts: Ints, days: Ints) -> tuple[Floats, Floats]:  # noqa: ARG002 - as of a model
        """Return missing values: a table tells no past."""
        missing = np.full(len(days), np.nan)
        return missing, missing

    def _column(self, name: str, found: Histories, *, given_active: bool) -> Floats:
        classes = _classes(found)
        if given_active:
            classes -= classes % len(RECENCY)
        return self.table[name].to_numpy(dtype=np.float64)[classes]


def cohort_table(now: pd.DataFrame, earlier: pd.DataFrame | None) -> CohortTable:
    """Measure orders per day of customers, by how often and how lately they had bought.

    Parameters
    ----------
    now
        A snapshot.
    earlier
        A snapshot of the same customers of an earlier day. Its classes are followed from then to now.

    Returns
    -------
    CohortTable
        Every class has a rate: one of fewer than 20 customers takes that of its frequency, this one that of all repeat
        buyers or of all one-time buyers, and these that of everybody.

    Raises
    ------
    ArgumentError
        ``earlier`` is no earlier, or shares no buyer with ``now``.

    Notes
    -----
    Without ``earlier`` nobody knows what followed: a class then has the rate of its past, sum of (x + 1) over sum of
    (T + 1 / rate of all), which is too high for those who were frequent and have left.
    """
    found = histories(now if earlier is None else earlier)
    orders, days = _past(found) if earlier is None else _followed(now, earlier, found)
    least = 1 / (float(found.repeats.sum()) + 0.5) if earlier is None else 0.0
    classes = _classes(found)
    cells = np.arange(len(FREQUENCY) * len(RECENCY))
    frequency = cells // len(RECENCY)
    customers = np.bincount(classes, np.isfinite(days), len(cells)).astype(np.int64)
    rate, error = np.full(len(cells), np.nan), np.full(len(cells), np.nan)
    levels = ((cells, FEWEST), (frequency, FEWEST), (np.minimum(frequency, 1), FEWEST), (np.zeros_like(cells), 1))
    for parents, enough in levels:
        n, of_group, error_of_group = _rates(parents[classes], orders, days, least)
        take = np.isnan(rate) & (n >= enough)[parents]
        rate[take], error[take] = of_group[parents][take], error_of_group[parents][take]
    index = pd.MultiIndex.from_product([FREQUENCY, RECENCY], names=["order_days", "recency_days"])
    columns = {"customers": customers, "orders_per_day": rate, "error": error}
    return CohortTable(pd.DataFrame(columns, index=index), observed=earlier is not None)


def frequency_class(repeats: Ints) -> Ints:
    """Return the class of order days, counted from 0, by repeat order days."""
    return np.searchsorted(FREQUENCY, repeats + 1, side="right") - 1


def _classes(found: Histories) -> Ints:
    recency = np.searchsorted(RECENCY, found.tenure - found.last, side="right") - 1
    return frequency_class(found.repeats) * len(RECENCY) + recency


def _rates(groups: Ints, orders: Floats, days: Floats, least: float) -> tuple[Ints, Floats, Floats]:
    """Return customers, orders per day and the standard error of its logarithm, by group.

    No order counts as half a one. The squared error is that between customers, at least ``least`` and that of so few
    orders.
    """
    size = len(FREQUENCY) * len(RECENCY)
    kept = np.isfinite(days)
    groups, orders, days = groups[kept], orders[kept], days[kept]
    n = np.bincount(groups, minlength=size)
    time = np.bincount(groups, days, size)
    sums = np.maximum(np.bincount(groups, orders, size), 0.5)
    rate = np.divide(sums, time, where=time > 0, out=np.full(size, np.nan))
    between = np.bincount(groups, (orders - rate[groups] * days) ** 2, size) / sums**2
    return n, rate, np.sqrt(np.maximum(np.maximum(between, 1 / (sums + 0.5)), least))


def _past(found: Histories) -> tuple[Floats, Floats]:
    """Return orders and days to divide; no days where all bought today, as nothing is known then."""
    orders, tenure = (found.repeats + 1).astype(np.float64), float(found.tenure.sum())
    if tenure == 0:
        return orders, np.full(len(orders), np.nan)
    return orders, np.asarray(found.tenure + tenure / (float(found.repeats.sum()) + 0.5))


def _followed(now: pd.DataFrame, earlier: pd.DataFrame, found: Histories) -> tuple[Floats, Floats]:
    """Return orders made since the earlier snapshot, and days; no days for who has left the snapshot."""
    later = histories(now)
    places = now.index[later.buyers].get_indexer(earlier.index[found.buyers])
    shared = places >= 0
    ahead = later.tenure[places[shared]] - found.tenure[shared]
    days = float(np.median(ahead)) if len(ahead) else 0.0
    if days <= 0:
        what = "the earlier snapshot is no earlier one of the same customers"
        raise ArgumentError("earlier", what, hint="earlier=study.snapshot(a day before)")
    made = (later.repeats[places] - found.repeats).astype(np.float64)
    return made, np.where(shared, days, np.nan)

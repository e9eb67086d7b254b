"""Buyers who do what BG/NBD and Gamma-Gamma say, with their truth: a generator of the tests' own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

import toolkit as tk

Floats = NDArray[np.float64]
P, Q, V = 3.0, 4.0, 30.0
"""Gamma-Gamma of the order values."""
NEEDED = ["order_days", "recency_days", "tenure_days", "repeat_spend"]
"""Columns of a snapshot that the models of value read."""


@dataclass(frozen=True)
class Buyers:
    """Simulated buyers, one row each: days of first order, of repeats (rising) and of leaving; infinity where none is.

    ``value`` is the mean value of an order of each, ``day`` that of the snapshot of the columns `NEEDED`.
    """

    start: Floats
    at: Floats
    left: Floats
    value: Floats
    day: int
    snapshot: pd.DataFrame

    @property
    def active(self) -> NDArray[np.bool_]:
        """Who is still a customer at the day of the snapshot."""
        return self.left > self.day

    def made(self, days: int) -> Floats:
        """Order days of each in the days after the snapshot."""
        return _order_days(self.at, self.day, self.day + days).astype(np.float64)

    def lines(self, first_day: str, amount: float) -> pd.DataFrame:
        """Return order lines, first orders included, one per customer and day."""
        who, _ = np.nonzero(np.isfinite(self.at))
        customers = np.concatenate([np.arange(len(self.start)), who])
        days = np.concatenate([self.start, self.at[np.isfinite(self.at)]])
        dates = pd.Timestamp(first_day) + pd.to_timedelta(np.ceil(days), unit="D")
        ids = [f"C{number:05d}" for number in customers]
        return pd.DataFrame({"customer_id": ids, "ordered_at": dates, "amount": amount}).drop_duplicates()


def simulated(
    n: int,
    seed: int,
    *,
    days: int = 730,
    r: float = 0.6,
    alpha: float = 60.0,
    a: float = 0.8,
    b: float = 2.5,
    future: int = 0,
    start_within: float = 0.8,
) -> Buyers:
    """Draw buyers whose first orders lie in the first ``start_within`` of ``days``; ``alpha`` is in days.

    Every gap, every choice to leave and every value is drawn by itself, customer by customer, order by order.
    """
    rng = np.random.default_rng(seed)
    rate, leave = rng.gamma(r, 1 / alpha, n), rng.beta(a, b, n)
    start = np.floor(rng.uniform(0, start_within * days, n))
    now, there = start.copy(), np.ones(n, dtype=bool)
    left = np.full(n, np.inf)
    at = []
    end = days + future
    while there.any():
        now = np.where(there, now + rng.exponential(1.0, n) / rate, np.inf)
        orders = there & (now <= end)
        at.append(np.where(orders, now, np.inf))
        leaves = orders & (rng.random(n) < leave)
        left[leaves] = now[leaves]
        there = orders & ~leaves
    table = np.column_stack(at)
    money = rng.gamma(Q, 1 / V, n)
    x = _order_days(table, 0, days)
    last = np.where(table <= days, np.ceil(table), -np.inf).max(axis=1)
    last = np.where(x > 0, last, start)
    snapshot = pd.DataFrame(
        {
            "order_days": x.astype(np.int64) + 1,
            "recency_days": days - last,
            "tenure_days": days - start,
            "repeat_spend": np.where(x > 0, rng.gamma(P * np.maximum(x, 1)) / money, 0.0),
        },
        index=pd.Index([f"C{number:06d}" for number in range(n)], name="customer_id"),
    )
    return Buyers(start, table, left, P / money, days, snapshot)


def _order_days(at: Floats, after: int, until: int) -> NDArray[np.int64]:
    """Count the different days with a repeat order in ``(after, until]``; an order at 3.2 is of day 4."""
    day = np.where(np.isfinite(at), np.ceil(at), -1.0)
    inside = (day > after) & (day <= until)
    new = np.column_stack([np.ones(len(at), dtype=bool), np.diff(day, axis=1) > 0]) if at.shape[1] else inside
    return np.asarray((inside & new).sum(axis=1))


def shop_of_buyers() -> tk.Study:
    """Open a study of 400 buyers over 500 days; an order is 10."""
    lines = simulated(400, seed=4, days=500, alpha=30.0).lines("2025-01-01", amount=10.0)
    return tk.Study.from_frames(lines, timezone="Asia/Shanghai", currency="CNY")

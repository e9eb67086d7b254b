"""Made-up episodes for the tests of churn models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Sequence

FEATURES = ("x1", "x2", "x3")
BETA = np.array([0.6, -0.4, 0.3])


def shoppers(customers: int = 400, landmarks: int = 3, seed: int = 1, follow_up: int = 91) -> pd.DataFrame:
    """Make episodes of buyers with rates of their own, half of whom leave: features, time to the next order in days."""
    rng = np.random.default_rng(seed)
    rate = rng.gamma(0.7, 1 / 60, customers)
    days = 540
    begin = rng.integers(0, 300, customers)
    stay = np.where(rng.random(customers) < 0.5, rng.exponential(100, customers).astype(int) + 2, days)
    orders = [
        np.unique(np.append(first, first + rng.integers(1, long, rng.poisson(one * long))))
        for first, one, long in zip(begin, rate, np.minimum(stay, days - begin), strict=True)
    ]
    value = np.exp(rng.normal(3, 0.5, customers)).round(2)
    parts = []
    for number in range(landmarks):
        at = 330 + 30 * number
        end = min(at + follow_up, days)
        known = [(who, own[own <= at], own[own > at]) for who, own in enumerate(orders) if own[0] <= at]
        parts.append(
            pd.DataFrame(
                {
                    "customer_id": [f"C{who:05d}" for who, _, _ in known],
                    "landmark": pd.Timestamp("2026-01-01") + pd.Timedelta(days=at),
                    "recency_days": [float(at - past[-1]) for _, past, _ in known],
                    "tenure_days": [float(at - past[0]) for _, past, _ in known],
                    "order_days": [len(past) for _, past, _ in known],
                    "mean_order_value": [value[who] for who, _, _ in known],
                    "duration_days": [float(min(next_[0] if len(next_) else end, end) - at) for _, _, next_ in known],
                    "event": [int(len(next_) > 0 and next_[0] <= end) for _, _, next_ in known],
                    "entry_days": 0.0,
                }
            )
        )
    return pd.concat(parts).set_index("customer_id")


def put(frame: pd.DataFrame, name: str, values: Sequence[Any]) -> pd.DataFrame:
    """Return a copy with other values in the first rows of a column."""
    column = frame[name].to_numpy(copy=True, dtype=None if isinstance(values[0], int) else type(values[0]))
    column[: len(values)] = values
    return frame.assign(**{name: column})


def hazards(
    rows: int = 600, seed: int = 1, *, late: bool = False, frailty: float = 0.0, deletion: float = 0.0
) -> pd.DataFrame:
    """Make episodes with proportional hazards, known log hazard ratios, and three rows a customer.

    ``late``: seen from a random day on only, if they last so long. ``frailty``: variance of a factor (mean 1) that a
    customer's episodes share. ``deletion``: its hazard a day.
    """
    rng = np.random.default_rng(seed)
    x = np.column_stack(
        [rng.standard_normal(rows), np.repeat(rng.integers(0, 2, rows // 3 + 1), 3)[:rows], rng.random(rows)]
    )
    factor = np.ones(rows)
    if frailty:
        factor = np.repeat(rng.gamma(1 / frailty, frailty, rows // 3 + 1), 3)[:rows]
    day = np.ceil(rng.exponential(60 / (factor * np.exp(x @ BETA))))
    gone = np.ceil(rng.exponential(1 / deletion, rows)) if deletion else np.full(rows, np.inf)
    entry = np.where(rng.random(rows) < 0.5, rng.integers(1, 40, rows), 0) if late else np.zeros(rows, dtype=int)
    end = entry + rng.integers(60, 120, rows)
    last = np.minimum(np.minimum(day, gone), end)
    event = np.select([day <= np.minimum(gone, end), gone <= end], [1, 2], 0)
    frame = pd.DataFrame(x, columns=list(FEATURES), index=pd.Index(np.arange(rows) // 3, name="customer_id"))
    frame = frame.assign(duration_days=last, event=event, entry_days=entry.astype(float))
    return frame[frame["duration_days"] > frame["entry_days"]]

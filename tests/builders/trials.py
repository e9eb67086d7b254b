"""Small experiments as raw tables: who was assigned when, and what everybody bought before and after."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

import toolkit as tk

FIRST, LAST, WINDOW = date(2026, 9, 1), date(2026, 9, 7), 28
CLOSES = "2026-10-05"
START, END = datetime(2026, 5, 1), datetime(2026, 10, 31)  # noqa: DTZ001  # local time
SPEC: dict[str, Any] = {
    "experiment": "coupon", "question": "Does a coupon sell?", "arms": {"none": 0.5, "coupon": 0.5}, "control": "none",
    "tier": "stage_then", "assigned": {"first": FIRST.isoformat(), "last": LAST.isoformat()}, "window_days": WINDOW,
    "primary": "bought", "smallest_effect": 0.05, "covariate": {"days": 60},
    "metrics": {
        "bought": {"kind": "proportion", "of": "orders"},
        "spend": {"kind": "mean", "of": "spend"},
        "order_value": {"kind": "ratio", "of": "spend", "per": "orders"},
        "back": {"kind": "retention", "of": "active_days", "days": [14, 28]},
    },
    "guardrails": {
        "complaints": {"kind": "proportion", "of": {"events": ["complaint"]}, "margin": 0.05, "worse": "higher"}
    },
}  # fmt: skip


def spec_of(experiment: str = "coupon", **changes: Any) -> tk.Experiment:
    """Return the experiment with some keys changed; None takes a key away."""
    content = {**SPEC, "experiment": experiment, **changes}
    return tk.Experiment.parse({key: value for key, value in content.items() if value is not None})


def tables(units: int = 200, seed: int = 0, *, lift: float = 0.3) -> dict[str, pd.DataFrame]:
    """Draw the tables of a business and its experiment.

    Orders have one or two lines, some are refunded; the coupon adds an order with probability ``lift``. One customer
    in ten is in no arm.
    """
    rng = np.random.default_rng(seed)
    ids = [f"P{place:05d}" for place in range(units + units // 10)]
    arm = np.arange(units) % 2
    tier = rng.choice(["new_stage", "core"], units)
    moment = [
        datetime.combine(FIRST, datetime.min.time()) + timedelta(days=int(day), seconds=int(second))
        for day, second in zip(rng.integers(0, 7, units), rng.integers(8 * 3600, 20 * 3600, units), strict=True)
    ]
    orders: list[dict[str, Any]] = []
    for place, one in enumerate(ids):
        times = [
            START + timedelta(seconds=int(s)) for s in rng.integers(0, (END - START).days * 86_400, rng.poisson(1.5))
        ]
        if place < units and arm[place] and rng.random() < lift:
            times.append(moment[place] + timedelta(seconds=int(rng.integers(0, WINDOW * 86_400))))
        for number, time in enumerate(times):
            key = f"{one}-{number}"
            amounts = rng.integers(1, 200, 1 + (rng.random() < 0.2))
            orders += [order(one, time, str(amount), key) for amount in amounts]
            if rng.random() < 0.1:
                orders.append(order(one, time + timedelta(days=3), f"-{amounts[0]}", key))
    orders.append(order("Z", START, "10", "Z-0"))
    complaints = [
        {"customer_id": one, "occurred_at": START + timedelta(days=int(rng.integers(0, 180))), "kind": "complaint"}
        for one in ids if rng.random() < 0.3
    ]  # fmt: skip
    return {
        "orders": pd.DataFrame(orders),
        "events": pd.DataFrame(complaints),
        "assignments": pd.DataFrame(
            {
                "experiment_id": "coupon", "customer_id": ids[:units], "arm": np.where(arm == 1, "coupon", "none"),
                "assigned_at": moment, "tier": tier,
            }
        ),
    }  # fmt: skip


def order(customer: str, at: datetime, amount: str, key: str) -> dict[str, Any]:
    """Return an order line, or a refund where the amount is below 0."""
    return {"customer_id": customer, "ordered_at": at, "amount": amount, "order_id": key}


def study_of(frames: dict[str, pd.DataFrame], **settings: Any) -> tk.Study:
    """Open the tables as a study."""
    text: dict[str, Any] = {
        name: frame.assign(
            **{column: frame[column].astype(str) for column in map(str, frame) if column.endswith("_at")}
        )
        for name, frame in frames.items()
    }
    policies = {"negative_amounts": "refund", "zero_orders": "count"}
    return tk.Study.from_frames(**text, timezone="Asia/Shanghai", currency="CNY", policies=policies, **settings)


def moved(frames: dict[str, pd.DataFrame], **columns: Any) -> dict[str, pd.DataFrame]:
    """Return the tables with columns of the assignments changed."""
    return frames | {"assignments": frames["assignments"].assign(**columns)}


def beside(frames: dict[str, pd.DataFrame], **others: dict[str, Any]) -> dict[str, pd.DataFrame]:
    """Return the tables with further experiments of the same units: their id -> columns of the assignments changed."""
    rows = frames["assignments"]
    more = [rows.assign(experiment_id=name, **columns) for name, columns in others.items()]
    return frames | {"assignments": pd.concat([rows, *more], ignore_index=True)}


def check(result: Any, code: str) -> Any:
    """Return the one check of an evaluation with a code."""
    (found,) = (each for each in result.checks if each.code == code)
    return found

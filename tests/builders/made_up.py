"""Made-up rows of every table: few people, few products, days at the edges of every window."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, TypeVar

import numpy as np
import pandas as pd

import toolkit as tk

AS_OF = date(2026, 6, 30)
Row = dict[str, Any]
"""A row of an export: moments as ISO text, other cells as numbers or text, None where a cell is empty."""
Tables = dict[str, list[Row]]
_Cell = TypeVar("_Cell")

EDGES = (-400, -366, -365, -364, -200, -91, -90, -89, -31, -30, -29, -8, -7, -6, -3, -1, 0, 1, 2, 40)
"""Days from as_of at which a window begins or ends, and some between."""
MOMENTS = tuple(
    f"{AS_OF + timedelta(days=days)}{clock}"
    for days in EDGES
    for clock in ("", " 00:00:00", " 09:30:00", " 23:59:59")
)  # fmt: skip
OR_NEVER = (*MOMENTS, *(None,) * len(MOMENTS))
WHO = ("C1", "C2", "C3", "C4", "C5", "A1", "A2", "零")
OFTEN = WHO + WHO + WHO

CELLS: dict[str, dict[str, tuple[Any, ...]]] = {
    "orders": {
        "customer_id": (*OFTEN, None, "staff"), "ordered_at": MOMENTS, "recorded_at": OR_NEVER,
        "amount": ("10", "0.1", "99.99", "0", "-5", "300"), "order_id": (None, None, "O1", "O2", "O3"),
        "product_id": (None, "P1", "P2", "P3"),
        "product_layer": (None, "lead_in", "引流课", "Entry", "premium", "其他"),
        "list_price": (None, 0, 8, 100, 400), "quantity": (None, 0, 1, 2, 3, -1),
        "status": ("paid", "paid", "cancelled", "refunded"),
    },
    "customers": {
        "customer_id": (*OFTEN, "C6", "C7"), "joined_at": OR_NEVER, "valid_from": OR_NEVER,
        "acquisition_channel": (None, "shop"), "persona": (None, "a", "b"), "gender": (None, "f"),
        "age_band": (None, "26-35"), "region": (None, "沪", "京"), "occupation": (None, "engineer"),
        "interests": (None, "music;sport"), "followers": (None, 0, 120), "override": (None, "stage=loss"),
        "referred_by": (*WHO, None, None, None, "nobody"), "opted_out": (None, "yes", "no"),
    },
    "events": {
        "customer_id": (*OFTEN, None, "staff", "E9"), "occurred_at": MOMENTS,
        "kind": ("open", "view", "view", "click", "like", "comment", "share", "check_in", "lesson_start",
                 "lesson_complete", "login", "complaint", "reply", "follow_up", "unfollow", "注销", "挥手", None),
        "content_id": (None, "P1", "P2", "P9"), "duration_seconds": (None, 0, 60, 12.5, 0.1, 0.7, -3),
        "value": (None, None, 0, 199),
    },
    "contacts": {
        "customer_id": (*OFTEN, "staff", "K9"), "sent_at": MOMENTS, "offer_kind": (None, "content", "course", "内容"),
        "offer_price": (None, None, 99), "delivered": (None, "yes", "no"), "opened": (None, "yes", "no"),
        "opted_out": (None, None, None, "yes", "no"),
    },
    "surveys": {
        "customer_id": (*OFTEN, "S9"), "answered_at": MOMENTS, "kind": ("nps", "nps", "csat"),
        "score": (0, 3, 9, 10, 11),
    },
    "memberships": {
        "customer_id": (*OFTEN, "M9"), "starts_at": MOMENTS, "ends_at": OR_NEVER, "cancelled_at": OR_NEVER,
    },
    "assignments": {
        "customer_id": (*OFTEN, "X9"), "experiment_id": ("E1",), "arm": ("new", "old"), "assigned_at": MOMENTS,
    },
}  # fmt: skip
"""Table -> column -> the cells that it may hold, each as likely as the others."""
LINKS: tuple[Row, ...] = tuple(
    {"customer_id": who, "id_kind": kind, "id_value": value}
    for kind, people, values in (
        ("openid", ("C1", "C2", "C3"), ("A1", "A2")),
        ("unionid", ("C1", "C3", "C5", "A1", "A2"), ("U1", "U2")),
    )
    for who in people
    for value in values
)
"""Rows that the table identities may hold."""
SIZES = {"orders": 25, "customers": 10, "events": 40, "contacts": 20, "surveys": 8, "memberships": 8, "assignments": 8}
WHEN = {
    "orders": "ordered_at", "events": "occurred_at", "contacts": "sent_at", "surveys": "answered_at",
    "costs": "period_start", "assignments": "assigned_at", "memberships": "starts_at",
}  # fmt: skip
"""Table -> column of the moment of a row."""
SETTINGS: dict[str, Any] = {
    "timezone": "Asia/Shanghai",
    "currency": "CNY",
    "policies": {"missing_customer": "exclude", "negative_amounts": "refund", "refunded_rows": "refund_record"},
    "exclude_customers": ["staff"],
    "loss_budget": {"rows": 1, "money": 1},
}
BOUGHT: Row = {
    "customer_id": "C1", "ordered_at": "2026-06-01", "recorded_at": None, "amount": "20", "order_id": None,
    "product_id": "P1", "product_layer": "entry", "list_price": 25, "quantity": 1, "status": "paid",
}  # fmt: skip


def one_of(rng: np.random.Generator, cells: tuple[_Cell, ...]) -> _Cell:
    return cells[int(rng.integers(len(cells)))]


def row_of(rng: np.random.Generator, table: str) -> Row:
    """Draw a row that plain Python can read."""
    return {column: one_of(rng, cells) for column, cells in CELLS[table].items()}


def described_once(rows: list[Row]) -> list[Row]:
    """Keep the first row that describes a person from a moment on: there may be no other."""
    found: Tables = {}
    for row in rows:
        found.setdefault(f"{row['customer_id']} {row['valid_from'] and pd.Timestamp(row['valid_from'])}", [row])
    return [row for first in found.values() for row in first]


def tables_of(seed: int) -> Tables:
    """Draw tables, every third time some that may be nearly empty; C1 bought something on 1 June."""
    rng = np.random.default_rng(seed)
    found = {
        name: [row_of(rng, name) for _ in range(rng.integers(1 if seed % 3 == 2 else size // 2, size + 1))]
        for name, size in SIZES.items()
    }
    return found | {
        "orders": [BOUGHT, *found["orders"]],
        "customers": described_once(found["customers"]),
        "identities": [one_of(rng, LINKS) for _ in range(rng.integers(1, 5))],
    }


def study_of(tables: Tables, **more: Any) -> tk.Study:
    frames: dict[str, Any] = {name: pd.DataFrame(rows, dtype=object) for name, rows in tables.items()}
    return tk.Study.from_frames(**(SETTINGS | frames | more))

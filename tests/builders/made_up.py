"""Made-up rows of every table for hypothesis: few people, few products, days at the edges of every window."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pandas as pd
from hypothesis import strategies as st

import toolkit as tk

AS_OF = date(2026, 6, 30)
Row = dict[str, Any]
"""A row of an export: moments as ISO text, other cells as numbers or text, None where a cell is empty."""

EDGES = (-400, -366, -365, -364, -200, -91, -90, -89, -31, -30, -29, -8, -7, -6, -3, -1, 0, 1, 2, 40)
"""Days from as_of at which a window begins or ends, and some between."""


def _cell(*values: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from(values)


MOMENT = st.builds(
    lambda days, clock: f"{AS_OF + timedelta(days=days)}{clock}",
    _cell(*EDGES),
    _cell("", " 00:00:00", " 09:30:00", " 23:59:59"),
)
LATER_OR_NEVER = st.none() | MOMENT
WHO = _cell("C1", "C2", "C3", "C4", "C5", "A1", "A2", "零")

ROWS: dict[str, st.SearchStrategy[Row]] = {
    "orders": st.fixed_dictionaries(
        {
            "customer_id": WHO | _cell(None, "staff"),
            "ordered_at": MOMENT,
            "recorded_at": LATER_OR_NEVER,
            "amount": _cell("10", "0.1", "99.99", "0", "-5", "300"),
            "order_id": _cell(None, None, "O1", "O2", "O3"),
            "product_id": _cell(None, "P1", "P2", "P3"),
            "product_layer": _cell(None, "lead_in", "引流课", "Entry", "premium", "其他"),
            "list_price": _cell(None, 0, 8, 100, 400),
            "quantity": _cell(None, 0, 1, 2, 3, -1),
            "status": _cell("paid", "paid", "cancelled", "refunded"),
        }
    ),
    "customers": st.fixed_dictionaries(
        {
            "customer_id": WHO | _cell("C6", "C7"),
            "joined_at": LATER_OR_NEVER,
            "valid_from": LATER_OR_NEVER,
            "acquisition_channel": _cell(None, "shop"),
            "persona": _cell(None, "a", "b"),
            "gender": _cell(None, "f"),
            "age_band": _cell(None, "26-35"),
            "region": _cell(None, "沪", "京"),
            "occupation": _cell(None, "engineer"),
            "interests": _cell(None, "music;sport"),
            "followers": _cell(None, 0, 120),
            "override": _cell(None, "stage=loss"),
            "referred_by": WHO | _cell(None, "nobody"),
            "opted_out": _cell(None, "yes", "no"),
        }
    ),
    "events": st.fixed_dictionaries(
        {
            "customer_id": WHO | _cell(None, "staff", "E9"),
            "occurred_at": MOMENT,
            "kind": _cell("open", "view", "view", "click", "like", "comment", "share", "check_in", "lesson_start",
                          "lesson_complete", "login", "complaint", "reply", "follow_up", "unfollow", "注销", "挥手",
                          None),
            "content_id": _cell(None, "P1", "P2", "P9"),
            "duration_seconds": _cell(None, 0, 60, 12.5, 0.1, 0.7, -3),
            "value": _cell(None, None, 0, 199),
        }
    ),
    "contacts": st.fixed_dictionaries(
        {
            "customer_id": WHO | _cell("staff", "K9"),
            "sent_at": MOMENT,
            "offer_kind": _cell(None, "content", "course", "内容"),
            "offer_price": _cell(None, None, 99),
            "delivered": _cell(None, "yes", "no"),
            "opened": _cell(None, "yes", "no"),
            "opted_out": _cell(None, None, None, "yes", "no"),
        }
    ),
    "surveys": st.fixed_dictionaries(
        {
            "customer_id": WHO | _cell("S9"),
            "answered_at": MOMENT,
            "kind": _cell("nps", "nps", "csat"),
            "score": _cell(0, 3, 9, 10, 11),
        }
    ),
    "memberships": st.fixed_dictionaries(
        {
            "customer_id": WHO | _cell("M9"),
            "starts_at": MOMENT,
            "ends_at": LATER_OR_NEVER,
            "cancelled_at": LATER_OR_NEVER,
        }
    ),
    "assignments": st.fixed_dictionaries(
        {
            "customer_id": WHO | _cell("X9"),
            "experiment_id": st.just("E1"),
            "arm": _cell("new", "old"),
            "assigned_at": MOMENT,
        }
    ),
    "identities": st.fixed_dictionaries(
        {"customer_id": _cell("C1", "C2", "C3"), "id_kind": st.just("openid"), "id_value": _cell("A1", "A2")}
    )
    | st.fixed_dictionaries(
        {
            "customer_id": _cell("C1", "C3", "C5", "A1", "A2"),
            "id_kind": st.just("unionid"),
            "id_value": _cell("U1", "U2"),
        }
    ),
}  # fmt: skip
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


def _described(row: Row) -> tuple[str, str | None]:
    """What may stand in one row of the table customers only."""
    return row["customer_id"], row["valid_from"] and str(pd.Timestamp(row["valid_from"]))


@st.composite
def tables_of(draw: st.DrawFn) -> dict[str, list[Row]]:
    sizes = {"orders": 25, "events": 40, "contacts": 20, "identities": 4}
    tables = {
        name: draw(st.lists(rows, min_size=1, max_size=sizes.get(name, 8)))
        for name, rows in ROWS.items()
        if name != "customers"
    }
    people = draw(st.lists(ROWS["customers"], min_size=1, max_size=10, unique_by=_described))
    return tables | {"orders": [BOUGHT, *tables["orders"]], "customers": people}


def study_of(tables: dict[str, list[Row]], **more: Any) -> tk.Study:
    frames: dict[str, Any] = {name: pd.DataFrame(rows, dtype=object) for name, rows in tables.items()}
    return tk.Study.from_frames(**(SETTINGS | frames | more))

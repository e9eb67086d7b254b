"""What an order's first row says is carried to its other rows, and to no other order."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

import toolkit as tk
from toolkit.errors import InputError, StudyFileError

ROWS = [
    ("#1", "a@x.org", "paid", "2026-01-05", "10"),
    ("#1", "", "", "2026-01-05", "20"),
    ("#2", "b@x.org", "voided", "2026-01-06", "30"),
    ("#2", " ", "", "2026-01-06", "40"),
    ("#3", "", "paid", "2026-01-07", "50"),
    ("#3", "c@x.org", "", "2026-01-07", "60"),
    (None, "", "", "2026-01-08", "70"),
]


def study(fill_down: list[str], rows: list[tuple[Any, ...]] = ROWS, **settings: Any) -> tk.Study:
    frame = pd.DataFrame(rows, columns=["order_id", "customer_id", "status", "ordered_at", "amount"])
    return tk.Study.from_frames(
        frame, timezone="Asia/Shanghai", currency="CNY", tables={"orders": {"fill_down": fill_down}},
        statuses={"paid": ["paid", ""]}, policies={"missing_customer": "exclude"}, **settings,
    )  # fmt: skip


def test_blank_cells_take_the_value_of_their_order() -> None:
    found = study(["customer_id", "status"])
    assert found.snapshot("2026-12-31", columns=["spend"])["spend"].to_dict() == {
        "a@x.org": 30.0, "b@x.org": 0.0, "c@x.org": 110.0,
    }  # fmt: skip
    book = found.ledger.groupby("reason")["rows"].sum()
    assert book.to_dict() == {"order": 4, "cancelled": 2, "missing_customer": 1}


def test_without_it_the_later_rows_are_strangers_and_a_voided_order_is_half_paid() -> None:
    assert study([]).ledger.groupby("reason")["rows"].sum().to_dict() == {
        "order": 2,
        "cancelled": 1,
        "missing_customer": 4,
    }


def test_a_column_that_no_first_row_can_give_is_refused() -> None:
    with pytest.raises(StudyFileError, match="fill_down: 'amount' is no column"):
        study(["amount"])


def test_orders_without_an_order_id_cannot_be_filled() -> None:
    frame = pd.DataFrame({"customer_id": ["C1"], "ordered_at": ["2026-01-05"], "amount": ["5"]})
    with pytest.raises(InputError, match=r"order_id.*Try: tables"):
        tk.Study.from_frames(
            frame, timezone="Asia/Shanghai", currency="CNY", tables={"orders": {"fill_down": "customer_id"}}
        )

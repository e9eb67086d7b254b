"""What an order's first row says is carried to its other rows, and to no other order."""

from __future__ import annotations

import pandas as pd
import pytest

import toolkit as tk
from tests.builders.shop import fates, spend
from toolkit.errors import InputError, StudyFileError

ROWS = pd.DataFrame(
    [
        ("#1", "a@x.org", "paid", "2026-01-05", "10"),
        ("#1", "", "", "2026-01-05", "20"),
        ("#2", "b@x.org", "voided", "2026-01-06", "30"),
        ("#2", " ", "", "2026-01-06", "40"),
        ("#3", "", "paid", "2026-01-07", "50"),
        ("#3", "c@x.org", "", "2026-01-07", "60"),
        (None, "", "", "2026-01-08", "70"),
    ],
    columns=["order_id", "customer_id", "status", "ordered_at", "amount"],
)


def study(*fill_down: str, rows: pd.DataFrame = ROWS) -> tk.Study:
    return tk.Study.from_frames(
        rows, timezone="Asia/Shanghai", currency="CNY", tables={"orders": {"fill_down": fill_down}},
        statuses={"paid": ["paid", ""]}, policies={"missing_customer": "exclude"},
    )  # fmt: skip


def test_blank_cells_take_the_value_of_their_order() -> None:
    found = study("customer_id", "status")
    assert spend(found) == {"a@x.org": 30.0, "b@x.org": 0.0, "c@x.org": 110.0}
    assert fates(found) == {"order": 4, "cancelled": 2, "missing_customer": 1}


def test_without_it_the_later_rows_are_strangers_and_a_voided_order_is_half_paid() -> None:
    assert fates(study()) == {"order": 2, "cancelled": 1, "missing_customer": 4}


def test_what_cannot_be_filled_is_refused() -> None:
    with pytest.raises(StudyFileError, match="fill_down: 'amount' is no column"):
        study("amount")
    with pytest.raises(InputError, match=r"order_id.*Try: tables"):
        study("customer_id", rows=ROWS.drop(columns="order_id"))

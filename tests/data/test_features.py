"""Every column of the snapshot that orders and descriptions give, worked by hand: one customer for each case."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import toolkit as tk
from toolkit.errors import ArgumentError
from toolkit.schema import SNAPSHOT

if TYPE_CHECKING:
    from collections.abc import Sequence

AS_OF = "2026-10-31"
PEOPLE = ("joined_date", "acquisition_channel", "persona", "gender", "age_band", "region")
POLICIES = {"negative_amounts": "refund", "refunded_rows": "refund_record", "missing_customer": "exclude"}

Line = dict[str, object]


def study(lines: Sequence[Line], customers: Sequence[Line] = (), **settings: Any) -> tk.Study:
    return tk.Study.from_frames(
        pd.DataFrame([{"customer_id": "C1"} | line for line in lines], dtype=object),
        pd.DataFrame(list(customers), dtype=object) if customers else None,
        timezone="Asia/Shanghai",
        currency="CNY",
        **({"policies": POLICIES} | settings),
    )


def line(when: str, amount: object, order: str | None = None, **more: object) -> Line:
    return {"ordered_at": when, "amount": amount, "order_id": order} | more


def told(made: tk.Study, who: str = "C1", as_of: str = AS_OF) -> dict[str, Any]:
    return dict(made.snapshot(as_of).loc[who])


ORDERS: dict[str, list[Line]] = {
    "several": [
        line("2026-10-01 09:00", "10.10", "A"), line("2026-10-01 09:00", "5.20", "A"),
        line("2026-10-01 21:00", "100", "B"), line("2026-10-11 00:00", "7", "C"), line("2026-10-21 23:59:59", "8", "D"),
    ],
    "no ids": [line("2026-10-01", 10), line("2026-10-01", 20), line("2026-10-02", 30, "A")],
    "same id": [line("2026-10-01", 99, "A")],
    "dated": [line("2026-06-01", 100, "A"), line("2026-07-01", 50, "B"), line("2026-08-15", -30, "A")],
    "whole": [line("2026-06-01", 100, "A"), line("2026-06-02", 50, "B"), line("2026-06-03", -100, "A")],
    "same day": [line("2026-06-01 10:00", 100, "A"), line("2026-06-01 18:00", -100, "A")],
    "record": [line("2026-06-01", 100, "A"), line("2026-06-09", 40, "A", status="refunded")],
    "local": [line("2026-10-30T16:30:00Z", 10)],
    "one moment": [line("2026-10-01 09:00", 10, "B"), line("2026-10-01 09:00", 20, "A")],
    "other way": [line("2026-10-01 09:00", 20, "A"), line("2026-10-01 09:00", 10, "B")],
    "one day": [line("2026-10-01 09:00", 10), line("2026-10-01 10:00", 10)],
    "cents": [line("2026-10-01", "0.1")] * 10,
    "cancelled": [line("2026-10-02", 5, status="cancelled")],
}  # fmt: skip


@pytest.fixture(scope="module")
def usual() -> tk.Study:
    rows = [{"customer_id": who, "status": "paid"} | row for who, lines in ORDERS.items() for row in lines]
    return study(rows, [{"customer_id": "joined", "joined_at": "2026-09-01"}])


def test_an_order_of_several_lines_is_one_order_and_one_day(usual: tk.Study) -> None:
    found = told(usual, "several")
    assert found["order_count"] == 4
    assert found["order_days"] == found["window_order_days"] == 3
    assert found["spend"] == found["window_spend"] == 130.3
    assert found["mean_order_value"] == 130.3 / 4
    assert (found["last_order_value"], found["max_price"], found["refund_amount"]) == (8.0, 100.0, 0.0)
    assert (found["recency_days"], found["tenure_days"], found["mean_gap_days"]) == (10.0, 30.0, 10.0)
    days = (pd.Timestamp("2026-10-01"), pd.Timestamp("2026-10-21"))
    assert (found["first_order_date"], found["last_order_date"]) == days


def test_what_is_an_order_and_which_one_is_the_last(usual: tk.Study) -> None:
    """Lines without an id are orders of their own; an id of two customers is an order of each."""
    found = told(usual, "no ids")
    assert (found["order_count"], found["order_days"], found["mean_order_value"]) == (3, 2, 20.0)
    found = told(usual, "same id")
    assert (found["order_count"], found["last_order_value"]) == (1, 99.0)
    assert told(usual, "one moment")["last_order_value"] == told(usual, "other way")["last_order_value"] == 20.0
    assert np.isnan(told(usual, "one day")["mean_gap_days"])


@pytest.mark.fault(63)
def test_a_refund_is_dated_by_itself(usual: tk.Study) -> None:
    before, after = (told(usual, "dated", day) for day in ("2026-08-14", "2026-08-15"))
    assert (before["spend"], before["refund_amount"]) == (150.0, 0.0)
    assert (after["spend"], after["refund_amount"]) == (120.0, 30.0)
    assert (after["order_count"], after["order_days"], after["recency_days"]) == (2, 2, 45.0)
    assert (after["mean_order_value"], after["last_order_value"]) == (75.0, 50.0)
    found = told(usual, "whole")
    assert (found["last_order_value"], found["last_order_date"]) == (50.0, pd.Timestamp("2026-06-02"))
    found = told(usual, "same day")
    assert (found["order_days"], found["order_count"], found["spend"], found["refund_amount"]) == (1, 1, 0.0, 100.0)
    found = told(usual, "record")
    assert (found["spend"], found["refund_amount"], found["order_days"]) == (60.0, 40.0, 1)


@pytest.mark.fault(48, 68)
def test_days_are_local_and_money_is_summed_exactly(usual: tk.Study) -> None:
    found = told(usual, "local")
    assert (found["last_order_date"], found["recency_days"]) == (pd.Timestamp("2026-10-31"), 0.0)
    assert told(usual, "cents")["spend"] == 1.0


def test_who_never_bought_has_zeros_and_gaps(usual: tk.Study) -> None:
    found = usual.snapshot(AS_OF)
    assert list(found.index) == sorted([*ORDERS, "joined"])
    for never in ("cancelled", "joined"):
        row = found.loc[never]
        counts = ["order_count", "order_days", "window_order_days", "spend", "window_spend", "refund_amount"]
        assert list(row[counts]) == [0] * 6
        missing = ["first_order_date", "last_order_date", "recency_days", "tenure_days", "mean_order_value"]
        assert row[[*missing, "last_order_value", "max_price", "mean_gap_days"]].isna().all()


@pytest.mark.fault(50, 51)
def test_the_window_is_the_last_days_up_to_as_of() -> None:
    edges = [("2026-10-21 23:59:59", 1), ("2026-10-22 00:00", 2), ("2026-10-31 23:59:59", 4), ("2026-11-01", 8)]
    refund = [line("2026-10-01", 100, "A"), line("2026-10-30", -40, "A")]
    rows = [line(*edge) for edge in edges] + [row | {"customer_id": "C2"} for row in refund]
    made = study(rows, window_days=10)
    found = told(made)
    assert (found["window_order_days"], found["window_spend"]) == (2, 6.0)
    assert (found["order_days"], found["spend"], found["recency_days"], found["tenure_days"]) == (3, 7.0, 0.0, 10.0)
    found = told(made, "C2")
    assert (found["window_order_days"], found["window_spend"], found["spend"]) == (0, -40.0, 60.0)


@pytest.mark.fault(57)
def test_days_are_counted_once_where_zero_orders_count_and_rows_arrive_late() -> None:
    lines = [
        line("2026-10-01 09:00", 10, "A", recorded_at="2026-10-01"),
        line("2026-10-01 10:00", 0, "B", recorded_at="2026-10-01"),
        line("2026-10-01 11:00", 5, "C", recorded_at="2026-10-20"),
        line("2026-10-02 11:00", 5, "D", recorded_at="2026-11-20"),
    ]
    made = study(lines, policies={"zero_orders": "count"})
    found = told(made)
    assert (found["order_days"], found["window_order_days"], found["order_count"]) == (1, 1, 3)
    spent = {day: told(made, as_of=day)["spend"] for day in ("2026-10-19", "2026-10-20", "2026-11-19", "2026-11-20")}
    assert list(spent.values()) == [10.0, 15.0, 15.0, 20.0]
    assert told(made, as_of="2026-11-20")["order_days"] == 2


def test_the_highest_price_is_that_of_one_unit() -> None:
    assert (
        told(study([line("2026-10-01", 90, "A", quantity=3), line("2026-10-02", 40, "B", quantity=1)]))["max_price"]
        == 40.0
    )


@pytest.mark.fault(56)
def test_attributes_are_those_valid_at_as_of() -> None:
    made = study(
        [line("2026-01-01", 10)],
        [
            {"customer_id": "C1", "joined_at": "2025-12-01 08:00", "valid_from": "2025-12-01", "region": "沪"},
            {"customer_id": "C1", "joined_at": "2025-12-01 08:00", "valid_from": "2026-06-01", "region": "京"},
            {"customer_id": "C9", "joined_at": "2026-07-01", "valid_from": "2026-07-01", "region": "粤"},
        ],
    )  # fmt: skip
    assert made.snapshot("2026-05-31")["region"].to_dict() == {"C1": "沪"}
    assert made.snapshot("2026-06-01")["region"].to_dict() == {"C1": "京"}
    later = made.snapshot("2026-07-01")
    assert later["region"].to_dict() == {"C1": "京", "C9": "粤"}
    assert later["joined_date"].to_dict() == {"C1": pd.Timestamp("2025-12-01"), "C9": pd.Timestamp("2026-07-01")}
    assert later["acquisition_channel"].isna().all()


@pytest.mark.parametrize(("policy", "spend"), [("stop", None), ("reversed_order", 100.0), ("refund_record", 70.0)])
def test_a_refunded_status_follows_the_policy_and_a_negative_amount_is_a_refund_anyway(
    policy: str, spend: float | None
) -> None:
    rows = [line("2026-06-01", 100, "A", status="paid"), line("2026-07-01", -30, "A", status="refunded")]
    if spend is not None:
        rows += [row | {"customer_id": "C2"} for row in (rows[0], line("2026-07-01", 30, "B", status="refunded"))]
    made = study(rows, policies={"refunded_rows": policy})
    for who, expected in {"C1": 70.0, "C2": spend}.items():
        if expected is not None:
            found = told(made, who)
            assert (found["spend"], found["refund_amount"], found["order_count"]) == (expected, 30.0, 1), who


# what a snapshot is


@pytest.fixture(scope="module")
def demo() -> tk.Study:
    return tk.Study.demo(customers=200)


@pytest.fixture(scope="module")
def whole(demo: tk.Study) -> pd.DataFrame:
    return demo.snapshot("2026-06-30")


def test_one_column_alone_is_as_it_is_in_company(demo: tk.Study, whole: pd.DataFrame) -> None:
    for column in SNAPSHOT:
        alone = demo.snapshot("2026-06-30", columns=[column.name])
        pd.testing.assert_frame_equal(alone, whole[[column.name]])


def test_the_snapshot_is_what_the_schema_says_and_the_demo_fills_every_column(whole: pd.DataFrame) -> None:
    assert list(whole.columns) == [column.name for column in SNAPSHOT]
    for column in SNAPSHOT:
        expected = "string" if column.dtype == "str" else column.dtype
        assert whole[column.name].dtype == expected, column.name
        assert len(set(whole[column.name].dropna())) > 1, column.name
    assert whole.index.name == "customer_id"
    assert whole.index.dtype == "string"
    assert whole.index.is_monotonic_increasing
    assert whole.index.is_unique


def test_columns_that_cannot_be_are_named_with_those_there_are() -> None:
    made = study([line("2026-10-01", 10)])
    assert not set(PEOPLE) & set(made.snapshot(AS_OF).columns)
    with pytest.raises(ArgumentError, match="region come from customers, which"):
        made.snapshot(AS_OF, columns=["spend", "region"])
    with pytest.raises(
        ArgumentError, match=r"^E-snapshot-column: unknown: spent\. Try: columns from: first_order_date, "
    ):
        made.snapshot(AS_OF, columns=["spent"])

"""Every column of the snapshot, worked by hand."""

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


def study(lines: Sequence[dict[str, object]], customers: Sequence[dict[str, object]] = (), **settings: Any) -> tk.Study:
    return tk.Study.from_frames(
        pd.DataFrame([{"customer_id": "C1"} | line for line in lines], dtype=object),
        pd.DataFrame(list(customers), dtype=object) if customers else None,
        timezone="Asia/Shanghai",
        currency="CNY",
        **({"policies": POLICIES} | settings),
    )


def line(when: str, amount: object, order: str | None = None, **more: object) -> dict[str, object]:
    return {"ordered_at": when, "amount": amount, "order_id": order} | more


def only(made: tk.Study, as_of: str = AS_OF) -> dict[str, Any]:
    found = made.snapshot(as_of)
    assert list(found.index) == ["C1"]
    return dict(found.loc["C1"])


def test_an_order_of_several_lines_is_one_order_and_one_day() -> None:
    found = only(
        study(
            [
                line("2026-10-01 09:00", "10.10", "A"), line("2026-10-01 09:00", "5.20", "A"),
                line("2026-10-01 21:00", "100", "B"), line("2026-10-11 00:00", "7", "C"),
                line("2026-10-21 23:59:59", "8", "D"),
            ]
        )
    )  # fmt: skip
    assert found["order_count"] == 4
    assert found["order_days"] == found["window_order_days"] == 3
    assert found["spend"] == found["window_spend"] == 130.3
    assert found["mean_order_value"] == 130.3 / 4
    assert (found["last_order_value"], found["max_price"], found["refund_amount"]) == (8.0, 100.0, 0.0)
    assert (found["recency_days"], found["tenure_days"], found["mean_gap_days"]) == (10.0, 30.0, 10.0)
    assert (found["first_order_date"], found["last_order_date"]) == (
        pd.Timestamp("2026-10-01"),
        pd.Timestamp("2026-10-21"),
    )


def test_lines_without_an_order_id_are_orders_of_their_own() -> None:
    found = only(study([line("2026-10-01", 10), line("2026-10-01", 20), line("2026-10-02", 30, "A")]))
    assert (found["order_count"], found["order_days"], found["mean_order_value"]) == (3, 2, 20.0)


def test_one_order_id_of_two_customers_is_an_order_of_each() -> None:
    found = study(
        [line("2026-10-01", 10, "A"), line("2026-10-01", 20, "A", customer_id="C2")],
    ).snapshot(AS_OF)
    assert list(found["order_count"]) == [1, 1]
    assert list(found["last_order_value"]) == [10.0, 20.0]


def test_a_refund_is_dated_by_itself() -> None:
    made = study([line("2026-06-01", 100, "A"), line("2026-07-01", 50, "B"), line("2026-08-15", -30, "A")])
    before, after = only(made, "2026-08-14"), only(made, "2026-08-15")
    assert (before["spend"], before["refund_amount"]) == (150.0, 0.0)
    assert (after["spend"], after["refund_amount"]) == (120.0, 30.0)
    assert (after["order_count"], after["order_days"], after["recency_days"]) == (2, 2, 45.0)
    assert (after["mean_order_value"], after["last_order_value"]) == (75.0, 50.0)


def test_a_refund_of_the_same_order_does_not_make_the_order_later() -> None:
    found = only(study([line("2026-06-01", 100, "A"), line("2026-06-02", 50, "B"), line("2026-06-03", -100, "A")]))
    assert (found["last_order_value"], found["last_order_date"]) == (50.0, pd.Timestamp("2026-06-02"))


def test_a_refund_on_an_order_day_leaves_the_day() -> None:
    found = only(study([line("2026-06-01 10:00", 100, "A"), line("2026-06-01 18:00", -100, "A")]))
    assert (found["order_days"], found["order_count"], found["spend"], found["refund_amount"]) == (1, 1, 0.0, 100.0)


def test_a_refund_record_counts_like_a_negative_amount() -> None:
    paid = line("2026-06-01", 100, "A", status="paid")
    found = only(study([paid, line("2026-06-09", 40, "A", status="refunded")]))
    assert (found["spend"], found["refund_amount"], found["order_days"]) == (60.0, 40.0, 1)


def test_the_window_is_the_last_days_up_to_as_of() -> None:
    lines = [
        line("2026-10-21 23:59:59", 1),
        line("2026-10-22 00:00", 2),
        line("2026-10-31 23:59:59", 4),
        line("2026-11-01", 8),
    ]
    found = only(study(lines, window_days=10))
    assert (found["window_order_days"], found["window_spend"]) == (2, 6.0)
    assert (found["order_days"], found["spend"], found["recency_days"], found["tenure_days"]) == (3, 7.0, 0.0, 10.0)


def test_a_refund_in_the_window_of_an_order_before_it_counts_in_the_window() -> None:
    found = only(study([line("2026-10-01", 100, "A"), line("2026-10-30", -40, "A")], window_days=10))
    assert (found["window_order_days"], found["window_spend"], found["spend"]) == (0, -40.0, 60.0)


def test_a_row_recorded_after_as_of_is_not_there_yet() -> None:
    lines = [
        line("2026-10-01", 10, "A", recorded_at="2026-10-01"),
        line("2026-10-02", 20, "B", recorded_at="2026-11-05"),
    ]
    made = study(lines)
    assert only(made)["spend"] == 10.0
    assert only(made, "2026-11-05")["spend"] == 30.0


def test_a_day_is_a_local_day() -> None:
    found = only(study([line("2026-10-30T16:30:00Z", 10)]))
    assert (found["last_order_date"], found["recency_days"]) == (pd.Timestamp("2026-10-31"), 0.0)


def test_the_highest_price_is_that_of_one_unit() -> None:
    found = only(study([line("2026-10-01", 90, "A", quantity=3), line("2026-10-02", 40, "B", quantity=1)]))
    assert found["max_price"] == 40.0


def test_of_two_orders_at_one_moment_the_larger_is_the_last() -> None:
    lines = [line("2026-10-01 09:00", 10, "B"), line("2026-10-01 09:00", 20, "A")]
    assert only(study(lines))["last_order_value"] == only(study(lines[::-1]))["last_order_value"] == 20.0


def test_one_order_day_has_no_gap() -> None:
    assert np.isnan(only(study([line("2026-10-01 09:00", 10), line("2026-10-01 10:00", 10)]))["mean_gap_days"])


def test_money_is_summed_exactly() -> None:
    assert only(study([line("2026-10-01", "0.1")] * 10))["spend"] == 1.0


def test_who_never_bought_has_zeros_and_gaps() -> None:
    made = study(
        [line("2026-10-01", 10), line("2026-10-02", 5, customer_id="C2", status="cancelled")],
        [{"customer_id": "C0", "joined_at": "2026-09-01"}],
        statuses={"paid": ["", "None"]},
    )
    found = made.snapshot(AS_OF)
    assert list(found.index) == ["C0", "C1", "C2"]
    for never in ("C0", "C2"):
        row = found.loc[never]
        counts = ["order_count", "order_days", "window_order_days", "spend", "window_spend", "refund_amount"]
        assert list(row[counts]) == [0] * 6
        missing = ["first_order_date", "last_order_date", "recency_days", "tenure_days", "mean_order_value"]
        assert row[[*missing, "last_order_value", "max_price", "mean_gap_days"]].isna().all()


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


@pytest.fixture(scope="module")
def demo() -> tk.Study:
    return tk.Study.demo(customers=200)


@pytest.fixture(scope="module")
def whole(demo: tk.Study) -> pd.DataFrame:
    return demo.snapshot("2026-06-30")


@pytest.mark.parametrize("column", SNAPSHOT, ids=lambda column: column.name)
def test_one_column_alone_is_as_it_is_in_company(demo: tk.Study, whole: pd.DataFrame, column: Any) -> None:
    alone = demo.snapshot("2026-06-30", columns=[column.name])
    pd.testing.assert_frame_equal(alone, whole[[column.name]])


def test_the_demo_has_something_to_say_in_every_column(whole: pd.DataFrame) -> None:
    for column in SNAPSHOT:
        assert len(set(whole[column.name].dropna())) > 1, column.name


def test_the_snapshot_is_what_the_schema_says(whole: pd.DataFrame) -> None:
    assert list(whole.columns) == [column.name for column in SNAPSHOT]
    for column in SNAPSHOT:
        expected = "string" if column.dtype == "str" else column.dtype
        assert whole[column.name].dtype == expected, column.name
    assert whole.index.name == "customer_id"
    assert whole.index.dtype == "string"
    assert whole.index.is_monotonic_increasing
    assert whole.index.is_unique


def test_without_customers_there_are_no_columns_of_people() -> None:
    made = study([line("2026-10-01", 10)])
    assert not set(PEOPLE) & set(made.snapshot(AS_OF).columns)
    with pytest.raises(ArgumentError, match="region come from customers, which"):
        made.snapshot(AS_OF, columns=["spend", "region"])


def test_an_unknown_column_is_named_with_those_there_are() -> None:
    with pytest.raises(
        ArgumentError, match=r"^E-snapshot-column: unknown: spent\. Try: columns from: first_order_date, "
    ):
        study([line("2026-10-01", 10)]).snapshot(AS_OF, columns=["spent"])


@pytest.mark.parametrize("policy", ["stop", "reversed_order", "refund_record"])
def test_a_negative_amount_with_a_refunded_status_is_a_refund_whatever_the_policy(policy: str) -> None:
    made = study(
        [line("2026-06-01", 100, "A", status="paid"), line("2026-07-01", -30, "A", status="refunded")],
        policies={"refunded_rows": policy},
    )
    found = only(made)
    assert (found["spend"], found["refund_amount"], found["order_count"]) == (70.0, 30.0, 1)


@pytest.mark.parametrize(("policy", "spend"), [("reversed_order", 100.0), ("refund_record", 70.0)])
def test_a_positive_amount_with_a_refunded_status_follows_the_policy(policy: str, spend: float) -> None:
    made = study(
        [line("2026-06-01", 100, "A", status="paid"), line("2026-07-01", 30, "B", status="refunded")],
        policies={"refunded_rows": policy},
    )
    found = only(made)
    assert (found["spend"], found["refund_amount"], found["order_count"]) == (spend, 30.0, 1)


def test_days_are_counted_once_where_zero_orders_count_and_rows_arrive_late() -> None:
    lines = [
        line("2026-10-01 09:00", 10, "A", recorded_at="2026-10-01"),
        line("2026-10-01 10:00", 0, "B", recorded_at="2026-10-01"),
        line("2026-10-01 11:00", 5, "C", recorded_at="2026-10-20"),
        line("2026-10-02 11:00", 5, "D", recorded_at="2026-11-20"),
    ]
    made = study(lines, policies={"zero_orders": "count"})
    found = only(made)
    assert (found["order_days"], found["window_order_days"], found["order_count"]) == (1, 1, 3)
    assert only(made, "2026-10-10")["spend"] == 10.0
    assert only(made, "2026-11-20")["order_days"] == 2

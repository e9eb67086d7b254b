"""Every row and its signed money stand in exactly one of the seven fates, at any date and under any policy."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import toolkit as tk
from toolkit.schema import FATES

DAYS = st.dates(min_value=pd.Timestamp("2026-01-01").date(), max_value=pd.Timestamp("2026-03-31").date()).map(str)
MONEY = st.decimals(min_value=-(10**9), max_value=10**9, places=4, allow_nan=False, allow_infinity=False).map(
    lambda value: format(value, "f")
)
ORDERS = st.lists(
    st.fixed_dictionaries(
        {
            "customer_id": st.sampled_from(["C1", "C2", "C3", " C3 ", "STAFF", "", None]),
            "ordered_at": st.one_of(DAYS, st.sampled_from(["", "soon", "1970-01-01", "2062-01-01", None])),
            "amount": st.one_of(MONEY, st.sampled_from(["0", "-0", "5", "-5", "(5)", "x", "", None])),
            "status": st.sampled_from(["paid", "refunded", "cancelled", "pending", "odd", None]),
            "line_id": st.one_of(st.none(), st.sampled_from(["L1", "L2", "L3"])),
            "recorded_at": st.one_of(st.none(), DAYS),
        }
    ),
    min_size=1,
    max_size=25,
)
AS_OF = st.sampled_from(["2025-12-31", "2026-01-15", "2026-02-28", "2026-03-31", "2100-01-01"])
POLICIES = st.fixed_dictionaries(
    {
        "missing_customer": st.sampled_from(["exclude", "stop"]),
        "negative_amounts": st.sampled_from(["refund", "exclude", "stop"]),
        "refunded_rows": st.sampled_from(["reversed_order", "refund_record", "stop"]),
        "zero_orders": st.sampled_from(["exclude", "count"]),
    }
)
FEW = settings(max_examples=30, deadline=None, derandomize=True)


def open_study(rows: list[dict[str, str | None]], policies: dict[str, str]) -> tk.Study:
    frame = pd.DataFrame(rows, columns=["customer_id", "ordered_at", "amount", "status", "line_id", "recorded_at"])
    return tk.Study.from_frames(
        orders=frame.astype("string"),
        timezone="Asia/Shanghai",
        currency="CNY",
        policies=policies,
        exclude_customers=["STAFF"],
        tables={"orders": {"exported_at": "2026-12-31"}},
        loss_budget={"rows": 1, "money": 1},
    )


def read(text: str | None) -> Decimal | None:
    """Read an amount as a bookkeeper would, apart from the toolkit."""
    if not text or text == "x":
        return None
    return Decimal(-5) if text == "(5)" else Decimal(text)


@FEW
@given(ORDERS, POLICIES, AS_OF)
def test_the_seven_fates_add_up_exactly(
    rows: list[dict[str, str | None]], policies: dict[str, str], as_of: str
) -> None:
    study = open_study(rows, policies)
    amounts = [read(row["amount"]) for row in rows]
    for book in (study.ledger, study.ledger_at(as_of)):
        assert set(book["fate"]) <= set(FATES)
        assert book["rows"].sum() == len(rows)
        assert sum(book["money"], Decimal(0)) == sum((amount for amount in amounts if amount is not None), Decimal(0))
        assert book["rows_without_money"].sum() == amounts.count(None)
        assert not book.duplicated(["fate", "reason"]).any()
    assert "later" not in set(study.ledger["fate"])


@FEW
@given(ORDERS, POLICIES, AS_OF)
def test_used_and_refunded_money_is_the_spend_of_the_snapshot(
    rows: list[dict[str, str | None]], policies: dict[str, str], as_of: str
) -> None:
    study = open_study(
        rows, policies | {"missing_customer": "exclude", "negative_amounts": "refund", "refunded_rows": "refund_record"}
    )
    book = study.ledger_at(as_of)
    if not ((book["fate"] == "used") & (book["rows"] > 0)).any() or "unknown_status" in set(book["reason"]):
        return
    found = study.snapshot(as_of, columns=["spend", "refund_amount"])
    money = book.set_index("reason")["money"]
    used = money.reindex(["order", "zero_order_counted"]).dropna().sum()
    negative = money.get("negative_amount", Decimal(0))
    assert found["spend"].sum() + found["refund_amount"].sum() == pytest.approx(float(used), abs=1e-3)
    assert found["refund_amount"].sum() >= -float(negative) - 1e-3


@FEW
@given(ORDERS, POLICIES, POLICIES)
def test_a_policy_moves_rows_only_between_its_own_fates(
    rows: list[dict[str, str | None]], before: dict[str, str], after: dict[str, str]
) -> None:
    """What a policy is not about stays where it is, row by row."""
    about = {
        "missing_customer": {"missing_customer", "no_customer"},
        "negative_amounts": {"negative_amount", "negative_excluded", "negative_unstated"},
        "refunded_rows": {"refunded_status", "refunded_unstated"},
        "zero_orders": {"zero_order", "zero_order_counted"},
    }
    fates = {
        "missing_customer": {"excluded", "quarantined"},
        "negative_amounts": {"refund", "excluded", "quarantined"},
        "refunded_rows": {"refund", "quarantined"},
        "zero_orders": {"used", "excluded"},
    }
    statement = "SELECT reason, fate FROM orders ORDER BY source_row"
    one = open_study(rows, before)._connection.execute(statement).fetchall()
    other = open_study(rows, after)._connection.execute(statement).fetchall()
    for (reason, fate), (new_reason, new_fate) in zip(one, other, strict=True):
        policy = next((policy for policy, reasons in about.items() if reason in reasons), None)
        if policy is None or before[policy] == after[policy]:
            assert (reason, fate) == (new_reason, new_fate)
        else:
            assert new_reason in about[policy]
            assert {fate, new_fate} <= fates[policy]


def _row(**changes: Any) -> dict[str, str | None]:
    plain: dict[str, str | None] = {
        "customer_id": "C1",
        "ordered_at": "2026-01-05",
        "amount": "5",
        "status": "paid",
        "line_id": None,
    }
    return plain | {"recorded_at": None} | changes


@pytest.mark.parametrize(
    ("changes", "policies", "fate", "reason"),
    [
        ({}, {}, "used", "order"),
        ({"customer_id": None}, {"missing_customer": "exclude"}, "excluded", "missing_customer"),
        ({"customer_id": None}, {"missing_customer": "stop"}, "quarantined", "no_customer"),
        ({"customer_id": "STAFF"}, {}, "excluded", "excluded_customer"),
        ({"amount": "-5"}, {"negative_amounts": "refund"}, "refund", "negative_amount"),
        ({"amount": "-5"}, {"negative_amounts": "exclude"}, "excluded", "negative_excluded"),
        ({"amount": "-5"}, {}, "quarantined", "negative_unstated"),
        ({"amount": "0"}, {}, "excluded", "zero_order"),
        ({"amount": "0"}, {"zero_orders": "count"}, "used", "zero_order_counted"),
        ({"amount": None}, {}, "quarantined", "missing_amount"),
        ({"amount": "x"}, {}, "quarantined", "unreadable_amount"),
        ({"status": "cancelled"}, {}, "cancelled", "cancelled"),
        ({"status": "pending"}, {}, "excluded", "unpaid"),
        ({"status": "odd"}, {}, "quarantined", "unknown_status"),
        ({"status": "refunded"}, {"refunded_rows": "reversed_order"}, "refund", "refunded_status"),
        ({"status": "refunded"}, {}, "quarantined", "refunded_unstated"),
        ({"ordered_at": None}, {}, "quarantined", "missing_date"),
        ({"ordered_at": "soon"}, {}, "quarantined", "unreadable_date"),
        ({"ordered_at": "1970-01-01"}, {}, "quarantined", "sentinel_date"),
        ({"ordered_at": "2062-01-01"}, {}, "quarantined", "after_export"),
    ],
)
def test_one_row_has_the_fate_that_its_fault_or_policy_says(
    changes: dict[str, str | None], policies: dict[str, str], fate: str, reason: str
) -> None:
    book = open_study([_row(**changes)], policies).ledger
    assert book[["fate", "reason", "rows"]].to_numpy().tolist() == [[fate, reason, 1]]


def test_a_line_that_comes_twice_is_a_duplicate_and_the_fates_stand_in_their_order() -> None:
    rows = [
        _row(line_id="L1"),
        _row(line_id="L1"),
        _row(amount="-2"),
        _row(status="cancelled"),
        _row(amount="x"),
        _row(ordered_at="2026-03-01"),
    ]
    book = open_study(rows, {"negative_amounts": "refund"}).ledger_at("2026-01-31")
    assert book["fate"].tolist() == ["used", "refund", "duplicate", "cancelled", "quarantined", "later"]
    assert [str(money) for money in book["money"]] == ["5.0000", "-2.0000", "5.0000", "5.0000", "0.0000", "5.0000"]

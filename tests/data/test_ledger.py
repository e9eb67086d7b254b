"""Every row and its signed money stand in exactly one of the seven fates, at any date and under any policy."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

import toolkit as tk
from tests.builders.profiles import examples
from toolkit.schema import FATES

DAYS = st.dates(min_value=pd.Timestamp("2026-01-01").date(), max_value=pd.Timestamp("2026-03-31").date()).map(str)
MONEY = st.decimals(min_value=-(10**7), max_value=10**7, places=4, allow_nan=False, allow_infinity=False).map(
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
    min_size=8,
    max_size=30,
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
STATED_POLICIES = POLICIES.filter(lambda policies: "stop" not in policies.values())
FEW = examples(dev=6, ci=30)


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
@given(ORDERS, STATED_POLICIES, AS_OF)
def test_spend_and_refunds_of_the_snapshot_are_the_money_of_the_ledger(
    rows: list[dict[str, str | None]], policies: dict[str, str], as_of: str
) -> None:
    """Exactly: what a reversed order gives back was never spent, what a refund record gives back was."""
    bought = {"customer_id": "C1", "ordered_at": "2025-12-31", "amount": "12.34", "status": "paid"}
    known = [row for row in rows if row["status"] != "odd"]
    study = open_study([*known, bought | {"line_id": None, "recorded_at": None}], policies)
    book = study.ledger_at(as_of).set_index("reason")["money"]
    money = {str(reason): Decimal(str(book.get(reason, 0))) for reason in REASONS}
    spent = money["order"] + money["zero_order_counted"]
    back = money["refunded_status"] - money["negative_amount"] - money["refund_record"]
    reversed_order = policies["refunded_rows"] == "reversed_order"
    found = study.snapshot(as_of, columns=["spend", "refund_amount"])
    exact = {name: sum(map(Decimal, map(repr, found[name].tolist())), Decimal(0)) for name in found.columns}
    assert exact["refund_amount"] == back
    assert exact["spend"] == spent - back + (money["refunded_status"] if reversed_order else 0)


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


FAULTS: dict[str, tuple[str, dict[str, str | None]]] = {
    "order": ("used", {}),
    "excluded_customer": ("excluded", {"customer_id": "STAFF"}),
    "no_customer": ("quarantined", {"customer_id": None}),
    "negative_unstated": ("quarantined", {"amount": "-5"}),
    "zero_order": ("excluded", {"amount": "0"}),
    "missing_amount": ("quarantined", {"amount": None}),
    "unreadable_amount": ("quarantined", {"amount": "x"}),
    "cancelled": ("cancelled", {"status": "cancelled"}),
    "unpaid": ("excluded", {"status": "pending"}),
    "unknown_status": ("quarantined", {"status": "odd"}),
    "refunded_unstated": ("quarantined", {"status": "refunded"}),
    "refund_record": ("refund", {"status": "refunded", "amount": "-5"}),
    "missing_date": ("quarantined", {"ordered_at": None}),
    "unreadable_date": ("quarantined", {"ordered_at": "soon"}),
    "sentinel_date": ("quarantined", {"ordered_at": "1970-01-01"}),
    "after_export": ("quarantined", {"ordered_at": "2062-01-01"}),
}
STATED: dict[str, dict[str, tuple[str, str]]] = {
    "missing_customer": {"exclude": ("no_customer", "missing_customer")},
    "negative_amounts": {
        "refund": ("negative_unstated", "negative_amount"),
        "exclude": ("negative_unstated", "negative_excluded"),
    },
    "refunded_rows": {
        "reversed_order": ("refunded_unstated", "refunded_status"),
        "refund_record": ("refunded_unstated", "refunded_status"),
    },
    "zero_orders": {"count": ("zero_order", "zero_order_counted")},
}
"""Policy -> what it states -> the reason of a row without it and with it."""
FATE = {"missing_customer": "excluded", "negative_excluded": "excluded", "zero_order_counted": "used"}
REASONS = (*FAULTS, "missing_customer", "negative_amount", "negative_excluded", "refunded_status", "zero_order_counted")


def test_a_row_has_the_fate_that_its_fault_or_policy_says() -> None:
    """One row of every fault, each of its own money; then again under every policy."""
    rows, expected = [], {}
    for place, (reason, (fate, changes)) in enumerate(FAULTS.items()):
        row = _row(**changes)
        if row["amount"] not in (None, "0", "x"):
            row["amount"] = f"{row['amount']}.{place + 10}"
        rows.append(row)
        expected[reason] = (fate, read(row["amount"]) or 0)
    assert fates_of(rows, {}) == expected
    for policy, texts in STATED.items():
        for text, (old, new) in texts.items():
            stated = {reason: told for reason, told in expected.items() if reason != old}
            assert fates_of(rows, {policy: text}) == stated | {new: (FATE.get(new, "refund"), expected[old][1])}, text


def fates_of(rows: list[dict[str, str | None]], policies: dict[str, str]) -> dict[Any, tuple[Any, Any]]:
    """Return reason -> fate and money of a ledger of one row each."""
    book = open_study(rows, policies).ledger
    assert (book["rows"] == 1).all()
    return {row.reason: (row.fate, row.money) for row in book.itertuples()}


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

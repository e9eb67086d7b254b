"""Section E: money. The numbers are those of the list of faults."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa
import pytest

import toolkit as tk
from tests.builders.shop import HEADER, assert_nothing_lost, check_of, fates, spend

if TYPE_CHECKING:
    from tests.builders.shop import Shop

REFUND = {"negative_amounts": "refund"}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("¥1,234.50", "1234.50"), ("￥1234.5", "1234.5"), ("12元", "12"), ("RMB 12", "12"),
        ("CNY12.00", "12"), ("１２．５０", "12.50"),
        ("（5.00）", "-5"), ("(5)", "-5"), ("¥-5", "-5"), ("-¥5", "-5"), ("−5", "-5"), ("+5", "5"),
        ("1 234.50", "1234.50"),
        ("1\u00a0234.50", "1234.50"), ("1'234.50", "1234.50"), (".5", "0.5"), ("5.", "5"),
        ("0005", "5"), ("1,234,567", "1234567"),
        ("人民币 3", "3"), ("19.990000000000002", "19.99"), ("99999999999999.9999", "99999999999999.9999"),
    ],
)  # fmt: skip
def test_59_the_grammar_of_money(shop: Shop, text: str, value: str) -> None:
    study = shop.lines(f'C1,2026-01-05,"{text}"', good=1, policies=REFUND)
    assert_nothing_lost(study, 2, Decimal(value) + 10)
    assert spend(study)["C1"] == float(value)


@pytest.mark.parametrize(
    "text",
    [
        "5-",
        "1,2345",
        "12,34,567",
        "1.2.3",
        "1 23",
        "12 34",
        "five",
        "1.2万",
        "5%",
        "5e3",
        "0x10",
        "--5",
        "+-5",
        "(-5)",
        "(5",
        "¥",
        "+",
        "-.",
        "١٢",
        "100000000000000",
        "1/2",
        "12 13",
        "=5+5",
        "TRUE",
    ],
)
def test_59_what_is_no_money_is_quarantined(shop: Shop, text: str) -> None:
    study = shop.lines(f'C1,2026-01-05,"{text}"', good=300)
    assert fates(study) == {"order": 300, "unreadable_amount": 1}
    assert study.quarantine()["amount"].tolist() == [text]
    assert_nothing_lost(study, 301, "3000")


@pytest.mark.parametrize("text", ["", " ", "NULL", "nan", "N/A", "-", "--"])
def test_59_no_amount_is_quarantined_as_missing(shop: Shop, text: str) -> None:
    assert fates(shop.lines(f"C1,2026-01-05,{text}", good=300)) == {"order": 300, "missing_amount": 1}


@pytest.mark.parametrize("text", ["1.234,50", "12,34", "-1.234,5", "¥12,3"])
def test_60_a_decimal_comma_stops_unless_it_is_stated(shop: Shop, text: str) -> None:
    shop.stops("decimal-comma", f'{HEADER}\nC1,2026-01-05,"{text}"\n', 'decimal: ","', "column amount")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1.234,50", "1234.5"),
        ("12,34", "12.34"),
        ("1234", "1234"),
        ("1.234", "1234"),
        (",5", "0.5"),
        ("1 234,5", "1234.5"),
        ("-5,", "-5"),
    ],
)
def test_60_a_stated_decimal_comma_is_read(shop: Shop, text: str, value: str) -> None:
    study = shop.lines(f'C1,2026-01-05,"{text}"', "C2,2026-01-05,10", orders_spec={"decimal": ","}, policies=REFUND)
    assert_nothing_lost(study, 2, Decimal(value) + 10)


def test_60_a_decimal_point_is_not_read_as_thousands(shop: Shop) -> None:
    study = shop.lines(
        'C1,2026-01-05,"1,234.50"',
        "C1,2026-01-05,12.50",
        "C1,2026-01-06,1",
        orders_spec={"decimal": ","},
        loss_budget={"rows": 1, "money": 1},
    )
    assert fates(study) == {"order": 1, "unreadable_amount": 2}


@pytest.mark.parametrize("text", ["inf", "-inf", "Infinity", "1e308", "1e400", "9" * 30])
def test_61_infinite_and_absurd_amounts_are_quarantined(shop: Shop, text: str) -> None:
    study = shop.lines(f"C1,2026-01-05,{text}", good=300)
    assert fates(study) == {"order": 300, "unreadable_amount": 1}
    assert_nothing_lost(study, 301, "3000")


def test_61_the_same_in_floating_point(shop: Shop) -> None:
    amounts = [10.0] * 300 + [float("inf"), float("-inf"), 1e308, float("nan")]
    orders = pd.DataFrame({"customer_id": [f"C{n}" for n in range(304)], "ordered_at": "2026-01-05", "amount": amounts})
    frames = tk.Study.from_frames(orders=orders, timezone="Asia/Shanghai", currency="CNY", loss_budget={"rows": 0.02})
    for study in (shop.open(orders, loss_budget={"rows": 0.02}), frames):
        assert fates(study) == {"order": 300, "unreadable_amount": 3, "missing_amount": 1}
        assert_nothing_lost(study, 304, "3000")


def test_62_negative_amounts_need_a_policy(shop: Shop) -> None:
    lines = ("C1,2026-01-05,100", "C1,2026-02-05,-30")
    text = "\n".join([HEADER, *lines])
    shop.stops("negative-unstated", text, "orders_1.csv:3", "policies: {negative_amounts: refund}")
    refund = shop.open(text, policies=REFUND)
    assert (spend(refund), fates(refund)) == ({"C1": 70.0}, {"order": 1, "negative_amount": 1})
    exclude = shop.open(text, policies={"negative_amounts": "exclude"})
    assert (spend(exclude), fates(exclude)) == ({"C1": 100.0}, {"order": 1, "negative_excluded": 1})
    for study in (refund, exclude):
        assert_nothing_lost(study, 2, "70")


def test_63_a_refund_counts_from_its_own_day(shop: Shop) -> None:
    study = shop.lines("C1,2026-01-05,150", "C1,2026-02-05,-50", policies=REFUND)
    assert spend(study, "2026-01-31") == {"C1": 150.0}
    assert spend(study, "2026-02-28") == {"C1": 100.0}
    assert study.snapshot("2026-02-28")["order_days"].tolist() == [1]


def test_63_refunds_without_their_order_and_beyond_it_are_counted(shop: Shop) -> None:
    study = shop.lines(
        "C1,2026-01-05,100,O1", "C1,2026-01-06,-30,O1", "C2,2026-01-05,20,O2",
        "C2,2026-01-06,-25,O2", "C3,2026-01-06,-5,O9",
        header=f"{HEADER},order_id", policies=REFUND,
    )  # fmt: skip
    assert check_of(study, "unmatched_refunds").count == 1
    assert (check_of(study, "refunds_beyond_order").status, check_of(study, "refunds_beyond_order").count) == (
        "failed",
        1,
    )
    assert_nothing_lost(study, 5, "60")


def test_63_rows_with_a_refunded_status_need_a_policy(shop: Shop) -> None:
    header = f"{HEADER},status"
    lines = ("C1,2026-01-05,100,已付款", "C1,2026-02-05,30,已退款")
    shop.stops("refunded-unstated", "\n".join([header, *lines]), "column status", "refunded_rows")
    reversed_order = shop.lines(*lines, header=header, policies={"refunded_rows": "reversed_order"})
    assert spend(reversed_order) == {"C1": 100.0}
    record = shop.lines(*lines, header=header, policies={"refunded_rows": "refund_record"})
    assert spend(record) == {"C1": 70.0}
    for study in (reversed_order, record):
        assert_nothing_lost(study, 2, "130")


def test_63_statuses_by_their_words(shop: Shop) -> None:
    lines = ["C1,2026-01-05,1,交易成功", "C1,2026-01-05,2,交易关闭", "C1,2026-01-05,4,待付款", "C1,2026-01-05,8,Odd"]
    header = f"{HEADER},status"
    shop.stops("unknown-status", "\n".join([header, *lines]), 'statuses: {paid: ["Odd"]}')
    study = shop.lines(*lines, header=header, statuses={"paid": ["odd*"]})
    assert fates(study) == {"order": 2, "cancelled": 1, "unpaid": 1}
    assert_nothing_lost(study, 4, "15")


@pytest.mark.parametrize("text", ["0", "0.00", "-0", "-0.0", "¥0", "0.00001"])
def test_64_orders_of_nothing_follow_the_policy(shop: Shop, text: str) -> None:
    lines = ("C1,2026-01-05,10", f"C1,2026-01-06,{text}")
    assert fates(shop.lines(*lines)) == {"order": 1, "zero_order": 1}
    counted = shop.lines(*lines, policies={"zero_orders": "count"})
    assert counted.snapshot("2026-12-31")["order_days"].tolist() == [2]
    assert_nothing_lost(counted, 2, "10")


@pytest.mark.parametrize(
    ("currency", "text"),
    [
        ("CNY", "$12"),
        ("CNY", "12 USD"),
        ("CNY", "€12"),
        ("CNY", "US$5"),
        ("USD", "¥12"),
        ("USD", "HK$12"),
        ("USD", "C$5"),
        ("USD", "12元"),
    ],
)
def test_65_another_currency_stops(shop: Shop, currency: str, text: str) -> None:
    shop.stops("other-currency", f"{HEADER}\nC1,2026-01-05,{text}\n", "column amount", currency=currency)


@pytest.mark.parametrize("kind", ["csv", "float", "decimal"])
def test_68_ten_times_a_tenth_is_one(shop: Shop, kind: str) -> None:
    amounts = {"csv": ["0.1"] * 10, "float": [0.1] * 10, "decimal": [Decimal("0.1")] * 10}[kind]
    orders = pd.DataFrame({"customer_id": "C1", "ordered_at": "2026-01-05", "amount": amounts})
    study = shop.open(orders.to_csv(index=False) if kind == "csv" else orders)
    assert_nothing_lost(study, 10, "1")
    assert spend(study) == {"C1": 1.0}


def test_69_the_basis_of_amounts_is_kept_and_shown(shop: Shop) -> None:
    study = shop.lines("C1,2026-01-05,10", amount_basis="paid, tax and shipping included")
    assert study.settings.amount_basis == "paid, tax and shipping included"
    assert "paid, tax and shipping included" in str(study.manifest("2026-12-31"))


def test_69_an_amount_may_be_a_product(shop: Shop) -> None:
    columns = {"amount": {"multiply": ["Quantity", "UnitPrice"]}}
    header = "customer_id,ordered_at,Quantity,UnitPrice"
    study = shop.lines(
        "C1,2026-01-05,3,1.25",
        "C1,2026-01-05,0,9",
        "C1,2026-01-05,-2,1.00",
        header=header,
        orders_spec={"columns": columns},
        policies=REFUND,
    )
    assert fates(study) == {"order": 1, "zero_order": 1, "negative_amount": 1}
    assert_nothing_lost(study, 3, "1.75")
    shop.stops("unreadable-amount", f"{header}\nC1,2026-01-05,x,1\n", orders_spec={"columns": columns})
    shop.stops("missing-amount", f"{header}\nC1,2026-01-05,2,\n", orders_spec={"columns": columns})
    shop.stops(
        "unreadable-amount", f"{header}\nC1,2026-01-05,99999999999,99999999999\n", orders_spec={"columns": columns}
    )


def test_69_a_product_of_typed_columns(shop: Shop) -> None:
    columns = {"amount": {"multiply": ["Quantity", "UnitPrice"]}}
    orders = pa.table(
        {"customer_id": ["C1"] * 2, "ordered_at": ["2026-01-05"] * 2, "Quantity": [3, 10**12], "UnitPrice": [0.1, 1e12]}
    )
    study = shop.open(orders, orders_spec={"columns": columns}, loss_budget={"rows": 1})
    assert fates(study) == {"order": 1, "unreadable_amount": 1}
    assert_nothing_lost(study, 2, "0.3")


def test_beyond_the_budget_is_about_money_too(shop: Shop) -> None:
    lines = "\n".join([HEADER, *(f"C{n},2026-01-05,10" for n in range(300)), "C1,1970-01-01,1000", ""])
    message = shop.stops("sentinel-date", lines, "25.0% of money", "orders_1.csv:302")
    assert "1.0%" in message

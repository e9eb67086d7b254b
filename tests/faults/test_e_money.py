"""Section E: money and numbers."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pytest

import toolkit as tk
from tests.builders.cases import Case, assert_quarantined, assert_read, clean, rows_for
from tests.builders.samples import GOOD, HOW, LENIENT, Row, csv_of, frame_of, opened, rows_of
from tests.builders.shop import AS_OF, HEADER, assert_nothing_lost, check_of, codes, counted, fates, hinted, spend

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.builders.shop import Shop

MONEY = [
    ("orders", "amount"), ("orders", "list_price"), ("customers", "acquisition_cost"), ("events", "value"),
    ("contacts", "offer_price"), ("costs", "amount"),
]  # fmt: skip
NUMBERS = [("orders", "quantity"), ("customers", "followers"), ("events", "duration_seconds"), ("surveys", "score")]
REFUND: dict[str, Any] = {"policies": {"negative_amounts": "refund"}}
RATES: dict[str, Any] = {"currency_rates": {"USD": 7.1, "eur": 8}}
COMMA: dict[str, Any] = {"specs": {table: {"decimal": ","} for table, _ in MONEY + NUMBERS}}

AMOUNTS = {
    "¥1,234.50": "1234.5", "￥1234.5": "1234.5", "12元": "12", "RMB 12": "12", "CNY12.00": "12", "人民币3": "3",
    "人民币 3": "3", "１２．５０": "12.5", '="12.30"': "12.3", "（5.00）": "-5", "(5)": "-5", "¥-5": "-5", "-¥5": "-5",
    "−5": "-5", "+5": "5", "1 234.50": "1234.5", "1\u00a0234.50": "1234.5", "1'234.50": "1234.5", "1'234": "1234",
    ".5": "0.5", "5.": "5", "0005": "5", "1,234,567": "1234567", "19.990000000000002": "19.99", "0.0001": "0.0001",
    "99999999999999.9999": "99999999999999.9999",
    "0": "0", "0.00": "0", "-0": "0", "-0.0": "0", "¥0": "0", "0.00001": "0",
}  # fmt: skip
NO_AMOUNT = {
    "unreadable_amount": (
        "5-", "1,2345", "12,34,567", "1.2.3", "1 23", "12 34", "five", "1.2万", "5%", "5e3", "0x10", "--5", "+-5",
        "(-5)", "(5", "¥", "+", "-.", "١٢", "100000000000000", "1/2", "12 13", "=5+5", "TRUE", "2026-01-05",
        "inf", "-inf", "Infinity", "1e308", "1e400", "9" * 30,
    ),
    "missing_amount": ("", " ", "NULL", "nan", "N/A", "-", "--"),
}  # fmt: skip
STOPPING = {
    "decimal_comma": ("1.234,50", "12,34", "-1.234,5", "¥12,3"),
    "other_currency": ("$12", "12 USD", "€12", "US$5", "HK$12", "5 USD"),
}  # fmt: skip
COMMA_AMOUNTS = {
    "1.234,50": "1234.5", "12,34": "12.34", "1234": "1234", "1.234": "1234", ",5": "0.5", "1 234,5": "1234.5",
    "-5,": "-5", "¥12,3": "12.3", "-1.234,5": "-1234.5",
}  # fmt: skip
POINT_AMOUNTS = ("1,234.50", "12.50")

COUNTS = {"1,234": 1234.0, "9.0": 9.0, "１０": 10.0, " 7 ": 7.0, "1e1": 10.0, '="3"': 3.0, "9次": 9.0, "５ 人": 5.0}
NO_COUNT = {
    "unreadable_number": (
        "x", "inf", "nan?", "1_000", "0x10", "1.2万", "1,2,3", "--5", "5 6", "1e400", "五", "4,5", "two", "很好",
    ),
    "missing_number": ("", "N/A"),
}  # fmt: skip
DURATIONS = {
    "90": 90, "90秒": 90, "12分": 720, "12分30秒": 750, "1小时2分3秒": 3723, "0:01:30": 90, "01:02:03": 3723,
    "2h 5m": 7500, "1.5": 1.5, "12 min": 720, "3分钟": 180,
}  # fmt: skip
NO_DURATION = ("1.5小时", "12:30", "1:99:00", "half an hour", "12分x", "分", ":")


def amount_cases(texts: Iterable[tuple[str, str | None, str]]) -> list[Case]:
    """Each text in every column of money: its value, or why it has none."""
    cases = []
    for table, column in MONEY:
        for text, value, reason in texts:
            held = None if value is None else Decimal(value)
            if column != "amount":
                reason = ""  # noqa: PLW2901 - optional money stops no row
            elif table == "orders" and held is not None and held <= 0:
                reason = "negative_amount" if held < 0 else "zero_order"  # noqa: PLW2901 - what orders make of it
            cases.append(Case(table, {column: text}, {column: held}, reason))
    return cases


def number_cases() -> list[Case]:
    cases = []
    for table, column in NUMBERS:
        kind = {"kind": "csat"} if table == "surveys" else {}
        cases += [Case(table, {column: text} | kind, {column: value}) for text, value in COUNTS.items()]
        cases += [
            Case(table, {column: text} | kind, {column: None}, reason if table == "surveys" else "")
            for reason, texts in NO_COUNT.items()
            for text in texts
        ]
    cases += [Case("events", {"duration_seconds": text}, {"duration_seconds": s}) for text, s in DURATIONS.items()]
    cases += [Case("events", {"duration_seconds": text}, {"duration_seconds": None}) for text in NO_DURATION]
    for text in ("9分", "9 分", "９", "0", "10"):
        score = float(text[0].replace("９", "9")) if text != "10" else 10.0
        cases.append(Case("surveys", {"score": text}, {"score": score}))
    for text in ("12", "-1", "11"):
        cases.append(Case("surveys", {"score": text}, {"score": float(text)}, "score_out_of_range"))
        cases.append(Case("surveys", {"score": text, "kind": "满意度"}, {"score": float(text)}))
    return cases


def unread(cases: Iterable[Case]) -> dict[str, int]:
    """How many cells of each optional column cannot be read although something is written there."""
    found: dict[str, int] = {}
    blank = {*NO_AMOUNT["missing_amount"], *NO_COUNT["missing_number"]}
    for case in cases:
        for column, value in case.holds.items():
            if value is None and case.cells[column] not in blank and column not in ("amount", "score"):
                found[f"{case.table}: {column}"] = found.get(f"{case.table}: {column}", 0) + 1
    return found


def orders_in(*amounts: tuple[str, str], **cells: str) -> list[Row]:
    return [
        row | {"amount": amount, "list_price": amount, "currency": currency} | cells
        for row, (amount, currency) in zip(rows_of("orders", len(amounts)), amounts, strict=True)
    ]


@pytest.mark.fault(59, 61, 64, 68, 158)
@pytest.mark.parametrize("how", HOW)
def test_money_and_numbers_of_every_table_as_exports_write_them(shop: Shop, how: str) -> None:
    cases = amount_cases(
        [(text, value, "") for text, value in AMOUNTS.items()]
        + [(text, None, reason) for reason, texts in NO_AMOUNT.items() for text in texts]
    )
    cases += number_cases()
    rows = rows_for(cases)
    study = opened(shop, rows, how, **REFUND, **LENIENT)
    assert_read(study, cases)
    if how == "parquet":
        return
    assert_quarantined(study, cases)
    assert counted(study, "unreadable_optional") == unread(cases)
    spent, orders = spend(study), [case for case in cases if case.table == "orders"]
    for row, case in zip(rows["orders"], orders, strict=True):
        assert spent.get(row["customer_id"], 0) == float(str(case.holds.get("amount", 10) or 0)), case
    seconds = study.snapshot("2026-01-31")["stay_seconds_30d"]
    events = [case for case in cases if case.table == "events"]
    for row, case in zip(rows["events"], events, strict=True):
        assert seconds[row["customer_id"]] == (case.holds.get("duration_seconds", 30) or 0), case


@pytest.mark.fault(60, 65)
def test_other_notations_and_currencies_are_no_amount_of_any_column(shop: Shop) -> None:
    cases = amount_cases([(text, None, reason) for reason, texts in STOPPING.items() for text in texts])
    assert_read(opened(shop, rows_for(cases), "csv", **REFUND), cases)
    optional = [case for case in cases if case.holds.keys() != {"amount"}]
    assert counted(opened(shop, rows_for(optional), "csv"), "unreadable_optional") == unread(optional)
    for table in ("orders", "costs"):
        others = [
            row | {"amount": text} for row, text in zip(rows_of(table, 6), STOPPING["other_currency"], strict=True)
        ]
        told = f"{table}_1.csv:2 column amount", "n=6", "one currency per study"
        shop.table_stops("other-currency", table, csv_of(others), *told, **REFUND)
    dollars = [f"C1,2026-01-05,{text}" for text in ("$5", "¥12", "HK$12", "C$5", "12元")]
    shop.stops("other-currency", "\n".join([HEADER, *dollars]), "orders_1.csv:3", "n=4", currency="USD")


@pytest.mark.fault(60)
def test_a_stated_decimal_comma_is_read_in_every_column(shop: Shop) -> None:
    cases = amount_cases(
        [(text, value, "") for text, value in COMMA_AMOUNTS.items()]
        + [(text, None, "unreadable_amount") for text in POINT_AMOUNTS]
    )
    cases += [
        Case(table, {column: "4,5"} | ({"kind": "csat"} if table == "surveys" else {}), {column: 4.5})
        for table, column in NUMBERS
    ]
    study = opened(shop, rows_for(cases), "csv", **COMMA, **REFUND, **LENIENT)
    assert_read(study, cases)
    assert_quarantined(study, cases)


@pytest.mark.fault(60)
def test_a_decimal_comma_stops_and_the_proposal_reads_it(shop: Shop) -> None:
    for table in ("orders", "costs"):
        rows = [row | {"amount": text} for row, text in zip(rows_of(table, 4), STOPPING["decimal_comma"], strict=True)]
        told = shop.table_stops("decimal-comma", table, csv_of(rows), f"{table}_1.csv:2 column amount", "n=4", **REFUND)
        study = shop.tables({table: csv_of(rows)}, specs={table: hinted(told)}, **REFUND)
        assert_nothing_lost(study, 4, "24.64", table=table)


@pytest.mark.fault(59)
def test_costs_add_up_to_the_digit(shop: Shop) -> None:
    amounts = ["0.1"] * 10 + ["1,234.5678", "-34.5678", "99999999999999.9999", "¥0.0001"]
    study = shop.tables({"costs": csv_of([GOOD["costs"] | {"amount": amount} for amount in amounts])})
    assert_nothing_lost(study, 14, "100000000001201.0000", table="costs")


@pytest.mark.fault(59)
def test_the_budget_is_about_money_too(shop: Shop) -> None:
    for table, when in (("orders", "ordered_at"), ("costs", "period_start")):
        *rows, last = rows_of(table, 301)
        text = csv_of([*rows, last | {when: "1970-01-01", "amount": "1000"}])
        told = shop.table_stops("sentinel-date", table, text, "25.0% of money", f"{table}_1.csv:302")
        assert f"column {when}" in told
        assert "1.0%" in told


@pytest.mark.fault(61)
def test_infinite_amounts_in_floating_point_are_quarantined(shop: Shop) -> None:
    amounts = [10.0] * 300 + [float("inf"), float("-inf"), 1e308, float("nan")]
    orders = pd.DataFrame({"customer_id": [f"C{n}" for n in range(304)], "ordered_at": "2026-01-05", "amount": amounts})
    frames = tk.Study.from_frames(orders=orders, timezone="Asia/Shanghai", currency="CNY", loss_budget={"rows": 0.02})
    for study in (shop.open(orders, loss_budget={"rows": 0.02}), frames):
        assert fates(study) == {"order": 300, "unreadable_amount": 3, "missing_amount": 1}
        assert_nothing_lost(study, 304, "3000")


@pytest.mark.fault(61)
def test_infinite_numbers_of_typed_columns_never_enter_the_snapshot() -> None:
    tables: dict[str, Any] = {
        table: frame_of(rows_of(table, 3)).assign(**{column: [float("inf"), float("nan"), 7.0]})
        for table, column in NUMBERS
    }
    study = tk.Study.from_frames(**tables, timezone="Asia/Shanghai", currency="CNY", **LENIENT)
    assert {table: clean(study, table, column) for table, column in NUMBERS} == {
        table: [(None,), (None,), (7.0,)] for table, _ in NUMBERS
    }
    assert not study.snapshot(AS_OF).select_dtypes("number").isin([float("inf"), float("-inf")]).any().any()


@pytest.mark.fault(62)
def test_negative_amounts_need_a_policy(shop: Shop) -> None:
    text = f"{HEADER}\nC1,2026-01-05,100\nC1,2026-02-05,-30\n"
    shop.stops("negative-unstated", text, "orders_1.csv:3", "policies: {negative_amounts: refund}")
    refund = shop.open(text, **REFUND)
    assert (spend(refund), fates(refund)) == ({"C1": 70.0}, {"order": 1, "negative_amount": 1})
    exclude = shop.open(text, policies={"negative_amounts": "exclude"})
    assert (spend(exclude), fates(exclude)) == ({"C1": 100.0}, {"order": 1, "negative_excluded": 1})
    for study in (refund, exclude):
        assert_nothing_lost(study, 2, "70")


@pytest.mark.fault(63)
def test_a_refund_counts_from_its_own_day(shop: Shop) -> None:
    study = shop.lines("C1,2026-01-05,150", "C1,2026-02-05,-50", **REFUND)
    assert spend(study, "2026-01-31") == {"C1": 150.0}
    assert spend(study, "2026-02-04") == {"C1": 150.0}
    assert spend(study, "2026-02-05") == {"C1": 100.0}
    assert study.snapshot("2026-02-28")["order_days"].tolist() == [1]


@pytest.mark.fault(63)
def test_refunds_without_their_order_and_beyond_it_are_counted(shop: Shop) -> None:
    study = shop.lines(
        "C1,2026-01-05,100,O1", "C1,2026-01-06,-30,O1", "C2,2026-01-05,20,O2",
        "C2,2026-01-06,-25,O2", "C3,2026-01-06,-5,O9",
        header=f"{HEADER},order_id", **REFUND,
    )  # fmt: skip
    assert check_of(study, "unmatched_refunds").count == 1
    beyond = check_of(study, "refunds_beyond_order")
    assert (beyond.status, beyond.count) == ("failed", 1)
    assert_nothing_lost(study, 5, "60")


@pytest.mark.fault(63)
def test_rows_with_a_refunded_status_need_a_policy(shop: Shop) -> None:
    header = f"{HEADER},status"
    lines = ("C1,2026-01-05,100,已付款", "C1,2026-02-05,30,已退款")
    shop.stops("refunded-unstated", "\n".join([header, *lines]), "column status", "refunded_rows")
    reversed_order = shop.lines(*lines, header=header, policies={"refunded_rows": "reversed_order"})
    assert spend(reversed_order) == {"C1": 100.0}
    record = shop.lines(*lines, header=header, policies={"refunded_rows": "refund_record"})
    assert spend(record) == {"C1": 70.0}
    for study in (reversed_order, record):
        assert_nothing_lost(study, 2, "130")


@pytest.mark.fault(63, 153)
def test_statuses_by_their_words(shop: Shop) -> None:
    lines = ["C1,2026-01-05,1,交易成功", "C1,2026-01-05,2,交易关闭", "C1,2026-01-05,4,待付款", "C1,2026-01-05,8,Odd"]
    header = f"{HEADER},status"
    shop.stops("unknown-status", "\n".join([header, *lines]), 'statuses: {paid: ["Odd"]}')
    study = shop.lines(*lines, header=header, statuses={"paid": ["odd*"]})
    assert fates(study) == {"order": 2, "cancelled": 1, "unpaid": 1}
    assert_nothing_lost(study, 4, "15")


@pytest.mark.fault(64)
def test_orders_of_nothing_follow_the_policy(shop: Shop) -> None:
    lines = [f"C1,2026-01-{n:02d},{text}" for n, text in enumerate(("10", "0", "0.00", "-0", "¥0", "0.00001"), 1)]
    assert fates(shop.lines(*lines)) == {"order": 1, "zero_order": 5}
    counting = shop.lines(*lines, policies={"zero_orders": "count"})
    assert counting.snapshot(AS_OF)["order_days"].tolist() == [6]
    assert_nothing_lost(counting, 6, "10")


@pytest.mark.fault(65)
def test_a_column_of_currencies_is_converted_at_the_stated_rates(shop: Shop) -> None:
    rows = orders_in(("10", "CNY"), ("10", "USD"), ("10", "usd "), ("10", "人民币"), ("10", ""), ("10", "EUR"))
    study = shop.tables({"orders": csv_of(rows)}, **RATES)
    assert fates(study) == {"order": 6}
    assert spend(study) == {"P1": 10.0, "P2": 71.0, "P3": 71.0, "P4": 10.0, "P5": 10.0, "P6": 80.0}
    assert_nothing_lost(study, 6, "252")
    assert study.snapshot(AS_OF)["discount_share"].tolist() == [0.0] * 6


@pytest.mark.fault(65)
def test_the_own_currency_has_many_names(shop: Shop) -> None:
    names = ("CNY", "cny", "RMB", "rmb", "人民币", "¥", "￥", "元", "", "NULL", " CNY ")
    for settings in ({}, RATES):
        study = shop.tables({"orders": csv_of(orders_in(*(("10", name) for name in names)))}, **settings)
        study.check(AS_OF)
        assert fates(study) == {"order": len(names)}
        assert_nothing_lost(study, len(names), 10 * Decimal(len(names)))


@pytest.mark.fault(65)
def test_a_currency_without_a_rate_stops_and_a_rate_helps(shop: Shop) -> None:
    others = ("USD", "US$", "GBP", "美元", "XXX")
    text = csv_of(orders_in(("10", "CNY"), *(("10", other) for other in others)))
    told = shop.stops("other-currency", text, "column currency", "orders_1.csv:3", "n=5", "currency_rates")
    assert hinted(told) == {"currency_rates": {"USD": 7.1}}
    study = shop.open(text, currency_rates={other: 7.1 + n for n, other in enumerate(others)})
    assert spend(study) == {"P1": 10.0, "P2": 71.0, "P3": 81.0, "P4": 91.0, "P5": 101.0, "P6": 111.0}


@pytest.mark.fault(65)
@pytest.mark.parametrize("how", HOW)
def test_the_own_money_is_exact_beside_a_column_of_currencies(shop: Shop, how: str) -> None:
    rows = orders_in(("99999999999999.9999", "CNY"), ("0.1", "CNY"), ("12345678901234.5678", "人民币"))
    study = opened(shop, {"orders": rows}, how, **RATES)
    assert fates(study) == {"order": 3}
    assert_nothing_lost(study, 3, "112345678901234.6677")


@pytest.mark.fault(65)
def test_money_that_its_rate_makes_too_large_is_quarantined_and_nothing_is_lost(shop: Shop) -> None:
    study = shop.tables({"orders": csv_of(orders_in(("10", "CNY"), ("90000000000000", "USD")))}, **RATES, **LENIENT)
    assert fates(study) == {"order": 1, "unreadable_amount": 1}
    assert_nothing_lost(study, 2, "10")


@pytest.mark.fault(65)
def test_a_refund_is_converted_like_its_order(shop: Shop) -> None:
    rows = orders_in(("10", "USD"), ("-4", "USD"), customer_id="P1", order_id="O1")
    study = shop.tables({"orders": csv_of(rows)}, **RATES, **REFUND)
    assert spend(study) == {"P1": 42.6}
    assert_nothing_lost(study, 2, "42.6")


@pytest.mark.fault(68)
def test_ten_times_a_tenth_is_one(shop: Shop) -> None:
    tenths: list[Any] = [
        ["0.1"] * 10, [0.1] * 10, [Decimal("0.1")] * 10, pa.array([Decimal("0.10")] * 10),
        pd.array([0.1] * 10, "Float64"),
    ]  # fmt: skip
    for amounts in tenths:
        orders = pd.DataFrame({"customer_id": "C1", "ordered_at": "2026-01-05", "amount": amounts})
        costs = frame_of(rows_of("costs", 10)).assign(amount=amounts)
        study = shop.tables({"orders": orders, "costs": costs})
        assert spend(study) == {"C1": 1.0}
        for table in ("orders", "costs"):
            assert_nothing_lost(study, 10, "1", table=table)
    typed = shop.open(f"{HEADER}\n" + "C1,2026-01-05,0.1\n" * 10)
    assert spend(typed) == {"C1": 1.0}
    assert_nothing_lost(typed, 10, "1")


@pytest.mark.fault(69)
def test_the_basis_of_amounts_is_kept_and_shown(shop: Shop) -> None:
    study = shop.lines("C1,2026-01-05,10", amount_basis="paid, tax and shipping included")
    assert study.settings.amount_basis == "paid, tax and shipping included"
    assert "paid, tax and shipping included" in str(study.manifest(AS_OF))


@pytest.mark.fault(69, 149)
def test_an_amount_may_be_a_product(shop: Shop) -> None:
    product = {"columns": {"amount": {"multiply": ["Quantity", "UnitPrice"]}}}
    header = "customer_id,ordered_at,Quantity,UnitPrice"
    lines = ("C1,2026-01-05,3,1.25", "C1,2026-01-05,0,9", "C1,2026-01-05,-2,1.00")
    study = shop.lines(*lines, header=header, orders_spec=product, **REFUND)
    assert fates(study) == {"order": 1, "zero_order": 1, "negative_amount": 1}
    assert_nothing_lost(study, 3, "1.75")
    for code, factors in (
        ("unreadable-amount", "x,1"), ("missing-amount", "2,"), ("unreadable-amount", "99999999999,99999999999"),
    ):  # fmt: skip
        shop.stops(code, f"{header}\nC1,2026-01-05,{factors}\n", orders_spec=product)
    orders = pa.table(
        {"customer_id": ["C1"] * 2, "ordered_at": ["2026-01-05"] * 2, "Quantity": [3, 10**12], "UnitPrice": [0.1, 1e12]}
    )
    typed = shop.open(orders, orders_spec=product, **LENIENT)
    assert fates(typed) == {"order": 1, "unreadable_amount": 1}
    assert_nothing_lost(typed, 2, "0.3")


def test_impossible_durations_are_a_warning(shop: Shop) -> None:
    rows = [
        row | {"duration_seconds": text} for row, text in zip(rows_of("events", 3), ("-5", "90000", "30"), strict=True)
    ]
    study = shop.tables({"events": csv_of(rows)})
    found = check_of(study, "durations")
    assert (found.status, found.count) == ("failed", 2)
    assert "1 durations are negative (left out), 1 are longer than a day" in found.message
    assert study.snapshot("2026-01-31")["stay_seconds_30d"].sum() == 90030


def test_an_nps_answer_outside_its_scale_stops_and_another_question_has_another(shop: Shop) -> None:
    rows = [*rows_of("surveys", 2), GOOD["surveys"] | {"customer_id": "P9", "score": "12"}]
    told = shop.table_stops("score-out-of-range", "surveys", csv_of(rows), "column score", "33.3% of rows")
    assert "constant: csat" in told


def test_a_month_of_costs_counts_from_its_first_day(shop: Shop) -> None:
    study = shop.tables({"costs": csv_of([GOOD["costs"] | {"period_start": "2026-10"}])})
    for as_of, fate in (("2026-09-30", "later"), ("2026-10-01", "used")):
        assert study.ledger_at(as_of).query("table == 'costs'")["fate"].tolist() == [fate]
    assert "unreadable_optional" not in codes(study)

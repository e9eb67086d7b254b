"""Section E for every table: money and numbers. The numbers are those of the list of faults."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pytest

from tests.builders.samples import GOOD, HOW, REASON, Row, csv_of, frame_of, opened, rows_of
from tests.builders.shop import AS_OF, assert_nothing_lost, check_of, codes, fates, hinted, spend

if TYPE_CHECKING:
    import toolkit as tk
    from tests.builders.shop import Shop

MONEY = [("orders", "amount"), ("orders", "list_price"), ("customers", "acquisition_cost"), ("events", "value"),
         ("contacts", "offer_price"), ("costs", "amount")]  # fmt: skip
OPTIONAL_MONEY = [pair for pair in MONEY if pair[1] != "amount"]
NUMBERS = [("orders", "quantity"), ("customers", "followers"), ("events", "duration_seconds"), ("surveys", "score")]
OPTIONAL_NUMBERS = NUMBERS[:-1]
LENIENT: dict[str, Any] = {"loss_budget": {"rows": 1, "money": 1}}
RATES: dict[str, Any] = {"currency_rates": {"USD": 7.1, "eur": 8}}


def value_of(study: tk.Study, table: str, column: str) -> Any:
    """Return the one value of a column."""
    rows = study._connection.execute(f"SELECT {column} FROM {table}").fetchall()  # noqa: S608 - our names
    assert len(rows) == 1
    return rows[0][0]


def orders_in(*amounts: tuple[str, str], **cells: str) -> list[Row]:
    return [
        row | {"amount": amount, "list_price": amount, "currency": currency} | cells
        for row, (amount, currency) in zip(rows_of("orders", len(amounts)), amounts, strict=True)
    ]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("¥1,234.50", "1234.50"), ("12元", "12"), ("RMB 12", "12"), ("人民币3", "3"), ("１２．５０", "12.50"),
        ("1 234.5", "1234.5"),
        ("1'234", "1234"), (".5", "0.5"), ('="12.30"', "12.30"), ("0", "0"), ("+7", "7"),
    ],
)  # fmt: skip
@pytest.mark.parametrize(("table", "column"), MONEY)
def test_59_the_grammar_of_money_in_every_column(shop: Shop, table: str, column: str, text: str, value: str) -> None:
    study = shop.tables({table: csv_of([GOOD[table] | {column: text}])})
    assert value_of(study, table, column) == Decimal(value)
    assert "unreadable_optional" not in codes(study) if value != "0" or table != "orders" else True


@pytest.mark.parametrize(
    "text", ["five", "1.2.3", "1e308", "inf", "12 34", "=5+5", "1.2万", "1.234,50", "$5", "12 USD"]
)
@pytest.mark.parametrize(("table", "column"), OPTIONAL_MONEY)
def test_59_optional_money_that_cannot_be_read_is_missing_and_counted(
    shop: Shop, table: str, column: str, text: str
) -> None:
    study = shop.tables({table: csv_of([GOOD[table] | {column: text}])})
    assert value_of(study, table, column) is None
    assert fates(study, table) == {REASON[table]: 1}
    found = check_of(study, "unreadable_optional")
    assert (found.status, found.count, found.subject) == ("failed", 1, f"{table}: {column}")


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("five", "unreadable_amount"),
        ("1e308", "unreadable_amount"),
        ("inf", "unreadable_amount"),
        ("", "missing_amount"),
    ],
)
def test_59_a_cost_that_cannot_be_read_is_quarantined(shop: Shop, text: str, reason: str, how: str) -> None:
    study = opened(shop, "costs", [*rows_of("costs", 2), GOOD["costs"] | {"amount": text}], how, **LENIENT)
    assert fates(study, "costs") == {"cost": 2, reason: 1}
    assert_nothing_lost(study, 3, "20", table="costs")


def test_59_costs_add_up_to_the_digit(shop: Shop) -> None:
    amounts = ["0.1"] * 10 + ["1,234.5678", "-34.5678", "99999999999999.9999", "¥0.0001"]
    rows = [GOOD["costs"] | {"amount": amount} for amount in amounts]
    study = shop.tables({"costs": csv_of(rows)})
    assert_nothing_lost(study, 14, "100000000001201.0000", table="costs")


def test_59_the_budget_covers_the_money_of_costs(shop: Shop) -> None:
    rows = [*rows_of("costs", 300), GOOD["costs"] | {"period_start": "1970-01-01", "amount": "1000"}]
    message = shop.table_stops("sentinel-date", "costs", csv_of(rows), "25.0% of money", "costs_1.csv:302")
    assert "column period_start" in message


@pytest.mark.parametrize("text", ["1.234,50", "12,34", "¥12,3"])
def test_60_a_decimal_comma_in_costs_stops_and_the_proposal_reads_it(shop: Shop, text: str) -> None:
    content = csv_of([GOOD["costs"] | {"amount": text}])
    message = shop.table_stops("decimal-comma", "costs", content, "column amount")
    study = shop.tables({"costs": content}, specs={"costs": hinted(message)})
    wanted = {"1.234,50": "1234.5", "12,34": "12.34", "¥12,3": "12.3"}[text]
    assert_nothing_lost(study, 1, wanted, table="costs")


@pytest.mark.parametrize(("table", "column"), MONEY)
def test_60_a_stated_decimal_comma_is_read_in_every_column(shop: Shop, table: str, column: str) -> None:
    study = shop.tables({table: csv_of([GOOD[table] | {column: "1.234,5"}])}, specs={table: {"decimal": ","}})
    assert value_of(study, table, column) == Decimal("1234.5")


@pytest.mark.parametrize(("table", "column"), NUMBERS)
def test_60_a_number_with_a_comma_is_never_ten_times_itself(shop: Shop, table: str, column: str) -> None:
    rows = [GOOD[table] | {column: "4,5", "kind": "csat"} if table == "surveys" else GOOD[table] | {column: "4,5"}]
    study = shop.tables({table: csv_of(rows)}, **LENIENT)
    assert value_of(study, table, column) is None
    stated = shop.tables({table: csv_of(rows)}, specs={table: {"decimal": ","}})
    assert value_of(stated, table, column) == 4.5


@pytest.mark.parametrize(
    ("text", "value"), [("1,234", 1234.0), ("9.0", 9.0), ("１０", 10.0), (" 7 ", 7.0), ("1e1", 10.0), ('="3"', 3.0)]
)
@pytest.mark.parametrize(("table", "column"), NUMBERS)
def test_59_the_grammar_of_numbers(shop: Shop, table: str, column: str, text: str, value: float) -> None:
    kind = {"kind": "csat"} if table == "surveys" else {}
    assert value_of(shop.tables({table: csv_of([GOOD[table] | {column: text} | kind])}), table, column) == value


@pytest.mark.parametrize("text", ["x", "inf", "nan?", "1_000", "0x10", "1.2万", "1,2,3", "--5", "5 6", "1e400", "五"])
@pytest.mark.parametrize(("table", "column"), OPTIONAL_NUMBERS)
def test_61_a_number_that_cannot_be_read_is_missing_and_counted(shop: Shop, table: str, column: str, text: str) -> None:
    study = shop.tables({table: csv_of([GOOD[table] | {column: text}])})
    assert value_of(study, table, column) is None
    assert check_of(study, "unreadable_optional").subject == f"{table}: {column}"


@pytest.mark.parametrize(("table", "column"), NUMBERS)
def test_61_infinite_numbers_of_typed_columns_never_enter_the_snapshot(shop: Shop, table: str, column: str) -> None:
    frame = frame_of(rows_of(table, 3)).assign(**{column: [float("inf"), float("nan"), 7.0]})
    snap = shop.tables({table: frame}, **LENIENT).snapshot(AS_OF)
    assert not snap.select_dtypes("number").isin([float("inf"), float("-inf")]).any().any()


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("90秒", 90), ("12分", 720), ("12分30秒", 750), ("1小时2分3秒", 3723), ("0:01:30", 90),
     ("01:02:03", 3723), ("2h 5m", 7500), ("1.5", 1.5), ("12 min", 720), ("3分钟", 180)],
)  # fmt: skip
def test_beyond_durations_as_people_write_them(shop: Shop, text: str, seconds: float) -> None:
    study = shop.tables({"events": csv_of([GOOD["events"] | {"duration_seconds": text}])})
    assert value_of(study, "events", "duration_seconds") == seconds
    assert study.snapshot("2026-01-31")["stay_seconds_30d"].max() == seconds


@pytest.mark.parametrize("text", ["1.5小时", "12:30", "1:99:00", "half an hour", "12分x", "分", ":"])
def test_beyond_durations_with_two_readings_are_missing_and_counted(shop: Shop, text: str) -> None:
    study = shop.tables({"events": csv_of([GOOD["events"] | {"duration_seconds": text}])})
    assert value_of(study, "events", "duration_seconds") is None
    assert check_of(study, "unreadable_optional").count == 1


def test_beyond_impossible_durations_are_a_warning(shop: Shop) -> None:
    rows = [
        row | {"duration_seconds": text} for row, text in zip(rows_of("events", 3), ["-5", "90000", "30"], strict=True)
    ]
    study = shop.tables({"events": csv_of(rows)})
    found = check_of(study, "durations")
    assert (found.status, found.count) == ("failed", 2)
    assert "1 durations are negative (left out), 1 are longer than a day" in found.message
    assert study.snapshot("2026-01-31")["stay_seconds_30d"].sum() == 90030


@pytest.mark.parametrize("score", ["12", "-1", "11"])
def test_beyond_an_nps_answer_outside_its_scale_is_quarantined(shop: Shop, score: str) -> None:
    rows = [*rows_of("surveys", 2), GOOD["surveys"] | {"customer_id": "P9", "score": score}]
    message = shop.table_stops("score-out-of-range", "surveys", csv_of(rows), "column score", "33.3% of rows")
    assert "constant: csat" in message
    study = shop.tables({"surveys": csv_of(rows)}, **LENIENT)
    assert fates(study, "surveys") == {"answer": 2, "score_out_of_range": 1}
    other = shop.tables({"surveys": csv_of([row | {"kind": "满意度"} for row in rows])})
    assert fates(other, "surveys") == {"answer": 3}


@pytest.mark.parametrize("text", ["9分", "9.0", "９", "9 分", '="9"'])
def test_beyond_scores_as_people_write_them(shop: Shop, text: str) -> None:
    study = shop.tables({"surveys": csv_of([GOOD["surveys"] | {"score": text}])})
    assert study.snapshot(AS_OF)["last_nps"].max() == 9.0


@pytest.mark.parametrize(
    ("text", "reason"), [("", "missing_number"), ("N/A", "missing_number"), ("很好", "unreadable_number")]
)
def test_beyond_an_answer_without_a_score_is_quarantined(shop: Shop, text: str, reason: str) -> None:
    study = shop.tables({"surveys": csv_of([*rows_of("surveys", 2), GOOD["surveys"] | {"score": text}])}, **LENIENT)
    assert fates(study, "surveys") == {"answer": 2, reason: 1}


def test_65_a_column_of_currencies_is_converted_at_the_stated_rates(shop: Shop) -> None:
    rows = orders_in(("10", "CNY"), ("10", "USD"), ("10", "usd "), ("10", "人民币"), ("10", ""), ("10", "EUR"))
    study = shop.tables({"orders": csv_of(rows)}, **RATES)
    assert fates(study) == {"order": 6}
    assert spend(study) == {"P1": 10.0, "P2": 71.0, "P3": 71.0, "P4": 10.0, "P5": 10.0, "P6": 80.0}
    assert_nothing_lost(study, 6, "252")
    assert study.snapshot(AS_OF)["discount_share"].tolist() == [0.0] * 6


@pytest.mark.parametrize("own", ["CNY", "cny", "RMB", "rmb", "人民币", "¥", "￥", "元", "", "NULL", " CNY "])
def test_65_the_own_currency_has_many_names(shop: Shop, own: str) -> None:
    for settings in ({}, RATES):
        study = shop.tables({"orders": csv_of(orders_in(("10", own)))}, **settings)
        study.check(AS_OF)
        assert_nothing_lost(study, 1, "10")


@pytest.mark.parametrize("other", ["USD", "US$", "GBP", "美元", "XXX"])
def test_65_a_currency_without_a_rate_stops_and_a_rate_helps(shop: Shop, other: str) -> None:
    text = csv_of(orders_in(("10", "CNY"), ("10", other)))
    message = shop.stops("other-currency", text, "column currency", "orders_1.csv:3", "n=1", "currency_rates")
    assert hinted(message) == {"currency_rates": {"USD": 7.1}}
    study = shop.tables({"orders": text}, currency_rates={other: 7.1})
    assert spend(study) == {"P1": 10.0, "P2": 71.0}


@pytest.mark.parametrize("how", HOW)
def test_65_the_study_s_own_money_is_exact_beside_a_column_of_currencies(shop: Shop, how: str) -> None:
    rows = orders_in(("99999999999999.9999", "CNY"), ("0.1", "CNY"), ("12345678901234.5678", "人民币"))
    study = opened(shop, "orders", rows, how, **RATES)
    assert fates(study) == {"order": 3}
    assert_nothing_lost(study, 3, "112345678901234.6677")


def test_65_money_that_its_rate_makes_too_large_is_quarantined_and_nothing_is_lost(shop: Shop) -> None:
    study = shop.tables({"orders": csv_of(orders_in(("10", "CNY"), ("90000000000000", "USD")))}, **RATES, **LENIENT)
    assert fates(study) == {"order": 1, "unreadable_amount": 1}
    assert_nothing_lost(study, 2, "10")


def test_65_a_refund_is_converted_like_its_order(shop: Shop) -> None:
    rows = orders_in(("10", "USD"), ("-4", "USD"), customer_id="P1", order_id="O1")
    study = shop.tables({"orders": csv_of(rows)}, **RATES, policies={"negative_amounts": "refund"})
    assert spend(study) == {"P1": 42.6}
    assert_nothing_lost(study, 2, "42.6")


@pytest.mark.parametrize("text", ["$5", "5 USD", "€5", "HK$5"])
def test_65_costs_in_another_currency_stop(shop: Shop, text: str) -> None:
    content = csv_of([*rows_of("costs", 2), GOOD["costs"] | {"amount": text}])
    shop.table_stops("other-currency", "costs", content, "column amount", "costs_1.csv:4", "one currency per study")


@pytest.mark.parametrize(
    "text", ["2026-10", "2026年10月", "2026/10", "2026.10", "2026年10月1日", "2026-10-01", '="2026-10"']
)
def test_beyond_the_month_of_a_cost_is_its_first_day(shop: Shop, text: str) -> None:
    study = shop.tables({"costs": csv_of([GOOD["costs"] | {"period_start": text}])})
    assert str(value_of(study, "costs", "day")) == "2026-10-01"
    assert study.ledger_at("2026-09-30").query("table == 'costs'")["fate"].tolist() == ["later"]
    assert study.ledger_at("2026-10-01").query("table == 'costs'")["fate"].tolist() == ["used"]


def test_beyond_a_cost_without_a_channel_is_quarantined_with_its_money(shop: Shop) -> None:
    study = shop.tables({"costs": csv_of([*rows_of("costs", 2), GOOD["costs"] | {"channel": ""}])}, **LENIENT)
    assert fates(study, "costs") == {"cost": 2, "missing_value": 1}
    assert_nothing_lost(study, 3, "30", table="costs")


def test_68_typed_costs_are_exact(shop: Shop) -> None:
    for column in ([0.1] * 10, pa.array([Decimal("0.10")] * 10), pd.array([0.1] * 10, "Float64")):
        study = shop.tables({"costs": frame_of(rows_of("costs", 10)).assign(amount=column)})
        assert_nothing_lost(study, 10, "1", table="costs")

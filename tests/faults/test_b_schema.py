"""Section B: columns and their types. The numbers are those of the list of faults."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pytest

import toolkit as tk
from tests.builders.books import book
from tests.builders.shop import HEADER, assert_nothing_lost, check_of, fates, good_lines, spend
from toolkit.errors import InputError, ToolkitError

if TYPE_CHECKING:
    from tests.builders.shop import Shop


def frames(orders: pd.DataFrame, customers: pd.DataFrame | None = None, **settings: Any) -> tk.Study:
    return tk.Study.from_frames(
        orders=orders, customers=customers, timezone="Asia/Shanghai", currency="CNY", **settings
    )


def test_24_a_missing_column_stops_with_what_was_found_and_a_mapping(shop: Shop) -> None:
    message = shop.stops("missing-column", "customer_id,ordered_at,amonut\nC1,2026-01-05,10\n", "amonut")
    assert "tables: {orders: {columns: {amount: amonut}}}" in message


def test_24_a_mapping_to_a_header_that_is_not_there_stops_with_the_nearest(shop: Shop) -> None:
    columns = {"amount": "Totals"}
    message = shop.stops(
        "missing-column", "customer_id,ordered_at,Total\nC1,2026-01-05,1\n", "Totals", orders_spec={"columns": columns}
    )
    assert "{amount: Total}" in message


def test_24_a_required_column_cannot_be_left_out(shop: Shop) -> None:
    shop.stops("missing-column", f"{HEADER}\nC1,2026-01-05,10\n", orders_spec={"columns": {"customer_id": None}})


@pytest.mark.parametrize(
    "header",
    [
        "买家编号,付款时间,实付金额",
        "external_userid,Created at,Total",
        "Customer ID,InvoiceDate,price_paid",
        "ＵＳＥＲ＿ＩＤ,DATE,金额",
    ],
)
def test_25_aliases_are_known(shop: Shop, header: str) -> None:
    study = shop.lines("C1,2026-01-05,10", header=header)
    assert spend(study) == {"C1": 10.0}
    assert study.files["orders"][0].mapping["amount"] == (header.split(",")[2],)


def test_25_two_headers_for_one_column_stop(shop: Shop) -> None:
    shop.stops(
        "ambiguous-column",
        "customer_id,created_at,paid_at,amount\nC1,2026-01-05,2026-01-06,10\n",
        "created_at, paid_at",
    )


@pytest.mark.parametrize("value", ["公众号", "it's", 'say "x"; --', "", "a\nb"])
@pytest.mark.parametrize("kind", ["csv", "parquet", "xlsx", "frame"])
def test_24_a_column_that_the_export_leaves_out_may_be_the_same_in_every_row(shop: Shop, kind: str, value: str) -> None:
    frame = pd.DataFrame({"customer_id": ["C1", "C2"], "ordered_at": "2026-01-05", "amount": 1, "channel": ["a", "b"]})
    columns = {"columns": {"channel": {"constant": value}}}
    if kind == "frame":
        study = frames(frame, tables={"orders": columns})
    elif kind == "xlsx":
        shop.write("book.xlsx", book([list(frame), *frame.to_numpy().tolist()]))
        study = shop.open(HEADER, orders_spec=columns | {"files": "book.xlsx"})
    else:
        study = shop.open(frame if kind == "parquet" else frame.to_csv(index=False), orders_spec=columns)
    assert study._connection.execute("SELECT DISTINCT channel FROM orders_raw").fetchall() == [(value,)]
    found = study.files["orders"][0]
    assert (found.constants, found.dropped) == ({"channel": value}, ("channel",))
    assert list(found.mapping) == ["customer_id", "ordered_at", "amount"]
    assert_nothing_lost(study, 2, "2")


def test_24_a_constant_makes_no_header(shop: Shop) -> None:
    shop.stops("missing-column", "channel,note\nx,y\n", orders_spec={"columns": {"channel": {"constant": "x"}}})


def test_25_a_mapping_settles_what_is_ambiguous(shop: Shop) -> None:
    study = shop.lines(
        "C1,2026-01-05,2026-01-06,10",
        header="customer_id,created_at,paid_at,amount",
        orders_spec={"columns": {"ordered_at": "paid_at"}},
    )
    assert str(study.snapshot("2026-12-31")["last_order_date"].iloc[0].date()) == "2026-01-06"


def test_27_swapped_columns_stop(shop: Shop) -> None:
    swapped = "\n".join([HEADER, *("C1,10,2026-01-05" for _ in range(20))])
    shop.stops("unreadable-date", swapped, "100.0% of rows", "column ordered_at")


def test_28_a_type_never_flips_within_a_column(shop: Shop) -> None:
    lines = [f"{n:05d},2026-01-05,10" for n in range(20_000)] + ["A1,2026-01-05,10", "00000,2026-01-06,10"]
    study = shop.lines(*lines)
    found = spend(study)
    assert len(found) == 20_001
    assert found["00000"] == 20.0


@pytest.mark.parametrize(
    ("text", "out"),
    [("True", True), ("是", True), ("1", True), ("False", False), ("0", False), ("否", False), ("", None)],
)
def test_29_flags_by_their_words(shop: Shop, text: str, out: bool | None) -> None:
    study = shop.lines("C1,2026-01-05,10", customers=f"customer_id,opted_out\nC1,{text}\n")
    assert study._connection.execute("SELECT opted_out FROM customers").fetchall() == [(out,)]


def test_29_an_unknown_word_for_an_opt_out_is_not_taken_for_consent(shop: Shop) -> None:
    customers = "customer_id,opted_out\nC1,maybe\nC2,no\n"
    shop.stops("unreadable-flag", f"{HEADER}\nC1,2026-01-05,10\n", "customers.csv:2", "opted_out", customers=customers)
    study = shop.lines("C1,2026-01-05,10", customers=customers, loss_budget={"rows": 1})
    assert fates(study, "customers") == {"customer": 1, "unreadable_flag": 1}


def test_29_booleans_are_no_money(shop: Shop) -> None:
    frame = pd.DataFrame({"customer_id": ["C1", "C2"], "ordered_at": ["2026-01-05"] * 2, "amount": [True, False]})
    shop.stops("unreadable-amount", frame)
    with pytest.raises(InputError, match="E-unreadable-amount"):
        frames(frame).check()


def test_31_columns_that_nobody_asked_for_are_never_loaded(shop: Shop) -> None:
    study = shop.lines("C1,2026-01-05,10,13800138000,张三", header=f"{HEADER},phone,姓名")
    assert "phone, 姓名" in check_of(study, "dropped_columns").message
    names = study._connection.execute("SELECT DISTINCT column_name FROM duckdb_columns()").fetchall()
    assert not {name for (name,) in names} & {"phone", "姓名", "c3", "c4"}


def test_32_categories_without_rows_make_no_customers() -> None:
    ids = pd.Categorical(["C1", "C2"], categories=["C1", "C2", "ghost"])
    found = frames(pd.DataFrame({"customer_id": ids, "ordered_at": ["2026-01-05"] * 2, "amount": [1, 2]}))
    assert list(found.snapshot("2026-12-31").index) == ["C1", "C2"]


@pytest.mark.parametrize(
    "kind",
    [pa.list_(pa.float64()), pa.struct([("value", pa.float64())]), pa.map_(pa.string(), pa.float64())],
)
def test_beyond_nested_parquet_columns_stop(shop: Shop, kind: pa.DataType) -> None:
    values = {"list<item: double>": [[1.0]], "struct<value: double>": [{"value": 1.0}]}.get(str(kind), [[("a", 1.0)]])
    table = pa.table({"customer_id": ["C1"], "ordered_at": ["2026-01-05"], "amount": pa.array(values, kind)})
    shop.stops("nested-column", table, "column amount")


@pytest.mark.parametrize("amount", [[[1]], [{"a": 1}], [object()], [1j], [b"\xff"]])
def test_beyond_odd_objects_in_a_frame_stop(amount: list[object]) -> None:
    with pytest.raises(ToolkitError, match="Try:"):
        frames(pd.DataFrame({"customer_id": ["C1"], "ordered_at": ["2026-01-05"], "amount": amount})).check()


@pytest.mark.parametrize(
    "dtype", ["Int64", "float32", "int8", "uint64", "float16", "string", "object", "category", "double[pyarrow]"]
)
def test_beyond_every_numeric_type_of_a_frame_is_money(dtype: str) -> None:
    values = ["10", "20"] if dtype == "string" else [10, 20]
    orders = pd.DataFrame(
        {"customer_id": ["C1", "C2"], "ordered_at": ["2026-01-05"] * 2, "amount": pd.Series(values, dtype=dtype)}
    )
    assert_nothing_lost(frames(orders), 2, "30")


def test_beyond_frames_with_odd_indexes_and_headers() -> None:
    orders = pd.DataFrame({"customer_id": ["C1", "C2"], "ordered_at": ["2026-01-05"] * 2, "amount": [1, 2], 7: [0, 0]})
    for frame in (
        orders.set_index("customer_id"),
        orders.set_index("customer_id", drop=False),
        orders.set_index(["customer_id", "amount"], drop=False),
        orders.iloc[::-1],
    ):
        assert spend(frames(frame)) == {"C1": 1.0, "C2": 2.0}
    with pytest.raises(InputError, match="E-missing-column"):
        frames(pd.concat({"a": orders}, axis=1))
    with pytest.raises(InputError, match="E-not-a-frame"):
        frames({"customer_id": ["C1"]})  # type: ignore[arg-type]
    with pytest.raises(InputError, match="E-no-rows"):
        frames(orders.iloc[:0])


def test_beyond_an_optional_column_that_cannot_be_read_is_counted(shop: Shop) -> None:
    study = shop.lines("C1,2026-01-05,10,two", "C1,2026-01-06,10,2", "C1,2026-01-07,10,", header=f"{HEADER},quantity")
    found = check_of(study, "unreadable_optional")
    assert (found.count, found.status) == (1, "failed")
    assert "quantity" in found.message
    assert_nothing_lost(study, 3, "30")


def test_beyond_the_same_business_from_csv_parquet_and_a_frame(shop: Shop) -> None:
    rows = [line.split(",") for line in good_lines(60)]
    frame = pd.DataFrame(rows, columns=HEADER.split(","))
    typed = frame.assign(ordered_at=pd.to_datetime(frame["ordered_at"]), amount=frame["amount"].astype(float))
    wanted = frames(frame).snapshot("2026-12-31")
    for content in (frame.to_csv(index=False), frame, typed):
        pd.testing.assert_frame_equal(shop.open(content).snapshot("2026-12-31"), wanted)
    pd.testing.assert_frame_equal(frames(typed).snapshot("2026-12-31"), wanted)

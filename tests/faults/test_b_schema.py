"""Section B: columns, their headers and their types."""

from __future__ import annotations

from collections import Counter
from itertools import cycle
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pytest

import toolkit as tk
from tests.builders.books import book
from tests.builders.cases import Case, assert_quarantined, assert_read, rows_for
from tests.builders.samples import DATED, GOOD, HOW, LENIENT, NINE, REASON, csv_of, frame_of, money_of, opened, rows_of
from tests.builders.shop import (
    AS_OF,
    HEADER,
    Shop,
    assert_nothing_lost,
    codes,
    fates,
    good_lines,
    hinted,
    refused,
    spend,
)
from toolkit.data.headers import map_columns
from toolkit.errors import InputError, ToolkitError
from toolkit.study import TableFile
from toolkit.tables import TABLES

if TYPE_CHECKING:
    from pathlib import Path

REQUIRED = [(name, column.name) for name, table in TABLES.items() for column in table.columns if column.required]
FLAGS = [("customers", "opted_out"), ("contacts", "delivered"), ("contacts", "opened"), ("contacts", "opted_out")]
SPEC = TableFile(files=("x.csv",))
PRIVATE = {"手机号码": "13812345678", "real_name": "张三丰", "身份证": "110101199003071234"}


def frames(orders: pd.DataFrame, **settings: Any) -> tk.Study:
    return tk.Study.from_frames(orders=orders, timezone="Asia/Shanghai", currency="CNY", **settings)


@pytest.fixture(scope="module", params=HOW)
def nine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tk.Study:
    """Three good rows of every table, which also say what nobody asked for."""
    tables = {table: [row | PRIVATE for row in rows_of(table, 3)] for table in NINE}
    folder: Path = tmp_path_factory.mktemp("nine")
    return opened(Shop(folder), tables, request.param)


def test_every_table_is_read_from_every_kind_of_source(nine: tk.Study) -> None:
    for table in NINE:
        assert fates(nine, table) == {REASON[table]: 3}
        assert_nothing_lost(nine, 3, money_of(table, 3), table=table)
    assert list(nine.snapshot(AS_OF).index) == ["P1", "P2", "P3"]
    assert nine.quarantine(AS_OF).empty
    checks = nine.checks(AS_OF)
    assert not [check for check in checks if check.status == "failed"]
    dropped = [check.subject for check in checks if check.code == "dropped_columns"]
    assert dropped == [", ".join(PRIVATE)] * len(NINE)


@pytest.mark.fault(31)
def test_what_nobody_asked_for_never_enters_the_engine(nine: tk.Study) -> None:
    tables = nine._connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()
    for name in {f"{table}_raw" for table in NINE}.union(*tables):
        found = nine._connection.execute(f"SELECT * FROM {name}")  # noqa: S608 - our names
        assert not {column[0] for column in found.description or ()} & set(PRIVATE), name
        assert not {cell for row in found.fetchall() for cell in row if isinstance(cell, str)} & {*PRIVATE.values()}


@pytest.mark.fault(24)
def test_a_missing_column_stops_and_the_mapping_that_is_proposed_works(shop: Shop) -> None:
    message = shop.stops("missing-column", "customer_id,ordered_at,amonut\nC1,2026-01-05,10\n", "amonut")
    assert "tables: {orders: {columns: {amount: amonut}}}" in message
    specs: dict[str, dict[str, dict[str, str]]] = {table: {"columns": {}} for table in NINE}
    for table, column in REQUIRED:
        header = [f"{name}_{table[0]}" if name == column else name for name in GOOD[table]]
        with pytest.raises(InputError, match=rf"E-missing-column {table}\.csv.*{column}") as caught:
            map_columns(header, SPEC, TABLES[table], f"{table}.csv")
        specs[table]["columns"] |= hinted(str(caught.value))["tables"][table]["columns"]
    spoilt = {
        table: csv_of(rows_of(table, 2), header=[f"{name}_{table[0]}" if (table, name) in REQUIRED else name
                                                 for name in GOOD[table]])
        for table in NINE
    }  # fmt: skip
    study = shop.tables(spoilt, specs=specs)
    assert {table: fates(study, table) for table in NINE} == {table: {REASON[table]: 2} for table in NINE}


@pytest.mark.fault(24)
def test_a_mapping_that_leads_nowhere_stops(shop: Shop) -> None:
    text = "customer_id,ordered_at,Total\nC1,2026-01-05,1\n"
    message = shop.stops("missing-column", text, "Totals", orders_spec={"columns": {"amount": "Totals"}})
    assert "{amount: Total}" in message
    shop.stops("missing-column", f"{HEADER}\nC1,2026-01-05,10\n", orders_spec={"columns": {"customer_id": None}})
    constant = {"columns": {"channel": {"constant": "x"}}}
    shop.stops("missing-column", "channel,note\nx,y\n", orders_spec=constant)


@pytest.mark.fault(24)
def test_columns_that_nobody_needs_may_be_missing(shop: Shop) -> None:
    tables = {}
    for table in NINE:
        kept = [name for name in GOOD[table] if (table, name) in REQUIRED]
        extra = {"extra": "x"} if len(kept) == 1 else {}
        tables[table] = csv_of([{name: row[name] for name in kept} | extra for row in rows_of(table, 2)])
    study = shop.tables(tables)
    assert {table: fates(study, table) for table in NINE} == {table: {REASON[table]: 2} for table in NINE}
    study.check(AS_OF)


@pytest.mark.fault(24)
@pytest.mark.parametrize("kind", ["csv", "parquet", "xlsx", "frame"])
def test_a_column_that_the_export_leaves_out_may_be_the_same_in_every_row(shop: Shop, kind: str) -> None:
    people = pd.DataFrame({"customer_id": ["C1", "C2"], "region": ["a", "b"]})
    said = {"persona": "公众号", "region": "it's", "occupation": 'say "x"; --', "interests": "", "age_band": "a\nb"}
    spec: dict[str, Any] = {"columns": {name: {"constant": value} for name, value in said.items()}}
    if kind == "frame":
        study = frames(frame_of(rows_of("orders")), customers=people, tables={"customers": spec})
    else:
        if kind == "xlsx":
            shop.write("book.xlsx", book([list(people), *people.to_numpy().tolist()]))
            spec["files"] = "book.xlsx"
        content = people if kind == "parquet" else people.to_csv(index=False)
        study = shop.tables({"customers": content}, specs={"customers": spec})
    raw = study._connection.execute(f"SELECT DISTINCT {', '.join(said)} FROM customers_raw")  # noqa: S608 - our names
    assert raw.fetchall() == [tuple(said.values())]
    found = study.files["customers"][0]
    assert (found.constants, found.dropped, list(found.mapping)) == (said, ("region",), ["customer_id"])
    assert fates(study, "customers") == {"customer": 2}


@pytest.mark.fault(25)
def test_every_alias_leads_to_its_column_and_to_no_other(shop: Shop) -> None:
    for table in NINE:
        for column in TABLES[table].columns:
            for alias in column.aliases:
                header = [alias if name == column.name else name for name in GOOD[table]]
                mapping, dropped = map_columns(header, SPEC, TABLES[table], "")
                assert (mapping[column.name], dropped) == ((alias,), ()), table
        assert max(Counter(alias for column in TABLES[table].columns for alias in column.aliases).values()) == 1
    for text in (
        "买家编号,付款时间,实付金额", "external_userid,Created at,Total", "Customer ID,InvoiceDate,price_paid",
        "ＵＳＥＲ＿ＩＤ,DATE,金额",
    ):  # fmt: skip
        assert list(map_columns(text.split(","), SPEC, TABLES["orders"], "")[0].values()) == [
            (header,) for header in text.split(",")
        ]
    study = shop.lines("C1,2026-01-05,10", header="ＵＳＥＲ＿ＩＤ,DATE,金额")
    assert spend(study) == {"C1": 10.0}
    assert study.files["orders"][0].mapping["amount"] == ("金额",)


@pytest.mark.fault(1, 25)
@pytest.mark.parametrize(("encoding", "english"), [("gb18030", False), ("utf-8", True)])
def test_files_of_every_table_with_aliases_only(shop: Shop, encoding: str, english: bool) -> None:
    tables: dict[str, Any] = {}
    for table in NINE:
        names = [(name, TABLES[table].column(name).aliases) for name in GOOD[table]]
        header = [next((one for one in aliases if one.isascii() == english), name) for name, aliases in names]
        assert header != list(GOOD[table])
        tables[table] = csv_of(rows_of(table, 2), header=header).encode(encoding)
    study = shop.tables(tables)
    for table in NINE:
        assert fates(study, table) == {REASON[table]: 2}
        assert set(study.files[table][0].mapping) == set(GOOD[table])
    assert ("encoding" in codes(study)) == (not english)


@pytest.mark.fault(25)
def test_two_headers_for_one_column_stop_and_a_mapping_settles_it(shop: Shop) -> None:
    tables, specs = {}, {}
    for table in NINE:
        column = next(column for column in TABLES[table].columns if column.required)
        one, other = column.aliases[0], column.aliases[-1]
        header = [other, *(one if name == column.name else name for name in GOOD[table])]
        tables[table] = csv_of([{"other": "2026-01-02"} | row for row in rows_of(table, 2)], header=header)
        with pytest.raises(InputError, match=rf"E-ambiguous-column.*{column.name}.*{other}, {one}") as caught:
            map_columns(header, SPEC, TABLES[table], "")
        assert hinted(str(caught.value))["tables"][table]["columns"][column.name] in (one, other)
        specs[table] = {"columns": {column.name: one}}
    study = shop.tables(tables, specs=specs)
    assert {table: fates(study, table) for table in NINE} == {table: {REASON[table]: 2} for table in NINE}


@pytest.mark.fault(25)
def test_a_mapping_says_which_of_two_dates_counts(shop: Shop) -> None:
    text = "customer_id,created_at,paid_at,amount\nC1,2026-01-05,2026-01-06,10\n"
    shop.stops("ambiguous-column", text, "created_at, paid_at")
    study = shop.open(text, orders_spec={"columns": {"ordered_at": "paid_at"}})
    assert str(study.snapshot(AS_OF)["last_order_date"].iloc[0].date()) == "2026-01-06"


@pytest.mark.fault(27)
def test_swapped_columns_stop_and_are_named(shop: Shop) -> None:
    swapped = "\n".join([HEADER, *("C1,10,2026-01-05" for _ in range(20))])
    shop.stops("unreadable-date", swapped, "100.0% of rows", "column ordered_at")
    tables = {}
    for table in DATED:
        when, other = TABLES[table].when, "channel" if table == "costs" else "customer_id"
        tables[table] = csv_of([row | {when: row[other], other: row[when]} for row in rows_of(table, 20)])
    study = shop.tables(tables)
    assert {table: fates(study, table) for table in DATED} == {table: {"unreadable_date": 20} for table in DATED}
    for table in ("events", "costs", "memberships"):
        when = TABLES[table].when
        told = shop.table_stops("unreadable-date", table, tables[table], f"column {when}", "n=20", "100.0% of rows")
        assert "P1" not in told.split()
    for table, column, code in (
        ("orders", "amount", "unreadable-amount"), ("costs", "amount", "unreadable-amount"),
        ("surveys", "score", "unreadable-number"),
    ):  # fmt: skip
        text = csv_of([row | {column: "2026-01-05"} for row in rows_of(table, 20)])
        shop.table_stops(code, table, text, f"column {column}", "n=20", "100.0% of rows")


@pytest.mark.fault(28)
def test_a_type_never_flips_within_a_column(shop: Shop) -> None:
    lines = [f"{n:05d},2026-01-05,10" for n in range(20_000)] + ["A1,2026-01-05,10", "00000,2026-01-06,10"]
    found = spend(shop.lines(*lines))
    assert len(found) == 20_001
    assert found["00000"] == 20.0


YES = ("True", "TRUE", "是", "1", "1.0", "Ｙ", "yes ")
NO = ("False", "0", "0.0", "否", "NO")
FLAG_TEXTS = dict.fromkeys(YES, True) | dict.fromkeys(NO, False) | dict.fromkeys(("", "NULL", "-"))
FLAG_CASES = [
    *(Case(table, {column: text}, {column: flag}) for table, column in FLAGS for text, flag in FLAG_TEXTS.items()),
    *(Case(table, {column: "maybe"}, {column: None}, "unreadable_flag") for table, column in FLAGS),
]


@pytest.mark.fault(29)
@pytest.mark.parametrize("how", HOW)
def test_flags_by_their_words(shop: Shop, how: str) -> None:
    study = opened(shop, rows_for(FLAG_CASES), how, **LENIENT)
    assert_read(study, FLAG_CASES)
    assert_quarantined(study, FLAG_CASES)


@pytest.mark.fault(29)
def test_an_unknown_word_is_neither_yes_nor_no_and_the_proposal_works(shop: Shop) -> None:
    customers = "customer_id,opted_out\nC1,maybe\nC2,no\n"
    shop.stops("unreadable-flag", f"{HEADER}\nC1,2026-01-05,10\n", "customers.csv:2", "opted_out", customers=customers)
    for (table, column), how in zip(FLAGS, cycle(("csv", "frame")), strict=False):
        rows = [*rows_of(table, 2), GOOD[table] | {"customer_id": "P9", column: "maybe"}]
        with pytest.raises(InputError) as caught:
            opened(shop, {table: rows}, how).check(AS_OF)
        assert caught.value.code == "unreadable-flag"
        assert f"column {column}" in str(caught.value)
        assert f"columns: {{{column}: null}}" in caught.value.hint
    specs = {table: {"columns": {name: None for of, name in FLAGS if of == table}} for table, _ in FLAGS}
    left_out = opened(shop, rows_for(FLAG_CASES), "csv", specs=specs)
    for table in specs:
        assert fates(left_out, table) == {REASON[table]: sum(case.table == table for case in FLAG_CASES)}


@pytest.mark.fault(29)
def test_booleans_are_no_money(shop: Shop) -> None:
    frame = pd.DataFrame({"customer_id": ["C1", "C2"], "ordered_at": ["2026-01-05"] * 2, "amount": [True, False]})
    shop.stops("unreadable-amount", frame)
    refused("unreadable-amount", lambda: frames(frame))


@pytest.mark.fault(32)
def test_categories_without_rows_make_no_customers() -> None:
    ids = pd.Categorical(["C1", "C2"], categories=["C1", "C2", "ghost"])
    found = frames(pd.DataFrame({"customer_id": ids, "ordered_at": ["2026-01-05"] * 2, "amount": [1, 2]}))
    assert list(found.snapshot(AS_OF).index) == ["C1", "C2"]


def test_nested_columns_and_odd_objects_stop(shop: Shop) -> None:
    for kind, value in (
        (pa.list_(pa.float64()), [1.0]), (pa.struct([("value", pa.float64())]), {"value": 1.0}),
        (pa.map_(pa.string(), pa.float64()), [("a", 1.0)]),
    ):  # fmt: skip
        table = pa.table({"customer_id": ["C1"], "ordered_at": ["2026-01-05"], "amount": pa.array([value], kind)})
        shop.stops("nested-column", table, "column amount")
    for odd in ([1], {"a": 1}, object(), 1j, b"\xff"):
        with pytest.raises(ToolkitError, match="Try:"):
            frames(pd.DataFrame({"customer_id": ["C1"], "ordered_at": ["2026-01-05"], "amount": [odd]})).check()


def test_every_numeric_type_of_a_frame_is_money() -> None:
    for dtype in ("Int64", "float32", "int8", "uint64", "float16", "string", "object", "category", "double[pyarrow]"):
        amounts = pd.Series(["10", "20"] if dtype == "string" else [10, 20], dtype=dtype)
        orders = pd.DataFrame({"customer_id": ["C1", "C2"], "ordered_at": ["2026-01-05"] * 2, "amount": amounts})
        assert_nothing_lost(frames(orders), 2, "30")


def test_frames_with_odd_indexes_and_headers() -> None:
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


def test_the_same_business_from_csv_parquet_and_a_frame(shop: Shop) -> None:
    frame = pd.DataFrame([line.split(",") for line in good_lines(60)], columns=HEADER.split(","))
    typed = frame.assign(ordered_at=pd.to_datetime(frame["ordered_at"]), amount=frame["amount"].astype(float))
    wanted = frames(frame).snapshot(AS_OF)
    pd.testing.assert_frame_equal(frames(typed).snapshot(AS_OF), wanted)
    for content in (frame.to_csv(index=False), frame, typed):
        pd.testing.assert_frame_equal(shop.open(content).snapshot(AS_OF), wanted)

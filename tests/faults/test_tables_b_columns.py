"""Section B for every table: columns, their headers and their types. The numbers are those of the list of faults."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tests.builders.samples import DATED, GOOD, HOW, NINE, REASON, csv_of, opened, rows_of
from tests.builders.shop import AS_OF, assert_nothing_lost, check_of, fates, hinted
from toolkit.data.headers import map_columns
from toolkit.errors import InputError
from toolkit.study import TableFile
from toolkit.tables import TABLES

if TYPE_CHECKING:
    from tests.builders.shop import Shop

REQUIRED = [(name, column.name) for name, table in TABLES.items() for column in table.columns if column.required]
FLAGS = [("customers", "opted_out"), ("contacts", "delivered"), ("contacts", "opened"), ("contacts", "opted_out")]
SPEC = TableFile(files=("x.csv",))


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("table", NINE)
def test_every_table_is_read_from_every_kind_of_source(shop: Shop, table: str, how: str) -> None:
    study = opened(shop, table, rows_of(table, 3), how)
    assert fates(study, table) == {REASON[table]: 3}
    assert_nothing_lost(study, 3, "30" if table in ("orders", "costs") else "0", table=table)
    study.snapshot(AS_OF)
    assert not study.quarantine(AS_OF).size
    assert {check.code for check in study.checks(AS_OF) if check.status == "failed"} <= {"strangers"}


@pytest.mark.parametrize(("table", "column"), REQUIRED)
def test_24_a_missing_column_stops_and_the_mapping_that_is_proposed_works(shop: Shop, table: str, column: str) -> None:
    header = [f"{name}_{table[0]}" if name == column else name for name in GOOD[table]]
    text = csv_of(rows_of(table, 2), header=header)
    message = shop.table_stops(
        "missing-column", table, text, f"{table}_1.csv" if table != "customers" else table, column
    )
    study = shop.tables({table: text}, specs=hinted(message)["tables"])
    assert fates(study, table) == {REASON[table]: 2}


@pytest.mark.parametrize("table", NINE)
def test_24_a_column_that_nobody_needs_may_be_missing(shop: Shop, table: str) -> None:
    required = {column.name for column in TABLES[table].columns if column.required}
    rows = [{name: cell for name, cell in row.items() if name in required} for row in rows_of(table, 2)]
    if len(required) == 1:
        rows = [row | {"extra": "x"} for row in rows]
    study = shop.tables({table: csv_of(rows)})
    assert fates(study, table) == {REASON[table]: 2}
    study.check(AS_OF)


@pytest.mark.parametrize("table", NINE)
def test_25_every_alias_leads_to_its_column_and_to_no_other(table: str) -> None:
    for column in TABLES[table].columns:
        for alias in column.aliases:
            header = [alias if name == column.name else name for name in GOOD[table]]
            mapping, dropped = map_columns(header, SPEC, TABLES[table], "")
            assert mapping[column.name] == (alias,)
            assert not dropped
    assert max(Counter(alias for column in TABLES[table].columns for alias in column.aliases).values()) == 1


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("table", NINE)
def test_25_a_file_with_aliases_only(shop: Shop, table: str, language: str) -> None:
    header = []
    for name in GOOD[table]:
        aliases = TABLES[table].column(name).aliases
        header.append(next((one for one in aliases if one.isascii() == (language == "en")), name))
    assert header != list(GOOD[table])
    study = shop.tables({table: csv_of(rows_of(table, 2), header=header)})
    assert fates(study, table) == {REASON[table]: 2}
    assert set(study.files[table][0].mapping) == set(GOOD[table])


@pytest.mark.parametrize("table", NINE)
def test_25_two_headers_for_one_column_stop_and_the_proposal_works(shop: Shop, table: str) -> None:
    column = next(column for column in TABLES[table].columns if column.required)
    one, other = column.aliases[0], column.aliases[-1]
    header = [other, *(one if name == column.name else name for name in GOOD[table])]
    rows = [{"other": "2026-01-02"} | row for row in rows_of(table, 2)]
    text = csv_of(rows, header=header)
    message = shop.table_stops("ambiguous-column", table, text, column.name, one, other)
    found = hinted(message)["tables"]
    assert found[table]["columns"][column.name] in (one, other)
    study = shop.tables({table: text}, specs={table: {"columns": {column.name: one}}})
    assert fates(study, table) == {REASON[table]: 2}


@pytest.mark.parametrize("table", DATED)
def test_27_a_date_swapped_with_its_neighbour_stops_and_names_the_column(shop: Shop, table: str) -> None:
    when = TABLES[table].when
    other = "channel" if table == "costs" else "customer_id"
    swapped = [row | {when: row[other], other: row[when]} for row in rows_of(table, 20)]
    message = shop.table_stops("unreadable-date", table, csv_of(swapped), f"column {when}", "n=20", "100.0% of rows")
    assert "P1" not in message.split()


@pytest.mark.parametrize(
    ("table", "column", "code"),
    [
        ("orders", "amount", "unreadable-amount"), ("costs", "amount", "unreadable-amount"),
        ("surveys", "score", "unreadable-number"),
    ],
)  # fmt: skip
def test_27_a_number_swapped_with_a_date_stops_and_names_the_column(
    shop: Shop, table: str, column: str, code: str
) -> None:
    text = csv_of([row | {column: "2026-01-05"} for row in rows_of(table, 20)])
    shop.table_stops(code, table, text, f"column {column}", "n=20", "100.0% of rows")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("True", True), ("TRUE", True), ("是", True), ("1", True), ("1.0", True), ("Ｙ", True), ("yes ", True),
        ("False", False), ("0", False), ("0.0", False), ("否", False), ("NO", False), ("", None),
        ("NULL", None), ("-", None),
    ],
)  # fmt: skip
@pytest.mark.parametrize(("table", "column"), FLAGS)
def test_29_flags_by_their_words(shop: Shop, table: str, column: str, text: str, value: bool | None) -> None:
    study = shop.tables({table: csv_of(rows_of(table, **{column: text}))})
    assert study._connection.execute(f"SELECT {column} FROM {table}").fetchall() == [(value,)]  # noqa: S608 - our names


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize(("table", "column"), FLAGS)
def test_29_an_unknown_word_is_neither_yes_nor_no_and_the_proposal_works(
    shop: Shop, table: str, column: str, how: str
) -> None:
    rows = [*rows_of(table, 2), GOOD[table] | {"customer_id": "P9", column: "maybe"}]
    with pytest.raises(InputError) as caught:
        opened(shop, table, rows, how).check(AS_OF)
    assert caught.value.code == "unreadable-flag"
    assert f"column {column}" in str(caught.value)
    assert f"columns: {{{column}: null}}" in caught.value.hint
    study = opened(shop, table, rows, how, loss_budget={"rows": 1})
    assert fates(study, table) == {REASON[table]: 2, "unreadable_flag": 1}
    left_out = opened(shop, table, rows, how, specs={table: {"columns": {column: None}}})
    assert fates(left_out, table) == {REASON[table]: 3}


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("table", NINE)
def test_31_what_nobody_asked_for_never_enters_the_engine(shop: Shop, table: str, how: str) -> None:
    private = {"手机号码": "13812345678", "real_name": "张三丰", "身份证": "110101199003071234"}
    study = opened(shop, table, [row | private for row in rows_of(table, 2)], how)
    assert check_of(study, "dropped_columns").subject == ", ".join(private)
    names = study._connection.execute(
        "SELECT table_name, column_name FROM duckdb_columns() WHERE data_type = 'VARCHAR' AND NOT internal"
    ).fetchall()
    assert names
    for name, column in names:
        found = study._connection.execute(f'SELECT "{column}" FROM {name}').fetchall()  # noqa: S608 - our names
        assert not {cell for (cell,) in found} & set(private.values()), (name, column)
    assert not {column for _, column in names} & set(private)

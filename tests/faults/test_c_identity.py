"""Section C: who is who."""

from __future__ import annotations

import re
from decimal import Decimal
from itertools import cycle
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pytest

import toolkit as tk
from tests.builders.cases import Case, assert_quarantined, assert_read, clean, rows_for
from tests.builders.samples import GOOD, HOW, LENIENT, REASON, WITH_PEOPLE, csv_of, frame_of, money_of, opened, rows_of
from tests.builders.shop import (
    AS_OF,
    HEADER,
    assert_nothing_lost,
    check_of,
    codes,
    counted,
    fates,
    hinted,
    refused,
    spend,
)
from toolkit.errors import InputError
from toolkit.tables import TABLES

if TYPE_CHECKING:
    from tests.builders.shop import Shop

OF_PEOPLE = tuple(name for name in WITH_PEOPLE if name != "identities")
LOGS = tuple(name for name in OF_PEOPLE if name not in ("orders", "customers"))
ID_COLUMNS = [(name, column.name) for name, table in TABLES.items() for column in table.columns if column.kind == "id"]
EXCLUDE: dict[str, Any] = {"policies": {"missing_customer": "exclude"}}
ORDER = f"{HEADER}\nC1,2026-01-05,10\n"

REPAIRED = {
    "Ａ１": "A1", " A2\u00a0": "A2", "A\u200b3": "A3", "\tA5": "A5", "`A6": "A6", "'00124": "00124", '="A4"': "A4",
}  # fmt: skip
"""An id as it is written -> the id; what Excel is told by the last three, a reader of CSV takes off itself."""
IDS = REPAIRED | {
    one: one
    for one in (
        "00123", "0123", "123", "110101199003071233", "110101199003071234", "0", "00", "nobody", "x" * 5000, "😀",
        "a,b", "'; DROP TABLE orders; --", "{}", "%s", "Ab", "aB", "O'Hara", "'s-Gravenhage",
    )
}  # fmt: skip
NOBODY = ("", "  ", " \u3000", "NULL", "nan", "None", "N/A", "#N/A", "\\N", "-", "\u200b", '=""')
OTHER_IDS = {
    "00777": "00777", "110101199003079233": "110101199003079233", "110101199003079234": "110101199003079234",
    "Ａ７": "A7", "": None, "#N/A": None,
}  # fmt: skip


def id_cases() -> list[Case]:
    cases = []
    for table in WITH_PEOPLE:
        nobody = "missing_customer" if table in ("orders", *LOGS) else "missing_customer_id"
        cases += [Case(table, {"customer_id": text}, {"customer_id": one}) for text, one in IDS.items()]
        cases += [Case(table, {"customer_id": text}, {"customer_id": None}, nobody) for text in NOBODY]
    for table, column in ID_COLUMNS:
        if column != "customer_id":
            needed = TABLES[table].column(column).required
            linked = "9" if column == "id_value" else ""
            for text, one in OTHER_IDS.items():
                if one is None:
                    cases.append(Case(table, {column: text}, {column: None}, "missing_value" if needed else ""))
                else:
                    cases.append(Case(table, {column: text + linked}, {column: one + linked}))
    return cases


@pytest.mark.fault(33, 34, 36, 39)
@pytest.mark.parametrize("how", HOW)
def test_ids_of_every_table_as_exports_write_them(shop: Shop, how: str) -> None:
    cases = id_cases()
    study = opened(shop, rows_for(cases), how, **EXCLUDE, **LENIENT)
    assert_read(study, cases)
    if how == "frame":
        assert_quarantined(study, cases)
    found = study.snapshot(AS_OF, columns=["spend"]).index
    assert {one for one in found if not re.fullmatch(r"P\d+", one)} == set(IDS.values())
    if how != "parquet":
        assert counted(study, "ids_repaired") == dict.fromkeys(WITH_PEOPLE, len(REPAIRED) - 3 * (how == "csv"))


@pytest.mark.fault(34)
def test_ids_that_floating_point_may_have_changed_stop_in_every_column(shop: Shop) -> None:
    for table, column in ID_COLUMNS:
        lossy = frame_of(rows_of(table, 2)).assign(**{column: [110101199003071234.0, 1.0]})
        shop.table_stops("id-float", table, lossy, table, f"column {column}", "n=1", "dtype=str")
    orders = pd.DataFrame({"ordered_at": "2026-01-05", "amount": [1.0, 2.0, 4.0]})
    for one in (110101199003071234.0, 1.5, float("inf")):
        broken = orders.assign(customer_id=[1.0, float("nan"), one])
        shop.stops("id-float", broken, "customer_id", "n=1")
        with pytest.raises(InputError, match="E-id-float"):
            tk.Study.from_frames(orders=broken, timezone="Asia/Shanghai", currency="CNY")


@pytest.mark.fault(34)
def test_numbers_without_loss_are_the_same_ids_as_text(shop: Shop) -> None:
    kinds: list[Any] = [
        pd.Series([17.0, 18.0]), pd.Series([17, 18]), pd.array([17, 18], "Int64"), pd.Series(["17", "18"]),
        pd.Series([Decimal("17.00"), Decimal("18.00")]),
    ]  # fmt: skip
    some = zip(WITH_PEOPLE, kinds, strict=False)
    stored = shop.tables({table: frame_of(rows_of(table, 2)).assign(customer_id=ids) for table, ids in some})
    every = zip(WITH_PEOPLE, cycle(kinds[2::-1]), strict=False)
    made = {table: frame_of(rows_of(table, 2)).assign(customer_id=ids) for table, ids in every}
    for study in (stored, tk.Study.from_frames(**made, timezone="Asia/Shanghai", currency="CNY")):
        for table in study.files:
            assert clean(study, table, "customer_id", "reason") == [("17", REASON[table]), ("18", REASON[table])]
    ids = pa.array([2**63 - 1, 2**63 - 2], pa.int64())
    large = shop.open(pa.table({"customer_id": ids, "ordered_at": ["2026-01-05"] * 2, "amount": [1, 2]}))
    assert spend(large) == {str(2**63 - 2): 2.0, str(2**63 - 1): 1.0}


@pytest.mark.fault(34, 36)
def test_a_column_of_numbers_with_a_blank_holds_the_same_ids(shop: Shop) -> None:
    orders = pd.DataFrame({"customer_id": [1.0, float("nan"), 3.0], "ordered_at": "2026-01-05", "amount": [1, 2, 4]})
    for study in (
        shop.open(orders, **EXCLUDE),
        tk.Study.from_frames(orders=orders, timezone="Asia/Shanghai", currency="CNY", **EXCLUDE),
    ):
        assert spend(study) == {"1": 1.0, "3": 4.0}
        assert_nothing_lost(study, 3, "7")


@pytest.mark.fault(36)
def test_rows_without_a_person_stop_and_the_proposal_counts_them_apart_outside_the_budget(shop: Shop) -> None:
    tables, policy = {}, {}
    for table, missing in zip(("orders", *LOGS), ("", " \u3000", "NULL", "#N/A", '=""', "\u200b"), strict=True):
        tables[table] = csv_of([*rows_of(table, 3), rows_of(table, 4)[-1] | {"customer_id": missing}])
        told = shop.table_stops("no-customer", table, tables[table], f"{table}_1.csv:5", "column customer_id", "n=1")
        policy = hinted(told)
        assert policy == EXCLUDE
    study = shop.tables(tables, **policy, loss_budget={"rows": 0, "money": 0})
    study.check(AS_OF)
    for table in tables:
        assert fates(study, table) == {REASON[table]: 3, "missing_customer": 1}
        assert_nothing_lost(study, 4, "40" if table == "orders" else "0", table=table)


@pytest.mark.fault(36)
def test_a_row_about_nobody_stops_whatever_the_policy(shop: Shop) -> None:
    for table in ("customers", "identities"):
        text = csv_of([*rows_of(table, 3), rows_of(table, 4)[-1] | {"customer_id": ""}])
        shop.table_stops("missing-customer-id", table, text, "column customer_id", "25.0% of rows", **EXCLUDE)


@pytest.mark.fault(36)
def test_nobody_in_a_frame_is_none_nan_na_or_nat() -> None:
    made = {}
    for table, nobody in zip(OF_PEOPLE, cycle((None, float("nan"), pd.NA, pd.NaT)), strict=False):
        ids = pd.Series(["P1", nobody], dtype=object)
        made[table] = frame_of(rows_of(table, 2)).assign(customer_id=ids)
    study = tk.Study.from_frames(**made, timezone="Asia/Shanghai", currency="CNY")
    for table in OF_PEOPLE:
        reason = "missing_customer_id" if table == "customers" else "no_customer"
        assert clean(study, table, "reason") == [(REASON[table],), (reason,)]
    refused("no-customer", lambda: study)


@pytest.mark.fault(37)
def test_ids_are_compared_as_text(shop: Shop) -> None:
    customers = pd.DataFrame({"customer_id": [1, 2], "persona": ["a", "b"]})
    found = shop.lines("001,2026-01-05,1", "1,2026-01-05,2", customers=customers).snapshot(AS_OF)
    assert list(found.index) == ["001", "1", "2"]
    assert found["persona"].isna().tolist() == [True, False, False]


@pytest.mark.fault(37)
def test_ids_of_another_type_in_another_table_meet(shop: Shop) -> None:
    orders = pa.table(
        {"customer_id": pa.array([17, 18], pa.int32()), "ordered_at": ["2026-01-05"] * 2, "amount": [1, 2]}
    )
    people = pd.DataFrame({"customer_id": [Decimal(17), Decimal(18)], "persona": ["a", "b"]})
    events = pd.DataFrame({"customer_id": [17.0, None], "occurred_at": "2026-01-06"})
    found = shop.tables({"orders": orders, "customers": people, "events": events}, **EXCLUDE).snapshot(AS_OF)
    assert list(found.index) == ["17", "18"]
    assert found["persona"].tolist() == ["a", "b"]
    assert found["active_days"].tolist() == [1, 0]


@pytest.mark.fault(39)
@pytest.mark.parametrize("how", HOW)
def test_variants_of_one_id_are_one_and_are_counted(shop: Shop, how: str) -> None:
    ids = ["Ａ１", " A1 ", "A\u200b1", "A1", "'00123", "00123"]
    rows = [{"customer_id": one, "ordered_at": "2026-01-05", "amount": str(2**n)} for n, one in enumerate(ids)]
    study = opened(shop, {"orders": rows}, how)
    assert spend(study) == {"A1": 15.0, "00123": 48.0}
    found = {check.code: (check.status, check.count) for check in study.checks(AS_OF)}
    marks = 0 if how == "csv" else 1
    assert found["ids_repaired"] == ("informational", 3 + marks)
    assert found["ids_joined"] == ("failed", 1 + marks)


@pytest.mark.fault(36, 39)
def test_nobody_written_in_several_ways_is_no_customer_written_in_several_ways(shop: Shop) -> None:
    lines = (" A1,2026-01-05,1", ",2026-01-05,2", "NULL,2026-01-05,4", " #N/A,2026-01-05,8")
    study = shop.lines(*lines, policies={"missing_customer": "exclude"})
    assert spend(study) == {"A1": 1.0}
    assert check_of(study, "ids_repaired").count == 1
    assert "ids_joined" not in codes(study)


@pytest.mark.fault(39)
def test_case_is_kept_unless_folding_is_asked_for(shop: Shop) -> None:
    lines = ("Ab,2026-01-05,1", "aB,2026-01-05,2")
    study = shop.lines(*lines)
    assert spend(study) == {"Ab": 1.0, "aB": 2.0}
    assert (check_of(study, "case_variants").status, check_of(study, "case_variants").count) == ("failed", 1)
    assert spend(shop.lines(*lines, fold_case=True)) == {"ab": 3.0}
    tables = {table: csv_of([rows_of(table)[0] | {"customer_id": "Ab"}]) for table in WITH_PEOPLE}
    folded = shop.tables(tables, fold_case=True)
    for table in tables:
        assert clean(folded, table, "customer_id") == [("ab",)]


@pytest.mark.fault(19)
def test_ids_that_excel_rounded_stop_in_every_table(shop: Shop) -> None:
    tables = {table: csv_of([*rows_of(table, 2), GOOD[table] | {"customer_id": "1.38E+16"}]) for table in WITH_PEOPLE}
    study = shop.tables(tables)
    for table in WITH_PEOPLE:
        assert fates(study, table) == {REASON[table]: 2, "id_lost": 1}
    for table in ("orders", "customers", "identities"):
        message = shop.table_stops("id-lost", table, tables[table], table, "column customer_id", "export again")
        assert "1.38E+16" not in message.replace("into 1.38E+16 by", "")


@pytest.mark.fault(40)
def test_ids_in_a_circle_and_too_many_ids_stop_with_their_sizes(shop: Shop) -> None:
    circle = "customer_id,id_value\nA,B\nB,C\nC,A\n"
    shop.table_stops("identity-circle", "identities", circle, "ids per circle: 3", "list each link once")
    many = "customer_id,id_value\n" + "".join(f"A,x{n}\n" for n in range(20))
    shop.table_stops("identity-large", "identities", many, "ids per person: 21", "max_ids: 21")
    shop.tables({"identities": many}, identity={"max_ids": 21}).check(AS_OF)


@pytest.mark.fault(41)
@pytest.mark.parametrize(("how", "listed"), [("csv", "wx2"), ("frame", " Ｐ２ ")])
def test_excluded_people_leave_every_table_with_their_money(shop: Shop, how: str, listed: str) -> None:
    tables = {table: rows_of(table, 3) for table in (WITH_PEOPLE if listed == "wx2" else OF_PEOPLE)}
    study = opened(shop, tables, how, exclude_customers=[listed])
    assert list(study.snapshot(AS_OF, columns=["spend"]).index) == ["P1", "P3"]
    for table in OF_PEOPLE:
        assert fates(study, table) == {REASON[table]: 2, "excluded_customer": 1}
        assert_nothing_lost(study, 3, money_of(table, 3), table=table)


@pytest.mark.fault(41)
def test_excluded_ids_are_folded_like_the_others(shop: Shop) -> None:
    study = shop.lines("STAFF-1,2026-01-05,999", "C1,2026-01-05,1", exclude_customers=["Staff-1"], fold_case=True)
    assert spend(study) == {"c1": 1.0}


@pytest.mark.fault(41)
def test_a_customer_with_much_of_the_spend_is_a_warning(shop: Shop) -> None:
    study = shop.lines("W,2026-01-05,400", good=300)
    assert check_of(study, "top_customer").status == "failed"
    assert "W" not in check_of(study, "top_customer").message.split()


@pytest.mark.fault(42)
def test_a_customer_twice_doubles_nothing(shop: Shop) -> None:
    study = shop.lines("C1,2026-01-05,100", customers="customer_id,persona\nC1,a\nC1,a\n")
    assert spend(study) == {"C1": 100.0}
    assert fates(study, "customers") == {"customer": 1, "repeated_customer": 1}
    assert_nothing_lost(study, 2, "0", table="customers")


@pytest.mark.fault(42)
def test_a_customer_in_two_rows_that_differ_stops_whatever_the_column(shop: Shop) -> None:
    others = {"joined_at": "2026-01-06", "acquisition_cost": "6", "followers": "4", "opted_out": "yes"}
    rows = []
    for column in GOOD["customers"]:
        own = GOOD["customers"] | {"customer_id": f"of {column}"}
        rows += [own, own | {column: others.get(column, "2026-02-05" if column == "valid_from" else "other")}]
    study = shop.tables({"customers": csv_of(rows[2:])})
    conflicts = len(GOOD["customers"]) - 2
    assert fates(study, "customers") == {"customer": conflicts + 2, "conflicting_customer": conflicts}
    refused("conflicting-customer", lambda: study, "customers.csv:3", f"n={conflicts}")


@pytest.mark.fault(42)
def test_a_customer_over_time_is_read_at_the_date(shop: Shop) -> None:
    study = shop.open(ORDER, "customer_id,persona,valid_from\nC1,old,2026-01-01\nC1,new,2026-06-01\n")
    assert study.snapshot("2026-05-31")["persona"].tolist() == ["old"]
    assert study.snapshot("2026-06-01")["persona"].tolist() == ["new"]


@pytest.mark.fault(42)
def test_a_customer_whose_first_row_cannot_be_read_is_still_known(shop: Shop) -> None:
    study = shop.open(ORDER, "customer_id,persona,opted_out\nC1,a,maybe\nC1,a,\n", **LENIENT)
    assert fates(study, "customers")["unreadable_flag"] == 1
    assert "repeated_customer" not in fates(study, "customers")


@pytest.mark.fault(43)
def test_customers_without_orders_and_the_reverse_are_kept_and_counted(shop: Shop) -> None:
    study = shop.lines("C1,2026-01-05,10", "C2,2026-01-05,10", customers="customer_id,persona\nC2,a\nC3,b\nC4,b\n")
    assert list(study.snapshot(AS_OF).index) == ["C1", "C2", "C3", "C4"]
    assert check_of(study, "buyers_unknown").count == 1
    assert check_of(study, "never_bought").count == 2


@pytest.mark.fault(43)
def test_people_of_a_log_without_orders_are_kept_and_counted(shop: Shop) -> None:
    tables = {table: csv_of([*rows_of(table, 2), GOOD[table] | {"customer_id": f"S-{table}"}]) for table in LOGS}
    study = shop.tables(tables | {"orders": csv_of(rows_of("orders", 2))})
    assert list(study.snapshot(AS_OF, columns=["spend"]).index) == ["P1", "P2", *sorted(f"S-{table}" for table in LOGS)]
    strangers = {
        check.subject: (check.count, check.status) for check in study.checks(AS_OF) if check.code == "strangers"
    }
    assert strangers == dict.fromkeys(LOGS, (1, "informational"))


@pytest.mark.fault(43)
def test_a_log_of_strangers_is_a_warning_that_names_the_table_that_would_link_them(shop: Shop) -> None:
    tables = {
        table: csv_of([row | {"customer_id": f"wx{n}"} for n, row in enumerate(rows_of(table, 3), 1)]) for table in LOGS
    }
    tables["orders"] = csv_of(rows_of("orders", 3))
    strangers = [check for check in shop.tables(tables).checks(AS_OF) if check.code == "strangers"]
    assert {check.subject: check.status for check in strangers} == dict.fromkeys(LOGS, "failed")
    assert all("identities" in check.message for check in strangers)
    linked = shop.tables(tables | {"identities": csv_of(rows_of("identities", 3))})
    assert "strangers" not in codes(linked)
    assert list(linked.snapshot(AS_OF, columns=["spend"]).index) == ["P1", "P2", "P3"]
    for table in tables:
        assert_nothing_lost(linked, 3, money_of(table, 3), table=table)


def test_ids_that_hide_digits_are_a_warning(shop: Shop) -> None:
    tables = {
        table: csv_of([rows_of(table)[0] | {"customer_id": "139****8001"}, rows_of(table, 2)[1]])
        for table in WITH_PEOPLE
    }
    masked = [check for check in shop.tables(tables).checks(AS_OF) if check.code == "masked_ids"]
    assert {check.subject: (check.status, check.count) for check in masked} == dict.fromkeys(tables, ("failed", 1))
    assert not [check for check in masked if "139****8001" in check.message]


def test_ids_that_a_program_took_for_numbers_are_a_warning(shop: Shop) -> None:
    study = shop.lines("17.0,2026-01-05,1", "18.0,2026-01-05,2", "A.0,2026-01-05,2")
    assert (check_of(study, "numeric_ids").status, check_of(study, "numeric_ids").count) == ("failed", 2)

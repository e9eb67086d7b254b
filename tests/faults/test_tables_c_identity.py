"""Section C for every table: who is who. The numbers are those of the list of faults."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa
import pytest

import toolkit as tk
from tests.builders.samples import GOOD, HOW, REASON, WITH_PEOPLE, csv_of, frame_of, opened, rows_of
from tests.builders.shop import AS_OF, assert_nothing_lost, check_of, codes, fates, hinted
from toolkit.errors import InputError
from toolkit.tables import TABLES

if TYPE_CHECKING:
    from tests.builders.shop import Shop

OF_PEOPLE = tuple(name for name in WITH_PEOPLE if name != "identities")
LOGS = tuple(name for name in OF_PEOPLE if name not in ("orders", "customers"))
ID_COLUMNS = [(name, column.name) for name, table in TABLES.items() for column in table.columns if column.kind == "id"]


def people_of(study: tk.Study, table: str) -> list[str | None]:
    """Ids of the used rows of a table, sorted."""
    statement = f"SELECT customer_id FROM {table} WHERE reason = $1 ORDER BY 1"  # noqa: S608 - our names
    return [row[0] for row in study._connection.execute(statement, [REASON[table]]).fetchall()]


def money_of(table: str, rows: int) -> Decimal:
    return Decimal(10 * rows if table == "orders" else 0)


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("table", WITH_PEOPLE)
def test_33_leading_zeros_keep_people_apart(shop: Shop, table: str, how: str) -> None:
    ids = ["00123", "0123", "123"]
    rows = [row | {"customer_id": one} for row, one in zip(rows_of(table, 3), ids, strict=True)]
    study = opened(shop, table, rows, how)
    assert people_of(study, table) == ids
    if table != "identities":
        assert set(ids) <= set(study.snapshot(AS_OF).index)


@pytest.mark.parametrize(("table", "column"), ID_COLUMNS)
def test_34_long_ids_in_text_stay_exact_and_lossy_ones_stop(shop: Shop, table: str, column: str) -> None:
    ids = ["110101199003071233", "110101199003071234"]
    rows = [row | {column: one} for row, one in zip(rows_of(table, 2), ids, strict=True)]
    for how in HOW:
        study = opened(shop, table, rows, how)
        found = study._connection.execute(f"SELECT {column} FROM {table} ORDER BY 1").fetchall()  # noqa: S608 - our names
        assert found == [(one,) for one in ids]
    lossy = frame_of(rows).assign(**{column: [float(ids[0]), 1.0]})
    shop.table_stops("id-float", table, lossy, table, f"column {column}", "n=1", "dtype=str")


@pytest.mark.parametrize("table", WITH_PEOPLE)
def test_34_floating_point_ids_without_loss_are_the_same_ids_as_text(shop: Shop, table: str) -> None:
    for ids in (
        pd.Series([17.0, 18.0]), pd.Series([17, 18]), pd.array([17, 18], "Int64"),
        pd.Series([Decimal("17.00"), Decimal("18.00")]), pd.Series(["17", "18"]),
    ):  # fmt: skip
        study = shop.tables({table: frame_of(rows_of(table, 2)).assign(customer_id=ids)})
        assert people_of(study, table) == ["17", "18"], ids


@pytest.mark.parametrize("missing", ["", " \u3000", "NULL", "#N/A", '=""'])
@pytest.mark.parametrize("table", ["orders", *LOGS])
def test_36_rows_without_a_person_stop_and_the_proposal_counts_them_apart(shop: Shop, table: str, missing: str) -> None:
    text = csv_of([*rows_of(table, 3), rows_of(table, 4)[-1] | {"customer_id": missing}])
    message = shop.table_stops("no-customer", table, text, f"{table}_1.csv:5", "column customer_id", "n=1")
    study = shop.tables({table: text}, **hinted(message), loss_budget={"rows": 0, "money": 0})
    study.check(AS_OF)
    assert fates(study, table) == {REASON[table]: 3, "missing_customer": 1}
    assert_nothing_lost(study, 4, money_of(table, 4), table=table)


@pytest.mark.parametrize("table", ["customers", "identities"])
def test_36_a_row_about_nobody_says_nothing_and_is_quarantined_whatever_the_policy(shop: Shop, table: str) -> None:
    text = csv_of([*rows_of(table, 3), rows_of(table, 4)[-1] | {"customer_id": ""}])
    shop.table_stops("missing-customer-id", table, text, "column customer_id", "25.0% of rows")
    study = shop.tables({table: text}, loss_budget={"rows": 0.25}, policies={"missing_customer": "exclude"})
    assert fates(study, table) == {REASON[table]: 3, "missing_customer_id": 1}
    assert_nothing_lost(study, 4, "0", table=table)
    assert study.quarantine(AS_OF)["table"].tolist() == [table]


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("written", ["Ｐ１", " P1\u00a0", "P\u200b1", '="P1"', "\tP1"])
@pytest.mark.parametrize("table", OF_PEOPLE)
def test_39_an_id_written_otherwise_is_the_same_person(shop: Shop, table: str, written: str, how: str) -> None:
    study = opened(shop, table, [rows_of(table)[0] | {"customer_id": written}], how)
    assert people_of(study, table) == ["P1"]
    repaired = [check for check in study.checks(AS_OF) if (check.code, check.subject) == ("ids_repaired", table)]
    taken_off_by_the_reader = written.startswith("=") and how == "csv"
    assert [check.count for check in repaired] == [] if taken_off_by_the_reader else [1]


@pytest.mark.parametrize("table", WITH_PEOPLE)
def test_39_case_is_folded_where_that_is_asked_for(shop: Shop, table: str) -> None:
    rows = [rows_of(table)[0] | {"customer_id": "Ab"}]
    assert people_of(shop.tables({table: csv_of(rows)}), table) == ["Ab"]
    assert people_of(shop.tables({table: csv_of(rows)}, fold_case=True), table) == ["ab"]


def test_39_an_apostrophe_before_digits_is_excels_mark_and_no_part_of_the_id(shop: Shop) -> None:
    ids = ["'00123", "00123", "O'Hara", "'s-Gravenhage"]
    frame = pd.DataFrame({"customer_id": ids, "ordered_at": "2026-01-05", "amount": ["1", "2", "4", "8"]})
    for content in (frame, frame.to_csv(index=False)):
        spent = shop.open(content).snapshot(AS_OF)["spend"].to_dict()
        assert spent == {"00123": 3.0, "O'Hara": 4.0, "'s-Gravenhage": 8.0}
    assert check_of(shop.open(frame), "ids_joined").count == 1


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("table", OF_PEOPLE)
def test_41_excluded_people_leave_every_table_and_are_counted(shop: Shop, table: str, how: str) -> None:
    study = opened(shop, table, rows_of(table, 3), how, exclude_customers=[" Ｐ２ "])
    assert fates(study, table) == {REASON[table]: 2, "excluded_customer": 1}
    assert "P2" not in study.snapshot(AS_OF).index
    assert_nothing_lost(study, 3, money_of(table, 3), table=table)


def test_41_an_excluded_person_leaves_under_every_id(shop: Shop) -> None:
    tables = {name: csv_of(rows_of(name, 2)) for name in OF_PEOPLE}
    links = csv_of([{"customer_id": "P2", "id_kind": "openid", "id_value": "wx2"}])
    study = shop.tables(tables | {"identities": links}, exclude_customers=["wx2"])
    assert "P2" not in study.snapshot(AS_OF).index
    for name in OF_PEOPLE:
        assert fates(study, name) == {REASON[name]: 1, "excluded_customer": 1}


@pytest.mark.parametrize("table", LOGS)
def test_43_people_of_a_log_without_orders_are_kept_and_counted(shop: Shop, table: str) -> None:
    study = shop.tables({table: csv_of(rows_of(table, 3)), "orders": csv_of(rows_of("orders", 2))})
    assert list(study.snapshot(AS_OF).index) == ["P1", "P2", "P3"]
    strangers = check_of(study, "strangers")
    assert (strangers.count, strangers.status, strangers.subject) == (1, "informational", table)


@pytest.mark.parametrize("table", LOGS)
def test_43_a_log_of_strangers_is_a_warning_that_names_the_table_that_would_link_them(shop: Shop, table: str) -> None:
    text = csv_of([row | {"customer_id": f"wx{n}"} for n, row in enumerate(rows_of(table, 3), 1)])
    orders = csv_of(rows_of("orders", 3))
    study = shop.tables({table: text, "orders": orders})
    assert check_of(study, "strangers").status == "failed"
    assert "identities" in check_of(study, "strangers").message
    linked = shop.tables({table: text, "orders": orders, "identities": csv_of(rows_of("identities", 3))})
    assert "strangers" not in codes(linked)
    assert list(linked.snapshot(AS_OF).index) == ["P1", "P2", "P3"]
    assert_nothing_lost(linked, 3, "0", table=table)
    assert_nothing_lost(linked, 3, "30")


@pytest.mark.parametrize("table", WITH_PEOPLE)
def test_19_ids_that_excel_rounded_stop_in_every_table(shop: Shop, table: str) -> None:
    rows = [*rows_of(table, 2), GOOD[table] | {"customer_id": "1.38E+16"}]
    message = shop.table_stops("id-lost", table, csv_of(rows), f"{table}", "column customer_id", "export again")
    assert "1.38E+16" not in message.replace("into 1.38E+16 by", "")


def test_40_ids_in_a_circle_and_too_many_ids_stop_with_their_sizes(shop: Shop) -> None:
    circle = "customer_id,id_value\nA,B\nB,C\nC,A\n"
    shop.table_stops("identity-circle", "identities", circle, "ids per circle: 3", "list each link once")
    many = "customer_id,id_value\n" + "".join(f"A,x{n}\n" for n in range(20))
    message = shop.table_stops("identity-large", "identities", many, "ids per person: 21")
    study = shop.tables({"identities": many}, identity={"max_ids": 21})
    assert "max_ids: 21" in message
    study.check(AS_OF)


def test_42_a_customer_whose_first_row_cannot_be_read_is_still_known(shop: Shop) -> None:
    customers = "customer_id,persona,opted_out\nC1,a,maybe\nC1,a,\n"
    study = shop.lines("C1,2026-01-05,10", customers=customers, loss_budget={"rows": 1})
    assert fates(study, "customers")["unreadable_flag"] == 1
    assert study._connection.execute(
        "SELECT COUNT(*) FROM customers WHERE reason = 'repeated_customer'"
    ).fetchone() == (0,)


@pytest.mark.parametrize("table", WITH_PEOPLE)
def test_beyond_ids_that_hide_digits_are_a_warning(shop: Shop, table: str) -> None:
    rows = [row | {"customer_id": one} for row, one in zip(rows_of(table, 2), ["139****8001", "P2"], strict=True)]
    study = shop.tables({table: csv_of(rows)})
    masked = check_of(study, "masked_ids")
    assert (masked.status, masked.count, masked.subject) == ("failed", 1, table)
    assert "139****8001" not in masked.message


def test_beyond_ids_that_a_program_took_for_numbers_are_a_warning(shop: Shop) -> None:
    study = shop.lines("17.0,2026-01-05,1", "18.0,2026-01-05,2", "A.0,2026-01-05,2")
    assert (check_of(study, "numeric_ids").status, check_of(study, "numeric_ids").count) == ("failed", 2)


def test_beyond_ids_of_another_type_in_another_table_meet(shop: Shop) -> None:
    orders = pa.table(
        {"customer_id": pa.array([17, 18], pa.int32()), "ordered_at": ["2026-01-05"] * 2, "amount": [1, 2]}
    )
    people = pd.DataFrame({"customer_id": [Decimal(17), Decimal(18)], "persona": ["a", "b"]})
    events = pd.DataFrame({"customer_id": [17.0, None], "occurred_at": "2026-01-06"})
    study = shop.tables(
        {"orders": orders, "customers": people, "events": events}, policies={"missing_customer": "exclude"}
    )
    found = study.snapshot(AS_OF)
    assert list(found.index) == ["17", "18"]
    assert found["persona"].tolist() == ["a", "b"]
    assert found["active_days"].tolist() == [1, 0]


@pytest.mark.parametrize("table", OF_PEOPLE)
def test_36_a_frame_with_none_and_nan_for_a_person(table: str) -> None:
    for nobody in (None, float("nan"), pd.NA, pd.NaT):
        frame = frame_of(rows_of(table, 2))
        frame["customer_id"] = pd.Series(["P1", nobody], dtype=object)
        frames = {"orders": frame_of(rows_of("orders"))} | {table: frame}
        study = tk.Study.from_frames(**frames, timezone="Asia/Shanghai", currency="CNY")
        with pytest.raises(InputError, match=r"E-(no-customer|missing-customer-id)"):
            study.check(AS_OF)

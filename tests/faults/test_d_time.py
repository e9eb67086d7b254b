"""Section D: dates, days and what is visible when."""

from __future__ import annotations

from datetime import date, datetime
from itertools import cycle
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa
import pytest

from tests.builders.cases import Case, assert_quarantined, assert_read, clean, rows_for
from tests.builders.samples import DATED, GOOD, HOW, LENIENT, REASON, Row, csv_of, frame_of, money_of, opened, rows_of
from tests.builders.shop import AS_OF, HEADER, assert_nothing_lost, check_of, codes, counted, fates, hinted, spend
from toolkit.errors import ArgumentError, InputError
from toolkit.tables import TABLES

if TYPE_CHECKING:
    import toolkit as tk
    from tests.builders.shop import Shop

WHEN = {table: TABLES[table].when for table in DATED}
TIMED = tuple(name for name in DATED if name != "costs")

ON_THE_FIFTH = (
    "2024-03-05", "2024/3/5", "2024.03.05", "20240305", "2024年3月5日", "2024年03月05日 10:30", "2024年3月5日10时30分",
    "2024/3/5 10:00", "2024-03-05T10:00:00", "2024-03-05 10:00:00.123", "2024-03-05 10:00:00.123456789",
    "20240305 10:00:00", "20240305100000", "２０２４－０３－０５", "2024-03-05 10点30分", " 2024-03-05 ",
    '="2024-03-05"', "2024-03-05 00:00:00", "2024-03-05 23:59:59.999",
    "2024-03-04T16:30:00Z", "2024-03-04T16:00:00Z", "2024-03-05 00:30:00+0800", "2024-03-04 12:00:00-05:00",
    "2024-03-05 00:30", "2024-03-04 16:30:00 UTC", "2024-03-04 16:30:00+00", "2024-03-04T16:30:00.123456Z",
    "2024-03-04 16:30 -0000", "2024-03-05 15:59:59+00:00",
)  # fmt: skip
DAYS = dict.fromkeys(ON_THE_FIFTH, date(2024, 3, 5)) | {
    "2024-03-04 15:59:59+00:00": date(2024, 3, 4), "2024-03-05 16:00:00Z": date(2024, 3, 6),
}  # fmt: skip
NO_DAY = {
    "unreadable_date": (
        "2023-02-29", "2024-13-01", "2024-03-05 24:00", "2024-03-05 10:61", "2024115", "1704067200000", "soon", "2024",
        "2024-W10",
    ),
    "serial_date": ("45321", "45321.5"),
    "sentinel_date": (
        "1970-01-01", "1970-12-31", "0000-00-00", "0000-00-00 00:00:00", "9999-12-31", "1900-01-01", "1899-12-30",
        "0001-01-01",
    ),
    "missing_date": ("", "  ", "NULL"),
}  # fmt: skip
MONTHS = ("2024-10", "2024年10月", "2024/10", "2024.10", "2024年10月1日", "2024-10-01", '="2024-10"')
AMBIGUOUS = ("03/04/2024", "3.4.2024", "03-04-24", "03/04/2024 10:30")
OPTIONAL = [
    ("customers", "joined_at"), ("customers", "valid_from"), ("memberships", "ends_at"),
    ("memberships", "cancelled_at"), ("orders", "recorded_at"),
]  # fmt: skip
NO_OPTIONAL_DAY = ("1970-01-01", "0000-00-00", "9999-12-31", "1900-01-01", "", "NULL")


def on(table: str, text: str) -> Row:
    """Cells of a row on this day, that depend on no other date."""
    return {name: "" for name in ("recorded_at", "ends_at") if name in GOOD[table]} | {WHEN[table]: text}


def date_cases() -> list[Case]:
    cases = []
    for table in DATED:
        cases += [Case(table, on(table, text), {"day": day}) for text, day in DAYS.items()]
        cases += [Case(table, on(table, text), reason=reason) for reason, texts in NO_DAY.items() for text in texts]
    cases += [Case("costs", on("costs", text), {"day": date(2024, 10, 1)}) for text in MONTHS]
    cases += [Case(table, on(table, "2024-10"), {"day": None}, "unreadable_date") for table in TIMED]
    for table, column in OPTIONAL:
        cases += [Case(table, {column: text}, {column: None}) for text in NO_OPTIONAL_DAY]
        needed = "unreadable_date" if table == "memberships" else ""
        cases.append(Case(table, {column: "next year"}, {column: None}, needed))
    return cases


def dated(table: str, *texts: str, **cells: str) -> list[Row]:
    """Rows of one person, each on one of these dates."""
    rows = rows_of(table, len(texts), **({} if table == "costs" else {"customer_id": "P1"}))
    tests = [{"experiment_id": f"X{n}"} if table == "assignments" else {} for n in range(len(texts))]
    return [row | test | on(table, text) | cells for row, test, text in zip(rows, tests, texts, strict=True)]


def days(study: tk.Study, table: str) -> list[str]:
    """Local days of the used rows, in the order of the export."""
    return [str(day) for day, reason in clean(study, table, "day", "reason") if reason == REASON[table]]


def later(study: tk.Study, as_of: str) -> dict[str, int]:
    """Rows of each table that are not visible yet."""
    book = study.ledger_at(as_of)
    return {str(key): int(rows) for key, rows in book[book["fate"] == "later"].groupby("table")["rows"].sum().items()}


@pytest.mark.fault(45, 47, 48, 50, 52)
@pytest.mark.parametrize("how", HOW)
def test_dates_of_every_table_as_exports_write_them(shop: Shop, how: str) -> None:
    cases = date_cases()
    study = opened(shop, rows_for(cases), how, **LENIENT)
    assert_read(study, cases)
    if how == "parquet":
        return
    assert_quarantined(study, cases)
    assert counted(study, "unreadable_optional") == {f"{table}: {column}": 1 for table, column in OPTIONAL}


@pytest.mark.fault(44)
def test_a_date_with_two_readings_stops_and_the_proposal_decides(shop: Shop) -> None:
    tables = {table: csv_of(dated(table, *AMBIGUOUS)) for table in DATED}
    study = shop.tables(tables)
    assert {table: fates(study, table) for table in DATED} == {table: {"day_or_month_first": 4} for table in DATED}
    for table in ("orders", "costs", "memberships"):
        parts = f"{table}_1.csv:2 column {WHEN[table]}", "n=4"
        told = shop.table_stops("day-or-month-first", table, tables[table], *parts)
        assert told.endswith(
            'date_formats: ["%d-%m-%y", "%d.%m.%Y", "%d/%m/%Y %H:%M", "%d/%m/%Y"]'
            '  or  date_formats: ["%m-%d-%y", "%m.%d.%Y", "%m/%d/%Y %H:%M", "%m/%d/%Y"]'
        )
    study = shop.tables(tables, dict.fromkeys(DATED, hinted(told)))
    for table in DATED:
        assert days(study, table) == ["2024-04-03"] * len(AMBIGUOUS)
    month_first = shop.lines("C1,03/04/2024,10", orders_spec={"date_formats": "%m/%d/%Y"})
    assert days(month_first, "orders") == ["2024-03-04"]


@pytest.mark.fault(44)
def test_where_one_reading_fits_all_rows_it_alone_is_proposed(shop: Shop) -> None:
    for table in ("orders", "costs"):
        text = csv_of(dated(table, "03/04/2026", "13/04/2026"))
        proposed = hinted(shop.table_stops("day-or-month-first", table, text))
        assert proposed == {"date_formats": ["%d/%m/%Y"]}
        assert days(shop.tables({table: text}, {table: proposed}), table) == ["2026-04-03", "2026-04-13"]
    told = shop.stops("day-or-month-first", f"{HEADER}\nC1,12/1/2010 8:26,10\nC1,12/13/2010 8:26,10\n")
    assert told.endswith('date_formats: ["%m/%d/%Y %H:%M"]')


@pytest.mark.fault(44)
def test_the_end_of_a_membership_with_two_readings_stops_too(shop: Shop) -> None:
    text = csv_of([GOOD["memberships"] | {"ends_at": "03/04/2026"}])
    message = shop.table_stops("day-or-month-first", "memberships", text, "column ends_at")
    study = shop.tables({"memberships": text}, specs={"memberships": hinted(message)})
    assert str(study.snapshot(AS_OF)["membership_end_date"].dropna().iloc[0].date()) == "2026-04-03"


@pytest.mark.fault(44)
def test_a_stated_format_that_is_none_stops(shop: Shop) -> None:
    for form in ("%Q", "dd/mm/yyyy", "%d'; DROP TABLE x", "%"):
        shop.stops("date-format", f"{HEADER}\nC1,03/04/2024,10\n", orders_spec={"date_formats": [form]})


@pytest.mark.fault(45)
def test_excels_day_numbers_are_named(shop: Shop) -> None:
    shop.stops("serial-date", f"{HEADER}\nC1,45321,10\n", "column ordered_at", "format the column as a date")


@pytest.mark.fault(48)
@pytest.mark.parametrize(("zone", "day", "first"), [("Asia/Shanghai", 5, 0), ("America/New_York", 4, 1)])
def test_days_are_days_of_the_declared_zone_for_typed_columns_too(shop: Shop, zone: str, day: int, first: int) -> None:
    moment, tables, wanted = datetime.fromisoformat("2026-03-04T16:30:00+00:00"), {}, {}
    for n, (table, unit) in enumerate(zip(TIMED, cycle(("s", "ms", "us", "ns")), strict=False), first):
        aware = n % 2 == 0
        typed = pa.array(
            [moment if aware else moment.replace(tzinfo=None)], pa.timestamp(unit, "UTC" if aware else None)
        )
        plain = pa.Table.from_pandas(frame_of(dated(table, "")), preserve_index=False)
        tables[table] = plain.set_column(plain.schema.names.index(WHEN[table]), WHEN[table], typed)
        wanted[table] = [f"2026-03-0{day if aware else 4}"]
    study = shop.tables(tables, timezone=zone)
    assert {table: days(study, table) for table in TIMED} == wanted


@pytest.mark.fault(48)
def test_days_of_other_zones_and_of_typed_dates(shop: Shop) -> None:
    around = ["2024-03-10 02:30:00", "2024-11-03 01:30:00", "2024-03-05T04:30:00Z"]
    study = shop.lines(*(f"C1,{text},10" for text in around), timezone="America/New_York")
    assert days(study, "orders") == ["2024-03-10", "2024-11-03", "2024-03-04"]
    orders = pa.table({"customer_id": ["C1"], "ordered_at": pa.array([date(2024, 3, 5)]), "amount": [1.0]})
    assert days(shop.open(orders), "orders") == ["2024-03-05"]


@pytest.mark.fault(50, 51)
@pytest.mark.parametrize("how", ["csv", "parquet"])
def test_the_last_day_counts_to_its_end_and_later_rows_are_not_visible(shop: Shop, how: str) -> None:
    moments = ("2026-01-31 23:59:59.999", "2026-02-01 00:00:00", "2026-06-15", "2026-07-01")
    tables = {table: dated(table, *moments) for table in DATED}
    for table in TIMED:
        tables[table][2] |= {"customer_id": f"N-{table}"}
    study = opened(shop, tables, how)
    for as_of, rows in (("2026-01-30", 4), ("2026-01-31", 3), ("2026-02-01", 2), ("2026-06-14", 2), ("2026-06-15", 1)):
        assert later(study, as_of) == dict.fromkeys(DATED, rows), as_of
    assert later(study, "2026-07-01") == {}
    assert spend(study, "2026-01-31") == {"P1": 10.0}
    assert spend(study, "2026-02-01") == {"P1": 20.0}
    assert list(study.snapshot("2026-06-15", columns=["spend"]).index) == [
        *sorted(f"N-{table}" for table in TIMED),
        "P1",
    ]
    for table in DATED:
        assert_nothing_lost(study, 4, money_of(table, 4), table=table)


@pytest.mark.fault(51)
def test_later_rows_stop_nothing_and_are_still_in_the_ledger(shop: Shop) -> None:
    study = shop.lines("C1,2026-01-05,10", "C2,2026-02-05,x", "C3,2026-02-06,-5", **LENIENT)
    assert study.ledger_at("2026-01-31").set_index("fate")["rows"].to_dict() == {"used": 1, "later": 2}
    assert spend(study, "2026-01-31") == {"C1": 10.0}
    assert study.quarantine("2026-01-31").empty
    with pytest.raises(InputError, match="E-nothing-visible"):
        study.check("2025-12-31")


@pytest.mark.fault(51)
def test_rows_dated_after_the_export_are_quarantined(shop: Shop) -> None:
    tables = {table: dated(table, "2026-01-15", "2026-12-31 23:59:59", "2027-01-01", "2062-01-05") for table in DATED}
    tables["customers"] = [
        row | {"valid_from": at}
        for row, at in zip(
            rows_of("customers", 4), ("2026-01-05", "2026-12-31", "2027-01-01", "2062-01-05"), strict=True
        )
    ]
    study = opened(shop, tables, "csv", specs={table: {"exported_at": "2026-12-31"} for table in tables}, **LENIENT)
    for table in tables:
        assert fates(study, table) == {REASON[table]: 2, "after_export": 2}
        assert_nothing_lost(study, 4, money_of(table, 4), table=table)


@pytest.mark.fault(52)
def test_an_assignment_on_a_day_that_means_nothing_does_not_hide_the_real_one(shop: Shop) -> None:
    rows = dated("assignments", "1970-01-01", "2026-01-15", "2026-01-16", experiment_id="X1")
    study = shop.tables({"assignments": csv_of(rows)}, **LENIENT)
    assert fates(study, "assignments") == {"assignment": 1, "sentinel_date": 1, "repeated_assignment": 1}
    assert days(study, "assignments") == ["2026-01-15"]


@pytest.mark.fault(52)
def test_a_membership_whose_end_cannot_be_read_stops(shop: Shop) -> None:
    for column in ("ends_at", "cancelled_at"):
        rows = [*rows_of("memberships", 2), GOOD["memberships"] | {"customer_id": "P9", column: "next year"}]
        shop.table_stops("unreadable-date", "memberships", csv_of(rows), f"memberships_1.csv:4 column {column}")


@pytest.mark.fault(53)
def test_the_date_is_asked_for(shop: Shop) -> None:
    study = shop.lines("C1,2026-01-05,10")
    for value in (None, "", "yesterday", "2026-02-30", float("nan"), "2026-01-31 10:00"):
        with pytest.raises(ArgumentError, match="Try: as_of="):
            study.snapshot(value)  # type: ignore[arg-type]


@pytest.mark.fault(55)
def test_later_rows_change_nothing(shop: Shop) -> None:
    header = f"{HEADER},order_id,status"
    now = [f"C{n % 7},2026-01-{n % 28 + 1:02d},{n},O{n},paid" for n in range(1, 60)]
    more = [
        "C1,2026-03-01,-99,O1,refunded",
        "c1,2026-03-01,1e9,O9,odd",
        "NEW,2026-03-02,5,O2,paid",
        ",2026-03-02,5,O3,paid",
        "C2,2026-04-01,$5,O4,paid",
    ]
    one, other = shop.lines(*now, header=header), shop.lines(*now, *more, header=header)
    pd.testing.assert_frame_equal(one.snapshot("2026-01-31"), other.snapshot("2026-01-31"))
    assert one.checks("2026-01-31") == other.checks("2026-01-31")
    assert one.quarantine("2026-01-31").equals(other.quarantine("2026-01-31"))


@pytest.mark.fault(56)
def test_what_is_not_dated_is_marked_in_the_snapshot_and_in_the_checks(shop: Shop) -> None:
    wanted = ("persona", "age_band", "region", "occupation", "interests", "followers", "override", "opted_out")
    rows = [{name: cell for name, cell in row.items() if name != "valid_from"} for row in rows_of("customers", 2)]
    study = shop.tables({"customers": csv_of(rows)})
    assert set(study.undated) == set(wanted)
    assert set(study.snapshot(AS_OF).attrs["not_point_in_time"]) == set(wanted)
    assert study.snapshot(AS_OF, columns=["region", "spend"]).attrs["not_point_in_time"] == ("region",)
    marked = check_of(study, "not_point_in_time")
    assert marked.status == "informational"
    assert "persona" in marked.message
    for tables in ({"customers": csv_of(rows_of("customers", 2))}, {}):
        dated_study = shop.tables(tables)
        assert dated_study.undated == ()
        assert dated_study.snapshot(AS_OF).attrs["not_point_in_time"] == ()
        assert "not_point_in_time" not in codes(dated_study)


@pytest.mark.fault(56)
def test_links_between_ids_are_told_to_have_no_date(shop: Shop) -> None:
    study = shop.tables({"identities": csv_of(rows_of("identities", 2))})
    assert "not as of the date" in check_of(study, "ids_linked").message


@pytest.mark.fault(57)
def test_an_attribute_counts_from_the_day_it_is_valid(shop: Shop) -> None:
    changes = {"2026-01-05 09:00": "沪", "2026-03-01 08:00": "京", "2026-03-01 18:00": "粤"}
    rows = [GOOD["customers"] | {"valid_from": at, "region": region} for at, region in changes.items()]
    for some in (rows, rows[::-1]):
        study = shop.tables({"customers": csv_of(some)})
        assert study.snapshot("2026-02-28")["region"].dropna().tolist() == ["沪"]
        assert study.snapshot("2026-03-01")["region"].dropna().tolist() == ["粤"]


@pytest.mark.fault(57)
def test_a_row_is_visible_from_the_day_it_was_recorded(shop: Shop) -> None:
    study = shop.lines(
        "C1,2026-01-05,10,2026-01-06", "C1,2026-01-10,20,2026-03-01 08:00", header=f"{HEADER},recorded_at"
    )
    assert spend(study, "2026-01-31") == {"C1": 10.0}
    assert spend(study, "2026-02-28") == {"C1": 10.0}
    assert spend(study, "2026-03-01") == {"C1": 30.0}
    assert_nothing_lost(study, 2, "30")


@pytest.mark.fault(57)
def test_a_changed_history_changes_the_hash(shop: Shop) -> None:
    one = shop.lines("C1,2026-01-05,10").input_hashes()
    assert one != shop.lines("C1,2026-01-05,11").input_hashes()
    assert one == shop.lines("C1,2026-01-05,10").input_hashes()


@pytest.mark.fault(57)
def test_a_cancellation_that_a_later_export_adds_counts_once_it_has_happened(shop: Shop) -> None:
    old, new = GOOD["memberships"], GOOD["memberships"] | {"cancelled_at": "2026-05-01"}
    for parts in ([old, new], [new, old], [new, new]):
        study = shop.tables({"memberships": [csv_of([part]) for part in parts]})
        assert fates(study, "memberships") == {"membership": 1, "other_file": 1}
        states = [study.snapshot(day).loc["P1", "membership_state"] for day in ("2026-04-30", "2026-05-01")]
        assert states == ["member", "lapsed"]


@pytest.mark.fault(58)
def test_a_month_without_orders_is_a_warning(shop: Shop) -> None:
    gap = shop.lines("C1,2026-01-05,10", "C1,2026-02-05,10", "C1,2026-05-05,10")
    assert (check_of(gap, "gap").status, check_of(gap, "gap").count) == ("failed", 2)
    assert "2026-03" in check_of(gap, "gap").message
    assert "gap" not in codes(gap, "2026-02-28")
    assert gap.calendar("2026-05-05")["lines"].sum() == 3


@pytest.mark.fault(58)
def test_days_without_any_event_are_a_warning(shop: Shop) -> None:
    moments = [str(day) for day in pd.date_range("2026-01-01", "2026-03-31", freq="D")]
    whole = shop.tables({"events": csv_of(dated("events", *moments))})
    assert "silent_days" not in codes(whole)
    hole = shop.tables({"events": csv_of(dated("events", *moments[:40], *moments[60:]))})
    assert (check_of(hole, "silent_days").status, check_of(hole, "silent_days").count) == ("failed", 20)
    assert "silent_days" not in codes(hole, "2026-02-09")

"""Section D for every table: dates, days and what is visible when. The numbers are those of the list of faults."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pytest

from tests.builders.samples import DATED, GOOD, HOW, REASON, Row, csv_of, frame_of, opened, rows_of
from tests.builders.shop import AS_OF, assert_nothing_lost, check_of, codes, fates, hinted
from toolkit.tables import TABLES

if TYPE_CHECKING:
    import toolkit as tk
    from tests.builders.shop import Shop

TIMED = tuple(name for name in DATED if name != "costs")
LENIENT: dict[str, Any] = {"loss_budget": {"rows": 1, "money": 1}}


def dated(table: str, *texts: str, **cells: str) -> list[Row]:
    """Rows of one person, each on one of these dates; nothing else in them depends on a date."""
    when = TABLES[table].when
    rows = rows_of(table, len(texts), **({} if table == "costs" else {"customer_id": "P1"}))
    blank = {name: "" for name in ("recorded_at", "ends_at", "list_price") if name in GOOD[table]}
    tests = [{"experiment_id": f"X{number}"} if table == "assignments" else {} for number in range(len(texts))]
    return [row | blank | test | {when: text} | cells for row, test, text in zip(rows, tests, texts, strict=True)]


def days(study: tk.Study, table: str) -> list[str]:
    """Local days of the used rows, sorted."""
    statement = f"SELECT day FROM {table} WHERE reason = $1 ORDER BY day"  # noqa: S608 - our names
    return [str(row[0]) for row in study._connection.execute(statement, [REASON[table]]).fetchall()]


def later(study: tk.Study, table: str, as_of: str) -> int:
    """Rows that are not visible yet."""
    book = study.ledger_at(as_of)
    return int(book[(book["table"] == table) & (book["fate"] == "later")]["rows"].sum())


def money(table: str, rows: int) -> str:
    return str(10 * rows) if table in ("orders", "costs") else "0"


@pytest.mark.parametrize("table", DATED)
def test_44_a_date_with_two_readings_stops_and_the_proposal_decides(shop: Shop, table: str) -> None:
    text = csv_of(dated(table, "03/04/2026", "05/04/2026 10:30"))
    message = shop.table_stops("day-or-month-first", table, text, f"column {TABLES[table].when}", "n=2")
    assert " or  date_formats" in message
    study = shop.tables({table: text}, specs={table: hinted(message)})
    assert days(study, table) == ["2026-04-03", "2026-04-05"]
    one = csv_of(dated(table, "03/04/2026", "13/04/2026"))
    proposed = hinted(shop.table_stops("day-or-month-first", table, one))
    assert proposed == {"date_formats": ["%d/%m/%Y"]}
    assert days(shop.tables({table: one}, specs={table: proposed}), table) == ["2026-04-03", "2026-04-13"]


def test_44_the_end_of_a_membership_with_two_readings_stops_too(shop: Shop) -> None:
    text = csv_of([GOOD["memberships"] | {"ends_at": "03/04/2026"}])
    message = shop.table_stops("day-or-month-first", "memberships", text, "column ends_at")
    study = shop.tables({"memberships": text}, specs={"memberships": hinted(message)})
    assert str(study.snapshot(AS_OF)["membership_end_date"].dropna().iloc[0].date()) == "2026-04-03"


@pytest.mark.parametrize("table", DATED)
def test_45_every_common_way_of_writing_a_date_in_one_column(shop: Shop, table: str) -> None:
    texts = [
        "2026-03-05", "2026/3/6", "2026.3.7", "20260308", "2026年3月9日", "2026年3月10日 10:30",
        "2026-03-11T10:00:00", "２０２６－０３－１２", "2026/3/13 10:00", '="2026-03-14"',
    ]  # fmt: skip
    study = shop.tables({table: csv_of(dated(table, *texts))})
    assert days(study, table) == [f"2026-03-{day:02d}" for day in range(5, 15)]


@pytest.mark.parametrize("text", ["2026-02-29", "soon", "45321", "2026-13-01", "1704067200000"])
@pytest.mark.parametrize("table", DATED)
def test_45_what_is_no_date_is_quarantined_whatever_the_table(shop: Shop, table: str, text: str) -> None:
    study = shop.tables(
        {table: csv_of([*dated(table, "2026-03-05"), *dated(table, "2026-03-05", text)[1:]])}, **LENIENT
    )
    found = fates(study, table)
    assert found.pop(REASON[table]) == 1
    assert list(found) in (["unreadable_date"], ["serial_date"])
    assert_nothing_lost(study, 2, money(table, 2), table=table)
    assert study.quarantine(AS_OF)[TABLES[table].when].tolist() == [text]


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-03-04T16:30:00Z", "2026-03-05"), ("2026-03-04 15:59:59+00:00", "2026-03-04"),
        ("2026-03-05 00:30:00+0800", "2026-03-05"), ("2026-03-04 12:00:00-05:00", "2026-03-05"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("table", TIMED)
def test_47_offsets_become_days_of_the_declared_zone(shop: Shop, table: str, text: str, day: str) -> None:
    assert days(shop.tables({table: csv_of(dated(table, text))}), table) == [day]


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "America/New_York"])
@pytest.mark.parametrize("table", TIMED)
def test_48_days_are_days_of_the_declared_zone_for_typed_columns_too(shop: Shop, table: str, zone: str) -> None:
    moment = datetime.fromisoformat("2026-03-04T16:30:00+00:00")
    frame = pa.Table.from_pandas(frame_of(dated(table, "")), preserve_index=False)
    at = frame.schema.names.index(TABLES[table].when)
    aware = frame.set_column(at, TABLES[table].when, pa.array([moment], pa.timestamp("us", "UTC")))
    wanted = "2026-03-05" if zone == "Asia/Shanghai" else "2026-03-04"
    assert days(shop.tables({table: aware}, timezone=zone), table) == [wanted]
    naive = frame.set_column(at, TABLES[table].when, pa.array([moment.replace(tzinfo=None)], pa.timestamp("us")))
    assert days(shop.tables({table: naive}, timezone=zone), table) == ["2026-03-04"]


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("table", TIMED)
def test_50_the_last_day_counts_to_its_end(shop: Shop, table: str, how: str) -> None:
    study = opened(shop, table, dated(table, "2026-01-31 23:59:59.999", "2026-02-01 00:00:00"), how)
    assert later(study, table, "2026-01-31") == 1
    assert later(study, table, "2026-02-01") == 0
    assert_nothing_lost(study, 2, money(table, 2), table=table)


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("table", DATED)
def test_51_later_rows_are_not_visible_and_still_in_the_ledger(shop: Shop, table: str, how: str) -> None:
    rows = dated(table, "2026-01-15", "2026-06-15", "2026-07-01")
    if table != "costs":
        rows[1] |= {"customer_id": "P77"}
    study = opened(shop, table, rows, how)
    assert later(study, table, "2026-01-31") == 2
    assert "P77" not in study.snapshot("2026-01-31").index
    assert ("P77" in study.snapshot("2026-06-15").index) == (table != "costs")
    assert_nothing_lost(study, 3, money(table, 3), table=table)


@pytest.mark.parametrize("table", [*DATED, "customers"])
def test_51_rows_dated_after_the_export_are_quarantined(shop: Shop, table: str) -> None:
    if table == "customers":
        rows = [*rows_of("customers", 2), GOOD["customers"] | {"customer_id": "P9", "valid_from": "2062-01-05"}]
    else:
        rows = dated(table, "2026-01-15", "2026-01-16", "2062-01-05")
    study = shop.tables({table: csv_of(rows)}, specs={table: {"exported_at": "2026-12-31"}}, **LENIENT)
    assert fates(study, table) == {REASON[table]: 2, "after_export": 1}
    assert_nothing_lost(study, 3, money(table, 3), table=table)


@pytest.mark.parametrize("text", ["1970-01-01", "0000-00-00 00:00:00", "9999-12-31", "1900-01-01"])
@pytest.mark.parametrize("table", DATED)
def test_52_dates_that_mean_nothing_are_quarantined(shop: Shop, table: str, text: str) -> None:
    study = shop.tables({table: csv_of(dated(table, "2026-01-15", text))}, **LENIENT)
    assert fates(study, table) == {REASON[table]: 1, "sentinel_date": 1}
    assert_nothing_lost(study, 2, money(table, 2), table=table)


def test_52_an_assignment_on_a_day_that_means_nothing_does_not_hide_the_real_one(shop: Shop) -> None:
    rows = dated("assignments", "1970-01-01", "2026-01-15", "2026-01-16", experiment_id="X1")
    study = shop.tables({"assignments": csv_of(rows)}, **LENIENT)
    assert fates(study, "assignments") == {"assignment": 1, "sentinel_date": 1, "repeated_assignment": 1}
    assert days(study, "assignments") == ["2026-01-15"]


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("text", ["1970-01-01", "0000-00-00", "9999-12-31", "", "NULL"])
@pytest.mark.parametrize(
    ("table", "column"),
    [("customers", "joined_at"), ("customers", "valid_from"), ("memberships", "ends_at"),
     ("memberships", "cancelled_at"), ("orders", "recorded_at")],
)  # fmt: skip
def test_52_optional_dates_that_mean_nothing_are_missing_and_no_fault(
    shop: Shop, table: str, column: str, text: str, how: str
) -> None:
    study = opened(shop, table, [GOOD[table] | {column: text}], how)
    found = study._connection.execute(f"SELECT {column} FROM {table}").fetchall()  # noqa: S608 - our names
    assert found == [(None,)]
    assert fates(study, table) == {REASON[table]: 1}
    assert "unreadable_optional" not in codes(study)


@pytest.mark.parametrize("column", ["ends_at", "cancelled_at"])
@pytest.mark.parametrize("how", HOW)
def test_52_a_membership_whose_end_cannot_be_read_is_not_endless(shop: Shop, column: str, how: str) -> None:
    rows = [*rows_of("memberships", 2), GOOD["memberships"] | {"customer_id": "P9", column: "next year"}]
    study = opened(shop, "memberships", rows, how, **LENIENT)
    assert fates(study, "memberships") == {"membership": 2, "unreadable_date": 1}
    with pytest.raises(Exception, match=rf"E-unreadable-date memberships.*column {column}"):
        opened(shop, "memberships", rows, how).check(AS_OF)


@pytest.mark.parametrize("table", ["customers", "orders"])
def test_52_an_optional_date_that_cannot_be_read_is_counted(shop: Shop, table: str) -> None:
    column = {"customers": "joined_at", "orders": "recorded_at"}[table]
    study = shop.tables({table: csv_of([GOOD[table] | {column: "soon"}])})
    found = check_of(study, "unreadable_optional")
    assert (found.count, found.subject) == (1, f"{table}: {column}")


def test_56_what_is_not_dated_is_marked_in_the_snapshot_and_in_the_checks(shop: Shop) -> None:
    wanted = ("persona", "age_band", "region", "occupation", "interests", "followers", "override", "opted_out")
    rows = [{name: cell for name, cell in row.items() if name != "valid_from"} for row in rows_of("customers", 2)]
    study = shop.tables({"customers": csv_of(rows)})
    assert set(study.undated) == set(wanted)
    assert set(study.snapshot(AS_OF).attrs["not_point_in_time"]) == set(wanted)
    assert study.snapshot(AS_OF, columns=["region", "spend"]).attrs["not_point_in_time"] == ("region",)
    assert check_of(study, "not_point_in_time").status == "informational"


def test_56_what_is_dated_is_not_marked(shop: Shop) -> None:
    for tables in ({"customers": csv_of(rows_of("customers", 2))}, {}):
        study = shop.tables(tables)
        assert study.undated == ()
        assert study.snapshot(AS_OF).attrs["not_point_in_time"] == ()
        assert "not_point_in_time" not in codes(study)


def test_56_links_between_ids_are_told_to_have_no_date(shop: Shop) -> None:
    study = shop.tables({"identities": csv_of(rows_of("identities", 2))})
    assert "not as of the date" in check_of(study, "ids_linked").message


def test_57_an_attribute_counts_from_the_day_it_is_valid(shop: Shop) -> None:
    old = GOOD["customers"] | {"valid_from": "2026-01-05 09:00", "region": "沪"}
    rows = [
        old,
        old | {"valid_from": "2026-03-01 08:00", "region": "京"},
        old | {"valid_from": "2026-03-01 18:00", "region": "粤"},
    ]
    for some in (rows, rows[::-1]):
        study = shop.tables({"customers": csv_of(some)})
        assert study.snapshot("2026-02-28")["region"].dropna().tolist() == ["沪"]
        assert study.snapshot("2026-03-01")["region"].dropna().tolist() == ["粤"]


def test_57_a_cancellation_that_a_later_export_adds_counts_once_it_has_happened(shop: Shop) -> None:
    old, new = GOOD["memberships"], GOOD["memberships"] | {"cancelled_at": "2026-05-01"}
    for parts in ([old, new], [new, old], [new, new]):
        study = shop.tables({"memberships": [csv_of([part]) for part in parts]})
        assert fates(study, "memberships") == {"membership": 1, "other_file": 1}
        states = {day: study.snapshot(day).loc["P1", "membership_state"] for day in ("2026-04-30", "2026-05-01")}
        assert states == {"2026-04-30": "member", "2026-05-01": "lapsed"}


def test_58_days_without_any_event_are_a_warning(shop: Shop) -> None:
    moments = [str(day) for day in pd.date_range("2026-01-01", "2026-03-31", freq="D")]
    whole = shop.tables({"events": csv_of(dated("events", *moments))})
    assert "silent_days" not in codes(whole)
    hole = shop.tables({"events": csv_of(dated("events", *moments[:40], *moments[60:]))})
    assert (check_of(hole, "silent_days").status, check_of(hole, "silent_days").count) == ("failed", 20)
    assert "silent_days" not in codes(hole, "2026-02-09")

"""Section D: dates, days and what is visible when. The numbers are those of the list of faults."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pytest

from tests.builders.shop import AS_OF, HEADER, assert_nothing_lost, check_of, fates, good_lines, spend
from toolkit.errors import ArgumentError, InputError

if TYPE_CHECKING:
    import toolkit as tk
    from tests.builders.shop import Shop


def day_of(study: tk.Study) -> str:
    """Return the local day of the last order of the one customer."""
    return str(study.snapshot("2999-12-31")["last_order_date"].iloc[0].date())


@pytest.mark.parametrize("text", ["03/04/2024", "3.4.2024", "03-04-24", "03/04/2024 10:30"])
def test_44_a_date_with_two_readings_stops(shop: Shop, text: str) -> None:
    message = shop.stops("day-or-month-first", f"{HEADER}\nC1,{text},10\n", "orders_1.csv:2", "column ordered_at")
    assert re.search(r'date_formats: \["%d.%m.%[yY].*"\]  or  date_formats: \["%m.%d.%[yY].*"\]', message)


def test_44_where_one_reading_fits_all_rows_it_is_proposed(shop: Shop) -> None:
    first = shop.stops("day-or-month-first", f"{HEADER}\nC1,03/04/2024,10\nC1,13/04/2024,10\n")
    assert "%d/%m/%Y" in first
    assert "%m/%d/%Y" not in first
    second = shop.stops("day-or-month-first", f"{HEADER}\nC1,12/1/2010 8:26,10\nC1,12/13/2010 8:26,10\n")
    assert 'date_formats: ["%m/%d/%Y %H:%M"]' in second


@pytest.mark.parametrize(("form", "day"), [("%d/%m/%Y", "2024-04-03"), ("%m/%d/%Y", "2024-03-04")])
def test_44_a_stated_format_decides(shop: Shop, form: str, day: str) -> None:
    assert day_of(shop.lines("C1,03/04/2024,10", orders_spec={"date_formats": form})) == day


@pytest.mark.parametrize("form", ["%Q", "dd/mm/yyyy", "%d'; DROP TABLE x", "%"])
def test_44_a_stated_format_that_is_none_stops(shop: Shop, form: str) -> None:
    shop.stops("date-format", f"{HEADER}\nC1,03/04/2024,10\n", orders_spec={"date_formats": [form]})


@pytest.mark.parametrize(
    "text",
    [
        "2024-03-05", "2024/3/5", "2024.03.05", "20240305", "2024年3月5日", "2024年03月05日 10:30",
        "2024年3月5日10时30分",
        "2024/3/5 10:00", "2024-03-05T10:00:00", "2024-03-05 10:00:00.123", "2024-03-05 10:00:00.123456789",
        "20240305 10:00:00", "20240305100000", "２０２４－０３－０５", "2024-03-05 10点30分", " 2024-03-05 ",
    ],
)  # fmt: skip
def test_45_every_common_way_of_writing_a_date_is_read(shop: Shop, text: str) -> None:
    assert day_of(shop.lines(f"C1,{text},10")) == "2024-03-05"


@pytest.mark.parametrize(
    "text",
    [
        "2023-02-29",
        "2024-13-01",
        "2024-03-05 24:00",
        "2024-03-05 10:61",
        "45321",
        "45321.5",
        "2024115",
        "1704067200000",
        "soon",
        "2024",
        "2024-03",
        "2024-W10",
    ],
)
def test_45_what_is_no_date_is_quarantined(shop: Shop, text: str) -> None:
    study = shop.lines(f"C1,{text},10", good=300)
    assert study.quarantine()["ordered_at"].tolist() == [text]
    assert spend(study).get("C1") is None
    assert_nothing_lost(study, 301, "3010")


def test_45_excels_day_numbers_are_named(shop: Shop) -> None:
    shop.stops("serial-date", f"{HEADER}\nC1,45321,10\n", "column ordered_at", "format the column as a date")


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2024-03-04T16:30:00Z", "2024-03-05"), ("2024-03-04 15:59:59+00:00", "2024-03-04"),
        ("2024-03-05 00:30:00+0800", "2024-03-05"),
        ("2024-03-04 12:00:00-05:00", "2024-03-05"), ("2024-03-05 00:30", "2024-03-05"),
        ("2024-03-04 16:30:00 UTC", "2024-03-05"),
        ("2024-03-04 16:30:00+00", "2024-03-05"), ("2024-03-04T16:30:00.123456Z", "2024-03-05"),
        ("2024-03-04 16:30 -0000", "2024-03-05"),
    ],
)  # fmt: skip
def test_47_mixed_offsets_become_days_of_the_declared_zone(shop: Shop, text: str, day: str) -> None:
    assert day_of(shop.lines(f"C1,{text},10")) == day


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "America/New_York"])
@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_48_days_are_days_of_the_declared_zone_for_typed_columns_too(shop: Shop, unit: str, zone: str) -> None:
    moment = datetime.fromisoformat("2024-03-04T16:30:00+00:00")
    orders = pa.table(
        {"customer_id": ["C1"], "ordered_at": pa.array([moment], pa.timestamp(unit, "UTC")), "amount": [1.0]}
    )
    assert day_of(shop.open(orders, timezone=zone)) == ("2024-03-05" if zone == "Asia/Shanghai" else "2024-03-04")
    naive = pa.table(
        {
            "customer_id": ["C1"],
            "ordered_at": pa.array([moment.replace(tzinfo=None)], pa.timestamp(unit)),
            "amount": [1.0],
        }
    )
    assert day_of(shop.open(naive, timezone=zone)) == "2024-03-04"


@pytest.mark.parametrize("text", ["2024-03-10 02:30:00", "2024-11-03 01:30:00"])
def test_48_local_times_around_a_clock_change_keep_their_day(shop: Shop, text: str) -> None:
    assert day_of(shop.lines(f"C1,{text},10", timezone="America/New_York")) == text[:10]


def test_48_date_columns_are_local_days(shop: Shop) -> None:
    orders = pa.table({"customer_id": ["C1"], "ordered_at": pa.array([date(2024, 3, 5)]), "amount": [1.0]})
    assert day_of(shop.open(orders)) == "2024-03-05"


def test_50_the_last_day_counts_to_its_end(shop: Shop) -> None:
    study = shop.lines("C1,2026-01-31 23:59:59.999,10", "C1,2026-02-01 00:00:00,20")
    assert spend(study, "2026-01-31") == {"C1": 10.0}
    assert spend(study, "2026-02-01") == {"C1": 30.0}


def test_51_later_rows_are_not_visible_and_still_in_the_ledger(shop: Shop) -> None:
    study = shop.lines("C1,2026-01-05,10", "C2,2026-02-05,x", "C3,2026-02-06,-5", loss_budget={"rows": 1})
    book = study.ledger_at("2026-01-31")
    assert book.set_index("fate")["rows"].to_dict() == {"used": 1, "later": 2}
    assert spend(study, "2026-01-31") == {"C1": 10.0}
    assert study.quarantine("2026-01-31").empty
    with pytest.raises(InputError, match="E-nothing-visible"):
        study.check("2025-12-31")


def test_51_rows_dated_after_the_export_are_quarantined(shop: Shop) -> None:
    lines = "\n".join([HEADER, *good_lines(300), "C1,2062-01-05,10"])
    study = shop.open(lines, orders_spec={"exported_at": "2026-12-31"})
    assert fates(study) == {"order": 300, "after_export": 1}
    assert_nothing_lost(study, 301, "3010")


@pytest.mark.parametrize(
    "text", ["1970-01-01", "0000-00-00", "0000-00-00 00:00:00", "9999-12-31", "1900-01-01", "1899-12-30", "0001-01-01"]
)
def test_52_dates_that_mean_nothing_are_quarantined(shop: Shop, text: str) -> None:
    study = shop.lines(f"C1,{text},10", good=300)
    assert fates(study) == {"order": 300, "sentinel_date": 1}
    assert_nothing_lost(study, 301, "3010")


@pytest.mark.parametrize("text", ["1970-01-01", "9999-12-31", "0000-00-00", ""])
def test_52_optional_dates_that_mean_nothing_are_missing(shop: Shop, text: str) -> None:
    study = shop.lines(
        f"C1,2026-01-05,10,{text}", header=f"{HEADER},recorded_at", customers=f"customer_id,joined_at\nC1,{text}\n"
    )
    found = study.snapshot("2026-01-31")
    assert found["spend"].tolist() == [10.0]
    assert found["joined_date"].isna().all()


@pytest.mark.parametrize("value", [None, "", "yesterday", "2026-02-30", float("nan"), "2026-01-31 10:00"])
def test_53_the_date_is_asked_for(shop: Shop, value: Any) -> None:
    study = shop.lines("C1,2026-01-05,10")
    with pytest.raises(ArgumentError, match="Try: as_of="):
        study.snapshot(value)


def test_55_later_rows_change_nothing(shop: Shop) -> None:
    header = f"{HEADER},order_id,status"
    now = [f"C{n % 7},2026-01-{n % 28 + 1:02d},{n},O{n},paid" for n in range(1, 60)]
    later = [
        "C1,2026-03-01,-99,O1,refunded",
        "c1,2026-03-01,1e9,O9,odd",
        "NEW,2026-03-02,5,O2,paid",
        ",2026-03-02,5,O3,paid",
        "C2,2026-04-01,$5,O4,paid",
    ]
    plain, more = shop.lines(*now, header=header), shop.lines(*now, *later, header=header)
    pd.testing.assert_frame_equal(plain.snapshot("2026-01-31"), more.snapshot("2026-01-31"))
    assert plain.checks("2026-01-31") == more.checks("2026-01-31")
    assert plain.quarantine("2026-01-31").equals(more.quarantine("2026-01-31"))


def test_56_attributes_without_a_date_are_marked(shop: Shop) -> None:
    dated = shop.lines("C1,2026-01-05,10", customers="customer_id,persona,valid_from\nC1,a,2026-01-01\n")
    assert not [check for check in dated.checks(AS_OF) if check.code == "not_point_in_time"]
    undated = shop.lines("C1,2026-01-05,10", customers="customer_id,persona\nC1,a\n")
    assert check_of(undated, "not_point_in_time").status == "informational"
    assert "persona" in check_of(undated, "not_point_in_time").message


def test_57_a_row_is_visible_from_the_day_it_was_recorded(shop: Shop) -> None:
    study = shop.lines(
        "C1,2026-01-05,10,2026-01-06", "C1,2026-01-10,20,2026-03-01 08:00", header=f"{HEADER},recorded_at"
    )
    assert spend(study, "2026-01-31") == {"C1": 10.0}
    assert spend(study, "2026-03-01") == {"C1": 30.0}
    assert_nothing_lost(study, 2, "30")


def test_57_a_changed_history_changes_the_hash(shop: Shop) -> None:
    one = shop.lines("C1,2026-01-05,10").input_hashes()
    assert one != shop.lines("C1,2026-01-05,11").input_hashes()
    assert one == shop.lines("C1,2026-01-05,10").input_hashes()


def test_58_a_month_without_orders_is_a_warning(shop: Shop) -> None:
    gap = shop.lines("C1,2026-01-05,10", "C1,2026-02-05,10", "C1,2026-05-05,10")
    assert (check_of(gap, "gap").status, check_of(gap, "gap").count) == ("failed", 2)
    assert "2026-03" in check_of(gap, "gap").message
    assert not [check for check in gap.checks("2026-02-28") if check.code == "gap"]
    assert gap.calendar("2026-05-05")["lines"].sum() == 3

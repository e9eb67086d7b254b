"""The engine keeps to itself: its folder is private and goes with the study, and its own words reach nobody."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

import pandas as pd
import pytest

import toolkit as tk
from tests.builders.samples import NINE, frame_of, rows_of
from tests.builders.shop import AS_OF, fates
from toolkit.data import engine
from toolkit.errors import InputError, ToolkitError

if TYPE_CHECKING:
    from tests.builders.shop import Shop


def orders(rows: int, first: str = "2026-01-05") -> pd.DataFrame:
    days = pd.date_range(first, periods=rows, freq="h").strftime("%Y-%m-%d %H:%M:%S")
    return pd.DataFrame({"customer_id": [f"C{n % 50:04d}" for n in range(rows)], "ordered_at": days, "amount": "10"})


def test_the_spill_folder_is_private_and_goes_with_the_study_however_little_memory_is_free(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(engine, "available", lambda: 10_000)
    study = tk.Study.from_frames(orders(5), timezone="Asia/Shanghai", currency="CNY")
    assert study.snapshot("2026-12-31", columns=["spend"])["spend"].sum() == 50
    place = study._spill.path
    assert place.stat().st_mode & 0o777 == 0o700
    del study
    gc.collect()
    assert not place.exists()


def test_a_page_damaged_after_opening_is_told_without_the_engines_words(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("toolkit.data.reading.HELD", 0)
    study = shop.open(orders(3_000))
    study.check("2026-12-31")
    file = shop.folder / "orders_1.parquet"
    data = bytearray(file.read_bytes())
    data[4 : len(data) // 2] = bytes(len(data) // 2 - 4)
    file.write_bytes(bytes(data))
    for ask in (study.snapshot, study.checks, study.quarantine, study.calendar):
        with pytest.raises(InputError, match=r"^E-engine the tables: .*Try: export the table again"):
            ask("2026-12-31")


def test_files_of_separate_days_are_not_searched_for_copies_and_files_of_one_day_are(shop: Shop) -> None:
    one, other = (orders(24, first).to_csv(index=False) for first in ("2026-01-05", "2026-01-08"))
    apart = shop.open([one, other])
    assert set(apart.ledger["fate"]) == {"used"}
    tables = apart._connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()
    assert ("orders_repeats",) not in tables
    assert fates(shop.open([one, other, other])) == {"order": 48, "other_file": 24}


@pytest.mark.fault(75)
def test_parquet_that_stays_on_the_disk_says_what_held_parquet_says(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables = {table: frame_of(rows_of(table, 5)) for table in NINE}
    held = shop.tables(tables)
    monkeypatch.setattr("toolkit.data.reading.HELD", 0)
    on_disk = shop.tables(tables)
    assert held.checks(AS_OF) == on_disk.checks(AS_OF)
    pd.testing.assert_frame_equal(held.ledger_at(AS_OF), on_disk.ledger_at(AS_OF))
    pd.testing.assert_frame_equal(held.quarantine(AS_OF), on_disk.quarantine(AS_OF))
    pd.testing.assert_frame_equal(held.snapshot(AS_OF), on_disk.snapshot(AS_OF))
    (shop.folder / "orders_1.parquet").unlink()
    assert len(held.snapshot("2026-01-20"))
    with pytest.raises(ToolkitError):
        on_disk.snapshot("2026-01-20")

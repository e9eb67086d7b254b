"""The engine keeps to itself: its folder is private and goes with the study, and its own words reach nobody."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

import pandas as pd
import pytest

import toolkit as tk
from toolkit.data import engine
from toolkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SETTINGS = "name: shop\ntimezone: Asia/Shanghai\ncurrency: CNY\ntables: {{orders: {{files: {files}}}}}\n"


def orders(rows: int, first: str = "2026-01-05") -> pd.DataFrame:
    days = pd.date_range(first, periods=rows, freq="h").strftime("%Y-%m-%d %H:%M:%S")
    return pd.DataFrame({"customer_id": [f"C{n % 50:04d}" for n in range(rows)], "ordered_at": days, "amount": "10"})


def opened(folder: Path, files: str = "orders.parquet") -> tk.Study:
    (folder / "study.yaml").write_text(SETTINGS.format(files=files), "utf-8")
    return tk.Study.open(folder / "study.yaml")


def test_the_spill_folder_is_private_and_goes_with_the_study() -> None:
    study = tk.Study.from_frames(orders(5), timezone="Asia/Shanghai", currency="CNY")
    place = study._spill.path
    assert place.stat().st_mode & 0o777 == 0o700
    del study
    gc.collect()
    assert not place.exists()


@pytest.mark.parametrize(
    "ask",
    [
        lambda study: study.snapshot("2026-12-31"),
        lambda study: study.checks("2026-12-31"),
        lambda study: study.quarantine("2026-12-31"),
        lambda study: study.calendar("2026-12-31"),
    ],
)
def test_a_page_damaged_after_opening_is_told_without_the_engines_words(
    tmp_path: Path, ask: Callable[[tk.Study], object]
) -> None:
    file = tmp_path / "orders.parquet"
    orders(3_000).to_parquet(file, index=False)
    study = opened(tmp_path)
    study.check("2026-12-31")
    data = bytearray(file.read_bytes())
    data[4 : len(data) // 2] = bytes(len(data) // 2 - 4)
    file.write_bytes(bytes(data))
    with pytest.raises(InputError, match=r"^E-engine the tables: .*Try: export the table again"):
        ask(study)


def test_a_study_opens_however_little_memory_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "available", lambda: 10_000)
    study = tk.Study.from_frames(orders(5), timezone="Asia/Shanghai", currency="CNY")
    assert study.snapshot("2026-12-31", columns=["spend"])["spend"].sum() == 50


def test_files_of_separate_days_are_not_searched_for_copies_and_files_of_one_day_are(tmp_path: Path) -> None:
    for name, first in (("a", "2026-01-05"), ("b", "2026-01-08")):
        orders(24, first).to_csv(tmp_path / f"{name}.csv", index=False)
    apart = opened(tmp_path, "'[ab].csv'")
    assert set(apart.ledger["fate"]) == {"used"}
    assert "orders_repeats" not in tables(apart)
    orders(24, "2026-01-08").to_csv(tmp_path / "c.csv", index=False)
    together = opened(tmp_path, "'[abc].csv'")
    assert together.ledger.set_index("reason")["rows"].to_dict() == {"order": 48, "other_file": 24}


def tables(study: tk.Study) -> set[str]:
    return {name for (name,) in study._connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()}

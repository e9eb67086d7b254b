"""What a report saw is kept for its owner only, under pseudonyms, and read back under today's ids."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import pandas as pd
import pytest

import toolkit as tk
from toolkit.report.keeping import keep, kept, kept_hashes, key_of
from toolkit.report.pseudonyms import Pseudonyms

if TYPE_CHECKING:
    from pathlib import Path

DAY = "2026-06-30"
ORDERS = pd.DataFrame(
    {
        "customer_id": ["C1", "C1", "C2", "C3"],
        "ordered_at": ["2026-01-05", "2026-06-01", "2026-02-03", "2026-06-20"],
        "amount": ["100", "50", "20", "500"],
    }
)


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> Pseudonyms:
    monkeypatch.setenv("TOOLKIT_KEY", "a key of a test, long enough")
    return Pseudonyms.open()


def study_of(orders: pd.DataFrame, **more: pd.DataFrame) -> tk.Study:
    return tk.Study.from_frames(orders, timezone="Asia/Shanghai", currency="CNY", **more)


def test_what_was_kept_comes_back_as_it_was(tmp_path: Path, key: Pseudonyms) -> None:
    study = study_of(ORDERS)
    file = keep(study, DAY, tmp_path / "kept", key)
    assert file.name == f"{DAY}.parquet"
    back = study.stored_snapshot(DAY, tmp_path / "kept")
    assert back is not None
    expected = study.snapshot(DAY, columns=list(back.columns))
    pd.testing.assert_frame_equal(back, expected)
    assert back.attrs["price_cuts"] == expected.attrs["price_cuts"]
    assert set(tk.Tiers(study).columns_needed()) <= set(back.columns)


def test_the_file_holds_no_id_and_is_its_owners_alone(tmp_path: Path, key: Pseudonyms) -> None:
    folder = tmp_path / "kept"
    file = keep(study_of(ORDERS), DAY, folder, key)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert all(name.startswith("p_") for name in pd.read_parquet(file).index)
    assert not any(name.encode() in file.read_bytes() for name in ("C1", "C2", "C3"))
    assert list(kept_hashes(folder, "2026-07-31")) == [DAY]
    assert kept_hashes(folder, DAY) == {}


def test_who_is_no_longer_known_stays_a_pseudonym(tmp_path: Path, key: Pseudonyms) -> None:
    keep(study_of(ORDERS), DAY, tmp_path, key)
    links = pd.DataFrame({"customer_id": ["C1"], "id_kind": ["openid"], "id_value": ["C2"]})
    back = kept(study_of(ORDERS, identities=links), DAY, tmp_path)
    assert back is not None
    assert sorted(back.index) == ["C1", "C3", key.of(pd.Index(["C2"], name="customer_id"))[0]]


def test_a_second_report_of_a_day_takes_the_place_of_the_first(tmp_path: Path, key: Pseudonyms) -> None:
    keep(study_of(ORDERS), DAY, tmp_path, key)
    keep(study_of(ORDERS[:2]), DAY, tmp_path, key)
    back = kept(study_of(ORDERS), DAY, tmp_path)
    assert back is not None
    assert list(back.index) == ["C1"]
    assert [file.name for file in tmp_path.iterdir()] == [f"{DAY}.parquet"]


def test_nothing_kept_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TOOLKIT_KEPT", raising=False)
    study = study_of(ORDERS)
    assert study.stored_snapshot(DAY, tmp_path) is None
    assert study.stored_snapshot(DAY) is None


def test_the_demo_has_a_public_key() -> None:
    assert key_of(tk.Study.demo(customers=50)).place == Pseudonyms.demo().place


def test_a_study_that_is_only_called_demo_has_the_users_key(key: Pseudonyms) -> None:
    named = tk.Study.from_frames(ORDERS, timezone="Asia/Shanghai", currency="CNY", name="demo")
    assert key_of(named).place == key.place != Pseudonyms.demo().place

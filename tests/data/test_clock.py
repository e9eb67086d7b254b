"""A snapshot of rows of one day, known on another, at the clock of a third; by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.builders.made_up import study_of

if TYPE_CHECKING:
    from tests.builders.made_up import Row


def test_recency_grows_and_the_window_moves() -> None:
    tables: dict[str, list[Row]] = {
        "orders": [
            {"customer_id": "C1", "ordered_at": "2026-03-01", "amount": "100"},
            {"customer_id": "C1", "ordered_at": "2026-06-20", "amount": "40"},
            {"customer_id": "C2", "ordered_at": "2026-06-29", "amount": "30"},
        ]
    }
    study = study_of(tables, window_days=100)
    then = study.snapshot("2026-06-30", until="2026-06-10")
    assert list(then.index) == ["C1"]
    assert then[["recency_days", "window_spend", "spend"]].to_numpy().tolist() == [[121, 0, 100]]
    assert study.snapshot("2026-06-30").loc["C1", "recency_days"] == 10


def test_a_row_recorded_late_is_known_later() -> None:
    late = {"customer_id": "C1", "ordered_at": "2026-06-01", "amount": "7", "recorded_at": "2026-06-25"}
    study = study_of({"orders": [late, late | {"amount": "1", "recorded_at": None}]})
    assert study.snapshot("2026-06-10")["spend"].tolist() == [1]
    assert study.snapshot("2026-06-10", known="2026-06-30")["spend"].tolist() == [8]


def test_price_bands_are_those_of_the_day_at_which_they_were_learned() -> None:
    prices = [("2026-01-05", amount, f"P{amount}") for amount in ("10", "20", "30")]
    prices += [("2026-06-01", amount, f"P{amount}") for amount in ("1000", "2000", "3000")]
    rows: list[Row] = [
        {"customer_id": f"C{amount}", "ordered_at": day, "amount": amount, "product_id": product}
        for day, amount, product in prices
    ]
    study = study_of({"orders": rows})
    early = study.snapshot("2026-06-30", cuts_at="2026-02-01")
    assert early.attrs["price_cuts"] == pytest.approx((10 + 20 / 3, 20 + 10 / 3))
    assert early["main_price_band"].tolist() == ["low", "high", "mid", "high", "high", "high"]
    today = study.snapshot("2026-06-30")
    assert today["main_price_band"].tolist() == ["low", "mid", "low", "high", "mid", "high"]
    fixed = study_of({"orders": rows}, price_bands=[20, 1000]).snapshot("2026-06-30")
    assert fixed["main_price_band"].to_dict() == {
        "C10": "low", "C1000": "mid", "C20": "low", "C2000": "high", "C30": "mid", "C3000": "high",
    }  # fmt: skip

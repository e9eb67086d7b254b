"""A snapshot whose clock runs on without new rows equals one of a study that never got them."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.builders.made_up import AS_OF, study_of, tables_of
from tests.builders.portrait import LOGS, day_of

if TYPE_CHECKING:
    from tests.builders.made_up import Row

SEVERAL = settings(max_examples=15, deadline=None, derandomize=True, phases=[Phase.generate, Phase.shrink])
BANDS = (9, 100)


def rows_up_to(tables: dict[str, list[Row]], until: date, known: date) -> dict[str, list[Row]]:
    """Return the rows dated up to a day and recorded by another, as an export of then would hold them."""
    kept = dict(tables)
    kept["orders"] = [
        row
        for row in tables["orders"]
        if _by(row["ordered_at"], until) and (row["recorded_at"] is None or _by(row["recorded_at"], known))
    ]
    kept["customers"] = [row for row in tables["customers"] if _by(row["valid_from"] or row["joined_at"], until)]
    for name, when in LOGS.items():
        kept[name] = [row for row in tables[name] if _by(row[when], until)]
    kept["memberships"] = [
        row if _by(row["cancelled_at"], until) else row | {"cancelled_at": None} for row in kept["memberships"]
    ]
    return kept


def _by(moment: str | None, day: date) -> bool:
    return (day_of(moment) or date.min) <= day


@SEVERAL
@given(tables=tables_of(), back=st.sampled_from([0, 7, 31, 91]), late=st.sampled_from([0, 7, 31]))
def test_time_passes_without_an_act(tables: dict[str, list[Row]], back: int, late: int) -> None:
    until, known = AS_OF - timedelta(days=back), AS_OF - timedelta(days=min(back, late))
    seen = study_of(tables, price_bands=BANDS).snapshot(AS_OF, until=until, known=known)
    then = rows_up_to(tables, until, known)
    if not any(row["customer_id"] == "C1" for row in then["orders"]):
        return
    bare = {name: rows for name, rows in then.items() if rows}
    expected = study_of(bare, price_bands=BANDS).snapshot(AS_OF)
    absent = [column for column in seen.columns if column not in expected.columns]
    pd.testing.assert_frame_equal(seen.drop(columns=absent), expected, check_dtype=False)


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


@SEVERAL
@given(tables=tables_of(), wanted=st.sampled_from([["C1"], ["C2", "A1"], ["零", "nobody"], []]))
def test_a_few_customers_are_as_they_are_among_all(tables: dict[str, list[Row]], wanted: list[str]) -> None:
    study = study_of(tables)
    whole = study.snapshot(AS_OF)
    few = study.snapshot(AS_OF, customers=wanted)
    pd.testing.assert_frame_equal(few, whole[whole.index.isin(wanted)])
    quick = [column for column in whole.columns if column != "intent_30d"]
    pd.testing.assert_frame_equal(study.snapshot(AS_OF, columns=quick, customers=wanted), few[quick])
    pd.testing.assert_frame_equal(study.snapshot(AS_OF), whole)

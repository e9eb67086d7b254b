"""What may not matter to risk and value does not: order of rows, ids, unit of money, cut into files."""

from __future__ import annotations

import tempfile
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import toolkit as tk
from tests.builders import made_up
from tests.test_invariants import _in_parquet
from tests.test_invariants_tiers import IDS, MONEY, Row, Tables, populated
from tests.test_point_in_time_risk import LANDMARKS, said
from tests.test_point_in_time_tiers import AS_OF, FEW

if TYPE_CHECKING:
    from collections.abc import Mapping

OF_MONEY = ("expected_value", "expected_spend")


def answers(study: tk.Study) -> dict[str, pd.DataFrame]:
    """Frames of forecasts and grades, those of customers sorted by id."""
    snap = study.snapshot(AS_OF)
    episodes = study.episodes(LANDMARKS, AS_OF)
    churn = tk.ChurnModel().fit(episodes)
    orders, spend = tk.BetaGeo().fit(snap), tk.GammaGamma().fit(snap)
    tested = tk.backtest(study, tk.ChurnModel(), origins=["2026-05-20"], horizon=21, as_of=AS_OF, tiers=tk.RFM())
    clock = tk.churn_clock(study, AS_OF, horizon=30)
    curves = tk.survival_curves(study.episodes(["2026-04-30"], AS_OF))
    return {
        "risk": churn.risk(snap, horizons=(7, 30)).reset_index(),
        "coef": churn.coef_.reset_index(),
        "value": tk.customer_value(snap, orders, spend, days=30).reset_index(),
        "scores": tested.scores,
        "clock": clock.candidates,
        "curves": curves.curves,
    }


@settings(max_examples=2, **FEW)
@given(drawn=made_up.tables_of(), data=st.data())
def test_the_order_of_rows_changes_no_answer(drawn: Tables, data: st.DataObject) -> None:
    tables = populated(drawn)
    shuffled = {name: data.draw(st.permutations(rows)) for name, rows in tables.items()}
    one, other = (said(made_up.study_of(rows)) for rows in (tables, shuffled))
    for name, text in one.items():
        assert text == other[name], name


@settings(max_examples=1, **FEW)
@given(drawn=made_up.tables_of(), parts=st.integers(2, 4))
def test_the_cut_into_files_changes_no_answer(drawn: Tables, parts: int) -> None:
    tables = populated(drawn)
    for order in tables["orders"]:
        order["order_id"] = order["order_id"] and f"{order['order_id']} of {order['customer_id']}"
    with tempfile.TemporaryDirectory() as folder:
        whole, cut = (answers(_in_parquet(Path(folder, str(n)), tables, n)) for n in (1, parts))
    for name, frame in whole.items():
        pd.testing.assert_frame_equal(cut[name], frame, check_exact=True, obj=name)


@settings(max_examples=2, **FEW)
@given(drawn=made_up.tables_of(), data=st.data())
def test_the_names_of_customers_change_no_answer(drawn: Tables, data: st.DataObject) -> None:
    tables = populated(drawn)
    apart = {name: rows for name, rows in tables.items() if name != "identities"}
    old = sorted({row[key] for rows in apart.values() for row in rows for key in IDS if row.get(key)} - {"staff"})
    renamed = dict(zip(old, data.draw(st.permutations([f"甲{n:03d}" for n in range(len(old))])), strict=True))
    others = {
        name: [row | {key: renamed.get(row[key], row[key]) for key in IDS if key in row} for row in rows]
        for name, rows in apart.items()
    }
    _same(answers(made_up.study_of(apart)), answers(made_up.study_of(others)), renamed)


@pytest.mark.parametrize("unit", ["0.01", "100"])
@settings(max_examples=1, **FEW)
@given(drawn=made_up.tables_of())
def test_the_unit_of_money_changes_no_risk_and_no_grade(unit: str, drawn: Tables) -> None:
    tables = populated(drawn)

    def in_unit(row: Row) -> Row:
        money = (key for key in MONEY if row.get(key) is not None)
        return row | {key: str(Decimal(str(row[key])) * Decimal(unit)) for key in money}

    wanted = answers(made_up.study_of(tables))
    value = wanted["value"]
    money = [name for name in value.columns if str(name).startswith(OF_MONEY)]
    wanted["value"] = value.assign(**{name: value[name] * float(unit) for name in money})
    del wanted["coef"]
    _same(wanted, answers(made_up.study_of({name: list(map(in_unit, rows)) for name, rows in tables.items()})))


def _same(
    one: Mapping[str, pd.DataFrame], other: Mapping[str, pd.DataFrame], renamed: Mapping[str, str] | None = None
) -> None:
    for name, frame in one.items():
        wanted, found = frame, other[name]
        if renamed and "customer_id" in frame.columns:
            wanted = frame.assign(customer_id=frame["customer_id"].map(renamed)).sort_values("customer_id")
            found = found.sort_values("customer_id")
        pd.testing.assert_frame_equal(
            found.reset_index(drop=True),
            wanted.reset_index(drop=True),
            rtol=1e-6,
            atol=1e-9,
            check_dtype=False,
            obj=name,
        )

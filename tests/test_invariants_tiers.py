"""What may not matter to tiers, moves and clusters does not: order of rows, ids, unit of money, cut into files."""

from __future__ import annotations

import tempfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

import toolkit as tk
from tests.builders import made_up
from tests.test_invariants import _in_parquet
from tests.test_point_in_time_tiers import AS_OF, BEFORE, CROWD, MONTHS, said

Row = dict[str, Any]
Tables = dict[str, list[Row]]
FEW: dict[str, Any] = {"deadline": None, "derandomize": True, "phases": [Phase.generate]}
LAYERS = {"K0": "lead_in", "K1": "entry", "K2": "premium"}
IDS = ("customer_id", "referred_by")
MONEY = ("amount", "list_price", "offer_price", "value")


def populated(drawn: Tables) -> Tables:
    """Stand made-up rows beside forty customers who are enough to be tiered, clustered and followed."""
    tables = dict(drawn)
    for name, rows in CROWD.items():
        tables[name] = [*drawn[name], *({key: row.get(key) or None for key in drawn[name][0]} for row in rows)]
    tables["orders"] = [
        row | {"product_layer": LAYERS.get(row["product_id"], row["product_layer"])} for row in tables["orders"]
    ]
    return tables


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


def answers(study: tk.Study) -> dict[str, pd.DataFrame]:
    """Frames that hold ids, counts and money, each sorted by what stands in it."""
    tiers = tk.Tiers(study).fit(study.snapshot(BEFORE))
    snap = study.snapshot(AS_OF)
    anew = tk.Tiers(study).fit(snap)
    tiered = anew.transform(snap)
    rules = {"purchase_habit": {"frequent": "window_order_days >= 2", "potential": "else"}}
    compared = tk.compare(anew, rules, snap)
    history = tk.tier_history(study, MONTHS, band=0.1, minimum_stay=2)
    found = {
        "tiers": tiered[list(anew.schemes_)].astype(str).reset_index(),
        "compared": compared.schemes.reset_index(),
        "compared, moved": compared.moved,
        "spells": history.spells.astype({"tier": "str"}),
        "changes": history.per_date.reset_index(),
        "accounting": tk.growth_accounting(study, "M", as_of=AS_OF).periods.reset_index(),
        "retention": tk.cohort_retention(study, AS_OF).active.reset_index(),
    }
    for by in ("segment", "value_class", "layer"):
        move = tk.migrate(study, BEFORE, AS_OF, by=by, tiers=tiers)
        found[f"{by}, matrix"] = move.matrix.astype({"from": "str", "to": "str"})
        found[f"{by}, bridge"] = move.bridge
        found[f"{by}, moved"] = move.moved.astype(dict.fromkeys(("from", "to", "cause", "corrected", "clocked"), "str"))
    then = tk.Clusters(k=2, n_init=3).fit(study.snapshot(BEFORE))
    now = tk.Clusters(k=3, n_init=3).fit(snap, previous=then)
    found["clusters"] = now.labels_.astype(object).to_frame("cluster").reset_index()
    found["clusters, profile"] = now.profile_[["customers", "spend"]].reset_index()
    found["clusters, rules"] = now.rules_[["customers", "precision", "recall"]].reset_index()
    return found


def by_id(frame: pd.DataFrame) -> pd.DataFrame:
    if "customer_id" not in frame.columns:
        return frame
    keys = [name for name in ("customer_id", "scheme", "valid_from") if name in frame.columns]
    return frame.sort_values(keys).reset_index(drop=True)


@pytest.mark.parametrize("rising", [True, False], ids=["in the same order", "in another order"])
@settings(max_examples=2, **FEW)
@given(drawn=made_up.tables_of(), data=st.data())
def test_the_names_of_customers_change_no_answer(rising: bool, drawn: Tables, data: st.DataObject) -> None:
    tables = populated(drawn)
    apart = {name: rows for name, rows in tables.items() if name != "identities"}
    old = sorted({row[key] for rows in apart.values() for row in rows for key in IDS if row.get(key)} - {"staff"})
    new = [f"甲{place:03d}" for place in range(len(old))]
    renamed = dict(zip(old, new if rising else data.draw(st.permutations(new)), strict=True))
    others = {
        name: [row | {key: renamed.get(row[key], row[key]) for key in IDS if key in row} for row in rows]
        for name, rows in apart.items()
    }
    one, other = answers(made_up.study_of(apart)), answers(made_up.study_of(others))
    for name, frame in one.items():
        told = frame.copy()
        if "customer_id" in told.columns:
            told["customer_id"] = told["customer_id"].map(renamed)
        wanted, found = (told, other[name]) if rising else (by_id(told), by_id(other[name]))
        pd.testing.assert_frame_equal(found, wanted, check_dtype=False, obj=name)


@pytest.mark.parametrize("unit", ["0.01", "7.3"])
@settings(max_examples=2, **FEW)
@given(drawn=made_up.tables_of())
def test_the_unit_of_money_moves_nobody(unit: str, drawn: Tables) -> None:
    tables = populated(drawn)

    def in_unit(row: Row) -> Row:
        money = (key for key in MONEY if row.get(key) is not None)
        return row | {key: str(Decimal(str(row[key])) * Decimal(unit)) for key in money}

    others = {name: list(map(in_unit, rows)) for name, rows in tables.items()}
    one, other = answers(made_up.study_of(tables)), answers(made_up.study_of(others))
    for name, frame in one.items():
        if name.endswith("bridge"):
            money = frame["measure"] == "spend"
            parts = frame.columns[2:]
            assert (frame.loc[money, parts] * Decimal(unit)).equals(other[name].loc[money, parts]), name
            assert frame[~money].equals(other[name][~money]), name
            continue
        wanted = frame.copy()
        for column in wanted.columns:
            if str(column).startswith("spend"):
                wanted[column] *= float(unit)
        pd.testing.assert_frame_equal(other[name], wanted, rtol=1e-9, atol=1e-9, obj=name)

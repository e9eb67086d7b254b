"""What may not matter does not: order of rows, unit of money, ids, cut into files; no money is lost or made."""

from __future__ import annotations

import tempfile
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

import toolkit as tk
from tests.builders import made_up
from tests.builders.portrait import persons

AS_OF = "2026-06-30"
STATED: dict[str, Any] = {
    "timezone": "Asia/Shanghai",
    "currency": "CNY",
    "policies": {"missing_customer": "exclude", "negative_amounts": "refund"},
    "exclude_customers": ["staff"],
}
FEW = settings(max_examples=5, deadline=None, derandomize=True, phases=[Phase.generate])
SOME = settings(max_examples=20, deadline=None, derandomize=True, phases=[Phase.generate])

Row = dict[str, Any]

DAYS = st.dates(date(2025, 1, 1), date(2026, 8, 31)).map(str) | st.sampled_from(["2026-03-01", "2026-03-02"])
LINE: st.SearchStrategy[Row] = st.fixed_dictionaries(
    {
        "customer_id": st.sampled_from([f"C{n}" for n in range(5)]),
        "ordered_at": DAYS,
        "cents": st.integers(-5_000, 200_000) | st.sampled_from([0, 1, 1999, 1999, 9900]),
        "order_id": st.sampled_from([None, None, "O1", "O2", "O3"]),
        "quantity": st.sampled_from([1, 2, 3]),
    }
)
OUTSIDE = LINE | st.builds(lambda line, who: line | {"customer_id": who}, LINE, st.sampled_from([None, "staff"]))
BUYS = {"customer_id": "C0", "ordered_at": "2026-01-05", "cents": 1234, "order_id": "A1", "quantity": 1}


def _lines(line: st.SearchStrategy[Row]) -> st.SearchStrategy[pd.DataFrame]:
    return st.lists(line, min_size=8, max_size=40).map(lambda rows: pd.DataFrame([BUYS, *rows], dtype=object))


def _study(lines: pd.DataFrame, unit: Decimal = Decimal("0.01")) -> tk.Study:
    """Give the study the amounts as text, at so many units of money per cent."""
    amounts = [f"{cents * unit:f}" for cents in lines["cents"]]
    return tk.Study.from_frames(orders=lines.drop(columns="cents").assign(amount=amounts), **STATED)


def _scores(study: tk.Study, **options: Any) -> pd.DataFrame:
    snap = study.snapshot(AS_OF)
    return tk.RFM(**options).fit(snap).transform(snap)[["r_score", "f_score", "m_score", "segment"]]


@pytest.mark.parametrize("split", ["median", "mean"])
@SOME
@given(lines=_lines(LINE), data=st.data())
def test_the_order_of_rows_moves_nobody(split: Any, lines: pd.DataFrame, data: st.DataObject) -> None:
    shuffled = lines.loc[data.draw(st.permutations(lines.index.tolist()))]
    pd.testing.assert_frame_equal(_study(lines).snapshot(AS_OF), _study(shuffled).snapshot(AS_OF))
    pd.testing.assert_frame_equal(_scores(_study(lines), split=split), _scores(_study(shuffled), split=split))


@pytest.mark.parametrize("split", ["median", "mean"])
@pytest.mark.parametrize("unit", [Decimal(1), Decimal("0.0001")], ids=["cents", "hundreds"])
@SOME
@given(lines=_lines(LINE))
def test_the_unit_of_money_moves_nobody(unit: Decimal, split: Any, lines: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(_scores(_study(lines), split=split), _scores(_study(lines, unit), split=split))


@pytest.mark.parametrize("split", ["median", "mean"])
@SOME
@given(lines=_lines(LINE), names=st.permutations(["零", "00", "Z", "10", "9"]))
def test_the_names_of_customers_move_nobody(split: Any, lines: pd.DataFrame, names: list[str]) -> None:
    renamed = {f"C{n}": name for n, name in enumerate(names)}
    expected = _scores(_study(lines), split=split).rename(index=renamed).sort_index()
    other = _scores(_study(lines.assign(customer_id=lines["customer_id"].map(renamed))), split=split).sort_index()
    pd.testing.assert_frame_equal(other, expected, check_index_type=False)


@SOME
@given(lines=_lines(OUTSIDE))
def test_refunds_conserve_money(lines: pd.DataFrame) -> None:
    study = _study(lines)
    book, snap = study.ledger_at(AS_OF), study.snapshot(AS_OF)
    money = {fate: sum(book.loc[book["fate"] == fate, "money"], Decimal(0)) for fate in ("used", "refund")}
    assert _exact(snap["spend"]) == money["used"] + money["refund"]
    assert _exact(snap["refund_amount"]) == -money["refund"]


@SOME
@given(lines=_lines(OUTSIDE), as_of=DAYS.filter(lambda day: day >= "2026-01-05"))
def test_the_ledger_holds_every_row_and_every_cent(lines: pd.DataFrame, as_of: str) -> None:
    total = Decimal(sum(lines["cents"])) / 100
    for book in (_study(lines).ledger, _study(lines).ledger_at(as_of)):
        assert book["rows"].sum() == len(lines)
        assert sum(book["money"], Decimal(0)) == total


def _exact(money: pd.Series[float]) -> Decimal:
    return sum((Decimal(repr(value)) for value in money.tolist()), Decimal(0))


# every table


@FEW
@given(tables=made_up.tables_of(), data=st.data())
def test_the_order_of_rows_changes_no_portrait(tables: dict[str, list[Row]], data: st.DataObject) -> None:
    shuffled = {name: data.draw(st.permutations(rows)) for name, rows in tables.items()}
    one, other = (made_up.study_of(rows).snapshot(AS_OF) for rows in (tables, shuffled))
    pd.testing.assert_frame_equal(one, other, check_exact=True)


@FEW
@given(tables=made_up.tables_of(), names=st.permutations(["甲", "00", "Z", "10", "9", "~", "c1", "!"]))
def test_the_names_of_customers_change_no_portrait(tables: dict[str, list[Row]], names: list[str]) -> None:
    renamed = dict(zip(("C1", "C2", "C3", "C4", "C5", "A1", "A2", "零"), names, strict=True))
    ids = ("customer_id", "referred_by")
    apart = {name: rows for name, rows in tables.items() if name != "identities"}
    others = {
        name: [row | {key: renamed.get(row[key], row[key]) for key in ids if key in row} for row in rows]
        for name, rows in apart.items()
    }
    expected = made_up.study_of(apart).snapshot(AS_OF).rename(index=renamed).sort_index()
    found = made_up.study_of(others).snapshot(AS_OF).sort_index()
    pd.testing.assert_frame_equal(found, expected, check_index_type=False)


@FEW
@given(tables=made_up.tables_of(), parts=st.integers(2, 4))
def test_the_cut_into_parquet_files_changes_no_portrait(tables: dict[str, list[Row]], parts: int) -> None:
    for order in tables["orders"]:
        order["order_id"] = order["order_id"] and f"{order['order_id']} of {order['customer_id']}"
    with tempfile.TemporaryDirectory() as folder:
        whole, cut = (_in_parquet(Path(folder, str(n)), tables, n).snapshot(AS_OF) for n in (1, parts))
    pd.testing.assert_frame_equal(whole, cut, check_exact=True)


def _in_parquet(folder: Path, tables: dict[str, list[Row]], parts: int) -> tk.Study:
    """Write each table into so many files, all rows of a person into one, and open them as a study."""
    folder.mkdir()
    who = persons(tables["identities"])
    for name, rows in tables.items():
        for part in range(parts):
            mine = [row for row in rows if sum(map(ord, _owner(row, who))) % parts == part]
            if mine:
                text = [{key: None if cell is None else str(cell) for key, cell in row.items()} for row in mine]
                schema = pa.schema([(key, pa.string()) for key in mine[0]])
                pq.write_table(pa.Table.from_pylist(text, schema), folder / f"{name}_{part}.parquet")
    files = {"tables": {name: {"files": f"{name}_*.parquet"} for name in tables}}
    content = yaml.safe_dump({"name": "cut"} | made_up.SETTINGS | files, allow_unicode=True)
    (folder / "study.yaml").write_text(content, encoding="utf-8")
    return tk.Study.open(folder / "study.yaml")


def _owner(row: Row, who: dict[str, str]) -> str:
    return who.get(row["customer_id"], row["customer_id"]) or ""

"""No change to rows after as_of changes anything that is said at as_of, by one byte."""

from __future__ import annotations

import csv
import tempfile
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

import toolkit as tk
from toolkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

AS_OF, CUTS_LEARNED = "2026-06-30", "2026-03-31"
FIRST, LAST = date(2026, 1, 1), date(2026, 6, 30)

Row = dict[str, str]

SETTINGS: dict[str, Any] = {
    "timezone": "Asia/Shanghai",
    "currency": "CNY",
    "policies": {"missing_customer": "exclude", "negative_amounts": "refund", "refunded_rows": "refund_record"},
    "loss_budget": {"rows": 1, "money": 1},
}
STUDY_YAML = """\
name: point-in-time
timezone: Asia/Shanghai
currency: CNY
policies: {missing_customer: exclude, negative_amounts: refund, refunded_rows: refund_record}
loss_budget: {rows: 1, money: 1}
tables:
  orders: {files: "orders*"}
  customers: {files: "customers*"}
"""

ANCHOR: Row = {
    "order_id": "A1",
    "line_id": "",
    "customer_id": "C1",
    "ordered_at": "2026-01-05 09:00",
    "recorded_at": "",
    "amount": "10.00",
    "quantity": "1",
    "status": "paid",
    "product_id": "",
}
LATER_ANCHOR: Row = ANCHOR | {"order_id": "A2", "ordered_at": "2026-07-05 09:00"}
MEMBER: Row = {
    "customer_id": "C0",
    "joined_at": "2026-01-02",
    "valid_from": "2026-01-02",
    "gender": "f",
    "region": "沪",
    "acquisition_channel": "wechat",
}


def _text(*values: str) -> st.SearchStrategy[str]:
    return st.sampled_from(values)


def _days(first: date, last: date) -> st.SearchStrategy[str]:
    clock = _text("", " 00:00", " 12:30:15", " 23:59:59", " 23:59")
    return st.builds("{}{}".format, st.dates(first, last), clock)


EARLIER_DAYS = _days(FIRST, LAST) | _text("2026-06-30", "2026-06-30 23:59:59", "2026-06-30T15:59:00Z", "2026年6月30日")
LATER_DAYS = _days(LAST + timedelta(days=1), date(2027, 12, 31)) | _text(
    "2026-07-01", "2026-07-01 00:00:00", "2026-06-30T16:00:00Z", "2026/7/1 00:00"
)
EARLIER_ORDER = st.fixed_dictionaries(
    {
        "order_id": _text("", "O1", "O2", "O3", "O4"),
        "line_id": _text("", "", "", "L1", "L2", "L3"),
        "customer_id": _text("C1", "C2", "C3", "00123", " C4 ", "c2", ""),
        "ordered_at": EARLIER_DAYS,
        "recorded_at": st.just("") | EARLIER_DAYS,
        "amount": _text("10.00", "5.5", "¥1,200.00", "0.01", "-3.00", "(2.50)", "0", "abc", ""),
        "quantity": _text("1", "2", "0", "x", ""),
        "status": _text("paid", "交易成功", "refunded", "cancelled", "待付款", "??", ""),
        "product_id": _text("", "P1", "P2"),
    }
)
_LATER_CELLS = {
    "order_id": _text("", "O1", "O2", "O9", "A1"),
    "line_id": _text("", "L1", "L2", "L3", "L9"),
    "customer_id": _text("C1", "C2", "C3", "C1 ", "00123", "NEW", "新客", "1.38E+16", "", "null"),
    "amount": _text("10.00", "-7.00", "1e308", "USD 5", "1.234,50", "abc", "", "0", "99999999", "nan"),
    "quantity": _text("1", "-1", "x", ""),
    "status": _text("paid", "refunded", "cancelled", "never heard of", "", "pending"),
    "product_id": _text("", "P1", "P9"),
}
LATER_ORDER = st.fixed_dictionaries(
    _LATER_CELLS
    | {"ordered_at": LATER_DAYS | st.just("9999-12-31"), "recorded_at": st.just("") | EARLIER_DAYS | LATER_DAYS}
) | st.fixed_dictionaries(_LATER_CELLS | {"ordered_at": EARLIER_DAYS, "recorded_at": LATER_DAYS})

_PERSON = {
    "gender": _text("f", "m", ""),
    "region": _text("沪", "310000", ""),
    "acquisition_channel": _text("wechat", "shop", ""),
}
EARLIER_PERSON = st.fixed_dictionaries(
    _PERSON
    | {"customer_id": _text("C1", "C2", "C7", "00123"), "joined_at": EARLIER_DAYS, "valid_from": _days(FIRST, LAST)}
)
LATER_PERSON = st.fixed_dictionaries(
    _PERSON
    | {
        "customer_id": _text("C0", "C1", "C2", "NEW", "1.38E+16", ""),
        "joined_at": EARLIER_DAYS | LATER_DAYS | st.just(""),
        "valid_from": LATER_DAYS,
    }
) | st.fixed_dictionaries(
    _PERSON | {"customer_id": _text("C0", "C1", "C7", "NEW", ""), "joined_at": LATER_DAYS, "valid_from": st.just("")}
)


def _valid_day(row: Row) -> tuple[str, str]:
    return row["customer_id"], row["valid_from"][:10]


@st.composite
def _rows_before(draw: st.DrawFn) -> tuple[list[Row], list[Row]]:
    orders = draw(st.lists(EARLIER_ORDER, max_size=14))
    people = draw(st.lists(EARLIER_PERSON, max_size=4, unique_by=_valid_day))
    return [ANCHOR, *orders], [MEMBER, *people]


@st.composite
def _with_later_rows(draw: st.DrawFn, before: tuple[list[Row], list[Row]]) -> tuple[list[Row], list[Row]]:
    orders, people = before
    return (
        _mixed(draw, orders, draw(st.lists(LATER_ORDER, max_size=8))),
        _mixed(draw, people, draw(st.lists(LATER_PERSON, max_size=4))),
    )


def _mixed(draw: st.DrawFn, rows: Sequence[Row], later: Sequence[Row]) -> list[Row]:
    mixed = list(rows)
    for row in later:
        mixed.insert(draw(st.integers(0, len(mixed))), row)
    return mixed


@st.composite
def _two_futures(draw: st.DrawFn) -> tuple[tuple[list[Row], list[Row]], tuple[list[Row], list[Row]]]:
    before = draw(_rows_before())
    return draw(_with_later_rows(before)), draw(_with_later_rows(before))


def _from_frames(orders: list[Row], people: list[Row], folder: Path) -> tk.Study:
    return tk.Study.from_frames(orders=pd.DataFrame(orders), customers=pd.DataFrame(people), **SETTINGS)


def _from_csv(orders: list[Row], people: list[Row], folder: Path) -> tk.Study:
    _write_csv(folder / "orders.csv", orders)
    _write_csv(folder / "customers.csv", people)
    return _opened(folder)


def _from_two_csv(orders: list[Row], people: list[Row], folder: Path) -> tk.Study:
    last = max(n for n, row in enumerate(orders) if row["ordered_at"][:10] <= "2026-06-30")
    _write_csv(folder / "orders_1.csv", orders[: last + 1])
    _write_csv(folder / "orders_2.csv", [LATER_ANCHOR, *orders[last + 1 :]])
    _write_csv(folder / "customers.csv", people)
    return _opened(folder)


def _from_parquet(orders: list[Row], people: list[Row], folder: Path) -> tk.Study:
    pd.DataFrame(orders).to_parquet(folder / "orders.parquet")
    pd.DataFrame(people).to_parquet(folder / "customers.parquet")
    return _opened(folder)


def _write_csv(path: Path, rows: list[Row]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def _opened(folder: Path) -> tk.Study:
    (folder / "study.yaml").write_text(STUDY_YAML, encoding="utf-8")
    return tk.Study.open(folder / "study.yaml")


def said(study: tk.Study, as_of: str = AS_OF) -> dict[str, str]:
    """Everything a study says at a date, as text that shows every digit, type and missing value."""
    snap = study.snapshot(as_of)
    now = tk.RFM().fit_transform(snap)
    before = tk.RFM().fit(study.snapshot(CUTS_LEARNED)).transform(snap)
    book = study.ledger_at(as_of)
    quarantine = study.quarantine(as_of)
    quarantine = quarantine.drop(columns="row").sort_values(list(quarantine.columns.drop("row")))
    frames = {
        "snapshot": snap,
        "scores": now,
        "scores with earlier cuts": before,
        "segment_summary": tk.segment_summary(now),
        "core_gap": tk.core_gap(now),
        "core_gap with earlier cuts": tk.core_gap(before),
        "ledger": book[book["fate"] != "later"].reset_index(drop=True),
        "calendar": study.calendar(as_of),
        "quarantine": quarantine.reset_index(drop=True),
    }
    texts = {name: f"{frame.dtypes.to_dict()}\n{frame.to_csv(na_rep='<NA>')}" for name, frame in frames.items()}
    return texts | {"cuts": f"{now.attrs}{before.attrs}", "checks": "\n".join(map(str, study.checks(as_of)))}


def _said_of(how: Any, orders: list[Row], people: list[Row]) -> dict[str, str]:
    with tempfile.TemporaryDirectory() as folder:
        return said(how(orders, people, Path(folder)))


FEW = settings(max_examples=12, deadline=None, derandomize=True, phases=[Phase.generate])


@pytest.mark.parametrize("how", [_from_frames, _from_csv, _from_two_csv])
@FEW
@given(futures=_two_futures())
def test_later_rows_change_nothing(how: Any, futures: Any) -> None:
    one, other = futures
    assert _said_of(how, *one) == _said_of(how, *other)


@settings(FEW, max_examples=4)
@given(futures=_two_futures())
def test_later_rows_of_parquet_files_change_nothing(futures: Any) -> None:
    one, other = futures
    assert _said_of(_from_parquet, *one) == _said_of(_from_parquet, *other)


@pytest.mark.parametrize("how", [_from_frames, _from_csv])
@FEW
@given(before=_rows_before(), data=st.data())
def test_the_order_of_rows_changes_nothing(how: Any, before: Any, data: st.DataObject) -> None:
    orders, people = before
    first = {row["line_id"]: row for row in reversed(orders) if row["line_id"]}
    orders = [first.get(row["line_id"], row) for row in orders]
    shuffled = data.draw(st.permutations(orders)), data.draw(st.permutations(people))
    assert _said_of(how, orders, people) == _said_of(how, *shuffled)


@pytest.mark.parametrize(
    ("moment", "recorded", "visible"),
    [
        ("2026-06-30 23:59:59", "", True),
        ("2026-07-01 00:00:00", "", False),
        ("2026-06-30T15:59:59Z", "", True),
        ("2026-06-30T16:00:00Z", "", False),
        ("2026-06-01", "2026-06-30 23:59:59", True),
        ("2026-06-01", "2026-07-01 00:00:00", False),
        ("2026-07-01", "2026-06-01", False),
    ],
)
def test_the_day_ends_at_local_midnight(moment: str, recorded: str, visible: bool) -> None:
    row = ANCHOR | {"customer_id": "C9", "ordered_at": moment, "recorded_at": recorded}
    study = tk.Study.from_frames(orders=pd.DataFrame([ANCHOR, row]), **SETTINGS)
    assert ("C9" in study.snapshot(AS_OF).index) == visible
    assert ("later" in set(study.ledger_at(AS_OF)["fate"])) != visible


@pytest.mark.parametrize("column", ["amount", "status", "ordered_at", "quantity", "customer_id"])
def test_an_earlier_row_does_change_what_is_said(column: str) -> None:
    other = {"amount": "11", "status": "cancelled", "ordered_at": "2026-01-06", "quantity": "2", "customer_id": "C2"}
    row = ANCHOR | {"order_id": "A3", "amount": "30"}
    one, altered = (_said_of(_from_frames, [ANCHOR, last], [MEMBER]) for last in (row, row | {column: other[column]}))
    assert one["snapshot"] != altered["snapshot"]


def test_a_deleted_later_row_does_not_decide_which_order_was_last() -> None:
    same_moment = [ANCHOR | {"order_id": "", "ordered_at": "2026-02-01", "amount": amount} for amount in ("5", "7")]
    rows = [*[ANCHOR] * 7, LATER_ANCHOR, *same_moment]
    one, other = (_said_of(_from_csv, orders, [MEMBER]) for orders in (rows, [*rows[:7], *rows[8:]]))
    assert one["snapshot"] == other["snapshot"]


@pytest.mark.parametrize("cells", [",", ",,,"])
def test_empty_cells_at_the_end_of_a_later_row_are_not_told(tmp_path: Path, cells: str) -> None:
    rows = "customer_id,ordered_at,amount\nC1,2026-01-05,10\nC2,2026-02-05,10\n"
    told = []
    for name, text in (("one", rows), ("other", f"{rows}C1,2026-07-05,10{cells}\n")):
        folder = tmp_path / name
        folder.mkdir()
        _write_csv(folder / "customers.csv", [MEMBER])
        (folder / "orders.csv").write_text(text, encoding="utf-8")
        told.append(said(_opened(folder)))
    assert told[0] == told[1]


TYPED_ORDERS = pd.DataFrame(
    {
        "customer_id": [17.0, 18.0, None],
        "ordered_at": pd.to_datetime(["2026-01-05 00:00", "2026-02-05 10:30", "2026-06-30 23:59"]),
        "amount": [10.0, 0.00001, 12.5],
        "quantity": [1, 2, 1],
        "status": [1, 1, 2],
    }
)
TYPED_PEOPLE = pd.DataFrame({"customer_id": [17, 18], "joined_at": ["2026-01-01", "2026-01-02"], "gender": [1, 2]})
_LATER_CELL = {"customer_id": 19.0, "ordered_at": pd.Timestamp("2026-07-05"), "amount": 1.0, "quantity": 1, "status": 1}


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("customer_id", "new"),
        ("customer_id", None),
        ("ordered_at", "2026-07-05 10:00"),
        ("amount", "abc"),
        ("amount", None),
        ("quantity", "x"),
        ("quantity", None),
        ("status", "paid"),
        ("status", None),
    ],
)
def test_a_later_cell_that_changes_the_type_of_a_column_changes_nothing(column: str, cell: object) -> None:
    one, other = (
        pd.DataFrame([*TYPED_ORDERS.to_dict("records"), row]) for row in (_LATER_CELL, _LATER_CELL | {column: cell})
    )
    statuses = {"paid": ["1"], "cancelled": ["2"]}
    assert _said_of_frames(one, statuses=statuses) == _said_of_frames(other, statuses=statuses)


def test_a_later_person_without_a_gender_code_changes_nothing() -> None:
    later = pd.DataFrame({"customer_id": [19], "joined_at": ["2026-07-05"], "gender": [None]}, dtype=object)
    people = pd.concat([TYPED_PEOPLE, later.astype({"gender": "float64"})], ignore_index=True)
    orders = pd.DataFrame([ANCHOR])
    assert _said_of_frames(orders, customers=TYPED_PEOPLE) == _said_of_frames(orders, customers=people)


def _said_of_frames(orders: pd.DataFrame, **more: Any) -> dict[str, str]:
    """All but the quarantine, which shows rows as they were read, types included."""
    told = said(tk.Study.from_frames(orders=orders, **SETTINGS, **more))
    return {name: text for name, text in told.items() if name != "quarantine"}


def test_a_person_described_twice_on_one_day_does_not_depend_on_the_order_of_rows() -> None:
    people = [MEMBER, MEMBER | {"gender": "m"}]
    told = []
    for order in (people, people[::-1]):
        try:
            told.append(_said_of(_from_frames, [ANCHOR], order)["snapshot"])
        except InputError as refusal:
            told.append(refusal.code)
    assert told[0] == told[1]


def test_lines_that_contradict_each_other_on_one_day_do_not_depend_on_the_order_of_rows() -> None:
    lines = [ANCHOR | {"order_id": "A3", "line_id": "L1", "customer_id": "C2", "amount": paid} for paid in ("5", "7")]
    one, other = (_said_of(_from_frames, [ANCHOR, *rows], [MEMBER]) for rows in (lines, lines[::-1]))
    assert one["snapshot"] == other["snapshot"]
    assert one["ledger"] == other["ledger"]

"""No change to rows after as_of, in any table, changes anything that is said at as_of, by one byte."""

from __future__ import annotations

import csv
import tempfile
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
import yaml
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

import toolkit as tk

if TYPE_CHECKING:
    from collections.abc import Callable

AS_OF = "2026-06-30"
FIRST, LAST = date(2026, 1, 1), date(2026, 6, 30)

Row = dict[str, str]
Rows = dict[str, list[Row]]

SETTINGS: dict[str, Any] = {
    "timezone": "Asia/Shanghai",
    "currency": "CNY",
    "policies": {"missing_customer": "exclude", "negative_amounts": "refund", "refunded_rows": "refund_record"},
    "loss_budget": {"rows": 1, "money": 1},
    "currency_rates": {"USD": 7.1},
}


def _text(*values: str) -> st.SearchStrategy[str]:
    return st.sampled_from(values)


def _days(first: date, last: date) -> st.SearchStrategy[str]:
    return st.builds("{}{}".format, st.dates(first, last), _text("", " 00:00", " 12:30:15", " 23:59:59"))


EARLIER = _days(FIRST, LAST) | _text("2026-06-30 23:59:59", "2026-06-30T15:59:00Z", "2026年6月30日")
LATER = _days(LAST + timedelta(days=1), date(2027, 12, 31)) | _text("2026-07-01", "2026-06-30T16:00:00Z", "2026/7/1")
PEOPLE = _text("C1", "C2", "C3", "00123", " C4 ", "c2")
NEW = PEOPLE | _text("NEW", "新客", "1.38E+16", "138****8000", "17.0", "", "null", '="C1"')
EVIL = _text("", "x", "-1", "1e308", "nan", "$5", "1.234,50", "maybe", "是", "never heard of", "99999999", "03/04/2026")

EARLIER_CELLS: dict[str, dict[str, st.SearchStrategy[str]]] = {
    "orders": {
        "customer_id": PEOPLE, "ordered_at": EARLIER, "amount": _text("10.00", "¥1,200.00", "-3.00", "0", "abc"),
        "order_id": _text("", "O1", "O2"), "product_id": _text("", "K1", "K2"), "list_price": _text("", "12", "x"),
        "currency": _text("", "CNY", "USD"),
    },
    "customers": {
        "customer_id": _text("C1", "C2", "C7"), "joined_at": EARLIER | st.just(""), "valid_from": _days(FIRST, LAST),
        "region": _text("沪", "京", ""), "opted_out": _text("yes", "no", ""), "referred_by": _text("C1", "C3", ""),
    },
    "events": {
        "customer_id": PEOPLE | st.just(""), "occurred_at": EARLIER | _text("soon", "1970-01-01"),
        "kind": _text("view", "点赞", "open", "lesson_start", "完课", "odd", "reply", ""),
        "content_id": _text("K1", "K2", ""), "duration_seconds": _text("30", "1:02:03", "-5", "x", ""),
        "value": _text("10", "abc", ""),
    },
    "contacts": {
        "customer_id": PEOPLE, "sent_at": EARLIER, "delivered": _text("1", "0", ""), "opened": _text("1", "0", ""),
        "opted_out": _text("yes", "no", "", "?"), "offer_price": _text("9", "", "x"),
    },
    "surveys": {
        "customer_id": PEOPLE, "answered_at": EARLIER, "kind": _text("nps", "满意度", ""),
        "score": _text("9", "9分", "12", "", "x"),
    },
    "costs": {
        "channel": _text("wechat", "shop", ""), "period_start": EARLIER | _text("2026-06", "2026年6月", "soon"),
        "amount": _text("10", "0.1", "-3", "x", ""),
    },
    "assignments": {
        "experiment_id": _text("X1", "X2", ""), "customer_id": PEOPLE, "arm": _text("a", "b", ""),
        "assigned_at": EARLIER | st.just("1970-01-01"), "tier": _text("core", ""),
    },
    "memberships": {
        "customer_id": PEOPLE, "starts_at": EARLIER, "ends_at": EARLIER | LATER | _text("", "9999-12-31", "x"),
        "cancelled_at": st.just("") | EARLIER | st.just("soon"),
    },
}  # fmt: skip
WHEN = {
    "orders": "ordered_at", "events": "occurred_at", "contacts": "sent_at", "surveys": "answered_at",
    "costs": "period_start", "assignments": "assigned_at", "memberships": "starts_at",
}  # fmt: skip
ANCHORS: dict[str, Row] = {
    "orders": {"customer_id": "C1", "ordered_at": "2026-01-05 09:00", "amount": "10.00", "order_id": "A1",
               "product_id": "K1", "list_price": "12", "currency": "CNY"},
    "customers": {"customer_id": "C0", "joined_at": "2026-01-02", "valid_from": "2026-01-02", "region": "沪",
                  "opted_out": "no", "referred_by": "C1"},
    "events": {"customer_id": "C1", "occurred_at": "2026-06-05 09:00", "kind": "view", "content_id": "K2",
               "duration_seconds": "30", "value": "5"},
    "contacts": {"customer_id": "C1", "sent_at": "2026-06-05 09:00", "delivered": "1", "opened": "0", "opted_out": "no",
                 "offer_price": "9"},
    "surveys": {"customer_id": "C1", "answered_at": "2026-06-05", "kind": "nps", "score": "9"},
    "costs": {"channel": "wechat", "period_start": "2026-06-01", "amount": "10"},
    "assignments": {"experiment_id": "X1", "customer_id": "C1", "arm": "a", "assigned_at": "2026-06-05",
                    "tier": "core"},
    "memberships": {"customer_id": "C1", "starts_at": "2026-06-05", "ends_at": "2026-12-31", "cancelled_at": ""},
}  # fmt: skip


def _later_row(table: str) -> st.SearchStrategy[Row]:
    """Rows dated later: one that nothing is wrong with, one like the earlier ones, or one with anything in it."""
    whole = {name: st.just(cell) for name, cell in ANCHORS[table].items()}
    if table != "costs":
        whole["customer_id"] = _text("C1", "C2", "NEW")
    if table == "events":
        whole["kind"] = _text("view", "lesson_start", "lesson_complete", "open", "点赞")
    if table == "customers":
        return st.fixed_dictionaries(whole | {"valid_from": LATER, "region": _text("京", "粤")}) | _any_later_row(table)
    dated = {WHEN[table]: LATER}
    return (
        st.fixed_dictionaries(whole | dated)
        | st.fixed_dictionaries(EARLIER_CELLS[table] | dated)
        | _any_later_row(table)
    )


def _any_later_row(table: str) -> st.SearchStrategy[Row]:
    cells = {name: NEW if name in ("customer_id", "referred_by") else EVIL | strategy
             for name, strategy in EARLIER_CELLS[table].items()}  # fmt: skip
    if table == "customers":
        valid = st.fixed_dictionaries(cells | {"valid_from": LATER, "joined_at": EARLIER | LATER | EVIL})
        return valid | st.fixed_dictionaries(cells | {"valid_from": st.just(""), "joined_at": LATER})
    return st.fixed_dictionaries(cells | {WHEN[table]: LATER})


def _valid_day(row: Row) -> tuple[str, str]:
    return row["customer_id"], row["valid_from"][:10]


@st.composite
def _before(draw: st.DrawFn) -> Rows:
    found: Rows = {}
    for table, cells in EARLIER_CELLS.items():
        rows = st.fixed_dictionaries(cells)
        unique = _valid_day if table == "customers" else None
        found[table] = [ANCHORS[table], *draw(st.lists(rows, max_size=5, unique_by=unique))]
    return found


@st.composite
def _with_later_rows(draw: st.DrawFn, before: Rows) -> Rows:
    found: Rows = {}
    for table, rows in before.items():
        mixed = [_cancelled_later(draw, row) if table == "memberships" else row for row in rows]
        for row in draw(st.lists(_later_row(table), max_size=4)):
            mixed.insert(draw(st.integers(1, len(mixed))), row)
        found[table] = mixed
    return found


def _cancelled_later(draw: st.DrawFn, row: Row) -> Row:
    """Let a period that nothing is wrong with be cancelled after as_of, or not."""
    whole = row["cancelled_at"] == "" and row["ends_at"] in ("", "9999-12-31", "2026-12-31")
    return row | {"cancelled_at": draw(st.just("") | LATER)} if whole else row


@st.composite
def _two_futures(draw: st.DrawFn) -> tuple[Rows, Rows]:
    before = draw(_before())
    return draw(_with_later_rows(before)), draw(_with_later_rows(before))


def _from_frames(tables: Rows, folder: Path) -> tk.Study:
    frames: dict[str, Any] = {name: pd.DataFrame(rows) for name, rows in tables.items()}
    return tk.Study.from_frames(**frames, **SETTINGS)


def _from_csv(tables: Rows, folder: Path) -> tk.Study:
    for name, rows in tables.items():
        _write_csv(folder / f"{name}.csv", rows)
    return _opened(folder, tables)


def _from_two_csv(tables: Rows, folder: Path) -> tk.Study:
    """Every table but orders and customers in two exports that overlap: all rows, and the first as it once was."""
    for name, rows in tables.items():
        _write_csv(folder / f"{name}_1.csv", rows)
        if name not in ("orders", "customers"):
            _write_csv(folder / f"{name}_2.csv", [ANCHORS[name]])
    return _opened(folder, tables)


def _from_parquet(tables: Rows, folder: Path) -> tk.Study:
    for name, rows in tables.items():
        pd.DataFrame(rows).to_parquet(folder / f"{name}.parquet")
    return _opened(folder, tables)


def _write_csv(path: Path, rows: list[Row]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def _opened(folder: Path, tables: Rows) -> tk.Study:
    content = SETTINGS | {"name": "point-in-time", "tables": {name: {"files": f"{name}*"} for name in tables}}
    (folder / "study.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    return tk.Study.open(folder / "study.yaml")


def said(study: tk.Study) -> dict[str, str]:
    """Everything a study says at the date, as text that shows every digit, type and missing value."""
    book = study.ledger_at(AS_OF)
    quarantine = study.quarantine(AS_OF).drop(columns="row")
    snap = study.snapshot(AS_OF)
    frames = {
        "snapshot": snap,
        "ledger": book[book["fate"] != "later"].reset_index(drop=True),
        "quarantine": quarantine.sort_values(list(quarantine.columns)).reset_index(drop=True),
    }
    texts = {name: f"{frame.dtypes.to_dict()}\n{frame.to_csv(na_rep='<NA>')}" for name, frame in frames.items()}
    return texts | {"attrs": str(snap.attrs), "checks": "\n".join(map(str, study.checks(AS_OF)))}


def _said_of(how: Callable[[Rows, Path], tk.Study], tables: Rows) -> dict[str, str]:
    with tempfile.TemporaryDirectory() as folder:
        return said(how(tables, Path(folder)))


FEW = settings(max_examples=12, deadline=None, derandomize=True, phases=[Phase.generate])


@pytest.mark.parametrize("how", [_from_frames, _from_csv, _from_two_csv, _from_parquet])
@FEW
@given(futures=_two_futures())
def test_later_rows_of_any_table_change_nothing(how: Any, futures: tuple[Rows, Rows]) -> None:
    one, other = futures
    assert _said_of(how, one) == _said_of(how, other)


@pytest.mark.parametrize("table", sorted(WHEN))
@pytest.mark.parametrize("how", [_from_frames, _from_csv])
def test_an_earlier_row_of_any_table_does_change_what_is_said(how: Any, table: str) -> None:
    tables = {name: [row] for name, row in ANCHORS.items()}
    more = tables | {table: [ANCHORS[table], ANCHORS[table] | {WHEN[table]: "2026-06-20"}]}
    assert _said_of(how, tables) != _said_of(how, more)


@pytest.mark.parametrize(
    ("table", "column", "cell"),
    [
        ("events", "occurred_at", "2026-07-05 10:00"), ("events", "customer_id", "new"), ("events", "content_id", None),
        ("events", "duration_seconds", "x"), ("events", "kind", "1"), ("contacts", "opened", "maybe"),
        ("contacts", "opened", None),
        ("surveys", "score", "9分"), ("surveys", "score", None), ("costs", "amount", "x"), ("costs", "amount", None),
        ("memberships", "ends_at", None), ("memberships", "ends_at", "soon"), ("assignments", "arm", 1),
    ],
)  # fmt: skip
def test_a_later_cell_that_changes_the_type_of_a_column_changes_nothing(table: str, column: str, cell: object) -> None:
    earlier = TYPED[table]
    later = earlier | {WHEN[table]: pd.Timestamp("2026-07-05")}
    told = []
    for row in (later, later | {column: cell}):
        frames: dict[str, Any] = {"orders": pd.DataFrame([TYPED["orders"]]), table: pd.DataFrame([earlier, row])}
        made = said(tk.Study.from_frames(**frames, **SETTINGS))
        told.append({name: text for name, text in made.items() if name != "quarantine"})
    assert told[0] == told[1]


_DAY = pd.Timestamp("2026-06-05 09:00")
TYPED: dict[str, dict[str, Any]] = {
    "orders": {"customer_id": 17, "ordered_at": _DAY, "amount": 10.0},
    "events": {
        "customer_id": 17,
        "occurred_at": _DAY,
        "kind": "view",
        "content_id": 5,
        "duration_seconds": 30,
        "value": 2.5,
    },
    "contacts": {"customer_id": 17, "sent_at": _DAY, "delivered": True, "opened": True},
    "surveys": {"customer_id": 17, "answered_at": _DAY, "kind": "nps", "score": 9},
    "costs": {"channel": "wechat", "period_start": _DAY, "amount": 0.1},
    "assignments": {"experiment_id": 1, "customer_id": 17, "arm": "a", "assigned_at": _DAY},
    "memberships": {"customer_id": 17, "starts_at": _DAY, "ends_at": pd.Timestamp("2026-12-31"), "cancelled_at": None},
}


def test_a_cancellation_after_the_date_is_not_known_yet() -> None:
    told = []
    for cancelled in ("", "2026-07-01", "2027-01-01", "2026-06-30"):
        tables = {name: [row] for name, row in ANCHORS.items()}
        tables["memberships"] = [ANCHORS["memberships"] | {"cancelled_at": cancelled}]
        told.append(_said_of(_from_frames, tables))
    assert told[0] == told[1] == told[2] != told[3]


LESSON = ANCHORS["events"] | {"kind": "lesson_start"}
TRAPS: dict[str, tuple[dict[str, list[Row]], dict[str, list[Row]]]] = {
    "a lesson completed later": (
        {"events": [LESSON]}, {"events": [LESSON | {"kind": "lesson_complete", "occurred_at": "2026-07-01"}]},
    ),
    "a product ordered later": (
        {}, {"orders": [ANCHORS["orders"] | {"product_id": "K2", "ordered_at": "2026-07-01"}]},
    ),
    "a price that only a later order tells": (
        {"events": [ANCHORS["events"] | {"content_id": "K3", "value": ""}]},
        {"orders": [ANCHORS["orders"] | {"customer_id": "C2", "product_id": "K3", "ordered_at": "2026-07-01"}]},
    ),
    "an opt-out later": ({}, {"contacts": [ANCHORS["contacts"] | {"opted_out": "yes", "sent_at": "2026-07-01"}]}),
    "a referral later": (
        {}, {"customers": [ANCHORS["customers"] | {"customer_id": "C5", "valid_from": "2026-07-01"}]},
    ),
    "another arm later": ({}, {"assignments": [ANCHORS["assignments"] | {"arm": "b", "assigned_at": "2026-07-01"}]}),
    "a cancellation that a later export adds": (
        {}, {"memberships": [ANCHORS["memberships"] | {"cancelled_at": "2026-07-01"}]},
    ),
    "a renewal later": (
        {}, {"memberships": [ANCHORS["memberships"] | {"starts_at": "2026-07-01", "ends_at": "2027-06-30"}]},
    ),
}  # fmt: skip


@pytest.mark.parametrize("how", [_from_frames, _from_two_csv])
@pytest.mark.parametrize("trap", TRAPS)
def test_what_happens_later_is_not_known_yet(how: Any, trap: str) -> None:
    earlier, later = TRAPS[trap]
    one = {name: [row, *earlier.get(name, [])] for name, row in ANCHORS.items()}
    if trap.startswith("a cancellation"):
        other = one | later
    else:
        other = {name: [*rows, *later.get(name, [])] for name, rows in one.items()}
    assert _said_of(how, one) == _said_of(how, other)

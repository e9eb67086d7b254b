"""What is said at a date knows nothing later, at every edge of the day and in every shape of a later row; by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

import toolkit as tk
from tests.builders.exports import ANCHORS, Exports, exported
from tests.builders.made_up import SETTINGS, WHEN
from tests.test_properties import CALLS, differing, text_of
from toolkit.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    from tests.builders.made_up import Row, Tables

BEFORE, AS_OF = "2026-03-31", "2026-06-30"
ORDER, LESSON = ANCHORS["orders"][0], ANCHORS["events"][0] | {"kind": "lesson_start"}
LATE = ORDER | {"order_id": "A2", "ordered_at": "2026-07-05 09:00"}
MEMBER = ANCHORS["memberships"][0]


def said(study: tk.Study) -> dict[str, Any]:
    """Ask for every row and cent, every check, and everything that is known of everybody."""
    return {**CALLS["data"]["rows"](study), "snapshot": study.snapshot(AS_OF)}


def of_orders(*rows: Row, **more: Any) -> tk.Study:
    return tk.Study.from_frames(orders=pd.DataFrame([*rows]), **SETTINGS, **more)


MOMENTS = {
    "2026-06-30 23:59:59": True,
    "2026-07-01 00:00:00": False,
    "2026-06-30T15:59:59Z": True,
    "2026-06-30T16:00:00Z": False,
    "2026-06-30": True,
    "2026-07-01": False,
}


def test_the_day_ends_at_local_midnight_in_every_table() -> None:
    tables: Tables = {name: list(rows) for name, rows in ANCHORS.items()}
    seen = {"C1", "C0"}
    for name, column in (*WHEN.items(), ("customers", "valid_from")):
        for place, (moment, visible) in enumerate(MOMENTS.items()):
            row = ANCHORS[name][0] | {column: moment}
            if "customer_id" in row:
                row["customer_id"] = f"{name}-{place}"
                seen |= {row["customer_id"]} if visible else set()
            tables[name].append(row)
    study = Exports(tables).opened()
    assert set(study.snapshot(AS_OF).index) == seen
    book = study.ledger_at(AS_OF)
    assert book[book["fate"] == "later"].set_index("table")["rows"].to_dict() == dict.fromkeys(tables, 3)


@pytest.mark.parametrize(
    ("ordered", "recorded", "visible"),
    [
        ("2026-06-01", "2026-06-30 23:59:59", True),
        ("2026-06-01", "2026-07-01 00:00:00", False),
        ("2026-07-01", "2026-06-01", False),
    ],
)
def test_an_order_is_seen_once_it_has_happened_and_is_recorded(ordered: str, recorded: str, visible: bool) -> None:
    study = of_orders(ORDER, ORDER | {"customer_id": "C9", "ordered_at": ordered, "recorded_at": recorded})
    assert ("C9" in study.snapshot(AS_OF).index) == visible
    assert ("later" in set(study.ledger_at(AS_OF)["fate"])) != visible


def test_a_cancellation_after_the_date_is_not_known_yet() -> None:
    cancelled = {"C1": "", "C2": "2026-07-01", "C3": "2027-01-01", "C4": "2026-06-30"}
    rows = [MEMBER | {"customer_id": who, "cancelled_at": day} for who, day in cancelled.items()]
    snap = Exports(ANCHORS | {"memberships": rows}).opened().snapshot(AS_OF).loc[[*cancelled]]
    assert snap["membership_state"].tolist() == ["member", "member", "member", "lapsed"]
    ends = snap["membership_end_date"].dt.strftime("%Y-%m-%d").tolist()
    assert ends == ["2026-12-31", "2026-12-31", "2026-12-31", "2026-06-29"]


EARLIER_ROWS: Tables = {
    "events": [LESSON, ANCHORS["events"][0] | {"content_id": "K3", "value": ""}],
}
LATER_ROWS: dict[str, Tables] = {
    "a lesson completed": {"events": [LESSON | {"kind": "lesson_complete", "occurred_at": "2026-07-01"}]},
    "a product ordered": {"orders": [ORDER | {"product_id": "K2", "ordered_at": "2026-07-01"}]},
    "a price told by an order only": {
        "orders": [ORDER | {"customer_id": "C2", "product_id": "K3", "ordered_at": "2026-07-01"}]
    },
    "an opt-out": {"contacts": [ANCHORS["contacts"][0] | {"opted_out": "yes", "sent_at": "2026-07-01"}]},
    "a referral": {"customers": [ANCHORS["customers"][0] | {"customer_id": "C5", "valid_from": "2026-07-01"}]},
    "another arm": {"assignments": [ANCHORS["assignments"][0] | {"arm": "old", "assigned_at": "2026-07-01"}]},
    "a renewal": {"memberships": [MEMBER | {"starts_at": "2026-07-01", "ends_at": "2027-06-30"}]},
}


@pytest.mark.parametrize("source", ["frames", "overlapping csv"])
def test_what_happens_later_is_not_known_yet(source: str, tmp_path: Path) -> None:
    """And one more row on an earlier day is one more row of its table."""
    one = exported(ANCHORS, source).more(**EARLIER_ROWS)
    other = one
    for rows in LATER_ROWS.values():
        other = other.more(**rows)
    other = other.changed(memberships=[row | {"cancelled_at": "2026-07-01"} for row in other.tables["memberships"]])
    again = {name: ANCHORS[name][0] | {when: "2026-06-20"} for name, when in WHEN.items()}
    again["assignments"]["customer_id"] = "C2"
    earlier = one.more(**{name: [row] for name, row in again.items()})
    told = [said(exports.opened(tmp_path / str(place))) for place, exports in enumerate((one, other, earlier))]
    assert differing(told[0], told[1]) == set()
    used = [book[book["fate"] == "used"].groupby("table")["rows"].sum() for book in (each["ledger"] for each in told)]
    assert (used[2] - used[0]).to_dict() == {name: int(name in WHEN) for name in ANCHORS}
    assert {"snapshot", "calendar", "ledger"} <= differing(told[0], told[2])


def test_a_deleted_later_row_does_not_decide_which_order_was_last(tmp_path: Path) -> None:
    same_moment = [ORDER | {"order_id": "", "ordered_at": "2026-02-01", "amount": amount} for amount in ("5", "7")]
    one, other = (
        Exports({"orders": [*[ORDER] * 7, *late, *same_moment]}, "csv").opened(tmp_path / str(len(late)))
        for late in ([LATE], [])
    )
    assert text_of(one.snapshot(AS_OF)) == text_of(other.snapshot(AS_OF))


def test_empty_cells_at_the_end_of_a_later_row_are_not_told(tmp_path: Path) -> None:
    rows = "customer_id,ordered_at,amount\nC1,2026-01-05,10\nC2,2026-02-05,10\n"
    told = []
    for place, late in enumerate(("", "C1,2026-07-05,10,\n", "C1,2026-07-05,10,,,\n")):
        path = Exports(ANCHORS, "csv").written(tmp_path / str(place))
        path.with_name("orders_0.csv").write_text(rows + late, encoding="utf-8")
        told.append(said(tk.Study.open(path)))
    assert differing(told[0], told[1]) == differing(told[0], told[2]) == set()


DAY = pd.Timestamp("2026-06-05 09:00")
TYPED: dict[str, list[dict[str, Any]]] = {
    "orders": [
        {"customer_id": 17.0, "ordered_at": pd.Timestamp("2026-01-05"), "amount": 10.0, "quantity": 1, "status": 1},
        {"customer_id": 18.0, "ordered_at": pd.Timestamp("2026-02-05 10:30"), "amount": 0.00001, "quantity": 2,
         "status": 1},
        {"customer_id": None, "ordered_at": pd.Timestamp("2026-06-30 23:59"), "amount": 12.5, "quantity": 1,
         "status": 2},
    ],
    "customers": [{"customer_id": 17, "joined_at": pd.Timestamp("2026-01-01"), "gender": 1}],
    "events": [{"customer_id": 17, "occurred_at": DAY, "kind": "view", "content_id": 5, "duration_seconds": 30,
                "value": 2.5}],
    "contacts": [{"customer_id": 17, "sent_at": DAY, "delivered": True, "opened": True}],
    "surveys": [{"customer_id": 17, "answered_at": DAY, "kind": "nps", "score": 9}],
    "costs": [{"channel": "wechat", "period_start": DAY, "amount": 0.1}],
    "assignments": [{"experiment_id": 1, "customer_id": 17, "arm": "a", "assigned_at": DAY}],
    "memberships": [{"customer_id": 17, "starts_at": DAY, "ends_at": pd.Timestamp("2026-12-31"),
                     "cancelled_at": None}],
}  # fmt: skip
ODD_CELLS: dict[str, list[tuple[str, str, object]]] = {
    "text": [
        ("orders", "customer_id", "new"), ("orders", "ordered_at", "2026-07-05 10:00"), ("orders", "amount", "abc"),
        ("orders", "quantity", "x"), ("orders", "status", "paid"), ("customers", "gender", "f"),
        ("events", "occurred_at", "2026-07-05 10:00"), ("events", "customer_id", "new"),
        ("events", "duration_seconds", "x"), ("events", "kind", "1"), ("contacts", "opened", "maybe"),
        ("surveys", "score", "9分"), ("costs", "amount", "x"), ("memberships", "ends_at", "soon"),
        ("assignments", "arm", 1),
    ],
    "missing": [
        ("orders", "customer_id", None), ("orders", "amount", None), ("orders", "quantity", None),
        ("orders", "status", None), ("customers", "gender", None), ("events", "content_id", None),
        ("contacts", "opened", None), ("surveys", "score", None), ("costs", "amount", None),
        ("memberships", "ends_at", None),
    ],
}  # fmt: skip


def test_later_cells_that_change_the_type_of_a_column_change_nothing() -> None:
    told = []
    for kind in ("none", "text", "missing"):
        frames: dict[str, Any] = {}
        for name, rows in TYPED.items():
            late = rows[0] | {WHEN.get(name, "joined_at"): pd.Timestamp("2026-07-05")}
            odd = [late | {column: cell} for table, column, cell in ODD_CELLS.get(kind, ()) if table == name]
            frames[name] = pd.DataFrame([*rows, late, *odd])
        study = tk.Study.from_frames(**frames, **SETTINGS, statuses={"paid": ["1"], "cancelled": ["2"]})
        told.append({name: answer for name, answer in said(study).items() if name != "quarantine"})
    assert differing(told[0], told[1]) == differing(told[0], told[2]) == set()


def test_a_person_described_twice_on_one_day_does_not_depend_on_the_order_of_rows() -> None:
    people = [ANCHORS["customers"][0], ANCHORS["customers"][0] | {"gender": "m"}]
    told = []
    for rows in (people, people[::-1]):
        try:
            told.append(text_of(of_orders(ORDER, customers=pd.DataFrame(rows)).snapshot(AS_OF)))
        except InputError as refusal:
            told.append(refusal.code)
    assert told[0] == told[1]


def test_lines_that_contradict_each_other_on_one_day_do_not_depend_on_the_order_of_rows() -> None:
    lines = [ORDER | {"order_id": "A3", "line_id": "L1", "customer_id": "C2", "amount": paid} for paid in ("5", "7")]
    one, other = (of_orders(ORDER, *rows) for rows in (lines, lines[::-1]))
    assert text_of(one.snapshot(AS_OF)) == text_of(other.snapshot(AS_OF))
    assert text_of(one.ledger_at(AS_OF)) == text_of(other.ledger_at(AS_OF))


def test_a_stored_snapshot_takes_no_later_row() -> None:
    """The rows of today that the bridge starts from end at the later day too."""
    late = ORDER | {"customer_id": "NEW", "ordered_at": "2026-07-01", "order_id": "A9"}
    today = Exports(ANCHORS)
    stored = today.opened().snapshot(BEFORE)
    one, other = (
        tk.migrate(exports.opened(), BEFORE, AS_OF, stored=stored) for exports in (today, today.more(orders=[late]))
    )
    assert text_of(one) == text_of(other)

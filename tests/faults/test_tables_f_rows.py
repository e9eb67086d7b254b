"""Sections A and F for every table: repeated rows, skew, order. The numbers are those of the list of faults."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import toolkit as tk
from tests.builders.samples import DATED, GOOD, NINE, REASON, csv_of, frame_of, rows_of
from tests.builders.shop import AS_OF, assert_nothing_lost, check_of, codes, fates
from toolkit.tables import TABLES

if TYPE_CHECKING:
    from tests.builders.shop import Shop

LENIENT: dict[str, Any] = {"loss_budget": {"rows": 1, "money": 1}}
OVERLAPPING = tuple(name for name in DATED if name != "assignments")


def money(table: str, rows: int) -> str:
    return str(10 * rows) if table in ("orders", "costs") else "0"


@pytest.mark.parametrize("table", OVERLAPPING)
def test_21_a_row_in_two_overlapping_exports_counts_once(shop: Shop, table: str) -> None:
    one, two, three, four = rows_of(table, 4)
    if table == "costs":
        two, three, four = ({**row, "channel": f"c{n}"} for n, row in enumerate((two, three, four)))
    first, second = [one, two, three], [two, three, four]
    for make in (csv_of, frame_of):
        study = shop.tables({table: [make(first), make(second)]})
        assert fates(study, table) == {REASON[table]: 4, "other_file": 2}
        assert_nothing_lost(study, 6, money(table, 6), table=table)
        assert study.snapshot(AS_OF).equals(shop.tables({table: make([one, two, three, four])}).snapshot(AS_OF))


@pytest.mark.parametrize("table", ["events", "contacts", "surveys", "costs", "memberships"])
def test_21_rows_that_one_export_repeats_are_kept(shop: Shop, table: str) -> None:
    row = rows_of(table)[0]
    study = shop.tables({table: csv_of([row, row, row])})
    assert fates(study, table) == {REASON[table]: 3}
    twice = shop.tables({table: [csv_of([row, row, row]), csv_of([row, row])]})
    assert fates(twice, table) == {REASON[table]: 3, "other_file": 2}
    assert_nothing_lost(twice, 5, money(table, 5), table=table)


@pytest.mark.parametrize("table", ["events", "contacts", "surveys", "memberships"])
def test_21_exports_that_do_not_overlap_lose_nothing(shop: Shop, table: str) -> None:
    when = TABLES[table].when
    row = rows_of(table)[0]
    study = shop.tables({table: [csv_of([row]), csv_of([row | {when: "2026-05-01"}])]})
    assert fates(study, table) == {REASON[table]: 2}


def test_21_the_same_person_or_assignment_twice_is_one(shop: Shop) -> None:
    for table, reason in (("customers", "repeated_customer"), ("assignments", "other_file")):
        study = shop.tables({table: [csv_of(rows_of(table, 2)), csv_of(rows_of(table, 3))]})
        assert fates(study, table) == {REASON[table]: 3, reason: 2}
        assert_nothing_lost(study, 5, "0", table=table)


@pytest.mark.parametrize("table", NINE)
def test_11_a_preamble_and_a_total_line_are_no_rows(shop: Shop, table: str) -> None:
    rows = rows_of(table, 2)
    head, *body = csv_of(rows).splitlines()
    total = ",".join(["合计", *[""] * (len(rows[0]) - 1)])
    text = "\n".join(["导出时间：2026-02-01", "店铺：小铺", "", head, *body, total, "共2条", ""])
    study = shop.tables({table: text})
    assert fates(study, table) == {REASON[table]: 2, "footer": 2}
    assert_nothing_lost(study, 4, money(table, 2), table=table)
    assert check_of(study, "preamble").count == 3


@pytest.mark.parametrize("table", NINE)
def test_13_a_ragged_row_is_quarantined_whole(shop: Shop, table: str) -> None:
    study = shop.tables({table: csv_of(rows_of(table, 2)) + "a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p\n"}, **LENIENT)
    assert fates(study, table) == {REASON[table]: 2, "ragged_row": 1}
    assert_nothing_lost(study, 3, money(table, 2), table=table)


@pytest.mark.parametrize("table", NINE)
def test_9_10_an_empty_table_stops(shop: Shop, table: str) -> None:
    shop.table_stops("empty-file", table, b"", table)
    shop.table_stops("no-rows", table, ",".join(GOOD[table]) + "\n", table, "0 rows")


@pytest.mark.parametrize("table", NINE)
def test_1_gbk_is_read_in_every_table(shop: Shop, table: str) -> None:
    header = [
        next((one for one in TABLES[table].column(name).aliases if not one.isascii()), name) for name in GOOD[table]
    ]
    study = shop.tables({table: csv_of(rows_of(table, 2), header=header).encode("gb18030")})
    assert fates(study, table) == {REASON[table]: 2}


@pytest.mark.parametrize("table", NINE)
def test_22_another_count_of_rows_than_was_said_stops(shop: Shop, table: str) -> None:
    text = csv_of(rows_of(table, 2))
    shop.table_stops("rows", table, text, "2 rows", specs={table: {"expected_rows": 3}})
    shop.tables({table: text}, specs={table: {"expected_rows": 2}}).check(AS_OF)


@pytest.mark.parametrize("table", NINE)
def test_70_one_row_is_enough(shop: Shop, table: str) -> None:
    study = shop.tables({"orders": csv_of(rows_of("orders"))} | {table: csv_of(rows_of(table))})
    snap = study.snapshot("2026-01-15")
    assert "P1" in snap.index
    numbers = snap.select_dtypes("number")
    assert not np.isinf(numbers.to_numpy(dtype=float)).any()
    assert study.ledger_at("2026-01-15")["rows"].sum() == (1 if table == "orders" else 2)


def test_71_people_who_do_the_same_have_equal_rows(shop: Shop) -> None:
    tables = {}
    for table in NINE:
        rows = [GOOD[table] | {"customer_id": f"P{n}", "order_id": f"O{n}", "line_id": f"L{n}"} for n in range(20)]
        rows = [{name: cell for name, cell in row.items() if name in GOOD[table]} for row in rows]
        tables[table] = csv_of(
            [row | ({"id_value": f"wx{n}"} if table == "identities" else {}) for n, row in enumerate(rows)]
        )
    snap = shop.tables(tables).snapshot("2026-03-31")
    assert len(snap) == 20
    assert len(snap.drop(index="P2").drop_duplicates()) == 1


@pytest.mark.parametrize("make", [csv_of, frame_of])
def test_73_the_order_of_rows_of_any_table_changes_nothing(shop: Shop, make: Any) -> None:
    generator = np.random.default_rng(7)
    rows = {table: rows_of(table, 30) for table in NINE}
    for table in ("events", "contacts", "surveys", "orders"):
        rows[table] = [row | {"customer_id": f"P{n % 4}"} for n, row in enumerate(rows[table])]
    wanted = shop.tables({table: make(some) for table, some in rows.items()})
    shuffled = {table: [some[at] for at in generator.permutation(len(some))] for table, some in rows.items()}
    study = shop.tables({table: make(some) for table, some in shuffled.items()})
    pd.testing.assert_frame_equal(study.snapshot(AS_OF), wanted.snapshot(AS_OF))
    pd.testing.assert_frame_equal(study.ledger, wanted.ledger)
    assert study.checks(AS_OF) == wanted.checks(AS_OF)


def test_75_a_hundred_thousand_events_add_up() -> None:
    generator = np.random.default_rng(7)
    days = pd.Timestamp("2026-01-01") + pd.to_timedelta(generator.integers(0, 300, 100_000), unit="D")
    people = generator.integers(0, 5_000, 100_000).astype(str)
    events = pd.DataFrame(
        {"customer_id": people, "occurred_at": days, "kind": generator.choice(["点赞", "view"], 100_000)}
    )
    orders = pd.DataFrame({"customer_id": ["0"], "ordered_at": ["2026-01-01"], "amount": [1]})
    study = tk.Study.from_frames(orders=orders, events=events, timezone="Asia/Shanghai", currency="CNY")
    snap = study.snapshot(AS_OF)
    assert snap["interactions"].sum() == (events["kind"] == "点赞").sum()
    assert snap["active_days"].sum() == len(events.drop_duplicates(["customer_id", "occurred_at"]))
    assert_nothing_lost(study, 100_000, "0", table="events")


@pytest.mark.parametrize(
    ("text", "kind"),
    [("浏览商品", "view"), ("点赞", "like"), ("打卡", "check_in"), ("完课", "lesson_complete"), ("LIKE", "like"),
     (" 转发 ", "share")],
)  # fmt: skip
def test_beyond_kinds_of_events_by_their_words(shop: Shop, text: str, kind: str) -> None:
    study = shop.tables({"events": csv_of(rows_of("events", kind=text))})
    assert study._connection.execute("SELECT kind FROM events").fetchall() == [(kind,)]
    assert "unknown_kinds" not in codes(study)


def test_beyond_kinds_that_nobody_knows_are_kept_and_counted_and_the_proposal_names_them(shop: Shop) -> None:
    rows = [row | {"kind": kind} for row, kind in zip(rows_of("events", 4), ["抽奖", "抽奖2", "view", ""], strict=True)]
    study = shop.tables({"events": csv_of(rows)})
    found = check_of(study, "unknown_kinds")
    assert (found.status, found.count) == ("informational", 3)
    assert "event_kinds: {view: [...]}" in found.message
    assert fates(study, "events") == {"event": 4}
    assert study.snapshot(AS_OF)["active_days"].sum() == 4
    named = shop.tables({"events": csv_of(rows)}, event_kinds={"share": ["抽奖*", ""]})
    assert "unknown_kinds" not in codes(named)
    assert named.snapshot(AS_OF)["interactions"].sum() == 3


def test_beyond_an_answer_that_does_not_say_what_was_asked(shop: Shop) -> None:
    rows = [{name: cell for name, cell in row.items() if name != "kind"} for row in rows_of("surveys", 2)]
    study = shop.tables({"surveys": csv_of(rows)})
    found = check_of(study, "survey_kind")
    assert (found.status, found.count) == ("failed", 2)
    assert "columns: {kind: {constant: nps}}" in found.message
    for make in (csv_of, frame_of):
        said = shop.tables({"surveys": make(rows)}, specs={"surveys": {"columns": {"kind": {"constant": "nps"}}}})
        assert "survey_kind" not in codes(said)
        assert said.snapshot(AS_OF)["last_nps"].dropna().tolist() == [9.0, 9.0]


def test_beyond_a_period_that_ends_before_it_starts_is_quarantined(shop: Shop) -> None:
    rows = [*rows_of("memberships", 2), GOOD["memberships"] | {"customer_id": "P9", "ends_at": "2025-01-01"}]
    shop.table_stops("ends-before-start", "memberships", csv_of(rows), "column ends_at", "memberships_1.csv:4")
    study = shop.tables({"memberships": csv_of(rows)}, **LENIENT)
    assert fates(study, "memberships") == {"membership": 2, "ends_before_start": 1}
    assert "P9" not in study.snapshot(AS_OF).index


def test_beyond_periods_that_overlap_are_one_membership(shop: Shop) -> None:
    rows = [GOOD["memberships"], GOOD["memberships"] | {"starts_at": "2026-06-01", "ends_at": "2027-06-01"}]
    study = shop.tables({"memberships": csv_of(rows)})
    assert check_of(study, "overlapping_periods").count == 1
    assert "overlapping_periods" not in codes(study, "2026-05-31")
    assert study.snapshot(AS_OF)["membership_state"].value_counts()["member"] == 1


def test_beyond_of_two_equal_periods_one_is_cancelled(shop: Shop) -> None:
    row = GOOD["memberships"] | {"ends_at": "2030-01-01", "cancelled_at": ""}
    left = row | {"cancelled_at": "2026-02-01"}
    study = shop.tables({"memberships": csv_of([left, row])})
    assert study.snapshot(AS_OF)["membership_state"].value_counts()["member"] == 1
    later = shop.tables({"memberships": [csv_of([row, row]), csv_of([row, left])]})
    assert fates(later, "memberships") == {"membership": 2, "other_file": 2}
    assert later.snapshot(AS_OF)["membership_state"].value_counts()["member"] == 1
    both = shop.tables({"memberships": [csv_of([row, row]), csv_of([left, left])]})
    assert "member" not in set(both.snapshot(AS_OF)["membership_state"])


def test_beyond_messages_opened_though_not_delivered_are_a_warning(shop: Shop) -> None:
    rows = [row | {"delivered": d, "opened": o} for row, d, o in zip(rows_of("contacts", 3), "010", "110", strict=True)]
    found = check_of(shop.tables({"contacts": csv_of(rows)}), "opened_undelivered")
    assert (found.status, found.count) == ("failed", 1)


def test_96_a_person_in_two_arms_is_a_warning(shop: Shop) -> None:
    rows = [GOOD["assignments"], GOOD["assignments"] | {"arm": "coupon", "assigned_at": "2026-03-01"}]
    study = shop.tables({"assignments": csv_of(rows)})
    assert (check_of(study, "two_arms").status, check_of(study, "two_arms").count) == ("failed", 1)
    assert "two_arms" not in codes(study, "2026-02-28")


@pytest.mark.parametrize("column", ["experiment_id", "arm"])
def test_beyond_an_assignment_to_nothing_is_quarantined(shop: Shop, column: str) -> None:
    rows = [*rows_of("assignments", 2), GOOD["assignments"] | {"customer_id": "P9", column: ""}]
    study = shop.tables({"assignments": csv_of(rows)}, **LENIENT)
    assert fates(study, "assignments") == {"assignment": 2, "missing_value": 1}

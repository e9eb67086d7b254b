"""Rows of every table: repeated, ragged, few, equal, in another order; kinds, periods and arms to look at."""

from __future__ import annotations

from itertools import cycle
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import toolkit as tk
from tests.builders.cases import Case, assert_quarantined, assert_read, rows_for
from tests.builders.samples import DATED, GOOD, LENIENT, NINE, REASON, Row, csv_of, frame_of, money_of, opened, rows_of
from tests.builders.shop import AS_OF, assert_nothing_lost, check_of, codes, fates
from toolkit.tables import TABLES

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.builders.shop import Shop

OVERLAPPING = tuple(name for name in DATED if name != "assignments")
GOOD_TWICE = {table: {REASON[table]: 2} for table in NINE}


@pytest.mark.fault(21)
@pytest.mark.parametrize("make", [csv_of, frame_of])
def test_a_row_in_two_overlapping_exports_counts_once(shop: Shop, make: Callable[[list[Row]], Any]) -> None:
    whole = {table: rows_of(table, 4) for table in OVERLAPPING}
    whole["costs"] = [row | {"channel": f"c{n}"} for n, row in enumerate(whole["costs"])]
    study = shop.tables({table: [make(rows[:3]), make(rows[1:])] for table, rows in whole.items()})
    for table in OVERLAPPING:
        assert fates(study, table) == {REASON[table]: 4, "other_file": 2}
        assert_nothing_lost(study, 6, money_of(table, 6), table=table)
    if make is csv_of:
        found = study.snapshot(AS_OF)
        pd.testing.assert_frame_equal(found, opened(shop, whole, "csv").snapshot(AS_OF))


@pytest.mark.fault(21)
def test_rows_that_one_export_repeats_are_kept(shop: Shop) -> None:
    tables = [table for table in OVERLAPPING if table != "orders"]
    once = shop.tables({table: csv_of(rows_of(table) * 3) for table in tables})
    twice = shop.tables({table: [csv_of(rows_of(table) * 3), csv_of(rows_of(table) * 2)] for table in tables})
    for table in tables:
        assert fates(once, table) == {REASON[table]: 3}
        assert fates(twice, table) == {REASON[table]: 3, "other_file": 2}
        assert_nothing_lost(twice, 5, money_of(table, 5), table=table)


@pytest.mark.fault(21)
def test_exports_that_do_not_overlap_lose_nothing_and_a_person_or_assignment_twice_is_one(shop: Shop) -> None:
    apart = ("events", "contacts", "surveys", "memberships")
    tables: dict[str, Any] = {
        table: [csv_of(rows_of(table)), csv_of(rows_of(table, **{TABLES[table].when: "2026-05-01"}))] for table in apart
    }
    twice = {"customers": "repeated_customer", "assignments": "other_file"}
    tables |= {table: [csv_of(rows_of(table, 2)), csv_of(rows_of(table, 3))] for table in twice}
    study = shop.tables(tables)
    assert {table: fates(study, table) for table in apart} == {table: GOOD_TWICE[table] for table in apart}
    for table, reason in twice.items():
        assert fates(study, table) == {REASON[table]: 3, reason: 2}
        assert_nothing_lost(study, 5, "0", table=table)


@pytest.mark.fault(11, 13)
def test_a_preamble_and_total_lines_are_no_rows_and_a_ragged_row_is_quarantined_whole(shop: Shop) -> None:
    tables = {}
    for table in NINE:
        head, *body = csv_of(rows_of(table, 2)).splitlines()
        total = ",".join(["合计", *[""] * (len(GOOD[table]) - 1)])
        ragged = ",".join("abcdefghijklmnop")
        tables[table] = "\n".join(["导出时间：2026-02-01", "店铺：小铺", "", head, *body, ragged, total, "共2条", ""])
    study = shop.tables(tables, **LENIENT)
    for table in NINE:
        assert fates(study, table) == {REASON[table]: 2, "footer": 2, "ragged_row": 1}
        assert_nothing_lost(study, 5, money_of(table, 2), table=table)
    assert [check.count for check in study.checks(AS_OF) if check.code == "preamble"] == [3] * len(NINE)


@pytest.mark.fault(9, 10, 20, 22)
def test_an_empty_table_and_another_count_of_rows_than_was_said_stop(shop: Shop) -> None:
    for table, turn in zip(NINE, cycle(range(3)), strict=False):
        if turn == 0:
            shop.table_stops("empty-file", table, b"", table)
        elif turn == 1:
            shop.table_stops("no-rows", table, ",".join(GOOD[table]) + "\n", table, "0 rows")
        else:
            shop.table_stops("rows", table, csv_of(rows_of(table, 2)), "2 rows", specs={table: {"expected_rows": 3}})
    tables = {table: rows_of(table, 2) for table in NINE[2::3]}
    opened(shop, tables, "csv", specs={table: {"expected_rows": 2} for table in tables}).check(AS_OF)


@pytest.mark.fault(70)
def test_one_row_is_enough(shop: Shop) -> None:
    study = opened(shop, {table: rows_of(table) for table in NINE}, "csv")
    snap = study.snapshot("2026-01-15")
    assert list(snap.index) == ["P1"]
    assert not np.isinf(snap.select_dtypes("number").to_numpy(dtype=float)).any()
    assert study.ledger_at("2026-01-15")["rows"].sum() == len(NINE)


@pytest.mark.fault(71)
def test_people_who_do_the_same_have_equal_rows(shop: Shop) -> None:
    own = ("customer_id", "order_id", "line_id", "id_value")
    tables = {
        table: [GOOD[table] | {name: f"{name[:1]}{n}" for name in own if name in GOOD[table]} for n in range(20)]
        for table in NINE
    }
    snap = opened(shop, tables, "csv").snapshot("2026-03-31")
    assert len(snap) == 20
    assert len(snap.drop_duplicates()) == 1


@pytest.mark.fault(73)
def test_the_order_of_rows_of_any_table_changes_nothing(shop: Shop) -> None:
    generator = np.random.default_rng(7)
    rows = {table: rows_of(table, 30) for table in NINE}
    for table in ("events", "contacts", "surveys", "orders"):
        rows[table] = [row | {"customer_id": f"P{n % 4}"} for n, row in enumerate(rows[table])]
    shuffled = {table: [some[at] for at in generator.permutation(len(some))] for table, some in rows.items()}
    wanted = opened(shop, rows, "csv")
    snap, checks = wanted.snapshot(AS_OF), wanted.checks(AS_OF)
    study = opened(shop, shuffled, "csv")
    pd.testing.assert_frame_equal(study.snapshot(AS_OF), snap)
    pd.testing.assert_frame_equal(study.ledger, wanted.ledger)
    assert study.checks(AS_OF) == checks


@pytest.mark.fault(75)
def test_a_hundred_thousand_events_add_up() -> None:
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


@pytest.mark.fault(96)
def test_a_person_in_two_arms_is_a_warning(shop: Shop) -> None:
    rows = [GOOD["assignments"], GOOD["assignments"] | {"arm": "coupon", "assigned_at": "2026-03-01"}]
    study = shop.tables({"assignments": csv_of(rows)})
    assert (check_of(study, "two_arms").status, check_of(study, "two_arms").count) == ("failed", 1)
    assert "two_arms" not in codes(study, "2026-02-28")


def test_rows_without_what_they_are_about_are_quarantined_with_their_money(shop: Shop) -> None:
    cases = [
        *(Case(table, {}) for table in ("costs", "assignments", "memberships")),
        Case("costs", {"channel": ""}, reason="missing_value"),
        Case("assignments", {"experiment_id": ""}, reason="missing_value"),
        Case("assignments", {"arm": ""}, reason="missing_value"),
        Case("memberships", {"ends_at": "2025-01-01"}, reason="ends_before_start"),
        Case("memberships", {"ends_at": "2026-01-15"}),
    ]
    study = opened(shop, rows_for(cases), "csv", **LENIENT)
    assert_read(study, cases)
    assert_quarantined(study, cases)
    backwards = csv_of([*rows_of("memberships", 2), GOOD["memberships"] | {"ends_at": "2025-01-01"}])
    shop.table_stops("ends-before-start", "memberships", backwards, "column ends_at", "memberships_1.csv:4")


def test_kinds_of_events_by_their_words(shop: Shop) -> None:
    kinds = {
        "浏览商品": "view", "点赞": "like", "打卡": "check_in", "完课": "lesson_complete", "LIKE": "like",
        " 转发 ": "share",
    }  # fmt: skip
    cases = [Case("events", {"kind": text}, {"kind": kind}) for text, kind in kinds.items()]
    study = opened(shop, rows_for(cases), "csv")
    assert_read(study, cases)
    assert "unknown_kinds" not in codes(study)


def test_kinds_that_nobody_knows_are_kept_and_counted_and_the_proposal_names_them(shop: Shop) -> None:
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


def test_an_answer_that_does_not_say_what_was_asked(shop: Shop) -> None:
    rows = [{name: cell for name, cell in row.items() if name != "kind"} for row in rows_of("surveys", 2)]
    study = shop.tables({"surveys": csv_of(rows)})
    found = check_of(study, "survey_kind")
    assert (found.status, found.count) == ("failed", 2)
    assert "columns: {kind: {constant: nps}}" in found.message
    for make in (csv_of, frame_of):
        said = shop.tables({"surveys": make(rows)}, specs={"surveys": {"columns": {"kind": {"constant": "nps"}}}})
        assert "survey_kind" not in codes(said)
        assert said.snapshot(AS_OF)["last_nps"].dropna().tolist() == [9.0, 9.0]


def test_periods_that_overlap_are_one_membership(shop: Shop) -> None:
    rows = [GOOD["memberships"], GOOD["memberships"] | {"starts_at": "2026-06-01", "ends_at": "2027-06-01"}]
    study = shop.tables({"memberships": csv_of(rows)})
    assert check_of(study, "overlapping_periods").count == 1
    assert "overlapping_periods" not in codes(study, "2026-05-31")
    assert study.snapshot(AS_OF)["membership_state"].value_counts()["member"] == 1


def test_of_two_equal_periods_one_is_cancelled(shop: Shop) -> None:
    row = GOOD["memberships"] | {"ends_at": "2030-01-01", "cancelled_at": ""}
    left = row | {"cancelled_at": "2026-02-01"}
    study = shop.tables({"memberships": csv_of([left, row])})
    assert study.snapshot(AS_OF)["membership_state"].value_counts()["member"] == 1
    later = shop.tables({"memberships": [csv_of([row, row]), csv_of([row, left])]})
    assert fates(later, "memberships") == {"membership": 2, "other_file": 2}
    assert later.snapshot(AS_OF)["membership_state"].value_counts()["member"] == 1
    both = shop.tables({"memberships": [csv_of([row, row]), csv_of([left, left])]})
    assert "member" not in set(both.snapshot(AS_OF)["membership_state"])


def test_messages_opened_though_not_delivered_are_a_warning(shop: Shop) -> None:
    rows = [row | {"delivered": d, "opened": o} for row, d, o in zip(rows_of("contacts", 3), "010", "110", strict=True)]
    found = check_of(shop.tables({"contacts": csv_of(rows)}), "opened_undelivered")
    assert (found.status, found.count) == ("failed", 1)

"""What the tables beside orders say of a customer, worked by hand."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import numpy as np
import pandas as pd
import pytest

import toolkit as tk
from toolkit.errors import ArgumentError

AS_OF = "2026-10-31"
BOUGHT = {"customer_id": "C1", "ordered_at": "2026-01-05", "amount": "10"}
POLICIES = {"negative_amounts": "refund", "refunded_rows": "reversed_order", "missing_customer": "exclude"}
COUNTS_OF_EVENTS = ("active_days", "active_days_30d", "interactions", "interactions_30d", "opens", "opens_30d")

Rows = list[dict[str, Any]]


def study(orders: Rows | None = None, **tables: Any) -> tk.Study:
    """Make a study of rows whose customer is C1 where they do not say; what is no table is a setting."""
    frames = {
        name: pd.DataFrame([{"customer_id": "C1"} | row for row in rows], dtype=object)
        for name, rows in ({"orders": orders or [BOUGHT]} | tables).items()
        if isinstance(rows, list)
    }
    more = {name: value for name, value in tables.items() if name not in frames}
    return tk.Study.from_frames(**frames, timezone="Asia/Shanghai", currency="CNY", **({"policies": POLICIES} | more))


def only(made: tk.Study, *columns: str, as_of: str = AS_OF, who: str = "C1") -> Any:
    row = made.snapshot(as_of).to_dict("index")[who]
    return row[columns[0]] if len(columns) == 1 else tuple(row[column] for column in columns)


def act(when: str, kind: str | None = "view", **more: Any) -> dict[str, Any]:
    return {"occurred_at": when, "kind": kind, "content_id": None, "duration_seconds": None, "value": None} | more


def message(when: str, **more: Any) -> dict[str, Any]:
    return {"sent_at": when, "delivered": None, "opened": None, "opted_out": None} | more


def answer(when: str, score: object, kind: str = "nps", **more: Any) -> dict[str, Any]:
    return {"answered_at": when, "score": score, "kind": kind} | more


def period(starts: str, ends: str | None = None, cancelled: str | None = None) -> dict[str, Any]:
    return {"starts_at": starts, "ends_at": ends, "cancelled_at": cancelled}


# events


@pytest.mark.parametrize(
    ("when", "in_30_days", "in_window"),
    [
        ("2026-11-01 00:00", 0, 0),
        ("2026-10-31 23:59:59", 1, 1),
        ("2026-10-02 00:00", 1, 1),
        ("2026-10-01 23:59:59", 0, 1),
        ("2025-11-01 00:00", 0, 1),
        ("2025-10-31 23:59:59", 0, 0),
    ],
)
def test_windows_hold_their_days_and_no_others(when: str, in_30_days: int, in_window: int) -> None:
    made = study(events=[act(when, "open"), act(when, "share", duration_seconds=60)])
    expected = (in_window, in_30_days) * 3
    assert only(made, *COUNTS_OF_EVENTS, "stay_seconds_30d") == (*expected, 60.0 * in_30_days)


def test_the_window_of_events_is_the_study_s() -> None:
    made = study(events=[act("2026-10-22", "open"), act("2026-10-21", "open")], window_days=10)
    assert only(made, "opens", "opens_30d", "active_days", "active_days_30d") == (1, 2, 1, 2)


def test_days_count_once_however_much_happened_on_them() -> None:
    made = study(events=[act("2026-10-20 09:00"), act("2026-10-20 21:00"), act("2026-10-21 00:00", "like")])
    assert only(made, "active_days", "active_days_30d", "interactions") == (2, 2, 1)


def test_a_day_of_an_event_is_a_local_day() -> None:
    made = study(events=[act("2026-10-30T16:30:00Z")])
    assert only(made, "last_active_date") == pd.Timestamp("2026-10-31")


@pytest.mark.parametrize(
    ("kind", "acts", "interactions"),
    [
        ("view", 1, 0), ("login", 1, 0), ("complaint", 1, 0), ("挥手", 1, 0), (None, 1, 0), ("点赞", 1, 1),
        ("comment", 1, 1), ("转发", 1, 1), ("打卡", 1, 1), ("reply", 0, 0), ("客服回复", 0, 0), ("follow_up", 0, 0),
        ("回访", 0, 0),
    ],
)  # fmt: skip
def test_an_answer_of_the_service_is_no_act(kind: str | None, acts: int, interactions: int) -> None:
    made = study(events=[act("2026-10-20", kind), act("2026-09-01", "view")])
    days, last, joined_in = only(made, "active_days_30d", "last_active_date", "interactions_30d")
    assert (days, joined_in) == (acts, interactions)
    assert last == pd.Timestamp("2026-10-20" if acts else "2026-09-01")


def test_who_only_got_answers_was_never_active() -> None:
    made = study(events=[act("2026-10-20", "reply")])
    assert only(made, "active_days") == 0
    assert pd.isna(only(made, "last_active_date"))


def test_time_that_is_missing_or_negative_adds_nothing() -> None:
    spent = [act("2026-10-20", duration_seconds=seconds) for seconds in (30, None, "", -600, "12.5", "8秒")]
    assert only(study(events=spent), "stay_seconds_30d") == 50.5


def test_a_lesson_counts_once_by_its_content() -> None:
    made = study(
        events=[
            act("2024-01-01", "lesson_start", content_id="L1"), act("2026-10-01", "lesson_start", content_id=" L1 "),
            act("2026-10-02", "lesson_complete", content_id="L1"), act("2026-10-03", "学完", content_id="L1"),
            act("2026-10-03", "完课", content_id="L2"), act("2026-10-03", "lesson_start", content_id="L3"),
            act("2026-10-03", "lesson_start"), act("2026-10-03", "view", content_id="L4"),
        ]
    )  # fmt: skip
    assert only(made, "lessons_started", "lessons_completed", "completion_rate") == (4, 2, 0.5)
    assert only(made, "lessons_started", "lessons_completed", as_of="2026-10-01") == (1, 0)


def test_without_lessons_there_is_no_completion_rate() -> None:
    made = study(events=[act("2026-10-03")])
    assert only(made, "lessons_started", "lessons_completed") == (0, 0)
    assert np.isnan(only(made, "completion_rate"))


SOLD = {"customer_id": "C9", "ordered_at": "2026-10-30", "amount": "99", "product_id": "P1"}


@pytest.mark.parametrize(
    ("orders", "events", "intent"),
    [
        ([], [act("2026-10-20", content_id="X", value=199)], 1),
        ([], [act("2026-10-20", "click", content_id="X", value=199), act("2026-10-25", content_id="X", value=199)], 1),
        ([], [act("2026-10-20", content_id="X", value=1), act("2026-10-20", content_id="Y", value=1)], 2),
        ([], [act("2026-10-20", content_id="X", value=0)], 0),
        ([], [act("2026-10-20", content_id="X")], 0),
        ([], [act("2026-10-20", value=199)], 0),
        ([], [act("2026-10-20", "like", content_id="X", value=199)], 0),
        ([], [act("2026-10-01", content_id="X", value=199)], 0),
        ([], [act("2026-10-02", content_id="X", value=199)], 1),
        ([SOLD], [act("2026-10-20", content_id="P1")], 1),
        ([SOLD | {"ordered_at": "2026-11-01"}], [act("2026-10-20", content_id="P1")], 0),
        ([SOLD | {"amount": "0"}], [act("2026-10-20", content_id="P1")], 0),
        ([SOLD | {"amount": "-99"}], [act("2026-10-20", content_id="P1")], 0),
        ([SOLD, SOLD | {"customer_id": "C1"}], [act("2026-10-20", content_id="P1")], 0),
        ([SOLD | {"customer_id": "C1", "ordered_at": "2026-10-20 08:00"}],
         [act("2026-10-20 09:00", content_id="P1")], 0),
        ([SOLD | {"customer_id": "C1", "ordered_at": "2026-10-19"}], [act("2026-10-20", content_id="P1")], 1),
        ([SOLD | {"customer_id": "C1", "ordered_at": "2026-10-31"}], [act("2026-10-20", content_id="P1")], 0),
        ([SOLD, SOLD | {"customer_id": "C1", "ordered_at": "2026-11-01"}], [act("2026-10-20", content_id="P1")], 1),
        ([SOLD, SOLD | {"customer_id": "C1", "amount": "-99"}], [act("2026-10-20", content_id="P1")], 1),
        ([SOLD | {"customer_id": "C1", "ordered_at": "2026-10-22"}],
         [act("2026-10-20", content_id="P1"), act("2026-10-25", content_id="P1")], 0),
    ],
)  # fmt: skip
def test_intent_is_a_priced_product_looked_at_and_not_ordered_since(orders: Rows, events: Rows, intent: int) -> None:
    assert only(study([BOUGHT, *orders], events=events), "intent_30d") == intent


def test_a_cancelled_order_is_no_purchase_of_what_was_looked_at() -> None:
    orders = [BOUGHT, SOLD | {"status": "paid"}, SOLD | {"customer_id": "C1", "status": "cancelled"}]
    made = study(orders, events=[act("2026-10-20", content_id="P1")], statuses={"paid": ["", "None", "nan"]})
    assert only(made, "intent_30d") == 1


# contacts


@pytest.mark.parametrize(
    ("when", "counted"),
    [
        ("2026-10-31 23:59", (1, 1, 1)), ("2026-10-25 00:00", (1, 1, 1)), ("2026-10-24 23:59", (0, 1, 1)),
        ("2026-10-02 00:00", (0, 1, 1)), ("2026-10-01 23:59", (0, 0, 1)), ("2026-08-03 00:00", (0, 0, 1)),
        ("2026-08-02 23:59", (0, 0, 0)), ("2026-11-01 00:00", (0, 0, 0)),
    ],
)  # fmt: skip
def test_messages_count_in_the_last_7_30_and_90_days(when: str, counted: tuple[int, ...]) -> None:
    made = study(contacts=[message(when, delivered="yes", opened="yes")])
    assert only(made, "contacts_7d", "contacts_30d", "contacts_90d") == counted
    assert only(made, "contact_opens_7d", "contact_opens_30d", "contact_opens_90d") == counted


def test_a_message_that_was_not_delivered_was_not_sent() -> None:
    sent = [message("2026-10-30", delivered="no"), message("2026-10-28", delivered="yes"), message("2026-10-27")]
    made = study(contacts=[*sent, message("2026-10-31", delivered="失败", customer_id="C2")])
    assert only(made, "contacts_7d", "contact_opens_7d", "days_since_contact") == (2, 0, 3.0)
    assert only(made, "contacts_7d", who="C2") == 0
    assert np.isnan(only(made, "days_since_contact", who="C2"))


def test_days_since_the_last_message_reach_beyond_90() -> None:
    made = study(contacts=[message("2025-10-31"), message("2026-11-05")])
    assert only(made, "days_since_contact") == 365.0
    assert only(made, "days_since_contact", as_of="2026-11-05") == 0.0


def test_an_opt_out_stands_wherever_it_was_said() -> None:
    people = [{"customer_id": who, "opted_out": said} for who, said in (("C1", "no"), ("C2", "yes"), ("C3", None))]
    messages = [
        message("2020-01-01", opted_out="yes"),
        message("2026-10-01", opted_out="no"),
        message("2026-10-01", customer_id="C2"),
    ]
    both = study(customers=people, contacts=messages).snapshot(AS_OF)["opted_out"]
    assert both.to_dict() == {"C1": True, "C2": True, "C3": False}
    assert study(customers=people).snapshot(AS_OF)["opted_out"].to_dict() == {"C1": False, "C2": True, "C3": False}
    assert study(contacts=messages).snapshot(AS_OF)["opted_out"].to_dict() == {"C1": True, "C2": False}


def test_an_opt_out_after_as_of_is_not_known_yet() -> None:
    rows = [{"valid_from": "2026-01-01", "opted_out": "no"}, {"valid_from": "2026-06-01", "opted_out": "yes"}]
    made = study(customers=rows, contacts=[message("2026-01-01", opted_out="no")])
    assert (only(made, "opted_out", as_of="2026-05-31"), only(made, "opted_out", as_of="2026-06-01")) == (False, True)
    logged = study(contacts=[message("2026-06-01", opted_out="yes")])
    assert (only(logged, "opted_out", as_of="2026-06-01"),) == (True,)
    assert (only(logged, "opted_out", as_of="2026-05-31"),) == (False,)


# surveys


def test_the_last_nps_answer_counts_whatever_came_before() -> None:
    answers = [
        answer("2026-09-01", 10),
        answer("2026-10-01 09:00", 3),
        answer("2026-10-20", 1, "csat"),
        answer("2026-11-01", 9),
    ]
    made = study(surveys=answers)
    assert only(made, "last_nps", "days_since_nps") == (3.0, 30.0)
    assert only(made, "last_nps", "days_since_nps", as_of="2026-11-01") == (9.0, 0.0)


def test_of_two_answers_at_one_moment_the_higher_counts() -> None:
    answers = [answer("2026-10-01 09:00", 7), answer("2026-10-01 09:00", 8), answer("2026-10-01 08:59:59", 9)]
    assert only(study(surveys=answers), "last_nps") == only(study(surveys=answers[::-1]), "last_nps") == 8.0


def test_a_score_that_no_nps_has_is_not_the_last_answer() -> None:
    answers = [answer("2026-09-01", 0), answer("2026-10-01", 11), answer("2026-10-01", 99, "csat")]
    assert only(study(surveys=answers, loss_budget={"rows": 1, "money": 1}), "last_nps") == 0.0


def test_who_never_answered_has_no_nps() -> None:
    made = study(surveys=[answer("2026-09-01", 5, "csat")])
    assert np.isnan(only(made, "last_nps", "days_since_nps")).all()


# memberships


@pytest.mark.parametrize(
    ("periods", "state", "end"),
    [
        ([period("2026-10-31", "2026-12-31")], "member", "2026-12-31"),
        ([period("2026-01-01", "2026-10-31")], "member", "2026-10-31"),
        ([period("2026-01-01", "2026-10-30 23:59")], "lapsed", "2026-10-30"),
        ([period("2026-11-01", "2026-12-31")], "prospect", None),
        ([period("2026-01-01")], "member", None),
        ([period("2026-01-01", "9999-12-31")], "member", None),
        ([period("2026-01-01", "2026-12-31", "2026-10-30")], "lapsed", "2026-10-29"),
        ([period("2026-01-01", "2026-12-31", "2026-10-31")], "lapsed", "2026-10-30"),
        ([period("2026-01-01", "2026-12-31", "2026-11-01")], "member", "2026-12-31"),
        ([period("2026-01-01", None, "2026-11-01")], "member", None),
        ([period("2026-01-01", None, "2026-03-01")], "lapsed", "2026-02-28"),
        ([period("2026-01-01", "2026-02-01", "2026-03-01")], "lapsed", "2026-02-01"),
        ([period("2025-01-01", "2025-12-31"), period("2026-02-01", "2026-03-31")], "lapsed", "2026-03-31"),
        ([period("2025-01-01", "2026-12-31"), period("2026-02-01", "2026-03-31")], "member", "2026-12-31"),
        ([period("2025-01-01", "2026-12-31", "2026-03-01"), period("2026-02-01", "2026-11-30")],
         "member", "2026-11-30"),
        ([period("2025-01-01", "2025-12-31"), period("2026-11-01", "2027-10-31")], "lapsed", "2025-12-31"),
    ],
)  # fmt: skip
def test_a_membership_holds_while_a_period_does(periods: Rows, state: str, end: str | None) -> None:
    found, last = only(study(memberships=periods), "membership_state", "membership_end_date")
    assert found == state
    assert pd.isna(last) if end is None else last == pd.Timestamp(end)


def test_a_free_order_is_a_trial_until_a_period_starts() -> None:
    free = BOUGHT | {"amount": "0", "ordered_at": "2026-03-01", "customer_id": "C2"}
    members = [
        {"customer_id": "C2", **period("2026-06-01", "2026-06-30")},
        {"customer_id": "C3", **period("2020-01-01")},
    ]
    for policy in ("exclude", "count"):
        made = study([BOUGHT, free], memberships=members, policies={"zero_orders": policy})
        states = [
            only(made, "membership_state", as_of=day, who="C2") for day in ("2026-05-31", "2026-06-01", "2026-07-01")
        ]
        assert states == ["trial", "member", "lapsed"]
        assert only(made, "membership_state", who="C1") == "prospect"
        assert "C2" not in made.snapshot("2026-02-28").index


# referrals


def test_referrals_are_customers_who_name_their_referrer() -> None:
    made = study(
        customers=[
            {"customer_id": "C1", "referred_by": "C1", "joined_at": "2026-01-01"},
            {"customer_id": "C2", "referred_by": "C1", "joined_at": "2026-01-01"},
            {"customer_id": "C3", "referred_by": " C1", "joined_at": "2026-06-01"},
            {"customer_id": "C4", "referred_by": "nobody", "joined_at": "2026-01-01"},
            {"customer_id": "C5", "referred_by": None, "joined_at": "2026-01-01"},
            {"customer_id": "C6", "referred_by": "C4", "joined_at": None},
        ]
    )  # fmt: skip
    assert made.snapshot(AS_OF)["referrals"].to_dict() == {"C1": 2, "C2": 0, "C3": 0, "C4": 1, "C5": 0, "C6": 0}
    assert only(made, "referrals", as_of="2026-05-31") == 1


def test_a_referrer_that_appears_later_counts_from_then_on() -> None:
    late = BOUGHT | {"customer_id": "C7", "ordered_at": "2026-08-01"}
    made = study([BOUGHT, late], customers=[{"customer_id": "C2", "referred_by": "C7", "joined_at": "2026-01-01"}])
    assert "C7" not in made.snapshot("2026-07-31").index
    assert only(made, "referrals", who="C7", as_of="2026-08-01") == 1


def test_a_customer_counts_for_one_referrer_the_one_named_last() -> None:
    rows = [
        {"customer_id": "C2", "referred_by": "C1", "valid_from": "2026-01-01"},
        {"customer_id": "C2", "referred_by": "C3", "valid_from": "2026-06-01"},
        {"customer_id": "C2", "referred_by": None, "valid_from": "2026-09-01"},
        {"customer_id": "C3", "referred_by": None, "valid_from": "2026-01-01"},
    ]
    made = study(customers=rows)
    assert made.snapshot("2026-05-31")["referrals"].to_dict() == {"C1": 1, "C2": 0, "C3": 0}
    assert made.snapshot(AS_OF)["referrals"].to_dict() == {"C1": 0, "C2": 0, "C3": 1}


# discounts


@pytest.mark.parametrize(
    ("lines", "share"),
    [
        ([("2026-10-01", "80", 100, 1)], 0.2),
        ([("2026-10-01", "80", 100, None)], 0.2),
        ([("2026-10-01", "150", 100, 2)], 0.25),
        ([("2026-10-01", "80", 100, 1), ("2026-10-02", "10", 100, 1)], 0.55),
        ([("2026-10-01", "120", 100, 1)], 0.0),
        ([("2026-10-01", "80", 100, 0)], 0.2),
        ([("2026-10-01", "80", 100, -1)], 0.2),
        ([("2026-10-01", "80", 100, 1), ("2026-10-02", "-80", 100, 1)], 0.2),
        ([("2026-10-01", "80", 100, 1), ("2026-10-02", "0", 100, 1)], 0.2),
        ([("2026-10-01", "80", 100, 1), ("2026-10-02", "5", 0, 1), ("2026-10-02", "5", None, 1)], 0.2),
        ([("2025-10-31", "10", 100, 1), ("2025-11-01", "80", 100, 1)], 0.2),
        ([("2026-11-01", "10", 100, 1), ("2026-10-31", "80", 100, 1)], 0.2),
        ([("2026-10-01", "80", 0, 1)], None),
        ([("2026-10-01", "-80", 100, 1)], None),
        ([("2025-10-31", "10", 100, 1)], None),
    ],
)
def test_the_discount_is_the_share_of_the_list_price_that_was_not_paid(lines: list[Any], share: float | None) -> None:
    names = ("ordered_at", "amount", "list_price", "quantity")
    orders = [BOUGHT | {"customer_id": "C2"}, *(BOUGHT | dict(zip(names, row, strict=True)) for row in lines)]
    found = only(study(orders), "discount_share")
    assert np.isnan(found) if share is None else found == pytest.approx(share, abs=1e-12)


def test_what_is_added_up_does_not_depend_on_the_order_of_rows() -> None:
    parts = [0.1, 0.2, 0.3, 0.7]
    found = set()
    for order in list(permutations(parts))[::6]:
        orders = [BOUGHT | {"ordered_at": "2026-10-01", "amount": part, "list_price": 3 * part} for part in order]
        made = study(orders, events=[act("2026-10-20", duration_seconds=part) for part in order])
        found.add(only(made, "discount_share", "stay_seconds_30d", "spend"))
    assert found == {(1 - 1.3 / 3.9, 1.3, 1.3)}


def test_without_list_prices_there_is_no_such_column() -> None:
    made = study()
    assert "discount_share" not in made.snapshot(AS_OF).columns
    with pytest.raises(ArgumentError, match=r"discount_share come from .*Try: .*list_price"):
        made.snapshot(AS_OF, columns=["discount_share"])


# who is there

SEEN = {
    "events": [act("2026-10-01", customer_id="E")],
    "contacts": [message("2026-10-01", customer_id="K", delivered="no")],
    "surveys": [answer("2026-10-01", 5, "csat", customer_id="S")],
    "memberships": [{"customer_id": "M", **period("2026-10-01")}],
    "assignments": [{"customer_id": "X", "experiment_id": "E1", "arm": "a", "assigned_at": "2026-10-01"}],
}


@pytest.mark.parametrize("table", SEEN)
def test_who_is_seen_in_any_table_is_there_and_never_bought(table: str) -> None:
    made = study(**{table: SEEN[table]})
    who = SEEN[table][0]["customer_id"]
    assert list(made.snapshot("2026-09-30").index) == ["C1"]
    found = made.snapshot("2026-10-01")
    assert list(found.index) == ["C1", who]
    row = found.loc[who]
    assert list(row[["order_count", "spend", "window_order_days"]]) == [0, 0, 0]
    assert row[["recency_days", "first_order_date", "mean_order_value"]].isna().all()


def test_who_stands_in_several_tables_is_one_row() -> None:
    rows = {table: [row | {"customer_id": who} for row in rows for who in "PQ"] for table, rows in SEEN.items()}
    found = study(customers=[{"customer_id": "P"}], **rows).snapshot(AS_OF)
    assert list(found.index) == ["C1", "P", "Q"]
    assert found["active_days"].tolist() == [0, 1, 1]
    assert found["membership_state"].tolist() == ["prospect", "member", "member"]


@pytest.mark.parametrize(
    ("column", "table"),
    [("opens", "events"), ("contacts_7d", "contacts"), ("last_nps", "surveys"), ("membership_state", "memberships"),
     ("referrals", "customers"), ("opted_out", "contacts")],
)  # fmt: skip
def test_a_column_without_its_table_says_which_table_is_needed(column: str, table: str) -> None:
    made = study()
    assert column not in made.snapshot(AS_OF).columns
    with pytest.raises(ArgumentError, match=f"{column} come from .*Try: tables: {{{table}:"):
        made.snapshot(AS_OF, columns=[column])


# attributes


def test_of_two_descriptions_from_one_day_the_later_one_holds() -> None:
    rows = [
        {"valid_from": "2026-06-01 18:00", "region": "京", "joined_at": "2026-01-01"},
        {"valid_from": "2026-06-01 09:00", "region": "沪", "joined_at": "2026-01-01"},
        {"valid_from": None, "region": "粤", "joined_at": "2026-06-01"},
    ]
    for order in (rows, rows[::-1]):
        assert only(study(customers=order), "region") == "京"


def test_the_price_of_one_unit_is_not_below_zero_where_the_quantity_is() -> None:
    assert only(study([BOUGHT | {"quantity": -2}]), "max_price") == 10.0

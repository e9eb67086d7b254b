"""What the tables beside orders say of a customer, worked by hand: one customer for each case."""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import toolkit as tk
from toolkit.errors import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping

AS_OF = "2026-10-31"
BOUGHT = {"customer_id": "C1", "ordered_at": "2026-01-05", "amount": "10"}
POLICIES = {"negative_amounts": "refund", "refunded_rows": "reversed_order", "missing_customer": "exclude"}

Row = dict[str, Any]
Rows = list[Row]


def study(orders: Rows | None = None, **tables: Any) -> tk.Study:
    """Make a study of rows whose customer is C1 where they do not say; what is no table is a setting."""
    frames = {
        name: pd.DataFrame([{"customer_id": "C1"} | row for row in rows], dtype=object)
        for name, rows in ({"orders": orders or [BOUGHT]} | tables).items()
        if isinstance(rows, list)
    }
    more = {name: value for name, value in tables.items() if name not in frames}
    return tk.Study.from_frames(**frames, timezone="Asia/Shanghai", currency="CNY", **({"policies": POLICIES} | more))


def each(cases: Iterable[Rows]) -> Rows:
    """Give the rows of each case a customer of its own, C1, C2, and so on."""
    return [row | {"customer_id": f"C{n}"} for n, rows in enumerate(cases, 1) for row in rows]


def told(made: tk.Study, cases: Iterable[Hashable], *columns: str, as_of: str = AS_OF) -> dict[Any, Any]:
    """Return what the columns say of each case's customer."""
    found = made.snapshot(as_of).to_dict("index")
    rows = {case: tuple(found[f"C{n}"][column] for column in columns) for n, case in enumerate(cases, 1)}
    return {case: row[0] if len(columns) == 1 else row for case, row in rows.items()}


def only(made: tk.Study, *columns: str, as_of: str = AS_OF) -> Any:
    return told(made, [0], *columns, as_of=as_of)[0]


def act(when: str, kind: str | None = "view", **more: Any) -> Row:
    return {"occurred_at": when, "kind": kind, "content_id": None, "duration_seconds": None, "value": None} | more


def message(when: str, **more: Any) -> Row:
    return {"sent_at": when, "delivered": None, "opened": None, "opted_out": None} | more


def answer(when: str, score: object, kind: str = "nps", **more: Any) -> Row:
    return {"answered_at": when, "score": score, "kind": kind} | more


def period(starts: str, ends: str | None = None, cancelled: str | None = None) -> Row:
    return {"starts_at": starts, "ends_at": ends, "cancelled_at": cancelled}


@pytest.fixture(scope="module")
def bare() -> tk.Study:
    return study()


# events


@pytest.mark.fault(50)
def test_windows_hold_their_days_and_no_others() -> None:
    expected: Mapping[str, tuple[int, int]] = {
        "2026-11-01 00:00": (0, 0), "2026-10-31 23:59:59": (1, 1), "2026-10-02 00:00": (1, 1),
        "2026-10-01 23:59:59": (1, 0), "2025-11-01 00:00": (1, 0), "2025-10-31 23:59:59": (0, 0),
    }  # fmt: skip
    acts = each([[act(when, "open"), act(when, "share", duration_seconds=60)] for when in expected])
    columns = ("active_days", "active_days_30d", "interactions", "interactions_30d", "opens", "opens_30d")
    found = told(study(each([[BOUGHT]] * 6), events=acts), expected, *columns, "stay_seconds_30d")
    assert found == {when: (*counts * 3, 60.0 * counts[1]) for when, counts in expected.items()}


def test_the_window_of_events_is_the_study_s() -> None:
    made = study(events=[act("2026-10-22", "open"), act("2026-10-21", "open")], window_days=10)
    assert only(made, "opens", "opens_30d", "active_days", "active_days_30d") == (1, 2, 1, 2)


@pytest.mark.fault(48)
def test_days_are_local_and_count_once_however_much_happened_on_them() -> None:
    cases = {
        "one day twice": [act("2026-10-20 09:00"), act("2026-10-20 21:00"), act("2026-10-21 00:00", "like")],
        "half past midnight": [act("2026-10-30T16:30:00Z")],
    }
    columns = ("active_days", "active_days_30d", "interactions", "last_active_date")
    assert told(study(events=each(cases.values())), cases, *columns) == {
        "one day twice": (2, 2, 1, pd.Timestamp("2026-10-21")),
        "half past midnight": (1, 1, 0, pd.Timestamp("2026-10-31")),
    }


def test_an_answer_of_the_service_is_no_act() -> None:
    expected = {
        "view": (1, 0), "login": (1, 0), "complaint": (1, 0), "挥手": (1, 0), None: (1, 0), "点赞": (1, 1),
        "comment": (1, 1), "转发": (1, 1), "打卡": (1, 1), "reply": (0, 0), "客服回复": (0, 0), "follow_up": (0, 0),
        "回访": (0, 0),
    }  # fmt: skip
    acts = each([[act("2026-10-20", kind), act("2026-09-01", "view")] for kind in expected])
    made = study(events=[*acts, act("2026-10-20", "reply", customer_id="C14")])
    found = told(made, [*expected, "answers only"], "active_days_30d", "interactions_30d", "last_active_date")
    never = found.pop("answers only")
    assert never[:2] == (0, 0)
    assert pd.isna(never[2])
    assert found == {
        kind: (acts, joined, pd.Timestamp("2026-10-20" if acts else "2026-09-01"))
        for kind, (acts, joined) in expected.items()
    }


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
            act("2026-10-03", customer_id="C2"),
        ]
    )  # fmt: skip
    columns = ("lessons_started", "lessons_completed", "completion_rate")
    found = told(made, ["learner", "viewer"], *columns)
    assert found["learner"] == (4, 2, 0.5)
    assert found["viewer"][:2] == (0, 0)
    assert np.isnan(found["viewer"][2])
    assert only(made, *columns[:2], as_of="2026-10-01") == (1, 0)


SOLD = {"customer_id": "S", "ordered_at": "2026-10-30", "amount": "99", "product_id": "P"}
MINE = SOLD | {"customer_id": ""}
SEEN_P = act("2026-10-20", content_id="P")
INTENT: list[tuple[Rows, Rows, int]] = [
    ([], [act("2026-10-20", content_id="X", value=199)], 1),
    ([], [act("2026-10-20", "click", content_id="X", value=199), act("2026-10-25", content_id="X", value=199)], 1),
    ([], [act("2026-10-20", content_id="X", value=1), act("2026-10-20", content_id="Y", value=1)], 2),
    ([], [act("2026-10-20", content_id="X", value=0)], 0),
    ([], [act("2026-10-20", content_id="X")], 0),
    ([], [act("2026-10-20", value=199)], 0),
    ([], [act("2026-10-20", "like", content_id="X", value=199)], 0),
    ([], [act("2026-10-01", content_id="X", value=199)], 0),
    ([], [act("2026-10-02", content_id="X", value=199)], 1),
    ([SOLD], [SEEN_P], 1),
    ([SOLD | {"ordered_at": "2026-11-01"}], [SEEN_P], 0),
    ([SOLD | {"amount": "0"}], [SEEN_P], 0),
    ([SOLD | {"amount": "-99"}], [SEEN_P], 0),
    ([SOLD, MINE], [SEEN_P], 0),
    ([MINE | {"ordered_at": "2026-10-20 08:00"}], [act("2026-10-20 09:00", content_id="P")], 0),
    ([MINE | {"ordered_at": "2026-10-19"}], [SEEN_P], 1),
    ([MINE | {"ordered_at": "2026-10-31"}], [SEEN_P], 0),
    ([SOLD, MINE | {"ordered_at": "2026-11-01"}], [SEEN_P], 1),
    ([SOLD, MINE | {"amount": "-99"}], [SEEN_P], 1),
    ([SOLD, MINE | {"status": "cancelled"}], [SEEN_P], 1),
    ([MINE | {"ordered_at": "2026-10-22"}], [SEEN_P, act("2026-10-25", content_id="P")], 0),
]  # fmt: skip
"""Orders of somebody else (S) or of the customer, what the customer did, and the intent; each has its own products."""


def test_intent_is_a_priced_product_looked_at_and_not_ordered_since() -> None:
    orders, events = [BOUGHT | {"product_id": None}], []
    for n, (bought, looked, _) in enumerate(INTENT, 1):
        mine = {"customer_id": f"C{n}"}
        orders += [row | {"product_id": f"P{n}"} | ({} if row["customer_id"] else mine) for row in bought]
        events += [row | mine | {"content_id": row["content_id"] and f"{row['content_id']}{n}"} for row in looked]
    made = study([{"status": "paid"} | row for row in orders], events=events)
    assert list(told(made, range(len(INTENT)), "intent_30d").values()) == [intent for *_, intent in INTENT]


# contacts


@pytest.mark.fault(50)
def test_messages_count_in_the_last_7_30_and_90_days() -> None:
    expected = {
        "2026-10-31 23:59": (1, 1, 1), "2026-10-25 00:00": (1, 1, 1), "2026-10-24 23:59": (0, 1, 1),
        "2026-10-02 00:00": (0, 1, 1), "2026-10-01 23:59": (0, 0, 1), "2026-08-03 00:00": (0, 0, 1),
        "2026-08-02 23:59": (0, 0, 0), "2026-11-01 00:00": (0, 0, 0),
    }  # fmt: skip
    sent = each([[message(when, delivered="yes", opened="yes")] for when in expected])
    made = study(each([[BOUGHT]] * len(expected)), contacts=sent)
    for what in ("contacts", "contact_opens"):
        assert told(made, expected, *(f"{what}_{days}d" for days in (7, 30, 90))) == expected


def test_a_message_that_was_not_delivered_was_not_sent() -> None:
    sent = [message("2026-10-30", delivered="no"), message("2026-10-28", delivered="yes"), message("2026-10-27")]
    made = study(contacts=[*sent, message("2026-10-31", delivered="失败", customer_id="C2")])
    found = told(made, ["some", "none"], "contacts_7d", "contact_opens_7d", "days_since_contact")
    assert found["some"] == (2, 0, 3.0)
    assert found["none"][:2] == (0, 0)
    assert np.isnan(found["none"][2])


def test_days_since_the_last_message_reach_beyond_90() -> None:
    made = study(contacts=[message("2025-10-31"), message("2026-11-05")])
    assert only(made, "days_since_contact") == 365.0
    assert only(made, "days_since_contact", as_of="2026-11-05") == 0.0


@pytest.mark.fault(145)
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


@pytest.mark.fault(145)
def test_an_opt_out_after_as_of_is_not_known_yet() -> None:
    rows = [{"valid_from": "2026-01-01", "opted_out": "no"}, {"valid_from": "2026-06-01", "opted_out": "yes"}]
    described = study(customers=rows, contacts=[message("2026-01-01", opted_out="no")])
    logged = study(contacts=[message("2026-06-01", opted_out="yes")])
    for made in (described, logged):
        assert [bool(only(made, "opted_out", as_of=day)) for day in ("2026-05-31", "2026-06-01")] == [False, True]


# surveys


def test_the_last_nps_answer_counts_whatever_came_before() -> None:
    cases = {
        "later and other kinds": [
            answer("2026-09-01", 10), answer("2026-10-01 09:00", 3), answer("2026-10-20", 1, "csat"),
            answer("2026-11-01", 9),
        ],
        "two at one moment": [
            answer("2026-10-01 09:00", 7), answer("2026-10-01 09:00", 8), answer("2026-10-01 08:59:59", 9),
        ],
        "a score that none has": [
            answer("2026-09-01", 0), answer("2026-10-01", 11), answer("2026-10-01", 99, "csat"),
        ],
        "another kind only": [answer("2026-09-01", 5, "csat")],
    }  # fmt: skip
    rows = each(cases.values())
    for order in (rows, rows[::-1]):
        made = study(surveys=order, loss_budget={"rows": 1, "money": 1})
        found = told(made, cases, "last_nps", "days_since_nps")
        assert np.isnan(found.pop("another kind only")).all()
        assert found == {
            "later and other kinds": (3.0, 30.0),
            "two at one moment": (8.0, 30.0),
            "a score that none has": (0.0, 60.0),
        }
    assert only(made, "last_nps", "days_since_nps", as_of="2026-11-01") == (9.0, 0.0)


# memberships

PERIODS: list[tuple[Rows, str, str | None]] = [
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
    ([period("2025-01-01", "2026-12-31", "2026-03-01"), period("2026-02-01", "2026-11-30")], "member", "2026-11-30"),
    ([period("2025-01-01", "2025-12-31"), period("2026-11-01", "2027-10-31")], "lapsed", "2025-12-31"),
]


@pytest.mark.fault(50, 52)
def test_a_membership_holds_while_a_period_does() -> None:
    made = study(each([[BOUGHT]] * len(PERIODS)), memberships=each([rows for rows, *_ in PERIODS]))
    found = told(made, range(len(PERIODS)), "membership_state", "membership_end_date")
    assert [(state, None if pd.isna(end) else f"{end:%Y-%m-%d}") for state, end in found.values()] == [
        (state, end) for _, state, end in PERIODS
    ]


@pytest.mark.fault(64)
def test_a_free_order_is_a_trial_until_a_period_starts() -> None:
    free = BOUGHT | {"amount": "0", "ordered_at": "2026-03-01", "customer_id": "C2"}
    members = [
        {"customer_id": "C2", **period("2026-06-01", "2026-06-30")},
        {"customer_id": "C3", **period("2020-01-01")},
    ]
    for policy in ("exclude", "count"):
        made = study([BOUGHT, free], memberships=members, policies={"zero_orders": policy})
        for day, state in {"2026-05-31": "trial", "2026-06-01": "member", "2026-07-01": "lapsed"}.items():
            found = told(made, ["other", "trial"], "membership_state", as_of=day)
            assert found == {"other": "prospect", "trial": state}, (policy, day)
        assert "C2" not in made.snapshot("2026-02-28").index


# referrals


def test_referrals_are_customers_who_name_their_referrer() -> None:
    made = study(
        [BOUGHT, BOUGHT | {"customer_id": "C7", "ordered_at": "2026-08-01"}],
        customers=[
            {"customer_id": "C1", "referred_by": "C1", "joined_at": "2026-01-01"},
            {"customer_id": "C2", "referred_by": "C1", "joined_at": "2026-01-01"},
            {"customer_id": "C3", "referred_by": " C1", "joined_at": "2026-06-01"},
            {"customer_id": "C4", "referred_by": "nobody", "joined_at": "2026-01-01"},
            {"customer_id": "C5", "referred_by": "C7", "joined_at": "2026-01-01"},
            {"customer_id": "C6", "referred_by": "C4", "joined_at": None},
            {"customer_id": "C8", "referred_by": None, "joined_at": "2026-01-01"},
        ],
    )
    named = {"C1": 2, "C2": 0, "C3": 0, "C4": 1, "C5": 0, "C6": 0, "C8": 0}
    assert made.snapshot(AS_OF)["referrals"].to_dict() == named | {"C7": 1}
    assert made.snapshot("2026-08-01")["referrals"].to_dict() == named | {"C7": 1}
    assert made.snapshot("2026-07-31")["referrals"].to_dict() == named
    assert only(made, "referrals", as_of="2026-05-31") == 1


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

LISTED: list[tuple[list[tuple[str, str, int | None, int | None]], float | None]] = [
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
]


def test_the_discount_is_the_share_of_the_list_price_that_was_not_paid(bare: tk.Study) -> None:
    names = ("ordered_at", "amount", "list_price", "quantity")
    made = study(each([[dict(zip(names, line, strict=True)) for line in lines] for lines, _ in LISTED]))
    found = told(made, range(len(LISTED)), "discount_share")
    expected = [np.nan if share is None else share for _, share in LISTED]
    assert list(found.values()) == pytest.approx(expected, abs=1e-12, nan_ok=True)
    assert only(study([BOUGHT | {"quantity": -2}]), "max_price") == 10.0
    assert "discount_share" not in bare.snapshot(AS_OF).columns
    with pytest.raises(ArgumentError, match=r"discount_share come from .*Try: .*list_price"):
        bare.snapshot(AS_OF, columns=["discount_share"])


@pytest.mark.fault(68)
def test_what_is_added_up_does_not_depend_on_the_order_of_rows() -> None:
    orders = list(permutations([0.1, 0.2, 0.3, 0.7]))
    lines = [
        [{"ordered_at": "2026-10-01", "amount": part, "list_price": 3 * part} for part in order] for order in orders
    ]
    acts = [[act("2026-10-20", duration_seconds=part) for part in order] for order in orders]
    found = told(study(each(lines), events=each(acts)), orders, "discount_share", "stay_seconds_30d", "spend")
    assert set(found.values()) == {(1 - 1.3 / 3.9, 1.3, 1.3)}


# who is there

SEEN = {
    "events": [act("2026-10-01", customer_id="E")],
    "contacts": [message("2026-10-01", customer_id="K", delivered="no")],
    "surveys": [answer("2026-10-01", 5, "csat", customer_id="S")],
    "memberships": [{"customer_id": "M", **period("2026-10-01")}],
    "assignments": [{"customer_id": "X", "experiment_id": "E1", "arm": "a", "assigned_at": "2026-10-01"}],
}


@pytest.mark.fault(43)
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


def test_a_column_without_its_table_says_which_table_is_needed(bare: tk.Study) -> None:
    for column, table in {
        "opens": "events", "contacts_7d": "contacts", "last_nps": "surveys", "membership_state": "memberships",
        "referrals": "customers", "opted_out": "contacts",
    }.items():  # fmt: skip
        assert column not in bare.snapshot(AS_OF).columns
        with pytest.raises(ArgumentError, match=f"{column} come from .*Try: tables: {{{table}:"):
            bare.snapshot(AS_OF, columns=[column])


def test_of_two_descriptions_from_one_day_the_later_one_holds() -> None:
    rows = [
        {"valid_from": "2026-06-01 18:00", "region": "京", "joined_at": "2026-01-01"},
        {"valid_from": "2026-06-01 09:00", "region": "沪", "joined_at": "2026-01-01"},
        {"valid_from": None, "region": "粤", "joined_at": "2026-06-01"},
    ]
    for order in (rows, rows[::-1]):
        assert only(study(customers=order), "region") == "京"

"""New, retained, resurrected and dormant buyers, and cohorts: by hand, and against plain Python over random rows."""

from __future__ import annotations

import calendar
from datetime import date, timedelta
from typing import Any, Literal, get_args

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import toolkit as tk
from tests.builders.profiles import examples
from toolkit.errors import ArgumentError

AS_OF = date(2026, 6, 30)
Unit = Literal["day", "week", "month"]
STATED: dict[str, Any] = {
    "timezone": "Asia/Shanghai",
    "currency": "CNY",
    "policies": {"negative_amounts": "refund"},
    "loss_budget": {"rows": 1, "money": 1},
}
MANY = examples(dev=8, ci=40)
Row = dict[str, Any]


def frame(*rows: tuple[str, str, object]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=["customer_id", "ordered_at", "amount"])


DAY = st.integers(0, 200).map(lambda back: (AS_OF + timedelta(days=15) - timedelta(days=back)).isoformat())
ORDER = st.fixed_dictionaries(
    {
        "customer_id": st.sampled_from(["C1", "C2", "C3", "C4"]),
        "ordered_at": DAY,
        "recorded_at": st.none() | DAY,
        "amount": st.sampled_from(["10", "99.99", "0.1", "-5"]),
    }
)
UNITS: tuple[Unit, ...] = get_args(Unit)
FIRST: Row = {"customer_id": "C1", "ordered_at": "2026-01-31", "recorded_at": None, "amount": "20"}


def visible(rows: list[Row]) -> list[tuple[str, date, int]]:
    """Customer, day and cents of what is known at `AS_OF`."""
    found = []
    for row in rows:
        day = date.fromisoformat(row["ordered_at"])
        recorded = date.fromisoformat(row["recorded_at"]) if row["recorded_at"] else day
        if max(day, recorded) <= AS_OF:
            found.append((row["customer_id"], day, round(100 * float(row["amount"]))))
    return found


# -- accounting --------------------------------------------------------------------------------------------------


@MANY
@given(rows=st.lists(ORDER, max_size=30), cuts=st.sets(st.integers(0, 160), min_size=1, max_size=5))
def test_periods_are_those_of_plain_python(rows: list[Row], cuts: set[int]) -> None:
    rows = [FIRST, *rows]
    ends = [AS_OF - timedelta(days=back) for back in sorted(cuts, reverse=True)]
    found = tk.growth_accounting(tk.Study.from_frames(pd.DataFrame(rows, dtype=object), **STATED), ends, as_of=AS_OF)
    known = visible(rows)
    before: set[str] = set()
    last: set[str] = set()
    start = date.min
    last_money: dict[str, int] = {}
    for end in ends:
        inside = [row for row in known if start < row[1] <= end]
        buyers = {who for who, _, cents in inside if cents > 0}
        money = {who: sum(cents for one, _, cents in inside if one == who) for who in {who for who, _, _ in inside}}
        parts = {"new": buyers - before, "retained": buyers & last, "resurrected": (buyers & before) - last}
        told = found.periods.loc[pd.Timestamp(end)]
        assert told["active"] == len(buyers)
        assert told["dormant"] == len(last - buyers)
        assert round(100 * told["spend_dormant"]) == sum(last_money[who] for who in last - buyers)
        for name, who in parts.items():
            assert told[name] == len(who)
            assert round(100 * told[f"spend_{name}"]) == sum(money[one] for one in who)
        assert round(100 * told["spend_idle"]) == sum(cents for one, cents in money.items() if one not in buyers)
        assert round(100 * told["spend"]) == sum(money.values())
        before, last, last_money, start = before | buyers, buyers, money, end
    assert [check.status for check in found.checks] == ["passed", "passed"]


@pytest.fixture(scope="module")
def small() -> tk.Study:
    return tk.Study.from_frames(
        frame(
            ("C1", "2026-01-05", 60), ("C2", "2026-01-20", 80), ("C1", "2026-02-25", 10), ("C3", "2026-02-20", 40),
            ("C2", "2026-03-02", 30), ("C1", "2026-03-04", -10), ("C4", "2026-06-02", 5),
        ),
        **STATED,
    )  # fmt: skip


def test_a_customer_comes_stays_away_and_comes_back(small: tk.Study) -> None:
    found = tk.growth_accounting(small, "M", as_of="2026-04-15")
    table = found.periods
    assert [f"{day:%m-%d}" for day in table.index] == ["01-31", "02-28", "03-31"]
    assert table["new"].tolist() == [2, 1, 0]
    assert table["retained"].tolist() == [0, 1, 0]
    assert table["resurrected"].tolist() == [0, 0, 1]
    assert table["dormant"].tolist() == [0, 1, 2]
    assert table["spend_dormant"].tolist() == [0.0, 80.0, 50.0]
    assert table["spend_idle"].tolist() == [0.0, 0.0, -10.0]
    assert table["spend"].tolist() == [140.0, 50.0, 20.0]
    assert found.sentence.startswith("1 bought in the period to 2026-03-31: 0 new, 0 retained, 1 resurrected; 2 went")


@pytest.mark.fault(58)
def test_a_period_without_a_buyer_has_a_row_of_nothing(small: tk.Study) -> None:
    table = tk.growth_accounting(small, "M", as_of="2026-06-30").periods.iloc[2:]
    assert table["active"].tolist() == [1, 0, 0, 1]
    assert table["dormant"].tolist() == [2, 1, 0, 0]
    assert table[["new", "resurrected"]].to_numpy().tolist() == [[0, 1], [0, 0], [0, 0], [1, 0]]


def test_calendar_periods_are_over_by_the_day(small: tk.Study) -> None:
    weeks = tk.growth_accounting(small, "W", as_of="2026-01-20").periods.index
    assert [f"{day:%a %m-%d}" for day in weeks] == ["Sun 01-11", "Sun 01-18"]
    quarters = tk.growth_accounting(small, "Q", as_of="2026-06-30").periods
    assert quarters["active"].tolist() == [3, 1]
    with pytest.raises(ArgumentError, match="E-periods: no period is over"):
        tk.growth_accounting(small, "Q", as_of="2026-02-01")


def test_periods_that_cannot_be_are_refused(small: tk.Study) -> None:
    cases: list[tuple[Any, str | None, str]] = [
        ("Y", "2026-06-30", "E-periods: there is no period 'Y'"),
        ("M", None, "E-as-of: as_of is needed"),
        ([], "2026-06-30", "E-periods"),
        (["2026-03-31", "2026-01-31"], None, "E-periods"),
        (["2026-01-31", "2026-01-31"], None, "E-periods"),
        (["2026-01-31", "2026-03-31"], "2026-02-28", "E-periods: the last period ends after as_of"),
    ]
    for periods, as_of, message in cases:
        with pytest.raises(ArgumentError, match=message):
            tk.growth_accounting(small, periods, as_of=as_of)


# -- cohorts -----------------------------------------------------------------------------------------------------


def later(start: date, age: int, unit: Unit) -> date:
    if unit == "month":
        years, month = divmod(start.month - 1 + age, 12)
        year = start.year + years
        return date(year, month + 1, min(start.day, calendar.monthrange(year, month + 1)[1]))
    return start + timedelta(days=age * (7 if unit == "week" else 1))


def cells(table: pd.DataFrame) -> dict[tuple[Any, Any], float]:
    """What is not missing, by cohort and age."""
    return {(row, age): table[age][row] for age in table for row in table.index[table[age].notna()]}


def cohort_of(start: date, unit: Unit) -> tuple[date, date]:
    """First and last day of the cohort."""
    if unit == "week":
        monday = start - timedelta(days=start.weekday())
        return monday, monday + timedelta(days=6)
    last = calendar.monthrange(start.year, start.month)[1]
    return start.replace(day=1), start.replace(day=last)


def ages(unit: Unit) -> tuple[int, ...]:
    return (1, 7, 30) if unit == "day" else tuple(range(30))


@MANY
@given(rows=st.lists(ORDER, max_size=30))
def test_cohorts_are_those_of_plain_python(rows: list[Row]) -> None:
    rows = [FIRST, *rows]
    study = tk.Study.from_frames(pd.DataFrame(rows, dtype=object), **STATED)
    days: dict[str, set[date]] = {}
    for who, day, cents in visible(rows):
        if cents > 0:
            days.setdefault(who, set()).add(day)
    for unit in UNITS:
        found = tk.cohort_retention(study, AS_OF, unit=unit)
        cohorts: dict[tuple[date, date], list[str]] = {}
        for who, own in days.items():
            cohorts.setdefault(cohort_of(min(own), unit), []).append(who)
        expected = {}
        for (first, last), members in cohorts.items():
            assert found.customers[pd.Timestamp(first)] == len(members)
            for age in ages(unit):
                if later(last, age + 1, unit) - timedelta(days=1) <= AS_OF:
                    spans = {who: [later(min(days[who]), n, unit) for n in (age, age + 1)] for who in members}
                    hits = sum(any(start <= day < end for day in days[who]) for who, (start, end) in spans.items())
                    expected[pd.Timestamp(first), age] = hits / len(members)
        assert cells(found.share) == pytest.approx(expected), unit


STARTS = st.integers(0, 150).map(lambda back: AS_OF - timedelta(days=back))


@MANY
@given(
    periods=st.lists(
        st.tuples(st.sampled_from(["C1", "C2", "C3"]), STARTS, st.integers(0, 120), st.none() | st.integers(-5, 100)),
        min_size=1,
        max_size=8,
    )
)
def test_a_member_is_active_on_the_days_that_a_period_covers(
    periods: list[tuple[str, date, int, int | None]],
) -> None:
    rows = [
        {
            "customer_id": who,
            "starts_at": str(start),
            "ends_at": str(start + timedelta(days=length)),
            "cancelled_at": None if cancelled is None else str(start + timedelta(days=cancelled)),
        }
        for who, start, length, cancelled in periods
    ]
    study = tk.Study.from_frames(
        frame(("C9", "2026-01-05", 60)), memberships=pd.DataFrame(rows, dtype=object), **STATED
    )
    starts = {who: min(start for one, start, _, _ in periods if one == who) for who, *_ in periods}

    def covered(who: str, day: date) -> bool:
        for one, start, length, cancelled in periods:
            last = start + timedelta(days=length)
            if cancelled is not None and start + timedelta(days=cancelled) <= AS_OF:
                last = min(last, start + timedelta(days=cancelled - 1))
            if one == who and start <= day <= last:
                return True
        return False

    for unit in UNITS:
        found = tk.cohort_retention(study, AS_OF, cohort="membership", act="membership", unit=unit)
        expected = {}
        for first, last in {cohort_of(start, unit) for start in starts.values()}:
            members = [who for who, start in starts.items() if cohort_of(start, unit) == (first, last)]
            for age in ages(unit):
                if later(last, age, unit) <= AS_OF:
                    hits = sum(covered(who, later(starts[who], age, unit)) for who in members)
                    expected[pd.Timestamp(first), age] = hits / len(members)
        assert cells(found.share) == pytest.approx(expected), unit


def test_an_age_that_is_not_over_is_missing_and_never_nothing() -> None:
    orders = frame(("C1", "2026-01-31", 60), ("C2", "2026-03-01", 80), ("C2", "2026-04-01", 80))
    found = tk.cohort_retention(tk.Study.from_frames(orders, **STATED), "2026-05-15")
    assert found.share.iloc[0].tolist() == [1, 0, 0]
    assert found.share.iloc[1].isna().tolist() == [False, True, True]
    assert found.overall["customers"].tolist() == [2, 1, 1]
    assert found.overall["active"].tolist() == [2, 0, 0]
    assert (found.lower.fillna(0) <= found.share.fillna(0)).all().all()
    assert found.upper.loc["2026-01-01", 1] == pytest.approx(0.793, abs=0.001)


def test_people_who_joined_are_followed_by_their_acts() -> None:
    people = pd.DataFrame({"customer_id": ["C1", "C2", "C3"], "joined_at": ["2026-01-01", "2026-01-31", "2026-09-09"]})
    acts = pd.DataFrame(
        {
            "customer_id": ["C1", "C1", "C2", "C2"],
            "occurred_at": ["2026-01-02", "2026-01-31", "2026-02-07", "2026-03-02"],
            "kind": ["open", "view", "like", "reply"],
        }
    )
    study = tk.Study.from_frames(frame(("C1", "2026-01-05", 60)), people, events=acts, **STATED)
    found = tk.cohort_retention(study, AS_OF, cohort="joined", act="event", unit="day")
    assert found.share.to_dict("index") == {pd.Timestamp("2026-01-01"): {1: 0.5, 7: 0.5, 30: 0.5}}
    assert "2026-01-01" in repr(found)


def test_what_the_study_does_not_have_is_refused(small: tk.Study) -> None:
    cases: list[tuple[dict[str, Any], str]] = [
        ({"cohort": "birth"}, "E-option: there is no 'birth'. Try: one of first_order, joined, membership"),
        ({"act": "sleep"}, "E-option"),
        ({"unit": "year"}, "E-option"),
        ({"cohort": "joined"}, "E-no-table: joined comes from customers"),
        ({"act": "event"}, "E-no-table: event comes from events"),
    ]
    for more, message in cases:
        with pytest.raises(ArgumentError, match=message):
            tk.cohort_retention(small, AS_OF, **more)


@pytest.mark.fault(51)
def test_later_rows_change_nothing() -> None:
    rows = [("C1", "2026-01-05", 60), ("C2", "2026-02-20", 80), ("C1", "2026-03-25", 10)]
    one, other = (
        tk.Study.from_frames(frame(*rows, *more), **STATED)
        for more in ([], [("C2", "2026-07-01", 9), ("C8", "2026-07-02", 1)])
    )
    found = [tk.cohort_retention(study, AS_OF) for study in (one, other)]
    pd.testing.assert_frame_equal(found[0].table, found[1].table)
    periods = [tk.growth_accounting(study, "M", as_of=AS_OF).periods for study in (one, other)]
    pd.testing.assert_frame_equal(periods[0], periods[1])

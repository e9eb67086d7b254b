"""The calendar of seasons: its days, what windows hold of them, and what pages say about it."""

from __future__ import annotations

import math
from datetime import date, timedelta
from typing import Any

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from tests.builders.profiles import examples
from toolkit.data.seasons import held, seasons
from toolkit.report.seasons import season_note
from toolkit.report.words import words
from toolkit.study import StudyFile, parse_study

MANY = examples(dev=25, ci=100)
DAYS = st.dates(date(2009, 1, 1), date(2037, 1, 1))


def shop(**told: Any) -> StudyFile:
    needed = {"name": "shop", "timezone": "Asia/Shanghai", "currency": "CNY", "tables": {"orders": {"files": "o.csv"}}}
    return parse_study(needed | told)


def own(name: str, first: str, last: str) -> dict[str, str]:
    return {"name": name, "first": first, "last": last}


def new_moon(k: int) -> float:
    """Julian day (dynamical time) of the k-th new moon after that of 6 January 2000: Meeus 1998, chapter 49."""
    t = k / 1236.85
    sun, moon, latitude, node = (
        math.radians(value)
        for value in (
            2.5534 + 29.10535670 * k - 0.0000014 * t**2,
            201.5643 + 385.81693528 * k + 0.0107582 * t**2,
            160.7108 + 390.67050284 * k - 0.0016118 * t**2,
            124.7746 - 1.56375588 * k + 0.0020672 * t**2,
        )
    )
    e = 1 - 0.002516 * t - 0.0000074 * t**2
    return (
        2451550.09766 + 29.530588861 * k + 0.00015437 * t**2
        - 0.40720 * math.sin(moon) + 0.17241 * e * math.sin(sun) + 0.01608 * math.sin(2 * moon)
        + 0.01039 * math.sin(2 * latitude) + 0.00739 * e * math.sin(moon - sun) - 0.00514 * e * math.sin(moon + sun)
        + 0.00208 * e**2 * math.sin(2 * sun) - 0.00111 * math.sin(moon - 2 * latitude)
        - 0.00057 * math.sin(moon + 2 * latitude) + 0.00056 * e * math.sin(2 * moon + sun)
        - 0.00042 * math.sin(3 * moon) + 0.00042 * e * math.sin(sun + 2 * latitude)
        + 0.00038 * e * math.sin(sun - 2 * latitude) - 0.00024 * e * math.sin(2 * moon - sun)
        - 0.00017 * math.sin(node)
    )  # fmt: skip


def test_every_new_year_is_the_day_of_a_new_moon_in_beijing() -> None:
    moons = set()
    for k in range(110, 460):
        beijing = new_moon(k) - 2451544.5 - 70 / 86_400 + 8 / 24
        moons.add(date(2000, 1, 1) + timedelta(days=math.floor(beijing)))
    festivals = seasons(date(2010, 1, 1), date(2035, 12, 31), shop()).set_index("name").loc["spring_festival"]
    years = [first.date() + timedelta(days=1) for first in festivals["first"]]
    assert [day.year for day in years] == list(range(2010, 2036))
    assert set(years) <= moons
    assert all((1, 21) <= (day.month, day.day) <= (2, 20) for day in years)


def test_the_seasons_of_a_year() -> None:
    year = held(date(2026, 12, 31), 365, shop())
    dated = year.assign(first=year["first"].dt.strftime("%m-%d"), last=year["last"].dt.strftime("%m-%d"))
    assert [tuple(row) for row in dated[["name", "first", "last", "days", "length"]].to_numpy().tolist()] == [
        ("spring_festival", "02-16", "03-03", 16, 16),
        ("618", "06-01", "06-20", 20, 20),
        ("national_day", "10-01", "10-07", 7, 7),
        ("double_11", "11-01", "11-11", 11, 11),
    ]


def test_the_businesss_own_seasons_stand_beside_the_holidays_or_alone() -> None:
    anniversary = [own("周年庆 <b>", "2026-05-30", "2026-06-02")]
    both = seasons(date(2026, 5, 1), date(2026, 6, 30), shop(calendar=anniversary))
    assert both["name"].tolist() == ["周年庆 <b>", "618"]
    assert both["kind"].tolist() == ["own", "sale"]
    alone = seasons(date(2026, 1, 1), date(2026, 12, 31), shop(calendar=anniversary, holidays="none"))
    assert alone["name"].tolist() == ["周年庆 <b>"]


def test_a_calendar_without_seasons_is_an_empty_frame_of_the_same_columns() -> None:
    empty, full = (seasons(date(2026, 1, 1), date(2026, 12, 31), shop(holidays=kind)) for kind in ("none", "china"))
    assert empty.empty
    assert list(empty.columns) == list(full.columns) == ["name", "first", "last", "kind"]
    assert empty["first"].dtype == full["first"].dtype == "datetime64[s]"


@MANY
@given(DAYS, st.integers(1, 800))
def test_seasons_are_clipped_to_the_range(last: date, days: int) -> None:
    first = last - timedelta(days=days - 1)
    own_season = [own("long", "2020-01-01", "2025-12-31")]
    found = seasons(first, last, shop(calendar=own_season))
    assert (found["first"] >= pd.Timestamp(first)).all()
    assert (found["last"] <= pd.Timestamp(last)).all()
    assert (found["first"] <= found["last"]).all()
    assert found["first"].is_monotonic_increasing or not found["first"].is_unique
    inside = held(last, days, shop(calendar=own_season))
    assert sorted(inside["days"]) == sorted((found["last"] - found["first"]).dt.days + 1)
    assert (inside["days"] <= inside["length"]).all()


@MANY
@given(DAYS, st.integers(1, 800), st.integers(1, 60))
def test_a_season_known_in_a_window_is_known_in_every_longer_one(last: date, days: int, more: int) -> None:
    short, long = (held(last, length, shop())[["name", "first", "last", "kind"]] for length in (days, days + more))
    assert set(map(tuple, short.to_numpy().tolist())) <= set(map(tuple, long.to_numpy().tolist()))


@MANY
@given(st.dates(date(2011, 1, 1), date(2035, 12, 31)))
def test_a_year_holds_every_fixed_season_once(last: date) -> None:
    """A window of 365 days holds the days of one 618, National Day and Double 11, whole or in two parts."""
    days = held(last, 365, shop()).groupby("name")["days"].sum()
    fixed = {"618": 20, "national_day": 7, "double_11": 11}
    leap = any(last - timedelta(days=364) <= date(year, 2, 29) <= last for year in range(2012, 2036, 4))
    for name, length in fixed.items():
        assert days[name] in ({length, length - 1} if leap else {length})


NOTE: dict[str, Any] = {"words": words("en"), "settings": shop()}


def test_a_note_says_which_season_a_window_cuts_and_by_how_much() -> None:
    note = season_note(date(2026, 11, 5), 365, **NOTE)
    assert note is not None
    assert note.text == (
        "The 365 days up to 5 November 2026 hold only a part of Double 11 (1–11 November 2025: 6 of 11 days)"
        " and Double 11 (1–11 November 2026: 5 of 11 days). Compare with care."
    )


def test_a_note_says_what_the_compared_window_holds_instead() -> None:
    note = season_note(date(2026, 12, 11), 30, **NOTE, compared=date(2026, 11, 11))
    assert note is not None
    assert note.text == "Double 11: 0 days in this period, 11 in the earlier one. Compare with care."
    later = season_note(date(2026, 11, 11), 30, **NOTE, compared=date(2026, 10, 11))
    assert later is not None
    assert "Double 11: 11 days in this period, 0 in the earlier one." in later.text
    assert "National Day: 0 days in this period, 7 in the earlier one." in later.text


def test_a_moving_festival_that_a_year_holds_twice_is_noted() -> None:
    """From 12 January 2020 to 31 January 2021 the festival of 2020 falls in; that of 2021 starts on 11 February."""
    assert season_note(date(2026, 2, 10), 365, **NOTE) is not None
    assert season_note(date(2027, 2, 4), 365, **NOTE) is None
    note = season_note(date(2026, 2, 15), 365, **NOTE, compared=date(2026, 1, 15))
    assert note is not None
    assert "Spring Festival: 0 days in this period, 16 in the earlier one." in note.text


def test_a_year_with_whole_seasons_carries_no_note() -> None:
    assert season_note(date(2026, 10, 31), 365, **NOTE, compared=date(2026, 9, 30)) is None


@MANY
@given(st.dates(date(2012, 1, 1), date(2034, 12, 31)), st.integers(7, 400), st.integers(1, 60))
def test_a_note_stands_exactly_where_days_are_cut_or_differ(last: date, days: int, back: int) -> None:
    then = last - timedelta(days=back)
    windows = [held(end, days, shop()) for end in (last, then)]
    cut = any((window["days"] < window["length"]).any() for window in windows)
    totals = [window.groupby("name")["days"].sum().to_dict() for window in windows]
    assert (season_note(last, days, **NOTE, compared=then) is not None) == (cut or totals[0] != totals[1])


def test_the_businesss_own_names_are_escaped_in_a_note() -> None:
    mine = shop(holidays="none", calendar=[own("<script>周年庆", "2026-10-25", "2026-11-05")])
    note = season_note(date(2026, 10, 31), 30, mine, words=words("zh"))
    assert note is not None
    assert "<script>周年庆（2026年10月25日至11月5日，12 天中的 7 天）" in note.text
    assert "<script>" not in note._repr_html_()
    assert "&lt;script&gt;" in note._repr_html_()

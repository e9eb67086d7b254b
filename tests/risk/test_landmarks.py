"""Where a model learns: before the origin, after a burn-in, and only what was known."""

from __future__ import annotations

from datetime import date, timedelta

import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.builders.profiles import examples
from tests.builders.refusals import assert_refused
from toolkit.errors import ArgumentError
from toolkit.risk.landmarks import MOST, censored, training_landmarks

FIRST = date(2026, 1, 1)


def test_landmarks_of_a_quarter_by_hand() -> None:
    """90 days: a third is 30, in whole weeks 28; 45 days of burn-in; 180 days of log hold 4 steps after that."""
    assert training_landmarks(FIRST, date(2026, 6, 30), 90) == (
        date(2026, 3, 10),
        date(2026, 4, 7),
        date(2026, 5, 5),
        date(2026, 6, 2),
    )


@examples(dev=60, ci=100)
@given(known=st.integers(0, 2_000), horizon=st.integers(1, 400))
def test_what_holds_for_every_log_and_horizon(known: int, horizon: int) -> None:
    origin = FIRST + timedelta(days=known)
    try:
        found = training_landmarks(FIRST, origin, horizon)
    except ArgumentError:
        assume(False)
    gaps = [(origin - day).days for day in found]
    assert 1 <= len(found) <= MOST
    assert list(found) == sorted(set(found))
    assert max(gaps) >= horizon, "none is followed to the end"
    assert min((day - FIRST).days for day in found) >= horizon / 2, "no burn-in"
    assert {day.weekday() for day in found} == {origin.weekday()}
    assert horizon <= 10 or min(gaps) < horizon, "nothing is learned of the last days"


@examples(dev=60, ci=100)
@given(known=st.integers(1, 500), horizon=st.integers(1, 400))
def test_a_refusal_names_an_origin_and_a_horizon_that_work(known: int, horizon: int) -> None:
    origin = FIRST + timedelta(days=known)
    assume(known < _first_that_works(horizon))
    with pytest.raises(ArgumentError, match="E-short-log") as refused:
        training_landmarks(FIRST, origin, horizon)
    later, _, shorter = refused.value.hint.removeprefix("an origin from ").partition(" on")
    assert later == str(FIRST + timedelta(days=_first_that_works(horizon)))
    if shorter:
        days = int(shorter.removeprefix(", or horizon="))
        assert training_landmarks(FIRST, origin, days)
        assert days < horizon


def _first_that_works(horizon: int) -> int:
    """Days of log that hold half a horizon, and then as many steps of weeks as cover a whole one."""
    week = 7 * max(1, round(horizon / 21))
    steps = next(back for back in range(0, 2_000, week) if back >= horizon)
    return steps + (horizon + 1) // 2


def test_no_landmark_moves_with_a_longer_future() -> None:
    """The rule looks back from the origin only: one day more of log before it never moves a landmark."""
    later = training_landmarks(FIRST, "2026-12-31", 90)
    assert training_landmarks("2025-12-31", "2026-12-31", 90)[-len(later) :] == later


def test_a_horizon_is_a_whole_number_of_days() -> None:
    asked: tuple[object, ...] = (0, -1, 30.5, "90", True)
    assert_refused(
        {
            repr(days): (lambda days=days: training_landmarks(FIRST, "2026-12-31", days), "horizon:")  # type: ignore[misc]
            for days in asked
        }
    )


def test_what_lies_beyond_the_horizon_is_censored_there() -> None:
    frame = pd.DataFrame(
        {"duration_days": [5.0, 30.0, 31.0, 400.0, 330.0], "event": [1, 1, 1, 2, 0], "entry_days": [0.0] * 4 + [300.0]}
    )
    frame.attrs["as_of"] = "2026-12-31"
    seen = censored(frame, 30)
    assert seen["duration_days"].tolist() == [5.0, 30.0, 30.0, 30.0, 330.0]
    assert seen["event"].tolist() == [1, 1, 0, 0, 0]
    assert seen.attrs == frame.attrs
    assert frame["event"].tolist() == [1, 1, 1, 2, 0], "its argument was changed"

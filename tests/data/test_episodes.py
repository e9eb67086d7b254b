"""Episodes: features as visible at each landmark, and what came of each customer, against plain Python and by hand."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from pandas.testing import assert_frame_equal

import toolkit as tk
from tests.builders.made_up import AS_OF, study_of, tables_of
from tests.builders.portrait import Portrait
from toolkit.errors import ArgumentError, InputError
from toolkit.schema import DURATION_DAYS, ENTRY_DAYS, EVENT, LANDMARK, SNAPSHOT

if TYPE_CHECKING:
    from tests.builders.made_up import Row

SEVERAL = settings(max_examples=15, deadline=None, derandomize=True, phases=[Phase.generate, Phase.shrink])
LANDMARKS = [date.fromisoformat(str(AS_OF)) - timedelta(days=days) for days in (300, 120, 45, 10)]


def study(orders: list[tuple[str, str]] | None = None, **tables: Any) -> tk.Study:
    rows = orders or [("C1", "2026-01-05")]
    frame = pd.DataFrame(
        {"customer_id": [who for who, _ in rows], "ordered_at": [day for _, day in rows], "amount": 10}
    )
    frames = {name: pd.DataFrame(rows) if isinstance(rows, list) else rows for name, rows in tables.items()}
    return tk.Study.from_frames(orders=frame, timezone="Asia/Shanghai", currency="CNY", **frames)


def found(episodes: pd.DataFrame) -> dict[tuple[str, str], tuple[float, int, float]]:
    return {
        (str(who), f"{row[LANDMARK]:%Y-%m-%d}"): (row[DURATION_DAYS], row[EVENT], row[ENTRY_DAYS])
        for who, row in episodes.iterrows()
    }


@SEVERAL
@given(tables=tables_of())
def test_features_are_those_of_the_snapshot_at_each_landmark(tables: dict[str, list[Row]]) -> None:
    made = study_of(tables)
    try:
        episodes = made.episodes(LANDMARKS, AS_OF)
    except ArgumentError:
        assert all((made.snapshot(day)["order_days"] == 0).all() for day in LANDMARKS if _visible(made, day))
        return
    for landmark, rows in episodes.groupby(LANDMARK):
        day = str(landmark)[:10]
        snapshot = made.snapshot(day, cuts_at=AS_OF)
        deleted = _deleted(tables, date.fromisoformat(day))
        buyers = snapshot[(snapshot["order_days"] > 0) & ~snapshot.index.isin(deleted)]
        features = rows.drop(columns=[LANDMARK, DURATION_DAYS, EVENT, ENTRY_DAYS])
        assert_frame_equal(features, buyers, check_exact=False, rtol=1e-12)
    assert list(episodes.columns[4:]) == [column.name for column in SNAPSHOT if column.name in made.columns]


def _visible(made: tk.Study, day: date) -> bool:
    try:
        made.check(day)
    except InputError:
        return False
    return True


def _deleted(tables: dict[str, list[Row]], day: date) -> set[str]:
    portrait = Portrait(tables, day, window_days=365, count_zero_orders=False)
    return {row["customer_id"] for row in portrait.rows["events"] if row["kind"] == "注销"}


@SEVERAL
@given(tables=tables_of())
def test_what_came_next_is_what_plain_python_reads_in_the_rows(tables: dict[str, list[Row]]) -> None:
    made = study_of(tables)
    try:
        episodes = made.episodes(LANDMARKS, AS_OF, columns=[])
    except ArgumentError:
        return
    known = Portrait(tables, AS_OF, window_days=365, count_zero_orders=False)
    last = date.fromisoformat(str(AS_OF))
    for (who, day), (duration, event, entry) in found(episodes).items():
        landmark = date.fromisoformat(day)
        days = [row["day"] for row in known.rows["orders"] if row["customer_id"] == who and row["used"]]
        gone = [row["day"] for row in known.rows["events"] if row["customer_id"] == who and row["kind"] == "注销"]
        nexts = [(min(d for d in days if d > landmark), 1)] if any(d > landmark for d in days) else []
        nexts += [(min(gone), 2)] if gone else []
        when, what = min(nexts, default=(last, 0))
        assert ((when - landmark).days, what, 0) == (duration, event, entry)


@SEVERAL
@given(tables=tables_of())
def test_reach_is_lost_on_the_day_that_the_logs_say(tables: dict[str, list[Row]]) -> None:
    made = study_of(tables)
    try:
        episodes = made.episodes(LANDMARKS, AS_OF, columns=[], outcome="lost_reach")
    except ArgumentError:
        return
    known = Portrait(tables, AS_OF, window_days=365, count_zero_orders=False)
    for (who, day), (duration, event, _) in found(episodes).items():
        said = [row["day"] for row in known.rows["contacts"] if row["customer_id"] == who and row["opted_out"] == "yes"]
        said += [r["day"] for r in known.rows["events"] if r["customer_id"] == who and r["kind"] == "unfollow"]
        assert not said or str(min(said)) > day
        if event == 1:
            assert (min(said) - date.fromisoformat(day)).days == duration


@SEVERAL
@given(tables=tables_of())
def test_rows_after_as_of_change_nothing(tables: dict[str, list[Row]]) -> None:
    later = [dict(row, ordered_at="2027-03-03", recorded_at=None, amount="7") for row in tables["orders"]]
    later += [dict(row, recorded_at="2027-03-03") for row in tables["orders"] if row["customer_id"] == "C1"]
    mangled = tables | {
        "orders": [*tables["orders"], *later],
        "events": [*tables["events"], {**tables["events"][0], "occurred_at": "2027-02-02", "kind": "注销"}],
    }
    try:
        before = study_of(tables).episodes(LANDMARKS, AS_OF)
    except ArgumentError:
        return
    assert_frame_equal(before, study_of(mangled).episodes(LANDMARKS, AS_OF), check_exact=True)


def test_the_next_order_is_a_day_and_who_does_not_order_is_censored() -> None:
    shop = study([("C1", "2026-01-05"), ("C1", "2026-02-01 08:00"), ("C1", "2026-02-01 09:00"), ("C2", "2026-02-03")])
    episodes = shop.episodes(["2026-01-31", "2026-02-01", "2026-02-28"], "2026-02-28", columns=["order_days"])
    assert found(episodes) == {
        ("C1", "2026-01-31"): (1, 1, 0), ("C1", "2026-02-01"): (27, 0, 0), ("C1", "2026-02-28"): (0, 0, 0),
        ("C2", "2026-02-28"): (0, 0, 0),
    }  # fmt: skip
    assert list(episodes["order_days"]) == [1, 2, 2, 1]
    assert episodes.attrs["landmarks"] == ("2026-01-31", "2026-02-01", "2026-02-28")


def test_what_is_recorded_late_is_no_feature_but_an_outcome() -> None:
    orders = pd.DataFrame(
        {
            "customer_id": ["C1", "C1", "C1"],
            "ordered_at": ["2026-01-05", "2026-01-20", "2026-02-10"],
            "recorded_at": ["2026-01-05", "2026-02-05", "2026-03-05"],
            "amount": [10, 20, 30],
        }
    )
    shop = tk.Study.from_frames(orders=orders, timezone="Asia/Shanghai", currency="CNY")
    at = shop.episodes(["2026-01-10", "2026-01-31"], "2026-02-28", columns=["order_days", "spend"])
    assert found(at) == {("C1", "2026-01-10"): (10, 1, 0), ("C1", "2026-01-31"): (28, 0, 0)}
    assert list(at["spend"]) == [10, 10]
    assert found(shop.episodes(["2026-01-31"], "2026-03-31"))["C1", "2026-01-31"] == (10, 1, 0)


def test_a_deleted_account_ends_an_episode_and_has_none_later() -> None:
    events = [{"customer_id": "C1", "occurred_at": "2026-02-10 10:00", "kind": "注销账号"},
              {"customer_id": "C2", "occurred_at": "2026-02-10 10:00", "kind": "注销"}]  # fmt: skip
    shop = study([("C1", "2026-01-05"), ("C2", "2026-01-05"), ("C2", "2026-02-05")], events=events)
    expected = {("C1", "2026-01-31"): (10, 2, 0), ("C2", "2026-01-31"): (5, 1, 0)}
    assert found(shop.episodes(["2026-01-31"], "2026-02-28")) == expected
    with pytest.raises(ArgumentError, match="no buyer at any of the landmarks"):
        shop.episodes(["2026-02-10"], "2026-02-28")


def test_a_membership_runs_from_its_start_and_members_enter_late() -> None:
    memberships = [
        {"customer_id": "M1", "starts_at": "2026-01-01", "ends_at": "2026-01-31", "cancelled_at": None},
        {"customer_id": "M1", "starts_at": "2026-02-01", "ends_at": "2026-02-28", "cancelled_at": None},
        {"customer_id": "M2", "starts_at": "2026-01-11", "ends_at": "2026-12-31", "cancelled_at": "2026-02-20"},
        {"customer_id": "M3", "starts_at": "2026-01-01", "ends_at": "2026-01-31", "cancelled_at": None},
        {"customer_id": "M3", "starts_at": "2026-02-02", "ends_at": "2026-12-31", "cancelled_at": None},
        {"customer_id": "M4", "starts_at": "2025-02-01", "ends_at": None, "cancelled_at": None},
    ]
    shop = study(memberships=memberships)
    assert found(shop.episodes(["2026-01-21", "2026-02-10"], "2026-03-31", columns=[], outcome="end")) == {
        ("M1", "2026-01-21"): (59, 1, 20), ("M1", "2026-02-10"): (59, 1, 40),
        ("M2", "2026-01-21"): (40, 1, 10), ("M2", "2026-02-10"): (40, 1, 30),
        ("M3", "2026-01-21"): (31, 1, 20), ("M3", "2026-02-10"): (57, 0, 8),
        ("M4", "2026-01-21"): (423, 0, 354), ("M4", "2026-02-10"): (423, 0, 374),
    }  # fmt: skip
    early = shop.episodes(["2026-01-21"], "2026-02-15", columns=[], outcome="end")
    assert found(early)["M2", "2026-01-21"] == (35, 0, 10)


def test_who_never_bought_loses_no_reach_and_an_opt_out_ends_no_order_episode() -> None:
    contacts = [{"customer_id": who, "sent_at": "2026-02-10 10:00", "opted_out": "yes"} for who in ("C1", "P1")]
    shop = study([("C1", "2026-01-05"), ("C1", "2026-02-20")], contacts=contacts)
    assert found(shop.episodes(["2026-01-31"], "2026-02-28", outcome="lost_reach")) == {
        ("C1", "2026-01-31"): (10, 1, 0)
    }
    assert found(shop.episodes(["2026-01-31"], "2026-02-28")) == {("C1", "2026-01-31"): (20, 1, 0)}


def test_row_order_and_order_of_landmarks_change_nothing() -> None:
    demo = tk.Study.demo(customers=300)
    days = ["2026-03-31", "2026-06-30"]
    there = demo.episodes(days, "2026-10-31")
    assert_frame_equal(there, demo.episodes(days[::-1], "2026-10-31"))
    assert there[DURATION_DAYS].between(1, 214).all()
    assert np.isfinite(there["idle_days"]).all()


@pytest.mark.parametrize(
    ("landmarks", "more", "message"),
    [
        ([], {}, "no landmark was given"),
        (["2026-02-01", "2026-02-01"], {}, "given twice"),
        (["2026-03-01"], {}, "after as_of"),
        (["2025-01-01"], {}, "no buyer at any of the landmarks"),
        (["2026-02-01"], {"outcome": "end"}, "needs the table memberships"),
        (["2026-02-01"], {"outcome": "gone"}, "unknown: 'gone'"),
        (["2026-02-01"], {"columns": ["recensy_days"]}, "unknown: recensy_days"),
        (["2026-02-01 10:00"], {}, "whole day"),
    ],
)
def test_what_cannot_be_asked_is_refused(landmarks: list[str], more: dict[str, Any], message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        study().episodes(landmarks, "2026-02-28", **more)

"""Snapshot, clock, episodes and outcomes of made-up rows equal what plain Python makes of the same rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from tests.builders.made_up import AS_OF, MOMENTS, SETTINGS, study_of, tables_of
from tests.builders.profiles import several
from tests.oracles.portrait import INTERACTIONS, NO_ACTS, Portrait, day_of, rows_up_to
from toolkit.data.measures import Measure
from toolkit.errors import ArgumentError
from toolkit.schema import DURATION_DAYS, ENTRY_DAYS, EVENT, LANDMARK, SNAPSHOT

if TYPE_CHECKING:
    from collections.abc import Callable

    import toolkit as tk
    from tests.builders.made_up import Tables

LANDMARKS = [AS_OF - timedelta(days=days) for days in (300, 120, 45, 10)]
MEASURES = {
    **{
        name: Measure(name)
        for name in ("spend", "orders", "order_days", "active_days", "interactions", "opt_outs", "messages")
    },
    "lessons": Measure("events", ("lesson_start", "lesson_complete")),
    "odd": Measure("events", ("挥手",)),
}


@dataclass(frozen=True)
class World:
    """Made-up rows, their study, and the same in plain Python."""

    seed: int
    tables: Tables
    study: tk.Study
    options: dict[str, Any]
    known: Portrait

    def portrait(self, rows: Tables, day: date, **more: Any) -> Portrait:
        return Portrait(rows, day, **self.options, **more)


@pytest.fixture(scope="module", params=range(several(6, 48)))
def world(request: pytest.FixtureRequest) -> World:
    """Links or none, late rows or none, two windows, zero orders excluded or counted: each by turns."""
    seed: int = request.param
    tables = tables_of(seed)
    if seed % 2:
        del tables["identities"]
    on_time = seed // 2 % 3 == 1
    given = tables | {"orders": [{**row, "recorded_at": None} for row in tables["orders"]]} if on_time else tables
    exported = given
    if on_time:
        exported = given | {
            "orders": [{name: cell for name, cell in row.items() if name != "recorded_at"} for row in given["orders"]]
        }
    count, window = ((False, 365), (True, 90))[seed // 2 % 2]
    policies = SETTINGS["policies"] | {"zero_orders": "count" if count else "exclude"}
    options: dict[str, Any] = {"window_days": window, "count_zero_orders": count}
    study = study_of(exported, policies=policies, window_days=window)
    return World(seed, given, study, options, Portrait(given, AS_OF, **options))


def agree(found: pd.DataFrame, expected: Portrait) -> None:
    assert list(found.index) == sorted(expected.columns)
    wrong = {
        (column.name, who): (value, expected.columns[str(who)][column.name])
        for column in SNAPSHOT
        if column.name in found
        for who, value in found[column.name].items()
        if not _same(value, expected.columns[str(who)][column.name], column.dtype)
    }
    assert not wrong


def _same(value: Any, expected: Any, dtype: str) -> bool:
    if expected is None:
        return bool(pd.isna(value))
    if dtype.startswith("datetime"):
        return bool(day_of(str(value)) == expected)
    if dtype == "float64":
        return bool(value == pytest.approx(float(expected), rel=1e-12, abs=1e-12))
    return bool(value == expected)


def test_every_column_of_the_snapshot(world: World) -> None:
    found = world.study.snapshot(AS_OF)
    assert set(found.columns) == {column.name for column in SNAPSHOT}
    agree(found, world.known)


def test_a_clock_that_runs_on_without_new_rows(world: World) -> None:
    """Rows dated up to one day and recorded by another, seen later: price bands are those of the later day."""
    back, late = ((0, 0), (7, 31), (31, 7), (91, 31), (31, 0), (7, 7))[world.seed % 6]
    until, known = AS_OF - timedelta(days=back), AS_OF - timedelta(days=min(back, late))
    found = world.study.snapshot(AS_OF, until=until, known=known)
    rows = rows_up_to(world.tables, until, known)
    agree(found, world.portrait(rows, AS_OF, price_cuts=world.known.price_cuts))


def test_a_few_customers_are_as_they_are_among_all(world: World) -> None:
    whole = world.study.snapshot(AS_OF)
    quick = [column for column in whole.columns if column != "intent_30d"]
    wanted = (["C1"], ["C2", "A1"], ["零", "nobody"], [])[world.seed % 4]
    few = world.study.snapshot(AS_OF, customers=wanted)
    assert_frame_equal(few, whole[whole.index.isin(wanted)])
    assert_frame_equal(world.study.snapshot(AS_OF, columns=quick, customers=wanted), few[quick])
    assert_frame_equal(world.study.snapshot(AS_OF), whole)


# episodes


def buyers(world: World, day: date) -> dict[str, Portrait]:
    """Return who had bought by a day and had not deleted their account."""
    then = world.portrait(world.tables, day)
    deleted = {row["customer_id"] for row in then.rows["events"] if row["kind"] == "注销"}
    return {who: then for who, row in then.columns.items() if row["order_days"] and who not in deleted}


def _unreachable(known: Portrait, who: str) -> list[date]:
    """Return the days on which the logs say that a person wants no more."""
    said = [row["day"] for row in known.rows["contacts"] if row["customer_id"] == who and row["opted_out"] == "yes"]
    return said + [r["day"] for r in known.rows["events"] if r["customer_id"] == who and r["kind"] == "unfollow"]


def _ordered(known: Portrait, who: str) -> list[date]:
    return [row["day"] for row in known.rows["orders"] if row["customer_id"] == who and row["used"]]


def test_what_came_next(world: World) -> None:
    """The next order, or the day on which reach is lost; the account may be deleted before."""
    outcomes: dict[Any, Callable[[Portrait, str], list[date]]] = {"order": _ordered, "lost_reach": _unreachable}
    deleted = {
        who: [row["day"] for row in world.known.rows["events"] if row["customer_id"] == who and row["kind"] == "注销"]
        for who in world.known.columns
    }
    for outcome, days_of in outcomes.items():
        wanted = {}
        for landmark in LANDMARKS:
            for who in buyers(world, landmark):
                days = days_of(world.known, who)
                if outcome == "lost_reach" and min(days, default=date.max) <= landmark:
                    continue
                nexts = [(day, 1) for day in days if day > landmark] + [(day, 2) for day in deleted[who]]
                when, what = min(nexts, default=(AS_OF, 0))
                wanted[who, landmark] = ((when - landmark).days, what, 0)
        try:
            episodes = world.study.episodes(LANDMARKS, AS_OF, columns=[], outcome=outcome)
        except ArgumentError:
            assert not wanted
            continue
        found = {
            (str(who), row[LANDMARK].date()): (row[DURATION_DAYS], row[EVENT], row[ENTRY_DAYS])
            for who, row in episodes.iterrows()
        }
        assert found == wanted, outcome


def test_features_are_those_of_the_snapshot_at_each_landmark(world: World) -> None:
    if not any(buyers(world, day) for day in LANDMARKS):
        with pytest.raises(ArgumentError, match="no buyer at any of the landmarks"):
            world.study.episodes(LANDMARKS, AS_OF)
        return
    episodes = world.study.episodes(LANDMARKS, AS_OF)
    assert list(episodes.columns[4:]) == [column.name for column in SNAPSHOT]
    assert_frame_equal(episodes, world.study.episodes(LANDMARKS[::-1], AS_OF))
    there = {str(landmark)[:10]: rows for landmark, rows in episodes.groupby(LANDMARK)}
    assert set(there) == {str(day) for day in LANDMARKS if buyers(world, day)}
    for day, rows in there.items():
        snapshot = world.study.snapshot(day, cuts_at=AS_OF)
        expected = snapshot[snapshot.index.isin(buyers(world, date.fromisoformat(day)))]
        assert_frame_equal(rows.drop(columns=[LANDMARK, DURATION_DAYS, EVENT, ENTRY_DAYS]), expected, rtol=1e-12)


# outcomes


def measured(portrait: Portrait, who: str, inside: Callable[[str], bool]) -> dict[str, float]:
    """Work out every measure of one customer from raw rows."""
    mine = {name: [row for row in rows if row["customer_id"] == who] for name, rows in portrait.rows.items()}
    orders = [(place, row) for place, row in enumerate(mine["orders"]) if inside(row["ordered_at"])]
    used = [(place, row) for place, row in orders if row["used"]]
    events = [row for row in mine["events"] if inside(row["occurred_at"])]
    contacts = [row for row in mine["contacts"] if inside(row["sent_at"])]
    acted = {row["day"] for row in events if row["kind"] not in NO_ACTS}
    return {
        "spend": float(sum(row["paid"] - row["back"] for _, row in orders)),
        "orders": len({row["order_id"] or f"row {place}" for place, row in used}),
        "order_days": len({row["day"] for _, row in used}),
        "active_days": len({row["day"] for _, row in used} | acted),
        "interactions": sum(row["kind"] in INTERACTIONS for row in events),
        "opt_outs": sum(row["kind"] == "unfollow" for row in events)
        + sum(row["opted_out"] == "yes" for row in contacts),
        "messages": sum(row["delivered"] != "no" for row in contacts),
        "lessons": sum(row["kind"] in ("lesson_start", "lesson_complete") for row in events),
        "odd": sum(row["kind"] == "挥手" for row in events),
    }


def test_outcomes_over_windows_of_each_customer_s_own(world: World) -> None:
    first = (-90, -30, 0, 21)[world.seed // 2 % 4]
    customers = [*world.known.columns, "nobody"]
    moments = [pd.Timestamp(MOMENTS[(7 * place + 11 * world.seed) % len(MOMENTS)]) for place in range(len(customers))]
    starts = pd.Series(moments, index=pd.Index(customers, dtype="string[pyarrow]", name="customer_id"))
    found = world.study.outcomes(starts, AS_OF, MEASURES, first_day=first, last_day=first + 28)
    wanted = {}
    for who, start in starts.items():
        low, high = start + timedelta(days=first), start + timedelta(days=first + 28)
        inside = lambda moment, low=low, high=high: low <= datetime.fromisoformat(moment) < high  # noqa: E731 - bound here
        wanted[who] = measured(world.known, str(who), inside)
    frame = pd.DataFrame.from_dict(wanted, orient="index", columns=list(MEASURES)).astype("float64")
    assert_frame_equal(found, frame.set_axis(starts.index), rtol=1e-12)

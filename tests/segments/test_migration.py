"""Who moved and why: worked by hand, against a plain Python oracle over random histories, and on every scheme."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

import toolkit as tk
from toolkit.errors import ArgumentError
from toolkit.intervals import wilson
from toolkit.schema import PROSPECT, SEGMENTS
from toolkit.segments.bridge import COLUMNS, PARTS, adds_up
from toolkit.segments.moved import GONE, NEW, Drift

if TYPE_CHECKING:
    from toolkit.segments.migration import Migration

BEFORE, AFTER = date(2026, 6, 30), date(2026, 9, 30)
STATED: dict[str, Any] = {
    "timezone": "Asia/Shanghai",
    "currency": "CNY",
    "policies": {"negative_amounts": "refund", "refunded_rows": "refund_record"},
    "loss_budget": {"rows": 1, "money": 1},
    "window_days": 120,
}
TIERS = (*SEGMENTS, PROSPECT)
Line = dict[str, Any]
State = dict[str, tuple[int, Fraction]]
"""Person -> tier (its place) and spend in the window."""


# -- the oracle: every step once more, row by row ----------------------------------------------------------------


def people(links: list[Line]) -> dict[str, str]:
    return {link["id_value"]: link["customer_id"] for link in links}


def figures(lines: list[Line], links: list[Line], clock: date, until: date, known: date) -> dict[str, list[Fraction]]:
    """Person -> orders, recency, order days in the window, spend in the window."""
    who, start = people(links), clock - timedelta(days=STATED["window_days"])
    found: dict[str, list[Line]] = {}
    for line in lines:
        day = date.fromisoformat(line["ordered_at"])
        recorded = date.fromisoformat(line["recorded_at"]) if line["recorded_at"] else day
        if day <= until and max(day, recorded) <= known:
            person = who.get(line["customer_id"]) or str(line["customer_id"])
            found.setdefault(person, []).append({"day": day, "amount": Fraction(line["amount"])})
    told = {}
    for person, rows in found.items():
        bought = [row["day"] for row in rows if row["amount"] > 0]
        window = [row for row in rows if row["day"] > start]
        told[person] = [
            Fraction(len(bought)),
            Fraction((clock - max(bought)).days if bought else 0),
            Fraction(len({row["day"] for row in window if row["amount"] > 0})),
            sum((row["amount"] for row in window), Fraction(0)),
        ]
    return told


def median(values: list[Fraction]) -> Fraction:
    ranked = sorted(values)
    return (ranked[(len(ranked) - 1) // 2] + ranked[len(ranked) // 2]) / 2


def cuts(told: dict[str, list[Fraction]]) -> list[Fraction]:
    buyers = [row for row in told.values() if row[0]]
    return [median([row[place] for row in buyers]) for place in (1, 2, 3)]


def tiers(told: dict[str, list[Fraction]], splits: list[Fraction]) -> State:
    near, often, much = splits
    order = {(r, f, m): name for (r, f, m), name in zip(
        [(1, 1, 1), (1, 0, 1), (0, 1, 1), (0, 0, 1), (1, 1, 0), (1, 0, 0), (0, 1, 0), (0, 0, 0)], range(8), strict=True
    )}  # fmt: skip
    return {
        person: (order[recency < near, days > often, spend > much] if orders else 8, spend)
        for person, (orders, recency, days, spend) in told.items()
    }


def expected(steps: list[State], anew: State) -> dict[tuple[int, str, str], Any]:
    """Walk each customer through the steps; cells by tier, measure and part."""
    start, corrected, clock, end = steps
    cells: dict[tuple[int, str, str], Any] = {}

    def add(part: str, state: tuple[int, Fraction] | None, sign: int = 1) -> None:
        if state is not None:
            for measure, value in (("customers", Fraction(1)), ("spend", state[1])):
                cells[state[0], measure, part] = cells.get((state[0], measure, part), 0) + sign * value

    for person in {*start, *corrected, *clock, *end}:
        s, c, k, e, a = (state.get(person) for state in (start, corrected, clock, end, anew))
        add("start", s)
        add("end", e)
        add("drift", a)
        add("drift", e, -1)
        if s and not c:
            add("gone", s, -1)
        if c:
            add("correction", c)
            add("correction", s, -1)
            add("clock", c, -1)
        add("clock", k)
        add("behaviour" if k else "new", e)
        add("behaviour", k, -1)
    return cells


def agrees(move: Migration, cells: dict[tuple[int, str, str], Any]) -> None:
    for row in move.bridge.to_dict("records"):
        of = range(9) if row["tier"] == "total" else [TIERS.index(row["tier"])]
        for part in ("start", *PARTS, "end", "drift"):
            value = sum((cells.get((tier, row["measure"], part), Fraction(0)) for tier in of), Fraction(0))
            assert Fraction(row[part]) == value, (row["tier"], row["measure"], part)


# -- random histories --------------------------------------------------------------------------------------------

DAYS = [-100, -60, -31, -3, -1, 0, 1, 5, 29, 30, 60, 91, 92, 120]
"""Days from `BEFORE` at which lines are dated; some after `AFTER`."""


def _day(days: int) -> str:
    return (BEFORE + timedelta(days=days)).isoformat()


LINE = st.fixed_dictionaries(
    {
        "customer_id": st.sampled_from(["C1", "C2", "C3", "C4", "C5", "C6", "A1", "A2"]),
        "ordered_at": st.sampled_from(DAYS).map(_day),
        "recorded_at": st.none() | st.sampled_from(DAYS).map(_day),
        "amount": st.sampled_from(["10", "0.1", "99.99", "300", "20.5", "-5"]),
    }
)
FIRST: Line = {"customer_id": "C1", "ordered_at": _day(-60), "recorded_at": None, "amount": "20"}
LINKS = st.lists(
    st.sampled_from(
        [
            {"customer_id": "C1", "id_kind": "openid", "id_value": "A1"},
            {"customer_id": "C2", "id_kind": "openid", "id_value": "A2"},
            {"customer_id": "C3", "id_kind": "openid", "id_value": "C6"},
        ]
    ),
    unique_by=lambda link: link["id_value"],
)
MANY = settings(max_examples=40, deadline=None, derandomize=True)


def study_of(lines: list[Line], links: list[Line], **more: Any) -> tk.Study:
    frames: dict[str, Any] = {"identities": pd.DataFrame(links)} if links else {}
    return tk.Study.from_frames(pd.DataFrame(lines, dtype=object), **STATED, **frames, **more)


@MANY
@given(lines=st.lists(LINE, min_size=1, max_size=25), links=LINKS)
def test_parts_are_those_of_the_oracle_and_add_up(lines: list[Line], links: list[Line]) -> None:
    lines = [FIRST, *lines]
    move = tk.migrate(study_of(lines, links), BEFORE, AFTER, tiers=tk.RFM())
    steps = [
        figures(lines, links, *days)
        for days in ((BEFORE, BEFORE, BEFORE), (BEFORE, BEFORE, AFTER), (AFTER, BEFORE, AFTER), (AFTER, AFTER, AFTER))
    ]
    split = cuts(steps[0])
    states = [tiers(told, split) for told in steps]
    agrees(move, expected(states, tiers(steps[3], cuts(steps[3]))))
    holds(move)
    assert move.not_measured
    assert (move.bridge["gone"] == 0).all()


@MANY
@given(
    lines=st.lists(LINE, min_size=1, max_size=20),
    links=LINKS,
    fates=st.lists(st.sampled_from(["same", "same", "late", "rewritten", "withdrawn"]), min_size=20, max_size=20),
)
def test_what_was_stored_before_is_corrected_first(lines: list[Line], links: list[Line], fates: list[str]) -> None:
    """At the earlier report some rows were missing, others had another amount or stand no more; no id was joined."""
    then = [FIRST] + [
        line | ({"amount": "7.77"} if fate == "rewritten" else {})
        for line, fate in zip(lines, fates, strict=False)
        if fate != "late"
    ]
    now = [FIRST] + [line for line, fate in zip(lines, fates, strict=False) if fate != "withdrawn"]
    stored = study_of(then, []).snapshot(BEFORE)
    move = tk.migrate(study_of(now, links), BEFORE, AFTER, tiers=tk.RFM(), stored=stored)
    start = figures(then, [], BEFORE, BEFORE, BEFORE)
    steps = [
        figures(now, links, *days) for days in ((BEFORE, BEFORE, AFTER), (AFTER, BEFORE, AFTER), (AFTER, AFTER, AFTER))
    ]
    states = [tiers(told, cuts(start)) for told in (start, *steps)]
    agrees(move, expected(states, tiers(steps[2], cuts(steps[2]))))
    holds(move)
    assert not move.not_measured
    gone = set(start) - set(steps[0])
    assert set(move.entered(GONE)["customer_id"]) == gone - set(steps[2])
    assert (move.moved.loc[move.moved["customer_id"].isin(gone), "cause"] == GONE).all()


def holds(move: Migration) -> None:
    """What is true of every migration."""
    assert move.checks[0].status == "passed"
    assert list(move.bridge.columns) == list(COLUMNS)
    assert move.bridge["tier"].tolist() == [*move.tiers, "total"] * 2
    for row in move.bridge.to_dict("records"):
        assert row["start"] + sum(row[part] for part in PARTS) == row["end"]
        assert {type(row[part]) for part in PARTS} == {int if row["measure"] == "customers" else Decimal}
    ends = {(row["tier"], row["measure"]): row for row in move.bridge.to_dict("records")}
    counts = move.table().fillna(0)
    spent = {side: move.table(f"spend_{side}").fillna(0.0) for side in ("before", "after")}
    for tier in move.tiers:
        assert counts.loc[tier].sum() == ends[tier, "customers"]["start"]
        assert counts[tier].sum() == ends[tier, "customers"]["end"]
        assert spent["before"].loc[tier].sum() == pytest.approx(float(ends[tier, "spend"]["start"]))
        assert spent["after"][tier].sum() == pytest.approx(float(ends[tier, "spend"]["end"]))
        entered, left = move.entered(tier), move.left(tier)
        change = ends[tier, "customers"]["end"] - ends[tier, "customers"]["start"]
        assert len(entered) - len(left) == change
    off_diagonal = move.matrix["from"].astype(str) != move.matrix["to"].astype(str)
    assert len(move.moved) == move.matrix.loc[off_diagonal, "customers"].sum()
    drift = move.drift
    assert drift.naive_moved - drift.drift_only == drift.moved_same_cuts - drift.hidden_by_drift


# -- by hand -----------------------------------------------------------------------------------------------------


def lines(*rows: tuple[str, str, object]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=["customer_id", "ordered_at", "amount"])


# At 28 February: recencies C1 8, C2 27, C3 49 (median 27); order days 2, 1, 1; spend 110, 80, 10 (median 80).
OLD = [("C1", "2026-01-05", 60), ("C1", "2026-02-20", 50), ("C2", "2026-02-01", 80), ("C3", "2026-01-10", 10)]
LATER = [("C2", "2026-03-03", 40), ("C4", "2026-03-09", 20)]


def by_hand(rows: list[tuple[str, str, object]], **more: Any) -> Migration:
    study = tk.Study.from_frames(lines(*rows), timezone="Asia/Shanghai", currency="CNY", **more)
    return tk.migrate(study, "2026-02-28", "2026-03-31", tiers=tk.RFM())


def cell(move: Migration, tier: str, measure: str, part: str) -> Any:
    rows = move.bridge
    return rows.loc[(rows["tier"] == tier) & (rows["measure"] == measure), part].item()


def facts(move: Migration, columns: list[str]) -> dict[str, list[Any]]:
    """Columns of who moved, by customer."""
    return dict(zip(move.moved["customer_id"], move.moved[columns].to_numpy(dtype=object).tolist(), strict=True))


def test_silence_is_the_clock_an_order_is_behaviour_and_a_first_order_is_new() -> None:
    move = by_hand([*OLD, *LATER])
    told = facts(move, ["from", "to", "cause", "clocked"])
    assert told["C1"] == ["champions", "lapsing_core", "clock", "lapsing_core"]
    assert told["C2"] == ["lost", "lapsing_core", "behaviour", "lost"]
    assert told["C4"][:3] == [NEW, "newcomers", NEW]
    assert "C3" not in told
    assert [cell(move, "champions", "customers", part) for part in ("start", "clock", "end")] == [1, -1, 0]
    assert cell(move, "lapsing_core", "spend", "behaviour") == Decimal(120)
    assert cell(move, "lost", "spend", "behaviour") == Decimal(-80)
    assert cell(move, "newcomers", "spend", "new") == Decimal(20)
    assert move.learned_at == date(2026, 2, 28)


def test_money_of_those_who_stay_in_their_tier_is_behaviour_too() -> None:
    move = by_hand([*OLD, ("C1", "2026-03-20", 5), ("C1", "2026-03-21", 5)])
    assert move.moved.empty
    assert cell(move, "champions", "customers", "behaviour") == 1
    assert cell(move, "champions", "customers", "clock") == -1
    assert cell(move, "champions", "spend", "end") == Decimal(120)


def test_moves_that_only_new_cut_points_make_are_told() -> None:
    """All order at once: under one set of cuts all are champions; under new ones nobody is, for nobody is nearer."""
    move = by_hand([*OLD, *[(who, "2026-03-31", 1000) for who in ("C1", "C2", "C3")]])
    assert move.drift == Drift(naive_moved=1, moved_same_cuts=2, drift_only=1, hidden_by_drift=2)
    assert move.sentence == (
        "Of 1 customers who move when cut points are learned anew each time, 1 (100%) move only because the cut points"
        " moved."
    )
    assert sum(move.bridge.loc[move.bridge["tier"] != "total", "drift"]) == 0
    assert cell(move, "total", "customers", "drift") == 0


def test_the_sentence_counts() -> None:
    move = by_hand([*OLD, *LATER])
    found = move.drift
    if found.naive_moved:
        assert move.sentence.startswith(f"Of {found.naive_moved:,} customers who move when cut points are learned anew")
    for shown in (repr(move), move._repr_html_()):
        assert move.sentence in shown
        assert "late rows only, no stored snapshot" in shown
        assert not {"C1", "C2", "C4"} & set(shown.replace("<", " ").replace(">", " ").split())


def test_nobody_moves() -> None:
    move = tk.migrate(
        tk.Study.from_frames(lines(*OLD), timezone="Asia/Shanghai", currency="CNY"),
        "2026-02-26", "2026-02-27", tiers=tk.RFM(),
    )  # fmt: skip
    assert move.moved.empty
    assert move.sentence == "No customer moves when cut points are learned anew each time."
    assert np.isnan(move.drift.share)


def test_a_late_row_is_a_correction_although_nothing_was_stored() -> None:
    rows = lines(*OLD, ("C3", "2026-02-27", 500)).assign(recorded_at=["", "", "", "", "2026-03-10"])
    study = tk.Study.from_frames(rows, timezone="Asia/Shanghai", currency="CNY")
    move = tk.migrate(study, "2026-02-28", "2026-03-31", tiers=tk.RFM())
    assert cell(move, "champions", "spend", "correction") == Decimal(510)
    assert move.moved.set_index("customer_id").loc["C3", "cause"] == "correction"
    assert move.checks[1].status == "informational"
    assert move.checks[1].message.startswith("not_measured")


def test_cuts_are_learned_on_the_study_s_cut_date() -> None:
    move = by_hand([*OLD, *LATER], cuts={"learned_at": "2026-01-31"})
    assert move.learned_at == date(2026, 1, 31)
    free = by_hand([*OLD, *LATER])
    assert move.drift.naive_moved == free.drift.naive_moved


def test_later_rows_change_nothing() -> None:
    one, other = by_hand([*OLD, *LATER]), by_hand([*OLD, *LATER, ("C1", "2026-04-01", 9_999), ("C9", "2026-04-02", 1)])
    pd.testing.assert_frame_equal(one.bridge, other.bridge)
    pd.testing.assert_frame_equal(one.moved, other.moved)
    assert one.drift == other.drift


def test_a_broken_bridge_is_told() -> None:
    move = by_hand([*OLD, *LATER])
    broken = move.bridge.copy()
    broken["clock"] += 1
    assert adds_up(broken).status == "failed"
    assert "champions (customers)" in adds_up(broken).message


@pytest.mark.parametrize(
    ("days", "more", "message"),
    [
        (("2026-03-31", "2026-02-28"), {}, r"E-order-of-days: before \(2026-03-31\) is not earlier"),
        (("2026-02-28", "2026-03-31"), {"by": "nonsense"}, r"E-scheme: .*'nonsense'.*segment"),
        (("2026-02-28", "2026-03-31"), {"stored": pd.DataFrame({"order_count": [1]})}, "E-missing-column: .*recency"),
    ],
)
def test_what_cannot_be_compared_is_refused(days: tuple[str, str], more: dict[str, Any], message: str) -> None:
    study = tk.Study.from_frames(lines(*OLD, *LATER), timezone="Asia/Shanghai", currency="CNY")
    with pytest.raises(ArgumentError, match=message):
        tk.migrate(study, *days, **({"tiers": tk.RFM()} | more))


def test_a_stored_snapshot_of_another_day_is_refused() -> None:
    study = tk.Study.from_frames(lines(*OLD, *LATER), timezone="Asia/Shanghai", currency="CNY")
    with pytest.raises(ArgumentError, match=r"E-stored-day: .*2026-01-31, not of 2026-02-28"):
        tk.migrate(study, "2026-02-28", "2026-03-31", tiers=tk.RFM(), stored=study.snapshot("2026-01-31"))


def test_a_tier_that_does_not_exist_has_no_lists() -> None:
    with pytest.raises(ArgumentError, match=r"E-tier: segment has no tier 'champion'"):
        by_hand([*OLD, *LATER]).entered("champion")


# -- every scheme ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def demo() -> tk.Study:
    return tk.Study.demo(customers=300, seed=5)


SCHEMES = ["segment", "payment_tier", "value_class", "stage", "layer", "engagement", "need", "recommendation"]


@pytest.mark.parametrize("by", SCHEMES)
def test_parts_add_up_in_every_scheme(demo: tk.Study, by: str) -> None:
    holds(tk.migrate(demo, "2026-07-31", "2026-10-31", by=by))


def test_a_transformer_stays_as_it_was(demo: tk.Study) -> None:
    rfm = tk.RFM().fit(demo.snapshot("2025-10-31"))
    before = dict(rfm.splits_)
    one = tk.migrate(demo, "2026-07-31", "2026-10-31", tiers=rfm)
    assert rfm.splits_ == before
    pd.testing.assert_frame_equal(one.bridge, tk.migrate(demo, "2026-07-31", "2026-10-31", tiers=tk.RFM()).bridge)


def test_rules_of_its_own_are_followed() -> None:
    frame = lines(*OLD, *LATER)
    content: dict[str, Any] = {"tiers": {"size": {"big": "window_spend >= 100", "small": "else"}}}
    study = tk.Study.from_frames(frame, timezone="Asia/Shanghai", currency="CNY", **content)
    move = tk.migrate(study, "2026-02-28", "2026-03-31", by="size")
    assert move.tiers == ("big", "small")
    told = facts(move, ["from", "to", "cause"])
    assert told["C2"] == ["small", "big", "behaviour"]


# -- intervals ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("hits", "of"), [(0, 7), (1, 7), (7, 7), (410, 1234), (0, 1), (1, 1)])
def test_wilson_is_that_of_scipy(hits: int, of: int) -> None:
    told = binomtest(hits, of).proportion_ci(method="wilson")
    lower, upper = wilson(hits, of)
    assert [float(lower), float(upper)] == pytest.approx([told.low, told.high])


def test_an_interval_of_nobody_is_missing() -> None:
    assert np.isnan(wilson([0], [0])).all()

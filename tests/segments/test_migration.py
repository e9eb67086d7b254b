"""Who moved and why: worked by hand, and what is true of every scheme; the oracle of every table stands by itself."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

import toolkit as tk
from toolkit.errors import ArgumentError
from toolkit.intervals import wilson
from toolkit.segments.bridge import adds_up

if TYPE_CHECKING:
    from toolkit.segments.migration import Migration

PARTS = ("correction", "gone", "clock", "behaviour", "new")


def holds(move: Migration) -> None:
    """What is true of every migration."""
    assert move.checks[0].status == "passed"
    assert list(move.bridge.columns) == ["tier", "measure", "start", *PARTS, "end", "drift"]
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


def study_of(*rows: tuple[str, str, object], **more: Any) -> tk.Study:
    lines = pd.DataFrame(list(rows), columns=["customer_id", "ordered_at", "amount"])
    return tk.Study.from_frames(lines, timezone="Asia/Shanghai", currency="CNY", **more)


# At 28 February: recencies C1 8, C2 27, C3 49 (median 27); order days 2, 1, 1; spend 110, 80, 10 (median 80).
OLD = [("C1", "2026-01-05", 60), ("C1", "2026-02-20", 50), ("C2", "2026-02-01", 80), ("C3", "2026-01-10", 10)]
LATER = [("C2", "2026-03-03", 40), ("C4", "2026-03-09", 20)]
SIZES: dict[str, Any] = {"tiers": {"size": {"big": "window_spend >= 100", "small": "else"}}}


def by_hand(study: tk.Study, **more: Any) -> Migration:
    return tk.migrate(study, "2026-02-28", "2026-03-31", **({"tiers": tk.RFM()} | more))


@pytest.fixture(scope="module")
def usual() -> tk.Study:
    return study_of(*OLD, *LATER, **SIZES)


@pytest.fixture(scope="module")
def told(usual: tk.Study) -> Migration:
    return by_hand(usual)


def cell(move: Migration, tier: str, measure: str, part: str) -> Any:
    rows = move.bridge
    return rows.loc[(rows["tier"] == tier) & (rows["measure"] == measure), part].item()


def facts(move: Migration, columns: list[str]) -> dict[str, list[Any]]:
    """Columns of who moved, by customer."""
    return dict(zip(move.moved["customer_id"], move.moved[columns].to_numpy(dtype=object).tolist(), strict=True))


def test_silence_is_the_clock_an_order_is_behaviour_and_a_first_order_is_new(told: Migration) -> None:
    who = facts(told, ["from", "to", "cause", "clocked"])
    assert set(who) == {"C1", "C2", "C4"}
    assert who["C1"] == ["champions", "lapsing_core", "clock", "lapsing_core"]
    assert who["C2"] == ["lost", "lapsing_core", "behaviour", "lost"]
    assert who["C4"][:3] == ["new", "newcomers", "new"]
    assert [cell(told, "champions", "customers", part) for part in ("start", "clock", "end")] == [1, -1, 0]
    assert cell(told, "lapsing_core", "spend", "behaviour") == Decimal(120)
    assert cell(told, "lost", "spend", "behaviour") == Decimal(-80)
    assert cell(told, "newcomers", "spend", "new") == Decimal(20)
    assert told.learned_at == date(2026, 2, 28)
    holds(told)


def test_money_of_those_who_stay_in_their_tier_is_behaviour_too() -> None:
    move = by_hand(study_of(*OLD, ("C1", "2026-03-20", 5), ("C1", "2026-03-21", 5)))
    assert move.moved.empty
    assert cell(move, "champions", "customers", "behaviour") == 1
    assert cell(move, "champions", "customers", "clock") == -1
    assert cell(move, "champions", "spend", "end") == Decimal(120)


def test_moves_that_only_new_cut_points_make_are_told() -> None:
    """All order at once: under one set of cuts all are champions; under new ones nobody is, for nobody is nearer."""
    move = by_hand(study_of(*OLD, *[(who, "2026-03-31", 1000) for who in ("C1", "C2", "C3")]))
    drift = {"naive_moved": 1, "moved_same_cuts": 2, "drift_only": 1, "hidden_by_drift": 2}
    assert asdict(move.drift) == drift
    assert move.sentence == (
        "Of 1 customers who move when cut points are learned anew each time, 1 (100%) move only because the cut points"
        " moved."
    )
    assert sum(move.bridge.loc[move.bridge["tier"] != "total", "drift"]) == 0
    assert cell(move, "total", "customers", "drift") == 0


def test_it_shows_itself_without_ids(told: Migration) -> None:
    for shown in (repr(told), told._repr_html_()):
        assert told.sentence in shown
        assert "late rows only, no stored snapshot" in shown
        assert not {"C1", "C2", "C4"} & set(shown.replace("<", " ").replace(">", " ").split())


def test_nobody_moves(usual: tk.Study) -> None:
    move = tk.migrate(usual, "2026-02-26", "2026-02-27", tiers=tk.RFM())
    assert move.moved.empty
    assert move.sentence == "No customer moves when cut points are learned anew each time."
    assert np.isnan(move.drift.share)


@pytest.mark.fault(57)
def test_what_was_stored_and_is_otherwise_today_is_a_correction() -> None:
    """Stored: C2's order was missing, C3's was 7, and C9 had one of 30 on 10 February; cuts 18 days, 1 day, 30."""
    then = study_of(*OLD[:2], ("C3", "2026-01-10", 7), ("C9", "2026-02-10", 30))
    move = by_hand(study_of(*OLD), stored=then.snapshot("2026-02-28"))
    assert facts(move, ["from", "to", "cause"]) == {
        "C1": ["champions", "lapsing_core", "clock"],
        "C2": ["new", "slipping_big", "correction"],
        "C9": ["lost", "gone", "gone"],
    }
    assert move.entered("gone")["customer_id"].tolist() == ["C9"]
    assert move.left("new")["customer_id"].tolist() == ["C2"]
    steps = ("start", "correction", "gone", "clock", "end")
    assert [cell(move, "lost", "customers", part) for part in steps] == [2, 0, -1, 0, 1]
    assert [cell(move, "lost", "spend", part) for part in steps] == [37, 3, -30, 0, 10]
    assert cell(move, "slipping_big", "spend", "correction") == 80
    assert (move.not_measured, move.checks[1].status) == (False, "passed")
    holds(move)


def test_a_late_row_is_a_correction_although_nothing_was_stored() -> None:
    rows = pd.DataFrame([*OLD, ("C3", "2026-02-27", 500)], columns=["customer_id", "ordered_at", "amount"])
    late = rows.assign(recorded_at=["", "", "", "", "2026-03-10"])
    move = by_hand(tk.Study.from_frames(late, timezone="Asia/Shanghai", currency="CNY"))
    assert cell(move, "champions", "spend", "correction") == Decimal(510)
    assert move.moved.set_index("customer_id").loc["C3", "cause"] == "correction"
    assert (move.not_measured, move.checks[1].status) == (True, "informational")
    assert move.checks[1].message.startswith("not_measured")


def test_cuts_are_learned_on_the_study_s_cut_date(told: Migration) -> None:
    move = by_hand(study_of(*OLD, *LATER, cuts={"learned_at": "2026-01-31"}))
    assert move.learned_at == date(2026, 1, 31)
    assert move.drift.naive_moved == told.drift.naive_moved


@pytest.mark.fault(51)
def test_later_rows_change_nothing(told: Migration) -> None:
    other = by_hand(study_of(*OLD, *LATER, ("C1", "2026-04-01", 9_999), ("C9", "2026-04-02", 1)))
    pd.testing.assert_frame_equal(told.bridge, other.bridge)
    pd.testing.assert_frame_equal(told.moved, other.moved)
    assert told.drift == other.drift


def test_a_broken_bridge_is_told(told: Migration) -> None:
    broken = told.bridge.copy()
    broken["clock"] += 1
    assert adds_up(broken).status == "failed"
    assert "champions (customers)" in adds_up(broken).message


def test_what_cannot_be_compared_is_refused(usual: tk.Study, told: Migration) -> None:
    days = ("2026-02-28", "2026-03-31")
    refused: dict[str, tuple[tuple[str, str], dict[str, Any]]] = {
        r"E-order-of-days: before \(2026-03-31\) is not earlier": (days[::-1], {}),
        r"E-order-of-days": (days[:1] * 2, {}),
        r"E-scheme: .*'nonsense'.*segment": (days, {"by": "nonsense"}),
        r"E-missing-column: .*recency": (days, {"stored": pd.DataFrame({"order_count": [1]})}),
        r"E-stored-day: .*2026-01-31, not of 2026-02-28": (days, {"stored": usual.snapshot("2026-01-31")}),
    }
    for message, (asked, more) in refused.items():
        with pytest.raises(ArgumentError, match=message):
            tk.migrate(usual, *asked, **({"tiers": tk.RFM()} | more))
    with pytest.raises(ArgumentError, match=r"E-tier: segment has no tier 'champion'"):
        told.entered("champion")


def test_rules_of_its_own_are_followed(usual: tk.Study) -> None:
    move = by_hand(usual, by="size", tiers=None)
    assert move.tiers == ("big", "small")
    assert facts(move, ["from", "to", "cause"])["C2"] == ["small", "big", "behaviour"]


# -- every scheme ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def demo() -> tk.Study:
    return tk.Study.demo(customers=300, seed=5)


SCHEMES = ["segment", "payment_tier", "value_class", "stage", "layer", "engagement", "need", "recommendation"]


def test_parts_add_up_in_every_scheme(demo: tk.Study) -> None:
    for by in SCHEMES:
        move = tk.migrate(demo, "2026-07-31", "2026-10-31", by=by)
        assert move.by == by
        holds(move)


def test_a_transformer_stays_as_it_was(demo: tk.Study) -> None:
    rfm = tk.RFM().fit(demo.snapshot("2025-10-31"))
    before = dict(rfm.splits_)
    one = tk.migrate(demo, "2026-07-31", "2026-10-31", tiers=rfm)
    assert rfm.splits_ == before
    pd.testing.assert_frame_equal(one.bridge, tk.migrate(demo, "2026-07-31", "2026-10-31", tiers=tk.RFM()).bridge)


# -- intervals ---------------------------------------------------------------------------------------------------


def test_wilson_is_that_of_scipy_and_of_nobody_missing() -> None:
    for hits, of in [(0, 7), (1, 7), (7, 7), (410, 1234), (0, 1), (1, 1)]:
        expected = binomtest(hits, of).proportion_ci(method="wilson")
        lower, upper = wilson(hits, of)
        assert [float(lower), float(upper)] == pytest.approx([expected.low, expected.high]), (hits, of)
    assert np.isnan(wilson([0], [0])).all()

"""Tiers over time: spells, flaps and hysteresis, by hand and against plain Python."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import toolkit as tk
from tests.builders.profiles import examples
from toolkit.errors import ArgumentError
from toolkit.segments.history import compare_hysteresis
from toolkit.segments.hysteresis import Trace, flap_meter, reported, waiting

ABSENT = -1


# -- plain Python, customer by customer --------------------------------------------------------------------------


def told_of(tiers: list[int], clear: list[bool] | None, stay: int) -> list[int]:
    if clear is None and stay == 1:
        return tiers
    told = [tiers[0]]
    for t in range(1, len(tiers)):
        stood = next((n for n in range(1, t + 1) if tiers[t - n] != tiers[t]), t + 1)
        counts = told[-1] == ABSENT or (clear is not None and clear[t]) or (stay > 1 and stood >= stay)
        told.append(tiers[t] if counts else told[-1])
    return told


def meter_of(tiers: list[int], within: int) -> tuple[int, int, int]:
    changes = [t for t, (a, b) in enumerate(pairwise(tiers), 1) if a not in {b, ABSENT}]
    judged = [t for t in changes if t + within < len(tiers)]
    return len(changes), len(judged), sum(tiers[t - 1] in tiers[t + 1 : t + within + 1] for t in judged)


def delays_of(tiers: list[int], told: list[int], days: list[date]) -> list[int]:
    found = []
    for t in range(1, len(tiers)):
        lasts = tiers[t] != tiers[t - 1] != ABSENT and tiers[t : t + 2] in ([tiers[t]], [tiers[t]] * 2)
        if lasts and told[t] != tiers[t]:
            later = range(t + 1, len(tiers))
            over = next((s for s in later if told[s] == tiers[s] or tiers[s] != tiers[s - 1]), len(tiers) - 1)
            found.append((days[over] - days[t]).days)
    return found


@st.composite
def traces(draw: st.DrawFn) -> tuple[list[list[int]], list[list[bool]], list[date]]:
    length = draw(st.integers(2, 7))
    seen = st.lists(st.integers(0, 2), min_size=1, max_size=length)
    rows = [[ABSENT] * (length - len(row)) + row for row in draw(st.lists(seen, min_size=1, max_size=5))]
    clear = [[draw(st.booleans()) and tier != ABSENT for tier in row] for row in rows]
    days = [date(2026, 1, 31)]
    for gap in draw(st.lists(st.integers(1, 40), min_size=length - 1, max_size=length - 1)):
        days.append(days[-1] + timedelta(days=gap))
    return rows, clear, days


@examples(dev=60, ci=150)
@given(trace=traces(), stay=st.integers(1, 3), within=st.integers(1, 3), banded=st.booleans())
def test_vectors_say_what_each_customer_s_own_history_says(
    trace: tuple[list[list[int]], list[list[bool]], list[date]], stay: int, within: int, banded: bool
) -> None:
    rows, clear, days = trace
    codes = np.array(rows, dtype=np.int8)
    told = [told_of(row, sure if banded else None, stay) for row, sure in zip(rows, clear, strict=True)]
    found = reported(codes, np.array(clear) if banded else None, stay)
    assert found.tolist() == told
    meters = [meter_of(row, within) for row in rows]
    meter = flap_meter(codes, within)
    assert (meter.changes, meter.judged, meter.flaps) == tuple(map(sum, zip(*meters, strict=True)))
    assert meter.customers == len(rows)
    spend = np.arange(codes.size, dtype=np.int64).reshape(codes.shape) * 10_000
    cost = waiting(Trace(tuple(days), codes, spend), found)
    delays = [days_ for row, own in zip(rows, told, strict=True) for days_ in delays_of(row, own, days)]
    assert cost.late == len(delays)
    assert cost.mean_delay_days == pytest.approx(sum(delays) / len(delays) if delays else 0)
    wrong = [(i, t) for i, row in enumerate(rows) for t in range(len(row)) if told[i][t] != row[t]]
    assert cost.misplaced_customers == pytest.approx(len(wrong) / len(days))
    assert cost.misplaced_spend == pytest.approx(sum(int(spend[place]) for place in wrong) / 10_000 / len(days))
    assert cost.late <= cost.lasting <= meter.changes


# -- on a study --------------------------------------------------------------------------------------------------

MONTHS = ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30"]
SIZE = {"size": {"big": "window_spend >= 100", "small": "else"}}


def study(*rows: tuple[str, str, object], **more: Any) -> tk.Study:
    frame = pd.DataFrame(list(rows), columns=["customer_id", "ordered_at", "amount"])
    policies = {"negative_amounts": "refund"}
    return tk.Study.from_frames(frame, timezone="Asia/Shanghai", currency="CNY", policies=policies, tiers=SIZE, **more)


def spells(history: Any) -> list[tuple[str, str, str, str | None]]:
    return [
        (row.customer_id, row.tier, f"{row.valid_from:%m}", None if pd.isna(row.valid_to) else f"{row.valid_to:%m}")
        for row in history.spells.itertuples()
    ]


FLAPPING = [
    ("C1", "2026-01-05", 90),
    ("C1", "2026-02-05", 20),
    ("C1", "2026-03-05", -20),
    ("C2", "2026-02-10", 500),
    ("C3", "2026-01-10", 10),
    ("C3", "2026-03-10", 200),
]


# Splits learned on 31 January from C1 30, C2 20, C3 10 days ago and 100, 200, 300 spent: 20 days, 1 day, 200.
BANDED = [
    ("C1", "2026-01-01", 100),
    ("C2", "2026-01-11", 200),
    ("C3", "2026-01-21", 300),
    ("C1", "2026-02-20", 105),
    ("C2", "2026-02-20", 300),
]


@pytest.fixture(scope="module")
def flapping() -> tk.Study:
    return study(*FLAPPING)


@pytest.fixture(scope="module")
def banded() -> tk.Study:
    return study(*BANDED)


@pytest.mark.fault(76)
def test_spells_are_half_open_and_the_last_goes_on(flapping: tk.Study) -> None:
    history = tk.tier_history(flapping, MONTHS, by="size")
    assert spells(history) == [
        ("C1", "small", "01", "02"),
        ("C1", "big", "02", "03"),
        ("C1", "small", "03", None),
        ("C2", "big", "02", None),
        ("C3", "small", "01", "03"),
        ("C3", "big", "03", None),
    ]
    assert (history.flaps.changes, history.flaps.judged, history.flaps.flaps) == (3, 1, 1)
    assert history.per_date["customers"].tolist() == [2, 3, 3, 3]
    assert history.per_date["changes"].tolist() == [0, 1, 2, 0]
    assert history.per_date["share"].round(3).tolist()[1:] == [0.5, 0.667, 0.0]
    assert history.cost.late == 0
    assert history.learned_at == date(2026, 1, 31)
    for shown in (repr(history), history._repr_html_()):
        assert "3 changes of size among 3 customers; 1 of 1 (100%) were undone within 2 evaluations." in shown
        assert not {"C1", "C2", "C3"} & set(shown.replace("<", " ").replace(">", " ").split())
    later = study(*FLAPPING, ("C9", "2026-05-01", 7), ("C1", "2026-05-01", 700))
    pd.testing.assert_frame_equal(history.spells, tk.tier_history(later, MONTHS, by="size").spells)


@pytest.mark.fault(76)
def test_a_minimum_stay_avoids_the_flap_and_tells_the_lasting_change_late(flapping: tk.Study) -> None:
    history = tk.tier_history(flapping, MONTHS, by="size", minimum_stay=2)
    assert spells(history) == [
        ("C1", "small", "01", None),
        ("C2", "big", "02", None),
        ("C3", "small", "01", "04"),
        ("C3", "big", "04", None),
    ]
    assert history.flaps.flaps == 0
    assert history.flaps_without.flaps == 1
    cost = history.cost
    assert (cost.lasting, cost.late, cost.mean_delay_days) == (2, 1, 30)
    assert cost.misplaced_customers == 2 / 4
    assert cost.misplaced_spend == (110 + 210) / 4
    assert "1 flaps are avoided; 1 lasting changes come 30 days late" in history.sentence


@pytest.mark.fault(76)
def test_a_band_holds_back_what_is_near_a_cut(banded: tk.Study) -> None:
    """C1 spent 205, over 200 and not over 220: held back. C2 spent 500: clear of the band."""
    days = ["2026-01-31", "2026-02-28"]
    plain = tk.tier_history(banded, days, tiers=tk.RFM()).spells
    held = tk.tier_history(banded, days, tiers=tk.RFM(), band=0.1).spells
    assert plain.loc[plain["customer_id"] == "C1", "tier"].tolist() == ["lost", "champions"]
    assert held.loc[held["customer_id"] == "C1", "tier"].tolist() == ["lost"]
    assert held.loc[held["customer_id"] == "C2", "tier"].tolist() == ["lost", "champions"]
    pd.testing.assert_frame_equal(held, tk.tier_history(banded, days, band=0.1).spells)


def test_with_both_rules_either_will_do(banded: tk.Study) -> None:
    days = [*MONTHS, "2026-05-31"]
    rows = compare_hysteresis(banded, days, tiers=tk.RFM(), bands=(0.0, 0.1), stays=(1, 2)).to_dict("index")
    assert rows[0.0, 1]["flaps_avoided"] == rows[0.0, 1]["late"] == 0
    assert rows[0.1, 2]["misplaced_customers"] <= min(
        rows[0.1, 1]["misplaced_customers"], rows[0.0, 2]["misplaced_customers"]
    )
    single = tk.tier_history(banded, days, tiers=tk.RFM(), band=0.1, minimum_stay=2)
    assert rows[0.1, 2]["changes"] == single.flaps.changes
    assert rows[0.1, 2]["late"] == single.cost.late
    assert {row["lasting"] for row in rows.values()} == {single.cost.lasting}


def test_the_last_spell_is_the_tier_of_the_snapshot() -> None:
    shop = tk.Study.demo(customers=200, seed=4)
    days = ["2026-06-30", "2026-08-31", "2026-10-31"]
    history = tk.tier_history(shop, days, tiers=tk.RFM())
    rfm = tk.RFM().fit(shop.snapshot(days[0]))
    for day in days:
        at = pd.Timestamp(day)
        found = history.spells
        valid = found[(found["valid_from"] <= at) & ~(found["valid_to"] <= at)].set_index("customer_id")["tier"]
        expected = rfm.transform(shop.snapshot(day))["segment"]
        assert valid.astype(str).to_dict() == expected.astype(str).to_dict()
    assert history.spells.duplicated(["customer_id", "valid_from"]).sum() == 0


def test_options_out_of_range_are_refused(flapping: tk.Study) -> None:
    cases: list[tuple[list[str], dict[str, Any], str]] = [
        (["2026-01-31"], {}, "E-dates: dates must be at least two"),
        (["2026-02-28", "2026-01-31"], {}, "E-dates"),
        (["2026-01-31", "2026-01-31"], {}, "E-dates"),
        (MONTHS, {"band": 1.0}, "E-band: band must lie between 0 and 1"),
        (MONTHS, {"band": -0.1}, "E-band"),
        (MONTHS, {"minimum_stay": 0}, "E-minimum-stay"),
        (MONTHS, {"within": 0}, "E-within"),
    ]
    for days, more, message in cases:
        with pytest.raises(ArgumentError, match=message):
            tk.tier_history(flapping, days, **({"tiers": tk.RFM()} | more))

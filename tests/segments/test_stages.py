"""Stages: what became of them in a period, by hand; channels and their return; nothing from later rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import toolkit as tk
from toolkit.errors import ArgumentError
from toolkit.intervals import wilson
from toolkit.segments.channels import advice

if TYPE_CHECKING:
    from toolkit.segments.stages import StageFigures

AS_OF = "2026-06-30"
START = "2026-05-31"


def frame(columns: str, *rows: tuple[Any, ...]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=columns.split())


ORDERS = frame(
    "customer_id ordered_at amount",
    # maturity: M1 orders twice in the period and sends one back, M2 only acts, M3 does nothing
    ("M1", "2026-04-01", 10), ("M1", "2026-05-01", 10), ("M1", "2026-06-10", 30), ("M1", "2026-06-20", 50),
    ("M1", "2026-06-21", -20),
    ("M2", "2026-03-20", 10), ("M2", "2026-05-01", 10),
    ("M3", "2026-04-20", 10), ("M3", "2026-05-01", 10),
    # growth: G1 orders again, G2 falls asleep
    ("G1", "2026-05-20", 10), ("G1", "2026-06-20", 15),
    ("G2", "2026-03-10", 10),
    # dormancy: S1 wakes, S2 sinks into loss
    ("S1", "2026-01-31", 10), ("S1", "2026-06-02", 5),
    ("S2", "2025-12-05", 10),
    # loss: four of them
    ("L1", "2025-06-01", 10), ("L2", "2025-06-01", 10), ("L3", "2025-06-01", 10), ("L4", "2025-06-01", 10),
    ("L1", "2026-06-15", 10), ("L2", "2026-06-04", 10), ("L3", "2026-06-15", 10),
    # first orders: of I1, and of N1 who joined in the period
    ("I1", "2026-06-30", 20), ("N1", "2026-06-11", 20),
    ("M1", "2026-07-01", 999),
)  # fmt: skip
CUSTOMERS = frame(
    "customer_id joined_at acquisition_channel",
    ("I1", "2026-05-20", "ads"), ("I2", "2026-05-20", "ads"),
    ("N1", "2026-06-10", "word"), ("N2", "2026-06-28", "word"), ("M1", "2024-01-01", "word"),
    ("M3", "2025-06-30", "word"),
)  # fmt: skip
EVENTS = frame(
    "customer_id occurred_at kind",
    ("M2", "2026-06-05 10:00", "open"),
    ("I2", "2026-05-21 10:00", "open"),
    ("N2", "2026-06-29 10:00", "like"),
    ("S2", "2026-06-05 10:00", "follow_up"),
)
CONTACTS = frame(
    "customer_id sent_at delivered",
    ("L1", "2026-06-10 09:00", "yes"), ("L2", "2026-06-10 09:00", "yes"), ("L3", "2026-06-10 09:00", "no"),
    ("L4", "2026-05-31 09:00", "yes"),
)  # fmt: skip
COSTS = frame(
    "channel period_start amount", ("ads", "2026-06-01", 100), ("ads", "2026-07-01", 900), ("tv", "2026-01-01", 7)
)


def study(**tables: Any) -> tk.Study:
    known = {"orders": ORDERS, "customers": CUSTOMERS, "events": EVENTS, "contacts": CONTACTS, "costs": COSTS} | tables
    given = {name: table for name, table in known.items() if table is not None}
    return tk.Study.from_frames(
        **given, timezone="Asia/Shanghai", currency="CNY", policies={"negative_amounts": "refund"}, min_cell=1
    )


def at(table: Any, *place: Any) -> Any:
    return table.loc[place]


@pytest.fixture(scope="module")
def whole() -> tk.Study:
    return study()


@pytest.fixture(scope="module")
def told(whole: tk.Study) -> StageFigures:
    return tk.stage_figures(whole, AS_OF)


def row(figures: StageFigures, stage: str, figure: str) -> tuple[float, float]:
    count, of = at(figures.table, (stage, figure), ["count", "of"])
    return float(count), float(of)


def test_customers_stand_in_the_stage_of_the_day_before_the_period(told: StageFigures) -> None:
    assert str(told.start) == START
    assert told.customers.to_dict() == {"maturity": 3, "growth": 2, "introduction": 2, "dormancy": 2, "loss": 4}


FIGURES = {
    ("maturity", "conversion"): (1, 3), ("maturity", "active_share"): (2, 3), ("maturity", "new_to_old"): (2, 6),
    ("maturity", "orders_per_customer"): (2, 3), ("maturity", "spend_per_customer"): (60, 3),
    ("growth", "active_share"): (1, 2), ("growth", "retention"): (1, 2), ("growth", "orders_per_customer"): (1, 2),
    ("introduction", "conversion"): (1, 2), ("introduction", "back_on_day_1"): (3, 4),
    ("introduction", "back_on_day_7"): (0, 3), ("introduction", "back_on_day_30"): (0, 2),
    ("dormancy", "wake_rate"): (1, 2), ("dormancy", "retention"): (1, 2),
    ("loss", "return_rate"): (3, 4), ("loss", "recall_rate"): (1, 2), ("loss", "natural_return"): (1, 2),
}  # fmt: skip
"""Stage and figure: count, and of how many."""


def test_figures_by_hand(told: StageFigures) -> None:
    """L2 came back before the message; L3's message did not arrive; the message to L4 was before the period."""
    assert {place: row(told, *place) for place in FIGURES} == FIGURES
    for place, (count, of) in FIGURES.items():
        assert at(told.table, place, "value") == pytest.approx(count / of), place


def test_shares_have_wilson_intervals_and_amounts_have_none(told: StageFigures) -> None:
    lower, upper = wilson([1], [3])
    assert at(told.table, ("maturity", "conversion"), ["lower", "upper"]).tolist() == [lower[0], upper[0]]
    assert at(told.table, ("maturity", "spend_per_customer"), ["lower", "upper"]).isna().all()
    ratio = at(told.table, ("maturity", "new_to_old"))[["lower", "value", "upper"]]
    assert ratio["lower"] < ratio["value"] < ratio["upper"]


def test_channels_by_hand(told: StageFigures) -> None:
    columns = ["joined", "converted", "spend", "cost", "cost_per_customer", "cost_per_buyer", "return"]
    ads, word, tv = (at(told.channels, name, columns).tolist() for name in ("ads", "word", "tv"))
    assert ads == [2, 1, 20, 100, 50, 100, 0.2]
    assert word[:3] == [2, 1, 20]
    assert np.isnan(word[3:]).all()
    assert tv[:4] == [0, 0, 0, 7]
    half = 1.959963984540054 * 20
    assert at(told.channels, "ads", "return_upper") == pytest.approx((20 + half) / 100)
    assert "without a control" in told.advice


def channels(**returns: tuple[int, float, float, float]) -> pd.DataFrame:
    names = ["joined", "return", "return_lower", "return_upper"]
    return pd.DataFrame.from_dict(returns, orient="index", columns=names)


def test_advice_moves_money_only_between_returns_that_are_apart() -> None:
    apart = channels(ads=(90, 0.5, 0.4, 0.6), word=(10, 3.0, 2.5, 3.5), tiny=(9, 99.0, 90.0, 110.0))
    assert "from ads to word" in advice(apart, min_cell=10)
    assert "leave the budget" in advice(channels(ads=(90, 0.5, 0.1, 0.9), word=(90, 1.0, 0.6, 1.4)), min_cell=10)
    assert advice(channels(ads=(9, 0.5, 0.1, 0.9)), min_cell=10) == ""
    assert "0.50" in advice(channels(ads=(90, 0.5, 0.1, 0.9)), min_cell=10)


def test_the_interval_of_a_return_holds_the_truth() -> None:
    """Poisson numbers of customers with skewed spend: the interval holds the expected total in about 19 of 20."""
    rng = np.random.default_rng(11)
    held = 0
    for _ in range(400):
        spend = rng.gamma(0.8, 100, rng.poisson(120))
        half = 1.959963984540054 * np.sqrt(np.square(spend).sum())
        held += abs(spend.sum() - 120 * 80) <= half
    assert held / 400 == pytest.approx(0.95, abs=0.035)


@pytest.mark.fault(51)
def test_no_later_row_changes_the_figures(told: StageFigures) -> None:
    then = study(orders=ORDERS[ORDERS["ordered_at"] <= AS_OF], costs=COSTS[COSTS["period_start"] <= AS_OF])
    other = tk.stage_figures(then, AS_OF)
    pd.testing.assert_frame_equal(told.table, other.table)
    pd.testing.assert_frame_equal(told.channels, other.channels)
    assert repr(told) == repr(other)


def test_a_late_recorded_order_counts_only_once_it_is_known() -> None:
    late = ORDERS.assign(recorded_at=ORDERS["ordered_at"])
    late.loc[late["ordered_at"] == "2026-06-30", "recorded_at"] = "2026-07-05"
    assert row(tk.stage_figures(study(orders=late), AS_OF), "introduction", "conversion") == (0, 2)


def test_what_a_study_of_orders_cannot_tell_says_why() -> None:
    figures = tk.stage_figures(study(customers=None, events=None, contacts=None, costs=None), AS_OF)
    missing = figures.table[figures.table["value"].isna()]
    told = {("loss", "recall_rate"), ("loss", "natural_return"), ("introduction", "back_on_day_7")}
    assert set(missing.index) >= told
    assert (missing["why"] != "").all()
    assert set(figures.missing) == {"events", "contacts", "newcomers", "channels"}
    assert figures.channels.empty
    assert figures.advice == ""
    assert repr(figures)
    assert figures._repr_html_()
    assert row(figures, "maturity", "active_share") == (1, 3)


def test_channels_without_costs_have_no_return() -> None:
    figures = tk.stage_figures(study(costs=None), AS_OF)
    assert figures.channels["cost"].isna().all()
    assert "costs" in figures.missing
    assert figures.advice == ""


def test_own_stages_of_a_business_have_figures_too(whole: tk.Study) -> None:
    rules = {
        "stage": {"here": "idle_days <= 30", "silent": "else"},
        "phase": {"on": "stage == here", "off": "stage == silent"},
    }
    figures = tk.stage_figures(whole, AS_OF, tiers=tk.Tiers(whole, rules))
    assert figures.customers.sum() == 13
    assert ("here", "active_share") in figures.table.index


def test_wrong_calls_are_refused(whole: tk.Study) -> None:
    with pytest.raises(ArgumentError, match="period_days is 0"):
        tk.stage_figures(whole, AS_OF, period_days=0)
    with pytest.raises(ArgumentError, match="no scheme 'stage'"):
        tk.stage_figures(whole, AS_OF, tiers=tk.RFM())

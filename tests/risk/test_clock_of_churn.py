"""The churn clock: counted by hand, with known truth, honest about customers who are looked at several times."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, Self

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator

import toolkit as tk
from tests.builders.profiles import several
from tests.builders.refusals import assert_refused
from toolkit.risk.clock import clock_of
from toolkit.risk.clock_rates import clustered_share

AS_OF = date(2026, 10, 31)
WINDOWS = (7, 14, 21, 30, 45, 60, 75, 90, 105, 120, 150, 180, 210, 240, 270, 300, 330, 365)


def episodes(idle: Any, ordered: Any, **columns: Any) -> pd.DataFrame:
    """Make looks of one landmark, 90 days before the end."""
    ordered = np.asarray(ordered, dtype=bool)
    frame = pd.DataFrame(
        {
            "landmark": pd.Timestamp("2026-08-02"),
            "duration_days": np.where(ordered, 30.0, 90.0),
            "event": ordered.astype("int64"),
            "recency_days": np.asarray(idle, dtype=float),
            "order_days": 1,
            "mean_gap_days": np.nan,
        }
    ).assign(**columns)
    return frame.set_index(pd.Index([f"C{i}" for i in range(len(frame))], name="customer_id"))


def orders(days: dict[str, list[str]]) -> pd.DataFrame:
    rows = [(who, day, 10) for who, several in days.items() for day in several]
    return pd.DataFrame(rows, columns=["customer_id", "ordered_at", "amount"])


def table(found: pd.DataFrame, index: str) -> Any:
    return found.set_index(index)


def status(clock: Any) -> dict[str, str]:
    return {check.code: check.status for check in clock.checks}


class Cut(BaseEstimator):  # type: ignore[misc]  # scikit-learn ships no types
    """Tiers by the number of order days, and a second scheme where it is asked for."""

    def __init__(self, second: str = "") -> None:
        self.second = second

    def fit(self, snap: pd.DataFrame) -> Self:
        self.customers_ = len(snap)
        return self

    def transform(self, snap: pd.DataFrame) -> pd.DataFrame:
        tier = pd.cut(snap["order_days"], [-1, 0, 1, 99], labels=["never", "once", "often"])
        return snap.assign(tier=tier, **({self.second: "b"} if self.second else {}))


def test_both_errors_by_hand() -> None:
    """Ten customers idle 10 or 100 days; of the five idle 100 one orders, of the others two do not."""
    clock = clock_of(episodes([10] * 5 + [100] * 5, [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]), 90)
    at = table(clock.candidates, "window_days")
    assert at.index.tolist() == [day for day in WINDOWS if day <= 100]
    assert at.loc[7, ["called_lost", "lost_but_ordered"]].tolist() == [10, 0.4]
    assert np.isnan(at.loc[7, "alive_but_silent"])
    assert at.loc[14, ["called_lost", "lost_but_ordered", "alive_but_silent"]].tolist() == [5, 0.2, 0.4]
    assert at.loc[90, "lost_but_ordered"] == 0.2
    assert at.loc[14, "lost_but_ordered_lower"] < 0.2 < at.loc[14, "lost_but_ordered_upper"]


def test_the_day_of_the_window_counts_as_lost_and_the_day_of_the_horizon_as_ordered() -> None:
    looks = episodes([29, 30, 31], [0, 1, 1])
    looks["duration_days"] = [90.0, 60.0, 61.0]
    at = table(clock_of(looks, 60).candidates, "window_days")
    assert at.loc[30, ["called_lost", "lost_but_ordered"]].tolist() == [2, 0.5]


def test_a_deletion_is_no_order() -> None:
    looks = episodes([50] * 4, [0, 0, 1, 0])
    looks["duration_days"], looks["event"] = [5.0, 90.0, 30.0, 90.0], [2, 0, 1, 0]
    assert clock_of(looks, 90).candidates["lost_but_ordered"].iloc[0] == 0.25


def test_the_study_is_looked_at_a_horizon_apart_and_never_beyond_as_of() -> None:
    """A orders every 30 days, B once on 1 January 2026, C for the first time after the last landmark."""
    monthly = [f"{day:%Y-%m-%d}" for day in pd.date_range("2026-01-01", "2026-10-31", freq="30D")]
    study = tk.Study.from_frames(
        orders({"A": monthly, "B": ["2026-01-01"], "C": ["2026-09-15"]}), timezone="Asia/Shanghai", currency="CNY"
    )
    clock = tk.churn_clock(study, AS_OF, horizon=60)
    days = [AS_OF - timedelta(days=60 * n) for n in (4, 3, 2, 1)]
    assert list(clock.landmarks) == days
    assert (clock.looks, clock.customers) == (8, 2)
    row = table(clock.candidates, "window_days").loc[45]
    idle = [(day - date(2026, 1, 1)).days for day in days]
    assert row["called_lost"] == sum(one >= 45 for one in idle)
    assert row["lost_but_ordered"] == 0
    assert row["alive_but_silent"] == sum(one < 45 for one in idle) / (8 - row["called_lost"])


def test_known_truth_of_the_rates_and_of_the_recommendation() -> None:
    """Half are gone for good, half order with a mean gap of 25 days, idle w days with probability exp(-w/25)."""
    rng = np.random.default_rng(4)
    n = 60_000
    there = rng.random(n) < 0.5
    idle = np.floor(np.where(there, rng.exponential(25, n), rng.uniform(0, 400, n)))
    waits = rng.exponential(25, n)
    ordered = there & (waits <= 90)
    clock = clock_of(episodes(idle, ordered), 90)
    candidates: Any = clock.candidates
    for row in candidates.itertuples():
        w = row.window_days
        lost, gone = 0.5 * np.exp(-w / 25), 0.5 * max(0, 1 - w / 400)
        truth = lost * (1 - np.exp(-90 / 25)) / (lost + gone)
        assert row.lost_but_ordered == pytest.approx(truth, abs=0.012)
        assert row.lost_but_ordered_lower <= row.lost_but_ordered <= row.lost_but_ordered_upper
    reached = [w for w in WINDOWS if np.exp(-w / 25) * 0.973 / (np.exp(-w / 25) + max(0, 1 - w / 400)) < 0.1]
    assert clock.recommended == reached[0]
    assert status(clock).get("tolerance_not_reached") is None


def test_the_recommendation_trusts_the_upper_limit() -> None:
    few = clock_of(episodes([40] * 12, [0] * 11 + [1]), 90)
    many = clock_of(episodes([40] * 1_200, [0] * 1_110 + [1] * 90), 90)
    assert few.candidates["lost_but_ordered"].iloc[0] < 0.1
    assert status(few)["tolerance_not_reached"] == "failed"
    assert few.recommended == 30
    assert "it is not sure" in repr(few)
    assert many.recommended == 7
    assert "tolerance_not_reached" not in status(many)


def test_no_window_reaches_a_tolerance_that_everybody_breaks() -> None:
    clock = clock_of(episodes([5, 50, 200] * 30, [1] * 90), 90)
    assert clock.recommended == 180
    assert status(clock)["tolerance_not_reached"] == "failed"
    assert np.isnan(clock.recommended_multiple)


def test_nobody_is_idle_for_a_week() -> None:
    clock = clock_of(episodes([0, 3, 5], [1, 0, 1]), 90)
    assert clock.candidates.empty
    assert status(clock)["tolerance_not_reached"] == "failed"
    assert clock.sensitivity["called_lost"].tolist() == [1, 0, 0]
    assert "Called lost after 7 days" in repr(clock)


def test_intervals_know_that_a_customer_is_looked_at_several_times() -> None:
    """Coverage over draws of 100 customers who each answer alike four times; rows alone would cover far less."""
    rng = np.random.default_rng(8)
    draws, covered, naive = several(150, 300), 0, 0
    for _ in range(draws):
        own = rng.beta(0.6, 1.4, 100)
        hits = (rng.random((100, 4)) < own[:, None]).ravel()
        customer = np.repeat(np.arange(100), 4)
        _, lower, upper = clustered_share(hits, customer)
        covered += lower <= 0.3 <= upper
        _, lower, upper = clustered_share(hits, np.arange(400))
        naive += lower <= 0.3 <= upper
    assert covered / draws >= 0.92
    assert naive / draws <= 0.88


def test_rows_that_all_agree_count_as_their_customers() -> None:
    found = clustered_share(np.zeros(40, dtype=bool), np.repeat(np.arange(10), 4))
    assert found == pytest.approx(clustered_share(np.zeros(10, dtype=bool), np.arange(10)))
    assert np.isnan(clustered_share(np.zeros(0, dtype=bool), np.zeros(0, dtype=np.int64))).all()


def test_own_cadence_and_gap_bands_take_those_with_three_order_days() -> None:
    looks = episodes([30, 30, 30, 30], [1, 0, 0, 0], order_days=[3, 5, 2, 9], mean_gap_days=[30.0, 10.0, 15.0, 14.0])
    clock = clock_of(looks, 90)
    at = table(clock.by_cadence, "multiple")
    assert at.loc[1.0, ["called_lost", "lost_but_ordered"]].tolist() == [3, pytest.approx(1 / 3)]
    assert at.loc[2.0, ["called_lost", "lost_but_ordered", "alive_but_silent"]].tolist() == [2, 0, 0]
    assert at.index.tolist() == [1.0, 1.5, 2.0, 3.0]
    assert clock.by_gap["looks"].to_dict() == {"1-14": 2, "15-30": 1}
    assert clock.by_gap["ordered"].to_dict() == {"1-14": 0, "15-30": 1}


def test_own_cadence_beats_one_window_where_customers_differ() -> None:
    """Weekly and quarterly buyers, half of each gone: lost by own cadence errs less at the same number called lost."""
    rng = np.random.default_rng(6)
    n = 20_000
    gap = np.where(rng.random(n) < 0.5, 7.0, 91.0)
    there = rng.random(n) < 0.5
    idle = np.where(there, gap * rng.random(n), rng.uniform(0, 400, n))
    clock = clock_of(episodes(idle, there, order_days=5, mean_gap_days=gap), 90)
    own = table(clock.by_cadence, "multiple").loc[1.0]
    alike = table(clock.candidates, "window_days").loc[90]
    assert own["lost_but_ordered"] == 0
    assert own["alive_but_silent"] < alike["alive_but_silent"]


def test_tiers_are_read_at_the_landmark() -> None:
    """One window errs differently by tier, each tier says its own; classes come from each landmark's snapshot."""
    study = tk.Study.demo(customers=300, seed=7)
    clock: Any = tk.churn_clock(study, AS_OF, tiers=Cut())
    assert clock.by == "tier"
    assert clock.by_tier.index.tolist() == ["once", "often"]
    assert clock.by_tier["looks"].sum() == clock.looks
    counts = study.episodes(clock.landmarks, AS_OF, ["order_days", "recency_days"])
    once = counts[counts["order_days"] == 1]
    row = clock.by_tier.loc["once"]
    assert row["looks"] == len(once)
    lost = once[once["recency_days"] >= clock.recommended]
    assert row["called_lost"] == len(lost)
    ordered = (lost["event"] == 1) & (lost["duration_days"] <= 90)
    assert row["lost_but_ordered"] == pytest.approx(ordered.mean())
    assert not clock.by_tier["small"].any()


def test_sensitivity_counts_customers_of_the_latest_landmark() -> None:
    early = episodes([95] * 50, [0] * 50).assign(landmark=pd.Timestamp("2026-05-04"))
    late = episodes([50] * 10 + [100] * 40, [1] * 10 + [0] * 40)
    clock = clock_of(pd.concat([early, late]), 90)
    assert clock.recommended == 60
    at = clock.sensitivity
    assert at["window_days"].tolist() == [45, 60, 75]
    assert at["changed"].tolist() == [10, 0, 0]
    assert at["changed_share"].tolist() == [0.2, 0, 0]
    assert at["called_lost"].tolist() == [100, 90, 90]
    assert at["lost_but_ordered"].tolist() == [0.1, 0, 0]
    assert np.isnan(at["alive_but_silent"].iloc[0])


def test_what_cannot_be_answered_is_refused() -> None:
    study = tk.Study.from_frames(orders({"A": ["2026-01-05"]}), timezone="Asia/Shanghai", currency="CNY")
    two = pd.concat([episodes([5], [0]), episodes([5], [0], landmark=pd.Timestamp("2026-06-02"))])
    assert_refused(
        {
            "no day": (lambda: tk.churn_clock(study, AS_OF, horizon=0), "horizon:"),
            "a percentage": (lambda: tk.churn_clock(study, AS_OF, tolerance=10), "tolerance:"),
            "by without tiers": (lambda: tk.churn_clock(study, AS_OF, by="segment"), "by:"),
            "two schemes": (lambda: tk.churn_clock(study, AS_OF, tiers=Cut("two")), "by: .*by= one of .*tier, two"),
            "no such scheme": (
                lambda: tk.churn_clock(study, AS_OF, tiers=Cut("two"), by="three"),
                "by: .*by= one of .*tier, two",
            ),
            "too early": (lambda: tk.churn_clock(study, "2026-02-01"), "no-looks:"),
            "followed too short": (lambda: clock_of(episodes([5], [0]), 91), "horizon-open:"),
            "no row": (lambda: clock_of(episodes([5], [0])[:0], 90), "no-looks:"),
            "no such column": (lambda: clock_of(episodes([5], [0]), 90, by="tier"), "no-column:"),
            "landmarks too near": (lambda: clock_of(two, 90), "landmarks-near:"),
        }
    )
    clock = tk.churn_clock(study, AS_OF, tiers=Cut("two"), by="two")
    assert clock.by_tier["small"].tolist() == [True]
    assert len(clock.landmarks) == 3, "four at most, and before the first order there is nobody"
    assert status(clock)["few_landmarks"] == "informational"

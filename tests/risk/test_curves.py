"""Survival curves: by R, by hand, with known truth, and every fault of the section on survival that concerns them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.oracles.km_rossi import expected, rossi
from toolkit.errors import ArgumentError
from toolkit.risk.contrasts import holm, log_rank, restricted_mean_contrasts
from toolkit.risk.curves import SurvivalCurves, survival_curves
from toolkit.risk.product_limit import days_of, observed

WEEKS = (5, 10, 20, 30, 45)


@pytest.fixture(scope="module")
def r() -> dict[str, float]:
    return expected()


@pytest.fixture(scope="module")
def people() -> pd.DataFrame:
    return rossi()


def frame(duration: Any, event: Any, **columns: Any) -> pd.DataFrame:
    return pd.DataFrame({"duration_days": duration, "event": event, **columns})


def on(curves: SurvivalCurves, group: str, day: float, column: str = "survival") -> float:
    own = curves.curves[(curves.curves["group"] == group) & (curves.curves["time"] <= day)]
    return float(own[column].iloc[-1])


def summary(curves: SurvivalCurves) -> Any:
    return curves.summary


def codes(curves: SurvivalCurves) -> dict[str, str]:
    return {check.code: check.status for check in curves.checks}


def test_curves_and_intervals_are_those_of_r(r: dict[str, float], people: pd.DataFrame) -> None:
    plain = survival_curves(people, by="fin", duration="time", event="status", horizon=40)
    late = survival_curves(people, by="fin", duration="time", event="status", entry="entry")
    for name, found in (("km", plain), ("late", late)):
        for group in ("0", "1"):
            for column, of in (("survival", "surv"), ("lower", "lower"), ("upper", "upper")):
                got = [on(found, group, week, column) for week in WEEKS]
                assert got == pytest.approx([r[f"{name}.{group}.{of}.{week}"] for week in WEEKS], abs=1e-9)
    for group in ("0", "1"):
        own = plain.curves[plain.curves["group"] == group]
        at = [own.loc[own["time"] >= week, "at_risk"].iloc[0] for week in WEEKS]
        assert at == [r[f"km.{group}.risk.{week}"] for week in WEEKS]
        mean = summary(plain).loc[group]
        assert mean["rmst"] == pytest.approx(r[f"rmst.{group}"], abs=1e-9)
        assert (mean["upper"] - mean["lower"]) / 2 / 1.959964 == pytest.approx(r[f"rmst.se.{group}"], abs=1e-6)


def test_medians_are_those_of_r_and_say_where_they_are_not_reached(r: dict[str, float]) -> None:
    from lifelines.datasets import load_leukemia

    found = survival_curves(load_leukemia(), by="Rx", duration="t", event="status")
    for group in ("0", "1"):
        got = summary(found).loc[group, ["median", "median_lower", "median_upper"]].to_numpy(dtype=float)
        want = [r[f"median.{group}"], r[f"median.{group}.lower"], r[f"median.{group}.upper"]]
        assert got == pytest.approx(want, nan_ok=True)
    assert "23 (13 to not reached)" in repr(found)


def test_leukemia_log_rank_is_the_published_one(r: dict[str, float]) -> None:
    from lifelines.datasets import load_leukemia

    found = survival_curves(load_leukemia(), by="Rx", duration="t", event="status").logrank
    assert f"{found.statistic:.2f}" == "16.79"
    assert found.statistic == pytest.approx(r["leukemia.chisq"], abs=1e-9)
    assert found.table["expected"].tolist() == pytest.approx([r["leukemia.expected.0"], r["leukemia.expected.1"]])
    assert found.p_value < 0.001


def test_log_rank_of_four_groups_and_with_late_entry_is_that_of_r(r: dict[str, float], people: pd.DataFrame) -> None:
    found = survival_curves(people, by="group", duration="time", event="status").logrank
    assert found.statistic == pytest.approx(r["rossi.chisq"], abs=1e-9)
    assert found.degrees == 3
    assert found.table["expected"].tolist() == pytest.approx([r[f"rossi.expected.{n}"] for n in range(4)])
    apart = people.assign(time=people["time"] + people["time"].rank(method="first") / 1e4)
    late = survival_curves(apart, by="group", duration="time", event="status", entry="entry").logrank
    assert late.statistic == pytest.approx(r["rossi.late.chisq"], abs=1e-8)


def test_deletion_competes_as_in_r(r: dict[str, float], people: pd.DataFrame) -> None:
    found = survival_curves(people, duration="time", event="kind", horizon=45)
    for week in WEEKS:
        assert 1 - on(found, "all", week) == pytest.approx(r[f"aalen.{week}"], abs=1e-9)
        table = days_of(*observed(people["time"], people["kind"]))
        error = np.sqrt(table.incidence_variance[table.time <= week][-1])
        assert error == pytest.approx(r[f"aalen.se.{week}"], rel=0.02)
    assert codes(found)["competing"] == "informational"
    assert summary(found).loc["all", "deletions"] == (people["kind"] == 2).sum()
    as_censored = survival_curves(people.assign(kind=people["kind"] % 2), duration="time", event="kind")
    assert on(as_censored, "all", 45) < on(found, "all", 45)


def test_by_hand() -> None:
    """Five people: events on days 2, 4; censored on 2 (after the event), 3 and 6."""
    found = survival_curves(frame([2, 2, 3, 4, 6], [1, 0, 0, 1, 0]), horizon=5)
    assert found.curves["time"].tolist() == [0, 2, 3, 4, 6]
    assert found.curves["at_risk"].tolist() == [5, 5, 3, 2, 1]
    assert found.curves["events"].tolist() == [0, 1, 0, 1, 0]
    assert found.curves["survival"].tolist() == pytest.approx([1, 0.8, 0.8, 0.4, 0.4])
    assert summary(found).loc["all", "median"] == 4
    assert summary(found).loc["all", "rmst"] == pytest.approx(2 + 2 * 0.8 + 0.4)
    greenwood = np.sqrt(1 / (5 * 4) + 1 / (2 * 1))
    assert on(found, "all", 4, "lower") == pytest.approx(0.4 ** np.exp(1.959964 * greenwood / -np.log(0.4)), abs=1e-6)
    assert found.at_risk.to_numpy().tolist() == [[5, 5, 5, 2, 1]]


def test_variance_of_competing_restricted_means_is_that_of_the_jackknife() -> None:
    rng = np.random.default_rng(2)
    n = 300
    days, kind = rng.integers(1, 40, n), rng.choice([0, 1, 2], n, p=[0.3, 0.5, 0.2])
    entry = np.where(rng.random(n) < 0.3, np.floor(days * rng.random(n) / 2), -1)
    whole = days_of(*observed(days, kind, entry))
    without = [days_of(*observed(np.delete(days, i), np.delete(kind, i), np.delete(entry, i))) for i in range(n)]
    means = np.array([table.restricted_mean(30)[0] for table in without])
    spread = (n - 1) / n * ((means - means.mean()) ** 2).sum()
    assert whole.restricted_mean(30)[1] == pytest.approx(spread, rel=0.03)
    curve = np.array([table.incidence[table.time <= 20][-1] for table in without])
    spread = (n - 1) / n * ((curve - curve.mean()) ** 2).sum()
    assert whole.incidence_variance[whole.time <= 20][-1] == pytest.approx(spread, rel=0.03)


def test_known_truth_with_late_entry_and_censoring() -> None:
    """A Weibull of 200,000, cut from the left and the right: within .01 all along."""
    rng = np.random.default_rng(7)
    n = 200_000
    entry = np.floor(rng.exponential(25, n))
    days = np.ceil(60 * rng.weibull(1.4, n))
    alive = days > entry
    entry, days = entry[alive], days[alive]
    left = entry + np.ceil(rng.exponential(90, len(days)))
    data = frame(np.minimum(days, left), (days <= left).astype(int), entry_days=entry)
    found = survival_curves(data)
    for day in (5, 20, 40, 60, 90, 120, 150):
        truth = np.exp(-((day / 60) ** 1.4))
        assert on(found, "all", day) == pytest.approx(truth, abs=0.01)
    blind = survival_curves(data.drop(columns="entry_days"))
    assert on(blind, "all", 20) > np.exp(-((20 / 60) ** 1.4)) + 0.05


def test_fault_82_members_at_a_landmark_need_their_entry() -> None:
    """Those still there on a day are the ones who last: S(30) is far too high when their entry is ignored."""
    rng = np.random.default_rng(82)
    n = 60_000
    before = np.maximum(rng.uniform(-20, 60, n), 0)
    days = rng.exponential(30 / -np.log(0.27), n)
    seen = days > before
    data = frame(days[seen], 1, entry_days=before[seen])
    assert on(survival_curves(data), "all", 30) == pytest.approx(0.27, abs=0.01)
    assert on(survival_curves(data.drop(columns="entry_days")), "all", 30) > 0.4
    members = data.drop(columns="entry_days")
    members.attrs["outcome"] = "end"
    with pytest.raises(ArgumentError) as refusal:
        survival_curves(members)
    assert refusal.value.code == "entry-needed"
    assert "entry_days" in refusal.value.hint


def test_fault_83_censored_are_neither_retained_nor_dropped() -> None:
    rng = np.random.default_rng(83)
    n = 100_000
    days, left = rng.exponential(80, n), rng.uniform(0, 180, n)
    data = frame(np.minimum(days, left), (days <= left).astype(int))
    gone = (data["event"] == 1) & (data["duration_days"] <= 90)
    truth = 1 - np.exp(-90 / 80)
    as_retained = gone.mean()
    dropped = gone.sum() / (gone | (data["duration_days"] > 90)).sum()
    assert as_retained < truth - 0.1
    assert dropped > truth + 0.05
    assert 1 - on(survival_curves(data), "all", 90) == pytest.approx(truth, abs=0.01)


def test_fault_85_a_median_that_is_not_reached_is_missing_and_says_so() -> None:
    found = survival_curves(frame(np.arange(1, 41), [1] * 10 + [0] * 30))
    assert np.isnan(summary(found).loc["all", "median"])
    assert "not reached" in repr(found)
    assert "not reached" in found._repr_html_()
    assert "inf" not in repr(found)
    nobody = survival_curves(frame([5, 6], [0, 0], tier=["a", "b"]), by="tier")
    assert np.isnan(nobody.logrank.p_value)
    assert "not estimable" in repr(nobody)
    assert codes(nobody)["no_events"] == "failed"


def test_fault_78_all_events_and_other_codes() -> None:
    assert codes(survival_curves(frame(range(1, 31), 1)))["all_events"] == "informational"
    with pytest.raises(ArgumentError) as refusal:
        survival_curves(frame([1, 2], [1, 5]))
    assert refusal.value.code == "event"


def test_fault_79_negative_durations_are_refused_and_zeros_counted() -> None:
    with pytest.raises(ArgumentError) as refusal:
        survival_curves(frame([3, -1], [1, 1]))
    assert (refusal.value.code, refusal.value.count) == ("duration-negative", 1)
    found = survival_curves(frame([0, 0, 5, 7], [1, 0, 1, 0]))
    assert codes(found)["zero_durations"] == "informational"
    assert found.curves["time"].tolist() == [0, 5, 7]
    assert found.curves["survival"].tolist() == pytest.approx([0.75, 0.375, 0.375])
    same_day = survival_curves(frame([0, 5, 7], [0, 1, 0], entry_days=[0, 0, 0]))
    assert codes(same_day)["never_at_risk"] == "informational"


def test_one_landmark_per_curve() -> None:
    days = pd.to_datetime(["2026-01-31", "2026-01-31", "2026-03-31", "2026-03-31"])
    data = frame([5, 9, 7, 8], [1, 0, 1, 0], landmark=days)
    with pytest.raises(ArgumentError) as refusal:
        survival_curves(data)
    assert refusal.value.code == "several-landmarks"
    assert 'by="landmark"' in refusal.value.hint
    assert list(survival_curves(data, by="landmark").summary["n"]) == [2, 2]
    assert summary(survival_curves(data[data["landmark"] == data["landmark"].max()])).loc["all", "n"] == 2


def test_a_customer_twice_is_told() -> None:
    data = frame([5, 9, 7], [1, 0, 1])
    data.index = pd.Index(["C1", "C1", "C2"], name="customer_id")
    assert codes(survival_curves(data))["customer_twice"] == "failed"
    assert "repeat a customer" in repr(survival_curves(data))
    apart = survival_curves(data.assign(tier=["a", "b", "a"]), by="tier")
    assert "customer_twice" not in codes(apart)


def test_an_early_risk_set_that_empties_is_told() -> None:
    data = frame([3, 30, 40, 50], [1, 1, 0, 1], entry_days=[0, 10, 10, 12])
    found = survival_curves(data)
    assert codes(found)["risk_set_emptied"] == "failed"
    assert on(found, "all", 3) == 0
    assert "before 3 others entered" in repr(found)


def test_groups_keep_their_order_small_ones_are_marked_and_rows_without_one_are_told() -> None:
    rng = np.random.default_rng(1)
    tier = ["high"] * 40 + ["low"] * 30 + ["mid"] * 5 + [None] * 2
    data = frame(rng.integers(1, 50, 77), rng.integers(0, 2, 77))
    data["tier"] = pd.Categorical(tier, ["high", "mid", "low", "none"], ordered=True)
    found = survival_curves(data, by="tier")
    assert found.summary.index.tolist() == ["high", "mid", "low"]
    assert found.summary["small"].tolist() == [False, True, False]
    assert codes(found)["no_group"] == codes(found)["small_groups"] == "informational"
    assert found.contrasts[["group", "other"]].to_numpy().tolist() == [["high", "mid"], ["high", "low"], ["mid", "low"]]
    assert found.contrasts["small"].tolist() == [True, False, True]
    assert (found.contrasts["p_adjusted"] >= found.contrasts["p_value"]).all()
    assert "* fewer than 20" in repr(found)


def test_a_mean_beyond_follow_up_is_missing() -> None:
    data = frame([5, 6, 30, 40], [0, 0, 1, 0], tier=list("aabb"))
    found = survival_curves(data, by="tier", horizon=20)
    assert np.isnan(summary(found).loc["a", "rmst"])
    assert summary(found).loc["b", "rmst"] == 20
    assert found.contrasts["p_adjusted"].isna().all()
    assert "not followed" in repr(found)


def test_contrasts_hold_their_level_and_find_a_difference() -> None:
    rng = np.random.default_rng(9)
    false = 0
    for _ in range(400):
        groups = {name: days_of(*_censored(rng, 200, 40)) for name in ("a", "b")}
        false += restricted_mean_contrasts(groups, 60)["p_value"].iloc[0] < 0.05
    assert 0.02 <= false / 400 <= 0.09
    groups = {"a": days_of(*_censored(rng, 4_000, 40)), "b": days_of(*_censored(rng, 4_000, 60))}
    found = restricted_mean_contrasts(groups, 60).iloc[0]
    truth = 40 * (1 - np.exp(-60 / 40)) - 60 * (1 - np.exp(-1))
    assert found["lower"] < truth < found["upper"] < 0


def test_the_log_rank_test_holds_its_level_with_late_entry() -> None:
    rng = np.random.default_rng(10)
    false = 0
    for _ in range(400):
        groups = {}
        for name, wait in (("a", 10), ("b", 30)):
            start, days = rng.exponential(wait, 300), rng.exponential(40, 300)
            seen = days > start
            groups[name] = observed(days[seen], np.ones(seen.sum()), start[seen])
        false += log_rank(groups).p_value < 0.05
    assert 0.02 <= false / 400 <= 0.09


def test_holm_by_hand() -> None:
    assert holm(np.array([0.02, 0.01, 0.9, np.nan])).tolist() == pytest.approx([0.04, 0.03, 0.9, np.nan], nan_ok=True)
    assert holm(np.array([0.6, 0.7])).tolist() == [1, 1]


def test_what_is_missing_is_named() -> None:
    for data, code in ((frame([1], [1]), "no-column"), (frame([1], [1], tier=[None]), "no-rows")):
        with pytest.raises(ArgumentError) as refusal:
            survival_curves(data, by="tier")
        assert refusal.value.code == code


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 9), st.sampled_from([0, 1, 2]), st.integers(0, 6)), min_size=2, max_size=25),
    st.randoms(use_true_random=False),
)
def test_curves_are_those_of_a_loop_and_rows_have_no_order(drawn: list[tuple[int, int, int]], mix: Any) -> None:
    data = frame(*zip(*[(days, code) for days, code, _ in drawn], strict=True))
    data["entry_days"] = [max(days - late, 0) if late else 0 for days, _, late in drawn]
    found = survival_curves(data)
    free, incidence = 1.0, 0.0
    curve: Any = found.curves
    for row in curve.itertuples():
        there = data[(data["entry_days"] < row.time) & (data["duration_days"] >= row.time)]
        if row.time == 0:
            continue
        today = there[there["duration_days"] == row.time]["event"]
        assert row.at_risk == len(there)
        incidence += free * (today == 1).sum() / len(there)
        free *= 1 - (today > 0).sum() / len(there)
        assert row.survival == pytest.approx(1 - incidence, abs=1e-12)
        assert np.isnan(row.lower) or -1e-12 <= row.lower <= row.survival + 1e-9 <= row.upper + 2e-9
    order = list(range(len(data)))
    mix.shuffle(order)
    again = survival_curves(data.iloc[order])
    pd.testing.assert_frame_equal(found.curves, again.curves)
    pd.testing.assert_frame_equal(found.summary, again.summary)


def _censored(rng: np.random.Generator, n: int, mean: float) -> Any:
    days, left = rng.exponential(mean, n), rng.uniform(30, 100, n)
    return observed(np.minimum(days, left), (days <= left).astype(int))

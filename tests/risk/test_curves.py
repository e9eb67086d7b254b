"""Survival curves: by R, by hand, with known truth, and every fault of the section on survival that concerns them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lifelines.datasets import load_leukemia
from scipy.stats import chi2, norm

import toolkit as tk
from tests.builders.profiles import examples, several
from tests.builders.refusals import assert_refused
from tests.oracles.km_rossi import expected, rossi
from toolkit.risk.contrasts import holm

WEEKS = (5, 10, 20, 30, 45)
Z = 1.9599639845400545


@pytest.fixture(scope="module")
def r() -> dict[str, float]:
    return expected()


@pytest.fixture(scope="module")
def people() -> pd.DataFrame:
    return rossi()


def frame(duration: Any, event: Any, **columns: Any) -> pd.DataFrame:
    return pd.DataFrame({"duration_days": duration, "event": event, **columns})


def curves(data: pd.DataFrame, by: str | None = None, **options: Any) -> Any:
    return tk.survival_curves(data, by, **options)


def on(found: Any, group: str, day: float, column: str = "survival") -> float:
    own = found.curves[(found.curves["group"] == group) & (found.curves["time"] <= day)]
    return float(own[column].iloc[-1])


def error_on(found: Any, day: float) -> float:
    """Return the standard error of survival, which its interval on the scale of log(-log) holds."""
    survival, lower = on(found, "all", day), on(found, "all", day, "lower")
    return float(-survival * np.log(survival) * np.log(np.log(lower) / np.log(survival)) / Z)


def codes(found: Any) -> dict[str, str]:
    return {check.code: check.status for check in found.checks}


def test_curves_and_intervals_are_those_of_r(r: dict[str, float], people: pd.DataFrame) -> None:
    plain = curves(people, "fin", duration="time", event="status", horizon=40)
    late = curves(people, "fin", duration="time", event="status", entry="entry")
    for name, found in (("km", plain), ("late", late)):
        for group in ("0", "1"):
            for column, of in (("survival", "surv"), ("lower", "lower"), ("upper", "upper")):
                got = [on(found, group, week, column) for week in WEEKS]
                assert got == pytest.approx([r[f"{name}.{group}.{of}.{week}"] for week in WEEKS], abs=1e-9)
    for group in ("0", "1"):
        own = plain.curves[plain.curves["group"] == group]
        at = [own.loc[own["time"] >= week, "at_risk"].iloc[0] for week in WEEKS]
        assert at == [r[f"km.{group}.risk.{week}"] for week in WEEKS]
        mean = plain.summary.loc[group]
        assert mean["rmst"] == pytest.approx(r[f"rmst.{group}"], abs=1e-9)
        assert (mean["upper"] - mean["lower"]) / 2 / Z == pytest.approx(r[f"rmst.se.{group}"], abs=1e-6)


@pytest.mark.fault(85)
def test_leukemia_is_the_published_one(r: dict[str, float]) -> None:
    """The log-rank test, and medians, which say where they are not reached."""
    found = curves(load_leukemia(), "Rx", duration="t", event="status")
    for group in ("0", "1"):
        got = found.summary.loc[group, ["median", "median_lower", "median_upper"]].to_numpy(dtype=float)
        want = [r[f"median.{group}"], r[f"median.{group}.lower"], r[f"median.{group}.upper"]]
        assert got == pytest.approx(want, nan_ok=True)
    assert "23 (13 to not reached)" in repr(found)
    assert f"{found.logrank.statistic:.2f}" == "16.79"
    assert found.logrank.statistic == pytest.approx(r["leukemia.chisq"], abs=1e-9)
    events = found.logrank.table["expected"].tolist()
    assert events == pytest.approx([r["leukemia.expected.0"], r["leukemia.expected.1"]])
    assert found.logrank.p_value < 0.001


def test_log_rank_of_four_groups_and_with_late_entry_is_that_of_r(r: dict[str, float], people: pd.DataFrame) -> None:
    found = curves(people, "group", duration="time", event="status").logrank
    assert found.statistic == pytest.approx(r["rossi.chisq"], abs=1e-9)
    assert found.degrees == 3
    assert found.table["expected"].tolist() == pytest.approx([r[f"rossi.expected.{n}"] for n in range(4)])
    apart = people.assign(time=people["time"] + people["time"].rank(method="first") / 1e4)
    late = curves(apart, "group", duration="time", event="status", entry="entry").logrank
    assert late.statistic == pytest.approx(r["rossi.late.chisq"], abs=1e-8)


def test_deletion_competes_as_in_r(r: dict[str, float], people: pd.DataFrame) -> None:
    found = curves(people, duration="time", event="kind", horizon=45)
    for week in WEEKS:
        assert 1 - on(found, "all", week) == pytest.approx(r[f"aalen.{week}"], abs=1e-9)
        assert error_on(found, week) == pytest.approx(r[f"aalen.se.{week}"], rel=0.02)
    assert codes(found)["competing"] == "informational"
    assert found.summary.loc["all", "deletions"] == (people["kind"] == 2).sum()
    as_censored = curves(people.assign(kind=people["kind"] % 2), duration="time", event="kind")
    assert on(as_censored, "all", 45) < on(found, "all", 45)


def test_by_hand() -> None:
    """Five people: events on days 2, 4; censored on 2 (after the event), 3 and 6."""
    found = curves(frame([2, 2, 3, 4, 6], [1, 0, 0, 1, 0]), horizon=5)
    assert found.curves["time"].tolist() == [0, 2, 3, 4, 6]
    assert found.curves["at_risk"].tolist() == [5, 5, 3, 2, 1]
    assert found.curves["events"].tolist() == [0, 1, 0, 1, 0]
    assert found.curves["survival"].tolist() == pytest.approx([1, 0.8, 0.8, 0.4, 0.4])
    assert found.summary.loc["all", "median"] == 4
    assert found.summary.loc["all", "rmst"] == pytest.approx(2 + 2 * 0.8 + 0.4)
    assert error_on(found, 4) == pytest.approx(0.4 * np.sqrt(1 / (5 * 4) + 1 / (2 * 1)), abs=1e-6)
    assert found.at_risk.to_numpy().tolist() == [[5, 5, 5, 2, 1]]


def test_variances_with_deletions_and_late_entry_are_those_of_the_jackknife() -> None:
    rng = np.random.default_rng(2)
    n = several(100, 300)
    days, kind = rng.integers(1, 40, n), rng.choice([0, 1, 2], n, p=[0.3, 0.5, 0.2])
    data = frame(days, kind, entry_days=np.where(rng.random(n) < 0.3, np.floor(days * rng.random(n) / 2), -1))
    whole = curves(data, horizon=30)
    without = [curves(data.drop(index=row), horizon=30) for row in range(n)]
    mean = whole.summary.loc["all"]
    for error, left_out in (
        ((mean["rmst"] - mean["lower"]) / Z, [found.summary.loc["all", "rmst"] for found in without]),
        (error_on(whole, 20), [on(found, "all", 20) for found in without]),
    ):
        assert error**2 == pytest.approx((n - 1) * np.var(left_out), rel=several(8, 3) / 100)


@pytest.mark.fault(82)
def test_known_truth_with_late_entry_and_censoring() -> None:
    """A Weibull, cut from the left and the right: near the truth all along; far above it where entry is ignored."""
    rng = np.random.default_rng(7)
    n, near = several(50_000, 200_000), several(2, 1) / 100
    entry = np.floor(rng.exponential(25, n))
    days = np.ceil(60 * rng.weibull(1.4, n))
    alive = days > entry
    entry, days = entry[alive], days[alive]
    left = entry + np.ceil(rng.exponential(90, len(days)))
    data = frame(np.minimum(days, left), (days <= left).astype(int), entry_days=entry)
    found = curves(data)
    for day in (5, 20, 40, 60, 90, 120, 150):
        assert on(found, "all", day) == pytest.approx(np.exp(-((day / 60) ** 1.4)), abs=near)
    blind = curves(data.drop(columns="entry_days"))
    assert on(blind, "all", 20) > np.exp(-((20 / 60) ** 1.4)) + 0.05


@pytest.mark.fault(83)
def test_censored_are_neither_retained_nor_dropped() -> None:
    rng = np.random.default_rng(83)
    days, left = rng.exponential(80, 100_000), rng.uniform(0, 180, 100_000)
    data = frame(np.minimum(days, left), (days <= left).astype(int))
    gone = (data["event"] == 1) & (data["duration_days"] <= 90)
    truth = 1 - np.exp(-90 / 80)
    as_retained = gone.mean()
    dropped = gone.sum() / (gone | (data["duration_days"] > 90)).sum()
    assert as_retained < truth - 0.1
    assert dropped > truth + 0.05
    assert 1 - on(curves(data), "all", 90) == pytest.approx(truth, abs=0.01)


@pytest.mark.fault(85)
def test_a_median_that_is_not_reached_is_missing_and_says_so() -> None:
    found = curves(frame(np.arange(1, 41), [1] * 10 + [0] * 30))
    assert np.isnan(found.summary.loc["all", "median"])
    assert "not reached" in repr(found)
    assert "not reached" in found._repr_html_()
    assert "inf" not in repr(found)
    nobody = curves(frame([5, 6], [0, 0], tier=["a", "b"]), by="tier")
    assert np.isnan(nobody.logrank.p_value)
    assert "not estimable" in repr(nobody)
    assert codes(nobody)["no_events"] == "failed"


@pytest.mark.fault(78, 79, 82)
def test_what_is_refused() -> None:
    landmarks = pd.to_datetime(["2026-01-31", "2026-03-31"])
    members = frame([5, 9], [1, 0])
    members.attrs["outcome"] = "end"
    assert_refused(
        {
            "a code of no event": (lambda: curves(frame([1, 2], [1, 5])), "event:"),
            "days below 0": (lambda: curves(frame([3, -1], [1, 1])), r"duration-negative: .*\(n=1\)"),
            "no such column": (lambda: curves(frame([1], [1]), by="tier"), "no-column"),
            "nobody in a group": (lambda: curves(frame([1], [1], tier=[None]), by="tier"), "no-rows"),
            "two landmarks": (
                lambda: curves(frame([5, 9], [1, 0], landmark=landmarks)),
                'several-landmarks: .* Try: .* or by="landmark"',
            ),
            "members without their entry": (lambda: curves(members), "entry-needed: .* Try: .*entry_days"),
        }
    )


@pytest.mark.fault(78, 79)
def test_all_events_and_no_time_at_all_are_told() -> None:
    assert codes(curves(frame(range(1, 31), 1)))["all_events"] == "informational"
    found = curves(frame([0, 0, 5, 7], [1, 0, 1, 0]))
    assert codes(found)["zero_durations"] == "informational"
    assert found.curves["time"].tolist() == [0, 5, 7]
    assert found.curves["survival"].tolist() == pytest.approx([0.75, 0.375, 0.375])
    same_day = curves(frame([0, 5, 7], [0, 1, 0], entry_days=[0, 0, 0]))
    assert codes(same_day)["never_at_risk"] == "informational"


def test_one_landmark_per_curve() -> None:
    days = pd.to_datetime(["2026-01-31", "2026-01-31", "2026-03-31", "2026-03-31"])
    data = frame([5, 9, 7, 8], [1, 0, 1, 0], landmark=days)
    assert list(curves(data, by="landmark").summary["n"]) == [2, 2]
    assert curves(data[data["landmark"] == data["landmark"].max()]).summary.loc["all", "n"] == 2


def test_a_customer_twice_is_told() -> None:
    data = frame([5, 9, 7], [1, 0, 1])
    data.index = pd.Index(["C1", "C1", "C2"], name="customer_id")
    assert codes(curves(data))["customer_twice"] == "failed"
    assert "repeat a customer" in repr(curves(data))
    assert "customer_twice" not in codes(curves(data.assign(tier=["a", "b", "a"]), by="tier"))


def test_an_early_risk_set_that_empties_is_told() -> None:
    found = curves(frame([3, 30, 40, 50], [1, 1, 0, 1], entry_days=[0, 10, 10, 12]))
    assert codes(found)["risk_set_emptied"] == "failed"
    assert on(found, "all", 3) == 0
    assert "before 3 others entered" in repr(found)


def test_groups_keep_their_order_small_ones_are_marked_and_rows_without_one_are_told() -> None:
    rng = np.random.default_rng(1)
    tier = ["high"] * 40 + ["low"] * 30 + ["mid"] * 5 + [None] * 2
    data = frame(rng.integers(1, 50, 77), rng.integers(0, 2, 77))
    data["tier"] = pd.Categorical(tier, ["high", "mid", "low", "none"], ordered=True)
    found = curves(data, by="tier")
    assert found.summary.index.tolist() == ["high", "mid", "low"]
    assert found.summary["small"].tolist() == [False, True, False]
    assert codes(found)["no_group"] == codes(found)["small_groups"] == "informational"
    assert found.contrasts[["group", "other"]].to_numpy().tolist() == [["high", "mid"], ["high", "low"], ["mid", "low"]]
    assert found.contrasts["small"].tolist() == [True, False, True]
    assert found.contrasts["p_adjusted"].tolist() == holm(found.contrasts["p_value"].to_numpy()).tolist()
    assert "* fewer than 20" in repr(found)


def test_a_mean_beyond_follow_up_is_missing() -> None:
    found = curves(frame([5, 6, 30, 40], [0, 0, 1, 0], tier=list("aabb")), by="tier", horizon=20)
    assert np.isnan(found.summary.loc["a", "rmst"])
    assert found.summary.loc["b", "rmst"] == 20
    assert found.contrasts["p_adjusted"].isna().all()
    assert "not followed" in repr(found)


def test_a_contrast_finds_a_known_difference_and_its_p_value_is_that_of_its_interval() -> None:
    rng = np.random.default_rng(9)
    days, left = rng.exponential(np.repeat([40, 60], 4_000)), rng.uniform(30, 100, 8_000)
    tier = np.repeat(["a", "b"], 4_000)
    found = curves(frame(np.minimum(days, left), (days <= left).astype(int), tier=tier), by="tier", horizon=60)
    row, means = found.contrasts.iloc[0], found.summary
    truth = 40 * (1 - np.exp(-60 / 40)) - 60 * (1 - np.exp(-1))
    assert row["lower"] < truth < row["upper"] < 0
    half = np.hypot(*(means["rmst"] - means["lower"]))
    wanted = means.loc["a", "rmst"] - means.loc["b", "rmst"]
    assert row[["difference", "lower", "upper"]].tolist() == pytest.approx([wanted, wanted - half, wanted + half])
    assert row["p_value"] == pytest.approx(2 * norm.sf(-wanted / half * Z))
    assert found.logrank.p_value == pytest.approx(chi2.sf(found.logrank.statistic, 1))


def test_holm_by_hand() -> None:
    assert holm(np.array([0.02, 0.01, 0.9, np.nan])).tolist() == pytest.approx([0.04, 0.03, 0.9, np.nan], nan_ok=True)
    assert holm(np.array([0.6, 0.7])).tolist() == [1, 1]


@examples(dev=15, ci=60)
@given(
    st.lists(st.tuples(st.integers(1, 9), st.sampled_from([0, 1, 2]), st.integers(0, 6)), min_size=2, max_size=25),
    st.randoms(use_true_random=False),
)
def test_curves_are_those_of_a_loop_and_rows_have_no_order(drawn: list[tuple[int, int, int]], mix: Any) -> None:
    data = frame(*zip(*[(days, code) for days, code, _ in drawn], strict=True))
    data["entry_days"] = [max(days - late, 0) if late else 0 for days, _, late in drawn]
    found = curves(data)
    free, incidence = 1.0, 0.0
    for row in found.curves.itertuples():
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
    again = curves(data.iloc[order])
    pd.testing.assert_frame_equal(found.curves, again.curves)
    pd.testing.assert_frame_equal(found.summary, again.summary)

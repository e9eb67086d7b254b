"""Lifts by tier and overall: by tea-tasting, by scipy, by hand, and with groups by brute force."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import toolkit as tk
from tests.oracles.ab_tea import expected, units
from toolkit.strategy.interaction import wald, welch

NAMES = {"spend": "spend_cuped", "bought": "bought_cuped", "spend_per_order": "spend_per_order_cuped"}
METRICS: dict[str, Any] = {"spend": "mean", "bought": "proportion", "spend_per_order": ("spend", "orders")}
ARMS: dict[str, Any] = {"arm": "arm", "control": "none"}
HALF = {"none": 1 / 2, "coupon": 1 / 2}
SHARES = {"bronze": HALF, "silver": HALF, "gold": {"none": 1 / 3, "coupon": 2 / 3}}
TIERS: dict[str, Any] = ARMS | {"tier": "tier", "shares": SHARES}


def one(frame: pd.DataFrame, **where: str) -> pd.Series:
    for name, value in where.items():
        frame = frame[frame[name] == value]
    assert len(frame) == 1
    return frame.iloc[0]


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return units()


@pytest.mark.parametrize("cuped", [False, True])
def test_tiers_are_those_of_tea_tasting(frame: pd.DataFrame, *, cuped: bool) -> None:
    covariates = dict.fromkeys(METRICS, "before") if cuped else {}
    found = tk.evaluate_units(frame, **TIERS, metrics=METRICS, covariates=covariates, test="welch")
    whole = tk.evaluate_units(frame, **ARMS, metrics=METRICS, covariates=covariates, test="welch")
    assert whole.tiers.empty
    assert whole.tier_order == ()
    for tier, answers in expected()["tiers"].items():
        for metric in METRICS:
            row = one(whole.overall, metric=metric) if tier == "all" else one(found.tiers, metric=metric, tier=tier)
            for name, value in answers[NAMES[metric] if cuped else metric].items():
                assert row[name] == pytest.approx(value, rel=1e-9, abs=1e-10), (tier, metric, name)


def test_a_single_tier_is_the_welch_test_of_scipy(frame: pd.DataFrame) -> None:
    found = tk.evaluate_units(frame, **ARMS, metrics={"spend": "mean"}, test="welch").overall.iloc[0]
    treated, control = (frame.loc[frame["arm"] == arm, "spend"] for arm in ("coupon", "none"))
    answer = stats.ttest_ind(treated, control, equal_var=False)
    interval = answer.confidence_interval(0.95)
    assert found["p_value"] == pytest.approx(answer.pvalue, rel=1e-12)
    assert found["df"] == pytest.approx(answer.df, rel=1e-12)
    assert (found["lower"], found["upper"]) == pytest.approx((interval.low, interval.high), rel=1e-12)
    assert found["variance_ratio"] == 1


def test_the_weighted_overall_by_hand(frame: pd.DataFrame) -> None:
    found = tk.evaluate_units(frame, **TIERS, metrics={"spend": "mean"}, test="welch")
    row = found.overall.iloc[0]
    lift = variance = below = 0.0
    for _, mine in frame.groupby("tier"):
        w = len(mine) / len(frame)
        for sign, arm in ((1, "coupon"), (-1, "none")):
            y = mine.loc[mine["arm"] == arm, "spend"]
            part = w**2 * y.var() / len(y)
            lift += sign * w * y.mean()
            variance += part
            below += part**2 / (len(y) - 1)
    df = variance**2 / below
    assert row["lift"] == pytest.approx(lift, rel=1e-12)
    assert row["se"] == pytest.approx(np.sqrt(variance), rel=1e-9)
    assert row["df"] == pytest.approx(df, rel=1e-9)
    assert row["p_value"] == pytest.approx(2 * stats.t.sf(abs(lift) / np.sqrt(variance), df), rel=1e-9)
    assert row["upper"] - lift == pytest.approx(stats.t.ppf(0.975, df) * np.sqrt(variance), rel=1e-9)
    assert found.tiers["weight"].sum() == pytest.approx(1)


def test_pooling_has_the_wrong_sign_and_weighting_has_not() -> None:
    """Simpson: coupon lowers spend by 1 in both tiers, and more of it went to the tier that spends more."""
    cells = {
        ("low", "none"): (10, 80),
        ("low", "coupon"): (9, 20),
        ("high", "none"): (30, 20),
        ("high", "coupon"): (29, 80),
    }
    rows = [(tier, arm, mean + (-1) ** number) for (tier, arm), (mean, n) in cells.items() for number in range(n)]
    frame = pd.DataFrame(rows, columns=["tier", "arm", "spend"])
    raw = frame.groupby("arm")["spend"].mean()
    assert raw["coupon"] - raw["none"] == pytest.approx(11)  # (20 x 9 + 80 x 29) / 100 - (80 x 10 + 20 x 30) / 100
    shares = {"low": {"none": 0.8, "coupon": 0.2}, "high": {"none": 0.2, "coupon": 0.8}}
    found = tk.evaluate_units(frame, **ARMS, tier="tier", metrics={"spend": "mean"}, shares=shares)
    assert found.sample_ratio_status == "green"
    assert found.tier_order == ("low", "high")
    row = found.overall.iloc[0]
    assert row["lift"] == pytest.approx(-1)
    assert (row["value"], row["control_value"]) == pytest.approx((19, 20))
    # variances n / (n - 1) of +-1 at an even n: 0.25 (1/79 + 1/19 + 1/19 + 1/79)
    assert row["se"] == pytest.approx(np.sqrt(0.5 / 79 + 0.5 / 19))
    assert row["status"] == "worse"
    assert found.tiers["lift"].tolist() == pytest.approx([-1, -1])


def test_the_interaction_is_welchs_anova() -> None:
    """Of means: with a control of known mean, lifts are means and their variances those of single samples."""
    rng = np.random.default_rng(3)
    samples = [rng.normal(mean, spread, n) for mean, spread, n in ((1, 1, 12), (2, 2, 30), (1.5, 0.5, 9), (1, 3, 40))]
    mean = np.array([each.mean() for each in samples])
    variance = np.array([each.var(ddof=1) / len(each) for each in samples])
    df = np.array([len(each) - 1.0 for each in samples])
    found = welch(mean, variance, df)
    assert found[1] == 3
    by_scipy = stats.f_oneway(*samples, equal_var=False)
    assert found[0] == pytest.approx(by_scipy.statistic, rel=1e-10)
    assert found[3] == pytest.approx(by_scipy.pvalue, rel=1e-10)


def test_two_tiers_interact_as_a_t_test_of_the_difference() -> None:
    statistic, above, below, p = welch(np.array([0.1, 0.5]), np.array([0.01, 0.02]), np.array([40.0, 70.0]))
    df = 0.03**2 / (0.01**2 / 40 + 0.02**2 / 70)
    assert (statistic, above, below) == pytest.approx((0.4**2 / 0.03, 1, df))
    assert p == pytest.approx(2 * stats.t.sf(0.4 / np.sqrt(0.03), df))


def test_interaction_of_groups_counts_what_tiers_share() -> None:
    lift = np.array([0.1, 0.5, 0.2])
    shared = np.full((3, 3), 0.009) + np.eye(3) * 0.001
    apart, together = (wald(lift, [part, part], np.array([60, 60]))[0] for part in (np.eye(3) * 0.01, shared))
    assert together == pytest.approx(10 * apart)  # what is common to all tiers drops out of their contrasts
    assert np.isnan(wald(np.arange(4.0), [np.eye(4) * 0.01] * 2, np.array([2, 2]))).all()
    assert np.isnan(wald(lift, [np.full((3, 3), 0.01)] * 2, np.array([60, 60]))).all()
    assert np.isnan(wald(lift[:1], [shared, shared], np.array([60, 60]))).all()


def grouped(groups: int = 60, seed: int = 5) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    rows = []
    for group in range(groups):
        level = rng.normal()
        for _ in range(rng.integers(2, 12)):
            tier = "ab"[int(rng.random() < 0.4)]
            before = level + rng.normal()
            rows.append((f"g{group}", "ct"[group % 2], tier, level + before + rng.normal() + 5, before, rng.poisson(3)))
    return pd.DataFrame(rows, columns=["group", "arm", "tier", "y", "before", "items"])


def jackknife(frame: pd.DataFrame, statistic: Any) -> float:
    """Return the variance over groups by leaving each out in turn, within its arm."""
    total = 0.0
    for _, mine in frame.groupby("arm"):
        names = mine["group"].unique()
        left = np.array([statistic(frame[frame["group"] != name]) for name in names])
        total += (len(names) - 1) / len(names) * ((left - left.mean()) ** 2).sum()
    return total


def lift_of(frame: pd.DataFrame, top: str, below: str | None) -> float:
    arms = {arm: mine[top].sum() / (mine[below].sum() if below else len(mine)) for arm, mine in frame.groupby("arm")}
    return float(arms["t"] - arms["c"])


@pytest.mark.parametrize(("metric", "top", "below"), [("y", "y", None), ("r", "y", "items")])
def test_groups_vary_as_the_jackknife_says(metric: str, top: str, below: str | None) -> None:
    frame = grouped()
    kinds: dict[str, Any] = {"y": "mean", "r": ("y", "items")}
    found = tk.evaluate_units(
        frame, arm="arm", control="c", tier="tier", cluster="group", metrics={metric: kinds[metric]}, test="welch"
    )
    assert found.units == 60
    assert found.overall[["n", "control_n"]].to_numpy().tolist() == [[30, 30]]
    weights = frame["tier"].value_counts(normalize=True)

    def overall(rows: pd.DataFrame) -> float:
        return float(sum(w * lift_of(rows[rows["tier"] == tier], top, below) for tier, w in weights.items()))

    row = found.overall.iloc[0]
    assert row["lift"] == pytest.approx(overall(frame), rel=1e-12)
    assert row["se"] == pytest.approx(np.sqrt(jackknife(frame, overall)), rel=0.05)
    for tier in "ab":
        mine = frame[frame["tier"] == tier]
        each = one(found.tiers, tier=tier)
        assert each["lift"] == pytest.approx(lift_of(mine, top, below), rel=1e-12)
        assert each["se"] == pytest.approx(np.sqrt(jackknife(mine, lambda rows: lift_of(rows, top, below))), rel=0.08)
    # tiers rise and fall together within a group, so their variances alone say too little of the overall one
    alone = sum(w**2 * one(found.tiers, tier=str(tier))["se"] ** 2 for tier, w in weights.items())
    assert row["se"] ** 2 > 1.3 * alone


def test_groups_of_one_are_units(frame: pd.DataFrame) -> None:
    asked: dict[str, Any] = {
        "metrics": METRICS, "covariates": dict.fromkeys(METRICS, "before"), "test": "welch",
    }  # fmt: skip
    apart = tk.evaluate_units(frame, **TIERS, **asked)
    alone = tk.evaluate_units(frame, **TIERS, **asked, cluster="number")
    for table in ("overall", "tiers"):
        one_each, each = getattr(alone, table), getattr(apart, table)
        for name in ("value", "lift", "variance_ratio"):
            np.testing.assert_allclose(one_each[name], each[name], rtol=1e-9, err_msg=name)
        np.testing.assert_allclose(one_each["se"], each["se"], rtol=5e-3)  # n / (n - 1) of the arm, not of the tier
    np.testing.assert_array_equal(alone.tiers["n"], apart.tiers["n"])

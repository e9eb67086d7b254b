"""`evaluate_units`: what must hold of any units, which test serves, and what a covariate does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders.ab_units import ARMS, ask, made_up, same
from toolkit.strategy.lifts import FLAT
from toolkit.strategy.units import evaluate_units


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000))
def test_the_order_of_rows_changes_nothing(seed: int) -> None:
    frame = made_up(240, seed)
    options: dict[str, Any] = {"covariates": {"spend": "before"}, "test": "auto", "draws": 99}
    same(ask(frame, **options), ask(frame.sample(frac=1, random_state=seed), **options))


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.floats(1e-4, 1e5), st.sampled_from(["welch", "randomisation"]))
def test_money_in_another_unit(seed: int, c: float, test: str) -> None:
    frame = made_up(200, seed)
    options: dict[str, Any] = {
        "metrics": {"spend": "mean"},
        "covariates": {"spend": "before"},
        "test": test,
        "draws": 199,
    }
    one, other = ask(frame, **options), ask(frame.assign(spend=frame["spend"] * c), **options)
    for table in ("overall", "tiers"):
        for name in ("value", "lift", "lower", "upper", "se"):
            np.testing.assert_allclose(
                getattr(other, table)[name], c * getattr(one, table)[name], rtol=1e-7, atol=1e-9 * c
            )
        for name in ("relative_lift", "relative_lower", "relative_upper", "p_value", "df", "variance_ratio"):
            np.testing.assert_allclose(getattr(other, table)[name], getattr(one, table)[name], rtol=1e-7, atol=1e-9)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.floats(-1e6, 1e6))
def test_a_constant_added_to_all_leaves_the_lift(seed: int, c: float) -> None:
    frame = made_up(200, seed)
    options: dict[str, Any] = {"metrics": {"spend": "mean"}, "covariates": {"spend": "before"}, "test": "welch"}
    one = ask(frame, **options)
    other = ask(frame.assign(spend=frame["spend"] + c, before=frame["before"] - c), **options)
    for table in ("overall", "tiers"):
        for name in ("lift", "lower", "upper", "se", "p_value"):
            np.testing.assert_allclose(getattr(other, table)[name], getattr(one, table)[name], rtol=1e-6, atol=1e-7)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(["welch", "randomisation"]), st.sampled_from([0.05, 0.01, 0.2]))
def test_p_is_under_alpha_just_where_the_interval_excludes_0(seed: int, test: str, alpha: float) -> None:
    found = ask(made_up(240, seed), test=test, draws=499, alpha=alpha)
    for table in (found.overall, found.tiers):
        assert set(table["test"]) == {test}
        outside = (table["lower"] > 0) | (table["upper"] < 0)
        np.testing.assert_array_equal(outside, table["p_value"] < alpha)
        bounded = table["relative_lower"].notna()
        assert bounded.any()
        apart = (table["relative_lower"] > 0) | (table["relative_upper"] < 0)
        np.testing.assert_array_equal(apart[bounded], outside[bounded])
        assert (table["lower"] <= table["lift"]).all()
        assert (table["lift"] <= table["upper"]).all()


@pytest.mark.parametrize("test", ["welch", "randomisation"])
def test_the_other_arm_as_control_turns_signs_round(test: str) -> None:
    frame = made_up()
    options: dict[str, Any] = {
        "tier": "tier", "metrics": {"spend": "mean"}, "covariates": {"spend": "before"}, "test": test, "draws": 4_000,
    }  # fmt: skip
    one = evaluate_units(frame, arm="arm", control="none", **options)
    other = evaluate_units(frame, arm="arm", control="coupon", **options)
    exact: dict[str, Any] = {"rtol": 1e-9} if test == "welch" else {"rtol": 0.05, "atol": 0.1}
    for table in ("overall", "tiers"):
        there, back = getattr(one, table), getattr(other, table)
        np.testing.assert_allclose(back["lift"], -there["lift"], rtol=1e-9)
        np.testing.assert_allclose(back["lower"], -there["upper"], **exact)
        np.testing.assert_array_equal(back["value"], there["control_value"])
    assert one.interaction["p_value"].iloc[0] == pytest.approx(other.interaction["p_value"].iloc[0])


def test_a_constant_covariate_changes_nothing_and_is_told() -> None:
    plain, odd = (
        ask(made_up(), test="welch"),
        ask(made_up().assign(before=0.1), covariates={"spend": "before"}, test="welch"),
    )
    same(plain, odd)
    assert [check.code for check in odd.checks if check.status == "failed"] == ["covariate_constant"]


def test_a_covariate_that_is_the_outcome_is_told() -> None:
    frame = made_up()
    copied = frame.assign(before=frame["spend"] * 3 + 1)
    found = ask(copied, covariates={"spend": "before"}, test="welch")
    assert "covariate_is_outcome" in [check.code for check in found.checks if check.status == "failed"]
    assert found.overall["why"].iloc[0] == FLAT  # nothing is left of it, and no p-value is made of rounding


def test_theta_does_not_know_the_arms() -> None:
    """Pooled, not centred per arm: dealing arms anew leaves the adjusted values of all units as they are."""
    frame = made_up()
    dealt = frame.assign(
        arm=frame.groupby("tier")["arm"].transform(lambda arm: arm.sample(frac=1, random_state=2).to_numpy())
    )
    one, other = (
        ask(each, metrics={"spend": "mean"}, covariates={"spend": "before"}, test="welch") for each in (frame, dealt)
    )
    mean = [
        (found.tiers["value"] * found.tiers["n"] + found.tiers["control_value"] * found.tiers["control_n"]).to_numpy()
        for found in (one, other)
    ]
    np.testing.assert_allclose(*mean)
    theta = {
        tier: np.cov(mine["spend"], mine["before"])[0, 1] / mine["before"].var() for tier, mine in frame.groupby("tier")
    }
    mine = frame[frame["tier"] == "new"]
    left = mine["spend"] - theta["new"] * (mine["before"] - mine["before"].mean())
    row = one.tiers[one.tiers["tier"] == "new"].iloc[0]
    assert row["value"] == pytest.approx(left[mine["arm"] == "coupon"].mean(), rel=1e-12)
    assert row["se"] ** 2 == pytest.approx((left.groupby(mine["arm"]).var() / left.groupby(mine["arm"]).size()).sum())
    assert row["variance_ratio"] < 0.7


def test_the_rule_deals_anew_where_values_are_skewed() -> None:
    rng = np.random.default_rng(8)
    frame = made_up(1_200).assign(spend=np.exp(rng.normal(0, 1.5, 1_200)))
    found = ask(frame, metrics={"spend": "mean", "before": "mean"}, draws=999)
    assert found.overall["test"].tolist() == ["randomisation", "welch"]
    assert (found.tiers.loc[found.tiers["metric"] == "before", "test"] == "welch").all()
    assert found.draws.columns.tolist() == ["arm", "draw", "statistic"]
    assert len(found.draws) == 999
    assert found.draws["statistic"].std() == pytest.approx(1, abs=0.2)
    again = ask(frame, metrics={"spend": "mean", "before": "mean"}, draws=999)
    same(found, again)
    assert ask(frame, metrics={"before": "mean"}).draws.empty
    assert "spend (coupon)" in next(check.message for check in found.checks if check.code == "test")


def test_few_groups_are_dealt_anew_and_many_are_not() -> None:
    rng = np.random.default_rng(9)
    frame = pd.DataFrame({"group": np.repeat(np.arange(240), 4)})
    frame = frame.assign(
        arm=np.where(frame["group"] % 2, "coupon", "none"),
        spend=rng.normal(10, 2, 960) + rng.normal(0, 1, 240)[frame["group"]],
    )
    many = evaluate_units(frame, **ARMS, cluster="group", metrics={"spend": "mean"})
    assert many.overall["test"].tolist() == ["welch"]
    few = evaluate_units(frame[frame["group"] < 40], **ARMS, cluster="group", metrics={"spend": "mean"}, draws=1_999)
    assert few.overall["test"].tolist() == ["randomisation"]
    forced = evaluate_units(
        frame, **ARMS, cluster="group", metrics={"spend": "mean"}, draws=3_999, test="randomisation"
    )
    assert forced.overall["p_value"].iloc[0] == pytest.approx(many.overall["p_value"].iloc[0], abs=0.03)
    assert forced.overall["lower"].iloc[0] == pytest.approx(many.overall["lower"].iloc[0], abs=0.1)


@pytest.mark.parametrize("seed", [5, 18, 20])
def test_a_tier_whose_denominators_are_all_zero_in_one_arm_takes_no_part(seed: int) -> None:
    """Rounding left a denominator of 1e-17 there, and the tier stayed in with an error of 1e7."""
    rng = np.random.default_rng(seed)
    few = pd.DataFrame({"arm": rng.choice(["c", "t"], 20), "tier": "b", "per": rng.integers(0, 4, 20).astype(float)})
    few.loc[few["arm"] == "c", "per"] = 0.0
    few["y"] = few["per"] * rng.gamma(2, 3, 20)
    full = pd.DataFrame({"arm": ["c", "t"] * 40, "tier": "a", "per": 1.0, "y": rng.gamma(2, 3, 80)})
    frames = (pd.concat([few, full], ignore_index=True), full)
    both, alone = (
        evaluate_units(frame, arm="arm", control="c", tier="tier", metrics={"y": ("y", "per")}, test="welch")
        for frame in frames
    )
    assert both.overall["lift"].tolist() == pytest.approx(alone.overall["lift"].tolist(), rel=1e-9)
    assert both.overall["se"].tolist() == pytest.approx(alone.overall["se"].tolist(), rel=1e-9)

"""`evaluate_units`: what must hold of any units, which test serves, and what a covariate does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import toolkit as tk
from tests.builders.ab_units import ARMS, ask, made_up, same
from tests.builders.profiles import examples, several
from toolkit.strategy.lifts import FLAT

SEEDS = st.integers(0, 10_000)
ADJUSTED: dict[str, Any] = {"metrics": {"spend": "mean"}, "covariates": {"spend": "before"}}


@examples(5, 15)
@given(SEEDS, st.floats(1e-4, 1e5), st.floats(-1e6, 1e6))
def test_neither_order_nor_unit_of_money_nor_a_constant_matters(seed: int, c: float, added: float) -> None:
    frame = made_up(240, seed)
    test = ("welch", "randomisation")[seed % 2]
    one = ask(frame, **ADJUSTED, test=test, draws=199)
    same(one, ask(frame.sample(frac=1, random_state=seed), **ADJUSTED, test=test, draws=199))
    in_cents = ask(frame.assign(spend=frame["spend"] * c), **ADJUSTED, test=test, draws=199)
    shifted = ask(
        frame.assign(spend=frame["spend"] + added, before=frame["before"] - added), **ADJUSTED, test=test, draws=199
    )
    money = ["lift", "lower", "upper", "se"]
    for table in ("overall", "tiers"):
        ours, scaled, moved = (getattr(each, table) for each in (one, in_cents, shifted))
        np.testing.assert_allclose(scaled[["value", *money]], c * ours[["value", *money]], rtol=1e-7, atol=1e-9 * c)
        rest = ["relative_lift", "relative_lower", "relative_upper", "p_value", "df", "variance_ratio"]
        np.testing.assert_allclose(scaled[rest], ours[rest], rtol=1e-7, atol=1e-9)
        np.testing.assert_allclose(moved[[*money, "p_value"]], ours[[*money, "p_value"]], rtol=1e-6, atol=1e-7)
        np.testing.assert_allclose(moved["value"], ours["value"] + added, rtol=1e-9, atol=1e-7)


@examples(5, 20)
@given(SEEDS, st.sampled_from(["welch", "randomisation"]), st.sampled_from([0.05, 0.01, 0.2]))
def test_p_is_under_alpha_just_where_the_interval_excludes_0(seed: int, test: str, alpha: float) -> None:
    found = ask(made_up(240, seed), test=test, draws=499, alpha=alpha)
    for table in (found.overall, found.tiers):
        assert set(table["test"]) == {test}
        outside = (table["lower"] > 0) | (table["upper"] < 0)
        np.testing.assert_array_equal(outside, table["p_value"] < alpha)
        moved = table["p_adjusted"] < alpha
        for status, way in (("better", table["lift"] > 0), ("worse", table["lift"] < 0)):
            np.testing.assert_array_equal(table["status"] == status, moved & way)
        bounded = table["relative_lower"].notna()
        assert bounded.any()
        apart = (table["relative_lower"] > 0) | (table["relative_upper"] < 0)
        np.testing.assert_array_equal(apart[bounded], outside[bounded])
        assert (table["lower"] <= table["lift"]).all()
        assert (table["lift"] <= table["upper"]).all()


@pytest.mark.parametrize("test", ["welch", "randomisation"])
def test_the_other_arm_as_control_turns_signs_round(test: str) -> None:
    frame = made_up()
    options: dict[str, Any] = {"arm": "arm", "tier": "tier", "test": test, "draws": 4_000} | ADJUSTED
    one, other = (tk.evaluate_units(frame, control=control, **options) for control in ("none", "coupon"))
    exact: dict[str, Any] = {"rtol": 1e-9} if test == "welch" else {"rtol": 0.05, "atol": 0.1}
    for table in ("overall", "tiers"):
        there, back = getattr(one, table), getattr(other, table)
        np.testing.assert_allclose(back["lift"], -there["lift"], rtol=1e-9)
        np.testing.assert_allclose(back["lower"], -there["upper"], **exact)
        np.testing.assert_array_equal(back["value"], there["control_value"])
    assert one.interaction["p_value"].iloc[0] == pytest.approx(other.interaction["p_value"].iloc[0])


def test_a_covariate_that_tells_nothing_or_all_is_told() -> None:
    frame = made_up()
    covariates = {"spend": "before"}
    plain = ask(frame, test="welch")
    constant = ask(frame.assign(before=0.1), covariates=covariates, test="welch")
    same(plain, constant)
    assert [check.code for check in constant.checks if check.status == "failed"] == ["covariate_constant"]
    copied = ask(frame.assign(before=frame["spend"] * 3 + 1), covariates=covariates, test="welch")
    assert "covariate_is_outcome" in [check.code for check in copied.checks if check.status == "failed"]
    assert copied.overall["why"].iloc[0] == FLAT  # nothing is left of it, and no p-value is made of rounding


def test_theta_does_not_know_the_arms() -> None:
    """Pooled, not centred per arm: dealing arms anew leaves the adjusted values of all units as they are."""
    frame = made_up()
    dealt = frame.assign(
        arm=frame.groupby("tier")["arm"].transform(lambda arm: arm.sample(frac=1, random_state=2).to_numpy())
    )
    one, other = (ask(each, **ADJUSTED, test="welch").tiers for each in (frame, dealt))
    sums = [(each["value"] * each["n"] + each["control_value"] * each["control_n"]).to_numpy() for each in (one, other)]
    np.testing.assert_allclose(*sums)
    mine = frame[frame["tier"] == "new"]
    theta = np.cov(mine["spend"], mine["before"])[0, 1] / mine["before"].var()
    left = mine["spend"] - theta * (mine["before"] - mine["before"].mean())
    row = one[one["tier"] == "new"].iloc[0]
    assert row["value"] == pytest.approx(left[mine["arm"] == "coupon"].mean(), rel=1e-12)
    assert row["se"] ** 2 == pytest.approx((left.groupby(mine["arm"]).var() / left.groupby(mine["arm"]).size()).sum())
    assert row["variance_ratio"] < 0.7


def test_the_rule_deals_anew_where_values_are_skewed() -> None:
    rng = np.random.default_rng(8)
    frame = made_up(1_200).assign(spend=np.exp(rng.normal(0, 1.5, 1_200)))
    found, again = (ask(frame, metrics={"spend": "mean", "before": "mean"}, draws=999) for _ in range(2))
    assert found.overall["test"].tolist() == ["randomisation", "welch"]
    assert (found.tiers.loc[found.tiers["metric"] == "before", "test"] == "welch").all()
    assert found.draws.columns.tolist() == ["arm", "draw", "statistic"]
    assert len(found.draws) == 999
    assert found.draws["statistic"].std() == pytest.approx(1, abs=0.2)
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
    asked: dict[str, Any] = ARMS | {"cluster": "group", "metrics": {"spend": "mean"}}
    many = tk.evaluate_units(frame, **asked).overall.iloc[0]
    few = tk.evaluate_units(frame[frame["group"] < 40], **asked, draws=999).overall.iloc[0]
    assert (many["test"], few["test"]) == ("welch", "randomisation")
    forced = tk.evaluate_units(frame, **asked, draws=3_999, test="randomisation").overall.iloc[0]
    assert forced["p_value"] == pytest.approx(many["p_value"], abs=0.03)
    assert forced["lower"] == pytest.approx(many["lower"], abs=0.1)


def test_a_tier_whose_denominators_are_all_zero_in_one_arm_takes_no_part() -> None:
    """Rounding left a denominator of 1e-17 there, and the tier stayed in with an error of 1e7."""
    for seed in (5, 18, 20)[: several(1, 3)]:
        rng = np.random.default_rng(seed)
        few = pd.DataFrame({"arm": rng.choice(["c", "t"], 20), "tier": "b", "per": rng.integers(0, 4, 20) * 1.0})
        few.loc[few["arm"] == "c", "per"] = 0.0
        few["y"] = few["per"] * rng.gamma(2, 3, 20)
        full = pd.DataFrame({"arm": ["c", "t"] * 40, "tier": "a", "per": 1.0, "y": rng.gamma(2, 3, 80)})
        both, alone = (
            tk.evaluate_units(units, arm="arm", control="c", tier="tier", metrics={"y": ("y", "per")}, test="welch")
            for units in (pd.concat([few, full], ignore_index=True), full)
        )
        np.testing.assert_allclose(both.overall[["lift", "se"]], alone.overall[["lift", "se"]], rtol=1e-9)


def test_sentences_are_written_when_they_are_asked_for() -> None:
    found = ask(made_up(), test="welch")
    assert "verdict" not in vars(found)
    assert found.verdict is found.verdict
    assert found.verdict[0].text in repr(found)

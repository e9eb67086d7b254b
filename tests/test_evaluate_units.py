"""`evaluate_units`: what must hold of any units, which test serves, families, guardrails, profit, what is withheld."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toolkit.strategy.evaluation import ESTIMATES, withhold
from toolkit.strategy.experiment import Profit
from toolkit.strategy.families import benjamini_hochberg, holm
from toolkit.strategy.lifts import FEW_EVENTS, FEW_UNITS, FLAT, NO_DENOMINATOR
from toolkit.strategy.units import evaluate_units

ARMS: dict[str, Any] = {"arm": "arm", "control": "none"}
FRAMES = ("overall", "interaction", "tiers", "guardrails", "profit")


def made_up(n: int = 600, seed: int = 1, arms: tuple[str, ...] = ("none", "coupon")) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"tier": rng.choice(["new", "old", "top"], n), "arm": np.resize(arms, n)})
    before = rng.normal(50, 10, n)
    lifted = (frame["arm"] != "none").to_numpy()
    return frame.assign(
        before=before,
        spend=before * 0.8 + rng.normal(10, 8, n) + 2 * lifted,
        visit=(rng.random(n) < 0.4 + 0.1 * lifted).astype(int),
        orders=rng.poisson(3, n),
    )


def ask(frame: pd.DataFrame, **options: Any) -> Any:
    asked = {"tier": "tier", "metrics": {"spend": "mean", "visit": "proportion", "per": ("spend", "orders")}}
    return evaluate_units(frame, **ARMS, **(asked | options))


def same(one: Any, other: Any, *, rtol: float = 1e-9) -> None:
    for name in FRAMES:
        pd.testing.assert_frame_equal(getattr(one, name), getattr(other, name), rtol=rtol, atol=1e-11, obj=name)


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


def test_several_arms_and_their_families() -> None:
    frame = made_up(900, arms=("none", "coupon", "call"))
    found = ask(frame, test="welch", guardrails={"per": (3.0, "lower")})
    assert found.arms == ("call", "coupon")
    assert found.overall[["metric", "arm"]].to_numpy().tolist() == [
        [metric, arm] for metric in ("spend", "visit", "per") for arm in ("call", "coupon")
    ]
    assert len(found.tiers) == 3 * 2 * 3
    for table in (found.overall, found.tiers):
        for metric, adjust in (("spend", holm), ("visit", benjamini_hochberg), ("per", np.array)):
            mine = table[table["metric"] == metric]
            np.testing.assert_allclose(mine["p_adjusted"], adjust(mine["p_value"]), err_msg=metric)
    two = ask(frame[frame["arm"] != "call"], test="welch")
    np.testing.assert_allclose(
        two.overall["lift"], found.overall.loc[found.overall["arm"] == "coupon", "lift"], atol=0.5
    )


def test_secondary_metrics_share_a_family() -> None:
    rng = np.random.default_rng(4)
    frame = made_up().assign(**{f"m{number}": rng.random(600) for number in range(4)})
    found = ask(frame, metrics={"spend": "mean"} | {f"m{number}": "mean" for number in range(4)}, test="welch")
    others = found.overall[found.overall["metric"] != "spend"]
    np.testing.assert_allclose(others["p_adjusted"], benjamini_hochberg(others["p_value"]))
    tiers = found.tiers[found.tiers["metric"] != "spend"]
    np.testing.assert_allclose(tiers["p_adjusted"], benjamini_hochberg(tiers["p_value"]))
    assert found.overall["p_adjusted"].iloc[0] == found.overall["p_value"].iloc[0]


def test_statuses() -> None:
    found = ask(made_up(2_000), test="welch", smallest_effect=5.0, covariates={"spend": "before"})
    spend = found.overall.iloc[0]
    assert spend["status"] == "better"
    same_arms = made_up(2_000).assign(arm=np.tile(["none", "none", "coupon", "coupon"], 500))
    null = ask(same_arms, test="welch", smallest_effect=5.0).overall.iloc[0]
    assert abs(null["lower"]) < 5 > abs(null["upper"])
    assert null["status"] == "no_worthwhile_effect"
    assert ask(same_arms, test="welch").overall["status"].iloc[0] == "not_known"


def test_too_few_units_leave_the_row_and_enter_the_overall() -> None:
    frame = made_up(400)
    rare = frame[frame["tier"] == "top"].groupby("arm").head(6)
    frame = pd.concat([frame[frame["tier"] != "top"], rare])
    found = ask(frame, test="welch")
    top = found.tiers[found.tiers["tier"] == "top"].set_index("metric")
    assert top["status"].tolist() == ["too_few"] * 3
    assert top["why"].to_dict() == {"spend": FEW_UNITS, "visit": FEW_EVENTS, "per": FEW_UNITS}
    assert (
        top[["lift", "value", "lower", "p_value", "p_adjusted", "relative_lift", "se", "lift_shrunken"]]
        .isna()
        .all(axis=None)
    )
    assert top["n"].tolist() == [6] * 3
    assert top["weight"].tolist() == pytest.approx([12 / len(frame)] * 3)
    lift = sum(
        len(mine)
        / len(frame)
        * (mine.loc[mine["arm"] == "coupon", "spend"].mean() - mine.loc[mine["arm"] == "none", "spend"].mean())
        for _, mine in frame.groupby("tier")
    )
    assert found.overall["lift"].iloc[0] == pytest.approx(lift)
    assert not [check for check in found.checks if check.code == "covered"]
    assert found.interaction["df_num"].tolist() == [1, 1, 1]


def test_a_tier_without_one_arm_gives_its_weight_to_the_others() -> None:
    frame = made_up(900)
    frame = frame[(frame["tier"] != "top") | (frame["arm"] == "none")]
    found = ask(frame, test="welch", despite=["sample_ratio"])
    assert found.sample_ratio_status == "red"
    assert not found.withheld
    covered = next(check for check in found.checks if check.code == "covered")
    share = (frame["tier"] != "top").mean()
    assert covered.status == "failed"
    assert f"{share:.1%}" in covered.message
    assert covered.subject == "top"
    weights = found.tiers.loc[found.tiers["metric"] == "spend"].set_index("tier")["weight"]
    assert weights["top"] == 0
    assert weights.sum() == pytest.approx(1)
    assert weights["new"] == pytest.approx((frame["tier"] == "new").mean() / share)


def test_what_does_not_vary_has_no_test() -> None:
    found = ask(made_up().assign(spend=0.1, orders=0), test="welch")
    spend = found.overall.iloc[0]
    assert spend["why"] == FLAT
    assert spend["status"] == "not_known"
    assert spend["value"] == pytest.approx(0.1)
    assert spend[["lift", "se"]].tolist() == [0, 0]
    assert np.isnan([spend["p_value"], spend["lower"], spend["df"]]).all()
    assert found.overall["why"].iloc[2] == NO_DENOMINATOR
    assert found.overall["status"].iloc[2] == "too_few"
    tiers = found.tiers[found.tiers["metric"] == "spend"]
    assert (tiers["se"] == 0).all()
    assert np.isnan(found.interaction["p_value"].iloc[0])


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


def test_guardrails_by_hand() -> None:
    frame = made_up(2_000)
    found = ask(
        frame,
        test="welch",
        guardrails={"visit": (0.05, "lower"), "per": (2.0, "higher"), "spend": (0.5, "higher")},
        covariates={"spend": "before"},
    )
    table = found.guardrails.set_index("metric")
    whole = found.overall.set_index("metric")
    assert table.loc["visit", "harm_bound"] == -whole.loc["visit", "lower"]
    assert table.loc["per", "harm_bound"] == whole.loc["per", "upper"]
    assert table.loc["spend", "status"] == "broken"
    assert table.loc["visit", "status"] == "holds"
    for row in found.guardrails.to_dict("records"):
        assert (row["p_value"] < 0.05) == (row["status"] != "not_known")
        assert (row["status"] == "holds") == (row["harm_bound"] < row["margin"])
    assert ask(frame, test="randomisation", draws=499, guardrails={"visit": (0.05, "lower")}).guardrails[
        "status"
    ].tolist() == ["holds"]


def test_profit_by_hand() -> None:
    frame = made_up()
    found = ask(frame, test="welch", profit=Profit(of="spend", margin=0.4, offer_cost={"coupon": 0.5, "none": 0.1}))
    rows = found.profit.set_index("tier")
    assert rows.index.tolist() == ["new", "old", "top", "total"]
    spend = found.tiers[found.tiers["metric"] == "spend"].set_index("tier")
    whole = found.overall.iloc[0]
    assert rows.loc["total", "lift"] == pytest.approx(0.4 * whole["lift"] - 0.4)
    assert rows.loc["total", "lower"] == pytest.approx(0.4 * whole["lower"] - 0.4)
    assert rows.loc["old", "upper"] == pytest.approx(0.4 * spend.loc["old", "upper"] - 0.4)
    assert rows.loc["old", "total"] == pytest.approx(rows.loc["old", "lift"] * spend.loc["old", "n"])
    assert rows["cost"].tolist() == pytest.approx([0.4] * 4)
    assert rows.loc["total", "n"] == (frame["arm"] == "coupon").sum()
    alone = ask(frame, tier=None, test="welch", profit=Profit(of="spend"))
    assert alone.profit["tier"].tolist() == ["total"]


@pytest.mark.parametrize("reason", ["sample_ratio", "peeking"])
def test_withheld_frames_hold_no_estimate(reason: str) -> None:
    frame = made_up()
    options: dict[str, Any] = {
        "guardrails": {"visit": (0.05, "lower")}, "profit": Profit(of="spend", offer_cost={"coupon": 1.0}),
        "metrics": {"spend": "mean", "visit": "proportion"}, "test": "randomisation", "draws": 99,
    }  # fmt: skip
    shown = ask(frame, **options)
    hidden = withhold(shown, reason)
    if reason == "sample_ratio":
        hidden = ask(frame.drop(frame.index[frame["arm"] == "none"][:120]), **options)
    assert hidden.withheld == (reason,)
    counts = {"n", "control_n", "weight", "margin", "cost"}
    for name in FRAMES:
        table = getattr(hidden, name)
        assert len(table) == len(getattr(shown, name))
        numbers = set(table.select_dtypes("number").columns) - counts
        assert numbers <= {*ESTIMATES}
        assert table[list(numbers)].isna().all(axis=None), name
        assert not set(table.columns) & {"status"} or set(table["status"]) == {"not_known"}
    assert hidden.draws.empty
    effect = f"{shown.overall['lift'].iloc[0]:.3g}"
    assert effect not in repr(hidden)
    assert effect not in hidden._repr_html_()
    if reason == "sample_ratio":
        assert [finding.code for finding in hidden.verdict] == ["withheld"]


def test_an_arm_that_got_nobody_fails_the_sample_ratio() -> None:
    frame = made_up(300)
    empty = frame.assign(arm=pd.Categorical(frame["arm"], ["none", "coupon", "call"]))
    for found in (ask(empty), ask(frame, shares={"none": 0.4, "coupon": 0.4, "call": 0.2})):
        assert found.arms == ("coupon", "call")
        assert found.sample_ratio_status == "red"
        assert found.withheld == ("sample_ratio",)
        assert found.overall.loc[found.overall["arm"] == "call", "n"].tolist() == [0, 0, 0]
    shown = ask(empty, despite=["sample_ratio"]).overall
    assert set(shown.loc[shown["arm"] == "call", "status"]) == {"too_few"}
    assert shown.loc[shown["arm"] == "coupon", "lift"].notna().all()


def test_order_of_tiers_and_arms() -> None:
    frame = made_up()
    assert ask(frame).tier_order == ("new", "old", "top")
    ordered = frame.assign(tier=pd.Categorical(frame["tier"], ["top", "gone", "new", "old"]))
    assert ask(ordered).tier_order == ("top", "new", "old")
    half = {"none": 0.5, "coupon": 0.5}
    assert ask(frame, shares={"old": half, "new": half, "top": half}).tier_order == ("old", "new", "top")
    numbers = frame.assign(arm=(frame["arm"] == "coupon").astype(int))
    assert evaluate_units(numbers, arm="arm", control="0", metrics={"spend": "mean"}).arms == ("1",)


def test_names_are_escaped() -> None:
    bad = "<script>alert(1)</script>"
    frame = made_up().replace({"arm": {"coupon": bad}, "tier": {"top": "=1+1", "new": "<b>new</b>"}})
    page = ask(frame)._repr_html_()
    assert "<script>" not in page
    assert "<b>" not in page
    assert "&lt;script&gt;" in page
    assert "=1+1" in page


def test_the_sample_ratio_is_seen_by_day_and_source() -> None:
    frame = made_up(4_000).assign(day=pd.Timestamp("2026-08-23"), source="app")
    frame.loc[:799, "day"] = pd.Timestamp("2026-08-24")
    torn = frame.assign(arm=np.where((frame["day"] == "2026-08-24") & (frame.index % 8 > 1), "none", frame["arm"]))
    found = ask(torn, sample_ratio_by=["day", "source"])
    days = found.sample_ratio[found.sample_ratio["scope"] == "day"].drop_duplicates("value").set_index("value")
    assert days.index.tolist() == ["2026-08-23", "2026-08-24"]
    assert days.loc["2026-08-24", "p_adjusted"] < 0.001 < days.loc["2026-08-23", "p_adjusted"]
    assert found.sample_ratio_status == "red"
    assert set(found.sample_ratio["scope"]) == {"overall", "tier", "day", "source"}
    for _, part in found.sample_ratio.groupby("scope"):
        assert part["n"].sum() == pytest.approx(4_000) == part["expected"].sum()


def test_unlike_arms_fail_the_balance() -> None:
    frame = made_up(2_000)
    assert next(check for check in ask(frame, balance=["before"]).checks if check.code == "balance").status == "passed"
    worse = frame.assign(before=frame["before"] + 3 * (frame["arm"] == "coupon"))
    for options in ({"balance": ["before"]}, {"covariates": {"spend": "before"}}):
        check = next(check for check in ask(worse, **options).checks if check.code == "balance")
        assert (check.status, check.subject) == ("failed", "before")

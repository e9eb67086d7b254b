"""`evaluate_units`: families, statuses, what is too few, guardrails, profit."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import toolkit as tk
from tests.builders.ab_units import ask, made_up
from tests.builders.trials import check
from toolkit.strategy.experiment import Profit
from toolkit.strategy.families import benjamini_hochberg, holm
from toolkit.strategy.lifts import APART, FEW_EVENTS, FEW_UNITS, FLAT, NO_DENOMINATOR


def test_each_family_is_adjusted_by_itself() -> None:
    """The primary metric by Holm, all secondary ones together by Benjamini and Hochberg, guardrails not."""
    frame = made_up(900, arms=("none", "coupon", "call")).assign(other=np.random.default_rng(4).random(900))
    metrics = {"spend": "mean", "visit": "proportion", "other": "mean", "per": ("spend", "orders")}
    found = ask(frame, metrics=metrics, test="welch", guardrails={"per": (3.0, "lower")})
    assert found.arms == ("call", "coupon")
    assert found.overall[["metric", "arm"]].to_numpy().tolist() == [
        [metric, arm] for metric in metrics for arm in ("call", "coupon")
    ]
    assert len(found.tiers) == 4 * 2 * 3
    for table in (found.overall, found.tiers):
        for family, adjust in ((["spend"], holm), (["visit", "other"], benjamini_hochberg), (["per"], np.array)):
            mine = table[table["metric"].isin(family)]
            np.testing.assert_allclose(mine["p_adjusted"], adjust(mine["p_value"]), err_msg=str(family))
    two = ask(frame[frame["arm"] != "call"], metrics=metrics, test="welch").overall
    np.testing.assert_allclose(two["lift"], found.overall.loc[found.overall["arm"] == "coupon", "lift"], atol=0.5)
    assert two["p_adjusted"].iloc[0] == two["p_value"].iloc[0]


def test_statuses() -> None:
    found = ask(made_up(2_000), test="welch", smallest_effect=5.0, covariates={"spend": "before"})
    assert found.overall["status"].iloc[0] == "better"
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
    hidden = ["lift", "value", "lower", "p_value", "p_adjusted", "relative_lift", "se", "lift_shrunken"]
    assert top[hidden].isna().all(axis=None)
    assert top["n"].tolist() == [6] * 3
    assert top["weight"].tolist() == pytest.approx([12 / len(frame)] * 3)
    means = frame.pivot_table("spend", "tier", "arm")
    lift = (means["coupon"] - means["none"]) @ frame["tier"].value_counts(normalize=True).reindex(means.index)
    assert found.overall["lift"].iloc[0] == pytest.approx(lift)
    assert "covered" not in [each.code for each in found.checks]
    assert found.interaction["df_num"].tolist() == [1, 1, 1]


def test_a_tier_without_one_arm_gives_its_weight_to_the_others() -> None:
    frame = made_up(900)
    frame = frame[(frame["tier"] != "top") | (frame["arm"] == "none")]
    found = ask(frame, test="welch", despite=["sample_ratio"])
    assert found.sample_ratio_status == "red"
    assert not found.withheld
    covered = check(found, "covered")
    share = (frame["tier"] != "top").mean()
    assert covered.status == "failed"
    assert f"{share:.1%}" in covered.message
    assert covered.subject == "top"
    weights = found.tiers.loc[found.tiers["metric"] == "spend"].set_index("tier")["weight"]
    assert weights["top"] == 0
    assert weights.sum() == pytest.approx(1)
    assert weights["new"] == pytest.approx((frame["tier"] == "new").mean() / share)


def test_tiers_that_have_one_arm_each_have_no_overall() -> None:
    frame = made_up()
    frame = frame.assign(arm=np.where(frame["tier"] == "new", "none", "coupon"))
    found = ask(frame, despite=["sample_ratio"])
    assert set(found.overall["why"]) == {APART}
    assert found.overall[["lift", "p_value", "value"]].isna().all(axis=None)
    assert found.tiers["weight"].tolist() == [0] * 9
    assert check(found, "covered").subject == "new, old, top"


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


def test_guardrails_by_hand() -> None:
    frame = made_up(2_000)
    margins = {"visit": (0.05, "lower"), "per": (2.0, "higher"), "spend": (0.5, "higher")}
    found = ask(frame, test="welch", guardrails=margins, covariates={"spend": "before"})
    table = found.guardrails.set_index("metric")
    whole = found.overall.set_index("metric")
    assert table.loc["visit", "harm_bound"] == -whole.loc["visit", "lower"]
    assert table.loc["per", "harm_bound"] == whole.loc["per", "upper"]
    for metric, limit in (("visit", -0.05), ("per", 2.0), ("spend", 0.5)):
        row = whole.loc[metric]
        p = 2 * stats.t.sf(abs(row["lift"] - limit) / row["se"], row["df"])
        assert table.loc[metric, "p_value"] == pytest.approx(p, rel=1e-9), metric
    assert table.loc["spend", "status"] == "broken"
    assert table.loc["visit", "status"] == "holds"
    for row in found.guardrails.to_dict("records"):
        assert (row["p_value"] < 0.05) == (row["status"] != "not_known")
        assert (row["status"] == "holds") == (row["harm_bound"] < row["margin"])
    dealt = ask(frame, test="randomisation", draws=499, guardrails={"visit": (0.05, "lower")})
    assert dealt.guardrails["status"].tolist() == ["holds"]


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


@pytest.mark.fault(93)
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
    assert tk.evaluate_units(numbers, arm="arm", control="0", metrics={"spend": "mean"}).arms == ("1",)


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
    worse = frame.assign(before=frame["before"] + 3 * (frame["arm"] == "coupon"))
    assert check(ask(frame, balance=["before"], test="welch"), "balance").status == "passed"
    for options in ({"balance": ["before"]}, {"covariates": {"spend": "before"}}):
        found = check(ask(worse, **options, test="welch"), "balance")
        assert (found.status, found.subject) == ("failed", "before")

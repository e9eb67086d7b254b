"""Section I: experiments. The numbers are those of the list of faults."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from tests.builders.trials import CLOSES, FIRST, moved, order, spec_of, study_of, tables
from toolkit.errors import ArgumentError, Check
from toolkit.strategy.evaluate import evaluate
from toolkit.strategy.units import evaluate_units

if TYPE_CHECKING:
    from collections.abc import Callable

    from toolkit.strategy.evaluation import Evaluation

RUNS = 200
"""Of each simulation here; those of `tests/simulation` have more."""


def check(result: Evaluation, code: str) -> Check:
    (found,) = (one for one in result.checks if one.code == code)
    return found


def at_most(share: float, runs: int = RUNS) -> float:
    """Return the largest share of hits that is no surprise at a level, one time in two thousand."""
    return float(stats.binom.ppf(0.9995, runs, share)) / runs


def arms(first: int, second: int) -> list[str]:
    return ["none"] * first + ["coupon"] * second


def judged(units: pd.DataFrame, metrics: Any, **options: Any) -> Evaluation:
    return evaluate_units(units, arm="arm", control="none", metrics=metrics, **options)


def hits(draw: Callable[[np.random.Generator], tuple[float, float]], runs: int = RUNS) -> tuple[float, float]:
    """Return how often each of two p-values is under .05, seeds 0 and up."""
    found = np.array([draw(np.random.default_rng(seed)) for seed in range(runs)])
    first, second = (found < 0.05).mean(axis=0)
    return float(first), float(second)


def p_of(result: Evaluation) -> float:
    return float(result.overall["p_value"].iloc[0])


@pytest.mark.parametrize("gone", ["coupon", "none"])
def test_93_an_empty_arm_is_red_and_nothing_is_shown(gone: str) -> None:
    left = {"coupon": "none", "none": "coupon"}[gone]
    result = evaluate(study_of(moved(tables(60), arm=left)), spec_of())
    assert result.sample_ratio_status == "red"
    assert check(result, "empty_arm").subject == gone
    assert result.withheld == ("sample_ratio",)
    assert result.overall["lift"].isna().all()


@pytest.mark.parametrize(("metrics", "few"), [({"y": "mean"}, 19), ({"y": "proportion"}, 40)])
def test_94_a_small_tier_has_a_row_and_no_estimate(metrics: dict[str, str], few: int) -> None:
    """Fewer than 20 per arm of a mean; 40 per arm of a proportion with 4 events in one of them."""
    rng = np.random.default_rng(0)
    units = pd.DataFrame({"arm": arms(200, 200) + arms(few, few), "tier": ["large"] * 400 + ["small"] * (2 * few)})
    units["y"] = rng.random(len(units)) if metrics["y"] == "mean" else np.where(np.arange(len(units)) % 2, 1.0, 0.0)
    if metrics["y"] == "proportion":
        units.loc[400:439, "y"] = [1.0] * 4 + [0.0] * 36
    result = judged(units, metrics, tier="tier")
    tiers = result.tiers.set_index("tier")
    assert tiers["lift"].isna().to_dict() == {"large": False, "small": True}
    assert tiers["status"].to_dict()["small"] == "too_few"
    assert tiers["why"].to_dict()["small"]
    assert np.isfinite(result.overall["lift"]).all()


def test_95_a_broken_sample_ratio_hides_the_effect_behind_an_option() -> None:
    units = pd.DataFrame({"arm": arms(600, 400), "y": np.arange(1_000) % 7.0})
    hidden = judged(units, {"y": "mean"})
    assert (hidden.sample_ratio_status, hidden.withheld) == ("red", ("sample_ratio",))
    assert hidden.overall[["lift", "lower", "upper", "p_value"]].isna().to_numpy().all()
    assert [finding.code for finding in hidden.verdict] == ["withheld"]
    shown = judged(units, {"y": "mean"}, despite=["sample_ratio"])
    assert np.isfinite(shown.overall["lift"]).all()
    assert shown.verdict[0].code == "sample_ratio"
    assert not shown.verdict[1].figures.get("causal", False)


def test_95_one_day_is_enough() -> None:
    """Half and half overall, 80:20 on the first day and 20:80 on the second."""
    frames = tables(700)
    place = np.arange(700)
    at = [pd.Timestamp(FIRST) + pd.Timedelta(days=day, hours=10) for day in (place % 7).tolist()]
    turn = place // 7 % 10
    coupon = np.select([place % 7 == 0, place % 7 == 1], [turn < 8, turn < 2], turn < 5)
    result = evaluate(study_of(moved(frames, assigned_at=at, arm=np.where(coupon, "coupon", "none"))), spec_of())
    found = check(result, "sample_ratio")
    assert (result.sample_ratio_status, result.withheld) == ("red", ("sample_ratio",))
    assert "coupon 350 where 350 were expected" in found.message
    assert f"day {FIRST}" in found.message


@pytest.mark.parametrize("how", ["ids", "rows"])
def test_96_a_customer_in_both_arms_is_counted_and_left_out(how: str) -> None:
    frames = tables(200)
    first = frames["assignments"].iloc[0]
    other = {"none": "coupon", "coupon": "none"}[first["arm"]]
    alias = "other id" if how == "ids" else first["customer_id"]
    twin = first.to_frame().T.assign(arm=other, customer_id=alias, assigned_at=first["assigned_at"] + timedelta(days=1))
    frames["assignments"] = pd.concat([frames["assignments"], twin], ignore_index=True)
    if how == "ids":
        frames["identities"] = pd.DataFrame(
            [{"customer_id": first["customer_id"], "id_kind": "openid", "id_value": alias}]
        )
    result = evaluate(study_of(frames), spec_of())
    found = check(result, "two_arms")
    assert (found.count, found.status, result.units) == (1, "failed", 199)
    assert first["customer_id"] not in " ".join(one.message for one in result.checks)


def test_96_more_than_one_in_a_hundred_stops() -> None:
    frames = tables(200)
    some = frames["assignments"].iloc[:3]
    both = some.assign(arm=np.where(some["arm"] == "none", "coupon", "none"))
    frames["assignments"] = pd.concat([frames["assignments"], both])
    with pytest.raises(ArgumentError, match=r"3 of 200 customers stand in two arms.*one arm per unit") as stop:
        evaluate(study_of(frames), spec_of())
    assert "P0000" not in str(stop.value)


def test_97_a_window_starts_at_the_units_own_assignment() -> None:
    """An order an hour before the assignment is no outcome, one an hour after it is; so at the window's end."""
    frames = moved(tables(100), tier="all")
    rows = frames["assignments"].to_dict("records")
    hour, window = timedelta(hours=1), timedelta(days=28)
    moments = [
        row["assigned_at"] + shift
        for row, shift in zip(rows, [-hour, hour, window - hour, window + hour], strict=False)
    ]
    orders = [order(rows[place]["customer_id"], at, "10", str(place)) for place, at in enumerate(moments)]
    frames["orders"] = pd.DataFrame(orders)
    result = evaluate(study_of(frames), spec_of(metrics={"bought": {"kind": "mean", "of": "orders"}}, covariate=None))
    row = result.overall.set_index("metric").loc["bought"]
    assert row["value"] * row["n"] == pytest.approx(1)
    assert row["control_value"] * row["control_n"] == pytest.approx(1)


def test_97_assignment_after_the_outcome_is_seen() -> None:
    """Who bought today got the coupon tomorrow."""
    frames = tables(400)
    got = frames["assignments"][frames["assignments"]["arm"] == "coupon"].iloc[:60]
    just = [
        order(row["customer_id"], row["assigned_at"] - timedelta(hours=2), "50", f"just {row['customer_id']}")
        for row in got.to_dict("records")
    ]
    frames["orders"] = pd.concat([frames["orders"], pd.DataFrame(just)])
    fine = evaluate(study_of(tables(400)), spec_of())
    assert check(fine, "assigned_after_outcome").status == "passed"
    result = evaluate(study_of(frames), spec_of())
    assert check(result, "assigned_after_outcome").status == "failed"
    assert result.verdict[0].code == "failed_checks"
    (overall,) = (finding for finding in result.verdict if finding.code == "overall")
    assert overall.figures["causal"] is False


def test_98_customers_are_the_unit_and_not_their_orders() -> None:
    """Few customers order often and cheap, or rarely and dear: orders are no independent rows."""

    def draw(rng: np.random.Generator) -> tuple[float, float]:
        count = rng.geometric(0.1, 200)
        level = rng.lognormal(3, 1, 200)
        total = np.array([rng.normal(mean, 1, many).sum() for mean, many in zip(level, count, strict=True)])
        arm = np.repeat(["none", "coupon"], 100)
        each = np.repeat(arm, count)
        value = np.repeat(level, count)
        naive = stats.ttest_ind(value[each == "none"], value[each == "coupon"]).pvalue
        units = pd.DataFrame({"arm": arm, "spend": total, "orders": count})
        return float(naive), p_of(judged(units, {"order_value": ("spend", "orders")}, draws=200))

    naive, ours = hits(draw)
    assert naive > 0.3
    assert ours <= at_most(0.05)


def test_100_rare_buyers_in_a_small_arm_are_dealt_anew() -> None:
    """5:95, 5 % buyers with heavy tails: Welch is wrong far more often than 5 %; the chosen test is not."""

    def draw(rng: np.random.Generator) -> tuple[float, float]:
        y = np.where(rng.random(2_000) < 0.05, rng.lognormal(3, 1, 2_000), 0.0)
        units = pd.DataFrame({"arm": arms(1_900, 100), "y": y})
        result = judged(units, {"y": "mean"}, shares={"none": 0.95, "coupon": 0.05}, draws=400)
        assert result.overall["test"].tolist() == ["randomisation"]
        return float(stats.ttest_ind(y[:1_900], y[1_900:], equal_var=False).pvalue), p_of(result)

    welch, ours = hits(draw)
    assert welch > 0.15
    assert ours <= at_most(0.05)


def test_101_unequal_arms_with_unequal_spread_need_welch() -> None:
    """The small arm is the noisy one: Student pools the spread and is wrong a third of the time."""

    def draw(rng: np.random.Generator) -> tuple[float, float]:
        one, other = rng.normal(0, 1, 900), rng.normal(0, 5, 100)
        units = pd.DataFrame({"arm": arms(900, 100), "y": np.concatenate([one, other])})
        student = float(stats.ttest_ind(one, other).pvalue)
        return student, p_of(judged(units, {"y": "mean"}, shares={"none": 0.9, "coupon": 0.1}, test="welch"))

    student, ours = hits(draw)
    assert student > 0.3
    assert ours <= at_most(0.05)


def test_102_a_covariate_measured_after_assignment_stops() -> None:
    rng = np.random.default_rng(0)
    units = pd.DataFrame({"arm": arms(100, 100), "y": rng.random(200), "x": rng.random(200)})
    units["at"] = pd.Timestamp("2026-09-01 10:00")
    units["before"] = units["at"] - pd.Timedelta(seconds=1)
    options: dict[str, Any] = {"covariates": {"y": "x"}, "assigned_at": "at", "covariate_at": "before"}
    judged(units, {"y": "mean"}, **options)
    units.loc[7, "before"] = units.loc[7, "at"]
    with pytest.raises(ArgumentError, match="n=1"):
        judged(units, {"y": "mean"}, **options)


def test_102_what_comes_after_the_day_before_enters_no_covariate() -> None:
    frames = tables(200)
    plain = evaluate(study_of(frames), spec_of())
    rows = frames["assignments"].to_dict("records")
    morning = [
        order(row["customer_id"], row["assigned_at"].replace(hour=0, minute=1), "500", f"m{row['customer_id']}")
        for row in rows[::3]
    ]
    more = evaluate(study_of(frames | {"orders": pd.concat([frames["orders"], pd.DataFrame(morning)])}), spec_of())
    pd.testing.assert_frame_equal(plain.overall, more.overall)


def test_104_looking_early_is_withheld_unless_asked_for() -> None:
    study = study_of(tables(200))
    early = evaluate(study, spec_of(), as_of="2026-10-03")
    assert early.withheld == ("peeking",)
    assert early.overall["lift"].isna().all()
    assert check(early, "peeking").status == "failed"
    assert CLOSES in early.verdict[0].text
    seen = evaluate(study, spec_of(), as_of="2026-10-03", despite=["peeking"])
    assert seen.withheld == ()
    assert np.isfinite(seen.overall["lift"].iloc[0])
    assert 0 < check(seen, "open_windows").count == 200 - seen.units
    assert check(evaluate(study, spec_of()), "peeking").status == "passed"


def test_105_many_tiers_and_metrics_give_few_false_hits() -> None:
    """5 tiers x 4 metrics without any effect: any p under .05 in most runs, any status better or worse in few."""

    def draw(rng: np.random.Generator) -> tuple[float, float]:
        units = pd.DataFrame(rng.normal(0, 1, (600, 4)), columns=list("abcd"))
        units["arm"], units["tier"] = np.tile(["none", "coupon"], 300), np.repeat(list("vwxyz"), 120)
        result = judged(units, dict.fromkeys("abcd", "mean"), tier="tier")
        called = result.tiers[result.tiers["status"].isin(["better", "worse"])]
        decides = called["metric"].eq("a").any()
        return float(result.tiers["p_value"].min()), 0.0 if decides else 1.0

    naive, holm = hits(draw)
    assert naive > 0.5
    assert holm <= at_most(0.05)


def test_106_without_a_control_nothing_is_an_effect() -> None:
    units = pd.DataFrame({"arm": "coupon", "before": [1.0] * 50, "after": [2.0] * 50})
    with pytest.raises(ArgumentError, match=r"(?i)one arm") as stop:
        evaluate_units(units, arm="arm", control="coupon", metrics={"after": "mean"})
    assert "control" in str(stop.value)


def test_107_tiers_are_those_of_the_assignment() -> None:
    """What a customer does, or is called, afterwards moves nobody; without tiers in the table the day before counts."""
    frames = tables(200)
    spec = spec_of(tier="main_price_band")
    given = evaluate(study_of(frames), spec)
    assert set(given.tier_order) == {"new_stage", "core"}
    untold = moved(frames, tier=None)
    plain = evaluate(study_of(untold), spec)
    after = pd.DataFrame(
        [
            order(row["customer_id"], row["assigned_at"] + timedelta(hours=1), "9000", f"a{row['customer_id']}")
            for row in frames["assignments"].to_dict("records")
        ]
    )
    later = evaluate(study_of(untold | {"orders": pd.concat([frames["orders"], after])}), spec)
    keys = ["tier", "arm", "n", "control_n"]
    assert plain.tiers[keys].equals(later.tiers[keys])
    assert len(plain.tier_order) > 1


@pytest.mark.parametrize(("size", "shared"), [(1, 0), (2, 100)])
def test_108_groups_with_both_arms_are_called_out(size: int, shared: int) -> None:
    groups = [f"chat {place // size}" for place in range(200)]
    result = evaluate(study_of(moved(tables(200), cluster_id=groups)), spec_of())
    found = check(result, "shared_clusters")
    assert (found.status, found.count) == ("failed" if shared else "passed", shared)

"""Section I: experiments; what only many simulated experiments can show of it stands in tests/gates."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

import toolkit as tk
from tests.builders.ab_units import assert_withheld
from tests.builders.trials import CLOSES, FIRST, WINDOW, beside, check, moved, order, spec_of, study_of, tables
from toolkit.errors import ArgumentError
from toolkit.strategy.experiment import Profit


def arms(first: int, second: int) -> list[str]:
    return ["none"] * first + ["coupon"] * second


def judged(units: pd.DataFrame, metrics: Any, **options: Any) -> Any:
    return tk.evaluate_units(units, arm="arm", control="none", metrics=metrics, **options)


def evaluated(study: tk.Study, experiment: str = "coupon", **options: Any) -> Any:
    return tk.evaluate(study, spec_of(experiment), **({"test": "welch"} | options))


@pytest.fixture(scope="module")
def frames() -> dict[str, pd.DataFrame]:
    return tables(200)


@pytest.fixture(scope="module")
def study(frames: dict[str, pd.DataFrame]) -> tk.Study:
    """Several experiments of the same 200 customers, each assigned in its own wrong way."""
    rows = frames["assignments"]
    place = np.arange(200)
    day, turn = place % 2, place // 2 % 10
    others: dict[str, dict[str, Any]] = {
        "no_coupon": {"arm": "none"},
        "no_none": {"arm": "coupon"},
        # half and half overall, 80:20 on the first day and 20:80 on the second
        "two_days": {
            "arm": np.where(turn < np.where(day, 2, 8), "coupon", "none"),
            "assigned_at": [pd.Timestamp(FIRST) + pd.Timedelta(days=each, hours=10) for each in day.tolist()],
        },
        "chats_of_one": {"cluster_id": [f"chat {each}" for each in place]},
        "chats_of_two": {"cluster_id": [f"chat {each}" for each in place // 2]},
        "twice": {}, "twice_too_often": {}, "other_id": {},
    }  # fmt: skip
    found = beside(frames, **others)
    again = rows.assign(
        arm=np.where(rows["arm"] == "none", "coupon", "none"), assigned_at=rows["assigned_at"] + timedelta(days=1)
    )
    twins = [
        again.iloc[:2].assign(experiment_id="twice"), again.iloc[:3].assign(experiment_id="twice_too_often"),
        again.iloc[:1].assign(experiment_id="other_id", customer_id="known otherwise"),
    ]  # fmt: skip
    known = {"customer_id": [rows["customer_id"].iloc[0]], "id_kind": ["openid"], "id_value": ["known otherwise"]}
    return study_of(
        found | {"assignments": pd.concat([found["assignments"], *twins]), "identities": pd.DataFrame(known)}
    )


@pytest.mark.fault(93)
@pytest.mark.parametrize("gone", ["coupon", "none"])
def test_an_empty_arm_is_red_and_nothing_is_shown(study: tk.Study, gone: str) -> None:
    result = evaluated(study, f"no_{gone}")
    assert result.sample_ratio_status == "red"
    assert check(result, "empty_arm").subject == gone
    assert result.withheld == ("sample_ratio",)
    assert result.overall["lift"].isna().all()


@pytest.mark.fault(94)
def test_a_small_tier_has_a_row_and_no_estimate() -> None:
    """Fewer than 20 per arm of a mean; 40 per arm of a proportion with 4 events in one of them; one more is enough."""
    rng = np.random.default_rng(0)
    for kind, few, events in (("mean", 19, 0), ("proportion", 40, 4), ("mean", 20, 0), ("proportion", 40, 5)):
        units = pd.DataFrame({"arm": arms(200, 200) + arms(few, few), "tier": ["large"] * 400 + ["small"] * (2 * few)})
        units["y"] = rng.random(len(units)) if kind == "mean" else np.where(np.arange(len(units)) % 2, 1.0, 0.0)
        if kind == "proportion":
            units.loc[400:439, "y"] = [1.0] * events + [0.0] * (40 - events)
        result = judged(units, {"y": kind}, tier="tier")
        withheld = (few, events) in ((19, 0), (40, 4))
        tiers = result.tiers.set_index("tier")
        assert tiers["lift"].isna().to_dict() == {"large": False, "small": withheld}
        assert (tiers["status"]["small"] == "too_few") == bool(tiers["why"]["small"]) == withheld
        assert np.isfinite(result.overall["lift"]).all()


@pytest.mark.fault(95)
def test_a_broken_sample_ratio_hides_the_effect_behind_an_option() -> None:
    units = pd.DataFrame(
        {"arm": arms(600, 400), "tier": np.resize(["a", "b", "c"], 1_000), "y": np.arange(1_000) % 7.0}
    )
    options: dict[str, Any] = {
        "guardrails": {"y": (0.05, "lower")}, "profit": Profit(of="y", offer_cost={"coupon": 1.0}),
        "tier": "tier", "test": "randomisation", "draws": 99,
    }  # fmt: skip
    hidden, shown = (judged(units, {"y": "mean"}, **options, despite=each) for each in ([], ["sample_ratio"]))
    assert (hidden.sample_ratio_status, hidden.withheld) == ("red", ("sample_ratio",))
    assert shown.tiers["lift_shrunken"].notna().all()
    assert_withheld(hidden, shown)
    assert np.isfinite(shown.overall["lift"]).all()
    assert [finding.code for finding in shown.verdict][:2] == ["sample_ratio", "overall"]
    assert shown.verdict[1].figures["causal"] is False


@pytest.mark.fault(95)
def test_one_day_with_a_broken_ratio_is_enough(study: tk.Study) -> None:
    result = evaluated(study, "two_days")
    found = check(result, "sample_ratio")
    assert (result.sample_ratio_status, result.withheld) == ("red", ("sample_ratio",))
    assert "coupon 100 where 100 were expected" in found.message
    assert f"day {FIRST}" in found.message


@pytest.mark.fault(96)
@pytest.mark.parametrize(("experiment", "count"), [("twice", 2), ("other_id", 1)])
def test_a_customer_in_both_arms_is_counted_and_left_out(
    study: tk.Study, frames: dict[str, pd.DataFrame], experiment: str, count: int
) -> None:
    result = evaluated(study, experiment)
    found = check(result, "two_arms")
    assert (found.count, found.status, result.units) == (count, "failed", 200 - count)
    assert frames["assignments"]["customer_id"].iloc[0] not in " ".join(each.message for each in result.checks)


@pytest.mark.fault(96)
def test_more_than_one_in_a_hundred_stops(study: tk.Study) -> None:
    with pytest.raises(ArgumentError, match=r"3 of 200 customers stand in two arms.*one arm per unit") as stop:
        evaluated(study, "twice_too_often")
    assert "P0000" not in str(stop.value)


@pytest.mark.fault(97)
def test_a_window_starts_at_the_units_own_assignment() -> None:
    """What is ordered at the moment of assignment is an outcome, a second before it is none; so at the window's end."""
    frames = moved(tables(100), tier="all")
    rows = frames["assignments"].to_dict("records")
    second, window = timedelta(seconds=1), timedelta(days=WINDOW)
    shifts = [-second, 0 * second, window - second, window]
    frames["orders"] = pd.DataFrame(
        order(rows[place]["customer_id"], rows[place]["assigned_at"] + shift, "10", str(place))
        for place, shift in enumerate(shifts)
    )
    spec = spec_of(metrics={"bought": {"kind": "mean", "of": "orders"}}, covariate=None)
    row = tk.evaluate(study_of(frames), spec, test="welch").overall.set_index("metric").loc["bought"]
    assert row["value"] * row["n"] == pytest.approx(1)
    assert row["control_value"] * row["control_n"] == pytest.approx(1)


@pytest.mark.fault(97)
def test_assignment_after_the_outcome_is_seen(study: tk.Study, frames: dict[str, pd.DataFrame]) -> None:
    """Who bought today got the coupon tomorrow."""
    got = frames["assignments"][frames["assignments"]["arm"] == "coupon"].iloc[:30]
    just = pd.DataFrame(
        order(row["customer_id"], row["assigned_at"] - timedelta(hours=2), "50", f"just {row['customer_id']}")
        for row in got.to_dict("records")
    )
    assert check(evaluated(study), "assigned_after_outcome").status == "passed"
    result = evaluated(study_of(frames | {"orders": pd.concat([frames["orders"], just])}))
    assert check(result, "assigned_after_outcome").status == "failed"
    assert result.verdict[0].code == "failed_checks"
    (overall,) = (finding for finding in result.verdict if finding.code == "overall")
    assert overall.figures["causal"] is False


@pytest.mark.fault(102)
def test_what_comes_after_the_day_before_enters_no_covariate(study: tk.Study, frames: dict[str, pd.DataFrame]) -> None:
    morning = pd.DataFrame(
        order(row["customer_id"], row["assigned_at"].replace(hour=0, minute=1), "500", f"m{row['customer_id']}")
        for row in frames["assignments"].to_dict("records")[::3]
    )
    more = evaluated(study_of(frames | {"orders": pd.concat([frames["orders"], morning])}))
    pd.testing.assert_frame_equal(evaluated(study).overall, more.overall)


@pytest.mark.fault(104)
def test_looking_early_is_withheld_unless_asked_for(study: tk.Study) -> None:
    early, seen = (evaluated(study, as_of="2026-10-04", despite=each) for each in ([], ["peeking"]))
    assert (early.withheld, seen.withheld) == (("peeking",), ())
    assert_withheld(early, seen)
    assert check(early, "peeking").status == "failed"
    assert CLOSES in early.verdict[0].text
    assert np.isfinite(seen.overall["lift"].iloc[0])
    assert 0 < check(seen, "open_windows").count == 200 - seen.units
    closed = evaluated(study, as_of=CLOSES)
    assert (check(closed, "peeking").status, closed.withheld, closed.units) == ("passed", (), 200)


@pytest.mark.fault(107)
def test_tiers_are_those_of_the_assignment(study: tk.Study, frames: dict[str, pd.DataFrame]) -> None:
    """What a customer does, or is called, afterwards moves nobody; without tiers in the table the day before counts."""
    spec = spec_of(tier="main_price_band")
    assert set(tk.evaluate(study, spec, test="welch").tier_order) == {"new_stage", "core"}
    untold = moved(frames, tier=None)
    after = pd.DataFrame(
        order(row["customer_id"], row["assigned_at"] + timedelta(hours=1), "9000", f"a{row['customer_id']}")
        for row in frames["assignments"].to_dict("records")
    )
    later = untold | {"orders": pd.concat([frames["orders"], after])}
    plain, moved_up = (tk.evaluate(study_of(each), spec, test="welch").tiers for each in (untold, later))
    keys = ["tier", "arm", "n", "control_n"]
    assert plain[keys].equals(moved_up[keys])
    assert len(set(plain["tier"])) > 1


@pytest.mark.fault(108)
@pytest.mark.parametrize(("experiment", "shared"), [("chats_of_one", 0), ("chats_of_two", 100)])
def test_groups_with_both_arms_are_called_out(study: tk.Study, experiment: str, shared: int) -> None:
    found = check(evaluated(study, experiment), "shared_clusters")
    assert (found.status, found.count) == ("failed" if shared else "passed", shared)

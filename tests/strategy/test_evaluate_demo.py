"""The demo's experiment beside its truth, and beside the plan that was written before it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pandas as pd
import pytest

import toolkit as tk
from tests.builders.trials import check
from toolkit.data.synthetic import course_seller
from toolkit.errors import StudyFileError

if TYPE_CHECKING:
    from pathlib import Path

    from toolkit.strategy.evaluation import Evaluation
    from toolkit.strategy.plan import Plan

    Demo = tuple[tk.Study, tk.Experiment, Evaluation]

pytestmark = pytest.mark.xdist_group("demo-experiment")


@pytest.fixture(scope="module")
def demo() -> Demo:
    study = tk.Study.demo()
    spec = tk.Experiment.open(study.experiments[0])
    return study, spec, tk.evaluate(study, spec, as_of="2026-10-31")


@pytest.fixture(scope="module")
def plan(demo: Demo) -> Plan:
    study, spec, _ = demo
    return tk.plan_experiment(study, spec, simulations=100)


def test_the_demos_intervals_hold_the_truth(demo: Demo) -> None:
    result = demo[2]
    truth = course_seller(customers=5_000, seed=7).effects.set_index("tier")
    weight = (truth["cashback_units"] + truth["control_units"]) / result.units
    assert result.tier_order == ("none", "lead_in", "entry", "premium")
    for metric, column, unit in (("completed", "effect_points", 100), ("lessons", "effect_lessons", 1)):
        tiers = result.tiers[result.tiers["metric"] == metric].set_index("tier")
        assert (tiers["n"] == truth["cashback_units"]).all()
        known = tiers[tiers["status"] != "too_few"]
        assert len(known) >= 3
        true = truth[column] / unit
        assert ((known["lower"] <= true[known.index]) & (true[known.index] <= known["upper"])).all()
        overall = result.overall.set_index("metric").loc[metric]
        whole = float((weight * true)[known.index].sum() / weight[known.index].sum())
        assert overall["lower"] <= whole <= overall["upper"]


def test_the_demo_says_what_is_known_and_what_is_not(demo: Demo, plan: Plan) -> None:
    """The plan gave the tiers none and premium no power: nothing is known of them, whatever is true."""
    study, spec, result = demo
    told = tk.evaluate(study, spec, as_of="2026-10-31", plan=plan)
    pd.testing.assert_frame_equal(told.tiers, result.tiers)
    weak = plan.tiers.index[plan.tiers["learn"] == "no"].tolist()
    assert {"none", "premium"} <= set(weak)
    status = told.tiers[told.tiers["metric"] == "completed"].set_index("tier")["status"]
    assert status[["lead_in", "entry"]].tolist() == ["better", "better"]
    assert set(status[["none", "premium"]]) <= {"not_known", "too_few"}
    (said,) = (finding.text for finding in told.verdict if finding.code == "tiers" and "Not known" in finding.text)
    assert said.count("so this says nothing either way") == 2
    assert "premium (" in said
    assert "none (" in said
    assert len(told.verdict) <= 8


def test_the_plan_beside_the_experiments_file_is_read_by_itself(demo: Demo, tmp_path: Path) -> None:
    study, spec, result = demo
    assert check(result, "plan_matches").status == "passed"
    file = tmp_path / "coupon.yaml"
    text = study.experiments[0].read_text("utf-8")
    file.write_text(text, encoding="utf-8")
    alone = tk.Experiment.open(file)
    assert alone.sha256 == spec.sha256
    assert alone.plan_path == tmp_path / "coupon.plan.yaml"
    unplanned = tk.evaluate(study, alone, test="welch")
    assert check(unplanned, "no_plan").status == "informational"
    (tmp_path / "coupon.plan.yaml").write_text("tiers: []\n", encoding="utf-8")
    with pytest.raises(StudyFileError, match=r"coupon\.plan\.yaml"):
        tk.evaluate(study, alone)


def test_an_experiment_that_was_changed_after_its_plan_is_called_out(demo: Demo, plan: Plan) -> None:
    study, spec, _ = demo
    first = spec.assigned.first
    cases = {
        "plan_matches": ("passed", spec, (first - timedelta(days=1)).isoformat()),
        "plan_changed": ("failed", spec.model_copy(update={"smallest_effect": 0.01}), plan.as_of),
        "plan_late": ("failed", spec, first.isoformat()),
    }
    for code, (status, promise, day) in cases.items():
        found = tk.evaluate(study, promise, plan=replace(plan, as_of=day), test="welch")
        assert check(found, code).status == status


def test_the_last_closing_day_is_the_default(demo: Demo) -> None:
    study, spec, result = demo
    early = tk.evaluate(study, spec, test="welch")
    assert (early.as_of, early.withheld) == ("2026-09-26", ())
    assert early.units == result.units
    assert (early.experiment, early.question) == ("checkin_cashback", spec.question)
    assert early.verdict[-1].figures["window_days"] == 28

"""Known effects that differ by tier: intervals hold them 95 % of the time, overall, by tier, and relative ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.gates.gates import Columns, biased, dealt, effects, naive, of, off, passed, simulated

if TYPE_CHECKING:
    import pandas as pd

pytestmark = pytest.mark.xdist_group("gates-coverage")
TIERS = {"new": 500, "growing": 900, "regular": 600}
LEVEL = {"new": 4.0, "growing": 6.0, "regular": 9.0}
EFFECT = {"new": 0.6, "growing": 0.2, "regular": -0.3}
RATE = {"new": 0.2, "growing": 0.35, "regular": 0.5}
RAISED = {"new": 0.1, "growing": 0.03, "regular": 0.0}
METRICS = {"normal": "mean", "lognormal": "mean", "visit": "proportion"}


def truth(metric: str, of_tier: dict[str, float], of_visits: dict[str, float]) -> dict[str, float]:
    """Return a true number by tier and overall, where tiers are weighted by their units."""
    true = of_visits if metric == "visit" else of_tier
    return true | {"all": sum(n * true[tier] for tier, n in TIERS.items()) / sum(TIERS.values())}


def lifted(seed: int) -> Columns:
    rng = np.random.default_rng(seed)
    units = dealt(rng, TIERS, {"new": 250, "growing": 300, "regular": 150})
    n, treated = len(units), (units["arm"] == "coupon").to_numpy()
    level, lift, rate, raised = (units["tier"].map(made).to_numpy() for made in (LEVEL, EFFECT, RATE, RAISED))
    units["normal"] = level + treated * lift + rng.normal(0, 1 + treated, n)
    # mean 1 and skewness 6.2 before it is scaled; an effect is a shift
    units["lognormal"] = level * rng.lognormal(-0.5, 1, n) + treated * lift
    units["visit"] = (rng.random(n) < rate + treated * raised).astype(float)
    wanted = ["lift", "lower", "upper", "relative_lift", "relative_lower", "relative_upper", "test"]
    found = effects(units, METRICS, seed, wanted)
    regular = (units["tier"] == "regular").to_numpy()
    student = naive((units["normal"] - treated * lift)[regular], treated[regular], pooled=True)
    return found | {"by_student": np.full(len(found["metric"]), student)}


@pytest.fixture(scope="module")
def runs() -> pd.DataFrame:
    return simulated(lifted)


@pytest.mark.parametrize("metric", METRICS)
def test_intervals_hold_the_truth(runs: pd.DataFrame, metric: str) -> None:
    faults = []
    for tier, true in truth(metric, EFFECT, RAISED).items():
        mine = of(runs, metric, tier)
        faults += off((mine["lower"] <= true) & (true <= mine["upper"]), 0.95, (metric, tier))
        faults += biased(mine["lift"] - true, (metric, tier))
    passed(faults)


@pytest.mark.parametrize("metric", METRICS)
def test_relative_intervals_hold_the_truth(runs: pd.DataFrame, metric: str) -> None:
    base, faults = truth(metric, LEVEL, RATE), []
    for tier, lift in truth(metric, EFFECT, RAISED).items():
        mine, true = of(runs, metric, tier), lift / base[tier]
        assert mine["relative_lower"].notna().all()
        faults += off((mine["relative_lower"] <= true) & (true <= mine["relative_upper"]), 0.95, (metric, tier))
    passed(faults)


@pytest.mark.fault(101)
def test_both_tests_were_at_work_and_students_would_have_been_wrong(runs: pd.DataFrame) -> None:
    """Of the regular a quarter are treated and vary twice as much: Student's test pools the spread."""
    chosen = runs[runs["tier"] == "all"].groupby("metric")["test"].unique()
    assert {metric: tests.tolist() for metric, tests in chosen.items()} == {
        "normal": ["welch"], "visit": ["welch"], "lognormal": ["randomisation"],
    }  # fmt: skip
    assert of(runs, "normal")["by_student"].mean() > 0.1

"""Known effects that differ by tier: intervals hold them 95 % of the time, overall, by tier, and relative ones."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.gates.gates import dealt, holds, kept, looked, of, simulated, unbiased

TIERS = {"new": 500, "growing": 900, "regular": 600}
LEVEL = {"new": 4.0, "growing": 6.0, "regular": 9.0}
EFFECT = {"new": 0.6, "growing": 0.2, "regular": -0.3}
RATE = {"new": 0.2, "growing": 0.35, "regular": 0.5}
RAISED = {"new": 0.1, "growing": 0.03, "regular": 0.0}
METRICS = {"normal": "mean", "lognormal": "mean", "visit": "proportion"}
WEIGHT = {tier: n / sum(TIERS.values()) for tier, n in TIERS.items()}


def truths() -> pd.DataFrame:
    """Return true lift and value of control by metric and tier; the overall one weighs tiers by their units."""
    rows: list[tuple[str, str, float, float]] = []
    for metric in METRICS:
        lift, level = (RAISED, RATE) if metric == "visit" else (EFFECT, LEVEL)
        rows += [(metric, tier, lift[tier], level[tier]) for tier in TIERS]
        rows.append((metric, "all", sum(WEIGHT[t] * lift[t] for t in TIERS), sum(WEIGHT[t] * level[t] for t in TIERS)))
    return pd.DataFrame(rows, columns=["metric", "tier", "true", "true_control"])


def effects(seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    units = dealt(rng, TIERS, {"new": 250, "growing": 300, "regular": 150})
    n, treated = len(units), (units["arm"] == "coupon").to_numpy()
    level, lift, rate, raised = (units["tier"].map(made).to_numpy() for made in (LEVEL, EFFECT, RATE, RAISED))
    units["normal"] = level + treated * lift + rng.normal(0, 1 + treated, n)
    # mean 1 and skewness 6.2 before it is scaled; an effect is a shift
    units["lognormal"] = level * rng.lognormal(-0.5, 1, n) + treated * lift
    units["visit"] = (rng.random(n) < rate + treated * raised).astype(float)
    found = looked(units, METRICS, seed)
    return kept(found, ["lift", "lower", "upper", "relative_lift", "relative_lower", "relative_upper", "test"])


@pytest.fixture(scope="module")
def runs() -> pd.DataFrame:
    return simulated(effects).merge(truths(), on=["metric", "tier"], validate="many_to_one")


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("tier", ["all", *TIERS])
def test_intervals_hold_the_truth(runs: pd.DataFrame, metric: str, tier: str) -> None:
    mine = of(runs, metric, tier)
    holds((mine["lower"] <= mine["true"]) & (mine["true"] <= mine["upper"]), 0.95, (metric, tier))
    unbiased(mine["lift"] - mine["true"], (metric, tier))


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("tier", ["all", *TIERS])
def test_relative_intervals_hold_the_truth(runs: pd.DataFrame, metric: str, tier: str) -> None:
    mine = of(runs, metric, tier)
    assert mine["relative_lower"].notna().all()
    true = mine["true"] / mine["true_control"]
    holds((mine["relative_lower"] <= true) & (true <= mine["relative_upper"]), 0.95, (metric, tier))


def test_both_tests_were_at_work(runs: pd.DataFrame) -> None:
    chosen = runs[runs["tier"] == "all"].groupby("metric")["test"].unique()
    assert chosen["normal"].tolist() == ["welch"]
    assert chosen["visit"].tolist() == ["welch"]
    assert chosen["lognormal"].tolist() == ["randomisation"]

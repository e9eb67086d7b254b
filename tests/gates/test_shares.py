"""Arms with other shares in each tier: the weighted overall holds the truth where the pooled difference does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.gates.gates import WIDE, Columns, biased, dealt, effects, of, off, passed, simulated

if TYPE_CHECKING:
    import pandas as pd

pytestmark = pytest.mark.xdist_group("gates-shares")
TIERS = {"new": 600, "growing": 400, "vip": 500}
SHARE = {"new": 0.2, "growing": 0.5, "vip": 0.7}
LEVEL = {"new": 4.0, "growing": 7.0, "vip": 15.0}
EFFECT = {"new": 0.5, "growing": 0.0, "vip": -0.5}
STAYS = {"new": 0.3, "growing": 0.4, "vip": 0.6}
RAISED = {"new": 0.08, "growing": 0.0, "vip": -0.04}
METRICS = {"spend": "mean", "basket": ("paid", "orders"), "stays": "retention"}
UNITS = sum(TIERS.values())


def true_lift(metric: str, tier: str) -> float:
    """Return the effect in a tier, or overall: weighed by the units of the tiers, both arms together."""
    true = RAISED if metric == "stays" else EFFECT
    return true[tier] if tier != "all" else sum(n / UNITS * true[name] for name, n in TIERS.items())


def uneven(seed: int) -> Columns:
    rng = np.random.default_rng(seed)
    units = dealt(rng, TIERS, {tier: round(n * SHARE[tier]) for tier, n in TIERS.items()})
    n, treated = len(units), (units["arm"] == "coupon").to_numpy()
    level, lift, stays, raised = (units["tier"].map(made).to_numpy() for made in (LEVEL, EFFECT, STAYS, RAISED))
    units["spend"] = level + treated * lift + rng.normal(0, 2, n)
    # who buys often buys for less: the mean of a customer's baskets would be another number
    units["orders"] = rng.poisson(2, n) + 1.0
    units["paid"] = units["orders"] * (level + treated * lift) + rng.normal(0, 3, n) * units["orders"]
    units["stays"] = (rng.random(n) < stays + treated * raised).astype(float)
    plan = {tier: {"coupon": share, "none": 1 - share} for tier, share in SHARE.items()}
    found = effects(units, METRICS, seed, ["lift", "lower", "upper", "p_value"], shares=plan)
    means = units.groupby("arm")[["spend", "paid", "orders", "stays"]].mean()
    means["basket"] = means["paid"] / means["orders"]
    pooled = {metric: means[metric]["coupon"] - means[metric]["none"] for metric in METRICS}
    return found | {"pooled": np.array([pooled[metric] for metric in found["metric"]])}


@pytest.fixture(scope="module")
def runs() -> pd.DataFrame:
    return simulated(uneven)


@pytest.mark.parametrize("metric", METRICS)
def test_the_weighted_effect_is_right(runs: pd.DataFrame, metric: str) -> None:
    """And no effect, in the tier growing, is said to be one as often as promised."""
    faults = off(of(runs, metric, "growing")["p_value"] < 0.05, 0.05, metric)
    for tier in ("all", *TIERS):
        mine, true = of(runs, metric, tier), true_lift(metric, tier)
        faults += biased(mine["lift"] - true, (metric, tier))
        faults += off((mine["lower"] <= true) & (true <= mine["upper"]), 0.95, (metric, tier))
    passed(faults)


@pytest.mark.parametrize("metric", METRICS)
def test_the_pooled_difference_is_not(runs: pd.DataFrame, metric: str) -> None:
    """Treated units are mostly vip, who spend more anyway."""
    wrong = of(runs, metric)["pooled"] - true_lift(metric, "all")
    assert wrong.mean() / (wrong.std() / np.sqrt(len(wrong))) > 3 * WIDE

"""Real effects: they are found as often as the formula says, and a covariate takes noise out and nothing else."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.gates.gates import dealt, holds, kept, looked, of, simulated, unbiased
from toolkit.strategy.power import mde, power

TIERS = {"new": 400, "growing": 240, "regular": 200, "vip": 120}
"""Of these the power of the test of shares, counted out over all pairs of counts, is .795 to .808 where the formula has
.8; of 80 units in an arm at a rate of .3 it is .785, because shares are discrete."""
UNITS = sum(TIERS.values())
SD, RHO = 4.0, 0.7
LEVEL = {"new": 5.0, "growing": 9.0, "regular": 12.0, "vip": 30.0}
RATE = {"new": 0.3, "growing": 0.5, "regular": 0.4, "vip": 0.35}
METRICS = {"plain": "mean", "adjusted": "mean", "visit": "proportion"}
EFFECT = float(mde(0.8, treated=UNITS / 2, control=UNITS / 2, sd=SD))
"""Found overall four times in five, without the covariate."""
RAISED = {tier: float(mde(0.8, treated=n / 2, control=n / 2, rate=RATE[tier])) for tier, n in TIERS.items()}
"""Found in its own tier four times in five."""


def effects(seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    units = dealt(rng, TIERS, {tier: n // 2 for tier, n in TIERS.items()})
    n, treated = len(units), (units["arm"] == "coupon").to_numpy()
    level, rate, raised = (units["tier"].map(made).to_numpy() for made in (LEVEL, RATE, RAISED))
    known = rng.standard_normal(n)
    units["before"] = 2 * level + known
    units["plain"] = level + SD * (RHO * known + np.sqrt(1 - RHO**2) * rng.standard_normal(n)) + EFFECT * treated
    units["adjusted"] = units["plain"]
    units["visit"] = (rng.random(n) < rate + raised * treated).astype(float)
    found = looked(units, METRICS, seed, covariates={"adjusted": "before"})
    return kept(found, ["lift", "p_value", "variance_ratio", "test"])


@pytest.fixture(scope="module")
def runs() -> pd.DataFrame:
    return simulated(effects)


def test_effects_are_found_as_often_as_the_formula_says(runs: pd.DataFrame) -> None:
    assert (runs.loc[runs["tier"] == "all", "test"] == "welch").all()
    holds(of(runs, "plain")["p_value"] < 0.05, 0.8, "plain")
    promised = power(EFFECT, treated=UNITS / 2, control=UNITS / 2, sd=SD, factor=1 - RHO**2)
    holds(of(runs, "adjusted")["p_value"] < 0.05, float(promised), "with a covariate")


@pytest.mark.parametrize("tier", TIERS)
def test_and_in_each_tier(runs: pd.DataFrame, tier: str) -> None:
    holds(of(runs, "visit", tier)["p_value"] < 0.05, 0.8, tier)
    for metric, factor in (("plain", 1.0), ("adjusted", 1 - RHO**2)):
        promised = power(EFFECT, treated=TIERS[tier] / 2, control=TIERS[tier] / 2, sd=SD, factor=factor)
        holds(of(runs, metric, tier)["p_value"] < 0.05, float(promised), (metric, tier))


def test_a_covariate_cuts_the_variance_by_rho_squared(runs: pd.DataFrame) -> None:
    """Of the scatter of the lifts themselves over the runs, all tiers together, and of what the tool says of it."""
    wide = runs[runs["tier"] != "all"].pivot_table(index="run", columns=["metric", "tier"], values="lift")
    size = pd.Series(TIERS)
    scatter = {metric: float((wide[metric].var() * size).mean()) for metric in ("plain", "adjusted")}
    assert abs(1 - scatter["adjusted"] / scatter["plain"] - RHO**2) < 0.03
    said = runs[runs["metric"] == "adjusted"].groupby("tier")["variance_ratio"].mean()
    assert set(said.index) == {"all", *TIERS}
    assert (np.abs(1 - said - RHO**2) < 0.03).all()


def test_and_does_not_move_the_estimate(runs: pd.DataFrame) -> None:
    for (metric, tier), rows in runs[runs["metric"] != "visit"].groupby(["metric", "tier"]):
        unbiased(rows["lift"] - EFFECT, (metric, tier))

"""No effect at all: 5 % of tests say otherwise, overall and in each tier, by the test that the tool chose."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.gates.gates import dealt, holds, kept, looked, of, simulated, spend

if TYPE_CHECKING:
    import pandas as pd

TIERS = {"new": 500, "regular": 600, "vip": 500}
METRICS = {"normal": "mean", "lognormal": "mean", "spend": "mean"}


def nothing(seed: int, share: float) -> pd.DataFrame:
    """Make three metrics without an effect: levels and spreads differ by tier."""
    rng = np.random.default_rng(seed)
    units = dealt(rng, TIERS, {tier: round(n * share) for tier, n in TIERS.items()})
    level = units["tier"].map({"new": 0.5, "regular": 1.5, "vip": 3.0}).to_numpy()
    n = len(units)
    units["normal"] = level * (10 + rng.standard_normal(n))
    units["lognormal"] = level * rng.lognormal(0, 1, n)
    units["spend"] = level * spend(rng, n)
    found = looked(units, METRICS, seed, shares={"coupon": share, "none": 1 - share})
    return kept(found, ["p_value", "lower", "upper", "test"])


@pytest.fixture(scope="module", params=[0.5, 0.05], ids=["1:1", "5:95"])
def share(request: pytest.FixtureRequest) -> float:
    return float(request.param)


@pytest.fixture(scope="module")
def runs(share: float) -> pd.DataFrame:
    return simulated(lambda seed: nothing(seed, share))


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("tier", ["all", *TIERS])
def test_false_alarms_come_as_often_as_promised(runs: pd.DataFrame, share: float, metric: str, tier: str) -> None:
    """But for buyers among the 25 to 30 treated of a tier: in a quarter of all deals there is none.

    These deals tie, and a randomisation test counts every tie: it cannot find that spend fell, and gives fewer false
    alarms than promised.
    """
    mine = of(runs, metric, tier)
    tied = share < 0.5 and metric == "spend" and tier != "all"
    assert mine["p_value"].notna().all()
    holds(mine["p_value"] < 0.05, 0.05, (metric, tier), side="at most" if tied else "both")


@pytest.mark.parametrize(
    ("metric", "test"), [("normal", "welch"), ("lognormal", "randomisation"), ("spend", "randomisation")]
)
def test_the_rule_chooses_the_test(runs: pd.DataFrame, metric: str, test: str) -> None:
    """A sample from the normal distribution is skewed enough for the other one once in some thousand times."""
    assert (of(runs, metric)["test"] == test).mean() > 0.99


def test_the_interval_is_that_of_the_test(runs: pd.DataFrame) -> None:
    assert ((runs["p_value"] < 0.05) == ((runs["lower"] > 0) | (runs["upper"] < 0))).all()

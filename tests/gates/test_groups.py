"""Whole groups assigned: nominal by group, whether few or many, where an analysis by customer cries wolf."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.gates.gates import Columns, effects, naive, of, off, passed, simulated

METRICS = {"spend": "mean", "visit": "proportion"}


def shops(seed: int, groups: int) -> Columns:
    """Make shops of 4 to 24 customers in two tiers who share the shop's level, a quarter of the spread."""
    rng = np.random.default_rng(seed)
    size = rng.integers(4, 25, groups)
    treated = rng.permutation(np.arange(groups) < groups // 2)
    shop = np.repeat(np.arange(groups), size)
    n = len(shop)
    level = rng.standard_normal(groups)[shop]
    units = pd.DataFrame({"shop": shop, "arm": np.where(treated, "coupon", "none")[shop]})
    units["tier"] = np.where(rng.random(n) < 0.4, "vip", "new")
    units["spend"] = 10 + level + rng.normal(0, np.sqrt(3), n) + 2 * (units["tier"] == "vip")
    units["visit"] = (rng.normal(0, np.sqrt(3), n) + level > 0).astype(float)
    found = effects(units, METRICS, seed, ["p_value", "test"], cluster="shop")
    by_customer = {metric: naive(units[metric], units["arm"] == "coupon") for metric in METRICS}
    return found | {"by_customer": np.array([by_customer[metric] for metric in found["metric"]])}


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(30, id="few", marks=pytest.mark.xdist_group("gates-few-groups")),
        pytest.param(120, id="many", marks=pytest.mark.xdist_group("gates-many-groups")),
    ],
)
def runs(request: pytest.FixtureRequest) -> tuple[int, pd.DataFrame]:
    return request.param, simulated(lambda seed: shops(seed, request.param))


@pytest.mark.parametrize("metric", METRICS)
def test_by_group_nominal_and_by_customer_not(runs: tuple[int, pd.DataFrame], metric: str) -> None:
    groups, found = runs
    faults = []
    for tier in ("all", "vip", "new"):
        mine = of(found, metric, tier)
        anew = (mine["test"] == "randomisation").mean()
        # the sample of 60 groups in an arm is skewed enough for it by chance now and then
        assert anew == 1 if groups < 100 else anew < 0.5
        faults += off(mine["p_value"] < 0.05, 0.05, (metric, tier))
    passed(faults)
    assert of(found, metric)["by_customer"].mean() >= 0.2

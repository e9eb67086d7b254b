"""Few units: estimates of tiers with too few are withheld, and what is shown keeps its level."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.gates.gates import Columns, dealt, effects, naive, of, off, passed, simulated

if TYPE_CHECKING:
    import pandas as pd

pytestmark = pytest.mark.xdist_group("gates-small")
TIERS = {"tiny": 10, "small": 40, "fair": 100}
METRICS = {"normal": "mean", "lognormal": "mean", "basket": ("paid", "orders"), "visit": "proportion"}


def few(seed: int) -> Columns:
    """Make no effect in tiers with 5, 20 and 50 units in an arm."""
    rng = np.random.default_rng(seed)
    units = dealt(rng, TIERS, {tier: n // 2 for tier, n in TIERS.items()})
    n = len(units)
    units["normal"] = rng.standard_normal(n)
    units["lognormal"] = rng.lognormal(0, 1, n)
    units["orders"] = rng.geometric(0.4, n).astype(float)
    units["paid"] = units["orders"] * rng.lognormal(0, 1, n)
    units["visit"] = (rng.random(n) < 0.4).astype(float)
    found = effects(units, METRICS, seed, ["lift", "lower", "p_value", "test", "status", "why"])
    orders = units.loc[units.index.repeat(units["orders"].astype(int))]
    by_order = naive(orders["paid"] / orders["orders"], orders["arm"] == "coupon")
    return found | {"by_order": np.full(len(found["metric"]), by_order)}


@pytest.fixture(scope="module")
def runs() -> pd.DataFrame:
    return simulated(few)


@pytest.mark.fault(94)
def test_estimates_of_a_tiny_tier_are_withheld(runs: pd.DataFrame) -> None:
    """Five units cannot make a mean, nor five events and five non-events in an arm: but for all or none of them."""
    mine = runs[runs["tier"] == "tiny"]
    assert mine[["lift", "lower", "p_value"]].isna().all(axis=None)
    assert (mine["status"] == "too_few").all()
    assert (mine["why"] != "").all()


@pytest.mark.parametrize("metric", ["normal", "lognormal", "basket"])
def test_what_is_shown_keeps_its_level(runs: pd.DataFrame, metric: str) -> None:
    faults = []
    for tier in ("all", "small", "fair"):
        mine = of(runs, metric, tier)
        assert mine["p_value"].notna().all()
        faults += off(mine["p_value"] < 0.05, 0.05, (metric, tier))
    passed(faults)


@pytest.mark.fault(98)
def test_orders_as_units_do_not(runs: pd.DataFrame) -> None:
    """Whoever orders often pays the same every time: orders are no independent rows."""
    assert of(runs, "basket")["by_order"].mean() > 0.2


def test_a_proportion_keeps_it_where_it_is_shown(runs: pd.DataFrame) -> None:
    """Of 20 units with 5 events and 5 non-events in each arm the shares are never far apart.

    And of 50 the rule deals anew in half of the runs, where ties of shares all count: fewer alarms than promised
    (10,000 runs: .015 and .040).
    """
    faults = []
    for tier, side in (("all", "both"), ("small", "at most"), ("fair", "at most")):
        mine = of(runs, "visit", tier)["p_value"]
        assert mine.notna().mean() > 0.7
        faults += off(mine.dropna() < 0.05, 0.05, tier, side=side)
    passed(faults)


def test_heavy_tails_are_dealt_anew_and_light_ones_are_not(runs: pd.DataFrame) -> None:
    chosen = runs[runs["tier"] == "fair"].groupby("metric")["test"].agg(lambda test: (test == "randomisation").mean())
    assert chosen["lognormal"] > 0.99
    assert chosen["normal"] < 0.25

"""Many tiers and metrics without an effect, and broken or fair sample ratios: false alarms of whole families."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.gates.gates import RUNS, dealt, evaluated, off, passed
from toolkit.strategy.sample_ratio import sample_ratio

pytestmark = pytest.mark.xdist_group("gates-families")
TIERS = dict.fromkeys("abcde", 80)
METRICS = dict.fromkeys(("primary", "one", "two", "three", "four"), "mean")


def family(seed: int) -> dict[str, bool]:
    """Say in which families of five tiers (by four secondary metrics) anything came out, in one experiment."""
    rng = np.random.default_rng(seed)
    units = dealt(rng, TIERS, dict.fromkeys(TIERS, 40))
    for metric in METRICS:
        units[metric] = rng.standard_normal(len(units))
    found = evaluated(units, METRICS, seed)
    tiers, overall, interaction = found.tiers, found.overall, found.interaction
    first = (tiers["metric"] == "primary").to_numpy()
    return {
        "holm": tiers["status"][first].isin(["better", "worse"]).any(),
        "unadjusted": (tiers["p_value"][~first] < 0.05).any(),
        "tiers": (tiers["p_adjusted"][~first] < 0.05).any(),
        "overall": (overall["p_adjusted"][overall["metric"] != "primary"] < 0.05).any(),
        "interaction": interaction["p_value"].iloc[0] < 0.05,
    }


@pytest.fixture(scope="module")
def families() -> pd.DataFrame:
    return pd.DataFrame([family(seed) for seed in range(RUNS)])


@pytest.mark.fault(105)
def test_holm_keeps_the_family_of_tier_contrasts(families: pd.DataFrame) -> None:
    passed(off(families["holm"], 0.05, "holm", side="at most"))


@pytest.mark.fault(105)
def test_false_discovery_families_hold_where_single_tests_do_not(families: pd.DataFrame) -> None:
    """Twenty tests at 5 % find something in 1 - .95^20 = 64 % of experiments without any effect."""
    assert families["unadjusted"].mean() > 0.5
    passed(off(families["tiers"], 0.05, "five tiers by four metrics"), off(families["overall"], 0.05, "four metrics"))


def test_the_interaction_test_is_nominal(families: pd.DataFrame) -> None:
    passed(off(families["interaction"], 0.05, "interaction"))


def status(*scopes: tuple[str, int, np.ndarray]) -> str:
    """Return the status of treated units by value, of so many each, where half and half was planned."""
    parts = [
        pd.DataFrame(
            {"scope": scope, "value": np.arange(len(coupon)).astype(str), "arm": arm, "n": n, "expected": units / 2}
        )
        for scope, units, coupon in scopes
        for arm, n in (("none", units - coupon), ("coupon", coupon))
    ]
    return sample_ratio(pd.concat(parts)).status


def fair(seed: int) -> str:
    """Return the status of a true 1:1 split, seen overall, by seven days and by three sources."""
    coupon = np.random.default_rng(seed).binomial(100, 0.5, (7, 3))
    return status(
        ("overall", 2_100, coupon.sum(keepdims=True)[0]), ("day", 300, coupon.sum(1)), ("source", 700, coupon.sum(0))
    )


@pytest.mark.fault(95)
def test_a_fair_split_is_red_as_seldom_as_promised() -> None:
    found = np.array([fair(seed) for seed in range(RUNS)])
    passed(off(found == "red", 0.001, "red", side="at most"), off(found != "green", 0.01, "red or amber"))


@pytest.mark.fault(95)
def test_a_split_of_51_to_49_is_red() -> None:
    coupon = [np.random.default_rng(seed).binomial(100_000, 0.51, 1) for seed in range(RUNS)]
    red = [status(("overall", 100_000, each)) == "red" for each in coupon]
    passed(off(red, 0.95, "red", side="at least"))

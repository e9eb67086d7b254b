"""Many tiers and metrics without an effect, and broken or fair sample ratios: false alarms of whole families."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.gates.gates import RUNS, dealt, holds, looked
from toolkit import evaluate_units

TIERS = dict.fromkeys("abcde", 80)
METRICS = dict.fromkeys(("primary", "one", "two", "three", "four"), "mean")


def family(seed: int) -> dict[str, bool]:
    """Say in which families of five tiers (by four secondary metrics) anything came out, in one experiment."""
    rng = np.random.default_rng(seed)
    units = dealt(rng, TIERS, dict.fromkeys(TIERS, 40))
    for metric in METRICS:
        units[metric] = rng.standard_normal(len(units))
    found = looked(units, METRICS, seed)
    tiers, overall = found.tiers, found.overall
    first = tiers["metric"] == "primary"
    return {
        "holm": bool((tiers.loc[first, "p_adjusted"] < 0.05).any()),
        "unadjusted": bool((tiers.loc[~first, "p_value"] < 0.05).any()),
        "tiers": bool((tiers.loc[~first, "p_adjusted"] < 0.05).any()),
        "overall": bool((overall.loc[overall["metric"] != "primary", "p_adjusted"] < 0.05).any()),
        "interaction": bool((found.interaction.loc[found.interaction["metric"] == "primary", "p_value"] < 0.05).all()),
    }


@pytest.fixture(scope="module")
def families() -> pd.DataFrame:
    return pd.DataFrame([family(seed) for seed in range(RUNS)])


def test_holm_keeps_the_family_of_tier_contrasts(families: pd.DataFrame) -> None:
    holds(families["holm"], 0.05, "holm", side="at most")


def test_false_discovery_families_hold_where_single_tests_do_not(families: pd.DataFrame) -> None:
    """Twenty tests at 5 % find something in 1 - .95^20 = 64 % of experiments without any effect (FAULTS 105)."""
    assert families["unadjusted"].mean() > 0.5
    holds(families["tiers"], 0.05, "five tiers by four metrics")
    holds(families["overall"], 0.05, "four metrics")


def test_the_interaction_test_is_nominal(families: pd.DataFrame) -> None:
    holds(families["interaction"], 0.05, "interaction")


def ratio(seed: int, units: int, treated: float) -> str:
    """Return the status of the sample ratio of units that come to the arms by chance."""
    rng = np.random.default_rng(seed)
    coupon = int(rng.binomial(units, treated))
    codes = np.zeros(units, dtype=np.int8)
    codes[:coupon] = 1
    frame = pd.DataFrame({"arm": np.array(["none", "coupon"], dtype=object)[codes], "visit": codes})
    metrics = {"visit": "mean"}
    return evaluate_units(frame, arm="arm", control="none", metrics=metrics, test="welch").sample_ratio_status  # type: ignore[arg-type]  # mypy takes "mean" for str


def test_a_fair_split_is_red_as_often_as_promised() -> None:
    status = np.array([ratio(seed, 2_000, 0.5) for seed in range(RUNS)])
    holds(status == "red", 0.001, "red")
    holds(status != "green", 0.01, "red or amber")


def test_a_split_of_51_to_49_is_seen() -> None:
    status = np.array([ratio(seed, 100_000, 0.51) for seed in range(RUNS)])
    holds(status != "green", 0.95, "alarm", side="at least")

"""Whole groups dealt anew, and that the evaluation divides by the standard error that deals have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from tests.builders.deals import ONE, alone, as_often, every_deal
from toolkit import evaluate_units
from toolkit.errors import ArgumentError
from toolkit.strategy.rerandomise import equal_tailed, rerandomise
from toolkit.strategy.rerandomise_groups import rerandomise_groups

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


def grouped(values: Floats, sizes: Floats, treated: NDArray[np.bool_], weights: Floats) -> Floats:
    """Return the statistics per tier and, last, the overall one by the definition, group by group."""
    difference, u = np.zeros(len(weights)), np.zeros_like(values)
    for arm, sign in ((treated, 1), (~treated, -1)):
        r = values[arm].sum(axis=0) / sizes[arm].sum(axis=0)
        difference += sign * r
        u[arm] = (values[arm] - r * sizes[arm]) / sizes[arm].mean(axis=0)
        u[arm] /= np.sqrt(arm.sum() * (arm.sum() - 1))
    overall = weights @ difference / np.sqrt(((u @ weights) ** 2).sum())
    return np.append(difference / np.sqrt((u**2).sum(axis=0)), overall)


def test_groups_are_dealt_whole() -> None:
    """Every deal of 9 groups with customers in two tiers, against the definition."""
    rng = np.random.default_rng(17)
    sizes = rng.integers(1, 9, (9, 2)).astype(float)
    sizes[0, 1] = sizes[3, 0] = 0
    values = rng.poisson(2 * sizes).astype(float)
    weights, treated = np.array([0.6, 0.4]), np.arange(9) < 4
    possible = np.array([grouped(values, sizes, deal, weights) for deal in every_deal(9, 4)])
    dealt = rerandomise_groups(values, sizes, treated, alone(9), weights, draws=30_000, seed=18)
    for found, column in zip((*dealt.strata.T, dealt.overall), possible.T, strict=True):
        assert as_often(found, column.tolist()) > 0.001


def test_groups_are_dealt_within_strata() -> None:
    """Two of each four: 6 x 6 deals, and never four of one stratum."""
    values, sizes = (np.arange(8.0) ** 2)[:, None], np.full((8, 1), 3.0)
    strata, treated = np.repeat([0, 1], 4), np.arange(8) % 2 == 0
    deals = [np.r_[a, b] for a in every_deal(4, 2) for b in every_deal(4, 2)]
    dealt = rerandomise_groups(values, sizes, treated, strata, ONE, draws=20_000, seed=19)
    assert as_often(dealt.overall, [float(grouped(values, sizes, deal, ONE)[-1]) for deal in deals]) > 0.001


def test_groups_of_one_customer_are_customers() -> None:
    """The linearised variance of a mean over groups of one is Welch's."""
    values = np.random.default_rng(20).lognormal(size=60)
    treated = np.arange(60) < 20
    group = rerandomise_groups(values[:, None], np.ones((60, 1)), treated, alone(60), ONE, draws=5_000, seed=21)
    unit = rerandomise(values, treated, alone(60), ONE, draws=5_000, seed=22)
    assert stats.ks_2samp(group.overall, unit.overall).pvalue > 0.001


def test_a_tier_that_an_arm_lacks_in_a_draw_takes_no_part_in_it() -> None:
    """Tier 1 is in two groups only: dealt to one arm together, it has no difference; the overall stays."""
    values = np.c_[np.arange(10.0), [5.0, 3.0] + [0.0] * 8]
    sizes = np.c_[np.ones(10), [2.0, 2.0] + [0.0] * 8]
    dealt = rerandomise_groups(values, sizes, np.arange(10) % 2 == 0, alone(10), np.ones(2), draws=2_000, seed=23)
    missing = np.isnan(dealt.strata[:, 1])
    assert abs(missing.mean() - 4 / 9) < 0.05
    assert np.isfinite(dealt.overall).all()
    assert dealt.overall[missing] == pytest.approx(dealt.strata[missing, 0])


def test_one_group_in_an_arm_is_refused() -> None:
    with pytest.raises(ArgumentError, match="fewer than two groups"):
        rerandomise_groups(np.ones((4, 1)), np.ones((4, 1)), np.arange(4) < 1, alone(4), ONE, draws=5, seed=0)


@pytest.mark.parametrize(
    ("metric", "options"),
    [
        ("mean", {}),
        ("mean", {"covariates": {"y": "x"}}),
        ("mean", {"tier": "tier"}),
        (("y", "d"), {}),
        ("mean", {"cluster": "group"}),
        ("mean", {"cluster": "group", "tier": "tier"}),
        ("mean", {"cluster": "group", "covariates": {"y": "x"}}),
        (("y", "d"), {"cluster": "group"}),
    ],
)
def test_what_is_observed_is_one_of_the_deals(metric: Any, options: dict[str, Any]) -> None:
    """What the evaluation divides by its standard error is, to rounding, the very statistic that is drawn."""
    rng = np.random.default_rng(0)
    units = pd.DataFrame({"group": np.repeat(np.arange(20), 3), "tier": rng.integers(0, 2, 60).astype(str)})
    treated = rng.permutation(20)[units["group"]] < 9 if "cluster" in options else rng.permutation(60) < 24
    units["arm"] = np.where(treated, "coupon", "none")
    units["y"], units["x"], units["d"] = rng.integers(0, 2, 60), rng.integers(0, 2, 60), 1 + units["group"] % 2
    found = evaluate_units(
        units, arm="arm", control="none", metrics={"y": metric}, test="randomisation", draws=20_000, **options
    )
    row = found.overall.iloc[0]
    drawn = found.draws["statistic"].to_numpy()
    assert np.abs(drawn - row["lift"] / row["se"]).min() < 1e-12
    assert row["p_value"] == equal_tailed(row["lift"] / row["se"], drawn)

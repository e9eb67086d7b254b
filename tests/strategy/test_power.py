"""Power, smallest effects and sample sizes: by R, by the peers, by simulation, and what must hold of any."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from tests.builders.profiles import examples
from toolkit.errors import ArgumentError
from toolkit.strategy.bisection import smallest
from toolkit.strategy.grouping import design_effect, icc
from toolkit.strategy.power import cuped_sd, mde, power, power_at, standard_error, units_needed

ORACLES = Path(__file__).parents[1] / "oracles"


@pytest.fixture(scope="module")
def r() -> pd.DataFrame:
    return pd.read_csv(ORACLES / "power_r.csv")


@pytest.fixture(scope="module")
def peers() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((ORACLES / "power_peers.json").read_text("ascii"))
    return found


def test_power_is_that_of_r(r: pd.DataFrame) -> None:
    rows = r[r["what"] == "power"]
    found = power(rows["delta"], treated=rows["n"], control=rows["n"], sd=rows["sd"], alpha=rows["level"])
    np.testing.assert_allclose(found, rows["value"], rtol=1e-9)


def test_smallest_effects_are_those_of_r(r: pd.DataFrame) -> None:
    rows = r[r["what"] == "mde"]
    found = mde(0.8, treated=rows["n"], control=rows["n"], sd=rows["sd"], alpha=rows["level"])
    np.testing.assert_allclose(found, rows["value"], rtol=1e-8)


def test_sample_sizes_are_those_of_r_rounded_up(r: pd.DataFrame) -> None:
    rows = r[r["what"] == "n"]
    found = units_needed(rows["delta"], target=0.9, sd=rows["sd"], alpha=rows["level"])
    assert found.tolist() == np.ceil(2 * rows["value"]).tolist()


def test_power_is_that_of_the_peers(peers: list[dict[str, Any]]) -> None:
    for case in peers:
        effect, level, treated, control = (case[name] for name in ("effect", "alpha", "treated", "control"))
        welch = float(power(effect, treated=treated, control=control, sd=1.0, alpha=level))
        se, _ = standard_error(effect, treated=treated, control=control, sd=1.0)
        student = float(power_at(effect, se, treated + control - 2, level))
        for ours, theirs in ((welch, case["welch"]), (student, case["student"])):
            if theirs is None:  # peers have no number where scipy has none for the far tail
                assert ours > 0.999
            else:
                assert ours == pytest.approx(theirs, rel=1e-9), case
        # statsmodels leaves the far tail out of its z-test
        near = float(power_at(effect, se, np.inf, level))
        assert near == pytest.approx(case["normal"], abs=level / 2), case
        assert near >= case["normal"] - 1e-12


def test_a_share_is_judged_by_its_variance_under_the_alternative() -> None:
    se, df = standard_error(0.1, treated=200, control=100, rate=0.2)
    by_hand = 0.3 * 0.7 / 200, 0.2 * 0.8 / 100
    assert float(se) == pytest.approx(sum(by_hand) ** 0.5)
    assert float(df) == pytest.approx(sum(by_hand) ** 2 / (by_hand[0] ** 2 / 199 + by_hand[1] ** 2 / 99))
    # under the null both arms would have the rate of control
    assert float(se) > (0.2 * 0.8 * (1 / 200 + 1 / 100)) ** 0.5


@pytest.mark.parametrize(("rate", "effect", "treated", "control"), [(0.2, 0.08, 400, 400), (0.5, 0.1, 150, 600)])
def test_power_of_shares_is_what_welch_finds_in_simulations(
    rate: float, effect: float, treated: int, control: int
) -> None:
    runs, rng = 20_000, np.random.default_rng(0)
    p1, p0 = rng.binomial(treated, rate + effect, runs) / treated, rng.binomial(control, rate, runs) / control
    v1, v0 = p1 * (1 - p1) / (treated - 1), p0 * (1 - p0) / (control - 1)
    df = (v1 + v0) ** 2 / (v1**2 / (treated - 1) + v0**2 / (control - 1))
    hit = (np.abs(p1 - p0) > stats.t.isf(0.025, df) * np.sqrt(v1 + v0)).mean()
    said = float(power(effect, treated=treated, control=control, rate=rate))
    # 99.9 % binomial band of the runs, and a hundredth for what is discrete
    assert abs(hit - said) < 3.29 * (said * (1 - said) / runs) ** 0.5 + 0.01


def test_power_of_means_with_a_covariate_is_what_simulations_find() -> None:
    runs, n, rho, rng = 4_000, 60, 0.7, np.random.default_rng(0)
    x = rng.normal(size=(runs, 2 * n))
    y = rho * x + (1 - rho**2) ** 0.5 * rng.normal(size=x.shape)
    y[:, :n] += 0.4
    spread_x, spread_y = x - x.mean(axis=1, keepdims=True), y - y.mean(axis=1, keepdims=True)
    theta = (spread_x * spread_y).sum(axis=1) / (spread_x**2).sum(axis=1)
    left = y - theta[:, None] * spread_x
    p = stats.ttest_ind(left[:, :n], left[:, n:], axis=1, equal_var=False).pvalue
    said = float(power(0.4, treated=n, control=n, sd=1.0, factor=1 - rho**2))
    assert abs((p < 0.05).mean() - said) < 3.29 * (said * (1 - said) / runs) ** 0.5 + 0.01
    assert said > 1.3 * float(power(0.4, treated=n, control=n, sd=1.0))


@examples(dev=20, ci=100)
@given(
    treated=st.integers(2, 5_000),
    control=st.integers(2, 5_000),
    sd=st.floats(1e-3, 1e6),
    alpha=st.sampled_from([0.05, 0.01, 0.001]),
    target=st.sampled_from([0.5, 0.8, 0.95]),
)
def test_the_smallest_effect_has_the_promised_power(
    treated: int, control: int, sd: float, alpha: float, target: float
) -> None:
    found = mde(target, treated=treated, control=control, sd=sd, alpha=alpha)
    assert float(power(found, treated=treated, control=control, sd=sd, alpha=alpha)) == pytest.approx(target, abs=1e-6)
    assert float(mde(target, treated=treated, control=control, sd=3 * sd, alpha=alpha)) == pytest.approx(3 * found)
    more = mde(target, treated=2 * treated, control=2 * control, sd=sd, alpha=alpha)
    assert float(more) < float(found)


@examples(dev=20, ci=100)
@given(
    rate=st.floats(0.0, 0.95),
    effect=st.floats(0.01, 0.5),
    share=st.floats(0.05, 0.95),
    factor=st.floats(0.2, 5.0),
)
def test_the_units_needed_are_the_fewest(rate: float, effect: float, share: float, factor: float) -> None:
    parts = {"treated": share, "control": 1 - share, "rate": rate, "factor": factor}
    found = float(units_needed(effect, target=0.8, **parts))
    if rate + effect > 1:
        assert np.isnan(found)
        return

    def reached(units: float) -> float:
        n1, n0 = units * share, units * (1 - share)
        return float(power(effect, treated=n1, control=n0, rate=rate, factor=factor))

    assert reached(found) >= 0.8 - 1e-9
    fewer = found - 1
    assert fewer * min(share, 1 - share) < 2 or reached(fewer) < 0.8


def test_power_is_symmetric_and_at_no_effect_the_level() -> None:
    assert power(0.0, treated=30, control=50, sd=2.0, alpha=[0.05, 0.01]).tolist() == pytest.approx([0.05, 0.01])
    up, down = power([0.7, -0.7], treated=30, control=50, sd=2.0)
    assert up == pytest.approx(down)
    up, down = power([0.1, -0.1], treated=90, control=90, rate=0.5)
    assert up == pytest.approx(down)


def test_what_cannot_be_is_missing() -> None:
    assert np.isnan(power(0.5, treated=30, control=30, rate=0.6))
    assert np.isnan(power(0.1, treated=1, control=30, sd=1.0))
    assert np.isnan(mde(0.8, treated=4, control=4, rate=0.95))
    assert np.isnan(units_needed(0.5, target=0.8, rate=0.6))
    assert np.isnan(power(np.nan, treated=30, control=30, sd=1.0))


@pytest.mark.parametrize("df", [1, 2, 5, 1_000, 1e6, np.inf])
def test_a_huge_effect_is_always_found(df: float) -> None:
    assert power_at([1e3, 1e6, 1e12, 1e300], 1.0, df).tolist() == pytest.approx([1.0] * 4, abs=0.02)
    assert float(units_needed(1e9, target=0.8, sd=1.0)) == 4


def test_an_effect_without_noise_is_always_found() -> None:
    assert float(power(1.0, treated=10, control=10, sd=0.0)) == 1
    assert float(power(1.0, treated=10, control=10, rate=0.0)) == 1
    assert np.isfinite(mde(0.8, treated=100, control=100, rate=0.0))


@pytest.mark.parametrize("given_", [{}, {"sd": 1.0, "rate": 0.1}])
def test_one_of_sd_and_rate_is_given(given_: dict[str, float]) -> None:
    with pytest.raises(ArgumentError, match=r"^E-power: give either sd or rate\. Try: .+"):
        power(0.1, treated=10, control=10, **given_)


def test_whole_arrays_are_worked_out_at_once() -> None:
    found = power([[0.1], [0.2]], treated=[50, 100, 200], control=100, sd=0.5, alpha=0.05)
    assert found.shape == (2, 3)
    assert found[1, 2] == pytest.approx(float(power(0.2, treated=200, control=100, sd=0.5)))
    assert mde(0.8, treated=[50, 100], control=80, rate=[0.1, 0.2]).shape == (2,)


def test_the_covariate_takes_its_part_of_the_noise() -> None:
    assert cuped_sd([10.0, 10.0], [0.0, 0.6]).tolist() == pytest.approx([10.0, 8.0])
    whole = mde(0.8, treated=100, control=100, sd=10.0)
    part = mde(0.8, treated=100, control=100, sd=10.0, factor=1 - 0.6**2)
    assert float(part / whole) == pytest.approx(0.8)
    assert float(mde(0.8, treated=100, control=100, sd=cuped_sd(10.0, 0.6))) == pytest.approx(float(part))


def test_halving_finds_the_place_and_nothing_where_there_is_none() -> None:
    found = smallest(lambda x: x, 0.25, np.array([1.0, 0.2, 4.0]), lower=np.array([0.0, 0.0, 0.5]))
    assert found.tolist() == pytest.approx([0.25, np.nan, 0.5], nan_ok=True)


def test_intraclass_correlation_by_hand() -> None:
    # groups (1, 3), (5, 7, 9), (2): means 2, 7, 2; overall 4.5
    values, groups = [1.0, 3.0, 5.0, 7.0, 9.0, 2.0], [4, 4, 9, 9, 9, 1]
    between = (2 * 2.5**2 + 3 * 2.5**2 + 2.5**2) / 2
    within = (2 + 8 + 0) / 3
    usual = (6 - (4 + 9 + 1) / 6) / 2
    assert icc(values, groups) == pytest.approx((between - within) / (between + (usual - 1) * within))


def test_intraclass_correlation_finds_what_is_there() -> None:
    rng = np.random.default_rng(0)
    group = np.repeat(np.arange(2_000), rng.integers(2, 12, 2_000))
    alike = rng.normal(size=2_000)[group] * 0.2**0.5 + rng.normal(size=len(group)) * 0.8**0.5
    assert icc(alike, group) == pytest.approx(0.2, abs=0.02)
    assert icc(rng.normal(size=len(group)), group) == pytest.approx(0.0, abs=0.02)


@pytest.mark.parametrize(("values", "groups"), [([1.0, 2.0], [0, 0]), ([1.0, 2.0], [0, 1]), ([3.0] * 4, [0, 0, 1, 1])])
def test_no_intraclass_correlation_where_nothing_can_be_told(values: list[float], groups: list[int]) -> None:
    assert np.isnan(icc(values, groups))


def test_design_effect_by_hand() -> None:
    assert design_effect(0.1, [4, 4, 4]) == pytest.approx(1 + 3 * 0.1)
    # sizes 2 and 6: mean 4, variance 4, cv^2 = 1/4
    assert design_effect(0.1, [2, 6]) == pytest.approx(1 + (1.25 * 4 - 1) * 0.1)
    assert design_effect(-0.2, [4, 4]) == design_effect(float("nan"), [4, 4]) == design_effect(0.3, []) == 1


def test_design_effect_is_the_variance_of_a_mean_of_groups() -> None:
    runs, correlation, rng = 4_000, 0.15, np.random.default_rng(1)
    sizes = np.array([2, 2, 5, 9, 12, 12, 3, 20])
    group = np.repeat(np.arange(len(sizes)), sizes)
    shared = rng.normal(size=(runs, len(sizes)))[:, group] * correlation**0.5
    means = (shared + rng.normal(size=shared.shape) * (1 - correlation) ** 0.5).mean(axis=1)
    assert means.var() * len(group) == pytest.approx(design_effect(correlation, sizes), rel=0.1)

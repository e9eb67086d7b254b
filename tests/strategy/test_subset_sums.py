"""Deals of many units, whose bulk is binned: against plain loops, and what bins may not lose."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from tests.builders.deals import ONE, alone, as_often, every_deal, ratio, welch
from tests.builders.profiles import examples, several
from toolkit.strategy import subset_sums as subset_sums_of
from toolkit.strategy.rerandomise import critical, equal_tailed, rerandomise
from toolkit.strategy.subset_sums import EXACT, blocks, subset_sums

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


def heavy(n: int) -> Floats:
    return np.random.default_rng(7).pareto(1.5, n)


def buyers(n: int) -> Floats:
    rng = np.random.default_rng(8)
    return np.where(rng.random(n) < 0.05, rng.lognormal(3, 1.2, n), 0.0)


@pytest.mark.parametrize(
    ("made", "n", "many", "draws"),
    [
        (heavy, 5_000, 250, 250_000),
        (heavy, 6_000, 3_000, 60_000),
        (heavy, 100_000, 1_000, 60_000),
        (buyers, 100_000, 1_000, 60_000),
    ],
)
def test_binned_draws_are_those_of_a_plain_loop(made: Callable[[int], Floats], n: int, many: int, draws: int) -> None:
    """Quantiles within 2 % of the interval's half-width (7 % by a twelfth of the draws), p within 3 deviations.

    There are 24 p-values here: 3 deviations of one are 3.9 of the worst of so many (Bonferroni). The fewer are treated,
    the longer the lower tail of t and the more draws its quantile needs: 250,000 leave both quantiles together a
    standard deviation of .7 % of the half-width.
    """
    all_draws, draws = draws, several(draws // 12, draws)
    values = made(n)
    values = values - values.mean()
    rng = np.random.default_rng(9)
    total, squares = values.sum(), (values**2).sum()
    loop = np.empty(draws)
    for number in range(draws):
        chosen = values[rng.choice(n, many, replace=False, shuffle=False)]
        a, b = chosen.sum(), chosen @ chosen
        v = (b - a**2 / many) / many / (many - 1)
        v += (squares - b - (total - a) ** 2 / (n - many)) / (n - many) / (n - many - 1)
        loop[number] = (a / many - (total - a) / (n - many)) / np.sqrt(v)
    dealt = rerandomise(values, np.arange(n) < many, alone(n), ONE, draws=draws, seed=10)
    assert not dealt.exact
    ours, theirs = critical(dealt.overall, 0.05), critical(loop, 0.05)
    half = (theirs[1] - theirs[0]) / 2
    assert np.abs(np.subtract(ours, theirs)).max() < 0.02 * half * np.sqrt(all_draws / draws)
    looks = stats.norm.isf(stats.norm.sf(3) / 24)
    for share in (0.005, 0.025, 0.2, 0.8, 0.975, 0.995):
        t = float(np.quantile(loop, share))
        p, q = equal_tailed(t, dealt.overall), equal_tailed(t, loop)
        tail = min(share, 1 - share)
        assert abs(p - q) < looks * 2 * np.sqrt(2 * tail * (1 - tail) / draws)


@pytest.mark.parametrize("made", [heavy, buyers])
def test_binned_sums_have_exact_means_and_covariances(made: Callable[[int], Floats]) -> None:
    """Of a random subset of m of n units: mean m/n of the total, covariance m (1 - m/n) S."""
    n, many, draws = 200_000, 8_000, several(10_000, 40_000)
    values = np.sort(np.minimum(made(n), 1_000.0))
    features = np.column_stack([values, values**2])
    laid = blocks(values[None])
    assert not laid.exact
    assert laid.units == n
    assert (laid.mean * laid.size[:, None]).sum(axis=0) + laid.alone.sum(axis=0) == pytest.approx(features.sum(axis=0))
    inside, outside = subset_sums(laid, many, draws=draws, rng=np.random.default_rng(11))
    assert inside + outside == pytest.approx(np.broadcast_to(features.sum(axis=0), inside.shape))
    covariance = many * (1 - many / n) * np.cov(features.T)
    off = (inside.mean(axis=0) - features.sum(axis=0) * many / n) / np.sqrt(np.diag(covariance) / draws)
    assert np.abs(off).max() < 3.29
    assert np.cov(inside.T) == pytest.approx(covariance, rel=several(10, 5) / 100)


def test_what_bins_hide_comes_back_as_noise() -> None:
    """Without the term within bins the sum would vary too little: here nothing but bins is left."""
    values = np.sort(np.random.default_rng(12).random(200_000))
    laid = blocks(values[None])
    wide = laid.spread[:, 0, 0] * laid.size
    assert len(laid.size) <= 130
    assert 0 < wide.sum() / (values.var() * len(values)) < 0.01


def test_a_run_of_equal_values_keeps_a_bin_of_its_own() -> None:
    values = np.sort(np.r_[np.random.default_rng(13).normal(size=60_000), np.full(40_000, 0.25)])
    laid = blocks(values[None])
    assert 40_000 in laid.size.tolist()
    assert laid.mean[laid.size == 40_000].tolist() == [[0.25, 0.0625]]


def test_runs_of_equal_units_are_counted_and_lose_nothing() -> None:
    """Twelve zeros are one block, whose count in an arm is hypergeometric."""
    values = np.r_[np.zeros(12), 3.0, 3.0, 5.0, 9.0]
    treated = np.arange(16) % 4 == 0
    laid = blocks(values[None])
    assert laid.size.tolist() == [12]
    assert laid.exact
    possible = [0.0 if not d else d / np.sqrt(v) for d, v in (welch(values, deal) for deal in every_deal(16, 4))]
    dealt = rerandomise(values, treated, alone(16), ONE, draws=40_000, seed=2)
    assert as_often(dealt.overall, possible) > 0.001


@pytest.mark.parametrize("n", [300, 3 * EXACT])
def test_ratios_are_those_of_a_plain_loop(n: int) -> None:
    rng = np.random.default_rng(14)
    x = rng.poisson(1.5, n).astype(float)
    y = x * rng.lognormal(0, 1.2, n)
    many, draws = n // 5, several(2_000, 8_000)
    loop = []
    for _ in range(draws):
        deal = np.zeros(n, dtype=np.bool_)
        deal[rng.choice(n, many, replace=False, shuffle=False)] = True
        d, v = ratio(y, x, deal)
        loop.append(d / np.sqrt(v))
    dealt = rerandomise(y, np.arange(n) < many, alone(n), ONE, draws=draws, seed=15, sizes=x)
    assert dealt.exact == (n < EXACT)
    assert stats.ks_2samp(dealt.overall, loop).pvalue > 0.001


@examples(dev=60, ci=300)
@given(
    runs=st.lists(st.tuples(st.integers(-20, 20), st.integers(1, 60)), min_size=1, max_size=40), seed=st.integers(0, 9)
)
def test_no_unit_is_lost_however_values_lie(runs: list[tuple[int, int]], seed: int) -> None:
    """Long runs at either end, in the middle, on one side of the mean; the limits are small here so that all binds."""
    rng = np.random.default_rng(seed)
    noise = rng.random(sum(count for _, count in runs)) * rng.integers(0, 2, sum(count for _, count in runs))
    values = np.sort(np.repeat([float(value) for value, _ in runs], [count for _, count in runs]) + noise)
    with pytest.MonkeyPatch.context() as patch:
        for name, small in (("EXACT", 64), ("ALONE", 8), ("BINS", 4)):
            patch.setattr(subset_sums_of, name, small)
        laid = blocks(values[None])
    assert laid.units == len(values)
    total = laid.alone.sum(axis=0) + laid.size @ laid.mean
    assert total == pytest.approx([values.sum(), (values**2).sum()], rel=1e-9, abs=1e-6)
    squares = (laid.alone[:, 0] ** 2).sum() + laid.size @ laid.mean[:, 0] ** 2
    squares += ((laid.size - 1) * laid.spread[:, 0, 0]).sum()
    assert squares == pytest.approx((values**2).sum(), rel=1e-9, abs=1e-6)

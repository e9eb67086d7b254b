"""Arms dealt anew: against every possible deal, against plain loops, against scipy, and the p-value turned round."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from toolkit.errors import ArgumentError
from toolkit.strategy.rerandomise import critical, equal_tailed, needs_rerandomisation, rerandomise
from toolkit.strategy.rerandomise_groups import rerandomise_groups
from toolkit.strategy.subset_sums import EXACT, blocks, subset_sums

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

ONE = np.ones(1)


def alone(n: int) -> NDArray[np.intp]:
    return np.zeros(n, dtype=np.intp)


def welch(values: Floats, treated: NDArray[np.bool_]) -> tuple[float, float]:
    """Return difference of means and its unpooled variance, as a textbook has it."""
    a, b = values[treated], values[~treated]
    return float(a.mean() - b.mean()), float(a.var(ddof=1) / len(a) + b.var(ddof=1) / len(b))


def ratio(y: Floats, x: Floats, treated: NDArray[np.bool_]) -> tuple[float, float]:
    """Return difference of ratios and its linearised variance."""
    found, variance = [], 0.0
    for arm in (treated, ~treated):
        r = y[arm].sum() / x[arm].sum()
        found.append(r)
        variance += float(((y[arm] - r * x[arm]) / x[arm].mean()).var(ddof=1)) / arm.sum()
    return float(found[0] - found[1]), variance


def every_deal(n: int, many: int) -> list[NDArray[np.bool_]]:
    deals = []
    for chosen in combinations(range(n), many):
        deal = np.zeros(n, dtype=np.bool_)
        deal[list(chosen)] = True
        deals.append(deal)
    return deals


def as_often(found: Floats, possible: list[float]) -> float:
    """Return the p-value of a chi-squared test that each possible statistic comes as often as it should."""
    kinds, due = np.unique(np.round(possible, 6), return_counts=True)
    seen, counts = np.unique(np.round(found, 6), return_counts=True)
    assert set(seen) <= set(kinds), "a statistic that no deal gives"
    observed = np.zeros(len(kinds))
    observed[np.searchsorted(kinds, seen)] = counts
    return float(stats.chisquare(observed, due / due.sum() * len(found)).pvalue)


@pytest.mark.parametrize("many", [3, 4, 6])
def test_every_deal_comes_as_often_as_it_should(many: int) -> None:
    values = np.array([0.0, 1.0, 2.5, 2.5, 7.0, 11.0, 20.0, 31.0, 50.0])
    treated = np.arange(9) < many
    possible = [d / np.sqrt(v) for d, v in (welch(values, deal) for deal in every_deal(9, many))]
    dealt = rerandomise(values, treated, alone(9), ONE, draws=40_000, seed=1)
    assert dealt.exact
    assert as_often(dealt.overall, possible) > 0.001


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


def test_p_is_that_of_all_deals() -> None:
    """By hand: of 70 deals of 0..7 in halves only this one is as extreme on its side, so 2/70."""
    values, treated = np.arange(8.0), np.arange(8) >= 4
    d, v = welch(values, treated)
    draws = 40_000
    p = equal_tailed(d / np.sqrt(v), rerandomise(values, treated, alone(8), ONE, draws=draws, seed=3).overall)
    assert abs(p - 2 / 70) < 3.29 * 2 * np.sqrt(1 / 70 * 69 / 70 / draws)


def test_p_is_that_of_scipy() -> None:
    rng = np.random.default_rng(4)
    a, b = rng.lognormal(0.3, 1, 40), rng.lognormal(0, 1, 90)
    values, treated = np.r_[a, b], np.arange(130) < 40

    def statistic(x: Any, y: Any, axis: int) -> Any:
        return stats.ttest_ind(x, y, equal_var=False, axis=axis).statistic

    theirs = stats.permutation_test((a, b), statistic, vectorized=True, n_resamples=19_999, batch=1_000, rng=5)
    dealt = rerandomise(values, treated, alone(130), ONE, draws=19_999, seed=5)
    ours = equal_tailed(float(theirs.statistic), dealt.overall)
    assert abs(ours - theirs.pvalue) < 3.29 * np.sqrt(2) * 2 * np.sqrt(ours / 2 / 19_999)


def test_strata_are_weighted_and_share_one_standard_error() -> None:
    values = np.array([0.0, 1.0, 4.0, 9.0, 2.0, 3.0, 5.0, 6.0, 13.0])
    treated = np.array([1, 0, 1, 0, 1, 1, 0, 0, 0], dtype=np.bool_)
    strata, weights = np.array([0] * 4 + [1] * 5), np.array([0.7, 0.3])
    possible = []
    for first in every_deal(4, 2):
        for second in every_deal(5, 2):
            (d, v), (e, w) = welch(values[:4], first), welch(values[4:], second)
            possible.append((0.7 * d + 0.3 * e) / np.sqrt(0.49 * v + 0.09 * w))
    dealt = rerandomise(values, treated, strata, weights, draws=40_000, seed=6)
    assert as_often(dealt.overall, possible) > 0.001


def heavy(n: int) -> Floats:
    return np.random.default_rng(7).pareto(1.5, n)


def buyers(n: int) -> Floats:
    rng = np.random.default_rng(8)
    return np.where(rng.random(n) < 0.05, rng.lognormal(3, 1.2, n), 0.0)


@pytest.mark.parametrize("made", [heavy, buyers])
@pytest.mark.parametrize(
    ("n", "many", "draws"), [(5_000, 250, 250_000), (6_000, 3_000, 60_000), (100_000, 1_000, 60_000)]
)
def test_binned_draws_are_those_of_a_plain_loop(made: Callable[[int], Floats], n: int, many: int, draws: int) -> None:
    """Quantiles within 2 % of the interval's half-width, p within 3 Monte-Carlo standard deviations.

    There are 36 p-values here: 3 deviations of one are 4 of the worst of so many (Bonferroni). The fewer are treated,
    the longer the lower tail of t and the more draws its quantile needs: 250,000 leave both quantiles together a
    standard deviation of .7 % of the half-width.
    """
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
    assert dealt.exact == (made is buyers and n < 10_000)
    ours, theirs = critical(dealt.overall, 0.05), critical(loop, 0.05)
    half = (theirs[1] - theirs[0]) / 2
    assert np.abs(np.subtract(ours, theirs)).max() < 0.02 * half
    looks = stats.norm.isf(stats.norm.sf(3) / 36)
    for share in (0.005, 0.025, 0.2, 0.8, 0.975, 0.995):
        t = float(np.quantile(loop, share))
        p, q = equal_tailed(t, dealt.overall), equal_tailed(t, loop)
        tail = min(share, 1 - share)
        assert abs(p - q) < looks * 2 * np.sqrt(2 * tail * (1 - tail) / draws)


@pytest.mark.parametrize("made", [heavy, buyers])
def test_binned_sums_have_exact_means_and_covariances(made: Callable[[int], Floats]) -> None:
    """Of a random subset of m of n units: mean m/n of the total, covariance m (1 - m/n) S."""
    n, many, draws = 200_000, 8_000, 40_000
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
    assert np.cov(inside.T) == pytest.approx(covariance, rel=0.05)


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


@pytest.mark.parametrize("n", [300, 3 * EXACT])
def test_ratios_are_those_of_a_plain_loop(n: int) -> None:
    rng = np.random.default_rng(14)
    x = rng.poisson(1.5, n).astype(float)
    y = x * rng.lognormal(0, 1.2, n)
    many, draws = n // 5, 8_000
    loop = []
    for _ in range(draws):
        deal = np.zeros(n, dtype=np.bool_)
        deal[rng.choice(n, many, replace=False, shuffle=False)] = True
        d, v = ratio(y, x, deal)
        loop.append(d / np.sqrt(v))
    dealt = rerandomise(y, np.arange(n) < many, alone(n), ONE, draws=draws, seed=15, sizes=x)
    assert dealt.exact == (n < EXACT)
    assert stats.ks_2samp(dealt.overall, loop).pvalue > 0.001


def test_ratios_with_equal_denominators_are_means() -> None:
    values = np.r_[np.zeros(30), np.arange(1.0, 31.0)]
    treated = np.arange(60) % 3 == 0
    means, ratios = (
        rerandomise(values, treated, alone(60), ONE, draws=500, seed=16, sizes=sizes)
        for sizes in (None, np.full(60, 4.0))
    )
    assert ratios.overall == pytest.approx(means.overall)


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


FINITE = st.floats(-1e6, 1e6)


@given(
    draws=arrays(np.float64, st.integers(1, 60), elements=FINITE | st.integers(-3, 3).map(float) | st.just(np.nan)),
    statistic=FINITE | st.integers(-3, 3).map(float),
    alpha=st.floats(0.01, 0.6),
    pick=st.integers(0, 59),
)
def test_the_interval_excludes_zero_just_where_p_is_small(
    draws: Floats, statistic: float, alpha: float, pick: int
) -> None:
    lower, upper = critical(draws, alpha)
    for t in (statistic, float(draws[pick % len(draws)]), lower, upper):
        if np.isfinite(t):
            assert (equal_tailed(t, draws) < alpha) == (t < lower or t > upper)


@pytest.mark.parametrize(("draws", "alpha", "count"), [(2_000, 0.05, 50), (199, 0.05, 4), (39, 0.05, 0), (40, 0.05, 1)])
def test_critical_values_are_order_statistics(draws: int, alpha: float, count: int) -> None:
    """By hand: p = 2 (1 + k) / (draws + 1) < alpha, with k draws at or beyond: 1 + k may be as much as ``count``."""
    lower, upper = critical(np.arange(draws, dtype=float), alpha)
    if count == 0:
        assert (lower, upper) == (-np.inf, np.inf)
    else:
        assert (lower, upper) == pytest.approx((count - 1, draws - count), abs=1e-5)


def test_rounding_breaks_no_tie() -> None:
    """Of 20 deals of 3 among 6 one is the observed one: drawn again it is a tie, however it was computed."""
    values, treated = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6]), np.array([1, 1, 1, 0, 0, 0], dtype=np.bool_)
    d, v = welch(values, treated)
    dealt = rerandomise(values, treated, alone(6), ONE, draws=20_000, seed=24)
    for wobble in (-1e-12, 0.0, 1e-12):
        assert equal_tailed(d / np.sqrt(v) + wobble, dealt.overall) == pytest.approx(0.1, abs=0.01)


def test_nothing_varies() -> None:
    dealt = rerandomise(np.full(30, 0.1), np.arange(30) < 10, alone(30), ONE, draws=50, seed=0)
    assert (dealt.overall == 0).all()
    assert equal_tailed(0.0, dealt.overall) == 1.0


def test_a_draw_without_variance_is_as_extreme_as_can_be() -> None:
    values, treated = np.array([0.0, 0.0, 1.0, 1.0]), np.array([1, 0, 1, 0], dtype=np.bool_)
    dealt = rerandomise(values, treated, alone(4), ONE, draws=6_000, seed=25).overall
    assert set(dealt.tolist()) == {-np.inf, 0.0, np.inf}
    assert equal_tailed(np.inf, dealt) == pytest.approx(1 / 3, abs=0.03)


def test_missing_draws_count_against_the_statistic() -> None:
    draws = np.r_[np.full(5, np.nan), np.arange(-47.0, 48.0)]
    assert equal_tailed(100.0, draws) == pytest.approx(2 * 6 / 101)
    assert np.isnan(equal_tailed(np.nan, draws))


def test_a_stratum_too_small_takes_no_part() -> None:
    values, treated = np.arange(20.0), np.r_[np.arange(17) % 2 == 0, [True, False, False]]
    strata = np.repeat([0, 1], [17, 3])
    both = rerandomise(values, treated, strata, np.ones(2), draws=300, seed=26)
    one = rerandomise(values[:17], treated[:17], strata[:17], ONE, draws=300, seed=26)
    assert np.isnan(both.strata[:, 1]).all()
    assert (both.overall == one.overall).all()
    none = rerandomise(values[17:], treated[17:], alone(3), ONE, draws=300, seed=26)
    assert np.isnan(none.overall).all()


def test_neither_order_nor_money_unit_nor_names_of_arms_matter() -> None:
    rng = np.random.default_rng(27)
    values, treated, strata = rng.lognormal(size=3_000), rng.random(3_000) < 0.3, rng.integers(0, 3, 3_000)
    weights = np.array([0.2, 0.5, 0.3])
    plain = rerandomise(values, treated, strata, weights, draws=200, seed=28)
    order = rng.permutation(3_000)
    shuffled = rerandomise(values[order], treated[order], strata[order], weights, draws=200, seed=28)
    cents = rerandomise(values * 128 + 4096, treated, strata, weights, draws=200, seed=28)
    swapped = rerandomise(values, ~treated, strata, weights, draws=200, seed=28)
    assert (shuffled.overall == plain.overall).all()
    assert cents.overall == pytest.approx(plain.overall)
    assert swapped.overall == pytest.approx(-plain.overall)


def test_one_outlier_does_not_drown_the_other_arm() -> None:
    """Of a unit of 1e9 among values near 1, the arm without it keeps its own variance."""
    values = np.r_[1e9, 1 + np.arange(40) / 10]
    treated = np.arange(41) < 20
    dealt = rerandomise(values, treated, alone(41), ONE, draws=4_000, seed=29).overall
    assert np.isfinite(dealt).all()
    assert np.abs(dealt).max() < 1.2


def test_the_rule_is_that_of_kohavi() -> None:
    """s = 10 needs 35,500 users in the smaller arm; nothing that varies needs none; few groups always do."""
    assert needs_rerandomisation([10, 10, -10, np.nan], [35_499, 35_501, 35_499, 10]).tolist() == [
        True,
        False,
        True,
        False,
    ]
    assert needs_rerandomisation([0, 0], [49, 50], groups=True).tolist() == [True, False]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"draws": 0}, "draws"),
        ({"values": np.array([1.0, np.nan, 2.0, 3.0])}, "not-finite"),
        ({"treated": np.ones(3, dtype=np.bool_)}, "length"),
    ],
)
def test_what_cannot_be_dealt_is_refused(change: dict[str, Any], code: str) -> None:
    given: dict[str, Any] = {"values": np.arange(4.0), "treated": np.arange(4) < 2, "draws": 10} | change
    with pytest.raises(ArgumentError) as refused:
        rerandomise(given["values"], given["treated"], alone(4), ONE, draws=given["draws"], seed=0)
    assert refused.value.code == code


def test_one_group_in_an_arm_is_refused() -> None:
    with pytest.raises(ArgumentError, match="fewer than two groups"):
        rerandomise_groups(np.ones((4, 1)), np.ones((4, 1)), np.arange(4) < 1, alone(4), ONE, draws=5, seed=0)

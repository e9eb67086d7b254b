"""Arms dealt anew: against every possible deal and against scipy, and the p-value turned round."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from tests.builders.deals import ONE, alone, as_often, every_deal, welch
from tests.builders.profiles import examples
from toolkit.errors import ArgumentError
from toolkit.strategy.rerandomise import critical, equal_tailed, needs_rerandomisation, rerandomise

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


@pytest.mark.parametrize("many", [3, 4, 6])
def test_every_deal_comes_as_often_as_it_should(many: int) -> None:
    values = np.array([0.0, 1.0, 2.5, 2.5, 7.0, 11.0, 20.0, 31.0, 50.0])
    treated = np.arange(9) < many
    possible = [d / np.sqrt(v) for d, v in (welch(values, deal) for deal in every_deal(9, many))]
    dealt = rerandomise(values, treated, alone(9), ONE, draws=40_000, seed=1)
    assert dealt.exact
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


def test_ratios_with_equal_denominators_are_means() -> None:
    values = np.r_[np.zeros(30), np.arange(1.0, 31.0)]
    treated = np.arange(60) % 3 == 0
    means, ratios = (
        rerandomise(values, treated, alone(60), ONE, draws=500, seed=16, sizes=sizes)
        for sizes in (None, np.full(60, 4.0))
    )
    assert ratios.overall == pytest.approx(means.overall)


FINITE = st.floats(-1e6, 1e6)


@examples(dev=40, ci=100)
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

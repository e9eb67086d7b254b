"""Families of tests, shrinkage and relative lifts: by statsmodels, by hand, and what must hold of any numbers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders.profiles import examples
from tests.oracles.ab_tea import EFFECTS, P_VALUES, expected
from toolkit.strategy.families import benjamini_hochberg, holm
from toolkit.strategy.relative import fieller
from toolkit.strategy.shrink import paule_mandel, shrink

P = st.lists(st.floats(0, 1), min_size=1, max_size=12)
FINITE = st.floats(-50, 50)


@pytest.mark.parametrize(("adjust", "name"), [(holm, "holm"), (benjamini_hochberg, "benjamini_hochberg")])
def test_families_are_those_of_statsmodels(adjust: object, name: str) -> None:
    assert callable(adjust)
    np.testing.assert_allclose(adjust(P_VALUES), expected()[name], rtol=1e-14)
    missing = [P_VALUES[0], np.nan, *P_VALUES[1:]]
    np.testing.assert_allclose(np.delete(adjust(missing), 1), expected()[name], rtol=1e-14)
    assert np.isnan(adjust(missing)[1])
    np.testing.assert_array_equal(adjust(np.reshape(P_VALUES, (2, 5))).ravel(), adjust(P_VALUES))


@examples(30, 100)
@given(P)
def test_adjusting_never_lowers_and_keeps_the_order(p: list[float]) -> None:
    for adjusted in (holm(p), benjamini_hochberg(p)):
        assert (adjusted >= np.array(p) - 1e-15).all()
        assert (adjusted <= 1).all()
        order = np.argsort(p, kind="stable")
        assert (np.diff(adjusted[order]) >= 0).all()
    assert (holm(p) >= benjamini_hochberg(p) - 1e-15).all()
    assert holm(p).min() == pytest.approx(min(1, len(p) * min(p)))


def test_no_tests_no_family() -> None:
    assert np.isnan(holm([np.nan, np.nan])).all()
    assert len(benjamini_hochberg([])) == 0


@pytest.mark.parametrize("number", range(len(EFFECTS)))
def test_tau_squared_is_that_of_statsmodels(number: int) -> None:
    effects, variances = EFFECTS[number]
    assert paule_mandel(effects, variances) == pytest.approx(expected()["paule_mandel"][number], rel=1e-6, abs=1e-12)


@examples(30, 100)
@given(st.lists(st.tuples(FINITE, st.floats(1e-3, 10)), min_size=3, max_size=8), st.floats(0.1, 100))
def test_tau_squared_solves_its_equation(rows: list[tuple[float, float]], scale: float) -> None:
    d, v = np.array(rows).T
    tau2 = paule_mandel(d, v)
    w = 1 / (v + tau2)
    left = w @ (d - w @ d / w.sum()) ** 2
    assert left <= (len(d) - 1) * (1 + 1e-7)
    if tau2 > 0:
        assert left == pytest.approx(len(d) - 1, rel=1e-7)
    assert paule_mandel(d * scale, v * scale**2) == pytest.approx(tau2 * scale**2, rel=1e-6, abs=1e-9)


def test_shrinkage_by_hand() -> None:
    # three equal variances v: tau2 = sample variance - v = 0.16 - 0.01, so B = 0.01 / 0.16 = 1 / 16
    found = shrink([0.1, 0.5, 0.9], [0.01] * 3, 0.5, 0.0025)
    assert found.tau2 == pytest.approx(0.15)
    np.testing.assert_allclose(found.value, [0.125, 0.5, 0.875])
    half = 1.959963984540054 * np.sqrt(15 / 16 * 0.01 + 0.0025 / 256)
    np.testing.assert_allclose(found.upper - found.value, half)
    np.testing.assert_allclose(found.value - found.lower, half)


def test_effects_that_differ_by_chance_only_become_the_overall_one() -> None:
    found = shrink([0.1, 0.11, 0.09], [0.04, 0.01, 0.02], 0.1, 0.004)
    assert found.tau2 == 0
    np.testing.assert_allclose(found.value, 0.1)
    np.testing.assert_allclose(found.upper - found.value, 1.959963984540054 * np.sqrt(0.004))


def test_fewer_than_three_tiers_are_not_shrunk() -> None:
    for effects, variances in (
        ([0.1, 0.5], [0.01, 0.01]),
        ([0.1, 0.5, np.nan], [0.01] * 3),
        ([0.1, 0.5, 1], [0.01, 0.01, 0]),
    ):
        found = shrink(effects, variances, 0.3, 0.01)
        assert np.isnan([*found.value, *found.lower, *found.upper, found.tau2]).all()


@examples(30, 100)
@given(st.lists(st.tuples(FINITE, st.floats(1e-3, 10)), min_size=3, max_size=8), FINITE)
def test_shrunken_lies_between_raw_and_overall(rows: list[tuple[float, float]], overall: float) -> None:
    d, v = np.array(rows).T
    found = shrink(d, v, overall, 0.01)
    assert (found.value >= np.minimum(d, overall) - 1e-9).all()
    assert (found.value <= np.maximum(d, overall) + 1e-9).all()


@examples(30, 100)
@given(
    st.floats(-20, 20),
    st.floats(-20, 20),
    st.floats(0.01, 4),
    st.floats(0.01, 4),
    st.tuples(st.floats(-6, 1), st.floats(0.05, 6)),
)
def test_the_relative_interval_is_that_of_the_test(
    top: float, base: float, of_top: float, of_base: float, ends: tuple[float, float]
) -> None:
    """Solve the definition itself at both ends, lopsided critical values included."""
    low, high = ends[0], sum(ends)
    relative, lower, upper = (float(one) for one in fieller(top, base, of_top, of_base, low=low, high=high))
    bounded = base > 0 and base**2 > max(low**2, high**2) * of_base * (1 + 1e-9)
    if not bounded:
        assert (np.isnan(lower) and np.isnan(upper)) or base**2 > max(low**2, high**2) * of_base
        return
    assert relative == pytest.approx(top / base - 1)
    assert lower < upper
    for end, q in ((lower, high), (upper, low)):
        error = np.sqrt(of_top + (1 + end) ** 2 * of_base)
        assert (top - (1 + end) * base) / error == pytest.approx(q, abs=1e-5 * max(1, abs(end)))
    statistic = (top - base) / np.sqrt(of_top + of_base)
    if min(abs(statistic - low), abs(statistic - high)) > 1e-6:
        assert (lower <= 0 <= upper) == (low <= statistic <= high)


def test_no_relative_lift_of_nothing() -> None:
    for base in (0.0, -2.0):
        assert np.isnan(fieller(1.0, base, 0.1, 0.1, low=-2, high=2)).all()
    relative, lower, upper = fieller(1.0, 0.1, 0.1, 0.1, low=-2, high=2)
    assert relative == pytest.approx(9)
    assert np.isnan([lower, upper]).all()

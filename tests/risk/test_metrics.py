"""Concordance, scores of a horizon and calibration: by hand, by R, by brute force, and where nothing can be told."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, logit

from tests.oracles.km_rossi import expected, rossi
from toolkit.errors import ArgumentError
from toolkit.risk.calibration import calibration
from toolkit.risk.dominance import weight_below
from toolkit.risk.metrics import auc, brier, harrell_c, log_loss, outcomes_at, reference_risk, uno_c
from toolkit.risk.product_limit import followed_to

HORIZON = 30


@pytest.fixture(scope="module")
def r() -> dict[str, float]:
    return expected()


@pytest.fixture(scope="module")
def people() -> pd.DataFrame:
    return rossi()


def test_concordance_is_that_of_r(r: dict[str, float], people: pd.DataFrame) -> None:
    one, status, risk = people["time"], people["status"], people["risk"]
    assert harrell_c(one, status, risk) == pytest.approx(r["harrell"], abs=1e-12)
    assert harrell_c(one, status, people["prio"]) == pytest.approx(r["harrell.prio"], abs=1e-12)
    assert harrell_c(one, status, risk, people["entry"]) == pytest.approx(r["harrell.late"], abs=1e-12)
    assert uno_c(one, status, risk) == pytest.approx(r["uno"], abs=1e-12)
    assert uno_c(one, status, risk, tau=HORIZON) == pytest.approx(r["uno.30"], abs=1e-12)


def test_scores_of_a_horizon_are_those_of_r(r: dict[str, float], people: pd.DataFrame) -> None:
    bad, weight = outcomes_at(people["time"], people["status"], HORIZON)
    assert 0 < (weight == 0).sum() < len(people)
    assert weight.sum() == pytest.approx(r["weight.sum"])
    for name, score in (("brier", brier), ("log_loss", log_loss), ("auc", auc)):
        assert score(bad, people["forecast"], weight) == pytest.approx(r[name], abs=1e-12), name


def test_calibration_is_that_of_r(r: dict[str, float], people: pd.DataFrame) -> None:
    found = calibration(people["arrest"] == 1, people["forecast"])
    for name, value in (
        ("slope", found.slope),
        ("slope.se", found.slope_se),
        ("intercept", found.intercept),
        ("intercept.se", found.intercept_se),
        ("ici", found.ici),
    ):
        assert value == pytest.approx(r[name], abs=1e-6), name
    assert found.events == 114
    assert found.curve["n"].sum() == found.n == 432


def test_weights_by_hand() -> None:
    """Of five, one is censored on day 2 (three of four stay) and one on day 4 (after the event of day 4)."""
    bad, weight = outcomes_at([1, 2, 3, 4, 4, 6], [1, 0, 1, 1, 0, 0], 5)
    assert bad.tolist() == [True, False, True, True, False, False]
    assert weight == pytest.approx([1, 0, 5 / 4, 5 / 4, 0, 5 / 2])
    silent, same = outcomes_at([1, 2, 3, 4, 4, 6], [1, 0, 1, 1, 0, 0], 5, bad="no_event")
    assert silent.tolist() == [False, False, False, False, False, True]
    assert same.tolist() == weight.tolist()


def test_who_is_followed_to_the_horizon_is_known_and_a_deletion_is_an_answer() -> None:
    bad, weight = outcomes_at([90, 90, 30, 20], [0, 1, 2, 1], 90, bad="no_event")
    assert bad.tolist() == [True, False, True, False]
    assert weight.tolist() == [1, 1, 1, 1]


def test_direction_of_the_bad_event() -> None:
    """An order is the good event: whoever has the higher risk of silence must order later."""
    days, event, risk = np.array([5, 20, 60, 90]), np.array([1, 1, 1, 0]), np.array([0.1, 0.3, 0.6, 0.9])
    assert harrell_c(days, event, 1 - risk) == uno_c(days, event, 1 - risk) == 1
    assert harrell_c(days, event, risk) == uno_c(days, event, risk) == 0
    silent, weight = outcomes_at(days, event, 30, bad="no_event")
    assert auc(silent, risk, weight) == 1


def test_scores_by_hand() -> None:
    assert brier([True, False, False], [1.0, 0.5, 0.0]) == pytest.approx(0.25 / 3)
    assert log_loss([True, False], [0.8, 0.4]) == pytest.approx(-(np.log(0.8) + np.log(0.6)) / 2)
    assert log_loss([True, False], [0.0, 1.0]) == pytest.approx(-np.log(1e-6))
    assert auc([True, False, True, False], [3, 1, 2, 2]) == 0.875
    assert auc([True, False, False], [0.5, 0.9, 0.1], [1, 3, 1]) == 0.25


def test_nothing_can_be_told_is_missing_not_an_error() -> None:
    """FAULTS 85: no comparable pair, one class, nobody at all."""
    nothing: list[float] = []
    assert np.isnan(harrell_c([3, 4], [0, 0], [0.1, 0.2]))
    assert np.isnan(harrell_c([3, 3], [1, 1], [0.1, 0.2]))
    assert np.isnan(harrell_c([1, 9], [1, 1], [0.1, 0.2], [0, 5]))
    assert np.isnan(uno_c([3, 4], [1, 1], [0.1, 0.2], tau=2))
    assert np.isnan(auc([True, True], [0.1, 0.2]))
    assert np.isnan(reference_risk([5, 6], [1, 0], 90))
    for score in (auc, brier, log_loss):
        assert np.isnan(score(nothing, nothing))
    assert np.isnan(harrell_c(nothing, nothing, nothing))
    assert np.isnan(uno_c(nothing, nothing, nothing))
    one_class = calibration([False, False], [0.1, 0.4])
    assert np.isnan([one_class.slope, one_class.intercept, one_class.slope_se]).all()
    assert one_class.observed == 0
    assert calibration(nothing, nothing).n == 0


def test_follow_up_that_ends_before_the_horizon_gives_no_score() -> None:
    """Whoever is left was censored before the horizon: nobody stands for them."""
    bad, weight = outcomes_at([5, 10, 20], [1, 0, 0], 90)
    assert np.isnan(weight).all()
    assert np.isnan(brier(bad, [0.5, 0.5, 0.5], weight))
    assert np.isnan(auc(bad, [0.5, 0.5, 0.5], weight))
    assert calibration(bad, [0.5, 0.5, 0.5], weight).n == 0


@pytest.mark.parametrize(
    ("risk", "slope", "intercept"),
    [([0.3, 0.3, 0.3, 0.3], False, True), ([0.1, 0.2, 0.8, 0.9], False, True), ([0.2, 0.2, 0.2, 0.9], False, True)],
)
def test_a_slope_that_runs_away_is_missing(risk: list[float], slope: bool, intercept: bool) -> None:
    """FAULTS 80: equal risks and risks that separate the outcomes, quasi-separation included."""
    found = calibration([False, False, True, True], risk)
    assert np.isfinite(found.slope) == slope
    assert np.isfinite(found.intercept) == intercept
    assert "slope not estimable" in repr(found)


def test_calibration_finds_what_was_planted() -> None:
    rng = np.random.default_rng(7)
    truth = expit(rng.normal(-1, 1.2, 200_000))
    bad = rng.random(200_000) < truth
    for a, b in ((0.0, 1.0), (0.4, 1.0), (0.0, 0.6)):
        found = calibration(bad, expit((logit(truth) - a) / b))
        assert abs(found.slope - b) < 4 * found.slope_se
        assert found.slope_lower < found.slope < found.slope_upper
        assert b != 1 or abs(found.intercept - a) < 4 * found.intercept_se
        gap = np.abs(truth - expit((logit(truth) - a) / b)).mean()
        assert found.ici == pytest.approx(gap, abs=0.004)
    good = calibration(bad, truth)
    inside = (good.curve["lower"] <= good.curve["predicted"]) & (good.curve["predicted"] <= good.curve["upper"])
    assert inside.sum() >= 8


def test_a_slope_covers_one_at_the_stated_rate() -> None:
    rng = np.random.default_rng(3)
    covered = 0
    for _ in range(200):
        truth = expit(rng.normal(-1, 1, 1_000))
        found = calibration(rng.random(1_000) < truth, truth)
        covered += found.slope_lower <= 1 <= found.slope_upper
    assert 0.90 <= covered / 200 <= 0.99


def test_censoring_weights_undo_censoring() -> None:
    rng = np.random.default_rng(11)
    n = 100_000
    score = rng.normal(size=n)
    days = rng.exponential(80 * np.exp(-score))
    left = rng.exponential(120, n)
    truth = 1 - np.exp(-60 / (80 * np.exp(-score)))
    whole = days <= 60
    bad, weight = outcomes_at(np.minimum(days, left), days <= left, 60)
    for measure in (brier, log_loss, auc):
        assert measure(bad, truth, weight) == pytest.approx(measure(whole, truth), abs=0.005)
    assert calibration(bad, truth, weight).slope == pytest.approx(1, abs=0.03)
    assert uno_c(np.minimum(days, left), days <= left, score, tau=60) == pytest.approx(
        uno_c(days, np.ones(n), score, tau=60), abs=0.005
    )
    assert calibration(bad, truth, weight).observed == pytest.approx(whole.mean(), abs=0.005)
    assert bad[weight > 0].mean() > whole.mean() + 0.05


def test_ties_stay_together_and_order_does_not_matter() -> None:
    rng = np.random.default_rng(5)
    risk = rng.integers(1, 5, 1_000) / 10
    bad = rng.random(1_000) < risk
    table = calibration(bad, risk).curve
    assert table["n"].tolist() == [int((risk == value).sum()) for value in (0.1, 0.2, 0.3, 0.4)]
    turned = rng.permutation(1_000)
    pd.testing.assert_frame_equal(table, calibration(bad[turned], risk[turned]).curve)
    assert calibration(bad[turned], risk[turned]).ici == pytest.approx(calibration(bad, risk).ici)
    last = table.iloc[-1]
    assert last["observed"] == pytest.approx(bad[risk == 0.4].mean())
    assert last["lower"] < last["observed"] < last["upper"]


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda: harrell_c([-1, 2], [1, 0], [0.1, 0.2]), "duration-negative"),
        (lambda: harrell_c([1, 2], [1, 3], [0.1, 0.2]), "event"),
        (lambda: harrell_c([1, np.nan], [1, 0], [0.1, 0.2]), "duration-missing"),
        (lambda: harrell_c([1, 2], [1, 0], [0.1, np.nan]), "risk-missing"),
        (lambda: harrell_c([1, 2], [1, 0], [0.1]), "length"),
        (lambda: harrell_c([1, 2], [1, 0], [0.1, 0.2], [0, 3]), "entry-late"),
        (lambda: brier([True], [30]), "risk-range"),
        (lambda: brier([True], [0.3], [1, 1]), "length"),
        (lambda: outcomes_at([1], [1], 3, bad="order"), "bad"),  # type: ignore[arg-type]  # refused on purpose
    ],
)
def test_what_is_not_a_forecast_is_refused(call: Any, code: str) -> None:
    with pytest.raises(ArgumentError) as refusal:
        call()
    assert refusal.value.code == code
    assert refusal.value.hint


def test_reference_risk_by_hand() -> None:
    days, event = [1, 2, 3, 4], [1, 0, 1, 0]
    assert reference_risk(days, event, 3) == pytest.approx(1 - 3 / 4 * 1 / 2)
    assert reference_risk(days, event, 3, bad="no_event") == pytest.approx(3 / 8)
    assert reference_risk(days, event, 2, given_at=1) == pytest.approx(1 / 2)
    assert reference_risk([1, 2, 3], [1, 2, 0], 3) == pytest.approx(1 / 3)
    assert reference_risk([2, 5, 5], [1, 0, 0], 4, entry=[0, 0, 3]) == pytest.approx(1 / 2)


rows = st.lists(
    st.tuples(st.integers(0, 8), st.sampled_from([0, 1, 2]), st.integers(0, 4), st.integers(1, 6)),
    min_size=1,
    max_size=30,
)


@settings(max_examples=150, deadline=None)
@given(rows)
def test_fast_counts_are_those_of_all_pairs(drawn: list[tuple[int, int, int, int]]) -> None:
    days, event, risk, late = (np.array(column, dtype=np.float64) for column in zip(*drawn, strict=True))
    entry = np.maximum(days - late, 0)
    assert_same(harrell_c(days, event, risk), pairs(days, event, risk, np.full(len(days), -1.0)))
    assert_same(harrell_c(days, event, risk, entry), pairs(days, event, risk, entry))
    g = followed_to(days, event.astype(int), days)
    assert_same(uno_c(days, event, risk, tau=5), pairs(days, event, risk, np.full(len(days), -1.0), g=g, tau=5))
    bad, weight = outcomes_at(days, event, 5)
    assert_same(auc(bad, risk, weight), all_pairs_auc(bad, risk, weight))


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 9), st.floats(0.1, 3)), max_size=20),
    st.lists(st.tuples(st.integers(0, 20), st.integers(0, 11)), max_size=10),
)
def test_weight_below_is_a_sum(drawn: list[tuple[int, float]], asked: list[tuple[int, int]]) -> None:
    values = np.array([value for value, _ in drawn], dtype=np.int64)
    weights = np.array([weight for _, weight in drawn], dtype=np.float64)
    first = np.array([min(count, len(drawn)) for count, _ in asked], dtype=np.int64)
    limit = np.array([value for _, value in asked], dtype=np.int64)
    by_hand = [weights[:n][values[:n] < top].sum() for n, top in zip(first, limit, strict=True)]
    assert weight_below(values, weights, first, limit) == pytest.approx(by_hand)


def assert_same(one: float, other: float) -> None:
    assert (np.isnan(one) and np.isnan(other)) or one == pytest.approx(other, abs=1e-12)


def pairs(days: Any, event: Any, risk: Any, entry: Any, *, g: Any = None, tau: float = np.inf) -> float:
    """Look at every pair: i has the event; j is at risk then, or was deleted before it (and can never have it)."""
    top = bottom = 0.0
    for i in range(len(days)):
        if event[i] != 1 or days[i] > tau or entry[i] >= days[i]:
            continue
        for j in range(len(days)):
            if entry[j] >= days[j]:
                continue
            gone = event[j] == 2 and days[j] < days[i]
            beyond = days[j] > days[i] or (days[j] == days[i] and event[j] != 1)
            if entry[j] >= days[i] or not (gone or beyond):
                continue
            weight = 1.0 if g is None else 1 / (g[i] * (g[j] if gone else g[i]))
            bottom += weight
            top += weight * ((risk[i] > risk[j]) + (risk[i] == risk[j]) / 2)
    return top / bottom if bottom else np.nan


def all_pairs_auc(bad: Any, risk: Any, weight: Any) -> float:
    if np.isnan(weight).any():
        return np.nan
    cases, controls = (bad & (weight > 0)), (~bad & (weight > 0))
    mass = np.outer(weight[cases], weight[controls])
    above = risk[cases][:, None] - risk[controls][None, :]
    return float((mass * ((above > 0) + (above == 0) / 2)).sum() / mass.sum()) if mass.size else np.nan

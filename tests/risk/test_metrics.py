"""Concordance, scores of a horizon and calibration: by hand, by R, by brute force, and where nothing can be told."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, logit

from tests.builders.profiles import examples, several
from tests.builders.refusals import assert_refused
from tests.oracles.km_rossi import expected, rossi
from toolkit.risk.calibration import calibration
from toolkit.risk.metrics import auc, brier, harrell_c, log_loss, outcomes_at, reference_risk, uno_c

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
    for name in ("slope", "slope.se", "intercept", "intercept.se", "ici"):
        assert getattr(found, name.replace(".", "_")) == pytest.approx(r[name], abs=1e-6), name
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


@pytest.mark.fault(85)
def test_nothing_can_be_told_is_missing_not_an_error() -> None:
    """No comparable pair, one class, nobody at all."""
    nothing: list[float] = []
    told = {
        "no event": harrell_c([3, 4], [0, 0], [0.1, 0.2]),
        "all at once": harrell_c([3, 3], [1, 1], [0.1, 0.2]),
        "never at risk together": harrell_c([1, 9], [1, 1], [0.1, 0.2], [0, 5]),
        "no event by tau": uno_c([3, 4], [1, 1], [0.1, 0.2], tau=2),
        "one class": auc([True, True], [0.1, 0.2]),
        "nobody followed so long": reference_risk([5, 6], [1, 0], 90),
        "harrell of nobody": harrell_c(nothing, nothing, nothing),
        "uno of nobody": uno_c(nothing, nothing, nothing),
    } | {f"{score.__name__} of nobody": score(nothing, nothing) for score in (auc, brier, log_loss)}
    assert {name: value for name, value in told.items() if not np.isnan(value)} == {}
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


@pytest.mark.fault(80)
def test_a_slope_that_runs_away_is_missing() -> None:
    """Equal risks and risks that separate the outcomes, quasi-separation included."""
    for risk in ([0.3, 0.3, 0.3, 0.3], [0.1, 0.2, 0.8, 0.9], [0.2, 0.2, 0.2, 0.9]):
        found = calibration([False, False, True, True], risk)
        assert (np.isfinite(found.slope), np.isfinite(found.intercept)) == (False, True), risk
        assert "slope not estimable" in repr(found)


def test_calibration_finds_what_was_planted() -> None:
    rng = np.random.default_rng(7)
    n, near = several(40_000, 200_000), several(8, 4) / 1_000
    truth = expit(rng.normal(-1, 1.2, n))
    bad = rng.random(n) < truth
    for a, b in ((0.0, 1.0), (0.4, 1.0), (0.0, 0.6)):
        found = calibration(bad, expit((logit(truth) - a) / b))
        assert abs(found.slope - b) < 4 * found.slope_se
        assert found.slope_lower < found.slope < found.slope_upper
        assert b != 1 or abs(found.intercept - a) < 4 * found.intercept_se
        gap = np.abs(truth - expit((logit(truth) - a) / b)).mean()
        assert found.ici == pytest.approx(gap, abs=near)
    good = calibration(bad, truth)
    inside = (good.curve["lower"] <= good.curve["predicted"]) & (good.curve["predicted"] <= good.curve["upper"])
    assert inside.sum() >= 8


def test_a_slope_covers_one_at_the_stated_rate() -> None:
    rng = np.random.default_rng(3)
    draws, covered = several(40, 200), 0
    for _ in range(draws):
        truth = expit(rng.normal(-1, 1, 1_000))
        found = calibration(rng.random(1_000) < truth, truth)
        covered += found.slope_lower <= 1 <= found.slope_upper
    assert 0.90 <= covered / draws <= 0.99


def test_censoring_weights_undo_censoring() -> None:
    rng = np.random.default_rng(11)
    n, near = several(50_000, 100_000), several(7, 5) / 1_000
    score = rng.normal(size=n)
    days = rng.exponential(80 * np.exp(-score))
    left = rng.exponential(120, n)
    truth = 1 - np.exp(-60 / (80 * np.exp(-score)))
    whole = days <= 60
    bad, weight = outcomes_at(np.minimum(days, left), days <= left, 60)
    for measure in (brier, log_loss, auc):
        assert measure(bad, truth, weight) == pytest.approx(measure(whole, truth), abs=near)
    assert calibration(bad, truth, weight).slope == pytest.approx(1, abs=0.03)
    assert uno_c(np.minimum(days, left), days <= left, score, tau=60) == pytest.approx(
        uno_c(days, np.ones(n), score, tau=60), abs=near
    )
    assert calibration(bad, truth, weight).observed == pytest.approx(whole.mean(), abs=near)
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


def test_what_is_not_a_forecast_is_refused() -> None:
    assert_refused(
        {
            "days below 0": (lambda: harrell_c([-1, 2], [1, 0], [0.1, 0.2]), "duration-negative:"),
            "no code of an event": (lambda: harrell_c([1, 2], [1, 3], [0.1, 0.2]), "event:"),
            "no days": (lambda: harrell_c([1, np.nan], [1, 0], [0.1, 0.2]), "duration-missing:"),
            "no risk": (lambda: harrell_c([1, 2], [1, 0], [0.1, np.nan]), "risk-missing:"),
            "one risk of two": (lambda: harrell_c([1, 2], [1, 0], [0.1]), "length:"),
            "enters after it left": (lambda: harrell_c([1, 2], [1, 0], [0.1, 0.2], [0, 3]), "entry-late:"),
            "a percentage": (lambda: brier([True], [30]), "risk-range:"),
            "two weights of one": (lambda: brier([True], [0.3], [1, 1]), "length:"),
            "no such event": (lambda: outcomes_at([1], [1], 3, bad="order"), "bad:"),  # type: ignore[arg-type]  # refused
        }
    )


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


@examples(dev=60, ci=150)
@given(rows)
def test_fast_counts_are_those_of_all_pairs(drawn: list[tuple[int, int, int, int]]) -> None:
    days, event, risk, late = (np.array(column, dtype=np.float64) for column in zip(*drawn, strict=True))
    entry = np.maximum(days - late, 0)
    assert_same(harrell_c(days, event, risk), pairs(days, event, risk, np.full(len(days), -1.0)))
    assert_same(harrell_c(days, event, risk, entry), pairs(days, event, risk, entry))
    g = np.array([not_censored_before(day, days, event) for day in days])
    assert_same(uno_c(days, event, risk, tau=5), pairs(days, event, risk, np.full(len(days), -1.0), g=g, tau=5))
    bad, weight = outcomes_at(days, event, 5)
    assert_same(auc(bad, risk, weight), all_pairs_auc(bad, risk, weight))


def assert_same(one: float, other: float) -> None:
    assert (np.isnan(one) and np.isnan(other)) or one == pytest.approx(other, abs=1e-12)


def not_censored_before(day: float, days: Any, event: Any) -> float:
    """Multiply the shares that stay on each day before: events of a day leave before those who are censored on it."""
    share = 1.0
    for one in np.unique(days[(event == 0) & (days < day)]):
        left = ((days == one) & (event == 0)).sum()
        share *= 1 - left / ((days > one).sum() + left)
    return share


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

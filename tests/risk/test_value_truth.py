"""Known truth: buyers who do what the models say, and what the models then find and foresee."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import toolkit as tk
from tests.builders.buyers import Buyers, P, Q, V, simulated
from tests.builders.profiles import several
from toolkit.risk.beta_geo_forecast import BetaGeoForecast
from toolkit.risk.histories import histories
from toolkit.risk.value import value_total

pytestmark = pytest.mark.xdist_group("known values")

TRUTH = {"r": 0.6, "alpha": 240.0, "a": 0.8, "b": 2.5}
"""In days so short, beside the time between orders, that merging orders of a day moves nothing."""
DAYS, AHEAD, UNIT = 2_920, 700, 28


def drawn(n: int, seed: int, future: int = 0) -> Buyers:
    return simulated(n, seed, days=DAYS, future=future, **TRUTH)


def covers(table: pd.DataFrame, name: str, truth: float) -> bool:
    """Say whether the interval of a row holds the truth."""
    return bool(table["lower"][name] <= truth <= table["upper"][name])


@pytest.fixture(scope="module")
def buyers() -> Buyers:
    return drawn(several(20_000, 40_000), seed=2005, future=AHEAD)


@pytest.fixture(scope="module")
def model(buyers: Buyers) -> tk.BetaGeo:
    return tk.BetaGeo(unit_days=UNIT).fit(buyers.snapshot)


def test_parameters_lie_within_three_standard_errors_of_the_truth(model: tk.BetaGeo) -> None:
    truth = pd.Series({**TRUTH, "alpha": TRUTH["alpha"] / UNIT})
    errors = np.sqrt(np.diag(model.covariance_))
    away = (np.log(model.params_["value"]) - np.log(truth[model.params_.index])) / errors
    assert (away.abs() < 3).all(), away
    assert [check.status for check in model.checks_] == ["passed"] * 3


def test_intervals_of_parameters_and_totals_cover_the_truth() -> None:
    """Studies of 1,500 customers; 95 % intervals cover in 87 % or more (of 120 four binomial standard errors)."""
    studies = several(20, 120)
    covered = dict.fromkeys((*TRUTH, "p", "total"), 0)
    for seed in range(studies):
        snap = drawn(1_500, seed).snapshot
        fitted, spend = tk.BetaGeo(unit_days=UNIT).fit(snap), tk.GammaGamma().fit(snap)
        assert fitted.served_ == "bg_nbd"
        for name, truth in TRUTH.items():
            covered[name] += covers(fitted.params_, name, truth / UNIT if name == "alpha" else truth)
        covered["p"] += covers(spend.params_, "p", P)
        true = BetaGeoForecast(np.log([*TRUTH.values()]), np.zeros((4, 4)), 1)
        expected = true.orders(histories(snap), AHEAD, given_active=False).sum()
        covered["total"] += covers(value_total(snap, fitted, spend, days=AHEAD), "orders", float(expected))
    assert all(count >= several(75, 87) / 100 * studies for count in covered.values()), covered


def by_forecast(forecast: pd.Series[float], fact: np.ndarray, groups: int = 10) -> pd.DataFrame:
    """Return mean forecast, mean fact and its standard error, in groups by forecast."""
    order = forecast.rank(method="first")
    each = pd.DataFrame({"forecast": forecast, "fact": fact})
    found = each.groupby(pd.qcut(order, groups, labels=False))
    table = found.mean()
    table["error"] = found["fact"].std() / np.sqrt(found.size())
    return table


def calibrated(forecast: pd.Series[float], fact: np.ndarray) -> None:
    """Assert that each tenth is right to four standard errors and all together to 3."""
    table = by_forecast(forecast, fact)
    off = (table["forecast"] - table["fact"]).abs()
    assert (off <= 4 * table["error"] + 1e-9).all(), table
    error = fact.std() / np.sqrt(len(fact))
    assert abs(forecast.mean() - fact.mean()) < 3 * error, (forecast.mean(), fact.mean(), error)


def test_p_alive_is_the_share_that_is_alive(buyers: Buyers, model: tk.BetaGeo) -> None:
    calibrated(model.p_alive(buyers.snapshot), buyers.active.astype(float))


@pytest.mark.parametrize("days", [60, AHEAD])
def test_expected_orders_and_probability_are_those_of_the_future(buyers: Buyers, model: tk.BetaGeo, days: int) -> None:
    """Of all, and given that they are still there, of those who are."""
    made = buyers.made(days).astype(float)
    for there in (np.ones(len(made), dtype=bool), buyers.active):
        known = not there.all()
        calibrated(model.expected_orders(buyers.snapshot, days, given_active=known)[there], made[there])
        chance = model.orders_probability(buyers.snapshot, days, given_active=known)[there]
        calibrated(chance, (made[there] > 0).astype(float))


def test_cumulative_orders_are_those_that_were_made(buyers: Buyers, model: tk.BetaGeo) -> None:
    days = np.arange(400, DAYS + AHEAD, 400)
    expected = model.expected_orders_to(days)
    first = DAYS - buyers.snapshot["tenure_days"].max()
    made = [(np.ceil(buyers.at) <= first + day).sum() for day in days]
    assert expected["expected"].to_numpy() == pytest.approx(made, rel=0.03)
    assert ((expected["lower"] < made) & (made < expected["upper"])).mean() >= 0.5


def test_gamma_gamma_finds_its_parameters_and_values(buyers: Buyers) -> None:
    model = tk.GammaGamma().fit(buyers.snapshot)
    away = (np.log(model.params_["value"]) - np.log([P, Q, V])) / np.sqrt(np.diag(model.covariance_))
    assert (away.abs() < 3).all(), away
    assert model.independence_.status == "passed"
    calibrated(model.expected_value(buyers.snapshot), buyers.value)

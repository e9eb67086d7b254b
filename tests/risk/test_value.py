"""BG/NBD, Gamma-Gamma and customer value: by hand, against 60-digit numbers, and by property."""

from __future__ import annotations

import json
import warnings
from math import exp, lgamma, log
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

import toolkit as tk
from tests.builders.buyers import simulated
from toolkit.risk.beta_geo_forecast import BetaGeoForecast, orders_if_active, p_alive
from toolkit.risk.beta_geo_likelihood import BetaGeoLikelihood
from toolkit.risk.cohort_value import cohort_table
from toolkit.risk.gamma_gamma_likelihood import GammaGammaLikelihood
from toolkit.risk.histories import Histories, histories
from toolkit.risk.holdout import held_out, holdout, made_between
from toolkit.risk.tracking import track
from toolkit.risk.value import BetaGeo, GammaGamma, customer_value, value_total

if TYPE_CHECKING:
    from numpy.typing import NDArray

ORACLE = json.loads((Path(__file__).parents[1] / "oracles" / "value_beta_geo.json").read_text("ascii"))


@pytest.fixture(scope="module")
def snap() -> pd.DataFrame:
    """Return 3,000 simulated buyers and two never-buyers."""
    frame = simulated(3_000, seed=11).snapshot
    never = {"order_days": 0, "repeat_spend": 0.0}
    return pd.concat([frame, pd.DataFrame([never, never], index=["N1", "N2"])])


@pytest.fixture(scope="module")
def orders(snap: pd.DataFrame) -> BetaGeo:
    return BetaGeo().fit(snap)


@pytest.fixture(scope="module")
def spend(snap: pd.DataFrame) -> GammaGamma:
    return GammaGamma().fit(snap)


def frame(rows: list[tuple[int, int, int]]) -> pd.DataFrame:
    """Return a snapshot of order days, last one and tenure, days."""
    days, last, tenure = (np.array(part) for part in zip(*rows, strict=True))
    return pd.DataFrame({"order_days": days, "recency_days": tenure - last, "tenure_days": tenure})


def logs_of(case: dict[str, float]) -> NDArray[np.float64]:
    return np.log([case[name] for name in ("r", "alpha", "a", "b")])


def ids_of_case(case: dict[str, float]) -> str:
    return f"x={case['x']}, T={case['tenure_days']}d, t={case['time']:.3g}"


# --- histories ---------------------------------------------------------------------------------------------------


def test_the_first_order_day_is_no_repeat_and_recency_counts_back_from_today() -> None:
    found = histories(frame([(3, 35, 40), (1, 0, 30)]))
    assert (found.repeats.tolist(), found.last.tolist(), found.tenure.tolist()) == ([2, 0], [35, 0], [40, 30])


def test_dates_say_the_same_as_recency() -> None:
    dates = pd.DataFrame(
        {
            "order_days": [3, 1, 0],
            "first_order_date": pd.to_datetime(["2026-01-01", "2026-01-11", ""]),
            "last_order_date": pd.to_datetime(["2026-02-05", "2026-01-11", ""]),
            "tenure_days": [40.0, 30.0, np.nan],
        }
    )
    found = histories(dates)
    assert found.last.tolist() == [35, 0]
    assert found.buyers.tolist() == [0, 1]


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 9), st.integers(0, 400)), min_size=1, max_size=50))
def test_distinct_histories_expand_to_all_and_counts_add_up(rows: list[tuple[int, int, int]]) -> None:
    found = histories(frame([(x + 1, x + more if x else 0, x + more + idle) for x, more, idle in rows]))
    different, which = found.distinct()
    for name in ("repeats", "last", "tenure"):
        assert getattr(different, name)[which].tolist() == getattr(found, name).tolist()
    counted, counts = found.counted()
    assert counts.sum() == len(rows)
    assert counts.tolist() == np.bincount(which).tolist()
    assert counted.last.tolist() == different.last.tolist()


# --- BG/NBD ------------------------------------------------------------------------------------------------------


def plain_log_likelihood(theta: list[float], x: int, last: float, tenure: float) -> float:
    """Return equation 6 of Fader, Hardie and Lee (2005) for one customer, as it is printed."""
    r, alpha, a, b = theta
    first = lgamma(r + x) + r * log(alpha) - lgamma(r)
    second = lgamma(a + b) + lgamma(b + x) - lgamma(b) - lgamma(a + b + x)
    third = (1 / (alpha + tenure)) ** (r + x)
    fourth = a / (b + x - 1) * (1 / (alpha + last)) ** (r + x) if x else 0.0
    return first + second + log(third + fourth)


@pytest.mark.parametrize("theta", [[0.25, 4.4, 0.8, 2.4], [3.0, 20.0, 0.1, 9.0]])
def test_log_likelihood_is_the_printed_one_summed_over_customers(theta: list[float]) -> None:
    rows = [(1, 0, 30), (1, 0, 0), (2, 14, 30), (2, 14, 30), (2, 30, 30), (9, 100, 365), (1, 0, 365)]
    found, counts = histories(frame(rows)).counted()
    value = BetaGeoLikelihood(found, counts, 7)(np.log(theta))[0]
    expected = sum(plain_log_likelihood(theta, days - 1, last / 7, tenure / 7) for days, last, tenure in rows)
    assert value == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("case", ORACLE, ids=ids_of_case)
def test_forecasts_and_likelihood_agree_with_the_published_formulas_in_60_digits(case: dict[str, float]) -> None:
    x, last, tenure = (np.array([case[name]], dtype=np.int64) for name in ("x", "last_days", "tenure_days"))
    found = Histories(np.array([0]), x, last, tenure)
    value = BetaGeoLikelihood(found, np.array([1]), 7)(logs_of(case))[0]
    assert value == pytest.approx(case["log_likelihood"], rel=1e-11, abs=1e-11)
    model = BetaGeoForecast(logs_of(case), np.zeros((4, 4)), 7)
    assert model.p_alive(found)[0] == pytest.approx(case["p_alive"], rel=1e-11)
    active = model.orders(found, case["time"] * 7, given_active=True)[0]
    assert active == pytest.approx(case["orders_if_active"], rel=1e-10)
    expected = model.orders(found, case["time"] * 7, given_active=False)[0]
    assert expected == pytest.approx(case["orders_if_active"] * case["p_alive"], rel=1e-10)


def finite_differences(evaluate: Any, logs: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    steps = np.eye(len(logs)) * 1e-5
    return (
        np.array([(evaluate(logs + step)[0] - evaluate(logs - step)[0]) / 2e-5 for step in steps]),
        np.array([(evaluate(logs + step)[1] - evaluate(logs - step)[1]) / 2e-5 for step in steps]),
    )


rows_of_buyers = st.lists(
    st.tuples(st.integers(0, 6), st.integers(0, 200), st.integers(0, 200)), min_size=1, max_size=9
)


@settings(max_examples=40, deadline=None)
@given(rows_of_buyers, st.lists(st.floats(-1.5, 2.0), min_size=4, max_size=4))
def test_bg_nbd_gradient_and_hessian_are_those_of_the_likelihood(
    rows: list[tuple[int, int, int]], logs: list[float]
) -> None:
    found = histories(frame([(x + 1, x + more if x else 0, x + more + idle) for x, more, idle in rows])).counted()
    likelihood, at = BetaGeoLikelihood(*found, 7), np.array(logs)
    _, gradient, hessian = likelihood(at)
    slopes, bends = finite_differences(likelihood, at)
    assert gradient == pytest.approx(slopes, rel=1e-5, abs=1e-5)
    assert hessian == pytest.approx(bends, rel=1e-5, abs=1e-5)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-14, 14), min_size=4, max_size=4))
def test_likelihoods_are_finite_wherever_a_search_can_go(logs: list[float]) -> None:
    at = np.array(logs)
    found = histories(frame([(1, 0, 0), (1, 0, 3_000), (2, 1, 3_000), (9, 400, 400), (900, 2_000, 3_000)])).counted()
    money = GammaGammaLikelihood(np.array([1, 2, 900]), np.array([1e-6, 2.0, 1e6]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        parts = [np.asarray(part) for part in (*BetaGeoLikelihood(*found, 7)(at), *money(at[:3]))]
    assert all(np.isfinite(part).all() for part in parts)


def test_a_fit_proves_its_maximum(orders: BetaGeo, snap: pd.DataFrame) -> None:
    assert orders.served_ == "bg_nbd"
    assert orders.table_ is None
    assert [check.status for check in orders.checks_] == ["passed"] * 3
    assert orders.gradient_norm_ < 1e-8
    assert (np.linalg.eigvalsh(orders.covariance_) > 0).all()
    assert orders.n_customers_ == 3_000
    found = histories(snap).counted()
    likelihood = BetaGeoLikelihood(*found, 7)
    best = np.log(orders.params_["value"].to_numpy())
    rng = np.random.default_rng(1)
    assert all(likelihood(best + rng.normal(0, 0.05, 4))[0] < orders.log_likelihood_ for _ in range(50))
    information = -likelihood(best)[2]
    assert np.linalg.inv(information) == pytest.approx(orders.covariance_.to_numpy(), rel=1e-6)
    errors = np.sqrt(np.diag(orders.covariance_)) * orders.params_["value"]
    assert orders.params_["standard_error"].to_numpy() == pytest.approx(errors.to_numpy())
    assert (orders.params_["lower"] < orders.params_["value"]).all()
    assert (orders.params_["value"] < orders.params_["upper"]).all()


def test_neither_order_nor_ids_nor_never_buyers_nor_repeating_rows_matter(snap: pd.DataFrame, orders: BetaGeo) -> None:
    shuffled = snap.dropna().sample(frac=1, random_state=3)
    again = BetaGeo().fit(shuffled.set_axis(range(len(shuffled)), axis="index"))
    pd.testing.assert_frame_equal(again.params_, orders.params_, rtol=0, atol=0)
    pd.testing.assert_frame_equal(
        orders.forecast(shuffled).sort_index(), orders.forecast(snap).loc[shuffled.index].sort_index()
    )


def test_the_unit_of_time_changes_alpha_alone(snap: pd.DataFrame, orders: BetaGeo) -> None:
    daily = BetaGeo(unit_days=1).fit(snap)
    ratio = daily.params_["value"] / orders.params_["value"]
    assert ratio.to_numpy() == pytest.approx([1, 7, 1, 1], rel=1e-6)
    assert daily.forecast(snap, 45).to_numpy() == pytest.approx(
        orders.forecast(snap, 45).to_numpy(), rel=1e-6, nan_ok=True
    )


def test_a_business_with_few_repeats_in_a_long_time_is_fitted_in_any_unit() -> None:
    """Of 50,000 buyers followed for three years, one in seven orders again: alpha is in the thousands of days."""
    rare = simulated(50_000, seed=2, days=1_095, r=0.8, alpha=3_000.0, a=1.0, b=3.0).snapshot
    models = [BetaGeo(unit_days=unit).fit(rare) for unit in (0.1, 1, 365)]
    assert {model.served_ for model in models} == {"bg_nbd"}
    likelihoods = [
        model.log_likelihood_ + (rare["order_days"] - 1).sum() * np.log(1 / model.unit_days) for model in models
    ]
    assert likelihoods == pytest.approx([likelihoods[0]] * 3, rel=1e-9)
    forecasts = [model.expected_orders(rare, 90).sum() for model in models]
    assert forecasts == pytest.approx([forecasts[0]] * 3, rel=1e-9)


def test_never_buyers_are_missing_and_one_time_buyers_are_alive(snap: pd.DataFrame, orders: BetaGeo) -> None:
    table = orders.forecast(snap)
    assert table.loc[["N1", "N2"]].isna().all(axis=None)
    assert table.drop(index=["N1", "N2"]).notna().all(axis=None)
    assert (table.loc[snap["order_days"] == 1, ["p_alive", "p_alive_lower", "p_alive_upper"]] == 1).all(axis=None)


def test_forecasts_hang_together(snap: pd.DataFrame, orders: BetaGeo) -> None:
    table, chance = orders.forecast(snap, 60), orders.orders_probability(snap, 60)
    active = orders.orders_probability(snap, 60, given_active=True)
    bought = snap["order_days"] > 0
    expected = table["expected_orders"]
    pd.testing.assert_series_equal(expected, orders.expected_orders(snap, 60))
    pd.testing.assert_series_equal(table["p_alive"], orders.p_alive(snap))
    assert expected[bought].to_numpy() == pytest.approx(
        (table["expected_orders_given_active"] * table["p_alive"])[bought].to_numpy()
    )
    assert chance[bought].to_numpy() == pytest.approx((active * table["p_alive"])[bought].to_numpy())
    assert (chance[bought] < expected[bought]).all()
    assert chance[bought].between(0, 1).all()
    assert (orders.expected_orders(snap, 61)[bought] > expected[bought]).all()
    for name in ("p_alive", "expected_orders", "expected_orders_given_active"):
        assert (table[f"{name}_lower"] <= table[name])[bought].all()
        assert (table[name] <= table[f"{name}_upper"])[bought].all()


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(-2.3, 3.0), min_size=4, max_size=4),
    st.integers(0, 60),
    st.floats(0, 300),
    st.floats(0, 1),
    st.floats(0.1, 150),
)
def test_expected_orders_lie_between_their_bounds(
    logs: list[float], x: int, tenure: float, share: float, time: float
) -> None:
    at, repeats, since = np.array(logs), np.array([x]), np.array([tenure])
    r, alpha, a, b = np.exp(at)
    expected = orders_if_active(at, repeats, since, time)[0]
    never_leaves = (r + x) / (alpha + tenure) * time
    assert 0 < expected <= never_leaves * (1 + 1e-9)
    if a > 1:
        assert expected <= (a + b + x - 1) / (a - 1) * (1 + 1e-9)
    assert 0 <= p_alive(at, repeats.astype(float), since * share, since)[0] <= 1
    two_parts = orders_if_active(at, repeats, since, np.array([time / 2]))[0]
    assert two_parts < expected < 2 * two_parts * (1 + 1e-9)


def test_expected_orders_to_sum_each_buyer_from_the_own_first_day(orders: BetaGeo, snap: pd.DataFrame) -> None:
    table = orders.expected_orders_to([0, 50, 400])
    logs = np.log(orders.params_["value"].to_numpy())
    tenure = snap["tenure_days"].dropna().to_numpy()
    for day in (50, 400):
        ages = np.maximum(day - (tenure.max() - tenure), 0) / 7
        one = [orders_if_active(logs, np.array([0]), np.zeros(1), age)[0] for age in np.unique(ages)]
        expected = float(np.array(one)[np.unique(ages, return_inverse=True)[1]].sum())
        assert table.loc[day, "expected"] == pytest.approx(expected, rel=1e-9)
    assert table.iloc[0].tolist() == [0, 0, 0]
    assert (table["lower"] <= table["expected"]).all()


def test_the_delta_method_agrees_with_draws_of_the_parameters(orders: BetaGeo, snap: pd.DataFrame) -> None:
    """Half widths on the logarithm against 600 draws: within a tenth."""
    few = snap.dropna().sort_values("order_days").iloc[[0, -1, -40, -300]]
    rng = np.random.default_rng(5)
    logs = np.log(orders.params_["value"].to_numpy())
    draws = rng.multivariate_normal(logs, orders.covariance_, 600)
    found = histories(few)
    made = [BetaGeoForecast(one, np.zeros((4, 4)), 7).orders(found, 90, given_active=False) for one in draws]
    spread = np.log(made).std(axis=0)
    table = orders.forecast(few, 90)
    ours = np.log((table["expected_orders_upper"] / table["expected_orders"]).to_numpy()) / 1.959964
    assert ours == pytest.approx(spread, rel=0.1)


def test_an_estimator_keeps_scikit_learns_manners(snap: pd.DataFrame) -> None:
    assert clone(BetaGeo(unit_days=30)).unit_days == 30
    assert clone(GammaGamma()).get_params() == {}
    with pytest.raises(NotFittedError):
        BetaGeo().p_alive(snap)
    with pytest.raises(NotFittedError):
        GammaGamma().expected_value(snap)


# --- Gamma-Gamma -------------------------------------------------------------------------------------------------


def test_gamma_gamma_likelihood_is_the_printed_one() -> None:
    p, q, v = 6.0, 3.7, 15.0
    x, mean = np.array([1, 2, 2, 7]), np.array([10.0, 31.0, 5.0, 44.0])
    expected = sum(
        lgamma(p * n + q) - lgamma(p * n) - lgamma(q) + q * log(v) + (p * n - 1) * log(m) + p * n * log(n)
        - (p * n + q) * log(n * m + v)
        for n, m in zip(x, mean, strict=True)
    )  # fmt: skip
    assert GammaGammaLikelihood(x, x * mean)(np.log([p, q, v]))[0] == pytest.approx(expected, rel=1e-12)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 9), st.floats(0.1, 20)), min_size=1, max_size=9),
    st.lists(st.floats(-1.0, 2.0), min_size=3, max_size=3),
)
def test_gamma_gamma_gradient_and_hessian_are_those_of_the_likelihood(
    rows: list[tuple[int, float]], logs: list[float]
) -> None:
    x, spend = (np.array(part) for part in zip(*rows, strict=True))
    likelihood, at = GammaGammaLikelihood(x, spend), np.array(logs)
    _, gradient, hessian = likelihood(at)
    slopes, bends = finite_differences(likelihood, at)
    assert gradient == pytest.approx(slopes, rel=1e-5, abs=1e-5)
    assert hessian == pytest.approx(bends, rel=1e-5, abs=1e-5)


def test_expected_value_is_between_the_own_mean_and_that_of_all(spend: GammaGamma, snap: pd.DataFrame) -> None:
    value = spend.forecast(snap)
    p, q, v = spend.params_["value"]
    of_all = p * v / (q - 1)
    assert value.loc[snap["order_days"] == 1, "expected_value"].to_numpy() == pytest.approx(of_all)
    again = snap[snap["order_days"] > 1]
    own = again["repeat_spend"] / (again["order_days"] - 1)
    between = value.loc[again.index, "expected_value"].between(np.minimum(own, of_all), np.maximum(own, of_all))
    assert between.all()
    assert value.loc[["N1", "N2"]].isna().all(axis=None)
    by_hand = p * (v + 400.0) / (p * 4 + q - 1)
    someone = pd.DataFrame({"order_days": [5], "repeat_spend": [400.0]})
    assert spend.expected_value(someone).tolist() == pytest.approx([by_hand])


def test_money_in_another_unit_changes_nothing_but_the_unit(snap: pd.DataFrame, orders: BetaGeo) -> None:
    cents = snap.assign(repeat_spend=snap["repeat_spend"] * 1e6)
    one, other = (customer_value(frame, orders, GammaGamma().fit(frame)) for frame in (snap, cents))
    money = [name for name in one.columns if "spend" in name or "value" in name]
    assert (other[money] / one[money]).dropna().to_numpy() == pytest.approx(1e6, rel=1e-9)
    pd.testing.assert_frame_equal(one.drop(columns=money), other.drop(columns=money))


def test_independence_is_a_rank_correlation_with_an_interval() -> None:
    rng = np.random.default_rng(2)
    days = rng.integers(2, 12, 3_000)
    free = pd.DataFrame({"order_days": days, "repeat_spend": (days - 1) * rng.gamma(5, 10, 3_000)})
    bound = free.assign(repeat_spend=(days - 1) * days * rng.gamma(5, 10, 3_000))
    calm, warned = GammaGamma().fit(free), GammaGamma().fit(bound)
    assert calm.independence_.status == "passed"
    assert warned.independence_.status == "failed"
    assert "frequent buyers pay more" in warned.independence_.message
    rho, lower, upper = calm.correlation_
    assert lower < rho < upper
    value = free["repeat_spend"] / (free["order_days"] - 1)
    assert rho == pytest.approx(free["order_days"].corr(value, method="spearman"))
    assert upper - lower == pytest.approx(2 * 1.96 / np.sqrt(3_000), rel=0.02)


# --- customer value ----------------------------------------------------------------------------------------------


def test_customer_value_is_orders_times_value_with_both_uncertainties(
    snap: pd.DataFrame, orders: BetaGeo, spend: GammaGamma
) -> None:
    value = customer_value(snap, orders, spend, days=60)
    ahead, worth = orders.forecast(snap, 60), spend.forecast(snap)
    bought = snap["order_days"] > 0
    assert value.loc[~bought].isna().all(axis=None)
    assert value.attrs["served"] == ("bg_nbd", "gamma_gamma")
    product = (ahead["expected_orders"] * worth["expected_value"])[bought]
    assert value.loc[bought, "expected_spend"].to_numpy() == pytest.approx(product.to_numpy())
    width = np.log((value["expected_spend_upper"] / value["expected_spend"])[bought].to_numpy())
    parts = [
        np.log((ahead["expected_orders_upper"] / ahead["expected_orders"])[bought].to_numpy()),
        np.log((worth["expected_value_upper"] / worth["expected_value"])[bought].to_numpy()),
    ]
    assert width == pytest.approx(np.hypot(*parts))
    assert (value["expected_spend"] <= value["expected_spend_given_active"])[bought].all()


def test_totals_are_sums_and_their_interval_knows_that_customers_share_the_parameters(
    snap: pd.DataFrame, orders: BetaGeo, spend: GammaGamma
) -> None:
    value, total = customer_value(snap, orders, spend), value_total(snap, orders, spend)
    assert total.loc["orders", "expected"] == pytest.approx(value["expected_orders"].sum())
    assert total.loc["spend", "expected"] == pytest.approx(value["expected_spend"].sum())
    rng = np.random.default_rng(8)
    found = histories(snap)
    ours, other = np.log(orders.params_["value"]), np.log(spend.params_["value"])
    money = np.array([snap["repeat_spend"][:3_000], snap["order_days"][:3_000] - 1])
    drawn = []
    for one, two in zip(
        rng.multivariate_normal(ours, orders.covariance_, 300),
        rng.multivariate_normal(other, spend.covariance_, 300),
        strict=True,
    ):
        made = BetaGeoForecast(one, np.zeros((4, 4)), 7).orders(found, 90, given_active=False)
        p, q, v = np.exp(two)
        drawn.append((made.sum(), (made * p * (v + money[0]) / (p * money[1] + q - 1)).sum()))
    spread = np.log(drawn).std(axis=0)
    assert np.log((total["upper"] / total["expected"]).to_numpy()) / 1.959964 == pytest.approx(spread, rel=0.15)


# --- the table that serves where no model does -------------------------------------------------------------------


def test_a_table_of_the_past_divides_orders_by_days() -> None:
    """40 customers in two classes: one-time buyers of 100 days, and 4 repeats in 100 days; 80 repeats in 4,000 days."""
    found = cohort_table(frame([(1, 0, 100)] * 20 + [(5, 90, 100)] * 20), None)
    wait = 4_000 / 80.5
    rates = found.table["orders_per_day"]
    assert not found.observed
    assert rates.loc[(1, 91)] == pytest.approx(1 / (100 + wait))
    assert rates.loc[(5, 0)] == pytest.approx(5 / (100 + wait))
    assert found.table.loc[(5, 0), "customers"] == 20
    assert rates.loc[(3, 0)] == rates.loc[(5, 0)]
    assert found.table.loc[(1, 91), "error"] == pytest.approx(20.5**-0.5)


def test_a_table_with_an_earlier_snapshot_counts_what_followed() -> None:
    """Of 20 one-time buyers idle for 100 days, five order twice in the next 50 days: 10 orders in 1,000 days."""
    earlier = frame([(1, 0, 100)] * 20 + [(3, 80, 100)] * 20)
    later = frame([(3, 140, 150)] * 5 + [(1, 0, 150)] * 15 + [(4, 120, 150)] * 20)
    found = cohort_table(later, earlier)
    assert found.observed
    assert found.table.loc[(1, 91), "orders_per_day"] == pytest.approx(10 / 1_000)
    assert found.table.loc[(3, 0), "orders_per_day"] == pytest.approx(20 / 1_000)
    who = histories(earlier)
    assert found.orders(who, 30, given_active=False)[[0, 20]] == pytest.approx([0.3, 0.6])
    assert found.probability(who, 30, given_active=False)[0] == pytest.approx(1 - exp(-0.3))


# --- what followed -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def study() -> tk.Study:
    """Return a study of 400 simulated buyers over 500 days; an order is 10."""
    lines = simulated(400, seed=4, days=500, alpha=30.0).lines("2025-01-01", amount=10.0)
    return tk.Study.from_frames(lines, timezone="Asia/Shanghai", currency="CNY")


NEEDED = ["order_days", "recency_days", "tenure_days", "repeat_spend"]


def test_a_holdout_counts_order_days_and_money_after_the_models_day_only(study: tk.Study) -> None:
    at, later = study.snapshot("2025-12-31", NEEDED), study.snapshot("2026-03-31", NEEDED)
    models = BetaGeo().fit(at), GammaGamma().fit(at)
    found = holdout(study, *models, days=90, as_of="2026-03-31")
    bought = at.index[at["order_days"] > 0]
    made = later.loc[bought, "order_days"] - at.loc[bought, "order_days"]
    assert found.totals.loc["orders", "actual"] == made.sum()
    assert found.totals.loc["spend", "actual"] == pytest.approx(10 * made.sum())
    assert found.totals.loc["orders", "expected"] == pytest.approx(models[0].expected_orders(at, 90).sum())
    assert found.by_orders["customers"].sum() == len(bought)
    assert (found.by_orders["customers"] * found.by_orders["actual"]).sum() == pytest.approx(made.sum())
    assert f"{made.sum():,}" in found.sentence
    assert found.sentence in repr(found)
    assert "<table" in found._repr_html_()


def test_who_buys_first_in_the_holdout_is_not_counted() -> None:
    before = pd.DataFrame({"order_days": [2, 1, 0], "repeat_spend": [5.0, 0, 0]}, index=["a", "b", "c"])
    after = pd.DataFrame({"order_days": [3, 1, 4, 2], "repeat_spend": [12.0, 0, 40, 9]}, index=["a", "b", "c", "d"])
    made = made_between(before, after)
    assert made.index.tolist() == ["a", "b"]
    assert made["orders"].tolist() == [1, 0]
    assert made["spend"].tolist() == [7.0, 0.0]


def test_held_out_leaves_aside_who_is_not_in_both(snap: pd.DataFrame, orders: BetaGeo, spend: GammaGamma) -> None:
    made = pd.DataFrame({"orders": [1, 2], "spend": [10.0, 20.0]}, index=[*snap.index[:1], "stranger"])
    found = held_out(snap, made, orders, spend, days=30)
    assert found.totals["actual"].tolist() == [1.0, 10.0]
    assert found.by_orders["customers"].sum() == 1


def test_tracking_follows_the_models_buyers_through_its_day(study: tk.Study) -> None:
    at = study.snapshot("2025-12-31", NEEDED)
    model = BetaGeo().fit(at)
    table = track(study, model, "2026-04-30", every_weeks=8)
    day = table.set_index("day")
    assert pd.Timestamp("2025-12-31") in day.index
    assert day.loc["2025-12-31", "actual"] == (at["order_days"] - 1).clip(lower=0).sum()
    assert table["actual"].is_monotonic_increasing
    last = study.snapshot(table["day"].iloc[-1].date(), NEEDED).loc[at.index[at["order_days"] > 0], "order_days"]
    assert table["actual"].iloc[-1] == (last - 1).sum()
    assert table["forecast"].tolist() == (table["day"] > "2025-12-31").tolist()
    ages = (table["day"] - table["day"].iloc[0]).dt.days + round(7 * table.index[0])
    assert table["expected"].tolist() == model.expected_orders_to(ages)["expected"].tolist()
    assert (np.diff(table["day"]) == np.timedelta64(56, "D")).all()

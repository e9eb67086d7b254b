"""BG/NBD, Gamma-Gamma and customer value: by hand, against 60-digit numbers, and by property."""

from __future__ import annotations

import json
import warnings
from math import exp
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import gammaln
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

import toolkit as tk
from tests.builders.buyers import NEEDED, shop_of_buyers, simulated
from tests.builders.profiles import examples, several
from toolkit.risk.beta_geo_forecast import BetaGeoForecast, orders_if_active, p_alive
from toolkit.risk.beta_geo_likelihood import BetaGeoLikelihood
from toolkit.risk.cohort_value import cohort_table
from toolkit.risk.gamma_gamma_likelihood import GammaGammaLikelihood
from toolkit.risk.histories import Histories, histories
from toolkit.risk.holdout import held_out, holdout, made_between
from toolkit.risk.tracking import track
from toolkit.risk.value import value_total

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

ORACLE = json.loads((Path(__file__).parents[1] / "oracles" / "value_beta_geo.json").read_text("ascii"))


@pytest.fixture(scope="module")
def snap() -> pd.DataFrame:
    """Return 3,000 simulated buyers and two never-buyers."""
    frame = simulated(3_000, seed=11).snapshot
    never = {"order_days": 0, "repeat_spend": 0.0}
    return pd.concat([frame, pd.DataFrame([never, never], index=["N1", "N2"])])


@pytest.fixture(scope="module")
def orders(snap: pd.DataFrame) -> tk.BetaGeo:
    return tk.BetaGeo().fit(snap)


@pytest.fixture(scope="module")
def spend(snap: pd.DataFrame) -> tk.GammaGamma:
    return tk.GammaGamma().fit(snap)


def logs(model: Any) -> Floats:
    found: Floats = np.log(model.params_["value"].to_numpy())
    return found


def frame(rows: list[tuple[int, int, int]]) -> pd.DataFrame:
    """Return a snapshot of order days, last one and tenure, days."""
    days, last, tenure = (np.array(part) for part in zip(*rows, strict=True))
    return pd.DataFrame({"order_days": days, "recency_days": tenure - last, "tenure_days": tenure})


# --- BG/NBD ------------------------------------------------------------------------------------------------------


def printed(at: Floats, snap: pd.DataFrame, unit: float = 7) -> float:
    """Return equation 6 of Fader, Hardie and Lee (2005) summed over buyers, as it is printed."""
    r, alpha, a, b = np.exp(at)
    bought = snap[snap["order_days"] > 0]
    x, tenure = bought["order_days"].to_numpy() - 1.0, bought["tenure_days"].to_numpy() / unit
    last = tenure - bought["recency_days"].to_numpy() / unit
    first = gammaln(r + x) + r * np.log(alpha) - gammaln(r)
    second = gammaln(a + b) + gammaln(b + x) - gammaln(b) - gammaln(a + b + x)
    third = (1 / (alpha + tenure)) ** (r + x)
    fourth = np.where(x > 0, a / np.maximum(b + x - 1, 1e-9) * (1 / (alpha + last)) ** (r + x), 0)
    return float((first + second + np.log(third + fourth)).sum())


def slopes(of: Any, at: Floats, step: float) -> Floats:
    """Return the derivatives of a function of the parameters."""
    return np.array([(of(at + move) - of(at - move)) / (2 * step) for move in step * np.eye(len(at))])


def test_a_fit_proves_the_maximum_of_the_printed_likelihood(orders: tk.BetaGeo, snap: pd.DataFrame) -> None:
    assert orders.served_ == "bg_nbd"
    assert orders.table_ is None
    assert [check.status for check in orders.checks_] == ["passed"] * 3
    assert orders.gradient_norm_ < 1e-8
    assert orders.n_customers_ == 3_000
    best = logs(orders)
    assert orders.log_likelihood_ == pytest.approx(printed(best, snap), rel=1e-12)
    assert slopes(lambda at: printed(at, snap), best, 1e-5) == pytest.approx(np.zeros(4), abs=1e-3)
    information = -slopes(lambda at: slopes(lambda own: printed(own, snap), at, 1e-3), best, 1e-3)
    assert np.linalg.inv(information) == pytest.approx(orders.covariance_.to_numpy(), rel=1e-4)
    errors = np.sqrt(np.diag(orders.covariance_))
    table = orders.params_
    assert table["standard_error"].to_numpy() == pytest.approx(errors * table["value"].to_numpy())
    for end, sign in (("lower", -1), ("upper", 1)):
        assert np.log(table[end].to_numpy()) == pytest.approx(best + sign * 1.959964 * errors, abs=1e-6)


def test_forecasts_and_likelihood_agree_with_the_published_formulas_in_60_digits() -> None:
    wrong = {}
    for case in ORACLE:
        x, last, tenure = (np.array([case[name]], dtype=np.int64) for name in ("x", "last_days", "tenure_days"))
        found = Histories(np.array([0]), x, last, tenure)
        at = np.log([case[name] for name in ("r", "alpha", "a", "b")])
        model = BetaGeoForecast(at, np.zeros((4, 4)), 7)
        active, expected = (model.orders(found, case["time"] * 7, given_active=given)[0] for given in (True, False))
        ours = [BetaGeoLikelihood(found, np.array([1]), 7)(at)[0], model.p_alive(found)[0], active, expected]
        theirs = [case["log_likelihood"], case["p_alive"], case["orders_if_active"]]
        theirs.append(case["orders_if_active"] * case["p_alive"])
        close = [1e-11, 1e-11, 1e-10, 1e-10]
        if any(
            one != pytest.approx(other, rel=rel, abs=1e-11) for one, other, rel in zip(ours, theirs, close, strict=True)
        ):
            wrong[f"x={x}, T={tenure}d, t={case['time']:.3g}"] = (ours, theirs)
    assert not wrong
    assert len(ORACLE) == 69


@examples(dev=15, ci=40)
@given(
    st.lists(st.tuples(st.integers(0, 6), st.integers(0, 200), st.integers(0, 200)), min_size=1, max_size=9),
    st.lists(st.tuples(st.integers(1, 9), st.floats(0.1, 20)), min_size=1, max_size=9),
    st.lists(st.floats(-1.0, 2.0), min_size=4, max_size=4),
)
def test_gradients_and_hessians_are_those_of_the_likelihoods(
    rows: list[tuple[int, int, int]], paid: list[tuple[int, float]], at: list[float]
) -> None:
    found = histories(frame([(x + 1, x + more if x else 0, x + more + idle) for x, more, idle in rows])).counted()
    x, spend = (np.array(part) for part in zip(*paid, strict=True))
    for likelihood, parameters in ((BetaGeoLikelihood(*found, 7), 4), (GammaGammaLikelihood(x, spend), 3)):
        here, evaluate = np.array(at[:parameters]), likelihood
        _, gradient, hessian = likelihood(here)
        for part, derived in ((0, gradient), (1, hessian)):
            assert derived == pytest.approx(
                slopes(lambda own, part=part, of=evaluate: of(own)[part], here, 1e-5), rel=1e-5, abs=1e-5
            )


@examples(dev=30, ci=60)
@given(st.lists(st.floats(-14, 14), min_size=4, max_size=4))
def test_likelihoods_are_finite_wherever_a_search_can_go(logs: list[float]) -> None:
    at = np.array(logs)
    found = histories(frame([(1, 0, 0), (1, 0, 3_000), (2, 1, 3_000), (9, 400, 400), (900, 2_000, 3_000)])).counted()
    money = GammaGammaLikelihood(np.array([1, 2, 900]), np.array([1e-6, 2.0, 1e6]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        parts = [np.asarray(part) for part in (*BetaGeoLikelihood(*found, 7)(at), *money(at[:3]))]
    assert all(np.isfinite(part).all() for part in parts)


def test_neither_order_nor_ids_nor_never_buyers_nor_dates_for_recency_matter(
    snap: pd.DataFrame, orders: tk.BetaGeo
) -> None:
    shuffled = snap.dropna().sample(frac=1, random_state=3)
    first = pd.Timestamp("2026-12-31") - pd.to_timedelta(shuffled["tenure_days"], unit="D")
    last = pd.Timestamp("2026-12-31") - pd.to_timedelta(shuffled["recency_days"], unit="D")
    dated = shuffled.drop(columns="recency_days").assign(first_order_date=first, last_order_date=last)
    again = tk.BetaGeo().fit(dated.set_axis(range(len(dated)), axis="index"))
    pd.testing.assert_frame_equal(again.params_, orders.params_, rtol=0, atol=0)
    pd.testing.assert_frame_equal(orders.forecast(dated), orders.forecast(snap).loc[shuffled.index])


def test_the_unit_of_time_changes_alpha_alone(snap: pd.DataFrame, orders: tk.BetaGeo) -> None:
    daily = tk.BetaGeo(unit_days=1).fit(snap)
    ratio = daily.params_["value"] / orders.params_["value"]
    assert ratio.to_numpy() == pytest.approx([1, 7, 1, 1], rel=1e-6)
    ours, theirs = (model.forecast(snap, 45).to_numpy() for model in (daily, orders))
    assert ours == pytest.approx(theirs, rel=1e-6, nan_ok=True)


def test_a_business_with_few_repeats_in_a_long_time_is_fitted_in_any_unit() -> None:
    """Of buyers followed for three years, one in seven orders again: alpha is in the thousands of days."""
    rare = simulated(several(20_000, 50_000), seed=2, days=1_095, r=0.8, alpha=3_000.0, a=1.0, b=3.0).snapshot
    models = [tk.BetaGeo(unit_days=unit).fit(rare) for unit in (0.1, 1, 365)]
    assert {model.served_ for model in models} == {"bg_nbd"}
    likelihoods = [
        model.log_likelihood_ + (rare["order_days"] - 1).sum() * np.log(1 / model.unit_days) for model in models
    ]
    assert likelihoods == pytest.approx([likelihoods[0]] * 3, rel=1e-9)
    forecasts = [model.expected_orders(rare, 90).sum() for model in models]
    assert forecasts == pytest.approx([forecasts[0]] * 3, rel=1e-9)


def test_forecasts_hang_together(snap: pd.DataFrame, orders: tk.BetaGeo) -> None:
    whole, bought = orders.forecast(snap, 60), snap["order_days"] > 0
    table, chance = whole[bought], orders.orders_probability(snap, 60)
    active = orders.orders_probability(snap, 60, given_active=True)
    assert whole.loc[["N1", "N2"]].isna().all(axis=None)
    assert table.notna().all(axis=None)
    once = snap["order_days"] == 1
    assert (whole.loc[once, ["p_alive", "p_alive_lower", "p_alive_upper"]] == 1).all(axis=None), "cannot have left"
    expected = table["expected_orders"]
    pd.testing.assert_series_equal(whole["expected_orders"], orders.expected_orders(snap, 60))
    pd.testing.assert_series_equal(whole["p_alive"], orders.p_alive(snap))
    assert expected.to_numpy() == pytest.approx((table["expected_orders_given_active"] * table["p_alive"]).to_numpy())
    assert chance[bought].to_numpy() == pytest.approx((active[bought] * table["p_alive"]).to_numpy())
    assert (chance[bought] < expected).all()
    assert chance[bought].between(0, 1).all()
    assert (orders.expected_orders(snap, 61)[bought] > expected).all()
    for name in ("p_alive", "expected_orders", "expected_orders_given_active"):
        assert (table[f"{name}_lower"] <= table[name]).all()
        assert (table[name] <= table[f"{name}_upper"]).all()


@examples(dev=30, ci=60)
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


def test_expected_orders_to_sum_each_buyer_from_the_own_first_day(orders: tk.BetaGeo, snap: pd.DataFrame) -> None:
    table = orders.expected_orders_to([0, 50, 400])
    tenure = snap["tenure_days"].dropna().to_numpy()
    for day in (50, 400):
        ages, customers = np.unique(np.maximum(day - (tenure.max() - tenure), 0) / 7, return_counts=True)
        each = [orders_if_active(logs(orders), np.array([0]), np.zeros(1), age)[0] for age in ages]
        assert table.loc[day, "expected"] == pytest.approx(customers @ each, rel=1e-9)
    assert table.iloc[0].tolist() == [0, 0, 0]
    assert (table["lower"] <= table["expected"]).all()


def test_an_estimator_keeps_scikit_learns_manners(snap: pd.DataFrame) -> None:
    assert clone(tk.BetaGeo(unit_days=30)).unit_days == 30
    assert clone(tk.GammaGamma()).get_params() == {}
    with pytest.raises(NotFittedError):
        tk.BetaGeo().p_alive(snap)
    with pytest.raises(NotFittedError):
        tk.GammaGamma().expected_value(snap)


# --- Gamma-Gamma -------------------------------------------------------------------------------------------------


def test_gamma_gamma_proves_the_maximum_of_the_printed_likelihood(spend: tk.GammaGamma, snap: pd.DataFrame) -> None:
    again = snap[snap["order_days"] > 1]
    x = again["order_days"].to_numpy() - 1.0
    mean = again["repeat_spend"].to_numpy() / x

    def printed(at: Floats) -> float:
        p, q, v = np.exp(at)
        first = gammaln(p * x + q) - gammaln(p * x) - gammaln(q) + q * np.log(v)
        return float(
            (first + (p * x - 1) * np.log(mean) + p * x * np.log(x) - (p * x + q) * np.log(x * mean + v)).sum()
        )

    best = logs(spend)
    assert GammaGammaLikelihood(x.astype(np.int64), x * mean)(best)[0] == pytest.approx(printed(best), rel=1e-12)
    assert slopes(printed, best, 1e-5) == pytest.approx(np.zeros(3), abs=1e-3)
    information = -slopes(lambda at: slopes(printed, at, 1e-3), best, 1e-3)
    assert np.linalg.inv(information) == pytest.approx(spend.covariance_.to_numpy(), rel=1e-4)


def test_expected_value_is_between_the_own_mean_and_that_of_all(spend: tk.GammaGamma, snap: pd.DataFrame) -> None:
    value = spend.forecast(snap)
    p, q, v = spend.params_["value"]
    of_all = p * v / (q - 1)
    assert value.loc[snap["order_days"] == 1, "expected_value"].to_numpy() == pytest.approx(of_all)
    again = snap[snap["order_days"] > 1]
    own = again["repeat_spend"] / (again["order_days"] - 1)
    between = value.loc[again.index, "expected_value"].between(np.minimum(own, of_all), np.maximum(own, of_all))
    assert between.all()
    assert value.loc[["N1", "N2"]].isna().all(axis=None)
    someone = pd.DataFrame({"order_days": [5], "repeat_spend": [400.0]})
    assert spend.expected_value(someone).tolist() == pytest.approx([p * (v + 400.0) / (p * 4 + q - 1)])


def test_money_in_another_unit_changes_nothing_but_the_unit(snap: pd.DataFrame, orders: tk.BetaGeo) -> None:
    cents = snap.assign(repeat_spend=snap["repeat_spend"] * 1e6)
    one, other = (tk.customer_value(frame, orders, tk.GammaGamma().fit(frame)) for frame in (snap, cents))
    money = [name for name in one.columns if "spend" in name or "value" in name]
    assert (other[money] / one[money]).dropna().to_numpy() == pytest.approx(1e6, rel=1e-9)
    pd.testing.assert_frame_equal(one.drop(columns=money), other.drop(columns=money))


def test_independence_is_a_rank_correlation_with_an_interval() -> None:
    rng = np.random.default_rng(2)
    days = rng.integers(2, 12, 3_000)
    free = pd.DataFrame({"order_days": days, "repeat_spend": (days - 1) * rng.gamma(5, 10, 3_000)})
    bound = free.assign(repeat_spend=(days - 1) * days * rng.gamma(5, 10, 3_000))
    calm, warned = tk.GammaGamma().fit(free), tk.GammaGamma().fit(bound)
    assert calm.independence_.status == "passed"
    assert warned.independence_.status == "failed"
    assert "frequent buyers pay more" in warned.independence_.message
    rho, lower, upper = calm.correlation_
    assert lower < rho < upper
    value = free["repeat_spend"] / (free["order_days"] - 1)
    assert rho == pytest.approx(free["order_days"].corr(value, method="spearman"))
    assert upper - lower == pytest.approx(2 * 1.96 / np.sqrt(3_000), rel=0.02)


# --- customer value ----------------------------------------------------------------------------------------------


def half_width(table: pd.DataFrame, name: str) -> Floats:
    """Return how far, on the logarithm, an interval reaches above the figure."""
    return np.asarray(np.log((table[f"{name}_upper"] / table[name]).to_numpy()))


def test_customer_value_is_orders_times_value_with_both_uncertainties(
    snap: pd.DataFrame, orders: tk.BetaGeo, spend: tk.GammaGamma
) -> None:
    value = tk.customer_value(snap, orders, spend, days=60)
    bought = snap["order_days"] > 0
    assert value.loc[~bought].isna().all(axis=None)
    assert value.attrs["served"] == ("bg_nbd", "gamma_gamma")
    ahead, worth, value = orders.forecast(snap, 60)[bought], spend.forecast(snap)[bought], value[bought]
    for known in ("", "_given_active"):
        product = ahead[f"expected_orders{known}"] * worth["expected_value"]
        assert value[f"expected_spend{known}"].to_numpy() == pytest.approx(product.to_numpy())
        both = np.hypot(half_width(ahead, f"expected_orders{known}"), half_width(worth, "expected_value"))
        assert half_width(value, f"expected_spend{known}") == pytest.approx(both)
    assert (value["expected_spend"] <= value["expected_spend_given_active"]).all()


def test_intervals_are_those_of_drawn_parameters_and_totals_know_that_customers_share_them(
    snap: pd.DataFrame, orders: tk.BetaGeo, spend: tk.GammaGamma
) -> None:
    """Half widths on the logarithm, by the delta method, against draws of the parameters."""
    value, total = tk.customer_value(snap, orders, spend), value_total(snap, orders, spend)
    assert total.loc["orders", "expected"] == pytest.approx(value["expected_orders"].sum())
    assert total.loc["spend", "expected"] == pytest.approx(value["expected_spend"].sum())
    draws = several(300, 600)
    rng = np.random.default_rng(5)
    bought = snap.dropna()
    few = bought.sort_values("order_days").index[[0, -1, -40, -300]]
    x, paid = bought["order_days"].to_numpy() - 1, bought["repeat_spend"].to_numpy()
    found = histories(bought)
    different, which = found.distinct()
    single, sums = [], []
    for one, two in zip(
        rng.multivariate_normal(logs(orders), orders.covariance_, draws),
        rng.multivariate_normal(logs(spend), spend.covariance_, draws),
        strict=True,
    ):
        made = BetaGeoForecast(one, np.zeros((4, 4)), 7).orders(different, 90, given_active=False)[which]
        p, q, v = np.exp(two)
        single.append(made[bought.index.get_indexer(few)])
        sums.append((made.sum(), (made * p * (v + paid) / (p * x + q - 1)).sum()))
    ours = half_width(orders.forecast(bought.loc[few], 90), "expected_orders") / 1.959964
    assert ours == pytest.approx(np.log(single).std(axis=0), rel=0.1)
    of_totals = np.log((total["upper"] / total["expected"]).to_numpy()) / 1.959964
    assert of_totals == pytest.approx(np.log(sums).std(axis=0), rel=0.15)


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
    return shop_of_buyers()


@pytest.fixture(scope="module")
def at(study: tk.Study) -> pd.DataFrame:
    return study.snapshot("2025-12-31", NEEDED)


def test_a_holdout_counts_order_days_and_money_after_the_models_day_only(study: tk.Study, at: pd.DataFrame) -> None:
    """An order is 10."""
    later = study.snapshot("2026-03-31", NEEDED)
    models = tk.BetaGeo().fit(at), tk.GammaGamma().fit(at)
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


def test_held_out_leaves_aside_who_is_not_in_both(snap: pd.DataFrame, orders: tk.BetaGeo, spend: tk.GammaGamma) -> None:
    made = pd.DataFrame({"orders": [1, 2], "spend": [10.0, 20.0]}, index=[*snap.index[:1], "stranger"])
    found = held_out(snap, made, orders, spend, days=30)
    assert found.totals["actual"].tolist() == [1.0, 10.0]
    assert found.by_orders["customers"].sum() == 1


def test_tracking_follows_the_models_buyers_through_its_day(study: tk.Study, at: pd.DataFrame) -> None:
    model = tk.BetaGeo().fit(at)
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

"""What goes wrong with customer value: each is refused, or served by the table and said."""

from __future__ import annotations

import warnings
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import toolkit as tk
from tests.builders.buyers import NEEDED, shop_of_buyers, simulated
from tests.builders.refusals import assert_refused
from toolkit.risk.holdout import holdout, made_between
from toolkit.risk.tracking import track
from toolkit.risk.value import value_total

if TYPE_CHECKING:
    from collections.abc import Iterable

    from toolkit.errors import Check

pytestmark = pytest.mark.fault(87)

NEVER = {"order_days": [0] * 3, "recency_days": [np.nan] * 3, "tenure_days": [np.nan] * 3, "repeat_spend": [0.0] * 3}


def frame(**columns: object) -> pd.DataFrame:
    """Return a good snapshot of three buyers with some columns replaced."""
    good = {
        "order_days": [3, 1, 2],
        "recency_days": [5.0, 30.0, 0.0],
        "tenure_days": [40.0, 30.0, 60.0],
        "repeat_spend": [50.0, 0.0, 20.0],
    }
    return pd.DataFrame(good | columns)


def check(found: Iterable[Check], code: str) -> Check:
    return next(one for one in found if one.code == code)


@pytest.fixture(scope="module")
def snap() -> pd.DataFrame:
    return simulated(2_000, seed=1).snapshot


@pytest.fixture(scope="module")
def orders(snap: pd.DataFrame) -> tk.BetaGeo:
    return tk.BetaGeo().fit(snap)


@pytest.fixture(scope="module")
def spend(snap: pd.DataFrame) -> tk.GammaGamma:
    return tk.GammaGamma().fit(snap)


# --- no convergence ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def unfit() -> pd.DataFrame:
    """Return 600 buyers nobody of whom ever leaves and who order like clockwork: BG/NBD has no maximum inside."""
    days = np.arange(600) % 9 + 4
    return pd.DataFrame(
        {
            "order_days": days,
            "recency_days": np.arange(600) % 3 + 1,
            "tenure_days": days * 30,
            "repeat_spend": (days - 1) * (20.0 + np.arange(600) % 7),
        }
    )


def test_an_unconverged_fit_forecasts_nothing_and_the_table_serves(unfit: pd.DataFrame) -> None:
    model = tk.BetaGeo().fit(unfit)
    assert model.served_ == "cohort table"
    found = check(model.checks_, "bg_nbd_converged")
    assert found.status == "failed"
    assert "did not converge" in found.message
    assert "table of recency by frequency" in found.message
    assert model.params_.isna().all(axis=None)
    assert model.expected_orders_to([0, 90])["expected"].isna().all()
    assert model.p_alive(unfit).isna().all()
    assert model.table_ is not None
    assert model.table_["customers"].sum() == 600
    expected = model.expected_orders(unfit, 90)
    rate = model.table_["orders_per_day"].loc[(5, 0)]
    assert expected[unfit["order_days"] >= 5].to_numpy() == pytest.approx(rate * 90)
    assert model.orders_probability(unfit, 90).between(0, 1).all()
    table = model.forecast(unfit, 90)
    assert (table["expected_orders_lower"] < table["expected_orders"]).all()
    assert table["expected_orders"].sum() == pytest.approx(600 * 3, rel=0.2)
    spend = tk.GammaGamma().fit(unfit)
    value = tk.customer_value(unfit, model, spend)
    assert value.attrs["served"][0] == "cohort table"
    assert value["p_alive"].isna().all()
    assert np.isfinite(value.drop(columns="p_alive")).all(axis=None)
    assert value_total(unfit, model, spend).loc["spend", "expected"] == pytest.approx(value["expected_spend"].sum())


def test_a_likelihood_that_is_flat_is_no_maximum() -> None:
    """Of 100,000 buyers 3 % order again and almost nobody twice: nothing tells when one leaves."""
    rare = simulated(100_000, seed=2, days=1_095, r=0.8, alpha=15_000.0, a=1.0, b=3.0).snapshot
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = tk.BetaGeo().fit(rare)
        total = model.expected_total(rare, 90)[0]
    assert model.served_ == "cohort table"
    assert "do not determine a parameter" in check(model.checks_, "bg_nbd_converged").message
    a_day = (rare["order_days"] - 1).sum() / rare["tenure_days"].sum()
    assert total == pytest.approx(a_day * 90 * len(rare), rel=0.1)


def test_a_start_far_off_and_a_whale_still_lead_to_the_maximum() -> None:
    snap = simulated(3_000, seed=21).snapshot
    snap.iloc[0] = [700, 1, 729, 1e9]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = tk.BetaGeo().fit(snap)
        value = tk.customer_value(snap, model, tk.GammaGamma().fit(snap), days=365)
    assert model.served_ == "bg_nbd"
    assert np.isfinite(value).all(axis=None)


# --- nothing to learn --------------------------------------------------------------------------------------------


def test_all_one_time_buyers() -> None:
    snap = frame(order_days=[1, 1, 1], recency_days=[40.0, 30.0, 60.0], repeat_spend=[0.0, 0.0, 0.0])
    orders, spend = tk.BetaGeo().fit(snap), tk.GammaGamma().fit(snap)
    assert (orders.served_, spend.served_) == ("cohort table", "cohort table")
    assert check(orders.checks_, "repeat_buyers").status == "failed"
    assert check(spend.checks_, "gamma_gamma_converged").status == "failed"
    value = tk.customer_value(snap, orders, spend)
    assert value["expected_orders"].between(0, 1).all()
    assert value["expected_spend"].isna().all()
    assert orders.forecast(snap)["expected_orders_upper"].gt(0).all()


def test_one_customer() -> None:
    for snap in (frame().iloc[:1], frame().iloc[1:2]):
        model = tk.BetaGeo().fit(snap)
        assert model.served_ == "cohort table"
        assert np.isfinite(model.expected_orders(snap)).all()
        assert tk.GammaGamma().fit(snap).served_ == "cohort table"


def test_everyone_bought_today() -> None:
    snap = frame(order_days=[1, 1, 1], recency_days=[0.0] * 3, tenure_days=[0.0] * 3, repeat_spend=[0.0] * 3)
    model = tk.BetaGeo().fit(snap)
    assert model.served_ == "cohort table"
    assert model.expected_orders(snap).isna().all()


def test_bought_today_among_others_has_the_forecast_of_a_newcomer(snap: pd.DataFrame) -> None:
    today = snap.copy()
    today.iloc[0] = [1, 0, 0, 0.0]
    model = tk.BetaGeo().fit(today)
    first = model.forecast(today).iloc[0]
    r, alpha = model.params_["value"][["r", "alpha"]]
    assert first["p_alive"] == 1
    assert 0 < first["expected_orders"] < r / alpha * 90 / 7
    assert model.orders_probability(today).iloc[0] == pytest.approx(1 - (alpha / (alpha + 90 / 7)) ** r)


def test_of_never_buyers_nothing_is_foreseen_and_their_totals_are_zero(
    orders: tk.BetaGeo, spend: tk.GammaGamma
) -> None:
    assert orders.expected_orders(frame(**NEVER)).isna().all()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        total = value_total(frame(**NEVER), orders, spend)
    assert (total == 0).all(axis=None)


# --- what cannot be ----------------------------------------------------------------------------------------------


def test_an_impossible_history_is_refused_to_learn_from_and_to_forecast(orders: tk.BetaGeo) -> None:
    histories: list[tuple[dict[str, Any], str]] = [
        ({"recency_days": [5.0, 31.0, 0.0]}, "recency-over-tenure"),
        ({"recency_days": [5.0, np.nan, 0.0]}, "missing-value"),
        ({"tenure_days": [40.0, np.inf, 60.0]}, "missing-value"),
        ({"order_days": [3, np.nan, 2]}, "missing-value"),
        ({"tenure_days": [40.0, -30.0, 60.0]}, "negative"),
        ({"order_days": [-1, 1, 2]}, "negative"),
        ({"tenure_days": [40.5, 30.0, 60.0]}, "whole-days"),
        ({"tenure_days": ["forty", "x", "y"]}, "no-number"),
        ({"order_days": [3, 0, 2]}, "first-order"),
        ({"recency_days": [5.0, 10.0, 0.0]}, "first-order"),
        ({"order_days": [37, 1, 2]}, "crowded-days"),
        # three orders on two days, one day apart, given as three
        ({"order_days": [3, 1, 2], "recency_days": [39.0, 30.0, 0.0]}, "crowded-days"),
    ]
    cases: dict[str, tuple[Any, str]] = {}
    for columns, code in histories:
        snap = frame(**columns)
        for what, ask in (("learn", tk.BetaGeo().fit), ("forecast", orders.expected_orders)):
            cases[f"{what} {columns}"] = (partial(ask, snap), code)
    assert_refused(cases)


def test_impossible_money_is_refused_to_learn_from_and_to_forecast(spend: tk.GammaGamma) -> None:
    cases: dict[str, tuple[Any, str]] = {}
    for columns, code in (
        ({"repeat_spend": [-50.0, 0.0, 20.0]}, "negative"),
        ({"repeat_spend": [np.nan, 0.0, 20.0]}, "missing-value"),
        ({"repeat_spend": [50.0, 30.0, 20.0]}, "first-order"),
        ({"order_days": [2.5, 1, 2]}, "whole-days"),
    ):
        snap = frame(**columns)
        for what, ask in (("learn", tk.GammaGamma().fit), ("forecast", spend.expected_value)):
            cases[f"{what} {columns}"] = (partial(ask, snap), code)
    assert_refused(cases)


def test_what_is_refused(snap: pd.DataFrame, orders: tk.BetaGeo, unfit: pd.DataFrame) -> None:
    strangers = unfit.set_axis([f"X{number}" for number in range(len(unfit))])
    landmarks = pd.concat([snap.assign(landmark=pd.Timestamp(day)) for day in ("2026-03-31", "2026-06-30")])
    cases: dict[str, tuple[Any, str]] = {
        "nobody has bought": (lambda: tk.BetaGeo().fit(frame(**NEVER)), "no-buyers"),
        "two landmarks": (lambda: tk.BetaGeo().fit(landmarks), "landmarks: the frame has 2 landmarks"),
        "no money": (
            lambda: tk.GammaGamma().fit(snap.drop(columns="repeat_spend")),
            ".*paid on order days after the first, before refunds",
        ),
    }
    for what, earlier in (("itself", unfit), ("strangers", strangers)):
        said = ".*no earlier one of the same customers"
        cases[f"earlier: {what}"] = (partial(tk.BetaGeo().fit, unfit, earlier=earlier), said)
    for name in NEEDED[:3]:
        cases[f"no {name}"] = (partial(tk.BetaGeo().fit, frame().drop(columns=name)), f"no-column.*no column {name}")
    for unit in (0, -1, np.nan):
        cases[f"unit {unit}"] = (partial(tk.BetaGeo(unit_days=unit).fit, frame()), "unit_days")
    for day in (-1, 0.5, np.nan):
        cases[f"up to day {day}"] = (partial(orders.expected_orders_to, [day]), "whole-days")
    for days in (0, -7, np.nan, np.inf):
        for ask in (orders.expected_orders, orders.orders_probability, orders.forecast):
            cases[f"{ask.__name__} {days}"] = (partial(ask, frame(), days), "horizon")
    assert_refused(cases)


def test_episodes_of_one_landmark_have_its_day(snap: pd.DataFrame) -> None:
    one = snap.assign(landmark=pd.Timestamp("2026-03-31"))
    one.attrs["as_of"] = "2026-10-31"
    assert tk.BetaGeo().fit(one).as_of_ == "2026-03-31"


# --- money -------------------------------------------------------------------------------------------------------


def test_free_repeats_teach_nothing_are_counted_and_draw_the_forecast_down(
    snap: pd.DataFrame, spend: tk.GammaGamma
) -> None:
    freed = snap.copy()
    freed.loc[freed.index[freed["order_days"] > 1][:7], "repeat_spend"] = 0.0
    again = tk.GammaGamma().fit(freed)
    free = check(again.checks_, "free_repeats")
    assert (free.status, free.count) == ("informational", 7)
    assert again.n_customers_ == spend.n_customers_ - 7
    value = again.expected_value(freed)
    nothing = freed["repeat_spend"].eq(0) & freed["order_days"].gt(1)
    assert (value[nothing] < value[freed["order_days"] == 1].iloc[0]).all()
    assert (value[nothing] > 0).all()


def test_nobody_paid_anything() -> None:
    model = tk.GammaGamma().fit(frame(repeat_spend=[0.0, 0.0, 0.0]))
    assert model.served_ == "cohort table"
    assert model.expected_value(frame()).isna().all()


def test_money_without_a_mean_is_served_by_the_table() -> None:
    """Pareto tails with exponent below 1: q is below 1, so the mean of the population is infinite."""
    rng = np.random.default_rng(4)
    days = np.full(4_000, 3)
    snap = pd.DataFrame({"order_days": days, "repeat_spend": rng.gamma(10.0, 1.0, 4_000) / rng.gamma(0.7, 1.0, 4_000)})
    model = tk.GammaGamma().fit(snap)
    assert model.served_ == "cohort table"
    assert "infinite" in check(model.checks_, "gamma_gamma_converged").message
    assert model.expected_value(snap).to_numpy() == pytest.approx((snap["repeat_spend"] / 2).mean())


# --- holdout and tracking ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def study() -> tk.Study:
    return shop_of_buyers()


@pytest.fixture(scope="module")
def at(study: tk.Study) -> pd.DataFrame:
    return study.snapshot("2025-12-31", NEEDED)


def test_what_cannot_be_held_out_or_tracked_is_refused(study: tk.Study, at: pd.DataFrame) -> None:
    fitted = tk.BetaGeo().fit(at), tk.GammaGamma().fit(at)
    later = study.snapshot("2026-03-31", NEEDED)
    nameless = at.copy()
    nameless.attrs = {}
    not_days: tuple[Any, ...] = (0, -1, 1.5)
    assert holdout(study, *fitted, days=31, as_of="2026-01-31").days == 31
    cases: dict[str, tuple[Any, str]] = {
        f"{days} days": (partial(holdout, study, *fitted, days=days, as_of="2026-01-31"), ".*whole days above 0")
        for days in not_days
    }
    assert_refused(
        cases
        | {
            "beyond the window": (
                lambda: holdout(study, *fitted, days=32, as_of="2026-01-31"),
                ".*ends on 2026-02-01, after 2026-01-31.*days=31",
            ),
            "the later one first": (lambda: made_between(later, at), ".*fewer order days or less spend"),
            "tracked to before": (lambda: track(study, fitted[0], "2025-12-30"), ".*before the model's day"),
            "every 0 weeks": (lambda: track(study, fitted[0], "2026-03-31", every_weeks=0), ".*every_weeks"),
            "of no day": (
                lambda: track(study, tk.BetaGeo().fit(nameless), "2026-03-31"),
                ".*did not say its day",
            ),
        }
    )


def test_holdout_money_is_that_of_the_holdout() -> None:
    """Neither what was paid before, nor the first orders of who is new, nor a mean times the orders."""
    rows = [
        ("a", "2026-01-01", 1.0), ("a", "2026-01-05", 10.0), ("a", "2026-02-03", 100.0), ("b", "2026-01-02", 2.0),
        ("c", "2026-02-02", 500.0), ("c", "2026-02-04", 700.0), ("b", "2026-03-01", 1_000.0),
    ]  # fmt: skip
    lines = pd.DataFrame(rows, columns=["customer_id", "ordered_at", "amount"])
    study = tk.Study.from_frames(lines, timezone="Asia/Shanghai", currency="CNY")
    at = study.snapshot("2026-01-31", NEEDED)
    found = holdout(study, tk.BetaGeo().fit(at), tk.GammaGamma().fit(at), days=28, as_of="2026-03-31")
    assert found.totals["actual"].tolist() == [1.0, 100.0]


def test_tracking_without_a_model_shows_what_was_made(study: tk.Study, at: pd.DataFrame) -> None:
    model = tk.BetaGeo().fit(at[at["order_days"] == 1].iloc[:1])
    assert (model.served_, model.as_of_) == ("cohort table", "2025-12-31")
    table = track(study, model, "2026-03-31")
    assert table["expected"].isna().all()
    assert table["actual"].gt(0).any()

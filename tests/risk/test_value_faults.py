"""What goes wrong with customer value (FAULTS 87): each is refused, or served by the table and said."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

import toolkit as tk
from tests.builders.buyers import simulated
from toolkit.errors import ArgumentError, Check
from toolkit.risk.holdout import holdout, made_between
from toolkit.risk.tracking import track
from toolkit.risk.value import BetaGeo, GammaGamma, customer_value, value_total

NEEDED = ["order_days", "recency_days", "tenure_days", "repeat_spend"]


def frame(**columns: object) -> pd.DataFrame:
    """Return a good snapshot of three buyers with some columns replaced."""
    good = {
        "order_days": [3, 1, 2],
        "recency_days": [5.0, 30.0, 0.0],
        "tenure_days": [40.0, 30.0, 60.0],
        "repeat_spend": [50.0, 0.0, 20.0],
    }
    return pd.DataFrame(good | columns)


def check(found: tuple[Check, ...], code: str) -> Check:
    return next(one for one in found if one.code == code)


def refused(snap: pd.DataFrame) -> str:
    """Return the code with which BG/NBD refuses a snapshot, to learn and to forecast alike."""
    model = BetaGeo().fit(simulated(2_000, seed=1).snapshot)
    with pytest.raises(ArgumentError) as to_learn:
        BetaGeo().fit(snap)
    with pytest.raises(ArgumentError) as to_forecast:
        model.expected_orders(snap)
    assert to_learn.value.code == to_forecast.value.code
    assert to_learn.value.hint
    return to_learn.value.code


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
    model = BetaGeo().fit(unfit)
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


def test_a_likelihood_that_is_flat_is_no_maximum() -> None:
    """Of 100,000 buyers 3 % order again and almost nobody twice: nothing tells when one leaves."""
    rare = simulated(100_000, seed=2, days=1_095, r=0.8, alpha=15_000.0, a=1.0, b=3.0).snapshot
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = BetaGeo().fit(rare)
        total = model.expected_total(rare, 90)[0]
    assert model.served_ == "cohort table"
    assert "do not determine a parameter" in check(model.checks_, "bg_nbd_converged").message
    assert total == pytest.approx(simulated_orders_per_day(rare) * 90 * len(rare), rel=0.1)


def simulated_orders_per_day(snap: pd.DataFrame) -> float:
    return float((snap["order_days"] - 1).sum() / snap["tenure_days"].sum())


def test_value_and_totals_stand_on_the_table_too(unfit: pd.DataFrame) -> None:
    orders, spend = BetaGeo().fit(unfit), GammaGamma().fit(unfit)
    value = customer_value(unfit, orders, spend)
    assert value.attrs["served"][0] == "cohort table"
    assert value["p_alive"].isna().all()
    assert np.isfinite(value.drop(columns="p_alive")).all(axis=None)
    assert value_total(unfit, orders, spend).loc["spend", "expected"] == pytest.approx(value["expected_spend"].sum())


def test_the_earlier_snapshot_must_be_earlier_and_of_the_same_customers(unfit: pd.DataFrame) -> None:
    for earlier in (unfit, unfit.set_axis([f"X{n}" for n in range(600)])):
        with pytest.raises(ArgumentError, match="no earlier one of the same customers"):
            BetaGeo().fit(unfit, earlier=earlier)


def test_a_start_far_off_and_a_whale_still_lead_to_the_maximum() -> None:
    snap = simulated(3_000, seed=21).snapshot
    snap.iloc[0] = [700, 1, 729, 1e9]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = BetaGeo().fit(snap)
        spend = GammaGamma().fit(snap)
        value = customer_value(snap, model, spend, days=365)
    assert model.served_ == "bg_nbd"
    assert np.isfinite(value).all(axis=None)


# --- nothing to learn --------------------------------------------------------------------------------------------


def test_all_one_time_buyers() -> None:
    snap = frame(order_days=[1, 1, 1], recency_days=[40.0, 30.0, 60.0], repeat_spend=[0.0, 0.0, 0.0])
    orders, spend = BetaGeo().fit(snap), GammaGamma().fit(snap)
    assert (orders.served_, spend.served_) == ("cohort table", "cohort table")
    assert check(orders.checks_, "repeat_buyers").status == "failed"
    assert check(spend.checks_, "gamma_gamma_converged").status == "failed"
    value = customer_value(snap, orders, spend)
    assert value["expected_orders"].between(0, 1).all()
    assert value["expected_spend"].isna().all()
    assert orders.forecast(snap)["expected_orders_upper"].gt(0).all()


def test_one_customer() -> None:
    for snap in (frame().iloc[:1], frame().iloc[1:2]):
        model = BetaGeo().fit(snap)
        assert model.served_ == "cohort table"
        assert np.isfinite(model.expected_orders(snap)).all()
        assert GammaGamma().fit(snap).served_ == "cohort table"


def test_everyone_bought_today() -> None:
    snap = frame(order_days=[1, 1, 1], recency_days=[0.0] * 3, tenure_days=[0.0] * 3, repeat_spend=[0.0] * 3)
    model = BetaGeo().fit(snap)
    assert model.served_ == "cohort table"
    assert model.expected_orders(snap).isna().all()


def test_bought_today_among_others_has_the_forecast_of_a_newcomer() -> None:
    snap = simulated(2_000, seed=1).snapshot
    snap.iloc[0] = [1, 0, 0, 0.0]
    model = BetaGeo().fit(snap)
    first = model.forecast(snap).iloc[0]
    r, alpha = model.params_["value"][["r", "alpha"]]
    assert first["p_alive"] == 1
    assert 0 < first["expected_orders"] < r / alpha * 90 / 7
    assert model.orders_probability(snap).iloc[0] == pytest.approx(1 - (alpha / (alpha + 90 / 7)) ** r)


def test_nobody_has_bought() -> None:
    never = frame(order_days=[0, 0, 0], recency_days=[np.nan] * 3, tenure_days=[np.nan] * 3, repeat_spend=[0.0] * 3)
    with pytest.raises(ArgumentError, match="no-buyers"):
        BetaGeo().fit(never)
    assert BetaGeo().fit(simulated(2_000, seed=1).snapshot).expected_orders(never).isna().all()


# --- histories that cannot be ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("columns", "code"),
    [
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
    ],
)
def test_an_impossible_history_is_refused(columns: dict[str, object], code: str) -> None:
    assert refused(frame(**columns)) == code


@pytest.mark.parametrize("name", ["order_days", "recency_days", "tenure_days"])
def test_a_missing_column_is_named(name: str) -> None:
    with pytest.raises(ArgumentError, match=f"no column {name}"):
        BetaGeo().fit(frame().drop(columns=name))


def test_a_count_of_orders_is_no_count_of_order_days() -> None:
    """Three orders on two days, one day apart, given as three."""
    assert refused(frame(order_days=[3, 1, 2], recency_days=[39.0, 30.0, 0.0])) == "crowded-days"


@pytest.mark.parametrize("days", [0, -7, np.nan, np.inf])
def test_a_horizon_is_above_zero(days: float) -> None:
    model = BetaGeo().fit(simulated(2_000, seed=1).snapshot)
    for ask in (model.expected_orders, model.orders_probability, model.forecast):
        with pytest.raises(ArgumentError, match="E-horizon"):
            ask(frame(), days)


@pytest.mark.parametrize("unit", [0, -1, np.nan])
def test_a_unit_of_time_is_above_zero(unit: float) -> None:
    with pytest.raises(ArgumentError, match="unit_days"):
        BetaGeo(unit_days=unit).fit(frame())


@pytest.mark.parametrize("days", [[-1], [0.5], [np.nan]])
def test_tracking_days_are_whole(days: list[float]) -> None:
    with pytest.raises(ArgumentError, match="whole-days"):
        BetaGeo().fit(simulated(2_000, seed=1).snapshot).expected_orders_to(days)


# --- money -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("columns", "code"),
    [
        ({"repeat_spend": [-50.0, 0.0, 20.0]}, "negative"),
        ({"repeat_spend": [np.nan, 0.0, 20.0]}, "missing-value"),
        ({"repeat_spend": [50.0, 30.0, 20.0]}, "first-order"),
        ({"order_days": [2.5, 1, 2]}, "whole-days"),
    ],
)
def test_impossible_money_is_refused(columns: dict[str, object], code: str) -> None:
    model = GammaGamma().fit(simulated(2_000, seed=1).snapshot)
    for ask in (GammaGamma().fit, model.expected_value):
        with pytest.raises(ArgumentError, match=f"E-{code}"):
            ask(frame(**columns))


def test_a_snapshot_without_repeat_spend_says_what_is_needed() -> None:
    with pytest.raises(ArgumentError, match="paid on order days after the first, before refunds"):
        GammaGamma().fit(frame().drop(columns="repeat_spend"))


def test_free_repeats_teach_nothing_are_counted_and_draw_the_forecast_down() -> None:
    snap = simulated(3_000, seed=3).snapshot
    model = GammaGamma().fit(snap)
    freed = snap.copy()
    freed.loc[freed.index[freed["order_days"] > 1][:7], "repeat_spend"] = 0.0
    again = GammaGamma().fit(freed)
    free = check(again.checks_, "free_repeats")
    assert (free.status, free.count) == ("informational", 7)
    assert again.n_customers_ == model.n_customers_ - 7
    value = again.expected_value(freed)
    nothing = freed["repeat_spend"].eq(0) & freed["order_days"].gt(1)
    assert (value[nothing] < value[freed["order_days"] == 1].iloc[0]).all()
    assert (value[nothing] > 0).all()


def test_nobody_paid_anything() -> None:
    model = GammaGamma().fit(frame(repeat_spend=[0.0, 0.0, 0.0]))
    assert model.served_ == "cohort table"
    assert model.expected_value(frame()).isna().all()


def test_money_without_a_mean_is_served_by_the_table() -> None:
    """Pareto tails with exponent below 1: q is below 1, so the mean of the population is infinite."""
    rng = np.random.default_rng(4)
    days = np.full(4_000, 3)
    snap = pd.DataFrame({"order_days": days, "repeat_spend": rng.gamma(10.0, 1.0, 4_000) / rng.gamma(0.7, 1.0, 4_000)})
    model = GammaGamma().fit(snap)
    assert model.served_ == "cohort table"
    assert "infinite" in check(model.checks_, "gamma_gamma_converged").message
    mean = (snap["repeat_spend"] / 2).mean()
    assert model.expected_value(snap).to_numpy() == pytest.approx(mean)


# --- holdout and tracking ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def study() -> tk.Study:
    lines = simulated(400, seed=4, days=500, alpha=30.0).lines("2025-01-01", amount=10.0)
    return tk.Study.from_frames(lines, timezone="Asia/Shanghai", currency="CNY")


def models(study: tk.Study, day: str) -> tuple[BetaGeo, GammaGamma]:
    snap = study.snapshot(day, NEEDED)
    return BetaGeo().fit(snap), GammaGamma().fit(snap)


def test_a_holdout_beyond_the_window_is_refused(study: tk.Study) -> None:
    fitted = models(study, "2025-12-31")
    assert holdout(study, *fitted, days=31, as_of="2026-01-31").days == 31
    with pytest.raises(ArgumentError, match=r"ends on 2026-02-01, after 2026-01-31.*days=31"):
        holdout(study, *fitted, days=32, as_of="2026-01-31")


@pytest.mark.parametrize("days", [0, -1, 1.5])
def test_a_holdout_has_whole_days(study: tk.Study, days: int) -> None:
    with pytest.raises(ArgumentError, match="whole days above 0"):
        holdout(study, *models(study, "2025-12-31"), days=days, as_of="2026-01-31")


def test_holdout_money_is_that_of_the_holdout(study: tk.Study) -> None:
    """Neither what was paid before, nor the first orders of who is new, nor a mean times the orders."""
    lines = pd.DataFrame(
        {
            "customer_id": ["a", "a", "a", "b", "c", "c", "b"],
            "ordered_at": [
                "2026-01-01",
                "2026-01-05",
                "2026-02-03",
                "2026-01-02",
                "2026-02-02",
                "2026-02-04",
                "2026-03-01",
            ],
            "amount": [1.0, 10.0, 100.0, 2.0, 500.0, 700.0, 1000.0],
        }
    )
    two = tk.Study.from_frames(lines, timezone="Asia/Shanghai", currency="CNY")
    found = holdout(two, *models(two, "2026-01-31"), days=28, as_of="2026-03-31")
    assert found.totals["actual"].tolist() == [1.0, 100.0]


def test_snapshots_in_the_wrong_order_are_refused(study: tk.Study) -> None:
    before, after = (study.snapshot(day, NEEDED) for day in ("2025-12-31", "2026-03-31"))
    with pytest.raises(ArgumentError, match="fewer order days or less spend"):
        made_between(after, before)


def test_tracking_needs_the_models_day_and_a_later_one(study: tk.Study) -> None:
    snap = study.snapshot("2025-12-31", NEEDED)
    with pytest.raises(ArgumentError, match="before the model's day"):
        track(study, BetaGeo().fit(snap), "2025-12-30")
    with pytest.raises(ArgumentError, match="every_weeks"):
        track(study, BetaGeo().fit(snap), "2026-03-31", every_weeks=0)
    nameless = snap.copy()
    nameless.attrs = {}
    with pytest.raises(ArgumentError, match="did not say its day"):
        track(study, BetaGeo().fit(nameless), "2026-03-31")


def test_totals_of_nobody_are_zero() -> None:
    snap = simulated(2_000, seed=1).snapshot
    never = frame(order_days=[0, 0, 0], recency_days=[np.nan] * 3, tenure_days=[np.nan] * 3, repeat_spend=[0.0] * 3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        total = value_total(never, BetaGeo().fit(snap), GammaGamma().fit(snap))
    assert (total == 0).all(axis=None)


def test_episodes_of_one_landmark_have_its_day_and_several_are_refused() -> None:
    snap = simulated(2_000, seed=1).snapshot
    one = snap.assign(landmark=pd.Timestamp("2026-03-31"))
    one.attrs["as_of"] = "2026-10-31"
    assert BetaGeo().fit(one).as_of_ == "2026-03-31"
    with pytest.raises(ArgumentError, match="2 landmarks"):
        BetaGeo().fit(pd.concat([one, one.assign(landmark=pd.Timestamp("2026-06-30"))]))


def test_tracking_without_a_model_shows_what_was_made(study: tk.Study) -> None:
    snap = study.snapshot("2025-12-31", NEEDED)
    model = BetaGeo().fit(snap[snap["order_days"] == 1].iloc[:1])
    assert (model.served_, model.as_of_) == ("cohort table", "2025-12-31")
    table = track(study, model, "2026-03-31")
    assert table["expected"].isna().all()
    assert table["actual"].gt(0).any()

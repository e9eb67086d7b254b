"""Churn models against R, lifelines and brute force; risks, drivers and explanations by property."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lifelines import CoxPHFitter, WeibullAFTFitter
from lifelines.datasets import load_rossi
from lifelines.utils import concordance_index
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from tests.builders.churn_data import FEATURES, hazards, shoppers
from toolkit.risk.churn import ChurnModel
from toolkit.risk.covariates import DEFAULT_FEATURES
from toolkit.risk.cox import fit_cox
from toolkit.risk.cumulative import Cause, StepCurve, incidence
from toolkit.risk.efron import efron_sums, gradient, information, risk_sets, score_residuals
from toolkit.risk.episode_rows import EpisodeRows
from toolkit.risk.sandwich import sandwich
from toolkit.risk.weibull import WeibullFit

ORACLES = Path(__file__).parents[1] / "oracles"
NEW = pd.DataFrame({"x1": [0.0, 1.0, -0.5], "x2": [0, 1, 1], "x3": [1.0, 0.0, 2.0], "stratum": ["a", "b", "c"]})
DAYS = (10, 30, 60)


@pytest.fixture(scope="module")
def rossi() -> pd.DataFrame:
    frame: pd.DataFrame = load_rossi()
    return frame


@pytest.fixture(scope="module")
def model() -> ChurnModel:
    return ChurnModel().fit(shoppers(1_200))


def of_rossi(frame: pd.DataFrame, **options: Any) -> ChurnModel:
    features = tuple(name for name in frame.columns if name not in ("week", "arrest"))
    return ChurnModel(outcome="end", features=features, **options).fit(
        frame, duration="week", event="arrest", entry=None
    )


def expected(name: str, case: str = "") -> dict[tuple[str, str], float]:
    table = pd.read_csv(ORACLES / name, keep_default_na=False)
    if case:
        table = table[table["case"] == case]
    return {
        (what, of): float(value) for what, of, value in zip(table["what"], table["name"], table["value"], strict=True)
    }


def told(fitted: ChurnModel) -> dict[tuple[str, str], float]:
    """Return what R tells of a fit, by the same names."""
    table = fitted.coef_
    found = {(what, name): table.loc[name, what] for name in table.index for what in ("coef", "se_plain", "se")}
    risk = fitted.risk(NEW, DAYS)
    risks = {("risk", f"{day} {row + 1}"): risk.iloc[row, place] for place, day in enumerate(DAYS) for row in range(3)}
    return found | risks | {("log_likelihood", ""): fitted.log_likelihood_}


def test_rossi_gives_the_published_figures(rossi: pd.DataFrame) -> None:
    fitted = of_rossi(rossi)
    assert fitted.served_ == "cox"
    assert round(fitted.coef_["coef"]["fin"], 3) == -0.379
    assert round(fitted.log_likelihood_, 4) == -658.7477
    risk = fitted.risk(rossi, (52,))["risk_52d"]
    assert round(concordance_index(rossi["week"], -risk, rossi["arrest"]), 4) == 0.6403


@pytest.mark.parametrize(
    ("case", "options", "columns"),
    [
        ("plain", {}, {"entry": None}),
        ("late", {}, {"entry": "entry"}),
        ("weights", {}, {"entry": "entry", "weights": "weight"}),
        ("strata", {"strata": "stratum"}, {"entry": "entry"}),
    ],
)
def test_cox_agrees_with_r(case: str, options: dict[str, Any], columns: dict[str, Any]) -> None:
    episodes = pd.read_csv(ORACLES / "cox_episodes.csv")
    fitted = ChurnModel(outcome="end", features=FEATURES, **options)
    fitted.fit(episodes, duration="duration", event="event", cluster="customer", **columns)
    assert fitted.served_ == "cox"
    numbers = {key: value for key, value in expected("cox_coxph.csv", case).items() if key[0] != "zph"}
    ours = told(fitted)
    assert {key: ours[key] for key in numbers} == pytest.approx(numbers, abs=1e-6)
    if case == "late":
        zph = {key[1]: value for key, value in expected("cox_coxph.csv", case).items() if key[0] == "zph"}
        naive = ChurnModel(outcome="end", features=FEATURES, robust=False)
        naive.fit(episodes, duration="duration", event="event", entry="entry")
        assert naive.proportional_["chi2"].to_dict() == pytest.approx(zph, rel=1e-5)


def test_weibull_agrees_with_r() -> None:
    episodes = pd.read_csv(ORACLES / "cox_episodes.csv")
    fitted = ChurnModel("weibull", outcome="end", features=FEATURES)
    fitted.fit(episodes, duration="duration", event="event", entry=None, cluster="customer")
    assert fitted.served_ == "weibull"
    numbers = expected("weibull_survreg.csv")
    ours = told(fitted)
    assert {key: ours[key] for key in numbers} == pytest.approx(numbers, abs=1e-4)


def test_robust_errors_are_those_of_lifelines_on_5000_rows() -> None:
    """lifelines' residuals know no ties: they must agree where there are none, or where its order breaks them."""
    rng = np.random.default_rng(3)
    episodes = (
        hazards(5_300, frailty=0.5)
        .iloc[:5_000]
        .assign(
            duration_days=lambda frame: frame["duration_days"] + rng.random(len(frame)),
            customer=lambda frame: frame.index,
        )
    )
    names = [*FEATURES, "duration_days", "event", "customer"]
    theirs = CoxPHFitter().fit(episodes[names], "duration_days", "event", cluster_col="customer")
    ours = ChurnModel(outcome="end", features=FEATURES).fit(episodes, entry=None)
    assert len(episodes) == 5_000
    assert np.abs(ours.coef_["se"] - theirs.standard_errors_).max() < 1e-6
    assert np.abs(ours.coef_["coef"] - theirs.params_).max() < 1e-6
    assert np.abs(ours.coef_["se"] / ours.coef_["se_plain"] - 1).max() > 0.05


def test_robust_errors_on_whole_days_are_lifelines_own_once_its_order_breaks_the_ties() -> None:
    episodes = hazards(5_300, frailty=0.5).iloc[:5_000].reset_index()
    names = [*FEATURES, "duration_days", "event", "customer_id"]
    theirs = CoxPHFitter().fit(episodes[names], "duration_days", "event", cluster_col="customer_id")
    ordered = episodes.sort_values(["duration_days", "event"])
    spread = ordered[list(FEATURES)].std().to_numpy()
    x = (ordered[list(FEATURES)].to_numpy() - ordered[list(FEATURES)].mean().to_numpy()) / spread
    sets = risk_sets(np.arange(5_000.0), ordered["event"].to_numpy() == 1, None, np.ones(5_000))
    residuals = score_residuals(sets, efron_sums(sets, x, theirs.params_.to_numpy() * spread), x)
    bread = theirs.variance_matrix_.to_numpy() * np.outer(spread, spread)
    variance = sandwich(residuals, bread, ordered["customer_id"].to_numpy())
    assert np.abs(np.sqrt(np.diag(variance)) / spread - theirs.standard_errors_).max() < 1e-6
    ours = ChurnModel(outcome="end", features=FEATURES).fit(episodes, entry=None, cluster="customer_id")
    assert ours.coef_["se"].to_numpy() == pytest.approx(theirs.standard_errors_.to_numpy(), rel=0.02)


@pytest.mark.parametrize("kind", ["cox", "weibull"])
def test_risk_is_one_less_lifelines_survival(rossi: pd.DataFrame, kind: str) -> None:
    fitter = CoxPHFitter() if kind == "cox" else WeibullAFTFitter()
    theirs = fitter.fit(rossi, "week", "arrest").predict_survival_function(rossi, times=list(DAYS[:2]))
    ours = of_rossi(rossi, kind=kind).risk(rossi, DAYS[:2])
    assert np.abs(1 - theirs.to_numpy().T - ours.to_numpy()).max() < (1e-6 if kind == "cox" else 1e-4)


def slow(x: Any, times: tuple[Any, Any], event: Any, weights: Any, beta: Any) -> tuple[float, Any]:
    """Return log partial likelihood and score residuals by loops, one tied event after the other."""
    entry, duration = times
    relative = np.exp(x @ beta)
    level, residuals = 0.0, np.zeros_like(x)
    for time in np.unique(duration[event]):
        risk = (entry < time) & (time <= duration)
        tied = event & (duration == time)
        count = int(tied.sum())
        mean_weight = weights[tied].sum() / count
        level += float(weights[tied] @ (x[tied] @ beta))
        for gone in range(count):
            held = np.where(tied, 1 - gone / count, 1.0) * risk
            bottom = float((held * weights * relative).sum())
            middle = (held * weights * relative) @ x / bottom
            level -= mean_weight * np.log(bottom)
            residuals[tied] += (x[tied] - middle) / count
            residuals -= (held * relative)[:, None] * (x - middle) * mean_weight / bottom
    return level, residuals * weights[:, None]


@given(
    st.lists(
        st.tuples(
            st.integers(1, 6), st.integers(0, 3), st.booleans(), st.integers(-2, 2), st.sampled_from([0.5, 1, 2])
        ),
        min_size=2,
        max_size=12,
    )
)
@settings(max_examples=60, deadline=None)
def test_sums_are_those_of_loops(rows: list[tuple[int, int, bool, int, float]]) -> None:
    length, entry, event, place, weights = (np.array(part) for part in zip(*rows, strict=True))
    x = np.column_stack([place.astype(float), (place**2).astype(float)])
    beta = np.array([0.3, -0.2])
    duration = (entry + length).astype(float)
    sets = risk_sets(duration, event, entry.astype(float), weights.astype(float))
    sums = efron_sums(sets, x, beta)
    level, residuals = slow(x, (entry, duration), event, weights, beta)
    assert sums.log_likelihood == pytest.approx(level, abs=1e-9)
    assert score_residuals(sets, sums, x) == pytest.approx(residuals, abs=1e-9)
    assert gradient(sets, sums, x) == pytest.approx(residuals.sum(axis=0), abs=1e-9)
    step = 1e-5
    slopes = [
        (gradient(sets, efron_sums(sets, x, beta + move), x) - gradient(sets, efron_sums(sets, x, beta - move), x))
        for move in step * np.eye(2)
    ]
    assert information(sets, sums, x) == pytest.approx(-np.array(slopes) / (2 * step), abs=1e-5)


def test_newton_reaches_where_the_slope_is_level_under_late_entry_and_strata() -> None:
    episodes = hazards(900, late=True)
    rows = EpisodeRows(
        duration=episodes["duration_days"].to_numpy(),
        event=episodes["event"].to_numpy(),
        entry=episodes["entry_days"].to_numpy(),
        weights=np.ones(len(episodes)),
        clusters=np.arange(len(episodes)),
        strata=np.arange(len(episodes)) % 3,
    )
    x = episodes[list(FEATURES)].to_numpy()
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    beta, covariance, _ = fit_cox(x, rows)
    other, again, _ = fit_cox(x, rows, careful=False, step_size=0.5)
    assert beta == pytest.approx(other, abs=1e-7)
    assert covariance == pytest.approx(again, abs=1e-9)


def test_weibull_residuals_are_slopes_of_the_log_likelihood_under_late_entry() -> None:
    rows = EpisodeRows(
        duration=np.array([3.0, 5.0, 9.0, 4.0]),
        event=np.array([1, 0, 1, 0]),
        entry=np.array([0.0, 2.0, 4.0, 0.0]),
        weights=np.array([1.0, 2.0, 1.0, 0.5]),
        clusters=np.arange(4),
    )
    x = np.array([[0.2], [-1.0], [0.5], [1.0]])

    def level(parameters: Any) -> Any:
        place, shape = parameters[1] + x[:, 0] * parameters[0], np.exp(parameters[2])
        end = (rows.duration / np.exp(place)) ** shape
        begin = (rows.start / np.exp(place)) ** shape
        seen = rows.seen * (np.log(shape) - np.log(rows.duration) + shape * (np.log(rows.duration) - place))
        return rows.weights * (seen - end + begin)

    at = np.array([0.3, 1.5, 0.2])
    step = 1e-6
    slopes = np.column_stack([(level(at + move) - level(at - move)) / (2 * step) for move in step * np.eye(3)])
    fit = WeibullFit(at[:1], at[1], at[2], np.eye(3), 0.0)
    assert fit.residuals(x, rows) == pytest.approx(slopes, abs=1e-6)


def test_incidence_by_hand() -> None:
    """Day 1: hazard .2 of the order; day 2: .1 of it and .3 of deletion, in which an order is a quarter."""
    order = Cause(StepCurve(np.array([1.0, 2.0]), np.array([0.2, 0.3])), np.ones(1))
    deletion = Cause(StepCurve(np.array([2.0]), np.array([0.3])), np.ones(1))
    by_hand = (1 - np.exp(-0.2)) + np.exp(-0.2) * 0.25 * (1 - np.exp(-0.4))
    assert incidence([order], deletion, 0.0, 2.0) == pytest.approx([by_hand])
    assert incidence([order], deletion, 1.0, 1.0) == pytest.approx([0.25 * (1 - np.exp(-0.4))])
    assert incidence([order], None, 0.0, 2.0) == pytest.approx([1 - np.exp(-0.3)])
    assert incidence([order], None, np.array([1.0]), 1.0) == pytest.approx([1 - np.exp(-0.1)])


@given(
    st.lists(st.tuples(st.floats(0, 2), st.floats(0, 2)), min_size=1, max_size=8), st.floats(0, 9), st.floats(0.1, 9)
)
@settings(max_examples=60, deadline=None)
def test_what_happens_and_what_does_not_add_up_to_one(
    steps: list[tuple[float, float]], start: float, days: float
) -> None:
    times = np.arange(1.0, len(steps) + 1)
    one, other = (
        Cause(StepCurve(times, np.cumsum([pair[place] for pair in steps])), np.array([0.5, 1.0, 3.0]))
        for place in (0, 1)
    )
    whole = StepCurve(times, one.curve.at(times) + other.curve.at(times))
    happened = incidence([one], other, start, days) + incidence([other], one, start, days)
    assert happened == pytest.approx(incidence([Cause(whole, one.relative)], None, start, days), abs=1e-12)


def test_deletion_takes_orders_away_and_alters_nothing_where_there_is_none() -> None:
    episodes = hazards(3_000, deletion=1 / 100)
    fitted = ChurnModel(outcome="end", features=FEATURES).fit(episodes, entry=None)
    censored = ChurnModel(outcome="end", features=FEATURES).fit(episodes.replace({"event": {2: 0}}), entry=None)
    risk, apart = fitted.risk(episodes, (50,)), censored.risk(episodes, (50,))
    assert (risk < apart).to_numpy().all()
    happened = ((episodes["event"] == 1) & (episodes["duration_days"] <= 50)).mean()
    assert float(risk.to_numpy().mean()) == pytest.approx(happened, abs=0.02)
    assert [check.code for check in fitted.checks_].count("competing_deletion") == 1
    assert "competing_deletion" not in [check.code for check in censored.checks_]


def test_default_features_serve_every_buyer(model: ChurnModel) -> None:
    snapshot = shoppers(landmarks=1).drop(columns=["duration_days", "event", "entry_days"])
    never = snapshot.iloc[:2].assign(order_days=0, recency_days=np.nan, tenure_days=np.nan, mean_order_value=np.nan)
    both = pd.concat([snapshot, never])
    risk = model.risk(both)
    assert risk.columns.tolist() == ["risk_7d", "risk_30d", "risk_90d"]
    assert risk.index.equals(both.index)
    assert risk.iloc[-2:].isna().all(axis=None)
    alive = risk.iloc[:-2]
    assert alive.notna().all(axis=None)
    assert ((alive >= 0) & (alive <= 1)).all(axis=None)
    assert (alive.diff(axis="columns").iloc[:, 1:] <= 0).all(axis=None)
    assert model.served_ == "cox"
    assert model.n_customers_ < model.n_episodes_ == len(shoppers(1_200))


def test_extremes_have_finite_risks(model: ChurnModel) -> None:
    row = shoppers(landmarks=1).iloc[[0]]
    odd = pd.concat([row.assign(order_days=days, recency_days=recency, tenure_days=tenure, mean_order_value=value)
                     for days in (1, 10_000) for recency in (0, 9_000) for tenure in (0, 20_000)
                     for value in (-5.0, 0.0, 1e12, np.nan)])  # fmt: skip
    risk = model.risk(odd)
    assert np.isfinite(risk.to_numpy()).all()


def test_neither_order_of_rows_nor_ids_nor_the_unit_of_money_matter(model: ChurnModel) -> None:
    episodes = shoppers(1_200)
    odd = episodes.sample(frac=1, random_state=3)
    odd["mean_order_value"] *= 1_000
    odd.index = pd.Index("x" + odd.index.to_series(), name="customer_id")
    other = ChurnModel().fit(odd)
    ours, theirs = model.risk(episodes), other.risk(odd)
    theirs.index = theirs.index.str.removeprefix("x")
    keys = [episodes["landmark"], odd["landmark"]]
    ours, theirs = (
        risk.assign(landmark=key.to_numpy()).set_index("landmark", append=True).sort_index()
        for risk, key in zip((ours, theirs), keys, strict=True)
    )
    assert np.abs(ours - theirs).max(axis=None) < 1e-7
    assert other.coef_["se"].to_numpy() == pytest.approx(model.coef_["se"].to_numpy(), rel=1e-5)


def test_the_longer_silent_is_at_more_risk(model: ChurnModel) -> None:
    row = shoppers(landmarks=1).iloc[[0] * 5].assign(order_days=6, tenure_days=300.0, mean_order_value=20.0)
    risk = model.risk(row.assign(recency_days=[1.0, 30.0, 60.0, 120.0, 250.0]), (90,))["risk_90d"]
    assert risk.iloc[1:].is_monotonic_increasing
    assert risk.iloc[-1] - risk.iloc[0] > 0.3


def test_drivers_are_told_by_risk(model: ChurnModel) -> None:
    drivers = model.drivers()
    assert set(drivers.index) <= set(DEFAULT_FEATURES)
    assert drivers.columns.tolist() == ["hazard_ratio", "lower", "upper", "p_value", "raises_risk", "contrast"]
    assert ((drivers["lower"] <= drivers["hazard_ratio"]) & (drivers["hazard_ratio"] <= drivers["upper"])).all()
    assert np.log(drivers["hazard_ratio"]).abs().is_monotonic_decreasing
    assert drivers.loc["recency_days", "raises_risk"]
    assert not drivers.loc["order_days", "raises_risk"]
    assert " against " in drivers["contrast"]["recency_days"]


def test_a_ratio_above_one_is_good_for_orders_and_bad_for_ends() -> None:
    episodes = hazards(900)
    good = ChurnModel(features=FEATURES).fit(episodes).drivers()
    bad = ChurnModel(outcome="end", features=FEATURES).fit(episodes).drivers()
    assert good["hazard_ratio"].equals(bad["hazard_ratio"])
    assert (good["raises_risk"] != bad["raises_risk"]).all()
    assert bad["raises_risk"].equals(bad["hazard_ratio"] > 1)
    assert good["contrast"].unique().tolist() == ["per unit"]


def test_a_contrast_is_the_ratio_of_the_cumulative_hazards_it_names() -> None:
    """Few events, so that hazards are taken as proportional and the ratio is the same at every horizon."""
    episodes = shoppers(120, landmarks=2, seed=5)
    fitted = ChurnModel().fit(episodes)
    typical = fitted.explain(episodes.iloc[[0]], episodes.index[0])["typical"]
    row = pd.DataFrame([typical.to_dict()] * 2)
    for feature, driver in fitted.drivers().iterrows():
        high, low = (float(text) for text in driver["contrast"].split(" against "))
        hazard = -np.log(fitted.risk(row.assign(**{str(feature): [low, high]}), (60,))["risk_60d"])
        assert hazard.iloc[1] / hazard.iloc[0] == pytest.approx(driver["hazard_ratio"], rel=2e-3)


def test_contributions_add_up(model: ChurnModel) -> None:
    frame = shoppers(landmarks=1)
    table = model.explain(frame, "C00007")
    assert table.columns.tolist() == ["value", "typical", "contribution", "risk"]
    row = frame.loc[["C00007"]]
    typical = pd.DataFrame([table["typical"].to_dict()])
    serving = model._serving
    apart = [float(serving.log_hazard(serving.learned.values(one))[0]) for one in (row, typical)]
    assert table["contribution"].sum() == pytest.approx(apart[1] - apart[0])
    assert table["contribution"].abs().is_monotonic_decreasing
    assert table["risk"].unique() == pytest.approx(model.risk(row)["risk_90d"].to_numpy())
    assert table.attrs["horizon"] == 90
    same = model.explain(typical.set_index(pd.Index(["T"])), "T")
    assert same["contribution"].to_numpy() == pytest.approx(np.zeros(len(same)))


def test_members_are_followed_from_their_own_entry() -> None:
    """The same member is asked about at day 0 and at day 30: only the hazard that follows counts."""
    episodes = hazards(3_000, late=True)
    fitted = ChurnModel(outcome="end", features=FEATURES).fit(episodes)
    row = episodes.iloc[[0, 0, 0]].assign(entry_days=[0.0, 20.0, 40.0])
    risk = fitted.risk(row, (20,))["risk_20d"]
    three = fitted.risk(row.iloc[[0]], (60,)).to_numpy()
    assert 1 - np.prod(1 - risk.to_numpy()) == pytest.approx(three[0, 0])


def test_cloning_and_asking_too_early() -> None:
    copy = clone(ChurnModel("weibull", 0.1, outcome="end", features=("x1",)))
    assert (copy.kind, copy.penalizer, copy.outcome, copy.features) == ("weibull", 0.1, "end", ("x1",))
    with pytest.raises(NotFittedError):
        copy.risk(NEW)


def test_a_penalty_draws_coefficients_to_nothing() -> None:
    episodes = hazards(600)
    free, drawn = (ChurnModel(penalizer=ridge, features=FEATURES).fit(episodes).coef_["coef"] for ridge in (0.0, 1.0))
    assert (drawn.abs() < free.abs()).all()

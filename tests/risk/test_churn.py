"""Churn models against R, lifelines and brute force; risks, drivers and explanations by property."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from lifelines import CoxPHFitter, WeibullAFTFitter
from lifelines.datasets import load_rossi
from lifelines.utils import concordance_index
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

import toolkit as tk
from tests.builders.churn_data import FEATURES, hazards, shoppers
from tests.builders.profiles import several

ORACLES = Path(__file__).parents[1] / "oracles"
NEW = pd.DataFrame({"x1": [0.0, 1.0, -0.5], "x2": [0, 1, 1], "x3": [1.0, 0.0, 2.0], "stratum": ["a", "b", "c"]})
DAYS = (10, 30, 60)


@pytest.fixture(scope="module")
def rossi() -> pd.DataFrame:
    frame: pd.DataFrame = load_rossi()
    return frame


@pytest.fixture(scope="module")
def model() -> tk.ChurnModel:
    return tk.ChurnModel().fit(shoppers(1_200))


@pytest.fixture(scope="module")
def proportional() -> tuple[tk.ChurnModel, pd.DataFrame]:
    """Return a model of few events, whose hazards are taken as proportional, and its episodes."""
    episodes = shoppers(120, landmarks=2, seed=5)
    return tk.ChurnModel().fit(episodes), episodes


def of_rossi(frame: pd.DataFrame, **options: Any) -> tk.ChurnModel:
    features = tuple(name for name in frame.columns if name not in ("week", "arrest"))
    return tk.ChurnModel(outcome="end", features=features, **options).fit(
        frame, duration="week", event="arrest", entry=None
    )


def expected(name: str, case: str = "") -> dict[tuple[str, str], float]:
    table = pd.read_csv(ORACLES / name, keep_default_na=False)
    if case:
        table = table[table["case"] == case]
    return {
        (what, of): float(value) for what, of, value in zip(table["what"], table["name"], table["value"], strict=True)
    }


def told(fitted: tk.ChurnModel) -> dict[tuple[str, str], float]:
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
    fitted = tk.ChurnModel(outcome="end", features=FEATURES, **options)
    fitted.fit(episodes, duration="duration", event="event", cluster="customer", **columns)
    assert fitted.served_ == "cox"
    numbers = {key: value for key, value in expected("cox_coxph.csv", case).items() if key[0] != "zph"}
    ours = told(fitted)
    assert {key: ours[key] for key in numbers} == pytest.approx(numbers, abs=1e-6)
    if case == "late":
        zph = {key[1]: value for key, value in expected("cox_coxph.csv", case).items() if key[0] == "zph"}
        naive = tk.ChurnModel(outcome="end", features=FEATURES, robust=False)
        naive.fit(episodes, duration="duration", event="event", entry="entry")
        assert naive.proportional_["chi2"].to_dict() == pytest.approx(zph, rel=1e-5)


def test_weibull_agrees_with_r() -> None:
    episodes = pd.read_csv(ORACLES / "cox_episodes.csv")
    fitted = tk.ChurnModel("weibull", outcome="end", features=FEATURES)
    fitted.fit(episodes, duration="duration", event="event", entry=None, cluster="customer")
    assert fitted.served_ == "weibull"
    numbers = expected("weibull_survreg.csv")
    ours = told(fitted)
    assert {key: ours[key] for key in numbers} == pytest.approx(numbers, abs=1e-4)


def test_robust_errors_are_those_of_lifelines_on_5000_rows() -> None:
    """lifelines' residuals know no ties: they agree where there are none, and nearly on whole days."""
    rng = np.random.default_rng(3)
    whole = hazards(5_300, frailty=0.5).iloc[:5_000]
    apart = whole.assign(duration_days=lambda frame: frame["duration_days"] + rng.random(len(frame)))
    names = [*FEATURES, "duration_days", "event", "customer_id"]
    for episodes, near in ((apart, 1e-6), (whole, 5e-4)):
        theirs = CoxPHFitter().fit(episodes.reset_index()[names], "duration_days", "event", cluster_col="customer_id")
        ours = tk.ChurnModel(outcome="end", features=FEATURES).fit(episodes, entry=None).coef_
        assert ours["coef"].to_numpy() == pytest.approx(theirs.params_.to_numpy(), abs=1e-6)
        assert ours["se"].to_numpy() == pytest.approx(theirs.standard_errors_.to_numpy(), abs=near)
        assert np.abs(ours["se"] / ours["se_plain"] - 1).max() > 0.05


@pytest.mark.parametrize(("kind", "near"), [("cox", 1e-6), ("weibull", 1e-4)])
def test_risk_is_one_less_lifelines_survival(rossi: pd.DataFrame, kind: str, near: float) -> None:
    fitter = CoxPHFitter() if kind == "cox" else WeibullAFTFitter()
    theirs = fitter.fit(rossi, "week", "arrest").predict_survival_function(rossi, times=list(DAYS[:2]))
    ours = of_rossi(rossi, kind=kind).risk(rossi, DAYS[:2])
    assert np.abs(1 - theirs.to_numpy().T - ours.to_numpy()).max() < near


def slow(rows: pd.DataFrame, beta: Any) -> tuple[float, Any]:
    """Return log partial likelihood and score residuals by loops, one tied event after the other."""
    x, entry, duration, weights = (rows[name].to_numpy() for name in (list(FEATURES), "entry", "duration", "weight"))
    event = rows["event"].to_numpy() == 1
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


def errors(bread: Any, residuals: Any, clusters: Any) -> Any:
    """Return plain errors and those by cluster, from the information's inverse and what each row adds to slopes."""
    summed = pd.DataFrame(residuals).groupby(clusters).sum().to_numpy()
    return np.sqrt(np.diag(bread)), np.sqrt(np.diag(bread @ (summed.T @ summed) @ bread))


def slopes(of: Any, at: Any, step: float) -> Any:
    """Return the derivative of each entry by each parameter, the last axis."""
    return np.stack([(of(at + move) - of(at - move)) / (2 * step) for move in step * np.eye(len(at))], axis=-1)


@pytest.mark.parametrize("seed", range(several(2, 8)))
def test_cox_is_that_of_loops_with_ties_late_entry_weights_and_strata(seed: int) -> None:
    rng = np.random.default_rng(seed)
    episodes = hazards(240, seed=seed, late=True)
    entry = episodes["entry_days"] // 5 * 5
    ties = np.maximum(np.ceil(episodes["duration_days"] / 5) * 5, entry + 5)
    episodes = episodes.assign(entry=entry, duration=ties, weight=rng.choice([0.5, 1, 2], len(episodes)))
    episodes["stratum"] = rng.integers(0, 3, len(episodes))
    fitted = tk.ChurnModel(outcome="end", features=FEATURES, strata="stratum")
    fitted.fit(episodes, duration="duration", entry="entry", weights="weight")
    parts = [rows for _, rows in episodes.groupby("stratum")]
    beta = fitted.coef_["coef"].to_numpy()
    level, residuals = zip(*(slow(rows, beta) for rows in parts), strict=True)
    assert fitted.log_likelihood_ == pytest.approx(sum(level), abs=1e-8)
    assert sum(part.sum(axis=0) for part in residuals) == pytest.approx(np.zeros(3), abs=1e-3)
    information = -slopes(lambda at: sum(slow(rows, at)[1].sum(axis=0) for rows in parts), beta, 1e-5)
    clusters = np.concatenate([rows.index for rows in parts])
    plain, robust = errors(np.linalg.inv(information), np.concatenate(residuals), clusters)
    assert fitted.coef_["se_plain"].to_numpy() == pytest.approx(plain, rel=1e-5)
    assert fitted.coef_["se"].to_numpy() == pytest.approx(robust, rel=1e-5)


def test_weibull_is_that_of_its_likelihood_with_late_entry_and_weights() -> None:
    rng = np.random.default_rng(3)
    episodes = hazards(450, late=True).assign(weight=lambda frame: rng.choice([0.5, 1, 2], len(frame)))
    fitted = tk.ChurnModel("weibull", outcome="end", features=FEATURES).fit(episodes, weights="weight")
    x, entry, duration, event, weight = (
        episodes[name].to_numpy() for name in (list(FEATURES), "entry_days", "duration_days", "event", "weight")
    )
    nobody = pd.DataFrame([dict.fromkeys(FEATURES, 0.0)])
    ten, forty = np.log(-np.log1p(-fitted.risk(nobody, (10, 40)).to_numpy()[0]))
    shape = (forty - ten) / np.log(4)

    def level(parameters: Any) -> Any:
        ratio, (place, log_shape) = x @ parameters[:3], parameters[3:]
        end, begin = (np.exp(ratio) * (days / np.exp(place)) ** np.exp(log_shape) for days in (duration, entry))
        seen = log_shape - np.log(duration) + np.exp(log_shape) * (np.log(duration) - place) + ratio
        return weight * (event * seen - end + begin)

    best = np.array([*fitted.coef_["coef"], np.log(10) - ten / shape, np.log(shape)])
    assert fitted.log_likelihood_ == pytest.approx(level(best).sum(), rel=1e-9)
    residuals = slopes(level, best, 1e-4)
    information = -slopes(lambda at: slopes(level, at, 1e-4).sum(axis=0), best, 1e-4)
    plain, robust = errors(np.linalg.inv(information), residuals, episodes.index)
    assert fitted.coef_["se_plain"].to_numpy() == pytest.approx(plain[:3], rel=1e-3)
    assert fitted.coef_["se"].to_numpy() == pytest.approx(robust[:3], rel=1e-3)


def test_risk_beside_deletion_is_that_of_a_loop() -> None:
    """Breslow's steps of the end, Nelson and Aalen's of few deletions; within a day neither comes first."""
    episodes = hazards(240, late=True, deletion=1 / 2_000)
    entry, duration, event = (episodes[name].to_numpy() for name in ("entry_days", "duration_days", "event"))
    assert 3 <= (event == 2).sum() < 10
    fitted = tk.ChurnModel(outcome="end", features=("x1",)).fit(episodes)
    relative = np.exp(episodes["x1"].to_numpy() * fitted.coef_.loc["x1", "coef"])
    both = 0
    free, found = np.ones(len(episodes)), np.zeros(len(episodes))
    for day in range(1, int(duration.max()) + 1):
        there, today = (entry < day) & (day <= duration), duration == day
        if not there.any():
            continue
        one = (today & (event == 1)).sum() / relative[there].sum() * relative
        other = (today & (event == 2)).sum() / there.sum()
        both += int(one.max() > 0 and other > 0)
        inside = (entry < day) & (day <= entry + 30) & (one + other > 0)
        share = np.divide(one, one + other, out=np.zeros_like(one), where=one + other > 0)
        found += inside * free * share * -np.expm1(-(one + other))
        free *= np.where(inside, np.exp(-(one + other)), 1)
    assert both, "no day has both"
    assert fitted.risk(episodes, (30,))["risk_30d"].to_numpy() == pytest.approx(found, abs=1e-9)


def test_deletion_takes_orders_away_and_alters_nothing_where_there_is_none() -> None:
    episodes = hazards(3_000, deletion=1 / 100)
    fitted = tk.ChurnModel(outcome="end", features=FEATURES).fit(episodes, entry=None)
    censored = tk.ChurnModel(outcome="end", features=FEATURES).fit(episodes.replace({"event": {2: 0}}), entry=None)
    risk, apart = fitted.risk(episodes, (50,)), censored.risk(episodes, (50,))
    assert (risk < apart).to_numpy().all()
    happened = ((episodes["event"] == 1) & (episodes["duration_days"] <= 50)).mean()
    assert float(risk.to_numpy().mean()) == pytest.approx(happened, abs=0.02)
    assert [check.code for check in fitted.checks_].count("competing_deletion") == 1
    assert "competing_deletion" not in [check.code for check in censored.checks_]


def test_default_features_serve_every_buyer(model: tk.ChurnModel) -> None:
    snapshot = shoppers(landmarks=1).drop(columns=["duration_days", "event", "entry_days"])
    never = snapshot.iloc[:2].assign(order_days=0, recency_days=np.nan, tenure_days=np.nan, mean_order_value=np.nan)
    both = pd.concat([snapshot, never])
    risk = model.risk(both)
    assert risk.columns.tolist() == ["risk_7d", "risk_30d", "risk_90d"]
    assert risk.index.equals(both.index)
    assert risk.iloc[-2:].isna().all(axis=None)
    pd.testing.assert_frame_equal(model.risk(both.iloc[:7]), risk.iloc[:7], rtol=1e-12)
    alive = risk.iloc[:-2]
    assert alive.notna().all(axis=None)
    assert ((alive >= 0) & (alive <= 1)).all(axis=None)
    assert (alive.diff(axis="columns").iloc[:, 1:] <= 0).all(axis=None)
    assert model.served_ == "cox"
    assert model.n_customers_ < model.n_episodes_ == len(shoppers(1_200))


def test_extremes_have_finite_risks(model: tk.ChurnModel) -> None:
    row = shoppers(landmarks=1).iloc[[0]]
    odd = pd.concat([row.assign(order_days=days, recency_days=recency, tenure_days=tenure, mean_order_value=value)
                     for days in (1, 10_000) for recency in (0, 9_000) for tenure in (0, 20_000)
                     for value in (-5.0, 0.0, 1e12, np.nan)])  # fmt: skip
    risk = model.risk(odd)
    assert np.isfinite(risk.to_numpy()).all()


def test_the_longer_silent_is_at_more_risk(model: tk.ChurnModel) -> None:
    row = shoppers(landmarks=1).iloc[[0] * 5].assign(order_days=6, tenure_days=300.0, mean_order_value=20.0)
    risk = model.risk(row.assign(recency_days=[1.0, 30.0, 60.0, 120.0, 250.0]), (90,))["risk_90d"]
    assert risk.iloc[1:].is_monotonic_increasing
    assert risk.iloc[-1] - risk.iloc[0] > 0.3


def test_drivers_are_told_by_risk(model: tk.ChurnModel) -> None:
    drivers = model.drivers()
    assert set(drivers.index) == {"recency_days", "order_days", "tenure_days", "mean_order_value"}
    assert drivers.columns.tolist() == ["hazard_ratio", "lower", "upper", "p_value", "raises_risk", "contrast"]
    assert ((drivers["lower"] <= drivers["hazard_ratio"]) & (drivers["hazard_ratio"] <= drivers["upper"])).all()
    assert np.log(drivers["hazard_ratio"]).abs().is_monotonic_decreasing
    assert drivers.loc["recency_days", "raises_risk"]
    assert not drivers.loc["order_days", "raises_risk"]
    assert " against " in drivers["contrast"]["recency_days"]


def test_a_ratio_above_one_is_good_for_orders_and_bad_for_ends() -> None:
    episodes = hazards(900)
    good = tk.ChurnModel(features=FEATURES).fit(episodes).drivers()
    bad = tk.ChurnModel(outcome="end", features=FEATURES).fit(episodes).drivers()
    assert good["hazard_ratio"].equals(bad["hazard_ratio"])
    assert (good["raises_risk"] != bad["raises_risk"]).all()
    assert bad["raises_risk"].equals(bad["hazard_ratio"] > 1)
    assert good["contrast"].unique().tolist() == ["per unit"]


def test_a_contrast_is_the_ratio_of_the_cumulative_hazards_it_names(
    proportional: tuple[tk.ChurnModel, pd.DataFrame],
) -> None:
    """Where hazards are proportional the ratio is the same at every horizon."""
    fitted, episodes = proportional
    typical = fitted.explain(episodes.iloc[[0]], episodes.index[0])["typical"]
    row = pd.DataFrame([typical.to_dict()] * 2)
    for feature, driver in fitted.drivers().iterrows():
        high, low = (float(text) for text in driver["contrast"].split(" against "))
        hazard = -np.log(fitted.risk(row.assign(**{str(feature): [low, high]}), (60,))["risk_60d"])
        assert hazard.iloc[1] / hazard.iloc[0] == pytest.approx(driver["hazard_ratio"], rel=2e-3)


def test_contributions_add_up(proportional: tuple[tk.ChurnModel, pd.DataFrame]) -> None:
    """To the distance of log hazards from the typical customer, above 0 where they raise the risk of no order."""
    fitted, episodes = proportional
    frame = episodes[episodes["landmark"] == episodes["landmark"].min()]
    row = frame.iloc[[3]]
    table = fitted.explain(frame, row.index[0])
    assert table.columns.tolist() == ["value", "typical", "contribution", "risk"]
    typical = pd.DataFrame([table["typical"].to_dict()], index=pd.Index(["T"]))
    own, other = (np.log(-np.log(fitted.risk(one)["risk_90d"].iloc[0])) for one in (row, typical))
    assert table["contribution"].sum() == pytest.approx(other - own)
    assert table["contribution"].abs().is_monotonic_decreasing
    assert table["risk"].unique() == pytest.approx(fitted.risk(row)["risk_90d"].to_numpy())
    assert table.attrs["horizon"] == 90
    same = fitted.explain(typical, "T")
    assert same["contribution"].to_numpy() == pytest.approx(np.zeros(len(same)))


def test_members_are_followed_from_their_own_entry() -> None:
    """The same member is asked about at day 0 and at day 30: only the hazard that follows counts."""
    episodes = hazards(3_000, late=True)
    fitted = tk.ChurnModel(outcome="end", features=FEATURES).fit(episodes)
    row = episodes.iloc[[0, 0, 0]].assign(entry_days=[0.0, 20.0, 40.0])
    risk = fitted.risk(row, (20,))["risk_20d"]
    three = fitted.risk(row.iloc[[0]], (60,)).to_numpy()
    assert 1 - np.prod(1 - risk.to_numpy()) == pytest.approx(three[0, 0])


def test_cloning_and_asking_too_early() -> None:
    copy = clone(tk.ChurnModel("weibull", 0.1, outcome="end", features=("x1",)))
    assert (copy.kind, copy.penalizer, copy.outcome, copy.features) == ("weibull", 0.1, "end", ("x1",))
    with pytest.raises(NotFittedError):
        copy.risk(NEW)


def test_a_penalty_draws_coefficients_to_nothing() -> None:
    episodes = hazards(600)
    free, drawn = (
        tk.ChurnModel(penalizer=ridge, features=FEATURES).fit(episodes).coef_["coef"] for ridge in (0.0, 1.0)
    )
    assert (drawn.abs() < free.abs()).all()

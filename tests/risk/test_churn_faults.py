"""What goes wrong with episodes (survival, 77 to 86), and what the churn model does about it."""

from __future__ import annotations

import warnings
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pytest
from lifelines.exceptions import ConvergenceWarning
from lifelines.fitters.coxph_fitter import SemiParametricPHFitter

import toolkit as tk
from tests.builders.churn_data import FEATURES, hazards, put, shoppers
from tests.builders.refusals import assert_refused

EPISODES = hazards(300)
BUYERS = shoppers(200)
ONCE = BUYERS[BUYERS["landmark"] == BUYERS["landmark"].max()]


def fit(
    episodes: pd.DataFrame,
    features: tuple[str, ...] | None = FEATURES,
    columns: dict[str, Any] | None = None,
    **of: Any,
) -> tk.ChurnModel:
    return tk.ChurnModel(features=features, **of).fit(episodes, **(columns or {}))


@pytest.fixture(scope="module")
def named() -> tk.ChurnModel:
    return fit(EPISODES)


@pytest.fixture(scope="module")
def usual() -> tk.ChurnModel:
    return fit(BUYERS, None)


def check(model: tk.ChurnModel, code: str) -> Any:
    return next(found for found in model.checks_ if found.code == code)


def status(model: tk.ChurnModel, code: str) -> str:
    return str(check(model, code).status)


def serves(model: tk.ChurnModel, frame: pd.DataFrame) -> None:
    """Assert that every buyer has a risk; with the horizon that of no order falls, that of an end grows."""
    days = [day for day in (7, 30, 90) if day <= model.follow_up_days_]
    risk = model.risk(frame, days)
    assert np.isfinite(risk.to_numpy()).all()
    assert ((risk >= 0) & (risk <= 1)).all(axis=None)
    more = np.diff(risk.to_numpy(), axis=1) * (1 if model.outcome == "end" else -1)
    assert (more >= -1e-12).all()


def dated(outcome: str = "", undated: str = "") -> pd.DataFrame:
    """Return episodes that say what their event is, and which columns are known as exported only."""
    found = EPISODES.copy()
    found.attrs = {"outcome": outcome} if outcome else {"not_point_in_time": (undated,)}
    return found


@pytest.mark.fault(56, 77, 78, 79, 82)
def test_what_is_refused(named: tk.ChurnModel, usual: tk.ChurnModel) -> None:
    late = hazards(300, late=True)
    members = fit(late, outcome="end")
    none, twice, undated = (
        BUYERS.assign(event=0),
        pd.concat([EPISODES, EPISODES[["event"]]], axis=1),
        dated(undated="x2"),
    )
    unknown = "not-point-in-time: x2: known as exported"
    fits: list[tuple[str, pd.DataFrame, dict[str, Any], str]] = [
        ("no event", none, {"features": None}, "no-events column event: 0 events; need >= 10 per covariate"),
        ("no event of weibull", none, {"features": None, "kind": "weibull"}, "no-events column event: 0 events"),
        (
            "members",
            late.drop(columns="entry_days"),
            {"outcome": "end"},
            "no-entry column entry_days: .* Try: .*entry=None",
        ),
        ("no such entry", late, {"columns": {"entry": "since"}}, ".*column since"),
        ("undated", undated, {}, unknown),
        ("undated stratum", undated, {"features": ("x1",), "strata": "x2"}, unknown),
        ("of ends", dated("end"), {}, "outcome: the episodes are of the outcome 'end'.* Try: .*outcome=\"end\""),
        ("a column twice", twice, {}, "column-twice: the frame has event twice"),
        (
            "infinite",
            BUYERS.assign(mean_order_value=np.inf),
            {"features": None},
            "not-finite column mean_order_value: inf",
        ),
        ("a text", EPISODES.assign(x1="many"), {"features": ("x1",)}, 'not-numeric column x1: .* Try: strata="x1"'),
        ("a row twice", pd.concat([BUYERS, BUYERS.iloc[[0]]]), {"features": None}, r"duplicates: .*\(n=1\)"),
        ("never-buyers", BUYERS.assign(order_days=0), {"features": None}, "no-buyers"),
        ("no row", BUYERS.iloc[:0], {"features": None}, "no-buyers"),
        (
            "weight 0",
            EPISODES.assign(weight=0.0),
            {"columns": {"weights": "weight"}},
            "weight column weight: .* above 0",
        ),
        ("no such kind", EPISODES, {"kind": "cux"}, "kind"),
        ("no such outcome", EPISODES, {"outcome": "orders"}, "outcome"),
        ("penalty below 0", EPISODES, {"penalizer": -1.0}, "penalizer"),
        ("no penalty", EPISODES, {"penalizer": np.nan}, "penalizer"),
        ("strata of weibull", EPISODES, {"kind": "weibull", "strata": "x2"}, "strata"),
    ]
    cases: dict[str, tuple[Any, str]] = {name: (partial(fit, frame, **of), said) for name, frame, of, said in fits}
    several_rows = BUYERS.index[BUYERS.index.value_counts()[BUYERS.index] == 3][0]
    cases |= {
        "beyond": (
            lambda: usual.risk(BUYERS, (30, 92)),
            "horizon: 92 days are beyond the follow-up .*training, 91 days",
        ),
        "explain rows": (lambda: usual.explain(BUYERS, several_rows), "customer: the frame has 3 rows of the customer"),
        "explain nobody": (lambda: usual.explain(BUYERS, "nobody"), "customer: the frame has 0 rows of the customer"),
        "explain never-buyer": (lambda: usual.explain(ONCE.assign(order_days=0), ONCE.index[0]), "never-bought"),
        "no x2": (lambda: named.risk(EPISODES.drop(columns="x2")), "missing-column: the frame has no column x2"),
    }
    for name in ("duration_days", "event", "x2"):
        said = f"missing-column: the frame has no column {name}"
        cases[f"learn without {name}"] = (partial(fit, EPISODES.drop(columns=name)), said)
    for shown in ("3", "-1", "0.5", "nan"):
        coded = put(EPISODES, "event", [float(shown)])
        said = rf"event-code column event: the event is 0 .*, not {shown} \(n=1\)"
        cases[f"event {shown}"] = (partial(fit, coded), said)
    for column, value, code in (
        ("duration_days", -1.0, "negative-time"),
        ("entry_days", -1.0, "negative-time"),
        ("duration_days", np.nan, "no-time"),
        ("duration_days", np.inf, "no-time"),
        ("entry_days", np.nan, "no-time"),
        ("entry_days", 10_000.0, "ends-before-entry"),
    ):
        odd = put(EPISODES, column, [value, value])
        cases[f"{column} {value}"] = (partial(fit, odd), rf"{code} .*n=2")
    for value in (np.nan, -1.0, np.inf):
        since = put(late, "entry_days", [value])
        said = r"entry column entry_days: not a day \(n=1\)"
        cases[f"asked from day {value}"] = (partial(members.risk, since, (30,)), said)
    for horizons in ((), (0,), (-7,), (np.nan,), (np.inf,)):
        cases[f"horizons {horizons}"] = (partial(usual.risk, BUYERS, horizons), "horizon")
    for value in (np.nan, np.inf, -np.inf):
        gap = put(EPISODES, "x1", [value])
        cases[f"learn from {value}"] = (partial(fit, gap), r"not-finite column x1: missing or infinite \(n=1\)")
        cases[f"forecast for {value}"] = (partial(named.risk, gap), "not-finite column x1")
    assert_refused(cases)


def test_what_is_near_a_refusal_is_served(usual: tk.ChurnModel) -> None:
    late = hazards(300, late=True)
    assert fit(late.drop(columns="entry_days"), outcome="end", columns={"entry": None}).served_ == "cox"
    assert fit(dated("lost_reach"), outcome="end").served_ == "cox"
    assert usual.follow_up_days_ == 91
    assert usual.risk(BUYERS, (91,)).notna().all(axis=None)
    undated = BUYERS.copy()
    undated.attrs["not_point_in_time"] = ("mean_order_value",)
    assert set(usual.features_) - set(fit(undated, None).features_) == {"mean_order_value"}


@pytest.mark.fault(77)
def test_few_events_give_fewer_covariates() -> None:
    episodes = shoppers(60, landmarks=1)
    few = 35
    seen = episodes.index[episodes["event"] == 1]
    again = pd.concat([episodes.loc[seen].head(few - len(seen))] * 3).head(max(few - len(seen), 0))
    again.index = pd.Index([f"A{number}" for number in range(len(again))], name="customer_id")
    episodes = pd.concat([episodes, again])
    episodes.loc[episodes.index[episodes["event"] == 1][few:], "event"] = 0
    assert episodes["event"].sum() == few
    model = fit(episodes, None)
    found = check(model, "events_per_covariate")
    assert found.status == "failed"
    assert found.message.startswith("35 events for ")
    assert found.message.endswith("need >= 10 per covariate, so only the first 3 enter")
    assert len(model.coef_) == 3
    assert model.coef_.index[0] == "log recency_days"
    serves(model, episodes)


@pytest.mark.fault(77, 85)
@pytest.mark.parametrize(("kind", "events"), [("cox", 1), ("weibull", 9), ("cox", 9)])
def test_hardly_any_events_leave_the_table(kind: str, events: int) -> None:
    """With one event there is no pair to compare either, and still there are risks."""
    episodes = put(shoppers(80, landmarks=1).assign(event=0), "event", [1] * events)
    model = fit(episodes, None, kind=kind)
    assert model.served_ == "table"
    assert status(model, "served") == "failed"
    assert model.coef_.empty
    assert np.isnan(model.log_likelihood_)
    assert model.drivers().empty
    assert model.drivers().columns.tolist() == [
        "hazard_ratio", "lower", "upper", "p_value", "raises_risk", "contrast",
    ]  # fmt: skip
    serves(model, episodes)
    table = model.explain(episodes, episodes.index[3])
    assert table.index.tolist()[0] in ("recency_days", "order_days")
    assert np.isfinite(table["contribution"]).all()


def test_the_table_puts_the_silent_below_the_active_and_shrinks_small_cells() -> None:
    episodes = shoppers(3_000, landmarks=1)
    model = fit(episodes, ())
    assert model.served_ == "table"
    row = episodes.iloc[[0, 0]].assign(recency_days=[1.0, 300.0], order_days=[8, 1])
    risk = model.risk(row, (90,))["risk_90d"].to_numpy()
    assert risk[1] > risk[0] + 0.3
    seen = (episodes["event"] == 1).to_numpy()
    assert abs(model.risk(episodes, (90,)).to_numpy().mean() - (1 - seen.mean())) < 0.02


@pytest.mark.fault(78)
def test_all_events_are_told(named: tk.ChurnModel) -> None:
    assert status(fit(EPISODES.assign(event=1)), "all_events") == "failed"
    assert status(named, "all_events") == "passed"


@pytest.mark.fault(79)
@pytest.mark.parametrize("kind", ["cox", "weibull"])
def test_no_time_is_half_a_day_and_counted(kind: str) -> None:
    episodes = hazards(300, late=True)
    begin = episodes["entry_days"].to_numpy()[:3]
    none, half = (put(episodes, "duration_days", [float(day) for day in begin + more]) for more in (0.0, 0.5))
    one, other = (fit(frame, kind=kind, outcome="end") for frame in (none, half))
    assert one.coef_.equals(other.coef_)
    assert check(one, "zero_durations").count == 3
    assert status(other, "zero_durations") == "passed"


@pytest.mark.fault(80)
def test_a_column_that_tells_the_event_is_refused_by_name() -> None:
    episodes = hazards(900)
    event, days = episodes["event"] == 1, episodes["duration_days"]
    leaks: dict[str, Any] = {
        "the event": event,
        "an event soon": event & (days <= 30),
        "its day": days * 7 + 3,
        "its day, where there is one": np.where(event, 100 / days, 0),
    }
    asked = [(name, "cox") for name in leaks] + [("the event", "weibull"), ("its day", "weibull")]
    said = "separation column leak: it separates .* Try: leave it out"
    assert_refused(
        {
            f"{name}, {kind}": (partial(fit, episodes.assign(leak=leaks[name]), ("x1", "leak"), kind=kind), said)
            for name, kind in asked
        }
    )


@pytest.mark.fault(80)
def test_a_rare_flag_without_events_is_penalised_and_labelled() -> None:
    episodes = hazards(900)
    flag = np.zeros(len(episodes))
    flag[np.flatnonzero(episodes["event"] == 0)[:15]] = 1
    model = fit(episodes.assign(flag=flag), ("x1", "flag"))
    assert model.served_ == "cox, ridge"
    assert status(model, "served") == "failed"
    assert [found.subject for found in model.checks_ if found.code == "rung"] == ["cox", "cox, smaller step"]
    assert -5 < model.coef_["coef"]["flag"] < 0


@pytest.mark.fault(80)
def test_a_full_step_that_goes_astray_is_halved() -> None:
    """One order count in a thousand is enormous: Newton's first step lands where only they count."""
    episodes = hazards(3_000)
    heavy = np.random.default_rng(2).pareto(1.1, len(episodes))
    episodes["duration_days"] = np.maximum(np.ceil(episodes["duration_days"] / (1 + heavy)), 1.0)
    model = fit(episodes.assign(heavy=heavy), ("x1", "heavy"))
    assert model.served_ == "cox, smaller step"
    assert "did not converge" in check(model, "rung").message


@pytest.mark.fault(80)
@pytest.mark.parametrize(
    ("failing", "served", "said"),
    [(1, "cox, smaller step", "informational"), (2, "cox, ridge", "failed"), (3, "table", "failed")],
)
def test_what_lifelines_warns_of_fails_the_rung_and_the_next_is_tried(
    monkeypatch: pytest.MonkeyPatch, usual: tk.ChurnModel, failing: int, served: str, said: str
) -> None:
    left = iter([True] * failing)
    newton = "_newton_raphson_for_efron_model"
    whole = getattr(SemiParametricPHFitter, newton)

    def warns(*given: Any, **options: Any) -> Any:
        if next(left, False):
            warnings.warn("told so", ConvergenceWarning, stacklevel=1)
        return whole(*given, **options)

    monkeypatch.setattr(SemiParametricPHFitter, newton, warns)
    model = fit(BUYERS, None)
    rungs = ["cox", "cox, smaller step", "cox, ridge"][:failing]
    assert (usual.served_, status(usual, "served")) == ("cox", "passed")
    assert (model.served_, status(model, "served")) == (served, said)
    assert [found.message for found in model.checks_ if found.code == "rung"] == [
        f"{rung} did not converge: told so" for rung in rungs
    ]
    serves(model, BUYERS)


def test_members_are_asked_about_from_a_day() -> None:
    episodes = hazards(600, late=True)
    model = fit(episodes, outcome="end")
    for frame in (episodes, episodes.assign(entry_days=5_000.0), episodes.drop(columns="entry_days")):
        serves(model, frame)


def crossing(rows: int, seed: int = 1) -> pd.DataFrame:
    """Make hazards that cross after 20 days: the flagged are early, then late."""
    rng = np.random.default_rng(seed)
    flag = rng.integers(0, 2, rows)
    early, late = np.where(flag == 1, 1 / 20, 1 / 60), np.where(flag == 1, 1 / 90, 1 / 40)
    grown = rng.exponential(1, rows)
    day = np.ceil(np.where(grown < 20 * early, grown / early, 20 + (grown - 20 * early) / late))
    frame = pd.DataFrame({"flag": flag, "noise": rng.standard_normal(rows)})
    return frame.assign(duration_days=np.minimum(day, 90.0), event=(day <= 90).astype(int))


@pytest.mark.fault(86)
@pytest.mark.parametrize("robust", [True, False])
def test_hazards_that_cross_are_told_by_name(robust: bool) -> None:
    model = fit(crossing(2_000), ("flag", "noise"), robust=robust)
    found = check(model, "proportional_hazards")
    assert (found.status, found.subject) == ("failed", "flag")
    assert model.proportional_["drift"]["flag"] < 0.8
    assert model.proportional_["p_adjusted"]["noise"] > 0.01


@pytest.mark.fault(86)
def test_proportional_hazards_pass_as_often_as_they_should() -> None:
    """The robust test keeps its level where customers repeat themselves: of 60 x 3 p-values few are under .05."""
    tables = [fit(hazards(450, seed=seed, late=True)).proportional_ for seed in range(60)]
    p_values = np.concatenate([table["p_value"].to_numpy() for table in tables])
    assert 0.01 < (p_values < 0.05).mean() < 0.10


@pytest.mark.fault(86)
def test_the_risk_of_default_features_allows_for_what_drifts() -> None:
    """Rates differ more than the features tell, so the eager go first; risks of 91 days must stay calibrated."""
    episodes = shoppers(4_000, landmarks=4)
    model = fit(episodes, None)
    found = check(model, "proportional_hazards")
    assert (found.status == "informational" and "the risk allows for it" in found.message) or found.status == "passed"
    last = episodes[episodes["landmark"] == episodes["landmark"].min()]
    risk = model.risk(last, (7, 30, 90))
    for days in (7, 30, 90):
        happened = ((last["event"] == 1) & (last["duration_days"] <= days)).to_numpy()
        assert abs(risk[f"risk_{days}d"].to_numpy().mean() - 1 + happened.mean()) < 0.015


def test_missing_values_of_default_features_are_taken_as_typical() -> None:
    gaps = shoppers(400)
    gaps.loc[np.random.default_rng(1).random(len(gaps)) < 0.2, "mean_order_value"] = np.nan
    model = fit(gaps, None)
    assert "mean_order_value missing" in model.coef_.index
    serves(model, gaps)
    assert check(fit(gaps.assign(mean_order_value=np.nan), None), "left_out").subject == "mean_order_value"


def test_constant_and_collinear_columns_are_left_out_and_named() -> None:
    episodes = EPISODES.assign(same=7.0, twice=lambda frame: 2 * frame["x1"] + 1)
    model = fit(episodes, ("x1", "same", "twice", "x2"))
    assert check(model, "left_out").subject == "same, twice"
    assert model.features_ == ("x1", "x2")
    assert model.served_ == "cox"
    alone = fit(episodes, ("same",))
    assert alone.served_ == "table", "nothing is left to tell apart"
    serves(alone, episodes)


def test_never_buyers_are_left_out_and_counted() -> None:
    never = BUYERS.iloc[:5].assign(order_days=0, recency_days=np.nan, tenure_days=np.nan)
    never.index = pd.Index([f"N{number}" for number in range(5)], name="customer_id")
    model = fit(pd.concat([BUYERS, never]), None)
    assert check(model, "never_buyers").count == 5
    assert model.n_episodes_ == len(BUYERS)
    assert model.risk(never).isna().all(axis=None)
    assert model.risk(BUYERS.iloc[:0]).shape == (0, 3)


@pytest.mark.parametrize("customers", [25, 60])
def test_a_small_shop_of_one_landmark(customers: int) -> None:
    episodes = shoppers(customers, landmarks=1, seed=3)
    model = fit(episodes, None)
    serves(model, episodes)
    assert model.explain(episodes, episodes.index[0])["risk"].between(0, 1).all()


def test_too_few_customers_for_errors_by_customer(named: tk.ChurnModel) -> None:
    model = fit(EPISODES.set_axis(pd.Index(["C1"] * len(EPISODES), name="customer_id")))
    assert status(model, "customers") == "failed"
    assert model.coef_["se"].equals(model.coef_["se_plain"].rename("se"))
    assert status(named, "customers") == "passed"


def test_a_stratum_never_seen_takes_the_hazard_of_all() -> None:
    episodes = hazards(900)
    episodes = episodes.assign(channel=np.repeat(["a", "b", "c"], 300)[: len(episodes)])
    episodes = put(episodes.astype({"channel": object}), "channel", ["rare", np.nan, "rare"])
    model = fit(episodes, strata="channel")
    found = check(model, "strata")
    assert (found.status, found.count) == ("informational", 2)
    serves(model, episodes)
    row = episodes.iloc[[5] * 3].assign(channel=["new", np.nan, "rare"])
    risk = model.risk(row, (30,))["risk_30d"].to_numpy()
    assert risk == pytest.approx(risk[0])

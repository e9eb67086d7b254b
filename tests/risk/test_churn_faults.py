"""What goes wrong with episodes (FAULTS G 77 to 86), and what the churn model does about it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.builders.churn_data import FEATURES, hazards, put, shoppers
from toolkit.errors import ArgumentError, Check
from toolkit.risk import cox, ladder
from toolkit.risk.churn import ChurnModel


def check(model: ChurnModel, code: str) -> Check:
    return next(found for found in model.checks_ if found.code == code)


def codes(model: ChurnModel) -> list[str]:
    return [found.code for found in model.checks_]


def serves(model: ChurnModel, frame: pd.DataFrame) -> None:
    """Assert that every buyer has a risk; with the horizon that of no order falls, that of an end grows."""
    days = [day for day in (7, 30, 90) if day <= model.follow_up_days_]
    risk = model.risk(frame, days)
    assert np.isfinite(risk.to_numpy()).all()
    assert ((risk >= 0) & (risk <= 1)).all(axis=None)
    more = np.diff(risk.to_numpy(), axis=1) * (1 if model.outcome == "end" else -1)
    assert (more >= -1e-12).all()


@pytest.mark.parametrize("kind", ["cox", "weibull"])
def test_77_no_events(kind: str) -> None:
    model = ChurnModel(kind)  # type: ignore[arg-type]  # of parametrize
    with pytest.raises(ArgumentError, match=r"^E-no-events column event: 0 events; need >= 10 per covariate"):
        model.fit(shoppers(60).assign(event=0))


def test_77_few_events_give_fewer_covariates() -> None:
    episodes = shoppers(60, landmarks=1)
    few = 35
    seen = episodes.index[episodes["event"] == 1]
    again = pd.concat([episodes.loc[seen].head(few - len(seen))] * 3).head(max(few - len(seen), 0))
    again.index = pd.Index([f"A{number}" for number in range(len(again))], name="customer_id")
    episodes = pd.concat([episodes, again])
    episodes.loc[episodes.index[episodes["event"] == 1][few:], "event"] = 0
    assert episodes["event"].sum() == few
    model = ChurnModel().fit(episodes)
    found = check(model, "events_per_covariate")
    assert found.status == "failed"
    assert found.message.startswith("35 events for ")
    assert found.message.endswith("need >= 10 per covariate, so only the first 3 enter")
    assert len(model.coef_) == 3
    assert model.coef_.index[0] == "log recency_days"
    serves(model, episodes)


@pytest.mark.parametrize("kind", ["cox", "weibull"])
@pytest.mark.parametrize("events", [1, 9])
def test_77_hardly_any_events_leave_the_table(kind: str, events: int) -> None:
    episodes = put(shoppers(80, landmarks=1).assign(event=0), "event", [1] * events)
    model = ChurnModel(kind).fit(episodes)  # type: ignore[arg-type]  # of parametrize
    assert model.served_ == "table"
    assert check(model, "served").status == "failed"
    assert model.drivers().empty
    assert model.coef_.empty
    assert np.isnan(model.log_likelihood_)
    assert model.drivers().columns.tolist() == [
        "hazard_ratio", "lower", "upper", "p_value", "raises_risk", "contrast",
    ]  # fmt: skip
    serves(model, episodes)
    table = model.explain(episodes, episodes.index[3])
    assert table.index.tolist()[0] in ("recency_days", "order_days")
    assert np.isfinite(table["contribution"]).all()


def test_the_table_puts_the_silent_below_the_active_and_shrinks_small_cells() -> None:
    episodes = shoppers(3_000, landmarks=1)
    model = ChurnModel(features=()).fit(episodes)
    assert model.served_ == "table"
    row = episodes.iloc[[0, 0]].assign(recency_days=[1.0, 300.0], order_days=[8, 1])
    risk = model.risk(row, (90,))["risk_90d"].to_numpy()
    assert risk[1] > risk[0] + 0.3
    seen = (episodes["event"] == 1).to_numpy()
    assert abs(model.risk(episodes, (90,)).to_numpy().mean() - (1 - seen.mean())) < 0.02


def test_78_all_events() -> None:
    episodes = hazards(300)
    model = ChurnModel(features=FEATURES).fit(episodes.assign(event=1))
    assert check(model, "all_events").status == "failed"
    assert check(ChurnModel(features=FEATURES).fit(episodes), "all_events").status == "passed"


@pytest.mark.parametrize(("code", "shown"), [(3, "3"), (-1, "-1"), (0.5, "0.5"), (np.nan, "nan")])
def test_78_event_codes(code: float, shown: str) -> None:
    episodes = put(hazards(60), "event", [float(code)])
    with pytest.raises(ArgumentError, match=rf"E-event-code column event: the event is 0 .*, not {shown} \(n=1\)"):
        ChurnModel(features=FEATURES).fit(episodes)


@pytest.mark.parametrize(
    ("column", "value", "code"),
    [
        ("duration_days", -1.0, "negative-time"),
        ("entry_days", -1.0, "negative-time"),
        ("duration_days", np.nan, "no-time"),
        ("duration_days", np.inf, "no-time"),
        ("entry_days", np.nan, "no-time"),
        ("entry_days", 10_000.0, "ends-before-entry"),
    ],
)
def test_79_times_that_cannot_be(column: str, value: float, code: str) -> None:
    episodes = put(hazards(60), column, [value, value])
    with pytest.raises(ArgumentError, match=r"n=2") as caught:
        ChurnModel(features=FEATURES).fit(episodes)
    assert caught.value.code == code


@pytest.mark.parametrize("kind", ["cox", "weibull"])
def test_79_no_time_is_half_a_day_and_counted(kind: str) -> None:
    episodes = hazards(300, late=True)
    begin = episodes["entry_days"].to_numpy()[:3]
    none, half = (put(episodes, "duration_days", [float(day) for day in begin + more]) for more in (0.0, 0.5))
    one, other = (
        ChurnModel(kind, outcome="end", features=FEATURES).fit(frame)  # type: ignore[arg-type]  # of parametrize
        for frame in (none, half)
    )
    assert one.coef_.equals(other.coef_)
    assert check(one, "zero_durations").count == 3
    assert check(other, "zero_durations").status == "passed"


LEAKS: dict[str, Any] = {
    "the event": lambda frame: frame["event"] == 1,
    "an event soon": lambda frame: (frame["event"] == 1) & (frame["duration_days"] <= 30),
    "its day": lambda frame: frame["duration_days"] * 7 + 3,
    "its day, where there is one": lambda frame: np.where(frame["event"] == 1, 100 / frame["duration_days"], 0),
}


@pytest.mark.parametrize("kind", ["cox", "weibull"])
@pytest.mark.parametrize("name", list(LEAKS))
def test_80_a_column_that_tells_the_event_is_refused_by_name(kind: str, name: str) -> None:
    episodes = hazards(900).assign(leak=LEAKS[name])
    model = ChurnModel(kind, features=("x1", "leak"))  # type: ignore[arg-type]  # of parametrize
    with pytest.raises(ArgumentError, match=r"^E-separation column leak: it separates .*Try: leave it out"):
        model.fit(episodes)


def test_80_a_rare_flag_without_events_is_penalised_and_labelled() -> None:
    episodes = hazards(900)
    flag = np.zeros(len(episodes))
    flag[np.flatnonzero(episodes["event"] == 0)[:15]] = 1
    model = ChurnModel(features=("x1", "flag")).fit(episodes.assign(flag=flag))
    assert model.served_ == "cox, ridge"
    assert check(model, "served").status == "failed"
    assert [found.subject for found in model.checks_ if found.code == "rung"] == ["cox", "cox, smaller step"]
    assert -5 < model.coef_["coef"]["flag"] < 0


def test_80_a_full_step_that_goes_astray_is_halved() -> None:
    """One order count in a thousand is enormous: Newton's first step lands where only they count."""
    rng = np.random.default_rng(2)
    episodes = hazards(3_000)
    heavy = rng.pareto(1.1, len(episodes))
    episodes["duration_days"] = np.maximum(np.ceil(episodes["duration_days"] / (1 + heavy)), 1.0)
    model = ChurnModel(features=("x1", "heavy")).fit(episodes.assign(heavy=heavy))
    assert model.served_ == "cox, smaller step"
    assert "did not converge" in check(model, "rung").message


def test_80_what_lifelines_warns_of_fails_the_rung(monkeypatch: pytest.MonkeyPatch) -> None:
    import warnings

    from lifelines.exceptions import ConvergenceWarning

    whole = cox._first_step

    def warns(*given: Any) -> Any:
        warnings.warn("told so", ConvergenceWarning, stacklevel=1)
        return whole(*given)

    monkeypatch.setattr(cox, "_first_step", warns)
    episodes = shoppers(200)
    model = ChurnModel().fit(episodes)
    assert model.served_ == "table"
    assert [found.message for found in model.checks_ if found.code == "rung"] == [
        "cox did not converge: told so",
        "cox, smaller step did not converge: told so",
        "cox, ridge did not converge: told so",
    ]
    serves(model, episodes)


@pytest.mark.parametrize(("failing", "served"), [(0, "cox"), (1, "cox, smaller step"), (2, "cox, ridge"), (3, "table")])
def test_80_rungs_are_tried_in_order(monkeypatch: pytest.MonkeyPatch, failing: int, served: str) -> None:
    left = iter([True] * failing)
    whole = cox.fit_cox

    def fails(*given: Any, **options: Any) -> Any:
        if next(left, False):
            raise cox.FitFailedError("on purpose")
        return whole(*given, **options)

    monkeypatch.setattr(ladder, "fit_cox", fails)
    episodes = shoppers(200)
    model = ChurnModel().fit(episodes)
    assert model.served_ == served
    assert codes(model).count("rung") == failing
    assert check(model, "served").status == ("passed", "informational", "failed", "failed")[failing]
    serves(model, episodes)


def test_82_members_need_an_entry() -> None:
    episodes = hazards(300, late=True).drop(columns="entry_days")
    with pytest.raises(ArgumentError, match=r"^E-no-entry column entry_days: .*Try: .*entry=None"):
        ChurnModel(outcome="end", features=FEATURES).fit(episodes)
    assert ChurnModel(outcome="end", features=FEATURES).fit(episodes, entry=None).served_ == "cox"
    with pytest.raises(ArgumentError, match="column since"):
        ChurnModel(features=FEATURES).fit(episodes, entry="since")


def test_members_are_asked_about_from_a_day() -> None:
    episodes = hazards(600, late=True)
    model = ChurnModel(outcome="end", features=FEATURES).fit(episodes)
    for bad in (np.nan, -1.0, np.inf):
        with pytest.raises(ArgumentError, match=r"^E-entry column entry_days: not a day \(n=1\)"):
            model.risk(put(episodes, "entry_days", [bad]), (30,))
    serves(model, episodes)
    serves(model, episodes.assign(entry_days=5_000.0))
    serves(model, episodes.drop(columns="entry_days"))


def test_85_one_event_has_no_pair_to_compare_and_still_gives_risks() -> None:
    episodes = put(hazards(30).assign(event=0), "event", [1])
    model = ChurnModel().fit(episodes)
    assert model.served_ == "table"
    serves(model, episodes)


def crossing(rows: int, seed: int = 1) -> pd.DataFrame:
    """Make hazards that cross after 20 days: the flagged are early, then late."""
    rng = np.random.default_rng(seed)
    flag = rng.integers(0, 2, rows)
    early, late = np.where(flag == 1, 1 / 20, 1 / 60), np.where(flag == 1, 1 / 90, 1 / 40)
    grown = rng.exponential(1, rows)
    day = np.ceil(np.where(grown < 20 * early, grown / early, 20 + (grown - 20 * early) / late))
    frame = pd.DataFrame({"flag": flag, "noise": rng.standard_normal(rows)})
    return frame.assign(duration_days=np.minimum(day, 90.0), event=(day <= 90).astype(int))


@pytest.mark.parametrize("robust", [True, False])
def test_86_hazards_that_cross_are_told_by_name(robust: bool) -> None:
    model = ChurnModel(features=("flag", "noise"), robust=robust).fit(crossing(2_000))
    found = check(model, "proportional_hazards")
    assert (found.status, found.subject) == ("failed", "flag")
    assert model.proportional_["drift"]["flag"] < 0.8
    assert model.proportional_["p_adjusted"]["noise"] > 0.01


def test_86_proportional_hazards_pass_as_often_as_they_should() -> None:
    """The robust test keeps its level where customers repeat themselves: of 60 x 3 p-values few are under .05."""
    found = [
        ChurnModel(features=FEATURES).fit(hazards(450, seed=seed, late=True), entry="entry_days").proportional_
        for seed in range(60)
    ]
    p_values = np.concatenate([table["p_value"].to_numpy() for table in found])
    assert 0.01 < (p_values < 0.05).mean() < 0.10


def test_86_the_risk_of_default_features_allows_for_what_drifts() -> None:
    """Rates differ more than the features tell, so the eager go first; risks of 91 days must stay calibrated."""
    episodes = shoppers(4_000, landmarks=4)
    model = ChurnModel().fit(episodes)
    found = check(model, "proportional_hazards")
    assert (found.status == "informational" and "the risk allows for it" in found.message) or found.status == "passed"
    assert len(model._serving.parts) == 4
    last = episodes[episodes["landmark"] == episodes["landmark"].min()]
    risk = model.risk(last, (7, 30, 90))
    for days in (7, 30, 90):
        happened = ((last["event"] == 1) & (last["duration_days"] <= days)).to_numpy()
        assert abs(risk[f"risk_{days}d"].to_numpy().mean() - 1 + happened.mean()) < 0.015


def test_undated_columns_are_refused() -> None:
    episodes = hazards(300)
    episodes.attrs["not_point_in_time"] = ("x2",)
    with pytest.raises(ArgumentError, match=r"^E-not-point-in-time: x2: known as exported"):
        ChurnModel(features=FEATURES).fit(episodes)
    with pytest.raises(ArgumentError, match=r"^E-not-point-in-time: x2: known as exported"):
        ChurnModel(features=("x1",), strata="x2").fit(episodes)


def test_default_features_that_are_not_dated_are_left_out() -> None:
    episodes = shoppers(200)
    episodes.attrs["not_point_in_time"] = ("mean_order_value",)
    assert "mean_order_value" not in ChurnModel().fit(episodes).features_


def test_a_horizon_beyond_the_follow_up_is_refused() -> None:
    episodes = shoppers(200)
    model = ChurnModel().fit(episodes)
    assert model.follow_up_days_ == 91
    assert model.risk(episodes, (91,)).notna().all(axis=None)
    with pytest.raises(ArgumentError, match=r"^E-horizon: 92 days are beyond the follow-up of the training, 91 days"):
        model.risk(episodes, (30, 92))


@pytest.mark.parametrize("horizons", [(), (0,), (-7,), (np.nan,), (np.inf,)])
def test_horizons_are_days_ahead(horizons: tuple[float, ...]) -> None:
    with pytest.raises(ArgumentError, match=r"^E-horizon"):
        ChurnModel().fit(shoppers(100)).risk(shoppers(100), horizons)


@pytest.mark.parametrize("name", ["duration_days", "event", "x2"])
def test_missing_columns_are_named(name: str) -> None:
    episodes = hazards(100)
    with pytest.raises(ArgumentError, match=f"^E-missing-column: the frame has no column {name}"):
        ChurnModel(features=FEATURES).fit(episodes.drop(columns=name))
    if name == "x2":
        model = ChurnModel(features=FEATURES).fit(hazards(300))
        with pytest.raises(ArgumentError, match=f"^E-missing-column: the frame has no column {name}"):
            model.risk(episodes.drop(columns=name))


def test_columns_that_are_there_twice_are_refused() -> None:
    episodes = hazards(100)
    with pytest.raises(ArgumentError, match=r"^E-column-twice: the frame has event twice"):
        ChurnModel(features=FEATURES).fit(pd.concat([episodes, episodes[["event"]]], axis=1))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_named_features_must_be_finite(value: float) -> None:
    episodes = hazards(300)
    model = ChurnModel(features=FEATURES).fit(episodes)
    episodes = put(episodes, "x1", [value])
    with pytest.raises(ArgumentError, match=r"^E-not-finite column x1: missing or infinite \(n=1\)"):
        ChurnModel(features=FEATURES).fit(episodes)
    with pytest.raises(ArgumentError, match=r"^E-not-finite column x1"):
        model.risk(episodes)


def test_missing_values_of_default_features_are_taken_as_typical() -> None:
    episodes = shoppers(400)
    rng = np.random.default_rng(1)
    gaps = episodes.copy()
    gaps.loc[rng.random(len(gaps)) < 0.2, "mean_order_value"] = np.nan
    model = ChurnModel().fit(gaps)
    assert "mean_order_value missing" in model.coef_.index
    serves(model, gaps)
    none = ChurnModel().fit(episodes.assign(mean_order_value=np.nan))
    assert check(none, "left_out").subject == "mean_order_value"
    with pytest.raises(ArgumentError, match=r"^E-not-finite column mean_order_value: infinite"):
        ChurnModel().fit(episodes.assign(mean_order_value=np.inf))


def test_texts_are_no_features() -> None:
    with pytest.raises(ArgumentError, match=r"^E-not-numeric column x1: .*Try: strata=\"x1\""):
        ChurnModel(features=("x1",)).fit(hazards(100).assign(x1="many"))


def test_constant_and_collinear_columns_are_left_out_and_named() -> None:
    episodes = hazards(300).assign(same=7.0, twice=lambda frame: 2 * frame["x1"] + 1)
    model = ChurnModel(features=("x1", "same", "twice", "x2")).fit(episodes)
    assert check(model, "left_out").subject == "same, twice"
    assert model.features_ == ("x1", "x2")
    assert model.served_ == "cox"


def test_a_frame_with_nothing_to_tell_apart_gives_the_table() -> None:
    episodes = hazards(300).assign(same=7.0)
    model = ChurnModel(features=("same",)).fit(episodes)
    assert model.served_ == "table"
    serves(model, episodes)


def test_a_customer_stands_once_at_a_landmark() -> None:
    episodes = shoppers(100)
    with pytest.raises(ArgumentError, match=r"^E-duplicates: .*\(n=1\)"):
        ChurnModel().fit(pd.concat([episodes, episodes.iloc[[0]]]))


@pytest.mark.parametrize("rows", [0, 3])
def test_no_buyers(rows: int) -> None:
    episodes = shoppers(100).assign(order_days=0).head(rows)
    with pytest.raises(ArgumentError, match=r"^E-no-buyers"):
        ChurnModel().fit(episodes)


def test_never_buyers_are_left_out_and_counted() -> None:
    episodes = shoppers(200)
    never = episodes.iloc[:5].assign(order_days=0, recency_days=np.nan, tenure_days=np.nan)
    never.index = pd.Index([f"N{number}" for number in range(5)], name="customer_id")
    model = ChurnModel().fit(pd.concat([episodes, never]))
    assert check(model, "never_buyers").count == 5
    assert model.n_episodes_ == len(episodes)
    assert model.risk(never).isna().all(axis=None)
    assert model.risk(episodes.iloc[:0]).shape == (0, 3)


@pytest.mark.parametrize("customers", [25, 60])
def test_a_small_shop_of_one_landmark(customers: int) -> None:
    episodes = shoppers(customers, landmarks=1, seed=3)
    model = ChurnModel().fit(episodes)
    serves(model, episodes)
    assert model.explain(episodes, episodes.index[0])["risk"].between(0, 1).all()


def test_too_few_customers_for_errors_by_customer() -> None:
    episodes = hazards(300)
    alone = episodes.set_axis(pd.Index(["C1"] * len(episodes), name="customer_id"))
    model = ChurnModel(features=FEATURES).fit(alone)
    assert check(model, "customers").status == "failed"
    assert model.coef_["se"].equals(model.coef_["se_plain"].rename("se"))
    assert check(ChurnModel(features=FEATURES).fit(episodes), "customers").status == "passed"


def test_weights_are_above_nothing() -> None:
    episodes = hazards(100).assign(weight=0.0)
    with pytest.raises(ArgumentError, match=r"^E-weight column weight: weights are above 0"):
        ChurnModel(features=FEATURES).fit(episodes, weights="weight")


def test_a_stratum_never_seen_takes_the_hazard_of_all() -> None:
    episodes = hazards(900).assign(channel=np.repeat(["a", "b", "c"], 300)[: len(hazards(900))])
    episodes = put(episodes.astype({"channel": object}), "channel", ["rare", np.nan, "rare"])
    model = ChurnModel(features=FEATURES, strata="channel").fit(episodes)
    found = check(model, "strata")
    assert (found.status, found.count) == ("informational", 2)
    serves(model, episodes)
    row = episodes.iloc[[5] * 3].assign(channel=["new", np.nan, "rare"])
    assert model.risk(row, (30,))["risk_30d"].to_numpy() == pytest.approx(model.risk(row, (30,)).to_numpy()[0, 0])


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"kind": "cux"}, "kind"),
        ({"outcome": "orders"}, "outcome"),
        ({"penalizer": -1.0}, "penalizer"),
        ({"penalizer": np.nan}, "penalizer"),
        ({"kind": "weibull", "strata": "x2"}, "strata"),
    ],
)
def test_options_that_are_not_there(options: dict[str, Any], code: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        ChurnModel(features=FEATURES, **options).fit(hazards(100))
    assert caught.value.code == code


def test_episodes_of_another_outcome_are_refused() -> None:
    episodes = hazards(300)
    episodes.attrs["outcome"] = "end"
    with pytest.raises(ArgumentError, match=r"^E-outcome: the episodes are of the outcome 'end'.*outcome=\"end\""):
        ChurnModel(features=FEATURES).fit(episodes)
    episodes.attrs["outcome"] = "lost_reach"
    assert ChurnModel(outcome="end", features=FEATURES).fit(episodes).served_ == "cox"


def test_explaining_needs_one_buyer() -> None:
    episodes = shoppers(200)
    model = ChurnModel().fit(episodes)
    with pytest.raises(ArgumentError, match=r"^E-customer: the frame has 3 rows of the customer"):
        model.explain(episodes, episodes.index[episodes.index.value_counts()[episodes.index] == 3][0])
    with pytest.raises(ArgumentError, match=r"^E-customer: the frame has 0 rows of the customer"):
        model.explain(episodes, "nobody")
    with pytest.raises(ArgumentError, match=r"^E-never-bought"):
        model.explain(shoppers(200, landmarks=1).assign(order_days=0), episodes.index[0])

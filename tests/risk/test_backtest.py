"""A back-test asks what was known at the origin, scores all on the same buyers, and says what it does not know."""

from __future__ import annotations

from datetime import date, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, TransformerMixin

import toolkit as tk
from tests.builders.refusals import assert_refused
from toolkit.errors import ArgumentError
from toolkit.risk.contenders import logistic, recency_rule
from toolkit.risk.leak import telling_features
from toolkit.risk.past import Past, look_back
from toolkit.risk.trial import usable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

FIRST, DAYS = pd.Timestamp("2025-01-01"), 500
ORIGINS = ["2025-10-31", "2026-01-31"]
HORIZON = 60


def made_orders(customers: int = 500, seed: int = 3, *, rename: bool = False) -> pd.DataFrame:
    """Buyers who come in the first 200 days, order at an own rate, and leave at an own time."""
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(customers):
        day, rate, left = rng.integers(0, 200), rng.gamma(1.5, 1 / 50), rng.exponential(250)
        name = f"{'x' if rename else 'c'}{(number * 7919) % 10_007 if rename else number:05d}"
        start = day
        while day < min(DAYS, start + left):
            rows.append((name, FIRST + timedelta(days=int(day)), round(float(rng.lognormal(4, 0.5)), 2)))
            day += max(1, round(rng.exponential(1 / rate)))
    return pd.DataFrame(rows, columns=["customer_id", "ordered_at", "amount"])


def opened(orders: pd.DataFrame, **tables: pd.DataFrame) -> tk.Study:
    return tk.Study.from_frames(orders, timezone="Asia/Shanghai", currency="CNY", **tables)


def status(found: Any) -> dict[str, str]:
    return {check.code: check.status for check in found.checks}


@pytest.fixture(scope="module")
def orders() -> pd.DataFrame:
    return made_orders()


@pytest.fixture(scope="module")
def study(orders: pd.DataFrame) -> tk.Study:
    return opened(orders)


@pytest.fixture(scope="module")
def found(study: tk.Study) -> Any:
    return tk.backtest(study, tk.ChurnModel(), origins=ORIGINS, horizon=HORIZON, tiers=tk.RFM())


def test_what_came_is_what_the_orders_say(found: Any, orders: pd.DataFrame) -> None:
    for day, rows in found.risks.groupby("origin"):
        origin = pd.Timestamp(str(day))
        later = orders[(orders["ordered_at"] > origin) & (orders["ordered_at"] <= origin + pd.Timedelta(days=HORIZON))]
        buyers = orders.loc[orders["ordered_at"] <= origin, "customer_id"]
        for _, own in rows.groupby("model"):
            assert sorted(own["customer_id"]) == sorted(set(buyers))
            assert (own["bad"].to_numpy() == ~own["customer_id"].isin(later["customer_id"]).to_numpy()).all()


def test_all_contenders_are_scored_on_the_same_buyers(found: Any) -> None:
    assert list(found.table.index) == ["churn_model", "bg_nbd", "recency_rule", "logistic", "kaplan_meier"]
    same = found.scores.groupby(["origin", "scheme", "tier"])[["n", "events", "observed", "brier_km"]].nunique()
    assert (same == 1).all(axis=None)
    assert found.risks["risk"].between(0, 1).all()


def test_scores_are_those_of_the_risks(found: Any) -> None:
    rows_of = dict(iter(found.risks.groupby(["origin", "model"])))
    for _, score in found.scores[found.scores["tier"] == "all"].iterrows():
        rows = rows_of[score["origin"], score["model"]]
        bad = rows["bad"].to_numpy()
        assert score["brier"] == pytest.approx(((rows["risk"] - bad) ** 2).mean())
        chosen = np.where(bad, rows["risk"], 1 - rows["risk"]).clip(1e-6, 1)
        assert score["log_loss"] == pytest.approx(-np.log(chosen).mean())
        more = np.subtract.outer(rows["risk"].to_numpy()[bad], rows["risk"].to_numpy()[~bad])
        assert score["auc"] == pytest.approx(((more > 0) + (more == 0) / 2).mean())
        assert score["mean_risk"] == pytest.approx(rows["risk"].mean())
        assert score["events"] == (~bad).sum()


def test_means_are_means_of_the_origins_and_lie_in_their_intervals(found: Any) -> None:
    overall = found.scores[found.scores["tier"] == "all"]
    for _, row in found.means.iterrows():
        if row["model"] != "kaplan_meier":
            expected = overall.loc[overall["model"] == row["model"], row["metric"]].mean()
            assert row["mean"] == pytest.approx(expected)
    steady = found.means[found.means["metric"] != "ici"]
    assert steady["mean"].between(steady["lower"], steady["upper"]).all()
    apart = steady[steady["model"] != "churn_model"]
    assert apart["difference"].between(apart["difference_lower"], apart["difference_upper"]).all()


def test_every_tier_is_there_and_they_add_up(found: Any, study: tk.Study) -> None:
    ours = found.scores[found.scores["model"] == "churn_model"]
    everybody = ours[ours["scheme"] == "all"].set_index("origin")[["n", "events"]]
    pd.testing.assert_frame_equal(ours[ours["scheme"] == "segment"].groupby("origin")[["n", "events"]].sum(), everybody)
    assert set(ours["scheme"]) == {"all", "segment"}, "scores are no schemes"
    origin = date.fromisoformat(ORIGINS[0])
    snap = study.snapshot(origin)
    segments = tk.RFM().fit(snap).transform(snap)["segment"].value_counts()
    tiers = ours[(ours["origin"] == pd.Timestamp(origin)) & (ours["scheme"] == "segment")].set_index("tier")["n"]
    assert tiers.to_dict() == segments[segments > 0].to_dict()


def test_the_reference_of_a_tier_is_the_tiers_own_past(found: Any, study: tk.Study) -> None:
    """Of the segment at the last landmark whose horizon was over, under cuts of the origin."""
    origin = date.fromisoformat(ORIGINS[1])
    past, _ = look_back(study, origin, HORIZON, outcome="order", columns=["recency_days"])
    landmark = past.latest["landmark"].iloc[0].date()
    assert landmark + timedelta(days=HORIZON) <= origin
    rfm = tk.RFM().fit(study.snapshot(origin))
    segments = rfm.transform(study.snapshot(landmark))["segment"]
    bad = pd.Series(past.bad(past.latest), past.latest.index)
    share = bad.groupby(segments.loc[bad.index].astype(str)).mean()
    rows = found.scores[(found.scores["origin"] == pd.Timestamp(origin)) & (found.scores["model"] == "churn_model")]
    for _, row in rows[rows["scheme"] == "segment"].iterrows():
        reference = share.get(row["tier"], past.reference)
        expected = row["observed"] * (1 - reference) ** 2 + (1 - row["observed"]) * reference**2
        assert row["brier_km"] == pytest.approx(expected)


def test_where_a_model_must_not_be_used() -> None:
    score = {"n": 100, "observed": 0.5, "slope_lower": 0.9, "slope_upper": 1.1, "brier": 0.15, "brier_km": 0.2}
    cases: list[tuple[dict[str, float], bool]] = [
        ({}, True),
        ({"observed": 9 / 100}, False),
        ({"observed": 91 / 100}, False),
        ({"observed": 10 / 100}, True),
        ({"slope_lower": 1.26, "slope_upper": 1.5}, False),
        ({"slope_lower": 1.24, "slope_upper": 1.5}, True),
        ({"slope_lower": 0.3, "slope_upper": 0.79}, False),
        ({"slope_lower": 0.3, "slope_upper": 0.81}, True),
        ({"slope_lower": np.nan, "slope_upper": np.nan}, True),
        ({"brier_km": 0.15}, False),
    ]
    assert [case for case, use in cases if usable(score | case) is not use] == []


class Watching(BaseEstimator):  # type: ignore[misc]  # scikit-learn ships no types
    """A model that notes what it is shown; its risk is the recency's."""

    shown: ClassVar[list[tuple[str, pd.DataFrame]]] = []
    served_ = "watching"

    def fit(self, episodes: pd.DataFrame) -> Self:
        self.shown.append(("fit", episodes))
        self.fitted_ = True
        return self

    def risk(self, frame: pd.DataFrame, horizons: tuple[int, ...]) -> pd.DataFrame:
        self.shown.append(("risk", frame))
        risk = frame["recency_days"] / (frame["recency_days"] + 30)
        return pd.DataFrame({f"risk_{h}d": risk for h in horizons})


class WatchingTiers(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn ships no types
    seen: ClassVar[list[tuple[str, str]]] = []

    def fit(self, snap: pd.DataFrame, y: None = None) -> Self:  # noqa: ARG002  # scikit-learn passes y
        self.seen.append(("fit", snap.attrs["as_of"]))
        self.fitted_ = True
        return self

    def transform(self, snap: pd.DataFrame) -> pd.DataFrame:
        self.seen.append(("transform", snap.attrs["as_of"]))
        return snap.assign(spender=np.where(snap["spend"] > snap["spend"].median(), "big", "small"), number=1)


def test_nothing_later_than_the_origin_is_shown(study: tk.Study) -> None:
    Watching.shown.clear()
    WatchingTiers.seen.clear()
    origin = pd.Timestamp(ORIGINS[1])
    result = tk.backtest(study, Watching(), origins=[ORIGINS[1]], horizon=HORIZON, tiers=WatchingTiers())
    fitted = next(frame for what, frame in Watching.shown if what == "fit")
    assert (fitted["landmark"] < origin).all()
    assert (fitted["landmark"] + pd.to_timedelta(fitted["duration_days"], "D") <= origin).all()
    assert fitted["duration_days"].max() == HORIZON
    assert (origin - fitted["landmark"].max()).days < HORIZON, "the last days teach nothing"
    asked = [frame for what, frame in Watching.shown if what == "risk"]
    assert not {"duration_days", "event"} & set(asked[0].columns), "the outcome is shown to who forecasts"
    assert {frame["landmark"].max() for frame in asked} <= {origin, *fitted["landmark"].unique()}
    assert ("fit", ORIGINS[1]) in WatchingTiers.seen
    assert max(day for _, day in WatchingTiers.seen) == ORIGINS[1]
    assert sum(what == "fit" for what, _ in WatchingTiers.seen) == 1
    assert set(result.scores["scheme"]) == {"all", "spender"}
    assert set(result.served.loc[result.served["model"] == "churn_model", "served"]) == {"watching"}


def test_no_later_row_moves_a_forecast(orders: pd.DataFrame, found: Any) -> None:
    """Orders after the origin decide what came, never what was said; after the horizon, not even that."""
    origin = pd.Timestamp(ORIGINS[0])
    end = origin + pd.Timedelta(days=HORIZON)
    other = made_orders(seed=99)
    other = other[other["customer_id"].isin(orders["customer_id"])]
    mixed = [orders[orders["ordered_at"] <= origin], other[other["ordered_at"].between(origin, end, "right")]]
    again = tk.backtest(
        opened(pd.concat([*mixed, other[other["ordered_at"] > end].head(1)])),
        tk.ChurnModel(),
        origins=[ORIGINS[0]],
        horizon=HORIZON,
    )
    before = found.risks[found.risks["origin"] == origin].set_index(["model", "customer_id"])
    after = again.risks.set_index(["model", "customer_id"]).loc[before.index]
    assert before["risk"].equals(after["risk"])
    assert not before["bad"].equals(after["bad"])
    came = set(mixed[1]["customer_id"])
    assert after["bad"].tolist() == [who not in came for _, who in before.index]


def test_neither_ids_nor_the_order_of_rows_nor_the_currency_matter(found: Any) -> None:
    renamed = made_orders(rename=True).sample(frac=1, random_state=1)
    renamed["amount"] *= 100
    again = tk.backtest(opened(renamed), tk.ChurnModel(), origins=ORIGINS, horizon=HORIZON, tiers=tk.RFM())
    for name in ("scores", "means", "calibration", "lift"):
        pd.testing.assert_frame_equal(getattr(again, name), getattr(found, name), rtol=1e-5, atol=1e-6)


def test_origins_that_share_outcomes_are_told_and_the_seed_moves_intervals_only(study: tk.Study) -> None:
    asked: dict[str, Any] = {"origins": ["2026-01-31", "2025-12-31"], "horizon": HORIZON}
    one, other = (tk.backtest(study, tk.ChurnModel(), **asked, seed=seed) for seed in (7, 8))
    assert one.scores["origin"].is_monotonic_increasing
    assert status(one)["origins_overlap"] == "informational"
    pd.testing.assert_frame_equal(one.scores, other.scores)
    assert one.means["mean"].equals(other.means["mean"])
    assert not one.means["lower"].equals(other.means["lower"])


class Leaky:
    """A study whose episodes carry what they cannot know: the days to the next order.

    ``always``: at whatever landmark, since the column is made of all rows. Otherwise a slip of the warehouse: it tells
    nothing where nothing has followed yet, as for those who are forecast.
    """

    def __init__(self, study: tk.Study, *, always: bool) -> None:
        self._study, self._always = study, always

    def __getattr__(self, name: str) -> Any:
        return getattr(self._study, name)

    @property
    def columns(self) -> tuple[str, ...]:
        return (*self._study.columns, "next_order")

    def episodes(self, landmarks: Any, as_of: Any, columns: Any = None, **options: Any) -> pd.DataFrame:
        kept = None if columns is None else [name for name in columns if name != "next_order"]
        rows = self._study.episodes(landmarks, as_of, kept, **options)
        known = self._study.episodes(landmarks, "2026-05-01", [], **options) if self._always else rows
        days = np.where(known["event"] == 1, known["duration_days"], 400.0)
        days = np.where(known["duration_days"] > 0, days, 60.0)
        return rows.assign(next_order=days * np.random.default_rng(1).uniform(0.8, 1.2, len(rows)))


@pytest.mark.fault(55)
@pytest.mark.parametrize("always", [True, False])
def test_a_leaky_feature_is_caught(study: tk.Study, always: bool) -> None:
    features = ("recency_days", "order_days", "next_order")
    leaky: Any = Leaky(study, always=always)
    result = tk.backtest(leaky, tk.ChurnModel(features=features, penalizer=0.01), origins=ORIGINS[1:], horizon=HORIZON)
    told = status(result)
    assert told["leak_suspected"] == "failed"
    assert [check.subject for check in result.checks if check.code == "leak_suspected"] == ["next_order"]
    assert (told["too_good_in_training"] == "failed") is not always


def test_honest_features_raise_no_alarm(found: Any) -> None:
    codes = ("leak_suspected", "too_good_in_training", "beats_kaplan_meier")
    assert [status(found)[code] for code in codes] == ["passed"] * 3


def test_a_horizon_that_is_not_over_is_refused(study: tk.Study) -> None:
    with pytest.raises(ArgumentError, match=r"E-horizon-open: the 60 days after 2026-04-30 end on 2026-06-29") as told:
        tk.backtest(study, tk.ChurnModel(), origins=[ORIGINS[0], "2026-04-30"], horizon=HORIZON)
    last = told.value.hint.removeprefix("an origin up to ")
    assert tk.backtest(study, tk.ChurnModel(), origins=[last], horizon=HORIZON).horizon == HORIZON


def test_what_cannot_be_tested_is_refused(study: tk.Study) -> None:
    def ask(**asked: Any) -> Any:
        options: dict[str, Any] = {"origins": ORIGINS[:1], "horizon": HORIZON} | asked
        return partial(tk.backtest, study, tk.ChurnModel(), **options)

    assert_refused(
        {
            "an end of the exports that is given": (
                ask(as_of="2025-12-01"),
                "horizon-open: .*orders are known up to 2025-12-01",
            ),
            "no origin": (ask(origins=[]), "origins:"),
            "a text": (ask(origins="2025-10-31"), "origins:"),
            "no ISO date": (ask(origins=["31.10.2025"]), "date"),
            "no day": (ask(horizon=0), "horizon:"),
            "no log before": (ask(origins=["2025-02-28"]), "short-log:"),
            "no landmark whose horizon is over": (ask(origins=["2025-08-31"], horizon=170), "short-log:"),
        }
    )


def test_nobody_orders_again(orders: pd.DataFrame) -> None:
    """All outcomes alike at the test: nothing to part, so no AUC, no slope, and no model is to be used."""
    origin = pd.Timestamp(ORIGINS[1])
    until = orders[orders["ordered_at"] <= origin]
    result = tk.backtest(opened(until), tk.ChurnModel(), origins=[ORIGINS[1]], horizon=HORIZON, as_of="2026-05-01")
    assert (result.scores["events"] == 0).all()
    assert result.scores[["auc", "slope", "harrell_c"]].isna().all(axis=None)
    assert result.scores["brier"].notna().all()
    assert not result.scores["use_here"].any()
    assert status(result)["few_events"] == "failed"


def test_it_shows_itself(found: Any) -> None:
    assert repr(found).startswith("At 2 origins, up to 500 buyers, 60 days: mean risk")
    assert "<table" in found._repr_html_()


def test_the_end_of_a_membership_is_tested_by_the_same_function() -> None:
    study = tk.Study.demo(customers=600, seed=11)
    result = tk.backtest(study, tk.ChurnModel(outcome="end"), origins=["2026-07-31"], horizon=90)
    assert list(result.table.index) == ["churn_model", "logistic", "kaplan_meier"]
    members = study.snapshot("2026-07-31", columns=["membership_state"])["membership_state"] == "member"
    ours = result.scores.iloc[0]
    assert ours["n"] == members.sum()
    assert ours["events"] == round(ours["observed"] * ours["n"]), "here the event is the bad one"


def past_by_hand(recency: list[float], event: list[int], asked: list[float]) -> Past:
    """Episodes of a landmark whose horizon of 30 days is over, and of one that is followed for 10 days only."""
    closed = pd.DataFrame({"recency_days": recency, "event": event, "landmark": pd.Timestamp("2026-01-01")})
    open_still = closed.assign(landmark=pd.Timestamp("2026-01-21"), event=1, duration_days=10.0)
    training = pd.concat([closed.assign(duration_days=np.where(closed["event"] == 1, 5.0, 30.0)), open_still])
    return Past(
        origin=date(2026, 1, 31),
        horizon=30,
        outcome="order",
        training=training.assign(entry_days=0.0),
        buyers=pd.DataFrame({"recency_days": asked}),
    )


def test_the_recency_rule_by_hand() -> None:
    """Ten bands of two episodes each; one of both ordered in the first five bands, none in the last five."""
    past = past_by_hand(list(range(20)), [1, 0] * 5 + [0] * 10, [0.0, 1.0, 9.0, 10.0, 19.0, 400.0])
    assert recency_rule(past).risk.tolist() == [0.5, 0.5, 0.5, 1.0, 1.0, 1.0]


def test_the_recency_rule_where_all_were_there_on_the_same_day() -> None:
    past = past_by_hand([7.0] * 8, [1, 1, 0, 0, 0, 0, 0, 0], [0.0, 7.0, 8.0])
    assert recency_rule(past).risk.tolist() == [0.75, 0.75, 0.75]


def test_the_logistic_model_learns_from_closed_episodes_only() -> None:
    """In those that are open still everybody has ordered: had they taught, risks would be near 0."""
    rng = np.random.default_rng(1)
    recency = rng.uniform(0, 100, 400)
    event = (rng.random(400) < 0.8 - 0.006 * recency).astype(int)
    past = past_by_hand(recency.tolist(), event.tolist(), recency.tolist())
    said = logistic(past, features=("recency_days",))
    assert said.risk.mean() == pytest.approx(1 - event.mean(), abs=0.01)
    assert np.corrcoef(said.risk, recency)[0, 1] > 0.95
    alike = logistic(past_by_hand([1.0, 2.0], [1, 1], [1.0]), features=("recency_days",))
    assert (alike.risk.tolist(), alike.served) == ([0.0], "mean: all outcomes alike")
    constant = logistic(past_by_hand([1.0, 1.0], [1, 0], [1.0]), features=("recency_days",))
    assert (constant.risk.tolist(), constant.served) == ([0.5], "mean: no column is left")


def test_a_deletion_within_the_horizon_competes(orders: pd.DataFrame) -> None:
    """Who is deleted before an order has not ordered: the bad event, known for sure; an order before counts."""
    origin = pd.Timestamp(ORIGINS[1])
    later = orders[orders["ordered_at"] > origin].sort_values("ordered_at")
    first = later.groupby("customer_id")["ordered_at"].min()
    first = first[first <= origin + pd.Timedelta(days=HORIZON)]
    before, after = first.index[0], first.index[1]
    events = pd.DataFrame(
        {
            "customer_id": [before, after],
            "occurred_at": [origin + pd.Timedelta(days=1), first[after] + pd.Timedelta(days=1)],
            "kind": "delete_account",
        }
    )
    kept = orders[(orders["customer_id"] != before) | (orders["ordered_at"] <= origin)]
    study = opened(kept, events=events)
    _, came = look_back(study, date.fromisoformat(ORIGINS[1]), HORIZON, outcome="order", columns=["recency_days"])
    assert came.loc[before].to_dict() == {"days": 1.0, "event": 2, "bad": True}
    assert came.loc[after, ["event", "bad"]].to_dict() == {"event": 1, "bad": False}


def test_a_feature_that_alone_tells_the_outcome() -> None:
    rng = np.random.default_rng(2)
    bad = rng.random(300) < 0.6
    day = pd.Series(pd.Timestamp("2026-01-01"), range(300))
    columns: dict[str, tuple[Any, bool]] = {
        "missing where bad": (np.where(bad, np.nan, 5.0), True),
        "0 where bad": (np.where(bad, 0.0, 5.0), True),
        "its words": (np.where(bad, "silent", "ordered"), True),
        "nearly it": (bad + rng.normal(0, 0.3, 300), True),
        "a good feature": (bad + rng.normal(0, 1.0, 300), False),
        "noise": (rng.normal(0, 1.0, 300), False),
        "names": (np.arange(300).astype(str), False),
        "a day where good": (day.mask(bad), True),
    }
    for name, (column, told) in columns.items():
        rows = pd.DataFrame({"recency_days": rng.random(300), "suspect": column, "event": ~bad, "landmark": 0})
        check = telling_features(rows, bad)
        assert (check.status == "failed") is told, name
        assert check.subject == ("suspect" if told else ""), name
        assert telling_features(rows.iloc[:12], bad[:12]).status == "passed", "a dozen rows prove nothing"

"""Every scheme on customers worked by hand; overrides, promotion, explanations, and what a change would move."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

import toolkit as tk
from tests.builders.profiles import examples
from toolkit import RFM, Tiers
from toolkit.errors import ArgumentError, StudyFileError
from toolkit.report.words_tiers import SCHEMES, TIERS
from toolkit.rules.rulebook import default_schemes
from toolkit.schema import PROSPECT, SEGMENTS, SNAPSHOT
from toolkit.study import StudyFile, parse_study

DTYPES = {column.name: column.dtype for column in SNAPSHOT}
PLAIN: dict[str, Any] = {
    "order_count": 1, "order_days": 1, "recency_days": 5.0, "window_order_days": 1, "window_spend": 10.0,
    "mean_order_value": 10.0, "idle_days": 5.0, "active_days": 0, "active_days_30d": 0, "interactions_30d": 0,
    "interaction_rate": None, "followers": None, "offers": 0, "top_layer": None, "lines": 1, "main_price_band": None,
    "high_band_share": None, "low_band_share": None, "discount_share": None, "last_nps": None, "days_since_nps": None,
}  # fmt: skip


def frame(*customers: dict[str, Any]) -> pd.DataFrame:
    """Make a snapshot of customers of whom only what matters is said."""
    rows = pd.DataFrame([PLAIN | customer for customer in customers])
    for name in rows.columns:
        dtype = DTYPES[name]
        rows[name] = rows[name].astype(np.dtype(dtype) if dtype != "str" else pd.StringDtype("pyarrow"))
    return rows.set_index(pd.Index([f"C{n:03}" for n in range(len(rows))], dtype="string[pyarrow]", name="customer_id"))


def learning() -> pd.DataFrame:
    """Eleven buyers at 0, 10, .. 100 % of every measure: a quantile is its share of the largest."""
    return frame(
        *(
            {
                "window_order_days": n, "window_spend": 100.0 * n, "mean_order_value": 10.0 * n,
                "recency_days": 10.0 * n, "active_days": n, "interactions_30d": n, "interaction_rate": n / 10,
                "followers": 100.0 * n,
            }
            for n in range(11)
        )
    )  # fmt: skip


@cache
def fitted() -> Tiers:
    return Tiers().fit(learning())


def settings_with(**keys: Any) -> StudyFile:
    content = {"name": "shop", "timezone": "Asia/Shanghai", "currency": "CNY", "tables": {"orders": {"files": "o.csv"}}}
    return parse_study(content | keys)


CASES: list[tuple[str, dict[str, Any], str, str, str]] = [
    ("payment_tier", {"main_price_band": "high"}, "high", "main_price_band = high", "main_price_band == high"),
    ("payment_tier", {"main_price_band": "mid"}, "mid", "", ""),
    ("payment_tier", {"main_price_band": "low"}, "low", "", ""),
    ("payment_tier", {}, "low", "main_price_band is missing", "or missing(main_price_band)"),
    ("value_class", {"window_spend": 800.01}, "high", "window_spend = 800.01", "window_spend > 800"),
    ("value_class", {"window_spend": 800.0}, "general", "", "500 < window_spend <= 800"),
    ("value_class", {"window_spend": 500.0}, "low", "", "window_spend <= 500"),
    ("matrix", {"window_order_days": 6, "mean_order_value": 50.01}, "often_large", "", "window_order_days > 5"),
    ("matrix", {"window_order_days": 6, "mean_order_value": 50.0}, "often_small", "", "mean_order_value > 50"),
    ("matrix", {"window_order_days": 5, "mean_order_value": 50.01}, "seldom_large", "", ""),
    ("matrix", {"order_count": 0, "window_order_days": 0, "mean_order_value": None}, "seldom_small", "", ""),
    ("purchase_habit", {"window_order_days": 3}, "frequent", "window_order_days = 3", "window_order_days >= 3"),
    ("purchase_habit", {"window_order_days": 2}, "occasional", "", "1 <= window_order_days <= 2"),
    ("purchase_habit", {"window_order_days": 1}, "occasional", "", ""),
    ("purchase_habit", {"window_order_days": 0}, "potential", "", "window_order_days == 0"),
    ("contribution", {"window_spend": 950.01}, "super_fan", "", "window_spend > 950"),
    ("contribution", {"window_spend": 950.0}, "die_hard", "", "750 < window_spend <= 950"),
    ("contribution", {"window_spend": 750.0}, "ordinary", "", ""),
    ("contribution", {"window_spend": 250.0}, "occasional_buyer", "", "window_spend <= 250"),
    ("stage", {"idle_days": 181}, "loss", "idle_days = 181", "idle_days > 180"),
    ("stage", {"idle_days": 180, "order_days": 9}, "dormancy", "", "180 / 2 < idle_days <= 180"),
    ("stage", {"idle_days": 91}, "dormancy", "", ""),
    ("stage", {"idle_days": 90, "order_days": 2}, "maturity", "", "order_days >= 2"),
    ("stage", {"idle_days": 90, "order_days": 1}, "growth", "", ""),
    ("stage", {"order_count": 0, "order_days": 0, "active_days_30d": 4}, "growth", "", ""),
    ("stage", {"order_count": 0, "order_days": 0, "active_days_30d": 3}, "introduction", "", ""),
    ("stage", {"idle_days": None, "order_days": 2}, "maturity", "idle_days is missing", ""),
    ("phase", {"idle_days": 5, "order_days": 2}, "value_adding", "stage = maturity", "stage in (growth, maturity)"),
    ("phase", {"order_count": 0, "order_days": 0}, "acquisition", "", ""),
    ("phase", {"idle_days": 181}, "retention", "stage = loss", ""),
    ("layer", {"top_layer": "premium", "offers": 3}, "premium_core", "top_layer = premium", "top_layer == premium"),
    ("layer", {"top_layer": "entry"}, "pool", "", ""),
    ("layer", {"top_layer": "lead_in", "offers": 1}, "pool", "", ""),
    ("layer", {"offers": 1}, "pool", "offers = 1", ""),
    ("layer", {"top_layer": "lead_in"}, "lead_in", "", "offers == 0"),
    ("layer", {}, "none", "", ""),
    ("marketed", {"offers": 1}, "yes", "offers = 1", "offers >= 1"),
    ("marketed", {"offers": 0}, "no", "", ""),
    ("engagement", {"interactions_30d": 8}, "core_engaged", "interactions_30d = 8", "interactions_30d >= 8"),
    ("engagement", {"interactions_30d": 7}, "active", "", ""),
    ("engagement", {"interactions_30d": 0}, "potential", "", ""),
    ("need", {"lines": 2, "high_band_share": 0.5, "discount_share": 0.09}, "quality", "lines = 2", ""),
    ("need", {"lines": 2, "high_band_share": 0.5}, "quality", "discount_share is missing", ""),
    ("need", {"lines": 2, "high_band_share": 0.5, "discount_share": 0.1}, "mixed", "", "none of these holds"),
    ("need", {"lines": 2, "discount_share": 0.3}, "price", "", ""),
    ("need", {"lines": 2, "low_band_share": 1.0}, "price", "low_band_share = 1", ""),
    ("need", {"lines": 2, "low_band_share": 0.9}, "mixed", "", ""),
    ("need", {"lines": 1, "low_band_share": 1.0}, "unknown", "", "lines < 2"),
    ("recommendation", {"last_nps": 9, "days_since_nps": 364}, "promoter", "last_nps = 9", "last_nps >= 9"),
    ("recommendation", {"last_nps": 8, "days_since_nps": 0}, "passive", "", "7 <= last_nps < 9"),
    ("recommendation", {"last_nps": 6, "days_since_nps": 0}, "detractor", "", "last_nps < 7"),
    ("recommendation", {"last_nps": 9, "days_since_nps": 365}, "none", "", "none of these holds"),
    ("recommendation", {}, "none", "", ""),
    ("behaviour_band", {"window_order_days": 7}, "high", "", "window_order_days > 6.66666666667"),
    ("behaviour_band", {"window_order_days": 6}, "mid", "", ""),
    ("behaviour_band", {"window_order_days": 3}, "low", "", "window_order_days <= 3.33333333333"),
    ("activity_band", {"active_days": 7}, "high", "active_days = 7", ""),
    ("activity_band", {"active_days": 4}, "mid", "", ""),
    ("activity_band", {"active_days": 3}, "low", "", ""),
    ("influence_band", {"followers": 667.0}, "high", "followers = 667", "followers > 666.666666667"),
    ("influence_band", {"followers": 100.0, "interaction_rate": 0.67}, "high", "", ""),
    ("influence_band", {"followers": 600.0, "interaction_rate": 0.1}, "mid", "", ""),
    ("influence_band", {"followers": 300.0, "interaction_rate": 0.3}, "low", "", ""),
    ("influence_band", {}, "low", "followers is missing, interaction_rate is missing", ""),
]  # fmt: skip
"""Scheme, customer, tier, and what the explanation says of values and rule."""


def test_a_customer_is_where_the_rule_says() -> None:
    tiered = fitted().transform(frame(*(customer for _, customer, *_ in CASES)))
    for who, (scheme, customer, tier, values, rule) in zip(tiered.index, CASES, strict=True):
        case = (scheme, customer)
        assert tiered[scheme].to_dict()[who] == tier, case
        if values or rule:
            told: Any = fitted().explain(tiered, who).loc[scheme]
            assert (told["tier"], told["by_hand"], told["computed"]) == (tier, False, None), case
            assert values in told["values"], case
            assert rule in told["rule"], case


def test_the_ladder_follows_the_eight_types() -> None:
    steps = dict(zip((*SEGMENTS, PROSPECT), [
        "existing", "existing", "pre_churn", "pre_churn", "high_potential", "high_potential", "pre_churn", "churned",
        "prospect",
    ], strict=True))  # fmt: skip
    scored = frame(*[{}] * 9).assign(segment=list(steps))
    tiered = fitted().transform(scored)
    assert tiered["ladder"].tolist() == list(steps.values())
    assert tiered["segment"].tolist() == list(steps)


def test_the_columns_are_ordered_categories_best_first() -> None:
    tiered = fitted().transform(learning())
    assert fitted().schemes_ == ("segment", *default_schemes())
    for name, classes in default_schemes().items():
        assert tiered[name].cat.ordered
        assert tiered[name].cat.categories.tolist() == list(classes)
    assert {"r_score", "f_score", "m_score"} < set(tiered)
    assert "overridden" not in tiered


def test_every_scheme_and_class_has_its_words() -> None:
    assert set(SCHEMES) == {"segment", *default_schemes()}
    assert set(TIERS) == {f"{name}.{key}" for name, classes in default_schemes().items() for key in classes}


def test_the_eight_types_are_explained_by_their_splits() -> None:
    snap = frame({"recency_days": 49.0, "window_order_days": 5, "window_spend": 501.0}, {"order_count": 0})
    told: Any = fitted().explain(snap, "C000").loc["segment"]
    assert told["tier"] == "big_occasional"
    assert told["rule"] == "recency_days < 50 and window_order_days <= 5 and window_spend > 500"
    assert told["values"] == "recency_days = 49, window_order_days = 5, window_spend = 501"
    assert fitted().explain(snap, "C001").loc["segment", "rule"] == "order_count == 0"


def test_cut_points_are_shown_and_infinite_where_nobody_teaches() -> None:
    cuts = fitted().cut_points_["cut"]
    assert cuts["window_spend", "buyers", 0.8] == 800.0
    assert cuts["active_days", "everyone", 1 / 3] == pytest.approx(10 / 3)
    blind = Tiers().fit(learning().assign(followers=np.nan))
    assert blind.cut_points_["cut"]["followers", "everyone"].tolist() == [np.inf, np.inf]
    assert blind.transform(frame({"followers": 9e9}))["influence_band"].tolist() == ["low"]


def test_never_buyers_teach_of_buyers_nothing_but_of_everyone() -> None:
    more = pd.concat([learning(), frame(*[{"order_count": 0, "window_spend": 0.0, "active_days": 0}] * 20)])
    cuts = Tiers().fit(more).cut_points_["cut"]
    assert cuts["window_spend", "buyers", 0.5] == 500.0
    assert cuts["active_days", "everyone", 1 / 3] == 0.0


def test_a_scheme_without_any_of_its_columns_is_left_out_with_a_reason() -> None:
    few = learning()[["order_count", "recency_days", "window_order_days", "window_spend", "followers"]]
    tiers = Tiers().fit(few)
    assert tiers.schemes_ == (
        "segment", "value_class", "matrix", "purchase_habit", "contribution", "ladder", "behaviour_band",
        "influence_band",
    )  # fmt: skip
    assert tiers.left_out_["stage"] == "the snapshot has no order_days, idle_days, active_days_30d"
    assert tiers.left_out_["phase"] == "it is computed from stage"
    assert "stage" not in tiers.transform(few)
    with pytest.raises(ArgumentError, match="stage cannot be computed: the snapshot has no order_days"):
        tiers.transform(few, only="stage")
    with pytest.raises(ArgumentError, match="no followers, which the tiers were fitted with"):
        tiers.transform(few.drop(columns="followers"))
    assert "purchase_habit" in tiers.transform(few.drop(columns="followers"), only="purchase_habit")


def test_a_single_absent_column_counts_as_nothing() -> None:
    few = learning().drop(columns=["offers", "active_days_30d"])
    found = Tiers().fit(few).transform(frame({"top_layer": "lead_in"}).drop(columns=["offers", "active_days_30d"]))
    assert found[["layer", "stage"]].iloc[0].tolist() == ["lead_in", "growth"]


def test_a_study_without_other_tables_asks_for_what_it_has() -> None:
    orders = pd.DataFrame({"customer_id": ["A", "A", "B"], "amount": ["10", "20", "5"],
                           "ordered_at": ["2026-01-05", "2026-02-01", "2026-02-03"]})  # fmt: skip
    study = tk.Study.from_frames(orders, timezone="Asia/Shanghai", currency="CNY")
    tiers = Tiers(study)
    snap = study.snapshot("2026-02-28", columns=tiers.columns_needed())
    tiered = tiers.fit(snap).transform(snap)
    assert {"payment_tier", "value_class", "stage", "need"} < set(tiers.schemes_)
    left_out = {"layer", "marketed", "engagement", "recommendation", "activity_band", "influence_band"}
    assert set(tiers.left_out_) == left_out
    assert tiered["stage"].tolist() == ["maturity", "growth"]
    assert tiers.columns_needed("segment") == ["order_count", "recency_days", "window_order_days", "window_spend"]
    assert tiers.columns_needed(("phase",))[4:] == ["order_days", "idle_days"]
    with pytest.raises(ArgumentError, match="did you mean 'stage'"):
        tiers.columns_needed("stge")


def test_the_demo_has_every_scheme_and_tiers_are_cloned_with_their_study() -> None:
    study = tk.Study.demo(customers=300, seed=7)
    assert study.last_day is not None
    tiers = Tiers(study)
    snap = study.snapshot(study.last_day, columns=tiers.columns_needed())
    tiered = tiers.fit(snap).transform(snap)
    assert tiers.left_out_ == {}
    assert tiered[list(tiers.schemes_)].notna().all(axis=None)
    own = Tiers(study, rules={"mine": {"a": "order_days > 1", "b": "else"}})
    copied = clone(own)
    assert copied is not own
    assert copied.study is study
    assert copied.rules == own.rules
    with pytest.raises(NotFittedError):
        copied.transform(learning())


def test_the_frame_that_came_in_is_untouched_and_a_scored_one_keeps_its_types() -> None:
    snap = learning()
    before = snap.copy()
    tiered = fitted().transform(snap)
    again = fitted().transform(tiered)
    pd.testing.assert_frame_equal(snap, before)
    pd.testing.assert_frame_equal(tiered, again)
    kept = tiered.copy()
    fitted().transform(tiered.assign(segment="lost"))
    pd.testing.assert_frame_equal(tiered, kept)


def test_only_what_is_wanted_is_added() -> None:
    tiered = fitted().transform(learning(), only=("phase",))
    assert [name for name in tiered if name not in learning()] == ["r_score", "f_score", "m_score", "segment", "phase"]
    with pytest.raises(ArgumentError, match="did you mean 'phase'"):
        fitted().transform(learning(), only="phases")


def overridden(*texts: str | None) -> pd.DataFrame:
    return frame(*[{"order_days": 2, "idle_days": 5.0}] * len(texts)).assign(
        override=pd.array(list(texts), dtype="string[pyarrow]")
    )


def test_an_override_is_honoured_shown_and_followed() -> None:
    snap = overridden("stage=loss", None, " Payment_Tier＝HIGH；stage = dormancy ;", "segment=champions", "")
    tiered = fitted().transform(snap)
    assert tiered["stage"].tolist() == ["loss", "maturity", "dormancy", "maturity", "maturity"]
    assert tiered["phase"].tolist() == ["retention", "value_adding", "retention", "value_adding", "value_adding"]
    assert tiered["payment_tier"].tolist() == ["low", "low", "high", "low", "low"]
    assert tiered["segment"].iloc[3] == "champions"
    assert tiered["ladder"].iloc[3] == "existing"
    assert tiered["overridden"].fillna("-").tolist() == ["stage", "-", "payment_tier, stage", "segment", "-"]
    assert str(tiered["overridden"].dtype) == "string"
    pd.testing.assert_frame_equal(fitted().transform(tiered), tiered)


def test_an_override_is_explained_beside_what_the_rule_says() -> None:
    tiered = fitted().transform(overridden("stage=loss; segment=champions"))
    told: Any = fitted().explain(tiered, "C000")
    assert told.loc["stage", ["tier", "by_hand", "computed"]].tolist() == ["loss", True, "maturity"]
    assert told.loc["stage", "rule"].startswith("order_days >= 2")
    assert told.loc["phase", ["tier", "values", "by_hand"]].tolist() == ["retention", "stage = loss (by hand)", False]
    assert told.loc["segment", ["tier", "by_hand", "computed"]].tolist() == ["champions", True, "newcomers"]


def test_overrides_teach_no_cut() -> None:
    plain, said = learning(), learning().assign(override="value_class=low; segment=lost")
    pd.testing.assert_frame_equal(Tiers().fit(plain).cut_points_, Tiers().fit(said).cut_points_)
    assert Tiers().fit(said).rfm_.splits_ == fitted().rfm_.splits_


@pytest.mark.fault(109)
def test_an_override_that_names_nothing_stops() -> None:
    for text, what in {
        "stge=loss": "names no scheme; did you mean 'stage'",
        "stage=los": "an override of stage names no class; did you mean 'loss'",
        "stage": "names no class",
        "=loss": "names no scheme",
    }.items():
        with pytest.raises(ArgumentError, match=what) as caught:
            fitted().transform(overridden(None, text))
        assert "C***1" in str(caught.value)
        assert "C001" not in str(caught.value)


def test_an_override_of_a_scheme_that_is_left_out_waits() -> None:
    few = learning()[["order_count", "recency_days", "window_order_days", "window_spend"]].assign(override="stage=loss")
    tiered = Tiers().fit(few).transform(few)
    assert tiered["overridden"].isna().all()


def test_promotion_is_by_one_class_at_most() -> None:
    study = settings_with(promote_payment_tier_by=["behaviour_band", "activity_band"])
    tiers = Tiers(study).fit(learning())
    high = {"window_order_days": 9, "active_days": 9}
    snap = frame({"main_price_band": "low"}, *({"main_price_band": band} | high for band in ("low", "mid", "high")),
                 {"main_price_band": "mid", "followers": 1000.0})  # fmt: skip
    tiered = tiers.transform(snap, only=["payment_tier"])
    assert tiered["payment_tier"].tolist() == ["low", "mid", "high", "high", "mid"]
    assert tiered["payment_tier"].cat.categories.tolist() == ["high", "mid", "low"]
    told: Any = tiers.explain(snap, "C001").loc["payment_tier"]
    assert told["rule"].endswith("; one class up, for behaviour_band = high and activity_band = high")
    assert "one class up" not in str(tiers.explain(snap, "C003").loc["payment_tier", "rule"])
    by_hand: Any = tiers.explain(snap.assign(override="payment_tier=low"), "C001").loc["payment_tier"]
    assert by_hand[["tier", "by_hand", "computed"]].tolist() == ["low", True, "mid"]


def test_price_bands_of_another_day_stop_where_they_matter() -> None:
    then, now = learning(), learning()
    then.attrs["price_cuts"], now.attrs["price_cuts"] = (10.0, 20.0), (10.0, 30.0)
    tiers = Tiers().fit(then)
    with pytest.raises(ArgumentError, match="price bands of this snapshot") as caught:
        tiers.transform(now)
    assert caught.value.code == "price-cuts"
    assert "cuts_at=" in caught.value.hint
    tiers.transform(now, only=("stage", "value_class"))
    tiers.transform(learning())
    now.attrs["price_cuts"] = (10.0, 20.0)
    tiers.transform(now)


def test_shifted_cuts_move_and_written_numbers_stay() -> None:
    near = frame({"window_spend": 850.0, "window_order_days": 3})
    up = fitted().shifted(0.1)
    assert fitted().transform(near)["value_class"].tolist() == ["high"]
    assert up.transform(near)["value_class"].tolist() == ["general"]
    assert up.transform(near)["purchase_habit"].tolist() == ["frequent"]
    assert up.cut_points_["cut"]["window_spend", "buyers", 0.8] == pytest.approx(880)
    assert up.rfm_.splits_["recency"] == pytest.approx(55)
    assert fitted().rfm_.splits_["recency"] == 50
    scores = RFM().fit(learning())
    assert up.rfm_.cut_points_["window_spend"].tolist() == pytest.approx(
        (scores.cut_points_["window_spend"] * 1.1).tolist()
    )
    with pytest.raises(ArgumentError, match="not over -1"):
        fitted().shifted(-1)


def test_rules_given_are_proven_and_take_over() -> None:
    rules = {
        "purchase_habit": {"often": "window_order_days >= 9", "seldom": "else"},
        "vip": {"a": "segment == champions", "b": "else"},
    }
    tiers = Tiers(rules=rules).fit(learning())
    assert tiers.transform(learning())["purchase_habit"].cat.categories.tolist() == ["often", "seldom"]
    assert tiers.schemes_[-1] == "vip"
    with pytest.raises(StudyFileError, match="is in no class"):
        Tiers(rules={"vip": {"a": "spend > 3", "b": "spend < 3"}}).fit(learning())


def test_a_value_that_its_column_cannot_hold_stops_rather_than_falls_through() -> None:
    with pytest.raises(ArgumentError, match=r"n=1, e\.g\. C") as caught:
        fitted().transform(frame({}, {"main_price_band": "lowish"}))
    assert caught.value.code == "no-class"


def test_text_is_read_from_whatever_pandas_keeps_it_in() -> None:
    snap = frame({"main_price_band": "high"}, {"main_price_band": "mid"}, {})
    for dtype in ("object", "category", "string[python]", "string[pyarrow]"):
        other = snap.assign(main_price_band=snap["main_price_band"].astype(dtype), lines=snap["lines"].astype("Int64"))
        assert fitted().transform(other)["payment_tier"].tolist() == ["high", "mid", "low"]


def test_an_unknown_customer_stops() -> None:
    with pytest.raises(ArgumentError, match="0 rows of this customer"):
        fitted().explain(learning(), "nobody")


def test_compare_says_who_moves_and_with_how_much() -> None:
    snap = learning()
    rules = {"purchase_habit": dict(default_schemes()["purchase_habit"]) | {
        "frequent": "window_order_days >= 5", "occasional": "1 <= window_order_days <= 4"}}  # fmt: skip
    found = tk.compare(fitted(), rules, snap)
    habit: Any = found.schemes.loc["purchase_habit"]
    assert habit.tolist() == [11, 2, 2 / 11, 700.0]
    assert found.schemes.drop(index="purchase_habit")["moved"].sum() == 0
    assert found.moved.to_numpy().tolist() == [
        ["C003", "purchase_habit", "frequent", "occasional", 300.0],
        ["C004", "purchase_habit", "frequent", "occasional", 400.0],
    ]
    totals = found.matrix.groupby("scheme")[["customers", "spend"]].sum()
    assert (totals["customers"] == 11).all()
    assert (totals["spend"] == 5500.0).all()
    assert found.sentence.startswith("2 of 11 customers (18.2%) move in purchase_habit and take 700.00")
    assert found.sentence in repr(found)
    assert "<table" in found._repr_html_()


def test_compare_takes_any_transformer_and_a_scored_frame() -> None:
    scored = RFM().fit_transform(learning())
    other = RFM(split={"recency": 20, "frequency": 1, "monetary": 100}).fit(learning())
    found = tk.compare(RFM().fit(learning()), other, scored)
    assert found.schemes.index.tolist() == ["segment"]
    assert found.schemes["moved"].tolist() == [
        int((scored["segment"].astype(str) != other.transform(learning())["segment"].astype(str)).sum())
    ]
    assert tk.compare(fitted(), fitted(), learning()).sentence.startswith("Nobody moves in segment")
    with pytest.raises(ArgumentError, match="no window_spend"):
        tk.compare(fitted(), fitted(), learning().drop(columns="window_spend"))


drawn = st.integers
person = st.fixed_dictionaries(
    {
        "order_count": drawn(0, 3), "order_days": drawn(0, 3), "recency_days": drawn(0, 300).map(float),
        "window_order_days": drawn(0, 5), "window_spend": drawn(-5_000, 90_000).map(lambda cents: cents / 100),
        "mean_order_value": st.none() | drawn(0, 9_000).map(lambda cents: cents / 100),
        "idle_days": st.none() | drawn(0, 300).map(float), "active_days": drawn(0, 9), "active_days_30d": drawn(0, 9),
        "interactions_30d": drawn(0, 9), "interaction_rate": st.none() | drawn(0, 9).map(float),
        "followers": st.none() | drawn(0, 9).map(float), "offers": drawn(0, 2), "lines": drawn(0, 4),
        "top_layer": st.sampled_from([None, "lead_in", "entry", "premium"]),
        "main_price_band": st.sampled_from([None, "low", "mid", "high"]),
        "high_band_share": st.none() | st.sampled_from([0.0, 0.5, 1.0]),
        "low_band_share": st.none() | st.sampled_from([0.0, 0.5, 1.0]),
        "discount_share": st.none() | st.sampled_from([0.0, 0.1, 0.3, 0.9]),
        "last_nps": st.none() | drawn(0, 10).map(float), "days_since_nps": st.none() | drawn(0, 500).map(float),
    }
)  # fmt: skip
people = st.lists(person, min_size=1, max_size=12).filter(lambda rows: any(row["order_count"] for row in rows))


@examples(dev=6, ci=40)
@given(rows=people, seed=st.integers(0, 9), unit=st.sampled_from([0.01, 0.1, 3.7, 7.2, 100.0]))
def test_neither_order_nor_names_nor_the_unit_of_money_moves_anybody(
    rows: list[dict[str, Any]], seed: int, unit: float
) -> None:
    snap = frame(*rows)
    names = list(fitted().schemes_)
    tiered = Tiers().fit(snap).transform(snap)[names]
    assert tiered.notna().all(axis=None)
    order = np.random.default_rng(seed).permutation(len(snap))
    shuffled = snap.iloc[order].set_axis([f"x{n}" for n in range(len(snap))])
    money = {name: shuffled[name] * unit for name in ("window_spend", "mean_order_value")}
    again = Tiers().fit(shuffled.assign(**money)).transform(shuffled.assign(**money))[names]
    assert again.astype(str).to_numpy().tolist() == tiered.iloc[order].astype(str).to_numpy().tolist()


@examples(dev=6, ci=40)
@given(rows=people)
def test_equal_customers_have_equal_tiers_and_the_explanation_agrees(rows: list[dict[str, Any]]) -> None:
    snap = frame(*rows, *rows)
    tiers = Tiers().fit(snap)
    tiered = tiers.transform(snap)
    names = list(tiers.schemes_)
    half = len(rows)
    first, second = (part.astype(str).to_numpy().tolist() for part in (tiered[names][:half], tiered[names][half:]))
    assert first == second
    told = tiers.explain(snap, "C000")
    assert told["tier"].tolist() == tiered[names].iloc[0].tolist()

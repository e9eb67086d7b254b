"""Tables, cells and sentences of risk and value: figures by hand, what is hidden, what is said where nothing can be."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd
import pytest

import toolkit as tk
from tests.builders.pictures import AS_OF, DAY, LANGUAGES, demo, framed
from toolkit.errors import Check
from toolkit.report import (
    backtest_tables,
    clock_tables,
    clocking,
    grading,
    risk_tables,
    risking,
    value_tables,
    valuing,
)
from toolkit.report.card_risk import customer_outlook, outlook_at
from toolkit.report.note import Note
from toolkit.report.outlook import Outlook, Reason, look_ahead, read_at
from toolkit.report.page import Page
from toolkit.report.results import TOKEN_VARIABLE, plain
from toolkit.report.risk_checks import checks_table, subject_name
from toolkit.report.small_cells import Mark
from toolkit.report.words import TOTAL, Words

if TYPE_CHECKING:
    from toolkit.risk.validation import Backtest

pytestmark = pytest.mark.xdist_group("pictures")
FEW = framed(min_cell=10)


@pytest.fixture(scope="module")
def ahead() -> Outlook:
    return outlook_at(demo(), DAY)


@pytest.fixture(scope="module")
def tiers() -> tk.RFM:
    return tk.RFM().fit(demo().snapshot(AS_OF))


@pytest.fixture
def page() -> Page:
    return Page(demo(), AS_OF, "en")


def orders(customers: int, days: int, each: int) -> pd.DataFrame:
    """So many customers, each with orders ten days apart, the first ones spread over the days from 1 January 2026."""
    rows = [
        (f"C{who:04}", f"{pd.Timestamp('2026-01-01') + pd.Timedelta(days=who % days + 10 * turn):%Y-%m-%d}", 10 + who)
        for who in range(customers)
        for turn in range(each)
    ]
    return pd.DataFrame(rows, columns=["customer_id", "ordered_at", "amount"])


def shop(table: pd.DataFrame) -> tk.Study:
    return tk.Study.from_frames(orders=table, timezone="Asia/Shanghai", currency="CNY")


# tables of risk


def test_bands_hold_their_lower_edge() -> None:
    risk = pd.Series([0.0, 0.1999, 0.2, 0.7999, 0.8, 1.0])
    assert risk_tables.bands_of(risk).tolist() == ["0.0", "0.0", "0.2", "0.6", "0.8", "0.8"]


def test_types_stand_by_value_and_bands_add_up() -> None:
    risk = pd.Series([0.1, 0.9, 0.9, 0.5, np.nan])
    types = pd.Series(["lost", "lost", "champions", "champions", "newcomers"])
    table = risk_tables.risk_bands(risk, types, frame=framed())
    assert table.index.tolist() == ["champions", "lost", TOTAL]
    assert table.loc[[TOTAL]].to_numpy().tolist() == [[1, 0, 1, 0, 2, 4]]


@pytest.mark.fault(134)
def test_small_counts_of_bands_are_hidden_where_published() -> None:
    risk = pd.Series([0.1] * 30 + [0.9] * 3 + [0.1] * 40 + [0.9] * 20)
    types = pd.Series(["champions"] * 33 + ["lost"] * 60)
    table = risk_tables.risk_bands(risk, types, frame=FEW)
    assert isinstance(table.loc["champions", "0.8"], Mark)
    assert isinstance(table.loc["lost", "0.8"], Mark)
    assert table.loc["champions", TOTAL] == 33


@pytest.mark.fault(134)
def test_counts_at_risk_never_tell_of_few_between_two_days() -> None:
    days = [0.0, 30.0, 60.0]
    rows = [
        (tier, day, left)
        for tier, lefts in (("champions", (100, 97, 60)), ("lost", (8, 8, 8)))
        for day, left in zip(days, lefts, strict=True)
    ]
    curves = pd.DataFrame(rows, columns=["group", "time", "at_risk"])
    shown = risk_tables.at_risk(curves, [0, 30, 60], frame=framed())
    assert shown.to_numpy().tolist() == [["100", "97", "60"], ["8", "8", "8"]]
    hidden = risk_tables.at_risk(curves, [0, 30, 60], frame=FEW)
    assert hidden.index.tolist() == ["champions"]
    assert hidden.to_numpy().tolist() == [["100", "*", "60"]]


def test_the_table_of_curves_says_what_is_not_reached_and_hides_what_is_few() -> None:
    columns = ["n", "events", "median", "rmst", "lower", "upper"]
    rows = [(100, 60, 41.0, 50.0, 45.0, 55.0), (100, 5, np.nan, 88.0, 86.0, 90.0)]
    summary = pd.DataFrame(rows, columns=columns, index=["champions", "lost"])
    assert risk_tables.curves_cells(summary, frame=framed()).frame["median_days"].tolist() == ["41", "not reached"]
    hidden = risk_tables.curves_cells(summary, frame=FEW).frame
    assert hidden["buyers"].tolist() == ["100", "100"]
    assert hidden["rmst"].tolist() == ["50", "*"]


@pytest.mark.fault(134)
def test_rates_of_the_clock_that_rest_on_few_are_hidden_and_so_is_the_other_count() -> None:
    values: dict[str, float] = {
        "called_lost": 95, "lost_but_ordered": 0.2, "lost_but_ordered_lower": 0.1, "lost_but_ordered_upper": 0.3,
        "alive_but_silent": 0.6, "alive_but_silent_lower": 0.3, "alive_but_silent_upper": 0.9,
    }  # fmt: skip
    rates = pd.DataFrame(values, index=["60"])
    open_cells = clock_tables.clock_cells(rates, 100, frame=framed())
    assert open_cells["called_alive"].tolist() == [5]
    cells = clock_tables.clock_cells(rates, 100, frame=FEW)
    assert cells[["lost_but_ordered", "alive_but_silent"]].isna().to_numpy().tolist() == [[False, True]]
    said = repr(clock_tables.clock_table(cells, "window_candidate", frame=FEW))
    assert "<10" in said
    assert "≥10" in said
    assert "95 " not in said


def test_checks_are_told_once_failures_first_with_names() -> None:
    told = checks_table(
        [
            Check("left_out", "informational", "", 1, "idle_days"),
            Check("served", "passed", ""),
            Check("proportional_hazards", "failed", "", 2, "log recency_days, bend 1, log idle_days in own gaps"),
            Check("left_out", "informational", "", 1, "idle_days"),
        ],
        frame=framed(),
    ).frame
    assert told.index.tolist() == ["look", "note"]
    assert told["subject"].tolist() == ["Days since last order, Days idle, in own gaps", "Days idle"]
    assert checks_table([], frame=framed()).frame["check"].tolist() == ["Nothing to say"]


def test_subjects_that_are_types_or_days_are_named() -> None:
    assert subject_name("lapsing_core, 2026-08-02", framed()) == "Lapsing core, 2 August 2026"


# tables of a back-test


def graded() -> Backtest:
    rows = [
        ("2026-06-02", "champions", 60, 0.5, True), ("2026-07-02", "champions", 40, 0.5, True),
        ("2026-06-02", "lost", 50, 0.9, True), ("2026-07-02", "lost", 50, 1.0, False),
    ]  # fmt: skip
    scores = pd.DataFrame(
        [
            {"origin": pd.Timestamp(day), "model": "churn_model", "scheme": "segment", "tier": tier, "n": n,
             "observed": share, "mean_risk": share, "brier": 0.1, "brier_km": 0.2, "use_here": use}
            for day, tier, n, share, use in rows
        ]
    )  # fmt: skip
    lift = pd.DataFrame({"decile": [1, 2, 3], "n": [100, 100, 100], "observed": [0.97, 0.5, 0.03]})
    return cast("Backtest", SimpleNamespace(scores=scores, lift=lift))


def test_a_type_may_be_used_only_where_it_may_be_at_every_origin() -> None:
    table = backtest_tables.grades_by_tier(graded())
    assert table.index.tolist() == ["champions", "lost"]
    assert table[["n", "events", "not_events"]].to_numpy().tolist() == [[100, 50, 50], [100, 5, 95]]
    said = backtest_tables.grades_table(table, "segment", frame=framed()).frame
    assert said["use_here"].tolist() == ["yes (2 of 2 days)", "do not use here (1 of 2 days)"]
    assert said["skill"].tolist() == ["50%", "50%"]


@pytest.mark.fault(134)
def test_types_in_which_few_ordered_are_hidden_where_published_with_one_more() -> None:
    said = backtest_tables.grades_table(backtest_tables.grades_by_tier(graded()), "segment", frame=FEW).frame
    assert all(isinstance(cell, Mark) for cell in said["events"])
    assert said["use_here"].tolist() == ["yes (2 of 2 days)", "do not use here (1 of 2 days)"]


@pytest.mark.fault(134)
def test_tenths_with_few_who_ordered_say_only_that_it_is_few() -> None:
    found = backtest_tables.lift_tenths(graded(), frame=FEW)
    assert found["told"].tolist() == [">90%", "50%", "*"]
    assert found["observed"].round(2).tolist()[:2] == [0.9, 0.5]
    assert np.isnan(found["observed"][3])
    assert backtest_tables.lift_tenths(graded(), frame=framed())["told"].tolist() == ["97%", "50%", "3%"]


# tables of value


def test_expected_spend_of_the_top_fifth_and_who_holds_half_of_the_money() -> None:
    spend = pd.Series([50.0, 20.0, 10.0, 10.0, 10.0])
    assert value_tables.top_share(spend, 0.2) == pytest.approx(0.5)
    assert value_tables.holders_of(spend, 0.5) == 1
    assert value_tables.holders_of(pd.Series([np.nan, 0.0]), 0.5) == 0
    curve = value_tables.concentration(spend)
    assert curve.iloc[-1].tolist() == [1.0, 1.0]
    assert (np.diff(curve["share_of_spend"]) >= 0).all()


def test_money_at_risk_adds_up_over_the_grid_and_follows_hidden_counts(ahead: Outlook) -> None:
    table = ahead.table
    counts = value_tables.save_counts(table, frame=framed())
    money = value_tables.save_money(table, counts, frame=framed())
    assert counts.loc[TOTAL, TOTAL] == len(table)
    assert money.to_numpy(dtype=float).sum() == pytest.approx(table["money_at_risk"].sum())
    few = value_tables.save_counts(table, frame=FEW)
    hidden = value_tables.save_money(table, few, frame=FEW)
    assert any(isinstance(cell, Mark) for cell in hidden.to_numpy().ravel())
    for row in hidden.index:
        for band in hidden.columns:
            assert isinstance(few.loc[row, band], Mark) == isinstance(hidden.loc[row, band], Mark)


def test_buyers_worth_the_same_are_in_one_band() -> None:
    assert set(value_tables.value_bands(pd.Series([5.0] * 7), frame=framed())) == {"all alike"}
    bands = value_tables.value_bands(pd.Series([1.0] * 5 + [9.0] * 5), frame=framed())
    assert bands.tolist() == [bands[0]] * 5 + [bands[9]] * 5
    assert bands[0] != bands[9]


def test_the_first_to_save_stand_first_and_ids_leave_as_pseudonyms(
    ahead: Outlook, tiers: tk.RFM, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(TOKEN_VARIABLE, raising=False)
    table = valuing.save_list(ahead, tiers, demo(), page)
    said = repr(table)
    first = ahead.money_at_risk.sort_values(ascending=False)
    assert page.frame.money(float(first.iloc[0])) in said
    assert "p_" in said
    assert not any(str(name) in said for name in first.index[:20])
    monkeypatch.setenv(TOKEN_VARIABLE, "a run")
    assert isinstance(valuing.save_list(ahead, tiers, demo(), page), Note)


# the outlook


def test_money_at_risk_is_risk_times_spend_given_active_never_times_value(ahead: Outlook) -> None:
    expected = ahead.risk["risk_90d"] * ahead.worth["expected_spend_given_active"]
    pd.testing.assert_series_equal(ahead.money_at_risk, expected.rename("money_at_risk"))
    assert (ahead.money_at_risk <= ahead.worth["expected_spend_given_active"] + 1e-9).all()


def test_the_same_models_are_read_for_another_day(ahead: Outlook) -> None:
    again = read_at(demo(), ahead, DAY)
    pd.testing.assert_series_equal(again.own_risk, ahead.own_risk)
    pd.testing.assert_series_equal(again.money_at_risk, ahead.money_at_risk)
    earlier = read_at(demo(), ahead, date(2026, 9, 30))
    assert len(earlier.buyers) <= len(ahead.buyers)
    assert earlier.churn is ahead.churn


LITTLE = {
    "few_buyers": (orders(20, 20, 3), "there are 20 buyers, and 60 are needed"),
    "short_log": (orders(200, 60, 3), "and 180 are needed"),
    "no_repeaters": (orders(300, 280, 1), "nobody has ordered on two different days"),
}
DAYS = {"few_buyers": "2026-10-31", "short_log": "2026-03-31", "no_repeaters": "2026-10-31"}


@pytest.mark.parametrize("why", LITTLE)
def test_with_too_little_every_cell_says_what_is_missing(why: str) -> None:
    table, told = LITTLE[why]
    business = shop(table)
    day = date.fromisoformat(DAYS[why])
    tiers = tk.RFM().fit(business.snapshot(day))
    ahead = look_ahead(business, day)
    assert {name: reason.key for name, reason in ahead.reasons.items()} == {"risk": why, "value": why}
    grades, clock = grading.graded(business, ahead, tiers), clocking.clock_of(business, ahead, tiers)
    curves = risking.curves_of(business, ahead, tiers)
    for language in LANGUAGES:
        page = Page(business, DAYS[why], language)
        before = risking.earlier(business, ahead, page)
        by_type = valuing.by_type(ahead, tiers, page)
        said: list[Any] = [
            risking.risk_story(ahead, before, grades, clock, page), valuing.value_story(ahead, before, page),
            risking.bands(ahead, tiers, page), risking.curves(curves, ahead, page), risking.drivers(ahead, page),
            clocking.rates(clock, page), grading.calibration(grades, page), valuing.save_grid(ahead, page),
            valuing.money_bars(by_type, ahead, page), valuing.spend_dots(by_type, ahead, page),
            valuing.pareto(ahead, page), valuing.tracking(valuing.tracked(business, ahead), page),
        ]  # fmt: skip
        assert all(one is not None for one in said)
        assert language == "zh" or all(told in repr(one) for one in said)
        silent = [
            risking.curves_table(curves, page), risking.curves_note(curves, page), risking.drivers_of(ahead, page),
            risking.fit_note(ahead, page), clocking.setting(clock, business, page), clocking.sensitivity(clock, page),
            clocking.by_type(clock, page), clocking.by_rhythm(clock, page), grading.contenders(grades, page),
            grading.grades_by_type(grades, page), grading.served(grades, page),
            valuing.save_list(ahead, tiers, business, page), valuing.type_table(by_type, page),
            valuing.independence(ahead, page), valuing.parameters(ahead, page), valuing.served_note(ahead, page),
            valuing.checks(ahead, page),
        ]  # fmt: skip
        assert all(one is None for one in silent)
        assert plain(risking.recorded(ahead, grades, clock, page))["not_estimated"] == why
    assert plain(valuing.recorded(ahead))["not_estimated"] == why


def test_a_back_test_needs_enough_of_the_log_before_each_origin(ahead: Outlook) -> None:
    assert [str(day) for day in grading.origins_of(ahead)] == ["2026-06-02", "2026-07-03", "2026-08-02"]
    young = shop(orders(300, 190, 3))
    assert grading.origins_of(look_ahead(young, date(2026, 7, 31))) == []
    tiers = tk.RFM().fit(young.snapshot("2026-07-31"))
    told = grading.graded(young, look_ahead(young, date(2026, 7, 31)), tiers)
    assert isinstance(told, Reason)
    assert told.key == "no_origin"


def test_the_story_of_risk_says_money_and_trust_and_hides_what_is_few(
    ahead: Outlook, tiers: tk.RFM, page: Page
) -> None:
    clock = clocking.clock_of(demo(), ahead, tiers)
    told = risking.risk_story(ahead, None, Reason("no_origin"), clock, page)
    high = int((ahead.own_risk >= 0.8).sum())
    assert f"{high:,} of {len(ahead.buyers):,} buyers" in told.verdict
    assert page.frame.money(float(ahead.money_at_risk.sum())) in told.verdict
    assert "too short to check" in told.verdict
    assert len(told.figures) <= 6
    assert risking.changed(105, 100, page, people=True) == "+5.0% since 30 September 2026"
    published = Page(demo(), AS_OF, "en")
    published.frame = FEW
    assert risking.changed(105, 100, published, people=True) == ""


# the card


def test_a_card_says_risk_value_and_what_drives_it(ahead: Outlook) -> None:
    who = str(ahead.buyers["order_days"].idxmax())
    own = customer_outlook(demo(), who, DAY)
    assert own.risk.index.tolist() == [30, 90]
    assert own.risk[90] == pytest.approx(ahead.own_risk[who])
    assert own.risk[30] >= own.risk[90]
    assert own.worth["expected_spend_lower"] <= own.worth["expected_spend"] <= own.worth["expected_spend_upper"]
    card, zh = demo().customer(who, as_of=AS_OF, lang="zh"), Words("zh")
    assert zh.say("risk_of_days", n="90") in repr(card)
    assert zh.label("rhythm") in repr(card)
    assert zh.label("drivers_of") in card._repr_html_()


def test_who_ordered_once_has_no_chance_of_being_active(ahead: Outlook) -> None:
    once = str(ahead.buyers.index[ahead.buyers["order_days"] == 1][0])
    assert np.isnan(customer_outlook(demo(), once, DAY).worth["p_alive"])


def test_models_are_fitted_once_a_study_and_day() -> None:
    assert outlook_at(demo(), DAY) is outlook_at(demo(), DAY)
    assert outlook_at(shop(orders(3, 3, 2)), DAY) is not outlook_at(demo(), DAY)


def test_a_card_of_a_young_business_says_why_there_is_nothing_ahead() -> None:
    card = shop(orders(3, 3, 2)).customer("C0001", as_of="2026-02-28", lang="en")
    assert "there are 3 buyers, and 60 are needed" in repr(card)
    assert card.ahead.drivers.empty


def test_a_card_of_a_prospect_has_nothing_ahead() -> None:
    snap = demo().snapshot(AS_OF, columns=["order_count"])
    card = demo().customer(str(snap.index[snap["order_count"] == 0][0]), as_of=AS_OF, lang="en")
    assert Words("en").say("risk_of_days", n="90") not in repr(card)
